// What is shown where there is nothing to show: not yet, not any more, not for you, not now.

import { button, h, put } from "./dom.js";
import { go } from "./router.js";

/** A state: a sentence, what it means, and what to do. `heading` is `h1` where it is all of the page. */
export function panel({ title, text, code, actions = [], kind = "", heading = "h2" }) {
  return h("div", { class: `panel ${kind}`, role: kind === "bad" ? "alert" : undefined },
    h(heading, null, title),
    text && [text].flat().map((line) => h("p", null, line)),
    code && h("pre", { class: "command" }, code),
    actions.length > 0 && h("div", { class: "actions" }, actions));
}

/** The place of something that is on its way; as high as what will come. */
export function bones(rows, label = "Loading") {
  return h("div", { class: "bones", "aria-label": label, "aria-busy": "true" },
    Array.from({ length: rows }, () => h("div", { class: "bone" })));
}

/** The state that a failure stands for. */
export function failure(error, again, heading) {
  const retry = again ? [button("Try again", again)] : [];
  if (error.isAway) {
    return error.status === 0
      ? panel({ heading, title: "The server does not answer", text: "It may be stopped or out of reach. This page tries again by itself.", actions: retry, kind: "bad" })
      : panel({ heading, title: "The database does not answer", text: "The server is there, its database is not. Nothing that was acknowledged is lost. This page tries again by itself.", actions: retry, kind: "bad" });
  }
  if (error.status === 401) {
    return panel({ heading, title: "Your token is not known any more", text: "It was revoked, or has come to its end.", actions: [button("Sign in", () => go("/sign-in"))], kind: "bad" });
  }
  if (error.status === 403) {
    return panel({ heading, title: "Not with this token", text: [`${error.message}.`, "Sign in with another one to see it."], actions: [button("Sign in with another token", () => go("/sign-in"))] });
  }
  if (error.code === "no-store" || error.code === "database-undefined") {
    return panel({ heading, title: "There is no memory store here", text: ["The database is there; what Heirloom keeps in it is not.", "If there was one, look first whether this is the right database, or one that a backup has still to fill. This makes an empty store:"], code: "heirloom up", actions: retry, kind: "bad" });
  }
  if (error.code === "store-older") {
    return panel({ heading, title: "The store is of an older Heirloom", text: "It is brought up to this version with the command below; what it holds stays.", code: "heirloom up", actions: retry });
  }
  const hint = error.hints?.[0];
  return panel({ heading, title: "That did not work", text: [sentence(error.message), hint && sentence(hint)].filter(Boolean), actions: retry, kind: "bad" });
}

/** A text as a sentence. */
export function sentence(text) {
  const full = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(full) ? full : `${full}.`;
}

/** Fills a place with what `ask` gives, or the state it failed with. */
export async function load(el, rows, ask, again) {
  put(el, bones(rows));
  try {
    const content = await ask();
    if (content !== undefined) put(el, content);
  } catch (error) {
    put(el, failure(error, again));
  }
}
