// Steps, what they found, and pages to take them on.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

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

  constructor(browser, world) {
    this.browser = browser;
    this.world = world;
  }

  /** A new tab of a new user: nothing kept, no cache. */
  async page({ token, path = "/", width = 1440, height = 900, theme = "light", quiet = false } = {}) {
    const context = await this.browser.newContext({ viewport: { width, height }, colorScheme: theme, baseURL: this.base, acceptDownloads: true });
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
      await does();
      this.passed++;
      console.log(`ok      ${sentence} (${Math.round(performance.now() - began)} ms)`);
    } catch (error) {
      this.#fail(sentence, error.message.split("\n").slice(0, 12).join("\n        "));
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
      console.log(`${what.padEnd(50)} ${String(value).padStart(8)} ${unit.padEnd(4)} ${least ? "≥" : "≤"} ${most}`);
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

/** Waits until something holds in the page. Asked from outside: the page's policy lets no text be evaluated in it. */
export async function until(page, holds, argument = null, longest = 20_000) {
  for (const end = Date.now() + longest; Date.now() < end; await page.waitForTimeout(50)) {
    if (await page.evaluate(holds, argument)) return;
  }
  throw new Error(`it does not become so: ${holds}`);
}
