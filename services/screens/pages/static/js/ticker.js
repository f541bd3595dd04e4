import { find, keyed, make, say } from "./dom.js";
import { called, text } from "./text.js";
import * as time from "./time.js";

/** Only words of our own catalogue are shown: an event of another type stays off the wall. */
function sentence(row) {
  const mode = text(["modes", row.mode]) ?? "";
  const verb = text(["events", row.type], { mode });
  if (verb === undefined) return undefined;
  const elements = (row.elements ?? []).map((element) => text(["elements", element])).filter(Boolean);
  return [verb.trim(), ...elements].join(" · ");
}

const MOST = 10;

const create = () => make("li", "", make("time"), make("span", "who"), make("span", "what"), make("span", "mark"));

const key = (row) => [row.at, row.node, row.type, row.mode, row.elements, row.note, row.turn].join(" ");

/** The same thing twice in a second needs two keys; counted from the oldest, they keep theirs. */
function turns(rows) {
  const seen = new Map();
  return rows.toReversed().map((row) => {
    const same = key(row);
    seen.set(same, (seen.get(same) ?? 0) + 1);
    return { ...row, turn: seen.get(same) };
  }).toReversed();
}

export function showTicker(document_) {
  const rows = (document_.ticker ?? []).map((row) => ({ ...row, words: sentence(row) })).filter((row) => row.words).slice(0, MOST);
  keyed(document.getElementById("ticker"), turns(rows), key, create, (item, row) => {
    say(find("time", item), time.minutes(row.at));
    say(find(".who", item), called(document_.stations[row.node] ?? row));
    say(find(".what", item), row.words);
    say(find(".mark", item), text(["ticker", row.note]) ?? "");
    item.dataset.note = row.note ?? "";
  });
  if (rows.length === 0) document.getElementById("ticker").replaceChildren(make("li", "empty", text("ticker.empty")));
}
