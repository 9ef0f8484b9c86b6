// mfa.js: the share of users with a console password who have MFA, for each account.
// Root is shown separately.

function mfaScreen() {
  const lacking = (a) => accounts[a].stats.console - accounts[a].stats.consoleMFA;
  const orders = {
    lacking,
    users: (a) => accounts[a].stats.console,
    coverage: (a) => (accounts[a].stats.console ? accounts[a].stats.consoleMFA / accounts[a].stats.console : Infinity),
  };
  const address = (a, mfa) => link('credentials', {account: accounts[a].key, mfa});
  const known = (a) => !lost(accounts[a]);
  let parameters = {};
  const order = () => sorting(Object.hasOwn(orders, parameters.sort) ? parameters : {}, 'lacking', ['coverage']);

  const list = makeList({
    label: 'MFA coverage', class: 'mfa', rowClass: (a) => (known(a) ? '' : 'missing'), empty: () => 'There is no such account.',
    columns: [
      {title: 'Account', class: 'c-account', cell: (td, a) => td.append(...accountName(accounts[a]))},
      {title: 'Report', class: 'c-age', cell: (td, a) => td.append(h('span', {class: accounts[a].missing ? 'fail' : 'muted'}, reportAge(accounts[a])))},
      {title: 'Console users with MFA', class: 'bar', cell(td, a) {
        const {stats} = accounts[a];
        if (!known(a) || stats.untoldConsole) { td.append(h('b', {class: 'fail'}, 'not known')); return; }
        if (!stats.console) { td.append(h('span', {class: 'absent'}, 'no console users')); return; }
        const covered = h('i', {class: 'covered'});
        covered.style.width = `${(100 * stats.consoleMFA) / stats.console}%`;
        td.append(h('div', {class: 'coverage', role: 'img', 'aria-label': `${stats.consoleMFA} of ${stats.console} have MFA`}, covered));
      }},
      {title: 'Coverage', class: 'n', sort: 'coverage', cell: (td, a) => td.append(!known(a) ||
        accounts[a].stats.untoldConsole ? '?' : percent(accounts[a].stats.consoleMFA, accounts[a].stats.console))},
      {title: 'With', class: 'n', cell: (td, a) => known(a) && count(td, accounts[a].stats.consoleMFA, '', address(a, 'yes'))},
      {title: 'Without', class: 'n', sort: 'lacking', cell: (td, a) => known(a) && count(td, lacking(a), 'fail', address(a, 'no'))},
      {title: 'All', class: 'n', sort: 'users', cell: (td, a) => known(a) && count(td, accounts[a].stats.console)},
      {title: 'Root', class: 'c-rootmfa', cell(td, a) {
        const root = accounts[a].stats.root;
        if (!known(a)) return;
        if (!root.seen) { td.append(h('span', {class: 'absent'}, 'no row')); return; }
        if (root.password === 0 && root.mfa !== 1) { td.append(h('span', {class: 'muted'}, 'no password')); return; }
        if (root.mfa !== 1) td.classList.add('fail');
        td.append(truth(root.mfa, 'MFA', 'no MFA'));
      }},
    ],
    sort(sort) {
      parameters = {...parameters, ...resort(sort, order())};
      setRoute('mfa', parameters);
      show(parameters);
    },
    open: (a) => { location.hash = address(a, 'no'); },
  });
  const all = h('p', {class: 'under'});

  function show(to) {
    parameters = to;
    const {sort, direction} = order();
    const by = orders[sort], sign = direction === 'ascending' ? 1 : -1;
    const compare = (a, b) => (by(a) === by(b) ? 0 : sign * (by(a) < by(b) ? -1 : 1));
    const rows = accounts.map((_, a) => a).filter((a) => !to.account || accounts[a].key === to.account)
      .sort((a, b) => (lost(accounts[b]) - lost(accounts[a])) || compare(a, b) || a - b);
    const users = sum(rows.map((a) => accounts[a].stats.console)), covered = sum(rows.map((a) => accounts[a].stats.consoleMFA));
    all.replaceChildren(h('b', {}, percent(covered, users)), ` of ${plural(users, 'console user')} have MFA: ${number(covered)} with, ${number(users - covered)} without. `,
      to.account ? h('a', {href: link('mfa')}, 'All accounts') : '');
    list.show(rows, order());
  }
  return {name: 'mfa', title: 'MFA', show, paint: list.refresh, print: list.print, element: [all, list.element]};
}
