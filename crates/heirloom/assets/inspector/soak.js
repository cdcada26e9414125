// The soak and the gates before a legacy table may go. Both are asked of operations that a server may not have; then, and
// where nothing began yet, the page says what will stand here.

import { call } from "./api.js";
import { h, icon } from "./dom.js";
import { counted, day } from "./format.js";
import { calendar } from "./plots.js";
import { session } from "./session.js";

const LENGTH = 30;

/** What `soak status` says of a migration; null where there is no such operation or it knows nothing of it. */
export async function soakOf(run, signal) {
  if (!session.operations.has("soak status")) return null;
  try {
    const found = await call("soak status", { name: run.name }, { signal });
    const all = found.soaks ?? found.runs ?? found.migrations ?? [found];
    return all.find((one) => one.run_id === run.run_id) ?? all.find((one) => one.name === run.name && (!one.tenant || one.tenant === run.tenant)) ?? null;
  } catch (error) {
    if (signal?.aborted) throw error;
    return null;
  }
}

/** The days as a calendar: clean, divergent, missing, or to come. */
export function soakView(soak) {
  const days = new Map((soak?.days ?? []).map((one) => [one.day, one]));
  if (!days.size) {
    return h("div", { class: "soak none" }, h("div", { class: "days", "aria-hidden": "true" }, Array.from({ length: LENGTH }, () => h("span", { class: "soak-day ahead" }))),
      h("div", null, h("strong", null, "The soak has not started"), h("p", { class: "mute" }, "For 30 days old and new are compared each day. Each day stands here then: clean, divergent, or missing. Divergent and missing days start the count anew.")));
  }
  const first = [...days.keys()].sort()[0];
  const today = new Date().toISOString().slice(0, 10);
  const length = Math.max(LENGTH, Math.round((Date.parse(today) - Date.parse(first)) / 86_400_000) + 1);
  const cells = calendar(new Date(Date.parse(first) + (length - 1) * 86_400_000), length).map((name) => {
    const one = days.get(name);
    const kind = one ? (one.differences > 0 ? "divergent" : one.sweeps > 0 ? "clean" : "missing") : name < today ? "missing" : "ahead";
    const words = { clean: "clean", divergent: counted(one?.differences ?? 0, "difference"), missing: "nobody compared", ahead: "to come" };
    return [name, kind, words[kind]];
  });
  const clean = cells.filter(([, kind]) => kind === "clean").length;
  return h("div", { class: "soak" },
    h("ol", { class: "days" }, cells.map(([name, kind, words]) => h("li", { class: `soak-day ${kind}`, title: `${day(name)}: ${words}` }, h("span", { class: "unseen" }, `${day(name)}: ${words}`)))),
    h("div", null, h("strong", null, `${counted(clean, "clean day")} of ${LENGTH}`), h("p", { class: "mute" }, `Since ${day(first)}.`)));
}

/** The gates of retire, and what each still waits for. */
export function gatesView(soak, run) {
  const told = soak?.gates;
  const gates = Array.isArray(told) ? told.map((gate) => [gate.holds ?? gate.open ?? gate.passed, gate.title ?? gate.name ?? gate.gate ?? gate.id, gate.what ?? gate.missing ?? gate.reason ?? ""]) : [
    [run.chunks_done === run.chunks && run.chunks > 0, "Everything is handed down", `${run.chunks_done} of ${counted(run.chunks, "chunk")}`],
    [run.state === "verified", "Verified and recorded", run.state === "verified" ? "" : "heirloom verify --record"],
    [run.open === 0, "Nothing waits set aside", run.open ? counted(run.open, "row") : ""],
    [run.conflicts === 0, "No conflicts", run.conflicts ? counted(run.conflicts, "row") : ""],
    [null, `${LENGTH} clean days of soak`, "not started"],
  ];
  return h("ul", { class: "gates" }, gates.map(([holds, title, what]) => h("li", { class: holds ? "good" : holds === null ? "ahead" : "bad" },
    icon(holds ? "check" : holds === null ? "help" : "close"), h("span", null, h("span", { class: "unseen" }, holds ? "Met: " : "Not met: "), title), h("span", { class: "mute" }, what))));
}
