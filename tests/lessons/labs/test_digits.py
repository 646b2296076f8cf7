from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tinygrad_norm import MissingExtraError
from tinygrad_norm.lessons.labs.digits import digits


def test_a_seed_decides_what_is_held_out() -> None:
    first, again, other = digits(0, 360), digits(0, 360), digits(1, 360)
    (images,), (held_out,) = first.training.inputs, first.held_out.inputs
    assert images.shape == (1437, 64)
    assert held_out.shape == (360, 64)
    assert images.dtype == np.float32
    assert np.array_equal(images, again.training.inputs[0])
    assert not np.array_equal(first.training.classes, other.training.classes)
    whole = np.concatenate([images, held_out]).astype(float)
    assert abs(whole.mean()) < 1e-6
    assert whole.std() == pytest.approx(1, rel=1e-6)


def test_as_many_to_learn_as_asked() -> None:
    few = digits(0, 797, 200)
    assert few.training.inputs[0].shape == (200, 64)
    assert few.held_out.classes.shape == (797,)
    assert set(few.held_out.classes) == set(range(10))


def test_scikit_learn_is_optional(without: Callable[[str], None]) -> None:
    without("sklearn")
    with pytest.raises(
        MissingExtraError, match=r"scikit-learn; it is not installed\. Run pip install 'tinygrad-norm\["
    ):
        digits(0, 1)
