// credentials.js: one row for each credential, filtered by account, class,
// kind, status, control and words; the cell to blame is marked, and the reason
// is next to it.

const [USER_CELL, CREDENTIAL_CELL, STATE_CELL, MADE_CELL, USED_CELL, WHERE_CELL, MFA_CELL] = [0, 1, 2, 3, 4, 5, 6];
const FACETS = ['account', 'class', 'kind', 'status', 'control', 'severity', 'mfa', 'state', 'age', 'used', 'verdict'];

// marks are the cells of a credential that a finding blames: the heaviest
// finding of each decides the colour.
function marks(c) {
  const cells = [];
  for (let f = credentials.first[c]; f < credentials.first[c + 1]; f++) {
    const cell = findings.cell[f];
    if (cells[cell] === undefined || weight(f) > weight(cells[cell])) cells[cell] = f;
  }
  return cells;
}

const verdictClass = (verdict) => (verdict & SUPPRESSED ? 'excused' : STATUS_CLASSES[statusOf(verdict)]);

// marked makes a column whose cell may be marked.
function marked(cell, column) {
  return {...column, cell(td, c, printing) {
    const f = marks(c)[cell];
    if (f !== undefined) {
      td.className += ` mark ${verdictClass(findings.verdict[f])}`;
      td.title = visible(`${strings[findings.control[f]]}: ${reason(f)}`);
    }
    column.cell(td, c, printing);
  }};
}

const made = (c) => credentials.made[c];
const used = (c) => credentials.used[c];

const CREDENTIAL_COLUMNS = [
  {title: 'Account', class: 'c-account', sort: 'account', cell(td, c) {
    const account = accountOf(c);
    td.title = visible(accountTitle(account));
    td.append(visible(account.name || account.key));
  }},
  marked(USER_CELL, {title: 'User', class: 'c-user', sort: 'user', cell(td, c) {
    const u = credentials.user[c];
    td.append(users.name[u] === '' ? h('span', {class: 'absent'}, 'the report') : visible(users.name[u]));
    if (users.klass[u] > 2) td.append(' ', h('span', {class: 'tag'}, page.classes[users.klass[u]]));
  }}),
  marked(CREDENTIAL_CELL, {title: 'Credential', class: 'c-what', cell: (td, c) => td.append(what(c))}),
  marked(STATE_CELL, {title: 'State', class: 'c-state', cell(td, c) {
    const state = credentials.state[c];
    if (KINDS[credentials.what[c]] === 'user') return;
    td.append(KINDS[credentials.what[c]] === 'password' ? truth(state, 'set', 'none') : truth(state, 'active', 'inactive'));
  }}),
  marked(MADE_CELL, {title: 'Created or changed', class: 'c-date', sort: 'made', cell: (td, c) => td.append(moment(c, made(c)))}),
  marked(USED_CELL, {title: 'Last used', class: 'c-date', sort: 'used', cell: (td, c) => td.append(lastUse(c))}),
  marked(WHERE_CELL, {title: 'Used with', class: 'c-where', cell: (td, c) => td.append(visible(where(c)))}),
  marked(MFA_CELL, {title: 'MFA', class: 'c-yes', cell: (td, c) => td.append(users.line[credentials.user[c]] === 0 ? '' : truth(hasMFA(c), 'yes', 'no'))}),
  {title: 'Verdict', class: 'c-verdict', sort: 'worst', cell(td, c) {
    td.append(pair(badge(worst[c] < 0 ? -1 : findings.verdict[worst[c]]), accountOf(c).missing ? '–' : reportAge(accountOf(c), brief), 'age of the report'));
  }},
  {title: 'Reason', class: 'why', cell(td, c, printing) {
    const all = findingsFor(c);
    const shown = printing ? all : all.slice(0, 1);
    for (const f of shown) {
      td.append(h(printing ? 'p' : 'span', {}, h('b', {class: verdictClass(findings.verdict[f])}, strings[findings.control[f]]), ' ', reason(f)));
    }
    const rest = all.slice(shown.length).map((f) => strings[findings.control[f]]);
    if (rest.length) td.prepend(h('span', {class: 'more', title: `also ${rest.join(', ')}`}, `+${rest.length}`));
  }},
];

// moment is empty where a line about a user has no such time.
const moment = (c, t) => (t === -4 && credentials.what[c] === 0 ? '' : dated(accountOf(c), t));

// lastUse of a certificate is in no report.
const lastUse = (c) => (KINDS[credentials.what[c]] === 'certificate' ? h('span', {class: 'absent'}, 'not reported') : moment(c, used(c)));

const what = (c) => (users.line[credentials.user[c]] === 0 ? '' : WHATS[credentials.what[c]]);
const where = (c) => [strings[credentials.service[c]], strings[credentials.region[c]]].filter(Boolean).join(' · ');

// findingsFor lists a credential's findings, the heaviest first.
function findingsFor(c) {
  const list = [];
  for (let f = credentials.first[c]; f < credentials.first[c + 1]; f++) list.push(f);
  return list.sort((a, b) => weight(b) - weight(a) || a - b);
}

// Orders are made once: filtering keeps the order of what is left.
const orders = new Map();

function order({sort, turned}) {
  const key = `${sort} ${turned}`;
  if (!orders.has(key)) orders.set(key, makeOrder(sort, turned));
  return orders.get(key);
}

function makeOrder(name, turned) {
  const list = new Uint32Array(credentials.count).map((_, i) => i);
  let by;
  if (name === 'made' || name === 'used') {
    // By age: what never was comes last.
    by = Float64Array.from(credentials[name], (t) => (isTime(t) ? seconds(t) : Infinity));
  } else if (name === 'user' || name === 'account') {
    const texts = name === 'user' ? users.name : accounts.map(accountTitle);
    const ranks = new Uint32Array(texts.length);
    const {compare} = new Intl.Collator('en');
    texts.map((_, i) => i).sort((a, b) => compare(texts[a], texts[b])).forEach((i, rank) => { ranks[i] = rank; });
    by = Float64Array.from(list, (c) => ranks[name === 'user' ? credentials.user[c] : users.account[credentials.user[c]]]);
  } else {
    const many = (c) => Math.min(63, credentials.first[c + 1] - credentials.first[c]);
    by = Float64Array.from(list, (c) => -(weights[c] * 64 + many(c)));
  }
  const sign = turned ? -1 : 1;
  return list.sort((a, b) => (by[a] === by[b] ? a - b : sign * (by[a] - by[b])));
}

// words returns the texts that a search looks in; those of users are built on first use.
let userTexts;
const stringTexts = () => strings.map((s) => s.toLowerCase());

// wordTests makes a test for each word: of the user, or of where a credential
// was used.
function wordTests(text) {
  userTexts ||= users.name.map((name, u) => {
    const account = accounts[users.account[u]];
    return [name, strings[users.path[u]], strings[users.arn[u]], account.name, account.account].join(' ').toLowerCase();
  });
  return text.toLowerCase().split(/\s+/).filter(Boolean).map((word) => {
    const inUser = Uint8Array.from(userTexts, (t) => t.includes(word));
    const inString = Uint8Array.from(stringTexts(), (t) => t.includes(word));
    return (c) => inUser[credentials.user[c]] || inString[credentials.region[c]] || inString[credentials.service[c]] ||
      extras(c).includes(word);
  });
}

// extras are the key ids and exceptions of a credential.
function extras(c) {
  if (!findings.more.size) return '';
  let text = '';
  for (let f = credentials.first[c]; f < credentials.first[c + 1]; f++) {
    const more = findings.more.get(f);
    if (more) text += ` ${more.keys} ${more.exception} ${more.expired}`.toLowerCase();
  }
  return text;
}

// findingTest is a test whether one finding is as asked for; null for none.
function findingTest({status, control, severity}) {
  const tests = [];
  if (status === 'excused') tests.push((f) => findings.verdict[f] & SUPPRESSED);
  else if (status === 'found') tests.push(() => true);
  else if (status && status !== 'none') {
    const wanted = page.statuses.indexOf(status);
    tests.push((f) => statusOf(findings.verdict[f]) === wanted && !(findings.verdict[f] & SUPPRESSED));
  }
  if (control) tests.push((f) => strings[findings.control[f]] === control);
  if (severity) {
    const wanted = page.severities.indexOf(severity);
    tests.push((f) => severityOf(findings.verdict[f]) === wanted);
  }
  return tests.length ? (f) => tests.every((test) => test(f)) : null;
}

// tests returns the tests that a credential must pass to be shown.
function tests(wanted) {
  const list = [];
  if (wanted.account) {
    const a = accountKeys.get(wanted.account);
    list.push((c) => users.account[credentials.user[c]] === a);
  }
  if (wanted.class) {
    const klass = page.classes.indexOf(wanted.class);
    list.push((c) => users.klass[credentials.user[c]] === klass);
  }
  if (wanted.kind) list.push((c) => KINDS[credentials.what[c]] === wanted.kind);
  if (wanted.state) list.push((c) => credentials.state[c] === (wanted.state === 'active' ? 1 : 0));
  if (wanted.mfa) list.push((c) => isConsoleUser(c) && (hasMFA(c) === 1) === (wanted.mfa === 'yes'));
  if (wanted.age) list.push((c) => isActiveKey(c) && keyBin(c) === Number(wanted.age));
  if (wanted.used) list.push((c) => isTime(credentials.used[c]) === (wanted.used === 'yes'));
  if (wanted.verdict) list.push((c) => verdictName(c) === wanted.verdict);
  if (wanted.status === 'none') list.push((c) => worst[c] < 0);
  const test = findingTest(wanted);
  if (test) {
    list.push((c) => {
      for (let f = credentials.first[c]; f < credentials.first[c + 1]; f++) if (test(f)) return true;
      return false;
    });
  }
  if (wanted.q) list.push(...wordTests(wanted.q));
  return list;
}

function filter(wanted, ordered) {
  const list = tests(wanted);
  if (!list.length) return ordered;
  return ordered.filter((c) => {
    for (const test of list) if (!test(c)) return false;
    return true;
  });
}

// sorted returns the credentials in their order. By age the oldest are the first.
const sorted = (parameters) => sorting(parameters, 'worst', ['account', 'user', 'made', 'used']);

function credentialsScreen() {
  let parameters = {};
  const set = (changes, small) => {
    parameters = {...parameters, ...changes};
    for (const key of Object.keys(parameters)) if (!parameters[key]) delete parameters[key];
    setRoute('credentials', parameters, small);
    show(parameters);
  };

  const search = h('input', {type: 'search', placeholder: 'user, path, account, service, region, key id', spellcheck: 'false'});
  search.addEventListener('input', later(() => set({q: search.value, open: ''}, true)));
  const choices = {
    account: accountChoice((account) => set({account, open: ''})),
    class: select('Class', [['', 'any'], ...page.classes.slice(1).map((c) => [c, c])], (klass) => set({class: klass, open: ''})),
    kind: select('Credential', [['', 'any'], ...['password', 'key', 'certificate', 'user'].map((k) => [k, k === 'user' ? 'the user as a whole' : k])],
      (kind) => set({kind, open: ''})),
    status: select('Status', [['', 'any'], ['found', 'any finding'], ...[FAIL, NO_DATA, WARN, MANUAL].map((s) => [page.statuses[s], statusName(s)]),
      ['excused', 'excused'], ['none', 'no finding']], (status) => set({status, open: ''})),
    control: select('Control', [['', 'any'], ...page.controls.map((c) => [c.id, `${c.id} ${c.title}`])], (control) => set({control, open: ''})),
  };
  const chips = h('span', {class: 'chips'});
  const filters = h('p', {class: 'print-only'});
  const result = h('output', {class: 'result', role: 'status'});
  const detail = makeDetail(() => { set({open: ''}); list.table.focus(); });
  const list = makeList({
    label: 'Credentials', class: 'credentials', columns: CREDENTIAL_COLUMNS,
    empty: () => (credentials.count ? 'No credential is as the filters ask. "clear all" above takes them away.' : 'There is no credential.'),
    tall: 64,
    open: (c) => openLine(c),
    moved: (c) => { if (parameters.open) openLine(c, true); },
    sort: (sort) => set(resort(sort, sorted(parameters))),
  });

  function showChips() {
    const names = {
      severity: (v) => `severity ${v}`, mfa: (v) => `console users ${v === 'yes' ? 'with' : 'without'} MFA`, state: (v) => v,
      age: (v) => AGE_NAMES[v] && `key ${AGE_NAMES[v]} days old`, used: (v) => (v === 'yes' ? 'used' : 'never used'),
      verdict: (v) => `verdict ${v.replace('_', ' ')}`,
    };
    const shown = Object.keys(names).filter((key) => parameters[key] && names[key](parameters[key])).map((key) => h('button', {
      type: 'button', class: 'chip', 'aria-label': `remove the filter ${names[key](parameters[key])}`, onclick: () => set({[key]: ''}),
    }, names[key](parameters[key]), ' ✕'));
    if (FACETS.some((key) => parameters[key]) || parameters.q) {
      shown.push(h('button', {type: 'button', class: 'chip clear', onclick: () => set(Object.fromEntries([...FACETS, 'q', 'open'].map((key) => [key, ''])))}, 'clear all'));
    }
    chips.replaceChildren(...shown);
  }

  // Two lines may have one name: the one that was chosen is the one to open.
  let chosen = {name: '', c: -1};
  function openLine(c, small) {
    chosen = {name: lineName(c), c};
    set({open: chosen.name}, small);
  }

  let rows = [];
  const csv = h('button', {type: 'button', class: 'chip csv', onclick: () => save('credentials.csv', 'text/csv;charset=utf-8', csvOf(rows))}, 'Save as CSV');

  let shown = null; // the filters and the order that the list shows
  function show(to) {
    parameters = to;
    if (search.value !== (to.q || '')) search.value = to.q || '';
    for (const [key, choice] of Object.entries(choices)) choice.list.value = to[key] || '';
    showChips();
    const {open, ...wanted} = to;
    const key = JSON.stringify(wanted);
    if (key !== shown) {
      shown = key;
      rows = filter(to, order(sorted(to)));
      list.show(rows, sorted(to));
      filters.textContent = Object.entries(wanted).map(([key, value]) => `${key}: ${visible(value)}`).join(', ');
      result.textContent = rows.length === credentials.count ? plural(credentials.count, 'line')
        : `${number(rows.length)} of ${plural(credentials.count, 'line')}`;
    }
    const c = open === undefined ? -1 : open === chosen.name ? chosen.c : findLine(open);
    const opened = detail.show(c);
    if (opened) { list.refresh(); list.select(c); }
  }

  return {
    name: 'credentials', title: 'Credentials', show, paint: list.refresh, print: list.print, search, escape: () => set({open: ''}),
    element: [
      h('div', {class: 'tools', role: 'search'}, h('label', {class: 'wide'}, h('span', {}, 'Search ', h('kbd', {}, '/')), search),
        Object.values(choices).map((c) => c.element)),
      h('div', {class: 'under'}, result, chips, csv), filters,
      page.leftOut ? h('p', {class: 'alarm'}, `${plural(page.leftOut, 'credential')} are not listed: the page holds ${number(credentials.count)}. All counts elsewhere are of everything. Audit fewer accounts at a time to see them all.`) : null,
      list.element, detail.element,
    ],
  };
}
