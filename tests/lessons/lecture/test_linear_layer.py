from __future__ import annotations

import numpy as np
import pytest

from tinygrad_norm.errors import InputError
from tinygrad_norm.lessons.lecture.linear_layer import Relation, fit_neuron, relation
from tinygrad_norm.lessons.lecture.notes import FEATURES, OUTPUTS


def test_relation_vanishes_on_the_features_only() -> None:
    found = relation(FEATURES, OUTPUTS)
    weights = np.array([*found.weights, 0])
    np.testing.assert_array_equal(weights @ np.column_stack([FEATURES, np.ones(5)]), [0, 0, 0])
    np.testing.assert_array_equal(weights @ np.array(OUTPUTS), found.on_outputs)


def test_a_table_that_a_layer_gives_has_a_zero_relation() -> None:
    z = np.array(FEATURES) @ [[1, 0], [2, 1]] + [5, 7]
    assert relation(FEATURES, z.tolist()).on_outputs == (0, 0)


def test_independent_rows_have_no_relation() -> None:
    with pytest.raises(InputError, match="must be linearly dependent; got 2 independent ones"):
        relation([(1,), (2,)], [(5,), (7,)])


@pytest.mark.parametrize(
    ("weights", "text"),
    [((1, -1), "r₁ − r₂"), ((-2, 0, 1), "−2r₁ + r₃"), ((0, 3, -2, 10), "3r₂ − 2r₃ + 10r₄")],
)
def test_relation_as_text(weights: tuple[int, ...], text: str) -> None:
    assert Relation(weights, (), ()).text == text


@pytest.mark.parametrize("neuron", [0, 1, 2])
def test_fit_is_the_minimum(neuron: int) -> None:
    target = [row[neuron] for row in OUTPUTS]
    design = np.column_stack([FEATURES, np.ones(5)])
    expected, (squares,), *_ = np.linalg.lstsq(design, target, rcond=None)
    found = fit_neuron(FEATURES, target)
    np.testing.assert_allclose([float(c) for c in found.exact.coefficients], expected, rtol=1e-10)
    assert found.loss == pytest.approx(squares / 5, rel=1e-10)
    assert found.gradient < 1e-13
    assert found.newton_gap < 1e-12
