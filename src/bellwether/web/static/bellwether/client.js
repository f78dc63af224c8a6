// The client page beyond links and forms: the chart's tooltip, J and K, copying. Everything is on the page without it.
(() => {
  "use strict";
  const charts = () => [...document.querySelectorAll(".chart[data-trend]")];
  const points = new WeakMap();
  const at = new WeakMap();

  const dataOf = (chart) => {
    if (!points.has(chart)) {
      const script = chart.parentElement.querySelector(".trend-points");
      points.set(chart, script ? JSON.parse(script.textContent) : []);
    }
    return points.get(chart);
  };
  // A chart wider than its card starts at today.
  const settle = () => charts().forEach((chart) => { chart.scrollLeft = chart.scrollWidth; });

  const row = (list, name, value, quiet) => {
    const term = document.createElement("dt");
    const figure = document.createElement("dd");
    if (quiet) term.className = "muted";
    term.textContent = name;
    figure.append(value);
    list.append(term, figure);
    return figure;
  };
  const fill = (tip, point, what) => {
    const day = document.createElement("b");
    const list = document.createElement("dl");
    day.textContent = point.day;
    const health = row(list, what, String(point.score), false);
    if (point.change !== null && point.change !== "0") {
      const delta = document.createElement("span");
      delta.className = "delta";
      if (point.tone) delta.dataset.tone = point.tone;
      delta.textContent = point.change;
      health.append(" ", delta);
    }
    point.causes.forEach(([label, effect]) => row(list, label, effect, true));
    tip.replaceChildren(day, list);
  };
  const show = (chart, index, speak) => {
    const all = dataOf(chart);
    if (!all.length) return;
    const now = Math.max(0, Math.min(all.length - 1, index));
    const point = all[now];
    const svg = chart.querySelector("svg");
    const cursor = chart.querySelector(".cursor");
    const tip = chart.querySelector(".chart-tip");
    at.set(chart, now);
    place(cursor, point);
    fill(tip, point, chart.dataset.what);
    tip.hidden = false;
    const scale = svg.getBoundingClientRect().width / 792;
    const x = point.x * scale;
    const right = x + 14 + tip.offsetWidth > 792 * scale;
    tip.style.insetInlineStart = `${right ? x - 14 - tip.offsetWidth : x + 14}px`;
    tip.style.insetBlockStart = `${Math.max(0, Math.min(point.y * scale, 190 * scale - tip.offsetHeight))}px`;
    if (speak) {
      const causes = point.causes.map(([label, effect]) => `${label} ${effect}`).join(", ");
      say(`${point.day}: ${point.score}${point.change === null ? "" : `, ${point.change}`}${causes ? `, ${causes}` : ""}`);
      const edge = point.x * scale;
      if (edge < chart.scrollLeft + 40 || edge > chart.scrollLeft + chart.clientWidth - 40) {
        chart.scrollLeft = edge - chart.clientWidth / 2;
      }
    }
  };
  const place = (group, point) => {
    if (point) group.removeAttribute("hidden");
    else group.setAttribute("hidden", "");
    if (!point) return;
    group.querySelector("line").setAttribute("x1", point.x);
    group.querySelector("line").setAttribute("x2", point.x);
    group.querySelector("circle").setAttribute("cx", point.x);
    group.querySelector("circle").setAttribute("cy", point.y);
  };
  // The day that the panel tells of stays marked in the chart.
  const mark = () => charts().forEach((chart) => {
    const panel = document.getElementById("moved");
    if (panel) place(chart.querySelector(".chosen"), dataOf(chart).find((point) => point.iso === panel.dataset.iso));
  });
  const hide = (chart) => {
    chart.querySelector(".cursor").setAttribute("hidden", "");
    chart.querySelector(".chart-tip").hidden = true;
    at.delete(chart);
  };
  // What moved on the day goes into the panel under the chart, as a link there would bring it.
  const tell = (chart) => {
    const point = dataOf(chart)[at.get(chart)];
    if (!point) return;
    const href = chart.dataset.on.replace("~day~", point.iso);
    if (!window.htmx) {
      location.assign(`${href}#moved`);
      return;
    }
    const link = document.createElement("a");
    const to = { href, "hx-get": href, "hx-target": "#moved", "hx-swap": "outerHTML", "hx-push-url": "true" };
    Object.entries(to).forEach(([name, value]) => link.setAttribute(name, value));
    link.hidden = true;
    chart.parentElement.append(link);
    window.htmx.process(link);
    link.click();
    link.remove();
  };
  const nearest = (chart, clientX) => {
    const box = chart.querySelector("svg").getBoundingClientRect();
    const x = ((clientX - box.left) / box.width) * 792;
    const all = dataOf(chart);
    let best = 0;
    all.forEach((point, index) => { if (Math.abs(point.x - x) < Math.abs(all[best].x - x)) best = index; });
    return best;
  };
  const chartOf = (event) => (event.target.closest ? event.target.closest(".chart[data-trend]") : null);

  const say = (text) => {
    const place = document.getElementById("said");
    if (place) place.textContent = text;
  };

  document.addEventListener("pointermove", (event) => {
    const chart = chartOf(event);
    charts().forEach((other) => { if (other !== chart && other !== document.activeElement) hide(other); });
    if (chart) show(chart, nearest(chart, event.clientX), false);
  });
  document.addEventListener("click", (event) => {
    const chart = chartOf(event);
    if (!chart || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    show(chart, nearest(chart, event.clientX), false);
    tell(chart);
  });
  document.addEventListener("focusout", (event) => {
    const chart = chartOf(event);
    if (chart) hide(chart);
  });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const chart = chartOf(event);
    if (chart) {
      const all = dataOf(chart);
      const now = at.has(chart) ? at.get(chart) : all.length;
      const step = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: all.length - 1 }[event.key];
      if (step !== undefined) {
        event.preventDefault();
        show(chart, step, true);
      } else if (event.key === "Enter") tell(chart);
      else if (event.key === "Escape") hide(chart);
    }
    if (event.target.matches("input, textarea, select, [contenteditable]")) return;
    if (event.key === "j" || event.key === "k") {
      const link = document.querySelector(`a[rel=${event.key === "j" ? "next" : "prev"}]`);
      if (link) link.click();
    }
  });

  // ---- Copying: the button appears where copying works ----
  const copies = () => document.querySelectorAll("[data-copy]").forEach((button) => {
    button.hidden = !navigator.clipboard;
  });
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const sentences = [...document.getElementById(button.dataset.copy).querySelectorAll(":scope > span")];
    try {
      await navigator.clipboard.writeText(sentences.map((sentence) => sentence.textContent.trim()).join(" "));
      say("Copied");
    } catch {
      say("The browser did not allow copying");
    }
  });

  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.elt?.id === "moved") mark();
    else settle();
    const said = document.getElementById(event.detail.elt?.id);
    if (said && said.dataset.said) say(said.dataset.said);
  });
  settle();
  copies();
})();
