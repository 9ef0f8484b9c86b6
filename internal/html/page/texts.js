// texts.js: many texts, searched and sorted faster than one by one.

// haystack joins texts in lower case, so that one search looks in all of them.
function haystack(texts) {
  const lower = texts.map((text) => text.toLowerCase()), starts = new Uint32Array(texts.length + 1);
  lower.forEach((text, i) => { starts[i + 1] = starts[i] + text.length + 1; });
  return {text: lower.join('\n'), starts};
}

// holders marks the texts of a haystack that contain a word, which has no white
// space.
function holders({text, starts}, word) {
  const marked = new Uint8Array(starts.length - 1);
  let i = 0;
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, starts[i])) {
    while (starts[i + 1] <= at) i++;
    marked[i++] = 1;
  }
  return marked;
}

// alphabetical returns the place of each text in the alphabet. Equal texts keep
// their order. Texts of ASCII, as nearly all names are, are compared by their
// letters' places, which is much faster than the collator and gives the same order.
function alphabetical(texts) {
  const {compare} = new Intl.Collator('en'), letters = lettersInOrder();
  const keys = texts.map((text) => (/^[ -~]*$/.test(text) ? keyOf(text, letters) : null));
  const placed = texts.map((_, i) => i), places = new Uint32Array(texts.length);
  placed.sort((a, b) => {
    if (keys[a] === null || keys[b] === null || keys[a] === keys[b]) return compare(texts[a], texts[b]);
    return keys[a] < keys[b] ? -1 : 1;
  });
  placed.forEach((text, place) => { places[text] = place; });
  return places;
}

// lettersInOrder maps the characters of ASCII to characters in the order of the
// alphabet. Letters that differ only in case are mapped to the same one.
function lettersInOrder() {
  const {compare} = new Intl.Collator('en', {sensitivity: 'base'}), letters = [];
  const all = Array.from({length: 95}, (_, i) => String.fromCharCode(32 + i)).sort(compare);
  let place = 0;
  all.forEach((letter, i) => {
    if (i > 0 && compare(all[i - 1], letter) !== 0) place++;
    letters[letter.charCodeAt(0)] = String.fromCharCode(32 + place);
  });
  return letters;
}

function keyOf(text, letters) {
  let key = '';
  for (let i = 0; i < text.length; i++) key += letters[text.charCodeAt(i)];
  return key;
}
