import { make } from "../dom.js";
import { text } from "../text.js";
import * as time from "../time.js";
import { refusal, tone, word, words } from "./words.js";

const MATCHER = "matching";
const PEOPLE = ["request.moved", "match.declined"]; // whose notes are by people, for people

/** What happened; an ask that nobody has judged yet stands by its own name. */
function sentence(line) {
  if (line.type === "request.moved") return word("cause", line.cause);
  if (line.type === "request.refused") return `${text(["event", line.type], { asked: word("ask", line.asked) })}${text("join.colon")}${refusal(line, line.asked)}`;
  return text(["event", line.type]) ?? `${word("ask", line.type)} · ${text("case.pending")}`;
}

function entry(line, own) {
  const by = line.by && line.by !== MATCHER ? word("role", line.by) : "";
  const note = PEOPLE.includes(line.type) || line.pending ? line.note : "";
  const extra = [own ? "" : text("case.above"), by, words("reason", line.reasons), note].filter(Boolean).join(" · ");
  const chip = own && line.state && line.type === "request.moved" ? [make("span", "chip", word("state", line.state))] : [];
  const made = make("li", "", make("time", "", time.minutes(line.at)), make("p", "", sentence(line), " ", ...chip), make("p", "soft", extra));
  if (own) made.dataset.tone = tone(line.state);
  return made;
}

/** What happened to a request, the latest first; where it was referred to, its state is not its own. */
export const story = ({ id, timeline }) => timeline.toReversed().map((line) => entry(line, line.request_id === id));
