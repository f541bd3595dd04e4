import { make, quantity } from "./dom.js";
import { exact, text } from "./text.js";

const FIELDS = ["inside", "radiated", "agencies", "staff", "heads", "quality_officers", "floor_m2", "land_mu"];

const row = (field, value) => make("div", "",
  make("dt", "", text(["profile", field, "name"])), make("dd", "", ...quantity(value, text(["profile", field, "unit"]))));

/** Funds come from several purses, which stay apart. */
const funds = (profile) => (profile?.funds?.length ? [row("funds", profile.funds.map(exact).join(" + "))] : []);

let standing = "";

export function showProfile(profile) {
  const fields = FIELDS.filter((field) => typeof profile?.[field] === "number");
  const content = JSON.stringify(profile);
  if (content === standing) return;
  standing = content;
  const list = document.getElementById("profile");
  list.closest("section").hidden = fields.length === 0;
  list.replaceChildren(...fields.map((field) => row(field, exact(profile[field]))), ...funds(profile));
}
