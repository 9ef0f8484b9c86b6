// fix.js: the things to copy from a finding: the command that fixes it, an exception
// to complete, and the address of its line.

// Names that IAM accepts need no quotes in a shell or in YAML. The page offers
// nothing for other names.
const PLAIN_NAME = /^[A-Za-z0-9_+=,.@-]{1,128}$/;
const ACCOUNT_NUMBER = /^[0-9]{12}$/;
const KEY_ID = /^[A-Z0-9]{16,128}$/;

// FIXES are the commands and their effects.
const FIXES = {
  'deactivate-key': {does: 'deactivates the key', of: 'key', write: (user, id) => `aws iam update-access-key ${user} --status Inactive --access-key-id ${id}`},
  'delete-key': {does: 'deletes the key for good', of: 'key', write: (user, id) => `aws iam delete-access-key ${user} --access-key-id ${id}`},
  'delete-password': {does: 'removes the console password', write: (user) => `aws iam delete-login-profile ${user}`},
  'reset-password': {does: 'asks for a new password at the next sign-in', write: (user) => `aws iam update-login-profile ${user} --password-reset-required`},
  'deactivate-certificate': {does: 'deactivates the certificate', of: 'certificate',
    write: (user, id) => `aws iam update-signing-certificate ${user} --status Inactive --certificate-id ${id}`},
  'delete-user': {does: 'deletes the user', write: (user) => `aws iam delete-user ${user}`},
};

// created returns the beginning of a time as the AWS CLI prints it.
const created = (c) => iso(seconds(made(c))).slice(0, 19);

// twin returns whether another credential of the kind was created in the same
// second.
function twin(c) {
  const u = credentials.user[c];
  for (let d = users.first[u]; d < users.first[u + 1]; d++) {
    if (d !== c && KINDS[credentials.what[d]] === KINDS[credentials.what[c]] && made(d) === made(c)) return true;
  }
  return false;
}

// credentialWord returns the part of a command that names a key or a certificate:
// its id, or a query by its creation time. It is '' if neither is known.
function credentialWord(c, f, of, user) {
  const ids = (findings.more.get(f)?.keys || '').split(' ').filter(Boolean);
  if (of === 'key' && ids.length === 1 && KEY_ID.test(ids[0])) return ids[0];
  if (KINDS[credentials.what[c]] !== of || !isTime(made(c)) || twin(c)) return '';
  const [list, member, time, id] = of === 'key' ? ['list-access-keys', 'AccessKeyMetadata', 'CreateDate', 'AccessKeyId'] : ['list-signing-certificates', 'Certificates', 'UploadDate', 'CertificateId'];
  return `"$(aws iam ${list} ${user} --query "${member}[?starts_with(${time}, '${created(c)}')].${id}" --output text)"`;
}

// command returns the command that fixes a finding, and its effect. It returns null
// if there is none. In another account the command does nothing.
function command(c, f) {
  const u = credentials.user[c], {account} = accountOf(c);
  const fix = FIXES[controlOf(f).fix];
  if (!fix || users.klass[u] === ROOT || !PLAIN_NAME.test(users.name[u]) || !ACCOUNT_NUMBER.test(account || '')) return null;
  if (findings.verdict[f] & SUPPRESSED || ![FAIL, WARN].includes(statusOf(findings.verdict[f]))) return null;
  const user = `--user-name=${users.name[u]}`, id = fix.of ? credentialWord(c, f, fix.of, user) : '';
  if (fix.of && !id) return null;
  return {does: fix.does, text: `test "$(aws sts get-caller-identity --query Account --output text)" = ${account} && ${fix.write(user, id)}`};
}

// credentialID returns the name of a credential in exceptions.
function credentialID(c) {
  const kind = KINDS[credentials.what[c]];
  if (kind === 'password') return kind;
  if (!isTime(made(c))) return '';
  return `${kind === 'key' ? 'key' : 'cert'}:${iso(seconds(made(c)))}${twin(c) ? `#${WHATS[credentials.what[c]].at(-1)}` : ''}`;
}

const EXCEPTION_DAYS = 90; // until it expires, unless a person writes another day

// exception returns the block of the exceptions file that would excuse a finding,
// and null if none can. A person must complete the reason, owner and ticket.
function exception(c, f) {
  const u = credentials.user[c], {account} = accountOf(c), control = controlOf(f).id, verdict = findings.verdict[f];
  const root = users.klass[u] === ROOT;
  if (verdict & SUPPRESSED || ![FAIL, WARN].includes(statusOf(verdict)) || control === EVIDENCE || users.line[u] === 0) return null;
  if (!ACCOUNT_NUMBER.test(account || '') || !(root || PLAIN_NAME.test(users.name[u]))) return null;
  const id = verdict & WHOLE_USER || !credentials.what[c] ? '' : credentialID(c), user = root ? 'root' : users.name[u];
  return [
    `- id: "${control}-${account}-${user}${id ? `-${id.replace(/[^A-Za-z0-9#]/g, '')}` : ''}"`, `  control: ${control}`, `  account: "${account}"`, `  user: "${users.name[u]}"`,
    id ? `  credential: "${id}"` : null, '  reason: ""', '  owner: ""', '  ticket: ""',
    `  expires: ${day((page.made || Date.now() / 1000) + EXCEPTION_DAYS * DAY)}`,
  ].filter(Boolean).join('\n') + '\n';
}

// lineName returns the name of a line in addresses. Later pages use the same name.
function lineName(c) {
  const account = accountOf(c);
  return `${WHATS[credentials.what[c]].replace(' ', '-')}/${account.key}/${users.name[credentials.user[c]]}`;
}

// findLine returns the first line of that name, -1 for none.
function findLine(name) {
  for (let u = 0; u < users.count; u++) {
    if (!name.endsWith(`/${users.name[u]}`)) continue;
    for (let c = users.first[u]; c < users.first[u + 1]; c++) if (lineName(c) === name) return c;
  }
  return -1;
}

// copyText copies a text to the clipboard. It uses the old method if the browser
// does not allow the new one in a file.
async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = h('textarea', {class: 'offscreen', 'aria-hidden': 'true'});
    area.value = text;
    document.body.append(area);
    area.select();
    const copied = document.execCommand('copy');
    area.remove();
    return copied;
  }
}

// copyButton creates a button that copies a text and confirms it.
function copyButton(name, text) {
  const button = h('button', {type: 'button', class: 'copy', onclick: async () => {
    button.textContent = await copyText(text()) ? 'Copied' : 'The browser does not copy: select the text';
    setTimeout(() => { button.textContent = name; }, 2000);
  }}, name);
  return button;
}

// fixOf shows how to fix or excuse a finding.
function fixOf(c, f) {
  const fix = command(c, f), block = exception(c, f);
  return [
    fix ? h('div', {class: 'fix'}, h('pre', {tabindex: 0, 'aria-label': 'The command'}, fix.text), copyButton('Copy the command', () => fix.text), h('span', {class: 'muted'}, ` It ${fix.does}.`)) : null,
    block ? h('p', {}, copyButton('Copy an exception', () => block), h('span', {class: 'muted'}, ' A block for the file of --exceptions, to fill in.')) : null,
  ];
}
