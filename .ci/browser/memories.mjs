// Signing in, finding, opening, changing, forgetting.

import { eventually, expect, rows, settled, texts, until } from "./bench.mjs";

const SCRIPT = "<script>window.pwned = 1</script><img src=x onerror=\"window.pwned = 1\"> [a](javascript:window.pwned=1)";

export async function memories(bench) {
  const { world } = bench;

  await bench.step("a wrong token is told so, a right one goes in and stays in this tab alone", async () => {
    const page = await bench.page({ path: "/insight" });
    await page.getByLabel("Token").fill("hl_wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("This token is not known").waitFor();
    await page.getByLabel("Token").fill(world.admin);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { name: "Memories over time" }).waitFor();
    expect(!page.url().includes("hl_"), page.url());
    const other = await page.context().newPage();
    await other.goto("/");
    await other.getByRole("heading", { name: "Sign in" }).waitFor();
    await other.close();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    expect((await page.evaluate(() => JSON.stringify(sessionStorage))).includes("hl_") === false, "the token is still kept");
    await bench.close(page);
  });

  await bench.step("the list is there at once, without a shift", async () => {
    // The best of a few, beside a page of three letters: what else the machine does at the time is not the page's doing, and
    // a busy one gets more tries. What holds on every machine is that nothing stands before the paint.
    const paint = async (options, ready) => {
      const once = await bench.page(options);
      await ready(once);
      await until(once, () => window.found.paint > 0);
      const found = await once.evaluate(() => window.found.paint);
      await once.context().close();
      return Math.round(found);
    };
    let [best, floor] = [Infinity, Infinity];
    for (let n = 0; n < 3 || (best > 200 && n < 8); n++) {
      floor = Math.min(floor, await paint({ path: "/healthz" }, async () => {}));
      best = Math.min(best, await paint({ token: world.admin }, (once) => rows(once).first().waitFor()));
    }
    const page = await bench.page({ token: world.admin });
    await rows(page).first().waitFor();
    await settled(page);
    const found = await page.evaluate(() => ({ ...window.found,
      blocking: performance.getEntriesByType("resource").filter((one) => one.renderBlockingStatus !== "non-blocking").map((one) => one.name),
      weight: performance.getEntriesByType("resource").concat(performance.getEntriesByType("navigation"))
      .filter((one) => /\/inspector\/|\/$/.test(new URL(one.name).pathname)).reduce((sum, one) => sum + one.encodedBodySize, 0) }));
    bench.measure("assets, compressed", +(found.weight / 1000).toFixed(1), 150, "kB");
    const shift = found.shifts.reduce((sum, one) => sum + one.value, 0);
    if (shift > 0) console.log("        shifts", JSON.stringify(found.shifts));
    bench.measure("layout shift while the list arrives", +shift.toFixed(4), 0, "");
    bench.measure("first paint of a page of three letters, at best", floor, Infinity, "ms");
    bench.measure("first paint, nothing cached, at best", best, Math.max(200, 2 * floor), "ms");
    expect(found.blocking.length === 0, `before the first paint the page waits for ${found.blocking.join(", ")}`);
    await bench.close(page);
  });

  await bench.step("a question is answered as agents are, and each score says why", async () => {
    const page = await bench.page({ token: world.admin });
    await rows(page).first().waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("who covers the night shift in december");
    await page.getByText("ranked by words").waitFor();
    const first = rows(page).first();
    expect((await first.textContent()).includes("Samir covers the night shift"), await first.textContent());
    const asked = await world.call(bench.base, world.admin, "recall", { query: "who covers the night shift in december", namespaces: (await world.call(bench.base, world.admin, "namespaces", {})).namespaces.map((one) => one.name), limit: 100 });
    const shown = await page.locator(".row:not([hidden])").evaluateAll((all) => all.sort((a, b) => a.getAttribute("aria-posinset") - b.getAttribute("aria-posinset")).map((row) => row.dataset.id));
    expect(JSON.stringify(shown.slice(0, 8)) === JSON.stringify(asked.hits.slice(0, 8).map((hit) => hit.id)), { shown, asked: asked.hits.map((hit) => hit.id) });
    await first.locator(".score").hover();
    const parts = (await texts(page, ".why dd .number")).map((text) => Number(text.replace("−", "-")));
    expect(parts.length === 5 && Math.abs(parts.slice(0, 4).reduce((a, b) => a + b) - parts[4]) < 0.003, parts);
    await page.getByRole("button", { name: "Clear search" }).click();
    await page.getByText("newest first").waitFor();
    await page.getByLabel("Search memories").fill("qqxzzv");
    await page.getByText("Nothing is remembered about that").waitFor();
    await page.getByRole("button", { name: "Exact text" }).click();
    await page.getByText("No memory holds this very text").waitFor();
    await page.getByLabel("Search memories").fill("ROOM CODES");
    await page.getByText("that match").waitFor();
    expect((await rows(page).first().textContent()).includes("offsite is in Lisbon"), await rows(page).first().textContent());
    await bench.close(page);
  });

  await bench.step("a slow answer never overwrites a newer one", async () => {
    const page = await bench.page({ token: world.admin });
    await rows(page).first().waitFor();
    let held;
    await page.route("**/api/v1/recall", async (route) => {
      if (route.request().postData().includes("Lisbon")) {
        held = route;
        return;
      }
      await route.continue();
    });
    await page.getByLabel("Search memories").fill("Lisbon");
    await until(page, () => location.search.includes("Lisbon"));
    await eventually(() => held);
    await page.getByLabel("Search memories").fill("webhook fan-out");
    await until(page, () => document.querySelector(".row:not([hidden]) .row-text")?.textContent.includes("webhook fan-out"));
    // The page may have given it up already; if not, its answer is there before anybody looks.
    await held.continue().catch(() => {});
    await held.request().response().then((answer) => answer?.finished()).catch(() => {});
    await settled(page);
    expect((await rows(page).first().textContent()).includes("webhook fan-out"), "the older answer is shown");
    await bench.close(page);
  });

  await bench.step("filters narrow the list, stand in the address, and are taken away", async () => {
    const page = await bench.page({ token: world.admin });
    await rows(page).first().waitFor();
    const rail = page.getByRole("complementary", { name: "Filters" });
    await rail.getByRole("button", { name: /^summary/ }).click();
    await rail.getByRole("button", { name: /^org:heirloom/ }).click();
    await until(page, () => location.search.includes("ns=org"));
    await page.getByText("that match").waitFor();
    const check = async () => {
      await until(page, () => [...document.querySelectorAll(".row:not([hidden])")].length > 0);
      for (const text of await texts(page, ".row:not([hidden])")) expect(text.includes("summary") && text.includes("org:heirloom"), text);
    };
    await check();
    await page.reload();
    await rows(page).first().waitFor();
    await check();
    const number = Number((await page.locator(".summary strong").textContent()).split(" ")[0]);
    const listed = await world.call(bench.base, world.admin, "list", { namespaces: ["org:heirloom"], kinds: ["summary"], total: true });
    expect(number === listed.total, { number, listed: listed.total });
    await page.goto("/memories?tag=people&role=the+inbox+agent&topic=holiday+cover");
    await page.locator(".summary").getByText("that match").waitFor();
    await rail.getByRole("button", { name: "Clear" }).click();
    await page.getByText("newest first").waitFor();
    await bench.close(page);
  });

  await bench.step("a memory opens with its history, origin and surroundings, by link too", async () => {
    const page = await bench.page({ token: world.admin, path: "/memories?migrated=1&ns=team:agents-core" });
    await rows(page).nth(2).locator("a").click();
    await page.getByRole("tab", { name: "Origin" }).click();
    await page.getByText("It is as it was written").waitFor();
    const sides = await texts(page, ".sides tbody th code");
    expect(sides.join() === "note_id,workspace,status,title,body,author,tags,sha,checked,ttl,written_at", sides.join());
    const body = page.locator(".sides tbody tr", { hasText: "body" }).first().locator("td");
    expect((await body.nth(0).textContent()).trim() === (await body.nth(1).locator(".cell").textContent()).trim(), "the source's text is not the memory's");
    await page.reload();
    await page.getByText("It is as it was written").waitFor();
    await page.getByRole("tab", { name: "History" }).click();
    await page.getByText("Handed down from").waitFor();
    await page.getByRole("tab", { name: "Around it" }).click();
    await page.getByRole("heading", { name: "Like it" }).waitFor();
    await page.locator(".brief").first().click();
    await page.getByRole("tabpanel").waitFor();
    await page.goto(`/memories/team:agents-core/00000000-0000-4000-8000-000000000000`);
    await page.getByText("There is no such memory").waitFor();
    await bench.close(page);
  });

  await bench.step("an edit is kept with what it replaced, and taken back; a conflict is told", async () => {
    const made = await world.call(bench.base, world.writer, "remember", { content: "The office closes at six.", namespace: "workspace:inbox", kind: "fact" });
    const page = await bench.page({ token: world.admin, path: `/memories/workspace:inbox/${made.id}` });
    await page.getByRole("button", { name: "Edit", exact: true }).click();
    await page.getByLabel("What it says").fill("The office closes at seven.");
    await page.getByRole("button", { name: "Save" }).click();
    await page.locator(".content").getByText("closes at seven").waitFor();
    await page.getByRole("button", { name: "Undo" }).click();
    await page.locator(".content").getByText("closes at six").waitFor();
    await page.getByRole("tab", { name: "History" }).click();
    await page.locator("del", { hasText: "six" }).first().waitFor();
    await page.getByRole("tab", { name: "Memory" }).click();
    await page.getByRole("button", { name: "Edit", exact: true }).click();
    await world.call(bench.base, world.writer, "revise", { id: made.id, namespace: "workspace:inbox", content: "The office closes at eight." });
    await page.getByLabel("What it says").fill("The office closes at nine.");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Somebody changed it while you were writing").waitFor();
    await page.getByLabel("Metadata").fill("{ not json");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("The metadata is not JSON").waitFor();
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.locator(".content").getByText("closes at eight").waitFor();
    await page.getByRole("button", { name: "Pin", exact: true }).click();
    await page.getByRole("button", { name: "Unpin" }).waitFor();
    await page.getByRole("button", { name: "Expire", exact: true }).click();
    await page.getByLabel("In 7 days").check();
    await page.getByRole("button", { name: "Set" }).click();
    await page.locator(".facts").getByText(/in [67] d/).first().waitFor();
    await page.getByRole("button", { name: "Move" }).click();
    await page.getByLabel("validated").check();
    await page.getByLabel("I vouch for it").check();
    await page.getByLabel("Why").fill("read the contract");
    await page.locator("dialog").getByRole("button", { name: "Move" }).click();
    await page.locator(".facts .state", { hasText: "validated" }).first().waitFor();
    const now = await world.call(bench.base, world.writer, "show", { id: made.id, namespace: "workspace:inbox" });
    expect(now.memory.pin && now.memory.state === "validated" && now.memory.expires_at && now.memory.content.includes("eight"), now.memory);
    await bench.close(page);
  });

  await bench.step("forgetting asks first, leaves a tombstone, and takes the row away", async () => {
    const made = await world.call(bench.base, world.writer, "remember", { content: "To be forgotten soon.", namespace: "workspace:inbox", kind: "fact" });
    const page = await bench.page({ token: world.admin, path: "/memories?ns=workspace:inbox" });
    await rows(page).first().locator("a").click();
    await page.locator(".content").getByText("To be forgotten").waitFor();
    await page.getByRole("button", { name: "Forget" }).click();
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("button", { name: "Forget" }).click();
    await page.getByLabel("Why").fill("no longer so");
    await page.locator("dialog").getByRole("button", { name: "Forget" }).click();
    await page.getByText("This memory was forgotten").waitFor();
    await page.getByText("no longer so").first().waitFor();
    await until(page, (id) => !document.querySelector(`.row:not([hidden])[data-id="${id}"]`), made.id);
    const left = await world.sql(`select count(*) from heirloom.memory where id = '${made.id}'`);
    expect(left === "0" && (await world.sql(`select count(*) from heirloom.tombstone where id = '${made.id}'`)) === "1", left);
    await bench.close(page);
  });

  await bench.step("what a memory says stays text, wherever it is shown", async () => {
    const made = await world.call(bench.base, world.writer, "remember", { content: SCRIPT, namespace: "workspace:inbox", kind: "fact", topic: SCRIPT, metadata: { "<b>key</b>": SCRIPT, tags: [SCRIPT] } });
    const page = await bench.page({ token: world.admin, path: `/memories/workspace:inbox/${made.id}?ns=workspace:inbox` });
    await page.locator(".content").getByText("<script>").waitFor();
    expect((await rows(page).first().locator(".row-text").textContent()).startsWith("<script>"), "the row");
    for (const tab of ["History", "Around it", "Memory"]) {
      await page.getByRole("tab", { name: tab }).click();
      await page.getByRole("tab", { name: tab, selected: true }).waitFor();
      await settled(page);
    }
    await page.getByRole("button", { name: "Edit", exact: true }).click();
    expect((await page.getByLabel("What it says").inputValue()) === SCRIPT, "the editor");
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.getByLabel("Search memories").fill("<script>window.pwned");
    await page.locator(".summary").getByText("ranked by").waitFor();
    await settled(page);
    const found = await page.evaluate(() => [window.pwned, document.querySelectorAll("main script, main img, main b").length]);
    expect(found[0] === undefined && found[1] === 0, found);
    await world.call(bench.base, world.admin, "forget", { id: made.id, namespace: "workspace:inbox" });
    await bench.close(page);
  });

  await bench.step("a token sees its own, changes nothing it may not, and is gone when it is revoked", async () => {
    const secret = await world.token("guest", "read", ["team:agents-night"]);
    const page = await bench.page({ token: secret });
    await rows(page).first().waitFor();
    expect(new Set(await texts(page, ".row:not([hidden]) .row-where")).size === 1, "another tenant's rows");
    expect((await texts(page, ".facet-names .choice-name")).join() === "team:agents-night", await texts(page, ".facet-names .choice-name"));
    await rows(page).first().locator("a").click();
    await page.locator(".content").waitFor();
    expect((await page.getByRole("button", { name: "Edit", exact: true }).count()) === 0, "it may edit");
    const other = await world.sql("select namespace || '/' || id from heirloom.memory where namespace = 'team:agents-core' limit 1");
    await page.goto(`/memories/${other}`);
    await page.locator(".pane").getByText("Not with this token").waitFor();
    await page.goto("/migrations");
    await page.getByText("Not with this token").waitFor();
    await page.goto("/memories?ns=team:agents-core");
    await page.locator(".list-state").getByText("Not with this token").waitFor();
    await world.heirloom("token", "revoke", "guest");
    // A server asks again whether a token still stands, but not with each request.
    const headers = { authorization: `Bearer ${secret}`, "content-type": "application/json" };
    await eventually(async () => (await fetch(`${bench.base}/api/v1/whoami`, { method: "POST", headers, body: "{}" })).status === 401);
    await page.goto("/insight");
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await bench.close(page);
  });

  await bench.step("who has nothing yet is told so, and the first memory appears by itself", async () => {
    const secret = await world.token("newcomer", "write", ["team:newcomer"]);
    const page = await bench.page({ token: secret, path: "/insight" });
    await page.getByText("Nothing to count yet").waitFor();
    await page.getByRole("link", { name: "Memories", exact: true }).click();
    await page.getByText("Nothing is remembered yet").waitFor();
    await page.locator(".live.is-live").waitFor();
    await world.call(bench.base, secret, "remember", { content: "The very first one.", namespace: "team:newcomer", kind: "fact" });
    await until(page, () => document.querySelector(".row:not([hidden]) .row-text")?.textContent === "The very first one.");
    await world.heirloom("token", "revoke", "newcomer");
    await world.call(bench.base, world.admin, "forget", { id: await page.locator(".row:not([hidden])").getAttribute("data-id"), namespace: "team:newcomer" });
    await bench.close(page);
  });

  await bench.step("read-only mode keeps a tab from changing anything", async () => {
    const page = await bench.page({ token: world.admin, path: "/memories?ns=org:heirloom" });
    await rows(page).first().locator("a").click();
    await page.getByRole("button", { name: "Edit", exact: true }).waitFor();
    await page.getByRole("button", { name: "Read only" }).click();
    await page.locator(".pane").getByText("Read only").waitFor();
    expect((await page.getByRole("button", { name: "Edit", exact: true }).count()) === 0, "it may edit");
    await page.keyboard.press("#");
    expect((await page.locator("dialog").count()) === 0, "a key forgets");
    await page.getByRole("button", { name: "Read only" }).click();
    await page.getByRole("button", { name: "Edit", exact: true }).waitFor();
    await bench.close(page);
  });

  await bench.step("a hand on the keyboard gets everywhere", async () => {
    const page = await bench.page({ token: world.admin });
    await rows(page).first().waitFor();
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    const second = await page.evaluate(() => document.activeElement.closest(".row")?.getAttribute("aria-posinset"));
    expect(second === "2", second);
    await page.keyboard.press("Enter");
    await page.locator(".content").waitFor();
    const before = page.url();
    await page.keyboard.press("j");
    await until(page, (url) => location.href !== url && document.querySelector(".row.is-open .row-text")?.textContent.slice(0, 20) === document.querySelector(".content")?.textContent.slice(0, 20), before);
    await page.keyboard.press("]");
    await page.getByRole("tab", { name: "History", selected: true }).waitFor();
    await page.keyboard.press("?");
    await page.getByRole("heading", { name: "Keyboard" }).waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("e");
    await page.getByLabel("What it says").waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("Escape");
    await until(page, () => document.querySelector(".pane").hidden);
    await page.keyboard.press("g");
    await page.keyboard.press("i");
    await page.getByRole("heading", { name: "Insight" }).waitFor();
    await page.keyboard.press("/");
    await until(page, () => document.activeElement.id === "search");
    await bench.close(page);
  });
}
