import { find, make, say } from "../dom.js";
import { text } from "../text.js";
import { actions, showActions } from "./actions.js";
import { Failed, read } from "./api.js";
import { kept, showGroup } from "./group.js";
import { called, subject, ticking } from "./head.js";
import { guarded } from "./key.js";
import { life } from "./life.js";
import { waits } from "./nobody.js";
import { heed } from "./poll.js";
import { since, slot, tone, what, who, word } from "./words.js";

const ENDED = ["returned", "closed", "cancelled"];
const AGAIN = 20_000;

const rows = kept((request) => request.id, row);
const offers = new Map(); // assignment -> its members, whose times do not change
let shown = [];

function row() {
  return make("li", "row case", make("p", "row-head", make("span", "title"), make("span", "badge urgent", text("desk.urgent"))), make("p", "row-state", make("span", "chip"), " ", make("span", "since")),
    make("div", "line"), make("p", "row-what"), make("p", "row-why"), make("p", "row-help"), actions());
}

const here = ({ id, kind, label, start, end }) => text("enterprise_page.coming", { who: who({ id, kind, label }), when: slot({ start, end }) });

function coming(request) {
  const members = offers.get(request.assignment);
  if (members) return members.map(here).join(text("join.sentence"));
  if (request.performers?.length) return request.performers.map(who).join(text("join.list"));
  return request.state === "in_service" ? text("enterprise_page.served_by") : "";
}

function asks(request) {
  const body = { node_id: request.node, actor_role: "enterprise", actor_ref: "enterprise page" };
  return request.kind === "referral" ? [] : request.legal.enterprise.map((ask) => ({ ask, body }));
}

function tell(element, words) {
  say(element, words);
  element.hidden = !words;
}

function show(element, request) {
  const [why, help] = waits(request, null);
  const score = request.score ? text("enterprise_page.score", { n: request.score }) : "";
  element.dataset.tone = request.late ? "bad" : tone(request.state);
  say(find(".title", element), what(request.demand));
  find(".urgent", element).hidden = !request.demand.urgent;
  say(find(".chip", element), word("state", request.state));
  say(find(".since", element), since(request.since));
  find(".line", element).replaceChildren(life(request));
  tell(find(".row-what", element), [coming(request), request.demand.about, score, request.node_name ?? request.node].filter(Boolean).join(" · "));
  tell(find(".row-why", element), why);
  tell(find(".row-help", element), help);
  showActions(find(".actions", element), () => `/v1/requests/${encodeURIComponent(request.id)}`, asks(request));
}

function render() {
  showGroup("open", shown.filter(({ state }) => !ENDED.includes(state)), rows, show);
  showGroup("ended", shown.filter(({ state }) => ENDED.includes(state)), rows, show);
  rows.only(shown);
}

/** The times of who comes stand in the offer; without it, the page still says who. */
async function members({ id, assignment }, signal) {
  try {
    const { offer } = await read(`/v1/requests/${encodeURIComponent(id)}`, signal);
    if (offer) offers.set(assignment, offer.members);
  } catch (error) {
    if (!(error instanceof Failed)) throw error;
  }
}

async function news({ name, requests }, signal) {
  shown = requests.sort((a, b) => b.submitted_at.localeCompare(a.submitted_at));
  if (name) called(name);
  render();
  const unknown = shown.filter(({ state, assignment }) => assignment && !ENDED.includes(state) && !offers.has(assignment));
  await Promise.all(unknown.map((request) => members(request, signal)));
  if (unknown.length) render();
}

ticking();
setInterval(render, AGAIN);
guarded((signal) => heed(`/v1/enterprises/${encodeURIComponent(subject)}/requests`, { enterprise: subject }, news, signal));
