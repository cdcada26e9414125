// What a list shows: pages of a listing that can be asked for in any order, or the hits of a question.
//
// A listing comes with marks, the cursor after each PAGE rows, so that a reader who drags the scroll bar to row 70,000
// asks for one page there and not for the seven hundred before it.

import { call, Latest } from "./api.js";

export const PAGE = 100;

/** Pages that are asked for at a time; the rest waits until they are there. */
const AT_ONCE = 3;

export class Listing {
  total = 0;
  #pages = new Map();
  #marks = [];
  #asked = new Set();
  #gone = new AbortController();
  #fresh = new Latest();
  #version = 0;
  #settle = 0;

  /** @param filter the fields of `list`; @param changed called when there is something new to draw */
  constructor(filter, changed) {
    this.filter = filter;
    this.changed = changed;
    this.took = 0;
  }

  at(index) {
    return this.#pages.get(Math.floor(index / PAGE))?.[index % PAGE];
  }

  indexOf(id) {
    for (const [page, items] of this.#pages) {
      const at = items.findIndex((item) => item.id === id);
      if (at >= 0) return page * PAGE + at;
    }
    return -1;
  }

  /**
   * Reads the first page and the marks; later, all of it anew with the pages in sight. Gives what puts them in place at
   * once, or null when a later reading overtook this one.
   */
  async load(sight) {
    const began = performance.now();
    const done = await this.#fresh.run(async (signal) => {
      const head = await call("list", { ...this.filter, limit: PAGE, marks: PAGE }, { signal });
      const pages = new Map([[0, head.items]]);
      const [first, last] = sight?.() ?? [0, 0];
      // What is in sight stands as many rows further down as came in above it.
      const moved = this.total ? Math.max(0, head.total - this.total) : 0;
      const wanted = new Set();
      for (const by of [0, moved]) {
        for (let page = Math.floor((first + by) / PAGE); page * PAGE < Math.min(last + by, head.total); page++) {
          if (page > 0) wanted.add(page);
        }
      }
      await Promise.all([...wanted].map(async (page) => {
        pages.set(page, (await this.#read(page, head.marks, signal)).items);
      }));
      return { head, pages };
    });
    if (!done) return null;
    this.took = performance.now() - began;
    return () => {
      this.#version++;
      this.#asked.clear();
      this.total = done.head.total;
      this.#marks = done.head.marks;
      this.#pages = done.pages;
    };
  }

  #read(page, marks, signal) {
    const cursor = marks[page - 1];
    return call("list", { ...this.filter, limit: PAGE, ...(cursor ? { cursor } : {}) }, { signal });
  }

  /** Asks for what is in sight and not there, once the scrolling pauses. */
  want(first, last) {
    clearTimeout(this.#settle);
    const missing = [];
    for (let page = Math.floor(first / PAGE); page * PAGE < last; page++) {
      if (!this.#pages.has(page) && !this.#asked.has(page)) missing.push(page);
    }
    if (missing.length) this.#settle = setTimeout(() => this.#ask(missing), 40);
  }

  async #ask(pages) {
    const version = this.#version;
    for (const page of pages.slice(0, AT_ONCE)) {
      this.#asked.add(page);
      this.#read(page, this.#marks, this.#gone.signal).then((answer) => {
        // Of a list that was read anew meanwhile, it may be another page.
        if (version !== this.#version) return;
        this.#pages.set(page, answer.items);
        this.changed();
      }).catch(() => {}).finally(() => {
        if (version === this.#version) this.#asked.delete(page);
      });
    }
  }

  end() {
    clearTimeout(this.#settle);
    this.#fresh.stop();
    this.#gone.abort();
  }
}

/** Hits in their order; filters that recall does not know are applied to what it found. */
export class Hits {
  total = 0;
  items = [];
  found = 0;
  ghosts = 0;
  #fresh = new Latest();

  /** @param handedDown whether only memories that have an origin are wanted, which takes a question each */
  constructor(question, keeps, handedDown) {
    this.question = question;
    this.keeps = keeps;
    this.handedDown = handedDown;
    this.took = 0;
  }

  at(index) {
    return this.items[index];
  }

  indexOf(id) {
    return this.items.findIndex((item) => item.id === id);
  }

  /** Asks. Gives what puts the answer in place, as a listing does. */
  async load() {
    const began = performance.now();
    const answer = await this.#fresh.run(async (signal) => {
      const found = await call("recall", this.question, { signal });
      const kept = found.hits.filter(this.keeps);
      return { ...found, kept: this.handedDown ? await withOrigin(kept, signal) : kept };
    });
    if (!answer) return null;
    this.took = performance.now() - began;
    return () => {
      this.found = answer.hits.length;
      this.ghosts = answer.ghosts_left_out;
      this.rankedBy = answer.ranked_by;
      this.warning = answer.warning;
      this.items = answer.kept;
      this.total = this.items.length;
    };
  }

  want() {}

  end() {
    this.#fresh.stop();
  }
}

/** Those that were handed down. One that is gone meanwhile is none of them. */
async function withOrigin(hits, signal) {
  const origins = new Array(hits.length);
  let next = 0;
  const ask = async () => {
    while (next < hits.length) {
      const at = next++;
      const { id, namespace } = hits[at];
      origins[at] = await call("origin", { id, namespace }, { signal }).then((found) => found.origin, (error) => {
        if (error.status === 404) return null;
        throw error;
      });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, ask));
  return hits.filter((_, at) => origins[at]);
}
