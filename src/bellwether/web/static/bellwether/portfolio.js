// The keyboard and small comforts of the list. Everything it does has a link or a button that does it too.
(() => {
  "use strict";
  const one = (selector, from = document) => from.querySelector(selector);
  const typing = (element) => element.closest("input:not([type=checkbox]), textarea, select, [contenteditable]");
  const rowAtHand = () => {
    const at = document.activeElement;
    return (at && at.closest("tr[data-client]")) || null;
  };

  // X selects the row at hand, E edits its tags; Esc leaves a cell that is being edited.
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || one("dialog[open]")) return;
    if (event.key === "Escape" && event.target.closest(".cell-form")) {
      event.preventDefault();
      const leave = one("[data-leave]", event.target.closest(".cell-form"));
      if (leave) leave.click();
      return;
    }
    if (event.key === "Enter" && event.target.matches(".cell-form input")) {
      event.preventDefault(); // the row stands in a form of its own
      one("[data-save]", event.target.closest(".cell-form")).click();
      return;
    }
    if (typing(event.target)) return;
    const row = rowAtHand();
    if (!row) return;
    if (event.key === "x") {
      const box = one(".check", row);
      box.checked = !box.checked;
      box.dispatchEvent(new Event("change", { bubbles: true }));
    } else if (event.key === "e") {
      const cell = one("[data-edit=tags]", row) || one(".edit-tags", row);
      if (cell) cell.click();
    } else return;
    event.preventDefault();
  });

  // A cell that opens for editing gets the cursor; when it closes, the way into it does.
  document.addEventListener("htmx:afterSettle", (event) => {
    const cell = event.detail.target;
    if (!cell || !cell.matches || !cell.matches("td")) return;
    const field = one(".cell-form [autofocus]", cell) || one("[data-edit]", cell);
    if (field) field.focus();
  });
  // What was done can be taken back for a while; then the note goes away.
  document.addEventListener("htmx:oobAfterSwap", (event) => {
    if (!event.detail.target?.matches(".toasts")) return;
    const note = event.detail.target.lastElementChild;
    if (note) setTimeout(() => note.remove(), 12000);
  });
  // Choosing rows one by one takes back "all in this list".
  document.addEventListener("change", (event) => {
    if (!event.target.matches("#rows tbody .check") || event.target.checked) return;
    const all = one("#rows [name=all]");
    if (all) all.checked = false;
  });
  // A filter form over the page closes when its answer is on the way.
  document.addEventListener("htmx:beforeRequest", (event) => {
    const form = event.target;
    if (form.matches && form.matches("form[popover]") && form.matches(":popover-open")) form.hidePopover();
  });
})();
