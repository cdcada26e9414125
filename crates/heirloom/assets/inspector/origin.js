// Where a migrated memory came from: its source row beside what it became, column by column, and the proof.

import { h, icon } from "./dom.js";
import { time } from "./format.js";
import { pathOf } from "./router.js";
import { may } from "./session.js";

const STANDINGS = {
  "as-written": ["good", "It is as it was written", "Every field has the digest that was recorded when it was handed down."],
  edited: ["mid", "Edited since", "It was handed down intact; the store kept what it said before."],
  transitioned: ["mid", "Moved to another state since", "It was handed down intact; the store recorded each step."],
  altered: ["bad", "It differs, and no record says why", "Something changed it past the store. Compare the run to see which column."],
  missing: ["bad", "It is gone", "The record of its origin stands, the memory does not."],
};

/** The page of `origin`. */
export function originView(found, first) {
  const { origin, memory } = found;
  if (!origin) return h("p", { class: "plain" }, "This memory was born here.");
  const [kind, title, means] = STANDINGS[origin.standing] ?? ["mid", origin.standing, ""];
  const run = may("admin") && h("a", { href: pathOf(`/migrations/${origin.run_id}`, "") }, origin.migration ?? "the run");
  return [
    h("div", { class: `proof ${kind}` }, icon(kind === "good" ? "check" : kind === "bad" ? "close" : "help"),
      h("div", null, h("strong", null, title), h("p", null, means))),
    h("dl", { class: "facts" },
      fact("Source", origin.source), fact("Key", h("code", null, [origin.key].flat().join(", "))),
      fact("Handed down", [time(origin.handed_down_at), run && [" by ", run]]),
      fact("Digest of the source row", h("code", { class: "break" }, origin.source_digest)),
      fact("Digest as written", h("code", { class: "break" }, origin.written_digest))),
    h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Source row and memory" },
      h("table", { class: "sides" },
        h("thead", null, h("tr", null, h("th", { scope: "col" }, "Column"), h("th", { scope: "col" }, "In the source"), h("th", { scope: "col" }, "In the memory"))),
        h("tbody", null, origin.columns.map((column) => side(column, memory, first))))),
  ];
}

const fact = (name, value) => [h("dt", null, name), h("dd", null, value)];

function side(column, memory, first) {
  const became = column.to.length ? column.to.map((field) => target(field, memory, column.column)) : [h("span", { class: "mute" }, column.note ?? column.fate ?? "")];
  return h("tr", { "data-fate": column.fate ?? "" },
    h("th", { scope: "row" }, h("code", null, column.column), h("span", { class: "declared" }, column.declared ?? "")),
    h("td", null, column.carried ? carried(column, memory, first) : value(column.value)),
    h("td", null, became, column.fate === "kept" && h("span", { class: "badge" }, "kept verbatim"), column.fate === "dropped" && h("span", { class: "badge" }, "left behind")));
}

/** A column that the memory carries unchanged is not kept twice: before an edit, its first version has it. */
function carried(column, memory, first) {
  const field = column.to[0];
  const said = first && field in first ? first[field] : memory[field];
  if (field === "embedding") return h("span", { class: "mute" }, "a vector, carried unchanged");
  return value(said);
}

function target(field, memory, column) {
  const [head, ...path] = field.split(".");
  let found = memory[head];
  for (const key of path) found = found?.[key];
  // Several columns may be merged into one field: each is shown with its own part.
  if (found && typeof found === "object" && column in found) [field, found] = [`${field}.${column}`, found[column]];
  const shown = field === "embedding" ? (memory.has_embedding ? h("span", { class: "mute" }, `a vector${memory.embedding_model ? ` of ${memory.embedding_model}` : ""}`) : value(null)) : value(found);
  return h("div", { class: "became" }, h("code", { class: "field" }, field), shown);
}

function value(given) {
  if (given === undefined || given === null) return h("span", { class: "null" }, "null");
  const text = typeof given === "string" ? given : JSON.stringify(given);
  return h("span", { class: "cell", dir: "auto" }, text.length > 1_200 ? `${text.slice(0, 1_200)}…` : text);
}
