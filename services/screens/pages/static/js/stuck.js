import { find, keyed, make, say } from "./dom.js";
import { exact, text } from "./text.js";
import * as time from "./time.js";

const ORDER = [
  "submitted", "reopened", "accepted", "matching", "unmatched", "escalated", "offered", "committed", "in_service", "blocked", "resulted", "disputed",
  "confirmed", "evaluated",
];
const TONES = { wait: ["submitted", "reopened", "unmatched", "escalated", "blocked", "resulted", "disputed"], good: ["confirmed", "evaluated"] };
const MOST = 8;
const LINES = 3;

const region = document.getElementById("stuck");
const tone = (state) => Object.keys(TONES).find((name) => TONES[name].includes(state)) ?? "go";

/** The fullest states in the order of life; what does not fit stands together at the end. */
function stages(funnel) {
  const filled = funnel.filter(({ state, count }) => count > 0 && ORDER.includes(state));
  const most = filled.length > MOST ? MOST - 1 : MOST;
  const kept = filled.toSorted((a, b) => b.count - a.count).slice(0, most);
  const rest = filled.filter((stage) => !kept.includes(stage)).reduce((sum, { count }) => sum + count, 0);
  kept.sort((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state));
  return rest ? [...kept, { state: "others", count: rest }] : kept;
}

const named = (state) => text(["state", state]) ?? text(["stuck", state]);
const because = (reason) => text(["reason", reason]) ?? text(["blocked", reason]) ?? text("stuck.others");

function stage() {
  return make("li", "stage", make("span"), make("span", "track", make("span", "share")), make("span", "number"));
}

function showFunnel(funnel) {
  const rows = stages(funnel);
  const most = Math.max(1, ...rows.map(({ count }) => count));
  keyed(document.getElementById("funnel"), rows, ({ state }) => state, stage, (item, { state, count }) => {
    item.dataset.tone = tone(state);
    item.style.setProperty("--share", count / most);
    say(item.firstChild, named(state));
    say(item.lastChild, exact(count));
  });
}

function showWhy(stuck) {
  const rows = stuck.slice(0, LINES);
  keyed(document.getElementById("why"), rows, ({ reason }) => reason, () => make("li", "", make("span", "because"), make("span", "much")), (item, row) => {
    say(item.firstChild, because(row.reason));
    item.firstChild.title = because(row.reason);
    say(item.lastChild, text("stuck.line", { n: exact(row.count), span: time.span(row.oldest) }));
  });
  if (rows.length === 0) document.getElementById("why").replaceChildren(make("li", "empty", text("stuck.none")));
}

function summary({ open, late, first_response_minutes: first }) {
  const told = [text("stuck.open", { n: exact(open) })];
  if (late) told.push(text("stuck.late", { n: exact(late) }));
  if (typeof first === "number") told.push(text("stuck.first", { n: exact(Math.round(first)) }));
  return told.join(" · ");
}

/** Where requests are and why they wait; older documents say nothing of requests. */
export function showStuck({ requests }) {
  const known = requests?.funnel !== undefined;
  region.hidden = !known;
  if (!known) return;
  say(document.getElementById("stuck-told"), summary(requests));
  find(".stuck-body", region).title = [text("stuck.waiting", { n: exact(requests.waiting) }), text("stuck.escalated", { n: exact(requests.escalated) }), text("stuck.unmet", { n: exact(requests.unmet) })].join(" · ");
  showFunnel(requests.funnel);
  showWhy(requests.stuck ?? []);
}
