// keys.js: active access keys by age. The bars are of equal width in time, with a
// line at the limit. Colour is the verdict, and hatching means never used.

const AGE_NAMES = page.keyLimits.map((limit, i) => `${i ? page.keyLimits[i - 1] + 1 : 0}–${limit}`);
AGE_NAMES.push(`over ${page.keyLimits.at(-1)}`);

// KEY_VERDICTS are in the order in which a report counts keys.
const KEY_VERDICTS = [['FAIL', 'fail', 'fails'], ['NO_DATA', 'no-data', 'no data'], ['WARN', 'warn', 'warns'], ['excused', 'excused', 'excused'], ['none', 'pass', 'passes']];

// verdictName returns the verdict on a credential in the words of the filter.
function verdictName(c) {
  if (worst[c] < 0) return 'none';
  const verdict = findings.verdict[worst[c]];
  if (verdict & SUPPRESSED) return 'excused';
  return [FAIL, NO_DATA, WARN].includes(statusOf(verdict)) ? page.statuses[statusOf(verdict)] : 'none';
}

// keyTable adds up the keys of some accounts by age, verdict and use.
const keyTable = (of) => AGE_NAMES.map((_, age) => KEY_VERDICTS.map((_, v) => [0, 1].map((never) => sum(of.map((a) => a.keyBins[age][2 * v + never])))));

// keyLimitLines returns the limits of the audit, each with the bar above it.
function keyLimitLines() {
  if (!controls.has(KEY_AGE)) return [];
  const {key_max_age_days: limit, key_max_age_days_machine: machine} = page.params;
  const under = (days) => page.keyLimits.findLastIndex((l) => l <= days);
  const lines = [{under: under(limit), text: `limit: ${plural(limit, 'day')}`}];
  if (machine !== limit) {
    const within = page.keyLimits.includes(machine) ? '' : ', which lies in the bar below';
    lines.push({under: under(machine), text: `limit of machines: ${plural(machine, 'day')}${within}`});
  }
  return lines;
}

function keysScreen() {
  const choice = accountChoice((account) => { location.hash = link('keys', {account}); });
  const figure = h('div', {class: 'figure'});

  function show({account}) {
    choice.list.value = account || '';
    const of = accountKeys.has(account) ? [accounts[accountKeys.get(account)]] : accounts;
    const table = keyTable(of), flat = (row) => sum(row.flat());
    const most = Math.max(1, ...table.map(flat)), lines = keyLimitLines();
    const shown = KEY_VERDICTS.map((verdict, v) => [...verdict, v]).filter(([,, , v]) => v === 0 || v === 4 || table.some((row) => sum(row[v])));
    const line = (age) => lines.filter((l) => l.under === age).map((l) => h('tr', {class: 'limit'}, h('td', {colspan: 4 + shown.length}, l.text)));
    const href = (age, more) => link('credentials', {account, age, ...more});
    figure.replaceChildren(keyLegend(shown), h('table', {class: 'histogram', 'aria-label': 'Active access keys by age and verdict'},
      h('thead', {}, h('tr', {}, h('th', {scope: 'col', class: 'n'}, 'Age in days'), h('th', {scope: 'col', class: 'bar'}, 'Active keys'), h('th', {scope: 'col', class: 'n'}, 'All'),
        shown.map(([,, text]) => h('th', {scope: 'col', class: 'n'}, text)), h('th', {scope: 'col', class: 'n'}, 'never used'))),
      h('tbody', {}, line(-1), table.map((row, age) => [h('tr', {class: age === AGE_NAMES.length - 1 ? 'open' : null},
        h('th', {scope: 'row', class: 'n'}, AGE_NAMES[age]), h('td', {class: 'bar'}, keyBar(row, most, age, href)),
        h('td', {class: 'n total'}, figureLink(flat(row), href(age))),
        shown.map(([verdict, name,, v]) => h('td', {class: 'n'}, figureLink(sum(row[v]), href(age, {verdict}), v === 4 ? '' : name))),
        h('td', {class: 'n'}, figureLink(sum(row.map(([, never]) => never)), href(age, {used: 'no'})))), line(age)])),
      h('tfoot', {}, h('tr', {}, h('th', {scope: 'row', class: 'n'}, 'all'), h('td', {}), h('td', {class: 'n total'}, number(sum(table.map(flat)))),
        shown.map(([,,, v]) => h('td', {class: 'n'}, number(sum(table.map((row) => sum(row[v])))))),
        h('td', {class: 'n'}, number(sum(table.flat().map(([, never]) => never))))))),
    oldest(of, sum(of.map((a) => a.stats.keys)) - sum(table.map(flat))));
  }

  return {
    name: 'keys', title: 'Key age', show,
    element: [h('div', {class: 'tools'}, choice.element), figure,
      h('p', {class: 'hint'}, 'Active access keys of users and of root, at the time for which each report is judged. The colour is the verdict of the worst finding about a key, whichever control it is of. A number leads to its keys.')],
  };
}

function keyBar(row, most, age, href) {
  const stack = h('div', {class: 'stack'});
  row.forEach((pair, v) => pair.forEach((n, never) => {
    if (!n) return;
    const [verdict, name, text] = KEY_VERDICTS[v];
    const part = h('a', {
      class: `v-${name}${never ? ' never' : ''}`, href: href(age, {verdict, used: never ? 'no' : 'yes'}), tabindex: -1, 'aria-hidden': 'true',
      title: `${plural(n, 'key')}, ${AGE_NAMES[age]} days old, ${text}, ${never ? 'never used' : 'used'}`,
    });
    part.style.width = `${(100 * n) / most}%`;
    stack.append(part);
  }));
  return stack;
}

const keyLegend = (shown) => h('ul', {class: 'legend'}, shown.map(([, name, text]) => h('li', {}, h('i', {class: `v-${name}`}), text)),
  h('li', {}, h('i', {class: 'v-pass never'}), 'hatched: never used'));

// oldestKey returns the account with the oldest active key, undefined for none.
const oldestKey = (of) => of.filter((a) => isTime(a.stats.oldestKey)).sort((a, b) => a.stats.oldestKey - b.stats.oldestKey)[0];

function oldest(of, unknown) {
  const account = oldestKey(of), missing = of.filter((a) => a.missing).length;
  return h('p', {},
    account ? ['The oldest active key: ', date(seconds(account.stats.oldestKey)), age(account, account.stats.oldestKey) >= 0 ? `, ${days(age(account, account.stats.oldestKey))} old` : '', ', in ',
      h('a', {href: link('keys', {account: account.key})}, accountTitle(account)), '. '] : 'No active key. ',
    unknown ? `The age of ${plural(unknown, 'active key')} is not known. ` : null,
    missing ? h('span', {class: 'fail'}, `${plural(missing, 'account')} without a report ${missing === 1 ? 'is' : 'are'} not in these figures.`) : null);
}

// accountChoice creates a choice among all accounts.
function accountChoice(change) {
  const options = accounts.map((a) => [a.key, accountTitle(a)]).sort((a, b) => a[1].localeCompare(b[1]));
  return select('Account', [['', `all ${number(accounts.length)}`], ...options], change);
}
