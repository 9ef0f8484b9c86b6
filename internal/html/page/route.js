// route.js: the part of the address after # determines what is shown, so people can
// send an address to others: #credentials?status=FAIL&q=svc-

const screens = []; // {name, title, element, show(parameters), print(on)}

function link(name, parameters) {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(parameters || {})) {
    if (value !== '' && value !== null && value !== undefined) query.set(key, value);
  }
  const text = query.toString();
  return `#${name}${text ? '?' + text : ''}`;
}

function readRoute() {
  const [, name, query] = location.hash.match(/^#([a-z]*)\??(.*)$/) || [];
  const screen = screens.find((s) => s.name === name) || screens[0];
  return {screen, parameters: Object.fromEntries(new URLSearchParams(query || ''))};
}

// sorting returns the requested order: its name, its direction, and whether the
// direction is the opposite of the usual one. first is the default order. Names
// usually go from A to Z, and figures start with the largest.
function sorting(parameters, first, ascending) {
  const sort = parameters.sort || first;
  const natural = ascending.includes(sort) ? 'ascending' : 'descending';
  const direction = ['ascending', 'descending'].includes(parameters.direction) ? parameters.direction : natural;
  return {sort, direction, turned: direction !== natural};
}

// resort returns the query after a click on the heading of a column.
function resort(sort, now) {
  const opposite = now.direction === 'ascending' ? 'descending' : 'ascending';
  return {sort, direction: sort === now.sort && !now.turned ? opposite : ''};
}

// setRoute changes the address. A choice becomes an entry in the browser's history,
// so Back undoes it. Typing and moving along a list add no entries.
function setRoute(name, parameters, small) {
  const address = link(name, parameters);
  if (small) history.replaceState(null, '', address);
  else if (address !== location.hash) history.pushState(null, '', address);
  markNav();
}

function markNav() {
  const {screen} = readRoute();
  for (const a of document.getElementById('nav').querySelectorAll('a')) {
    if (a.dataset.screen === screen.name) a.setAttribute('aria-current', 'page');
    else a.removeAttribute('aria-current');
  }
}
