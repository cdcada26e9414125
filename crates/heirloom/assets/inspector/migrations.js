// The migrations: a board of where each tenant stands, from planned to retired.

import { call, Latest } from "./api.js";
import { h, put } from "./dom.js";
import { events } from "./events.js";
import { count, counted, duration, percent, time } from "./format.js";
import { RunPage } from "./run.js";
import { howFar, soaksByRun } from "./soak.js";
import { bones, failure, panel } from "./states.js";

const STAGES = [
  ["planned", "Planned", "In the ledger; no row has moved."],
  ["applying", "Applying", "Rows are on their way."],
  ["applied", "Applied", "Every chunk is in the store."],
  ["verified", "Verified", "Every row was compared."],
  ["soaking", "Soaking", "Old and new are watched."],
  ["retired", "Retired", "The legacy table is renamed or gone."],
];

export class Migrations {
  title = "Migrations";

  constructor(root) {
    this.root = root;
    this.latest = new Latest();
    this.page = null;
    // Rows that are handed down leave a line of activity a chunk, so the board moves when they do.
    this.onEvent = (event) => /^memory_/.test(event.detail.payload.activity_type) || this.#soon();
    events.addEventListener("activity", this.onEvent);
  }

  #soon() {
    if (this.soon) return;
    this.soon = setTimeout(() => {
      this.soon = null;
      this.again();
    }, 400);
  }

  show(place) {
    this.run = place.run ?? null;
    clearTimeout(this.timer);
    this.page?.end();
    this.page = null;
    if (this.run) {
      this.page = new RunPage(this.root, this.run);
      return;
    }
    this.body = h("div", { class: "board-body" }, bones(4, "Loading migrations"));
    this.root.replaceChildren(h("div", { class: "page wide" }, h("header", { class: "page-head" }, h("h1", null, "Migrations")), this.body));
    this.again();
  }

  async again() {
    if (this.page) return this.page.again();
    clearTimeout(this.timer);
    try {
      const found = await this.latest.run(async (signal) => {
        const { runs } = await call("status", {}, { signal });
        const newest = [...new Map([...runs].reverse().map((run) => [`${run.name} ${run.tenant}`, run])).values()];
        const soaks = newest.some((run) => /^soak/.test(run.state)) ? await soaksByRun(signal) : new Map();
        return newest.map((run) => ({ run, soak: soaks.get(run.run_id), earlier: runs.filter((one) => one.name === run.name && one.tenant === run.tenant).length - 1 }));
      });
      if (!found) return;
      this.#draw(found);
      const moving = found.some(({ run }) => run.state === "applying" || isCompared(run));
      this.timer = setTimeout(() => this.again(), moving ? 1_000 : pauseOf(found.map(({ run }) => run)));
    } catch (error) {
      if (error.isAway && this.drawn) return;
      put(this.body, failure(error, () => this.again()));
    }
  }

  end() {
    events.removeEventListener("activity", this.onEvent);
    clearTimeout(this.timer);
    clearTimeout(this.soon);
    this.latest.stop();
    this.page?.end();
  }

  #draw(found) {
    this.drawn = true;
    if (!found.length) {
      return put(this.body, panel({ title: "Nothing was handed down yet", text: "A migration begins with a look at the table that agents remember in now. Nothing is written until you apply a plan you have read.", code: "heirloom detect postgres://…\nheirloom plan notes.toml\nheirloom apply notes.plan.json" }));
    }
    const focused = document.activeElement?.closest?.(".card")?.getAttribute("href");
    put(this.body, h("p", { class: "mute" }, totals(found)), h("div", { class: "board" }, STAGES.map(([stage, title, means]) => {
      const cards = found.filter((one) => stageOf(one) === stage);
      return h("section", { class: "stage", "aria-label": title }, h("header", null, h("h2", null, title), h("span", { class: "stage-count number" }, cards.length)), h("p", { class: "stage-means" }, means), cards.map(card));
    })));
    if (focused) this.body.querySelector(`[href="${CSS.escape(focused)}"]`)?.focus();
  }
}

/** How long until it is asked again: what is applied is compared next. */
export const pauseOf = (runs) => (runs.some((run) => run.state === "applied") ? 2_000 : 5_000);

/** Whether somebody compares it with its source at this moment. */
export const isCompared = (run) => typeof run.comparing === "number";

// A run that failed waits where it stopped; one that has soaked is watched until its table goes.
function stageOf({ run }) {
  if (run.state === "applying" && !run.rows && !run.chunks_done && !run.runners?.length) return "planned";
  return { failed: "applying", soaked: "soaking" }[run.state] ?? run.state;
}

function totals(found) {
  const rows = found.reduce((sum, { run }) => sum + run.rows, 0);
  const open = found.reduce((sum, { run }) => sum + run.open, 0);
  return `${counted(found.length, "migration")}, ${counted(rows, "row")} read, ${open ? `${count(open)} set aside` : "nothing set aside"}.`;
}

function card({ run, soak, earlier }) {
  const planned = Math.max(run.planned_rows ?? 0, run.rows);
  const waits = stageOf({ run }) === "planned";
  const moving = run.state === "applying" && !waits;
  const speed = (run.runners ?? []).reduce((sum, one) => sum + one.rows_per_second, 0);
  const rest = speed > 0 ? (planned - run.rows) / speed : 0;
  return h("a", { class: `card ${run.state}`, href: `/migrations/${run.run_id}` },
    h("strong", { class: "card-name" }, run.name), run.tenant !== run.name && h("span", { class: "mute" }, run.tenant),
    h("span", { class: "card-rows number" }, count(waits ? planned : run.rows), h("span", { class: "mute" }, waits ? " rows to come" : moving ? ` of ${count(planned)} rows` : run.rows === 1 ? " row" : " rows")),
    moving && progress(run.rows, planned),
    isCompared(run) && [progress(run.comparing, planned), h("span", { class: "mute" }, `comparing, ${percent(run.comparing, planned)}`)],
    moving && h("span", { class: "mute" }, run.runners?.length ? `${percent(run.rows, planned)}, ${rest ? `about ${duration(rest)} to go` : "at work"}` : "nobody is at work on it"),
    soak?.started_at && [h("span", { class: "mute" }, howFar(soak)), soak.last_clean === false && h("span", { class: "badge bad" }, counted(soak.divergence_count, "divergence"))],
    run.state === "failed" && h("span", { class: "badge bad" }, "stopped; needs somebody"),
    h("span", { class: "card-badges" }, run.open > 0 && h("span", { class: "badge mid" }, `${count(run.open)} set aside`), run.conflicts > 0 && h("span", { class: "badge mid" }, counted(run.conflicts, "conflict"))),
    h("span", { class: "mute card-when" }, time(run.verified_at ?? run.applied_at ?? run.started_at), earlier > 0 && `, ${counted(earlier, "earlier run")}`));
}

export function progress(done, all) {
  return h("span", { class: "progress", role: "progressbar", "aria-label": "Rows", "aria-valuemin": 0, "aria-valuemax": all, "aria-valuenow": done }, h("span", { style: { width: `${all ? (done / all) * 100 : 0}%` } }));
}
