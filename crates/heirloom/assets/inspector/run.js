// One migration: what became of each column and value, what was found, what was set aside, the comparison, the proof.

import { call, Latest } from "./api.js";
import { ask, note } from "./dialog.js";
import { button, h, icon, put } from "./dom.js";
import { count, counted, duration, percent, time } from "./format.js";
import { isCompared, pauseOf, progress } from "./migrations.js";
import { wideTable } from "./plots.js";
import { pathOf } from "./router.js";
import { canChange } from "./session.js";
import { gatesView, soakOf, soakView } from "./soak.js";
import { bones, failure, sentence } from "./states.js";

const SEVERITY = { danger: "bad", warning: "mid", note: "" };
const AN_HOUR = 3_600_000;
const MOST_REJECTS = 200;

export class RunPage {
  constructor(root, id) {
    this.id = id;
    this.latest = new Latest();
    this.comparing = new Latest();
    this.el = h("div", { class: "page run" }, h("p", null, h("a", { class: "back", href: "/migrations" }, icon("back"), "Migrations")), h("h1", { class: "run-name" }, " "), bones(6, "Loading this run"));
    this.live = h("div", { class: "now" });
    this.compared = h("div", { class: "compared" }, h("p", { class: "mute" }, "Not compared since this page was opened. A comparison reads both sides and writes nothing."));
    root.replaceChildren(this.el);
    this.again();
  }

  async again() {
    clearTimeout(this.timer);
    try {
      const found = await this.latest.run(async (signal) => {
        const shown = await call("run show", { run_id: this.id }, { signal });
        const [rejects, soak] = await Promise.all([call("rejects list", { name: shown.run.name, all: true, limit: MOST_REJECTS }, { signal }), soakOf(shown.run, signal)]);
        return { ...shown, list: rejects.rejects, soak };
      });
      if (!found) return;
      this.#draw(found);
      this.timer = setTimeout(() => this.again(), found.run.state === "applying" || isCompared(found.live) || this.reading ? 1_000 : pauseOf([found.run]));
    } catch (error) {
      if (error.isAway && this.shown) return;
      put(this.el, h("p", null, h("a", { class: "back", href: "/migrations" }, icon("back"), "Migrations")), failure(error, () => this.again()));
    }
  }

  end() {
    clearTimeout(this.timer);
    this.latest.stop();
    this.comparing.stop();
  }

  #draw(found) {
    const { run, live, plan } = found;
    put(this.live, run.state === "applying" && atWork(run, live), isCompared(live) && beingCompared(run, live));
    this.live.hidden = !this.live.childElementCount;
    const key = JSON.stringify([run, found.steps.length, found.list.length, found.soak]);
    if (this.shown === key) return;
    this.shown = key;
    document.title = `${run.name} · Heirloom`;
    const focused = this.el.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    const opened = new Set([...this.el.querySelectorAll("details[open]")].map((el) => el.dataset.key));
    put(this.el,
      h("p", null, h("a", { class: "back", href: "/migrations" }, icon("back"), "Migrations")),
      h("header", { class: "run-head" },
        h("div", null, h("h1", { class: "run-name" }, run.name, run.tenant !== run.name && h("span", { class: "mute" }, ` ${run.tenant}`)),
          h("p", { class: "run-way" }, h("code", null, plan.source), h("span", { "aria-label": "to" }, " → "), h("code", null, plan.target))),
        h("span", { class: `badge big ${["verified", "soaked", "retired"].includes(run.state) ? "good" : run.state === "failed" ? "bad" : "mid"}` }, run.state)),
      this.live,
      this.#numbers(run),
      this.#acts(run),
      section("Comparison", this.compared, "compare"),
      section("What became of each column", columns(plan)),
      section("Findings", findings(plan.findings), "", counted(plan.findings.length, "finding")),
      plan.enumerations.length > 0 && section("Values", plan.enumerations.map((one) => values(one))),
      section("Set aside", this.#rejects(found), "", run.open ? `${count(run.open)} wait` : "nothing waits"),
      section("Who will see it", names(plan)),
      section("Soak", soakView(found.soak)),
      run.state === "retired" ? section("The legacy table", retired(found)) : section("Before the legacy table may go", gatesView(found.soak)),
      section("Steps", steps(found.steps)));
    for (const el of this.el.querySelectorAll("details")) if (opened.has(el.dataset.key)) el.open = true;
    if (focused) this.el.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  }

  #numbers(run) {
    const all = [
      [run.rows, "rows read", ""], [run.inserted, "handed down", "good"], [run.updated, "updated", ""], [run.restored, "restored", ""],
      [run.present, "there already", ""], [run.forgotten, "left forgotten", ""], [run.conflicts, "conflicts", "mid"], [run.rejected, "set aside", "mid"],
    ];
    return h("dl", { class: "numbers run-numbers" }, all.filter(([n], at) => n > 0 || at < 2 || at === 7).map(([n, label, kind]) => h("div", { class: n ? kind : "" }, h("dt", null, label), h("dd", { class: "number" }, count(n)))));
  }

  #acts(run) {
    const busy = (label, does) => button(label, async (event) => {
      const pressed = event.currentTarget;
      pressed.disabled = true;
      try {
        await does();
      } catch (error) {
        note(`${label}: ${sentence(error.message)}`, { bad: true });
      } finally {
        pressed.disabled = false;
      }
    }, { "data-key": label });
    return h("div", { class: "actions run-acts" },
      busy("Compare now", () => this.#compare(false)), busy("Compare the store alone", () => this.#compare(true)),
      busy("Download the evidence", () => this.#evidence(run, "page")), busy("Evidence as data", () => this.#evidence(run, "data")),
      h("a", { class: "button", href: pathOf("/memories", { migrated: "1" }) }, "See the memories"));
  }

  async #compare(alone) {
    put(this.compared, h("p", { class: "mute", role: "status" }, alone ? "Reading the store…" : "Reading both sides…"));
    this.reading = true;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.again(), 500);
    try {
      const found = await this.comparing.run((signal) => call("run compare", { run_id: this.id, target_only: alone, show_content: !alone }, { signal, longest: AN_HOUR }));
      if (found) put(this.compared, verdict(found, alone));
    } catch (error) {
      put(this.compared, h("p", { class: "wrong", role: "alert" }, sentence(error.message), " ", error.hints?.[0] && sentence(error.hints[0])));
    } finally {
      this.reading = false;
    }
  }

  async #evidence(run, form) {
    const made = await call("run evidence", { run_id: this.id }, { longest: AN_HOUR });
    const [text, kind, name] = form === "page" ? [made.page, "text/html", `${run.name}-evidence.html`] : [made.data, "application/json", `${run.name}-evidence.json`];
    const url = URL.createObjectURL(new Blob([text], { type: kind }));
    const link = h("a", { href: url, download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
    note(made.holds ? "The evidence holds" : "The evidence does not hold; it says where", { bad: !made.holds });
  }

  #rejects({ run, rejects, list }) {
    if (!rejects.length) return h("p", { class: "nothing" }, "No row was set aside.");
    return [
      h("ul", { class: "reasons" }, rejects.map((one) => h("li", null, h("strong", { class: "number" }, count(one.open)), h("span", null, `${one.code}${one.field ? ` in ${one.field}` : ""}`), one.resolved > 0 && h("span", { class: "badge good" }, `${count(one.resolved)} handed down after all`)))),
      run.open > 0 && canChange() && h("div", { class: "actions" }, button("Try them again…", () => this.#retry())),
      h("details", { class: "as-table", "data-key": "rejects" }, h("summary", null, `Which rows${list.length >= MOST_REJECTS ? ` (the first ${MOST_REJECTS})` : ""}`),
        wideTable("Rows set aside", ["Key", "Reason", "What is wrong", ""], list.map((one) => [h("code", null, one.key.join(", ")), `${one.code}${one.field ?? one.column ? ` in ${one.field ?? one.column}` : ""}`, one.message, one.open ? "waits" : h("span", { class: "badge good" }, "closed")]))),
    ];
  }

  async #retry() {
    const done = await ask({
      title: "Try them again?", confirm: "Try again",
      body: h("p", null, "Rows that were mended in the source are read anew and handed down. Rows that the source has no longer are tried as they were kept. The run has to be verified again afterwards."),
      act: () => call("run retry", { run_id: this.id }, { longest: AN_HOUR }),
    });
    if (!done) return;
    note(`${counted(done.tried, "row")} tried: ${count(done.handed_down)} handed down, ${count(done.still_rejected)} still set aside`);
    this.shown = null;
    this.again();
  }
}

function atWork(run, live) {
  const planned = Math.max(live.planned_rows, run.rows);
  const speed = live.runners.reduce((sum, one) => sum + one.rows_per_second, 0);
  const marks = { "#": "done", "+": "begun", ">": "claimed", ".": "waiting" };
  return h("section", { class: "at-work", "aria-live": "off" },
    h("p", null, h("strong", { class: "number" }, percent(run.rows, planned)), ` ${count(run.rows)} of ${count(planned)} rows`,
      speed > 0 && `, ${count(Math.round(speed))} rows/s, about ${duration((planned - run.rows) / speed)} to go`, !live.runners.length && ", nobody is at work on it"),
    progress(run.rows, planned),
    h("div", { class: "chunks", role: "img", "aria-label": `${run.chunks_done} of ${counted(run.chunks, "chunk")} done` }, [...live.map].map((mark) => h("span", { class: `chunk ${marks[mark] ?? "waiting"}`, title: marks[mark] }))),
    live.runners.map((one) => h("p", { class: "mute" }, `Process ${one.process} of ${one.place}: ${one.silent_seconds > 15 ? `not heard for ${duration(one.silent_seconds)}` : one.waiting ? `waits: ${one.waiting}` : `${counted(one.chunks, "chunk")} in hand`}`)));
}

/** A comparison under way, whoever runs it: from this page, or `heirloom verify` elsewhere. */
function beingCompared(run, live) {
  const rows = Math.max(live.planned_rows, run.rows, live.comparing);
  return h("section", { class: "at-work", "aria-live": "off" },
    h("p", null, h("strong", { class: "number" }, percent(live.comparing, rows)), ` ${count(live.comparing)} of ${count(rows)} rows compared`),
    progress(live.comparing, rows));
}

/** What became of the legacy table, and that it went as it must. */
function retired({ steps: all, soak }) {
  const step = all.findLast((one) => one.step === "retired");
  const { table, renamed } = step?.details ?? {};
  return [
    h("div", { class: "proof good" }, icon("check"), h("div", null, h("strong", null, "The legacy table is out of use"),
      table && h("p", null, h("code", { class: "break" }, table), " was renamed to ", h("code", { class: "break" }, renamed), ", ", time(step.at), "."),
      h("p", null, "Before that every row was read once more, and the archive restored and compared. The same command drops the table when its grace is over; ", h("code", null, "heirloom unretire"), " brings it back, before and after."))),
    gatesView(soak, true),
  ];
}

function section(title, content, id = "", aside = "") {
  return h("section", { class: "part", id: id || undefined }, h("header", { class: "part-head" }, h("h2", null, title), aside && h("span", { class: "mute" }, aside)), content);
}

function columns(plan) {
  const kinds = { mapped: "good", kept: "", dropped: "mid", lost: "bad" };
  const sums = plan.columns.reduce((all, one) => ({ ...all, [one.fate]: (all[one.fate] ?? 0) + 1 }), {});
  return [
    h("p", { class: "mute" }, `${counted(plan.columns.length, "column")}: ${Object.entries(sums).map(([fate, n]) => `${n} ${fate}`).join(", ")}. ${sums.lost ? "" : "None is lost."}`),
    wideTable("Columns", ["Column", "Type", "Fate", "Becomes", "Null in"], plan.columns.map((one) => [h("code", null, one.column), h("span", { class: "mute" }, one.declared), h("span", { class: `badge ${kinds[one.fate] ?? ""}` }, one.fate),
      [one.to.length > 0 && h("code", null, one.to.join(", ")), one.note && h("span", { class: "mute" }, `${one.to.length ? " " : ""}${one.note}`)], one.nulls ? counted(one.nulls, "row") : h("span", { class: "mute" }, "–")])),
  ];
}

function findings(all) {
  if (!all.length) return h("p", { class: "nothing" }, "The plan found nothing worth saying.");
  return h("ul", { class: "findings" }, all.map((one) => h("li", null, h("p", null, h("span", { class: `badge ${SEVERITY[one.severity] ?? ""}` }, one.severity), " ", h("code", null, one.id), one.rows ? h("span", { class: "mute" }, ` ${counted(one.rows, "row")}`) : ""),
    h("p", null, sentence(one.what)), h("p", { class: "mute" }, sentence(one.write)))));
}

function values(one) {
  const most = Math.max(...one.values.map((value) => value.count), 1);
  return h("details", { class: "as-table", "data-key": `values ${one.column}` }, h("summary", null, h("code", null, one.column), ` → ${one.field}, ${counted(one.values.length, "distinct value")}`),
    wideTable(`Values of ${one.column}`, ["In the source", "Rows", "", "Becomes"], one.values.map((value) => [value.value === null ? h("span", { class: "null" }, "null") : h("code", { class: "quoted" }, JSON.stringify(value.value)), h("span", { class: "number" }, count(value.count)),
      h("span", { class: "bar-track short", "aria-hidden": "true" }, h("span", { class: "bar-fill", style: { width: `${(value.count / most) * 100}%` } })), value.becomes])),
    one.unlisted > 0 && h("p", { class: "mute" }, `${counted(one.unlisted, "row")} with values beyond these.`));
}

function names(plan) {
  return [h("ul", { class: "reasons" }, plan.namespaces.slice(0, 40).map((one) => h("li", null, h("strong", { class: "number" }, count(one.rows)), h("a", { href: pathOf("/memories", { ns: one.namespace }) }, one.namespace)))),
    plan.namespaces.length > 40 && h("p", { class: "mute" }, `and ${plan.namespaces.length - 40} more`)];
}

function steps(all) {
  return h("ol", { class: "timeline" }, [...all].reverse().map((one) => h("li", { class: "moment" }, h("p", { class: "moment-title" }, one.step.charAt(0).toUpperCase() + one.step.slice(1).replaceAll("_", " ")), h("p", { class: "mute" }, time(one.at), ` by ${one.actor}`))));
}

function verdict(found, alone) {
  const explained = Object.entries(found.explained ?? {});
  const lines = alone
    ? [["recorded as written", found.recorded], ["as they were written", found.equal]]
    : [["rows of the source", found.source_rows], ["expected in the store", found.expected], ["equal in every field", found.equal], ["rightly set aside", found.rejected], ["written since, live", found.live_rows]];
  return [
    h("div", { class: `proof ${found.holds ? "good" : "bad"}`, role: "status" }, icon(found.holds ? "check" : "close"), h("div", null, h("strong", null, found.holds ? (alone ? "The store holds what was written" : "Nothing was lost, altered or shown to another tenant") : `${counted(found.difference_count, "difference")} that nobody explains`),
      h("p", null, alone ? "The source was not read." : "Every row and every mapped field was compared."))),
    h("dl", { class: "numbers" }, [...lines, ...explained.map(([why, n]) => [`${why} since`, n]), ["differences", found.difference_count]].map(([label, n]) => h("div", null, h("dt", null, label), h("dd", { class: "number" }, count(n))))),
    found.differences.length > 0 && wideTable("Differences", ["Class", "Key", "Column", "Expected", "Found", "Memory"], found.differences.slice(0, 200).map((one) => [h("span", { class: "badge bad" }, one.class), h("code", null, one.key.join(", ")), one.column ?? "", side(one.expected), side(one.found), h("code", null, one.id.slice(0, 8))])),
    h("p", { class: "mute" }, "Merkle root ", h("code", { class: "break" }, found.merkle_root)),
  ];
}

function side(one) {
  if (!one) return h("span", { class: "mute" }, "nothing");
  if (one.value !== undefined) return h("span", { class: "cell", dir: "auto" }, one.value);
  return one.bytes === null || one.bytes === undefined ? h("span", { class: "null" }, "null") : counted(one.bytes, "byte");
}

