// One memory: what it says, what it is, what happened to it, where it came from, what stands around it.

import { call, Latest } from "./api.js";
import { button, h, icon, put, tool } from "./dom.js";
import { edit, expire, forget, move, pin, steps } from "./edit.js";
import { absolute, excerpt, time } from "./format.js";
import { originView } from "./origin.js";
import { go, memoryPath, pathOf } from "./router.js";
import { canChange, may } from "./session.js";
import { bones, failure, panel } from "./states.js";
import { timeline } from "./timeline.js";
import { note } from "./dialog.js";

const TABS = [["memory", "Memory"], ["history", "History"], ["origin", "Origin"], ["around", "Around it"]];

export class Pane {
  constructor(el, { close, changed }) {
    this.el = el;
    this.leave = close;
    this.told = changed;
    this.latest = new Latest();
    this.inner = new Latest();
    this.shown = null;
    this.key = "";
  }

  open(namespace, id, tab) {
    const key = `${namespace} ${id}`;
    this.el.hidden = false;
    this.tab = TABS.some(([name]) => name === tab) ? tab : "memory";
    if (key === this.key) {
      if (this.shown) this.#tabs();
      return;
    }
    Object.assign(this, { key, namespace, id, shown: null });
    // What was open stays until the next is there, or takes its time: a hand on j sees no flicker.
    clearTimeout(this.slow);
    this.slow = setTimeout(() => put(this.el, this.#head(), bones(6, "Loading this memory")), this.el.childElementCount ? 180 : 0);
    this.reload();
  }

  close() {
    this.key = "";
    this.shown = null;
    clearTimeout(this.slow);
    this.latest.stop();
    this.inner.stop();
    this.el.hidden = true;
    this.el.replaceChildren();
  }

  end() {
    this.latest.stop();
    this.inner.stop();
  }

  /** Somebody did something to some memory. */
  happened(event) {
    if (event.payload.target_id === this.id && this.key) this.reload();
  }

  changed() {
    this.reload();
    this.told();
  }

  async reload() {
    if (!this.key) return;
    const { id, namespace } = this;
    try {
      const shown = await this.latest.run((signal) => call("show", { id, namespace }, { signal }));
      if (!shown) return;
      clearTimeout(this.slow);
      if (this.shown?.memory.id !== shown.memory.id) this.el.scrollTop = 0;
      this.shown = shown;
      this.#draw();
    } catch (error) {
      clearTimeout(this.slow);
      if (error.isAway && this.shown) return;
      this.shown = null;
      if (error.status === 404) return this.#gone(error);
      put(this.el, this.#head(), failure(error, () => this.reload()));
    }
  }

  /** What is left of a memory that was forgotten. */
  async #gone(error) {
    const { id, namespace } = this;
    let history;
    try {
      history = await this.latest.run((signal) => call("history", { id, namespace }, { signal }));
      if (!history) return;
    } catch {
      return put(this.el, this.#head(), panel({ title: "There is no such memory", text: `${error.message}.` }));
    }
    put(this.el, this.#head(), h("div", { class: "tombstone" },
      h("h2", null, "This memory was forgotten"),
      h("p", null, time(history.forgotten?.at), ` by ${history.forgotten?.actor ?? "somebody"}`),
      history.forgotten?.reason && h("blockquote", { dir: "auto" }, history.forgotten.reason),
      h("p", { class: "mute" }, "What it said is gone from the store. What stays says only that it was there, so that no migration brings it back.")),
    h("section", { class: "part" }, h("h2", { class: "label" }, "History"), timeline(history, null)));
  }

  #head() {
    const memory = this.shown?.memory;
    const closing = tool("Close", "close", this.leave, { class: "tool pane-close" });
    const back = button([icon("back"), "List"], this.leave, { class: "button pane-back" });
    return h("header", { class: "pane-head" }, back, memory ? this.#acts(memory) : h("div", { class: "acts" }), closing);
  }

  #acts(memory) {
    if (!canChange()) {
      const why = may("write") ? "Read-only mode is on for this tab" : "This token may only read";
      return h("div", { class: "acts" }, h("span", { class: "badge locked", title: why }, icon("lock"), "Read only"));
    }
    const act = (does) => async () => {
      try {
        await does(this.shown.memory, () => this.changed());
      } catch (error) {
        note(error.message, { bad: true });
      }
    };
    const final = steps(memory.state).length === 0;
    return h("div", { class: "acts" },
      button("Edit", act(edit), { "data-act": "edit" }),
      button(memory.pin ? "Unpin" : "Pin", act(pin), { "data-act": "pin", "aria-pressed": String(memory.pin) }),
      button("Expire", act(expire), { "data-act": "expire" }),
      button("Move", act(move), { "data-act": "move", disabled: final, title: final ? `${memory.state} is final` : undefined }),
      button("Forget", act(forget), { "data-act": "forget", class: "button quiet-danger" }));
  }

  #draw() {
    const focused = this.el.contains(document.activeElement) ? document.activeElement.dataset.act ?? document.activeElement.id : null;
    this.tablist = h("div", { class: "tabs", role: "tablist", "aria-label": "About this memory" });
    this.body = h("div", { class: "tab-body", role: "tabpanel", id: "tab-body", tabindex: 0 });
    put(this.el, this.#head(), this.tablist, this.body);
    this.#tabs();
    if (focused) (this.el.querySelector(`[data-act="${focused}"]`) ?? document.getElementById(focused))?.focus();
  }

  #tabs() {
    const { memory, origin } = this.shown;
    const shown = TABS.filter(([name]) => name !== "origin" || origin);
    if (!shown.some(([name]) => name === this.tab)) this.tab = "memory";
    put(this.tablist, shown.map(([name, label]) => h("button", {
      type: "button", role: "tab", id: `tab-${name}`, "aria-selected": String(name === this.tab), "aria-controls": "tab-body",
      tabindex: name === this.tab ? 0 : -1, on: { click: () => this.#turn(name), keydown: (event) => this.#tabKey(event, shown) },
    }, label)));
    this.body.setAttribute("aria-labelledby", `tab-${this.tab}`);
    this.inner.stop();
    if (this.tab === "memory") return put(this.body, overview(memory));
    const drawn = { history: () => this.#history(), origin: () => this.#origin(), around: () => this.#around() }[this.tab];
    if (this.body.dataset.of !== `${this.key} ${this.tab}`) put(this.body, bones(5));
    this.body.dataset.of = `${this.key} ${this.tab}`;
    this.#fill(drawn);
  }

  async #fill(draw) {
    try {
      const content = await this.inner.run(draw);
      if (content) put(this.body, content);
    } catch (error) {
      put(this.body, failure(error, () => this.#tabs()));
    }
  }

  #turn(name) {
    const query = new URLSearchParams(location.search);
    if (name === "memory") query.delete("tab");
    else query.set("tab", name);
    go(pathOf(location.pathname, query), { replace: true });
    document.getElementById(`tab-${name}`)?.focus();
  }

  #tabKey(event, shown) {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const at = shown.findIndex(([name]) => name === this.tab);
    this.#turn(shown[(at + by + shown.length) % shown.length][0]);
  }

  async #history() {
    return timeline(await call("history", { id: this.id, namespace: this.namespace }), this.shown);
  }

  async #origin() {
    const which = { id: this.id, namespace: this.namespace };
    const found = await call("origin", which);
    let first = null;
    if (found.memory.version > 1) first = (await call("history", which)).revisions.at(-1);
    return originView(found, first);
  }

  async #around() {
    const { id, namespace } = this;
    const { memory } = this.shown;
    const [links, alike] = await Promise.all([
      call("links", { id, namespace }),
      call("recall", { query: excerpt([memory.topic, memory.content].filter(Boolean).join(" "), 600), namespaces: [namespace], limit: 7, include_unverified: true, alone: true }),
    ]);
    const near = alike.hits.filter((hit) => hit.id !== id).slice(0, 6);
    return [
      part("Links", links.links.length > 0 && links.links.map((link) => brief(link.memory, [link.outward ? "→ " : "← ", link.relation])), "Nothing is linked to it."),
      part("Like it", near.length > 0 && near.map((hit) => brief(hit, hit.score.toFixed(2))), "Nothing resembles it in its namespace."),
      part("Just after", links.after.length > 0 && links.after.map((one) => brief(one)), "Nothing was remembered after it."),
      part("Just before", links.before.length > 0 && links.before.map((one) => brief(one)), "Nothing was remembered before it."),
    ];
  }
}

const part = (title, content, otherwise) => h("section", { class: "part" }, h("h2", { class: "label" }, title), content || h("p", { class: "mute" }, otherwise));

function brief(memory, how) {
  const query = new URLSearchParams(location.search);
  return h("a", { class: "brief", href: memoryPath(memory.namespace, memory.id, query) },
    h("span", { class: "brief-text", dir: "auto" }, excerpt(memory.content, 200)),
    h("span", { class: "brief-meta" }, how && h("span", { class: "how" }, how), h("span", { class: "state", "data-state": memory.state }, memory.state), memory.kind, time(memory.created_at)));
}

function overview(memory) {
  const lines = [
    ["Namespace", memory.namespace],
    ["State", [h("span", { class: "state", "data-state": memory.state }, memory.state), memory.state_changed_at && [" since ", time(memory.state_changed_at)]]],
    ["Kind", [memory.kind, memory.item_kind !== "note" && ` (${memory.item_kind})`]],
    ["Written by", [memory.source, memory.role && ` as ${memory.role}`]],
    ["Importance", h("span", { class: "dots", role: "img", "aria-label": `${memory.importance} of 5`, title: `${memory.importance} of 5` }, "●".repeat(memory.importance), h("span", { class: "off" }, "●".repeat(5 - memory.importance)))],
    ["Confidence", memory.confidence !== undefined && `${Math.round(memory.confidence * 100)} %`],
    ["Made", time(memory.created_at)],
    ["Changed", memory.updated_at && memory.updated_at !== memory.created_at && time(memory.updated_at)],
    ["Verified", memory.kind === "lesson" && (memory.verified_at ? time(memory.verified_at) : h("span", { class: "badge ghost" }, "nobody verified it; recall leaves it out"))],
    ["Valid", validity(memory)],
    ["Expires", memory.expires_at ? [time(memory.expires_at), memory.expired && h("span", { class: "badge ttl" }, "expired")] : "never"],
    ["Active", !memory.is_active && "no: recall leaves it out"],
    ["Vector", memory.has_embedding ? memory.embedding_model ?? "yes, of an unnamed model" : "none; words alone find it"],
    ["Version", String(memory.version)],
  ];
  const provenance = [
    ["Commit", memory.commit_sha],
    ["Artifact", memory.artifact_hash],
    ["Run", memory.source_run_id],
    ["Task", memory.source_task_id],
    ["Run graph", memory.source_dag_id],
    ["Id", memory.id],
  ];
  return [
    memory.topic && h("h2", { class: "topic", dir: "auto" }, memory.topic),
    h("div", { class: "content", dir: "auto" }, memory.content),
    h("dl", { class: "facts" }, lines.filter(([, value]) => value).map(([name, value]) => [h("dt", null, name), h("dd", null, value)])),
    h("section", { class: "part" }, h("h2", { class: "label" }, "Provenance"),
      h("dl", { class: "facts" }, provenance.filter(([, value]) => value).map(([name, value]) => [h("dt", null, name), h("dd", null, linked(value))]))),
    memory.metadata && Object.keys(memory.metadata).length > 0 && h("section", { class: "part" }, h("h2", { class: "label" }, "Metadata"), tree(memory.metadata)),
    memory.propagation && h("section", { class: "part" }, h("h2", { class: "label" }, "Propagation"), tree(memory.propagation)),
  ];
}

/** Two ends of a line; NULL reads as "since it was made" and "for ever". */
function validity(memory) {
  if (!memory.valid_to && (!memory.valid_from || memory.valid_from === memory.created_at)) return "since it was made";
  return [memory.valid_from ? ["from ", h("span", { title: absolute(memory.valid_from) }, time(memory.valid_from))] : "since it was made", memory.valid_to ? [" until ", time(memory.valid_to)] : ""];
}

/** A mark of provenance: a link where it is the address of something, else a text to copy. */
function linked(value) {
  if (/^https?:\/\/[^\s]+$/.test(value)) return h("a", { href: value, rel: "noopener noreferrer nofollow", target: "_blank" }, value);
  const copy = tool("Copy", "copy", async () => {
    try {
      await navigator.clipboard.writeText(value);
      note("Copied");
    } catch {
      note("The browser does not let this page copy", { bad: true });
    }
  }, { class: "tool small" });
  return [h("code", { class: "break" }, value), copy];
}

/** JSON as a list of names and values, a few levels deep. */
function tree(value, depth = 0) {
  if (value === null || typeof value !== "object") return h("code", { class: "break" }, JSON.stringify(value));
  if (depth > 5) return h("code", { class: "break" }, JSON.stringify(value));
  const entries = Array.isArray(value) ? value.map((item, at) => [String(at), item]) : Object.entries(value);
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return h("span", { class: "tags" }, value.map((word) => h("span", { class: "tag", dir: "auto" }, word)));
  return h("dl", { class: "facts tree" }, entries.map(([name, item]) => [h("dt", { dir: "auto" }, name), h("dd", null, tree(item, depth + 1))]));
}
