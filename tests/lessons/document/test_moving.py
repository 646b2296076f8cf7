from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tinygrad_norm.lessons.document.moving import Cells, Dots, Moving, Plane, Scene
from tinygrad_norm.lessons.document.moving_scene import drawn


def lengths(last: float) -> Scene:
    x = np.array([1.0, 2.0, last])
    names = "abc"
    return Scene(
        [
            Dots("x", dict(zip(names, x, strict=True)), "x", {"μ": x.mean()}),
            Dots("x̂", dict(zip(names, (x - x.mean()) / x.std(), strict=True))),
        ],
        {"σ": x.std()},
    )


def test_every_place_of_every_control_has_its_scene() -> None:
    def scene(a: int, b: str) -> Scene:
        return Scene([Dots("n", {"n": a + len(b)})])

    moving = Moving("k", "t", {"a": range(3), "b": ["x", "yy"]}, scene, (2, "x"))
    assert list(moving.scenes) == [(a, b) for a in range(3) for b in ("x", "yy")]
    assert {choice: found.values for choice, found in moving.scenes.items()} == {
        (a, b): (a + len(b),) for a in range(3) for b in ("x", "yy")
    }
    assert (moving.shown, moving.columns, moving.rows([(0, "yy")])) == ((2, "x"), ("n",), [("2.0000",)])


def test_numbers_of_numpy_are_taken() -> None:
    moving = Moving("k", "t", {"last": np.arange(3, 6).tolist()}, lengths, formats=".2f")
    assert moving.columns == ("x a", "x b", "x c", "x̂ a", "x̂ b", "x̂ c", "σ")
    assert moving.rows([(3,)]) == [("1.00", "2.00", "3.00", "−1.22", "0", "1.22", "0.82")]


def dots(**numbers: Any) -> Callable[..., Scene]:
    return lambda *_: Scene([Dots("l", numbers)])


MISTAKES: list[tuple[Callable[[], object], str]] = [
    (lambda: Moving("k", "t", {}, dots(a=1)), "there must be a control, and at most 1000 scenes; got 0"),
    (lambda: Moving("k", "t", {"x": range(1001)}, dots(a=1)), "at most 1000 scenes; got 1001"),
    (lambda: Moving("k", "t", {"x": []}, dots(a=1)), "the choices of x must be different values, one at least"),
    (lambda: Moving("k", "t", {"x": (1, 1)}, dots(a=1)), "the choices of x must be different values"),
    (lambda: Moving("k", "t", [1], dots(a=1)), "a dictionary by name; got list"),
    (lambda: Moving("k", "t", {"x": (1,)}, lambda x: x), "scene must return a Scene; got int"),
    (lambda: Moving("k", "t", {"x": (1,)}, dots(a=1), (2,)), "shown must be one choice of each of x; got .2."),
    (
        lambda: Moving("k", "t", {"x": (1, 2)}, lambda x: dots(**{"abc"[x]: 1})()),
        "the same parts and names; that of .2. differs from that of .1.",
    ),
    (lambda: Dots("l", {}), "there must be a number, one at least"),
    (lambda: Dots("l", {"a": float("nan")}), "numbers up to 1e100"),
    (lambda: Dots("l", {"a": 1e101}), "numbers up to 1e100"),
    (lambda: Dots("l", {1: 1}), "a name must be text; got int"),
    (lambda: Plane("l", {"a": (1, 2, 3)}), "must be pairs"),
    (lambda: Plane("l", {}, {"a": ((1, 2),)}), "an arrow must be a pair of points"),
    (lambda: Cells("l", ("a", "b"), {"r": (1,)}), "the rows must have 2 values each"),
    (lambda: Cells("l", ("a",), {"r": (1,)}, row=1), "a whole number from 0 to 0; got 1"),
    (lambda: Scene(Dots("l", {"a": 1})), "the parts of a scene must be a tuple of Dots or Plane or Cells"),
    (lambda: Scene([Dots("l", {"a": 1})], {"a": 2}), "different names; got a, a"),
    (lambda: Scene([], {"a": (1, 2)}), "got tuple|must hold"),
]


@pytest.mark.parametrize(("write", "message"), MISTAKES, ids=[message[:40] for _, message in MISTAKES])
def test_what_cannot_be_a_moving_picture_is_refused(write: Callable[[], object], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        write()


def places(style: str) -> dict[str, float]:
    return {name: float(value) for name, value in re.findall(r"--(\w+):([-\d.]+)", style)}


def test_a_number_stands_where_its_line_says() -> None:
    """From the ticks, whose places and numbers are both in the page, follow the numbers of all dots."""
    moving = Moving("k", "t", {"last": [3.0, 4.5, 11.0]}, lengths)
    html, styles = drawn(moving)
    for line, group in enumerate(re.findall(r'<div class="axis.*?</div>', html)):
        found = re.findall(r'class="tick[^"]*" style="--x:([\d.-]+)">([−\d.]+)<', group)
        (x0, first), *_, (x1, last) = [(float(x), float(n.replace("−", "-"))) for x, n in found]
        for style, scene in zip(styles, moving.scenes.values(), strict=True):
            pieces = style.split("|")
            shown = pieces[:4] if line == 0 else pieces[4:]
            wanted = [*scene.lines[line].marks.values(), *scene.lines[line].numbers.values()]
            at = [first + (places(piece)["x"] - x0) / (x1 - x0) * (last - first) for piece in shown]
            assert at == pytest.approx(wanted, abs=0.02 * (last - first) / 10)


@pytest.mark.parametrize("seed", range(5))
def test_dots_do_not_cover_each_other(seed: int) -> None:
    rng = np.random.default_rng(seed)
    numbers = {str(i): float(x) for i, x in enumerate(rng.integers(0, 4, 9) + rng.random(9) * 0.1)}
    _, (style,) = drawn(Moving("k", "t", {"x": [0]}, lambda _: Scene([Dots("l", numbers)])))
    found = [places(piece) for piece in style.split("|")]
    for i, a in enumerate(found):
        for b in found[:i]:
            # The narrowest line is 17 rem wide, a dot 1.7.
            assert a["y"] != b["y"] or abs(a["x"] - b["x"]) >= 10 - 0.02


def test_points_lie_in_the_plane_and_arrows_lead_to_them() -> None:
    def scene(turn: float) -> Scene:
        a, b = np.cos(turn), np.sin(turn)
        return Scene([Plane("p", {"p": (a, b), "q": (a, b)}, {"v": ((-a, 0.0), (a, b))}, 1.0)])

    turns = [0.0, 1.0, 2.5, -2.0]
    html, styles = drawn(Moving("k", "t", {"turn": turns}, scene))
    (size,) = re.findall(r'class="circle" style="--r:([\d.]+)', html)
    half = float(size) / 2
    for turn, style in zip(turns, styles, strict=True):
        arrow, p, q = map(places, style.split("|"))
        assert (p["x"] - 50, p["y"] - 50) == pytest.approx((half * np.cos(turn), half * np.sin(turn)), abs=0.02)
        assert (q["x"], q["y"], q["aside"], p["aside"]) == (p["x"], p["y"], 1, 0)
        angle = np.radians(arrow["a"])
        tip = arrow["x"] + arrow["l"] * np.cos(angle), arrow["y"] + arrow["l"] * np.sin(angle)
        assert tip == pytest.approx((p["x"], p["y"]), abs=0.15)


def test_the_marked_column_is_framed() -> None:
    rows = {"r": (1, 2, 3), "s": (4, 5, 6)}
    moving = Moving("k", "t", {"c": [0, 2]}, lambda c: Scene([Cells("l", ("a", "b", "c"), rows, column=c)]))
    assert drawn(moving)[1] == ["grid-area:2/2/4/3", "grid-area:2/4/4/5"]
