"""What is checked, and what it answers.

A :class:`Problem` is a function of arrays, its backward pass (the VJP under test) and a point: all that the check
itself knows about. :func:`probe` asks the backward pass for the gradients of random cotangents, and how rounding shakes
them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from ..errors import InputError, OperandError
from .measure.clock import current_clock
from .measure.one_line import FlatFunction
from .measure.step_ladder import Array

Arrays = tuple[Array, ...]


@dataclass(frozen=True)
class Problem:
    """A function of the ``inputs``, which are called ``names`` and are float64, and its backward pass at one point."""

    names: tuple[str, ...]
    inputs: Arrays
    #: ``forward(inputs) -> outputs``
    forward: Callable[[Arrays], Arrays]
    #: ``backward(inputs, cotangents) -> gradients``, one for each input; None stands for zeros.
    backward: Callable[[Arrays, Arrays], tuple[Any, ...]]
    #: ``pullback(inputs)`` runs the function once, and gives its backward pass there for any number of cotangents.
    pullback: Callable[[Arrays], Callable[[Arrays], tuple[Any, ...]]] | None = None
    #: ``overwritten(inputs, cotangents)`` runs both once and yields who writes into what, inputs and cotangents apart.
    overwritten: Callable[[Arrays, Arrays], Iterable[tuple[str, str]]] = lambda inputs, cotangents: ()
    #: Numbers and arrays that the forward pass computes with besides its inputs, by name.
    constants: Mapping[str, Any] = field(default_factory=dict)
    #: ``widened()`` yields notes about gradients of more bits than their inputs had before they became float64.
    widened: Callable[[], Iterable[str]] = tuple

    def at(self, inputs: Arrays) -> Problem:
        """Return the same problem at another point."""
        return replace(self, inputs=inputs)

    def copies(self) -> Arrays:
        """Return the point in arrays that may be written to."""
        return tuple(x.copy() for x in self.inputs)

    def flat_output(self, inputs: Arrays) -> Array:
        """Return all outputs as one flat vector."""
        return flatten(self.forward(inputs))

    def along(self, position: int) -> FlatFunction:
        """Return the function of one input alone, the others held fixed; outputs as one flat vector."""
        before, after = self.inputs[:position], self.inputs[position + 1 :]

        def function(x: Array) -> Array:
            return flatten(self.forward((*[v.copy() for v in before], x, *[v.copy() for v in after])))

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
    if len(like) == 1:
        return (np.reshape(vector, like[0].shape).copy(),)
    ends = np.cumsum([a.size for a in like])
    pieces = np.split(vector, ends[:-1]) if like else []
    return tuple(np.reshape(p, a.shape).copy() for p, a in zip(pieces, like, strict=True))


def describe(value: Any) -> str:
    """Return type, dtype and shape of a value for a message.

    >>> describe(np.zeros((2, 3), dtype=int))
    'int64 (2, 3)'
    """
    if isinstance(value, (np.ndarray, np.generic)):
        return f"{value.dtype} {value.shape}"
    return type(value).__name__


#: How many random cotangents a gradient must satisfy at once.
COTANGENTS = 3


@dataclass(frozen=True)
class Probe:
    """The answers of a backward pass at one point."""

    problem: Problem
    outputs: Arrays  # what the function gives there
    cotangents: Array  # (cotangents, outputs)
    gradients: Arrays  # for each input, ``(cotangents, *shape)`` in the shape that the backward pass returned
    nearby: tuple[Arrays, ...]  # points moved at random by one unit in the last place

    def ask(self, cotangents: Array) -> Arrays:
        """Return the gradients for other cotangents, as in :func:`gradients_for`."""
        return gradients_for(self.problem, self.outputs, cotangents)

    @cached_property
    def perturbed(self) -> tuple[Arrays, ...]:
        """The gradients at the points nearby: asked for only where a gradient is not right without."""
        return tuple(gradients_for(self.problem.at(x), self.outputs, self.cotangents) for x in self.nearby)

    @cached_property
    def shakes(self) -> tuple[float, ...]:
        """How much one-ulp perturbations of the point change the gradient of each input."""
        changes = ([np.abs(a - b) for a, b in zip(other, self.gradients, strict=True)] for other in self.perturbed)
        return tuple(
            max(float(np.max(c[np.isfinite(c)], initial=0.0)) for c in of) for of in zip(*changes, strict=True)
        )

    @cached_property
    def one_call(self) -> tuple[Arrays, Arrays, tuple[Any, ...]]:
        """The inputs and cotangents as one call of the backward pass left them, and what it returned."""
        inputs, cotangents = self.problem.copies(), unflatten(self.cotangents[0], self.outputs)
        return inputs, cotangents, self.problem.backward(inputs, cotangents)


def gaussian_cotangents(outputs: Arrays, generator: np.random.Generator) -> Array:
    """Return standard Gaussian cotangents (cotangents, outputs): never ones, to which norms and softmax are blind."""
    return generator.standard_normal((COTANGENTS, sum(out.size for out in outputs)))


def given_cotangent(cotangent: Any, outputs: Arrays) -> Array:
    """Return the user's own cotangent as ``(1, outputs)``; an InputError if its shape is not that of the output."""
    several = tuple(cotangent) if isinstance(cotangent, (tuple, list)) and len(outputs) > 1 else (cotangent,)
    arrays = [np.asarray(value, dtype=np.float64) for value in several]
    if [a.shape for a in arrays] != [out.shape for out in outputs]:
        want = ", ".join(str(out.shape) for out in outputs)
        got = ", ".join(str(a.shape) for a in arrays)
        raise InputError(
            f"gradcheck: cotangent must have the shape of the output, {want}; got {got}. Leave it out to check with "
            "three random ones."
        )
    return np.concatenate([a.ravel() for a in arrays])[None]


def gradients_for(problem: Problem, outputs: Arrays, cotangents: Array) -> Arrays:
    """Return for each input the gradients ``(cotangents, *shape)`` that the backward pass returns."""
    clock = current_clock()
    clock.tick()
    pull = problem.pullback(problem.copies()) if problem.pullback is not None else None
    answers = []
    for g in cotangents:
        clock.tick()
        of_outputs = unflatten(g, outputs)
        answers.append(problem.backward(problem.copies(), of_outputs) if pull is None else pull(of_outputs))
    return tuple(
        _stacked([answer[k] for answer in answers], problem.names[k], x.shape) for k, x in enumerate(problem.inputs)
    )


def _stacked(values: Sequence[Any], name: str, shape: tuple[int, ...]) -> Array:
    arrays = [np.zeros(shape) if value is None else as_gradient(value, name) for value in values]
    if len({a.shape for a in arrays}) != 1:
        raise OperandError(
            f"gradcheck: the gradient of {name} must have the shape {shape} whatever the cotangent; got "
            f"{', '.join(str(a.shape) for a in arrays)} for different ones. Look for a branch on the values of g."
        )
    return np.stack(arrays)


def as_gradient(value: Any, name: str) -> Array:
    """Return a gradient as a float64 array; an OperandError if it is not made of real numbers."""
    array = real_numbers(value)
    if array is None:
        raise OperandError(
            f"gradcheck: the gradient of {name} must be an array of real numbers; got {describe(value)}. Check what "
            "backward returns."
        )
    return array.copy()


def real_numbers(value: Any) -> Array | None:
    """Return a value as an array of float64, None if it is not made of real numbers."""
    try:
        array = np.asarray(value)
    except ValueError:  # nested lists of several lengths
        return None
    return array.astype(np.float64, copy=False) if array.dtype.kind in "fiub" else None


def probe(problem: Problem, outputs: Arrays, cotangents: Array, generator: np.random.Generator) -> Probe:
    """Ask the backward pass at the point, and choose two points one ulp away."""
    gradients = gradients_for(problem, outputs, cotangents)
    nearby = tuple(tuple(one_ulp_away(x, generator) for x in problem.inputs) for _ in range(2))
    asked = Probe(problem, outputs, cotangents, gradients, nearby)
    if current_clock().seconds is not None:
        _ = asked.perturbed  # there may be no time later
    return asked


def one_ulp_away(x: Array, generator: np.random.Generator) -> Array:
    """Return ``x`` with each entry moved by one unit in the last place, up or down at random.

    Zeros stay: their last place, 5e-324, is a world of underflow, and a zero is often a mask or a kink.
    """
    toward = np.where(generator.random(x.shape) < 0.5, -np.inf, np.inf)
    return np.where(x == 0, x, np.nextafter(x, toward))
