// The page as a whole: who is signed in, which view is shown, what is going on with the server.

import { Activity } from "./activity.js";
import { call, isBack, operations, pause, trouble } from "./api.js";
import { button, h, icon, put, tool } from "./dom.js";
import { events } from "./events.js";
import { keepTime } from "./format.js";
import { Insight } from "./insight.js";
import { installKeys, showHelp } from "./keys.js";
import { Memories } from "./memories.js";
import { Migrations } from "./migrations.js";
import { follow, go, place, router } from "./router.js";
import { isReadOnly, may, session, setReadOnly, setTheme, showTheme, signIn, signOut, takeFragment, theme, token } from "./session.js";
import { failure, panel, sentence } from "./states.js";

const main = document.getElementById("main");
const notice = document.querySelector(".notice");
const NAV = [["/memories", "Memories", "memories"], ["/migrations", "Migrations", "migrations"], ["/insight", "Insight", "insight"], ["/activity", "Activity", "activity"]];
const VIEWS = { memories: Memories, migrations: Migrations, insight: Insight, activity: Activity };

let view = null;
let shown = "";
session.namespaces = [];

/** Which namespaces there are; asked anew when something happened in one that is not among them. */
export async function loadNamespaces(last = 0) {
  if (Date.now() - last < 10_000) return false;
  const found = await call("namespaces").catch(() => null);
  if (!found) return false;
  session.namespaces = [...found.namespaces.map((one) => one.name), ...found.empty];
  return true;
}

async function begin() {
  put(main, h("div", { class: "plain-wait" }));
  try {
    const [me, names, operationNames] = await Promise.all([call("whoami"), call("namespaces"), operations()]);
    session.me = me;
    session.operations = operationNames;
    session.namespaces = [...names.namespaces.map((one) => one.name), ...names.empty];
  } catch (error) {
    if (error.status === 401) return draw();
    if (error.isAway) return;
    frame();
    return put(main, h("div", { class: "middle" }, failure(error, begin, "h1")));
  }
  events.start();
  draw();
}

/** Shows the view that the address names. */
function draw() {
  const at = place();
  const needsName = !session.me;
  const name = needsName || at.view === "sign-in" ? "sign-in" : at.view;
  frame(name);
  if (name !== shown) {
    view?.end?.();
    view = null;
    shown = name;
    main.scrollTop = 0;
  }
  if (name === "sign-in") {
    document.title = "Sign in · Heirloom";
    return put(main, signInPage());
  }
  const View = VIEWS[name];
  if (!View) {
    document.title = "Heirloom";
    return put(main, h("div", { class: "middle" }, panel({ heading: "h1", title: "There is no such page", text: "The address may be mistyped.", actions: [button("Memories", () => go("/memories"))] })));
  }
  view ??= new View(main);
  document.title = `${view.title} · Heirloom`;
  view.show(at);
}

/** The line at the top. */
function frame(name) {
  const nav = document.querySelector(".nav");
  const tools = document.querySelector(".tools");
  if (!session.me) {
    put(nav);
    return put(tools, themeTool());
  }
  put(nav, NAV.map(([path, label, view]) => h("a", { href: path, "aria-current": view === name ? "page" : undefined }, label)));
  put(tools, live(), lock(), themeTool(), tool("Keyboard shortcuts", "help", showHelp), user());
}

function live() {
  const words = { live: "Live", joining: "Joining", lost: "Not live", off: "Not live" };
  const title = { live: "What happens is shown as it happens", joining: "Listening for what happens", lost: "The stream of events is away; it is taken up again", off: "Nobody is listening" };
  return h("span", { class: `live is-${events.state}`, title: title[events.state], role: "status" }, h("span", { class: "live-dot", "aria-hidden": "true" }), h("span", { class: "live-word" }, words[events.state]));
}

function lock() {
  if (!may("write")) return h("span", { class: "badge locked", title: "This token may only read" }, icon("lock"), h("span", { class: "lock-word" }, "Read only"));
  const on = isReadOnly();
  return h("button", {
    type: "button", class: on ? "button lock on" : "button lock", "aria-pressed": String(on), title: on ? "Nothing can be changed in this tab. Press to allow it again." : "Keep yourself from changing anything in this tab",
    on: { click: () => { setReadOnly(!on); view?.end?.(); view = null; shown = ""; draw(); } },
  }, icon("lock"), h("span", { class: "lock-word" }, "Read only"));
}

function themeTool() {
  const dark = theme() ? theme() === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  return tool(dark ? "Light theme" : "Dark theme", dark ? "sun" : "moon", () => {
    setTheme(dark ? "light" : "dark");
    frame(shown || undefined);
  }, { class: "tool theme" });
}

function user() {
  const { me } = session;
  const name = me.owner ? "Owner" : me.name;
  if (!token()) return h("span", { class: "user", title: "This server asks for no token on this machine" }, name);
  return h("span", { class: "user" }, h("span", { class: "user-name", title: `${me.owner ? "The owner of the store" : `Token ${me.name}`}, may ${me.rights.join(", ")}` }, name),
    tool("Sign out", "out", () => {
      signOut();
      events.forget();
      session.namespaces = [];
      go("/sign-in");
      draw();
    }));
}

function signInPage() {
  const wrong = h("p", { class: "wrong", role: "alert", hidden: true });
  const secret = h("input", { type: "password", name: "token", autocomplete: "off", spellcheck: "false", required: true, autofocus: true, placeholder: "hl_…" });
  const enter = h("button", { type: "submit", class: "button primary" }, "Sign in");
  const form = h("form", { class: "panel sign-in", on: { submit: async (event) => {
    event.preventDefault();
    enter.disabled = true;
    signIn(secret.value.trim());
    try {
      session.me = await call("whoami");
      secret.value = "";
      const at = place();
      if (at.view === "sign-in") history.replaceState(null, "", "/memories");
      await begin();
    } catch (error) {
      signOut();
      wrong.textContent = error.status === 401 ? "This token is not known, was revoked, or is past its end." : sentence(error.message);
      wrong.hidden = false;
      secret.select();
    } finally {
      enter.disabled = false;
    }
  } } },
  h("h1", null, "Sign in"), h("p", null, "With a token of this store. It is kept in this tab alone and goes when the tab is closed."),
  h("label", { class: "field" }, h("span", null, "Token"), secret), wrong, h("div", { class: "actions" }, enter),
  h("p", { class: "mute" }, "To make one:"), h("pre", { class: "command" }, "heirloom token create me --right write --namespace team:research"));
  queueMicrotask(() => secret.focus());
  return h("div", { class: "middle" }, form);
}

/** A server or database that is away is asked again until it is back; then what is shown is read anew. */
let waiting = false;
async function away(error) {
  if (waiting) return;
  waiting = true;
  notice.hidden = false;
  const nobody = error.status === 0;
  put(notice, h("span", { class: "live-dot", "aria-hidden": "true" }), h("span", null, nobody ? "The server does not answer." : "The database does not answer."), h("span", { class: "mute" }, " What you see may be old. Trying again…"));
  document.body.classList.add("is-away");
  if (!session.me) put(main, h("div", { class: "middle" }, failure(error, undefined, "h1")));
  for (let wait = 700; !(await isBack()); wait = Math.min(wait * 1.5, 5_000)) await pause(wait);
  waiting = false;
  notice.hidden = true;
  document.body.classList.remove("is-away");
  if (!session.me) return begin();
  view?.again?.();
}

function unauthorised() {
  if (!session.me && !token()) return draw();
  if (!session.me) return;
  session.me = null;
  signOut();
  events.forget();
  draw();
}

takeFragment();
showTheme();
keepTime();
follow();
installKeys(() => view);
router.addEventListener("move", draw);
events.addEventListener("state", () => {
  const old = document.querySelector(".live");
  if (old) old.replaceWith(live());
});
trouble.addEventListener("away", (event) => away(event.detail));
trouble.addEventListener("unauthorised", unauthorised);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => frame(shown || undefined));
begin();

