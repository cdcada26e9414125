// How it looks: no violation of axe on any view in either theme, nothing wider than a small screen, and the boxes of what
// makes up a view where they were when somebody last looked at the pictures of docs/images.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { expect, rows, settled } from "./bench.mjs";

const IMAGES = fileURLToPath(new URL("../../docs/images", import.meta.url));
const BOXES = fileURLToPath(new URL("layout.json", import.meta.url));
const BLESS = process.env.HEIRLOOM_BLESS?.split(",") ?? [];
/** Whether pictures and boxes of a view are taken anew: `1` is all of them. */
const isBlessed = (name) => BLESS.includes("1") || BLESS.includes(name);
/** Fonts differ between machines: so many pixels, or so much of a side, do not matter. */
const PIXELS = 14;
const PART = 0.06;

export async function looks(bench) {
  const { world } = bench;
  const run = await world.sql("select run_id from heirloom_migrate.run where name = 'agents-core'");
  const open = await world.sql("select m.namespace || '/' || m.id from heirloom.memory m join heirloom.origin o on o.id = m.id and o.namespace = m.namespace where m.namespace = 'team:agents-core' and m.state = 'canonical' and m.topic = 'recall quality' and m.verified_at is not null and m.commit_sha is not null order by m.created_at desc limit 1");
  const linked = await world.sql("select e.namespace || '/' || e.source_id from heirloom.edge e order by e.source_id limit 1");
  const [namespace, id] = open.split("/");
  if ((await world.call(bench.base, world.admin, "show", { id, namespace })).memory.version === 1) {
    await world.call(bench.base, world.admin, "revise", { id, namespace, content: "Half-precision vectors cost 0.2 points of recall on our questions and save half of the memory. Keep them where a namespace is larger than 20,000 rows." });
    await world.call(bench.base, world.admin, "transition", { id, namespace, to: "deprecated", reason: "measured again, on more questions" });
    await world.call(bench.base, world.admin, "transition", { id, namespace, to: "canonical", reason: "confirmed by the release agent" });
  }
  for (const query of ["staging reset", "invoice format", "who covers holidays", "a question nobody can answer xyzzy", "webhook", "quarter close", "restore test", "rate limit"]) {
    await world.call(bench.base, world.admin, "recall", { query, namespaces: ["team:agents-core", "team:agents-desk", "workspace:inbox", "org:heirloom"] });
  }
  const views = {
    memories: ["/memories", (page) => rows(page).first().waitFor(), [".rail", ".search", ".summary", ".rows", ".row:not([hidden])"]],
    search: ["/memories?q=what+to+do+when+the+disk+is+full", async (page) => {
      await page.getByText("ranked by").waitFor();
      await settled(page);
      if (page.viewportSize().width > 800) await rows(page).first().locator(".score").hover();
    }, [".search", ".summary", ".row:not([hidden])", ".why"]],
    memory: [`/memories/${open}`, (page) => page.locator(".content").waitFor(), [".list", ".pane", ".acts", ".tabs", ".content", ".facts"]],
    history: [`/memories/${open}?tab=history`, (page) => page.locator(".timeline").waitFor(), [".pane", ".timeline", ".moment"]],
    origin: [`/memories/${open}?tab=origin`, (page) => page.locator(".sides").waitFor(), [".pane", ".proof", ".sides"]],
    around: [`/memories/${linked}?tab=around`, (page) => page.locator(".brief").first().waitFor(), [".pane", ".brief"]],
    migrations: [`${world.later}/migrations`, (page) => page.locator(".card.retired").waitFor(), [".board", ".stage", ".card"]],
    run: [`/migrations/${run}`, async (page) => {
      await page.getByText("None is lost").waitFor();
      await page.getByRole("button", { name: "Compare now" }).click();
      await page.locator(".compared .proof").waitFor();
    }, [".run-head", ".run-numbers", ".run-acts", ".compared"]],
    soak: [`${world.later}/migrations/${world.desk}`, async (page) => {
      await page.locator(".days .divergent").waitFor();
      await page.locator(".soak").evaluate((el) => el.closest(".part").scrollIntoView());
    }, [".soak", ".days", ".gates"]],
    insight: ["/insight", (page) => page.locator(".plot rect.fill").first().waitFor(), [".tiles", ".tile", ".figure.wide", ".figures"]],
    activity: ["/activity", async (page) => {
      await page.locator(".live.is-live").waitFor();
      for (const [content, ns] of [["The replay job runs at four.", "workspace:inbox"], ["Quota pages go to Linnea.", "team:agents-research"]]) {
        await world.call(bench.base, world.writer, "remember", { content, namespace: ns, kind: "fact" });
      }
      await page.locator(".feed-row").nth(1).waitFor();
    }, [".page-head", ".feed", ".feed-row"]],
    empty: [`${world.void}/migrations`, (page) => page.getByText("Nothing was handed down yet").waitFor(), [".page-head", ".panel", ".command"], ""],
    "no-store": [`${world.gone}/memories`, (page) => page.getByText("There is no memory store here").waitFor(), [".panel", ".command"], ""],
    "sign-in": ["/sign-in", (page) => page.getByLabel("Token").waitFor(), [".sign-in"], ""],
  };
  const before = existsSync(BOXES) ? JSON.parse(readFileSync(BOXES, "utf8")) : {};
  const boxes = {};
  mkdirSync(IMAGES, { recursive: true });
  const wanted = process.env.HEIRLOOM_VIEWS?.split(",");
  for (const [name, [path, ready, parts, token = world.admin]] of Object.entries(views)) {
    if (wanted && !wanted.includes(name)) continue;
    for (const theme of ["light", "dark"]) {
      await bench.step(`${name} in the ${theme} theme: axe finds nothing, and everything is where it was`, async () => {
        const page = await bench.page({ token, path, theme });
        await ready(page);
        await settled(page);
        const [there, room] = await page.evaluate(() => [document.querySelectorAll(".row:not([hidden])").length, Math.floor((document.querySelector(".rows")?.clientHeight ?? 0) / 62)]);
        expect(there >= room, `${there} rows where ${room} have room`);
        await bench.axe(page, `${name}, ${theme}`);
        if (isBlessed(name)) await page.screenshot({ path: join(IMAGES, `inspector-${name}-${theme}.png`), animations: "disabled" });
        const found = await measure(page, parts);
        if (isBlessed(name)) boxes[`${name} ${theme}`] = found;
        else compare(before[`${name} ${theme}`], found);
        await bench.close(page);
      });
    }
    await bench.step(`${name} at 360 pixels: nothing is wider, axe finds nothing`, async () => {
      const page = await bench.page({ token, path, width: 360, height: 740 });
      await ready(page);
      await settled(page);
      const wide = await page.evaluate(() => [document.documentElement.scrollWidth, ...[...document.querySelectorAll("main, .pane, .page, .list, dialog")].map((el) => el.getBoundingClientRect().right)]);
      expect(wide.every((right) => right <= 361), wide);
      await bench.axe(page, `${name}, 360 px`);
      if (isBlessed(name) && ["memories", "memory", "insight"].includes(name)) await page.screenshot({ path: join(IMAGES, `inspector-${name}-small.png`), animations: "disabled" });
      await bench.close(page);
    });
  }
  await bench.step("the dialogs and the help pass axe, in both themes", async () => {
    for (const theme of ["light", "dark"]) {
      const page = await bench.page({ token: world.admin, path: `/memories/${open}`, theme });
      await page.locator(".content").waitFor();
      for (const act of ["Edit", "Expire", "Move", "Forget"]) {
        await page.getByRole("button", { name: act, exact: true }).click();
        await page.locator("dialog[open]").waitFor();
        await bench.axe(page, `${act}, ${theme}`);
        await page.keyboard.press("Escape");
      }
      await page.keyboard.press("?");
      await bench.axe(page, `help, ${theme}`);
      await bench.close(page);
    }
  });
  if (BLESS.length) writeFileSync(BOXES, `${JSON.stringify({ ...before, ...boxes }, null, 1)}\n`);
}

/** Left, top, width and height of the first of each, and whether its text is cut by its own box. */
function measure(page, parts) {
  return page.evaluate((all) => Object.fromEntries(all.map((part) => {
    const box = document.querySelector(part)?.getBoundingClientRect();
    return [part, box ? [box.left, box.top, box.width, box.height].map(Math.round) : null];
  })), parts);
}

function compare(before, now) {
  expect(before, "this view has no boxes yet: HEIRLOOM_BLESS=1 .ci/inspector, and look at docs/images");
  for (const [part, box] of Object.entries(now)) {
    expect(box && before[part], `${part} is not there`);
    box.forEach((value, at) => {
      // What a text is high is the fonts' and the data's affair; where it stands and how wide it is are not.
      const most = at === 3 ? Math.max(PIXELS * 3, before[part][at] * 0.25) : Math.max(PIXELS, before[part][at] * PART);
      expect(Math.abs(value - before[part][at]) <= most, `${part} moved: ${JSON.stringify(before[part])} → ${JSON.stringify(box)} (left, top, width, height)`);
    });
  }
}
