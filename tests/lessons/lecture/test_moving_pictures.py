"""Every number that a slider of the lecture can show, computed again without the engine."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from html import unescape
from typing import Any

import numpy as np
import pytest

from tinygrad_norm.lessons.document.as_html import lesson_html
from tinygrad_norm.lessons.document.lesson import Lesson
from tinygrad_norm.lessons.document.moving import Moving
from tinygrad_norm.lessons.document.moving_scene import drawn
from tinygrad_norm.lessons.lecture.law_of_pads import pads_to_change_sign
from tinygrad_norm.lessons.lecture.moving_pictures import among_pads, circle, gradient_parts, sweep
from tinygrad_norm.lessons.lecture.norm_formula import BATCH, LAYER
from tinygrad_norm.lessons.lecture.notes import OUTPUTS, find_variant
from tinygrad_norm.lessons.lecture.settings import Settings

Floats = np.ndarray[Any, Any]
Z = np.array(OUTPUTS, dtype=float)


def normalized(x: Floats, axis: int, ddof: int, eps: float) -> Floats:
    return np.asarray((x - x.mean(axis, keepdims=True)) / np.sqrt(x.var(axis, ddof=ddof, keepdims=True) + eps))


def of_sweep(axis: int, name: str, ddof: int, eps: float) -> list[float]:
    k = ["z₁", "z₂", "z₃"].index(name) if axis == 0 else int(name) - 1
    before, after = (np.take(x, k, axis=1 - axis) for x in (Z, normalized(Z, axis, ddof, eps)))
    return [*before, *after, before.mean(), before.std(ddof=ddof)]


def of_pads(pads: int, eps: float, divisor: str, mask: str, variant: str) -> list[float]:
    words = np.array([token.output for token in find_variant(variant).words])
    ddof = 0 if divisor == "n" else 1
    counted = words if "mask" in mask else np.vstack([words, np.zeros((pads, 3))])
    return [*normalized(counted, 0, ddof, eps)[0], *normalized(words, 1, ddof, eps)[0]]


def of_circle(at: float, ddof: int) -> list[float]:
    rows = normalized(Z, 1, ddof, at)
    # The first direction is that of (1, −1, 0); the second is orthogonal to it and to (1, 1, 1).
    across = np.cross([1.0, 1.0, 1.0], [1.0, -1.0, 0.0])
    x, y = rows @ [1.0, -1.0, 0.0] / math.sqrt(2), rows @ -across / np.linalg.norm(across) * -1
    return [*np.sqrt((rows**2).sum(axis=1)), *np.degrees(np.arctan2(y, x))]


def of_gradient(stage: int, row: str, ddof: int, eps: float) -> list[float]:
    k = int(row) - 1
    g = np.random.default_rng(0).standard_normal(Z.shape)[k]
    g, x_hat = g / np.linalg.norm(g), normalized(Z, 1, ddof, eps)[k]
    if stage >= 1:
        g = g - g.mean()
    if stage >= 2:
        g = g - x_hat * (x_hat @ g) / (3 - ddof)
    if stage == 3:
        g = g / math.sqrt(Z[k].var(ddof=ddof) + eps)
    ones, along = np.ones(3) / math.sqrt(3), x_hat / np.linalg.norm(x_hat)
    return [g @ ones, g @ along, g @ np.cross(ones, along), *g]


def expected(moving: Moving, choice: tuple[Any, ...], ddof: int, eps: float, variant: str) -> list[float]:
    if moving.key == "among_pads":
        return of_pads(*choice, variant)
    if moving.key == "circle":
        return of_circle(*choice, ddof)
    if moving.key == "gradient_parts":
        return of_gradient(moving.controls["stage"].index(choice[0]), choice[1], ddof, eps)
    return of_sweep(0 if moving.key == "swept_columns" else 1, *choice, ddof, eps)


def pictures(settings: Settings) -> list[Moving]:
    return [
        sweep(BATCH, settings),
        sweep(LAYER, settings),
        among_pads(settings),
        circle(settings),
        gradient_parts(settings),
    ]


def movings(lesson: Lesson) -> list[Moving]:
    return [block for step in lesson.steps for block in step.unfolded if isinstance(block, Moving)]


@pytest.mark.parametrize("settings", [Settings(), Settings("last-page", 1, 0.5)], ids=["as in the notes", "other"])
def test_every_scene_is_what_the_formulas_give(settings: Settings) -> None:
    given = settings.ddof, settings.table_eps, settings.variant
    for moving in pictures(settings):
        for choice, scene in moving.scenes.items():
            np.testing.assert_allclose(scene.values, expected(moving, choice, *given), atol=1e-12, err_msg=str(choice))


def test_the_lecture_has_all_of_them(lesson_of: Callable[..., Lesson]) -> None:
    assert [m.scenes for m in movings(lesson_of())] == [m.scenes for m in pictures(Settings())]


def test_the_page_holds_the_numbers_of_every_scene(lesson_of: Callable[..., Lesson]) -> None:
    lesson = lesson_of()
    figures = re.findall(r'<figure class="moving">.*?\n</details>\n</figure>', lesson_html(lesson), re.S)
    for moving, figure in zip(movings(lesson), figures, strict=True):
        rows = re.findall(r'<tr data-scene="([\d-]+)" data-styles="([^"]*)">(.*?)</tr>', figure)
        assert len(rows) == len(moving.scenes)
        of = list(moving.controls.values())
        pieces = figure.count("data-piece")
        for name, styles, cells in rows:
            choice = tuple(choices[int(k)] for choices, k in zip(of, name.split("-"), strict=True))
            texts = [unescape(text).replace("−", "-") for text in re.findall("<td[^>]*>(.*?)</td>", cells)]
            wanted = expected(moving, choice, 0, 0.0, "attention-page")
            np.testing.assert_allclose(list(map(float, texts)), wanted, atol=6e-4, rtol=1e-4)
            assert len(styles.split("|")) == pieces


def test_what_the_pictures_are_said_to_show(lesson_of: Callable[..., Lesson]) -> None:
    found = {moving.key: moving for moving in movings(lesson_of())}
    circle = found["circle"].scenes[(0.0,)]
    assert [round(circle.numbers[f"angle of row {k}"], 1) for k in range(1, 6)] == [49.1, -120, -120, 0, -90]
    assert set(np.round(circle.values[:5], 9)) == {round(math.sqrt(3), 9)}
    pads = found["among_pads"]
    words = np.array([token.output for token in find_variant("attention-page").words])
    for feature in range(3):
        counts = range(21)
        batch, layer, masked = (
            [pads.scenes[(n, 0.0, "n", mask)].values[feature + shift] for n in counts]
            for mask, shift in (("all rows", 0), ("all rows", 3), ("the words (mask)", 0))
        )
        changes = [n for n in counts if batch[n] * batch[0] < 0]
        assert min(changes, default=None) == pads_to_change_sign(words[0][feature].item(), words[:, feature].tolist())
        assert len(set(layer)) == 1
        assert max(masked) - min(masked) < 1e-12
    gradient = found["gradient_parts"]
    last, arrived = gradient.controls["stage"][-2:]
    for row in gradient.controls["row"]:
        assert np.abs(gradient.scenes[(last, row)].values[:2]).max() < 1e-12
        assert np.abs(gradient.scenes[(arrived, row)].values[:2]).max() < 1e-12
        assert abs(gradient.scenes[(arrived, row)].values[2]) > 0.1


@pytest.mark.parametrize("eps", [1e-300, 1e300])
def test_epsilons_of_any_size_can_be_drawn(eps: float) -> None:
    for moving in pictures(Settings(eps=eps)):
        scene, styles = drawn(moving)
        assert not re.search(r"--\w+:-?(nan|inf)", scene + "".join(styles)), moving.key
