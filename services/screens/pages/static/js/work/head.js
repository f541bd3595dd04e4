import { say } from "../dom.js";
import { text } from "../text.js";
import * as time from "../time.js";

const connection = document.getElementById("connection");

let since = null;

/** Say in the header whether what is shown is up to date; `why` not. */
export function connected(live, why = "") {
  since = live ? null : since ?? time.now();
  say(connection, text(live ? "connection.live" : "connection.reconnecting", { since: since && time.seconds(since) }));
  connection.dataset.tone = live ? "good" : "wait";
  connection.title = why;
}

/** Say that what the page is about is not there. */
export function gone(why) {
  say(connection, why);
  connection.dataset.tone = "wait";
}

export function called(name) {
  say(document.getElementById("name"), name);
  document.title = name;
}

function tick() {
  say(document.getElementById("date"), time.date(time.now()));
  say(document.getElementById("time"), time.seconds(time.now()));
}

/** Let the clock run; `again` is called every second as well. */
export function ticking(again = () => {}) {
  tick();
  setInterval(() => { tick(); again(); }, 1_000);
}

const lang = new URLSearchParams(location.search).get("lang");

/** The address of another of these pages, in the same language. */
export const page = (...parts) => `/${parts.map(encodeURIComponent).join("/")}${lang ? `?lang=${encodeURIComponent(lang)}` : ""}`;

export const subject = document.querySelector(".work").dataset.subject;
