"""Exercise 4: why the notes' 0.36 is impossible, before anything is computed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...lecture.norm_formula import BATCH, smallest_largest, x_hat
from ...lecture.slips.worked_values import batch_norm_values, layer_norm_value
from ..cases import RANDOM, Case, Floats, random_table
from ..checked_values import (
    CLOSE,
    RefusalError,
    Slip,
    as_numbers,
    choice_check,
    property_check,
    something,
    type_in_words,
    unfit,
    value_check,
)
from ..exercise_parts import Exercise

SIGN, SIZE, NOTHING = "sign", "size", "nothing"


def _counts(_: np.random.Generator) -> Sequence[Case]:
    return tuple(Case(f"n = {n}", (n,)) for n in (2, 3, 5, 11, 101))


_POSITIVE = "they sum to 0 and are not all 0, so the largest is positive"
_BOUND_SLIPS = (
    Slip("n", "1/√n: the bound when σ² is divided by n − 1", "here σ² = Σ (x − μ)²/n", lambda n: n**-0.5),
    Slip("n-plus-one", "1/√(n + 1)", "with n = 2 the normalized numbers are −1 and 1", lambda n: (n + 1) ** -0.5),
    Slip("no-root", "1/(n − 1): the root is missing", "M² n (n − 1) = n", lambda n: 1 / (n - 1)),
    Slip("upper", "√(n − 1): the most that the largest can be", "asked is the least", lambda n: (n - 1) ** 0.5),
    Slip("zero", "zero: no positive number at all", _POSITIVE, lambda n: 0.0),
)


def _few(_: np.random.Generator) -> Sequence[Case]:
    return tuple(Case(str(n), (n,)) for n in (2, 3, 5, 11))


def _not_attained(result: Any, n: int) -> tuple[str, str] | None:
    """Return code and name of what keeps the largest of the numbers from reaching the bound."""
    numbers = as_numbers(result)
    found = unfit(numbers, (n,), f" for n = {n}", f", for n = {n}")
    if found is not None:
        return found
    if np.ptp(numbers) == 0:
        return "constant", "all numbers are equal: σ = 0, and nothing can be normalized"
    largest, bound = float(x_hat(numbers[:, None], BATCH).max()), smallest_largest(n)
    if abs(largest - bound) <= CLOSE:
        return None
    if abs(largest - (n - 1) ** 0.5) <= CLOSE and n > 2:
        return "upper", "the largest is as large as can be: one far above the others, not below"
    return "not-attained", f"for n = {n} the largest normalizes to {largest:.6g}; it can be as small as {bound:.6g}"


def _claims(generator: np.random.Generator) -> Sequence[Case]:
    """Return the claims of the notes, and random ones of every kind."""
    cases = [
        Case("the notes' own claims", (float(w.claimed), np.array(w.numbers, dtype=np.float64), w.index))
        for w in (*batch_norm_values(), layer_norm_value())
    ]
    for _ in range(40):
        numbers = random_table(generator, 6, 1).ravel()
        cases.append(Case(RANDOM, (float(generator.normal()), numbers, int(generator.integers(6)))))
        cases.append(Case(RANDOM, (float(generator.uniform(0.05, 0.9)), numbers, int(np.argmax(numbers)))))
    # The largest may be there twice, as the 7 is in the notes' column; the second one is as large.
    column = np.array(batch_norm_values()[0].numbers, dtype=np.float64)
    cases.append(Case("the other 7 of the column", (float(batch_norm_values()[0].claimed), column, 3)))
    return cases


def _wrong_sign(claim: float, numbers: Floats, index: int) -> bool:
    """Tell whether a claim has the wrong sign; the engine says where the number stands."""
    return bool(claim * x_hat(numbers[:, None], BATCH)[index, 0] < 0)


def _small(claim: float, numbers: Floats, index: int) -> bool:
    return claim < smallest_largest(len(numbers))


def _too_small(claim: float, numbers: Floats, index: int) -> bool:
    return bool(numbers[index] == numbers.max()) and _small(claim, numbers, index)


def _say(sign: bool, size: bool) -> str:
    return SIGN if sign else SIZE if size else NOTHING


def _ruled_out(claim: float, numbers: Floats, index: int) -> str:
    """Return what rules a claim out."""
    return _say(_wrong_sign(claim, numbers, index), _too_small(claim, numbers, index))


def _as_word(result: Any) -> str:
    something(result)
    if isinstance(result, str) and result in (SIGN, SIZE, NOTHING):
        return result
    shown = repr(result) if isinstance(result, str) and len(result) < 30 else type_in_words(result)
    raise RefusalError(f"must be {SIGN!r}, {SIZE!r} or {NOTHING!r}; yours is {shown}", "wrong-type")


def _seen_word(case: Case, yours: str, right: str) -> str:
    claim, numbers, index = case.arguments
    return f"{yours!r} where {right!r} belongs: {numbers[index]:.4g} of {np.round(numbers, 4)} → {claim:.4g}?"


_EVERYWHERE = "the bound is used for numbers that are not the largest"
_LARGEST = "only the largest of the numbers must reach 1/√(n − 1)"
_NO_SIZE, _BOUND = "the sign is looked at, the size is not", "the largest must reach at least 1/√(n − 1)"
_NO_SIGN, _SIDES = "the size is looked at, the sign is not", "below the mean is negative, above it positive"
_FIRST = "a wrong sign of the largest is called size"
_OF_X = "the sign of the number is compared, not that of its distance from the mean"
_BY_VALUE = "every claim is ruled out by comparing it with the value itself"
_ALONE = "asked is what sign and size alone can tell"
_FIRST_ONLY, _TIE = "of several largest numbers only the first counts", "compare with numbers.max(): a tie is as large"


def _first_largest(claim: float, numbers: Floats, index: int) -> str:
    largest = index == int(np.argmax(numbers))
    return _say(_wrong_sign(claim, numbers, index), largest and _small(claim, numbers, index))


_CLAIM_SLIPS = (
    Slip("first-largest", _FIRST_ONLY, _TIE, _first_largest),
    Slip("size-everywhere", _EVERYWHERE, _LARGEST, lambda *c: _say(_wrong_sign(*c), _small(*c))),
    Slip("sign-only", _NO_SIZE, _BOUND, lambda *c: _say(_wrong_sign(*c), False)),
    Slip("size-only", _NO_SIGN, _SIDES, lambda *c: _say(False, _too_small(*c))),
    Slip("size-first", _FIRST, "look at the sign first", lambda *c: SIZE if _too_small(*c) else _ruled_out(*c)),
    Slip("sign-of-x", _OF_X, "what counts is x − μ", lambda c, x, i: _say(c * x[i] < 0, _too_small(c, x, i))),
    Slip("everything", _BY_VALUE, _ALONE, lambda *c: _say(_wrong_sign(*c), True)),
)

IMPOSSIBLE_VALUE = Exercise(
    number=4,
    slug="impossible-value",
    title="Why 0.36 is impossible",
    statement="""
The notes normalize 7, the largest of the column 7, 2, 1, 7, 3 (it stands there twice, which
changes nothing in what follows), and get (7 − μ)/σ = 0.36.
You need not compute μ and σ to know that this is wrong. Normalized numbers obey two rules,
σ² being Σ (x − μ)²/n:

    they sum to 0, so a number above the mean is positive, one below it negative;
    their squares sum to n, so the largest of them cannot be small.

The exercise is to find the least that the largest can be, to show that it can be reached,
and to judge claims with it.
""",
    functions='''
def smallest_largest(n):
    """
    Return the least value that the largest of n normalized numbers can have.

    Given:  n  how many numbers, at least 2; they are not all equal
    Return: a number

    >>> print(round(smallest_largest(2), 6))
    1.0
    """
    return 1 / np.sqrt(n - 1)


def reaching(n):
    """
    Return n numbers whose largest normalizes to exactly that value.

    Given:  n  how many numbers, at least 2
    Return: array (n,)

    >>> x = reaching(2)
    >>> print(round(((x - x.mean()) / x.std()).max(), 6))
    1.0
    """
    numbers = np.ones(n)
    numbers[0] = 0.0
    return numbers


def ruled_out_by(claim, numbers, index):
    """
    Say what rules out the claim that numbers[index] normalizes to this value.

    Given:  claim    a number
            numbers  array (n,), not all equal
            index    which of them the claim is about
    Return: "sign"     the claim has the wrong sign
            "size"     the sign is right, but no number is larger than numbers[index], and the
                       claim is too small for that
            "nothing"  neither of these two rules it out

    >>> ruled_out_by(-0.21, np.array([5.0, 3.0, 2.0, 5.0, 3.0]), 0)
    'sign'
    """
    if claim * (numbers[index] - numbers.mean()) < 0:
        return "sign"
    if numbers[index] == numbers.max() and claim < smallest_largest(len(numbers)):
        return "size"
    return "nothing"
''',
    hints=(
        "Let M be the largest. The others sum to exactly −M, and none exceeds M. How large can the squares be "
        "then? They must reach n.",
        "M is smallest when as many numbers as possible share it: n − 1 of them equal to M. The last one is then "
        "−(n − 1) M, so that all sum to 0.",
        "The squares: (n − 1) M² + (n − 1)² M² = n, so M = 1/√(n − 1). Numbers that reach it: all equal but one, "
        "which is lower. The sign of a claim must be that of numbers[index] − numbers.mean().",
    ),
    checks=(
        value_check("smallest_largest", _counts, smallest_largest, {"the least largest value": _BOUND_SLIPS}),
        property_check("reaching", "numbers that reach the bound", _few, _not_attained, praise="right for n = {}"),
        choice_check("ruled_out_by", "what rules a claim out", _claims, _ruled_out, _as_word, _seen_word, _CLAIM_SLIPS),
    ),
)
