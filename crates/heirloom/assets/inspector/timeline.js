// What happened to a memory, newest first: what it said before, the steps from state to state, who did what.

import { button, h } from "./dom.js";
import { absolute, time } from "./format.js";

const VERBS = {
  remember: "Remembered", commit: "Remembered", keep: "Kept", forget: "Forgotten", revise: "Revised", transition: "Moved",
  reinforce: "Reinforced", ingest: "Remembered over SQL", reembed: "Given another vector",
};

/** The timeline of `history`, with what `show` says of the memory when it is still there. */
export function timeline(history, shown) {
  const entries = [];
  const texts = [...history.revisions].sort((a, b) => a.version - b.version);
  texts.forEach((old, at) => {
    const next = texts[at + 1] ?? shown?.memory;
    if (!next) return;
    const changes = ["content", "topic", "role", "metadata"].filter((field) => text(old[field]) !== text(next[field]));
    // A pin or an end is a version too, and says so itself.
    if (changes.length) entries.push({ at: old.replaced_at, actor: old.actor, mark: "edit", title: `Revised to version ${old.version + 1}`, body: changes.map((field) => change(field, old[field], next[field])) });
  });
  for (const step of history.transitions) {
    entries.push({ at: step.at, actor: step.actor, mark: "move", title: ["Moved from ", state(step.from), " to ", state(step.to)], body: step.reason && h("p", { class: "reason" }, step.reason) });
  }
  for (const act of history.activity) {
    if (act.action === "revise" || act.action === "transition") continue;
    entries.push({ at: act.at, actor: act.actor, mark: act.action === "forget" ? "gone" : "act", title: told(act), body: act.action === "forget" && history.forgotten?.reason && h("p", { class: "reason" }, history.forgotten.reason) });
  }
  if (history.forgotten && !history.activity.some((act) => act.action === "forget")) {
    entries.push({ at: history.forgotten.at, actor: history.forgotten.actor, mark: "gone", title: "Forgotten", body: history.forgotten.reason && h("p", { class: "reason" }, history.forgotten.reason) });
  }
  const origin = shown?.origin;
  if (origin) entries.push({ at: origin.handed_down_at, mark: "origin", title: `Handed down from ${origin.source}` });
  const made = shown?.memory.created_at;
  if (made && !history.activity.some((act) => VERBS[act.action]?.startsWith("Remembered"))) {
    entries.push({ at: made, mark: "act", title: origin ? "Made, in the store it came from" : "Made" });
  }
  entries.sort((a, b) => (Date.parse(b.at) || 0) - (Date.parse(a.at) || 0));
  return h("ol", { class: "timeline" }, entries.map((entry) => h("li", { class: `moment ${entry.mark}` },
    h("p", { class: "moment-title" }, entry.title),
    h("p", { class: "mute" }, time(entry.at), entry.actor && ` by ${entry.actor}`, h("span", { class: "exact" }, absolute(entry.at))),
    entry.body)));
}

const text = (value) => (value === undefined || value === null ? "" : typeof value === "string" ? value : JSON.stringify(value));

const state = (name) => h("span", { class: "state", "data-state": name }, name);

function told(act) {
  if (act.action !== "keep") return VERBS[act.action] ?? act.action.replaceAll("_", " ");
  const said = [];
  if (act.details?.pin !== undefined) said.push(act.details.pin ? "Pinned" : "Pin taken away");
  if (act.details && "expires_us" in act.details) {
    said.push(act.details.expires_us === null ? (said.length ? "never expires" : "Never expires") : `${said.length ? "expires" : "Expires"} ${absolute(new Date(act.details.expires_us / 1000).toISOString())}`);
  }
  return said.join(", ") || "Kept";
}

function change(field, before, after) {
  const box = h("div", { class: "change" });
  const full = () => box.replaceChildren(h("p", { class: "change-field" }, field), h("p", { class: "diff", dir: "auto" }, diff(text(before), text(after))));
  if (text(before).length + text(after).length > 6_000) {
    box.append(h("p", { class: "change-field" }, field), button("Show what changed", full, { class: "link" }));
  } else {
    full();
  }
  return box;
}

/** The words that went and the words that came; texts that are too long for that are shown whole. */
export function diff(before, after) {
  const a = before.split(/(\s+)/);
  const b = after.split(/(\s+)/);
  if (a.length * b.length > 4_000_000) return [h("del", null, before), h("ins", null, after)];
  const width = b.length + 1;
  const table = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      table[i * width + j] = a[i] === b[j] ? table[(i + 1) * width + j + 1] + 1 : Math.max(table[(i + 1) * width + j], table[i * width + j + 1]);
    }
  }
  const parts = [];
  const push = (tag, word) => {
    const last = parts.at(-1);
    if (last?.tag === tag) last.text += word;
    else parts.push({ tag, text: word });
  };
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      push("", a[i]);
      i++;
      j++;
    } else if (j >= b.length || (i < a.length && table[(i + 1) * width + j] >= table[i * width + j + 1])) {
      push("del", a[i++]);
    } else {
      push("ins", b[j++]);
    }
  }
  return parts.map((part) => (part.tag ? h(part.tag, null, part.text) : part.text));
}
