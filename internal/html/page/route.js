// route.js: the part of the address after # says what is shown, so that it can
// be sent to somebody: #credentials?status=FAIL&q=svc-

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

// setRoute changes the address without a new entry in the history.
function setRoute(name, parameters) {
  history.replaceState(null, '', link(name, parameters));
  markNav();
}

function markNav() {
  const {screen} = readRoute();
  for (const a of document.getElementById('nav').querySelectorAll('a')) {
    if (a.dataset.screen === screen.name) a.setAttribute('aria-current', 'page');
    else a.removeAttribute('aria-current');
  }
}
