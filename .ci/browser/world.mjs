// What the check runs on: a database of its own on a real server, seeded, migrated, and a `heirloom serve` on it.

import { execFile, spawn } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { eventually } from "./bench.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const run = promisify(execFile);

export class World {
  constructor({ binary, server, data, psql, start }) {
    Object.assign(this, { binary, server, data, psql, start });
    this.dir = mkdtempSync(join(tmpdir(), "heirloom-inspector-"));
    this.url = server.replace(/\/[^/]*$/, "/inspector_check");
    // Nobody serves as the owner.
    this.login = this.url.replace(/\/\/[^@]*@/, "//inspector_login@");
  }

  async sql(text, url = this.url) {
    const { stdout } = await run(this.psql, ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", text], { maxBuffer: 1 << 26 });
    return stdout.trim();
  }

  async file(name) {
    await run(this.psql, ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", this.url, "-f", join(here, name)]);
  }

  /** Runs a command on the store; what it prints. */
  async heirloom(...words) {
    return (await this.with({}, ...words)).stdout;
  }

  /** The same with more in its environment, where an exit code is an answer too. A clock that is set needs a debug build. */
  async with(more, ...words) {
    const env = { PATH: process.env.PATH, HOME: this.dir, DATABASE_URL: this.url, ...more };
    try {
      return { code: 0, ...(await run(this.binary, words, { cwd: this.dir, env, maxBuffer: 1 << 26 })) };
    } catch (error) {
      if (Object.keys(more).length === 0 || error.stdout === undefined) throw error;
      return { code: error.code ?? error.signal, stdout: error.stdout, stderr: error.stderr };
    }
  }

  /** A tool of the MCP server on standard input and output, called as an agent's host calls it. */
  async mcp(namespace, name, args) {
    const env = { PATH: process.env.PATH, HOME: this.dir, DATABASE_URL: this.login };
    const child = spawn(this.binary, ["mcp", "-n", namespace], { cwd: this.dir, env, stdio: ["pipe", "pipe", "ignore"] });
    const ask = (id, method, params) => child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", ...(id && { id }), method, ...(params && { params }) })}\n`);
    ask(1, "initialize", { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "check", version: "1" } });
    ask(0, "notifications/initialized");
    ask(2, "tools/call", { name, arguments: args });
    let said = "";
    const answer = () => said.split("\n").slice(0, -1).map((line) => JSON.parse(line)).find((one) => one.id === 2);
    child.stdout.on("data", (text) => {
      said += text;
    });
    await eventually(answer, `${name} is answered`);
    child.stdin.end();
    if (answer().result?.isError !== false) throw new Error(`${name}: ${said}`);
  }

  /** The same, as a process that goes on. */
  background(...words) {
    const env = { PATH: process.env.PATH, HOME: this.dir, DATABASE_URL: this.url };
    return spawn(this.binary, words, { cwd: this.dir, env, stdio: "ignore" });
  }

  async token(name, right, namespaces = []) {
    const words = ["token", "create", name, "--right", right, "--json", ...namespaces.flatMap((one) => ["--namespace", one])];
    return JSON.parse(await this.heirloom(...words)).secret;
  }

  /** A database with an empty store in it, made anew; its URL for who serves it. */
  async empty(name) {
    const url = this.server.replace(/\/[^/]*$/, `/${name}`);
    await this.sql(`drop database if exists ${name} with (force)`, this.server);
    await this.sql(`create database ${name}`, this.server);
    const up = await this.with({ DATABASE_URL: url }, "up");
    if (up.code !== 0) throw new Error(up.stderr);
    return url.replace(/\/\/[^@]*@/, "//inspector_login@");
  }

  async make() {
    mkdirSync(this.dir, { recursive: true });
    await this.empty("inspector_check");
    await this.sql(
      "do $$ begin if not exists (select from pg_roles where rolname = 'inspector_login') then create role inspector_login login; end if; end $$;" +
        "grant heirloom_serve, heirloom_audit, heirloom_admin to inspector_login",
    );
    await this.file("seed.sql");
    // The legacy tables lie in the store's own database: who compares and replays them must be able to read them.
    await this.sql("grant usage on schema legacy to inspector_login; grant select on all tables in schema legacy to inspector_login");
    for (const name of ["agents", "desk", "night", "archive"]) {
      copyFileSync(join(here, `${name}.toml`), join(this.dir, `${name}.toml`));
    }
    for (const name of ["agents", "desk"]) {
      await this.heirloom("plan", `${name}.toml`);
      await this.heirloom("apply", `${name}.plan.json`, "--quiet");
    }
    await this.heirloom("verify", "agents.plan.json", "--record");
    await this.heirloom("plan", "night.toml", "--chunk-rows", "250");
    await this.file("live.sql");
    await this.heirloom("upkeep");
    this.admin = await this.token("ana", "admin");
    this.writer = await this.token("research", "write", ["team:agents-research", "workspace:inbox"]);
    this.reader = await this.token("visitor", "read", ["team:agents-night"]);
  }

  /** Starts the server; resolves to its address. */
  async serve(more = {}, ...words) {
    const env = { PATH: process.env.PATH, HOME: this.dir, DATABASE_URL: this.login, ...more };
    const child = spawn(this.binary, ["serve", "--listen", "127.0.0.1:0", ...words], { cwd: this.dir, env, stdio: ["ignore", "ignore", "pipe"] });
    this.children = [...(this.children ?? []), child];
    let log = "";
    return new Promise((resolve, reject) => {
      child.stderr.on("data", (text) => {
        log += text;
        const at = / at (http:\/\/[^\s/]+)/.exec(log);
        if (at) resolve(at[1]);
      });
      child.on("exit", () => reject(new Error(`serve ended: ${log}`)));
    });
  }

  /** An operation as another writer. */
  async call(base, token, operation, body) {
    const response = await fetch(`${base}/api/v1/${operation}`, { method: "POST", headers: { authorization: `Bearer ${token}`, "content-type": "application/json" }, body: JSON.stringify(body) });
    const json = await response.json();
    if (!response.ok) throw new Error(`${operation}: ${response.status} ${JSON.stringify(json)}`);
    return json;
  }

  /** Ends the database as a power cut would, by its own process id. */
  async kill() {
    const pid = Number(readFileSync(join(this.data, "postmaster.pid"), "utf8").split("\n")[0]);
    process.kill(pid, "SIGQUIT");
    const ended = () => {
      try {
        return !process.kill(pid, 0);
      } catch {
        return true;
      }
    };
    await eventually(ended, "the database has ended");
  }

  /** Brings it back. */
  async restart() {
    await run(this.start[0], this.start.slice(1), { env: process.env });
  }

  end() {
    for (const child of this.children ?? []) child.kill("SIGTERM");
  }
}
