import { make, quantity } from "./dom.js";
import { exact, text, unitName } from "./text.js";

const KINDS = ["direct", "indirect", "expected", "loss_avoided", "loss_recovered", "saving_per_year"];
const STATES = ["claimed", "confirmed", "audited"];
const BASES = ["measured", "estimated", "extrapolated"];

const slices = (benefit) => (benefit?.slices ?? []).filter((slice) => KINDS.includes(slice.kind) && STATES.includes(slice.state));
const basisName = (basis) => text(["benefit", "basis", basis]);

/** Neither kinds nor states nor bases are ever added up: one slice is the headline. */
function leading(benefit) {
  const own = slices(benefit).filter((slice) => slice.kind === "direct" && slice.state === "confirmed");
  return BASES.map((basis) => own.find((slice) => slice.basis === basis)).find(Boolean) ?? own[0];
}

export function headline(benefit) {
  const slice = leading(benefit);
  const named = text("benefit.headline", { kind: text("benefit.kind.direct"), state: text("benefit.state.confirmed") });
  const basis = slice && slice.basis !== "measured" ? basisName(slice.basis) : undefined;
  return { value: slice ? slice.value : 0, unit: benefit?.unit ?? "万元", name: basis ? `${named} · ${basis}` : named };
}

export function others(benefit) {
  const lead = leading(benefit);
  const own = slices(benefit).filter((slice) => slice.kind === "direct" && slice.state !== "confirmed");
  const same = own.filter((slice) => !lead || slice.basis === lead.basis);
  return STATES.flatMap((state) => same.filter((slice) => slice.state === state))
    .map((slice) => `${text(["benefit", "state", slice.state])} ${exact(slice.value)} ${unitName(benefit.unit)}`).join(" · ");
}

function cell(slice, unit) {
  if (!slice) return make("td", "none", text("none"));
  if (typeof slice.value !== "number") return make("td", "none", text("benefit.withheld"));
  const element = make("td", "", ...quantity(exact(slice.value), unit));
  element.dataset.state = slice.state;
  return element;
}

function row(kind, basis, own, unit) {
  const head = make("th", "", text(["benefit", "kind", kind]));
  head.scope = "row";
  if (basisName(basis)) head.append(" ", make("small", "", basisName(basis)));
  return make("tr", "", head, ...STATES.map((state) => cell(own.find((slice) => slice.state === state), unit)));
}

function head() {
  const cells = ["", ...STATES].map((state) => {
    const element = make("th", "", state ? text(["benefit", "state", state]) : make("span", "sr-only", text("benefit.column")));
    element.scope = "col";
    element.dataset.state = state;
    return element;
  });
  return make("thead", "", make("tr", "", ...cells));
}

let standing = "";

export function blankBenefits() {
  standing = "";
  document.getElementById("benefits").replaceChildren();
}

export function showBenefits(benefit) {
  const known = slices(benefit);
  const content = JSON.stringify([known, benefit?.unit]);
  if (content === standing) return;
  standing = content;
  const table = document.getElementById("benefits");
  if (known.length === 0) {
    table.replaceChildren(make("caption", "empty", text("benefit.empty")));
    return;
  }
  const unit = unitName(benefit.unit);
  const bases = [...BASES, ...known.map((slice) => slice.basis).filter((basis) => !BASES.includes(basis))];
  const rows = KINDS.flatMap((kind) => [...new Set(bases)].map((basis) => ({ kind, basis, own: known.filter((slice) => slice.kind === kind && slice.basis === basis) })))
    .filter(({ own }) => own.length > 0);
  table.style.setProperty("--rows", rows.length);
  table.replaceChildren(head(), make("tbody", "", ...rows.map(({ kind, basis, own }) => row(kind, basis, own, unit))));
}
