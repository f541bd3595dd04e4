import { find, keyed, make, markCurrent, say } from "./dom.js";
import { called, exact, text, unitName } from "./text.js";

const MOST = { hub: 10, station: 8 };

/** The best, and always the station whose wall this is. */
function chosen(rows, node, most) {
  const placed = rows.map((row, index) => ({ ...row, place: index + 1 }));
  const own = placed.findIndex((row) => row.id === node);
  return own < most ? placed.slice(0, most) : [...placed.slice(0, most - 1), placed[own]];
}

function create() {
  return make("li", "rank", make("span", "place"), make("span", "rank-name"), make("span", "track", make("span", "share")),
    make("span", "rank-value", make("span", "number"), " ", make("span", "unit")));
}

/** 本月 rather than 2026-11, as long as it is this month. */
function periodName(period, day) {
  const names = { [day]: "today", [day.slice(0, 7)]: "month", [day.slice(0, 4)]: "year", all: "all" };
  return text(["ranking", names[period]]) ?? period ?? "";
}

function showRule(rule, day) {
  const measure = text(["measures", rule.measure, "name"]) ?? text("ranking.measure");
  say(document.getElementById("ranking-title"), text("regions.ranking", { period: periodName(rule.period, day) }));
  say(document.getElementById("ranking-rule"), text("ranking.rule", { measure, minimum: exact(rule.minimum) }));
}

export function showRanking(document_) {
  const rule = document_.ranking_rule ?? {};
  const rows = chosen(document_.ranking ?? [], document_.node.id, MOST[find(".wall").dataset.kind]);
  const unit = unitName(rule.unit ?? document_.all[rule.measure]?.unit);
  showRule(rule, document_.day);
  keyed(document.getElementById("ranking"), rows, (row) => row.id, create, (item, row) => {
    markCurrent(item, row.id === document_.node.id);
    item.style.setProperty("--share", row.share);
    say(find(".place", item), String(row.place));
    const name = called(document_.stations[row.id] ?? row);
    say(find(".rank-name", item), name);
    find(".rank-name", item).title = name;
    say(find(".number", item), exact(row.value));
    say(find(".unit", item), unit);
  });
  const out = document_.ranking_left_out ?? 0;
  const empty = rows.length === 0 ? text("ranking.empty") : "";
  say(document.getElementById("left-out"), [empty, out ? text("ranking.left_out", { n: out }) : ""].filter(Boolean).join(" · "));
}
