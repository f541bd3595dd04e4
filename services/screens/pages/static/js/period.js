import { find, markCurrent, say } from "./dom.js";
import { text } from "./text.js";

const nav = document.getElementById("periods");
const custom = find(".custom", nav);
const form = document.getElementById("custom");

/** The period as the page's address has it: all, today, month, year, a date part, or FROM..TO. */
export const chosen = () => new URLSearchParams(location.search).get("period") || "all";

/** The same as the counters know it; month and year roll on with the document's day. */
export function resolve(period, day) {
  return { today: day, month: day.slice(0, 7), year: day.slice(0, 4) }[period] ?? period;
}

function mark() {
  const period = chosen();
  const links = [...nav.querySelectorAll("a")];
  const own = links.find((link) => link.dataset.period === period);
  for (const link of links) markCurrent(link, link === own);
  const summary = find("summary", custom);
  markCurrent(summary, !own);
  const [from, to = from] = period.split("..");
  say(summary, own ? text("period.custom") : from === to ? from : text("period.range", { from, to }));
  if (/^\d{4}-\d\d-\d\d$/.test(from)) Object.assign(form.elements.from, { value: from });
  if (/^\d{4}-\d\d-\d\d$/.test(to)) Object.assign(form.elements.to, { value: to });
}

function choose(period, changed) {
  const address = new URL(location.href);
  address.searchParams.set("period", period);
  history.replaceState(null, "", address);
  custom.open = false;
  keepAddress();
  mark();
  changed();
}

/** Links to other pages and languages carry the language and the period along. */
export function keepAddress() {
  for (const link of document.querySelectorAll("[data-lang]")) {
    const address = new URL(location.href);
    address.searchParams.set("lang", link.dataset.lang);
    link.href = address.search;
  }
}

export function startPeriods(changed) {
  nav.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (!link || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    choose(link.dataset.period, changed);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const [from, to] = [form.elements.from.value, form.elements.to.value].sort();
    choose(from === to ? from : `${from}..${to}`, changed);
  });
  keepAddress();
  mark();
}
