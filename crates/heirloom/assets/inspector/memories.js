// The memories: search and filters, the list, and beside it the memory that is open.

import { call, Latest } from "./api.js";
import { Pane } from "./detail.js";
import { button, h, icon, put, say, tool } from "./dom.js";
import { events } from "./events.js";
import { howMany, keeps, listFilter, MOST_NAMESPACES, namespacesOf, Rail } from "./filters.js";
import { count, counted, duration } from "./format.js";
import { go, memoryPath, pathOf } from "./router.js";
import { makeRow, ROW_HEIGHT, whyCard } from "./row.js";
import { loadNamespaces } from "./app.js";
import { session } from "./session.js";
import { Hits, Listing } from "./source.js";
import { bones, failure, panel } from "./states.js";
import { VirtualList } from "./virtual.js";

const HITS = 100;

export class Memories {
  title = "Memories";

  constructor(root) {
    this.search = h("input", {
      type: "search", id: "search", placeholder: "Ask as an agent would…", "aria-label": "Search memories", autocomplete: "off", spellcheck: "false",
      on: { input: () => this.#typed(), keydown: (event) => this.#searchKey(event) },
    });
    this.modes = h("div", { class: "segments", role: "group", "aria-label": "How to search" },
      this.#mode("", "Recall", "The ranking that agents get"), this.#mode("exact", "Exact text", "Every memory that holds this very text"));
    this.summary = h("p", { class: "summary", role: "status", "aria-live": "polite" });
    this.host = h("div", { class: "rows", tabindex: -1 });
    this.state = h("div", { class: "list-state", hidden: true });
    this.body = h("div", { class: "list-body" }, this.host, this.state);
    this.railToggle = button([icon("filter"), h("span", null, "Filters")], () => this.#openRail(), { class: "button rail-toggle", "aria-expanded": "false" });
    this.rail = h("aside", { class: "rail", "aria-label": "Filters" });
    this.paneEl = h("section", { class: "pane", "aria-label": "Memory", hidden: true });
    this.card = h("div", { class: "why", role: "tooltip", hidden: true });
    this.list = h("section", { class: "list", "aria-label": "List of memories" },
      h("div", { class: "bar-search" }, h("form", { class: "search", role: "search", on: { submit: (event) => event.preventDefault() } }, icon("search"), this.search,
        tool("Clear search", "close", () => this.#clear(), { class: "tool clear" })), this.modes, this.railToggle),
      this.summary, this.body);
    this.el = h("div", { class: "memories" }, h("h1", { class: "unseen" }, "Memories"), this.rail, this.list, this.paneEl, this.card);
    root.replaceChildren(this.el);
    this.filters = new Rail(this.rail, (query) => go(this.#path(query)));
    this.pane = new Pane(this.paneEl, { close: () => go(pathOf("/memories", this.query)), changed: () => this.#soon(0) });
    this.open = null;
    this.current = 0;
    this.query = "";
    this.fresh = new Set();
    this.known = null;
    this.source = { total: 0, at: () => undefined, want() {}, indexOf: () => -1 };
    this.virtual = new VirtualList({ host: this.host, height: ROW_HEIGHT, make: () => makeRow(this), source: this.source });
    this.stats = new Latest();
    this.onEvent = (event) => this.#happened(event.detail);
    this.onGap = () => this.#soon(0);
    events.addEventListener("activity", this.onEvent);
    events.addEventListener("gap", this.onGap);
    // A click beside the rail closes it where it lies over the list.
    this.onPress = (event) => {
      if (this.el.classList.contains("rail-open") && !this.rail.contains(event.target) && !this.railToggle.contains(event.target)) this.#openRail(false);
    };
    document.addEventListener("pointerdown", this.onPress);
  }

  /** Goes where the address says. */
  show(place) {
    const query = new URLSearchParams(place.query);
    query.delete("tab");
    const text = query.toString();
    const first = this.known === null;
    const changed = first || text !== this.query;
    this.query = text;
    this.params = query;
    this.open = place.id ?? null;
    this.el.classList.toggle("has-open", Boolean(place.id));
    if (document.activeElement !== this.search) this.search.value = query.get("q") ?? "";
    for (const mode of this.modes.children) mode.setAttribute("aria-pressed", String((query.get("mode") ?? "") === mode.dataset.mode));
    this.search.placeholder = query.get("mode") === "exact" ? "Text as it stands in a memory…" : "Ask as an agent would…";
    this.el.classList.toggle("has-query", Boolean(query.get("q")));
    say(this.railToggle.lastChild, howMany(query) ? `Filters (${howMany(query)})` : "Filters");
    this.filters.show(query);
    if (changed) this.#begin();
    else this.virtual.draw();
    if (place.id) this.pane.open(place.namespace, place.id, place.query.get("tab") ?? "memory");
    else this.pane.close();
    if (first) this.#count();
  }

  /** The server or its database is back. */
  again() {
    this.#begin();
    this.#count();
    this.pane.reload();
  }

  end() {
    events.removeEventListener("activity", this.onEvent);
    events.removeEventListener("gap", this.onGap);
    document.removeEventListener("pointerdown", this.onPress);
    clearTimeout(this.timer);
    clearTimeout(this.typing);
    this.source.end?.();
    this.stats.stop();
    this.virtual.end();
    this.pane.end();
  }

  isNew(id) {
    return this.fresh.has(id);
  }

  /** j and k: the next row, or the one before. */
  step(by) {
    const from = this.open ? this.source.indexOf(this.open) : -1;
    const at = from >= 0 && this.open ? from + by : this.moved ? this.current + by : 0;
    this.moved = true;
    this.current = Math.max(0, Math.min(this.source.total - 1, at));
    const item = this.source.at(this.current);
    this.virtual.reveal(this.current)?.querySelector("a")?.focus({ preventScroll: true });
    if (item && this.open) go(memoryPath(item.namespace, item.id, this.query), { replace: true });
    else this.virtual.draw();
  }

  /** "Why this one" beside a score. */
  why(anchor, item) {
    this.card.hidden = !anchor || !item;
    if (this.card.hidden) return;
    put(this.card, whyCard(item));
    const box = anchor.getBoundingClientRect();
    const own = this.card.getBoundingClientRect();
    const below = box.bottom + own.height + 12 < innerHeight;
    this.card.style.top = `${below ? box.bottom + 6 : box.top - own.height - 6}px`;
    this.card.style.left = `${Math.max(8, Math.min(box.right - own.width, innerWidth - own.width - 8))}px`;
  }

  focusSearch() {
    this.search.focus();
    this.search.select();
  }

  #mode(mode, label, title) {
    return h("button", { type: "button", "data-mode": mode, title, on: { click: () => {
      const query = new URLSearchParams(this.params);
      if (mode) query.set("mode", mode);
      else query.delete("mode");
      go(this.#path(query));
      this.search.focus();
    } } }, label);
  }

  #path(query) {
    return this.open ? pathOf(location.pathname, query) : pathOf("/memories", query);
  }

  #openRail(open = !this.el.classList.contains("rail-open")) {
    this.el.classList.toggle("rail-open", open);
    this.railToggle.setAttribute("aria-expanded", String(open));
    if (open) this.rail.querySelector("button, input")?.focus();
  }

  #typed() {
    clearTimeout(this.typing);
    this.typing = setTimeout(() => this.#ask(), 220);
  }

  #ask() {
    const query = new URLSearchParams(this.params);
    const text = this.search.value.trim();
    if (text) query.set("q", text);
    else query.delete("q");
    go(this.#path(query), { replace: true });
  }

  #clear() {
    this.search.value = "";
    this.#ask();
    this.search.focus();
  }

  #searchKey(event) {
    if (event.key === "Escape" && this.search.value) {
      event.preventDefault();
      event.stopPropagation();
      this.#clear();
    } else if (event.key === "ArrowDown" || (event.key === "Enter" && this.source.total)) {
      event.preventDefault();
      clearTimeout(this.typing);
      this.moved = false;
      this.step(0);
    }
  }

  /** Another question: another list, from its beginning. */
  #begin() {
    this.source.end?.();
    clearTimeout(this.timer);
    this.timer = null;
    this.reading = false;
    this.stale = false;
    this.current = 0;
    this.moved = false;
    this.fresh.clear();
    this.known = null;
    const query = this.params;
    const words = query.get("mode") === "exact" ? "" : query.get("q") ?? "";
    const changed = () => this.virtual.draw();
    this.source = words
      ? new Hits({ query: words, namespaces: namespacesOf(query), kinds: query.getAll("kind"), limit: HITS,
          include_unverified: query.has("ghosts") || query.has("unverified") }, keeps(query), query.has("migrated"))
      : new Listing(listFilter(query), changed);
    this.virtual.source = this.source;
    this.why(null);
    this.known = new Set();
    if (!anyNamespace()) {
      this.#waited();
      return this.#empty();
    }
    this.#wait();
    this.#load(true);
  }

  /** Rows are drawn blank until they come, and what is there stays until then. */
  #wait() {
    clearTimeout(this.slow);
    this.body.setAttribute("aria-busy", "true");
    this.slow = setTimeout(() => {
      if (this.source.total === 0 && this.state.hidden) this.#state(bones(8, "Loading memories"));
    }, 250);
  }

  /** What was waited for is there, or will not come. */
  #waited() {
    clearTimeout(this.slow);
    this.body.removeAttribute("aria-busy");
  }

  async #load(first) {
    const source = this.source;
    try {
      const place = await source.load(() => this.virtual.sight());
      if (!place || source !== this.source) return;
      // The place is the one where the reader is now: who scrolled on meanwhile is not taken back.
      const anchor = first ? null : this.virtual.anchor();
      place();
      this.#mark(first);
      // A list that is hidden has no height, and would draw no rows.
      if (source.total > 0) this.#state(null);
      if (first) this.host.scrollTop = 0;
      this.virtual.size();
      this.virtual.hold(anchor);
      this.virtual.draw();
      this.#summary();
      if (source.total === 0) this.#empty();
      this.#waited();
    } catch (error) {
      if (source !== this.source) return;
      this.#waited();
      // What is on the page stays there while the database is away; the notice above says so.
      if (error.isAway && source.total > 0) return;
      this.#state(failure(error, () => this.again()));
      say(this.summary, "");
    }
  }

  /** What came in since the last look is lit up for a moment. */
  #mark(first) {
    const ids = [];
    for (let index = 0; index < Math.min(50, this.source.total); index++) ids.push(this.source.at(index)?.id);
    if (!first) for (const id of ids) if (id && !this.known.has(id)) this.fresh.add(id);
    for (const id of ids) this.known.add(id);
    if (this.fresh.size) {
      clearTimeout(this.fade);
      this.fade = setTimeout(() => {
        this.fresh.clear();
        this.virtual.draw();
      }, 2_500);
    }
  }

  #state(content) {
    this.state.hidden = content === null;
    this.host.hidden = content !== null;
    if (content) put(this.state, content);
    else this.state.replaceChildren();
  }

  #summary() {
    const { source, params } = this;
    const parts = [];
    if (source instanceof Hits) {
      parts.push(h("strong", null, counted(source.total, "result")));
      if (source.found !== source.total) parts.push(`${count(source.found - source.total)} more hidden by filters`);
      if (source.rankedBy) parts.push(`ranked by ${source.rankedBy}`);
      parts.push(duration(source.took / 1000));
      if (source.ghosts > 0) {
        parts.push(h("span", null, `${counted(source.ghosts, "unverified lesson")} left out `,
          button("Show", () => {
            const query = new URLSearchParams(params);
            query.set("ghosts", "1");
            go(this.#path(query));
          }, { class: "link" })));
      }
    } else {
      parts.push(h("strong", null, counted(source.total, "memory", "memories")));
      if (howMany(params) || params.get("q")) parts.push("that match");
      else parts.push("newest first");
    }
    if (!params.has("ns") && session.namespaces.length > MOST_NAMESPACES) parts.push(`of the first ${count(MOST_NAMESPACES)} namespaces`);
    put(this.summary, parts.map((part, at) => [at > 0 && h("span", { class: "sep", "aria-hidden": "true" }, " · "), part]));
  }

  #empty() {
    const { params } = this;
    const narrowed = howMany(params) > 0;
    const widen = [narrowed && button("Clear filters", () => go(pathOf("/memories", params.get("q") ? { q: params.get("q") } : {})))];
    if (this.source.ghosts > 0) {
      widen.push(button(`Show ${counted(this.source.ghosts, "unverified lesson")}`, () => {
        const query = new URLSearchParams(params);
        query.set("ghosts", "1");
        go(this.#path(query));
      }));
    }
    if (params.get("q") || narrowed) {
      const title = params.get("q") ? "Nothing is remembered about that" : "No memory matches these filters";
      const text = params.get("mode") === "exact" ? "No memory holds this very text. Recall finds other words for the same thing."
        : "Other words may find it, or fewer filters.";
      this.#state(panel({ title, text, actions: widen.filter(Boolean) }));
    } else {
      this.#state(panel({
        title: "Nothing is remembered yet",
        text: "What agents remember over MCP, HTTP and SQL appears here as it happens. You can write the first one yourself:",
        code: "heirloom remember --namespace team:research \"Staging is reset every Sunday\"",
      }));
    }
    this.#summary();
  }

  #happened(event) {
    const namespace = event.payload?.method;
    if (!namespace) return;
    const chosen = this.params?.getAll("ns") ?? [];
    if (chosen.length && !chosen.includes(namespace)) return;
    this.pane.happened(event);
    // A long list is read anew less often than a short one.
    this.#soon(Math.max(300, Math.min(5_000, this.source.took * 3 || 0)));
  }

  #soon(wait) {
    if (this.timer && wait > 0) return;
    // What happens while the list is being read may be missing from what was read.
    if (this.reading && wait > 0) {
      this.stale = true;
      return;
    }
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#anew(wait), wait);
  }

  async #anew(wait) {
    this.timer = null;
    this.reading = true;
    this.stale = false;
    if (await loadNamespaces(this.lastNames)) this.lastNames = Date.now();
    if (!(this.source instanceof Listing || this.source instanceof Hits)) return this.#begin();
    if (this.source instanceof Listing) this.source.filter = listFilter(this.params);
    await this.#load(false);
    this.reading = false;
    this.#countSoon();
    if (this.stale) this.#soon(wait);
  }

  #countSoon() {
    clearTimeout(this.counting);
    this.counting = setTimeout(() => this.#count(), Math.max(1_500, (this.countTook ?? 0) * 10));
  }

  async #count() {
    if (!anyNamespace()) return this.filters.show(this.params, null);
    const began = performance.now();
    try {
      const stats = await this.stats.run((signal) => call("stats", { namespaces: namespacesOf(new URLSearchParams()) }, { signal }));
      if (!stats) return;
      this.countTook = performance.now() - began;
      this.filters.show(this.params, stats);
    } catch {
      // The list says what is wrong; numbers beside filters are not needed for it.
    }
  }
}

function anyNamespace() {
  return namespacesOf(new URLSearchParams()).length > 0;
}
