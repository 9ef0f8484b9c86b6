// paper.js: the parts of a printed page that no screen shows: a cover, the scope, the
// method, and a place to sign.

// PAPER_ORDER are the screens in the order in which they are printed.
const PAPER_ORDER = ['overview', 'controls', 'accounts', 'keys', 'mfa', 'changes', 'credentials'];

const lines = (pairs) => h('dl', {class: 'cover-facts'}, pairs.filter(([, value]) => value).map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))));

// period returns the period that the reports cover.
function period() {
  const times = accounts.map((a) => a.generated).filter(Boolean), earlier = accounts.flatMap((a) => a.history?.snapshots.map((s) => s.generated) || []).filter(Boolean);
  if (!times.length) return 'The reports do not tell when they were generated.';
  const first = Math.min(...times), last = Math.max(...times), before = Math.min(first, ...earlier);
  return `Reports generated ${first === last ? minute(first) : `${minute(first)} to ${minute(last)}`}${before < first ? `, compared with reports since ${day(before)}` : ''}`;
}

function cover() {
  const gone = accounts.filter(lost).length, all = page.counts.total;
  return h('section', {class: 'paper cover'}, h('h1', {}, page.title),
    lines([
      ['Organization', page.organizations.join(', ') || '…………………………………………'],
      ['Accounts', `${number(accounts.length)}${gone ? `, ${number(gone)} of them without a readable report` : ''}${page.skipped.length ? `; ${number(page.skipped.length)} more ${page.skipped.length === 1 ? 'was' : 'were'} not audited` : ''}`],
      ['Period', period()],
      ['Benchmark', `${page.benchmark.title} ${page.benchmark.version} (${page.benchmark.id})`],
      ['Result', `Controls: ${page.outcomes}. ${passRate(all)} of ${plural(judgedOf(all), 'verdict')} are PASS.`],
      ['Findings', [FAIL, NO_DATA, WARN, MANUAL].map((s) => `${number(all[s])} ${statusName(s)}`).join(', ') + `, ${number(page.counts.excused)} excused`],
      ['Generated', page.made ? minute(page.made) : ''], ['Tool', page.program]]),
    h('p', {class: 'muted'}, 'This document names users and says when and where their credentials were used. Treat it as confidential.'));
}

// outcomeOf says whether and how an account was audited.
function outcomeOf(account) {
  const why = account.problems.map((p) => p.text).join(' ');
  if (account.missing) return [h('b', {class: 'fail'}, 'Not audited. '), why];
  if (unread(account)) return [h('b', {class: 'fail'}, 'Not readable. '), why];
  if (account.incomplete) return [h('b', {class: 'no-data'}, 'Audited in part. '), whyIncomplete(account)];
  return [h('b', {}, 'Audited. '), account.stale ? 'The report was older than allowed.' : ''];
}

function scope() {
  return h('section', {class: 'paper scope'}, h('h2', {}, 'Scope'),
    h('p', {}, `Every account, and what happened to it. ${page.skipped.length ? 'Accounts that are not active come last.' : ''}`),
    h('table', {}, h('thead', {}, h('tr', {}, ['Account', 'Name', 'Partition', 'Report generated', 'Age', 'Users', 'Outcome', 'SHA-256 of the report'].map((name) => h('th', {scope: 'col', class: name === 'Users' ? 'n' : null}, name)))),
      h('tbody', {}, accounts.map((a) => h('tr', {}, h('td', {class: 'id'}, a.account || a.path || '–'), h('td', {}, a.name || ''), h('td', {}, a.partition || ''),
        h('td', {}, a.generated ? minute(a.generated) : '–'), h('td', {}, lost(a) ? '–' : reportAge(a)), h('td', {class: 'n'}, lost(a) ? '–' : number(a.stats.users)), h('td', {}, outcomeOf(a)), h('td', {class: 'id sum'}, a.sha256 || '–'))),
      page.skipped.map((s) => h('tr', {}, h('td', {class: 'id'}, s.account), h('td', {}, s.name || ''), h('td', {colspan: 4}), h('td', {colspan: 2}, h('b', {}, 'Not audited. '), `The account is ${s.status}.`))))));
}

// METHOD explains how verdicts are reached.
const METHOD = [
  ['Evidence', 'The evidence is the IAM credential report of each account, a CSV file that the service generates: one row for each user and one for root. Nothing else was read unless a finding names a key id or a device. The report is up to four hours old when it is fetched; Scope gives its age and its digest.'],
  ['Verdicts', 'Each control is applied to every row or credential it concerns. An age counts in seconds from the time in the report to the time at which the report was generated, or to the time that the auditor asked for. 90 days are 90 times 24 hours.'],
  ['PASS and FAIL', 'PASS means that the report shows that the rule is kept. FAIL means that the report shows that it is broken. WARN means that it is not broken, or not for certain, and that a person should look.'],
  ['NO DATA', 'The report, the row or the cell that would decide is missing or cannot be read. NO DATA is never counted as passed. An account with any NO DATA is audited in part.'],
  ['MANUAL and not applicable', 'MANUAL means that no report can decide the question and a person must. Not applicable means that the rule does not concern the row, such as MFA of a user without a password.'],
  ['Exceptions', 'An exception excuses FAIL and WARN of one control for a named user until a day. Excused findings are counted apart. An exception that has expired excuses nothing. Controls lists all exceptions.'],
  ['Pass rate', 'PASS among PASS, FAIL, WARN and NO DATA. Excused findings, MANUAL and not applicable are left out.'],
  ['Limits', 'A credential report tells of passwords, the first two access keys, MFA and signing certificates. It tells nothing of other credentials, of permissions, of groups, or of the kind of an MFA device.'],
];

const method = () => h('section', {class: 'paper method'}, h('h2', {}, 'Method'), METHOD.map(([name, text]) => [h('h3', {}, name), h('p', {}, text)]));

const signOff = () => h('section', {class: 'paper sign-off'}, h('h2', {}, 'Sign-off'),
  h('p', {}, 'The undersigned have read this document, and the findings that it lists as FAIL, NO DATA, WARN and MANUAL.'),
  h('table', {}, h('thead', {}, h('tr', {}, ['', 'Name', 'Function', 'Date', 'Signature'].map((name) => h('th', {scope: 'col'}, name)))),
    h('tbody', {}, ['Prepared by', 'Reviewed by', 'Approved by'].map((name) => h('tr', {}, h('th', {scope: 'row'}, name), [1, 2, 3, 4].map(() => h('td', {})))))));

// layPaper puts the screens in the order of a printed document, or back.
function layPaper(on) {
  const main = document.getElementById('main');
  for (const part of main.querySelectorAll('.paper')) part.remove();
  if (on) main.prepend(cover(), scope(), method());
  for (const screen of on ? PAPER_ORDER.map((name) => screens.find((s) => s.name === name)) : screens) main.append(screen.element);
  if (on) main.append(signOff());
}
