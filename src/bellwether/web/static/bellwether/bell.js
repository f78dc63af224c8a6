// The bell opens its menu in place. Without this file it leads to the page of notifications.
(() => {
  "use strict";
  const menu = () => document.getElementById("bell-menu");
  const bell = () => document.getElementById("bell");
  let pressed = false;
  let asked = false;
  if (!menu() || !bell()) return;
  bell().setAttribute("aria-expanded", "false");
  bell().setAttribute("aria-haspopup", "dialog");
  // A press on the bell while its menu is open closes it by itself: that is all that is wanted.
  document.addEventListener("pointerdown", (event) => {
    pressed = menu().matches(":popover-open") && bell().contains(event.target);
  }, true);
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.target !== bell()) return;
    const open = menu().matches(":popover-open");
    asked = !open && !pressed;
    if (!asked) event.preventDefault();
    if (open) menu().hidePopover();
    pressed = false;
  });
  menu().addEventListener("toggle", (event) => bell().setAttribute("aria-expanded", String(event.newState === "open")));
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target !== menu()) return;
    // What a button of the menu brought may come when the menu was closed again: it stays closed.
    const first = asked && !menu().matches(":popover-open");
    asked = false;
    if (first) menu().showPopover();
    if (!menu().matches(":popover-open")) return;
    // After a button was used its row is drawn anew: stay in the menu.
    if (first || !menu().contains(document.activeElement)) menu().querySelector("h2").focus();
  });
})();
