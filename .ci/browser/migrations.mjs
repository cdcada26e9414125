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
    // A process that ends as soon as its run is in the ledger leaves one that waits.
    await world.with({ HEIRLOOM_FAILPOINTS: "register.after-commit=abort" }, "apply", "night.plan.json", "--quiet");
    await stage("Planned").getByRole("link", { name: /agents-night/ }).getByText("rows to come").waitFor();
    const applying = world.background("apply", "night.plan.json", "--rate", "900", "--workers", "1", "--quiet");
    const ended = new Promise((resolve) => applying.on("exit", resolve));
    const card = stage("Applying").getByRole("link", { name: /agents-night/ });
    await card.waitFor();
    await card.click();
    const bar = page.getByRole("progressbar");
    await bar.waitFor();
    const first = Number(await bar.getAttribute("aria-valuenow"));
    await until(page, (before) => Number(document.querySelector("[role=progressbar]")?.getAttribute("aria-valuenow")) > before, first);
    await page.getByText(/rows\/s/).waitFor();
    await page.locator(".run-head").getByText("applied").waitFor();
    expect((await ended) === 0, "apply did not end well");
    await world.heirloom("verify", "night.plan.json", "--record");
    await page.locator(".run-head").getByText("verified").waitFor();
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
    await page.getByText("Nothing was lost, altered or shown to another tenant").waitFor();
    const id = await world.sql(`select id from heirloom.origin where run_id = '${run}' and source_key = '["25"]'`);
    const importance = await world.sql(`select importance from heirloom.memory where id = '${id}'`);
    await world.sql(`update heirloom.memory set importance = 5 where id = '${id}'`);
    await page.getByRole("button", { name: "Compare now" }).click();
    await page.getByText("1 difference that nobody explains").waitFor();
    const told = await texts(page, "[aria-label=Differences] tbody td");
    expect(told[0] === "altered" && told[1] === "25" && told[2] === "importance", told);
    await page.getByRole("button", { name: "Compare the store alone" }).click();
    await page.getByText("The source was not read").waitFor();
    await page.getByText("1 difference that nobody explains").waitFor();
    const origin = await bench.page({ token: world.admin, path: `/memories/team:agents-desk/${id}?tab=origin` });
    await origin.getByText("It differs, and no record says why").waitFor();
    await bench.close(origin);
    await world.sql(`update heirloom.memory set importance = ${importance} where id = '${id}'`);
    await page.getByRole("button", { name: "Compare now" }).click();
    await page.getByText("Nothing was lost, altered or shown to another tenant").waitFor();
    await bench.close(page);
  });

  await bench.step("the evidence is downloaded and holds", async () => {
    const page = await bench.page({ token: world.admin, path: `/migrations/${run}` });
    await page.getByRole("button", { name: "Evidence as data" }).waitFor();
    const coming = page.waitForEvent("download");
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
    await page.getByText("10 rows tried: 4 handed down, 6 still set aside").waitFor();
    await page.getByText("4 handed down after all").waitFor();
    await world.heirloom("verify", "agents.plan.json", "--record");
    await bench.close(page);
  });

  await bench.step("a soak is a calendar that fills day by day; what diverges is named, and gates say what is missing", async () => {
    // Days pass by a clock that the commands and a second server are given.
    const noon = (Math.floor(Date.now() / 86_400_000) + 1) * 86_400 + 43_200;
    const at = (days) => ({ HEIRLOOM_TEST_CLOCK: String(noon + days * 86_400) });
    const sweep = async (days, code) => {
      const ran = await world.with(at(days), "soak", "sweep", "desk.plan.json");
      expect(ran.code === code, ran);
    };
    await world.with(at(0), "verify", "desk.plan.json", "--record");
    world.desk = await world.sql("select run_id from heirloom_migrate.run where name = 'agents-desk'");
    world.later = await world.serve(at(5));
    const page = await bench.page({ token: world.admin, path: `${world.later}/migrations/${world.desk}` });
    const cells = () => page.locator(".days .unseen").allTextContents();
    const gate = (name) => page.locator(".gates li", { hasText: name });
    await page.getByText("The soak has not started").waitFor();
    await gate("soaked").getByText("the soak was not started").waitFor();
    expect((await world.with(at(0), "soak", "start", "desk.plan.json")).code === 0, "the soak does not start");
    await sweep(0, 0);
    await page.locator(".run-head").getByText("soaking").waitFor();
    await page.locator(".days .clean").waitFor();
    await page.getByText(/of 2 days/).first().waitFor();
    const id = await world.sql(`select id from heirloom.origin where run_id = '${world.desk}' and source_key = '["25"]'`);
    await world.sql(`update heirloom.memory set importance = 5 where id = '${id}'`);
    await sweep(1, 3);
    await page.locator(".days .divergent").waitFor();
    await gate("no divergence").getByText("To do:").waitFor();
    await page.getByText("What diverged on").click();
    const told = await texts(page, "[aria-label=Divergences] tbody td");
    expect(told[0] === "altered" && told[1] === "25" && told[2] === "importance" && told[3] === id.slice(0, 8), told);
    const board = await bench.page({ token: world.admin, path: `${world.later}/migrations` });
    const card = board.getByRole("region", { name: "Soaking", exact: true }).getByRole("link", { name: /agents-desk/ });
    await card.getByText("1 divergence").waitFor();
    await world.sql(`update heirloom.memory set importance = 3 where id = '${id}'`);
    await sweep(3, 0);
    await page.locator(".soak").getByText("1 of 2 days").waitFor();
    await gate("soaked").getByText("To do:").waitFor();
    await sweep(4, 0);
    await sweep(5, 0);
    await page.locator(".run-head").getByText("soaked").waitFor();
    await until(page, () => [...document.querySelectorAll(".gates li")].every((one) => one.classList.contains("good")));
    const days = (await cells()).map((text) => text.replace(/^[^:]*: /, ""));
    expect(days.join() === "clean, before the count began anew,1 divergence,nobody compared,clean,clean,clean", days);
    expect(await page.locator("[aria-label=Divergences]").isVisible(), "what was opened is closed");
    await card.getByText("3 days clean").waitFor();
    await bench.close(page);
    await bench.close(board);
  });
}
