import { make } from "../dom.js";
import { text } from "../text.js";
import * as time from "../time.js";
import { tone, word } from "./words.js";

const STEPS = ["submitted", "accepted", "matching", "committed", "in_service", "resulted", "confirmed", "closed"];
const AT = {
  reopened: "submitted", returned: "accepted", unmatched: "matching", escalated: "matching", offered: "matching", blocked: "in_service",
  disputed: "resulted", evaluated: "confirmed",
};
const ENDED = ["returned", "cancelled"];

/** The step a state belongs to; undefined for one that may come at any. */
const step = (state) => (state === "cancelled" ? undefined : STEPS.indexOf(AT[state] ?? state));

/** Its own moves: those at another pool, which it was referred to, are another life. */
const moves = ({ id, timeline }) => timeline.filter(({ type, state, request_id: of }) => state && type === "request.moved" && of === id);

/** When each step was come to, since the request last went back before it; and the present one. */
function reached(request) {
  const times = [];
  let present = 0;
  for (const { at, state } of moves(request)) {
    const number = step(state);
    if (number === undefined || number < 0) continue;
    present = number;
    times.length = Math.min(times.length, number + 1);
    times[number] ??= at;
  }
  return [times, step(request.state) ?? present];
}

function item(name, number, { times, present, request }) {
  const here = number === present;
  const label = make("span", "step-name", here ? word("state", request.state) : text(["step", name]));
  const at = make("span", "step-time", times[number] ? time.minutes(times[number]) : "");
  const made = make("li", "step", make("i"), label, at);
  made.dataset.at = here ? "now" : number < present ? "done" : "todo";
  if (here) made.setAttribute("aria-current", "step");
  return made;
}

/** The life of a request as a line: what lies behind, where it is, what is still to come. */
export function life(request) {
  const [times, present] = reached(request);
  const ended = ENDED.includes(request.state);
  const names = ended ? STEPS.slice(0, present + 1) : STEPS;
  const line = make("ol", "life", ...names.map((name, number) => item(name, number, { times, present, request })));
  line.dataset.tone = request.late ? "bad" : tone(request.state);
  line.style.setProperty("--steps", STEPS.length);
  return line;
}
