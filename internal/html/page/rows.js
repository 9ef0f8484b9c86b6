// rows.js: the credentials, users and findings of the reports, in typed arrays with
// one element for each. They are read when something first needs them.

let users = {count: 0}, credentials = {count: 0}, findings = {count: 0};
let strings = [''], args = [];
let worst, weights; // of each credential: its heaviest finding, -1 for none, and how heavy it is

const sumOf = (blocks, what) => sum(blocks.map((block) => block[what]));

// loadRows reads the rows, once.
function loadRows() {
  const element = document.getElementById('rows');
  if (!element) return;
  const blocks = JSON.parse(element.textContent);
  element.remove();
  const [u, c, f] = ['users', 'credentials', 'findings'].map((what) => sumOf(blocks, what));
  users = {
    count: u, account: new Uint32Array(u), name: [], path: new Uint32Array(u), arn: new Uint32Array(u), klass: new Uint8Array(u),
    created: new Float64Array(u), mfa: new Int8Array(u), line: new Uint32Array(u), first: new Uint32Array(u + 1), // of its credentials
  };
  credentials = {
    count: c, user: new Uint32Array(c), what: new Uint8Array(c), state: new Int8Array(c), made: new Float64Array(c), used: new Float64Array(c),
    region: new Uint32Array(c), service: new Uint32Array(c), first: new Uint32Array(c + 1), // of its findings
  };
  findings = {
    count: f, verdict: new Uint16Array(f), cell: new Uint8Array(f), reason: new Uint32Array(f), control: new Uint16Array(f),
    args: new Uint32Array(f), more: new Map(),
  };
  args = new Float64Array(sum(blocks.map((block) => block.args.length)));
  const at = {u: 0, c: 0, f: 0, arg: 0};
  for (const block of blocks) readBlock(block, at);
  users.first[u] = c;
  credentials.first[c] = f;
  weighAll();
  prepare();
}

// readBlock reads some rows of a report, and appends them.
function readBlock(block, at) {
  const text = strings.length - 1; // what is added to the block's own indexes
  const string = (index) => (index > 0 ? index + text : 0);
  for (const s of block.strings) strings.push(s);
  readUsers(block, at, string);
  readCredentials(block, at, string);
  readFindings(block, at, string);
  at.u += block.users;
  at.c += block.credentials;
  at.f += block.findings;
}

function readUsers(block, at, string) {
  let c = at.c;
  for (const name of block.name) users.name.push(name);
  users.klass.set(block.class, at.u);
  for (const key of ['created', 'mfa', 'line']) users[key].set(block[key], at.u);
  users.account.fill(block.of, at.u, at.u + block.users);
  for (let i = 0; i < block.users; i++) {
    users.path[at.u + i] = string(block.path[i]);
    users.arn[at.u + i] = string(-block.path[i]);
    users.first[at.u + i] = c;
    for (let n = block.held[i]; n > 0; n--) credentials.user[c++] = at.u + i;
  }
}

function readCredentials(block, at, string) {
  let f = at.f;
  for (const key of ['what', 'state', 'made', 'used']) credentials[key].set(block[key], at.c);
  for (let i = 0; i < block.credentials; i++) {
    credentials.region[at.c + i] = string(block.region[i]);
    credentials.service[at.c + i] = string(block.service[i]);
    credentials.first[at.c + i] = f;
    f += block.found[i];
  }
}

function readFindings(block, at, string) {
  findings.verdict.set(block.verdict, at.f);
  findings.cell.set(block.cell, at.f);
  args.set(block.args, at.arg);
  const marks = block.strings.map((s) => s.replace(/[^\x01\x02]/g, '').length);
  const codes = block.strings.map((s) => page.controls.findIndex((c) => c.id === s));
  for (let i = 0; i < block.findings; i++) {
    findings.control[at.f + i] = codes[block.control[i] - 1];
    findings.reason[at.f + i] = string(block.reason[i]);
    findings.args[at.f + i] = at.arg;
    at.arg += block.reason[i] ? marks[block.reason[i] - 1] : 0;
  }
  for (let i = 0; i < block.more.length; i += 5) {
    const [exception, expired, keys, note] = block.more.slice(i + 1, i + 5).map((s) => strings[string(s)]);
    findings.more.set(at.f + block.more[i], {exception, expired, keys, note});
  }
}

// controlOf returns the control of a finding.
const controlOf = (f) => page.controls[findings.control[f]];

// reason puts the numbers and times back into the text of a finding.
function reason(f) {
  let arg = findings.args[f];
  return strings[findings.reason[f]].replace(/[\x01\x02]/g, (mark) => {
    const value = args[arg++];
    return mark === '\x01' ? String(value) : iso(value);
  });
}

// parts splits a reason into its text, with a mark for each value, and the values.
// A duration of two units is one value.
function parts(f) {
  const values = [];
  let arg = findings.args[f];
  const text = strings[findings.reason[f]].replace(/\x01(?: (?:day|hour|minute|second)s?\b)?(?: \x01 (?:day|hour|minute|second)s?\b)?|\x02/g, (piece) => {
    values.push(piece.replace(/[\x01\x02]/g, (mark) => (mark === '\x01' ? String(args[arg++]) : iso(args[arg++]))));
    return '\x01';
  });
  return {text, values};
}

// WEIGHTS orders verdicts as the audit does: by severity, then FAIL before NO_DATA
// before WARN. MANUAL comes next, and excused findings come last.
const WEIGHTS = Uint8Array.from({length: 1 << 7}, (_, verdict) => {
  if (verdict & SUPPRESSED) return 1;
  const rank = {[FAIL]: 3, [NO_DATA]: 2, [WARN]: 1}[statusOf(verdict)];
  return rank ? 3 + severityOf(verdict) * 4 + rank : 2;
});

const weight = (f) => WEIGHTS[findings.verdict[f] & 0x7f];

function weighAll() {
  worst = new Int32Array(credentials.count).fill(-1);
  weights = new Uint8Array(credentials.count);
  for (let c = 0; c < credentials.count; c++) {
    for (let f = credentials.first[c]; f < credentials.first[c + 1]; f++) {
      const w = weight(f);
      if (w > weights[c]) [weights[c], worst[c]] = [w, f];
    }
  }
}

const accountOf = (c) => accounts[users.account[credentials.user[c]]];
const hasMFA = (c) => users.mfa[credentials.user[c]];

// isConsoleUser returns whether c is the password of a user other than root.
const isConsoleUser = (c) => KINDS[credentials.what[c]] === 'password' && credentials.state[c] === 1 && users.klass[credentials.user[c]] !== ROOT;

const isActiveKey = (c) => KINDS[credentials.what[c]] === 'key' && credentials.state[c] === 1;
const keyBin = (c) => bucket(age(accountOf(c), credentials.made[c]), page.keyLimits);
