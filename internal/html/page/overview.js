// overview.js: the first screen. It summarizes all accounts, and every figure links
// to the lines that it counts.

const WORST = 5; // accounts and changes that the overview names

// judgedOf returns the number of verdicts that count for a pass rate. NO_DATA counts
// as not passed. Excused and MANUAL findings do not count.
const judgedOf = (statuses) => statuses[PASS] + statuses[FAIL] + statuses[NO_DATA] + statuses[WARN];
const passRate = (statuses) => percent(statuses[PASS], judgedOf(statuses));

const called = (control) => control.items.join(', ') || control.id;
const findingsLink = (parameters) => link('credentials', parameters);
const controlLink = (control) => link('controls', {control: control.id});

// figureLink creates a number with a link, or without one if it is 0.
const figureLink = (n, href, name) => (n ? h('a', {href, class: name}, number(n)) : h('span', {class: 'zero'}, '0'));

// verdictBar draws verdicts as shares of one bar. excused may be missing.
function verdictBar(statuses, excused = 0) {
  const parts = [['fail', statuses[FAIL], 'FAIL'], ['no-data', statuses[NO_DATA], 'NO DATA'], ['warn', statuses[WARN], 'WARN'],
    ['excused', excused, 'excused'], ['pass', statuses[PASS], 'PASS']].filter(([, n]) => n);
  const text = parts.map(([, n, name]) => `${number(n)} ${name}`).join(', ') || 'nothing was judged';
  return h('div', {class: 'verdicts', role: 'img', 'aria-label': text, title: text},
    parts.map(([name, n]) => grown(h('i', {class: `v-${name}`}), n)));
}

function grown(element, n) {
  element.style.flexGrow = n;
  return element;
}

const card = (title, name, ...content) => h('section', {class: `card ${name}`}, h('h3', {}, title), content);

// figureCard shows a figure and its meaning.
const figureCard = (name, title, figure, href, bad, ...lines) => h('section', {class: `card figure-card f-${name}`}, h('h3', {}, title),
  h('p', {class: `big ${bad ? 'fail' : ''}`}, href ? h('a', {href}, figure) : figure), lines.filter(Boolean).map((line) => h('p', {}, line)));

function figureCards() {
  const all = page.counts.total, known = accounts.filter((a) => !lost(a));
  const failing = known.filter((a) => a.counts.total[FAIL]).length, gone = accounts.length - known.length;
  return h('div', {class: 'figures'},
    figureCard('rate', 'Pass rate', passRate(all), link('controls'), false,
      `${number(all[PASS])} of ${plural(judgedOf(all), 'verdict')} ${judgedOf(all) === 1 ? 'is' : 'are'} PASS.`, `Controls: ${page.outcomes}.`),
    figureCard('accounts', 'Accounts with findings', number(failing), link('accounts', {sort: 'fail'}), failing,
      `of ${plural(known.length, 'account')} with a report.`,
      gone ? h('a', {class: 'fail', href: link('accounts')}, `${plural(gone, 'account')} without a readable report`) : null),
    peopleCard(), keysCard(), sinceCard());
}

function peopleCard() {
  const users = sum(accounts.map((a) => a.stats.console)), untold = sum(accounts.map((a) => a.stats.untoldConsole));
  const without = users - sum(accounts.map((a) => a.stats.consoleMFA));
  return figureCard('mfa', 'People without MFA', `${untold ? '≥ ' : ''}${number(without)}`, without ? findingsLink({mfa: 'no'}) : link('mfa'), without,
    `of ${plural(users, 'user')} with a password. `, untold ? `The reports do not tell of ${number(untold)} more.` : null,
    page.people.length ? ['Last seen: ', page.people.map((p, i) => [i ? ', ' : '', h('a', {
      href: findingsLink({account: accounts[p.account].key, kind: 'password', q: p.user}),
      title: `${accountTitle(accounts[p.account])}, ${isTime(p.used) ? `password used ${day(seconds(p.used))}` : 'password never used'}`,
    }, p.user)])] : null);
}

function keysCard() {
  const i = page.controls.findIndex((c) => c.id === KEY_AGE);
  const keys = sum(accounts.map((a) => a.stats.keys));
  if (i < 0) {
    return figureCard('keys', 'Active keys', number(keys), link('keys'), false, 'No control of this audit limits the age of a key.');
  }
  const {statuses, excused} = page.controls[i];
  const oldest = oldestKey(accounts);
  return figureCard('keys', 'Keys beyond the limit', number(statuses[FAIL]), statuses[FAIL] ? findingsLink({control: KEY_AGE, status: 'FAIL'}) : link('keys'), statuses[FAIL],
    `of ${plural(keys, 'active key')} ${statuses[FAIL] === 1 ? 'is' : 'are'} older than ${keyLimitText()}.`,
    excused ? h('a', {href: findingsLink({control: KEY_AGE, status: 'excused'})}, `${number(excused)} more ${excused === 1 ? 'is' : 'are'} excused`) : null,
    oldest ? ['The oldest is ', age(oldest, oldest.stats.oldestKey) >= 0 ? `${days(age(oldest, oldest.stats.oldestKey))} old` : `of ${day(seconds(oldest.stats.oldestKey))}`, ', in ', h('a', {href: link('keys', {account: oldest.key})}, oldest.name || oldest.key), '.'] : null);
}

function keyLimitText() {
  const {key_max_age_days: limit, key_max_age_days_machine: machine} = page.params;
  return `${plural(limit, 'day')}${machine === limit ? '' : `, or ${plural(machine, 'day')} for machines`}`;
}

function sinceCard() {
  const known = accounts.filter(lastStep);
  if (!known.length) return figureCard('since', 'Since the last report', '–', null, false, 'There is no earlier report to compare with.');
  const failing = sum(known.map((a) => sortCount(lastStep(a), 'failing'))), fixed = sum(known.map((a) => sortCount(lastStep(a), 'fixed')));
  const title = `${number(failing)} newly failing, ${number(fixed)} fixed`;
  return h('section', {class: 'card figure-card f-since'}, h('h3', {}, 'Since the last report'),
    h('p', {class: 'big', title}, h('a', {class: failing ? 'fail' : '', href: link('changes', {sort: 'failing'})}, `+${number(failing)}`), ' ',
      h('a', {class: fixed ? 'pass' : '', href: link('changes', {sort: 'fixed'})}, `−${number(fixed)}`)),
    h('p', {}, `${number(failing)} ${failing === 1 ? 'finding is' : 'findings are'} new and ${number(fixed)} ${fixed === 1 ? 'is' : 'are'} fixed.`),
    h('p', {class: 'muted'}, known.length === accounts.length ? 'Every account has an earlier report.' : `${number(known.length)} of ${plural(accounts.length, 'account')} ${known.length === 1 ? 'has' : 'have'} an earlier report.`));
}

function controlsCard() {
  const weight = ({statuses, severity}) => [statuses[FAIL] ? 2 : statuses[NO_DATA] || statuses[WARN] ? 1 : 0,
    page.severities.indexOf(severity), statuses[FAIL]];
  const sorted = [...page.controls].sort((a, b) => compareLists(weight(b), weight(a)));
  return card('Controls', 'c-controls', h('table', {class: 'rates', 'aria-label': 'Controls, the worst first'},
    h('thead', {}, h('tr', {}, ['Number', 'Control', 'Severity', 'Verdicts', 'Pass rate', 'Fail'].map((name, i) => h('th', {scope: 'col', class: i > 3 ? 'n' : `r-${i}`}, name)))),
    h('tbody', {}, sorted.map((control) => h('tr', {},
      h('td', {class: 'r-0'}, called(control)),
      h('td', {class: 'r-1'}, h('a', {href: controlLink(control), title: control.id}, control.title)),
      h('td', {class: 'r-2'}, control.severity),
      h('td', {class: 'r-3'}, verdictBar(control.statuses, control.excused)),
      h('td', {class: 'n'}, judgedOf(control.statuses) ? passRate(control.statuses) : control.statuses[MANUAL] ? 'manual' : '–'),
      h('td', {class: 'n'}, figureLink(control.statuses[FAIL], findingsLink({control: control.id, status: 'FAIL'}), 'fail')))))),
    h('p', {class: 'hint'}, 'Pass rate: PASS among PASS, FAIL, WARN and NO DATA. Excused findings and MANUAL are left out.'));
}

function severitiesCard() {
  const rows = page.severities.map((severity, s) => [severity, page.counts.severities[s]]).reverse().filter(([, statuses]) => judgedOf(statuses));
  return card('Severities', 'c-severities', rows.length ? h('table', {class: 'rates', 'aria-label': 'Verdicts by severity'},
    h('thead', {}, h('tr', {}, ['Severity', 'Verdicts', 'Pass rate', 'Fail'].map((name, i) => h('th', {scope: 'col', class: i > 1 ? 'n' : i ? 'r-3' : null}, name)))),
    h('tbody', {}, rows.map(([severity, statuses]) => h('tr', {},
      h('th', {scope: 'row'}, h('i', {class: `key s-${severity}`}), severity), h('td', {class: 'r-3'}, verdictBar(statuses)),
      h('td', {class: 'n'}, passRate(statuses)),
      h('td', {class: 'n'}, figureLink(statuses[FAIL], findingsLink({status: 'FAIL', severity}), 'fail')))))) : h('p', {class: 'muted'}, 'Nothing was judged.'));
}

function worstCard() {
  const worst = accounts.filter((a) => !lost(a) && a.counts.total[FAIL]).sort((a, b) => compareLists(accountWeight(b), accountWeight(a))).slice(0, WORST);
  const shown = page.severities.map((severity, s) => [severity, s]).reverse().filter(([, s]) => worst.some((a) => severe(a, FAIL, s)));
  return card('Worst accounts', 'c-worst', worst.length ? h('table', {class: 'rates', 'aria-label': 'The accounts with the worst findings'},
    h('thead', {}, h('tr', {}, h('th', {scope: 'col'}, 'Account'), shown.map(([severity]) => h('th', {scope: 'col', class: 'n'}, severity)), h('th', {scope: 'col', class: 'n'}, 'Fail'))),
    h('tbody', {}, worst.map((a) => h('tr', {}, h('th', {scope: 'row', class: 'c-account'}, h('a', {href: findingsLink({account: a.key}), title: accountTitle(a)}, a.name || a.key)),
      shown.map(([severity, s]) => h('td', {class: 'n'}, figureLink(severe(a, FAIL, s), findingsLink({account: a.key, status: 'FAIL', severity}), ''))),
      h('td', {class: 'n'}, figureLink(a.counts.total[FAIL], findingsOf(a, FAIL), 'fail')))))) : h('p', {class: 'muted'}, 'In no account a finding fails.'),
  h('p', {class: 'hint'}, h('a', {href: link('accounts')}, accounts.length === 1 ? 'The account' : `All ${number(accounts.length)} accounts`)));
}

// newestFailing lists the findings that are new in the newest report of each
// account, the worst first.
function newestFailing() {
  const list = accounts.flatMap((account) => {
    const at = lastStep(account)?.at;
    return (account.history?.changes || []).filter((c) => c.sort === 'failing' && c.at === at).map((change) => ({account, change}));
  });
  return list.sort((a, b) => page.severities.indexOf(b.change.severity) - page.severities.indexOf(a.change.severity));
}

function newCard() {
  const all = sum(accounts.map((a) => sortCount(lastStep(a), 'failing'))), list = newestFailing().slice(0, WORST);
  if (!all) return null;
  return card('Newly failing', 'c-new', h('ul', {class: 'new'}, list.map(({account, change}) => h('li', {},
    h('i', {class: `key s-${change.severity}`, title: change.severity}), ' ',
    h('a', {href: findingsLink({account: account.key, control: change.control, q: change.user})}, change.user || 'the report'), ' ',
    h('span', {class: 'muted'}, account.name || account.key), h('br'),
    h('b', {}, controls.has(change.control) ? called(controls.get(change.control)) : change.control), ' ', change.text))),
  all > list.length ? h('p', {class: 'hint'}, h('a', {href: link('changes', {sort: 'failing'})}, `All ${number(all)}`)) : null);
}

function overviewScreen() {
  const content = h('div', {class: 'overview'});
  let drawn = false;
  return {
    name: 'overview', title: 'Overview', element: content,
    show() {
      if (drawn) return;
      drawn = true;
      if (!accounts.length) { content.append(h('p', {class: 'muted'}, 'There is no account, and so nothing to show. Name a report, or a folder of reports.')); return; }
      content.append(figureCards(), h('div', {class: 'cards'}, controlsCard(),
        h('div', {class: 'side'}, severitiesCard(), worstCard()), trendCard(), newCard(), heatCard()));
    },
    print() { this.show(); },
  };
}
