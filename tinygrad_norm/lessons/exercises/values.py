"""Grading values: compared with what the engine computes, and with what known mistakes would give."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .answers import Floats, RefusalError, as_numbers, call, first_not_finite, place, several
from .exercise import Answer, Case, Check, Slip, Slips, Verdict

CLOSE = 1e-9
"""Of the largest entry. The arguments are of ordinary size and well conditioned: any sound way of computing loses
two or three of sixteen digits, and no mistake worth a name is as small."""

Cases = Callable[[np.random.Generator], Sequence[Case]]
Expected = Callable[..., Any]


@dataclass(frozen=True)
class _Pair:
    """One answer beside what it should be."""

    case: Case
    yours: Floats
    right: Floats


def value_check(function: str, labels: Sequence[str], cases: Cases, expected: Expected, slips: Slips) -> Check:
    """Return the check of a function that gives one array, or a tuple of them.

    Parameters
    ----------
    function : str
        Its name.
    labels : sequence of str
        What its results are called; a point each.
    cases : callable
        ``cases(generator)`` gives the arguments to try: the lecture's and random ones.
    expected : callable
        ``expected(*arguments)`` gives the right results, computed by the engine.
    slips : mapping
        For each label the mistakes that have a name.
    """
    names = tuple(labels)

    def grade(answer: Answer, seed: int) -> tuple[Verdict, ...]:
        tried: list[tuple[Case, tuple[Any, ...], tuple[Any, ...]]] = []
        for case in cases(np.random.default_rng(seed)):
            result = several(call(answer, case.arguments), names)
            tried.append((case, result, several(expected(*case.arguments), names)))
        return tuple(
            _verdict(label, [(case, yours[k], right[k]) for case, yours, right in tried], slips.get(label, ()))
            for k, label in enumerate(names)
        )

    return Check(function, names, grade)


def _verdict(label: str, tried: Iterable[tuple[Case, Any, Any]], slips: Sequence[Slip]) -> Verdict:
    try:
        pairs = [_Pair(case, as_numbers(yours), as_numbers(right)) for case, yours, right in tried]
    except RefusalError as refusal:
        return Verdict(label, False, str(refusal), code=refusal.code)
    wrong = [pair for pair in pairs if not same(pair.yours, pair.right, pair.right)]
    if not wrong:
        return Verdict(label, True, f"right on {listed([pair.case.name for pair in pairs])}")
    slip = next((s for s in slips if all(_is_slip(pair, s) for pair in pairs)), None)
    if slip is not None:
        return Verdict(label, False, slip.name, (*_seen(wrong[0]), slip.why), slip.code)
    return _unnamed(label, pairs, wrong[0])


def same(yours: Floats, other: Floats, right: Floats) -> bool:
    """Tell whether two arrays agree up to rounding at the size of the right one; nothing agrees with NaN."""
    if yours.shape != other.shape or not (np.isfinite(yours).all() and np.isfinite(other).all()):
        return False
    size = max(np.max(np.abs(right), initial=0.0), np.max(np.abs(other), initial=0.0))
    return bool(np.all(np.abs(yours - other) <= CLOSE * size))


def _is_slip(pair: _Pair, slip: Slip) -> bool:
    with np.errstate(all="ignore"):
        wrong = np.asarray(slip.answer(*pair.case.arguments), dtype=np.float64)
    return same(pair.yours, wrong, pair.right)


def _unnamed(label: str, pairs: Sequence[_Pair], worst: _Pair) -> Verdict:
    """Say what can be seen of a wrong answer: its shape, a NaN, lost digits, or the worst entry."""
    yours, right = worst.yours, worst.right
    if yours.shape != right.shape:
        message = f"must have the shape {right.shape}; yours has {yours.shape}"
        return Verdict(label, False, message, (f"seen on {worst.case.name}",), "wrong-shape")
    bad = first_not_finite(yours)
    if bad is not None:
        return Verdict(label, False, f"is not finite: {bad}, on {worst.case.name}", code="not-finite")
    digits = next((d for d in range(1, 8) if all(_is_rounded(pair, d) for pair in pairs)), None)
    if digits is not None:
        return Verdict(label, False, f"rounded to {digits} decimals; return every digit", _seen(worst), "rounded")
    if all(_is_float32(pair) for pair in pairs):
        return Verdict(label, False, "computed in float32; use float64 throughout", _seen(worst), "float32")
    return Verdict(label, False, _seen(worst)[0])


def _is_rounded(pair: _Pair, digits: int) -> bool:
    return bool(np.all(np.abs(pair.yours - pair.right) <= 0.51 * 10.0**-digits)) and bool(
        np.all(np.abs(np.round(pair.yours, digits) - pair.yours) <= 1e-12 * np.max(np.abs(pair.yours), initial=1.0))
    )


def _is_float32(pair: _Pair) -> bool:
    size = np.max(np.abs(pair.right), initial=0.0)
    exact = bool(np.all(pair.yours.astype(np.float32) == pair.yours))
    return exact and bool(np.all(np.abs(pair.yours - pair.right) <= 1e-5 * size))


def _seen(pair: _Pair) -> tuple[str, ...]:
    """Return where the answer is furthest off, as a line of detail."""
    if pair.yours.shape != pair.right.shape:
        return (f"shape {pair.yours.shape} where {pair.right.shape} belongs, on {pair.case.name}",)
    gap = np.abs(pair.yours - pair.right)
    index = tuple(map(int, np.unravel_index(int(np.argmax(np.where(np.isnan(gap), np.inf, gap))), gap.shape)))
    yours, right = pair.yours[index], pair.right[index]
    return (f"{yours:.6g} where {right:.6g} belongs{place(index)}, on {pair.case.name}",)


def listed(names: Sequence[str]) -> str:
    """Return names as a list in words.

    Examples
    --------
    >>> listed(["the lecture's table", "random data"]), listed(["one"])
    ("the lecture's table and random data", 'one')
    """
    *first, last = dict.fromkeys(names)
    return f"{', '.join(first)} and {last}" if first else last
