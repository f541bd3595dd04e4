import { find, keyed, make, say } from "./dom.js";
import { roll } from "./roll.js";
import { called, exact, text, unitName } from "./text.js";
import * as time from "./time.js";

const list = document.getElementById("tiles");
const SHAPE = 1.5; // how much wider than high the list is, in tiles

function create([id]) {
  const link = make("a", "", make("span", "tile-name"),
    make("span", "tile-value", make("span", "number"), " ", make("span", "unit")), make("span", "tile-fresh"));
  const address = new URL(`/stations/${encodeURIComponent(id)}`, location.origin);
  const lang = new URLSearchParams(location.search).get("lang");
  if (lang) address.searchParams.set("lang", lang);
  link.href = address;
  return make("li", "tile", link);
}

function freshness(station) {
  if (station.silent) return station.seen ? text("fresh.silent", { span: time.span(station.seen) }) : text("fresh.silent_never");
  return station.complete_to ? text("fresh.complete", { time: time.minutes(station.complete_to) }) : text("fresh.never");
}

function update(tile, [, station], unit, most) {
  const fresh = freshness(station);
  tile.dataset.silent = station.silent;
  tile.style.setProperty("--load", (station.today / most).toFixed(2));
  say(find(".tile-name", tile), called(station));
  roll(find(".number", tile), station.today);
  say(find(".unit", tile), unit);
  say(find(".tile-fresh", tile), fresh);
  const whole = text("tile", { name: called(station), value: exact(station.today), unit, fresh });
  find("a", tile).title = whole;
  find("a", tile).setAttribute("aria-label", whole);
}

export function showTiles(document_) {
  const rows = Object.entries(document_.stations);
  const unit = unitName(document_.all.services_delivered?.unit ?? "次");
  const most = Math.max(1, ...rows.map(([, station]) => station.today));
  const columns = Math.max(1, Math.ceil(Math.sqrt(rows.length * SHAPE)));
  list.style.setProperty("--columns", columns);
  list.style.setProperty("--rows", Math.ceil(rows.length / columns));
  keyed(list, rows, ([id]) => id, create, (tile, row) => update(tile, row, unit, most));
}
