export const find = (selector, root = document) => root.querySelector(selector);

/** Only touches the page when the text differs, so nothing flickers or is announced twice. */
export function say(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

export function make(tag, name = "", ...children) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  element.append(...children);
  return element;
}

export function markCurrent(element, current) {
  if (current) element.setAttribute("aria-current", "true");
  else element.removeAttribute("aria-current");
}

/** A number and its unit, which always stand together. */
export function quantity(value, unit) {
  return [make("span", "number", value), " ", make("span", "unit", unit)];
}

/** Keep one child per key in the order of `rows`; children stay when their key stays. */
export function keyed(parent, rows, key, create, update) {
  const old = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  const wanted = rows.map((row) => {
    const child = old.get(key(row)) ?? create(row);
    child.dataset.key = key(row);
    update(child, row);
    return child;
  });
  const same = wanted.length === parent.children.length && wanted.every((child, i) => parent.children[i] === child);
  if (!same) parent.replaceChildren(...wanted);
}
