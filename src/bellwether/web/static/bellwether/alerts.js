// The inbox by keyboard, with the alert beside the list. Without this file its links and forms lead on.
(() => {
  "use strict";
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const narrow = () => { const inbox = one(".inbox"); return inbox && getComputedStyle(one(".alert-list")).borderInlineEndWidth === "0px"; };
  const typing = (element) => element.matches("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
  const rows = () => all(".alert-list .alert").filter((row) => row.offsetParent);
  const current = () => one(".alert-list .alert[aria-current]");

  // On a phone an alert is a page of its own, so that Back leads to the list.
  document.addEventListener("htmx:beforeRequest", (event) => {
    const row = event.target;
    if (!row.matches || !row.matches(".alert-list .alert") || !narrow()) return;
    event.preventDefault();
    location.assign(row.href);
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    const row = event.detail.requestConfig && event.detail.requestConfig.elt;
    if (!row || !row.matches || !row.matches(".alert-list .alert")) return;
    all(".alert-list .alert[aria-current]").forEach((other) => other.removeAttribute("aria-current"));
    row.setAttribute("aria-current", "true");
    one("#alert-said").textContent = `${one("b", row).textContent}: ${one("p", row).textContent}`;
  });

  // The draft of a mail can be copied, also that of an alert that came later.
  const offerCopy = () => {
    if (navigator.clipboard) all("[data-copy][hidden]").forEach((button) => { button.hidden = false; });
  };
  document.addEventListener("htmx:afterSettle", offerCopy);
  offerCopy();
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const label = button.lastChild;
    try {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
      label.textContent = "Copied";
    } catch {
      label.textContent = "Select the text to copy it";
    }
    setTimeout(() => { label.textContent = "Copy"; }, 2500);
  });

  // How many are chosen.
  const count = () => {
    const chosen = all(".alert-pick .check:checked").length;
    const text = one("[data-chosen]");
    if (text) text.textContent = `${chosen} chosen`;
  };
  document.addEventListener("change", (event) => { if (event.target.matches(".alert-pick .check")) count(); });
  count();

  // A form that asks for a time: typing one chooses it.
  document.addEventListener("input", (event) => {
    if (!event.target.matches("[data-own]")) return;
    const own = one("input[name=until][value=own]", event.target.form);
    if (own) own.checked = true;
  });

  // J and K move (app.js moves the focus); the alert beside the list follows after a moment.
  let waiting = 0;
  const follow = (row) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => { if (document.activeElement === row && !row.hasAttribute("aria-current") && !narrow()) row.click(); }, 140);
  };
  const press = (key) => {
    const detail = one("#alert-detail");
    const control = detail && one(`[data-key="${key}"]`, detail);
    if (!control) return false;
    if (control.matches("input")) { control.focus(); control.scrollIntoView({ block: "nearest" }); } else control.click();
    return true;
  };
  // The first J or K begins at the alert that is shown.
  document.addEventListener("keydown", (event) => {
    if ((event.key === "j" || event.key === "k") && !event.ctrlKey && !event.metaKey && !event.altKey && !typing(event.target)) {
      const at = document.activeElement;
      if (current() && !(at && at.matches(".alert-list .alert"))) current().focus({ preventScroll: true });
    }
  }, true);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || one("dialog[open]")) return;
    if (event.key === "Escape" && event.target.matches(".alert-log .input")) { (current() || event.target).focus(); return; }
    if (typing(event.target)) return;
    const at = document.activeElement;
    if (event.key === "x") {
      const row = at && at.matches(".alert-list .alert") ? at : current();
      const box = row && one(".alert-pick .check", row.closest(".alert-row"));
      if (!box) return;
      box.checked = !box.checked;
      box.dispatchEvent(new Event("change", { bubbles: true }));
      event.preventDefault();
      return;
    }
    if (!["a", "s", "d", "r", "l"].includes(event.key)) return;
    // With the focus on another row than the one that is shown, the key is about that row: show it first.
    if (at && at.matches(".alert-list .alert") && at !== current()) {
      document.addEventListener("htmx:afterSettle", () => press(event.key), { once: true });
      at.click();
      event.preventDefault();
      event.stopImmediatePropagation();
    } else if (press(event.key)) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
  }, true);

  document.addEventListener("keydown", (event) => {
    if (event.key !== "j" && event.key !== "k") return;
    const at = document.activeElement;
    if (at && at.matches(".alert-list .alert")) follow(at);
  });

  // The snooze menu opens below its button, with the first choice in hand.
  document.addEventListener("toggle", (event) => {
    if (event.target.id !== "snooze-menu" || event.newState !== "open") return;
    const place = one("[popovertarget=snooze-menu]").getBoundingClientRect();
    const menu = event.target;
    menu.style.margin = "0";
    menu.style.left = `${Math.max(8, Math.min(place.left, innerWidth - menu.offsetWidth - 8))}px`;
    menu.style.top = `${Math.min(place.bottom + 4, innerHeight - menu.offsetHeight - 8)}px`;
    one("button", menu).focus();
  }, true);
})();
