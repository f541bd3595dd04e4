import { merge } from "./merge.js";

const QUIET = 45_000; // the server says something at least every 15 s
const LOST = 30_000;
const RETRY = 3_000;

/**
 * Follow a node. `show(document, patch)` is called after each message (patch is null for a
 * snapshot), `connection(state, since)` about once a second; `since` is when we last heard.
 */
export function follow(node, show, connection) {
  let source;
  let opened;
  let current = null;
  let heard = Date.now();

  const receive = (event, isPatch) => {
    heard = Date.now();
    const data = JSON.parse(event.data);
    if (isPatch && current === null) return;
    current = isPatch ? merge(current, data) : data;
    show(current, isPatch ? data : null);
    connection("live", null);
  };

  const open = () => {
    source?.close();
    opened = Date.now();
    source = new EventSource(`/v1/live?node=${encodeURIComponent(node)}`);
    source.addEventListener("snapshot", (event) => receive(event, false));
    source.addEventListener("change", (event) => receive(event, true));
    source.addEventListener("ping", () => { heard = Date.now(); });
    source.addEventListener("error", watch);
  };

  const watch = () => {
    const quiet = Date.now() - heard;
    const tried = Date.now() - opened;
    if (source.readyState === EventSource.OPEN && quiet < QUIET) {
      if (current !== null) connection("live", null);
    } else if (quiet > LOST) connection("lost", new Date(heard));
    else connection(current === null ? "connecting" : "reconnecting", new Date(heard));
    // A browser gives up for good on an answer that is no stream, and never notices a dead line.
    const gaveUp = source.readyState === EventSource.CLOSED && tried > RETRY;
    if (gaveUp || (quiet > QUIET && tried > QUIET)) open();
  };

  open();
  setInterval(watch, 1_000);
}
