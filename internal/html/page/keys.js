// keys.js: active access keys by age, separated by how long they were not used.

function bucketNames(limits, last) {
  const names = limits.map((limit, i) => (i ? `${limits[i - 1] + 1}–${limit}` : `0–${limit}`));
  return [...names, `over ${limits[limits.length - 1]}`, ...last];
}

const AGE_NAMES = bucketNames(page.keyAgeLimits, []);
const IDLE_NAMES = bucketNames(page.keyIdleLimits, ['never used']);
const idleTitle = (i) => (i === IDLE_NAMES.length - 1 ? 'never used' : !i ? `used in the last ${page.keyIdleLimits[0]} days` : `last used ${IDLE_NAMES[i].replace('–', ' to ')} days before`);

function keysScreen() {
  const choice = accountChoice((account) => { location.hash = link('keys', {account}); });
  const figure = h('div', {class: 'figure'});

  function show({account}) {
    choice.list.value = account || '';
    const of = accountKeys.has(account) ? [accounts[accountKeys.get(account)]] : accounts;
    const table = AGE_NAMES.map((_, age) => IDLE_NAMES.map((_, idle) => sum(of.map((a) => a.stats.keyAges[age][idle]))));
    const most = Math.max(1, ...table.map(sum));
    figure.replaceChildren(legend(), h('table', {class: 'histogram', 'aria-label': 'Active access keys by age and last use'},
      h('thead', {}, h('tr', {},
        h('th', {scope: 'col', class: 'n'}, 'Age in days'), h('th', {scope: 'col', class: 'bar'}, 'Active keys'),
        h('th', {scope: 'col', class: 'n'}, 'All'),
        IDLE_NAMES.map((name, i) => h('th', {scope: 'col', class: 'n', title: idleTitle(i)}, i < 3 ? `used ${name} d` : name)))),
      h('tbody', {}, table.map((row, age) => h('tr', {},
        h('th', {scope: 'row', class: 'n'}, AGE_NAMES[age]),
        h('td', {class: 'bar'}, bar(row, most, age, account)),
        h('td', {class: 'n total'}, number(sum(row))),
        row.map((n, idle) => h('td', {class: 'n'}, cell(n, age, idle, account)))))),
      h('tfoot', {}, h('tr', {}, h('th', {scope: 'row', class: 'n'}, 'all'), h('td', {}), h('td', {class: 'n total'}, number(sum(table.flat()))),
        IDLE_NAMES.map((_, idle) => h('td', {class: 'n'}, number(sum(table.map((row) => row[idle])))))))),
    oldest(of));
  }

  return {
    name: 'keys', title: 'Key age', show,
    element: [h('div', {class: 'tools'}, choice.element), figure,
      h('p', {class: 'hint'}, 'Active access keys of users and of root, at the moment each report is judged for. A number leads to its keys.')],
  };
}

const address = (age, idle, account) => link('credentials', {account, age, idle});

function cell(n, age, idle, account) {
  return n ? h('a', {href: address(age, idle, account)}, number(n)) : h('span', {class: 'zero'}, '0');
}

function bar(row, most, age, account) {
  const stack = h('div', {class: 'stack'});
  row.forEach((n, idle) => {
    if (!n) return;
    const part = h('a', {
      class: `idle-${idle}`, href: address(age, idle, account), tabindex: -1, 'aria-hidden': 'true',
      title: `${plural(n, 'key')}, ${AGE_NAMES[age]} days old, ${idleTitle(idle)}`,
    });
    part.style.width = `${(100 * n) / most}%`;
    stack.append(part);
  });
  return stack;
}

function legend() {
  return h('ul', {class: 'legend'}, IDLE_NAMES.map((_, i) => h('li', {}, h('i', {class: `idle-${i}`}), idleTitle(i))));
}

function oldest(of) {
  const having = of.filter((a) => isTime(a.stats.oldestKey)).sort((a, b) => a.stats.oldestKey - b.stats.oldestKey);
  const missing = of.filter((a) => a.missing).length;
  return h('p', {},
    having.length ? ['The oldest active key: ', date(seconds(having[0].stats.oldestKey)), having[0].asOf ? `, ${days(age(having[0], having[0].stats.oldestKey))} old` : '', ', in ',
      h('a', {href: link('keys', {account: having[0].key})}, accountTitle(having[0])), '. '] : 'No active key. ',
    missing ? h('span', {class: 'fail'}, `${plural(missing, 'account')} without a report ${missing === 1 ? 'is' : 'are'} not in these figures.`) : null);
}

// accountChoice is a choice among all accounts.
function accountChoice(change) {
  const options = accounts.map((a) => [a.key, accountTitle(a)]).sort((a, b) => a[1].localeCompare(b[1]));
  return select('Account', [['', `all ${number(accounts.length)}`], ...options], change);
}
