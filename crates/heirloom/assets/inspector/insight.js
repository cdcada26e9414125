// The overview: what there is, how it grows, what ends, how recall does.

import { call, Latest } from "./api.js";
import { h, put } from "./dom.js";
import { events } from "./events.js";
import { namespacesOf } from "./filters.js";
import { count, counted, duration, percent, relative } from "./format.js";
import { barList, calendar, dayBars, points } from "./plots.js";
import { go, pathOf } from "./router.js";
import { session } from "./session.js";
import { bones, failure, panel } from "./states.js";

const KINDS = ["lesson", "fact", "summary", "checkpoint"];
const STATES = ["draft", "candidate", "validated", "canonical", "deprecated", "superseded", "archived", "rejected", "conflicted"];
const COLOURS = {
  lesson: "var(--accent)", fact: "var(--blue)", summary: "var(--violet)", checkpoint: "var(--warn)",
  draft: "var(--line-strong)", candidate: "var(--blue)", validated: "color-mix(in srgb, var(--accent) 60%, var(--panel))", canonical: "var(--accent)",
  deprecated: "var(--warn)", superseded: "var(--violet)", archived: "var(--grey)", rejected: "var(--danger)", conflicted: "color-mix(in srgb, var(--danger) 60%, var(--panel))",
  "": "var(--warn)",
};
const colour = (name) => COLOURS[name] ?? "var(--accent)";
const SPANS = [[30, "30 days"], [90, "90 days"], [365, "A year"]];

export class Insight {
  title = "Insight";

  constructor(root) {
    this.latest = new Latest();
    this.body = h("div", { class: "insight-body" });
    this.scope = h("select", { "aria-label": "Namespace", on: { change: () => go(pathOf("/insight", this.scope.value ? { ns: this.scope.value } : {}), { replace: true }) } });
    root.replaceChildren(h("div", { class: "page" }, h("header", { class: "page-head" }, h("h1", null, "Insight"), this.scope), this.body));
    this.by = "kind";
    this.span = 90;
    this.onEvent = () => this.#soon();
    events.addEventListener("activity", this.onEvent);
  }

  show(place) {
    this.query = place.query;
    const chosen = place.query.get("ns") ?? "";
    put(this.scope, h("option", { value: "" }, "All namespaces"), session.namespaces.map((name) => h("option", { value: name }, name)));
    this.scope.value = chosen;
    put(this.body, h("div", { class: "tiles" }, Array.from({ length: 6 }, () => h("div", { class: "tile blank" }))), bones(6, "Counting"));
    this.again();
  }

  async again() {
    const namespaces = namespacesOf(this.query);
    const nothing = () => put(this.body, panel({ title: "Nothing to count yet", text: "Once something is remembered, this page shows how it grows." }));
    if (!namespaces.length) return nothing();
    const began = performance.now();
    try {
      const stats = await this.latest.run((signal) => call("stats", { namespaces }, { signal }));
      if (!stats) return;
      this.took = performance.now() - began;
      this.stats = stats;
      if (!stats.memories && !stats.recalls.length) return nothing();
      this.#draw();
    } catch (error) {
      if (!(error.isAway && this.stats)) put(this.body, failure(error, () => this.again()));
    }
  }

  end() {
    clearTimeout(this.timer);
    this.latest.stop();
    events.removeEventListener("activity", this.onEvent);
  }

  #soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.again(), Math.max(1_500, (this.took ?? 0) * 10));
  }

  #draw() {
    const { stats } = this;
    const open = this.body.querySelector("details[open]") !== null;
    const list = (query) => pathOf("/memories", { ...(this.query.get("ns") ? { ns: this.query.get("ns") } : {}), ...query });
    const tile = (value, label, note, href) => h(href ? "a" : "div", { class: "tile", href }, h("span", { class: "tile-value number" }, value), h("span", { class: "tile-label" }, label), h("span", { class: "tile-note" }, note));
    put(this.body,
      h("div", { class: "tiles" },
        tile(count(stats.memories), stats.memories === 1 ? "memory" : "memories", `in ${counted(new Set(stats.counts.map((one) => one.namespace)).size, "namespace")}`, list({})),
        tile(count(stats.ghosts), "unverified lessons", "recall leaves them out", list({ unverified: "1" })),
        tile(count(stats.expiring), "expire in 7 days", `${count(stats.expired)} have expired`, list({ expiring: "1" })),
        tile(count(stats.pinned), "pinned", "kept at the top", list({ pinned: "1" })),
        tile(percent(stats.embedded, stats.memories), "with a vector", `${count(stats.memories - stats.embedded)} found by words alone`),
        tile(count(stats.migrated), "handed down", "from another store", list({ migrated: "1" }))),
      this.#growth(), h("div", { class: "figures" }, this.#ahead(), this.#recall(), this.#names(), this.#coverage()));
    if (open) this.body.querySelector("details")?.setAttribute("open", "");
  }

  #growth() {
    const series = this.by === "kind" ? KINDS : STATES;
    const present = series.filter((name) => this.stats.days.some((one) => one[this.by] === name));
    const found = new Map(calendar(new Date(), this.span).map((one) => [one, new Map()]));
    for (const row of this.stats.days) {
      const values = found.get(row.day);
      if (values) values.set(row[this.by], (values.get(row[this.by]) ?? 0) + row.memories);
    }
    const days = [...found].map(([name, values]) => ({ day: name, values }));
    const choose = (key, value, label) => h("button", { type: "button", "aria-pressed": String(this[key] === value), on: { click: () => { this[key] = value; this.#draw(); } } }, label);
    return figure("Memories over time", dayBars({ label: `Memories made on each of the last ${this.span} days, by ${this.by}`, days, series: present, colour }),
      [h("div", { class: "segments", role: "group", "aria-label": "Told apart by" }, choose("by", "kind", "Kind"), choose("by", "state", "State")),
        h("div", { class: "segments", role: "group", "aria-label": "Days" }, SPANS.map(([span, label]) => choose("span", span, label)))], "wide");
  }

  #ahead() {
    const found = new Map(this.stats.ahead.map((one) => [one.day, one.memories]));
    const first = new Date();
    const days = Array.from({ length: 60 }, (_, n) => new Date(first.getTime() + n * 86_400_000).toISOString().slice(0, 10))
      .map((name) => ({ day: name, values: new Map(found.has(name) ? [["", found.get(name)]] : []) }));
    const sum = this.stats.ahead.reduce((all, one) => all + one.memories, 0);
    return figure("What expires", sum ? dayBars({ label: "Memories that expire on each of the next 60 days", days, series: [""], height: 170, colour })
      : h("p", { class: "nothing" }, "Nothing expires in the next 60 days."), h("span", { class: "mute" }, "the next 60 days"));
  }

  #recall() {
    const { recalls } = this.stats;
    if (!recalls.length) return figure("Recall", h("p", { class: "nothing" }, "Nobody asked since this server began. Each question appears here with its time and whether it found something."));
    const times = recalls.map((one) => one.ms).sort((a, b) => a - b);
    const at = (part) => times[Math.min(times.length - 1, Math.floor(times.length * part))];
    const [p50, p95] = [at(0.5), at(0.95)];
    const hits = recalls.filter((one) => one.hits > 0).length;
    const latest = recalls.slice(-240);
    const [size, unit] = Math.max(...latest.map((one) => one.ms)) >= 1_000 ? [1_000, "s"] : [1, "ms"];
    const shown = latest.map((one) => ({ value: one.ms / size, hollow: one.hits === 0, title: `${relative(one.at)}: ${duration(one.ms / 1000)}, ${counted(one.hits, "hit")}` }));
    return figure("Recall", [
      h("dl", { class: "numbers" }, pair("median", duration(p50 / 1000)), pair("95 of 100 within", duration(p95 / 1000)), pair("found something", percent(hits, recalls.length))),
      points({ label: `The latest ${shown.length} questions: time each took; median ${duration(p50 / 1000)}, 95 of 100 within ${duration(p95 / 1000)}`, items: shown, unit, lines: [{ value: p95 / size, label: "p95" }, { value: p50 / size, label: "p50" }], height: 150 }),
    ], h("span", { class: "mute" }, `the latest ${counted(recalls.length, "question")}`));
  }

  #names() {
    return figure("Largest namespaces", barList(this.#byName().slice(0, 10).map(([name, sums]) => ({ name, value: sums.memories, href: pathOf("/memories", { ns: name }) }))));
  }

  #coverage() {
    const names = this.#byName().slice(0, 10);
    return figure("Vectors", [
      h("p", { class: "mute" }, this.stats.embedded ? `${percent(this.stats.embedded, this.stats.memories)} of all memories have one.` : "No memory has one: recall goes by words alone. Set embedding.provider, then heirloom reembed."),
      barList(names.map(([name, sums]) => ({ name, value: sums.memories, part: sums.embedded, label: percent(sums.embedded, sums.memories) }))),
    ]);
  }

  #byName() {
    const sums = new Map();
    for (const row of this.stats.counts) {
      const one = sums.get(row.namespace) ?? { memories: 0, embedded: 0 };
      one.memories += row.memories;
      one.embedded += row.embedded;
      sums.set(row.namespace, one);
    }
    return [...sums].sort((a, b) => b[1].memories - a[1].memories);
  }
}

const pair = (label, value) => h("div", null, h("dt", null, label), h("dd", { class: "number" }, value));

function figure(title, content, aside, kind = "") {
  return h("section", { class: `figure ${kind}` }, h("header", null, h("h2", null, title), aside && h("div", { class: "figure-aside" }, aside)), content);
}

