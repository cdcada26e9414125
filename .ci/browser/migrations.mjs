// The story of a migration, from a board with the first of them to a difference that is found and named.

import { readFileSync } from "node:fs";

import { expect, texts, until } from "./bench.mjs";

export async function migrations(bench) {
  const { world } = bench;
  // Days pass by a clock that the commands and a second server are given.
  const noon = (Math.floor(Date.now() / 86_400_000) + 1) * 86_400 + 43_200;
  const at = (days) => ({ HEIRLOOM_TEST_CLOCK: String(noon + days * 86_400) });

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
    await bench.close(page);
  });

  await bench.step("a comparison is followed while it reads, on the board and on the page, whoever runs it", async () => {
    // As slow as a store of millions would be: whoever compares reads as the role that policies hold.
    await world.sql("create policy slow on heirloom.memory as restrictive for select to heirloom_audit using (namespace <> 'custom:night' or hashtext(id::text) % 2 = 0 or pg_sleep(0.0015) is not null)");
    const night = await world.sql("select run_id from heirloom_migrate.run where name = 'agents-night'");
    const board = await bench.page({ token: world.admin, path: "/migrations" });
    const page = await bench.page({ token: world.admin, path: `/migrations/${night}` });
    await page.locator(".run-head").getByText("applied").waitFor();
    const verifying = world.background("verify", "night.plan.json", "--record", "--quiet");
    const ended = new Promise((resolve) => verifying.on("exit", resolve));
    await page.getByText(/of 6,000 rows compared/).waitFor();
    await board.getByRole("region", { name: "Applied", exact: true }).getByRole("link", { name: /agents-night/ }).getByText(/comparing, \d/).waitFor();
    const first = Number(await page.getByRole("progressbar").getAttribute("aria-valuenow"));
    await until(page, (before) => Number(document.querySelector("[role=progressbar]")?.getAttribute("aria-valuenow")) > before, first);
    await page.locator(".run-head").getByText("verified").waitFor();
    expect((await ended) === 0, "verify did not end well");
    await until(page, () => !document.querySelector("[role=progressbar]"));
    await board.getByRole("region", { name: "Verified", exact: true }).getByRole("link", { name: /agents-night/ }).waitFor();
    await bench.close(board);
    await page.getByRole("button", { name: "Compare now" }).click();
    await page.getByRole("progressbar").waitFor();
    await world.sql("drop policy slow on heirloom.memory");
    await page.getByText("Nothing was lost, altered or shown to another tenant").waitFor();
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
    const values = page.locator("[aria-label='Values of status'] tbody tr", { hasText: '"Golden"' }).locator("td");
    const golden = await world.sql("select count(*) from legacy.agent_notes where status = 'Golden'");
    expect((await values.nth(1).textContent()) === golden && (await values.nth(3).textContent()).includes("canonical"), await values.allTextContents());
    const fates = Object.fromEntries(await page.locator("[aria-label=Columns] tbody tr").evaluateAll((all) => all.map((row) => [row.cells[0].textContent, [row.cells[2].textContent, row.cells[3].textContent]])));
    expect(fates.body[0] === "mapped" && fates.body[1].includes("content") && fates.note_id[0] !== "lost", fates);
    expect((await texts(page, "[aria-label='Rows set aside'] tbody td:nth-child(3)")).every((why) => why.length > 10), "no reason");
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
    expect(told[0] === "altered" && told[1] === "25" && told[2] === "importance" && told[3] === importance && told[4] === "5", told);
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
    const again = page.waitForEvent("download");
    await page.getByRole("button", { name: "Download the evidence" }).click();
    const written = await again;
    const text = readFileSync(await written.path(), "utf8");
    expect(written.suggestedFilename() === "agents-core-evidence.html" && text.startsWith("<!doctype html>") && text.includes("agents-core") && text.includes(run), text.slice(0, 200));
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

  await bench.step("a table whose gates are met is retired, and the board says so", async () => {
    await world.heirloom("plan", "archive.toml");
    await world.heirloom("apply", "archive.plan.json", "--quiet");
    const did = async (clock, ...words) => {
      const ran = await world.with(clock, ...words, "archive.plan.json");
      expect(ran.code === 0, ran);
    };
    await did(at(0), "verify", "--record");
    await did(at(0), "soak", "start");
    for (const days of [0, 1, 2]) await did(at(days), "soak", "sweep");
    const board = await bench.page({ token: world.admin, path: `${world.later}/migrations` });
    const stage = (name) => board.getByRole("region", { name, exact: true }).getByRole("link", { name: /agents-archive/ });
    await stage("Soaking").waitFor();
    await did(at(2), "retire");
    await stage("Retired").getByText("3 days clean").waitFor();
    expect((await texts(board, ".stage h2")).join() === "Planned,Applying,Applied,Verified,Soaking,Retired", await texts(board, ".stage h2"));
    await stage("Retired").click();
    await board.locator(".run-head").getByText("retired").waitFor();
    await board.getByText("The legacy table is out of use").waitFor();
    await board.getByText(/old_notes__retired_\d{8}/).waitFor();
    expect((await board.locator(".days .unseen").allTextContents()).every((text) => text.endsWith(": clean")), "a day after it is missing");
    await bench.close(board);
  });
}
