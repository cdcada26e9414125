// Elements, made one way. A string becomes a text node and nothing else: what a memory says is never read as markup.

const SVG = "http://www.w3.org/2000/svg";

/** An element. `on` holds listeners, `style` custom properties and properties, everything else is an attribute. */
export function h(tag, props, ...children) {
  return fill(document.createElement(tag), props, children);
}

/** An element of a drawing. */
export function s(tag, props, ...children) {
  return fill(document.createElementNS(SVG, tag), props, children);
}

function fill(el, props, children) {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) el.addEventListener(event, listener);
    } else if (name === "style") {
      for (const [key, text] of Object.entries(value)) el.style.setProperty(key, text);
    } else if (name === "value" && "value" in el) {
      el.value = value;
    } else {
      el.setAttribute(name, value === true ? "" : String(value));
    }
  }
  add(el, children);
  return el;
}

/** Appends nodes, texts and lists of them; leaves out what is nothing. */
export function add(el, children) {
  for (const child of [children].flat(Infinity)) {
    if (child === undefined || child === null || child === false) continue;
    el.append(child instanceof Node ? child : String(child));
  }
  return el;
}

/** Replaces what an element holds. */
export function put(el, ...children) {
  el.replaceChildren();
  return add(el, children);
}

/** Changes a text only when it is another one, so that nothing is laid out for nothing. */
export function say(el, text) {
  if (el.textContent !== text) el.textContent = text;
}

const ICONS = {
  pin: "M9.5 1.8 14.2 6.5l-2.1.5-2.6 2.6-.3 3.2L3.2 6.8l3.2-.3 2.6-2.6zM5.8 10.2 2 14",
  search: "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zm3.3 7.8L14 14",
  close: "M3.5 3.5l9 9M12.5 3.5l-9 9",
  back: "M9.5 3 4.5 8l5 5",
  next: "M6 3l5 5-5 5",
  sun: "M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1.1 1.1M11.9 11.9 13 13M13 3l-1.1 1.1M4.1 11.9 3 13",
  moon: "M13 9.6A5.6 5.6 0 1 1 6.4 3a4.6 4.6 0 0 0 6.6 6.6z",
  help: "M5.8 6a2.2 2.2 0 1 1 3.3 1.9c-.7.4-1.1.8-1.1 1.7M8 12.3v.1",
  filter: "M2 4h12M4.5 8h7M6.5 12h3",
  lock: "M4 7.5h8v6H4zM5.5 7.5V5.3a2.5 2.5 0 0 1 5 0v2.2",
  copy: "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3",
  check: "M3 8.5l3.2 3L13 4.5",
  out: "M6 2.5H3v11h3M7 8h6.5M11 5.2 13.7 8 11 10.8",
};

/** A small drawing beside words; says nothing by itself. */
export function icon(name) {
  return s("svg", { class: "icon", viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true" },
    s("path", { d: ICONS[name] }));
}

/** A button with words. */
export function button(label, click, props) {
  return h("button", { type: "button", class: "button", on: { click }, ...props }, label);
}

/** A button that shows a drawing alone; its name is for who does not see it, and for who hovers. */
export function tool(name, drawing, click, props) {
  return h("button", { type: "button", class: "tool", "aria-label": name, title: name, on: { click }, ...props },
    typeof drawing === "string" ? icon(drawing) : drawing);
}
