// What narrows the list: kept in the address, drawn in the rail.

import { button, h, put } from "./dom.js";
import { count } from "./format.js";
import { session } from "./session.js";

const STATES = ["draft", "candidate", "validated", "canonical", "deprecated", "superseded", "archived", "rejected", "conflicted"];
const KINDS = ["lesson", "fact", "summary", "checkpoint"];
const SOURCES = ["agent", "runtime", "user", "imported"];
const FLAGS = [
  ["pinned", "Pinned"],
  ["expiring", "Expires within 7 days"],
  ["expired", "Expired"],
  ["unverified", "Unverified lessons"],
  ["migrated", "Handed down"],
];
const WORDS = [["role", "Role"], ["topic", "Topic"], ["tag", "Tag"]];
export const MOST_NAMESPACES = 1_024;

/** Every field of the address that narrows the list. */
export const FIELDS = ["ns", "kind", "state", "source", "role", "topic", "tag", ...FLAGS.map(([name]) => name)];

/** The namespaces of a call: those that are chosen, else all there are. */
export function namespacesOf(query) {
  const chosen = query.getAll("ns");
  return chosen.length ? chosen : session.namespaces.slice(0, MOST_NAMESPACES);
}

/** The fields of `list`. */
export function listFilter(query) {
  const flag = (name) => (query.has(name) ? query.get(name) !== "0" : undefined);
  const words = Object.fromEntries(WORDS.map(([name]) => [name, query.get(name) || undefined]));
  return {
    namespaces: namespacesOf(query),
    kinds: query.getAll("kind"),
    states: query.getAll("state"),
    sources: query.getAll("source"),
    ...words,
    pinned: flag("pinned"),
    expired: query.has("expiring") ? false : flag("expired"),
    unverified: flag("unverified"),
    migrated: flag("migrated"),
    expiring_before: query.has("expiring") ? new Date(Date.now() + 7 * 86_400_000).toISOString() : undefined,
    text: query.get("mode") === "exact" ? query.get("q") || undefined : undefined,
  };
}

/** Whether a hit passes the filters that recall does not know; where it came from it does not say (source.js asks). */
export function keeps(query) {
  const among = (name, value) => !query.has(name) || query.getAll(name).includes(value);
  const soon = Date.now() + 7 * 86_400_000;
  return (hit) => among("state", hit.state) && among("source", hit.source)
    && (!query.get("role") || hit.role === query.get("role"))
    && (!query.get("topic") || hit.topic === query.get("topic"))
    && (!query.get("tag") || (hit.metadata?.tags ?? []).includes(query.get("tag")))
    && (!query.has("pinned") || hit.pin)
    && (!query.has("expiring") || (hit.expires_at && Date.parse(hit.expires_at) < soon))
    && (!query.has("unverified") || (hit.kind === "lesson" && !hit.verified_at))
    && !query.has("expired");
}

/** How many filters are set. */
export const howMany = (query) => FIELDS.reduce((sum, name) => sum + query.getAll(name).length, 0);

/** The rail. `change(query)` goes to another address. */
export class Rail {
  constructor(el, change) {
    this.el = el;
    this.change = change;
    this.stats = null;
    this.query = new URLSearchParams();
    this.find = "";
  }

  show(query, stats = this.stats) {
    this.query = query;
    this.stats = stats;
    const focused = this.el.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    const scrolled = this.el.querySelector(".facet-names")?.scrollTop ?? 0;
    put(this.el, this.#head(), this.#names(), this.#facet("kind", "Kind", KINDS, this.#counts("kind")),
      this.#facet("state", "State", STATES, this.#counts("state")), this.#flags(),
      this.#facet("source", "Source", SOURCES, this.#words("source")),
      WORDS.map(([name, title]) => this.#free(name, title)));
    const names = this.el.querySelector(".facet-names");
    if (names) names.scrollTop = scrolled;
    if (focused) this.el.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  }

  #head() {
    const set = howMany(this.query);
    return h("div", { class: "rail-head" }, h("h2", null, "Filters"),
      button("Clear", () => this.#with((query) => FIELDS.forEach((name) => query.delete(name))), {
        class: "link", disabled: set === 0, "data-key": "clear",
      }));
  }

  #with(edit) {
    const query = new URLSearchParams(this.query);
    edit(query);
    this.change(query);
  }

  #toggle(name, value) {
    this.#with((query) => {
      const others = query.getAll(name).filter((other) => other !== value);
      const had = query.getAll(name).includes(value);
      query.delete(name);
      for (const other of others) query.append(name, other);
      if (!had) query.append(name, value);
    });
  }

  #counts(what) {
    const sums = new Map();
    const [ns, kinds, states] = ["ns", "kind", "state"].map((name) => this.query.getAll(name));
    for (const row of this.stats?.counts ?? []) {
      const inside = (chosen, value, own) => own === what || !chosen.length || chosen.includes(value);
      if (!inside(ns, row.namespace, "namespace") || !inside(kinds, row.kind, "kind") || !inside(states, row.state, "state")) continue;
      sums.set(row[what], (sums.get(row[what]) ?? 0) + row.memories);
    }
    return sums;
  }

  #words(facet) {
    return new Map((this.stats?.facets ?? []).filter((one) => one.facet === facet).map((one) => [one.word, one.memories]));
  }

  #names() {
    const sums = this.#counts("namespace");
    const names = [...session.namespaces].sort((a, b) => (sums.get(b) ?? 0) - (sums.get(a) ?? 0) || (a < b ? -1 : 1));
    const box = h("div", { class: "facet-list facet-names", tabindex: names.length > 8 ? 0 : undefined, role: "group", "aria-label": "Namespaces" });
    const draw = () => put(box, names.filter((name) => name.includes(this.find)).map((name) => this.#choice("ns", name, sums.get(name))));
    draw();
    const search = names.length > 8 && h("input", {
      type: "search", class: "small", placeholder: "Find a namespace", "aria-label": "Find a namespace", value: this.find, "data-key": "find",
      on: { input: (event) => { this.find = event.target.value.trim(); draw(); } },
    });
    return h("fieldset", { class: "facet" }, h("legend", null, "Namespace"), search, box);
  }

  #choice(name, value, number, label = value) {
    const on = this.query.getAll(name).includes(value);
    return h("button", {
      type: "button", class: "choice", "aria-pressed": on, "data-key": `${name}=${value}`, on: { click: () => this.#toggle(name, value) },
    }, name === "state" && h("span", { class: "dot", "data-state": value }), h("span", { class: "choice-name" }, label),
    h("span", { class: "choice-count" }, this.stats ? count(number ?? 0) : ""));
  }

  #facet(name, title, values, sums) {
    return h("fieldset", { class: "facet" }, h("legend", null, title), h("div", { class: "facet-list" },
      values.filter((value) => name !== "state" || sums.get(value) || this.query.getAll(name).includes(value) || values.indexOf(value) < 4)
        .map((value) => this.#choice(name, value, sums.get(value)))));
  }

  #flags() {
    const stats = this.stats;
    const numbers = { pinned: stats?.pinned, expiring: stats?.expiring, expired: stats?.expired, unverified: stats?.ghosts, migrated: stats?.migrated };
    return h("fieldset", { class: "facet" }, h("legend", null, "Only"), h("div", { class: "facet-list" },
      FLAGS.map(([name, label]) => this.#choice(name, "1", numbers[name], label))));
  }

  #free(name, title) {
    const words = this.#words(name);
    const list = `words-${name}`;
    return h("label", { class: "facet free" }, h("span", null, title),
      h("input", {
        type: "text", class: "small", list, value: this.query.get(name) ?? "", placeholder: "any", "data-key": name, autocomplete: "off",
        on: { change: (event) => this.#with((query) => {
          const value = event.target.value.trim();
          if (value) query.set(name, value);
          else query.delete(name);
        }) },
      }),
      h("datalist", { id: list }, [...words.keys()].map((word) => h("option", { value: word }))));
  }
}
