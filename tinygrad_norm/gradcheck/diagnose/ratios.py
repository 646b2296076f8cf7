"""Mistakes that multiply each row or each entry by something of its own: a statistic, a power, another point."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..ladder import Array
from ..numeric import slopes_along_coordinates
from ..problem import flatten, unflatten
from .evidence import Evidence, Finding, amount, axes_of, axis_sets


def row_factor(e: Evidence) -> Finding | None:
    """Find a factor per row that is a power of a statistic of the row: 1/σ missing, norm squared, and so on."""
    if e.x.ndim == 0:
        return None
    clear = e.significant(e.numeric)
    for axes in axis_sets(e.x.ndim):
        fitted = _factor_per_group(e, axes, clear)
        if fitted is None:
            continue
        ratio, leftover = fitted
        for statistic, symbol, values in _statistics(e.x, axes):
            for power in (1, -1, 2, -2):
                with np.errstate(all="ignore"):
                    expected = np.broadcast_to(values, e.x.shape).ravel() ** power
                if not np.allclose(ratio, expected, rtol=1e-8, atol=0):
                    continue
                return _row_finding(statistic, symbol, power, axes, leftover)
    return None


def _row_finding(statistic: str, symbol: str, power: int, axes: tuple[int, ...], leftover: float) -> Finding:
    where = f"along {axes_of(axes)}"
    evidence = (
        f"yours / numeric is {symbol}{'' if power == 1 else f'^{power}'} in every row; leftover {amount(leftover)}"
    )
    square = "" if abs(power) == 1 else " squared"
    if power > 0:
        return Finding(
            f"{statistic}-missing",
            f"the division by {symbol}{square} {where} is missing",
            evidence,
            f"the output shrinks with {symbol}, so the gradient carries 1/{symbol} as well",
            leftover,
        )
    return Finding(
        f"{statistic}-twice",
        f"divided by {symbol}{square} {where} once too often",
        evidence,
        f"the gradient carries 1/{symbol} once for each time that the forward pass divides by it",
        leftover,
    )


def _factor_per_group(e: Evidence, axes: tuple[int, ...], clear: np.ndarray) -> tuple[Array, float] | None:
    """Return the ratio of each group (spread over its entries) if one ratio per group explains yours."""
    rows = (len(e.yours), *e.x.shape)
    where = (0, *(a + 1 for a in axes))
    with np.errstate(all="ignore"):
        top = np.where(clear, e.yours * e.numeric, 0.0).reshape(rows).sum(where, keepdims=True)
        bottom = np.where(clear, e.numeric**2, 0.0).reshape(rows).sum(where, keepdims=True)
        ratio = np.broadcast_to(top / bottom, (1, *e.x.shape)).ravel()
    if not np.isfinite(ratio).all():
        return None
    leftover = e.agrees(ratio * e.numeric, np.abs(ratio) * e.bar)
    return None if leftover is None else (ratio, leftover)


def _statistics(x: Array, axes: tuple[int, ...]) -> Iterator[tuple[str, str, Array]]:
    """Yield code, symbol and value of what a row may have been divided by."""
    with np.errstate(all="ignore"):
        yield "sigma", "σ", np.std(x, axis=axes, keepdims=True)
        yield "norm", "‖x‖", np.sqrt(np.sum(x**2, axis=axes, keepdims=True))
        yield "rms", "rms(x)", np.sqrt(np.mean(x**2, axis=axes, keepdims=True))
        yield "sum-exp", "Σ exp(x)", np.sum(np.exp(x), axis=axes, keepdims=True)
        yield "sum", "Σ x", np.sum(x, axis=axes, keepdims=True)
        yield "max", "max x", np.max(x, axis=axes, keepdims=True)


def power_rule(e: Evidence) -> Finding | None:
    """Find a factor that is a constant times a power of an operand: c · xᵉ."""
    clear = e.significant(e.numeric) & e.significant(e.yours)
    usable = clear.any(axis=0)
    if usable.sum() < 4:
        return None
    with np.errstate(all="ignore"):
        top = np.where(clear, e.yours * e.numeric, 0.0).sum(axis=0)
        ratio = top / np.where(clear, e.numeric**2, 0.0).sum(axis=0)
    for name, base in _operands(e):
        fitted = _fit_power(ratio[usable], base[usable])
        if fitted is None:
            continue
        exponent, coefficient, odd = fitted
        with np.errstate(all="ignore"):
            factor = coefficient * np.abs(base) ** exponent * (np.sign(base) if odd else 1.0)
        if not np.isfinite(factor).all():
            continue
        leftover = e.agrees(factor * e.numeric, np.abs(factor) * e.bar)
        if leftover is not None:
            return Finding(
                "power-rule",
                f"wrong power of {name}: off by {coefficient:.4g} · {name}^{exponent:g}",
                f"yours / numeric is that in every entry; leftover {amount(leftover)}",
                "check the exponent and the coefficient of the derivative: (xⁿ)′ = n xⁿ⁻¹, (1/x)′ = −1/x², (√x)′ = "
                "1/(2√x)",
                leftover,
            )
    return None


def _operands(e: Evidence) -> Iterator[tuple[str, Array]]:
    """Yield everything that has one value for each entry: the input, its companions, the output."""
    yield e.problem.names[e.position], e.x.ravel()
    for name, value in zip(e.problem.names, e.problem.inputs, strict=True):
        if value is not e.x and value.shape == e.x.shape:
            yield name, value.ravel()


def _fit_power(ratio: Array, base: Array) -> tuple[float, float, bool] | None:
    """Return exponent (a multiple of ½, not 0), coefficient, and whether the sign of the base is in it."""
    if np.any(base == 0) or np.unique(np.abs(base)).size < 4:
        return None
    logs = np.log(np.abs(base))
    if np.ptp(logs) < 0.1:
        return None
    slope, _ = np.polyfit(logs, np.log(np.abs(ratio)), 1)
    exponent = round(2 * float(slope)) / 2
    if exponent == 0 or abs(slope - exponent) > 1e-5:
        return None
    for odd in (False, True):
        with np.errstate(all="ignore"):
            factors = ratio / (np.abs(base) ** exponent * (np.sign(base) if odd else 1.0))
        coefficient = float(np.median(factors))
        if np.allclose(factors, coefficient, rtol=1e-6, atol=0):
            return exponent, coefficient, odd
    return None


def wrong_point(e: Evidence) -> Finding | None:
    """Find a right formula that takes the input for the output, or the output for the input."""
    if not (e.complete and e.same_shape and e.x.size >= 3):
        return None
    diagonal = np.eye(e.x.size, dtype=bool)
    if np.any(np.abs(e.jacobian) > e.allowed, where=~diagonal):
        return None
    inputs = list(e.problem.inputs)
    inputs[e.position] = e.outputs[0].copy()
    moved = e.problem.at(tuple(inputs))
    rows = e.cotangents[: e.random]
    with np.errstate(all="ignore"):
        swapped = [
            flatten(moved.backward(moved.inputs, unflatten(g, e.outputs))[e.position : e.position + 1]) for g in rows
        ]
        error = np.abs(np.array(swapped) - e.numeric[: e.random])
    if np.all(error <= (e.bar + e.doubt)[: e.random]):
        leftover = float(np.max(error)) / e.largest
        return Finding(
            "input-for-output",
            "the formula is right but takes the input where the output belongs",
            f"given the output in place of the input, your backward pass is right; leftover {amount(leftover)}",
            "a derivative such as 1 − tanh² or s(1 − s) is written in terms of the result: use out, not x",
            leftover,
        )
    slopes = slopes_along_coordinates(moved.along(e.position), moved.inputs[e.position], rows)
    predicted = np.array(e.numeric)
    slack = np.full_like(e.bar, np.inf)
    predicted[: e.random] = np.where(np.isfinite(slopes.bar), slopes.value, 0.0).T
    slack[: e.random] = 3 * slopes.bar.T
    matched = e.agrees(predicted, slack)
    if matched is None:
        return None
    return Finding(
        "output-for-input",
        "the formula is right but takes the output where the input belongs",
        f"yours is the derivative at the output value; leftover {amount(matched)}",
        "this derivative is written in terms of the input: save x, not the result",
        matched,
    )
