// What happens while a page is open: other writers, a hundred thousand rows, a database that goes and comes back.

import { expect, rows, settled, texts, until } from "./bench.mjs";

export async function live(bench) {
  const { world } = bench;

  await bench.step("another writer's memory appears, and neither place nor choice is lost", async () => {
    const page = await bench.page({ token: world.admin, path: "/memories?ns=team:agents-research" });
    await rows(page).first().waitFor();
    await page.locator(".live.is-live").waitFor();
    await world.call(bench.base, world.writer, "remember", { content: "Written by another hand.", namespace: "team:agents-research", kind: "fact" });
    await until(page, () => document.querySelector(".row:not([hidden]) .row-text")?.textContent === "Written by another hand.");
    await rows(page).nth(3).locator("a").click();
    await page.locator(".content").waitFor();
    await page.locator(".rows").evaluate((el) => {
      el.scrollTop = 1_500;
    });
    await until(page, () => document.querySelector(".row:not([hidden]):not(.is-blank)[aria-posinset='27']"));
    await settled(page);
    const look = () => page.evaluate(() => {
      const box = document.querySelector(".rows").getBoundingClientRect();
      const first = [...document.querySelectorAll(".row:not([hidden])")].map((row) => ({ id: row.dataset.id, top: Math.round(row.getBoundingClientRect().top - box.top) })).filter((row) => row.top >= 0).sort((a, b) => a.top - b.top)[0];
      return { ...first, open: location.pathname };
    });
    const before = await look();
    const total = Number((await page.locator(".summary strong").textContent()).split(" ")[0]);
    for (const n of [1, 2, 3]) await world.heirloom("remember", `Line ${n} of a command`, "-n", "team:agents-research", "--kind", "fact");
    await until(page, (wanted) => document.querySelector(".summary strong").textContent.startsWith(String(wanted)), total + 3);
    const after = await look();
    expect(before.id === after.id && Math.abs(before.top - after.top) <= 1 && before.open === after.open, { before, after });
    await bench.close(page);
  });

  await bench.step("an open memory follows what others do to it, and activity tells of it", async () => {
    const made = await world.call(bench.base, world.writer, "remember", { content: "The first words.", namespace: "workspace:inbox", kind: "fact" });
    const page = await bench.page({ token: world.admin, path: `/memories/workspace:inbox/${made.id}` });
    await page.locator(".content").waitFor();
    await page.locator(".live.is-live").waitFor();
    await world.call(bench.base, world.writer, "revise", { id: made.id, namespace: "workspace:inbox", content: "The second words." });
    await page.locator(".content").getByText("The second words.").waitFor();
    await world.call(bench.base, world.writer, "forget", { id: made.id, namespace: "workspace:inbox" });
    await page.getByText("This memory was forgotten").waitFor();
    await page.getByRole("link", { name: "Activity" }).click();
    const told = (await texts(page, ".feed-row")).join("\n");
    expect(told.includes("token:research forgot") && told.includes("token:research revised") && !told.includes("words"), told);
    await bench.close(page);
  });
}

/** Scrolls as a wheel does, some rows a frame and now and then a long way at once, and counts the frames. */
async function scroll() {
  const el = document.querySelector(".rows");
  let frames = 0;
  const end = performance.now() + 4_000;
  while (performance.now() < end) {
    await new Promise(requestAnimationFrame);
    el.scrollTop += ++frames % 60 === 0 ? el.scrollHeight / 26 : 90;
  }
  return { frames, elements: document.querySelectorAll(".row").length };
}

/** Counts the frames from now on, and those in which no row has this text. */
function watch(text) {
  window.watched = { frames: 0, without: 0 };
  const look = () => {
    window.watched.frames++;
    if (![...document.querySelectorAll(".row:not([hidden]) .row-text")].some((one) => one.textContent === text)) window.watched.without++;
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}

/** Who scrolls on while the list is read anew stays where he went. */
async function scrolledMeanwhile(bench, page) {
  const { world } = bench;
  const list = page.locator(".rows");
  await list.evaluate((el) => {
    el.scrollTop = 50_010 * 62;
  });
  await settled(page);
  const held = withResolvers();
  const asked = withResolvers();
  await page.route("**/api/v1/list", async (route) => {
    asked.resolve();
    await held.promise;
    await route.continue();
  });
  await world.call(bench.base, world.admin, "remember", { content: "Another one", namespace: "team:large", kind: "fact" });
  await asked.promise;
  const top = () => list.evaluate((el) => el.scrollTop);
  const before = await list.evaluate((el) => (el.scrollTop += 1_500));
  held.resolve();
  await page.getByText("100,002 memories").waitFor();
  await settled(page);
  const after = await top();
  await page.unroute("**/api/v1/list");
  // One row came in above.
  expect(Math.abs(after - before - 62) <= 1, { before, after });
}

/** What `does` gives, with the processor time in milliseconds that the page's main thread had meanwhile. */
async function traced(bench, page, does) {
  await bench.browser.startTracing(page, { categories: ["toplevel"] });
  const found = await does();
  const { traceEvents } = JSON.parse(await bench.browser.stopTracing());
  const mains = new Set(traceEvents.filter((one) => one.name === "thread_name" && one.args.name === "CrRendererMain").map((one) => `${one.pid} ${one.tid}`));
  const sums = new Map();
  for (const one of traceEvents) {
    const thread = `${one.pid} ${one.tid}`;
    if (one.name.endsWith("RunTask") && one.ph === "X" && mains.has(thread)) sums.set(`${thread} ${one.name}`, (sums.get(`${thread} ${one.name}`) ?? 0) + (one.tdur ?? one.dur) / 1_000);
  }
  return { ...found, busy: Math.max(...sums.values()) };
}

// Node 20 has no Promise.withResolvers.
function withResolvers() {
  const made = {};
  made.promise = new Promise((resolve) => {
    made.resolve = resolve;
  });
  return made;
}

export async function large(bench) {
  const { world } = bench;

  await bench.step("a hundred thousand rows scroll without a stutter, and any of them is near", async () => {
    await world.file("large.sql");
    await world.sql("analyze heirloom.memory");
    const page = await bench.page({ token: world.admin, path: "/memories?ns=team:large" });
    await page.getByText("100,000 memories").waitFor();
    await rows(page).first().waitFor();
    await settled(page);
    // The processor time of the page's own thread, because a browser without a graphics card on a busy machine draws
    // nothing at 50 frames a second; 20 ms of it would be that.
    const scrolled = await traced(bench, page, () => page.evaluate(scroll));
    bench.measure("frames a second, 100,000 rows, drawn in software", Math.round(scrolled.frames / 4), 0, "", true);
    bench.measure("time of the page's thread a frame", +(scrolled.busy / scrolled.frames).toFixed(1), 20, "ms");
    bench.measure("rows that are elements", scrolled.elements, 60, "");
    const began = performance.now();
    await page.locator(".rows").evaluate((el) => {
      el.scrollTop = 70_000 * 62;
    });
    await until(page, () => [...document.querySelectorAll(".row:not([hidden]) .row-text")].some((one) => one.textContent === "Number 70005 of a hundred thousand"));
    bench.measure("row 70,000 is there after", Math.round(performance.now() - began), 1_500, "ms");
    await page.locator(".rows").evaluate((el) => {
      el.scrollTop = el.scrollHeight;
    });
    await until(page, () => [...document.querySelectorAll(".row:not([hidden]) .row-text")].some((one) => one.textContent === "Number 100000 of a hundred thousand"));
    // Every frame is looked at: a row that is blank for a moment is a place that was lost.
    await page.evaluate(watch, "Number 100000 of a hundred thousand");
    await world.call(bench.base, world.admin, "remember", { content: "One more than that", namespace: "team:large", kind: "fact" });
    await page.getByText("100,001 memories").waitFor();
    await settled(page);
    const watched = await page.evaluate(() => window.watched);
    expect(watched.frames > 0 && watched.without === 0, { lost: watched });
    await scrolledMeanwhile(bench, page);
    await bench.close(page);
    await world.sql("delete from heirloom.memory where namespace = 'team:large'");
  });
}

export async function outage(bench) {
  const { world } = bench;

  await bench.step("a database that is killed is told of, what was shown stays, and it comes back by itself", async () => {
    const page = await bench.page({ token: world.admin, path: "/memories" });
    await rows(page).first().waitFor();
    await page.locator(".live.is-live").waitFor();
    const shown = await rows(page).first().textContent();
    await world.kill();
    await page.getByLabel("Search memories").fill("webhook");
    await page.locator(".notice").getByText("The database does not answer").waitFor();
    await page.getByText("its database is not").first().waitFor();
    await world.restart();
    await until(page, () => document.querySelector(".notice").hidden);
    await until(page, () => document.querySelector(".row:not([hidden]) .row-text")?.textContent.includes("webhook"));
    await page.getByRole("button", { name: "Clear search" }).click();
    await page.getByText("newest first").or(page.getByText("that match")).first().waitFor();
    const again = await rows(page).first().textContent();
    expect(again.slice(0, 20) === shown.slice(0, 20), { shown, again });
    await page.locator(".live.is-live").waitFor();
    await world.call(bench.base, world.writer, "remember", { content: "Written after the outage.", namespace: "workspace:inbox", kind: "fact" });
    await until(page, () => document.querySelector(".row:not([hidden]) .row-text")?.textContent === "Written after the outage.");
    await bench.close(page);
  });

  await bench.step("a server that is stopped is told of", async () => {
    const page = await bench.page({ token: world.admin, path: "/insight" });
    await page.getByRole("heading", { name: "Memories over time" }).waitFor();
    world.end();
    await page.getByRole("link", { name: "Memories", exact: true }).click();
    await page.locator(".notice").getByText("The server does not answer").waitFor();
    await page.locator(".live.is-lost").waitFor();
    await page.context().close();
  });
}
