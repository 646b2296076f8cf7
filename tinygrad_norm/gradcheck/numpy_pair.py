"""A NumPy function and its hand-written backward pass, made into a problem: :func:`hand_written`.

How such a backward pass is called differs from course to course. :func:`calling_convention` tells it from its
parameters and from what the function returns.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ..errors import OperandError
from .forward_constants import constants_of
from .user_functions import Wrt, arguments, as_float64, differentiable, input_names, is_floating, positional_parameters
from .vjp_problem import Arrays, Problem, describe, real_numbers

#: What the backward pass takes after g: the inputs; the output and the inputs; what the function returned as its last
#: value, in one piece or after one g for each output; or nothing, since the layer remembers.
Convention = Literal["inputs", "output", "cache", "split g, cache", "nothing"]

OUTPUT_NAMES = ("out", "y", "output")
CACHE_NAMES = ("cache", "ctx", "context", "saved", "memory", "residuals", "tape", "stash")

#: What an output may be; a list, a tuple or a dictionary in its place is a cache.
NUMBERS = (np.ndarray, np.generic, float, int)


def hand_written(forward: Callable[..., Any], backward: Callable[..., Any], inputs: Any, wrt: Wrt = None) -> Problem:
    """Return the problem of a NumPy function with a hand-written backward pass.

    It returns one gradient, or a tuple or list with one for each input (or for each floating-point input).
    """
    values = arguments(inputs)
    names = input_names(forward, len(values))
    positions = differentiable(values, names, wrt)
    with np.errstate(all="ignore"):
        trial = forward(*map(own_copy, values))
    pair = NumpyPair(forward, backward, values, names, positions, calling_convention(backward, names, trial))
    chosen = tuple(as_float64(values[p]) for p in positions)
    fixed = {name: value for i, (name, value) in enumerate(zip(names, values, strict=True)) if i not in positions}
    constants = constants_of(forward, fixed)
    return Problem(
        tuple(names[p] for p in positions),
        chosen,
        pair.outputs,
        pair.gradients,
        overwritten=pair.overwritten,
        constants=constants,
        widened=pair.widened,
    )


def own_copy(value: Any) -> Any:
    """Return a copy of what a function could write into."""
    return deepcopy(value) if isinstance(value, (np.ndarray, list, dict, set)) else value


def calling_convention(backward: Callable[..., Any], names: Sequence[str], result: Any) -> Convention:
    """Tell how ``backward`` is called, the function's inputs being called ``names`` and ``result`` what it returned.

    Parameters are counted first. Where the count leaves it open, the names decide: ``out``, ``y`` and ``output`` are
    the output, ``cache``, ``ctx``, ``saved`` and the like are what the function returned last.

    >>> calling_convention(lambda g, x: g, ["x"], np.ones(2)), calling_convention(lambda g, out, x: g, ["x"], 1.0)
    ('inputs', 'output')
    >>> calling_convention(lambda g, x, y: g, ["x", "y"], 1.0), calling_convention(lambda dout, cache: 0, ["x"], (1, 2))
    ('inputs', 'cache')
    """
    positional = positional_parameters(backward)
    if not positional:
        return "inputs"
    required = sum(p.default is p.empty for p in positional)
    most = float("inf") if _takes_any(backward) else len(positional)
    with_inputs, with_output = (required <= n <= most for n in (len(names) + 1, len(names) + 2))
    if isinstance(result, tuple) and len(result) > 1 and not with_output:
        named = positional[-1].name in CACHE_NAMES
        if required == 2 and (named or not with_inputs or not isinstance(result[-1], NUMBERS)):
            return "cache"
        if required == len(result) and named:
            return "split g, cache"
    if with_inputs and with_output:
        second = positional[1].name if len(positional) > 1 else ""
        return "output" if second in OUTPUT_NAMES and second not in names[:1] else "inputs"
    if most == 1 and not with_inputs:
        return "nothing"
    return "output" if with_output else "inputs"


def _takes_any(function: Callable[..., Any]) -> bool:
    """Tell whether a function takes any number of positional arguments."""
    return any(p.kind is p.VAR_POSITIONAL for p in inspect.signature(function).parameters.values())


@dataclass(frozen=True)
class NumpyPair:
    """A function and its backward pass with all of their arguments ``values``; see :class:`.Problem` for the rest."""

    forward: Callable[..., Any]
    backward: Callable[..., Any]
    values: tuple[Any, ...]
    names: tuple[str, ...]
    positions: tuple[int, ...]
    convention: Convention

    def arguments(self, chosen: Arrays) -> list[Any]:
        """Return the arguments with those that are differentiated by replaced; of the others a new copy."""
        complete = [value if i in self.positions else own_copy(value) for i, value in enumerate(self.values)]
        for position, value in zip(self.positions, chosen, strict=True):
            complete[position] = value
        return complete

    @property
    def caches(self) -> bool:
        """Whether the last value that the function returns is for its backward pass alone."""
        return "cache" in self.convention

    def returned(self, result: Any) -> Any:
        """Return the output, or a tuple of several, without a cache."""
        if not self.caches:
            return result
        return result[0] if len(result) == 2 else result[:-1]

    def outputs(self, chosen: Arrays) -> Arrays:
        """Return the outputs as float64 arrays."""
        return numeric_outputs(self.returned(self.forward(*self.arguments(chosen))))

    def gradients(self, chosen: Arrays, cotangents: Arrays) -> tuple[Any, ...]:
        """Run the function, which may remember or fill a cache, and then its backward pass."""
        remembers = self.caches or self.convention == "nothing"
        given = self.arguments(chosen if remembers else tuple(x.copy() for x in chosen))
        return self._backward(self.forward(*given), self.arguments(chosen), cotangents)

    def widened(self) -> Iterator[str]:
        """Yield a note for each input of few bits whose gradient has more of them, at the values as they were given."""
        narrow = [p for p in self.positions if getattr(self.values[p], "itemsize", 8) < 8]
        if not narrow:
            return
        given = [own_copy(value) for value in self.values]
        result = self.forward(*given)
        outputs = _several(self.returned(result))
        cotangents = tuple(np.ones_like(y) for y in outputs)
        answer = self._backward(result, given, cotangents, outputs)
        for position, gradient in zip(self.positions, answer, strict=True):
            if position in narrow and isinstance(gradient, (np.ndarray, np.generic)):
                had, has = self.values[position].dtype, gradient.dtype
                if has.itemsize > had.itemsize:
                    yield (
                        f"the gradient of {self.names[position]} is {has}, the input {had}: weights become {has} once "
                        f"it is subtracted from them; look for constants and arrays of {has}, or cast at the end"
                    )

    def _backward(
        self, result: Any, given: Sequence[Any], cotangents: Arrays, outputs: Sequence[Any] | None = None
    ) -> tuple[Any, ...]:
        output = self.returned(result)
        several = isinstance(output, (tuple, list))
        g: Any = cotangents if several else cotangents[0]
        if self.convention == "nothing":
            answer = self.backward(g)
        elif self.caches:
            answer = self.backward(*(cotangents if self.convention == "split g, cache" else [g]), result[-1])
        elif self.convention == "output":
            outputs = numeric_outputs(output) if outputs is None else outputs
            answer = self.backward(g, outputs if several else outputs[0], *given)
        else:
            answer = self.backward(g, *given)
        return self._chosen(tuple(answer) if isinstance(answer, (tuple, list)) else (answer,))

    def _chosen(self, answer: tuple[Any, ...]) -> tuple[Any, ...]:
        """Pick the gradients of what is differentiated by.

        There is one for each input, for each one of floating-point numbers, or for each that is differentiated by.
        """
        floating = [i for i, value in enumerate(self.values) if is_floating(value)]
        for answered in (range(len(self.names)), floating, self.positions):
            if len(answer) == len(answered):
                return tuple(answer[list(answered).index(p)] for p in self.positions)
        raise OperandError(
            f"gradcheck: backward must return one gradient for each of the {len(self.names)} inputs "
            f"({', '.join(self.names)}); got {len(answer)}. Return a tuple in the order of the inputs, None for an "
            "input without a gradient."
        )

    def overwritten(self, chosen: Arrays, cotangents: Arrays) -> Iterator[tuple[str, str]]:
        """Yield who writes into what, beyond the inputs that are differentiated by and g: constants, the output."""
        given = self.arguments(tuple(x.copy() for x in chosen))
        result = self.forward(*given)
        yield from (("the function", f"its argument {name}") for name in self._changed(given))
        output = self.returned(result)
        before = deepcopy(output)
        given = self.arguments(tuple(x.copy() for x in chosen))
        self._backward(result, given, cotangents)
        yield from (("the backward pass", f"the argument {name}") for name in self._changed(given))
        if not all(map(np.array_equal, _several(output), _several(before))):
            yield "the backward pass", "the output"

    def _changed(self, given: Sequence[Any]) -> list[str]:
        """Return the names of the constant arrays that are no longer what they were."""
        arrays = [i for i, v in enumerate(self.values) if i not in self.positions and isinstance(v, np.ndarray)]
        return [self.names[i] for i in arrays if given[i].tobytes() != self.values[i].tobytes()]


def _several(output: Any) -> Sequence[Any]:
    return output if isinstance(output, (tuple, list)) else (output,)


def numeric_outputs(result: Any) -> Arrays:
    """Return what a forward pass gave as a tuple of float64 arrays; an OperandError if it is not real numbers."""
    outputs = []
    for value in _several(result):
        array = real_numbers(value)
        if array is None:
            raise OperandError(
                f"gradcheck: forward must return real numbers as an array or a tuple of arrays; got {describe(value)}. "
                "Check its return statement."
            )
        outputs.append(array)
    return tuple(outputs)
