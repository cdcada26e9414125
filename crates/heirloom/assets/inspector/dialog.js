// Questions that stop, and notes that do not.

import { button, h } from "./dom.js";

/**
 * A dialog with fields. Resolves to what `read` gives, or to null. `act` runs while it stays open, so that a refusal is
 * shown beside what was asked.
 */
export function ask({ title, body, confirm, danger = false, act, wide = false }) {
  return new Promise((resolve) => {
    const wrong = h("p", { class: "wrong", role: "alert", hidden: true });
    const yes = h("button", { class: danger ? "button danger" : "button primary", type: "submit" }, confirm);
    const no = button("Cancel", () => close(null));
    const form = h("form", { on: { submit } },
      h("h2", { id: "dialog-title" }, title), h("div", { class: "dialog-body" }, body), wrong,
      h("div", { class: "actions" }, no, yes));
    const dialog = h("dialog", { class: wide ? "wide" : "", "aria-labelledby": "dialog-title" }, form);
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      close(null);
    });
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog && !form.dataset.dirty) close(null);
    });
    form.addEventListener("input", () => {
      form.dataset.dirty = "1";
    });
    const before = document.activeElement;
    document.body.append(dialog);
    dialog.showModal();
    (form.querySelector("[autofocus]") ?? (danger ? no : yes)).focus();

    async function submit(event) {
      event.preventDefault();
      if (yes.disabled) return;
      yes.disabled = true;
      wrong.hidden = true;
      try {
        close(await act(new FormData(form)));
      } catch (error) {
        wrong.textContent = error.message;
        wrong.hidden = false;
        yes.disabled = false;
      }
    }
    function close(value) {
      dialog.close();
      dialog.remove();
      if (before?.isConnected) before.focus();
      resolve(value);
    }
  });
}

let shelf = null;

/** A note that goes by itself, with something to take back where that can be done. */
export function note(text, { undo, bad = false } = {}) {
  shelf ??= document.body.appendChild(h("div", { class: "notes", role: "status", "aria-live": "polite" }));
  const gone = () => el.remove();
  const el = h("div", { class: bad ? "note bad" : "note" }, h("span", null, text),
    undo && button("Undo", async () => {
      gone();
      try {
        await undo();
        note("Taken back");
      } catch (error) {
        note(error.message, { bad: true });
      }
    }, { class: "link" }),
    button("Dismiss", gone, { class: "link quiet" }));
  shelf.append(el);
  let timer = setTimeout(gone, undo ? 12_000 : 6_000);
  el.addEventListener("pointerenter", () => clearTimeout(timer));
  el.addEventListener("pointerleave", () => {
    timer = setTimeout(gone, 4_000);
  });
}
