// Logging by keyboard: L opens the form, Ctrl Enter saves it. Forms are links and buttons without this file.
(() => {
  "use strict";
  const dialog = () => document.getElementById("dialog");
  const typing = (element) => element.matches("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
  const LOG = "a[data-dialog][href*='/activities/new/']";

  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "Enter" && dialog() && dialog().open) {
      const button = dialog().querySelector("footer .primary");
      if (button) button.click();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.key.toLowerCase() !== "l") return;
    if (typing(event.target) || (dialog() && dialog().open)) return;
    const row = document.activeElement && document.activeElement.closest("tr, article, li");
    const link = (row && row.querySelector(LOG)) || document.querySelector(`${LOG}[aria-keyshortcuts~=L]`);
    if (!link) return;
    event.preventDefault();
    link.click();
  });

  // What was saved by "Save and log another" shows on the page once the dialog closes.
  let saved = false;
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target === dialog() && dialog().querySelector("[data-saved]")) saved = true;
  });
  document.addEventListener("close", (event) => {
    if (event.target === dialog() && saved) location.reload();
  }, true);
  // A type has its usual length until somebody writes another.
  document.addEventListener("change", (event) => {
    const minutes = document.getElementById("activity-duration_minutes");
    if (event.target.name !== "activity_type" || !minutes || minutes.dataset.typed) return;
    minutes.value = event.target.dataset.minutes || minutes.value;
  });
  document.addEventListener("input", (event) => {
    if (event.target.id === "activity-duration_minutes") event.target.dataset.typed = "yes";
  });
})();
