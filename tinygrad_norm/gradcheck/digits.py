"""Numbers in words: as many digits as tell two values apart, and sizes in one or two."""

from __future__ import annotations

import math


def told_apart(one: float, other: float, differ: bool = True) -> tuple[str, str]:
    """Return two values with their signs, in four digits or, if they ``differ``, in as many as it takes to see that.

    >>> told_apart(0.81234, -1e-9), told_apart(2.2412345, 2.2412399)
    (('+0.8123', '-1e-9'), ('+2.24123', '+2.24124'))
    >>> told_apart(2.2412345, 2.2412399, differ=False)
    ('+2.241', '+2.241')
    """
    for digits in range(4, 18 if differ and one != other else 5):
        texts = (compact(f"{one:+.{digits}g}"), compact(f"{other:+.{digits}g}"))
        if texts[0] != texts[1]:
            break
    return texts


def short(value: float) -> str:
    """Return a size in one or two digits.

    >>> short(2.345e-11), short(1.5)
    ('2e-11', '1.5')
    """
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    return compact(f"{value:.2g}" if abs(value) >= 0.01 else f"{value:.0e}")


def compact(number: str) -> str:
    """Return a formatted number without the padding of its exponent.

    >>> compact("2e-09"), compact("1.5e+08")
    ('2e-9', '1.5e8')
    """
    return number.replace("e-0", "e-").replace("e+0", "e").replace("e+", "e")
