// The story of a migration, from a board with the first of them to a difference that is found and named.

import { readFileSync } from "node:fs";

import { expect, texts, until } from "./bench.mjs";

export async function migrations(bench) {
  const { world } = bench;

  await bench.step("the board moves while rows are on their way", async () => {
    const page = await bench.page({ token: world.admin, path: "/migrations" });
    const stage = (name) => page.getByRole("region", { name, exact: true });
    await stage("Verified").getByText("agents-core").waitFor();
    await stage("Applied").getByText("agents-desk").waitFor();
    const applying = world.background("apply", "night.plan.json", "--rate", "900", "--workers", "1", "--quiet");
    const ended = new Promise((resolve) => applying.on("exit", resolve));
    const card = stage("Applying").getByRole("link", { name: /agents-night/ });
    await card.waitFor({ timeout: 20_000 });
    await card.click();
    const bar = page.getByRole("progressbar");
    await bar.waitFor();
    const first = Number(await bar.getAttribute("aria-valuenow"));
    await until(page, (before) => Number(document.querySelector("[role=progressbar]")?.getAttribute("aria-valuenow")) > before, first, 40_000);
    await page.getByText(/rows\/s/).waitFor();
    await page.locator(".run-head").getByText("applied").waitFor({ timeout: 60_000 });
    expect((await ended) === 0, "apply did not end well");
    await world.heirloom("verify", "night.plan.json", "--record");
    await page.locator(".run-head").getByText("verified").waitFor({ timeout: 30_000 });
    await page.getByRole("link", { name: "Migrations" }).last().click();
    await bench.close(page);
  });

  const run = await world.sql("select run_id from heirloom_migrate.run where name = 'agents-core'");

  await bench.step("a run tells columns, values, findings, rejects and steps", async () => {
    const page = await bench.page({ token: world.admin, path: `/migrations/${run}` });
    await page.getByText("None is lost").waitFor();
    const columns = await texts(page, "[aria-label=Columns] tbody td:first-child");
    expect(columns.length === 11, columns);
    await page.getByText("workspace-missing").first().waitFor();
    await page.getByText(/→ state, 8 distinct values/).click();
    expect((await page.locator("[aria-label='Values of status']").textContent()).includes("\"active \""), "a spelling is missing");
    await page.getByText("Which rows").click();
    const rejected = await texts(page, "[aria-label='Rows set aside'] tbody tr");
    expect(rejected.length === 10 && rejected.some((text) => text.startsWith("97")), rejected);
    await page.getByText("The soak has not started").waitFor();
    await page.locator(".gates").getByText("no open rejects").waitFor();
    expect((await texts(page, ".run .timeline .moment-title")).join() === "Verified,Applied,Started", await texts(page, ".run .timeline .moment-title"));
    await bench.close(page);
  });

  await bench.step("a comparison holds, names what was altered past the store, and holds again", async () => {
    const page = await bench.page({ token: world.admin, path: `/migrations/${run}` });
    await page.getByRole("button", { name: "Compare now" }).click();
    await page.getByText("Nothing was lost, altered or shown to another tenant").waitFor({ timeout: 20_000 });
    const id = await world.sql(`select id from heirloom.origin where run_id = '${run}' and source_key = '["25"]'`);
    const importance = await world.sql(`select importance from heirloom.memory where id = '${id}'`);
    await world.sql(`update heirloom.memory set importance = 5 where id = '${id}'`);
    await page.getByRole("button", { name: "Compare now" }).click();
    await page.getByText("1 difference that nobody explains").waitFor({ timeout: 20_000 });
    const told = await texts(page, "[aria-label=Differences] tbody td");
    expect(told[0] === "altered" && told[1] === "25" && told[2] === "importance", told);
    await page.getByRole("button", { name: "Compare the store alone" }).click();
    await page.getByText("The source was not read").waitFor({ timeout: 20_000 });
    await page.getByText("1 difference that nobody explains").waitFor();
    const origin = await bench.page({ token: world.admin, path: `/memories/team:agents-desk/${id}?tab=origin` });
    await origin.getByText("It differs, and no record says why").waitFor();
    await bench.close(origin);
    await world.sql(`update heirloom.memory set importance = ${importance} where id = '${id}'`);
    await page.getByRole("button", { name: "Compare now" }).click();
    await page.getByText("Nothing was lost, altered or shown to another tenant").waitFor({ timeout: 20_000 });
    await bench.close(page);
  });

  await bench.step("the evidence is downloaded and holds", async () => {
    const page = await bench.page({ token: world.admin, path: `/migrations/${run}` });
    await page.getByRole("button", { name: "Evidence as data" }).waitFor();
    const coming = page.waitForEvent("download", { timeout: 30_000 });
    await page.getByRole("button", { name: "Evidence as data" }).click();
    const download = await coming;
    expect(download.suggestedFilename() === "agents-core-evidence.json", download.suggestedFilename());
    const [evidence] = JSON.parse(readFileSync(await download.path(), "utf8"));
    expect(evidence.holds && evidence.run_id === run && evidence.counts.source_rows === 640, evidence.counts);
    await bench.close(page);
  });

  await bench.step("rows that were mended in the source are handed down after all", async () => {
    await world.sql("update legacy.agent_notes set body = 'Mended: keep the replay job warm.' where btrim(body) = ''");
    const page = await bench.page({ token: world.admin, path: `/migrations/${run}` });
    await page.getByRole("button", { name: "Try them again" }).click();
    await page.locator("dialog").getByRole("button", { name: "Try again" }).click();
    await page.getByText("10 rows tried: 4 handed down, 6 still set aside").waitFor({ timeout: 20_000 });
    await page.getByText("4 handed down after all").waitFor({ timeout: 20_000 });
    await world.heirloom("verify", "agents.plan.json", "--record");
    await bench.close(page);
  });
}
