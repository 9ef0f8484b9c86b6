// trend.js: the findings that fail in all accounts over time, stacked by
// severity.

const TREND = {height: 170, top: 14, base: 146}; // px
const DATE_APART = innerWidth < 600 ? 28 : 15; // of two dates, in percent of the width

// niceCeiling returns the least number of the form 1, 2 or 5 times a power of ten
// that is at least n.
function niceCeiling(n) {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, n)));
  return [1, 2, 5, 10].map((f) => f * power).find((limit) => limit >= n);
}

const allFailing = (point) => sum(point.failing);

function trendText(point) {
  const parts = page.severities.map((severity, s) => [severity, point.failing[s]]).reverse().filter(([, n]) => n).map(([severity, n]) => `${number(n)} ${severity}`);
  const known = accounts.filter((a) => !a.missing).length;
  return `${day(point.at)}: ${plural(allFailing(point), 'finding')} FAIL${parts.length ? ` (${parts.join(', ')})` : ''}${point.accounts < known ? `, of ${number(point.accounts)} of ${plural(known, 'account')}` : ''}`;
}

// trendDrawing draws a bar for each day with a report, at equal distances.
// Horizontal positions are shares of the width.
function trendDrawing(points) {
  const most = niceCeiling(Math.max(1, ...points.map(allFailing)));
  const left = 6, right = 99, apart = (right - left) / points.length, wide = Math.min(5, 0.7 * apart);
  const x = (i) => left + apart * (i + 0.5);
  const y = (n) => TREND.base - (TREND.base - TREND.top) * n / most;
  const drawing = svg('svg', {class: 'trend', height: TREND.height, role: 'img', 'aria-label': `Findings that FAIL over time. ${points.map(trendText).join('; ')}.`},
    [0, most / 2, most].filter(Number.isInteger).map((n) => [
      svg('line', {class: 'grid', x1: `${left}%`, x2: `${right}%`, y1: y(n), y2: y(n)}),
      svg('text', {x: `${left - 0.8}%`, y: y(n) + 4, 'text-anchor': 'end'}, number(n))]));
  const known = accounts.filter((a) => !a.missing).length;
  let labelled = -Infinity;
  points.forEach((point, i) => {
    const at = x(i), group = svg('g', {class: point.accounts < known ? 'partial' : null}, svg('title', {}, trendText(point)));
    let below = 0;
    point.failing.forEach((n, s) => {
      if (n) group.append(svg('rect', {class: `s-${page.severities[s]}`, x: `${(at - wide / 2).toFixed(3)}%`, width: `${wide.toFixed(3)}%`, y: y(below + n), height: y(below) - y(below + n)}));
      below += n;
    });
    const last = i === points.length - 1;
    if (last || (at - labelled > DATE_APART && x(points.length - 1) - at > DATE_APART)) {
      labelled = at;
      group.append(svg('text', {x: `${at.toFixed(3)}%`, y: TREND.base + 16, 'text-anchor': last && apart < DATE_APART ? 'end' : i ? 'middle' : 'start'}, day(point.at)));
    }
    if (last) group.append(svg('text', {class: 'value', x: `${at.toFixed(3)}%`, y: y(below) - 4, 'text-anchor': 'middle'}, number(below)));
    drawing.append(group);
  });
  return drawing;
}

function trendCard() {
  const points = page.trend, known = accounts.filter((a) => !a.missing).length;
  if (points.length < 2) {
    const of = accounts.some((a) => a.history?.snapshots.length > 1) ? 'All reports are of one day.' : 'There is only one report of each account.';
    return card('Trend', 'c-trend', h('p', {class: 'muted'}, `${of} A folder that keeps earlier reports, as `, h('code', {}, 'rollcall report --into FOLDER'), ' does, gives a trend.'));
  }
  const shown = page.severities.map((severity, s) => [severity, s]).reverse().filter(([, s]) => points.some((p) => p.failing[s]));
  const partial = points.some((p) => p.accounts < known);
  return card('Findings that fail over time', 'c-trend',
    h('ul', {class: 'legend'}, shown.map(([severity]) => h('li', {}, h('i', {class: `key s-${severity}`}), h('a', {href: findingsLink({status: 'FAIL', severity})}, severity)))),
    trendDrawing(points),
    partial ? h('p', {class: 'hint'}, 'A pale bar is of fewer accounts than have a report now.') : null,
    h('details', {}, h('summary', {}, 'The figures'), h('div', {class: 'wide', tabindex: 0, role: 'region', 'aria-label': 'The figures of the trend'},
      h('table', {class: 'rates', 'aria-label': 'Findings that fail over time'},
        h('thead', {}, h('tr', {}, h('th', {scope: 'col'}, 'Day'), shown.map(([severity]) => h('th', {scope: 'col', class: 'n'}, severity)), h('th', {scope: 'col', class: 'n'}, 'Fail'), h('th', {scope: 'col', class: 'n'}, 'Accounts'))),
        h('tbody', {}, points.map((p) => h('tr', {}, h('th', {scope: 'row'}, day(p.at)), shown.map(([, s]) => h('td', {class: 'n'}, number(p.failing[s]))), h('td', {class: 'n'}, number(allFailing(p))), h('td', {class: 'n'}, number(p.accounts))))))),
    h('p', {class: 'hint'}, h('a', {href: link('changes')}, 'What changed between the reports'))));
}
