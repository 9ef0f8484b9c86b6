// detail.js: everything that is known about one credential: its user, a timeline,
// and its findings with their remedies.

function makeDetail(close) {
  let shown = -1;
  const content = h('div', {'aria-live': 'polite'});
  const element = h('section', {class: 'detail', 'aria-label': 'Details', tabindex: -1, hidden: true},
    h('button', {type: 'button', class: 'close', 'aria-label': 'Close the details', onclick: close}, '✕'), content);
  return {
    element,
    // show shows a credential, or none for -1, and returns whether it changed.
    show(c) {
      if (c === shown) return false;
      shown = c;
      element.hidden = c < 0;
      content.replaceChildren(...(c < 0 ? [] : describe(c)));
      return true;
    },
  };
}

function describe(c) {
  const u = credentials.user[c], account = accounts[users.account[u]];
  const facts = [
    ['Account', accountTitle(account)],
    ['ARN', arnOf(u)],
    ['User created', users.line[u] ? isTime(users.created[u]) ? [date(seconds(users.created[u])), account.asOf ? `, ${days(age(account, users.created[u]))} before the report` : ''] : absence(users.created[u]) : ''],
    ['Class', users.line[u] ? page.classes[users.klass[u]] : ''],
    ['Used with', where(c)],
    ['MFA', users.line[u] === 0 ? '' : truth(users.mfa[u], 'yes', 'no')],
    ['Report', account.generated ? `${minute(account.generated)}, ${reportAge(account)} old` : reportAge(account)],
    ['File', [account.path, users.line[u] ? `line ${users.line[u]}` : ''].filter(Boolean).join(', ')],
    ['SHA-256', account.sha256],
  ];
  return [
    h('h3', {}, users.name[u] || 'the report', ' ', h('span', {class: 'muted'}, what(c)), ' ',
      copyButton('Copy a link to this line', () => location.href.replace(/#.*/, '') + link('credentials', {open: lineName(c)}))),
    h('dl', {class: 'facts'}, facts.filter(([, value]) => value && value.length).map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value)))),
    strip(u, stripSpan([u]), true),
    ...findingsFor(c).map((f) => describeFinding(c, f)),
    credentials.first[c] === credentials.first[c + 1] ? h('p', {class: 'muted'}, 'There is no finding.') : '',
  ].filter(Boolean);
}

// arnOf returns the ARN of a user.
function arnOf(u) {
  const account = accounts[users.account[u]];
  return strings[users.arn[u]] ||
    (users.line[u] ? `arn:${account.partition}:iam::${account.account}:${users.klass[u] === ROOT ? 'root' : `user${strings[users.path[u]]}${users.name[u]}`}` : '');
}

function describeFinding(c, f) {
  const control = controlOf(f);
  const verdict = findings.verdict[f], more = findings.more.get(f) || {};
  return h('article', {class: `finding ${verdictClass(verdict)}`},
    h('p', {}, badge(verdict), ' ', h('b', {}, control.id), ' ', control.title, ' ',
      h('span', {class: 'muted'}, page.severities[severityOf(verdict)])),
    h('p', {}, reason(f), verdict & APPROXIMATE ? h('span', {class: 'muted'}, ' The age is approximate.') : null),
    more.keys ? h('p', {}, 'Key id: ', h('code', {}, more.keys)) : null,
    more.note ? h('p', {}, more.note) : null,
    more.exception ? h('p', {}, 'Excused by ', h('a', {href: link('controls')}, more.exception), '.') : null,
    control.remediation ? h('p', {class: 'muted'}, control.remediation) : null,
    fixOf(c, f));
}

// stripSpan returns the period that the strips of some users cover.
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

// strip draws a user's timeline: the creation of the user and of each credential,
// its last use, and the idle time until the report. Horizontal positions are shares
// of the width, so the strips of a list are aligned.
function strip(u, period, big) {
  if (!period || !isTime(users.created[u])) return '';
  const lines = [];
  for (let c = users.first[u]; c < users.first[u + 1]; c++) if (credentials.what[c] && isTime(credentials.made[c])) lines.push(c);
  const gap = big ? 20 : Math.min(8, 20 / lines.length), [left, right] = big ? [11, 97] : [1.5, 98.5];
  const height = big ? 32 + gap * Math.max(0, lines.length - 1) : ROW - 4;
  const top = big ? 10 : (height - gap * (lines.length - 1)) / 2;
  const at = (t) => left + ((right - left) * (t - period.from)) / (period.to - period.from);
  const x = (t) => `${at(seconds(t)).toFixed(3)}%`;
  const end = accounts[users.account[u]].asOf;
  const drawing = svg('svg', {class: big ? 'strip big' : 'strip', height, role: 'img', 'aria-label': stripText(u, lines)},
    svg('line', {class: 'today', x1: x(end), x2: x(end), y1: 0, y2: height}),
    svg('line', {class: 'birth', x1: x(users.created[u]), x2: x(users.created[u]), y1: 0, y2: height}));
  lines.forEach((c, i) => {
    const y = top + gap * i, wasUsed = isTime(used(c)) && seconds(used(c)) >= seconds(made(c));
    const from = x(made(c)), to = wasUsed ? x(used(c)) : from;
    drawing.append(svg('g', {class: credentials.state[c] === 1 ? 'on' : 'off'},
      svg('title', {}, lineText(c)),
      svg('line', {class: 'idle', x1: to, x2: x(end), y1: y, y2: y}),
      svg('line', {class: 'use', x1: from, x2: to, y1: y, y2: y}),
      wasUsed ? svg('circle', {class: 'used', cx: to, cy: y, r: 3}) : null,
      svg('circle', {class: 'made', cx: from, cy: y, r: 3}),
      big ? svg('text', {x: `${left - 1}%`, y: y + 4, 'text-anchor': 'end'}, WHATS[credentials.what[c]]) : null));
  });
  if (big) {
    const late = at(seconds(users.created[u])) > 60;
    drawing.append(svg('text', {x: x(users.created[u]), dx: late ? -4 : 4, y: height - 2, 'text-anchor': late ? 'end' : null}, `user created ${day(seconds(users.created[u]))}`),
      svg('text', {x: x(end), dx: 4, y: height - 2, 'text-anchor': 'end', class: 'end'}, `report ${day(end)}`));
  }
  return drawing;
}

function lineText(c) {
  if (KINDS[credentials.what[c]] === 'certificate') return `${WHATS[credentials.what[c]]} created ${day(seconds(made(c)))}`;
  const usedText = isTime(used(c)) ? `last used ${day(seconds(used(c)))}` : `last use ${absence(used(c))}`;
  return `${WHATS[credentials.what[c]]} created ${day(seconds(made(c)))}, ${usedText}`;
}

const stripText = (u, lines) => [`user created ${day(seconds(users.created[u]))}`, ...lines.map(lineText)].join('; ');
