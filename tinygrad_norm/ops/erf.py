"""The error function, which NumPy does not have: what an exact GELU needs.

Rational approximations on three intervals, from W. J. Cody, "Rational Chebyshev approximations for the
error function", Mathematics of Computation 23 (1969), 631-637. Within 6 ulp of the true value in float64.
"""

from __future__ import annotations

import numpy as np

from ..engine.details.array import Array


def coefficients(fraction: str) -> tuple[list[float], list[float]]:
    """Return the coefficients of ``numerator / denominator``, written as text."""
    top, bottom = fraction.split("/")
    return [float(c) for c in top.split()], [float(c) for c in bottom.split()]


# erf(x) = x · R(x²) for |x| ≤ 0.46875; numerator and denominator, highest power first.
SMALL = coefficients("""
      1.85777706184603153e-1 3.16112374387056560e0 1.13864154151050156e2 3.77485237685302021e2
      3.20937758913846947e3
    / 1.0 2.36012909523441209e1 2.44024637934444173e2 1.28261652607737228e3 2.84423683343917062e3
""")
# erfc(x) = exp(−x²) · R(x) for 0.46875 < x ≤ 4.
MIDDLE = coefficients("""
      2.15311535474403846e-8 5.64188496988670089e-1 8.88314979438837594e0 6.61191906371416295e1
      2.98635138197400131e2 8.81952221241769090e2 1.71204761263407058e3 2.05107837782607147e3
      1.23033935479799725e3
    / 1.0 1.57449261107098347e1 1.17693950891312499e2 5.37181101862009858e2 1.62138957456669019e3
      3.29079923573345963e3 4.36261909014324716e3 3.43936767414372164e3 1.23033935480374942e3
""")
# erfc(x) = exp(−x²)/x · (1/√π − R(1/x²)/x²) for x > 4.
LARGE = coefficients("""
      1.63153871373020978e-2 3.05326634961232344e-1 3.60344899949804439e-1 1.25781726111229246e-1
      1.60837851487422766e-2 6.58749161529837803e-4
    / 1.0 2.56852019228982242e0 1.87295284992346047e0 5.27905102951428412e-1 6.05183413124413191e-2
      2.33520497626869185e-3
""")


def ratio(fraction: tuple[list[float], list[float]], t: Array) -> Array:
    """Return a quotient of two polynomials at ``t``."""
    result: Array = np.polyval(fraction[0], t) / np.polyval(fraction[1], t)
    return result


def erf_values(x: Array) -> Array:
    """Return erf(x) = 2/√π ∫₀ˣ exp(−t²) dt, in the dtype of ``x`` (float64 for integers)."""
    values = np.asarray(x)
    t = values.astype(np.float64)
    size = np.abs(t)
    small, large = size <= 0.46875, size > 4.0
    result = np.where(np.isnan(t), np.nan, 0.0)
    result[small] = t[small] * ratio(SMALL, t[small] ** 2)
    middle = ~(small | large | np.isnan(t))
    y = size[middle]
    result[middle] = np.copysign(1.0 - np.exp(-y * y) * ratio(MIDDLE, y), t[middle])
    # Past 6 the complement is below half an ulp of 1, and past 1e154 y² would overflow.
    y = np.minimum(size[large], 6.0)
    z = 1.0 / (y * y)
    rest = np.exp(-y * y) / y * (1.0 / np.sqrt(np.pi) - z * ratio(LARGE, z))
    result[large] = np.copysign(1.0 - rest, t[large])
    return result.astype(values.dtype if values.dtype.kind == "f" else np.float64)
