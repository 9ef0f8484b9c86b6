// credentials.js: one row for each credential, with filters for account, class,
// kind, status, control and words. The cell that caused a finding is marked, and
// the reason is in the same row.

const [USER_CELL, CREDENTIAL_CELL, STATE_CELL, MADE_CELL, USED_CELL, WHERE_CELL, MFA_CELL] = [0, 1, 2, 3, 4, 5, 6];
const FACETS = ['account', 'class', 'kind', 'status', 'control', 'severity', 'mfa', 'state', 'age', 'used', 'verdict'];

// marks returns the heaviest finding about each cell of a credential, which decides
// the colour of the cell. It remembers the last answer, because the cells of a row
// ask one after the other.
let marked = {c: -1, cells: []};

function marks(c) {
  if (marked.c === c) return marked.cells;
  const cells = [];
  for (let f = credentials.first[c]; f < credentials.first[c + 1]; f++) {
    const cell = findings.cell[f];
    if (cells[cell] === undefined || weight(f) > weight(cells[cell])) cells[cell] = f;
  }
  marked = {c, cells};
  return cells;
}

const verdictClass = (verdict) => (verdict & SUPPRESSED ? 'excused' : STATUS_CLASSES[statusOf(verdict)]);

// markable returns a column whose cells may be marked.
function markable(cell, column) {
  return {...column, cell(td, c, printing) {
    const f = marks(c)[cell];
    if (f !== undefined) {
      td.className += ` mark ${verdictClass(findings.verdict[f])}`;
      td.title = visible(`${controlOf(f).id}: ${reason(f)}`);
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
  markable(USER_CELL, {title: 'User', class: 'c-user', sort: 'user', cell(td, c) {
    const u = credentials.user[c];
    td.append(users.name[u] === '' ? h('span', {class: 'absent'}, 'the report') : visible(users.name[u]));
    if (users.klass[u] > 2) td.append(' ', h('span', {class: 'tag'}, page.classes[users.klass[u]]));
  }}),
  markable(CREDENTIAL_CELL, {title: 'Credential', class: 'c-what', cell: (td, c) => td.append(what(c))}),
  markable(STATE_CELL, {title: 'State', class: 'c-state', cell(td, c) {
    const state = credentials.state[c];
    if (KINDS[credentials.what[c]] === 'user') return;
    td.append(KINDS[credentials.what[c]] === 'password' ? truth(state, 'set', 'none') : truth(state, 'active', 'inactive'));
  }}),
  markable(MADE_CELL, {title: 'Created or changed', class: 'c-date', sort: 'made', cell: (td, c) => td.append(moment(c, made(c)))}),
  markable(USED_CELL, {title: 'Last used', class: 'c-date', sort: 'used', cell: (td, c) => td.append(lastUse(c))}),
  markable(WHERE_CELL, {title: 'Used with', class: 'c-where', cell: (td, c) => td.append(visible(where(c)))}),
  markable(MFA_CELL, {title: 'MFA', class: 'c-yes', cell: (td, c) => td.append(users.line[credentials.user[c]] === 0 ? '' : truth(hasMFA(c), 'yes', 'no'))}),
  {title: 'Verdict', class: 'c-verdict', sort: 'worst', cell(td, c) {
    td.append(pair(badge(worst[c] < 0 ? -1 : findings.verdict[worst[c]]), accountOf(c).missing ? '–' : reportAge(accountOf(c), brief), 'age of the report'));
  }},
  {title: 'Reason', class: 'why', cell(td, c, printing) {
    const all = findingsFor(c);
    const shown = printing ? all : all.slice(0, 1);
    for (const f of shown) {
      td.append(h(printing ? 'p' : 'span', {}, h('b', {class: verdictClass(findings.verdict[f])}, controlOf(f).id), ' ', reason(f)));
    }
    const rest = all.slice(shown.length).map((f) => controlOf(f).id);
    if (rest.length) td.prepend(h('span', {class: 'more', title: `also ${rest.join(', ')}`}, `+${rest.length}`));
  }},
];

// moment shows a time. It is empty for a line about a user without such a time.
const moment = (c, t) => (t === -4 && credentials.what[c] === 0 ? '' : dated(accountOf(c), t));

// lastUse shows the last use. Reports do not show that of certificates.
const lastUse = (c) => (KINDS[credentials.what[c]] === 'certificate' ? h('span', {class: 'absent'}, 'not reported') : moment(c, used(c)));

const what = (c) => (users.line[credentials.user[c]] === 0 ? '' : WHATS[credentials.what[c]]);
const where = (c) => [strings[credentials.service[c]], strings[credentials.region[c]]].filter(Boolean).join(' · ');

// findingsFor lists a credential's findings, the heaviest first.
function findingsFor(c) {
  const list = [];
  for (let f = credentials.first[c]; f < credentials.first[c + 1]; f++) list.push(f);
  return list.sort((a, b) => weight(b) - weight(a) || a - b);
}

// Each order is computed once, because filtering keeps the order of what is left.
const orders = new Map();

function order({sort, turned}) {
  const key = `${sort} ${turned}`;
  if (!orders.has(key)) orders.set(key, makeOrder(sort, turned));
  return orders.get(key);
}

const RANKS = 2 ** 32, PLACES = 2 ** 20; // together they are a number that JavaScript holds exactly

// makeOrder sorts the credentials by rank, and those of one rank by their place. A
// rank and a place are sorted as one number, which is much faster than to compare.
function makeOrder(name, turned) {
  const rank = rankBy(name), n = credentials.count, keys = new Float64Array(n), ordered = new Uint32Array(n);
  for (let c = 0; c < n; c++) keys[c] = (turned ? RANKS - 1 - rank(c) : rank(c)) * PLACES + c;
  keys.sort();
  for (let i = 0; i < n; i++) ordered[i] = keys[i] % PLACES;
  return ordered;
}

// The places of the users and the accounts in the alphabet.
const alphabets = {};

function alphabet(name) {
  alphabets[name] ??= alphabetical(name === 'user' ? users.name : accounts.map(accountTitle));
  return alphabets[name];
}

// rankBy returns the rank of a credential in an order, from 0 up to RANKS.
function rankBy(name) {
  if (name === 'made' || name === 'used') {
    // By age; what never happened comes last.
    const times = credentials[name];
    return (c) => (isTime(times[c]) ? Math.max(0, Math.min(RANKS - 2, seconds(times[c]) + RANKS / 2)) : RANKS - 1);
  }
  if (name === 'user' || name === 'account') {
    const ranks = alphabet(name), by = name === 'user' ? credentials.user : users.account;
    return name === 'user' ? (c) => ranks[by[c]] : (c) => ranks[by[credentials.user[c]]];
  }
  const many = (c) => Math.min(63, credentials.first[c + 1] - credentials.first[c]);
  return (c) => (1 << 14) - (weights[c] * 64 + many(c));
}

// The texts in which a search looks. They are built for the first search, or before
// it when the browser is idle.
let nameTexts, stringTexts, accountTexts, extraTexts;

function buildTexts() {
  if (nameTexts) return;
  nameTexts = haystack(users.name);
  stringTexts = haystack(strings);
  accountTexts = haystack(accounts.map((account) => `${account.name || ''} ${account.account || ''}`));
  extraTexts = new Map(); // of credentials with key ids and exceptions, which are few
  let c = 0;
  for (const [f, more] of [...findings.more].sort(([a], [b]) => a - b)) {
    while (credentials.first[c + 1] <= f) c++;
    extraTexts.set(c, `${extraTexts.get(c) || ''} ${more.keys} ${more.exception} ${more.expired}`.toLowerCase());
  }
}

// wordTests returns a test for each word. It looks at the user, and at the place
// where a credential was used.
function wordTests(text) {
  buildTexts();
  return text.toLowerCase().split(/\s+/).filter(Boolean).map((word) => {
    const [inName, inString, inAccount] = [nameTexts, stringTexts, accountTexts].map((texts) => holders(texts, word));
    const inUser = new Uint8Array(users.count);
    for (let u = 0; u < inUser.length; u++) {
      inUser[u] = inName[u] | inString[users.path[u]] | inString[users.arn[u]] | inAccount[users.account[u]];
    }
    return (c) => inUser[credentials.user[c]] || inString[credentials.region[c]] || inString[credentials.service[c]] ||
      Boolean(extraTexts.get(c)?.includes(word));
  });
}

// prepare computes what the first search and the first order by name need, while
// the browser has nothing else to do.
function prepare() {
  window.requestIdleCallback?.(() => {
    buildTexts();
    window.requestIdleCallback(() => alphabet('user'));
  });
}

// findingTest returns a test of one finding, and null if all findings are wanted.
function findingTest({status, control, severity}) {
  const anyStatus = !status || status === 'found' || status === 'none', excused = status === 'excused';
  if (!control && !severity && (!status || status === 'none')) return null;
  const ofStatus = page.statuses.indexOf(status), ofControl = page.controls.findIndex((c) => c.id === control), ofSeverity = page.severities.indexOf(severity);
  return (f) => {
    const verdict = findings.verdict[f];
    if (excused ? !(verdict & SUPPRESSED) : !anyStatus && ((verdict & SUPPRESSED) || statusOf(verdict) !== ofStatus)) return false;
    if (control && findings.control[f] !== ofControl) return false;
    return !severity || severityOf(verdict) === ofSeverity;
  };
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
  const kept = new Uint32Array(ordered.length);
  let n = 0;
  next: for (let i = 0; i < ordered.length; i++) {
    for (const test of list) if (!test(ordered[i])) continue next;
    kept[n++] = ordered[i];
  }
  return kept.subarray(0, n);
}

// sorted returns the requested order. By age, the oldest credentials come first.
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
    empty: () => (credentials.count ? 'No credential matches the filters. "clear all" above removes them.' : 'There is no credential.'),
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

  // Two lines may have the same name, so the chosen one is remembered.
  let chosen = {name: '', c: -1};
  function openLine(c, small) {
    chosen = {name: lineName(c), c};
    set({open: chosen.name}, small);
  }

  let rows = [];
  const csv = h('button', {type: 'button', class: 'csv', onclick: () => save('credentials.csv', 'text/csv;charset=utf-8', csvOf(rows))}, 'Save as CSV');

  let shown = null; // the filters and the order that the list shows
  function show(to) {
    loadRows();
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
      leftOutNote(),
      list.element, detail.element,
    ],
  };
}

// leftOutNote says what the page does not list. It returns null if that is nothing.
function leftOutNote() {
  const {found, fine} = page.leftOut, all = found + fine;
  if (!all) return null;
  const which = [fine ? `${number(fine)} without a finding` : '', found ? `${number(found)} with findings, from the last of the reports` : ''].filter(Boolean).join(' and ');
  return h('p', {class: 'alarm'}, `${plural(all, 'credential')} ${all === 1 ? 'is' : 'are'} not listed, because the page would be too large: ${which}. All counts include them. Audit fewer accounts at a time to see them all.`);
}
