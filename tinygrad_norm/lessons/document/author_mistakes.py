"""What the author of a lesson can get wrong is refused where it is written, with what must stand there.

Each function takes what was given for a field and returns it as the field holds it: lists as tuples, NumPy's numbers as
Python's. What it refuses is a TypeError or a ValueError.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import Any

import numpy as np

from .numerals import fill, write

LARGEST = 1e100
"""Of the numbers of a chart: what is drawn is scaled, and must not overflow."""


def require_text(**texts: object) -> None:
    """Refuse what is no text, or none that can be written to a file."""
    for name, text in texts.items():
        if not isinstance(text, str):
            raise TypeError(f"{name} must be text; got {type(text).__name__}")
        if any("\ud800" <= letter <= "\udfff" for letter in text):
            raise ValueError(f"{name} must be text that can be written; got half of a letter in {text!a}")


def items_of(name: str, items: object, kinds: type | tuple[type, ...]) -> tuple[Any, ...]:
    """Return items of these kinds."""
    kinds = kinds if isinstance(kinds, tuple) else (kinds,)
    wanted = " or ".join(kind.__name__ for kind in kinds)
    if not isinstance(items, tuple | list):
        raise TypeError(f"{name} must be a tuple of {wanted}; got {type(items).__name__}. Is there a comma missing?")
    for item in items:
        if not isinstance(item, kinds):
            raise TypeError(f"{name} must hold {wanted} only; got {type(item).__name__}")
        if isinstance(item, str):
            require_text(**{name: item})
    return tuple(items)


def cells_of(items: object) -> tuple[Any, ...]:
    """Return the values of a row."""
    cells = items_of("the values of a row", items, (int, float, Fraction, str, type(None), np.generic))
    return tuple(map(_of_python, cells))


def _of_python(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def points_of(points: object) -> tuple[tuple[float, float], ...]:
    """Return the points of a line: a pair of numbers each."""
    try:
        pairs = tuple((float(x), float(y)) for x, y in points)  # type: ignore[attr-defined]  # what it refuses is below
    except (TypeError, ValueError):
        pairs = ()
    if not pairs or not all(abs(number) <= LARGEST for pair in pairs for number in pair):
        raise ValueError("the points of a line must be pairs (x, y) of numbers up to 1e100, one at least")
    return pairs


def values_of(values: object) -> Mapping[str, Any]:
    """Return the values of a sentence, by name."""
    if not isinstance(values, Mapping):
        raise TypeError(f"the values must be a dictionary of numbers by name; got {type(values).__name__}")
    for name in values:
        require_text(**{"the name of a value": name})
    taken = {
        name: tuple(map(_of_python, value)) if isinstance(value, tuple | list) else _of_python(value)
        for name, value in values.items()
    }
    for value in taken.values():
        write(value)
    return MappingProxyType(taken)


def require_filled(template: str, values: Mapping[str, Any]) -> None:
    """Refuse a sentence that cannot be filled in from its values."""
    try:
        require_text(text=fill(template, values))
    except (LookupError, AttributeError, TypeError, ValueError) as error:
        raise ValueError(
            f"{template!r} must be a sentence with {{name}} or {{name:.2f}} for each value, which has a number or "
            f"text; got {type(error).__name__}: {error}"
        ) from None
