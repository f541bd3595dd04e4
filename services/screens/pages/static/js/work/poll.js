import { Failed, address, pause, read } from "./api.js";
import { connected, gone } from "./head.js";
import { lock } from "./key.js";

const WAIT = 25; // seconds that the server may hold an answer back
const BETWEEN = 1_000; // however fast news come
const RETRY = 3_000;

/**
 * Follow a list: ask for it again and again, each time once it may have changed. `show(answer)` is
 * called with every answer, for time alone makes requests late.
 */
export async function watch(path, asked, show, signal) {
  let version;
  let wait = 0; // at first and after a failure: that the server answers is news of its own
  while (!signal.aborted) {
    try {
      const found = await read(address(path, { ...asked, version, wait }), signal);
      await show(found, signal);
      connected(true);
      version = found.version;
      wait = WAIT;
      await pause(BETWEEN, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Failed)) throw error;
      wait = 0;
      await failed(error, signal);
    }
  }
}

/** Follow something that is no list: read it anew whenever the requests of `asked` change. */
export function heed(path, asked, show, signal) {
  return watch("/v1/requests", { ...asked, limit: 1 }, async () => show(await read(path, signal), signal), signal);
}

async function failed(error, signal) {
  if (error.status === 403) lock(error.message);
  else if (error.status === 404) gone(error.message);
  else connected(false, error.message);
  await pause(RETRY, signal).catch(() => {});
}
