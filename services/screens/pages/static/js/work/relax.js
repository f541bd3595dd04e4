import { text, whole } from "../text.js";
import { minutes } from "../time.js";
import { list, word, words } from "./words.js";

const FEN = 100;
const WAN = 1_000_000;

/** Which words tell of a change to a resource's own document. */
const OWN = {
  status: "status", busy: "free", calendar: "free", cap: "capacity", capacity: "capacity", shared: "shared", qualifications: "qualification",
  calibration_until: "calibration", elements: "elements", specialties: "specialty", industries: "industry",
};

/** How the value of a field is told; others are told as they are. */
const VALUES = {
  need_by: (to) => ({ to: minutes(to) }),
  not_before: (to) => ({ to: minutes(to) }),
  budget: (to) => ({ to: whole(to / FEN) }),
  loan_amount: (to) => ({ to: whole(to / WAN), yuan: whole(to / FEN) }),
  loan_ground: (to) => ({ to: word("ground", to) }),
  elements: (to) => ({ to: words("elements", to) }),
  mode: (to) => ({ to: word("modes", to) }),
  kinds: (to) => ({ to: words("kind", to) }),
};

function parsed(json) {
  try {
    return JSON.parse(json);
  } catch {
    return json; // a plain word
  }
}

/** need_by, needs.0.industry and loan.amount become need_by, industry and loan_amount. */
const fieldOf = (path) => path.replace(/^needs\.\d+\.?/, "").replace("loan.", "loan_").replaceAll(".", "_") || "needs";

function ofResource(relaxation, named) {
  const own = OWN[relaxation.field.split(".")[0]] ?? "other";
  return text(["relax", `of_${own}`], { who: named(relaxation.resource), field: relaxation.field, to: relaxation.to });
}

function ofDemand(relaxation) {
  const field = fieldOf(relaxation.field);
  const to = parsed(relaxation.to);
  if (to === null) return text(["relax", `${field}_none`]) ?? text(["relax", field]) ?? text("relax.other_none", { field });
  const values = VALUES[field]?.(to) ?? { to: String(to) };
  return text(["relax", field], values) ?? text("relax.other", { field, ...values });
}

const nameless = () => text("relax.somebody");

/** The least that would help, in words; "" when nothing is known to. See nobody() for `named`. */
export function relaxation(unmatched, named) {
  const changes = (unmatched?.relaxation ?? []).map((one) => (one.resource ? ofResource(one, named ?? nameless) : ofDemand(one)));
  if (!changes.length) return "";
  const who = named ? list((unmatched.would_fit ?? []).map(named)) : "";
  return text(who ? "relax.lead_who" : "relax.lead", { what: changes.join(text("join.and")), who });
}
