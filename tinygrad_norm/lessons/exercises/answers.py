"""The learner's answer as an array, or the one line that says why it is none."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import numpy as np
import numpy.typing as npt

from .exercise import NOT_WRITTEN, Answer

Floats = npt.NDArray[np.float64]


class RefusalError(Exception):
    """An answer that cannot be compared with anything: what is wrong with it, in one line."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


def call(answer: Answer, arguments: Sequence[Any]) -> Any:
    """Call the learner's function with copies of the arguments and return what it gives.

    Raises
    ------
    RefusalError
        If it changes its arguments.
    """
    given = deepcopy(list(arguments))
    result = answer(*given)
    for before, after in zip(arguments, given, strict=True):
        if not np.array_equal(before, after):
            raise RefusalError("changes its arguments; work on a copy (x = x - 1 in place of x -= 1)", "input-changed")
    return result


def several(result: Any, labels: Sequence[str]) -> tuple[Any, ...]:
    """Return the results that belong to the labels.

    Raises
    ------
    RefusalError
        If there are not as many.

    Examples
    --------
    >>> several((1.0, 2.0), ("mean", "variance"))
    (1.0, 2.0)
    >>> several(1.0, ("mean",))
    (1.0,)
    """
    something(result)
    if len(labels) == 1:
        return (result,)
    if not isinstance(result, (tuple, list)):
        got = f"returns {kind_of(result)}"
    elif len(result) == len(labels):
        return tuple(result)
    else:
        got = f"returns {len(result)} values"
    raise RefusalError(f"{got} where {len(labels)} belong: {', '.join(labels)}, in this order", "wrong-count")


def something(result: Any) -> None:
    """Refuse an answer that was not given."""
    if result is None:
        raise RefusalError("returns None: the return statement is missing, or was not reached", "none")
    if result is Ellipsis:
        raise RefusalError("not written yet", NOT_WRITTEN)


def as_numbers(value: Any) -> Floats:
    """Return an answer as a float64 array.

    Raises
    ------
    RefusalError
        If it does not consist of real numbers.

    Examples
    --------
    >>> as_numbers([[1, 2], [3, 4]]).shape
    (2, 2)
    """
    something(value)
    try:
        array = np.asarray(value)
        if array.dtype == object:  # fractions, for example
            array = array.astype(np.float64)
    except (TypeError, ValueError):
        raise RefusalError(f"returns {kind_of(value)} where numbers belong", "wrong-type") from None
    if array.dtype.kind not in "fiu":
        raise RefusalError(f"returns {kind_of(value)} where numbers belong", "wrong-type")
    return np.array(array, dtype=np.float64)


def kind_of(value: Any) -> str:
    """Say what an answer is.

    Examples
    --------
    >>> kind_of(np.ones((2, 3), dtype=bool)), kind_of("0.36"), kind_of(3)
    ('an array of bool', 'a str', 'an int')
    """
    if isinstance(value, (np.ndarray, np.generic)):
        return f"an array of {value.dtype}" if value.ndim else f"a {value.dtype}"
    name = type(value).__name__
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def first_not_finite(array: Floats) -> str | None:
    """Name the first entry that is NaN or infinite.

    Examples
    --------
    >>> first_not_finite(np.array([1.0, np.nan]))
    'nan at [1]'
    """
    bad = np.argwhere(~np.isfinite(array))
    return f"{array[tuple(bad[0])]}{place(bad[0])}" if len(bad) else None


def place(index: Sequence[int] | npt.NDArray[np.intp]) -> str:
    """Return an index in words, nothing for a single number.

    Examples
    --------
    >>> place((1, 2)), place(())
    (' at [1, 2]', '')
    """
    return f" at {[int(i) for i in index]}" if len(index) else ""
