"""The handwritten digits that scikit-learn brings along: 1,797 images of 8×8 pixels in ten classes.

They are the optical digits of E. Alpaydin and C. Kaynak (UCI Machine Learning Repository, 1998). Nothing is downloaded.
:func:`bundled_digits` gives them as they are, :func:`digits` standardized and parted.
"""

from __future__ import annotations

from importlib import import_module
from typing import NamedTuple

import numpy as np

from ...engine.details.array import Array
from ...errors import MissingExtraError
from .evaluation import Examples

CLASSES = 10
PIXELS = 64


class Digits(NamedTuple):
    """Digits to train on and digits held out; the inputs are images (image, 64), the classes 0 to 9 (image)."""

    training: Examples
    held_out: Examples


def bundled_digits() -> tuple[Array, Array]:
    """Return images (image, 64) with values from 0 to 16, and their classes (image).

    MissingExtraError if scikit-learn is not installed.
    """
    try:
        found = import_module("sklearn.datasets").load_digits()
    except ImportError as error:
        raise MissingExtraError(
            "the digits come with scikit-learn; it is not installed. Run pip install 'tinygrad-norm[lab]', or "
            "choose an experiment without digits."
        ) from error
    return found.data, found.target


def digits(seed: int, held_out: int, train: int | None = None) -> Digits:
    """Return the digits in a random order, the first `held_out` of them held out, and `train` others (all if None).

    Images are float32, standardized by the mean and deviation of all pixels of all images.
    """
    raw, classes = bundled_digits()
    whole = Examples((((raw - raw.mean()) / raw.std()).astype(np.float32),), classes)
    order = np.random.default_rng(seed).permutation(len(classes))
    return Digits(whole.take(order[held_out:][:train]), whole.take(order[:held_out]))
