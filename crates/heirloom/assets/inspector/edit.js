// What may be done to a memory. Each act says what it did, and takes it back where the store can.

import { call } from "./api.js";
import { ask, note } from "./dialog.js";
import { h } from "./dom.js";
import { absolute } from "./format.js";

/** Where a memory may go from a state: the nineteen steps. */
const STEPS = {
  draft: ["candidate", "validated", "rejected"],
  candidate: ["validated", "conflicted", "rejected"],
  validated: ["canonical", "draft", "rejected"],
  canonical: ["deprecated", "superseded", "archived", "conflicted"],
  deprecated: ["canonical", "archived"],
  superseded: ["archived"],
  conflicted: ["canonical", "archived", "rejected"],
  archived: [],
  rejected: [],
};

export const steps = (state) => STEPS[state] ?? [];

const which = (memory) => ({ id: memory.id, namespace: memory.namespace });

const field = (label, control, hint) => h("label", { class: "field" }, h("span", null, label), control, hint && h("small", null, hint));

/** Another text; the one before is kept, and can be brought back. */
export async function edit(memory, changed) {
  const metadata = memory.metadata ? JSON.stringify(memory.metadata, null, 2) : "";
  const done = await ask({
    title: "Edit this memory",
    wide: true,
    confirm: "Save",
    body: [
      field("What it says", h("textarea", { name: "content", rows: 9, required: true, autofocus: true, dir: "auto", value: memory.content })),
      h("div", { class: "pair" },
        field("Topic", h("input", { name: "topic", value: memory.topic ?? "", maxlength: 1024 })),
        field("Role", h("input", { name: "role", value: memory.role ?? "", maxlength: 1024 }))),
      field("Metadata", h("textarea", { name: "metadata", rows: 4, class: "code", spellcheck: "false", value: metadata }), "JSON; {} empties it"),
      h("p", { class: "mute" }, "The version before is kept in its history. Credentials are taken out before anything is written."),
    ],
    act: async (form) => {
      const said = { content: form.get("content").replaceAll("\r\n", "\n") };
      const request = { ...which(memory), expected_version: memory.version };
      if (said.content !== memory.content) request.content = said.content;
      for (const name of ["topic", "role"]) {
        const text = form.get(name).trim();
        if (text && text !== (memory[name] ?? "")) request[name] = text;
      }
      const json = form.get("metadata").trim();
      if (json !== metadata) {
        try {
          request.metadata = JSON.parse(json || "{}");
        } catch (error) {
          throw new Error(`The metadata is not JSON: ${error.message}`);
        }
      }
      if (Object.keys(request).length === 3) return { changed: false };
      try {
        return await call("revise", request);
      } catch (error) {
        if (error.code === "conflict") throw new Error("Somebody changed it while you were writing. Copy your text, cancel, and look at what it says now.");
        throw error;
      }
    },
  });
  if (!done?.changed) return;
  changed();
  const labels = Object.entries(done.redacted ?? {}).map(([label, n]) => `${n} ${label}`).join(", ");
  note(labels ? `Revised; taken out: ${labels}` : "Revised", {
    undo: async () => {
      const before = { content: memory.content, metadata: memory.metadata ?? {} };
      for (const name of ["topic", "role"]) if (memory[name]) before[name] = memory[name];
      await call("revise", { ...which(memory), ...before, expected_version: done.version });
      changed();
    },
  });
}

export async function pin(memory, changed) {
  const set = (on) => call("keep", { ...which(memory), pin: on });
  await set(!memory.pin);
  changed();
  note(memory.pin ? "Pin taken away" : "Pinned", { undo: async () => {
    await set(memory.pin);
    changed();
  } });
}

const DAYS = [["Now", 0], ["In a day", 1], ["In 7 days", 7], ["In 30 days", 30], ["In 90 days", 90]];

export async function expire(memory, changed) {
  const at = h("input", { type: "datetime-local", name: "at", "aria-label": "Day and time", value: memory.expires_at ? local(new Date(memory.expires_at)) : "" });
  const when = h("div", { class: "choices" }, DAYS.map(([label, days]) => option("when", String(days), label)), option("when", "never", "Never"), option("when", "at", "At"), at);
  at.addEventListener("input", () => {
    when.querySelector("[value=at]").checked = true;
  });
  const done = await ask({
    title: "When does it expire?",
    confirm: "Set",
    body: [h("p", null, memory.expires_at ? `Now it expires ${absolute(memory.expires_at)}.` : "Now it never expires.", " Recall leaves out what has expired; nothing is deleted."), when],
    act: async (form) => {
      const chosen = form.get("when");
      if (chosen === null) throw new Error("Choose one.");
      if (chosen === "never") return call("keep", { ...which(memory), never_expires: true });
      const instant = chosen === "at" ? new Date(form.get("at")) : new Date(Date.now() + Number(chosen) * 86_400_000);
      if (Number.isNaN(instant.getTime())) throw new Error("Give a day and a time.");
      return call("keep", { ...which(memory), expires_at: instant.toISOString() });
    },
  });
  if (!done) return;
  changed();
  note(done.expires_at ? `Expires ${absolute(done.expires_at)}` : "Never expires", { undo: async () => {
    await call("keep", { ...which(memory), ...(memory.expires_at ? { expires_at: memory.expires_at } : { never_expires: true }) });
    changed();
  } });
}

const option = (name, value, label, checked) => h("label", { class: "option" }, h("input", { type: "radio", name, value, checked }), h("span", null, label));

function local(date) {
  const shifted = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return Number.isNaN(shifted.getTime()) ? "" : shifted.toISOString().slice(0, 16);
}

export async function move(memory, changed) {
  const open = steps(memory.state);
  const vouch = h("label", { class: "option", hidden: true }, h("input", { type: "checkbox", name: "verify" }), h("span", null, "I vouch for it: it counts as verified from now on"));
  const choices = h("div", { class: "choices" }, open.map((to) => option("to", to, to)));
  choices.addEventListener("change", (event) => {
    vouch.hidden = event.target.value !== "validated";
  });
  const done = await ask({
    title: "Move to another state",
    confirm: "Move",
    body: [h("p", null, "It is ", h("span", { class: "state", "data-state": memory.state }, memory.state), ". From there it may go to:"), choices, vouch,
      field("Why", h("input", { name: "reason", maxlength: 1024 }), "Kept in its history")],
    act: async (form) => {
      const to = form.get("to");
      if (!to) throw new Error("Choose a state.");
      const reason = form.get("reason").trim();
      return call("transition", { ...which(memory), to, ...(reason ? { reason } : {}), verify: to === "validated" && form.get("verify") === "on" });
    },
  });
  if (!done) return;
  changed();
  const back = steps(done.to).includes(done.from);
  note(`Moved to ${done.to}`, { undo: back ? async () => {
    await call("transition", { ...which(memory), to: done.from, reason: "taken back" });
    changed();
  } : undefined });
}

export async function forget(memory, changed) {
  const done = await ask({
    title: "Forget this memory?",
    confirm: "Forget",
    danger: true,
    body: [
      h("blockquote", { dir: "auto" }, memory.content.slice(0, 240), memory.content.length > 240 ? "…" : ""),
      h("p", null, "The memory, its versions and the source row it came from are deleted. This cannot be undone. A tombstone stays, so that no migration brings it back."),
      field("Why", h("input", { name: "reason", maxlength: 1024 }), "Kept with the tombstone: do not repeat what it says"),
    ],
    act: (form) => {
      const reason = form.get("reason").trim();
      return call("forget", { ...which(memory), ...(reason ? { reason } : {}) });
    },
  });
  if (!done) return;
  changed();
  note("Forgotten");
}
