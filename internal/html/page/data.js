// data.js: what the page was made of. One entry for each credential, user and
// finding, in typed arrays; times are seconds since 1970, with absences below 0.

const {page, rows: reports} = JSON.parse(document.getElementById('data').textContent);

const DAY = 86400;
const ROOT = 1; // a class
const [NO_DATA, FAIL, WARN, MANUAL, NOT_APPLICABLE, PASS] = [0, 1, 2, 3, 4, 5];
const EXCUSED = 6; // behind the statuses, in the figures of a control in an account
const KEY_AGE = 'C9'; // the control that limits the age of keys
const EVIDENCE = 'C19'; // the control that no exception excuses
const SUPPRESSED = 1 << 6, APPROXIMATE = 1 << 7, WHOLE_USER = 1 << 8;
const WHATS = ['user', 'password', 'key 1', 'key 2', 'certificate 1', 'certificate 2'];
const KINDS = ['user', 'password', 'key', 'key', 'certificate', 'certificate'];
const ABSENCES = ['', 'N/A', 'no_information', 'not_supported', 'missing column', 'unreadable'];

const isTime = (t) => t >= 0 || t < -5;
const seconds = (t) => (t >= 0 ? t : t + 5);
const absence = (t) => ABSENCES[-t];
const statusOf = (verdict) => verdict & 7;
const severityOf = (verdict) => (verdict >> 3) & 7;

const sum = (list) => list.reduce((a, b) => a + b, 0);
const total = (what) => sum(reports.map((r) => (r ? r[what] : 0)));

const accounts = page.accounts;
const users = {
  count: total('users'), account: new Uint32Array(total('users')), name: [], path: [], arn: [],
  klass: [], created: [], mfa: [], line: [],
  first: new Uint32Array(total('users') + 1), // of its credentials
};
const credentials = {
  count: total('credentials'), user: new Uint32Array(total('credentials')),
  what: [], state: [], made: [], used: [], region: [], service: [],
  first: new Uint32Array(total('credentials') + 1), // of its findings
};
const findings = {
  count: total('findings'), verdict: [], cell: [], reason: [], control: [],
  args: new Uint32Array(total('findings')), more: new Map(),
};
const strings = [''];
const args = [];

// Appending many values at once may be more arguments than an engine takes.
function append(to, from) {
  for (const value of from) to.push(value);
}

function readReport(report, a) {
  if (!report) return;
  const text = strings.length - 1; // what is added to the report's own indexes
  const at = (index) => (index > 0 ? index + text : 0);
  const [u0, c0, f0] = [users.name.length, credentials.what.length, findings.verdict.length];
  append(strings, report.strings);

  for (const key of ['name', 'created', 'mfa', 'line']) append(users[key], report[key]);
  append(users.klass, report.class);
  let c = c0;
  for (let i = 0; i < report.users; i++) {
    users.account[u0 + i] = a;
    users.path.push(at(report.path[i]));
    users.arn.push(at(-report.path[i]));
    users.first[u0 + i] = c;
    for (let n = report.held[i]; n > 0; n--) credentials.user[c++] = u0 + i;
  }
  users.first[u0 + report.users] = c;

  for (const key of ['what', 'state', 'made', 'used']) append(credentials[key], report[key]);
  let f = f0;
  for (let i = 0; i < report.credentials; i++) {
    credentials.region.push(at(report.region[i]));
    credentials.service.push(at(report.service[i]));
    credentials.first[c0 + i] = f;
    f += report.found[i];
  }
  credentials.first[c0 + report.credentials] = f;

  append(findings.verdict, report.verdict);
  append(findings.cell, report.cell);
  const marks = report.strings.map((s) => s.replace(/[^\x01\x02]/g, '').length);
  let arg = args.length;
  for (let i = 0; i < report.findings; i++) {
    findings.control.push(at(report.control[i]));
    findings.reason.push(at(report.reason[i]));
    findings.args[f0 + i] = arg;
    arg += report.reason[i] ? marks[report.reason[i] - 1] : 0;
  }
  append(args, report.args);
  for (let i = 0; i < report.more.length; i += 5) {
    const [exception, expired, keys, note] = report.more.slice(i + 1, i + 5).map((s) => strings[at(s)]);
    findings.more.set(f0 + report.more[i], {exception, expired, keys, note});
  }
}
reports.forEach(readReport);

// key returns the name of an account in addresses: its number, or else what is known,
// and the second of the same name with ~2.
const accountKeys = new Map();
accounts.forEach((account, a) => {
  const name = account.account || account.name || account.path || `report ${a + 1}`;
  account.key = name;
  for (let n = 2; accountKeys.has(account.key); n++) account.key = `${name}~${n}`;
  accountKeys.set(account.key, a);
});

const controls = new Map(page.controls.map((c) => [c.id, c]));

// reason puts the numbers and times back into the text of a finding.
function reason(f) {
  let arg = findings.args[f];
  return strings[findings.reason[f]].replace(/[\x01\x02]/g, (mark) => {
    const value = args[arg++];
    return mark === '\x01' ? String(value) : iso(value);
  });
}

// parts takes a reason apart: its text with a mark for each value, and the
// values. A length of time, which may have two units, is one value.
function parts(f) {
  const values = [];
  let arg = findings.args[f];
  const text = strings[findings.reason[f]].replace(/\x01(?: (?:day|hour|minute|second)s?\b)?(?: \x01 (?:day|hour|minute|second)s?\b)?|\x02/g, (piece) => {
    values.push(piece.replace(/[\x01\x02]/g, (mark) => (mark === '\x01' ? String(args[arg++]) : iso(args[arg++]))));
    return '\x01';
  });
  return {text, values};
}

// weight orders findings as the audit does: by severity, then FAIL before
// NO_DATA before WARN. What a person must judge comes behind, then what is
// excused.
function weight(f) {
  const verdict = findings.verdict[f];
  if (verdict & SUPPRESSED) return 1;
  const rank = {[FAIL]: 3, [NO_DATA]: 2, [WARN]: 1}[statusOf(verdict)];
  return rank ? 3 + severityOf(verdict) * 4 + rank : 2;
}

// worst is the heaviest finding of each credential, -1 for none.
const worst = new Int32Array(credentials.count).fill(-1);
const weights = new Uint8Array(credentials.count);
for (let c = 0; c < credentials.count; c++) {
  for (let f = credentials.first[c]; f < credentials.first[c + 1]; f++) {
    const w = weight(f);
    if (w > weights[c]) [weights[c], worst[c]] = [w, f];
  }
}

const accountOf = (c) => accounts[users.account[credentials.user[c]]];
const hasMFA = (c) => users.mfa[credentials.user[c]];

// isConsoleUser says whether c is the password of a user: root is separate.
const isConsoleUser = (c) => KINDS[credentials.what[c]] === 'password' && credentials.state[c] === 1 && users.klass[credentials.user[c]] !== ROOT;

// age returns the seconds from t to the time of the audit; NaN where
// either is not known.
function age(account, t) {
  return account.asOf && isTime(t) ? account.asOf - seconds(t) : NaN;
}

// bucket is the first limit, in days, that an age does not exceed. A key may
// seem to be made up to an hour after the report: clocks differ.
function bucket(seconds, limits) {
  if (!(seconds >= -3600)) return -1;
  const i = limits.findIndex((days) => seconds <= days * DAY);
  return i < 0 ? limits.length : i;
}

const isActiveKey = (c) => KINDS[credentials.what[c]] === 'key' && credentials.state[c] === 1;
const keyBin = (c) => bucket(age(accountOf(c), credentials.made[c]), page.keyLimits);
