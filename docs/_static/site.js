// What is wider than its place scrolls: then the Tab key reaches it, it has a name, and its look says that there is more.
const KINDS = {
  ".highlight pre": "Code",
  ".table-wrapper": "Table",
  ".math-block": "Formula",
  "figure, p:has(> img), p:has(> a > img)": "Picture",
};

function look() {
  for (const [selector, kind] of Object.entries(KINDS)) {
    for (const box of document.querySelectorAll(`article :is(${selector})`)) {
      const wide = box.scrollWidth > box.clientWidth + 1;
      box.classList.toggle("scrolls", wide);
      box.classList.toggle("at-end", wide && box.scrollLeft + box.clientWidth > box.scrollWidth - 2);
      if (wide && !box.hasAttribute("tabindex")) {
        box.tabIndex = 0;
        box.addEventListener("scroll", look, { passive: true });
        if (box.tagName !== "FIGURE") {
          box.setAttribute("role", "group");
          box.setAttribute("aria-label", `${kind}, scrolls sideways`);
        }
      } else if (!wide && box.hasAttribute("tabindex")) {
        for (const name of ["tabindex", "role", "aria-label"]) box.removeAttribute(name);
        box.removeEventListener("scroll", look);
      }
    }
  }
}

// What the theme leaves without a name.
function name() {
  for (const [place, label] of [[".sidebar-drawer", "All pages"], [".toc-drawer", "On this page"]]) {
    document.querySelector(place)?.setAttribute("aria-label", label);
  }
  const article = document.querySelector("article");
  if (!article.querySelector("h1")) {
    article.prepend(Object.assign(document.createElement("h1"), { textContent: "Search" }));
  }
}

document.addEventListener("DOMContentLoaded", name);
document.addEventListener("DOMContentLoaded", look);
addEventListener("resize", look);
// A picture that is loaded late, or a closed part that is opened.
document.addEventListener("load", look, true);
document.addEventListener("toggle", look, true);
