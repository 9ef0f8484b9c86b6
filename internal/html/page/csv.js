// csv.js: the lines of the current filter as a file for a spreadsheet.

const CSV_COLUMNS = ['account', 'account_name', 'user', 'arn', 'class', 'credential', 'state', 'created', 'last_used', 'service', 'region', 'mfa', 'verdict', 'severity', 'controls', 'reasons'];

// csvCell returns a cell that no spreadsheet reads as a formula, like the CSV of the
// command line.
function csvCell(value) {
  const text = visible(value), safe = /^[ \u3000\u00a0]*[=+\-@＝＋－＠]/u.test(text) ? `'${text}` : text;
  return /[",]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

const csvTime = (t) => (isTime(t) ? iso(seconds(t)) : t === -4 ? '' : absence(t));

function csvRow(c) {
  const u = credentials.user[c], account = accountOf(c), all = findingsFor(c), is = KINDS[credentials.what[c]];
  return [
    account.account || account.key, account.name || '', users.name[u], arnOf(u), users.line[u] ? page.classes[users.klass[u]] : '', what(c),
    is === 'user' ? '' : truth(credentials.state[c], 'active', is === 'password' ? 'none' : 'inactive'), csvTime(made(c)), is === 'certificate' ? '' : csvTime(used(c)),
    strings[credentials.service[c]], strings[credentials.region[c]], users.line[u] ? truth(users.mfa[u], 'yes', 'no') : '',
    verdictName(c), worst[c] < 0 ? '' : page.severities[severityOf(findings.verdict[worst[c]])],
    all.map((f) => controlOf(f).id).join(' '), all.map((f) => `${controlOf(f).id}: ${reason(f)}`).join(' '),
  ];
}

const csvOf = (rows) => [CSV_COLUMNS, ...Array.from(rows, csvRow)].map((cells) => cells.map(csvCell).join(',') + '\r\n').join('');

// save lets the browser save a text as a file.
function save(name, type, text) {
  const address = URL.createObjectURL(new Blob([text], {type}));
  h('a', {href: address, download: name}).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
