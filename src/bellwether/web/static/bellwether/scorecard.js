// Sliders beside their numbers, limits that keep their order, the sum at once. The figures come from the server.
(() => {
  "use strict";
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const card = document.querySelector("#weights-card");
  if (!card) return;

  const number = (input) => Number.parseFloat(input.value.replace(",", ".")) || 0;
  const tidy = (value) => String(Math.round(value * 100) / 100);

  function mirror(item) {
    const field = item.querySelector("input[type=number]");
    const slider = item.querySelector("input[type=range]");
    const note = item.querySelector(".was");
    const value = number(field);
    if (value > Number(slider.max)) widen();
    if (document.activeElement !== slider) slider.value = value;
    slider.style.setProperty("--v", value);
    slider.setAttribute("aria-valuetext", `${tidy(value)}%`);
    if (note && note.dataset.was !== "") note.hidden = Number(note.dataset.was) === value;
  }

  function widen() {
    document.querySelector(".weights").style.setProperty("--m", 100);
    all(".weights input[type=range]").forEach((slider) => { slider.max = 100; });
  }

  function sum() {
    const total = all(".weights input[type=number]").reduce((sofar, field) => sofar + number(field), 0);
    const words = document.querySelector("[data-sum]");
    if (!words) return;
    words.textContent = `${tidy(total)}% in total`;
    words.closest(".badge").dataset.status = Math.abs(total - 100) < 1e-6 ? "healthy" : "critical";
  }

  const order = ["at_risk", "monitor", "healthy"];
  const slot = (name) => card.querySelector(`[data-limit="${name}"]`);
  const field = (name) => card.querySelector(`[name="t.${name}"]`);

  function limits(moved) {
    const bar = card.querySelector(".limit-bar");
    const at = order.indexOf(moved);
    const value = Number(slot(moved).value);
    order.forEach((name, place) => {
      const slider = slot(name);
      if (place < at && Number(slider.value) > value) slider.value = value;
      if (place > at && Number(slider.value) < value) slider.value = value;
      field(name).value = slider.value;
      show(bar, name, slider.value);
    });
  }

  function show(bar, name, value) {
    bar.style.setProperty(`--l-${name}`, value);
    const words = bar.querySelector(`[data-at="${name}"]`);
    if (words) words.textContent = value;
  }

  // Until the server has answered, the buttons would send the draft before this one.
  let moved = 0;
  let asked = 0;
  const wait = () => all("#draft-actions button").forEach((button) => { button.disabled = true; });
  card.addEventListener("htmx:beforeRequest", () => { asked = moved; });
  document.addEventListener("htmx:afterSettle", () => { if (asked !== moved) wait(); });

  card.addEventListener("input", (event) => {
    const input = event.target;
    moved += 1;
    wait();
    const item = input.closest(".weights > li");
    if (item) {
      if (input.type === "range") item.querySelector("input[type=number]").value = input.value;
      mirror(item);
      sum();
    } else if (input.matches(".limit")) {
      limits(input.dataset.limit);
    } else if (input.name && input.name.startsWith("t.")) {
      const name = input.name.slice(2);
      slot(name).value = input.value;
      show(card.querySelector(".limit-bar"), name, slot(name).value);
    }
  });

  // Enter in a number asks for the preview that is already on its way: no reload.
  document.querySelector("#draft").addEventListener("submit", (event) => {
    if (event.submitter && event.submitter.matches(".preview-button")) return;
    event.preventDefault();
  });

  const dialog = document.querySelector("#publish");
  if (dialog) dialog.addEventListener("toggle", (event) => {
    if (event.newState === "open") dialog.querySelector("#reason").focus();
  });

  all(".weights > li").forEach(mirror);
})();
