"""The lecture's arithmetic in fractions: statistics, closed forms, least squares, null spaces.

The tables of the notes are rational, so means, variances and fitted weights are too, and a normalized
vector is whole numbers over one square root. Nothing is rounded here; the engine's floats are compared
with these. Vectors are sequences of Fractions, matrices sequences of rows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

Vector: TypeAlias = Sequence[Fraction]
Matrix: TypeAlias = Sequence[Sequence[Fraction]]


def rational(number: float) -> Fraction:
    """Return the decimal number that was typed, not the binary one beside it.

    >>> rational(0.1), rational(7)
    (Fraction(1, 10), Fraction(7, 1))
    """
    return Fraction(repr(number))


def rationals(numbers: Sequence[float]) -> tuple[Fraction, ...]:
    """Return :func:`rational` of each number."""
    return tuple(rational(number) for number in numbers)


def mean(numbers: Vector) -> Fraction:
    """Return the mean."""
    return sum(numbers, Fraction(0)) / len(numbers)


def variance(numbers: Vector, ddof: int = 0) -> Fraction:
    """Return the variance, dividing by ``n − ddof``.

    >>> variance(rationals([7, 2, 1, 7, 3])), variance(rationals([7, 2, 1, 7, 3]), ddof=1)
    (Fraction(32, 5), Fraction(8, 1))
    """
    center = mean(numbers)
    return sum(((x - center) ** 2 for x in numbers), Fraction(0)) / (len(numbers) - ddof)


def whole(numbers: Vector) -> tuple[int, ...]:
    """Return the smallest whole numbers in the same proportion (and of the same sign).

    >>> whole([Fraction(5, 3), Fraction(-1, 3), Fraction(-4, 3)])
    (5, -1, -4)
    """
    unit = _unit(numbers)
    return tuple(int(x / unit) for x in numbers)


def _unit(numbers: Vector) -> Fraction:
    """Return the largest number of which all of `numbers` are whole multiples."""
    scale = math.lcm(*(x.denominator for x in numbers))
    return Fraction(math.gcd(*(int(x * scale) for x in numbers)) or 1, scale)


@dataclass(frozen=True)
class ClosedForm:
    """Whole numbers over one square root: ``numerators / √(radicand + eps_factor · eps)``.

    >>> form = normalized(rationals([7, 5, 4]))
    >>> str(form), [round(value, 6) for value in form.values]
    ('(5, −1, −4)/√14', [1.336306, -0.267261, -1.069045])
    >>> str(normalized(rationals([2, 3, 4]))), str(normalized(rationals([5, 3, 2, 5, 3])))
    ('(−1, 0, 1)·√(3/2)', '(7/6, −1/2, −4/3, 7/6, −1/2)')
    >>> str(normalized(rationals([7, 5, 4]), eps=1e-5))
    '(5, −1, −4)/√(14 + 9ε)'
    """

    numerators: tuple[int, ...]
    radicand: Fraction
    eps_factor: Fraction
    eps: Fraction

    @property
    def values(self) -> tuple[float, ...]:
        """The numbers themselves, rounded once."""
        square = self.radicand + self.eps_factor * self.eps
        return tuple(math.copysign(math.sqrt(Fraction(p * p) / square), p) for p in self.numerators)

    def gap(self, floats: Sequence[float]) -> float:
        """Return how far floats are from the numbers: the largest difference."""
        return max(abs(a - b) for a, b in zip(self.values, floats, strict=True))

    def __str__(self) -> str:
        return self._over_root(self.numerators)

    def entry(self, index: int) -> str:
        """Return one of the numbers in closed form.

        >>> normalized(rationals([7, 2, 1, 7, 3])).entry(0)
        '3/√6.4'
        """
        return self._over_root((self.numerators[index],))

    def _over_root(self, numerators: tuple[int, ...]) -> str:
        over = _list([str(p) for p in numerators])
        if self.eps:
            factor = "" if self.eps_factor == 1 else str(self.eps_factor)
            return f"{over}/√({_decimal(self.radicand)} + {factor}ε)"
        root = exact_root(self.radicand)
        if root is not None:
            return _list([str(p / root) for p in numerators])
        if self.radicand < 1:
            return f"{over}·√({1 / self.radicand})"
        under = _decimal(self.radicand)
        return f"{over}/√({under})" if "/" in under else f"{over}/√{under}"


def _list(texts: list[str]) -> str:
    joined = ", ".join(texts).replace("-", "−")
    return f"({joined})" if len(texts) > 1 else joined


def _decimal(number: Fraction) -> str:
    """Return a decimal if the number is a short one, else the fraction."""
    if number.denominator == 1 or rational(float(number)) != number:
        return str(number)
    return repr(float(number))


def exact_root(number: Fraction) -> Fraction | None:
    """Return the square root if it is rational, else None.

    >>> exact_root(Fraction(36, 25)), exact_root(Fraction(32, 5))
    (Fraction(6, 5), None)
    """
    root = Fraction(math.isqrt(number.numerator), math.isqrt(number.denominator))
    return root if root * root == number else None


def normalized(numbers: Vector, ddof: int = 0, eps: float = 0.0) -> ClosedForm:
    """Return ``(x − μ)/√(σ² + ε)`` in closed form; the numbers must not all be equal."""
    center = mean(numbers)
    centered = [x - center for x in numbers]
    unit = _unit(centered)
    return ClosedForm(
        tuple(int(x / unit) for x in centered),
        radicand=variance(numbers, ddof) / unit**2,
        eps_factor=1 / unit**2,
        eps=rational(eps),
    )


def null_space(matrix: Matrix) -> list[tuple[Fraction, ...]]:
    """Return a basis of the vectors ``v`` with ``matrix · v = 0``.

    >>> null_space([rationals([1, 2, 3])])
    [(Fraction(-2, 1), Fraction(1, 1), Fraction(0, 1)), (Fraction(-3, 1), Fraction(0, 1), Fraction(1, 1))]
    """
    reduced, pivots = _reduce(matrix)
    width = len(matrix[0])
    basis = []
    for free in sorted(set(range(width)) - set(pivots)):
        vector = [Fraction(0)] * width
        vector[free] = Fraction(1)
        for row, pivot in enumerate(pivots):
            vector[pivot] = -reduced[row][free]
        basis.append(tuple(vector))
    return basis


def _reduce(matrix: Matrix) -> tuple[list[list[Fraction]], list[int]]:
    """Return the reduced row echelon form and its pivot columns (Gauss–Jordan)."""
    rows = [list(row) for row in matrix]
    pivots: list[int] = []
    for column in range(len(rows[0])):
        top = len(pivots)
        found = next((i for i in range(top, len(rows)) if rows[i][column]), None)
        if found is None:
            continue
        rows[top], rows[found] = rows[found], rows[top]
        rows[top] = [x / rows[top][column] for x in rows[top]]
        for i, row in enumerate(rows):
            if i != top and row[column]:
                rows[i] = [x - row[column] * y for x, y in zip(row, rows[top], strict=True)]
        pivots.append(column)
    return rows, pivots


def transpose(matrix: Matrix) -> list[tuple[Fraction, ...]]:
    """Return the matrix with rows and columns exchanged."""
    return list(zip(*matrix, strict=True))


def combine(weights: Vector, rows: Matrix) -> tuple[Fraction, ...]:
    """Return the sum of the rows, each times its weight."""
    return tuple(sum((w * x for w, x in zip(weights, column, strict=True)), Fraction(0)) for column in transpose(rows))


@dataclass(frozen=True)
class LeastSquares:
    """The best linear fit: its coefficients and the share of the variance it explains."""

    coefficients: tuple[Fraction, ...]
    r_squared: Fraction


def least_squares(rows: Matrix, target: Vector) -> LeastSquares:
    """Return the coefficients ``c`` that minimize ``Σ (rows·c − target)²``, exactly.

    They solve the normal equations ``XᵀX c = Xᵀy``. One column of `rows` is to be the constant 1.

    >>> least_squares([rationals([0, 1]), rationals([1, 1]), rationals([2, 1])], rationals([1, 0, 2]))
    LeastSquares(coefficients=(Fraction(1, 2), Fraction(1, 2)), r_squared=Fraction(1, 4))
    """
    columns = transpose(rows)
    system = [[*(_dot(a, b) for b in columns), _dot(a, target)] for a in columns]
    reduced, _ = _reduce(system)
    coefficients = tuple(row[-1] for row in reduced)
    residuals = [y - _dot(row, coefficients) for row, y in zip(rows, target, strict=True)]
    return LeastSquares(coefficients, 1 - _dot(residuals, residuals) / (len(target) * variance(target)))


def _dot(a: Vector, b: Vector) -> Fraction:
    return sum((x * y for x, y in zip(a, b, strict=True)), Fraction(0))
