// What the keyboard and the pointer may do beyond links and forms. Every page works without this file.
(() => {
  "use strict";
  const root = document.documentElement;
  const one = (selector, from = document) => from.querySelector(selector);
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const secure = location.protocol === "https:" ? "; secure" : "";
  const keep = (name, value) => {
    document.cookie = `${name}=${value}; path=/; max-age=${value ? 31536000 : 0}; samesite=lax${secure}`;
  };

  // ---- Narrow screens: what scrolls sideways starts where the reader is, at the open tab and at today ----
  all(".tabs").forEach((tabs) => {
    const open = one("[aria-current]", tabs);
    if (open) tabs.scrollLeft = open.offsetLeft - tabs.offsetLeft - (tabs.clientWidth - open.offsetWidth) / 2;
  });
  all(".chart.wide").forEach((chart) => { chart.scrollLeft = chart.scrollWidth; });

  // ---- Appearance: the forms behind these buttons do the same on the server ----
  const isDark = () => {
    const scheme = getComputedStyle(root).colorScheme;
    return scheme === "dark" || (scheme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  };
  const acts = {
    theme() {
      root.dataset.theme = isDark() ? "light" : "dark";
      keep("theme", root.dataset.theme);
      dispatchEvent(new CustomEvent("bellwether:theme", { detail: root.dataset.theme }));
    },
    rail(button) {
      const small = root.dataset.rail !== "min";
      if (small) root.dataset.rail = "min";
      else delete root.dataset.rail;
      keep("rail", small ? "min" : "");
      button.setAttribute("aria-pressed", String(small));
    },
    clear() {
      all(".table .check").forEach((box) => { box.checked = box.indeterminate = false; });
      selection();
    },
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-act]");
    if (!button || !acts[button.dataset.act]) return;
    event.preventDefault();
    acts[button.dataset.act](button);
  });

  // ---- A row is as good a target as the link in it ----
  document.addEventListener("click", (event) => {
    const row = event.target.closest("tr[data-href]");
    const control = event.target.closest("a, button, input, label, summary, [tabindex]");
    if (!row || (control && row.contains(control)) || event.target.closest("[popover]")) return;
    if (String(getSelection())) return;
    if (event.ctrlKey || event.metaKey) window.open(row.dataset.href, "_blank", "noopener");
    else location.assign(row.dataset.href);
  });

  // ---- Selected rows: the bar of actions shows by itself (CSS), here it counts ----
  function selection() {
    const boxes = all(".table tbody .check");
    const chosen = boxes.filter((box) => box.checked).length;
    all("[data-selected]").forEach((place) => { place.textContent = `${chosen} selected`; });
    const head = one(".table thead .check");
    if (!head) return;
    head.checked = chosen > 0 && chosen === boxes.length;
    head.indeterminate = chosen > 0 && chosen < boxes.length;
  }
  document.addEventListener("change", (event) => {
    if (!event.target.matches(".table .check")) return;
    if (event.target.closest("thead")) all(".table tbody .check").forEach((box) => { box.checked = event.target.checked; });
    selection();
  });

  // ---- Filters apply as they are chosen; without JavaScript there is a button ----
  document.addEventListener("change", (event) => {
    if (event.target.matches("form[data-auto] select")) event.target.form.requestSubmit();
  });
  let pause;
  const soon = (form) => {
    clearTimeout(pause);
    pause = setTimeout(() => form.isConnected && form.requestSubmit(), 300);
  };
  document.addEventListener("input", (event) => {
    if (event.target.matches("form[data-auto] input[type=search]")) soon(event.target.form);
  });
  // What was typed while the answer was on its way is kept, and asked for next.
  let typed = null;
  document.addEventListener("htmx:beforeSwap", () => {
    const at = document.activeElement;
    typed = at && at.id === "filter-search" ? at.value : null;
  });
  document.addEventListener("htmx:afterSwap", () => {
    const search = one("#filter-search");
    if (typed !== null && search && search === document.activeElement && search.value !== typed) {
      const more = search.value.trim() !== typed.trim();
      search.value = typed;
      if (more) soon(search.form);
    }
    typed = null;
  });
  // Empty controls stay out of the address.
  const tidy = (form) => {
    const empty = all("input[name], select[name]", form).filter((control) => !control.value && !("keep" in control.dataset));
    empty.forEach((control) => { control.disabled = true; });
    setTimeout(() => empty.forEach((control) => { control.disabled = false; }));
  };
  document.addEventListener("submit", (event) => {
    if (event.target.matches("form[data-auto], form.search")) tidy(event.target);
  });
  document.addEventListener("htmx:configRequest", (event) => {
    if (!event.detail.elt.matches("form[data-auto]")) return;
    for (const [name, value] of [...event.detail.formData.entries()]) if (!value && !event.detail.elt.querySelector(`[name="${CSS.escape(name)}"][data-keep]`)) event.detail.formData.delete(name);
  });

  // ---- Keyboard: J and K move, Enter opens (it is a link), / searches, Esc leaves the search ----
  const typing = (element) => element.matches("input:not([type=checkbox]), textarea, select, [contenteditable]");
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const at = document.activeElement;
    if (event.key === "Escape" && at && at.matches("input[type=search]")) {
      at.blur();
      return;
    }
    if (typing(event.target)) return;
    if (event.key === "/") {
      const search = one("[data-search] input");
      event.preventDefault();
      if (!search) {
        dispatchEvent(new CustomEvent("bellwether:palette"));
        return;
      }
      search.focus();
      search.select();
    } else if (event.key === "j" || event.key === "k") {
      const stops = all("[data-stop]").filter((stop) => stop.offsetParent);
      const now = stops.indexOf(at);
      const next = now < 0 ? 0 : Math.max(0, Math.min(stops.length - 1, now + (event.key === "j" ? 1 : -1)));
      if (stops[next]) {
        stops[next].focus();
        stops[next].scrollIntoView({ block: "nearest" });
      }
    }
  });

  // ---- An explanation opens next to its number; words of the glossary are fetched when asked for ----
  const beside = (box, place) => {
    const below = place.bottom + 8;
    box.style.left = `${Math.max(12, Math.min(place.left, innerWidth - box.offsetWidth - 12))}px`;
    box.style.top = `${Math.max(12, below + box.offsetHeight > innerHeight ? place.top - box.offsetHeight - 8 : below)}px`;
  };
  document.addEventListener("toggle", (event) => {
    const box = event.target;
    if (!box.matches || !box.matches(".why") || event.newState !== "open") return;
    const button = one(`[popovertarget="${CSS.escape(box.id)}"]`);
    if (button) beside(box, button.getBoundingClientRect());
  }, true);
  document.addEventListener("htmx:afterSwap", (event) => {
    const box = event.detail.target;
    if (!box || box.id !== "help") return;
    const asked = event.detail.requestConfig.elt.getBoundingClientRect();
    box.showPopover();
    beside(box, asked);
  });

  // ---- htmx: say what went wrong, keep the focus where the reader was ----
  const toast = (text) => {
    const note = document.createElement("div");
    note.className = "toast";
    note.dataset.status = "critical";
    const words = document.createElement("span");
    words.textContent = text;
    note.append(words);
    one(".toasts").append(note);
    setTimeout(() => note.remove(), 8000);
  };
  document.addEventListener("htmx:responseError", (event) => {
    toast(`The server answered with an error (${event.detail.xhr.status}). Reload the page to try again.`);
  });
  document.addEventListener("htmx:sendError", () => toast("The server cannot be reached. Check the connection, then try again."));
  document.addEventListener("htmx:afterSettle", selection);
  selection();
})();
