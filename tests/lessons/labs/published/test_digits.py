from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tinygrad_norm import MissingExtraError
from tinygrad_norm.lessons.labs.published.digits import digits


def test_a_seed_decides_what_is_held_out() -> None:
    first, again, other = digits(0, 360), digits(0, 360), digits(1, 360)
    assert first.images.shape == (1437, 64)
    assert first.held_out_images.shape == (360, 64)
    assert first.images.dtype == np.float32
    assert np.array_equal(first.images, again.images)
    assert not np.array_equal(first.classes, other.classes)
    whole = np.concatenate([first.images, first.held_out_images]).astype(float)
    assert abs(whole.mean()) < 1e-6
    assert whole.std() == pytest.approx(1, rel=1e-6)


def test_as_many_to_learn_as_asked() -> None:
    few = digits(0, 797, 200)
    assert few.images.shape == (200, 64)
    assert few.held_out_classes.shape == (797,)
    assert set(few.held_out_classes) == set(range(10))


def test_scikit_learn_is_optional(without: Callable[[str], None]) -> None:
    without("sklearn")
    with pytest.raises(
        MissingExtraError, match=r"scikit-learn; it is not installed\. Run pip install 'tinygrad-norm\["
    ):
        digits(0, 1)
