// The drawer of one person. Without this file the links lead to a page of their own.
(() => {
  "use strict";
  if (window.bellwetherPeople) return;
  window.bellwetherPeople = true;
  const drawer = () => document.getElementById("person");
  let opener = null;
  const ready = () => document.querySelectorAll(".people-table").forEach((table) => { table.dataset.ready = ""; });

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.target.matches && event.target.matches("[data-person]")) opener = event.target;
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    ready();
    if (event.detail.target !== drawer()) return;
    if (!drawer().open) drawer().showModal();
    const title = drawer().querySelector("#person-title");
    if (title) title.focus();
  });
  // A click beside the drawer closes it, like Esc; the focus goes back to the name that opened it.
  document.addEventListener("click", (event) => {
    if (event.target === drawer()) drawer().close();
    const row = event.target.closest && event.target.closest("tr[data-person-row]");
    if (!row || event.target.closest("a, button") || String(getSelection())) return;
    row.querySelector("a[data-person]").click();
  });
  document.addEventListener("close", (event) => {
    if (event.target !== drawer()) return;
    const back = opener && opener.isConnected ? opener : null;
    if (back) back.focus();
  }, true);
  ready();
})();
