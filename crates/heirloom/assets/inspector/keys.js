// The keyboard: everything a hand on it needs, and a page that says so.

import { h } from "./dom.js";
import { canChange } from "./session.js";
import { go } from "./router.js";

const KEYS = [
  ["Anywhere", [["/", "Search memories"], ["g m", "Memories"], ["g r", "Migrations"], ["g i", "Insight"], ["g a", "Activity"], ["?", "This page"], ["Esc", "Close what is open"]]],
  ["Memories", [["j", "Next memory"], ["k", "Memory before"], ["Enter", "Open"], ["[ ]", "Tab before, next tab"]]],
  ["The open memory", [["e", "Edit"], ["p", "Pin or unpin"], ["x", "Say when it expires"], ["m", "Move to another state"], ["#", "Forget"]]],
];
const ACTS = { e: "edit", p: "pin", x: "expire", m: "move", "#": "forget" };
const GOES = { m: "/memories", r: "/migrations", i: "/insight", a: "/activity" };

export function installKeys(view) {
  let going = 0;
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector("dialog[open]")) return;
    const field = event.target.closest?.("input, textarea, select, [contenteditable]");
    if (event.key === "Escape") {
      if (field) return field.blur();
      document.querySelector(".memories.rail-open .rail-toggle")?.click();
      return document.querySelector(".pane:not([hidden]) .pane-close")?.click();
    }
    if (field) return;
    const done = () => event.preventDefault();
    if (Date.now() - going < 1_200 && GOES[event.key]) {
      going = 0;
      done();
      return go(GOES[event.key]);
    }
    const now = view();
    if (event.key === "g") going = Date.now();
    else if (event.key === "?") done(showHelp());
    else if (event.key === "/") {
      done();
      if (now?.focusSearch) return now.focusSearch();
      go("/memories");
      requestAnimationFrame(() => view()?.focusSearch?.());
    } else if ((event.key === "j" || event.key === "k") && now?.step) {
      done();
      now.step(event.key === "j" ? 1 : -1);
    } else if (event.key === "[" || event.key === "]") {
      const tabs = [...document.querySelectorAll(".pane [role=tab]")];
      const at = tabs.findIndex((tab) => tab.getAttribute("aria-selected") === "true");
      tabs[(at + (event.key === "]" ? 1 : tabs.length - 1)) % tabs.length]?.click();
    } else if (ACTS[event.key] && canChange()) {
      const act = document.querySelector(`.pane [data-act=${ACTS[event.key]}]`);
      if (act && !act.disabled) {
        done();
        act.click();
      }
    }
  });
}

export function showHelp() {
  if (document.querySelector("dialog.help")) return;
  const close = h("button", { type: "button", class: "button primary", autofocus: true }, "Close");
  const dialog = h("dialog", { class: "help", "aria-labelledby": "help-title" }, h("h2", { id: "help-title" }, "Keyboard"),
    h("div", { class: "help-columns" }, KEYS.map(([title, keys]) => h("section", null, h("h3", null, title),
      h("dl", null, keys.map(([key, does]) => [h("dt", null, key.split(" ").map((one) => h("kbd", null, one))), h("dd", null, does)]))))),
    h("div", { class: "actions" }, close));
  const gone = () => dialog.remove();
  close.addEventListener("click", gone);
  dialog.addEventListener("close", gone);
  dialog.addEventListener("click", (event) => event.target === dialog && gone());
  document.body.append(dialog);
  dialog.showModal();
}
