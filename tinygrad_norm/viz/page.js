// The page's state is a step, a fold depth, a selected node, a theme and whether to guess first. It stands in the
// attributes of <html> and in the address, so that a link shows what its sender saw; everything on the page follows from
// it. What is known only later carries its step in data-from, and is hidden until then.
"use strict";
(() => {
  const root = document.documentElement;
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const one = (id) => document.getElementById(id);
  const steps = all("#steps > li");
  const drawings = all(".drawing");
  const last = steps.length;
  if (last === 0) return;
  const initial = { step: 1, depth: root.dataset.depth, node: "", theme: root.dataset.theme, guess: "0" };
  const state = { ...initial };
  const numbers = (text) => (text || "").split(" ").filter(Boolean).map(Number);

  // What each part of each drawing has to do with each step is read once.
  const timed = all("[data-from]").map((element) => [element, Number(element.dataset.from)]);
  const parts = drawings.flatMap((drawing) =>
    all(".node, .edge", drawing).map((element) => ({
      element,
      drawing,
      node: element.dataset.node,
      steps: numbers(element.dataset.steps),
      // A folded box is met when all of it is computed, and when something crosses its border.
      stops: numbers(element.dataset.stops || element.dataset.steps),
      arrivals: numbers(element.dataset.arrivals),
      seeded: element.dataset.seeded === "1",
      counter: all("text", element).find((text) => / of \d+ received/.test(text.textContent)),
    })),
  );

  function showStep() {
    const step = state.step;
    for (const [element, from] of timed) element.toggleAttribute("hidden", from > step);
    for (const { element, steps: own, arrivals, seeded, counter } of parts) {
      const reached = own.length === 0 || own[0] <= step;
      element.dataset.state = own.includes(step) ? "active" : reached ? "reached" : "waiting";
      if (element.classList.contains("node")) {
        element.setAttribute("aria-hidden", String(!reached));
        element.setAttribute("tabindex", reached ? "0" : "-1");
      }
      const arrived = arrivals.filter((at) => at <= step).length;
      element.dataset.gradient = arrived === arrivals.length ? "complete" : arrived ? "partial" : "none";
      if (counter) {
        const received = seeded ? Math.max(0, arrived - 1) : arrived;
        counter.textContent = counter.textContent.replace(/\d+ of/, `${received} of`);
      }
    }
    steps.forEach((item, i) => {
      if (i + 1 === step) item.setAttribute("aria-current", "step");
      else item.removeAttribute("aria-current");
    });
    const item = steps[step - 1];
    const words = item.firstElementChild.textContent;
    one("phase").textContent = `${item.dataset.phase}, step ${step} of ${last}: `;
    one("words").textContent = words;
    one("slider").value = step;
    one("slider").setAttribute("aria-valuetext", words);
    one("first").disabled = one("back").disabled = step === 1;
    one("next").disabled = one("last").disabled = step === last;
  }

  function heading(words) {
    const made = document.createElement("h2");
    made.textContent = words;
    return made;
  }

  function showDepth() {
    for (const drawing of drawings) drawing.classList.toggle("shown", drawing.dataset.depth === state.depth);
    for (const button of all("button[data-depth]")) {
      button.setAttribute("aria-pressed", String(button.dataset.depth === state.depth));
    }
  }

  function showNode() {
    const here = ({ node, depth }) => node === state.node && (!depth || depth === state.depth);
    for (const facts of all(".facts")) facts.classList.toggle("shown", here(facts.dataset));
    for (const { element } of parts) {
      element.classList.toggle("selected", element.dataset.node === state.node && state.node !== "");
    }
    one("hint").hidden = state.node !== "";
    // The numbers that move at this step, where the selected node does not show them.
    const item = steps[state.step - 1];
    const table = item.dataset.node === state.node ? null : item.querySelector("table");
    one("now").replaceChildren(...(table ? [heading("at this step"), table.cloneNode(true)] : []));
    one("now").className = item.dataset.phase;
    // What has arrived at the selected node so far.
    const part = shownParts().find((p) => p.node === state.node);
    const mine = (part ? part.arrivals : []).filter((at) => at <= state.step).map((at) => steps[at - 1]);
    const copies = mine.flatMap((arrived) => [...arrived.children].map((child) => child.cloneNode(true)));
    one("received").replaceChildren(...(copies.length ? [heading("arrived so far"), ...copies] : []));
  }

  function remember() {
    const values = [`step=${state.step}`, `depth=${encodeURIComponent(state.depth)}`];
    if (state.node) values.push(`node=${encodeURIComponent(state.node)}`);
    if (state.theme !== "auto") values.push(`theme=${state.theme}`);
    if (state.guess === "1") values.push("guess=1");
    const hash = `#${values.join("&")}`;
    if (location.hash === hash) return;
    try {
      history.replaceState(null, "", hash);
    } catch {
      // Inside a notebook's frame there is no address to change.
    }
  }

  function apply() {
    const { step, depth, node, theme, guess } = state;
    Object.assign(root.dataset, { step, depth, node, theme, guess });
    showDepth();
    showStep();
    showNode();
    for (const button of all("button[data-theme]")) {
      button.setAttribute("aria-pressed", String(button.dataset.theme === theme));
    }
    one("guessing").setAttribute("aria-pressed", String(guess === "1"));
    remember();
  }

  const shownParts = () => parts.filter((p) => p.drawing.dataset.depth === state.depth);
  function nodeAt(step) {
    const part = shownParts().find((p) => p.node && p.steps.includes(step));
    return part ? part.node : steps[step - 1].dataset.node;
  }
  function go(step, verdict = "") {
    ask(null);
    state.step = Math.min(last, Math.max(1, step));
    state.node = nodeAt(state.step);
    one("verdict").textContent = verdict;
    apply();
    follow();
  }
  // From one step to the next at which something of this drawing changes.
  function stop(way) {
    const stops = shownParts().flatMap((p) => p.stops);
    const ahead = stops.filter((at) => (at - state.step) * way > 0);
    return ahead.length ? Math[way > 0 ? "min" : "max"](...ahead) : way > 0 ? last : 1;
  }

  // Guessing: the next step's number is asked for before the step is shown.
  function next() {
    const item = steps[stop(1) - 1];
    if (state.guess === "1" && state.step < last && item.dataset.question) ask(item);
    else go(stop(1));
  }
  function ask(item) {
    one("guess").hidden = item === null;
    root.dataset.asking = item ? "1" : "";
    if (!item) return;
    one("question").textContent = item.dataset.question;
    one("answer").value = "";
    one("answer").focus();
  }
  const value = (text) => Number(text.trim().replace("≈", "").replace("∞", "Infinity").replace(/−/g, "-").replace(",", "."));
  function check(event) {
    event.preventDefault();
    const right = steps[stop(1) - 1].dataset.answer;
    const given = one("answer").value;
    if (!given.trim()) return;
    const [a, b] = [value(given), value(right)];
    const same = Object.is(a, b) || Math.abs(a - b) <= 0.005 * Math.abs(b) + 1e-9;
    go(stop(1), same ? `Right: ${right}.` : `You said ${given.trim()}; it is ${right}.`);
    one("next").focus();
  }
  function reveal() {
    go(stop(1));
    one("next").focus();
  }

  function follow() {
    const active = document.querySelector(".drawing.shown .node[data-state=active], .drawing.shown [data-state=active]");
    if (!active) return;
    if (parent === window) {
      active.scrollIntoView({ block: narrow() ? "center" : "nearest", inline: narrow() ? "center" : "nearest" });
      return;
    }
    // Within another page: that one must stay where its reader is.
    const [box, view] = [active, one("view")].map((element) => element.getBoundingClientRect());
    one("view").scrollBy(box.left + (box.width - view.width) / 2 - view.left, box.top + (box.height - view.height) / 2 - view.top);
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
    state.node = known("node", all(".facts").map((f) => f.dataset.node), nodeAt(state.step));
    state.theme = known("theme", ["auto", "light", "dark"], initial.theme);
    state.guess = known("guess", ["0", "1"], initial.guess);
    ask(null);
    apply();
    fitWidth();
    follow();
  }

  // Zoom: the width of the drawings, in parts of their natural width, at which the smallest text has 12 pixels.
  const narrow = () => innerWidth <= 800;
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
    zoom(narrow() ? 1 : Math.min(1, (one("view").clientWidth - 20) / natural(svg)));
  }
  function fitAll() {
    const svg = document.querySelector(".drawing.shown svg");
    const height = (svg.viewBox.baseVal.height * 4) / 3;
    const room = Math.min(one("view").clientHeight, innerHeight) - 20;
    zoom(Math.min(1, (one("view").clientWidth - 20) / natural(svg), room / height));
  }

  const actions = {
    first: () => go(1),
    back: () => go(stop(-1)),
    next,
    last: () => go(last),
    reveal,
    closer: () => zoom(scale * 1.25),
    farther: () => zoom(scale / 1.25),
    fit: fitAll,
    guessing: () => {
      state.guess = state.guess === "1" ? "0" : "1";
      ask(null);
      apply();
    },
  };
  for (const [id, action] of Object.entries(actions)) one(id).addEventListener("click", action);
  one("guess").addEventListener("submit", check);
  one("slider").addEventListener("input", (event) => go(Number(event.target.value)));
  const keys = { ArrowRight: actions.next, ArrowLeft: actions.back, Home: actions.first, End: actions.last };
  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const node = event.target.closest ? event.target.closest("svg .node") : null;
    if (node && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      select(node.dataset.node);
    } else if (event.key === "Escape") {
      if (root.dataset.asking) {
        ask(null);
        one("next").focus(); // keys would go to a field that cannot be seen
      } else select("");
    } else if (!["slider", "answer"].includes(event.target.id) && keys[event.key]) {
      event.preventDefault();
      keys[event.key]();
    }
  });
  document.addEventListener("click", (event) => {
    const node = event.target.closest("svg .node");
    const item = event.target.closest("#steps > li");
    const depth = event.target.closest("button[data-depth]");
    const theme = event.target.closest("button[data-theme]");
    if (node && node.dataset.state !== "waiting") select(node.dataset.node);
    if (item) go(steps.indexOf(item) + 1);
    if (depth) {
      state.depth = depth.dataset.depth;
      state.node = nodeAt(state.step);
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
