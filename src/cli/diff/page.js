
'use strict';
const tools = document.querySelector('.tools');
const search = tools.querySelector('input');
const found = tools.querySelector('.found');
const kinds = [...tools.querySelectorAll('[data-kind]')];
const entries = [...document.querySelectorAll('.entry')];
const modules = [...document.querySelectorAll('.module')];
// More matches than this are not unfolded and marked: nobody reads them all.
const MOST = 200;
let texts;

function mark(shown, words) {
  if (!window.CSS || !CSS.highlights) return;
  CSS.highlights.delete('found');
  if (!words.length || shown.length > MOST) return;
  const ranges = [];
  for (const entry of shown) {
    const walker = document.createTreeWalker(entry, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const text = node.data.toLowerCase();
      // Lower case can be longer than what it was; then places do not fit.
      if (text.length !== node.data.length) continue;
      for (const word of words) {
        for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + word.length)) {
          const range = new Range();
          range.setStart(node, at);
          range.setEnd(node, at + word.length);
          ranges.push(range);
        }
      }
    }
  }
  CSS.highlights.set('found', new Highlight(...ranges));
}

function filter() {
  texts = texts || entries.map((entry) => entry.textContent.toLowerCase());
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  const off = kinds.filter((kind) => kind.getAttribute('aria-pressed') === 'false');
  const shown = entries.filter((entry, at) => {
    const show = words.every((word) => texts[at].includes(word))
      && !off.some((kind) => entry.classList.contains(kind.dataset.kind));
    entry.hidden = !show;
    return show;
  });
  for (const module of modules) {
    module.hidden = !module.querySelector('.entry:not([hidden])');
  }
  if (words.length && shown.length <= MOST) {
    for (const entry of shown) {
      entry.open = true;
      if (entry.parentElement.tagName === 'DETAILS') entry.parentElement.open = true;
    }
  }
  mark(shown, words);
  found.textContent = words.length || off.length ? `${shown.length} of ${entries.length}` : '';
}

let waiting;
search.addEventListener('input', () => {
  clearTimeout(waiting);
  waiting = setTimeout(filter, entries.length > 500 ? 120 : 0);
});
for (const kind of kinds) {
  kind.addEventListener('click', () => {
    const pressed = kind.getAttribute('aria-pressed') === 'true';
    kind.setAttribute('aria-pressed', String(!pressed));
    filter();
  });
}
for (const button of tools.querySelectorAll('[data-open]')) {
  button.addEventListener('click', () => {
    for (const entry of document.querySelectorAll('details.entry')) {
      entry.open = Boolean(button.dataset.open);
    }
  });
}
document.addEventListener('keydown', (event) => {
  if (event.key === '/' && document.activeElement !== search
      && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    search.select();
  } else if (event.key === 'Escape' && document.activeElement === search) {
    search.value = '';
    filter();
  }
});
// What is folded on the screen is read on paper.
window.addEventListener('beforeprint', () => {
  for (const fold of document.querySelectorAll('details.module, details.entry')) fold.open = true;
});
tools.hidden = false;
