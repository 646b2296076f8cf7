"""Adam in NumPy (Kingma & Ba 2015, algorithm 1), for a library that brings no optimizer of this kind."""

from __future__ import annotations

import numpy as np

from ..declaration import Array, Numbers


class Adam:
    """The running moments of some arrays, with learning rate 1e-3, betas (0.9, 0.999) and eps 1e-8."""

    def __init__(self, arrays: Numbers) -> None:
        self.first = {name: np.zeros_like(array) for name, array in arrays.items()}
        self.second = {name: np.zeros_like(array) for name, array in arrays.items()}
        self.steps = dict.fromkeys(arrays, 0)

    def updated(self, name: str, array: Array, gradient: Array) -> Array:
        """Return the new value of an array."""
        self.steps[name] = t = self.steps[name] + 1
        first, second = self.first[name], self.second[name]
        first += 0.1 * (gradient - first)
        second += 0.001 * (gradient * gradient - second)
        deviation = np.sqrt(second)
        deviation *= (1 - 0.999**t) ** -0.5
        deviation += 1e-8
        result: Array = array - (1e-3 / (1 - 0.9**t)) * first / deviation
        return result
