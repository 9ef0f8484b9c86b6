// detail.js: all that is known of one credential: its user, a line of time, and
// its findings with what to do about them.

function makeDetail(close) {
  let shown = -1, before = null;
  const content = h('div', {class: 'content'});
  const element = h('section', {class: 'detail', 'aria-label': 'Details', tabindex: -1, hidden: true},
    h('button', {type: 'button', class: 'close', 'aria-label': 'Close the details', onclick: close}, '✕'), content);
  element.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') { close(); before?.focus(); }
  });
  return {
    element,
    // show shows a credential, -1 for none, and says whether that is news.
    show(c) {
      if (c === shown) return false;
      if (shown < 0) before = document.activeElement;
      shown = c;
      element.hidden = c < 0;
      content.replaceChildren(...(c < 0 ? [] : describe(c)));
      return true;
    },
  };
}

function describe(c) {
  const u = credentials.user[c], account = accounts[users.account[u]];
  const arn = strings[users.arn[u]] ||
    (users.line[u] ? `arn:${account.partition}:iam::${account.account}:${users.klass[u] === 1 ? 'root' : `user${strings[users.path[u]]}${users.name[u]}`}` : '');
  const facts = [
    ['Account', accountTitle(account)],
    ['ARN', arn],
    ['User made', users.line[u] ? isTime(users.created[u]) ? [date(seconds(users.created[u])), ', ', days(age(account, users.created[u])), ' before the report'] : absence(users.created[u]) : ''],
    ['Class', users.line[u] ? page.classes[users.klass[u]] : ''],
    ['Used with', where(c)],
    ['MFA', users.line[u] === 0 ? '' : truth(users.mfa[u], 'yes', 'no')],
    ['Report', account.generated ? `${minute(account.generated)}, ${reportAge(account)} old` : reportAge(account)],
    ['File', [account.path, users.line[u] ? `line ${users.line[u]}` : ''].filter(Boolean).join(', ')],
    ['SHA-256', account.sha256],
  ];
  return [
    h('h3', {}, users.name[u] || 'the report', ' ', h('span', {class: 'muted'}, what(c))),
    h('dl', {class: 'facts'}, facts.filter(([, value]) => value && value.length).map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value)))),
    strip(u, stripSpan([u]), true),
    ...findingsFor(c).map(describeFinding),
    credentials.first[c] === credentials.first[c + 1] ? h('p', {class: 'muted'}, 'There is no finding.') : '',
  ].filter(Boolean);
}

function describeFinding(f) {
  const control = controls.get(strings[findings.control[f]]);
  const verdict = findings.verdict[f], more = findings.more.get(f) || {};
  return h('article', {class: `finding ${verdictClass(verdict)}`},
    h('p', {}, badge(verdict), ' ', h('b', {}, strings[findings.control[f]]), ' ', control ? control.title : '', ' ',
      h('span', {class: 'muted'}, page.severities[severityOf(verdict)])),
    h('p', {}, reason(f), verdict & APPROXIMATE ? h('span', {class: 'muted'}, ' The age is approximate.') : null),
    more.keys ? h('p', {}, 'Key id: ', h('code', {}, more.keys)) : null,
    more.note ? h('p', {}, more.note) : null,
    more.exception ? h('p', {}, 'Excused by ', h('a', {href: link('controls')}, more.exception), '.') : null,
    more.expired ? h('p', {class: 'warn'}, 'The exception ', more.expired, ' has expired.') : null,
    control && control.remediation ? h('p', {class: 'muted'}, control.remediation) : null);
}

// stripSpan is from when to when the strips of some users reach.
function stripSpan(list) {
  let from = Infinity, to = -Infinity;
  for (const u of list) {
    const account = accounts[users.account[u]];
    if (isTime(users.created[u])) from = Math.min(from, seconds(users.created[u]));
    for (let c = users.first[u]; c < users.first[u + 1]; c++) {
      if (isTime(credentials.made[c])) from = Math.min(from, seconds(credentials.made[c]));
    }
    if (account.asOf) to = Math.max(to, account.asOf);
  }
  return from < to ? {from, to} : null;
}

// strip draws a user's line of time: made, each credential made, last used, and
// how long it has been idle until the report.
function strip(u, period, big) {
  if (!period || !isTime(users.created[u])) return '';
  const lines = [];
  for (let c = users.first[u]; c < users.first[u + 1]; c++) if (credentials.what[c] && isTime(credentials.made[c])) lines.push(c);
  const [width, left, gap] = big ? [1000, 110, 20] : [640, 6, 7];
  const height = (big ? 34 : 13) + gap * Math.max(0, lines.length - 1);
  const room = width - left - (big ? 60 : 12);
  const x = (t) => left + (room * (seconds(t) - period.from)) / (period.to - period.from);
  const end = accounts[users.account[u]].asOf;
  const drawing = svg('svg', {class: big ? 'strip big' : 'strip', viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': stripText(u, lines)},
    svg('line', {class: 'today', x1: x(end), x2: x(end), y1: 0, y2: height}),
    svg('line', {class: 'birth', x1: x(users.created[u]), x2: x(users.created[u]), y1: 0, y2: height}));
  lines.forEach((c, i) => {
    const y = (big ? 9 : 6.5) + gap * i, from = x(made(c)), to = isTime(used(c)) && used(c) >= made(c) ? x(used(c)) : from;
    drawing.append(svg('g', {class: credentials.state[c] === 1 ? 'on' : 'off'},
      svg('title', {}, lineText(c)),
      svg('line', {class: 'idle', x1: to, x2: x(end), y1: y, y2: y}),
      svg('line', {class: 'use', x1: from, x2: to, y1: y, y2: y}),
      svg('path', {class: 'made', d: `M${from - 4} ${y}l4-4 4 4-4 4z`}),
      to > from ? svg('circle', {class: 'used', cx: to, cy: y, r: 3.5}) : null,
      big ? svg('text', {x: left - 12, y: y + 4, 'text-anchor': 'end'}, WHATS[credentials.what[c]]) : null));
  });
  if (big) {
    drawing.append(svg('text', {class: 'axis', x: x(users.created[u]), y: height - 2}, `user made ${day(seconds(users.created[u]))}`),
      svg('text', {class: 'axis', x: x(end), y: height - 2, 'text-anchor': 'end'}, day(end)));
  }
  return drawing;
}

function lineText(c) {
  const usedText = isTime(used(c)) ? `last used ${day(seconds(used(c)))}` : `last use ${absence(used(c))}`;
  return `${WHATS[credentials.what[c]]} made ${day(seconds(made(c)))}, ${usedText}`;
}

const stripText = (u, lines) => [`user made ${day(seconds(users.created[u]))}`, ...lines.map(lineText)].join('; ');
