"""Exercise 6: a gradient summed back over a broadcast."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ....engine.primitives.shape import broadcast_to
from ....engine.tensor import Tensor
from ..cases import LECTURE, RANDOM, Case, gamma_and_beta, outputs_table, random_table
from ..checked_gradients import Backward, gradient_check
from ..exercise_parts import Answer, Exercise


def _grown(x: Any, shape: tuple[int, ...]) -> Tensor:
    grown: Tensor = broadcast_to(Tensor(x), shape=shape)
    return grown


def _adapted(answer: Answer) -> Backward:
    """Return the learner's function, which takes the shape of x, as one of x."""
    return lambda g, x, shape: answer(g, x.shape)


def _in_front(generator: np.random.Generator) -> Sequence[Case]:
    return (
        Case("(7,) → (5, 7)", (generator.standard_normal(7), (5, 7))),
        Case("(3, 5) → (2, 3, 5)", (generator.standard_normal((3, 5)), (2, 3, 5))),
        Case("() → (3, 5)", (np.array(generator.standard_normal()), (3, 5))),
        Case("(5, 7), which stays as it is", (generator.standard_normal((5, 7)), (5, 7))),
    )


def _from_one(generator: np.random.Generator) -> Sequence[Case]:
    return (
        Case("(5, 1) → (5, 7)", (generator.standard_normal((5, 1)), (5, 7))),
        Case("(1, 3, 1) → (2, 3, 5)", (generator.standard_normal((1, 3, 1)), (2, 3, 5))),
        Case("(3, 1) → (2, 3, 5)", (generator.standard_normal((3, 1)), (2, 3, 5))),
    )


def _scaled(x: Any, gamma: Any, beta: Any) -> Tensor:
    return Tensor(x) * Tensor(gamma) + Tensor(beta)


def _tables(generator: np.random.Generator) -> Sequence[Case]:
    return (
        Case(RANDOM, (random_table(generator, 5, 7), *gamma_and_beta(generator, 7))),
        Case(LECTURE, (outputs_table(), *gamma_and_beta(generator, 3))),
    )


EXERCISE = Exercise(
    number=6,
    slug="broadcast-backward",
    title="Back over a broadcast",
    statement="""
NumPy repeats a smaller array so that it fits a larger one: in x̂ + β the same β, of shape
(features,), is added to every row of x̂, of shape (rows, features). NumPy lines shapes up
from the right, puts axes in front where there are too few, and stretches axes of length 1.

On the way back there is a gradient g for every copy. An entry that was used many times
receives the sum of all that comes back to its copies, so g must be summed until it has the
shape of the small array again.
""",
    functions='''
def sum_back(g, shape):
    """
    Return the gradient of an array of this shape that was broadcast to the shape of g.

    Given:  g      array, the incoming gradient of the large array
            shape  tuple, the shape of the small array, such as (7,), (5, 1) or ()
    Return: array of that shape

    >>> sum_back(np.array([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]]), (3,))
    array([11., 22., 33.])
    >>> sum_back(np.array([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]]), (2, 1))
    array([[ 6.],
           [60.]])
    """
    while g.ndim > len(shape):
        g = g.sum(axis=0)
    for axis, length in enumerate(shape):
        if length == 1:
            g = g.sum(axis=axis, keepdims=True)
    return g


def scale_and_shift_backward(g, x, gamma, beta):
    """
    Return the gradients of x, gamma and beta for y = x * gamma + beta.

    Given:  g            array (rows, features), the incoming gradient of y
            x            array (rows, features)
            gamma, beta  arrays (features,)
    Return: three arrays of the shapes of x, gamma and beta

    >>> ones = np.ones((2, 1))
    >>> scale_and_shift_backward(ones, np.array([[3.0], [4.0]]), np.array([5.0]), np.array([6.0]))
    (array([[5.],
           [5.]]), array([7.]), array([2.]))
    """
    return g * gamma, sum_back(g * x, gamma.shape), sum_back(g, beta.shape)
''',
    hints=(
        "Two things may have happened to the small array: axes were put in front of its shape, and axes of length"
        " 1 were stretched. Undo them one after the other.",
        "g.ndim - len(shape) axes were put in front: sum over axis 0 that many times.",
        "Then, for each axis with shape[axis] == 1: g = g.sum(axis=axis, keepdims=True). In the second function "
        "each factor of a product receives g times the other factor, then goes through sum_back.",
    ),
    checks=(
        gradient_check("sum_back", _grown, ("x",), _in_front, label="axes put in front", adapt=_adapted),
        gradient_check("sum_back", _grown, ("x",), _from_one, label="axes stretched from 1", adapt=_adapted),
        gradient_check("scale_and_shift_backward", _scaled, ("x", "gamma", "beta"), _tables),
    ),
)
