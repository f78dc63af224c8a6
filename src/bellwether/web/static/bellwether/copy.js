// Buttons that copy a text of the page. Without this file they are not shown.
(() => {
  "use strict";
  for (const button of document.querySelectorAll("[data-copy]")) {
    const source = document.getElementById(button.dataset.copy);
    if (!source || !navigator.clipboard) continue;
    button.hidden = false;
    const label = button.lastChild;
    const text = label.textContent;
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(source.textContent);
        label.textContent = "Copied";
      } catch {
        label.textContent = "Select the text to copy it";
      }
      setTimeout(() => { label.textContent = text; }, 2500);
    });
  }
})();
