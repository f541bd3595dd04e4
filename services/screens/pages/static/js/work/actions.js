import { find, make, say } from "../dom.js";
import { text } from "../text.js";
import { Failed } from "./api.js";
import { inputs, said } from "./inputs.js";
import { ask as put, filling } from "./verdict.js";
import { refusal, word } from "./words.js";

/** Where each ask is put, in the order in which its button stands; the first may be the main one. */
const PATHS = {
  "request.accepted": "accept", "offer.accepted": "accept", "service.unblocked": "unblock", "service.started": "start",
  "request.result_recorded": "result", "service.delivered": "services", "request.confirmed": "confirm", "request.evaluated": "evaluate", "request.followed_up": "follow-up",
  "request.closed": "close", "escalation.requested": "escalate", "service.blocked": "block", "request.disputed": "dispute",
  "request.reopened": "reopen", "request.returned": "return", "offer.declined": "decline", "request.cancelled": "cancel",
};
const ORDER = Object.keys(PATHS);
const MAIN = ORDER.slice(0, ORDER.indexOf("request.followed_up"));

export function actions() {
  const told = make("p", "told");
  told.setAttribute("role", "status");
  return make("div", "actions", make("div", "buttons"), told);
}

/** Refusals and failures in words; a move shows in the page itself. */
async function send(box, { ask, path, body }, fill, more) {
  const told = find(".told", box);
  const buttons = [...box.querySelectorAll("button")];
  say(told, text("field.sending"));
  for (const button of buttons) button.disabled = true;
  try {
    const verdict = await put(path, fill.of({ ...body, ...more }));
    if (verdict.verdict !== "pending") fill.done();
    say(told, verdict.verdict === "refused" ? refusal(verdict, ask) : text(["told", ask]) ?? "");
    return verdict.verdict !== "refused";
  } catch (error) {
    if (!(error instanceof Failed)) throw error;
    say(told, error.message);
    return false;
  } finally {
    for (const button of buttons) button.disabled = false;
  }
}

function close(box) {
  const form = find("form", box);
  const opener = [...box.querySelectorAll(".buttons button")].find((button) => button.dataset.ask === form?.dataset.ask);
  opener?.setAttribute("aria-expanded", "false");
  form?.remove();
  return opener;
}

function open(box, offer, fill) {
  close(box);
  const send_ = make("button", "first", text("field.send"));
  const back = make("button", "quiet", text("field.back"));
  back.type = "button";
  const form = make("form", "inputs", ...inputs(offer.ask), make("div", "buttons", send_, back));
  form.dataset.ask = offer.ask;
  back.addEventListener("click", () => close(box)?.focus());
  form.addEventListener("keydown", (event) => { if (event.key === "Escape") close(box)?.focus(); });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (await send(box, offer, fill, said(offer.ask, form))) close(box);
  });
  find(".told", box).before(form);
  find("input, select, textarea", form).focus();
}

function button(box, offer, main) {
  const made = make("button", main ? "first" : "quiet", offer.label ?? word("ask", offer.ask));
  const fill = filling();
  made.type = "button";
  made.dataset.ask = offer.ask;
  if (inputs(offer.ask).length) made.setAttribute("aria-expanded", "false");
  made.addEventListener("click", () => {
    if (find("form", box)?.dataset.ask === offer.ask) { close(box); return; }
    if (!inputs(offer.ask).length) { close(box); send(box, offer, fill, {}); return; }
    open(box, offer, fill);
    made.setAttribute("aria-expanded", "true");
  });
  return made;
}

/**
 * Show one button per ask: [{ask, body, label?}], put below `base(ask)`. What somebody is just filling in
 * stays as long as it can still be asked.
 */
export function showActions(box, base, asks) {
  const offers = asks.filter(({ ask }) => ask in PATHS).sort((a, b) => ORDER.indexOf(a.ask) - ORDER.indexOf(b.ask));
  const standing = JSON.stringify(offers.map((offer) => [base(offer.ask), offer]));
  if (box.dataset.standing === standing) return;
  box.dataset.standing = standing;
  if (!offers.some(({ ask }) => ask === find("form", box)?.dataset.ask)) close(box);
  const made = offers.map((offer, i) => button(box, { ...offer, path: `${base(offer.ask)}/${PATHS[offer.ask]}` }, i === 0 && MAIN.includes(offer.ask)));
  find(".buttons", box).replaceChildren(...made);
}
