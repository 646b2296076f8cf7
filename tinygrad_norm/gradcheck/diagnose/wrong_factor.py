"""Mistakes that multiply: the whole gradient by a constant, each row or each entry by something of its own.

A zero, a sign, a size, lost precision; a statistic of a row, a power, the derivative at another point.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace

import numpy as np

from ..measure.one_line import FLOAT32_ROUNDOFF
from ..measure.step_ladder import Array
from ..verdict import Flags
from ..vjp_problem import Problem, flatten, unflatten
from .evidence import LOOSEST, Evidence, Finding, amount, axes_of, axis_sets, but_for

#: What rounding leaves of a gradient that cancels lies between these parts of the right one.
LEFT_BY_ROUNDING = 1e-20, 1e-14
#: How close a fitted number must come to a known one when the bars themselves are tighter.
CLOSE = 1e-9


def zero(e: Evidence) -> Iterator[Finding]:
    """Notice that nothing arrives, or what rounding left of it, although the output depends on the input."""
    largest = float(np.max(np.abs(e.yours), initial=0.0))
    least, most = LEFT_BY_ROUNDING
    if (largest == 0 or least < largest / e.largest < most) and e.significant(e.numeric).any():
        yield Finding(
            "zero",
            f"nothing arrives here: the gradient is zero everywhere{', but for rounding' if largest else ''}",
            f"yours is {f'at most {largest:.0e}' if largest else 'exactly 0'} in every entry, the numeric gradient not",
            "the output moves when this input moves; look for a path that was detached, forgotten or overwritten by "
            "zeros",
        )


def constant_factor(e: Evidence) -> Iterator[Finding]:
    """Find a constant ratio that can be read: a value of the forward pass, a sign, a 2, the size of an axis."""
    ratio = _constant_ratio(e)
    if ratio is None:
        return
    factor, leftover, determined, close = ratio
    readings = list(_readings(e, factor, close))
    if not determined:
        readings = [r for r in readings if r[0] in ("sign-flipped", "twice", "half")]
    codes = list(dict.fromkeys(code for code, *_ in readings))
    if not codes:
        return
    name, why = readings[0][1:]
    if codes == ["mean-as-sum"] or codes == ["sum-as-mean"]:  # which have only the size of an axis to go by
        name = f"{name}, or another factor of {unlike_one(factor)} is wrong"
    if len(codes) > 1:
        told = [next(r for r in readings if r[0] == code) for code in codes[:3]]
        name = f"{unlike_one(factor)} times what it should be; it may be: {'; or: '.join(r[1] for r in told)}"
        why = "; or: ".join(r[2] for r in told)
    found = but_for(leftover, codes[0], name, _ratio_text(factor), why)
    yield replace(found, alternatives=tuple(codes[1:]))


def unexplained_factor(e: Evidence) -> Iterator[Finding]:
    """Find a constant ratio without a reading."""
    ratio = _constant_ratio(e)
    if ratio is None or not ratio[2]:
        return
    factor, leftover = ratio[:2]
    name = f"every entry is {unlike_one(factor)} times what it should be"
    why = "everything but a constant is right: look for a coefficient that the backward pass lost or applies twice"
    yield but_for(leftover, "constant-factor", name, _ratio_text(factor), why)


def unlike_one(factor: float) -> str:
    """Return a factor in six digits, or in as many as tell it from 1.

    >>> unlike_one(2 / 3), unlike_one(1 + 1e-8)
    ('0.666667', '1.00000001')
    """
    return next(text for text in (f"{factor:.{digits}g}" for digits in range(6, 18)) if text != "1")


def _ratio_text(factor: float) -> str:
    return f"yours / numeric is {factor:.9g} in every entry and every cotangent"


def _constant_ratio(e: Evidence) -> tuple[float, float, bool, float] | None:
    """Return ratio, leftover, whether enough entries hold it up to accept any number, and its precision."""
    clear = e.significant(e.numeric)
    if not clear.any():
        return None
    # The entries that are known best decide: they also allow the least.
    room = (e.bar + e.doubt)[clear]
    numeric, yours = e.numeric[clear] / e.largest, e.yours[clear] / e.largest
    weights = numeric * (np.min(room) / room) ** 2
    factor = float(np.dot(yours, weights) / np.dot(numeric, weights))
    leftover = e.agrees(factor * e.numeric, abs(factor) * e.bar)
    if leftover is None:
        return None
    rows = clear[e.random :] if e.complete else clear[:1]
    with np.errstate(all="ignore"):
        precision = ((abs(factor) * e.bar + e.doubt) / np.abs(factor * e.numeric))[clear]
    close = max(CLOSE, 2 * float(np.min(precision)))  # two factors within the bars are so far apart at most
    return (factor, leftover, int(rows.sum()) >= 3, close) if close < LOOSEST else None


def _readings(e: Evidence, factor: float, close: float) -> Iterator[tuple[str, str, str]]:
    """Yield code, name and explanation of everything that this factor may be."""

    def same(number: float) -> bool:
        return abs(factor - number) <= close * abs(number)

    yield from _known_values(e, same)
    if same(-1):
        why = "follow the minus signs: a difference, a division or a −g on the way back"
        yield "sign-flipped", "the sign is flipped", why
    if same(2):
        why = "either a contribution was added two times, or the derivative carries a 2 too many"
        yield "twice", "twice too large: something is counted two times", why
    if same(0.5):
        both = "a value that is used twice must receive both contributions (add them, do not overwrite)"
        yield "half", "half of it is missing", f"{both}, and the derivative of a square carries a 2"
    for size, what in sizes_here(e).items():
        if size < 2:
            continue
        this = f"{size} is the size of {what}"
        if same(size):
            why = f"{this}: a mean sends back g/{size} to each of its entries"
            yield "mean-as-sum", f"the 1/{size} of a mean is missing", why
        if same(1 / size):
            why = f"{this}: contributions of a broadcast or a sum are added, not averaged"
            yield "sum-as-mean", f"divided by {size} where nothing should be: a mean in place of a sum", why
        if size > 2 and (same(size / (size - 1)) or same((size - 1) / size)):
            why = f"{this}: the forward pass divides by one of them, the backward pass by the other"
            yield "n-minus-one", f"n and n − 1 are confused (n = {size})", why
        for name, value in e.problem.constants.items():
            if np.size(value) == 1 and name.isdigit() and value != size and (same(float(value) / size)):
                why = f"{this}, and the forward pass divides by {name}: only what takes part is counted"
                yield "wrong-count", f"divided by {size} where {name} belongs", why
        if what.startswith("axis") and (same(size**0.5) or same(size**-0.5)):
            why = f"{this}: a scale such as 1/√d in the forward pass belongs in the backward pass too"
            yield "root-of-size", f"a factor √{size} is lost or doubled", why


def _known_values(e: Evidence, same: Callable[[float], bool]) -> Iterator[tuple[str, str, str]]:
    """Yield the readings of a factor as a value of the forward pass: an input, a constant, a literal."""
    others = zip(e.problem.names, e.problem.inputs, strict=True)
    named = [(name, float(v.ravel()[0])) for name, v in others if v.size == 1]
    for name, value in e.problem.constants.items():
        scale = np.unique(np.asarray(value)[np.asarray(value) != 0])
        if scale.size == 1 and scale[0] != 1:  # a number, or a mask with its scale in it
            named.append((name, float(scale[0])))
    why = "what multiplies on the way forward multiplies the gradient as well: a scale, 1/τ, an exponent pulled down"
    for name, signed in named:
        value = abs(signed)
        literal = name.lstrip("-")[:1].isdigit()
        label = f"the {name}" if literal else f"{name} = {signed:.6g}"
        for power in (1,) if literal else (1, 2, 0.5):
            of = {1: label, 2: f"the square of {label}", 0.5: f"the root of {label}"}[power]
            if value in (0, 1):
                continue
            if same(value**-power):
                yield "known-factor", f"{of} of the forward pass is missing, or divided by once too often", why
            if same(value**power):
                yield "known-factor", f"{of} of the forward pass is applied once too often, or not divided by", why
    if len(e.outputs) == 1 and e.outputs[0].size == 1:
        out = float(e.outputs[0].ravel()[0])
        for number, label in ((out, "the output"), (2 * out, "twice the output"), (out / 2, "half the output")):
            if number and same(number):
                yield "known-factor", f"{label} is applied once too often, or not divided by", why
            if number and same(1 / number):
                yield "known-factor", f"the factor {label} is missing", why


def sizes_here(e: Evidence) -> dict[int, str]:
    """Return the sizes that a mean or a broadcast could have here, each with what it is the size of."""
    found: dict[int, str] = {}
    shapes = [(e.problem.names[e.position], e.x.shape)]
    shapes += [("the output", out.shape) for out in e.outputs]
    shapes += [(n, v.shape) for n, v in zip(e.problem.names, e.problem.inputs, strict=True)]
    for label, shape in shapes:
        for axis, size in enumerate(shape):
            found.setdefault(size, f"axis {axis} of {label}")
    for label, shape in shapes[: 1 + len(e.outputs)]:
        for axes in axis_sets(len(shape)):
            size = int(np.prod([shape[a] for a in axes]))
            found.setdefault(size, f"{axes_of(axes)} of {label}")
    outputs = e.cotangents.shape[1]
    if e.x.size and outputs % e.x.size == 0:
        found.setdefault(outputs // e.x.size, "the broadcast")
    return found


def scale_missing(e: Evidence) -> Iterator[Finding | None]:
    """Find a constant by which the forward pass multiplies wherever it does anything, and the backward pass not."""
    clear = e.significant(e.numeric)[e.random :]
    if not e.complete or clear.sum() < 3:
        return
    constant = float(np.median(e.jacobian[clear]))
    if _same(abs(constant), 1) or not np.allclose(e.jacobian[clear], constant, rtol=CLOSE, atol=0):
        return
    if any(_same(constant, 1 / size) for size in sizes_here(e) if size > 1):
        return  # a mean: constant_factor tells that better
    yield e.named(
        e.numeric / constant,
        e.bar / abs(constant),
        "scale-missing",
        f"the constant {constant:.6g} of the forward pass is missing",
        f"every non-zero derivative is {constant:.9g} and yours is 1 there",
        "what multiplies on the way forward multiplies the gradient on the way back: the 1/(1 − p) of a dropout, a "
        "scale, or a value that is used several times (add all contributions)",
    )


def lost_precision(e: Evidence) -> Iterator[Finding]:
    """Find seven right digits: every entry is exactly a float32, or within a float32 rounding of the truth.

    Where more than that is right, though not all, something else has computed: a difference quotient does.
    """
    if _constant_ratio(e) is not None:
        return
    with np.errstate(all="ignore"):
        exact = np.all(e.yours.astype(np.float32) == e.yours)
        error = np.abs(e.yours - e.numeric)[e.known]
        relative = np.max((error - (e.bar + e.doubt)[e.known]) / np.abs(e.numeric[e.known]), initial=0.0)
    if not error.size or np.max(error) > 1e-4 * e.largest or not (exact or relative <= 2 * FLOAT32_ROUNDOFF):
        return
    leftover = float(np.max(error)) / e.largest
    if not exact and leftover < FLOAT32_ROUNDOFF / 16:
        yield Finding(
            "difference-quotient",
            "the last digits are wrong: is this a difference quotient in place of the derivative?",
            f"off by up to {amount(leftover)} of the largest entry, and more exact than float32 would be",
            "a backward pass applies the derivative as a formula; a quotient of differences is what it is checked with",
            leftover,
        )
        return
    what = "every entry is exactly a float32 number" if exact else "every entry has seven right digits"
    yield Finding(
        "float32",
        "precision is lost: the backward pass computes in float32",
        f"{what}, off by up to {amount(leftover)} of the largest",
        "the inputs are float64 here; look for astype, for arrays made with dtype=float32, and for float32 constants",
        leftover,
    )


def _same(a: float, b: float) -> bool:
    return abs(a - b) <= CLOSE * max(abs(a), abs(b))


def row_factor(e: Evidence) -> Iterator[Finding | None]:
    """Find a factor per row that is a power of a statistic of the row: 1/σ missing, norm squared, and so on."""
    clear = e.significant(e.numeric)
    for axes in axis_sets(e.x.ndim):
        ratio = _ratio_of_rows(e, axes, clear)
        predicted, slack = ratio * e.numeric, np.abs(ratio) * e.bar
        if not np.isfinite(ratio).all() or e.agrees(predicted, slack) is None:
            continue
        for statistic, symbol, values in _statistics(e.x, axes):
            for power in (1, -1, 2, -2):
                with np.errstate(all="ignore"):
                    expected = np.broadcast_to(values, e.x.shape).ravel() ** power
                if np.allclose(ratio, expected, rtol=1e-8, atol=0):
                    yield e.named(predicted, slack, *_row_words(statistic, symbol, power, axes_of(axes)))


def _row_words(statistic: str, symbol: str, power: int, axes: str) -> tuple[str, str, str, str]:
    """Return code, name, evidence and explanation of a power of a statistic that is missing or one too many."""
    seen = f"yours / numeric is {symbol}{'' if power == 1 else f'^{power}'} in every row"
    divisor = f"{symbol}{'' if abs(power) == 1 else ' squared'} along {axes}"
    if power > 0:
        why = f"the output shrinks with {symbol}, so the gradient carries 1/{symbol} as well"
        return f"{statistic}-missing", f"the division by {divisor} is missing", seen, why
    why = f"the gradient carries 1/{symbol} once for each time that the forward pass divides by it"
    return f"{statistic}-twice", f"divided by {divisor} once too often", seen, why


def _ratio_of_rows(e: Evidence, axes: tuple[int, ...], clear: Flags) -> Array:
    """Return the ratio of each row along ``axes``, spread over its entries."""
    rows = (len(e.yours), *e.x.shape)
    where = (0, *(a + 1 for a in axes))
    with np.errstate(all="ignore"):
        numeric = e.numeric / e.largest
        top = np.where(clear, e.yours / e.largest * numeric, 0.0).reshape(rows).sum(where, keepdims=True)
        bottom = np.where(clear, numeric**2, 0.0).reshape(rows).sum(where, keepdims=True)
        ratio: Array = np.broadcast_to(top / bottom, (1, *e.x.shape)).ravel()
    return ratio


def _statistics(x: Array, axes: tuple[int, ...]) -> Iterator[tuple[str, str, Array]]:
    """Yield code, symbol and value of what a row may have been divided by."""
    with np.errstate(all="ignore"):
        yield "sigma", "σ", np.std(x, axis=axes, keepdims=True)
        yield "norm", "‖x‖", np.sqrt(np.sum(x**2, axis=axes, keepdims=True))
        yield "rms", "rms(x)", np.sqrt(np.mean(x**2, axis=axes, keepdims=True))
        yield "sum-exp", "Σ exp(x)", np.sum(np.exp(x), axis=axes, keepdims=True)
        yield "sum", "Σ x", np.sum(x, axis=axes, keepdims=True)
        yield "max", "max x", np.max(x, axis=axes, keepdims=True)


def power_rule(e: Evidence) -> Iterator[Finding | None]:
    """Find a factor that is a constant times a power of an operand: c · xᵉ."""
    clear = e.significant(e.numeric) & e.significant(e.yours)
    usable = clear.any(axis=0)
    if usable.sum() < 4:
        return
    with np.errstate(all="ignore"):
        numeric = e.numeric / e.largest  # squares of 1e200 would overflow
        top = np.where(clear, e.yours / e.largest * numeric, 0.0).sum(axis=0)
        ratio = top / np.where(clear, numeric**2, 0.0).sum(axis=0)
    for name, base in _operands(e):
        fitted = _fit_power(ratio[usable], base[usable])
        if fitted is None:
            continue
        exponent, coefficient, odd = fitted
        with np.errstate(all="ignore"):
            factor = coefficient * np.abs(base) ** exponent * (np.sign(base) if odd else 1.0)
        if not np.isfinite(factor).all():
            continue
        yield e.named(
            factor * e.numeric,
            np.abs(factor) * e.bar,
            "power-rule",
            f"wrong power of {name}: off by {coefficient:.4g} · {name}^{exponent:g}",
            "yours / numeric is that in every entry",
            "check the exponent and the coefficient of the derivative: (xⁿ)′ = n xⁿ⁻¹, (1/x)′ = −1/x², (√x)′ = 1/(2√x)",
        )


def _operands(e: Evidence) -> Iterator[tuple[str, Array]]:
    """Yield everything that has one value for each entry: the input and its companions."""
    yield e.problem.names[e.position], e.x.ravel()
    for name, value in zip(e.problem.names, e.problem.inputs, strict=True):
        if value is not e.x and value.shape == e.x.shape:
            yield name, value.ravel()


def _fit_power(ratio: Array, base: Array) -> tuple[float, float, bool] | None:
    """Return exponent (a multiple of ½, not 0), coefficient, and whether the sign of the base is in it."""
    if np.any(base == 0) or np.unique(np.abs(base)).size < 4:
        return None
    logs = np.log(np.abs(base))
    if np.ptp(logs) < 0.1 or not np.isfinite(ratio).all() or np.any(ratio == 0):
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


def wrong_point(e: Evidence) -> Iterator[Finding | None]:
    """Find a right formula that takes the input for the output, or the output for the input."""
    s = e.singles
    if s is None or not e.same_shape or np.any(s.entry != s.output) or e.x.size < 3:
        return
    inputs = list(e.problem.inputs)
    inputs[e.position] = e.outputs[0].copy()
    moved = e.problem.at(tuple(inputs))
    with np.errstate(all="ignore"):
        swapped = _yours_at(e, moved)
        error = np.abs(swapped - e.numeric[: e.random])
    if np.all(error <= (e.bar + e.doubt)[: e.random]):
        yield but_for(
            float(np.max(error[e.known[: e.random]])) / e.largest,
            "input-for-output",
            "the formula is right but takes the input where the output belongs",
            "given the output in place of the input, your backward pass is right",
            "a derivative such as 1 − tanh² or s(1 − s) is written in terms of the result: use out, not x",
        )
    left = e.at_point(moved.inputs[e.position], s.entry)
    if left is not None:
        yield but_for(
            left,
            "output-for-input",
            "the formula is right but takes the output where the input belongs",
            "yours is the derivative at the output value",
            "this derivative is written in terms of the input: save x, not the result",
        )


def _yours_at(e: Evidence, moved: Problem) -> Array:
    """Return what the backward pass gives for the random cotangents at another point, NaN where it raises."""
    found = np.full((e.random, e.x.size), np.nan)
    with suppress(Exception):  # a function of somebody else's: whatever it raises there, it does not answer
        for row, g in enumerate(e.cotangents[: e.random]):
            answer = moved.backward(moved.inputs, unflatten(g, e.outputs))[e.position]
            found[row] = flatten((np.asarray(answer),))
    return found
