// What happens, as it happens, from every door.

import { button, h, put } from "./dom.js";
import { events } from "./events.js";
import { time } from "./format.js";
import { memoryPath } from "./router.js";

const WORDS = {
  memory_write: ["remembered", "act"], memory_summary_write: ["summed up", "act"], memory_edit: ["revised", "edit"], memory_delete: ["forgot", "gone"], memory_transition: ["moved", "move"],
  keep: ["pinned or set the end of", "act"], load: ["handed rows down", "origin"], replace: ["handed rows down again", "origin"],
  namespace_put: ["described a namespace", "act"], namespace_delete: ["removed a namespace", "gone"],
};

export class Activity {
  title = "Activity";

  constructor(root) {
    this.held = false;
    this.hold = button("Hold", () => this.#hold(), { "aria-pressed": "false" });
    this.find = h("input", { type: "search", placeholder: "Namespace or actor", "aria-label": "Only of this namespace or actor", on: { input: () => this.#draw() } });
    this.list = h("ol", { class: "feed" });
    this.state = h("div", { class: "feed-state" });
    root.replaceChildren(h("div", { class: "page" }, h("header", { class: "page-head" }, h("h1", null, "Activity"), h("div", { class: "feed-find" }, this.find), this.hold),
      h("p", { class: "mute" }, "What happens from now on, whoever does it by whichever door. What a memory says is never in it."), this.list, this.state));
    this.onEvent = () => this.held || this.#draw();
    events.addEventListener("activity", this.onEvent);
    events.addEventListener("state", this.onEvent);
  }

  show() {
    this.#draw();
  }

  again() {
    this.#draw();
  }

  end() {
    events.removeEventListener("activity", this.onEvent);
    events.removeEventListener("state", this.onEvent);
  }

  #hold() {
    this.held = !this.held;
    this.hold.setAttribute("aria-pressed", String(this.held));
    this.hold.textContent = this.held ? "Go on" : "Hold";
    if (!this.held) this.#draw();
  }

  #draw() {
    const word = this.find.value.trim().toLowerCase();
    const shown = events.recent.filter((event) => !word || `${event.payload.method ?? ""} ${event.payload.actor ?? ""}`.toLowerCase().includes(word)).slice(0, 200);
    const known = new Map([...this.list.children].map((el) => [el.dataset.id, el]));
    const rows = shown.map((event) => known.get(event.id) ?? row(event));
    // Only what is new is put in, so that focus and selection stay.
    rows.forEach((el, at) => {
      if (this.list.children[at] !== el) this.list.insertBefore(el, this.list.children[at] ?? null);
    });
    while (this.list.children.length > rows.length) this.list.lastChild.remove();
    put(this.state, rows.length === 0 && h("div", { class: "panel" }, h("h2", null, word ? "Nothing of that happened" : events.state === "live" ? "Nothing happened yet" : "Nobody is listening yet"),
      h("p", null, word ? "Since this page was opened, that is." : "This page listens from the moment it was opened; leave it open beside your work.")));
  }
}

function row(event) {
  const { payload } = event;
  const [verb, mark] = WORDS[payload.activity_type] ?? [payload.activity_type.replaceAll("_", " "), "act"];
  const id = payload.target_id;
  return h("li", { class: `feed-row ${mark}`, "data-id": event.id },
    h("span", { class: "feed-when" }, time(event.timestamp)),
    h("span", { class: "feed-what" }, h("strong", null, payload.actor ?? "somebody"), ` ${verb} `,
      id && payload.method ? h("a", { href: memoryPath(payload.method, id), class: "feed-id", title: id }, `…${id.slice(-8)}`) : "",
      payload.method && h("span", { class: "mute" }, " in ", payload.method)));
}
