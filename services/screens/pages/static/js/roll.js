import { say } from "./dom.js";
import { exact } from "./text.js";

const DURATION = 300;
const still = matchMedia("(prefers-reduced-motion: reduce)");
const targets = new WeakMap();

/** Show `value`, rolling there from the number that stands; the first one just appears. */
export function roll(element, value) {
  const from = targets.get(element);
  if (from === value) return;
  targets.set(element, value);
  const rolls = typeof from === "number" && typeof value === "number" && !still.matches && !document.hidden;
  if (!rolls) {
    say(element, value === undefined ? "" : exact(value));
    return;
  }
  const start = performance.now();
  const step = (time) => {
    if (targets.get(element) !== value) return;
    const part = Math.min(1, Math.max(0, (time - start) / DURATION));
    const eased = 1 - (1 - part) ** 3;
    say(element, exact(part === 1 ? value : Math.round(from + (value - from) * eased)));
    if (part < 1) requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
}
