set -u -o pipefail
export LC_ALL=C AWS_PAGER=''
umask 077

usage() {
  cat <<EOF
usage: bash $0 --stage STAGE [--user NAME]... [--dry-run] [--ignore-dates]
                [--record FILE] [--notify PROGRAM] [-- OPTIONS OF THE AWS CLI]

  --stage warn         tell the owners what will happen
  --stage final        tell them again
  --stage deactivate   deactivate keys, remove passwords
  --stage delete       delete the keys that were deactivated
  --stage undo         reactivate the keys that this plan deactivated
  --user NAME          act only on this user; may be repeated
  --dry-run            check everything, but change nothing
  --ignore-dates       do not wait for days, windows and the time between stages.
                       Credentials used in the last $keep days are still kept
  --record FILE        the record of what was done, and when (default $0.record)
  --notify PROGRAM     also run PROGRAM ACCOUNT USER for each message, which is on
                       its standard input

Without --stage the script lists the plan and does nothing. Calls go to the
service that the report came from, with its profile unless another --profile
follows --.
Exit codes: 0 done, 1 something was refused or failed, 64 wrong command line.
EOF
}

stage='' dry='' hurry='' record="$0.record" notify='' users=()
while (( $# > 0 )); do
  case $1 in
    --stage | --record | --notify | --user)
      if (( $# < 2 )); then usage >&2; exit 64; fi
      case $1 in
        --stage) stage=$2 ;;
        --record) record=$2 ;;
        --notify) notify=$2 ;;
        --user) users+=("$2") ;;
      esac
      shift 2 ;;
    --dry-run) dry=1; shift ;;
    --ignore-dates) hurry=1; shift ;;
    --help | -h) usage; exit 0 ;;
    --) shift; break ;;
    *) usage >&2; exit 64 ;;
  esac
done
case $stage in
  '' | warn | final | deactivate | delete | undo) ;;
  *) usage >&2; exit 64 ;;
esac
options=("$@")
now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
today=$(date +%s)
id='' key='' status='' bad=0
account='' called='' service='' profile='' have='' asked='' mine='' others=0 seen=()

say() { printf '%s\n' "$*"; }
refuse() { say "  refused: $*"; bad=1; return 1; }
later() { say "  not yet: $*"; return 1; }

# aws is the AWS CLI at the account's service, with the options given after --.
# What this plan adds comes last, so that it counts.
aws() {
  local words=(${options[@]+"${options[@]}"})
  [[ -z $profile ]] || words+=(--profile "$profile")
  case $service in
    '') command aws ${words[@]+"${words[@]}"} "$@" ;;
    aws) AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true command aws ${words[@]+"${words[@]}"} "$@" ;;
    *) command aws ${words[@]+"${words[@]}"} --endpoint-url "$service" "$@" ;;
  esac
}

# begin ACCOUNT NAME SERVICE PROFILE begins with an account. The service is that
# of its report: aws, a URL, or nothing where the report does not tell. Options
# after -- may name another profile, and no other service.
begin() {
  local word next=''
  account=$1 called=$2 service=$3 profile=$4
  for word in ${options[@]+"${options[@]}"}; do
    if [[ -n $next ]]; then
      next=''
      elsewhere "$word" || return
      continue
    fi
    case $word in
      --e*=*) elsewhere "${word#*=}" || return ;;
      --e*) next=1 ;;
      --pr*) profile='' ;;
    esac
  done
}

# elsewhere URL refuses a service that is not the account's.
elsewhere() {
  [[ -z $service || ${1%/} == "${service%/}" ]] && return
  say "account $called: its report came from ${service/#aws/AWS}, and this plan calls no other service, such as $1" >&2
  bad=1
  return 1
}

# ours is true where the credentials at hand are of the account.
ours() {
  case $stage in
    '' | warn | final) return 0 ;;
  esac
  if [[ $asked != "$service $profile" ]]; then
    have=$(aws sts get-caller-identity --query Account --output text) ||
      { say 'cannot find out to which account these credentials belong' >&2; have='' asked='' bad=1; return 1; }
    asked="$service $profile"
  fi
  if [[ $have != "$account" ]]; then others=$((others + 1)); return 1; fi
  mine=1
}

# item ID USER CREDENTIAL begins with a credential, unless only other users are
# asked for.
item() {
  local user found=''
  for user in ${users[@]+"${users[@]}"}; do
    if [[ $user == "$2" ]]; then found=1; fi
  done
  if (( ${#users[@]} > 0 )) && [[ -z $found ]]; then return 1; fi
  id=$1 key='' status='' seen+=("$2")
  say "account $called, user $2, $3"
}

# because TEXT... are the controls that the credential breaks, and why.
because() { printf '  %s\n' "$@"; }

# recorded STAGE prints when this was last done to the credential, in seconds,
# unless it was undone since. What others had done already counts as well.
recorded() {
  [[ -e $record ]] || return 1
  local at iso what who how last=''
  while read -r at iso what who how; do
    case "$what $how" in
      "$1 done" | "$1 already") last=$at ;;
      'undo done') last='' ;;
    esac
  done < <(grep -F " $id " "$record")
  [[ -n $last ]] && printf '%s' "$last"
}

# did STAGE is true where this plan did that to the credential and did not undo
# it since. A deed that was begun and whose end is not on record counts.
did() {
  [[ -e $record ]] || return 1
  local at iso what who how last=''
  while read -r at iso what who how; do
    case "$what $how" in
      "$1 begun" | "$1 done") last=1 ;;
      "$1 failed" | 'undo done') last='' ;;
    esac
  done < <(grep -F " $id " "$record")
  [[ -n $last ]]
}

# note RESULT records the stage. What cannot be recorded is not done.
note() {
  [[ -z $dry ]] || return 0
  printf '%s %s %s %s %s\n' "$(date +%s)" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$stage" "$id" "$1" >> "$record" ||
    { refuse "cannot write $record"; return 1; }
}

fresh() {
  if recorded "$stage" > /dev/null; then say '  done before'; return 1; fi
}

# due WHEN is true from then on.
due() {
  [[ -n $hurry || ! $now < $1 ]] || later "not before $1"
}

# after STAGE SECONDS is true so long after that stage was done.
after() {
  local at
  at=$(recorded "$1") || { refuse "the stage $1 was not done, or is not in $record"; return 1; }
  [[ -n $hurry ]] || (( today - at >= $2 )) || later "the stage $1 was less than $(($2 / 86400)) days ago"
}

# tell MESSAGE USER is a warning.
tell() {
  say "  $1"
  [[ -z $dry ]] || return 0
  if [[ -n $notify ]]; then
    printf '%s\n' "$1" | "$notify" "$account" "$2" || { refuse "$notify failed"; return 1; }
  fi
  note 'done'
}

# find_key USER MADE [ID] finds the user's access key that was made then, and
# whether it is active. It refuses where there is none, or more than one, or
# where it has another id.
find_key() {
  local found
  found=$(aws iam list-access-keys --user-name="$1" --output text \
    --query "AccessKeyMetadata[?starts_with(CreateDate, '$2')].[AccessKeyId, Status]") ||
    { refuse 'cannot list the access keys'; return 1; }
  if [[ -z $found || $found == None ]]; then refuse "there is no access key created $2 any more"; return 1; fi
  if [[ ! $found =~ ^([A-Z0-9]{16,128})[[:space:]]+(Active|Inactive)$ ]]; then
    refuse "there are several access keys created $2: the report does not say which one is meant"; return 1
  fi
  key=${BASH_REMATCH[1]} status=${BASH_REMATCH[2]}
  if [[ -n ${3-} && $key != "$3" ]]; then refuse "the access key created $2 is $key and not $3"; return 1; fi
}

# before TIME CUTOFF [WHAT] is true where TIME, as the AWS CLI writes it, is none
# or before the cutoff.
before() {
  case $1 in
    None | N/A) return 0 ;;
  esac
  if [[ ! $1 =~ ^([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]+)?(Z|\+00:00)$ ]]; then
    refuse "$1 is not a time in UTC"; return 1
  fi
  [[ ${BASH_REMATCH[1]} < $2 ]] || refuse "it was ${3-used} at $1"
}

# since CUTOFF puts into cutoff the moment since which a credential must not have
# been used: the plan's, and never later than so many days before this very run.
since() {
  local seconds=$((today - keep * 86400))
  cutoff=$(date -u -d "@$seconds" +%Y-%m-%dT%H:%M:%S 2> /dev/null || date -u -r "$seconds" +%Y-%m-%dT%H:%M:%S) ||
    { refuse 'cannot compute dates'; return 1; }
  [[ $cutoff < $1 ]] || cutoff=$1
}

# key_unused CUTOFF MADE refuses a key that was used since, or made.
key_unused() {
  local used cutoff
  since "$1" || return
  used=$(aws iam get-access-key-last-used --access-key-id="$key" --output text \
    --query AccessKeyLastUsed.LastUsedDate) || { refuse 'cannot find out when it was last used'; return 1; }
  before "$used" "$cutoff" || return
  [[ $2 < $cutoff ]] || refuse "it was created at $2"
}

# password_unused USER MADE CUTOFF refuses another user of that name, and a
# password that was used since, or set.
password_unused() {
  local found made used cutoff
  since "$3" || return
  found=$(aws iam get-user --user-name="$1" --output text --query 'User.[CreateDate, PasswordLastUsed]') ||
    { refuse 'cannot get the user'; return 1; }
  read -r made used <<< "$found"
  if [[ ${made:0:19} != "$2" ]]; then refuse "the user of that name was created $made, and not $2"; return 1; fi
  before "$used" "$cutoff" || return
  made=$(aws iam get-login-profile --user-name="$1" --output text --query LoginProfile.CreateDate) ||
    { refuse 'cannot find out when the password was created: the user may no longer have one'; return 1; }
  before "$made" "$cutoff" created
}

# no_mfa USER refuses a user who has MFA.
no_mfa() {
  local devices
  devices=$(aws iam list-mfa-devices --user-name="$1" --output text --query 'length(MFADevices)') ||
    { refuse 'cannot list the MFA devices'; return 1; }
  [[ $devices == 0 ]] || refuse 'the user has MFA now'
}

must_be() {
  [[ $status == "$1" ]] || refuse "it is $status"
}

# off_already is true where the key is inactive. If this plan did not make it so,
# undo leaves it as it is.
off_already() {
  [[ $status == Inactive ]] || return 1
  if did deactivate; then
    say '  a run of this plan that was interrupted deactivated it'
    note 'done'
  else
    say '  somebody else deactivated it: undo leaves it inactive'
    note already
  fi
  return 0
}

# undoable is true where this plan made the key inactive. What it removed or
# deleted cannot come back.
undoable() {
  if did delete; then refuse 'it was deleted, which cannot be undone: create a new key'; return 1; fi
  did deactivate || { say '  there is nothing to undo: this plan did not deactivate it'; return 1; }
}

# on_already is true where there is nothing left to undo.
on_already() {
  [[ $status == Active ]] || return 1
  say '  it is active already'
  note 'done'
  return 0
}

# gone_for_good refuses to undo the removal of a password.
gone_for_good() {
  if did deactivate; then
    refuse 'the password was removed, which cannot be undone: set a new one'
  else
    say '  there is nothing to undo: this plan did not remove it'
  fi
}

# end tells what the credentials at hand kept from being done, and ends.
end() {
  local user known other
  case $stage in
    '' | warn | final) ;;
    *)
      if [[ -z $mine && -n $asked ]]; then
        say "these credentials are of account ${have:-unknown}, and this plan has nothing for it" >&2
        bad=1
      elif [[ -z $mine ]]; then
        bad=1
      elif (( others > 0 )); then
        say "$others more accounts of this plan need credentials of their own"
      fi ;;
  esac
  for user in ${users[@]+"${users[@]}"}; do
    known=''
    for other in ${seen[@]+"${seen[@]}"}; do
      if [[ $user == "$other" ]]; then known=1; fi
    done
    if [[ -z $known ]]; then say "there is nothing here for a user $user" >&2; bad=1; fi
  done
  if [[ -z $stage ]]; then say 'Nothing was done: see --help.'; fi
  exit "$bad"
}

# run COMMAND... shows a command and runs it, with a record before and after.
run() {
  local words
  printf -v words ' %q' "$@"
  say " $words"
  [[ -z $dry ]] || return 0
  note begun || return 1
  if "$@"; then note 'done'; else note failed; refuse 'the command failed'; return 1; fi
}

