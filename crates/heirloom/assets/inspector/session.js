// What this tab knows of its user: the token for the tab's life, the theme for good, whether anything may be changed.

const TOKEN = "heirloom.token";
const READ_ONLY = "heirloom.read-only";
const THEME = "heirloom.theme";

/** Who is signed in: what `whoami` said; null before. */
export const session = { me: null, operations: new Set() };

/** Storage may be closed to a page; then a token lives as long as the page. */
function storage(area) {
  try {
    return window[area];
  } catch {
    const kept = new Map();
    return {
      getItem: (key) => kept.get(key) ?? null,
      setItem: (key, value) => kept.set(key, value),
      removeItem: (key) => kept.delete(key),
    };
  }
}
const tab = storage("sessionStorage");
const browser = storage("localStorage");

export const token = () => tab.getItem(TOKEN) ?? "";
export const signIn = (secret) => tab.setItem(TOKEN, secret);
export function signOut() {
  tab.removeItem(TOKEN);
  session.me = null;
}

/** `heirloom serve --open` hands the owner's token over in the fragment, which no server sees; it leaves the address. */
export function takeFragment() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (!given) return;
  signIn(given);
  history.replaceState(null, "", location.pathname + location.search);
}

/** Whether the caller has a right. */
export const may = (right) => session.me?.rights.includes(right) ?? false;

/** Whether this tab may change anything: the token says, and the user may hold back. */
export const isReadOnly = () => !may("write") || tab.getItem(READ_ONLY) === "1";
export const canChange = () => !isReadOnly();
export function setReadOnly(on) {
  if (on) tab.setItem(READ_ONLY, "1");
  else tab.removeItem(READ_ONLY);
}

/** `light`, `dark`, or `""` for what the system says. */
export const theme = () => browser.getItem(THEME) ?? "";
export function setTheme(name) {
  if (name) browser.setItem(THEME, name);
  else browser.removeItem(THEME);
  showTheme();
}
export function showTheme() {
  document.documentElement.dataset.theme = theme();
}
