// Plots drawn by hand: bars by day, points in time, and lists of bars. Each has its numbers as a table, for who reads
// better than looks, and keeps its place before they come.

import { h, put, s } from "./dom.js";
import { count, day } from "./format.js";

/** A plot that is drawn anew when its width changes. `draw(width, height)` gives nodes of a drawing. */
function canvas(label, height, draw) {
  const drawing = s("svg", { class: "plot", role: "img", "aria-label": label, height });
  const el = h("div", { class: "plot-box", style: { height: `${height}px` } }, drawing);
  let last = 0;
  new ResizeObserver(([entry]) => {
    const width = Math.floor(entry.contentRect.width);
    if (width === last || width < 40) return;
    last = width;
    drawing.setAttribute("width", width);
    drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
    put(drawing, draw(width, height));
  }).observe(el);
  return el;
}

/** Round ends of an axis: 0, and a few steps up to something above the largest value. */
export function steps(most, wanted = 3) {
  if (most <= 0) return [0, 1];
  const rough = most / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough);
  const whole = Math.max(step, most < 5 ? 1 : 0);
  return Array.from({ length: Math.ceil(most / whole) + 1 }, (_, n) => n * whole);
}

const LEFT = 52;
const BOTTOM = 20;
const TOP = 6;

function axis(ticks, width, height, unit = "") {
  const most = ticks.at(-1);
  return ticks.map((tick) => {
    const y = TOP + (height - TOP - BOTTOM) * (1 - tick / most);
    return [s("line", { class: "grid", x1: LEFT, x2: width, y1: y, y2: y }), s("text", { class: "tick", x: LEFT - 7, y: y + 4, "text-anchor": "end" }, `${short(tick)}${unit}`)];
  });
}

const short = (n) => (n >= 1e6 ? `${+(n / 1e6).toFixed(1)}M` : n >= 10_000 ? `${+(n / 1e3).toFixed(1)}k` : count(+n.toFixed(2)));

/**
 * Bars by day, one part a series: `days` are `{ day, values: Map(series, number) }` in order, without a gap.
 */
export function dayBars({ label, days, series, height = 210, colour }) {
  const sums = days.map((one) => series.reduce((sum, name) => sum + (one.values.get(name) ?? 0), 0));
  const ticks = steps(Math.max(...sums, 0));
  const most = ticks.at(-1);
  const plot = canvas(label, height, (width, full) => {
    const room = width - LEFT - 2;
    const wide = room / days.length;
    const scale = (full - TOP - BOTTOM) / most;
    const gap = wide > 5 ? 1.5 : wide > 3 ? 0.7 : 0;
    const each = Math.max(1, Math.ceil(64 / wide));
    return [
      axis(ticks, width, full),
      days.map((one, at) => {
        let y = full - BOTTOM;
        const parts = series.filter((name) => one.values.get(name)).map((name) => {
          const tall = one.values.get(name) * scale;
          y -= tall;
          return s("rect", { class: "fill", style: { "--c": colour(name) }, x: LEFT + at * wide, y, width: Math.max(0.8, wide - gap), height: Math.max(0.6, tall) });
        });
        const told = [...one.values].filter(([, n]) => n).map(([name, n]) => `${name || "memories"} ${count(n)}`).join(", ");
        return s("g", { class: "day" }, s("title", null, `${day(one.day)}: ${told || "none"}`),
          s("rect", { class: "hit", x: LEFT + at * wide, y: TOP, width: wide, height: full - TOP - BOTTOM }), parts);
      }),
      days.map((one, at) => at % each === 0 && LEFT + at * wide < width - 30 && s("text", { class: "tick", x: LEFT + at * wide, y: full - 4 }, day(one.day))),
    ];
  });
  return [series.length > 1 && legend(series, colour), plot, table(label, ["Day", ...series.map((name) => name || "Memories")],
    days.filter((_, at) => sums[at] > 0).map((one) => [day(one.day), ...series.map((name) => count(one.values.get(name) ?? 0))]))];
}

export function legend(series, colour) {
  return h("ul", { class: "legend" }, series.map((name) => h("li", null, h("span", { class: "swatch", style: { "--c": colour(name) } }), name)));
}

/** Points in the order in which they came: a height each, hollow where nothing was found. */
export function points({ label, items, unit, height = 170, lines = [] }) {
  const ticks = steps(Math.max(...items.map((item) => item.value), ...lines.map((line) => line.value), 0));
  const most = ticks.at(-1);
  const plot = canvas(label, height, (width, full) => {
    const room = width - LEFT - 12;
    const at = (n) => LEFT + 6 + (items.length > 1 ? (n / (items.length - 1)) * room : room / 2);
    const up = (value) => TOP + (full - TOP - BOTTOM) * (1 - Math.min(1, value / most));
    return [
      axis(ticks, width, full, ` ${unit}`),
      lines.map((line) => [s("line", { class: "mark-line", x1: LEFT, x2: width, y1: up(line.value), y2: up(line.value) }), s("text", { class: "mark-text", x: width - 2, y: up(line.value) - 4, "text-anchor": "end" }, line.label)]),
      items.map((item, n) => s("circle", { class: item.hollow ? "point hollow" : "point", cx: at(n), cy: up(item.value), r: 2.8 }, s("title", null, item.title))),
      s("text", { class: "tick", x: LEFT, y: full - 4 }, "older"), s("text", { class: "tick", x: width - 2, y: full - 4, "text-anchor": "end" }, "newer"),
    ];
  });
  return plot;
}

/** A list of bars, longest first. `part` is drawn inside the bar. */
export function barList(items, { unit = "" } = {}) {
  const most = Math.max(1, ...items.map((item) => item.value));
  return h("ul", { class: "bar-list" }, items.map((item) => h("li", null,
    h(item.href ? "a" : "span", { class: "bar-name", href: item.href, title: item.name }, item.name),
    h("span", { class: "bar-track", "aria-hidden": "true" }, h("span", { class: "bar-fill", style: { width: `${(item.value / most) * 100}%` } },
      item.part !== undefined && h("span", { class: "bar-part", style: { width: `${item.value ? (item.part / item.value) * 100 : 0}%` } }))),
    h("span", { class: "bar-value number" }, item.label ?? `${count(item.value)}${unit}`))));
}

/** The same numbers as a table, folded. */
export function table(label, head, rows) {
  return h("details", { class: "as-table" }, h("summary", null, "As a table"),
    h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": label }, h("table", null, h("thead", null, h("tr", null, head.map((text, at) => h("th", { scope: "col", class: at ? "number" : "" }, text)))),
      h("tbody", null, rows.map((row) => h("tr", null, row.map((text, at) => (at ? h("td", { class: "number" }, text) : h("th", { scope: "row" }, text)))))))));
}

/** A table of cells that are wider than a small screen: it scrolls by itself. */
export function wideTable(label, head, rows) {
  return h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": label }, h("table", null, h("thead", null, h("tr", null, head.map((text) => h("th", { scope: "col" }, text)))),
    h("tbody", null, rows.map((row) => h("tr", null, row.map((cell) => h("td", null, cell)))))));
}

/** Days without a gap, from the first to the last, at most so many. */
export function calendar(last, length) {
  const days = [];
  for (let back = length - 1; back >= 0; back--) days.push(new Date(last.getTime() - back * 86_400_000).toISOString().slice(0, 10));
  return days;
}
