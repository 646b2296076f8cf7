"""What a hypothesis about a wrong gradient may look at, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..measure.step_ladder import Array
from ..verdict import Flags
from ..vjp_problem import Problem


@dataclass(frozen=True)
class Finding:
    """A named mistake.

    Attributes
    ----------
    code : str
        A short stable name, for programs: ``variance-path-missing``.
    name : str
        The mistake in a few words.
    evidence : str
        What was seen that singles it out.
    why : str
        What the right gradient must do, and how to get there.
    leftover : float
        The largest difference that the mistake does not explain, relative to the gradient.
    """

    code: str
    name: str
    evidence: str
    why: str
    leftover: float = 0.0


@dataclass(frozen=True)
class Evidence:
    """One wrong gradient beside its numeric counterpart.

    Rows are cotangents: first the random ones, then (when ``complete``) one for each single output, so that
    the rest of ``numeric`` is the Jacobian and the rest of ``yours`` is the Jacobian that the backward pass
    believes in. Entries are flat; arrays are (rows, entries) unless said otherwise.
    """

    problem: Problem
    position: int  # which of its inputs this is about
    outputs: tuple[Array, ...]
    cotangents: Array  # (rows, outputs)
    yours: Array  # in another shape than ``numeric`` if the backward pass returned another one than the input's
    numeric: Array
    bar: Array  # three times the measured bar; infinite where nothing is known (kinks, undecidable entries)
    doubt: Array  # what rounding does to ``yours``
    random: int  # so many rows are random cotangents
    complete: bool  # whether the one-hot cotangents follow
    still: Flags  # (outputs, entries): where moving the entry does not move the output at all
    #: The flat entries that were measured, when there are too many for all: only these are ``known``.
    sample: NDArray[np.intp] | None = None
    #: Numeric gradients (random rows only, with their bars) of other inputs that are wrong as well.
    others: Mapping[str, tuple[Array, Array]] = field(default_factory=dict)

    @property
    def x(self) -> Array:
        """The input at which the gradient was taken."""
        return self.problem.inputs[self.position]

    @cached_property
    def known(self) -> Flags:
        """Where the numeric side can be relied on."""
        known: Flags = np.isfinite(self.bar)
        return known

    @cached_property
    def largest(self) -> float:
        """The size of the gradients, for relative statements."""
        values = self.numeric[self.known]
        if self.yours.shape == self.numeric.shape:
            values = np.concatenate([values, self.yours[self.known]])
        return float(np.max(np.abs(values), initial=0.0)) or 1.0

    @property
    def jacobian(self) -> Array:
        """The numeric Jacobian (outputs, entries)."""
        return self.numeric[self.random :]

    @property
    def believed(self) -> Array:
        """The Jacobian that the backward pass believes in (outputs, entries)."""
        return self.yours[self.random :]

    @property
    def allowed(self) -> Array:
        """The largest difference between the two Jacobians that still counts as equal."""
        return (self.bar + self.doubt)[self.random :]

    @cached_property
    def touched(self) -> Flags:
        """Which entries each output depends on (outputs, entries)."""
        touched: Flags = np.abs(self.jacobian) > self.allowed
        return touched

    @property
    def one_entry_each(self) -> bool:
        """Whether the Jacobian is known and every output depends on one entry at most."""
        return self.complete and not np.any(self.touched.sum(axis=1) > 1)

    @property
    def same_shape(self) -> bool:
        """Whether there is one output, of the shape of the input."""
        return len(self.outputs) == 1 and self.outputs[0].shape == self.x.shape

    def agrees(self, predicted: Array, slack: Array | None = None) -> float | None:
        """Return the relative leftover if ``predicted`` explains yours in every known entry, None otherwise.

        ``slack`` is the uncertainty of the prediction (three bars), ``bar`` unless given.
        """
        room = (self.bar if slack is None else slack) + self.doubt
        known = self.known & np.isfinite(room)
        if not known.any() or not np.isfinite(predicted[known]).all():
            return None
        error = np.abs(self.yours - predicted)[known]
        if np.any(error > room[known]):
            return None
        return float(np.max(error, initial=0.0)) / self.largest

    def named(
        self, predicted: Array, slack: Array | None, code: str, name: str, evidence: str, why: str
    ) -> Finding | None:
        """Return this finding if ``predicted`` explains yours as in :meth:`agrees`, None otherwise."""
        leftover = self.agrees(predicted, slack)
        return None if leftover is None else but_for(leftover, code, name, evidence, why)

    def significant(self, values: Array) -> Flags:
        """Tell which entries of a gradient stand clear of the bars."""
        with np.errstate(invalid="ignore"):
            clear: Flags = self.known & (np.abs(values) > 10 * (self.bar + self.doubt))
        return clear


Indices = NDArray[np.intp]

#: Looks at the evidence and yields what the mistake may be, None for what does not fit; the first finding counts.
Hypothesis = Callable[[Evidence], Iterator[Finding | None]]


def but_for(leftover: float, code: str, name: str, evidence: str, why: str) -> Finding:
    """Return the finding that explains all but a small leftover."""
    return Finding(code, name, f"{evidence}; leftover {amount(leftover)}", why, leftover)


def axis_sets(ndim: int) -> Iterator[tuple[int, ...]]:
    """Yield every non-empty set of axes, the small ones first.

    >>> list(axis_sets(2))
    [(0,), (1,), (0, 1)]
    """
    return chain.from_iterable(combinations(range(ndim), k) for k in range(1, ndim + 1))


def grouped(values: NDArray[Any], axes: tuple[int, ...]) -> NDArray[Any]:
    """Return ``(rows, *shape)`` as ``(rows, groups, n)``, with ``axes`` of the shape gathered into n.

    >>> grouped(np.arange(6.0).reshape(1, 2, 3), (0,))[0]
    array([[0., 3.],
           [1., 4.],
           [2., 5.]])
    """
    kept = [a + 1 for a in range(values.ndim - 1) if a not in axes]
    gathered = [a + 1 for a in axes]
    count = int(np.prod([values.shape[a] for a in gathered]))
    return values.transpose(0, *kept, *gathered).reshape(len(values), -1, count)


def axes_of(axes: tuple[int, ...]) -> str:
    """Return axes in words.

    >>> axes_of((1,)), axes_of((0, 2))
    ('axis 1', 'axes 0 and 2')
    """
    if len(axes) == 1:
        return f"axis {axes[0]}"
    return f"axes {', '.join(map(str, axes[:-1]))} and {axes[-1]}"


def amount(leftover: float) -> str:
    """Return a leftover for a message.

    >>> amount(3.1234e-12)
    '3e-12'
    """
    return f"{leftover:.0e}".replace("e-0", "e-") if leftover else "0"
