(() => {
'use strict';

const data = JSON.parse(document.getElementById('data').textContent);
const items = data.items;
const PAGE = 100;
const VERBS = ['keep', 'revoke', 'change', 'exception'];
const FIELDS = ['decision', 'reason', 'expires', 'ticket', 'comment'];
const draftName = `rollcall review ${data.freeze} ${data.reviewer}`;
const answers = new Map(items.map((i) => [i.line, {decision: '', reason: '', expires: '', ticket: '', comment: ''}]));
const picked = new Set();
let filter = {text: '', only: 'all'};
let page = 0;
let unsaved = false;

// visible escapes characters that are invisible or change the direction of text.
const visible = (text) => String(text)
  .replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (c) => `\\u{${c.codePointAt(0).toString(16)}}`);

// h creates an element. The texts of reports become text nodes.
function h(tag, properties, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : visible(value));
  }
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false || child === '') continue;
    element.append(child instanceof Node ? child : visible(child));
  }
  return element;
}

const plural = (n, one, many = one + 's') => `${n} ${n === 1 ? one : many}`;

// lacks returns the missing parts of an answer in words, '' for none.
function lacks(item) {
  const a = answers.get(item.line);
  switch (a.decision) {
    case '': return 'undecided';
    case 'keep': return item.fails && !a.reason.trim() ? 'The audit fails this. Say why it is kept.' : '';
    case 'change': return a.reason.trim() ? '' : 'Say what must change.';
    case 'exception':
      if (!a.reason.trim()) return 'Say why there is an exception.';
      if (!/^\d{4}-\d\d-\d\d$/.test(a.expires)) return 'Say when it expires.';
      if (a.expires <= data.started) return 'It must expire after the review began.';
      if (a.expires > data.latest) return `It must expire by ${data.latest}.`;
      return a.ticket.trim() ? '' : 'Name a ticket.';
  }
  return '';
}

function shown() {
  const text = filter.text.toLowerCase();
  return items.filter((i) => {
    switch (filter.only) {
      case 'open': if (!lacks(i)) return false; break;
      case 'fails': if (!i.fails) return false; break;
      case 'new': if (!i.new) return false; break;
      case 'changed': if (!i.new && !i.changes.length) return false; break;
      case 'revoke': if (answers.get(i.line).decision !== 'revoke') return false; break;
    }
    return !text || [i.user, i.account, i.account_name, i.kind, i.key_id, i.class, i.arn].join(' ')
      .toLowerCase().includes(text);
  });
}

function age(days) { return days === null ? '' : ` (${plural(days, 'day')})`; }

function factsOf(i) {
  const used = i.last_used === 'never' ? 'never used'
    : i.last_used === 'unknown' ? 'use is not known' : i.last_used && `last used ${i.last_used.slice(0, 10)}${age(i.unused_days)}`;
  return [
    h('div', {}, h('b', {}, i.kind === 'user' ? 'no credentials' : i.kind), ' ', h('span', {class: 'id'}, i.key_id || '')),
    i.state !== 'none' && h('div', {class: i.state === 'active' ? '' : 'muted'}, i.state),
    h('div', {class: 'muted'}, i.kind === 'password' ? 'set ' : 'created ', i.created ? i.created.slice(0, 10) + age(i.age_days) : 'at an unknown time'),
    used && h('div', {class: i.last_used === 'never' ? 'warn' : 'muted'}, used, i.used_from && `, ${i.used_from}`),
  ];
}

function tellOf(i) {
  const list = [];
  for (const f of i.findings) {
    const status = f.exception ? 'excused' : f.status.toLowerCase().replace('_', '-');
    list.push(h('li', {}, h('span', {class: `badge ${status}`}, `${f.control} ${f.exception ? 'excused' : f.status}`), ' ', f.reason));
  }
  if (i.note) list.push(h('li', {}, i.note));
  if (i.new) list.push(h('li', {}, h('span', {class: 'tag'}, 'new'), ` since ${data.previous}`));
  for (const c of i.changes) list.push(h('li', {}, h('span', {class: 'tag'}, 'changed'), ' ', c));
  if (i.before) {
    const kept = i.kept_in_a_row > 1 ? ` Kept ${i.kept_in_a_row} times in a row.` : '';
    list.push(h('li', {class: 'muted'}, `${data.previous}: ${i.before.decision} by ${i.before.by}`,
      i.before.expires && ` until ${i.before.expires}`, i.before.reason && `: ${i.before.reason}`, kept));
  }
  return list.length ? h('ul', {}, list) : h('span', {class: 'muted'}, 'Nothing to report.');
}

function answerOf(i, redraw) {
  const a = answers.get(i.line);
  const set = (name) => (event) => {
    a[name] = event.target.value;
    say('');
    changed();
    if (name === 'decision') redraw(); else need();
  };
  const text = (name, label, type = 'text') => h('input', {type, value: a[name], placeholder: label,
    'aria-label': `${label} for ${i.user}, ${i.kind}`, maxlength: 4000, oninput: set(name)});
  const needs = h('div', {class: 'need'});
  const need = () => {
    const why = lacks(i);
    needs.textContent = why === 'undecided' ? '' : why;
    needs.hidden = !needs.textContent;
    needs.closest('.item')?.classList.toggle('lacks', Boolean(needs.textContent));
  };
  const verbs = h('div', {class: 'verbs', role: 'radiogroup', 'aria-label': `Decision for ${i.user}, ${i.kind}`}, VERBS.map((verb) => {
    const radio = h('input', {type: 'radio', name: i.line, value: verb, onchange: set('decision')});
    radio.checked = a.decision === verb;
    return h('label', {class: verb}, radio, verb);
  }));
  const box = h('div', {class: 'answer'}, verbs);
  if (a.decision) {
    const label = {keep: i.fails ? 'Why it is kept' : 'Reason (optional)', revoke: 'Reason (optional)',
      change: 'What must change', exception: 'Why'}[a.decision];
    box.append(text('reason', label));
    if (a.decision === 'exception') box.append(text('expires', 'Expires', 'date'), text('ticket', 'Ticket'));
    box.append(text('comment', 'Comment (optional)'));
  }
  box.append(needs);
  queueMicrotask(need);
  return box;
}

function itemOf(i) {
  const row = h('div', {class: 'item', 'data-line': i.line});
  const draw = () => {
    const focus = row.contains(document.activeElement) ? document.activeElement.value : null;
    const pick = h('input', {type: 'checkbox', 'aria-label': `Select ${i.user}, ${i.kind}`, onchange: (e) => {
      if (e.target.checked) picked.add(i.line); else picked.delete(i.line);
      tools();
    }});
    pick.checked = picked.has(i.line);
    row.classList.toggle('decided', answers.get(i.line).decision !== '');
    row.replaceChildren(
      h('div', {class: 'pick'}, pick),
      h('div', {}, h('div', {class: 'who'}, i.user), h('div', {class: 'id'}, i.account, i.account_name && ` ${i.account_name}`),
        h('div', {class: 'muted'}, i.class, i.mfa === 'yes' ? ', MFA' : i.mfa === 'no' ? ', no MFA' : '')),
      h('div', {}, factsOf(i)), h('div', {}, tellOf(i)), h('div', {}, answerOf(i, draw)));
    if (VERBS.includes(focus)) row.querySelector(`input[value="${focus}"]`).focus();
  };
  draw();
  return row;
}

function list() {
  const all = shown();
  const pages = Math.max(1, Math.ceil(all.length / PAGE));
  page = Math.min(page, pages - 1);
  const go = (n) => () => { page = n; list(); scrollTo(0, 0); };
  document.getElementById('main').replaceChildren(
    h('div', {class: 'item head'}, ['', 'User', 'Credential', 'What helps to decide', 'Decision'].map((t) => h('div', {}, t))),
    ...all.slice(page * PAGE, (page + 1) * PAGE).map(itemOf),
    h('div', {class: 'pages'}, all.length ? `${plural(all.length, 'line')} of ${items.length}` : 'No line fits the filter.',
      pages > 1 && [h('button', {onclick: go(page - 1), disabled: page === 0}, 'Previous'), `page ${page + 1} of ${pages}`,
        h('button', {onclick: go(page + 1), disabled: page === pages - 1}, 'Next')]));
}

const openLines = () => items.filter((i) => lacks(i));

function header() {
  const open = openLines().length;
  document.getElementById('header').replaceChildren(
    h('div', {class: 'row'}, h('h1', {}, `Access review ${data.review}`),
      h('span', {}, h('progress', {max: items.length, value: items.length - open, 'aria-label': 'Decided'}), ` ${items.length - open} of ${items.length} decided`)),
    h('p', {}, 'Reviewer: ', h('b', {}, data.reviewer), `. Answers are due by ${data.due}. The facts are those of ${data.started}; freeze `,
      h('span', {class: 'id'}, data.freeze), '.'),
    h('p', {class: 'muted'}, 'Decide about each line: keep it, revoke it, change something, or keep it as an exception until a day. ' +
      'Then save the decisions and send the file to the person who runs the review. This page sends nothing anywhere.'));
}

function say(text, bad) {
  const message = document.getElementById('message');
  message.textContent = visible(text);
  message.className = bad ? 'bad' : '';
  message.hidden = !text;
}

function bulk(verb) {
  if (!verb || !picked.size) return;
  for (const line of picked) answers.get(line).decision = verb;
  say(`${plural(picked.size, 'line')} set to ${verb}. ${plural(openLines().length, 'line')} still to complete.`);
  picked.clear();
  changed();
  list();
  tools();
}

function bulkReason(text) {
  for (const line of picked) answers.get(line).reason = text;
  changed();
  list();
}

function tools() {
  const box = document.getElementById('tools');
  const choices = {all: 'all lines', open: 'still to complete', fails: 'the audit fails', new: 'new', changed: 'new or changed', revoke: 'to be revoked'};
  const search = h('input', {type: 'search', id: 'search', placeholder: 'Filter by user or account', 'aria-label': 'Filter', value: filter.text,
    oninput: (e) => { filter.text = e.target.value; page = 0; list(); }});
  const only = h('select', {id: 'only', 'aria-label': 'Which lines', onchange: (e) => { filter.only = e.target.value; page = 0; list(); }},
    Object.entries(choices).map(([value, text]) => h('option', {value}, text)));
  only.value = filter.only;
  const open = openLines().length;
  const load = h('input', {type: 'file', accept: '.json', hidden: true, onchange: (e) => e.target.files[0]?.text().then(read)});
  box.replaceChildren(...[search, only,
    h('button', {id: 'pick-all', onclick: () => { for (const i of shown()) picked.add(i.line); list(); tools(); }}, 'Select these'),
    picked.size > 0 && [h('span', {class: 'muted'}, `${picked.size} selected:`),
      h('input', {id: 'bulk-reason', placeholder: 'Reason for all of them', 'aria-label': 'Reason for all selected lines', onchange: (e) => bulkReason(e.target.value)}),
      VERBS.slice(0, 3).map((verb) => h('button', {class: `bulk-${verb}`, onclick: () => bulk(verb)}, verb)),
      h('button', {onclick: () => { picked.clear(); list(); tools(); }}, 'Clear')],
    h('span', {class: 'gap'}), load,
    h('button', {onclick: () => load.click()}, 'Continue from a file'),
    h('button', {id: 'save', class: 'main', onclick: save}, open ? `Save draft (${open} to complete)` : 'Save decisions')]
    .flat(Infinity).filter(Boolean));
}

function changed() {
  unsaved = true;
  keepDraft();
  header();
  const save = document.getElementById('save');
  const open = openLines().length;
  if (save) save.textContent = open ? `Save draft (${open} to complete)` : 'Save decisions';
}

// The draft stays in this browser, where the browser allows it.
function keepDraft() {
  try { localStorage.setItem(draftName, JSON.stringify([...answers])); } catch { /* a private window */ }
}

function readDraft() {
  try {
    for (const [line, a] of JSON.parse(localStorage.getItem(draftName) || '[]')) take(line, a);
  } catch { /* none */ }
}

function take(line, from) {
  const a = answers.get(line);
  if (!a || !from || typeof from !== 'object') return false;
  for (const name of FIELDS) a[name] = typeof from[name] === 'string' ? from[name] : '';
  if (!VERBS.includes(a.decision)) a.decision = '';
  return true;
}

function read(text) {
  let file;
  try { file = JSON.parse(text); } catch { return say('This is not a file that this page saved.', true); }
  if (file?.kind !== 'rollcall-review-decisions' || !Array.isArray(file.decisions)) return say('This is not a file that this page saved.', true);
  if (file.freeze !== data.freeze || file.reviewer !== data.reviewer) return say('This file is for another review or another reviewer.', true);
  const n = file.decisions.filter((d) => take(d?.line, d)).length;
  say(`${plural(n, 'decision')} read.`);
  changed();
  list();
  tools();
}

function contentOf() {
  const decisions = items.filter((i) => answers.get(i.line).decision).map((i) => {
    const a = answers.get(i.line);
    const d = {line: i.line, facts: i.facts, decision: a.decision};
    if (a.reason.trim()) d.reason = a.reason.trim();
    if (a.decision === 'exception') { d.expires = a.expires; d.ticket = a.ticket.trim(); }
    if (a.comment.trim()) d.comment = a.comment.trim();
    return d;
  });
  return {kind: 'rollcall-review-decisions', version: 1, review: data.review, freeze: data.freeze, reviewer: data.reviewer,
    decided_by: data.reviewer, written_at: new Date().toISOString(), decisions};
}

function save() {
  const open = openLines();
  const name = `decisions-${data.review}-${data.reviewer}`.replace(/[^A-Za-z0-9@._-]+/g, '_') + (open.length ? '-draft' : '') + '.json';
  const url = URL.createObjectURL(new Blob([JSON.stringify(contentOf(), null, 1) + '\n'], {type: 'application/json'}));
  h('a', {href: url, download: name}).click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
  unsaved = false;
  say(open.length ? `Saved a draft. ${plural(open.length, 'line')} must be completed before it can be handed in.`
    : 'Saved. Send the file to the person who runs the review.');
}

addEventListener('beforeunload', (e) => { if (unsaved) e.preventDefault(); });
readDraft();
header();
tools();
list();
document.documentElement.dataset.ready = 'yes';
})();
