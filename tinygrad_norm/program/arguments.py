"""A call's arguments, taken apart into the arrays in them and what stands around these, and put together again."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..engine.tape import STATE
from ..engine.tensor import Tensor, as_tensor
from ..nn import Module
from .surroundings import Surroundings


class Hole:
    """The place of an array among the arguments."""


HOLE = Hole()


class Call(NamedTuple):
    """A call: its arguments with holes, the Tensors or arrays that fill them and their arrays, and its signature.

    ``wanted`` says of each array whether a gradient by it is wanted.
    """

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    leaves: list[Any]
    arrays: list[Any]
    wanted: list[bool]
    signature: tuple[Any, ...]


def call_of(args: Any, kwargs: Any, surroundings: Surroundings, every: bool) -> Call:
    """Return a call; with ``every`` a gradient is wanted of each real-valued input but buffers."""
    leaves: list[Any] = []
    args = tuple([without_arrays(x, leaves) for x in args])
    static: Hashable = len(args)
    if kwargs or args.count(HOLE) != len(args):
        kwargs = {name: without_arrays(x, leaves) for name, x in sorted(kwargs.items())}
        static = hashable(args), hashable(kwargs)
    own = len(leaves)
    if surroundings.tensors:
        leaves += [place.value() for place in surroundings.tensors.values()]
    recording = STATE.get().recording
    arrays, wanted, shapes, dtypes, rows = [], [], [], [], []
    for x in leaves:
        is_tensor = isinstance(x, Tensor)
        array = x._array if is_tensor else x
        arrays.append(array)
        shapes.append(array.shape)
        dtypes.append(array.dtype)
        rows.append(array.flags.c_contiguous)
        wanted.append(array.dtype.kind == "f" if every else recording and is_tensor and x._node is not None)
    if every and surroundings.buffers:
        paths = surroundings.tensors
        wanted[own:] = [w and path not in surroundings.buffers for w, path in zip(wanted[own:], paths, strict=True)]
    return Call(
        args, kwargs, leaves, arrays, wanted, (static, tuple(wanted), tuple(shapes), tuple(dtypes), tuple(rows))
    )


def filled(function: Callable[..., Any], call: Call, leaves: Sequence[Any]) -> Any:
    """Call a function with arrays or Tensors in the holes of the arguments."""
    rest = iter(leaves)
    args = [with_arrays(x, rest) for x in call.args]
    return function(*args, **{name: with_arrays(x, rest) for name, x in call.kwargs.items()})


def as_tensors(call: Call) -> list[Tensor]:
    """Return what fills the holes as Tensors."""
    return [x if isinstance(x, Tensor) else as_tensor(x) for x in call.leaves]


def without_arrays(x: Any, leaves: list[Any]) -> Any:
    """Return an argument with holes in the place of its arrays and Tensors, which are appended to ``leaves``."""
    if isinstance(x, (Tensor, np.ndarray)):
        leaves.append(x)
        return HOLE
    if isinstance(x, np.generic):
        leaves.append(np.asarray(x))
        return HOLE
    if isinstance(x, (tuple, list)):
        return type(x)([without_arrays(part, leaves) for part in x])
    return x


def with_arrays(x: Any, leaves: Iterator[Any]) -> Any:
    """Fill the holes of an argument."""
    if x is HOLE:
        return next(leaves)
    return type(x)([with_arrays(part, leaves) for part in x]) if isinstance(x, (tuple, list)) else x


def count_holes(x: Any) -> int:
    """Return how many arrays stand in an argument."""
    return sum(map(count_holes, x)) if isinstance(x, (tuple, list)) else int(x is HOLE)


def hashable(x: Any) -> Hashable:
    """Return what two equal plain arguments have in common; 1, 1.0 and True differ."""
    if isinstance(x, (tuple, list)):
        return (type(x), *map(hashable, x))
    if isinstance(x, dict):
        return tuple((key, hashable(part)) for key, part in x.items())
    try:
        hash(x)
    except TypeError:
        return type(x), repr(x)
    return type(x), x


def names_of(function: Callable[..., Any], call: Call) -> list[str]:
    """Return what the arrays among the arguments are called: as the function's parameters."""
    called = function.forward if isinstance(function, Module) else function
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    try:
        given = [p.name for p in inspect.signature(called).parameters.values() if p.kind in kinds]
    except (TypeError, ValueError):  # written in C
        given = []
    given += [f"x_{i + 1}" for i in range(len(given), len(call.args))]
    found = []
    for name, x in [*zip(given, call.args, strict=False), *call.kwargs.items()]:
        holes = count_holes(x)
        found += [name] if holes == 1 else [f"{name}_{i + 1}" for i in range(holes)]
    return found


def arrays_in(tree: Any) -> list[Any]:
    """Return the arrays among results, from left to right."""
    found: list[Any] = []
    mapped_results(tree, lambda i, y: found.append(y))
    return found


def mapped_results(tree: Any, change: Callable[[int, Any], Any]) -> Any:
    """Return results with ``change(number, array)`` in the place of each array or Tensor."""
    number = iter(range(10**9))

    def inside(part: Any) -> Any:
        if isinstance(part, (tuple, list)):
            return type(part)([inside(p) for p in part])
        return None if part is None else change(next(number), part)

    return inside(tree)
