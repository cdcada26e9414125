// What a memory's row and page say, each filter by itself, each act and its way back, every key, every door.

import { eventually, expect, rows, settled, texts, until } from "./bench.mjs";

/** Each filter as somebody sets it, and what SQL says it lets through. */
const FILTERS = [
  ["choice", /^team:agents-desk/, "ns=team%3Aagents-desk", "m.namespace = 'team:agents-desk'"],
  ["choice", /^checkpoint/, "kind=checkpoint", "m.kind = 'checkpoint'"],
  ["choice", /^validated/, "state=validated", "m.state = 'validated'"],
  ["choice", /^user/, "source=user", "m.source = 'user'"],
  ["choice", /^Pinned/, "pinned=1", "m.pin"],
  ["choice", /^Expires within 7 days/, "expiring=1", "m.expires_at > now() and m.expires_at < now() + interval '7 days'"],
  ["choice", /^Expired/, "expired=1", "m.expires_at <= now()"],
  ["choice", /^Unverified lessons/, "unverified=1", "m.kind = 'lesson' and m.verified_at is null"],
  ["choice", /^Handed down/, "migrated=1", "exists (select from heirloom.origin o where o.namespace = m.namespace and o.id = m.id)"],
  ["Role", "the inbox agent", "role=the+inbox+agent", "m.role = 'the inbox agent'"],
  ["Topic", "holiday cover", "topic=holiday+cover", "m.topic = 'holiday cover'"],
  ["Tag", "people", "tag=people", "m.metadata -> 'tags' ? 'people'"],
];

const numberOf = (text) => Number(text.split(" ")[0].replaceAll(",", ""));

export async function acts(bench) {
  const { world } = bench;

  await bench.step("each filter lets through what it names and nothing else, and narrows a question too", async () => {
    const page = await bench.page({ token: world.admin });
    await rows(page).first().waitFor();
    const rail = page.getByRole("complementary", { name: "Filters" });
    const all = numberOf(await page.locator(".summary strong").textContent());
    expect(all === Number(await world.sql("select count(*) from heirloom.memory")), `${all} in the list`);
    for (const [how, what, query, where] of FILTERS) {
      const ids = new Set((await world.sql(`select m.id from heirloom.memory m where ${where}`)).split("\n").filter(Boolean));
      if (how === "choice") {
        await rail.getByRole("button", { name: what }).click();
      } else {
        await rail.getByLabel(how, { exact: true }).fill(what);
        await page.keyboard.press("Enter");
      }
      await until(page, (query) => location.search === `?${query}`, query);
      const right = (wanted) => document.querySelector(".summary strong")?.textContent.split(" ")[0].replaceAll(",", "") === String(wanted);
      await until(page, right, ids.size);
      await until(page, () => document.querySelector(".row:not([hidden]):not(.is-blank)"));
      const shown = await rows(page).evaluateAll((found) => found.map((row) => row.dataset.id));
      expect(ids.size > 0 && ids.size < all && shown.every((id) => ids.has(id)), `${query}: ${ids.size}, ${shown.filter((id) => !ids.has(id))}`);
      if (how === "choice") {
        const beside = await rail.getByRole("button", { name: what }).locator(".choice-count").textContent();
        expect(numberOf(beside) === ids.size, `${query}: ${beside} beside the filter, ${ids.size} memories`);
      }
      await rail.getByRole("button", { name: "Clear" }).click();
      await page.getByText("newest first").waitFor();
    }
    await page.getByLabel("Search memories").fill("webhook");
    await page.getByText("ranked by").waitFor();
    await rail.getByRole("button", { name: /^validated/ }).click();
    await page.getByText("more hidden by filters").waitFor();
    expect((await texts(page, ".row:not([hidden]) .state")).every((state) => state === "validated"), "another state");
    await rail.getByRole("button", { name: "Clear" }).click();
    await until(page, () => !document.querySelector(".summary").textContent.includes("hidden by filters"));
    // What a migration handed down under another source than `imported` is among them, and nothing else.
    const origin = "exists (select from heirloom.origin o where o.namespace = m.namespace and o.id = m.id)";
    const words = (where) => `(select regexp_replace(left(m.content, 60), '[^A-Za-z]+', ' ', 'g') from heirloom.memory m where ${where} order by m.id limit 1)`;
    const question = await world.sql(`select ${words(origin)} || ' ' || ${words(`not ${origin} and m.kind = 'fact'`)}`);
    const down = new Set((await world.sql(`select m.id from heirloom.memory m where ${origin}`)).split("\n"));
    const namespaces = (await world.call(bench.base, world.admin, "namespaces", {})).namespaces.map((found) => found.name);
    const hits = (await world.call(bench.base, world.admin, "recall", { query: question, namespaces, limit: 100 })).hits;
    const wanted = hits.filter((hit) => down.has(hit.id)).map((hit) => hit.id);
    await page.getByLabel("Search memories").fill(question);
    await until(page, (found) => document.querySelector(".summary strong")?.textContent.startsWith(`${found} `), hits.length);
    await rail.getByRole("button", { name: /^Handed down/ }).click();
    await until(page, (wanted) => document.querySelector(".summary strong")?.textContent.startsWith(`${wanted} `), wanted.length);
    const left = await rows(page).evaluateAll((found) => found.map((row) => row.dataset.id));
    expect(wanted.length > 0 && wanted.length < hits.length && left.every((id) => down.has(id)), `${wanted.length} of ${hits.length}, ${left}`);
    await bench.close(page);
  });

  await bench.step("a row says what, where, who, when, in which state and how long, and its page the rest", async () => {
    const soon = new Date(Date.now() + 3 * 86_400_000 - 60_000).toISOString();
    const made = await world.call(bench.base, world.admin, "remember", { content: "The runbook of the relay moved.\nSecond line, whole.", namespace: "workspace:inbox", kind: "lesson", role: "the relay agent", topic: "relay runbook",
      pin: true, expires_at: soon, artifact_hash: "https://example.org/runbooks/relay#v2", commit_sha: "0f3c2d1e", source_run_id: "run-77", metadata: { tags: ["relay"], depth: { level: 2, open: null } }, source: "agent" });
    const page = await bench.page({ token: world.admin, path: "/memories?topic=relay+runbook" });
    const row = rows(page).first();
    await row.waitFor();
    const said = await Promise.all([".row-text", ".state", ".kind", ".row-topic", ".row-where", ".ttl", "time"].map((part) => row.locator(part).textContent()));
    expect(JSON.stringify(said.slice(0, 6)) === JSON.stringify(["The runbook of the relay moved. Second line, whole.", "draft", "lesson", "the relay agent · relay runbook", "workspace:inbox", "3 d left"]), said);
    expect(/just now|\d+ (s|min) ago/.test(said[6]) && (await row.getByRole("img", { name: "Pinned" }).isVisible()), said[6]);
    await row.locator("a").click();
    expect((await page.locator(".content").textContent()) === "The runbook of the relay moved.\nSecond line, whole.", "the full text");
    const facts = Object.fromEntries(await page.locator(".facts").evaluateAll((all) => all.flatMap((list) => [...list.children].filter((el) => el.tagName === "DT").map((el) => [el.textContent, el.nextElementSibling.textContent]))));
    expect(facts["Written by"] === "agent as the relay agent" && facts.Valid === "since it was made" && facts.Run === "run-77" && facts.Commit.startsWith("0f3c2d1e") && facts.level === "2" && facts.open === "null", facts);
    const link = page.getByRole("link", { name: "https://example.org/runbooks/relay#v2" });
    expect((await link.getAttribute("rel")).includes("noopener") && (await link.getAttribute("target")) === "_blank", "the link of its provenance");
    // Relative, with the instant itself on hover, wherever a time stands.
    const times = await page.locator("main time").evaluateAll((all) => all.map((el) => [el.textContent, el.title, el.dateTime]));
    expect(times.length > 4 && times.every(([text, title, iso]) => text && /\d{4}.*\d\d:\d\d:\d\d/.test(title) && !Number.isNaN(Date.parse(iso))), times);
    await world.sql(`update heirloom.memory set valid_from = '2026-01-02T00:00:00Z', valid_to = '2027-03-04T00:00:00Z' where id = '${made.id}'`);
    await page.reload();
    await page.locator(".facts").getByText(/until/).waitFor();
    expect((await page.locator(".facts time").evaluateAll((all) => all.map((el) => el.dateTime))).filter((iso) => /^2026-01-02|^2027-03-04/.test(iso)).length === 2, "both ends of its validity");
    await world.call(bench.base, world.admin, "forget", { id: made.id, namespace: "workspace:inbox" });
    await bench.close(page);
  });

  await bench.step("its history is a timeline: what it said before, each step and why, and who", async () => {
    const made = await world.call(bench.base, world.writer, "remember", { content: "Backups run at two.", namespace: "workspace:inbox", kind: "fact", topic: "backups" });
    const which = { id: made.id, namespace: "workspace:inbox" };
    await world.call(bench.base, world.writer, "revise", { ...which, content: "Backups run at three." });
    await world.call(bench.base, world.admin, "revise", { ...which, topic: "nightly backups" });
    await world.call(bench.base, world.admin, "transition", { ...which, to: "candidate", reason: "asked the owner" });
    await world.call(bench.base, world.admin, "keep", { ...which, pin: true });
    const page = await bench.page({ token: world.admin, path: `/memories/workspace:inbox/${made.id}?tab=history` });
    await page.locator(".timeline").waitFor();
    expect((await texts(page, ".moment-title")).join("|") === "Pinned|Moved from draft to candidate|Revised to version 3|Revised to version 2|Remembered", await texts(page, ".moment-title"));
    const diff = [await texts(page, ".timeline del"), await texts(page, ".timeline ins")];
    expect(JSON.stringify(diff) === JSON.stringify([["two."], ["nightly ", "three."]]), diff);
    await page.locator(".moment.move").getByText("asked the owner").waitFor();
    const actors = (await texts(page, ".moment > .mute")).map((text) => /token:(?:ana|research)/.exec(text)?.[0]);
    expect(actors.join() === "token:ana,token:ana,token:ana,token:research,token:research", actors);
    await world.call(bench.base, world.admin, "forget", { ...which, reason: "superseded by the runbook" });
    await page.getByText("This memory was forgotten").waitFor();
    await page.getByText("superseded by the runbook").first().waitFor();
    expect(!(await page.locator(".pane").textContent()).includes("Backups run"), "what it said is still shown");
    await bench.close(page);
  });

  await bench.step("neighbours and edges lead from memory to memory", async () => {
    const [namespace, id, other] = (await world.sql("select e.namespace || '/' || e.source_id || '/' || e.target_id from heirloom.edge e order by e.source_id limit 1")).split("/");
    const page = await bench.page({ token: world.admin, path: `/memories/${namespace}/${id}?tab=around` });
    const part = (name) => page.locator(".pane .part", { has: page.getByRole("heading", { name, exact: true }) });
    await part("Links").getByText("→ supports").first().waitFor();
    for (const name of ["Like it", "Just after", "Just before"]) expect((await part(name).locator(".brief").count()) > 0, name);
    await part("Links").locator(`.brief[href*="${other}"]`).click();
    await until(page, (id) => location.pathname.endsWith(id), other);
    await part("Links").getByText("← supports").first().waitFor();
    await page.goBack();
    await until(page, (id) => location.pathname.endsWith(id), id);
    await bench.close(page);
  });

  await bench.step("a pin, an end, a step and metadata are set by key and taken back", async () => {
    const made = await world.call(bench.base, world.writer, "remember", { content: "The lift is out of order.", namespace: "workspace:inbox", kind: "fact", metadata: { floor: 2 } });
    const which = { id: made.id, namespace: "workspace:inbox" };
    const now = async () => (await world.call(bench.base, world.writer, "show", which)).memory;
    const page = await bench.page({ token: world.admin, path: `/memories/workspace:inbox/${made.id}` });
    await page.locator(".content").waitFor();
    const undo = async (holds) => {
      await page.getByRole("button", { name: "Undo" }).click();
      await page.getByText("Taken back").waitFor();
      expect(holds(await now()), await now());
      for (const dismiss of await page.getByRole("button", { name: "Dismiss" }).all()) await dismiss.click();
    };
    await page.keyboard.press("p");
    await page.getByRole("button", { name: "Unpin" }).waitFor();
    await eventually(async () => (await now()).pin);
    await undo((memory) => !memory.pin);
    await page.getByRole("button", { name: "Pin", exact: true }).waitFor();
    await page.keyboard.press("x");
    await page.getByLabel("In 30 days").check();
    await page.getByRole("button", { name: "Set" }).click();
    await page.locator(".facts").getByText(/in (29|30) d|[A-Z][a-z]{2}/).first().waitFor();
    await eventually(async () => (await now()).expires_at);
    await undo((memory) => !memory.expires_at);
    await page.keyboard.press("m");
    await page.getByLabel("validated").check();
    await page.locator("dialog").getByRole("button", { name: "Move" }).click();
    await page.locator(".facts .state", { hasText: "validated" }).waitFor();
    await undo((memory) => memory.state === "draft");
    await page.locator(".facts .state", { hasText: "draft" }).waitFor();
    await page.keyboard.press("e");
    await page.getByLabel("Metadata").fill("{\"floor\": 3}");
    await page.getByRole("button", { name: "Save" }).click();
    await eventually(async () => (await now()).metadata.floor === 3);
    await undo((memory) => memory.metadata.floor === 2);
    await page.keyboard.press("#");
    await page.getByText("This cannot be undone").waitFor();
    await page.locator("dialog").getByRole("button", { name: "Forget" }).click();
    await page.getByText("This memory was forgotten").waitFor();
    expect((await page.getByRole("button", { name: "Undo" }).count()) === 0, "what cannot be taken back says it can");
    await bench.close(page);
  });

  await bench.step("what has the focus is seen to have it, in both themes", async () => {
    for (const theme of ["light", "dark"]) {
      const id = await world.sql("select m.id from heirloom.memory m where m.namespace = 'org:heirloom' order by m.id limit 1");
      const page = await bench.page({ token: world.admin, path: `/memories/org:heirloom/${id}?ns=org:heirloom`, theme });
      await page.locator(".content").waitFor();
      await settled(page);
      const seen = new Set();
      for (let n = 0; n < 60; n++) {
        await page.keyboard.press("Tab");
        const found = await page.evaluate(() => {
          const el = document.activeElement;
          if (el === document.body) return null;
          const rings = [el, el.closest(".search, .row"), el.parentElement].filter(Boolean).map((one) => getComputedStyle(one));
          const ring = rings.some((style) => (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none");
          return { what: el.outerHTML.slice(0, 90), ring };
        });
        if (!found) break;
        expect(found.ring, `no ring around ${found.what}`);
        seen.add(found.what);
      }
      expect(seen.size > 30, `${seen.size} places for the focus`);
      await bench.close(page);
    }
  });

  await bench.step("what comes in by the API, the command line, MCP or the plugin contract is told as it happens", async () => {
    const page = await bench.page({ token: world.admin, path: "/activity" });
    await page.getByText("Nothing happened yet").waitFor();
    await page.locator(".live.is-live").waitFor();
    const namespace = "team:agents-research";
    const told = (n) => until(page, (n) => document.querySelectorAll(".feed-row").length >= n, n);
    await world.call(bench.base, world.writer, "remember", { content: "By the API.", namespace, kind: "fact" });
    await told(1);
    await world.heirloom("remember", "By the command line.", "-n", namespace, "--kind", "fact");
    await told(2);
    await world.mcp(namespace, "remember", { content: "By MCP.", namespace });
    await told(3);
    const wire = await fetch(`${bench.base}/v1/namespaces/${namespace}/memories`, { method: "POST", headers: { authorization: `Bearer ${world.writer}`, "content-type": "application/json" }, body: JSON.stringify({ content: "By the memory plugin's contract.", kind: "fact", source: "agent" }) });
    expect(wire.status === 201, await wire.text());
    await told(4);
    const lines = await texts(page, ".feed-what");
    expect(lines.every((line) => line.includes("remembered")) && !lines.join().includes("By "), lines);
    expect(lines.filter((line) => line.includes(namespace)).length === 4, lines);
    await page.getByRole("button", { name: "Hold" }).click();
    await world.call(bench.base, world.writer, "remember", { content: "Held back.", namespace, kind: "fact" });
    await page.getByRole("button", { name: "Go on" }).click();
    await told(5);
    await page.getByLabel("Only of this namespace or actor").fill("token:research");
    await until(page, () => [...document.querySelectorAll(".feed-row")].every((row) => row.textContent.includes("token:research")));
    await bench.close(page);
  });

  await bench.step("insight tells what the store's numbers are", async () => {
    await world.sql("update heirloom.memory set embedding = array_fill(0.03::real, array[1024])::vector, embedding_model = 'small' where namespace = 'workspace:inbox' and topic = 'release train'");
    for (const query of ["webhook", "qqxzzv"]) await world.call(bench.base, world.admin, "recall", { query, namespaces: ["workspace:inbox"] });
    const page = await bench.page({ token: world.admin, path: "/insight" });
    await page.locator(".plot rect.fill").first().waitFor();
    const one = async (what) => Number(await world.sql(`select count(*) from heirloom.memory m where ${what}`));
    const all = await one("true");
    const tiles = Object.fromEntries(await page.locator(".tile").evaluateAll((found) => found.map((el) => [el.querySelector(".tile-label").textContent, el.querySelector(".tile-value").textContent])));
    const wanted = { memories: all, "unverified lessons": await one("kind = 'lesson' and verified_at is null"), "expire in 7 days": await one("expires_at > now() and expires_at < now() + interval '7 days'"), pinned: await one("pin") };
    for (const [label, n] of Object.entries(wanted)) expect(numberOf(tiles[label]) === n, `${label}: ${tiles[label]}, ${n} wanted`);
    const vectors = await one("embedding is not null");
    expect(vectors > 0 && tiles["with a vector"] === `${((vectors / all) * 100).toFixed(1)} %`, `${tiles["with a vector"]}, ${vectors} of ${all}`);
    const [largest, size] = (await world.sql("select namespace || '/' || count(*) from heirloom.memory group by namespace order by count(*) desc limit 1")).split("/");
    const first = page.locator(".figure", { hasText: "Largest namespaces" }).locator("li").first();
    expect((await first.locator(".bar-name").textContent()) === largest && numberOf(await first.locator(".bar-value").textContent()) === Number(size), await first.textContent());
    // The bars of the last 90 days add up to what was made in them, by kind as by state.
    const made = await one("(created_at at time zone 'utc')::date > (now() at time zone 'utc')::date - 90");
    const growth = page.locator(".figure.wide");
    for (const by of ["Kind", "State"]) {
      await growth.getByRole("button", { name: by, exact: true }).click();
      const heads = await growth.locator("th[scope=col]").allTextContents();
      const sum = (await growth.locator("td.number").allTextContents()).reduce((sum, text) => sum + numberOf(text), 0);
      expect(sum === made && heads.includes(by === "Kind" ? "lesson" : "canonical"), `${by}: ${sum} in the bars, ${made} made; ${heads}`);
    }
    const ahead = await page.locator(".figure", { hasText: "What expires" }).locator("td.number").allTextContents();
    const due = await one("expires_at > now() and (expires_at at time zone 'utc')::date < (now() at time zone 'utc')::date + 60");
    expect(due > 0 && ahead.reduce((sum, text) => sum + numberOf(text), 0) === due, `${ahead} of ${due}`);
    const recall = page.locator(".figure", { has: page.getByRole("heading", { name: "Recall", exact: true }) });
    const asked = (await world.call(bench.base, world.admin, "stats", { namespaces: (await world.call(bench.base, world.admin, "namespaces", {})).namespaces.map((found) => found.name) })).recalls;
    expect((await recall.locator("circle").count()) >= Math.min(240, asked.length) && (await recall.locator("circle.hollow").count()) > 0, `${asked.length} questions`);
    await recall.getByText("found something").waitFor();
    await page.getByLabel("Namespace").selectOption("workspace:inbox");
    await until(page, () => location.search === "?ns=workspace%3Ainbox");
    await until(page, (n) => document.querySelector(".tile-value")?.textContent === String(n), await one("namespace = 'workspace:inbox'"));
    await world.sql("update heirloom.memory set embedding = null, embedding_model = null where embedding_model = 'small'");
    await bench.close(page);
  });
}
