// What happens, as it happens: Server-Sent Events read from fetch, because EventSource cannot carry a token. A stream
// that ends is taken up where it was; the id of the last event says where that is.

import { headers, pause } from "./api.js";

const KEPT = 500;

class Events extends EventTarget {
  /** `off`, `joining`, `live` or `lost`. */
  state = "off";
  /** The latest events, newest first, with the time they came in. */
  recent = [];
  #last = null;
  #abort = null;

  start() {
    this.stop();
    const abort = (this.#abort = new AbortController());
    this.#listen(abort.signal).catch(() => {});
  }

  stop() {
    this.#abort?.abort();
    this.#abort = null;
    this.#is("off");
  }

  /** Forgets what another user heard. */
  forget() {
    this.stop();
    this.recent = [];
    this.#last = null;
  }

  #is(state) {
    if (this.state === state) return;
    this.state = state;
    this.dispatchEvent(new Event("state"));
  }

  async #listen(signal) {
    for (let wait = 500; !signal.aborted; wait = Math.min(wait * 2, 8_000)) {
      this.#is(this.state === "off" ? "joining" : "lost");
      try {
        const more = { accept: "text/event-stream", ...(this.#last ? { "last-event-id": this.#last } : {}) };
        const response = await fetch("/api/v1/events", { headers: headers(more), signal, cache: "no-store" });
        if (response.status === 400 && this.#last) this.#last = null;
        if (response.status === 401 || response.status === 403) return this.#is("off");
        if (response.ok) {
          const missed = this.state === "lost";
          this.#is("live");
          // What happened between two streams is told by the second; but where it began anew, everything may have.
          if (missed && !this.#last) this.dispatchEvent(new Event("gap"));
          wait = 500;
          await this.#read(response.body.getReader());
        }
      } catch {
        if (signal.aborted) return;
      }
      this.#is("lost");
      await pause(wait, signal);
    }
  }

  async #read(reader) {
    const decoder = new TextDecoder();
    let pending = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      pending += decoder.decode(value, { stream: true });
      const blocks = pending.split("\n\n");
      pending = blocks.pop();
      for (const block of blocks) this.#take(block);
    }
  }

  #take(block) {
    const data = [];
    for (const line of block.split("\n")) {
      if (line.startsWith("id:")) this.#last = line.slice(3).trim();
      else if (line.startsWith("data:")) data.push(line.slice(5).trimStart());
    }
    if (!data.length) return;
    let event;
    try {
      event = JSON.parse(data.join("\n"));
    } catch {
      return;
    }
    this.recent.unshift(event);
    this.recent.length = Math.min(this.recent.length, KEPT);
    this.dispatchEvent(new CustomEvent("activity", { detail: event }));
  }
}

export const events = new Events();
