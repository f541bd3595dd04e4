import { Failed, address, pause, read } from "./api.js";
import { connected } from "./head.js";
import { lock } from "./key.js";

const WAIT = 25; // seconds that the server may hold an answer back
const AGAIN = 5_000; // before asking anew where an answer came at once and unchanged
const RETRY = 3_000;

async function once(path, asked, version, wait, signal) {
  const began = Date.now();
  const found = await read(address(path, { ...asked, version, wait }), signal);
  const changed = version === undefined || found.version !== version;
  return { found, changed, quick: Date.now() - began < AGAIN };
}

/** Ask for `path` again and again; `show(answer)` is called with each new version of it. */
export async function watch(path, asked, show, signal) {
  let version;
  let wait; // none at first and after a failure: that the server answers is news of its own
  while (!signal.aborted) {
    try {
      const { found, changed, quick } = await once(path, asked, version, wait, signal);
      connected(true);
      if (changed) await show(found, signal);
      const waited = wait !== undefined;
      version = found.version;
      wait = version === undefined ? undefined : WAIT;
      if (version === undefined || (waited && !changed && quick)) await pause(AGAIN, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Failed)) throw error;
      wait = undefined;
      if (error.status === 403) lock(error.message);
      else await failed(error, signal);
    }
  }
}

async function failed(error, signal) {
  connected(false, error.message);
  await pause(RETRY, signal).catch(() => {});
}
