"""The interactive page in a real browser: every step, key and fold, no complaint, no request."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm import functional as F
from tinygrad_norm.viz import Drawing
from tinygrad_norm.viz.graph_as_text import sentences_of
from tinygrad_norm.viz.graph_view import Value

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
    assert browser.state("step") == "1"
    browser.press(END)
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
    browser.press(END)
    browser.click("#steps li:nth-child(3)")
    assert browser.state("step") == "3"
    assert browser.run("return document.querySelector('#steps [aria-current=step] span').innerText") == browser.text(
        "#words"
    )


@pytest.mark.parametrize(
    ("fragment", "step", "depth", "node"),
    [
        ("#step=3&depth=0&node=weight", "3", "0", "weight"),
        ("#step=999", "26", "all", "z"),
        ("#step=-4&depth=7&node=nobody", "1", "all", "z"),
        ("#step=two&theme=purple&guess=2", "1", "all", "z"),
        ("", "1", "all", "z"),
    ],
)
def test_the_address_holds_the_state_and_nonsense_in_it_is_put_right(
    browser: Any, layer_norm: Drawing, saved: Callable[[Drawing], Path], fragment: str, step: str, depth: str, node: str
) -> None:
    browser.open(saved(layer_norm), fragment)
    assert (browser.state("step"), browser.state("depth")) == (step, depth)
    if fragment != "#step=999":
        assert browser.state("node") == node
    assert f"step={step}&depth={depth}" in browser.address()
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
    browser.open(saved(layer_norm), "#step=26")
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
    assert "node=weight" in browser.address()


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

    browser.press(END)
    page, card, text = colors()
    assert min(page, card) > 240
    assert text < 40
    browser.click("button[data-theme=dark]")
    page, card, text = colors()
    assert max(page, card) < 60
    assert text > 200
    assert "theme=dark" in browser.address()
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
    browser.open(saved(square), "#step=5")
    small = browser.run(
        "return [...document.querySelectorAll('button, input')].filter(e => e.offsetParent)"
        ".map(e => e.getBoundingClientRect()).filter(r => r.width < 24 || r.height < 24).length"
    )
    assert small == 0
    unnamed = browser.run(
        "return [...document.querySelectorAll('button, input, svg .node')]"
        ".filter(e => e.getClientRects().length && !e.labels?.length)"
        ".filter(e => !(e.getAttribute('aria-label') || e.textContent)).length"
    )
    assert unnamed == 0
    assert browser.run("return document.getElementById('sentence').getAttribute('aria-live')") == "polite"
    assert browser.run("return document.querySelectorAll('.drawing.shown .node[tabindex=\"0\"]').length") == 2
    assert any(
        name.startswith("x input") and name.endswith("3 6 saved for backward by multiply_1: 8 B")
        for name in browser.heard()
    )


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
    assert not browser.run("return document.querySelector('.failure').offsetHeight")
    browser.press(END)
    assert browser.run("return document.querySelector('.failure').innerText").startswith("raised: matmul")
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


def numbers_of(value: Value | None) -> str:
    """A table as the page shows it, with single blanks."""
    return " ".join(" ".join(row) for row in value.rows) if value is not None else ""


def plain(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("which", ["layer_norm", "square"])
def test_at_every_step_the_panel_shows_what_the_trace_knew(
    browser: Any, saved: Callable[[Drawing], Path], request: pytest.FixtureRequest, which: str
) -> None:
    drawing: Drawing = request.getfixturevalue(which)
    nodes, edges = {n.id: n for n in drawing.view.nodes}, drawing.view.edges
    steps = sentences_of(drawing.view)
    browser.open(saved(drawing))
    for number, step in enumerate(steps, 1):
        panel, node = plain(browser.shown("#panel")), nodes[step.node]
        arrived = [s for s in steps[:number] if s.phase == "backward" and s.node == node.id]
        complete = len(arrived) == sum(s.phase == "backward" and s.node == node.id for s in steps)
        expected = node.title
        assert panel.startswith(expected)
        assert f"value {numbers_of(node.value)}" in panel
        assert (f"gradient {numbers_of(node.gradient)}" in panel) == (bool(arrived) and complete)
        assert panel.count("arrived so far") == bool(arrived)
        for s in arrived:
            assert plain(s.words) in panel
            if s.edge is not None:
                assert numbers_of(edges[s.edge].contribution) in panel
        assert panel.count(" sends ") - panel.count("sends back") == sum(s.edge is not None for s in arrived)
        browser.press(RIGHT)


@pytest.mark.parametrize("number", [1, 4, 15, 20])
def test_nothing_that_is_known_later_can_be_heard_or_seen(
    browser: Any, layer_norm: Drawing, saved: Callable[[Drawing], Path], number: int
) -> None:
    steps = sentences_of(layer_norm.view)
    browser.open(saved(layer_norm), f"#step={number}")
    heard, seen = browser.heard(), browser.shown("body")
    everything = "\n".join([*heard, seen])
    for later in steps[number:]:
        assert later.words not in everything
        if later.phase == "forward":
            assert later.node not in everything
    computed = {s.node for s in steps[:number]}
    missing = [s.node for s in steps[number:] if s.phase == "backward"]
    shown_numbers = set(everything.replace("[", " ").replace("]", " ").replace(";", " ").split())
    sent = {i for s in steps[:number] if (i := s.edge) is not None}
    known = [n.value for n in layer_norm.view.nodes if n.id in computed]
    known += [n.gradient for n in layer_norm.view.nodes if n.id not in missing]
    known += [e.contribution for i, e in enumerate(layer_norm.view.edges) if i in sent]
    told = {x for v in known if v is not None for row in v.rows for x in row}
    # A longer number is nowhere by chance.
    late = {x for n in layer_norm.view.nodes if n.id in missing and n.gradient for row in n.gradient.rows for x in row}
    assert not {x for x in late - told if len(x) > 3} & shown_numbers
    assert browser.complaints() == []


def test_on_a_folded_box_only_what_crosses_its_border_is_counted(
    browser: Any, saved: Callable[[Drawing], Path]
) -> None:
    def both(x: tg.Tensor) -> tg.Tensor:
        with tg.scope("box"):
            y = tg.exp(x)
            z = (y * y + tg.sin(y)) * tg.cos(y)
        return y * z + z

    drawing = tg.draw(both, 0.5, depth=0)
    box = next(n for n in drawing.folded.view.nodes if n.id == "box")
    assert (box.received, box.expected) == (3, 3)
    steps = sentences_of(drawing.view)
    assert len(steps) > 14
    browser.open(saved(drawing), "#depth=0")
    read = (
        "document.querySelector('.drawing.shown .node[data-node=box]').textContent.match(/(\\d+) of (\\d+) received/)"
    )
    counts = []
    at = []
    for _ in steps:
        at.append(browser.state("step"))
        found = browser.run(f"const m = {read}; return m && m.slice(1)")
        counts.append(found and tuple(map(int, found)))
        browser.press(RIGHT)
    assert counts[-1] == (3, 3)
    # What happens inside the box is passed over: x, the box, two operations; the start, five contributions.
    assert len(set(at)) == 11
    assert browser.state("node") == "x"
    assert {c[1] for c in counts if c} == {3}
    assert [c[0] for c in counts if c] == sorted(c[0] for c in counts if c)


def test_guessing_asks_before_it_shows(browser: Any, square: Drawing, saved: Callable[[Drawing], Path]) -> None:
    browser.open(saved(square))
    browser.click("#guessing")
    assert "guess=1" in browser.address()
    browser.press(RIGHT)
    assert (browser.state("step"), browser.state("asking")) == ("1", "1")
    assert browser.shown("#question") == "multiply_1 = x · x: which number?"
    assert "= 9" not in "\n".join([*browser.heard(), browser.shown("body")])
    browser.press("8", ENTER)
    assert browser.state("step") == "2"
    assert browser.shown("#verdict") == "You said 8; it is 9."
    browser.press(RIGHT)  # where the sweep starts nothing is asked
    assert (browser.state("step"), browser.state("asking")) == ("3", "")
    browser.press(RIGHT)
    assert browser.shown("#question") == "multiply_1 sends ḡ · x = 1 · 3 to x: which number?"
    browser.press("3,0", ENTER)
    assert (browser.state("step"), browser.shown("#verdict")) == ("4", "Right: 3.")
    browser.press(RIGHT)
    browser.press(ESCAPE)
    assert (browser.state("step"), browser.state("asking")) == ("4", "")
    browser.press(RIGHT)
    browser.press(ENTER)  # nothing was written, nothing is judged
    assert (browser.state("step"), browser.state("asking")) == ("4", "1")
    browser.click("#reveal")
    assert (browser.state("step"), browser.state("asking")) == ("5", "")
    assert browser.complaints() == []


def test_a_guess_at_a_table_is_one_of_its_numbers(
    browser: Any, layer_norm: Drawing, saved: Callable[[Drawing], Path]
) -> None:
    browser.open(saved(layer_norm), "#step=2&guess=1")
    browser.press(RIGHT)
    assert browser.shown("#question") == "centered = z − mean_1: which number in row 2, column 1?"
    browser.press("-1", ENTER)
    assert browser.shown("#verdict") == "Right: −1."


def test_on_a_phone_the_buttons_are_below_and_nothing_is_under_12_pixels(
    browser: Any, layer_norm: Drawing, saved: Callable[[Drawing], Path]
) -> None:
    browser.screen(390, 844)
    try:
        browser.open(saved(layer_norm), "#step=21")
        assert browser.run("return document.documentElement.scrollWidth") <= 390
        bar = browser.run("return document.querySelector('.bar').getBoundingClientRect().toJSON()")
        assert bar["bottom"] == pytest.approx(844, abs=1)
        assert bar["height"] < 844 / 2
        small = browser.run(
            "return [...document.querySelectorAll('body *')].filter(e => e.offsetParent && e.innerText &&"
            " parseFloat(getComputedStyle(e).fontSize) < 12).map(e => e.outerHTML.slice(0, 80))"
        )
        assert small == []
        smallest = browser.run(
            "const svg = document.querySelector('.drawing.shown svg');"
            "const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;"
            "return Math.min(...[...svg.querySelectorAll('text')].filter(t => t.textContent.trim())"
            ".map(t => parseFloat(getComputedStyle(t).fontSize))) * scale"
        )
        assert smallest >= 12 - 0.01
        card = browser.run(
            "return document.querySelector('.drawing.shown .node[data-state=active]').getBoundingClientRect().toJSON()"
        )
        assert card["top"] >= 0
        assert card["bottom"] <= bar["top"]
        assert card["left"] >= -1
        assert card["right"] <= 391
        browser.click("#next")
        assert browser.state("step") == "22"
    finally:
        browser.screen(0, 0)


@pytest.mark.parametrize("which", ["square", "layer_norm", "attention"])
def test_axe_finds_nothing(
    browser: Any, axe: str, saved: Callable[[Drawing], Path], request: pytest.FixtureRequest, which: str
) -> None:
    q = np.array([[1.0, 0.0], [0.0, 1.0]])
    if which == "attention":
        drawing = tg.draw(lambda q: F.scaled_dot_product_attention(q, q, q), q, gradients=True)
    else:
        drawing = request.getfixturevalue(which)
    page = saved(drawing)
    last = len(sentences_of(drawing.view))
    chosen = (1, last) if which == "square" else (last,)
    try:
        for width, theme, step in itertools.product((1400, 390), ("light", "dark"), chosen):
            browser.screen(width, 900)
            browser.open(page, f"#step={step}&theme={theme}&guess=1")
            assert browser.violations(axe) == [], (width, theme, step)
    finally:
        browser.screen(0, 0)


def test_on_paper_everything_is_shown(browser: Any, square: Drawing, saved: Callable[[Drawing], Path]) -> None:
    browser.open(saved(square))
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        assert browser.shown("#steps").count("\n") >= 4
        visibility = browser.run(
            "return [...document.querySelectorAll('.drawing.shown text')].map(t => getComputedStyle(t).visibility)"
        )
        assert set(visibility) == {"visible"}
        assert not browser.run("return document.querySelector('.bar').offsetHeight")
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_the_page_around_a_frame_stays_where_it_is(
    browser: Any, saved: Callable[[Drawing], Path], layer_norm: Drawing, tmp_path: Path
) -> None:
    saved(layer_norm)
    frame = '<iframe src="graph.html" width="360" height="500"></iframe>'
    (tmp_path / "around.html").write_text(f"<!doctype html><p style='height:700px'>Above.</p>{frame}", encoding="utf-8")
    browser.open(tmp_path / "around.html")
    browser.driver.switch_to.frame(0)
    for _ in range(20):
        browser.run("document.querySelector('#next').click()")
    active, view = browser.run(
        "return ['.drawing.shown .node[data-state=active]', '#view']"
        ".map(s => document.querySelector(s).getBoundingClientRect().toJSON())"
    )
    assert view["left"] <= active["left"] + active["width"] / 2 <= view["right"]
    assert view["top"] <= active["top"] + active["height"] / 2 <= view["bottom"]
    browser.driver.switch_to.default_content()
    assert browser.run("return scrollY") == 0
