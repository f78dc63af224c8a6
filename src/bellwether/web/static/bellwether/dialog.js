// Forms over the page. Without this file their links lead to pages of their own.
(() => {
  "use strict";
  const dialog = () => document.getElementById("dialog");
  let opener = null;

  document.addEventListener("htmx:beforeRequest", (event) => {
    const link = event.target.closest && event.target.closest("[data-dialog]");
    if (link) opener = link;
  });
  // Where the reader goes after saving: back to this page, as it is now.
  document.addEventListener("htmx:configRequest", (event) => {
    const link = event.target.closest && event.target.closest("[data-dialog]");
    if (link && !event.detail.path.includes("next=")) event.detail.parameters.next = location.pathname + location.search;
  });
  // After the settling, in which htmx sends the cursor to the field with autofocus: a field with an error goes first.
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target !== dialog()) return;
    if (!dialog().firstElementChild) return;
    if (!dialog().open) dialog().showModal();
    const wrong = dialog().querySelector("[aria-invalid=true]");
    const first = wrong || dialog().querySelector("[autofocus]") || dialog().querySelector(".body :is(input, select, textarea):not([type=hidden])");
    if (first) first.focus();
  });
  const close = () => { if (dialog().open) dialog().close(); };
  document.addEventListener("click", (event) => {
    if (event.target === dialog() && !changed()) close();
    if (event.target.closest("#dialog [data-act=close]")) close();
  });
  // A click beside a form that somebody has filled in does not throw it away.
  const changed = () => [...dialog().querySelectorAll("input:not([type=hidden]), textarea")].some((one) =>
    one.type === "checkbox" || one.type === "radio" ? one.checked !== one.defaultChecked : one.value !== one.defaultValue);
  document.addEventListener("close", (event) => {
    if (event.target !== dialog()) return;
    dialog().replaceChildren();
    if (opener && opener.isConnected) opener.focus();
    opener = null;
  }, true);
})();
