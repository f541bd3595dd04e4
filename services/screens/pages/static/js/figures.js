import { describe } from "./card.js";
import { find, make, say } from "./dom.js";
import { roll } from "./roll.js";
import { exact, text, unitName } from "./text.js";
import { headline, others } from "./benefits.js";

const NOTES = { services_delivered: "consult_person_times", visits: "enterprises_visited", problems_solved: "problems_found" };
const STRIP = [
  "activities_held", "activity_enterprises", "activity_persons", "enterprises_trained", "enterprises_improved", "improvement_projects",
  "standards", "patents", "certificates", "title_filings", "titles_gained", "method_adopters", "benchmark_enterprises",
];
const STRIP_MOST = 10;
const SHORTEST = 4; // digits, below which a number does not grow further

/** 家 of a day is a set of its own, not what the total grew by, so it carries no plus. */
function today(measure) {
  if (!measure?.value) return "";
  const kind = measure.unit === "家" ? "distinct" : "added";
  return text(["today", kind], { value: exact(measure.value), unit: unitName(measure.unit) });
}

function note(name, measures) {
  const other = measures[NOTES[name]];
  return other ? text(["note", name], { value: exact(other.value), unit: unitName(other.unit) }) : "";
}

function showNote(element, added, rest) {
  const parts = [];
  if (added) parts.push(make("span", "added", added));
  if (rest) parts.push(make("span", "", rest));
  if (element.textContent !== parts.map((part) => part.textContent).join("")) element.replaceChildren(...parts);
}

function showFigure(element, measures, added) {
  const name = element.dataset.measure;
  const benefit = name === "benefit";
  const measure = benefit ? headline(measures.benefit) : measures[name] ?? { value: null, unit: "" };
  if (measure.name) say(find(".figure-name", element), measure.name);
  roll(find(".number", element), measure.value);
  say(find(".unit", element), unitName(measure.unit));
  const rest = benefit ? others(measures.benefit) : note(name, measures);
  showNote(find(".figure-note", element), benefit ? "" : today(added?.[name]), rest);
  return exact(measure.value).length;
}

export function showFigures(measures, added) {
  const figures = [...document.querySelectorAll(".figure")];
  const lengths = figures.map((element) => showFigure(element, measures, added));
  find(".figures").style.setProperty("--digits", Math.max(SHORTEST, ...lengths));
}

/** Another period was asked for and is not here yet: no number may stand under its name. */
export function blankNumbers() {
  for (const element of document.querySelectorAll(".figure, .small")) {
    roll(find(".number", element), undefined);
    say(find(".unit", element), "");
  }
  for (const element of document.querySelectorAll(".figure-note")) element.replaceChildren();
}

function small(name) {
  const number = make("span", "number");
  const button = make("button", "reading", number, " ", make("span", "unit"));
  button.type = "button";
  const element = make("div", "small", make("h3", "", text(["measures", name, "name"]) ?? name), button);
  element.dataset.measure = name;
  describe(button, name);
  return element;
}

export function showStrip(measures) {
  const strip = document.getElementById("strip");
  const names = STRIP.filter((name) => typeof measures[name]?.value === "number").slice(0, STRIP_MOST);
  const standing = [...strip.children].map((child) => child.dataset.measure).join();
  if (standing !== names.join()) strip.replaceChildren(...names.map(small));
  for (const element of strip.children) {
    const measure = measures[element.dataset.measure];
    roll(find(".number", element), measure.value);
    say(find(".unit", element), unitName(measure.unit));
  }
}

export function startFigures() {
  for (const element of document.querySelectorAll(".figure")) describe(find(".reading", element), element.dataset.measure);
}
