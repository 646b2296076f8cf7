// The page's state is a step, a fold depth, a selected node and a theme. It stands in the attributes of <html> and in
// the address, so that a link shows what its sender saw; everything on the page follows from it.
"use strict";
(() => {
  const root = document.documentElement;
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const one = (id) => document.getElementById(id);
  const steps = all("#steps li");
  const drawings = all(".drawing");
  const last = steps.length;
  if (last === 0) return;
  const initial = { step: last, depth: root.dataset.depth, node: "", theme: root.dataset.theme };
  const state = { ...initial };
  const numbers = (text) => (text || "").split(" ").filter(Boolean).map(Number);

  // What each part of each drawing has to do with each step is read once.
  const parts = drawings.flatMap((drawing) =>
    all(".node, .edge", drawing).map((element) => ({
      element,
      steps: numbers(element.dataset.steps),
      arrivals: numbers(element.dataset.arrivals),
      seeded: element.dataset.seeded === "1",
      counter: all("text", element).find((text) => / of \d+ received/.test(text.textContent)),
    })),
  );

  function showStep() {
    const step = state.step;
    for (const part of parts) {
      const reached = part.steps.length === 0 || part.steps[0] <= step;
      const active = part.steps.includes(step);
      part.element.dataset.state = active ? "active" : reached ? "reached" : "waiting";
      const arrived = part.arrivals.filter((at) => at <= step).length;
      const gradient = arrived === part.arrivals.length ? "complete" : arrived ? "partial" : "none";
      part.element.dataset.gradient = gradient;
      if (part.counter) {
        const received = part.seeded ? Math.max(0, arrived - 1) : arrived;
        part.counter.textContent = part.counter.textContent.replace(/\d+ of/, `${received} of`);
      }
    }
    steps.forEach((item, i) => {
      if (i + 1 === step) item.setAttribute("aria-current", "step");
      else item.removeAttribute("aria-current");
    });
    const item = steps[step - 1];
    one("phase").textContent = `${item.dataset.phase}, step ${step} of ${last}: `;
    one("words").textContent = item.textContent;
    one("slider").value = step;
    one("slider").setAttribute("aria-valuetext", item.textContent);
    one("first").disabled = one("back").disabled = step === 1;
    one("next").disabled = one("last").disabled = step === last;
  }

  function showDepth() {
    for (const drawing of drawings) drawing.classList.toggle("shown", drawing.dataset.depth === state.depth);
    for (const button of all("button[data-depth]")) {
      button.setAttribute("aria-pressed", String(button.dataset.depth === state.depth));
    }
  }

  function showNode() {
    for (const facts of all(".facts")) facts.classList.toggle("shown", facts.dataset.node === state.node);
    for (const { element } of parts) {
      element.classList.toggle("selected", element.dataset.node === state.node && state.node !== "");
    }
  }

  function remember() {
    const values = [`step=${state.step}`, `depth=${state.depth}`];
    if (state.node) values.push(`node=${encodeURIComponent(state.node)}`);
    if (state.theme !== "auto") values.push(`theme=${state.theme}`);
    const hash = `#${values.join("&")}`;
    if (location.hash === hash) return;
    try {
      history.replaceState(null, "", hash);
    } catch {
      // Inside a notebook's frame there is no address to change.
    }
  }

  function apply() {
    Object.assign(root.dataset, { step: state.step, depth: state.depth, node: state.node, theme: state.theme });
    showDepth();
    showStep();
    showNode();
    for (const button of all("button[data-theme]")) {
      button.setAttribute("aria-pressed", String(button.dataset.theme === state.theme));
    }
    remember();
  }

  function go(step) {
    state.step = Math.min(last, Math.max(1, step));
    state.node = steps[state.step - 1].dataset.node;
    apply();
    follow();
  }

  function follow() {
    const active = document.querySelector(".drawing.shown [data-state=active]");
    if (active) active.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  function select(name) {
    state.node = name;
    apply();
  }

  function read() {
    const given = new URLSearchParams(location.hash.slice(1));
    const step = Number.parseInt(given.get("step"), 10);
    state.step = Number.isNaN(step) ? initial.step : Math.min(last, Math.max(1, step));
    const known = (name, values, otherwise) => (values.includes(given.get(name)) ? given.get(name) : otherwise);
    state.depth = known("depth", drawings.map((d) => d.dataset.depth), initial.depth);
    const shown = state.step < last ? steps[state.step - 1].dataset.node : initial.node;
    state.node = known("node", all(".facts").map((f) => f.dataset.node), shown);
    state.theme = known("theme", ["auto", "light", "dark"], initial.theme);
    apply();
    fitWidth();
    follow();
  }

  // Zoom: the width of the drawings, in parts of their natural width.
  const natural = (svg) => (svg.viewBox.baseVal.width * 4) / 3;
  let scale = 1;
  function zoom(to) {
    scale = Math.min(4, Math.max(0.1, to));
    for (const svg of all(".drawing svg")) {
      svg.style.width = `${natural(svg) * scale}px`;
      svg.style.height = "auto";
    }
    root.dataset.zoom = scale.toFixed(2);
  }
  function fitWidth() {
    const svg = document.querySelector(".drawing.shown svg");
    zoom(Math.min(1, (one("view").clientWidth - 20) / natural(svg)));
  }
  function fitAll() {
    const svg = document.querySelector(".drawing.shown svg");
    const height = (svg.viewBox.baseVal.height * 4) / 3;
    const room = Math.min(one("view").clientHeight, innerHeight) - 20;
    zoom(Math.min(1, (one("view").clientWidth - 20) / natural(svg), room / height));
  }

  const actions = {
    first: () => go(1),
    back: () => go(state.step - 1),
    next: () => go(state.step + 1),
    last: () => go(last),
    closer: () => zoom(scale * 1.25),
    farther: () => zoom(scale / 1.25),
    fit: fitAll,
  };
  for (const [id, action] of Object.entries(actions)) one(id).addEventListener("click", action);
  one("slider").addEventListener("input", (event) => go(Number(event.target.value)));
  const keys = { ArrowRight: actions.next, ArrowLeft: actions.back, Home: actions.first, End: actions.last };
  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const node = event.target.closest ? event.target.closest("svg .node") : null;
    if (node && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      select(node.dataset.node);
    } else if (event.key === "Escape") {
      select("");
    } else if (event.target.id !== "slider" && keys[event.key]) {
      event.preventDefault();
      keys[event.key]();
    }
  });
  document.addEventListener("click", (event) => {
    const node = event.target.closest("svg .node");
    const item = event.target.closest("#steps li");
    const depth = event.target.closest("button[data-depth]");
    const theme = event.target.closest("button[data-theme]");
    if (node) select(node.dataset.node);
    if (item) go(steps.indexOf(item) + 1);
    if (depth) {
      state.depth = depth.dataset.depth;
      apply();
      fitWidth();
      follow();
    }
    if (theme) {
      state.theme = theme.dataset.theme;
      apply();
    }
  });
  window.addEventListener("hashchange", read);

  root.classList.add("script");
  read();
})();
