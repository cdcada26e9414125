// Where the page is: the path names the view and what it shows, the query how. Each of them can be sent to somebody.

const VIEWS = [
  [/^\/memories(?:\/([^/]+)\/([^/]+))?\/?$/, (m) => ({ view: "memories", namespace: m[1], id: m[2] })],
  [/^\/migrations(?:\/([^/]+))?\/?$/, (m) => ({ view: "migrations", run: m[1] })],
  [/^\/insight\/?$/, () => ({ view: "insight" })],
  [/^\/activity\/?$/, () => ({ view: "activity" })],
  [/^\/sign-in\/?$/, () => ({ view: "sign-in" })],
  [/^\/$/, () => ({ view: "memories" })],
];

export const router = new EventTarget();

/** The place: view, what of it, and the query. */
export function place() {
  for (const [pattern, of] of VIEWS) {
    const match = pattern.exec(location.pathname);
    if (match) {
      const found = of(match);
      for (const key of ["namespace", "id", "run"]) if (found[key]) found[key] = decoded(found[key]);
      return { ...found, query: new URLSearchParams(location.search) };
    }
  }
  return { view: "nowhere", query: new URLSearchParams(location.search) };
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Goes to a path of this page. */
export function go(path, { replace = false } = {}) {
  if (path === location.pathname + location.search) return;
  history[replace ? "replaceState" : "pushState"](null, "", path);
  router.dispatchEvent(new Event("move"));
}

/** A path with its query; what is empty is left out. */
export function pathOf(path, query) {
  const text = query instanceof URLSearchParams ? query.toString() : new URLSearchParams(query).toString();
  return text ? `${path}?${text}` : path;
}

/** The address of a memory, with the query of the list beside it. */
export function memoryPath(namespace, id, query) {
  return pathOf(`/memories/${encodeURIComponent(namespace)}/${id}`, query ?? "");
}

/** Links within the page do not load it anew; with a modifier they are the browser's. */
export function follow() {
  addEventListener("popstate", () => router.dispatchEvent(new Event("move")));
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href^='/']");
    const other = event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey;
    if (!link || other || link.target || link.hasAttribute("download")) return;
    event.preventDefault();
    go(link.getAttribute("href"));
  });
}
