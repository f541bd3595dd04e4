import { relaxation } from "./relax.js";
import { words } from "./words.js";
import { text } from "../text.js";

/**
 * Why nobody serves a request, and what would help: [why, help], "" where there is nothing. `named`
 * says what who would fit is called; null tells of nobody.
 */
export function nobody(request, named = (id) => id) {
  const reasons = request.reasons?.length ? request.reasons : (request.unmatched?.reasons ?? []);
  return [words("reason", reasons), relaxation(request.unmatched, named)];
}

/** Why a request waits, whatever for: nobody fits, or the work is blocked. */
export function waits(request, named) {
  if (request.state === "blocked") return [text("desk.blocked", { why: words("blocked", [request.blocked_reason]) }), ""];
  return ["matching", "unmatched", "escalated"].includes(request.state) ? nobody(request, named) : ["", ""];
}
