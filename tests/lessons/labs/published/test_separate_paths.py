from __future__ import annotations

import numpy as np
import pytest

from tinygrad_norm import Tensor
from tinygrad_norm.lessons.labs.published.separate_paths import (
    normalized_by_paths,
    paths,
    paths_in_closed_form,
    relative_gap,
)  # fmt: skip
from tinygrad_norm.lessons.lecture.gradient_paths import gradient_paths
from tinygrad_norm.lessons.lecture.notes import OUTPUTS

PATHS = ("direct", "by_mean", "by_deviation")


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("eps", [0.0, 1e-5, 1.0])
def test_each_path_is_its_formula(rng: np.random.Generator, axis: int, eps: float) -> None:
    x, cotangent = rng.standard_normal((2, 7, 9))
    engine, formula = paths(x, cotangent, axis, eps), paths_in_closed_form(x, cotangent, axis, eps)
    for name in PATHS:
        assert relative_gap(getattr(engine, name), getattr(formula, name), formula.direct) < 1e-14
    np.testing.assert_allclose(engine.total, formula.total, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("axis", [0, 1])
def test_they_are_what_the_drawing_of_the_layer_shows(axis: int) -> None:
    x = np.array(OUTPUTS, dtype=float)
    cotangent = np.zeros(x.shape)
    cotangent[0, 0] = 1.0
    apart, drawn = paths(x, cotangent, axis, 0.0), gradient_paths(Tensor(x), axis, (0, 0), 0.0)
    np.testing.assert_allclose(apart.total, drawn.total, atol=1e-14)
    # There the paths end at the centered values, of which the variance is made too; only that of the mean ends at x.
    np.testing.assert_allclose(apart.direct, drawn.direct, atol=1e-14)
    np.testing.assert_allclose(apart.by_deviation, drawn.variance, atol=1e-14)
    np.testing.assert_allclose(apart.by_mean, drawn.mean, atol=1e-14)


def test_a_path_that_is_cut_sends_nothing(rng: np.random.Generator) -> None:
    x = Tensor(rng.standard_normal((2, 5)), requires_grad=True)
    cut = normalized_by_paths(x.detach(), x.detach(), x.detach(), 1, 0.0)
    assert not cut.requires_grad


def test_a_gap_is_a_share_of_the_largest_entry() -> None:
    assert relative_gap(np.array([1.0, 2.5]), np.array([1.0, 2.0])) == 0.25
    assert relative_gap(np.array([1.0]), np.array([2.0]), np.array([4.0, -8.0])) == 0.125
