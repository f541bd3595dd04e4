import { text } from "../text.js";
import * as time from "../time.js";

/** The word of a catalogue, or what it stands for when there is none. */
export const word = (group, name) => text([group, name]) ?? name;
export const list = (words) => words.join(text("join.list"));
export const words = (group, names) => list((names ?? []).map((name) => word(group, name)));

const MINUTE = 60_000;

export function since(at) {
  return time.now() - new Date(at) < MINUTE ? text("ago.now") : text("ago.since", { span: time.span(at) });
}

/** How long some seconds are, in one unit. */
export const lasting = (seconds) => time.span(time.now() - seconds * 1_000);

/** 11月23日周一 09:00–10:30; the day again only when it ends on another. */
export function slot({ start, end }) {
  const [from, to] = [new Date(start), new Date(end)];
  const same = time.brief(from) === time.brief(to);
  return `${time.brief(from)} ${time.clock(from)}–${same ? "" : `${time.brief(to)} `}${time.clock(to)}`;
}

export const what = ({ elements, mode }) => [words("elements", elements), word("modes", mode)].filter(Boolean).join(" · ");

/** What a performer or member is called. */
export const who = ({ id, kind, label }) => label ?? `${word("kind", kind)} ${id}`;

const TONES = {
  wait: ["submitted", "reopened", "unmatched", "escalated", "blocked", "resulted", "disputed"],
  good: ["confirmed", "evaluated", "closed"],
  dim: ["returned", "cancelled"],
};

export const tone = (state) => Object.keys(TONES).find((name) => TONES[name].includes(state)) ?? "go";

/** A refusal in words: why, and what could be done instead. */
export function refusal({ cause, detail, state, legal }, asked) {
  const values = { state: word("state", state), asked: word("ask", asked), detail: detail ?? cause };
  const why = text(["refusal", cause], values) ?? text("refusal.other", values);
  const can = words("ask", legal);
  return `${why}${text("join.sentence")}${can ? text("refusal.legal", { asks: can }) : text("refusal.nothing")}`;
}
