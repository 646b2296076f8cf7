"""The lecture's page and its slides in a real browser: what can be moved, read, pressed and printed."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tinygrad_norm.lessons.document.as_html import lesson_html
from tinygrad_norm.lessons.document.as_slides import lesson_slides
from tinygrad_norm.lessons.document.lesson import Claim, Lesson
from tinygrad_norm.lessons.document.moving import Moving
from tinygrad_norm.lessons.document.moving_scene import drawn

RIGHT, LEFT, HOME, END, PAGE_DOWN = "\ue014", "\ue012", "\ue011", "\ue010", "\ue00f"

# Whatever of a slide has letters: how large they are on the screen, and whether they are on the slide.
READABLE = """
    const slide = document.querySelector('.slide.at'), frame = slide.getBoundingClientRect();
    const walker = document.createTreeWalker(slide, NodeFilter.SHOW_TEXT), wrong = [], sizes = [];
    for (let text; (text = walker.nextNode()); ) {
      const around = text.parentElement, range = document.createRange();
      range.selectNodeContents(text);
      const box = range.getBoundingClientRect();
      if (!text.textContent.trim() || !box.width) continue;
      const matrix = around.ownerSVGElement && around.getScreenCTM();
      const size = parseFloat(getComputedStyle(around).fontSize) * (matrix ? Math.hypot(matrix.a, matrix.b) : 1);
      sizes.push(size);
      const tall = box.top >= frame.top && box.bottom <= frame.bottom;
      if (size < 18 || !tall || box.left < frame.left || box.right > frame.right) wrong.push([size, text.textContent]);
    }
    return [sizes.length, wrong];
"""


@pytest.fixture(scope="module")
def lesson(lesson_of: Callable[..., Lesson]) -> Lesson:
    return lesson_of()


@pytest.fixture(scope="module")
def page(lesson: Lesson, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "page.html"
    path.write_text(lesson_html(lesson), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def slides(lesson: Lesson, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("slides") / "slides.html"
    path.write_text(lesson_slides(lesson), encoding="utf-8")
    return path


@pytest.fixture
def every_block(make_document: Callable[[str], Lesson], tmp_path: Path) -> Path:
    path = tmp_path / "every.html"
    path.write_text(lesson_html(make_document("word")), encoding="utf-8")
    return path


@contextmanager
def media(browser: Any, **features: str) -> Iterator[None]:
    """Let the system prefer something; ``prefers_color_scheme="dark"``."""

    def emulate(wanted: dict[str, str]) -> None:
        given = [{"name": name.replace("_", "-"), "value": value} for name, value in wanted.items()]
        browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": given})

    emulate(features)
    try:
        yield
    finally:
        emulate({})


@contextmanager
def screen(browser: Any, width: int, height: int) -> Iterator[None]:
    browser.screen(width, height)
    try:
        yield
    finally:
        browser.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def moving_of(lesson: Lesson, key: str) -> tuple[int, Moving]:
    """A moving picture of the lecture, and how many stand before it."""
    found = [block for step in lesson.steps for block in step.unfolded if isinstance(block, Moving)]
    return next((k, moving) for k, moving in enumerate(found) if moving.key == key)


def shown(browser: Any, number: int) -> tuple[tuple[str, ...], str]:
    """The numbers that a moving picture shows, and where its pieces are."""
    numbers, styles = browser.run(
        "const figure = document.querySelectorAll('.moving')[arguments[0]];"
        "const all = (what, of) => [...figure.querySelectorAll(what)].map(of);"
        "return [all('[data-number]', e => e.textContent), all('[data-piece]', e => e.getAttribute('style'))]",
        number,
    )
    return tuple(numbers), "|".join(style.replace(" ", "").removesuffix(";") for style in styles)


def focus(browser: Any, number: int, control: int) -> None:
    browser.run(
        "const control = document.querySelectorAll('.moving')[arguments[0]].querySelectorAll('.control')[arguments[1]];"
        "(control.querySelector('[type=range]') || control.querySelector(':checked')).focus()",
        number,
        control,
    )


def test_a_slider_moved_by_the_keyboard_shows_the_engine_s_numbers(browser: Any, page: Path, lesson: Lesson) -> None:
    number, moving = moving_of(lesson, "among_pads")
    styles = dict(zip(moving.scenes, drawn(moving)[1], strict=True))
    browser.open(page)
    focus(browser, number, 0)
    browser.press(HOME)
    pads, eps, divisors, masks = moving.controls.values()
    for count in pads:
        choice = (count, *moving.shown[1:])
        assert shown(browser, number) == (moving.rows([choice])[0], styles[choice])
        browser.press(RIGHT)
    assert browser.run("return document.activeElement.getAttribute('aria-valuetext')") == str(pads[-1])
    for control, choices in ((1, eps), (2, divisors), (3, masks)):
        focus(browser, number, control)
        browser.press(RIGHT)
        choice = (*choice[:control], choices[1], *choice[control + 1 :])
        assert shown(browser, number) == (moving.rows([choice])[0], styles[choice])
    assert browser.complaints() == []
    assert browser.requests() == [page.as_uri()]


@pytest.mark.parametrize("key", ["swept_columns", "swept_rows", "circle", "gradient_parts"])
def test_every_slider_ends_at_its_last_scene(browser: Any, slides: Path, lesson: Lesson, key: str) -> None:
    number, moving = moving_of(lesson, key)
    browser.open(slides)
    while not browser.run("return document.querySelectorAll('.moving')[arguments[0]].checkVisibility()", number):
        browser.press(PAGE_DOWN)
    at = browser.state("slide")
    focus(browser, number, 0)
    browser.press(END)
    last = (next(iter(moving.controls.values()))[-1], *moving.shown[1:])
    assert shown(browser, number) == (
        moving.rows([last])[0],
        dict(zip(moving.scenes, drawn(moving)[1], strict=True))[last],
    )
    assert browser.state("slide") == at


def test_the_page_is_small_and_fits_a_phone_with_all_of_it_open(browser: Any, page: Path) -> None:
    assert page.stat().st_size <= 600_000
    with screen(browser, 390, 800):
        browser.open(page)
        browser.run("document.querySelectorAll('details').forEach(e => e.open = true)")
        assert browser.run("return document.documentElement.scrollWidth") <= 390
        small = browser.run(
            "return [...document.querySelectorAll('main *')].filter(e => e.childNodes.length && !e.closest('svg') &&"
            " parseFloat(getComputedStyle(e).fontSize) < 12).map(e => e.className)"
        )
        assert small == []


def test_axe_finds_nothing(browser: Any, axe: str, page: Path, slides: Path, every_block: Path) -> None:
    # One of hundreds of rows that are all alike is enough. Slides are judged at once, as they are without a script.
    fewer = (
        "document.querySelectorAll('.scenes tr:nth-child(n+2)').forEach(e => e.remove());"
        "document.documentElement.classList.remove('one-at-a-time')"
    )
    for path in (page, slides):
        browser.open(path)
        browser.run(fewer)
        assert browser.violations(axe) == []
    with media(browser, prefers_color_scheme="dark"):
        assert browser.violations(axe, "color-contrast") == []
        browser.open(every_block)
        browser.run("document.querySelectorAll('details').forEach(e => e.open = true)")
        assert browser.violations(axe) == []


def test_without_a_script_all_of_it_is_there(browser: Any, page: Path, lesson: Lesson) -> None:
    browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.open(page)
        from selenium.webdriver.common.by import By

        find = browser.driver.find_elements
        assert not any(form.is_displayed() for form in find(By.CSS_SELECTOR, ".controls"))
        assert all(scene.is_displayed() for scene in find(By.CSS_SELECTOR, ".scene"))
        (question,) = [
            s for s in find(By.CSS_SELECTOR, ".asked summary") if s.text.startswith("Can the largest of five")
        ]
        answer = question.find_element(By.XPATH, "following-sibling::dl")
        assert not answer.is_displayed()
        question.click()
        assert answer.is_displayed()
        text = browser.driver.find_element(By.TAG_NAME, "main").get_attribute("textContent")
        for step in lesson.steps:
            for block in step.unfolded:
                if isinstance(block, Claim):
                    assert block.true_sentence in text
                if isinstance(block, Moving):
                    assert all(cell in text for row in block.rows(list(block.scenes)) for cell in row)
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_long_words_do_not_widen_a_phone_s_page(
    browser: Any, make_document: Callable[[str], Lesson], tmp_path: Path
) -> None:
    with screen(browser, 390, 800):
        for name, made in (("page", lesson_html), ("slides", lesson_slides)):
            path = tmp_path / f"{name}.html"
            path.write_text(made(make_document("unbroken" * 12)), encoding="utf-8")
            browser.open(path)
            browser.run(
                "document.documentElement.classList.remove('one-at-a-time');"
                "document.querySelectorAll('details').forEach(e => e.open = true)"
            )
            assert browser.run("return document.documentElement.scrollWidth") <= 390, name


def test_nothing_moves_by_itself_where_that_is_not_wanted(browser: Any, page: Path) -> None:
    script = "return getComputedStyle(document.querySelector('.dot')).transitionDuration.split(',')[0]"
    browser.open(page)
    assert browser.run(script) != "0s"
    with media(browser, prefers_reduced_motion="reduce"):
        assert browser.run(script) == "0s"


def test_every_slide_can_be_read_from_the_last_row(browser: Any, slides: Path, lesson: Lesson) -> None:
    with screen(browser, 1920, 1080):
        browser.open(slides)
        count = browser.run("return document.querySelectorAll('.slide').length")
        assert len(lesson.steps) < count <= 30
        for number in range(1, count + 1):
            assert browser.state("slide") == str(number)
            browser.run("document.querySelectorAll('.slide.at .asked details').forEach(e => e.open = true)")
            texts, wrong = browser.run(READABLE)
            assert texts
            assert wrong == [], number
            browser.press(PAGE_DOWN)
        assert browser.state("slide") == str(count)


def test_the_keys_of_the_slides(browser: Any, slides: Path) -> None:
    browser.open(slides, "#6")
    assert browser.state("slide") == "6"
    answer = "return document.querySelector('.slide.at .asked details').open"
    assert browser.run(answer) is False
    browser.press(RIGHT)
    assert (browser.state("slide"), browser.run(answer)) == ("6", True)
    browser.press(RIGHT)
    assert browser.state("slide") == "7"
    browser.press(LEFT, LEFT)
    assert browser.state("slide") == "5"
    assert browser.address().endswith("#5")
    notes = "return document.querySelector('.slide.at .notes').checkVisibility()"
    assert browser.run(notes) is False
    browser.press("n")
    assert browser.run(notes) is True
    browser.click("#speaker")
    assert browser.run(notes) is False
    browser.click("#next")
    assert browser.state("slide") == "6"
    browser.press(END)
    assert browser.run("return document.getElementById('next').disabled")
    browser.press(HOME)
    assert browser.state("slide") == "1"
    assert browser.run("return document.getElementById('back').disabled")
    assert browser.complaints() == []


def test_slides_on_a_phone_do_not_scroll_sideways(browser: Any, slides: Path) -> None:
    with screen(browser, 390, 800):
        browser.open(slides)
        browser.run("document.documentElement.classList.remove('one-at-a-time')")
        assert browser.run("return document.documentElement.scrollWidth") <= 390


def test_printed_each_slide_is_a_page(browser: Any, slides: Path) -> None:
    browser.open(slides, "#3")
    printed = browser.driver.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True, "printBackground": True})
    pdf = base64.b64decode(printed["data"])
    pages = len(re.findall(rb"/Type\s*/Page\b", pdf))
    assert pages == browser.run("return document.querySelectorAll('.slide').length")
    assert set(re.findall(rb"/MediaBox\s*\[([^\]]*)\]", pdf)) == {b"0 0 1440 810"}
