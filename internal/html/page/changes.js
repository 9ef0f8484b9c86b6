// changes.js: an account's reports on a line, what happened between them, and
// the life of each of its users' credentials.

const SORTS = {failing: ['✕', 'newly failing'], fixed: ['✓', 'fixed'], added: ['+', 'added'], removed: ['−', 'removed'],
  rotated: ['↻', 'rotated'], changed: ['•', 'changed']};
const SHOWN_CHANGES = 500; // of one account
const SHOWN_STEPS = 8; // the others are folded away

function changesScreen() {
  let parameters = {};
  const choice = accountChoice((account) => { location.hash = link('changes', {...parameters, account}); });
  choice.list.options[0].remove();
  const sorts = select('Show', [['', 'everything'], ...Object.entries(SORTS).map(([sort, [, name]]) => [sort, name])],
    (sort) => { location.hash = link('changes', {...parameters, sort}); });
  const top = h('div', {class: 'history'});
  let period = null, missing = false;
  const strips = makeList({
    label: 'Users', class: 'strips',
    columns: [
      {title: 'User', class: 'c-user', cell: (td, u) => td.append(h('a', {href: userAddress(u)}, users.name[u]))},
      {title: 'Made → credential → last use → report', class: 'bar', cell: (td, u) => td.append(strip(u, period, false))},
      {title: 'Verdict', class: 'c-verdict', cell: (td, u) => td.append(badge(userVerdict(u)))},
    ],
    empty: () => (missing ? 'No users are known.' : 'The report of this account shows no user.'),
    open: (u) => { location.hash = userAddress(u); },
  });

  function show(to) {
    parameters = to;
    const a = accountKeys.has(to.account) ? accountKeys.get(to.account) : firstWithHistory();
    const account = accounts[a];
    if (!account) return;
    choice.list.value = account.key;
    missing = account.missing;
    sorts.list.value = to.sort || '';
    top.replaceChildren(...describeHistory(account, to.sort));
    const list = [];
    for (let u = 0; u < users.count; u++) if (users.account[u] === a && users.line[u]) list.push(u);
    period = stripSpan(list);
    list.sort((x, y) => userWeight(y) - userWeight(x) || x - y);
    strips.show(list);
  }

  return {
    name: 'changes', title: 'Changes', show, paint: strips.refresh,
    print(on) {
      strips.print(on);
      if (!on) { show(parameters); return; }
      if (parameters.account) return;
      top.replaceChildren(...accounts.filter((a) => a.history).flatMap((a) => [h('h3', {}, accountTitle(a)), ...describeHistory(a, parameters.sort, true)]));
    },
    element: [h('div', {class: 'tools'}, choice.element, sorts.element), top,
      h('h3', {}, 'Users, the worst first'),
      h('ul', {class: 'legend'},
        h('li', {}, h('i', {class: 'l-birth'}), 'user created'), h('li', {}, h('i', {class: 'l-made'}), 'credential created'),
        h('li', {}, h('i', {class: 'l-use'}), 'until last use'), h('li', {}, h('i', {class: 'l-idle'}), 'idle since')),
      strips.element],
  };
}

// firstWithHistory is the account whose newest report brought most that fails.
function firstWithHistory() {
  const by = accounts.map((account) => account.history?.last?.failing ?? -1);
  return by.indexOf(Math.max(...by));
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

// describeHistory shows the changes of a sort, or of its newest report only.
function describeHistory(account, sort, newest) {
  const history = account.history;
  if (!history || !history.snapshots.length) return [h('p', {class: 'muted'}, account.missing ? 'There is no report of this account.' : 'There is no earlier report of this account to compare with.')];
  const last = history.snapshots[history.snapshots.length - 1].generated;
  const changes = history.changes.filter((c) => (!sort || c.sort === sort) && (!newest || c.at === last));
  const groups = new Map();
  for (const change of changes.slice(0, SHOWN_CHANGES)) {
    if (!groups.has(change.at)) groups.set(change.at, []);
    groups.get(change.at).push(change);
  }
  const steps = [...groups].map(([at, list]) => describeStep(account, at, list));
  return [
    timeline(history),
    ...steps.slice(0, SHOWN_STEPS),
    steps.length > SHOWN_STEPS ? h('details', {}, h('summary', {}, `${plural(steps.length - SHOWN_STEPS, 'earlier report')} with changes`), steps.slice(SHOWN_STEPS)) : null,
    changes.length ? null : h('p', {class: 'muted'},
      sort ? `Nothing was ${SORTS[sort]?.[1] ?? sort} between the reports: choose another sort above.` : 'Nothing changed.'),
    changes.length > SHOWN_CHANGES ? h('p', {class: 'alarm'}, `Shown are the latest ${number(SHOWN_CHANGES)} of ${number(changes.length)} changes.`) : null,
    history.leftOut ? h('p', {class: 'alarm'}, `${plural(history.leftOut, 'older change')} ${history.leftOut === 1 ? 'is' : 'are'} not in this page.`) : null,
  ].filter(Boolean);
}

function describeStep(account, at, list) {
  const counts = Object.entries(SORTS).map(([sort, [sign, name]]) => [list.filter((c) => c.sort === sort).length, sort, sign, name]).filter(([n]) => n);
  return h('section', {class: 'step'},
    h('h4', {}, minute(at), list[0].since ? h('span', {class: 'muted'}, ` · ${span(at - list[0].since)} after the report before`) : null,
      counts.map(([n, sort, sign, name]) => [' ', h('span', {class: `tag ${sort}`}, `${sign} ${n} ${name}`)]).flat()),
    h('table', {class: 'events'}, h('tbody', {}, list.map((change) => h('tr', {},
      h('td', {class: `sign ${change.sort}`, title: SORTS[change.sort][1]}, SORTS[change.sort][0]),
      h('td', {class: 'c-user'}, change.user ? h('a', {href: link('credentials', {account: account.key, q: change.user})}, change.user) : ''),
      h('td', {class: 'c-what'}, change.credential ? change.credential.split(':')[0] : ''),
      h('td', {class: 'c-title'}, change.control ? h('b', {}, change.control, ' ') : null, change.title),
      h('td', {class: 'c-sev'}, change.severity),
      h('td', {class: 'why'}, change.text))))));
}

// timeline draws an account's reports on a line, each with how much fails.
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
