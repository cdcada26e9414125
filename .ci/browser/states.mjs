// States: on its way, refused, nothing there, no store at all; and the ways in that ask for no token.

import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { eventually, expect, rows, until } from "./bench.mjs";

export async function states(bench) {
  const { world } = bench;

  await bench.step("what takes its time is said to, and then is there; what is refused says why", async () => {
    // Whoever reads waits for who has the table to itself.
    const page = await bench.page({ token: world.admin, path: "/activity" });
    await page.getByText("Nothing happened yet").waitFor();
    const held = world.sql("begin; lock table heirloom.memory; select pg_sleep(3); commit");
    const locked = "select exists (select from pg_locks where relation = 'heirloom.memory'::regclass and mode = 'AccessExclusiveLock' and granted)";
    await eventually(async () => (await world.sql(locked)) === "t");
    await page.getByRole("link", { name: "Memories", exact: true }).click();
    const wait = page.getByLabel("Loading memories");
    await wait.waitFor();
    expect((await wait.getAttribute("aria-busy")) === "true", "a reader of the screen is not told");
    await rows(page).first().waitFor();
    await held;
    for (const [path, why] of [["/memories?state=nonsense", /states: "nonsense"/i], ["/memories?ns=Not+a+Namespace", /namespace/i]]) {
      await page.goto(path);
      await page.getByRole("alert").getByText("That did not work").waitFor();
      expect(why.test(await page.getByRole("alert").textContent()), await page.getByRole("alert").textContent());
    }
    await page.goto("/memories?state=rejected&tag=people&pinned=1");
    await page.getByText("No memory matches these filters").waitFor();
    await page.getByRole("button", { name: "Clear filters" }).click();
    await rows(page).first().waitFor();
    await page.goto("/migrations/00000000-0000-4000-8000-000000000000");
    await page.getByRole("alert").waitFor();
    await page.goto("/migrations/nothing-like-a-run");
    await page.getByRole("alert").waitFor();
    await bench.close(page);
  });

  await bench.step("a list that is being read says so from the first moment, beside a memory that is there already too", async () => {
    const linked = await world.sql("select namespace || '/' || source_id from heirloom.edge order by source_id limit 1");
    const page = await bench.page({ token: world.admin, path: "/activity" });
    await page.getByRole("heading", { name: "Activity" }).first().waitFor();
    let release;
    const held = new Promise((resolve) => (release = resolve));
    await page.route("**/api/v1/list", async (route) => {
      await held;
      await route.continue();
    });
    await page.goto(`/memories/${linked}?tab=around`);
    await page.locator(".brief").first().waitFor();
    expect((await page.locator(".list-body").getAttribute("aria-busy")) === "true", "the list does not say that it is being read");
    expect((await rows(page).count()) === 0, "rows are there before they were given");
    release();
    await rows(page).first().waitFor();
    await until(page, () => !document.querySelector("[aria-busy=true]"));
    await bench.close(page);
  });

  await bench.step("`serve --open` opens a browser that is signed in, and leaves no token in any address", async () => {
    const bin = join(world.dir, "bin");
    const opened = join(world.dir, "opened");
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(bin, "xdg-open"), `#!/bin/sh\nprintf '%s' "$1" > '${opened}.part' && mv '${opened}.part' '${opened}'\n`);
    chmodSync(join(bin, "xdg-open"), 0o755);
    const base = await world.serve({ PATH: `${bin}:${process.env.PATH}` }, "--open");
    await eventually(() => existsSync(opened), "a browser is opened");
    const file = readFileSync(opened, "utf8");
    const page = await bench.page({ path: `file://${file}` });
    await page.waitForURL(`${base}/**`);
    await page.locator(".user-name", { hasText: "Owner" }).waitFor();
    await rows(page).first().waitFor();
    expect(!page.url().includes("token"), page.url());
    await page.reload();
    await rows(page).first().waitFor();
    await bench.close(page);
    world.children.pop().kill("SIGTERM");
    await eventually(() => !existsSync(file), "the file with the token is gone");
  });

  await bench.step("an empty store says on every view what comes first, and asks for no token where none is asked for", async () => {
    world.void = await world.serve({ DATABASE_URL: await world.empty("inspector_empty") }, "--no-auth");
    const page = await bench.page({ path: `${world.void}/migrations` });
    await page.getByText("Nothing was handed down yet").waitFor();
    await page.getByText("heirloom detect postgres://").waitFor();
    await page.locator(".user", { hasText: "Owner" }).waitFor();
    expect((await page.getByRole("button", { name: "Sign out" }).count()) === 0, "who did not sign in may sign out");
    for (const [name, says] of [["Memories", "Nothing is remembered yet"], ["Insight", "Nothing to count yet"], ["Activity", "Nothing happened yet"]]) {
      await page.getByRole("link", { name, exact: true }).click();
      await page.getByText(says).waitFor();
    }
    await bench.close(page);
  });

  await bench.step("a database without a store is told from one that is away, and the page goes on when there is one", async () => {
    const url = await world.empty("inspector_gone");
    world.gone = await world.serve({ DATABASE_URL: url }, "--no-auth");
    const page = await bench.page({ path: `${world.gone}/migrations` });
    await page.getByText("Nothing was handed down yet").waitFor();
    const drop = () => world.sql("drop schema heirloom, heirloom_migrate cascade", url.replace("inspector_login", "postgres")).catch(() => world.sql("drop schema heirloom cascade", url.replace("inspector_login", "postgres")));
    await drop();
    for (const view of ["memories", "insight"]) {
      await page.goto(`${world.gone}/${view}`);
      await page.getByText("There is no memory store here").waitFor();
    }
    expect(await page.locator(".notice").isHidden(), "the database is called away");
    await world.with({ DATABASE_URL: url.replace("inspector_login", "postgres") }, "up");
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByText("Nothing to count yet").waitFor();
    await drop();
    await until(page, async () => (await fetch("/readyz")).status === 503);
    await bench.close(page);
  });
}
