// The live page: what is typed, what is shown, what is kept. Everything that comes from Python or from the person at the
// page is set as text; nothing of it is ever read as HTML.

import { makeEditor } from "./editor.js";
import { Python, Refused, Superseded, TimeIsUp } from "./python.js";

const KEY = "tinygrad_norm live";
const at = id => document.getElementById(id);

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value != null) made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

const [setting, first] = await Promise.all(["live.json", "first.json"].map(async name => (await fetch(name)).json())).catch(
  error => {
    at("status").textContent = "A part of this page could not be loaded. Is the network there? Load the page again.";
    throw error;
  });
const norms = Object.fromEntries(first.norms.map(norm => [norm.key, norm]));
const exercises = Object.fromEntries(first.exercises.map(exercise => [exercise.number, exercise]));

// What is kept: the work of the person at this browser.

const fresh = () => ({ table: structuredClone(first.table), norm: "layer", codes: {}, answers: {}, entry: [0, 0] });

function kept() {
  try {
    const found = JSON.parse(localStorage.getItem(KEY));
    const { columns, rows, cells } = found.table;
    const texts = [columns, rows, cells.flat(), Object.values(found.codes), Object.values(found.answers)].flat();
    const fits = cells.length === rows.length && cells.every(row => row.length === columns.length);
    const known = found.norm in norms && Array.isArray(found.entry);
    return fits && known && texts.every(text => typeof text === "string") ? found : fresh();
  } catch {
    return fresh();
  }
}

let work = kept();

function keep() {
  try {
    localStorage.setItem(KEY, JSON.stringify(work));
  } catch {
    at("kept").textContent = "this browser keeps nothing: it is lost when the page is closed";
  }
}

// Python, and what is said of it.

const python = new Python(setting, (phase, detail) => {
  const words = {
    loading: () => `Loading Python: ${Math.round(setting.megabytes)} MB, once.`,
    starting: () => "Starting Python …",
    ready: () => "Python is ready.",
    busy: () => ({ grade: "Grading …", lecture: "Computing the lecture …", graph: "Drawing …" })[detail] ?? "Computing …",
    failed: () =>
      navigator.onLine
        ? `Python could not be started: ${detail.message}. It comes from ${new URL(setting.base, location).host}; is it reachable?`
        : "You are offline. Python is loaded from the network once; connect, and try again.",
  };
  // What a screen reader says: not each computation, whose verdict it reads anyway.
  const quiet = phase === "busy" || document.querySelector(".status").dataset.phase === "busy";
  at("status").setAttribute("aria-live", quiet ? "off" : "polite");
  document.querySelector(".status").dataset.phase = phase;
  const said = words[phase]();
  if (at("status").textContent !== said) at("status").textContent = said;
  const again = { failed: "Try again", busy: "Stop", ready: "Restart Python" }[phase];
  at("again").hidden = !again;
  at("again").textContent = again ?? "";
  if (phase === "ready") at("beforehand").hidden = true;
  at("progress").hidden = phase !== "loading" && phase !== "starting";
  if (phase === "loading") at("progress").value = detail;
  else at("progress").removeAttribute("value");
});

// The table.

function drawGrid() {
  const { columns, rows, cells } = work.table;
  const changed = () => (keep(), later());
  const input = (text, label, set, place) =>
    element("input", {
      value: text, "aria-label": label, "data-place": place, autocomplete: "off", spellcheck: "false",
      inputmode: place ? "decimal" : null,
      oninput: event => (set(event.target.value), changed()),
      onpaste: event => place && pasted(event),
      onkeydown: event => event.key === "Enter" && below(event.target)?.focus(),
    });
  const head = columns.map((title, j) =>
    element("th", { scope: "col" }, input(title, `name of column ${j + 1}`, text => (columns[j] = text))));
  const body = rows.map((name, i) =>
    element("tr", {},
      element("th", { scope: "row" }, input(name, `name of row ${i + 1}`, text => (rows[i] = text))),
      ...cells[i].map((cell, j) =>
        element("td", {}, input(cell, `row ${i + 1}, column ${j + 1}`, text => (cells[i][j] = text), `${i},${j}`)))));
  at("grid").replaceChildren(
    element("table", {}, element("thead", {}, element("tr", {}, element("td"), ...head)), element("tbody", {}, ...body)));
}

function below(cell) {
  const [i, j] = (cell.dataset.place ?? "").split(",").map(Number);
  return at("grid").querySelector(`[data-place="${i + 1},${j}"]`);
}

// Several cells at once replace the table, as from a spreadsheet.
function pasted(event) {
  const text = event.clipboardData.getData("text/plain");
  if (!/[\t\n]/.test(text.trim())) return;
  event.preventDefault();
  readTable(text);
}

async function readTable(text) {
  try {
    useTable(await python.ask("read", { text }));
  } catch (error) {
    tell(at("table-problem"), error);
  }
}

function useTable(table) {
  work.table = structuredClone(table);
  at("table-problem").textContent = "";
  drawGrid();
  keep();
  later();
}

function resize(change) {
  const { columns, rows, cells } = work.table;
  change(columns, rows, cells);
  useTable(work.table);
}

function tell(place, error) {
  if (!(error instanceof Superseded)) place.textContent = error.message;
}

// The backward pass.

const code = makeEditor(at("code"), "forward and backward, in Python", text => {
  work.codes[work.norm] = text;
  keep();
}, check);

let soon;
let drawnOf = null; // what the graph is of; nothing as long as it is the one that came with the page
let pressed = false; // the button: on a phone the verdict is far below it
function later() {
  clearTimeout(soon);
  soon = setTimeout(check, 300);
}

const dark = () => {
  const { theme } = document.documentElement.dataset;
  return theme === "dark" || (theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
};

async function draw() {
  const theme = dark() ? "dark" : "light";
  showGraph(drawnOf ? await python.ask("graph", { ...drawnOf, theme }) : first.graphs[theme]);
}

async function check() {
  const asked = { table: work.table, code: code.text, entry: work.entry };
  say("", python.worker && python.files ? "Computing …" : "Waiting for Python …");
  for (const cell of at("grid").querySelectorAll("[aria-invalid]")) cell.removeAttribute("aria-invalid");
  at("table-problem").textContent = "";
  code.markLine(0);
  try {
    const came = await python.ask("run", asked);
    showRun(came);
    pressed = false;
    drawnOf = asked;
    await draw();
  } catch (error) {
    if (error instanceof Superseded) return;
    showProblem(error);
    pressed = false;
  }
}

function say(kind, title, ...lines) {
  at("verdict").className = `verdict ${kind}`;
  at("verdict").replaceChildren(
    element("p", {}, element("strong", {}, title)), ...lines.filter(Boolean).map(line => element("p", {}, line)));
  if (pressed) at("verdict").scrollIntoView({ block: "nearest" });
}

function showProblem(error) {
  if (error instanceof Superseded) return;
  const told = error instanceof Refused ? error.told : {};
  if (told.cell) {
    at("grid").querySelector(`[data-place="${told.cell.join(",")}"]`)?.setAttribute("aria-invalid", "true");
    at("table-problem").textContent = error.message;
  }
  code.markLine(told.line ?? 0);
  if (error instanceof TimeIsUp) {
    say("bad", `✗ Ended: your code ${error.message}`, "Is there a loop that never ends? Python starts again by itself.");
  } else {
    const strange = !told.line && /^\w*Error\b/.test(error.message); // nothing in the text has raised it
    say("bad", `✗ ${error.message}`, strange && "“Restart Python” undoes whatever code has changed inside it.");
  }
  at("results").replaceChildren();
  at("drawn").hidden = true;
}

function showRun(came) {
  const { check: judged } = came;
  if (!judged) say("", "No backward(g, x) is written", "The gradient below comes from the tape.");
  else if (judged.status === "right") say("good", "✓ Right: your backward pass agrees with the measured derivative", ...judged.sentences);
  else if (judged.status !== "wrong") say("", `○ Not decided: ${judged.status}`, ...judged.sentences);
  else {
    const why = [judged.evidence && `Seen: ${judged.evidence}`, judged.why && `Why: ${judged.why}`, judged.seen && `(${judged.seen})`];
    say("bad", `✗ Wrong: ${judged.name ?? "in a way that has no name here"}`, ...why, ...judged.sentences);
  }
  const { columns, rows } = work.table;
  const place = came.entry.map((i, axis) => (axis === 0 && came.entry.length > 1 ? rows : columns)[i] ?? i + 1).join(", ");
  const same = came.output.length === rows.length && came.output[0].length === columns.length;
  const output = Array.isArray(came.output[0]) ? came.output : [came.output];
  const names = same ? [rows, columns] : [output.map((_, i) => i + 1), output[0].map((_, j) => j + 1)];
  const choose = (i, j) => {
    work.entry = came.entry.length > 1 ? [i, j] : [j];
    keep();
    check();
  };
  at("results").replaceChildren(
    element("h3", {}, "Normalized"),
    element("p", { class: "hint" }, "Choose an entry to see its gradient."),
    numbers("Normalized table", output, names, { choose, chosen: came.entry.length > 1 ? came.entry : [0, ...came.entry] }),
    element("h3", {}, `The gradient of entry (${place})`),
    element("div", { class: "side-by-side" },
      element("div", {}, element("p", {}, "by the tape"), numbers("Gradient by the tape", came.gradient, [rows, columns])),
      ...(came.mine
        ? [element("div", {}, element("p", {}, "by your backward"),
            numbers("Gradient by your backward", came.mine, [rows, columns], { wrong: came.wrong }))]
        : [])),
    ...(came.printed ? [element("h3", {}, "Printed"), element("pre", { tabindex: "0" }, came.printed)] : []));
}

function numbers(label, values, [rows, columns], { choose, chosen = [], wrong = [] } = {}) {
  const text = value => (typeof value === "number" ? value.toFixed(4) : String(value)).replace("-", "−").replace(/^−(0\.0*)$/, "$1");
  const cell = (value, i, j) => {
    if (choose) {
      const pressed = i === chosen[0] && j === chosen[1];
      const label = `${text(value)}, row ${rows[i]}, column ${columns[j]}`;
      return element("td", {}, element("button", { type: "button", "aria-pressed": String(pressed), "aria-label": label, onclick: () => choose(i, j) }, text(value)));
    }
    const off = wrong.some(([a, b]) => a === i && b === j);
    return element("td", { class: off ? "wrong" : null }, off ? `✗ ${text(value)}` : text(value));
  };
  return element("div", { class: "scroll", role: "region", "aria-label": label, tabindex: "0" },
    element("table", { class: "numbers" },
      element("thead", {}, element("tr", {}, element("td"), ...columns.map(name => element("th", { scope: "col" }, String(name))))),
      element("tbody", {}, ...values.map((row, i) =>
        element("tr", {}, element("th", { scope: "row" }, String(rows[i])), ...row.map((value, j) => cell(value, i, j)))))));
}

// A picture from Python is shown as an image: nothing in it is run or linked.
function showGraph({ svg, text }) {
  URL.revokeObjectURL(at("graph").src);
  const url = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
  at("graph").src = at("graph-file").href = url;
  at("graph").alt = "The graph of forward; the same in words is below.";
  at("graph-text").textContent = text;
  at("drawn").hidden = false;
}

async function saveSteps() {
  try {
    save("graph.html", (await python.ask("steps", { table: work.table, code: code.text, entry: work.entry })).page);
  } catch (error) {
    showProblem(error);
  }
}

function useNorm(norm) {
  work.norm = at("norm").value = norm;
  code.text = work.codes[norm] ?? norms[norm].code;
  keep();
}

// The exercises.

const answer = makeEditor(at("answer"), "Your answer, in Python", text => {
  if (chosen) work.answers[chosen.number] = text;
  keep();
}, grade);
let chosen, hintsShown;

function useExercise(number) {
  if (chosen?.number === number) return;
  chosen = exercises[number] ?? first.exercises[0];
  hintsShown = 0;
  at("exercise").value = chosen.number;
  at("statement").replaceChildren(...chosen.statement.split(/\n\n+/).map(part =>
    /^ {4}/m.test(part) ? element("pre", { tabindex: "0" }, part) : element("p", {}, part.replaceAll("\n", " "))));
  answer.text = work.answers[chosen.number] ?? chosen.stub;
  at("grade-shown").replaceChildren();
  at("hints").replaceChildren();
  at("hint").disabled = false;
  at("hint").textContent = "A hint";
}

async function grade() {
  const { number, checks } = chosen;
  const names = checks.flatMap(([name, points]) => points.map(() => name));
  let done = 0;
  at("grade-shown").replaceChildren(element("p", {}, "Grading …"));
  answer.markLine(0);
  try {
    const grade = await python.ask("grade", { number, code: answer.text }, count => {
      done += count;
      at("grade-shown").replaceChildren(element("p", {}, `Grading: ${done} of ${names.length} points decided …`));
    });
    if (chosen.number === number) showGrade(grade);
  } catch (error) {
    if (error instanceof Superseded) return;
    const what = error instanceof TimeIsUp
      ? `Ended: ${names[done] ?? "the file"} ${error.message}; nothing after it was graded`
      : error.message;
    at("grade-shown").replaceChildren(element("div", { class: "verdict bad" }, element("p", {}, element("strong", {}, `✗ ${what}`))));
  }
}

function showGrade(grade) {
  answer.markLine(grade.line ?? 0);
  const word = verdict => (verdict.passed ? "✓ right" : verdict.code === "not-written" ? "○ open" : "✗ wrong");
  const points = grade.verdicts.map(verdict => {
    const kind = verdict.passed ? "good" : verdict.code === "not-written" ? "" : "bad";
    return element("li", { class: `verdict ${kind}` },
      element("p", {}, element("strong", {}, `${word(verdict)}: ${verdict.label}`)),
      element("p", {}, verdict.message), ...(verdict.passed ? [] : verdict.detail.map(line => element("p", {}, line))));
  });
  const { lines, first: beginning } = grade.printed;
  at("grade-shown").replaceChildren(
    element("p", {}, element("strong", {}, `${grade.points} of ${grade.out_of} points${grade.full_marks ? ": full marks" : ""}`)),
    element("ul", { class: "points" }, ...points),
    ...(lines ? [element("p", { class: "hint" }, `It printed ${lines} lines; the first: ${beginning}`)] : []));
}

function save(name, text) {
  element("a", { download: name, href: URL.createObjectURL(new Blob([text])) }).click();
}

function hint() {
  const last = chosen.hints.length + (chosen.solution ? 1 : 0);
  if (hintsShown < chosen.hints.length) {
    at("hints").append(element("p", { class: "verdict" }, `Hint ${hintsShown + 1}: ${chosen.hints[hintsShown]}`));
  } else if (chosen.solution) at("hints").append(element("pre", { tabindex: "0" }, chosen.solution));
  hintsShown += 1;
  at("hint").disabled = hintsShown >= last;
  at("hint").textContent = hintsShown === chosen.hints.length && chosen.solution ? "The solution" : "A hint";
}

// The lecture.

let lectureOf = "";

async function showLecture() {
  const table = JSON.stringify(work.table);
  if (table === lectureOf) return;
  at("lecture-problem").textContent = "";
  try {
    const { page } = table === JSON.stringify(first.table) ? first.lecture : await python.ask("lecture", { table: work.table });
    lectureOf = table;
    at("lecture-page").srcdoc = page;
    at("lecture-file").href = URL.createObjectURL(new Blob([page], { type: "text/html" }));
    at("lecture-file").hidden = false;
  } catch (error) {
    at("lecture-page").removeAttribute("srcdoc");
    at("lecture-file").hidden = true;
    tell(at("lecture-problem"), error);
  }
}

// The views, by address.

function view() {
  const number = /^#exercise=(\d+)$/.exec(location.hash)?.[1];
  const name = number ? "exercises" : ["#exercises", "#lecture"].includes(location.hash) ? location.hash.slice(1) : "work";
  for (const id of ["work", "exercises", "lecture"]) at(id).hidden = id !== name;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash === `#${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (name === "exercises") useExercise(Number(number ?? chosen?.number ?? 1));
  if (name === "lecture") showLecture();
}

function useTheme(theme) {
  document.documentElement.dataset.theme = theme;
  at("theme").textContent = `Theme: ${theme}`;
}

function stored(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

function nextTheme() {
  const order = ["auto", "light", "dark"];
  const theme = order[(order.indexOf(document.documentElement.dataset.theme) + 1) % order.length];
  useTheme(theme);
  try {
    localStorage.setItem("theme", theme); // the documentation's own, too
  } catch {
    // It lasts as long as the page.
  }
  if (!at("drawn").hidden) draw().catch(showProblem);
}

at("norm").append(...first.norms.map(norm => element("option", { value: norm.key }, norm.title)));
at("exercise").append(...first.exercises.map(one => element("option", { value: one.number }, `${one.number}. ${one.title}`)));
at("norm").addEventListener("change", event => (useNorm(event.target.value), check()));
at("exercise").addEventListener("change", event => (location.hash = `exercise=${event.target.value}`));
const clicks = {
  run: () => ((pressed = true), check()),
  reset: () => ((code.text = norms[work.norm].code), check()),
  "add-row": () => resize((columns, rows, cells) => (rows.push(String(rows.length + 1)), cells.push(columns.map(() => "0")))),
  "drop-row": () => resize((columns, rows, cells) => rows.length > 1 && (rows.pop(), cells.pop())),
  "add-column": () => resize((columns, rows, cells) => (columns.push(`z${columns.length + 1}`), cells.forEach(row => row.push("0")))),
  "drop-column": () => resize((columns, rows, cells) => columns.length > 1 && (columns.pop(), cells.forEach(row => row.pop()))),
  "lecture-table": () => useTable(first.table),
  "use-csv": () => readTable(at("csv").value),
  grade,
  hint,
  "answer-reset": () => (answer.text = chosen.stub),
  "answer-file": () => save(chosen.file, answer.text),
  steps: saveSteps,
  theme: nextTheme,
  again: () => python.restart(),
  forget: () => (localStorage.removeItem(KEY), location.reload()),
};
for (const [id, act] of Object.entries(clicks)) at(id).addEventListener("click", act);
at("file").addEventListener("change", async event => readTable(await event.target.files[0].text()));
addEventListener("hashchange", view);
addEventListener("online", () => document.querySelector(".status").dataset.phase === "failed" && python.restart());

useTheme(["light", "dark"].includes(stored("theme")) ? stored("theme") : "auto");
const untouched = JSON.stringify(work) === JSON.stringify(fresh());
useNorm(work.norm);
drawGrid();
if (untouched) {
  at("beforehand").hidden = false;
  showRun(first.run);
  draw();
} else check();
view();
python.start();
