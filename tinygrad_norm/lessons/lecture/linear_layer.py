"""Can a linear layer give the notes' table? Exact algebra, confirmed by the engine's derivatives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ...engine.tensor import Tensor
from ...errors import InputError
from ...functional import mse_loss
from ...transforms import grad, hessian
from ..document.numerals import subscript
from . import exact_arithmetic as exact


@dataclass(frozen=True)
class Relation:
    """A combination of the leading rows that vanishes on ``[f, 1]``, and what it gives on ``z``."""

    weights: tuple[int, ...]
    on_features: tuple[int, ...]
    on_outputs: tuple[int, ...]

    @property
    def text(self) -> str:
        """The combination as a sum of rows.

        >>> Relation((3, -2, 1), (0,), (0,)).text
        '3r₁ − 2r₂ + r₃'
        """
        terms = [
            ("−" if w < 0 else "+", f"{abs(w) if abs(w) != 1 else ''}r{subscript(i + 1)}")
            for i, w in enumerate(self.weights)
            if w
        ]
        first = terms[0][1] if terms[0][0] == "+" else "−" + terms[0][1]
        return " ".join([first, *(f"{sign} {term}" for sign, term in terms[1:])])


def relation(features: Sequence[Sequence[float]], outputs: Sequence[Sequence[float]]) -> Relation:
    """Find the first rows that are linearly dependent on ``[f, 1]``, and what they give on ``z``.

    InputError if no rows are dependent; then some linear layer gives any outputs.

    >>> relation([(0,), (1,), (2,)], [(0,), (1,), (4,)])
    Relation(weights=(1, -2, 1), on_features=(0, 0), on_outputs=(2,))
    """
    rows = with_constant(features)
    spaces = (exact.null_space(exact.transpose(rows[:count])) for count in range(2, len(rows) + 1))
    found = next(filter(None, spaces), None)
    if found is None:
        raise InputError(
            f"the rows of [f, 1] must be linearly dependent; got {len(rows)} independent ones. "
            "Every table of outputs is then a linear layer of them."
        )
    weights = exact.whole(found[0])
    scale = [Fraction(w) for w in weights]
    z = [exact.rationals(row) for row in outputs]
    return Relation(
        weights,
        tuple(map(int, exact.combine(scale, rows[: len(scale)]))),
        tuple(map(int, exact.combine(scale, z[: len(scale)]))),
    )


def with_constant(features: Sequence[Sequence[float]]) -> list[tuple[Fraction, ...]]:
    """Return the rows of ``[f, 1]``, exactly."""
    return [(*exact.rationals(row), Fraction(1)) for row in features]


@dataclass(frozen=True)
class NeuronFit:
    """The best weights and bias of one neuron, in fractions, and what the engine says of them.

    There the largest entry of the gradient of the mean squared error is 0 up to rounding, and the loss the least
    possible; one Newton step from zero with the engine's Hessian lands as far from there as ``newton_gap``.
    """

    exact: exact.LeastSquares
    gradient: float
    newton_gap: float
    loss: float


def fit_neuron(features: Sequence[Sequence[float]], target: Sequence[float]) -> NeuronFit:
    """Fit one neuron: least squares in fractions, confirmed by gradient and Newton step."""
    solution = exact.least_squares(with_constant(features), exact.rationals(target))
    rows = Tensor([[float(x) for x in row] for row in with_constant(features)])
    goal = Tensor([float(y) for y in target])

    def loss(weights: Tensor) -> Tensor:
        return mse_loss(rows @ weights, goal)

    start = Tensor(np.zeros(rows.shape[1]))
    newton = -np.linalg.solve(hessian(loss)(start).numpy(), grad(loss)(start).numpy())
    at = np.array([float(c) for c in solution.coefficients])
    return NeuronFit(
        solution,
        float(np.abs(grad(loss)(Tensor(at)).numpy()).max()),
        float(np.abs(newton - at).max()),
        loss(Tensor(at)).item(),
    )
