"""Two recordings at different points tell what was frozen: a value that is no step, and not the same in both.

:func:`another_point` gives the inputs other values, :func:`compare` goes through both recordings and raises at the
first difference, naming operation, scope and line.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..engine.complaints import ENDED
from ..engine.details.array import Array
from ..errors import GraphError
from .steps import Check, Constant, Item, Recording, Step, Value

REMEDY = (
    "What depends on the arguments must be computed from them with functions of tg or NumPy; what is random, counts "
    "calls or reads the clock must be given as an argument."
)


class OtherWayError(GraphError):
    """A branch went the other way at the other point."""


def another_point(array: Array, generator: np.random.Generator, gently: bool) -> Array:
    """Return other values of the same kind: the same ones in another order, and real ones a little smaller.

    So an array of zeros becomes positive. Done ``gently``, order, zeros, masks and whole numbers stay as they are.
    """
    moved: Any = array if gently else generator.permutation(array.ravel()).reshape(array.shape)
    if array.dtype.kind == "f":
        factor = generator.uniform(0.97, 0.99, array.shape)
        moved = moved * factor if gently or np.any(array) else 0.01 * factor
    return np.array(moved, array.dtype)


def compare(first: Recording, second: Recording, name: str) -> None:
    """Raise unless two recordings are the same program."""
    number: dict[Any, Any] = {}
    for kind in ("inputs", "cotangents"):
        for i, pair in enumerate(zip(getattr(first, kind), getattr(second, kind), strict=False)):
            number.update(dict.fromkeys(pair, (kind, i)))
    for kind in ("forward", "backward"):
        ones, twos = getattr(first, kind), getattr(second, kind)
        for i, (one, two) in enumerate(zip(ones, twos, strict=False)):
            compare_items(one, two, number, name)
            number.update(dict.fromkeys((one, two), (kind, i)))
        if len(ones) != len(twos):
            longer = max(ones, twos, key=len)
            raise differ(name, f"{longer[min(len(ones), len(twos))]} was computed in only one of them")
    for kind in ("outputs", "updates", "gradients"):
        compare_trees(getattr(first, kind), getattr(second, kind), number, name, "the result")


def compare_items(one: Item, two: Item, number: dict[Any, Any], name: str) -> None:
    """Raise unless two items do the same to the same values."""
    if isinstance(one, Check) and isinstance(two, Check):
        compare_trees(one.value, two.value, number, name, str(one))
        if one.seen != two.seen:
            raise OtherWayError(str(differ(name, f"{one}, was {two.seen!r} at the other")))
    elif isinstance(one, Step) and isinstance(two, Step) and one.function == two.function:
        compare_trees((one.args, one.kwargs), (two.args, two.kwargs), number, name, str(one))
        if (one.shape, one.dtype) != (two.shape, two.dtype):
            raise differ(name, f"{one} had the shape {one.shape} and then {two.shape}")
    else:
        raise differ(name, f"at one {one}, at the other {two}")


def compare_trees(one: Any, two: Any, number: dict[Any, Any], name: str, where: str) -> None:
    """Raise unless two trees hold the same values, constants and plain Python."""
    if isinstance(one, Constant) and isinstance(two, Constant):
        same = one.shape == two.shape and one.dtype == two.dtype and one.array.tobytes() == two.array.tobytes()
        if not same:
            raise differ(name, f"{where} took {shown(one.array)}, and then {shown(two.array)}", one.ended)
    elif isinstance(one, Value) and isinstance(two, Value):
        if number.get(one, one) != number.get(two, two):
            raise differ(name, f"{where} took another operand")
    elif isinstance(one, (tuple, list)) and type(one) is type(two) and len(one) == len(two):
        for a, b in zip(one, two, strict=True):
            compare_trees(a, b, number, name, where)
    elif isinstance(one, dict) and isinstance(two, dict) and one.keys() == two.keys():
        for key in one:
            compare_trees(one[key], two[key], number, name, where)
    elif isinstance(one, slice) and isinstance(two, slice):
        compare_trees((one.start, one.stop, one.step), (two.start, two.stop, two.step), number, name, where)
    elif type(one) is not type(two) or (one is not two and one != two and not (one != one and two != two)):
        raise differ(name, f"{where} took {one!r}, and then {two!r}")


def shown(array: Array) -> str:
    """Return a few entries."""
    return " ".join(np.array2string(array, precision=6, threshold=6, edgeitems=2).split())


def differ(name: str, what: str, ended: str | None = None) -> GraphError:
    """Return the error; ``ended`` is why what differs has no graph."""
    why, remedy = ENDED[ended] if ended == "create_graph" else ("", REMEDY)
    return GraphError(
        f"program: {name} must compute the same operations at any point; recorded at two of them it differs: {what}"
        f"{why and f', {why}'}. {remedy}"
    )
