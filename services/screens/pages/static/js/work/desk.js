import { address, read } from "./api.js";
import { startForm, suggest } from "./fill.js";
import { kept, showGroup } from "./group.js";
import { called, subject, ticking } from "./head.js";
import { guarded } from "./key.js";
import { nodeName } from "./node.js";
import { watch } from "./poll.js";
import { row, showRow } from "./row.js";

const WAITING = ["submitted", "reopened", "unmatched", "blocked", "resulted"];
const MOST = 10; // pages of the list
const AGAIN = 20_000; // what is said in minutes grows without any news

const asked = { node: subject, open: true };
const rows = kept((request) => request.id, row);
let shown = [];

function render() {
  const late = shown.filter((request) => request.late);
  const rest = shown.filter((request) => !request.late);
  showGroup("late", late, rows, showRow);
  showGroup("waiting", rest.filter(({ state }) => WAITING.includes(state)), rows, showRow);
  showGroup("under_way", rest.filter(({ state }) => !WAITING.includes(state)), rows, showRow);
  rows.only(shown);
}

/** The answer's own requests and those on its further pages; whether that is all. */
async function all(answer, signal) {
  const found = [...answer.requests];
  let { next } = answer;
  for (let pages = 1; next && pages < MOST; pages += 1) {
    const more = await read(address("/v1/requests", { ...asked, cursor: next }), signal);
    found.push(...more.requests);
    next = more.next;
  }
  return [found, !next];
}

const urgentFirst = (a, b) => Number(b.demand.urgent) - Number(a.demand.urgent) || a.since.localeCompare(b.since);

async function show(answer, signal) {
  const [found, whole] = await all(answer, signal);
  shown = found.sort(urgentFirst);
  document.getElementById("rest").hidden = whole;
  suggest(shown);
  render();
}

startForm();
ticking();
setInterval(render, AGAIN);
nodeName(subject, called);
guarded((signal) => watch("/v1/requests", asked, show, signal));
