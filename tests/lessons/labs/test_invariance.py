from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm import functional as F
from tinygrad_norm.lessons.labs.experiment import Session
from tinygrad_norm.lessons.labs.invariance import (
    CHANGES,
    LAYERS,
    PUBLISHED,
    Cell,
    Layer,
    Point,
    range_of_changes,
    run,
    scaled_gradient,
)

CELLS = [(n, c, is_so) for n, row in PUBLISHED.items() for c, is_so in zip(CHANGES, row, strict=True)]


def test_there_are_24_cells() -> None:
    assert len(CELLS) == 24
    assert list(PUBLISHED) == list(LAYERS)


@pytest.mark.parametrize(("norm", "change", "invariant"), CELLS)
def test_every_cell(norm: str, change: str, invariant: bool) -> None:
    least, most = range_of_changes(LAYERS[norm], CHANGES[change], 30, np.random.default_rng(3))
    assert most < 1e-12 if invariant else least > 0.02


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_changes_what_it_says_and_no_more(rng: np.random.Generator, change: str) -> None:
    at = Point(rng.standard_normal((5, 7)), rng.standard_normal((6, 7)))
    before = Point(at.weight.copy(), at.x.copy())
    after = CHANGES[change](at, rng)
    assert np.array_equal(at.weight, before.weight)
    assert np.array_equal(at.x, before.x)
    of_weight = change.startswith("weight")
    assert np.array_equal(after.x, at.x) is of_weight
    assert np.array_equal(after.weight, at.weight) is not of_weight
    moved = (after.weight - at.weight if of_weight else after.x - at.x) != 0
    single = change in ("weight vector rescaled", "single case rescaled")
    assert moved.any(1).sum() == (1 if single else len(moved))
    if change.endswith("recentered"):
        shift = after.weight - at.weight if of_weight else after.x - at.x
        np.testing.assert_allclose(shift, np.broadcast_to(shift[0], shift.shape), atol=1e-14)


@pytest.mark.parametrize("norm", LAYERS)
def test_larger_weights_get_smaller_gradients(norm: str) -> None:
    found = scaled_gradient(LAYERS[norm], 3.0, np.random.default_rng(0))
    assert found.gap < 1e-13
    assert found.along_weights < 1e-14
    assert (found.along_each_unit < 1e-14) is (norm in ("batch norm", "weight norm"))


def broken_layer_norm(weight: tg.Tensor, x: tg.Tensor) -> tg.Tensor:
    """Layer norm that forgets to subtract the mean."""
    return LAYERS["RMS norm"](weight, x)


def layer_norm_with_eps(weight: tg.Tensor, x: tg.Tensor) -> tg.Tensor:
    return F.layer_norm(x @ weight.T, weight.shape[0], eps=0.1)


def batch_norm_along_rows(weight: tg.Tensor, x: tg.Tensor) -> tg.Tensor:
    return LAYERS["layer norm"](weight, x)


@pytest.mark.parametrize(
    ("norm", "broken", "wrong"),
    [
        ("layer norm", broken_layer_norm, 1),
        ("layer norm", layer_norm_with_eps, 3),
        ("batch norm", batch_norm_along_rows, 4),
    ],
)
def test_a_broken_norm_fails_its_row_and_no_other(norm: str, broken: Layer, wrong: int) -> None:
    outcome = run(Session(0), {**LAYERS, norm: broken}, points=5)
    verdicts = {answer.key: answer for answer in outcome.answers}
    key = norm.replace(" ", "_")
    assert verdicts[key].verdict == "broken"
    assert verdicts[key].values["right"] == 6 - wrong
    others = [a.verdict for k, a in verdicts.items() if k.endswith("_norm") and k != key]
    assert others == ["exact"] * 3


def test_a_norm_blind_to_no_scale_fails_the_gradient_row() -> None:
    def none(weight: tg.Tensor, x: tg.Tensor) -> tg.Tensor:
        return x @ weight.T

    outcome = run(Session(0), {**LAYERS, "RMS norm": none}, points=2)
    assert outcome.answers[-1].verdict == "broken"


def test_the_whole_table() -> None:
    outcome = run(Session(1, quick=True))
    assert {answer.verdict for answer in outcome.answers} == {"exact"}
    (table,) = outcome.tables
    cells = {row.label: row.values for row in table.rows}
    assert cells["single case rescaled"] == ("no", "no", "invariant", "invariant")
    (panel,) = outcome.panels
    assert [line.label for line in panel.lines] == list(LAYERS)


def test_a_change_between_rounding_and_notice_is_unclear() -> None:
    assert Cell(1e-20, 1e-13).invariant is True
    assert Cell(0.5, 3.0).invariant is False
    assert Cell(1e-20, 0.5).invariant is None


def test_cut_short(interrupted_after: Callable[[int], Session]) -> None:
    outcome = run(interrupted_after(7))
    assert {answer.verdict for answer in outcome.answers} == {"not finished"}
    (table,) = outcome.tables
    assert table.columns == ("batch norm", "weight norm")
    assert [row.values[1] for row in table.rows][:2] == ["invariant", None]
    empty = run(interrupted_after(0))
    assert empty.tables[0].rows == ()
