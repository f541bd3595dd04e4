import { find, say } from "./dom.js";
import { text } from "./text.js";
import * as time from "./time.js";

const card = document.getElementById("card");
const LINGER = 250; // time to move from the number into the card

let context = null; // {node, period, complete_to, silent}
let owner = null;
let leaving = 0;

export const setContext = (next) => { context = next; };

function fill(measure) {
  say(find(".card-name", card), text(["measures", measure, "name"]));
  say(find(".card-definition", card), text(["measures", measure, "definition"]) ?? "");
  const fresh = context.complete_to ? text("card.complete", { time: time.minutes(context.complete_to) }) : text("card.incomplete");
  const silent = context.silent ? text("card.silent", { n: context.silent }) : "";
  say(find(".card-fresh", card), [fresh, silent].filter(Boolean).join(" · "));
  find(".card-facts", card).href = `/v1/counters/${[context.node, context.period, measure].map(encodeURIComponent).join("/")}/facts`;
}

function place(button) {
  const at = button.getBoundingClientRect();
  const gap = 8;
  const left = Math.min(at.left, innerWidth - card.offsetWidth - gap);
  const below = at.bottom + gap;
  const top = below + card.offsetHeight > innerHeight ? at.top - card.offsetHeight - gap : below;
  card.style.left = `${Math.max(gap, left)}px`;
  card.style.top = `${Math.max(gap, top)}px`;
}

function open(button, measure) {
  clearTimeout(leaving);
  if (context === null || owner === button) return;
  owner = button;
  fill(measure);
  button.after(card); // so that the link is the next stop of the keyboard
  button.setAttribute("aria-describedby", card.id);
  card.showPopover();
  place(button);
}

function close() {
  clearTimeout(leaving);
  owner?.removeAttribute("aria-describedby");
  owner = null;
  card.hidePopover();
}

const leave = () => {
  clearTimeout(leaving);
  leaving = setTimeout(close, LINGER);
};

/** Hover, focus or tap on a number tells what it means, how fresh it is and what it consists of. */
export function describe(button, measure) {
  for (const event of ["mouseenter", "focus", "click"]) button.addEventListener(event, () => open(button, measure));
  button.addEventListener("mouseleave", leave);
  button.addEventListener("blur", (event) => { if (!card.contains(event.relatedTarget)) leave(); });
}

card.addEventListener("mouseenter", () => clearTimeout(leaving));
card.addEventListener("mouseleave", leave);
card.addEventListener("focusin", () => clearTimeout(leaving));
card.addEventListener("focusout", leave);
addEventListener("keydown", (event) => { if (event.key === "Escape" && owner) close(); });
addEventListener("resize", () => { if (owner) close(); });
