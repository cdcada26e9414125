// The soak and the gates before a legacy table may go, as `soak status` tells them. For a run that is not the newest of its
// migration, and for whoever may not ask, the page says what will stand here.

import { call } from "./api.js";
import { h, icon } from "./dom.js";
import { counted, day } from "./format.js";
import { calendar as dates } from "./plots.js";
import { session } from "./session.js";

/** What `soak status` says of a run; null for one that is not the newest of its migration, or where nobody may ask. */
export async function soakOf(run, signal) {
  if (!session.operations.has("soak status")) return null;
  const { soaks } = await call("soak status", { name: run.name }, { signal });
  return soaks.find((one) => one.run_id === run.run_id) ?? null;
}

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
  const length = Math.max(calendar.needed, calendar.days.length);
  const cells = dates(new Date(first + (length - 1) * 86_400_000), length).map((name) => {
    const one = known.get(name);
    const kind = !one || one.kind === "open" ? "ahead" : one.kind;
    const words = { clean: one?.counts ? "clean" : "clean, before the count began anew", divergent: counted(one?.divergences ?? 0, "divergence"), missing: "nobody compared", ahead: one ? "not over yet" : "to come" };
    return [name, kind, words[kind]];
  });
  return h("div", { class: "soak" },
    h("ol", { class: "days" }, cells.map(([name, kind, words]) => h("li", { class: `soak-day ${kind}`, title: `${day(name)}: ${words}` }, h("span", { class: "unseen" }, `${day(name)}: ${words}`)))),
    h("div", null, h("strong", null, `${calendar.counted} of ${counted(calendar.needed, "day")}`), h("p", { class: "mute" }, `Since ${day(calendar.started_at.slice(0, 10))}.`)));
}

/** The gates of retire, and what each still waits for. */
export function gatesView(soak) {
  if (!soak) return h("p", { class: "nothing" }, "The gates stand with the newest run of a migration.");
  return h("ul", { class: "gates" }, soak.gates.map((gate) => h("li", { class: gate.met ? "good" : "bad" },
    icon(gate.met ? "check" : "close"), h("span", null, h("span", { class: "unseen" }, gate.met ? "Met: " : "Not met: "), gate.id.replaceAll("-", " ")), h("span", { class: "mute" }, gate.met ? gate.found : `${gate.found}: ${gate.cure}`))));
}
