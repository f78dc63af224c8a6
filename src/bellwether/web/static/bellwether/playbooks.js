// Keys on what waits, the count of chosen messages, and the focus after the editor's buttons.
(() => {
  "use strict";
  const KEYS = { a: "approve", e: "edit", r: "reject", x: "done" };
  const typing = (at) => at.matches("input:not([type=checkbox]), textarea, select, [contenteditable]");

  document.addEventListener("keydown", (event) => {
    const action = KEYS[event.key.toLowerCase()];
    if (!action || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (document.getElementById("dialog").open) return;
    const row = document.activeElement && document.activeElement.closest("[data-row]");
    const button = row && row.querySelector(`[data-do=${action}]`);
    if (!button) return;
    event.preventDefault();
    button.click();
  });

  const count = () => {
    const place = document.querySelector("[data-chosen]");
    if (place) place.textContent = `${document.querySelectorAll(".approvals .check:checked").length} selected`;
  };
  document.addEventListener("change", (event) => {
    if (event.target.matches(".approvals .check")) count();
  });
  count();

  // A swap of the whole editor leaves the reader at the entry that was added or moved, else at the same button.
  let pressed = "";
  document.addEventListener("htmx:beforeRequest", (event) => {
    const button = event.target.closest && event.target.closest("#editor button[name=do]");
    if (button) pressed = button.value;
  });
  document.addEventListener("htmx:afterSettle", () => {
    if (!pressed) return;
    const editor = document.getElementById("editor");
    const at = editor && (editor.querySelector("[autofocus]") || editor.querySelector("[aria-invalid=true]") || editor.querySelector(`button[value="${CSS.escape(pressed)}"]:not(.sr)`));
    pressed = "";
    if (at) at.focus({ preventScroll: false });
  });
})();
