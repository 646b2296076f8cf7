"""Training a network of three hidden layers to read the digits that scikit-learn brings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TextIO

import numpy as np

from ... import nn
from ...errors import InputError
from ...random import manual_seed
from .bundled_digits import bundled_digits
from .fit import Settings, fit
from .outcome import Examples, Trained, judged

WIDTH, HIDDEN_LAYERS = 64, 3
LAYERS: dict[str, Callable[[Any], nn.Module | None]] = {
    "layer": lambda dtype: nn.LayerNorm(WIDTH, dtype=dtype),
    "rms": lambda dtype: nn.RMSNorm(WIDTH, eps=1e-5, dtype=dtype),
    "batch": lambda dtype: nn.BatchNorm1d(WIDTH, dtype=dtype),
    "none": lambda dtype: None,
}


def train_on_digits(norm: str, settings: Settings, stream: TextIO | None = None) -> Trained:
    """Return a trained 3×64 network; a fifth of the 1797 images is held out."""
    if norm not in LAYERS:
        raise InputError(
            f"digits: norm must be one of {', '.join(LAYERS)}; got {norm!r}. Images have no pads to mask: take 'batch'."
        )
    training, held_out = split_digits(settings)
    manual_seed(settings.seed)
    model = digit_network(norm, settings.dtype)

    def parts(examples: Examples, rng: np.random.Generator | None = None) -> Iterator[Examples]:
        return in_parts(examples, settings.batch, rng)

    course = fit(model, lambda rng: parts(training, rng), len(list(parts(training))), settings, norm, stream)
    return judged(norm, model, course, training, held_out, parts(held_out))


def digit_network(norm: str, dtype: Any) -> nn.Sequential:
    """Return three times linear, norm, relu, and a linear layer to ten scores."""
    model = nn.Sequential()
    for _ in range(HIDDEN_LAYERS):
        model.append(nn.Linear(64, WIDTH, dtype=dtype))
        layer = LAYERS[norm](dtype)
        if layer is not None:
            model.append(layer)
        model.append(nn.ReLU())
    model.append(nn.Linear(WIDTH, 10, dtype=dtype))
    return model


def split_digits(settings: Settings) -> tuple[Examples, Examples]:
    """Return images of 8×8 pixels in [0, 1] and their digits, shuffled and cut into four fifths and one fifth."""
    images, digits = bundled_digits()
    order = np.random.default_rng(settings.seed).permutation(len(digits))
    images, digits = (images[order] / 16).astype(settings.dtype), digits[order]
    cut = len(order) * 4 // 5
    return Examples((images[:cut],), digits[:cut]), Examples((images[cut:],), digits[cut:])


def in_parts(examples: Examples, size: int, rng: np.random.Generator | None) -> Iterator[Examples]:
    """Yield examples in batches, in a random order if there is a generator; a rest of one is left out."""
    (images,), digits = examples
    order = np.arange(len(digits)) if rng is None else rng.permutation(len(digits))
    for start in range(0, len(order), size):
        chosen = order[start : start + size]
        if len(chosen) > 1:
            yield Examples((images[chosen],), digits[chosen])
