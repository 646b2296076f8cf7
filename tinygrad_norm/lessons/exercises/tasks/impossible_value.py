"""Exercise 4: why the notes' 0.36 is impossible, before anything is computed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ....engine.tensor import Tensor
from ...lecture.norm_formula import BATCH, normalize, smallest_largest
from ...lecture.slips.worked_values import batch_norm_values, layer_norm_value
from ..answers import RefusalError, as_numbers, call, first_not_finite, kind_of, something
from ..data import RANDOM, spread
from ..exercise import Answer, Asked, Case, Check, Exercise, Slip, Verdict
from ..values import CLOSE, listed, value_check

SIGN, SIZE, NOTHING = "sign", "size", "nothing"
_CLAIMS = "the notes' own claims"
_ATTAINED = "numbers that reach the bound"
_EXCLUDED = "what rules a claim out"


def _counts(_: np.random.Generator) -> Sequence[Case]:
    return tuple(Case(f"n = {n}", (n,)) for n in (2, 3, 5, 11, 101))


_BOUND_SLIPS = (
    Slip("n", "1/√n: the bound when σ² is divided by n − 1", "here σ² = Σ (x − μ)²/n", lambda n: n**-0.5),
    Slip("n-plus-one", "1/√(n + 1)", "with n = 2 the normalized numbers are −1 and 1", lambda n: (n + 1) ** -0.5),
    Slip("no-root", "1/(n − 1): the root is missing", "M² n (n − 1) = n", lambda n: 1 / (n - 1)),
    Slip("upper", "√(n − 1): the most that the largest can be", "asked is the least", lambda n: (n - 1) ** 0.5),
    Slip("zero", "zero: no positive number at all", "they sum to 0 and are not all 0, so the largest is positive",
         lambda n: 0.0),
)  # fmt: skip


def _grade_attaining(answer: Answer, seed: int) -> tuple[Verdict, ...]:
    for n in (2, 3, 5, 11):
        try:
            numbers = as_numbers(call(answer, (n,)))
        except RefusalError as refusal:
            return (Verdict(_ATTAINED, False, str(refusal), code=refusal.code),)
        bad = first_not_finite(numbers)
        if numbers.shape != (n,):
            words, code = f"must have the shape {(n,)} for n = {n}; yours has {numbers.shape}", "wrong-shape"
        elif bad is not None:
            words, code = f"is not finite: {bad}, for n = {n}", "not-finite"
        elif np.ptp(numbers) == 0:
            words, code = "all numbers are equal: σ = 0, and nothing can be normalized", "constant"
        else:
            largest = float(normalize(Tensor(numbers[:, None]), BATCH).normalized.numpy().max())
            if abs(largest - smallest_largest(n)) <= CLOSE:
                continue
            words, code = _too_large(largest, n), "not-attained"
            if abs(largest - (n - 1) ** 0.5) <= CLOSE and n > 2:
                words, code = "the largest is as large as can be: one far above the others, not below", "upper"
        return (Verdict(_ATTAINED, False, words, code=code),)
    return (Verdict(_ATTAINED, True, "right for n = 2, 3, 5 and 11"),)


def _too_large(largest: float, n: int) -> str:
    return f"for n = {n} the largest normalizes to {largest:.6g}; it can be as small as {smallest_largest(n):.6g}"


def _claims(generator: np.random.Generator) -> Sequence[Case]:
    """Return the claims of the notes, and random ones of every kind."""
    notes = [
        Case(_CLAIMS, (float(w.claimed), np.array(w.numbers, dtype=np.float64), w.index))
        for w in (*batch_norm_values(), layer_norm_value())
    ]
    drawn = []
    for _ in range(40):
        numbers = spread(generator, 6, 1).ravel()
        drawn.append(Case(RANDOM, (float(generator.normal()), numbers, int(generator.integers(6)))))
        drawn.append(Case(RANDOM, (float(generator.uniform(0.05, 0.9)), numbers, int(np.argmax(numbers)))))
    return (*notes, *drawn)


def _ruled_out(claim: float, numbers: np.ndarray, index: int) -> str:
    """Return what rules a claim out; the engine says where the number stands."""
    value = float(normalize(Tensor(numbers[:, None]), BATCH).normalized.numpy()[index, 0])
    if claim * value < 0:
        return SIGN
    largest = numbers[index] == numbers.max()
    return SIZE if largest and claim < smallest_largest(len(numbers)) else NOTHING


_CLAIM_SLIPS = (
    Slip("size-everywhere", "the bound is used for numbers that are not the largest",
         "only the largest of the numbers must reach 1/√(n − 1)",
         lambda c, x, i: SIGN if c * (x[i] - x.mean()) < 0 else SIZE if c < smallest_largest(len(x)) else NOTHING),
    Slip("sign-only", "the sign is looked at, the size is not", "the largest must reach at least 1/√(n − 1)",
         lambda c, x, i: SIGN if c * (x[i] - x.mean()) < 0 else NOTHING),
    Slip("size-only", "the size is looked at, the sign is not", "below the mean is negative, above it positive",
         lambda c, x, i: SIZE if x[i] == x.max() and c < smallest_largest(len(x)) else NOTHING),
    Slip("size-first", "a wrong sign of the largest is called size", "look at the sign first",
         lambda c, x, i: SIZE if x[i] == x.max() and c < smallest_largest(len(x)) else _ruled_out(c, x, i)),
    Slip("sign-of-x", "the sign of the number is compared, not that of its distance from the mean",
         "what counts is x − μ",
         lambda c, x, i: SIGN if c * x[i] < 0
         else SIZE if x[i] == x.max() and c < smallest_largest(len(x)) else NOTHING),
    Slip("everything", "every claim is ruled out by comparing it with the value itself",
         "asked is what sign and size alone can tell",
         lambda c, x, i: _ruled_out(c, x, i) if _ruled_out(c, x, i) != NOTHING else SIZE),
)  # fmt: skip


def _grade_claims(answer: Answer, seed: int) -> tuple[Verdict, ...]:
    tried = []
    for case in _claims(np.random.default_rng(seed)):
        result = call(answer, case.arguments)
        try:
            something(result)
        except RefusalError as refusal:
            return (Verdict(_EXCLUDED, False, str(refusal), code=refusal.code),)
        if not isinstance(result, str) or result not in (SIGN, SIZE, NOTHING):
            words = f"must be {SIGN!r}, {SIZE!r} or {NOTHING!r}; yours is {_shown(result)}"
            return (Verdict(_EXCLUDED, False, words, code="wrong-type"),)
        tried.append((case, result))
    wrong = [(case, result) for case, result in tried if result != _ruled_out(*case.arguments)]
    if not wrong:
        return (Verdict(_EXCLUDED, True, f"right on {listed([case.name for case, _ in tried])}"),)
    (claim, numbers, index), result = wrong[0][0].arguments, wrong[0][1]
    right = _ruled_out(claim, numbers, index)
    seen = f"{result!r} where {right!r} belongs: {numbers[index]:.4g} of {np.round(numbers, 4)} → {claim:.4g}?"
    for slip in _CLAIM_SLIPS:
        if all(slip.answer(*case.arguments) == result for case, result in tried):
            return (Verdict(_EXCLUDED, False, slip.name, (seen, slip.why), slip.code),)
    return (Verdict(_EXCLUDED, False, seen),)


def _shown(result: object) -> str:
    return repr(result) if isinstance(result, str) and len(result) < 30 else kind_of(result)


EXERCISE = Exercise(
    number=4,
    slug="impossible-value",
    title="Why 0.36 is impossible",
    statement="""
The notes normalize 7, the largest of the column 7, 2, 1, 7, 3, and get (7 − μ)/σ = 0.36.
You need not compute μ and σ to know that this is wrong. Normalized numbers obey two rules,
σ² being Σ (x − μ)²/n:

    they sum to 0, so a number above the mean is positive, one below it negative;
    their squares sum to n, so the largest of them cannot be small.

The exercise is to find the least that the largest can be, to show that it can be reached,
and to judge claims with it.
""",
    asked=(
        Asked(
            "smallest_largest(n)",
            """
Return the least value that the largest of n normalized numbers can have.

Given:  n  how many numbers, at least 2; they are not all equal
Return: a number

>>> print(round(smallest_largest(2), 6))
1.0
""",
        ),
        Asked(
            "reaching(n)",
            """
Return n numbers whose largest normalizes to exactly that value.

Given:  n  how many numbers, at least 2
Return: array (n,)

>>> x = reaching(2)
>>> print(round(((x - x.mean()) / x.std()).max(), 6))
1.0
""",
        ),
        Asked(
            "ruled_out_by(claim, numbers, index)",
            """
Say what rules out the claim that numbers[index] normalizes to this value.

Given:  claim    a number
        numbers  array (n,), not all equal
        index    which of them the claim is about
Return: "sign"     the claim has the wrong sign
        "size"     the sign is right, but numbers[index] is the largest, and the claim too small
        "nothing"  neither of these two rules it out

>>> ruled_out_by(-0.21, np.array([5.0, 3.0, 2.0, 5.0, 3.0]), 0)
'sign'
""",
        ),
    ),
    hints=(
        "Let M be the largest. The others sum to −M or less in total, and none exceeds M. How large can the "
        "squares be then? They must reach n.",
        "M is smallest when as many numbers as possible share it: n − 1 of them equal to M. The last one is then "
        "−(n − 1) M, so that all sum to 0.",
        "The squares: (n − 1) M² + (n − 1)² M² = n, so M = 1/√(n − 1). Numbers that reach it: all equal but one, "
        "which is lower. The sign of a claim must be that of numbers[index] − numbers.mean().",
    ),
    solution="""
def smallest_largest(n):
    return 1 / np.sqrt(n - 1)


def reaching(n):
    numbers = np.ones(n)
    numbers[0] = 0.0
    return numbers


def ruled_out_by(claim, numbers, index):
    if claim * (numbers[index] - numbers.mean()) < 0:
        return "sign"
    if numbers[index] == numbers.max() and claim < smallest_largest(len(numbers)):
        return "size"
    return "nothing"
""",
    checks=(
        value_check(
            "smallest_largest",
            ("the least largest value",),
            _counts,
            smallest_largest,
            {"the least largest value": _BOUND_SLIPS},
        ),
        Check("reaching", (_ATTAINED,), _grade_attaining),
        Check("ruled_out_by", (_EXCLUDED,), _grade_claims),
    ),
)
