// Copy the summary as text, and print it. Without this file both buttons stay hidden.
(() => {
  "use strict";
  document.querySelectorAll("[data-act=print]").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  });
  document.querySelectorAll("[data-copy]").forEach((button) => {
    if (!navigator.clipboard) return;
    button.hidden = false;
    button.addEventListener("click", async () => {
      const lines = [...document.querySelectorAll(`${button.dataset.copy} [data-sentence]`)].map((one) => one.textContent.trim());
      await navigator.clipboard.writeText(lines.join(" "));
      button.setAttribute("aria-label", "Copied");
      button.title = "Copied";
    });
  });
})();
