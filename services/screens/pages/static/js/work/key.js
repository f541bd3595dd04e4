import { find, say } from "../dom.js";
import { text } from "../text.js";

const STORE = "yizhan.key";
const FORM = /^[\x21-\x7e]+$/; // what a header can carry
const panel = document.getElementById("key");
const leave = document.getElementById("leave");
const main = document.getElementById("main");

let begin = null;
let running = null;

export const key = () => sessionStorage.getItem(STORE);

function open() {
  panel.hidden = true;
  leave.hidden = main.hidden = false;
  running = new AbortController();
  begin(running.signal);
}

/** Ask for a key, and say why; whatever went on with the one before ends. */
export function lock(why = "") {
  running?.abort();
  sessionStorage.removeItem(STORE);
  leave.hidden = main.hidden = true;
  panel.hidden = false;
  say(find(".told", panel), why);
  panel.elements.key.focus();
}

function enter(event) {
  event.preventDefault();
  const given = panel.elements.key.value.trim();
  if (!FORM.test(given)) {
    say(find(".told", panel), text("key.malformed"));
    return;
  }
  panel.reset();
  say(find(".told", panel), "");
  sessionStorage.setItem(STORE, given);
  open();
}

/** Call `work(signal)` as soon as there is a key, and again with each new one. */
export function guarded(work) {
  begin = work;
  panel.addEventListener("submit", enter);
  leave.addEventListener("click", () => lock());
  if (key()) open();
  else lock();
}
