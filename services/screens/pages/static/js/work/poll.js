import { Failed, address, pause, read } from "./api.js";
import { connected } from "./head.js";
import { lock } from "./key.js";

const WAIT = 25; // seconds that the server may hold an answer back
const AGAIN = 5_000; // before asking anew where an answer came at once and unchanged
const RETRY = 3_000;

async function once(path, asked, version, signal) {
  const began = Date.now();
  const found = await read(address(path, { ...asked, version, wait: version === undefined ? undefined : WAIT }), signal);
  const changed = version === undefined || found.version !== version;
  return { found, changed, quick: Date.now() - began < AGAIN };
}

/** Ask for `path` again and again; `show(answer)` is called with each new version of it. */
export async function watch(path, asked, show, signal) {
  let version;
  while (!signal.aborted) {
    try {
      const { found, changed, quick } = await once(path, asked, version, signal);
      connected(true);
      if (changed) await show(found, signal);
      version = found.version;
      if (version === undefined || (!changed && quick)) await pause(AGAIN, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Failed)) throw error;
      if (error.status === 403) lock(error.message);
      else await failed(error, signal);
    }
  }
}

async function failed(error, signal) {
  connected(false, error.message);
  await pause(RETRY, signal).catch(() => {});
}
