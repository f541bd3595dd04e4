import { text } from "../text.js";
import * as time from "../time.js";

const SOON = 600; // seconds
const HOUR = 3_600;

function span(seconds) {
  if (seconds < HOUR) return text("fresh.minutes", { n: Math.floor(seconds / 60) });
  return text("span.exact", { h: Math.floor(seconds / HOUR), m: Math.floor((seconds % HOUR) / 60) });
}

const seconds = (until) => Math.floor((new Date(until) - time.now()) / 1_000);

export const over = (until) => seconds(until) <= 0;

/** How long there is left, and how pressing that is: ["还剩 18 分", "wait"]. */
export function left(until) {
  const rest = seconds(until);
  if (rest <= 0) return [text("left.over"), "bad"];
  if (rest < 100) return [text("left.seconds", { n: rest }), "bad"];
  return [text("left.minutes", { span: span(rest) }), rest < SOON ? "bad" : "wait"];
}
