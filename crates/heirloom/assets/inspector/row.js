// One row of the list: what it says first, then what it is, where, and when. It is used again for another memory, so it
// changes only what differs.

import { h, icon, s, say } from "./dom.js";
import { excerpt, left, setTime } from "./format.js";
import { memoryPath } from "./router.js";

export const ROW_HEIGHT = 62;

/** The parts of a score, in the order in which they are drawn. */
export const PARTS = [["lexical", "Words"], ["semantic", "Meaning"], ["context", "Neighbours"], ["boost", "Standing"]];

const WEEK = 7 * 86_400_000;

/** Gives an empty row. `list` says which memory is open and what the query beside it is. */
export function makeRow(list) {
  const text = h("span", { class: "row-text", dir: "auto" });
  const state = h("span", { class: "state" });
  const kind = h("span", { class: "kind" });
  const topic = h("span", { class: "row-topic" });
  const where = h("span", { class: "row-where" });
  const ends = h("span", { class: "badge ttl" });
  const from = h("span", { class: "badge from", title: "Its source is `imported`: it came from elsewhere" }, "imported");
  const ghost = h("span", { class: "badge ghost", title: "A lesson that nobody verified: recall leaves it out" }, "unverified");
  const pin = h("span", { class: "row-pin", role: "img", "aria-label": "Pinned", title: "Pinned" }, icon("pin"));
  const when = h("time");
  const noTime = h("span", { class: "mute" }, "no time");
  const meta = h("span", { class: "row-meta" }, state, kind, topic, where, ghost, from, ends);
  const side = h("span", { class: "row-side" }, pin, when, noTime);
  const link = h("a", { class: "row-link", tabindex: -1 }, text, meta, side);
  const bar = s("svg", { class: "bar", width: 44, height: 4, "aria-hidden": "true" },
    PARTS.map(([name]) => s("rect", { class: `part-${name}`, height: 4, y: 0 })));
  const number = h("span", { class: "score-number" });
  const score = h("button", { type: "button", class: "score", tabindex: -1 }, number, bar);
  const el = h("div", { class: "row", role: "listitem" }, link, score);
  // What the row shows now; while nothing of it changes, a frame of scrolling costs it nothing.
  let shown = null;
  let stamp = "";

  for (const event of ["pointerenter", "focus"]) score.addEventListener(event, () => list.why(score, shown));
  for (const event of ["pointerleave", "blur"]) score.addEventListener(event, () => list.why(null));
  score.addEventListener("click", () => list.why(score, shown));

  return {
    el,
    link,
    show(item, index, total) {
      const isOpen = list.open === item.id;
      const now = `${index} ${total} ${isOpen} ${index === list.current} ${list.isNew(item.id)} ${list.query}`;
      if (item === shown && now === stamp) return;
      stamp = now;
      el.setAttribute("aria-posinset", index + 1);
      el.setAttribute("aria-setsize", total);
      el.classList.toggle("is-open", isOpen);
      if (isOpen) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
      link.tabIndex = index === list.current ? 0 : -1;
      el.classList.toggle("is-new", list.isNew(item.id));
      if (item === shown && el.dataset.query === list.query) return;
      shown = item;
      el.dataset.query = list.query;
      el.dataset.id = item.id;
      el.classList.remove("is-blank");
      link.href = memoryPath(item.namespace, item.id, list.query);
      say(text, excerpt(item.content));
      say(state, item.state);
      state.dataset.state = item.state;
      say(kind, item.kind);
      say(topic, [item.role, item.topic].filter(Boolean).join(" · "));
      topic.hidden = !topic.textContent;
      say(where, item.namespace);
      pin.hidden = !item.pin;
      from.hidden = item.source !== "imported";
      ghost.hidden = !(item.kind === "lesson" && !item.verified_at);
      const end = item.expires_at && item.expires_at !== "infinity" ? item.expires_at : null;
      const soon = end && Date.parse(end) - Date.now() < WEEK;
      ends.hidden = !end;
      if (end) {
        const rest = left(end);
        say(ends, rest === "expired" ? "expired" : `${rest} left`);
        ends.title = rest === "expired" ? "Recall leaves it out" : "Until it expires";
        ends.classList.toggle("soon", Boolean(soon));
      }
      when.hidden = !item.created_at;
      noTime.hidden = Boolean(item.created_at);
      if (item.created_at) setTime(when, item.created_at);
      score.hidden = item.score === undefined;
      el.classList.toggle("has-score", item.score !== undefined);
      if (item.score !== undefined) drawScore(item);
    },
    blank(index) {
      if (stamp === `blank ${index}`) return;
      stamp = `blank ${index}`;
      el.setAttribute("aria-posinset", index + 1);
      el.classList.add("is-blank");
      el.classList.remove("is-open", "is-new");
      link.removeAttribute("aria-current");
      if (shown === null) return;
      shown = null;
      delete el.dataset.id;
      link.removeAttribute("href");
      for (const part of [text, topic, where, kind, state]) say(part, "");
      for (const part of [pin, ends, from, ghost, when, noTime, score]) part.hidden = true;
    },
  };

  function drawScore(item) {
    say(number, item.score.toFixed(2));
    score.setAttribute("aria-label", `Score ${item.score.toFixed(2)}: why this one`);
    let x = 0;
    PARTS.forEach(([name], at) => {
      const width = Math.max(0, Math.min(1, item[name])) * 44 * 0.8;
      bar.children[at].setAttribute("x", x);
      bar.children[at].setAttribute("width", width);
      x += width;
    });
  }
}

/** "Why this one": the parts that add up to a score. */
export function whyCard(item) {
  const most = Math.max(0.001, ...PARTS.map(([name]) => Math.abs(item[name])));
  return [
    h("strong", null, "Why this one"),
    h("dl", null, PARTS.map(([name, words]) => [
      h("dt", null, words),
      h("dd", null, h("span", { class: `meter part-${name}`, style: { width: `${(Math.max(0, item[name]) / most) * 90}px` } }),
        h("span", { class: "number" }, signed(item[name]))),
    ]), h("dt", { class: "sum" }, "Score"), h("dd", { class: "sum" }, h("span", { class: "number" }, signed(item.score)))),
    item.similarity !== undefined && h("p", null, `Cosine to the question ${item.similarity.toFixed(3)}`),
    item.similarity === undefined && h("p", null, "Its vector took no part."),
  ];
}

const signed = (value) => `${value < 0 ? "−" : ""}${Math.abs(value).toFixed(3)}`;

