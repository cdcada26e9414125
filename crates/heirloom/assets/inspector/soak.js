// The soak and the gates before a legacy table may go, as `soak status` tells them. For a run that is not the newest of its
// migration, and for whoever may not ask, the page says what will stand here.

import { call } from "./api.js";
import { h, icon } from "./dom.js";
import { absolute, counted, day, relative } from "./format.js";
import { calendar as dates, wideTable } from "./plots.js";
import { session } from "./session.js";

/** How far each soak is, by run; nothing where nobody may ask. */
export async function soaksByRun(signal) {
  if (!session.operations.has("soak status")) return new Map();
  const { soaks } = await call("soak status", {}, { signal });
  return new Map(soaks.map((one) => [one.run_id, one.calendar]));
}

/** What `soak status` says of a run; null for one that is not the newest of its migration, or where nobody may ask. */
export async function soakOf(run, signal) {
  if (!session.operations.has("soak status")) return null;
  const { soaks } = await call("soak status", { name: run.name }, { signal });
  return soaks.find((one) => one.run_id === run.run_id) ?? null;
}

/** How far a soak is: so many of the days that are asked for, or how many were clean at its end. */
export const howFar = (calendar) => (calendar.over ? `${counted(calendar.counted, "day")} clean` : `${calendar.counted} of ${counted(calendar.needed, "day")}`);

/** The days as a calendar: clean, divergent, missing, or to come. */
export function soakView(soak) {
  const calendar = soak?.calendar;
  if (!calendar?.started_at) {
    const needed = calendar?.needed ?? 30;
    return h("div", { class: "soak none" }, h("div", { class: "days", "aria-hidden": "true" }, Array.from({ length: needed }, () => h("span", { class: "soak-day ahead" }))),
      h("div", null, h("strong", null, "The soak has not started"), h("p", { class: "mute" }, `For ${counted(needed, "day")} old and new are compared each day. Each day stands here then: clean, divergent, or missing. A divergence starts the count anew; a missing day does not count.`)));
  }
  const known = new Map(calendar.days.map((one) => [one.day, one]));
  const first = Date.parse(calendar.days[0]?.day ?? calendar.started_at.slice(0, 10));
  // What counts is behind, what is short lies ahead: a count that began anew makes the calendar longer.
  const length = Math.max(calendar.needed, calendar.days.length + Math.max(0, calendar.needed - calendar.counted));
  const cells = dates(new Date(first + (length - 1) * 86_400_000), length).map((name) => {
    const one = known.get(name);
    const kind = !one || one.kind === "open" ? "ahead" : one.kind;
    const words = { clean: one?.counts ? "clean" : "clean, before the count began anew", divergent: counted(one?.divergences ?? 0, "divergence"), missing: "nobody compared", ahead: one ? "not over yet" : "to come" };
    return [name, kind, words[kind]];
  });
  return h("div", { class: "soak" },
    h("ol", { class: "days" }, cells.map(([name, kind, words]) => h("li", { class: `soak-day ${kind}`, title: `${day(name)}: ${words}` }, h("span", { class: "unseen" }, `${day(name)}: ${words}`)))),
    h("div", null, h("strong", null, howFar(calendar)), h("p", { class: "mute" }, since(calendar)),
      h("ul", { class: "legend" }, KINDS.filter(([kind]) => cells.some(([, one]) => one === kind)).map(([kind, word]) => h("li", null, h("span", { class: `swatch soak-day ${kind}` }), word)))),
    soak.divergences.length > 0 && diverged(soak));
}

const KINDS = [["clean", "clean"], ["divergent", "divergent"], ["missing", "missing"], ["ahead", "to come"]];

/** When it began, how long the clock has run, when it can be over, and when somebody looked last. */
function since(calendar) {
  const parts = [`Begun on ${day(calendar.started_at.slice(0, 10))}`];
  if (calendar.over) parts.push("over: every day that was asked for is clean");
  else if (!calendar.running_since) parts.push("the count waits for a clean comparison");
  else parts.push(`counted since ${day(calendar.running_since.slice(0, 10))}`, calendar.over_at && `over on ${day(calendar.over_at.slice(0, 10))} at the earliest`);
  return [parts.filter(Boolean).join("; "), ". ", calendar.last_sweep && [`Last compared on ${day(calendar.last_sweep.slice(0, 10))}`, calendar.last_clean ? ": clean." : `: ${counted(calendar.divergence_count, "divergence")}.`]];
}

/** Where the newest sweep that was not clean found old and new apart; the chain keeps where, never what. */
function diverged({ divergences, calendar }) {
  return h("details", { class: "as-table", "data-key": "diverged" }, h("summary", null, `What diverged${calendar.diverged_at ? ` on ${day(calendar.diverged_at.slice(0, 10))}` : ""}`),
    wideTable("Divergences", ["Kind", "Key", "Column", "Memory"], divergences.map((one) => [h("span", { class: "badge bad" }, one.kind.replaceAll("-", " ")), h("code", null, one.key.join(", ")), one.column ?? "the row", h("code", null, one.id.slice(0, 8))])));
}

/** The gates of retire: what was found, and what each still waits for. */
export function gatesView(soak, passed = false) {
  if (!soak) return h("p", { class: "nothing" }, "The gates stand with the newest run of a migration.");
  const met = soak.gates.filter((gate) => gate.met).length;
  return [
    h("p", { class: "mute" }, met === soak.gates.length ? `Every gate of which the ledger knows is met.${passed ? "" : " What the source says is asked when the table is retired."}` : `${met} of ${counted(soak.gates.length, "gate")} met.`),
    h("ul", { class: "gates" }, soak.gates.map((gate) => h("li", { class: gate.met ? "good" : "bad" }, icon(gate.met ? "check" : "close"),
      h("div", null, h("p", null, h("span", { class: "unseen" }, gate.met ? "Met: " : "Not met: "), h("strong", null, gate.id.replaceAll("-", " ")), h("span", { class: "mute" }, " ", spoken(gate.found))),
        !gate.met && h("p", { class: "mute" }, "To do: ", spoken(gate.cure)))))),
  ];
}

/** A sentence of the ledger for people: its instants as times, its commands as commands. */
function spoken(text) {
  return text.split(/(`[^`]+`|\d{4}-\d\d-\d\dT[\d:.]+Z)/).map((part) => {
    if (part.startsWith("`")) return h("code", null, part.slice(1, -1));
    return /^\d{4}-.*T.*Z$/.test(part) ? h("time", { datetime: part, title: relative(part) }, absolute(part)) : part;
  });
}
