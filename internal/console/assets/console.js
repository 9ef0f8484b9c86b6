// console.js: what pages cannot do without a script: copying, and passkeys.
'use strict';

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
  .replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');

// known turns the ids of credentials into bytes.
const known = (list) => (list || []).map((c) => ({...c, id: bytes(c.id)}));

// create and get ask the browser for a new passkey, or for one that proves the
// person, and give what the service reads.
async function create(options) {
  const o = options.publicKey;
  const made = await navigator.credentials.create({publicKey: {
    ...o, challenge: bytes(o.challenge), user: {...o.user, id: bytes(o.user.id)}, excludeCredentials: known(o.excludeCredentials),
  }});
  const r = made.response;
  return {
    id: made.id, rawId: text(made.rawId), type: made.type,
    response: {
      clientDataJSON: text(r.clientDataJSON), attestationObject: text(r.attestationObject),
      transports: r.getTransports ? r.getTransports() : [],
    },
    clientExtensionResults: made.getClientExtensionResults(),
  };
}

async function get(options) {
  const o = options.publicKey;
  const found = await navigator.credentials.get({publicKey: {
    ...o, challenge: bytes(o.challenge), allowCredentials: known(o.allowCredentials),
  }});
  const r = found.response;
  return {
    id: found.id, rawId: text(found.rawId), type: found.type,
    response: {
      clientDataJSON: text(r.clientDataJSON), authenticatorData: text(r.authenticatorData), signature: text(r.signature),
      userHandle: r.userHandle ? text(r.userHandle) : undefined,
    },
    clientExtensionResults: found.getClientExtensionResults(),
  };
}

// ask sends a form to its own page and reads the answer.
async function ask(form, what) {
  const body = new URLSearchParams(new FormData(form));
  body.set('do', what);
  const answer = await fetch(location.pathname + location.search, {method: 'POST', body, credentials: 'same-origin'});
  const said = await answer.json();
  if (said.problem) throw new Error(said.problem);
  return said;
}

for (const form of document.querySelectorAll('form[data-passkey]')) {
  const button = form.querySelector('button');
  const trouble = form.querySelector('[role="alert"]');
  button.disabled = !window.PublicKeyCredential;
  if (button.disabled) {
    trouble.textContent = 'This browser has no passkeys, or this page was not reached by https:// or at localhost.';
    trouble.hidden = false;
  }
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    button.disabled = true;
    trouble.hidden = true;
    try {
      const making = form.dataset.passkey === 'create';
      const asked = await ask(form, making ? 'begin-passkey' : 'ask-passkey');
      if (making) form.elements.token.value = asked.token;
      form.elements.answer.value = JSON.stringify(await (making ? create(asked.options) : get(asked)));
      form.submit();
    } catch (error) {
      trouble.textContent = error.name === 'NotAllowedError' ? 'The passkey was not used: it took too long, or was cancelled.' : error.message;
      trouble.hidden = false;
      button.disabled = false;
    }
  });
}

for (const button of document.querySelectorAll('button[data-copy]')) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = 'Copied';
  });
}
