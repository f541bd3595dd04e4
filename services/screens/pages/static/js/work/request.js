import { find, make, say } from "../dom.js";
import { short, text } from "../text.js";
import * as time from "../time.js";
import { actions } from "./actions.js";
import { called, page, subject, ticking } from "./head.js";
import { guarded } from "./key.js";
import { life } from "./life.js";
import { nobody, waits } from "./nobody.js";
import { parts } from "./parts.js";
import { heed } from "./poll.js";
import { named, showStaff } from "./row.js";
import { story } from "./story.js";
import { lasting, list, slot, since, tone, what, who, word } from "./words.js";

const AGAIN = 20_000;
const box = actions();
let shown = null;

function fact(name, value) {
  return value ? [make("div", "", make("dt", "", text(["case", name]) ?? text(["field", name])), make("dd", "", value))] : [];
}

function parent({ demand }) {
  if (!demand.parent_id) return "";
  const link = make("a", "", demand.parent_id);
  link.href = page("request", demand.parent_id);
  return link;
}

function facts(request) {
  const { demand } = request;
  const at = (moment) => moment && time.minutes(moment);
  return make("dl", "facts wide", ...[
    fact("number", request.id), fact("station", request.node_name ?? request.node), fact("channel", word("channel", demand.channel)), fact("about", demand.about),
    fact("submitted", at(request.submitted_at)), fact("first", at(request.first_response_at)), fact("due", at(request.due_at)), fact("need_by", at(demand.need_by)),
    fact("blocked_for", request.blocked_seconds ? lasting(request.blocked_seconds) : ""),
    fact("level", request.level ? String(request.level) : ""), fact("score", request.score ? String(request.score) : ""), fact("parent", parent(request)),
  ].flat());
}

function showCase(request) {
  const state = make("p", "row-state", make("span", "chip", word("state", request.state)), " ", make("span", "since", since(request.since)));
  if (request.outcome) state.append(" ", make("span", "since", word("outcome", request.outcome)));
  const title = make("p", "row-head", make("span", "title", what(request.demand)), ...(request.demand.urgent ? [make("span", "badge urgent", text("desk.urgent"))] : []));
  const why = request.state === "blocked" ? waits(request)[0] : "";
  const element = document.getElementById("case");
  const top = find(".top", element) ?? element.appendChild(make("div", "top"));
  top.dataset.tone = request.late ? "bad" : tone(request.state);
  top.replaceChildren(title, state, life(request), ...(why ? [make("p", "row-why", why)] : []), facts(request));
  if (request.kind === "referral") top.append(make("p", "hint", text("case.referral")));
  if (!box.isConnected) element.append(box);
  showStaff(box, request);
}

const item = (...children) => make("li", "", ...children);
const titled = (title, items) => (items.length ? [make("h3", "", text(title)), make("ul", "plain", ...items)] : []);

/** Who has a label among performers and members is called by it. */
function naming(request) {
  const members = [...(request.performers ?? []), ...(request.offer?.members ?? [])];
  return (id) => members.find((member) => member.id === id)?.label ?? id;
}

const passed = (rows, called_) => titled("case.passed", (rows ?? []).map(({ id, reason }) => item(called_(id), make("span", "soft", ` ${word("reason", reason)}`))));

function showNobody(request) {
  const [why, help] = nobody(request, naming(request));
  const panel = document.getElementById("nobody");
  panel.hidden = !why;
  find(".filled", panel).replaceChildren(make("p", "row-why", why), make("p", "row-help", help), ...passed(request.unmatched?.passed, naming(request)));
}

function member({ kind, id, label, start, end, answer }) {
  const told = make("span", "soft", ` ${word("answer", answer ?? "none")}`);
  return item(who({ kind, id, label }), told, make("br"), make("span", "soft", slot({ start, end })));
}

function alternative({ members, score }, called_) {
  return item(list(members.map(called_)), make("span", "soft", ` ${text("card_page.points", { n: short(score) })}`));
}

function showOffer(request) {
  const { offer } = request;
  const filled = find(".filled", document.getElementById("offer"));
  if (!offer) { filled.replaceChildren(make("p", "empty", text("case.none"))); return; }
  const until = offer.outcome === "offered" ? text("case.expires", { time: time.minutes(offer.expires_at) }) : offer.reason;
  const head = make("p", "row-state", make("span", "chip", word("outcome", offer.outcome)), " ", make("span", "since", until ?? ""));
  const called_ = naming(request);
  filled.replaceChildren(head, make("ul", "plain", ...offer.members.map(member)), parts(offer),
    ...titled("case.alternatives", (offer.alternatives ?? []).map((one) => alternative(one, called_))), ...passed(offer.passed, called_));
}

function render() {
  if (shown === null) return;
  called(named(shown));
  showCase(shown);
  showNobody(shown);
  showOffer(shown);
  document.getElementById("story").replaceChildren(...story(shown));
}

ticking();
setInterval(render, AGAIN);
guarded((signal) => heed(`/v1/requests/${encodeURIComponent(subject)}`, {}, (found) => { shown = found; render(); }, signal));
