// controls.js: the controls with their rules, limits and results. An open control
// shows its findings, grouped by what they say.

const GROUP_NAMES = 40; // in a group; the list of credentials has all
const PRINTED_NAMES = 400; // on paper, where nothing leads to the others

function controlsScreen() {
  const statuses = [FAIL, NO_DATA, WARN, MANUAL, PASS, NOT_APPLICABLE];
  const rows = page.controls.map((control) => controlRow(control, statuses));
  const table = h('table', {class: 'controls', 'aria-label': 'Controls'},
    h('thead', {}, h('tr', {}, h('th', {scope: 'col'}, 'Number'), h('th', {scope: 'col'}, 'Control'), h('th', {scope: 'col'}, 'Severity'),
      statuses.map((s) => h('th', {scope: 'col', class: 'n'}, statusName(s).replace('NOT APPLICABLE', 'N/A'))), h('th', {scope: 'col', class: 'n'}, 'excused'))),
    h('tbody', {}, rows.map((row) => [row.head, row.body])));

  return {
    name: 'controls', title: 'Controls',
    show({control}) {
      for (const row of rows) row.open(row.control.id === control);
    },
    element: [
      h('p', {}, h('b', {}, page.benchmark.title, ' ', page.benchmark.version), page.benchmark.about ? ` – ${page.benchmark.about}` : ''),
      h('p', {class: 'outcomes'}, 'Controls: ', h('b', {}, page.outcomes), '.'),
      leftOutNote(), table,
      h('h3', {}, 'Exceptions'),
      page.exceptions.length ? exceptionsTable() : h('p', {class: 'muted'}, 'None were given.'),
      h('h3', {}, 'Limits'),
      h('dl', {class: 'facts'}, Object.entries(page.params).map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, String(value))))),
      h('p', {class: 'hint'}, 'A credential report covers passwords, the first two access keys, MFA and signing certificates. It does not cover other credentials (SSH, CodeCommit, Bedrock), permissions, groups, or the kind of an MFA device.'),
    ],
    print(on) { for (const row of rows) row.open(on, PRINTED_NAMES); },
  };
}

// controlRow creates the two rows of a control. The second exists while the control
// is open.
function controlRow(control, statuses) {
  const id = `control-${control.id}`, content = h('td', {colspan: 4 + statuses.length});
  const body = h('tr', {id, class: 'opened', hidden: true}, content);
  const toggle = h('button', {type: 'button', 'aria-expanded': 'false', 'aria-controls': id,
    onclick: () => { location.hash = link('controls', body.hidden ? {control: control.id} : {}); }}, control.title);
  const head = h('tr', {},
    h('td', {class: 'item'}, control.items.length ? control.items.join(', ') : '–'),
    h('td', {}, toggle, ' ', h('span', {class: 'id'}, control.id)),
    h('td', {}, control.severity),
    statuses.map((s) => controlCount(control, s)), excusedCell(control));
  return {
    control, head, body,
    open(on, most = GROUP_NAMES) {
      if (on && (body.hidden || most !== GROUP_NAMES)) content.replaceChildren(...describeControl(control), ...findingGroups(control).map((group) => describeGroup(control, group, most)));
      body.hidden = !on;
      toggle.setAttribute('aria-expanded', on ? 'true' : 'false');
    },
  };
}

function controlCount(control, s) {
  const td = h('td', {class: 'n'}), listed = s <= MANUAL;
  count(td, control.statuses[s], listed ? STATUS_CLASSES[s] : '', listed ? link('credentials', {control: control.id, status: page.statuses[s]}) : '');
  return td;
}

function excusedCell(control) {
  const td = h('td', {class: 'n'});
  count(td, control.excused, '', link('credentials', {control: control.id, status: 'excused'}));
  return td;
}

function describeControl(control) {
  return [
    h('p', {}, control.description), h('p', {}, h('b', {}, 'Rule. '), control.rule), h('p', {}, h('b', {}, 'What to do. '), control.remediation),
    control.requirements.length ? h('p', {class: 'muted'}, control.requirements.join(' · ')) : null,
  ].filter(Boolean);
}

// findingGroups groups the findings of a control that differ only in numbers and
// times. A group shows the values that all of its findings share.
function findingGroups(control) {
  loadRows();
  const groups = new Map(), code = page.controls.indexOf(control);
  for (let c = 0; c < credentials.count; c++) {
    for (let f = credentials.first[c]; f < credentials.first[c + 1]; f++) {
      if (findings.control[f] !== code) continue;
      const {text, values} = parts(f), verdict = findings.verdict[f] & ~APPROXIMATE;
      const key = `${verdict} ${text}`;
      if (!groups.has(key)) groups.set(key, {verdict, text, shared: [...values], lines: [], weight: weight(f)});
      const group = groups.get(key);
      group.shared = group.shared.map((value, i) => (value === values[i] ? value : null));
      group.lines.push({c, values});
    }
  }
  return [...groups.values()].sort((a, b) => b.weight - a.weight || b.lines.length - a.lines.length);
}

function describeGroup(control, {verdict, text, shared, lines}, most) {
  let n = 0;
  const sentence = text.replace(/\x01/g, () => shared[n++] ?? '…');
  const first = shared.indexOf(null); // the value that tells the lines apart
  const status = verdict & SUPPRESSED ? 'excused' : page.statuses[statusOf(verdict)];
  return h('section', {class: `group ${verdictClass(verdict)}`},
    h('p', {}, badge(verdict), ' ', h('b', {}, groupSize(lines)), ' ', sentence),
    h('p', {class: 'names'}, lines.slice(0, most).map(({c, values}, i) => [i ? startOf(c, lines[i - 1].c) : startOf(c), lineLink(c),
      first < 0 ? null : h('span', {class: 'muted'}, ` ${firstUnit(values[first])}`)]),
      lines.length > most ? [' and ', h('a', {href: link('credentials', {control: control.id, status})}, `${number(lines.length - most)} more`)] : null));
}

function groupSize(lines) {
  const holders = new Set(lines.map(({c}) => credentials.user[c]));
  const reportsOnly = lines.every(({c}) => users.name[credentials.user[c]] === '');
  const of = plural(holders.size, reportsOnly ? 'report' : 'user');
  return `${lines.length > holders.size ? `${plural(lines.length, 'credential')} of ${of}` : of}:`;
}

// firstUnit returns a duration without its smaller unit.
const firstUnit = (value) => value.replace(/^(\d+ (?:day|hour|minute|second)s?) .*/, '$1').replace(/T\d\d:\d\d:\d\dZ$/, '');

// startOf returns the text before a name: the account if it differs from that of the
// previous name, and otherwise a comma.
function startOf(c, before) {
  const account = accountOf(c), known = users.name[credentials.user[c]] !== '';
  if (before !== undefined && accountOf(before) === account) return ', ';
  return [before === undefined ? '' : ' · ', accounts.length > 1 && known ? h('b', {class: 'of'}, account.name || account.key, ': ') : null];
}

// lineLink links to a line by its user, or by its account if it concerns a report.
function lineLink(c) {
  const u = credentials.user[c], account = accountOf(c), key = KINDS[credentials.what[c]] === 'key' ? ` ${WHATS[credentials.what[c]]}` : '';
  return h('a', {href: link('credentials', {account: account.key, q: users.name[u], open: lineName(c)}), title: `${accountTitle(account)}${key}`},
    users.name[u] || accountTitle(account));
}

function exceptionsTable() {
  const states = {active: 'pass', expiring: 'warn', expired: 'fail', unmatched: 'warn'};
  return h('table', {class: 'exceptions', 'aria-label': 'Exceptions'},
    h('thead', {}, h('tr', {}, ['Exception', 'State', 'Matched', 'Control', 'Account', 'For', 'Reason', 'Owner', 'Ticket', 'Expires']
      .map((name) => h('th', {scope: 'col', class: name === 'Matched' ? 'n' : null}, name)))),
    h('tbody', {}, page.exceptions.map(({exception: e, state, matched}) => h('tr', {},
      h('td', {}, h('b', {}, e.id)), h('td', {class: states[state]}, state), h('td', {class: 'n'}, number(matched)),
      h('td', {}, e.control), h('td', {}, e.account),
      h('td', {}, [e.user || e.arn || e.path, e.credential].filter(Boolean).join(' ')),
      h('td', {}, e.reason), h('td', {}, e.owner), h('td', {}, e.ticket), h('td', {}, e.expires)))));
}
