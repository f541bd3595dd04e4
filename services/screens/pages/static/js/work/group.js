import { find, keyed, say } from "../dom.js";

/** A list of the page; its rows are taken from `of`, so that one may come from another list. */
export function showGroup(name, rows, of, update) {
  const section = document.getElementById(name);
  keyed(find(".rows", section), rows, of.key, of.create, update);
  say(find(".count", section), rows.length ? String(rows.length) : "");
  find(".empty", section).hidden = rows.length > 0;
}

/** Rows made once each, so that what was typed into one stays when it moves to another list. */
export function kept(key, make) {
  const known = new Map();
  return {
    key,
    create(row) {
      if (!known.has(key(row))) known.set(key(row), make(row));
      return known.get(key(row));
    },
    only(rows) {
      const wanted = new Set(rows.map(key));
      for (const name of [...known.keys()]) if (!wanted.has(name)) known.delete(name);
    },
  };
}
