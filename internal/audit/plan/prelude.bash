set -u -o pipefail
export LC_ALL=C AWS_PAGER=''
umask 077

usage() {
  cat <<EOF
usage: bash $0 --stage STAGE [--dry-run] [--ignore-dates] [--record FILE]
                [--notify PROGRAM] [-- OPTIONS OF THE AWS CLI]

  --stage warn         tell the owners what is going to happen
  --stage final        tell them again
  --stage deactivate   make keys inactive, remove passwords
  --stage delete       delete the keys that were made inactive
  --stage undo         make keys active again that this plan made inactive
  --dry-run            look, but change nothing
  --ignore-dates       do not wait for days, windows and the time between stages
  --record FILE        what was done, and when (default $0.record)
  --notify PROGRAM     give each message to PROGRAM ACCOUNT USER on its input
                       as well

Without --stage nothing is done, and the plan is listed.
Exit codes: 0 done, 1 something was refused or failed, 64 wrong command line.
EOF
}

stage='' dry='' hurry='' record="$0.record" notify=''
while (( $# > 0 )); do
  case $1 in
    --stage | --record | --notify)
      if (( $# < 2 )); then usage >&2; exit 64; fi
      case $1 in
        --stage) stage=$2 ;;
        --record) record=$2 ;;
        --notify) notify=$2 ;;
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
id='' title='' key='' status='' bad=0

# aws is the AWS CLI with the options given after --.
aws() { command aws ${options[@]+"${options[@]}"} "$@"; }

say() { printf '%s\n' "$*"; }
refuse() { say "  refused: $*"; bad=1; return 1; }
later() { say "  not yet: $*"; return 1; }

# item ID TITLE begins with a credential.
item() { id=$1 title=$2 key='' status=''; say "$title"; }

# recorded STAGE prints when this was last done to the credential, in seconds,
# unless it was undone since.
recorded() {
  [[ -e $record ]] || return 1
  local at iso what who how last=''
  while read -r at iso what who how; do
    case "$what $how" in
      "$1 done") last=$at ;;
      'undo done') last='' ;;
    esac
  done < <(grep -F " $id " "$record")
  [[ -n $last ]] && printf '%s' "$last"
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
  if [[ -z $found || $found == None ]]; then refuse "there is no access key made $2 any more"; return 1; fi
  if [[ ! $found =~ ^([A-Z0-9]{16,128})[[:space:]]+(Active|Inactive)$ ]]; then
    refuse "there are several access keys made $2: which is meant, the report does not tell"; return 1
  fi
  key=${BASH_REMATCH[1]} status=${BASH_REMATCH[2]}
  if [[ -n ${3-} && $key != "$3" ]]; then refuse "the access key made $2 is $key and not $3"; return 1; fi
}

# before TIME CUTOFF is true where TIME, as the AWS CLI writes it, is none or
# before the cutoff.
before() {
  case $1 in
    None | N/A) return 0 ;;
  esac
  if [[ ! $1 =~ ^([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]+)?(Z|\+00:00)$ ]]; then
    refuse "$1 is no time in UTC"; return 1
  fi
  [[ ${BASH_REMATCH[1]} < $2 ]] || refuse "it was used at $1"
}

# key_unused CUTOFF refuses a key that was used since.
key_unused() {
  local used
  used=$(aws iam get-access-key-last-used --access-key-id="$key" --output text \
    --query AccessKeyLastUsed.LastUsedDate) || { refuse 'cannot find out when it was last used'; return 1; }
  before "$used" "$1"
}

# password_unused USER MADE CUTOFF refuses another user of that name, and a
# password that was used since.
password_unused() {
  local found made used
  found=$(aws iam get-user --user-name="$1" --output text --query 'User.[CreateDate, PasswordLastUsed]') ||
    { refuse 'cannot get the user'; return 1; }
  read -r made used <<< "$found"
  if [[ ${made:0:19} != "$2" ]]; then refuse "the user of that name was made $made, and not $2"; return 1; fi
  before "$used" "$3"
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

# run COMMAND... shows a command and runs it, with a record before and after.
run() {
  local words
  printf -v words ' %q' "$@"
  say " $words"
  [[ -z $dry ]] || return 0
  note begun || return 1
  if "$@"; then note 'done'; else note failed; refuse 'the command failed'; return 1; fi
}

