import { blankBenefits, showBenefits } from "./benefits.js";
import { setContext } from "./card.js";
import { measuresOf } from "./counters.js";
import { find, say } from "./dom.js";
import { blankNumbers, showFigures, showStrip, startFigures } from "./figures.js";
import { follow } from "./live.js";
import { chosen, resolve, startPeriods } from "./period.js";
import { showProfile } from "./profile.js";
import { showRanking } from "./ranking.js";
import { showConnection, showStatus, tick } from "./status.js";
import { showStuck } from "./stuck.js";
import { called, text } from "./text.js";
import { showTicker } from "./ticker.js";
import { showTiles } from "./tiles.js";
import * as time from "./time.js";
import { showTrend } from "./trend.js";

const wall = find(".wall");
let live = null;
let failure = null;

function showNumbers() {
  const period = resolve(chosen(), live.day);
  const measures = measuresOf(live, period, (error) => { failure = error; render(); });
  say(document.getElementById("as-of"), failure ? text("period.failed") : "");
  setContext({ node: live.node.id, period, complete_to: live.complete_to, silent: live.silent.length });
  if (!measures) {
    blankNumbers();
    blankBenefits();
    return;
  }
  // What today added belongs beside a total that today is part of, not beside itself.
  const holdsToday = period === "all" || (live.day.startsWith(period) && period !== live.day);
  showFigures(measures, holdsToday ? live.today : null);
  showStrip(measures);
  showBenefits(measures.benefit);
}

function render() {
  if (live === null) return;
  say(document.getElementById("name"), called(live.node));
  document.title = called(live.node);
  const below = Object.keys(live.stations).some((id) => id !== live.node.id);
  wall.dataset.kind = below ? "hub" : "station";
  showStatus(live);
  tick();
  showNumbers();
  if (below) showTiles(live);
  showStuck(live);
  showProfile(live.profile);
  showRanking(live);
  showTrend(live);
  showTicker(live);
  wall.setAttribute("aria-busy", "false");
}

let waiting = false;

/** However many changes arrive, the page is drawn once per frame. */
function show(document_, patch) {
  live = document_;
  if (patch === null || patch.now) time.setNow(live.now);
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    render();
  });
}

startFigures();
startPeriods(() => {
  failure = null;
  render();
});
tick();
setInterval(tick, 1_000);
setInterval(render, 30_000); // what is said in minutes ago grows without any event
follow(wall.dataset.node, show, showConnection);
