// list.js: a table of any length, of which only the rows in view exist.

const ROW = 27; // px, as --row in the style
const PHONE = matchMedia('(max-width: 600px)');
const PRINTED = 2000; // rows; more is no reading

let lists = 0;

// makeList creates a table. Columns are {title, class, sort, cell}. cell fills a td
// for a row. sort is the name of an order, with which o.sort is called. empty
// returns the text for a list without rows, and tall is the height of a row on a
// phone. Rows are numbers that only the columns interpret.
function makeList(o) {
  const id = `list${++lists}`;
  let rows = [], first = -1, last = -1, active = -1, chosen = -1, printing = false;

  const head = h('tr', {role: 'row', 'aria-rowindex': 1}, o.columns.map((column) => h('th', {class: column.class, role: 'columnheader', scope: 'col'},
    column.sort ? h('button', {type: 'button', onclick: () => o.sort(column.sort)}, column.title) : column.title)));
  const body = h('tbody', {role: 'rowgroup'});
  const table = h('table', {role: 'grid', tabindex: 0, 'aria-label': o.label, class: o.class, onkeydown: key, onclick: click},
    h('thead', {role: 'rowgroup'}, head), body);
  const box = h('div', {class: 'list', onscroll: later(paint)}, table);
  const note = h('p', {class: 'print-only'});
  const above = gap(), below = gap();

  function gap() {
    return h('tr', {class: 'gap', 'aria-hidden': 'true'}, h('td', {}));
  }

  function makeRow(i) {
    const row = rows[i];
    const tr = h('tr', {
      id: `${id}-${i}`, role: 'row', class: [i % 2 ? 'odd' : '', o.rowClass ? o.rowClass(row) : ''].join(' ').trim(),
      'aria-rowindex': i + 2, 'aria-selected': i === active ? 'true' : null, 'data-row': i,
    });
    for (const column of o.columns) {
      const td = h('td', {class: column.class, role: 'gridcell'});
      column.cell(td, row, printing);
      tr.append(td);
    }
    // The table keeps the focus, and the arrow keys choose a link of the row: a
    // focused link would lose the focus when its row is created again.
    tr.querySelectorAll('a').forEach((a, n) => {
      a.tabIndex = -1;
      if (i === active && n === chosen) a.classList.add('chosen');
    });
    return tr;
  }

  const rowHeight = () => (o.tall && PHONE.matches ? o.tall : ROW);

  // A cell that spans more columns than are shown would add columns.
  const columnsShown = () => [...head.cells].filter((th) => th.offsetParent).length;

  function paint(force) {
    const room = box.clientHeight;
    if (printing || !room) return;
    const high = rowHeight();
    const from = Math.max(0, Math.floor(box.scrollTop / high) - 6);
    const to = Math.min(rows.length, from + Math.ceil(room / high) + 12);
    if (force !== true && from === first && to === last) return;
    [first, last] = [from, to];
    above.firstChild.style.height = `${from * high}px`;
    below.firstChild.style.height = `${(rows.length - to) * high}px`;
    const shown = [];
    for (let i = from; i < to; i++) shown.push(makeRow(i));
    if (!rows.length && o.empty) shown.push(h('tr', {class: 'empty'}, h('td', {colspan: columnsShown()}, o.empty())));
    body.replaceChildren(above, ...shown, below);
    if (active >= from && active < to) table.setAttribute('aria-activedescendant', `${id}-${active}`);
    else table.removeAttribute('aria-activedescendant');
    // A list of few rows is low, and grows with its rows.
    if (to < rows.length && box.clientHeight > room) paint(true);
  }

  function move(to) {
    chosen = -1;
    active = Math.max(0, Math.min(rows.length - 1, to));
    const high = rowHeight(), room = box.clientHeight - high - head.offsetHeight;
    if (active * high < box.scrollTop) box.scrollTop = active * high;
    else if (active * high > box.scrollTop + room) box.scrollTop = active * high - room;
    paint(true);
    if (o.moved) o.moved(rows[active]);
  }

  function key(event) {
    if (event.target !== table || event.ctrlKey || event.altKey || event.metaKey) return;
    const pageful = Math.max(1, Math.floor(box.clientHeight / rowHeight()) - 2);
    const moves = {
      ArrowDown: active + 1, ArrowUp: active - 1, PageDown: active + pageful, PageUp: active - pageful,
      Home: 0, End: rows.length - 1,
    };
    const links = [...body.querySelectorAll(`tr[data-row="${active}"] a`)].filter((a) => a.offsetParent);
    if (event.key in moves && rows.length) move(moves[event.key]);
    else if (event.key === 'ArrowRight' || event.key === 'ArrowLeft') {
      chosen = Math.max(-1, Math.min(links.length - 1, chosen + (event.key === 'ArrowRight' ? 1 : -1)));
      paint(true);
    } else if (event.key === 'Enter' && chosen >= 0 && links[chosen]) links[chosen].click();
    else if (event.key === 'Enter' && active >= 0 && o.open) o.open(rows[active]);
    else return;
    event.preventDefault();
  }

  function click(event) {
    const tr = event.target.closest('tr[data-row]');
    if (!tr || event.target.closest('a, button')) return;
    move(Number(tr.dataset.row));
    if (o.open) o.open(rows[active]);
  }

  addEventListener('resize', later(() => paint(true)));

  return {
    element: h('div', {class: 'list-frame'}, box, note),
    table,
    // show replaces the rows, and marks the column that orders them.
    show(others, {sort, direction} = {}) {
      rows = others;
      [active, chosen] = [Math.min(active, rows.length - 1), -1];
      table.setAttribute('aria-rowcount', rows.length + 1);
      o.columns.forEach((column, i) => {
        if (sort && column.sort === sort) head.children[i].setAttribute('aria-sort', direction);
        else head.children[i].removeAttribute('aria-sort');
      });
      box.scrollTop = 0;
      paint(true);
    },
    // refresh paints again when the list comes into view or moves.
    refresh() { paint(true); },
    select(row) {
      const i = rows.indexOf(row);
      if (i >= 0) move(i);
    },
    // print creates all rows for a print, up to a limit, or removes them again.
    print(on) {
      printing = on;
      if (!on) { paint(true); return; }
      const shown = [];
      for (let i = 0; i < Math.min(rows.length, PRINTED); i++) shown.push(makeRow(i));
      if (!rows.length && o.empty) shown.push(h('tr', {class: 'empty'}, h('td', {colspan: o.columns.length},
        o.empty())));
      body.replaceChildren(...shown);
      note.textContent = rows.length > PRINTED
        ? `Printed are the first ${number(PRINTED)} of ${number(rows.length)} rows: filter for fewer.` : '';
    },
  };
}
