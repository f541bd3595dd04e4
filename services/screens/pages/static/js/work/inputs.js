import { make } from "../dom.js";
import { text } from "../text.js";
import { word } from "./words.js";

const BLOCKED = ["sample_in_transit", "equipment_booked", "standard_missing", "licence_pending", "fee_not_agreed", "enterprise_absent"];
const PLACES = ["onsite", "window", "online", "host"];
const OUTPUTS = ["standard", "report", "patent", "certificate", "template"];
const SCORES = ["5", "4", "3", "2", "1"];

const reason = (required) => ({ name: "reason", kind: "text", label: "field.reason", required });

/** What an ask needs to be told; an ask that is not here needs nothing. */
export const INPUTS = {
  "request.returned": [reason(true)],
  "service.started": [{ name: "place", kind: "choice", label: "field.place", group: "where", of: PLACES }],
  "service.blocked": [{ name: "reason", kind: "choice", label: "field.reason", group: "blocked", of: BLOCKED }],
  "request.result_recorded": [
    { name: "outputs", kind: "ticks", label: "field.outputs", group: "output", of: OUTPUTS },
    { name: "findings", kind: "text", label: "field.findings", most: 64 },
  ],
  "request.disputed": [reason(true)],
  "request.evaluated": [{ name: "score", kind: "score", label: "field.score", of: SCORES }],
  "request.followed_up": [{ name: "note", kind: "text", label: "field.note" }],
  "escalation.requested": [reason(false)],
  "request.closed": [reason(false)],
  "request.cancelled": [reason(false)],
  "request.reopened": [reason(true)],
  "offer.declined": [reason(true)],
};

function labelled(words, input) {
  return make("label", "", `${words} `, input);
}

const MAKE = {
  text(field) {
    const input = make("input");
    Object.assign(input, { name: field.name, required: field.required ?? false, maxLength: field.most ?? 500, autocomplete: "off" });
    return labelled(text(field.label) + (field.required ? "" : text("field.optional")), input);
  },
  choice(field) {
    const input = make("select", "", ...field.of.map((value) => new Option(word(field.group, value), value)));
    input.name = field.name;
    return labelled(text(field.label), input);
  },
  ticks: (field) => boxes(field, "checkbox"),
  score: (field) => boxes(field, "radio"),
};

function boxes(field, type) {
  const labels = field.of.map((value) => {
    const input = make("input");
    Object.assign(input, { type, name: field.name, value, required: type === "radio" });
    return make("label", "", input, ` ${field.group ? word(field.group, value) : value}`);
  });
  return make("fieldset", "ticks", make("legend", "", text(field.label)), ...labels);
}

/** The inputs of an ask; [] when it needs none. */
export const inputs = (ask) => (INPUTS[ask] ?? []).map((field) => MAKE[field.kind](field));

/** What a form says, as the ask has it; what was left empty is left out. */
export function said(ask, form) {
  const data = new FormData(form);
  const values = (INPUTS[ask] ?? []).map(({ name, kind }) => {
    if (kind === "ticks") return [name, data.getAll(name)];
    const value = data.get(name)?.trim();
    return [name, kind === "score" ? Number(value) : value];
  });
  return Object.fromEntries(values.filter(([, value]) => (Array.isArray(value) ? value.length : value)));
}
