// X ticks the item in focus off; the place in the list is kept over the reload that follows.
(() => {
  "use strict";
  const PLACE = "follow-ups-place";
  const stops = () => [...document.querySelectorAll(".agenda [data-stop]")];
  const row = () => document.activeElement && document.activeElement.closest("[data-row]");

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.key.toLowerCase() !== "x") return;
    if (event.target.matches("input, textarea, select, [contenteditable]") || document.getElementById("dialog").open) return;
    const here = row();
    const tick = here && here.querySelector("[data-tick]");
    if (!tick) return;
    event.preventDefault();
    sessionStorage.setItem(PLACE, String(stops().indexOf(here.querySelector("[data-stop]"))));
    tick.click();
  });

  const kept = sessionStorage.getItem(PLACE);
  sessionStorage.removeItem(PLACE);
  if (kept !== null) {
    const all = stops();
    const stop = all[Math.min(Number(kept), all.length - 1)];
    if (stop) stop.focus();
  }
})();
