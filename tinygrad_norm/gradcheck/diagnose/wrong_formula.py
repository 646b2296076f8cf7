"""A wrong formula for single derivatives: not squared, upside down, a factor or a term of it missing.

Where the single derivatives ∂(output)/∂(entry) are known, yours and the right ones are two lists of numbers. What turns
one into the other in every place, for one coefficient at most, is the mistake.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import comb

import numpy as np

from ..measure.step_ladder import Array
from ..verdict import Flags
from .atoms import Atom, atoms
from .evidence import Evidence, Finding, Singles, but_for

#: How many different values it takes before a relation with a free coefficient is no accident.
DISTINCT = 4
#: How many choices of the wrong places there must be for each quantity that may separate them.
UNLIKELY = 200


def related(e: Evidence) -> Iterator[Finding | None]:
    """Find a relation between yours and the right derivative alone: a square, a reciprocal, a sign inside."""
    s = e.singles
    if s is None or _distinct(s.numeric) < DISTINCT:
        return
    n, y = s.numeric, s.yours
    room = s.bar + s.doubt
    with np.errstate(all="ignore"):
        for of_yours, of_numeric, slack, words in (
            (y**2, np.abs(n), s.bar + 2 * np.abs(y) * s.doubt, NOT_SQUARED),
            ((1 - y) ** 2, np.abs(1 - n), s.bar + 2 * np.abs(1 - y) * s.doubt, ONE_MINUS),
            (y, n * n, 2 * np.abs(n) * s.bar + s.doubt, SQUARED),
            (y * n, np.ones_like(n), np.abs(y) * s.bar + np.abs(n) * s.doubt, RECIPROCAL),
            (y + n, np.ones_like(n), room, COMPLEMENT),
            (y + n, np.full_like(n, 2.0), room, SIGN_INSIDE),
            (1 / y + 1 / n, np.full_like(n, 2.0), s.bar / n**2 + s.doubt / y**2, SIGN_INSIDE),
        ):
            if words in (NOT_SQUARED, ONE_MINUS, SQUARED) and _distinct(of_numeric) < DISTINCT:
                continue  # all alike: as 1 − f is for tiny f
            left = s.leftover(of_yours, of_numeric, 2 * slack + 1e-13 * np.max(np.abs(of_numeric)))
            if left is not None:
                yield but_for(left, *words)


NOT_SQUARED = (
    "not-squared",
    "not squared: the square of yours is the right derivative",
    "yours² = |numeric| in every place",
    "the right derivative carries the square: look for f² in its formula where f was written",
)
ONE_MINUS = (
    "not-squared",
    "1 − f (or 1 + f) where 1 − f² (or 1 + f²) belongs",
    "with f = ±(1 − yours), |1 − numeric| is f² in every place",
    "the derivative of tanh is 1 − tanh², of tan 1 + tan²: the square belongs to what the function returned",
)
SQUARED = (
    "squared",
    "squared once too often: yours is the square of the right derivative",
    "yours = numeric² in every place",
    "look for a root that is missing, as in 1/√(1 − x²)",
)
RECIPROCAL = (
    "reciprocal",
    "upside down: yours is 1 over the right derivative",
    "yours · numeric = 1 in every place",
    "the derivative of the inverse of f is 1/f′, taken where f is: divide g by it instead of multiplying",
)
COMPLEMENT = (
    "complement",
    "f where 1 − f belongs",
    "yours + numeric = 1 in every place",
    "look for s where 1 − s belongs, as in the derivative of a log-sigmoid, or for exchanged weights t and 1 − t",
)
SIGN_INSIDE = (
    "sign-inside",
    "a sign inside the formula: 1 + f where 1 − f belongs, or the other way round",
    "yours and numeric (or 1 over them) add up to 2 in every place",
    "both lie equally far from 1, on its two sides: follow the minus sign inside the formula",
)


def product_rule(e: Evidence) -> Iterator[Finding | None]:
    """Find one of the two terms of the derivative of x · f(x) missing."""
    s = e.singles
    if s is None or not e.same_shape or _distinct(s.numeric) < DISTINCT or np.any(s.entry != s.output):
        return
    with np.errstate(all="ignore"):
        other = e.outputs[0].ravel()[s.output] / e.x.ravel()[s.entry]
    why = "in y = x · f(x) both factors depend on x: the derivative is f + x f′, and y/x = f is only its first term"
    for predicted, what in ((other, "x f′ is"), (s.numeric - other, "f = y/x is")):
        left = s.leftover(s.yours, predicted, 2 * (s.bar + s.doubt) + 1e-14 * np.abs(other))
        if left is not None:
            name = f"one of the two terms of the product rule is missing: {what} not there"
            yield but_for(left, "product-rule", name, "yours is the other term in every place", why)


def constant_term(e: Evidence) -> Iterator[Finding | None]:
    """Find the same number missing in every place, or in every place that is wrong."""
    s = e.singles
    if s is None or _distinct(s.numeric) < DISTINCT or _beyond(e, s):
        return
    gap = s.numeric - s.yours
    off = np.abs(gap) > s.bar + s.doubt
    if off.sum() < DISTINCT or _distinct(s.numeric[off]) < DISTINCT:
        return
    constant = float(np.median(gap[off]))
    left = s.leftover(s.yours[off], s.numeric[off] - constant, (2 * s.bar + s.doubt)[off])
    if left is not None and abs(constant) > 30 * np.median((s.bar + s.doubt)[off]):
        where = "every place" if off.all() else f"{int(off.sum())} of {len(s)} places, and the others are right"
        yield but_for(
            left,
            "term-missing",
            f"the constant term {constant:.6g} is missing" if constant > 0 else f"a term is {-constant:.6g} too large",
            f"numeric − yours is {constant:.9g} in {where}",
            "the right derivative is yours plus that number: look for the 1 of x added to a function of x, or of x "
            "times a logarithm of x",
        )


def factor_of_formula(e: Evidence) -> Iterator[Finding | None]:
    """Find that yours / numeric is, but for a coefficient, a quantity of the forward pass, or 1 over one."""
    s = e.singles
    if s is None or np.any((s.numeric == 0) != (s.yours == 0)):
        return
    s = _where(s, s.numeric != 0)
    if len(s) < DISTINCT:
        return
    ratio = s.yours / s.numeric
    rough = (s.bar * np.abs(ratio) + s.doubt) / np.abs(s.numeric)
    for missing, label, factors in _products(e, s, ratio, rough):
        with np.errstate(all="ignore"):
            coefficient = float(np.median(ratio / factors))
        left = s.leftover(
            s.yours, coefficient * factors * s.numeric, 2 * np.abs(coefficient * factors) * s.bar + s.doubt
        )
        if left is None:
            continue
        sign = " and the sign is flipped" if coefficient < 0 else ""
        scale = "" if abs(abs(coefficient) - 1) < 1e-8 else f" (and a constant, {abs(coefficient):.6g})"
        name = f"the factor {label} is missing" if missing else f"multiplied by {label}, which does not belong there"
        yield but_for(
            left,
            "factor-missing" if missing else "factor-extra",
            f"{name}{scale}{sign}",
            f"yours / numeric is {coefficient:.6g} {'/' if missing else '·'} {label} in every place",
            "everything else of the derivative is right: the chain rule multiplies by each inner derivative once",
        )


def _products(e: Evidence, s: Singles, ratio: Array, rough: Array) -> Iterator[tuple[bool, str, Array]]:
    """Yield whether it is missing, the label and the values of quantities that the ratio is proportional to."""
    known = atoms(e, s)
    usable = [a for a in known if a.pieces >= DISTINCT and not np.any(a.values == 0)]
    if not usable:
        return
    values = np.array([a.values for a in usable])
    relative = np.abs(rough / ratio)
    best = [int(np.argmin(relative))]

    def fitting(target: Array) -> Iterator[int]:
        with np.errstate(all="ignore"):
            quotient = target / values
            close = np.abs(quotient / quotient[:, best] - 1) <= 2 * (relative + relative[best]) + 1e-9
        yield from np.flatnonzero(close.all(axis=1)).tolist()

    with np.errstate(all="ignore"):
        for k in fitting(ratio):
            yield False, usable[k].label, values[k]
        for k in fitting(1 / ratio):
            yield True, usable[k].label, 1 / values[k]
        for first in usable:
            for k in fitting(1 / (ratio * first.values)):
                yield True, f"{first.label} · {usable[k].label}", 1 / (first.values * values[k])
            for k in fitting(ratio / first.values):
                yield False, f"{first.label} · {usable[k].label}", first.values * values[k]


def another_derivative(e: Evidence) -> Iterator[Finding | None]:
    """Find that yours is, but for a coefficient, an operand of the forward pass in every place."""
    s = e.singles
    if s is None or np.any(s.numeric == 0):
        return
    for atom in atoms(e, s):
        if atom.pieces < DISTINCT or np.any(atom.values == 0) or " " in atom.label:
            continue
        coefficient = float(np.median(s.yours / atom.values))
        left = s.leftover(s.yours, coefficient * atom.values, s.doubt + 1e-14 * np.abs(s.yours))
        if left is not None:
            what = atom.label if abs(coefficient - 1) < 1e-9 else f"{coefficient:.6g} · {atom.label}"
            yield but_for(
                left,
                "wrong-operand",
                f"multiplies by {what}, which is the wrong factor here",
                f"yours is g × {what} in every place",
                "in a product each factor receives g times the other factors, as they entered the product "
                "(normalized, masked or scaled, not raw)",
            )


def term_of_formula(e: Evidence) -> Iterator[Finding | None]:
    """Find that numeric − yours is, but for a coefficient, a quantity of the forward pass."""
    s = e.singles
    if s is None or _beyond(e, s):
        return
    gap, room = s.numeric - s.yours, 2 * s.bar + s.doubt
    if np.sum(np.abs(gap) > 30 * room) < DISTINCT:
        return
    known = [a for a in atoms(e, s) if _splits(a)]
    if not known:
        return
    values = np.array([a.values for a in known])
    for k in _proportional(gap, values):
        yield _term(s, gap, room, known[k])
    for a in known[: len(known) // 2]:
        for between, factor in (("·", a.values), ("/", None if np.any(a.values == 0) else 1 / a.values)):
            if factor is None:
                continue
            for k in _proportional(gap, values * factor):
                b = known[k]
                if _distinct(b.values * factor) < DISTINCT:
                    continue  # a mere sign, like |x| / x
                label = f"{b.label} {between} {a.label}"
                yield _term(s, gap, room, Atom(label, b.values * factor, min(a.pieces, b.pieces)))
    centered = values - values.mean(axis=1, keepdims=True)
    for k in _proportional(gap - gap.mean(), centered):
        yield _term(s, gap, room, known[k], constant=True)


def _proportional(target: Array, values: Array) -> list[int]:
    """Return which rows of values the target is roughly proportional to: worth a closer look."""
    with np.errstate(all="ignore"):
        coefficient = values @ target / np.sum(values * values, axis=1)
        off = np.max(np.abs(target - coefficient[:, None] * values), axis=1)
    found: list[int] = np.flatnonzero(off <= 1e-4 * np.max(np.abs(target))).tolist()
    return found


def _term(s: Singles, gap: Array, room: Array, atom: Atom, constant: bool = False) -> Finding | None:
    """Explain the gap by a multiple of an atom, plus a ``constant`` if asked for."""
    if not np.isfinite(atom.values).all():
        return None
    design = np.stack([atom.values, np.ones_like(gap)], axis=1)[:, : 1 + constant]
    weights = np.min(room) / room
    (coefficient, *more), *_ = np.linalg.lstsq(design * weights[:, None], gap * weights, rcond=None)
    left = s.leftover(gap, design @ [coefficient, *more], room)
    # With a part of the atom no larger than the bars the constant alone explains all, and would with any atom.
    if left is None or np.ptp(coefficient * atom.values) <= np.max(room):
        return None
    what = f"{coefficient:.6g} · {atom.label}"
    if abs(abs(coefficient) - 1) < 1e-8:
        what = f"{'−' if coefficient < 0 else ''}{atom.label}"
    if more:
        what = f"({what} {'+' if more[0] > 0 else '−'} {abs(more[0]):.6g})"
    return but_for(
        left,
        "term-missing",
        f"the term {what} is missing, or half of it is there with the wrong sign",
        "numeric − yours is that in every place",
        "the right derivative is yours plus that term: every path from the input to the output adds one",
    )


def another_point(e: Evidence) -> Iterator[Finding | None]:
    """Find the derivative of an elementwise function taken at −x, 2x or x/2."""
    s = e.singles
    if s is None or not e.same_shape or np.any(s.entry != s.output):
        return
    for label, scale in (("−x", -1.0), ("2x", 2.0), ("x/2", 0.5)):
        for factor in (1.0, scale):
            left = e.at_point(scale * e.x, s.entry, factor)
            if left is not None:
                yield but_for(
                    left,
                    "another-point",
                    f"this is the derivative at {label}",
                    f"yours is the numeric derivative at {label} in every entry",
                    "the derivative of an outer function is taken where the outer function was: at its own argument",
                )


def wrong_branch(e: Evidence) -> Iterator[Finding | None]:
    """Find that yours is right on one side of a value of the input and wrong on the other."""
    s = e.singles
    if s is None:
        return
    wrong = np.abs(s.yours - s.numeric) > s.bar + s.doubt
    if min(wrong.sum(), (~wrong).sum()) < 3 or len(np.unique(s.entry)) < len(s):
        return
    # Few values are separated by accident, unless a constant has just the two.
    candidates = [
        atom
        for atom in atoms(e, s)
        if (atom.label.startswith("|") or not any(f in atom.label for f in (" ", "²", "√")))
        and (atom.pieces == 2 or atom.pieces >= max(10, len(np.unique(s.entry)) // 2))
    ]
    # And so are few places, of which there are few choices.
    if comb(len(s), int(wrong.sum())) < UNLIKELY * len(candidates):
        return
    for atom in candidates:
        side = _separated(atom, wrong)
        if side is not None:
            yield Finding(
                "wrong-branch",
                f"right on one branch only: wrong wherever {side}",
                f"{int(wrong.sum())} of {len(s)} single derivatives are wrong, and just those",
                "a function with branches has a derivative for each: check the formula of this one, and where it "
                "begins",
            )


def _separated(atom: Atom, wrong: Flags) -> str | None:
    """Return in words on which side of which value the wrong places lie, None if there is no such value."""
    low, high = atom.values[wrong], atom.values[~wrong]
    if low.max() < high.min():
        return f"{atom.label} < {_between(low.max(), high.min())}"
    if high.max() < low.min():
        return f"{atom.label} > {_between(high.max(), low.min())}"
    return None


def _between(a: float, b: float) -> str:
    """Return the roundest number between two.

    >>> _between(-0.3, 0.2), _between(1.97, 2.13)
    ('0', '2')
    """
    if a <= 0 <= b:
        return "0"
    middle = (a + b) / 2
    return next(t for t in (f"{middle:.{k}g}" for k in range(1, 18)) if a <= float(t) <= b)


def _distinct(values: Array) -> int:
    size = float(np.max(np.abs(values), initial=0.0)) or 1.0
    return len(np.unique(np.round(np.abs(values) / size, 6)))


def _splits(atom: Atom) -> bool:
    """Tell whether an atom with a free coefficient can be told from others: many values, or zero in a clear pattern."""
    zeros = int(np.sum(atom.values == 0))
    return atom.pieces >= DISTINCT or (zeros >= 3 and len(atom.values) - zeros >= 3)


def _beyond(e: Evidence, s: Singles) -> bool:
    """Tell whether yours sends something where the output does not depend on the input."""
    return bool(e.complete and not e.touched[s.output, s.entry].all())


def _where(s: Singles, chosen: Flags) -> Singles:
    return replace(
        s, **{name: getattr(s, name)[chosen] for name in ("numeric", "yours", "bar", "doubt", "entry", "output")}
    )
