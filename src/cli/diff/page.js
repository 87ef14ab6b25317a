'use strict';
const tools = document.querySelector('.tools');
const search = tools.querySelector('input');
const found = tools.querySelector('.found');
const entries = [...document.querySelectorAll('.entry')];
const texts = entries.map((entry) => entry.textContent.toLowerCase());
tools.hidden = false;
search.addEventListener('input', () => {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  entries.forEach((entry, at) => {
    entry.hidden = !words.every((word) => texts[at].includes(word));
    shown += entry.hidden ? 0 : 1;
  });
  for (const module of document.querySelectorAll('.module')) {
    module.hidden = !module.querySelector('.entry:not([hidden])');
  }
  found.textContent = words.length ? `${shown} of ${entries.length}` : '';
});
for (const button of tools.querySelectorAll('button')) {
  button.addEventListener('click', () => {
    for (const entry of document.querySelectorAll('details.entry')) {
      entry.open = Boolean(button.dataset.open);
    }
  });
}
