"""How numbers are written for a reader: a true minus sign, no negative zero, 0/0 for an undefined one.

:func:`write` formats one value, :func:`fill` a sentence with named values, with the signs of the language that is
spoken. Both are for reading only; the numbers of JSON never pass through here.
"""

from __future__ import annotations

import math
import re
import string
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, TypeAlias

from ..languages import say, spoken

CellValue: TypeAlias = "int | float | Fraction | str | None"
"""What a cell of a lesson holds. A float NaN stands for 0/0; None for a place that has no value."""

Values: TypeAlias = "Mapping[str, CellValue | tuple[CellValue, ...]]"

_EXPONENT = re.compile(r"e\+?(-?)0*(?=\d)")

_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")

NO_VALUE = "–"
UNDEFINED = "0/0"

LARGE = 1e9
"""From here on a fixed number of decimals would be a row of digits that nobody reads."""


def write(value: object, spec: str = "") -> str:
    """Return `value` as a reader should see it.

    Whole numbers (``int``) and text ignore a spec that is for fractional numbers; a Fraction without
    a spec is written as one. A float that is 0 exactly is ``0``, one that only rounds to it ``0.000``.

    >>> write(-0.20412414523193148, ".6f"), write(-1e-17, ".3f"), write(3, ".6f")
    ('−0.204124', '0.000', '3')
    >>> write(Fraction(-15, 526)), write(Fraction(18, 5), ".2f"), write(2.410), write(None)
    ('−15/526', '3.60', '2.41', '–')
    >>> write(float("nan"), ".6f"), write((1.0, -2.5), ".1f"), write(10921)
    ('0/0', '(1.0, −2.5)', '10,921')
    >>> write(0.0, ".3f"), write(1e-5, "g"), write(1.5e20, ".4f")
    ('0', '1e−5', '1.5e20')
    """
    if value is None:
        return NO_VALUE
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return say("yes" if value else "no")
    if isinstance(value, int):
        return _in_language(f"{value:,}".replace("-", "−"))
    if isinstance(value, Fraction):
        return _in_language(_signed(format(float(value), spec) if spec else str(value)))
    if isinstance(value, float):
        return _in_language(_fractional(value, spec))
    if isinstance(value, Sequence):
        between = "; " if spoken().decimal == "," else ", "
        return "(" + between.join(write(item, spec) for item in value) + ")"
    raise TypeError(f"a value of a lesson is a number or text; got {type(value).__name__}")


def _in_language(number: str) -> str:
    """Return a number that is written as in English with the signs of the language."""
    return number.translate(str.maketrans(".,", spoken().decimal + spoken().thousands))


def _fractional(value: float, spec: str) -> str:
    if math.isnan(value):
        return UNDEFINED
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == 0 and spec[-1:] in ("", "f", "g"):
        return "0"
    if not spec:
        return _signed(repr(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value))
    if spec.endswith("f") and abs(value) >= LARGE:
        spec = ".6g"
    return _signed(format(value, spec))


def _signed(text: str) -> str:
    if text.startswith("-") and not text.strip("-0.,%e+"):
        text = text[1:]
    return _EXPONENT.sub(r"e\1", text).replace("-", "−")


def subscript(number: int) -> str:
    """Return a whole number as an index.

    >>> "w" + subscript(10)
    'w₁₀'
    """
    return str(number).translate(_SUBSCRIPTS)


def missing_tails(cells: Sequence[str]) -> list[int]:
    """Return how many places each cell must move left for all decimal points to stand in line.

    >>> missing_tails(["6.5", "2.41", "0"])
    [1, 0, 3]
    """
    point = spoken().decimal
    tails = [len(cell) - cell.find(point) if point in cell else 0 for cell in cells]
    return [max(tails) - tail for tail in tails]


def closeness(gap: float, name: str = "gap") -> str:
    """Return how well two computations agree, as a template over the gap between them.

    >>> closeness(0.0), closeness(2e-16)
    ('exactly', 'to within {gap:.1g}')
    """
    return "exactly" if gap == 0 else f"to within {{{name}:.1g}}"


class _Sentence(string.Formatter):
    def format_field(self, value: Any, format_spec: str) -> str:
        return write(value, format_spec)


def fill(template: str, values: Mapping[str, object]) -> str:
    """Return `template` with its ``{name:spec}`` fields written from `values`.

    >>> fill("{z:.2f} is below {mean}", {"z": -0.2041, "mean": Fraction(21, 5)})
    '−0.20 is below 21/5'
    """
    return _Sentence().vformat(template, (), values)
