"""What is checked: a function of arrays, its backward pass, and the point.

A :class:`Problem` is all that the check itself knows about; hand-written NumPy code and recorded Tensors both
become one. :func:`hand_written` makes it from a pair of NumPy functions.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..engine.details.saving import ufunc_inputs
from ..errors import InputError, OperandError
from .ladder import Array
from .lines import FlatFunction

Arrays = tuple[Array, ...]


@dataclass(frozen=True)
class Problem:
    """A function and its backward pass at one point.

    Attributes
    ----------
    names : tuple of str
        What the inputs are called.
    inputs : tuple of arrays
        The differentiable inputs, in float64.
    forward : callable
        ``forward(inputs) -> outputs``, tuples of arrays.
    backward : callable
        ``backward(inputs, cotangents) -> gradients``, one for each input; None stands for zeros.
    """

    names: tuple[str, ...]
    inputs: Arrays
    forward: Callable[[Arrays], Arrays]
    backward: Callable[[Arrays, Arrays], tuple[Any, ...]]

    def at(self, inputs: Arrays) -> Problem:
        """Return the same problem at another point."""
        return replace(self, inputs=inputs)

    def flat_output(self, inputs: Arrays) -> Array:
        """Return all outputs as one flat vector."""
        return flatten(self.forward(inputs))

    def along(self, position: int) -> FlatFunction:
        """Return the function of one input alone, the others held fixed; outputs as one flat vector."""

        def function(x: Array) -> Array:
            inputs = [value.copy() for value in self.inputs]
            inputs[position] = x
            return self.flat_output(tuple(inputs))

        return function


def flatten(arrays: Sequence[Array]) -> Array:
    """Return arrays joined into one flat vector.

    >>> flatten((np.ones((1, 2)), np.zeros(1)))
    array([1., 1., 0.])
    """
    if len(arrays) == 1:
        return arrays[0].ravel()
    return np.concatenate([np.ravel(a) for a in arrays]) if arrays else np.zeros(0)


def unflatten(vector: Array, like: Sequence[Array]) -> Arrays:
    """Return the pieces of ``vector`` in the shapes of ``like``.

    >>> unflatten(np.arange(3.0), (np.ones((1, 2)), np.zeros(1)))
    (array([[0., 1.]]), array([2.]))
    """
    ends = np.cumsum([a.size for a in like])
    pieces = np.split(vector, ends[:-1]) if like else []
    return tuple(np.reshape(p, a.shape).copy() for p, a in zip(pieces, like, strict=True))


def arguments(inputs: Any) -> tuple[Any, ...]:
    """Return ``inputs`` as the tuple of positional arguments: a tuple or list holds several, all else is one.

    An argument that is itself a nested list of numbers becomes an array.

    >>> arguments(([[1.0, 2.0]], 3))
    (array([[1., 2.]]), 3)
    """
    if not isinstance(inputs, (tuple, list)):
        return (inputs,)
    return tuple(np.array(x) if isinstance(x, list) and _is_numeric(x) else x for x in inputs)


def _is_numeric(nested: list[Any]) -> bool:
    return all(_is_numeric(x) if isinstance(x, list) else isinstance(x, (int, float)) for x in nested)


def argument_names(function: Callable[..., Any], count: int) -> tuple[str, ...]:
    """Return the names of the first ``count`` positional parameters, ``input 0`` and so on where unknown."""
    names = (
        ufunc_inputs(function) if isinstance(function, np.ufunc) else [p.name for p in positional_parameters(function)]
    )
    return tuple(names[i] if i < len(names) else f"input {i}" for i in range(count))


def positional_parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """Return the parameters that can be passed by position; none where a built-in function does not tell."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    return [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]


def differentiable(
    values: Sequence[Any], names: Sequence[str], wrt: Sequence[int | str] | int | str | None
) -> tuple[int, ...]:
    """Return the positions to differentiate by: all floating-point arguments, or those that ``wrt`` picks.

    Raises
    ------
    InputError
        If ``wrt`` names an argument that is not there, or one without floating-point numbers, or if nothing
        is left.
    """
    floating = [i for i, value in enumerate(values) if is_floating(value)]
    if wrt is not None:
        picked = [wrt] if isinstance(wrt, (int, str)) else list(wrt)
        chosen = [_position(pick, names) for pick in picked]
        for position in chosen:
            if position not in floating:
                raise InputError(
                    f"gradcheck: an input to differentiate by must hold floating-point numbers; {names[position]} "
                    f"is {describe(values[position])}. Convert it, or leave it out of wrt."
                )
        return tuple(chosen)
    if not floating:
        listed = ", ".join(describe(v) for v in values) or "no inputs at all"
        raise InputError(
            f"gradcheck: at least one input must hold floating-point numbers to differentiate by; got {listed}. "
            "Pass arrays such as np.array([1.0, 2.0])."
        )
    return tuple(floating)


def _position(pick: int | str, names: Sequence[str]) -> int:
    if isinstance(pick, str) and pick in names:
        return list(names).index(pick)
    if isinstance(pick, int) and -len(names) <= pick < len(names):
        return pick % len(names)
    raise InputError(
        f"gradcheck: wrt must name or number an input; got {pick!r}, but the inputs are {', '.join(names)}. Use one "
        f"of these names, or 0 to {len(names) - 1}."
    )


def is_floating(value: Any) -> bool:
    """Tell whether ``value`` holds floating-point numbers: an array, a NumPy scalar or a Python float."""
    return isinstance(value, float) or (
        isinstance(value, (np.ndarray, np.generic)) and np.issubdtype(value.dtype, np.floating)
    )


def describe(value: Any) -> str:
    """Return type, dtype and shape of a value for a message.

    >>> describe(np.zeros((2, 3), dtype=int))
    'int64 (2, 3)'
    """
    if isinstance(value, (np.ndarray, np.generic)):
        return f"{value.dtype} {value.shape}"
    return type(value).__name__


def as_float64(value: Any) -> Array:
    """Return a contiguous float64 copy: the check itself always runs in float64."""
    return np.array(value, dtype=np.float64, order="C")


def hand_written(
    forward: Callable[..., Any],
    backward: Callable[..., Any],
    inputs: Any,
    wrt: Sequence[int | str] | int | str | None = None,
) -> Problem:
    """Return the problem of a NumPy function with a hand-written backward pass.

    ``backward`` is called as ``backward(g, *inputs)``, or ``backward(g, out, *inputs)`` when it takes one
    positional argument more or when its second parameter is called ``out`` or ``y``. It returns one gradient, or
    a tuple or list with one for each input (or for each floating-point input).

    Raises
    ------
    InputError, OperandError
        If there is nothing to differentiate by, or forward or backward returned something else than arrays.
    """
    values = arguments(inputs)
    names = argument_names(forward, len(values))
    positions = differentiable(values, names, wrt)
    floating = [i for i, value in enumerate(values) if is_floating(value)]
    wants_output = takes_output(backward, len(values))
    several = _Cell()

    constants = [(i, v) for i, v in enumerate(values) if isinstance(v, np.ndarray) and i not in positions]

    def call(chosen: Arrays) -> list[Any]:
        complete = list(values)
        for position, value in constants:
            complete[position] = value.copy()
        for position, value in zip(positions, chosen, strict=True):
            complete[position] = value
        return complete

    def run_forward(chosen: Arrays) -> Arrays:
        result = forward(*call(chosen))
        several.value = isinstance(result, (tuple, list))
        return numeric_outputs(result, "forward")

    def run_backward(chosen: Arrays, cotangents: Arrays) -> tuple[Any, ...]:
        complete = call(chosen)
        extra: list[Any] = []
        if wants_output:
            out = numeric_outputs(forward(*call(chosen)), "forward")
            extra = [out if several.value else out[0]]
        g = cotangents if several.value else cotangents[0]
        result = backward(g, *extra, *complete)
        returned = tuple(result) if isinstance(result, (tuple, list)) else (result,)
        return _select(returned, positions, floating, len(values), names)

    chosen = tuple(as_float64(values[p]) for p in positions)
    return Problem(tuple(names[p] for p in positions), chosen, run_forward, run_backward)


class _Cell:
    """Remembers whether the function returns several outputs."""

    value = False


def takes_output(backward: Callable[..., Any], inputs: int) -> bool:
    """Tell whether ``backward`` wants the output as its second argument.

    >>> takes_output(lambda g, x: g, 1), takes_output(lambda g, out, x: g, 1)
    (False, True)
    """
    positional = positional_parameters(backward)
    if len(positional) > 1 and positional[1].name in ("out", "y", "output"):
        return True
    required = [p for p in positional if p.default is p.empty]
    return len(required) == inputs + 2


def numeric_outputs(result: Any, role: str) -> Arrays:
    """Return what a function gave as a tuple of float64 arrays.

    Raises
    ------
    OperandError
        If an output is not made of real floating-point numbers.
    """
    if type(result) is np.ndarray and result.dtype == np.float64:
        return (result,)
    several = result if isinstance(result, (tuple, list)) else (result,)
    outputs = []
    for value in several:
        array = np.asarray(value) if not isinstance(value, (str, bytes)) else np.asarray(None)
        if array.dtype.kind not in "fiub":
            raise OperandError(
                f"gradcheck: {role} must return real numbers as an array or a tuple of arrays; got "
                f"{describe(value)}. Check its return statement."
            )
        outputs.append(np.asarray(array, dtype=np.float64))
    return tuple(outputs)


def _select(
    returned: tuple[Any, ...],
    positions: Sequence[int],
    floating: Sequence[int],
    count: int,
    names: Sequence[str],
) -> tuple[Any, ...]:
    if len(returned) == count:
        return tuple(returned[p] for p in positions)
    if len(returned) == len(floating):
        return tuple(returned[floating.index(p)] for p in positions)
    if len(returned) == len(positions):
        return returned
    raise OperandError(
        f"gradcheck: backward must return one gradient for each of the {count} inputs ({', '.join(names)}); got "
        f"{len(returned)}. Return a tuple in the order of the inputs, None for an input without a gradient."
    )
