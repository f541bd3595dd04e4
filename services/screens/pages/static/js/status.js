import { find, say } from "./dom.js";
import { text } from "./text.js";
import * as time from "./time.js";

const TONES = { live: "good", connecting: "dim", reconnecting: "wait", lost: "bad" };
const AUDIT = { none: "good", found: "bad", unknown: "dim" };

function tell(id, words, tone) {
  const element = document.getElementById(id);
  say(element, words);
  element.dataset.tone = tone;
}

export function showConnection(state, since) {
  tell("connection", text(["connection", state], { since: since && time.seconds(time.toServer(since)) }), TONES[state]);
  find(".wall").dataset.connection = state;
}

function showSilence(document_) {
  const own = document_.stations[document_.node.id];
  if (own && Object.keys(document_.stations).length === 1) {
    tell("silent", text(own.silent ? "silent.self" : "silent.self_ok"), own.silent ? "wait" : "good");
    return;
  }
  const silent = document_.silent.length;
  const total = Object.keys(document_.stations).length;
  tell("silent", text(silent ? "silent.some" : "silent.none", { n: silent, total }), silent ? "wait" : "good");
}

export function showStatus(document_) {
  const complete = document_.complete_to;
  tell("complete", complete ? time.minutes(complete) : text("unknown"), complete ? "" : "wait");
  showSilence(document_);
  tell("waiting", text("waiting", { n: document_.waiting }), "wait");
  document.getElementById("waiting").parentElement.hidden = !document_.waiting;
  const drift = document_.drift in AUDIT ? document_.drift : "unknown";
  const at = document_.audited_at ? ` · ${time.minutes(document_.audited_at)}` : "";
  tell("audit", text(["audit", drift]) + (drift === "unknown" ? "" : at), AUDIT[drift]);
}

export function tick() {
  const now = time.now();
  say(document.getElementById("date"), time.date(now));
  say(document.getElementById("time"), time.seconds(now));
}
