// heatmap.js: a table of accounts and controls. The colour of a cell shows the share
// of verdicts that fail.

const HEAT_ROWS = 40; // accounts; the screen of accounts lists all

// heat returns the depth of a cell's red, from 1 to 4.
function heat(statuses) {
  const share = statuses[FAIL] / judgedOf(statuses);
  return 1 + [0.1, 0.25, 0.5].filter((limit) => share >= limit).length;
}

// heatCell shows the result of a control, and links to its findings.
function heatCell(control, statuses, who, parameters) {
  const kinds = [[FAIL, `heat-${heat(statuses)}`, number(statuses[FAIL])], [NO_DATA, 'no-data', '?'], [WARN, 'warn', `!${number(statuses[WARN])}`],
    [EXCUSED, 'excused', 'exc'], [MANUAL, 'manual', '◇']];
  const kind = kinds.find(([status]) => statuses[status]);
  const text = `${who}, ${called(control)} ${control.title}: ${[FAIL, NO_DATA, WARN, EXCUSED, MANUAL, PASS].filter((s) => statuses[s])
    .map((s) => `${number(statuses[s])} ${s === EXCUSED ? 'excused' : statusName(s)}`).join(', ') || 'not applicable'}`;
  if (!kind) return h('td', {class: statuses[PASS] ? 'pass' : 'zero', title: text}, statuses[PASS] ? '✓' : '–');
  const [status, name, sign] = kind;
  return h('td', {class: name}, h('a', {title: text, 'aria-label': text,
    href: findingsLink({...parameters, control: control.id, status: status === EXCUSED ? 'excused' : page.statuses[status]})}, sign));
}

function heatCard() {
  const rows = accounts.map((_, a) => a).sort((x, y) => compareLists(accountWeight(accounts[y]), accountWeight(accounts[x])) || x - y).slice(0, HEAT_ROWS);
  const row = (a) => {
    const account = accounts[a], name = h('th', {scope: 'row', class: 'c-account'}, h('a', {href: findingsLink({account: account.key}), title: accountTitle(account)}, account.name || account.key));
    if (lost(account)) return h('tr', {class: 'missing'}, name, h('td', {class: 'fail why', colspan: page.controls.length}, account.missing ? 'no report' : 'unreadable'));
    return h('tr', {}, name, page.controls.map((control, i) => heatCell(control, account.controls[i], accountTitle(account), {account: account.key})));
  };
  return card('Accounts and controls', 'full c-heat',
    h('ul', {class: 'legend'}, ['under 10 %', '10 to 25 %', '25 to 50 %', '50 % or more fail'].map((text, i) => h('li', {}, h('i', {class: `heat-${i + 1}`}), text)),
      h('li', {}, h('b', {class: 'no-data'}, '?'), ' no data'), h('li', {}, h('b', {class: 'warn'}, '!'), ' warn'),
      h('li', {}, h('b', {class: 'manual'}, '◇'), ' for a person'), h('li', {}, h('b', {class: 'pass'}, '✓'), ' pass'), h('li', {}, '– not applicable')),
    h('div', {class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Accounts and controls'},
      h('table', {class: 'heat', 'aria-label': 'Accounts and controls'},
        h('thead', {}, h('tr', {}, h('th', {scope: 'col', class: 'c-account'}, 'Account'), page.controls.map((control) => h('th', {scope: 'col'},
          h('a', {href: controlLink(control), title: `${control.id} ${control.title}`}, called(control), control.items.length ? h('small', {}, control.id) : null))))),
        h('tbody', {}, h('tr', {class: 'all'}, h('th', {scope: 'row', class: 'c-account'}, 'All accounts'),
          page.controls.map((control) => heatCell(control, [...control.statuses, control.excused], 'All accounts', {}))), rows.map(row)))),
    accounts.length > rows.length ? h('p', {class: 'hint'}, `The ${number(rows.length)} worst of ${plural(accounts.length, 'account')} are shown. `, h('a', {href: link('accounts')}, 'All accounts')) : null);
}
