// The command palette: Ctrl K opens it, arrows move, Enter goes. Without this file its button leads to the search page.
(() => {
  "use strict";
  const palette = document.getElementById("palette");
  if (!palette) return;
  const input = palette.querySelector("input");
  const hits = document.getElementById("palette-hits");
  const said = document.getElementById("palette-said");
  const options = () => [...hits.querySelectorAll("[role=option]")];
  const typing = (element) => element.matches("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
  let back = null;

  const choose = (option) => {
    options().forEach((one) => one.setAttribute("aria-selected", String(one === option)));
    if (option) {
      input.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    } else input.removeAttribute("aria-activedescendant");
  };
  const chosen = () => hits.querySelector("[aria-selected=true]");
  const open = () => {
    if (palette.open) return;
    const other = document.querySelector("dialog[open]");
    if (other) return;
    back = document.activeElement;
    input.value = "";
    palette.showModal();
    input.focus();
    htmx.trigger(input, "ask");
  };
  const close = () => { if (palette.open) palette.close(); };

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-palette]") && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      open();
    } else if (event.target === palette) close();
    else if (event.target.closest("#palette-hits [role=option]") && !event.ctrlKey && !event.metaKey) {
      const going = !event.target.closest("[data-dialog], [data-act]");
      if (!going) setTimeout(close);
    }
  });
  addEventListener("bellwether:palette", open);
  palette.addEventListener("close", () => {
    if (back && back.isConnected && !document.querySelector("dialog[open]")) back.focus();
    back = null;
  });

  input.addEventListener("keydown", (event) => {
    const all = options();
    const at = all.indexOf(chosen());
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: Math.min(at + 6, all.length - 1), PageUp: Math.max(at - 6, 0) }[event.key];
    if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      close();
    } else if (to !== undefined && all.length) {
      event.preventDefault();
      choose(all[(to + all.length) % all.length]);
    } else if (event.key === "Enter") {
      // What was typed after the last answer is searched for by the page.
      if (!chosen() || hits.dataset.query !== input.value) return;
      event.preventDefault();
      const option = chosen();
      if (event.ctrlKey || event.metaKey) window.open(option.href, "_blank", "noopener");
      else option.click();
    }
  });
  hits.addEventListener("pointermove", (event) => {
    const option = event.target.closest("[role=option]");
    if (option && option !== chosen()) choose(option);
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target !== hits) return;
    hits.dataset.query = event.detail.requestConfig.parameters.q || "";
    hits.scrollTop = 0;
    choose(options()[0]);
    const count = hits.querySelector("[data-count]");
    said.textContent = count ? count.textContent : "";
  });

  // ---- Keys: Ctrl K, ?, and G followed by the letter of a page ----
  const goes = JSON.parse(palette.dataset.goes || "{}");
  let waiting = 0;
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      if (palette.open) close();
      else open();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || document.querySelector("dialog[open]")) return;
    const key = event.key.toLowerCase();
    if (Date.now() - waiting < 1500 && goes[key]) {
      event.preventDefault();
      event.stopImmediatePropagation();
      waiting = 0;
      location.assign(goes[key]);
      return;
    }
    waiting = key === "g" ? Date.now() : 0;
    if (event.key === "?") {
      const link = document.querySelector("a[data-dialog][aria-keyshortcuts='?']");
      if (link) link.click();
    }
  }, true);

  // ---- The sheet names the keys of the controls on this page, too ----
  document.addEventListener("htmx:afterSwap", (event) => {
    const into = event.detail.target;  // none where a part was swapped out of band
    const place = into && into.id === "dialog" && into.querySelector("[data-here]");
    if (!place) return;
    const known = new Set(["Control+K", "?", "/", "J", "K", "L"]);
    document.querySelectorAll("main [aria-keyshortcuts]").forEach((control) => {
      const keys = control.getAttribute("aria-keyshortcuts");
      if (known.has(keys) || !control.offsetParent) return;
      known.add(keys);
      const name = document.createElement("dt");
      const key = document.createElement("kbd");
      const text = document.createElement("dd");
      key.className = "kbd";
      key.textContent = keys.replaceAll("+", " ");
      text.textContent = control.getAttribute("aria-label") || control.textContent.trim();
      name.append(key);
      place.querySelector("dl").append(name, text);
      place.hidden = false;
    });
  });
})();
