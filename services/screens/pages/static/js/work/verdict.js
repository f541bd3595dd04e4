import { Failed, call, pause } from "./api.js";
import { now } from "../time.js";

const TRIES = 12;
const LATER = [404, 503, 504];
const BETWEEN = 1_000;

const unique = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/**
 * One filling of a form. The same words sent twice are the same ask, with the same key and time, so
 * that a double click or a lost answer does not ask twice; other words are another.
 */
export function filling() {
  let last = null;
  return {
    of(words) {
      const same = JSON.stringify(words);
      if (last?.same !== same) last = { same, key: unique(), body: { occurred_at: now().toISOString(), ...words } };
      return last;
    },
    done() { last = null; },
  };
}

/** Ask, and return the verdict: {verdict: "moved" | "refused" | "pending", …}; raises Failed. */
export async function ask(path, { key, body }) {
  const headers = { "Content-Type": "application/json", "Idempotency-Key": key };
  const answer = await call(path, { method: "POST", headers, body: JSON.stringify(body) });
  return follow(new URL(answer.headers.get("Location"), location.origin));
}

async function follow(place) {
  place.searchParams.set("wait", "5");
  for (let tries = 0; tries < TRIES; tries += 1) {
    const found = await look(place.pathname + place.search);
    if (found && found.verdict !== "pending") return found;
    if (!found) await pause(BETWEEN);
  }
  return { verdict: "pending", request_id: place.pathname.split("/")[3] };
}

async function look(path) {
  try {
    return await (await call(path)).json();
  } catch (error) {
    if (error instanceof Failed && LATER.includes(error.status)) return null;
    throw error;
  }
}
