// dom.js: elements and words. The texts of reports become text nodes.

// visible escapes characters that are invisible or change the direction of text.
function visible(text) {
  const plain = String(text);
  if (/^[ -~]*$/.test(plain)) return plain; // as nearly all texts are
  return plain.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (c) => `\\u{${c.codePointAt(0).toString(16)}}`);
}

// h creates an element. Properties that begin with "on" are listeners. Children are
// elements and texts; null and false are skipped.
function h(tag, properties, ...children) {
  return fill(document.createElement(tag), properties, children);
}

function svg(tag, properties, ...children) {
  return fill(document.createElementNS('http://www.w3.org/2000/svg', tag), properties, children);
}

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, visible(value === true ? '' : value));
  }
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : visible(child));
  }
  return element;
}

const number = new Intl.NumberFormat('en-US').format;
const plural = (n, one, many = one + 's') => `${number(n)} ${n === 1 ? one : many}`;
const percent = (part, all) => (all ? `${Math.floor((100 * part) / all)} %` : '–');

const iso = (t) => new Date(t * 1000).toISOString().replace('.000Z', 'Z');
const day = (t) => iso(t).slice(0, 10);
const minute = (t) => iso(t).slice(0, 16).replace('T', ' ') + ' UTC';

// span returns a duration in its largest whole unit.
function span(seconds) {
  if (seconds < 0) return '−' + span(-seconds);
  if (seconds >= 2 * DAY) return plural(Math.floor(seconds / DAY), 'day');
  if (seconds >= 7200) return plural(Math.floor(seconds / 3600), 'hour');
  return plural(Math.floor(seconds / 60), 'minute');
}

// brief returns the same in fewer letters.
const brief = (seconds) => span(seconds)
  .replace(/ (minute|hour|day)s?$/, (_, unit) => ({minute: ' min', hour: ' h', day: ' d'})[unit]);

const days = (seconds) => (seconds < 0 ? '−' : '') + plural(Math.floor(Math.abs(seconds) / DAY), 'day');

const date = (t) => h('time', {datetime: iso(t), title: iso(t)}, day(t));

// pair puts two things at the two ends of a cell.
const pair = (left, right, title) => h('div', {class: 'pair'}, h('span', {}, left), h('span', {class: 'age', title}, right));

// dated shows a day and its age, or the reason why there is none.
function dated(account, t) {
  if (!isTime(t)) return h('span', {class: 'absent'}, absence(t));
  const ago = age(account, t);
  if (Number.isNaN(ago)) return date(seconds(t));
  const [n, unit] = days(ago).split(' ');
  return pair(date(seconds(t)), [n.replace(',', ''), h('span', {class: 'long'}, ` ${unit}`), h('span', {class: 'short'}, ' d')]);
}

// reportAge returns the age of the report when it was fetched or judged.
function reportAge(account, words = span) {
  if (account.missing) return 'no report';
  if (!account.generated) return 'age unknown';
  const until = account.fetched || page.made || account.asOf;
  return until ? words(Math.max(0, until - account.generated)) : 'age unknown';
}

const STATUS_CLASSES = ['no-data', 'fail', 'warn', 'manual', 'na', 'pass'];
const STATUS_SIGNS = ['?', '✕', '!', '◇', '–', '✓'];
const statusName = (status) => page.statuses[status].replace('_', ' ');

// badge shows a verdict by its colour, sign and word.
function badge(verdict) {
  if (verdict < 0) return h('span', {class: 'badge none'}, 'none');
  const status = statusOf(verdict), excused = verdict & SUPPRESSED;
  return h('span', {class: `badge ${excused ? 'excused' : STATUS_CLASSES[status]}`},
    h('i', {'aria-hidden': 'true'}, STATUS_SIGNS[status]), statusName(status), excused ? ' excused' : null);
}

const truth = (value, yes, no) => (value === 1 ? yes : value === 0 ? no : absence(value));

function accountName(account) {
  const id = account.account || account.path || 'unknown account';
  return account.name && account.name !== id ? [h('b', {}, account.name), ' ', h('span', {class: 'id'}, id)] : [h('b', {class: 'id'}, id)];
}

const accountTitle = (account) => (account.name ? `${account.name} ${account.account || ''}`.trim() : account.key);

// select creates a choice with a label. Options are [value, text].
function select(label, options, change) {
  const list = h('select', {onchange: () => change(list.value)},
    options.map(([value, text]) => h('option', {value}, text)));
  return {element: h('label', {}, h('span', {}, label), list), list};
}

// later returns a function that runs another one once before the next paint, even
// if it is called several times.
function later(run) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => { asked = false; run(); });
  };
}
