import { find, make, say } from "../dom.js";
import { text } from "../text.js";
import { Failed } from "./api.js";
import { page, subject } from "./head.js";
import { ask, filling } from "./verdict.js";
import { refusal, word } from "./words.js";

const form = document.getElementById("new");
const told = find(".told", form);
const SHANGHAI = ":00+08:00";

const at = (data, name) => (data.get(name) ? data.get(name) + SHANGHAI : undefined);
const given = (data, name) => data.get(name)?.trim() || undefined;

/** What is asked of the one who serves, beyond the elements; none where nothing is. */
function needs(data, elements) {
  const [specialty, industry] = [given(data, "specialty"), given(data, "industry")];
  return specialty || industry ? [{ elements, specialty, industry }] : undefined;
}

function demand(data) {
  const elements = data.getAll("elements");
  return {
    elements, mode: data.get("mode"), channel: data.get("channel"), minutes: Number(data.get("minutes")), urgent: data.has("urgent"),
    need_by: at(data, "need_by"), not_before: at(data, "not_before"), about: given(data, "about"), needs: needs(data, elements),
  };
}

const words = (data) => ({ node_id: subject, enterprise_id: given(data, "enterprise_id"), actor_role: "staff", actor_ref: "desk", demand: demand(data) });

function tell(tone, ...said) {
  told.dataset.tone = tone;
  told.replaceChildren(...said);
}

function answered(verdict) {
  if (verdict.verdict === "refused") {
    tell("bad", text("desk.refused"), " ", refusal(verdict, "request.submitted"));
    return;
  }
  const link = make("a", "", verdict.request_id);
  link.href = page("request", verdict.request_id);
  const pending = verdict.verdict === "pending";
  const [before, after] = text(pending ? "desk.sent_slow" : "desk.sent", { id: "\n", state: word("state", verdict.state) }).split("\n");
  tell(pending ? "wait" : "good", before, link, after);
  form.reset();
}

async function submit(fill, event) {
  event.preventDefault();
  const data = new FormData(form);
  if (!data.has("elements")) { tell("bad", text("field.pick")); find("[name=elements]", form).focus(); return; }
  const button = find("[type=submit]", form);
  button.disabled = true;
  tell("dim", text("field.sending"));
  try {
    const verdict = await ask("/v1/requests", fill.of(words(data)));
    fill.done();
    answered(verdict);
  } catch (error) {
    if (!(error instanceof Failed)) throw error;
    tell("bad", error.message);
  } finally {
    button.disabled = false;
  }
}

export function startForm() {
  const fill = filling();
  form.addEventListener("submit", (event) => submit(fill, event));
}

/** Suggest the enterprises that are in the queue. */
export function suggest(requests) {
  const known = document.getElementById("known");
  const options = new Map(requests.map(({ enterprise_id: id, enterprise_name: name }) => [id, name ?? ""]));
  say(known, "");
  known.replaceChildren(...[...options].map(([id, name]) => new Option(name, id)));
}
