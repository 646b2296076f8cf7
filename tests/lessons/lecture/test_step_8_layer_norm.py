from __future__ import annotations

import numpy as np
import pytest

from tinygrad_norm.engine.tensor import Tensor
from tinygrad_norm.lessons.lecture.norm_formula import BATCH, LAYER
from tinygrad_norm.lessons.lecture.steps.step_8_layer_norm import across_rows, cotangent_effect, gradient_factors

TABLE = np.random.default_rng(3).standard_normal((3, 4))


def test_across_rows_tells_layer_from_batch_norm() -> None:
    assert across_rows(Tensor(TABLE), LAYER, 0, 1e-5) == 0
    assert across_rows(Tensor(TABLE), BATCH, 0, 1e-5) > 0.1


@pytest.mark.parametrize("ddof", [0, 1])
@pytest.mark.parametrize("eps", [0.0, 1e-5, 0.5])
def test_gradient_factor_is_one_over_the_deviation(ddof: int, eps: float) -> None:
    # With four features one direction is orthogonal to both 1 and x̂: there the Jacobian is I/√(σ² + ε).
    expected = 1 / np.sqrt(TABLE.var(axis=1, ddof=ddof) + eps)
    np.testing.assert_allclose(gradient_factors(Tensor(TABLE), ddof, eps), expected, rtol=1e-10)


def test_a_zero_row_magnifies_by_one_over_root_eps() -> None:
    (factor,) = gradient_factors(Tensor(np.zeros((1, 3))), 0, 1e-6)
    assert factor == pytest.approx(1000, rel=1e-9)


def test_sums_see_nothing_and_a_random_cotangent_does() -> None:
    x = Tensor(TABLE)
    ones = cotangent_effect(x, Tensor(np.ones(TABLE.shape)), 0, 0.0)
    noise = cotangent_effect(x, Tensor(np.random.default_rng(1).standard_normal(TABLE.shape)), 0, 0.0)
    assert ones.largest < 1e-14
    assert noise.largest > 0.1
    assert max(noise.along_ones, noise.along_output) < 1e-14


def test_with_eps_a_part_along_the_output_is_left() -> None:
    noise = Tensor(np.random.default_rng(1).standard_normal(TABLE.shape))
    effect = cotangent_effect(Tensor(TABLE), noise, 0, 0.5)
    assert effect.along_ones < 1e-14
    assert effect.along_output > 0.1


def test_a_gradient_of_zero_points_nowhere() -> None:
    effect = cotangent_effect(Tensor(TABLE), Tensor(np.zeros(TABLE.shape)), 0, 1e-5)
    assert (effect.largest, effect.along_ones, effect.along_output) == (0, 0, 0)
