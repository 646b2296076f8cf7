"""What a hypothesis about a wrong gradient may look at, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..measure.numeric import slopes_along_coordinates
from ..measure.step_ladder import Array
from ..verdict import Flags
from ..vjp_problem import Problem

Indices = NDArray[np.intp]

#: What is known less precisely than this part of the largest explains nothing.
LOOSEST = 1e-4


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
    alternatives : tuple of str
        Codes of other mistakes that would leave the same gradient; the name tells them as well.
    formula : str
        The right backward pass in symbols, where the function was recognized.
    """

    code: str
    name: str
    evidence: str
    why: str
    leftover: float = 0.0
    alternatives: tuple[str, ...] = ()
    formula: str = ""


@dataclass(frozen=True)
class Singles:
    """Single derivatives ∂(output)/∂(entry), yours beside the numeric ones; all arrays are flat and belong together.

    These are the places where either of the two is not zero.
    """

    entry: Indices
    output: Indices
    numeric: Array
    yours: Array
    bar: Array  # three bars of the numeric side
    doubt: Array  # what rounding does to yours

    def __len__(self) -> int:
        return len(self.entry)

    def leftover(self, of_yours: Array, of_numeric: Array, slack: Array) -> float | None:
        """Return the relative difference of two arrays that are the same but for ``slack``, None if they are not."""
        error = np.abs(of_yours - of_numeric)
        if not len(error) or not np.isfinite(slack).all() or not np.all(error <= slack):
            return None
        largest = float(np.max(np.abs(of_numeric))) or 1.0
        # A room that is wider than what is compared would have anything in it.
        return float(np.max(error)) / largest if np.median(slack) <= LOOSEST * largest else None


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
    sample: Indices | None = None
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

    @cached_property
    def singles(self) -> Singles | None:
        """The single derivatives: from the Jacobian, or of an elementwise function or one output from its products.

        None if they cannot be told apart, or are not known well enough to compare them.
        """
        found = self._from_jacobian() if self.complete else self._from_products()
        if found is None or len(found) < 4 or not np.isfinite(found.bar).all():
            return None
        largest = np.max(np.abs(np.concatenate([found.numeric, found.yours])))
        return found if np.median(found.bar + found.doubt) <= 1e-5 * largest else None

    def _from_jacobian(self) -> Singles:
        output, entry = np.nonzero(self.touched | (np.abs(self.believed) > self.allowed))
        chosen = [v[self.random :][output, entry] for v in (self.numeric, self.yours, self.bar, self.doubt)]
        return Singles(entry, output, *chosen)

    def _from_products(self) -> Singles | None:
        known = np.flatnonzero(self.known.all(axis=0))
        if not (self.same_shape or self.cotangents.shape[1] == 1) or not len(known):
            return None
        g = (
            self.cotangents[:, known]
            if self.same_shape
            else np.broadcast_to(self.cotangents, (self.random, len(known)))
        )
        numeric, yours, bar, doubt = (v[:, known] for v in (self.numeric, self.yours, self.bar, self.doubt))
        size = np.sum(g * g, axis=0)
        slopes = [np.sum(g * v, axis=0) / size for v in (numeric, yours)]
        # A slope of its own for every entry explains all cotangents, or the function is not elementwise.
        for slope, values in zip(slopes, (numeric, yours), strict=True):
            if np.any(np.abs(values - slope * g) > bar + doubt):
                return None
        rooms = [np.sum(np.abs(g) * v, axis=0) / size for v in (bar, doubt)]
        return Singles(known, known if self.same_shape else np.zeros_like(known), *slopes, *rooms)

    def agrees(self, predicted: Array, slack: Array | None = None) -> float | None:
        """Return the relative leftover if ``predicted`` explains yours in every known entry, None otherwise.

        ``slack`` is the uncertainty of the prediction (three bars), ``bar`` unless given.
        """
        room = (self.bar if slack is None else slack) + self.doubt
        known = self.known & np.isfinite(room)
        if not known.any() or known.sum() < self.known.sum() / 2 or not np.isfinite(predicted[known]).all():
            return None
        error = np.abs(self.yours - predicted)[known]
        if np.any(error > room[known]):
            return None
        return float(np.max(error, initial=0.0)) / self.largest

    def at_point(self, point: Array, entries: Indices, factor: float = 1.0) -> float | None:
        """Return the relative leftover if yours is ``factor`` times the derivative at another point, None if not.

        Only for functions that work entry by entry, and only where the derivative is known at that point.
        """
        few = entries[:: max(1, len(entries) // 8)]  # most other points fail at once
        if self._at_entries(point, few, factor) is None:
            return None
        return self._at_entries(point, entries[:: max(1, len(entries) // 100)], factor)

    def _at_entries(self, point: Array, some: Indices, factor: float) -> float | None:
        along, rows = self.problem.along(self.position), self.cotangents[: self.random]
        try:
            slopes = slopes_along_coordinates(along, point, rows, some.tolist())
        except Exception:  # a function of somebody else's: whatever it raises there, it does not answer
            return None
        if not np.all(3 * slopes.bar <= 1e-4 * self.largest):
            return None
        yours, doubt = (values[: self.random, some] for values in (self.yours, self.doubt))
        error = np.abs(yours - factor * slopes.value.T)
        if np.any(error > 3 * abs(factor) * slopes.bar.T + doubt):
            return None
        return float(np.max(error)) / self.largest

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
