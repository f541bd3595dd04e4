import { text } from "../text.js";
import * as time from "../time.js";
import { key, lock } from "./key.js";

/** What went wrong, as a status of HTTP or "network"; `message` is a sentence for people. */
export class Failed extends Error {
  constructor(status, detail = "") {
    super(text(["problem", String(status)], { detail }) ?? text("problem.other", { detail: detail || status }));
    this.status = status;
  }
}

async function problem(answer) {
  const told = await answer.json().catch(() => ({}));
  const errors = (told.errors ?? []).map(({ field, detail }) => `${field}: ${detail}`);
  return new Failed(answer.status, errors.join("; ") || told.detail);
}

/** Fetch with the key of who looks; raises Failed. A key that is not valid is asked for anew. */
export async function call(path, { headers, ...more } = {}) {
  const shown = { Authorization: `Bearer ${key()}`, ...headers };
  const answer = await fetch(path, { headers: shown, cache: "no-store", ...more }).catch((error) => {
    if (error.name === "AbortError") throw error;
    throw new Failed("network");
  });
  const date = answer.headers.get("Date");
  if (date) time.setNow(date);
  if (answer.ok) return answer;
  const failure = await problem(answer);
  if (answer.status === 401) lock(failure.message);
  throw failure;
}

export const read = async (path, signal) => (await call(path, { signal })).json();

/** An address with what is asked for; what is undefined is left out. */
export function address(path, asked) {
  const given = Object.entries(asked).filter(([, value]) => value !== undefined);
  return given.length ? `${path}?${new URLSearchParams(given)}` : path;
}

export function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => { clearTimeout(timer); reject(signal.reason); }, { once: true });
  });
}
