// main.js: the head of the page, the screens, colours, keys, and printing.

function header() {
  const missing = accounts.filter((a) => a.missing).length;
  const stale = accounts.filter((a) => a.stale && !a.missing).length;
  const incomplete = accounts.filter((a) => a.incomplete && !a.missing).length;
  const facts = [
    `${page.benchmark.title} ${page.benchmark.version}`.trim(), plural(accounts.length, 'account'), plural(sum(accounts.map((a) => a.stats.users)), 'user'),
    page.made ? `generated ${minute(page.made)}` : '', page.program || '',
  ].filter(Boolean);
  const old = page.made ? Date.now() / 1000 - page.made : 0;
  const tile = (n, text, name, address) => h(address ? 'a' : 'span', {class: `tile ${n ? name : 'zero'}`, href: address}, h('b', {}, number(n)), ' ', text);
  const failing = page.severities.map((severity, s) => [severity, page.counts.severities[s][FAIL]]).reverse()
    .filter(([, n], i) => n || i < 3);
  document.getElementById('header').append(
    h('div', {class: 'title'}, h('h1', {}, page.title), h('button', {type: 'button', id: 'theme', onclick: turnTheme}, '')),
    h('p', {class: 'facts'}, facts.join(' · ')),
    h('p', {class: 'tiles'},
      missing ? tile(missing, missing === 1 ? 'account without report' : 'accounts without report', 'alarm', link('accounts')) : null,
      failing.map(([severity, n]) => tile(n, `fail ${severity}`, 'fail', link('credentials', {status: 'FAIL', severity}))),
      tile(page.counts.total[NO_DATA], 'no data', 'no-data', link('credentials', {status: 'NO_DATA'})),
      tile(page.counts.total[WARN], 'warn', 'warn', link('credentials', {status: 'WARN'})),
      tile(page.counts.total[MANUAL], 'manual', 'manual', link('credentials', {status: 'MANUAL'})),
      tile(page.counts.excused, 'excused', '', link('credentials', {status: 'excused'})),
      page.leftOut.found + page.leftOut.fine ? tile(page.leftOut.found + page.leftOut.fine, 'credentials not listed', 'warn', link('credentials')) : null,
      stale ? tile(stale, 'stale', 'warn', link('accounts', {sort: 'age'})) : null,
      incomplete ? tile(incomplete, 'incomplete', 'no-data', link('accounts')) : null),
    old > 7 * DAY ? h('p', {class: 'alarm no-print'}, `This page was generated ${days(old)} ago.`) : '');
}

// The page uses the system's colours until a person chooses others.
const THEMES = ['auto', 'light', 'dark'];
let theme = 'auto';
try { theme = localStorage.getItem('rollcall-theme') || 'auto'; } catch { /* a browser may refuse to remember */ }

function turnTheme() {
  theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
  try { localStorage.setItem('rollcall-theme', theme); } catch { /* as above */ }
  showTheme();
}

function showTheme() {
  if (!THEMES.includes(theme)) theme = 'auto';
  document.documentElement.dataset.theme = theme;
  document.getElementById('theme').textContent = `Colours: ${theme}`;
}

let shownScreen = null;

function showRoute() {
  const {screen, parameters} = readRoute(), turned = screen !== shownScreen;
  shownScreen = screen;
  for (const s of screens) s.element.hidden = s !== screen;
  document.title = visible(`${screen.title} – ${page.title}`);
  markNav();
  screen.show(parameters);
  if (turned) screen.paint?.();
}

function start() {
  header();
  showTheme();
  const main = document.getElementById('main'), nav = document.getElementById('nav');
  for (const make of [overviewScreen, accountsScreen, keysScreen, credentialsScreen, mfaScreen, changesScreen, controlsScreen]) {
    const screen = make();
    screen.element = h('section', {class: `screen s-${screen.name}`, id: `screen-${screen.name}`, 'aria-labelledby': `title-${screen.name}`, hidden: true},
      h('h2', {id: `title-${screen.name}`}, screen.title), screen.element);
    screens.push(screen);
    main.append(screen.element);
    nav.append(h('a', {href: link(screen.name), 'data-screen': screen.name}, screen.title));
  }
  document.querySelector('.skip').addEventListener('click', (event) => { event.preventDefault(); main.focus(); });
  addEventListener('hashchange', showRoute);
  addEventListener('keydown', keys);
  addEventListener('beforeprint', () => print(true));
  addEventListener('afterprint', () => print(false));
  showRoute();
  document.documentElement.dataset.ready = 'yes';
}

// keys handles the keyboard: a digit shows a screen, / moves to the search, Escape
// closes the details.
function keys(event) {
  if (event.ctrlKey || event.altKey || event.metaKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
  const screen = screens[Number(event.key) - 1];
  if (screen) location.hash = link(screen.name);
  else if (event.key === 'Escape') readRoute().screen.escape?.();
  else if (event.key === '/') {
    const credentialScreen = screens.find((s) => s.search);
    if (readRoute().screen !== credentialScreen) { location.hash = link('credentials'); showRoute(); }
    credentialScreen.search.focus();
  } else return;
  event.preventDefault();
}

// print lays out a document: all screens, one after the other, with the parts that
// only paper has. Other screens than the current one are shown without filters.
function print(on) {
  const {screen} = readRoute();
  layPaper(on);
  for (const s of screens) {
    if (on) s.element.hidden = false;
    if (on && s !== screen) s.show({});
    s.print?.(on);
  }
  if (!on) { shownScreen = null; showRoute(); }
}

start();
