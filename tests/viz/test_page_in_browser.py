"""The interactive page in a real browser: every step, key and fold, no complaint, no request."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm import functional as F
from tinygrad_norm.viz import Drawing
from tinygrad_norm.viz.graph_as_text import sentences_of

RIGHT, LEFT, HOME, END, ESCAPE, ENTER = "\ue014", "\ue012", "\ue011", "\ue010", "\ue00c", "\ue007"


SNAPSHOT = """
    const nodes = {};
    for (const e of document.querySelectorAll('.drawing.shown .node')) nodes[e.dataset.node] = e.dataset.state;
    const { step, node } = document.documentElement.dataset;
    return [step, node, document.getElementById('sentence').textContent, nodes];
"""


def states(browser: Any, selector: str, what: str) -> dict[str, str]:
    """What the shown drawing says of each of its parts."""
    found: dict[str, str] = browser.run(
        "const found = {};"
        "for (const e of document.querySelectorAll('.drawing.shown ' + arguments[0]))"
        "  found[e.dataset.node || e.id] = e.dataset[arguments[1]];"
        "return found;",
        selector,
        what,
    )
    return found


def test_every_step_forward_and_back_without_a_complaint_or_a_request(
    browser: Any, layer_norm: Drawing, saved: Callable[[Drawing], Path]
) -> None:
    page = saved(layer_norm)
    browser.open(page, "#step=1")
    steps = sentences_of(layer_norm.view)
    for number, step in enumerate(steps, 1):
        at, node, sentence, reached = browser.run(SNAPSHOT)
        assert (at, node) == (str(number), step.node)
        assert step.words in sentence
        assert reached[step.node] == "active"
        if step.phase == "forward":
            computed = {s.node for s in steps[:number]}
            assert {name for name, state in reached.items() if state != "waiting"} == computed
        browser.press(RIGHT)
    assert browser.state("step") == str(len(steps))
    browser.press(*[LEFT] * (len(steps) - 3))
    assert browser.state("step") == "3"
    browser.press(*[LEFT] * 5)
    assert browser.state("step") == "1"
    assert browser.complaints() == []
    assert browser.requests() == [page.as_uri()]


def test_contributions_are_counted_as_they_arrive(
    browser: Any, square: Drawing, saved: Callable[[Drawing], Path]
) -> None:
    page = saved(square)
    steps = sentences_of(square.view)
    arrivals = [n for n, s in enumerate(steps, 1) if s.phase == "backward" and s.node == "x"]
    assert len(arrivals) == 2
    for step, received, gradient in [
        (arrivals[0] - 1, 0, "none"),
        (arrivals[0], 1, "partial"),
        (arrivals[1], 2, "complete"),
    ]:
        browser.open(page, f"#step={step}")
        assert f"{received} of 2 received" in browser.text(".drawing.shown .node[data-node=x]")
        assert states(browser, ".node", "gradient")["x"] == gradient
    shown = browser.run(
        "return [...document.querySelectorAll('.drawing.shown .backward')].map(e => getComputedStyle(e).opacity)"
    )
    assert [float(o) for o in shown] == [1.0, 1.0]
    browser.open(page, f"#step={arrivals[0]}")
    waiting = states(browser, ".backward", "state")
    assert sorted(waiting.values()) == ["active", "waiting"]


def test_home_end_buttons_slider_and_the_list_of_steps(
    browser: Any, square: Drawing, saved: Callable[[Drawing], Path]
) -> None:
    browser.open(saved(square))
    last = str(len(sentences_of(square.view)))
    assert browser.state("step") == last
    browser.press(HOME)
    assert browser.state("step") == "1"
    assert browser.run("return document.getElementById('back').disabled")
    browser.press(END)
    assert browser.state("step") == last
    for button, expected in (("first", "1"), ("next", "2"), ("back", "1"), ("last", last)):
        browser.click(f"#{button}")
        assert browser.state("step") == expected
    browser.run(
        "const s = document.getElementById('slider'); s.value = 2; s.dispatchEvent(new Event('input', {bubbles: true}))"
    )
    assert browser.state("step") == "2"
    browser.click("#steps li:nth-child(3)")
    assert browser.state("step") == "3"
    assert browser.run("return document.querySelector('#steps [aria-current=step]').innerText") == browser.text(
        "#words"
    )


@pytest.mark.parametrize(
    ("fragment", "step", "depth", "node"),
    [
        ("#step=3&depth=0&node=weight", "3", "0", "weight"),
        ("#step=999", "26", "all", "z"),
        ("#step=-4&depth=7&node=nobody", "1", "all", "z"),
        ("#step=two&theme=purple", "26", "all", ""),
        ("", "26", "all", ""),
    ],
)
def test_the_address_holds_the_state_and_nonsense_in_it_is_put_right(
    browser: Any, layer_norm: Drawing, saved: Callable[[Drawing], Path], fragment: str, step: str, depth: str, node: str
) -> None:
    browser.open(saved(layer_norm), fragment)
    assert (browser.state("step"), browser.state("depth")) == (step, depth)
    if fragment != "#step=999":
        assert browser.state("node") == node
    assert f"step={step}&depth={depth}" in browser.driver.current_url
    assert browser.complaints() == []


def test_folding_shows_one_drawing_whose_box_stands_for_its_steps(
    browser: Any, layer_norm: Drawing, saved: Callable[[Drawing], Path]
) -> None:
    browser.open(saved(layer_norm), "#step=5")
    assert "subtract_1" in states(browser, ".node", "state")
    browser.click("button[data-depth='0']")
    folded = states(browser, ".node", "state")
    assert "layer_norm" in folded
    assert "subtract_1" not in folded
    assert folded["layer_norm"] == "active"
    visible = browser.run("return [...document.querySelectorAll('.drawing')].filter(d => d.offsetHeight > 0).length")
    assert visible == 1
    browser.click("button[data-depth='all']")
    assert "subtract_1" in states(browser, ".node", "state")


def test_a_node_is_selected_by_pointer_and_by_keyboard(
    browser: Any, layer_norm: Drawing, saved: Callable[[Drawing], Path]
) -> None:
    browser.open(saved(layer_norm))
    node = "document.querySelector('.drawing.shown .node[data-node=square_1]')"
    browser.run(f"{node}.dispatchEvent(new MouseEvent('click', {{bubbles: true}}))")
    assert browser.state("node") == "square_1"
    facts = browser.text(".facts.shown")
    assert "centered²" in facts
    assert "ḡ · 2 · centered" in facts
    browser.press(ESCAPE)
    assert browser.state("node") == ""
    browser.run("document.querySelector('.drawing.shown .node[data-node=weight]').focus()")
    browser.press(ENTER)
    assert browser.state("node") == "weight"
    assert "Σ" not in browser.text(".facts.shown h2")
    assert "node=weight" in browser.driver.current_url


def test_zoom_and_fit(browser: Any, layer_norm: Drawing, saved: Callable[[Drawing], Path]) -> None:
    browser.open(saved(layer_norm))
    assert browser.state("zoom") == "1.00"
    browser.click("#closer")
    assert browser.state("zoom") == "1.25"
    browser.click("#farther")
    browser.click("#farther")
    assert browser.state("zoom") == "0.80"
    browser.click("#fit")
    tall = browser.run("return document.querySelector('.drawing.shown svg').getBoundingClientRect().height")
    assert tall <= browser.run("return document.getElementById('view').clientHeight")


def brightness(color: str) -> float:
    return sum(float(c) for c in color[color.index("(") + 1 : -1].split(",")[:3]) / 3


def test_dark_is_dark_all_through(browser: Any, square: Drawing, saved: Callable[[Drawing], Path]) -> None:
    browser.open(saved(square))

    def colors() -> tuple[float, float, float]:
        found = browser.run(
            "const card = document.querySelector('.drawing.shown .node polygon');"
            "const text = [...document.querySelectorAll('.drawing.shown .node text.m')][0];"
            "return [getComputedStyle(document.body).backgroundColor, getComputedStyle(card).fill,"
            "  getComputedStyle(text).fill]"
        )
        page, card, text = (brightness(c) for c in found)
        return page, card, text

    page, card, text = colors()
    assert min(page, card) > 240
    assert text < 40
    browser.click("button[data-theme=dark]")
    page, card, text = colors()
    assert max(page, card) < 60
    assert text > 200
    assert "theme=dark" in browser.driver.current_url
    browser.click("button[data-theme=light]")
    assert colors()[0] > 240


def test_the_system_s_dark_is_followed(browser: Any, square: Drawing, saved: Callable[[Drawing], Path]) -> None:
    dark = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", dark)
    try:
        browser.open(saved(square))
        assert brightness(browser.run("return getComputedStyle(document.body).backgroundColor")) < 60
        card = "document.querySelector('.drawing.shown .node polygon')"
        assert brightness(browser.run(f"return getComputedStyle({card}).fill")) < 60
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_it_can_be_used_without_a_pointer_and_by_a_screen_reader(
    browser: Any, square: Drawing, saved: Callable[[Drawing], Path]
) -> None:
    browser.open(saved(square))
    small = browser.run(
        "return [...document.querySelectorAll('button, input')].map(e => e.getBoundingClientRect())"
        ".filter(r => r.width < 24 || r.height < 24).length"
    )
    assert small == 0
    unnamed = browser.run(
        "return [...document.querySelectorAll('button, input, svg .node')]"
        ".filter(e => !(e.getAttribute('aria-label') || e.innerText)).length"
    )
    assert unnamed == 0
    assert browser.run("return document.getElementById('sentence').getAttribute('aria-live')") == "polite"
    assert browser.run("return document.querySelectorAll('.drawing.shown .node[tabindex=\"0\"]').length") == 2
    assert browser.run("return document.querySelector('.drawing.shown .node').getAttribute('aria-label')") == "x, input"


def test_without_scripts_the_steps_and_facts_are_there(
    browser: Any, square: Drawing, saved: Callable[[Drawing], Path]
) -> None:
    browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.open(saved(square))
        from selenium.webdriver.common.by import By

        items = browser.driver.find_elements(By.CSS_SELECTOR, "#steps li")
        assert [i.text for i in items] == [s.words for s in sentences_of(square.view)]
        assert all(s.is_displayed() for s in browser.driver.find_elements(By.CSS_SELECTOR, ".facts"))
        assert browser.driver.find_element(By.CSS_SELECTOR, ".drawing svg").is_displayed()
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_hostile_names_are_text(browser: Any, hostile: str, saved: Callable[[Drawing], Path]) -> None:
    with tg.trace() as t, tg.scope(hostile or "empty", hostile):
        value = tg.Tensor([1.0, 2.0], requires_grad=True, name=hostile or None)
        (value * 3.0).sum().backward()
    browser.open(saved(t.draw()), "#step=2")
    assert browser.complaints() == []
    assert browser.run("return document.querySelectorAll('script').length") == 1
    assert browser.state("step") == "2"


def test_in_a_notebook_s_frame_it_works_too(browser: Any, square: Drawing, tmp_path: Path) -> None:
    notebook = tmp_path / "notebook.html"
    notebook.write_text(f"<!doctype html>{square.interactive(500)._repr_html_()}", encoding="utf-8")
    browser.open(notebook)
    frame = browser.run("return document.querySelector('iframe')")
    browser.driver.switch_to.frame(frame)
    try:
        browser.click("#first")
        assert browser.state("step") == "1"
    finally:
        browser.driver.switch_to.default_content()
    assert browser.complaints() == []


def test_a_page_for_a_narrow_screen_does_not_scroll_sideways(
    browser: Any, layer_norm: Drawing, saved: Callable[[Drawing], Path]
) -> None:
    narrow = {"width": 400, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", narrow)
    try:
        browser.open(saved(layer_norm))
        assert browser.run("return document.documentElement.scrollWidth") <= 400
    finally:
        browser.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_a_failed_run_can_be_stepped_up_to_the_error(browser: Any, saved: Callable[[Drawing], Path]) -> None:
    drawing = tg.draw(lambda x: tg.exp(x) @ np.ones((4, 2)), [[1.0, 2.0]])
    browser.open(saved(drawing))
    assert "raised" in browser.text(".failure")
    assert "matmul" in browser.text("#sentence")
    assert browser.complaints() == []


def test_attention_has_a_fold_for_every_level(browser: Any, saved: Callable[[Drawing], Path]) -> None:
    q = np.array([[1.0, 0.0], [0.0, 1.0]])
    drawing = tg.draw(lambda q: F.scaled_dot_product_attention(q, q, q), q, gradients=True)
    browser.open(saved(drawing))
    labels = browser.run("return [...document.querySelectorAll('button[data-depth]')].map(b => b.innerText)")
    assert labels == ["0", "1", "2", "all"]
    counts = []
    for label in labels:
        browser.click(f"button[data-depth='{label}']")
        counts.append(len(states(browser, ".node", "state")))
    assert counts == sorted(set(counts))
