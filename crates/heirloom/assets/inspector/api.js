// The one way in: operations of /api/v1 as JSON. A failure is an ApiError that says what the server said.

import { token } from "./session.js";

const LONGEST = 40_000;

/** The database answers, and what is in it is no store that this server can work with. */
const NO_STORE = ["no-store", "store-older", "store-newer", "store-altered", "server-lacks"];

/** A refusal, or no answer at all (status 0). */
export class ApiError extends Error {
  constructor(status, problem = {}) {
    super(problem.detail ?? problem.title ?? "The server did not answer.");
    this.status = status;
    this.code = problem.code ?? (status ? "unknown" : "no-answer");
    this.field = problem.field;
    this.hints = problem.hints ?? [];
  }

  /** Whether the same may work again in a while, without anybody's doing. A store that is not there needs somebody. */
  get isAway() {
    if (this.code === "timeout" || NO_STORE.includes(this.code)) return false;
    return this.status === 0 || this.status === 502 || this.status === 503 || this.status === 504;
  }
}

/** Told of every failure that is not the view's own: no token, nobody there. */
export const trouble = new EventTarget();

export function headers(more) {
  const secret = token();
  return { ...(secret ? { authorization: `Bearer ${secret}` } : {}), ...more };
}

/**
 * Runs an operation. `signal` gives it up; then it throws an AbortError that views pass over. `longest` is how long an
 * answer may take, in milliseconds: those that read every row of a table take as long as they take.
 */
export async function call(operation, body = {}, { signal, more, longest = LONGEST, again = true } = {}) {
  const path = `/api/v1/${operation.replaceAll(" ", "/")}`;
  const limit = AbortSignal.timeout(longest);
  let response, text;
  try {
    response = await fetch(path, {
      method: "POST",
      headers: headers({ "content-type": "application/json", ...more }),
      body: JSON.stringify(body),
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
      cache: "no-store",
      credentials: "omit",
    });
    text = await response.text();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw told(new ApiError(0));
  }
  const json = parsed(text);
  if (response.ok) return json;
  if (response.status === 429 && again) {
    await pause(Math.min(Number(response.headers.get("retry-after") ?? 1), 10) * 1000, signal);
    return call(operation, body, { signal, more, longest, again: false });
  }
  throw told(new ApiError(response.status, json ?? {}));
}

function told(error) {
  if (error.status === 401) trouble.dispatchEvent(new Event("unauthorised"));
  if (error.isAway) trouble.dispatchEvent(new CustomEvent("away", { detail: error }));
  return error;
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export function pause(millis, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, millis);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    }, { once: true });
  });
}

/** Whether there is something to ask: the server and its database answer, be it that the store is gone. */
export async function isBack() {
  try {
    const response = await fetch("/readyz", { cache: "no-store", signal: AbortSignal.timeout(5_000) });
    return response.ok || !new ApiError(response.status, parsed(await response.text()) ?? {}).isAway;
  } catch {
    return false;
  }
}

/** The names of the operations this server has: views look before they ask. */
export async function operations() {
  const response = await fetch("/api/v1/openapi.json", { cache: "no-store" });
  const contract = await response.json();
  return new Set(Object.keys(contract.paths).map((path) => path.replace("/api/v1/", "").replaceAll("/", " ")));
}

/**
 * Keeps a slow answer from overwriting a newer one: each ask gives up the one before, and an answer that comes too late
 * all the same is dropped.
 */
export class Latest {
  #at = 0;
  #abort = null;

  /** Runs `ask(signal)`; resolves to undefined when a later one was asked meanwhile. */
  async run(ask) {
    this.stop();
    const mine = ++this.#at;
    const abort = (this.#abort = new AbortController());
    try {
      const answer = await ask(abort.signal);
      return mine === this.#at ? answer : undefined;
    } catch (error) {
      if (mine !== this.#at || abort.signal.aborted) return undefined;
      throw error;
    }
  }

  stop() {
    this.#at++;
    this.#abort?.abort();
    this.#abort = null;
  }
}
