// The usage tab keeps itself fresh: the server answers with new figures when there are any, else with nothing.
(() => {
  "use strict";
  const EVERY = 1500;
  const part = () => document.querySelector("[data-live]");
  // Nothing is exchanged while nobody looks, while an explanation is open or while the reader is at a control.
  const busy = (usage) => {
    const at = document.activeElement;
    return document.hidden
      || document.querySelector(".why:popover-open, dialog[open]")
      || (at && usage.contains(at) && at.matches("input, select"))
      || usage.querySelector(".htmx-request") || usage.classList.contains("htmx-request");
  };
  // Bars wider than their card start at the newest.
  const settle = () => document.querySelectorAll("[data-live] .chart.wide").forEach((chart) => { chart.scrollLeft = chart.scrollWidth; });
  settle();
  let open = [];
  let focused = "";
  setInterval(() => {
    const usage = part();
    if (usage && window.htmx && !busy(usage)) window.htmx.trigger(usage, "usage:tick");
  }, EVERY);
  document.addEventListener("htmx:beforeSwap", (event) => {
    const usage = part();
    if (event.detail.target !== usage) return;
    // A session that has ended answers with the page to sign in: that goes to the whole window.
    if (event.detail.xhr.responseURL && new URL(event.detail.xhr.responseURL).pathname !== new URL(event.detail.pathInfo.finalRequestPath, location.href).pathname) {
      event.detail.shouldSwap = false;
      location.reload();
      return;
    }
    const quiet = event.detail.requestConfig.triggeringEvent && event.detail.requestConfig.triggeringEvent.type === "usage:tick";
    open = quiet ? [...usage.querySelectorAll("details[open][id]")].map((box) => box.id) : [];
    const at = document.activeElement;
    focused = at && usage.contains(at) && !at.id && at.getAttribute("popovertarget") ? at.getAttribute("popovertarget") : "";
  });
  document.addEventListener("htmx:afterSwap", () => {
    open.forEach((id) => { const box = document.getElementById(id); if (box) box.open = true; });
    settle();
    if (focused) {
      const again = document.querySelector(`[data-live] [popovertarget="${CSS.escape(focused)}"]`);
      if (again) again.focus({ preventScroll: true });
    }
    open = [];
    focused = "";
  });
  // A poll that fails is tried again by the next one; a toast every two seconds would help nobody.
  const silent = (event) => {
    const config = event.detail.requestConfig;
    if (config && config.triggeringEvent && config.triggeringEvent.type === "usage:tick") event.stopImmediatePropagation();
  };
  window.addEventListener("htmx:responseError", silent, true);
  window.addEventListener("htmx:sendError", silent, true);
})();
