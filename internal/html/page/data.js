// data.js: the content of the page. The figures are read at once. The rows of the
// reports (see rows.js) are read when something needs them. Times are seconds since
// 1970, and absences are numbers below 0.

const page = JSON.parse(document.getElementById('data').textContent);

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
const accounts = page.accounts;

// The key of an account is its name in addresses: its number, or else its name or
// path. A second account of the same name gets ~2.
const accountKeys = new Map();
accounts.forEach((account, a) => {
  const name = account.account || account.name || account.path || `report ${a + 1}`;
  account.key = name;
  for (let n = 2; accountKeys.has(account.key); n++) account.key = `${name}~${n}`;
  accountKeys.set(account.key, a);
});

const controls = new Map(page.controls.map((c) => [c.id, c]));

// age returns the seconds from t to the time of the audit, and NaN if either is
// unknown.
function age(account, t) {
  return account.asOf && isTime(t) ? account.asOf - seconds(t) : NaN;
}

// bucket returns the index of the first limit, in days, that an age does not
// exceed. A key may seem up to an hour younger than the report, because clocks
// differ.
function bucket(seconds, limits) {
  if (!(seconds >= -3600)) return -1;
  const i = limits.findIndex((days) => seconds <= days * DAY);
  return i < 0 ? limits.length : i;
}
