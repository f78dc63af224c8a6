// The menus of the contacts table open beside their button. Without this file they open in the middle of the page.
(() => {
  "use strict";
  document.addEventListener("toggle", (event) => {
    const menu = event.target;
    if (!menu.matches || !menu.matches(".contacts .menu[popover]") || event.newState !== "open") return;
    const button = document.querySelector(`[popovertarget="${CSS.escape(menu.id)}"]`);
    if (!button) return;
    const place = button.getBoundingClientRect();
    const below = place.bottom + 4;
    const fits = below + menu.offsetHeight < innerHeight - 8;
    menu.style.left = `${Math.max(8, place.right - menu.offsetWidth)}px`;
    menu.style.top = `${fits ? below : Math.max(8, place.top - menu.offsetHeight - 4)}px`;
    const first = menu.querySelector("a, button");
    if (first) first.focus();
  }, true);
})();
