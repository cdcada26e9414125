// Numbers, times and texts for people.

import { h } from "./dom.js";

const numbers = new Intl.NumberFormat("en-US");
const exact = new Intl.DateTimeFormat("en-GB", {
  year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit",
  timeZoneName: "short",
});
const shortDay = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const longDay = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });

/** 1805 as 1,805. */
export const count = (n) => numbers.format(n);

/** The count and the noun in the right number. */
export function counted(n, one, many = `${one}s`) {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/** A part of a whole in percent; nothing is 0 %, and only all of it is 100 %. */
export function percent(part, whole) {
  if (!whole) return "0 %";
  const value = (part / whole) * 100;
  if (part < whole && value > 99.9) return "99.9 %";
  return `${value >= 10 || value === 0 ? Math.round(value) : value.toFixed(1)} %`;
}

/** Milliseconds of an instant; NaN for one that is no day of a calendar. */
export const millis = (iso) => (iso ? Date.parse(iso) : NaN);

const UNITS = [[60, "s"], [60, "min"], [24, "h"], [7, "d"]];

/** How long ago, or how far ahead, in the largest unit that says enough. */
export function relative(iso, now = Date.now()) {
  if (iso === "infinity") return "for ever";
  if (iso === "-infinity") return "since ever";
  const at = millis(iso);
  if (Number.isNaN(at)) return "at no known time";
  let value = Math.abs(now - at) / 1000;
  const ahead = at > now;
  if (value < 5) return "just now";
  for (const [size, unit] of UNITS) {
    if (value < size) return ahead ? `in ${Math.floor(value)} ${unit}` : `${Math.floor(value)} ${unit} ago`;
    value /= size;
  }
  const date = new Date(at);
  return date.getFullYear() === new Date(now).getFullYear() ? shortDay.format(date) : longDay.format(date);
}

/** The instant itself. */
export function absolute(iso) {
  const at = millis(iso);
  return Number.isNaN(at) ? String(iso) : exact.format(new Date(at));
}

/** A time that says how long ago it is, keeps saying so, and on hover when it was. */
export function time(iso, props) {
  if (!iso) return h("span", { class: "mute", ...props }, "no time");
  return setTime(h("time", props), iso);
}

/** Gives such a time another instant. */
export function setTime(el, iso) {
  el.setAttribute("datetime", iso);
  el.setAttribute("title", absolute(iso));
  el.dataset.ago = iso;
  const text = relative(iso);
  if (el.textContent !== text) el.textContent = text;
  return el;
}

/** Times go on while nobody touches the page. */
export function keepTime() {
  setInterval(() => {
    for (const el of document.querySelectorAll("time[data-ago]")) setTime(el, el.dataset.ago);
  }, 15_000);
}

/** What is left until an instant, short; "expired" after it. */
export function left(iso, now = Date.now()) {
  const at = millis(iso);
  if (Number.isNaN(at)) return "";
  let value = (at - now) / 1000;
  if (value <= 0) return "expired";
  for (const [size, unit] of [[60, "s"], [60, "min"], [24, "h"]]) {
    if (value < size) return `${Math.ceil(value)} ${unit}`;
    value /= size;
  }
  return `${Math.ceil(value)} d`;
}

/** The beginning of a text on one line. */
export function excerpt(text, length = 320) {
  return text.slice(0, length * 2).replace(/\s+/g, " ").trim().slice(0, length);
}

/** A duration of so many seconds. */
export function duration(seconds) {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`;
}

/** The day of an instant, and days of a plot. */
export const day = (iso) => shortDay.format(new Date(`${iso}T12:00:00Z`));
