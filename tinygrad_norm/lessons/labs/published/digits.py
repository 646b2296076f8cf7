"""Digits to learn and digits held out, standardized, in the order that a seed gives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ....engine.details.array import Array
from ..bundled_digits import bundled_digits

CLASSES = 10
PIXELS = 64


@dataclass(frozen=True)
class Digits:
    """Images to train on and images held out.

    Images (image, 64) are float32, standardized by the mean and deviation of all pixels of all images; classes (image)
    are whole numbers from 0 to 9.
    """

    images: Array
    classes: Array
    held_out_images: Array
    held_out_classes: Array


def digits(seed: int, held_out: int, train: int | None = None) -> Digits:
    """Return the digits in a random order, the first `held_out` of them held out, and `train` others (all if None)."""
    raw, classes = bundled_digits()
    images = ((raw - raw.mean()) / raw.std()).astype(np.float32)
    order = np.random.default_rng(seed).permutation(len(images))
    test, rest = order[:held_out], order[held_out:][:train]
    return Digits(images[rest], classes[rest], images[test], classes[test])
