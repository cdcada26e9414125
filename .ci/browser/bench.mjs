// Steps, what they found, and pages to take them on.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

/** Nothing here is a matter of time: so long is waited for what must come, on whatever machine, in milliseconds. */
export const LONGEST = 60_000;

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What a page counts while it is open: paints, shifts, refusals of the policy. Installed before its own scripts. */
function watch() {
  window.found = { shifts: [], paint: 0, refused: [] };
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if (entry.hadRecentInput) continue;
      window.found.shifts.push({ value: entry.value, at: entry.startTime, what: entry.sources.map((one) => one.node?.className ?? one.node?.nodeName).join(" ") });
    }
  }).observe({ type: "layout-shift", buffered: true });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (entry.name === "first-contentful-paint") window.found.paint = entry.startTime;
  }).observe({ type: "paint", buffered: true });
  document.addEventListener("securitypolicyviolation", (event) => window.found.refused.push(`${event.violatedDirective} ${event.blockedURI}`));
}

export class Bench {
  failed = [];
  passed = 0;
  measured = [];

  /** @param dir where pictures of what failed are left */
  constructor(browser, world, dir) {
    this.browser = browser;
    this.world = world;
    this.dir = dir;
  }

  /** A new tab of a new user: nothing kept, no cache. */
  async page({ token, path = "/", width = 1440, height = 900, theme = "light", quiet = false } = {}) {
    const context = await this.browser.newContext({ viewport: { width, height }, colorScheme: theme, baseURL: this.base, acceptDownloads: true });
    context.setDefaultTimeout(LONGEST);
    const page = await context.newPage();
    page.noise = [];
    page.on("pageerror", (error) => page.noise.push(`error: ${error.message}`));
    page.on("console", (message) => {
      // The browser itself tells of refused requests; they are looked at where they are wanted.
      if (message.type() === "error" && !/Failed to load resource/.test(message.text())) page.noise.push(message.text());
    });
    page.on("dialog", (dialog) => {
      page.noise.push(`dialog: ${dialog.message()}`);
      dialog.dismiss();
    });
    await page.addInitScript(watch);
    await page.addInitScript((secret) => secret && !sessionStorage.getItem("seen") && (sessionStorage.setItem("seen", "1"), sessionStorage.setItem("heirloom.token", secret)), token ?? "");
    await page.goto(path);
    page.quiet = quiet;
    return page;
  }

  /** Closes a tab; it must have said nothing and refused nothing. */
  async close(page) {
    const refused = await page.evaluate(() => window.found.refused).catch(() => []);
    if (page.noise.length || refused.length) this.#fail("the page stays silent", [...page.noise, ...refused].slice(0, 5).join("; "));
    await page.context().close();
  }

  async step(sentence, does) {
    const began = performance.now();
    try {
      // What the browser is asked past its pages has no limit of its own.
      await Promise.race([does(), new Promise((_, reject) => setTimeout(reject, 5 * LONGEST, new Error("it does not come to an end")).unref())]);
      this.passed++;
      console.log(`ok      ${sentence} (${Math.round(performance.now() - began)} ms)`);
    } catch (error) {
      this.#fail(sentence, error.message.split("\n").slice(0, 12).join("\n        "));
      await this.#leave();
    }
  }

  /** What a step that did not hold left open: its last page is kept as a picture, and all of it is closed. */
  async #leave() {
    for (const context of this.browser.contexts()) {
      for (const page of context.pages()) {
        const picture = join(this.dir, `failed-${this.failed.length}.png`);
        await page.screenshot({ path: picture, timeout: 10_000 }).then(() => console.log(`        ${page.url()} is in ${picture}`)).catch(() => {});
      }
      await context.close().catch(() => {});
    }
  }

  #fail(sentence, why) {
    this.failed.push(sentence);
    console.log(`FAILED  ${sentence}\n        ${why}`);
  }

  /** A number against its budget. */
  measure(what, value, most, unit, least = false) {
    this.measured.push([what, value, most, unit, least]);
    const holds = least ? value >= most : value <= most;
    if (!holds) throw new Error(`${what}: ${value} ${unit}, ${least ? "at least" : "at most"} ${most} wanted`);
  }

  async axe(page, where) {
    // Through the browser's own door, because the page's policy lets no script in.
    const session = await page.context().newCDPSession(page);
    const { frameTree } = await session.send("Page.getFrameTree");
    const { executionContextId } = await session.send("Page.createIsolatedWorld", { frameId: frameTree.frame.id, worldName: "axe" });
    const told = await session.send("Runtime.evaluate", { contextId: executionContextId, awaitPromise: true, returnByValue: true,
      expression: `${axe};axe.run(document, { resultTypes: ["violations"] }).then((found) => JSON.stringify(found.violations.map((one) => ({ id: one.id, help: one.help, nodes: one.nodes.slice(0, 3).map((node) => node.html.slice(0, 140) + " :: " + node.failureSummary.split("\\n").slice(1, 2)) }))))` });
    await session.detach();
    if (told.exceptionDetails) throw new Error(`axe: ${told.exceptionDetails.exception?.description ?? told.exceptionDetails.text}`);
    const found = JSON.parse(told.result.value);
    if (found.length) throw new Error(`${where}: ${found.map((one) => `${one.id} (${one.help})\n${one.nodes.join("\n")}`).join("\n")}`);
  }

  report() {
    console.log("\nmeasured                                             found        budget");
    for (const [what, value, most, unit, least] of this.measured) {
      const budget = most === Infinity || (least && most === 0) ? "told only" : `${least ? "≥" : "≤"} ${most}`;
      console.log(`${what.padEnd(50)} ${String(value).padStart(8)} ${unit.padEnd(4)} ${budget}`);
    }
    console.log(`\n${this.passed} steps hold, ${this.failed.length} do not${this.failed.length ? `: ${this.failed.join("; ")}` : ""}`);
    return this.failed.length ? 1 : 0;
  }
}

/** Refuses with what was found. */
export function expect(holds, found) {
  if (!holds) throw new Error(typeof found === "string" ? found : JSON.stringify(found));
}

export const rows = (page) => page.locator(".row:not([hidden]):not(.is-blank)");
export const texts = (page, selector) => page.locator(selector).allTextContents();

/** Waits until nothing is on its way and nothing moves: no placeholder, no animation, every box where it was two frames ago. */
export async function settled(page) {
  await until(page, async () => {
    const frames = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    const boxes = () => [...document.querySelectorAll("body *")].map((el) => {
      const box = el.getBoundingClientRect();
      return `${box.x} ${box.y} ${box.width} ${box.height}`;
    }).join();
    await document.fonts.ready;
    const coming = document.querySelector("[aria-busy=true], .plain-wait, .tile.blank, .row.is-blank:not([hidden])");
    const moving = document.getAnimations().some((one) => one.playState === "running");
    const before = boxes();
    await frames();
    return !coming && !moving && before === boxes();
  });
}

/** Waits until something holds in the page. Asked from outside: the page's policy lets no text be evaluated in it. */
export const until = (page, holds, argument = null) => eventually(() => page.evaluate(holds, argument), holds);

/** Waits until `holds` gives something. */
export async function eventually(holds, what = holds) {
  for (const end = Date.now() + LONGEST; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 50))) {
    if (await holds()) return;
  }
  throw new Error(`it does not become so: ${what}`);
}
