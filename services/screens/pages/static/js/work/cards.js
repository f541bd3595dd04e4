import { find, make, say } from "../dom.js";
import { text } from "../text.js";
import { actions, showActions } from "./actions.js";
import { Failed, read } from "./api.js";
import { kept, showGroup } from "./group.js";
import { called, subject, ticking } from "./head.js";
import { guarded } from "./key.js";
import { left, over } from "./left.js";
import { parts } from "./parts.js";
import { watch } from "./poll.js";
import { named } from "./row.js";
import { list, slot, tone, what, who, word } from "./words.js";

const { performing } = JSON.parse(document.getElementById("legal").textContent);
const cards = kept((offer) => offer.assignment, card);
let shown = [];

const own = ({ members }) => members.find(({ id }) => id === subject);
const asks = (offer) => offer.outcome === "offered" && !own(offer)?.answer;

function fact(name) {
  return make("div", "", make("dt", "", text(["card_page", name])), make("dd", name));
}

function card(offer) {
  const head = make("p", "row-head", make("span", "title"), make("span", "badge urgent", text("desk.urgent")));
  const state = make("p", "row-state", make("span", "chip"), " ", make("span", "since left"));
  const facts = make("dl", "facts", ...["when", "where", "what", "with"].map(fact));
  const why = make("section", "why", make("h3", "", text("card_page.why")), parts(offer));
  return make("li", "row offer", head, state, facts, why, actions());
}

function others(offer) {
  const rest = offer.members.filter(({ id }) => id !== subject);
  return rest.length ? list(rest.map((member) => who(member))) : text("card_page.alone");
}

function told(offer) {
  if (asks(offer)) return text("outcome.offered");
  return offer.outcome === "offered" ? text("card_page.waiting_others") : word("state", offer.state) ?? "";
}

/** The request that the work is told of: one that was referred is known at home by its own id. */
const home = ({ request_id: id }) => id.replace(/\.[1-9]$/, "");

/** How far the work has come: of what was referred, only the request at home says it. */
async function standing(offer, signal) {
  if (offer.outcome !== "committed" || home(offer) === offer.request_id) return offer;
  try {
    const { state, node } = await read(`/v1/requests/${encodeURIComponent(home(offer))}`, signal);
    return { ...offer, state, node };
  } catch (error) {
    if (!(error instanceof Failed)) throw error;
    return offer;
  }
}

/** An offer is answered at its own address; the service is told of at the request's. */
function buttons(offer) {
  const body = { node_id: offer.node, resource: subject, actor_role: own(offer)?.kind ?? "expert", actor_ref: "card" };
  const legal = performing[offer.state] ?? [];
  const once = legal.filter((ask) => ask !== "offer.accepted" || asks(offer));
  return once.map((ask) => ({ ask, body, label: ask === "offer.declined" && !asks(offer) ? text("card_page.step_back") : undefined }));
}

function countdown(element, offer) {
  const [words, level] = asks(offer) ? left(offer.expires_at) : ["", ""];
  say(find(".left", element), words);
  find(".left", element).dataset.tone = level;
}

function show(element, offer) {
  const member = own(offer);
  element.dataset.tone = asks(offer) ? "wait" : tone(offer.state);
  say(find(".title", element), named(offer));
  find(".urgent", element).hidden = !offer.urgent;
  say(find(".chip", element), told(offer));
  say(find("dd.when", element), member ? slot(member) : text("none"));
  say(find("dd.where", element), offer.node_name ?? offer.node);
  say(find("dd.what", element), [what(offer), offer.minutes && text("card_page.minutes", { n: offer.minutes }), offer.about].filter(Boolean).join(" · "));
  say(find("dd.with", element), others(offer));
  countdown(element, offer);
  if (!(asks(offer) && over(offer.expires_at))) showActions(find(".actions", element), (ask) => base(offer, ask), buttons(offer));
}

function base(offer, ask) {
  const [folder, id] = ask.startsWith("offer.") ? ["offers", offer.assignment] : ["requests", home(offer)];
  return `/v1/${folder}/${encodeURIComponent(id)}`;
}

function render() {
  showGroup("asked", shown.filter(asks), cards, show);
  showGroup("agreed", shown.filter((offer) => !asks(offer)), cards, show);
}

async function news({ offers }, signal) {
  const found = await Promise.all(offers.map((offer) => standing(offer, signal)));
  shown = found.sort((a, b) => (own(a)?.start ?? "").localeCompare(own(b)?.start ?? ""));
  const label = shown.map(own).find((member) => member?.label)?.label;
  if (label) called(label);
  render();
  cards.only(shown);
}

function tick() {
  for (const offer of shown) countdown(cards.create(offer), offer);
}

ticking(tick);
guarded((signal) => watch("/v1/offers", { resource: subject, open: true }, news, signal));
