"use strict";
// Every scene is a row of a table in the page: its cells are the numbers, data-styles the places of the pieces.
for (const figure of document.querySelectorAll(".moving")) {
  const controls = figure.querySelector(".controls");
  const rows = new Map([...figure.querySelectorAll("[data-scene]")].map((row) => [row.dataset.scene, row]));
  const pieces = figure.querySelectorAll("[data-piece]");
  const numbers = figure.querySelectorAll("[data-number]");
  const chosen = (control) => (control.querySelector("[type=range]") || control.querySelector(":checked")).value;
  const show = () => {
    for (const slider of controls.querySelectorAll("[type=range]")) {
      const text = JSON.parse(slider.dataset.texts)[slider.value];
      slider.setAttribute("aria-valuetext", text);
      slider.nextElementSibling.textContent = text;
    }
    const row = rows.get([...controls.querySelectorAll(".control")].map(chosen).join("-"));
    row.dataset.styles.split("|").forEach((style, k) => (pieces[k].style.cssText = style));
    [...row.cells].slice(1).forEach((cell, k) => (numbers[k].textContent = cell.textContent));
  };
  controls.hidden = false;
  controls.addEventListener("input", show);
  controls.addEventListener("submit", (event) => event.preventDefault());
  show();
}
