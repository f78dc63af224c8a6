// The timeline: dates apply as they are chosen; the button to apply is for those without this file.
(() => {
  "use strict";
  const prepare = () => document.querySelectorAll(".stream .apply").forEach((button) => { button.hidden = true; });
  document.addEventListener("change", (event) => {
    if (event.target.matches(".stream input[type=date]")) event.target.form.requestSubmit();
  });
  // Files follow the filters of the stream, which is swapped without the head of the page.
  document.addEventListener("htmx:afterSettle", () => {
    prepare();
    document.querySelectorAll("[data-file]").forEach((link) => { link.search = location.search; });
  });
  prepare();
})();
