// accounts.js: the organization table, one row for each account, the worst
// first. An account without a report comes before all others.

const KEY_AGE_PLACE = page.controls.findIndex((c) => c.id === KEY_AGE); // -1 where nothing limits the age

// oldKeys returns the number of keys beyond the limit that are not excused.
const oldKeys = (account) => account.controls[KEY_AGE_PLACE]?.[FAIL] ?? 0;
const severe = (account, status, severity) => account.counts.severities[severity][status];

// accountWeight returns a list of numbers. Lists are compared from the left, and a
// larger number is worse.
function accountWeight(account) {
  const by = [account.missing ? 1 : 0];
  for (let s = page.severities.length - 1; s >= 0; s--) by.push(severe(account, FAIL, s), severe(account, NO_DATA, s));
  for (let s = page.severities.length - 1; s >= 0; s--) by.push(severe(account, WARN, s));
  return by;
}

function compareLists(a, b) {
  const i = a.findIndex((value, i) => value !== b[i]);
  return i < 0 ? 0 : a[i] - b[i];
}

// Each order uses the figure that its column shows, so the arrow in the heading is
// true. worst has no column.
const ACCOUNT_ORDERS = {
  worst: accountWeight,
  account: null, // by name
  fail: (a) => [a.counts.total[FAIL]],
  users: (a) => [a.stats.users],
  mfa: (a) => [a.stats.console ? a.stats.consoleMFA / a.stats.console : Infinity],
  old: (a) => [oldKeys(a)],
  unused: (a) => [a.stats.unused],
  age: (a) => [a.generated || -Infinity],
};

// ASCENDING are the orders that start with the smallest figure, because it is the
// worst.
const ASCENDING = ['account', 'age', 'mfa'];

// unread returns whether no row of an account's report could be read.
const unread = (account) => !account.missing && account.problemCount > 0 && !account.stats.users &&
  !account.stats.root.seen;

// lost returns whether nothing is known about an account. Such accounts come first
// in every order except the one by name.
const lost = (account) => account.missing || unread(account);

// whyIncomplete says why an account was not audited completely.
const whyIncomplete = (account) => account.problems.map((p) => p.text).join(' ') ||
  `${plural(account.counts.total[NO_DATA], 'verdict')} without data.`;

function sortAccounts({sort, direction}) {
  const list = accounts.map((_, a) => a);
  const sign = direction === 'ascending' ? 1 : -1;
  if (sort === 'account') return list.sort((a,
    b) => sign * accountTitle(accounts[a]).localeCompare(accountTitle(accounts[b])) || a - b);
  const by = accounts.map(ACCOUNT_ORDERS[sort]);
  return list.sort((a, b) => (lost(accounts[b]) - lost(accounts[a])) || sign * compareLists(by[a], by[b]) || a - b);
}

// rootState lists the credentials of root with their severity, the worst first.
function rootState(account) {
  const root = account.stats.root;
  if (!root.seen) return [['no row', account.partition === 'aws-cn' ? 'absent' : 'no-data']];
  const parts = [];
  if (root.keys) parts.push([`${root.untoldKeys ? '≥ ' : ''}${plural(root.keys, 'key')}`, 'fail']);
  else if (root.untoldKeys) parts.push(['keys not known', 'no-data']);
  if (root.password === 1) parts.push([`password, ${truth(root.mfa, 'MFA', 'no MFA')}`, {1: '', 0: 'fail'}[root.mfa] ?? 'no-data']);
  else if (root.password < 0) parts.push([`password ${absence(root.password)}, ${truth(root.mfa, 'MFA', 'no MFA')}`, '']);
  if (isTime(root.lastUsed)) {
    const ago = age(account, root.lastUsed);
    const limit = [page.params.root_used_fail_days, page.params.root_used_warn_days].findIndex((n) => ago < n * DAY);
    parts.push([`used ${root.untoldUse ? 'at most ' : ''}${Number.isNaN(ago) ? day(seconds(root.lastUsed)) : brief(Math.max(0, ago)) + ' ago'}`, ['fail', 'warn'][limit] || '']);
  } else if (root.untoldUse) parts.push(['use not known', 'no-data']);
  const ranks = ['fail', 'no-data', 'warn', ''];
  parts.sort((a, b) => ranks.indexOf(a[1]) - ranks.indexOf(b[1]));
  return parts.length ? parts : [['no credentials', '']];
}

// count shows a number. untold is the number of cases that the report does not
// show.
function count(td, n, name, address, untold) {
  if (untold) {
    td.classList.add('no-data');
    td.title = `The report does not show ${number(untold)} more.`;
    td.append(n ? `≥ ${number(n)}` : '?');
    return;
  }
  if (!n) { td.append(h('span', {class: 'zero'}, '0')); return; }
  if (name) td.classList.add(name);
  td.append(address ? h('a', {href: address}, number(n)) : number(n));
}

const findingsOf = (account, status) => link('credentials', {account: account.key, status: page.statuses[status]});

const ACCOUNT_COLUMNS = [
  {title: 'Account', class: 'c-account', sort: 'account', cell(td, account) {
    td.append(...accountName(account));
    if (account.partition && account.partition !== 'aws') td.append(' ', h('span', {class: 'tag'}, account.partition));
    if (account.incomplete && !lost(account)) td.append(' ', h('span', {class: 'tag no-data', title: whyIncomplete(account)}, 'incomplete'));
  }},
  {title: 'Report', class: 'c-report', sort: 'age', cell(td, account) {
    if (lost(account)) {
      td.className += ' fail';
      td.append(h('b', {}, account.missing ? 'no report' : 'unreadable'));
      return;
    }
    if (!account.generated) { td.append(h('span', {class: 'absent'}, 'age unknown')); return; }
    td.append(pair(date(account.generated), reportAge(account, brief), 'how old it was when fetched'));
    if (account.stale) { td.className += ' warn'; td.title = 'The report was older than allowed.'; }
  }},
  {title: 'Fail', class: 'n', sort: 'fail', cell: (td, a) => count(td, a.counts.total[FAIL], 'fail', findingsOf(a,
    FAIL))},
  {title: 'No data', class: 'n', cell: (td, a) => count(td, a.counts.total[NO_DATA], 'no-data', findingsOf(a, NO_DATA))},
  {title: 'Warn', class: 'n opt', cell: (td, a) => count(td, a.counts.total[WARN], 'warn', findingsOf(a, WARN))},
  {title: 'Users', class: 'n opt', sort: 'users', cell: (td, a) => count(td, a.stats.users)},
  {title: 'Console MFA', class: 'c-mfa', sort: 'mfa', cell(td, {stats, key}) {
    if (stats.untoldConsole) { count(td, 0, '', '', stats.untoldConsole); return; }
    if (stats.console > stats.consoleMFA) td.className += ' fail';
    td.append(pair(h('a', {href: link('mfa', {account: key})}, percent(stats.consoleMFA, stats.console)),
      `${number(stats.consoleMFA)}/${number(stats.console)}`));
  }},
  {title: KEY_AGE_PLACE < 0 ? 'Keys' : `Keys > ${page.params.key_max_age_days} d`, class: 'n wide', sort: KEY_AGE_PLACE < 0 ? null : 'old',
    cell: (td, a) => (KEY_AGE_PLACE < 0 ? count(td, a.stats.keys, '', link('keys', {account: a.key}), a.stats.untoldKeys)
      : count(td, oldKeys(a), 'marked', link('credentials', {account: a.key, control: KEY_AGE, status: 'FAIL'}), a.stats.untoldKeys))},
  {title: 'Unused', class: 'n opt', sort: 'unused', cell: (td, a) => count(td, a.stats.unused, 'marked', '',
    a.stats.untoldUnused)},
  {title: 'Root', class: 'c-root', cell(td, account) {
    const parts = rootState(account);
    td.title = parts.map(([text]) => text).join(' · ');
    parts.forEach(([text, name], i) => td.append(i ? ' · ' : '', h('span', {class: name}, text)));
  }},
  {title: 'Since last', class: 'c-delta', cell(td, account) {
    const step = lastStep(account);
    if (!step) { td.append(h('span', {class: 'absent'}, '–')); return; }
    td.append(h('a', {href: link('changes', {account: account.key}), title: 'newly failing and fixed since the previous report'},
      h('span', {class: sortCount(step, 'failing') ? 'fail' : 'zero'}, `+${number(sortCount(step, 'failing'))}`), ' ',
      h('span', {class: sortCount(step, 'fixed') ? 'pass' : 'zero'}, `−${number(sortCount(step, 'fixed'))}`)));
  }},
];

// accountCell shows the reason for a missing report in place of the figures.
function accountCell(column, i, table) {
  return (td, a, printing) => {
    const account = accounts[a];
    if (!lost(account) || i < 2) { column.cell(td, account); return; }
    if (i > 2) { td.hidden = true; return; }
    td.className = 'why fail';
    td.title = account.problems.map((p) => p.text).join(' ');
    td.colSpan = [...table().rows[0].cells].slice(2).filter((th) => printing || th.offsetParent).length;
    td.append(account.problems.map((p) => p.text).join(' '));
  };
}

function accountsScreen() {
  let parameters = {};
  const order = () => sorting(parameters, 'worst', ASCENDING);
  const list = makeList({
    label: 'Accounts', class: 'accounts',
    columns: ACCOUNT_COLUMNS.map((column, i) => ({...column, cell: accountCell(column, i, () => list.table)})),
    rowClass: (a) => (lost(accounts[a]) ? 'missing' : ''), empty: () => 'There is no account.',
    open: (a) => { location.hash = link('credentials', {account: accounts[a].key}); },
    sort(sort) {
      parameters = resort(sort, order());
      setRoute('accounts', parameters);
      show(parameters);
    },
  });
  const problems = h('div', {class: 'problems'});
  for (const account of accounts.filter((a) => a.problemCount)) {
    problems.append(h('details', {open: true}, h('summary', {}, accountTitle(account), ': ',
      plural(account.problemCount, 'problem'), ' with the report'),
      h('ul', {}, account.problems.map((p) => h('li', {}, p.text)),
        account.problemCount > account.problems.length ? h('li', {}, `and ${number(account.problemCount - account.problems.length)} more`) : null)));
  }

  function show(to) {
    parameters = Object.hasOwn(ACCOUNT_ORDERS, to.sort) ? to : {};
    list.show(sortAccounts(order()), order());
  }
  return {
    name: 'accounts', title: 'Accounts', print: list.print, show, paint: list.refresh,
    element: [h('p', {class: 'hint order'},
      'Accounts without a readable report come first, then the worst. Click the heading of a column to sort by it.'), list.element, problems],
  };
}
