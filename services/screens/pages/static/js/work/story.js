import { make } from "../dom.js";
import { text } from "../text.js";
import * as time from "../time.js";
import { tone, word, words } from "./words.js";

const plain = (type) => type.replace(/^yizhan\./, "");

function sentence({ type, cause, asked }) {
  if (plain(type) === "request.moved") return word("cause", cause);
  return text(["event", plain(type)], { asked: word("ask", asked ?? "") }) ?? word("ask", plain(type));
}

const MATCHER = "matching";

function entry(line) {
  const by = line.by && line.by !== MATCHER ? word("role", line.by) : "";
  const extra = [by, words("reason", line.reasons), line.note].filter(Boolean).join(" · ");
  const chip = line.state && plain(line.type) === "request.moved" ? [make("span", "chip", word("state", line.state))] : [];
  const made = make("li", "", make("time", "", time.minutes(line.at)), make("p", "", sentence(line), " ", ...chip), make("p", "soft", extra));
  made.dataset.tone = tone(line.state);
  return made;
}

/** What happened to a request, the latest first. */
export const story = (timeline) => timeline.toReversed().map(entry);
