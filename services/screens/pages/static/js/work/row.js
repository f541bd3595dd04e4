import { find, make, say } from "../dom.js";
import { text } from "../text.js";
import * as time from "../time.js";
import { actions, showActions } from "./actions.js";
import { page } from "./head.js";
import { waits } from "./nobody.js";
import { list, since, tone, what, who, word } from "./words.js";

const { heads } = JSON.parse(document.getElementById("legal").textContent);

export const named = ({ enterprise_name: name, enterprise_id: id }) => name ?? id;

export function row(request) {
  const link = make("a", "title");
  link.href = page("request", request.id);
  return make("li", "row", make("p", "row-head", link, make("span", "badge urgent", text("desk.urgent"))), make("p", "row-state", make("span", "chip"), " ", make("span", "since")),
    make("p", "row-what"), make("p", "row-why"), make("p", "row-help"), actions());
}

function performers({ state, performers: members }) {
  if (!members?.length) return "";
  return text(state === "offered" ? "desk.asked_whom" : "desk.who", { who: list(members.map(who)) });
}

function times({ due_at: due, demand }) {
  const told = [due && text("desk.due", { time: time.minutes(due) }), demand.need_by && text("desk.need_by", { time: time.minutes(demand.need_by) })];
  return told.filter(Boolean);
}

const details = (request) => [what(request.demand), word("channel", request.demand.channel), request.demand.about, ...times(request), performers(request)];

const DONE = ["resulted", "confirmed", "evaluated"];

/** The service that a result is: one fact per request, however often it is registered. */
function service({ id, node, state, demand, enterprise_id, served_at, performers: members }) {
  if (!DONE.includes(state)) return [];
  const body = {
    id: `${node}.${id.replace(".", ":").slice(-64)}`, node_id: node, enterprise_id, elements: demand.elements, mode: demand.mode, request_id: id.slice(-64), occurred_at: served_at,
    performers: members.map((member) => member.id.slice(-64)), minutes: demand.minutes, actor_role: "staff", actor_ref: "desk",
  };
  return [{ ask: "service.delivered", body }];
}

/** Everything a button of staff says besides: of which node, as whom. */
function asks(request) {
  if (request.kind === "referral") return [];
  const body = { node_id: request.node, actor_ref: "desk" };
  const all = new Set([...request.legal.staff, ...request.legal.head]);
  const legal = [...all].map((ask) => (heads.includes(ask)
    ? { ask, body: { ...body, actor_role: "head" }, label: word("ask", ask) + text("desk.head") }
    : { ask, body: { ...body, actor_role: "staff" } }));
  return [...legal, ...service(request)];
}

export const showStaff = (box, request) => showActions(box, (ask) => (ask === "service.delivered" ? "/v1" : `/v1/requests/${encodeURIComponent(request.id)}`), asks(request));

function show(element, words) {
  say(element, words);
  element.hidden = !words;
}

export function showRow(element, request) {
  const [why, help] = waits(request);
  element.dataset.tone = request.late ? "bad" : tone(request.state);
  say(find(".title", element), named(request));
  find(".urgent", element).hidden = !request.demand.urgent;
  say(find(".chip", element), request.state === "resulted" ? text("desk.for_confirmation") : word("state", request.state));
  say(find(".since", element), since(request.since));
  say(find(".row-what", element), details(request).filter(Boolean).join(" · "));
  show(find(".row-why", element), why);
  show(find(".row-help", element), help);
  showStaff(find(".actions", element), request);
}
