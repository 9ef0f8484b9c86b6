// changes.js: the changes between reports. It shows totals for all accounts. For one
// account it shows the reports on a timeline, their changes, and the life of each
// user's credentials.

const SORTS = {failing: ['✕', 'newly failing'], fixed: ['✓', 'fixed'], added: ['+', 'added'], removed: ['−', 'removed'],
  rotated: ['↻', 'rotated'], changed: ['•', 'changed']};
const SHOWN_CHANGES = 500; // of one account
const SHOWN_OF_ALL = 200; // of all accounts
const SHOWN_STEPS = 8; // the others are folded away

// lastStep returns the counts of changes in the newest report of an account, and
// undefined if there is no earlier report.
const lastStep = (account) => account.history?.steps[0];

const sortCount = (step, sort) => step?.sorts[sort] || 0;

// usualCounts adds up the ordinary uses of some steps, as [name, number].
function usualCounts(steps) {
  const counts = new Map();
  for (const step of steps) for (const [name, n] of Object.entries(step.usual || {})) counts.set(name, (counts.get(name) || 0) + n);
  return [...counts];
}

// usualText gives the number of ordinary uses, which are not listed.
function usualText(steps) {
  const counts = usualCounts(steps);
  return counts.length ? h('p', {class: 'muted usual'}, `Not listed: ${counts.map(([name, n]) => `${number(n)} × ${name}`).join(', ')}.`) : null;
}

function changesScreen() {
  const only = accounts.length === 1 ? accounts[0].key : '';
  let parameters = {};
  const go = (changes) => { location.hash = link('changes', {...parameters, ...changes}); };
  const choice = accountChoice((account) => go({account}));
  const sorts = select('Show', [['', 'everything'], ...Object.entries(SORTS).map(([sort, [, name]]) => [sort, name])], (sort) => go({sort}));
  const all = allChanges(), one = accountChanges();

  return {
    name: 'changes', title: 'Changes', rows: true,
    show(to) {
      parameters = {...to, account: to.account || only};
      choice.list.value = accountKeys.has(parameters.account) ? parameters.account : '';
      sorts.list.value = Object.hasOwn(SORTS, to.sort) ? to.sort : '';
      const account = accounts[accountKeys.get(parameters.account)];
      all.element.hidden = Boolean(account);
      one.element.hidden = !account;
      if (account) one.show(account, sorts.list.value); else all.show(sorts.list.value);
    },
    paint() { all.paint(); one.paint(); },
    print(on) { all.print(on); one.print(on); },
    element: [h('div', {class: 'tools'}, choice.element, sorts.element), all.element, one.element],
  };
}

// allChanges shows what the newest report of each account changed.
function allChanges() {
  const known = accounts.filter(lastStep);
  const totals = h('p', {class: 'tiles'}), events = h('div', {});
  const total = (step) => sum(Object.values(step?.sorts || {}));
  const weight = (a) => [sortCount(lastStep(accounts[a]), 'failing'), total(lastStep(accounts[a]))];
  const list = makeList({
    label: 'Accounts', class: 'steps',
    columns: [
      {title: 'Account', class: 'c-account', cell: (td, a) => td.append(h('a', {href: link('changes', {account: accounts[a].key})}, accountTitle(accounts[a])))},
      {title: 'From', class: 'c-day', cell: (td, a) => td.append(date(lastStep(accounts[a]).since))},
      {title: 'To', class: 'c-day', cell: (td, a) => td.append(date(lastStep(accounts[a]).at))},
      ...Object.entries(SORTS).map(([sort]) => ({title: sort, class: 'n', cell: (td, a) => count(td, sortCount(lastStep(accounts[a]), sort),
        {failing: 'fail', fixed: 'pass'}[sort] || '', link('changes', {account: accounts[a].key, sort}))})),
      {title: 'uses', class: 'n', cell: (td, a) => count(td, sum(usualCounts([lastStep(accounts[a])]).map(([, n]) => n)))},
    ],
    empty: () => 'No account has an earlier report to compare with.',
    open: (a) => { location.hash = link('changes', {account: accounts[a].key}); },
  });

  function show(sort) {
    const steps = known.map(lastStep);
    totals.replaceChildren(...Object.entries(SORTS).map(([name, [sign, text]]) => {
      const n = sum(steps.map((step) => sortCount(step, name)));
      return h('a', {class: `tile ${n && name === 'failing' ? 'fail' : ''} ${name === sort ? 'now' : ''}`, href: link('changes', {sort: name})}, `${sign} `, h('b', {}, number(n)), ' ', text);
    }));
    list.show(accounts.map((_, a) => a).filter((a) => lastStep(accounts[a]) && (!sort || sortCount(lastStep(accounts[a]), sort)))
      .sort((x, y) => compareLists(weight(y), weight(x)) || x - y));
    events.replaceChildren(...newestChanges(known, sort));
  }

  return {
    show, paint: list.refresh, print: list.print,
    element: h('div', {},
      h('p', {}, known.length ? `What the newest report of each account changed, for ${number(known.length)} of ${plural(accounts.length, 'account')} with an earlier report.` : 'No account has an earlier report to compare with.'),
      known.length ? [totals, usualText(known.map(lastStep)), list.element, events] : null),
  };
}

// newestChanges lists what the newest reports changed, the worst first.
function newestChanges(known, sort) {
  const list = known.flatMap((account) => account.history.changes.filter((c) => c.at === lastStep(account).at && (!sort || c.sort === sort))
    .map((change) => ({account, change})));
  const order = Object.keys(SORTS), severity = (c) => page.severities.indexOf(c.severity);
  list.sort((a, b) => severity(b.change) - severity(a.change) || order.indexOf(a.change.sort) - order.indexOf(b.change.sort));
  const all = sum(known.map((a) => (sort ? sortCount(lastStep(a), sort) : sum(Object.values(lastStep(a).sorts))))), shown = list.slice(0, SHOWN_OF_ALL);
  return [
    h('h3', {}, sort ? `What is ${SORTS[sort][1]}` : 'What changed'),
    all ? eventsTable(shown, true) : h('p', {class: 'muted'}, sort ? `Nothing is ${SORTS[sort][1]} since the reports before.` : 'Nothing changed.'),
    all > shown.length ? h('p', {class: 'alarm'}, `${number(shown.length)} of ${plural(all, 'change')} are shown. Choose an account to see all of its changes.`) : null,
  ].filter(Boolean);
}

// accountChanges shows the history of one account.
function accountChanges() {
  const top = h('div', {class: 'history'});
  let period = null, account = null, sort = '';
  const strips = makeList({
    label: 'Users', class: 'strips',
    columns: [
      {title: 'User', class: 'c-user', cell: (td, u) => td.append(h('a', {href: userAddress(u)}, users.name[u]))},
      {title: 'Created → credential → last use → report', class: 'bar', cell: (td, u) => td.append(strip(u, period, false))},
      {title: 'Verdict', class: 'c-verdict', cell: (td, u) => td.append(badge(userVerdict(u)))},
    ],
    empty: () => (account?.missing ? 'No users are known.' : 'The report of this account shows no user.'),
    open: (u) => { location.hash = userAddress(u); },
  });

  function show(of, wanted) {
    loadRows();
    [account, sort] = [of, wanted];
    const a = accounts.indexOf(account), list = [];
    top.replaceChildren(...describeHistory(account, sort));
    for (let u = 0; u < users.count; u++) if (users.account[u] === a && users.line[u]) list.push(u);
    period = stripSpan(list);
    list.sort((x, y) => userWeight(y) - userWeight(x) || x - y);
    strips.show(list);
  }

  return {
    show, paint: strips.refresh, print: (on) => account && strips.print(on),
    element: h('div', {}, top, h('h3', {}, 'Users, the worst first'),
      h('ul', {class: 'legend'},
        h('li', {}, h('i', {class: 'l-birth'}), 'user created'), h('li', {}, h('i', {class: 'l-made'}), 'credential created'),
        h('li', {}, h('i', {class: 'l-use'}), 'until last use'), h('li', {}, h('i', {class: 'l-idle'}), 'idle since')),
      strips.element),
  };
}

const userAddress = (u) => link('credentials', {account: accounts[users.account[u]].key, q: users.name[u]});

function userWeight(u) {
  let most = 0;
  for (let c = users.first[u]; c < users.first[u + 1]; c++) most = Math.max(most, weights[c]);
  return most;
}

function userVerdict(u) {
  const heaviest = userWeight(u);
  for (let c = users.first[u]; c < users.first[u + 1]; c++) if (heaviest && weights[c] === heaviest) return findings.verdict[worst[c]];
  return -1;
}

// describeHistory shows the changes of an account, or only those of one sort.
function describeHistory(account, sort) {
  const history = account.history;
  if (!history || !history.snapshots.length) return [h('p', {class: 'muted'}, account.missing ? 'There is no report of this account.' : 'There is no earlier report of this account to compare with.')];
  const changes = history.changes.filter((c) => !sort || c.sort === sort), shown = changes.slice(0, SHOWN_CHANGES);
  const steps = history.steps.map((step) => describeStep(account, step, shown.filter((c) => c.at === step.at), sort)).filter(Boolean);
  return [
    timeline(history),
    ...steps.slice(0, SHOWN_STEPS),
    steps.length > SHOWN_STEPS ? h('details', {}, h('summary', {}, `${plural(steps.length - SHOWN_STEPS, 'earlier report')} with changes`), steps.slice(SHOWN_STEPS)) : null,
    changes.length ? null : h('p', {class: 'muted'},
      sort ? `Nothing was ${SORTS[sort][1]} between the reports: choose another sort above.` : 'Nothing changed.'),
    changes.length > shown.length ? h('p', {class: 'alarm'}, `The latest ${number(shown.length)} of ${number(changes.length)} changes are shown.`) : null,
    history.leftOut ? h('p', {class: 'alarm'}, `${plural(history.leftOut, 'older change')} ${history.leftOut === 1 ? 'is' : 'are'} not in this page.`) : null,
  ].filter(Boolean);
}

// describeStep shows the changes in a report, and returns null if there are none.
function describeStep(account, step, list, sort) {
  if (!list.length && (sort || !step.usual)) return null;
  const counts = Object.entries(SORTS).map(([name, [sign, text]]) => [sortCount(step, name), name, sign, text]).filter(([n]) => n);
  return h('section', {class: 'step'},
    h('h3', {class: 'when'}, minute(step.at), h('span', {class: 'muted'}, ` · ${span(step.at - step.since)} after the previous report`),
      counts.map(([n, name, sign, text]) => [' ', h('span', {class: `tag ${name}`}, `${sign} ${number(n)} ${text}`)]).flat()),
    list.length ? eventsTable(list.map((change) => ({account, change})), false) : null, sort ? null : usualText([step]));
}

// eventsTable lists changes, each in a sentence.
function eventsTable(list, withAccount) {
  return h('table', {class: 'events', 'aria-label': 'Changes'}, h('tbody', {}, list.map(({account, change}) => h('tr', {},
    h('td', {class: `sign ${change.sort}`, title: SORTS[change.sort][1]}, SORTS[change.sort][0]),
    withAccount ? h('td', {class: 'c-of'}, account.name || account.key) : null,
    h('td', {class: 'c-user'}, change.user ? h('a', {href: link('credentials', {account: account.key, q: change.user})}, change.user) : 'the report'),
    h('td', {class: 'why'}, change.control ? [h('b', {}, controlName(change.control)), change.sort === 'fixed' ? ' is fixed. ' : ' fails. '] : null, change.text),
    h('td', {class: 'c-sev'}, change.severity)))));
}

function controlName(id) {
  const control = controls.get(id);
  return control ? `${called(control)} ${control.title}` : id;
}

// timeline draws the reports of an account, each with its number of failures.
function timeline(history) {
  const snapshots = history.snapshots;
  const from = snapshots[0].generated, to = snapshots[snapshots.length - 1].generated;
  const most = Math.max(1, ...snapshots.map((s) => s.findings[FAIL]));
  const height = 92, base = 66, room = Math.min(1000, innerWidth - 24); // about as wide as it is shown
  const apart = 110 / room; // of two dates, so that neither covers the other
  const share = (t) => (to > from ? (t - from) / (to - from) : 0.5);
  const narrow = Math.max(2, Math.min(14, room / snapshots.length - 2));
  const drawing = svg('svg', {class: 'timeline', height, role: 'img',
    'aria-label': snapshots.slice(-30).map((s) => `${day(s.generated)}: ${s.findings[FAIL]} fail`).join('; ')},
  svg('line', {class: 'base', x1: 0, x2: '100%', y1: base, y2: base}));
  let labelled = -1;
  snapshots.forEach((s, i) => {
    const high = (42 * s.findings[FAIL]) / most, x = `${(4.5 + 91 * share(s.generated)).toFixed(3)}%`;
    drawing.append(svg('g', {},
      svg('title', {}, `${minute(s.generated)}: ${plural(s.users, 'user')}, ${plural(s.keys, 'active key')}, ${[FAIL, NO_DATA, WARN].map((k) => `${s.findings[k]} ${statusName(k)}`).join(', ')}`),
      svg('rect', {class: 'bar', x, y: base - 7 - high, width: narrow, height: high, transform: `translate(${-narrow / 2} 0)`}),
      svg('circle', {class: 'dot', cx: x, cy: base, r: Math.min(3.5, narrow)})));
    const last = i === snapshots.length - 1;
    if (labelled < 0 || last || (share(s.generated) - labelled > apart && 1 - share(s.generated) > apart)) {
      labelled = share(s.generated);
      const anchor = room > 600 ? 'middle' : !i ? 'start' : last ? 'end' : 'middle';
      drawing.append(svg('text', {x: anchor === 'middle' ? x : last ? '100%' : 0, y: height - 8,
        'text-anchor': anchor}, day(s.generated)));
    }
    if (narrow >= 12 || last) drawing.append(svg('text', {class: 'value', x, y: base - high - 12, 'text-anchor': 'middle'}, number(s.findings[FAIL])));
  });
  return h('figure', {}, drawing, h('figcaption', {class: 'muted'}, `${plural(snapshots.length, 'report')}; the bars are the findings that FAIL.`));
}
