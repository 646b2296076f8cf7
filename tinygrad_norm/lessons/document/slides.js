// One slide at a time. The first step forward on a question shows its answer; without a script all slides are there.
{
  const slides = [...document.querySelectorAll(".slide")];
  const bar = document.querySelector(".bar");
  const [back, next, speaker] = ["back", "next", "speaker"].map((name) => document.getElementById(name));
  const root = document.documentElement;
  let at = 0;
  const show = (number, focus) => {
    at = Math.max(0, Math.min(slides.length - 1, number));
    slides.forEach((slide, k) => slide.classList.toggle("at", k === at));
    back.disabled = at === 0;
    next.disabled = at === slides.length - 1 && !closed();
    root.dataset.slide = at + 1;
    try {
      history.replaceState(null, "", "#" + (at + 1));
    } catch {
      // A frame of another page has no address of its own.
    }
    if (focus) slides[at].focus({ preventScroll: true });
    scrollTo(0, 0);
  };
  const closed = () => slides[at].querySelector(".asked details:not([open])");
  const forward = (focus) => {
    const answer = closed();
    if (answer) answer.open = true;
    else show(at + 1, focus);
  };
  const notes = () => {
    const on = root.classList.toggle("with-notes");
    speaker.setAttribute("aria-pressed", on);
  };
  const keys = {
    ArrowRight: () => forward(true), ArrowDown: () => forward(true), PageDown: () => forward(true), " ": () => forward(true),
    ArrowLeft: () => show(at - 1, true), ArrowUp: () => show(at - 1, true), PageUp: () => show(at - 1, true),
    Home: () => show(0, true), End: () => show(slides.length - 1, true), n: notes, N: notes,
  };
  addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || !keys[event.key]) return;
    // The keys of a slider, a button or an answer are its own; those of a presenter's remote always turn the slide.
    const own = event.target.closest("input, .notes") || (event.key === " " && event.target.closest("button, summary, a"));
    if (own && !event.key.startsWith("Page") && event.key.toLowerCase() !== "n") return;
    event.preventDefault();
    keys[event.key]();
  });
  back.addEventListener("click", () => show(at - 1));
  next.addEventListener("click", () => forward());
  speaker.addEventListener("click", notes);
  addEventListener("hashchange", () => show(parseInt(location.hash.slice(1), 10) - 1 || 0, true));
  addEventListener("beforeprint", () => document.querySelectorAll(".asked details").forEach((one) => (one.open = true)));
  root.classList.add("one-at-a-time");
  bar.hidden = false;
  show(parseInt(location.hash.slice(1), 10) - 1 || 0);
}
