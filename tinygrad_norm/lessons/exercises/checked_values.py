"""Grading values: an answer is read, then compared with what the engine computes and with what known mistakes give.

:func:`value_check` is for arrays, :func:`choice_check` for an answer that is right or not, :func:`property_check` where
many answers are right. What cannot be compared is refused in one line: :class:`RefusalError`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ..languages import say
from .cases import Case, Cases, Floats
from .exercise_parts import NOT_WRITTEN, Answer, Check, Verdict

CLOSE = 1e-9
"""Of the largest entry. The arguments are of ordinary size and well conditioned: any sound way of computing loses
two or three of sixteen digits, and no mistake worth a name is as small."""


@dataclass(frozen=True)
class Slip:
    """A wrong answer that has a name: ``answer(*arguments)`` gives what this mistake makes of the same arguments.

    The code is a short stable name, the name says the mistake in a few words, ``why`` what to know.
    """

    code: str
    name: str
    why: str
    answer: Callable[..., Any]


Slips: TypeAlias = Mapping[str, tuple[Slip, ...]]
"""The slips that are looked for, by what they are about."""


@dataclass(frozen=True)
class _Pair:
    """One answer beside what it should be."""

    case: Case
    yours: Floats
    right: Floats


def value_check(function: str, cases: Cases, expected: Callable[..., Any], slips: Slips) -> Check:
    """Return the check of a function that gives one array, or a tuple of them.

    ``expected(*arguments)`` gives the right results in each of the cases, computed by the engine. The slips stand by
    what the results are called, a point each.
    """
    names = tuple(slips)

    def grade(answer: Answer, seed: int) -> tuple[Verdict, ...]:
        tried: list[tuple[Case, tuple[Any, ...], tuple[Any, ...]]] = []
        for case in cases(np.random.default_rng(seed)):
            result = several(call(answer, case.arguments), names)
            tried.append((case, result, several(expected(*case.arguments), names)))
        return tuple(
            _verdict(label, [(case, yours[k], right[k]) for case, yours, right in tried], slips[label])
            for k, label in enumerate(names)
        )

    return Check(function, names, grade)


def choice_check(
    function: str,
    label: str,
    cases: Cases,
    expected: Callable[..., Any],
    read: Callable[[Any], Any],
    seen: Callable[[Case, Any, Any], str],
    slips: Sequence[Slip],
) -> Check:
    """Return the check of a function whose answer is the right one or is not: no rounding, no shape; it is one point.

    ``read(result)`` gives the answer in the form of the expected one, or refuses it; ``seen(case, yours, right)`` says
    in a line what is wrong. The others are as in :func:`value_check`.
    """

    def grade(answer: Answer, seed: int) -> tuple[Verdict, ...]:
        tried = [(case, read(call(answer, case.arguments))) for case in cases(np.random.default_rng(seed))]
        wrong = [(case, yours) for case, yours in tried if yours != expected(*case.arguments)]
        if not wrong:
            return (Verdict(label, True, say("right on {}", enumerated([case.name for case, _ in tried]))),)
        case, yours = wrong[0]
        shown = seen(case, yours, expected(*case.arguments))
        for slip in slips:
            if all(yours == slip.answer(*case.arguments) for case, yours in tried):
                return (Verdict(label, False, slip.name, (shown, slip.why), slip.code),)
        return (Verdict(label, False, shown),)

    return Check(function, (label,), grade)


def property_check(
    function: str,
    label: str,
    cases: Cases,
    fault: Callable[..., tuple[str, str] | None],
    detail: Callable[[Case, Any], tuple[str, ...]] = lambda case, result: (),
    praise: str = "right on {}",
) -> Check:
    """Return the check of a function that has many right answers; it is one point.

    ``fault(result, *arguments)`` gives code and name of what is wrong with an answer, None if nothing is;
    ``detail(case, result)`` the lines below a wrong one. The praise of a right one has ``{}`` in place of the cases.
    """

    def grade(answer: Answer, seed: int) -> tuple[Verdict, ...]:
        tried = cases(np.random.default_rng(seed))
        for case in tried:
            result = call(answer, case.arguments)
            found = fault(result, *case.arguments)
            if found is not None:
                code, name = found
                return (Verdict(label, False, name, detail(case, result), code),)
        return (Verdict(label, True, say(praise, enumerated([case.name for case in tried]))),)

    return Check(function, (label,), grade)


def _verdict(label: str, tried: Iterable[tuple[Case, Any, Any]], slips: Sequence[Slip]) -> Verdict:
    try:
        pairs = [_Pair(case, as_numbers(yours), as_numbers(right)) for case, yours, right in tried]
    except RefusalError as refusal:
        return Verdict(label, False, str(refusal), code=refusal.code)
    wrong = [pair for pair in pairs if not same(pair.yours, pair.right, pair.right)]
    if not wrong:
        return Verdict(label, True, say("right on {}", enumerated([pair.case.name for pair in pairs])))
    slip = next((s for s in slips if all(_is_slip(pair, s) for pair in pairs)), None)
    if slip is not None:
        return Verdict(label, False, slip.name, (*_seen(wrong[0]), slip.why), slip.code)
    return _unnamed(label, pairs, wrong[0])


def same(yours: Floats, other: Floats, right: Floats, close: float = CLOSE) -> bool:
    """Tell whether two arrays agree up to rounding at the size of the right one; nothing agrees with NaN."""
    if yours.shape != other.shape or not (np.isfinite(yours).all() and np.isfinite(other).all()):
        return False
    size = max(np.max(np.abs(right), initial=0.0), np.max(np.abs(other), initial=0.0))
    return bool(np.all(np.abs(yours - other) <= close * size))


def _is_slip(pair: _Pair, slip: Slip) -> bool:
    with np.errstate(all="ignore"):
        wrong = np.asarray(slip.answer(*pair.case.arguments), dtype=np.float64)
    # A mistake may give 0/0 in some places, and then it is known by them, too.
    if wrong.shape == pair.yours.shape and np.isfinite(wrong).any():
        undefined = np.isnan(wrong)
        if np.array_equal(undefined, np.isnan(pair.yours)):
            return same(np.where(undefined, 0.0, pair.yours), np.where(undefined, 0.0, wrong), pair.right)
    return same(pair.yours, wrong, pair.right)


def _unnamed(label: str, pairs: Sequence[_Pair], worst: _Pair) -> Verdict:
    """Say what can be seen of a wrong answer: its shape, a NaN, lost digits, or the worst entry."""
    if _are_hard_coded(pairs):
        words = say("gives the same numbers whatever it is given; compute them from the arguments")
        return Verdict(label, False, words, _seen(worst), "hard-coded")
    found = unfit(worst.yours, worst.right.shape, where=say(", on {case}", case=worst.case.name))
    if found is not None:
        code, message = found
        return Verdict(
            label, False, message, (say("seen on {case}", case=worst.case.name),) if code == "wrong-shape" else (), code
        )
    digits = next((d for d in range(1, 8) if all(_is_rounded(pair, d) for pair in pairs)), None)
    if digits is not None:
        message = say("rounded to {digits} decimals; return every digit", digits=digits)
        return Verdict(label, False, message, _seen(worst), "rounded")
    if all(_is_float32(pair) for pair in pairs):
        message = say("computed in float32; use float64 throughout")
        return Verdict(label, False, message, _seen(worst), "float32")
    return Verdict(label, False, _seen(worst)[0])


def _are_hard_coded(pairs: Sequence[_Pair]) -> bool:
    """Tell whether all answers are the same and one of them is right, up to rounding by hand."""
    first = pairs[0].yours
    alike = len(pairs) > 1 and all(np.array_equal(first, pair.yours) for pair in pairs)
    return alike and any(
        pair.right.shape == first.shape
        and first.size > 1
        and bool(np.allclose(first, pair.right, rtol=0.01, atol=0.01))
        for pair in pairs
    )


def _is_rounded(pair: _Pair, digits: int) -> bool:
    if pair.yours.shape != pair.right.shape:
        return False
    return bool(np.all(np.abs(pair.yours - pair.right) <= 0.51 * 10.0**-digits)) and bool(
        np.all(np.abs(np.round(pair.yours, digits) - pair.yours) <= 1e-12 * np.max(np.abs(pair.yours), initial=1.0))
    )


def _is_float32(pair: _Pair) -> bool:
    if pair.yours.shape != pair.right.shape:
        return False
    size = np.max(np.abs(pair.right), initial=0.0)
    exact = bool(np.all(pair.yours.astype(np.float32) == pair.yours))
    return exact and bool(np.all(np.abs(pair.yours - pair.right) <= 1e-5 * size))


def _seen(pair: _Pair) -> tuple[str, ...]:
    """Return where the answer is furthest off, as a line of detail."""
    if pair.yours.shape != pair.right.shape:
        shapes = {"yours": pair.yours.shape, "right": pair.right.shape}
        return (say("shape {yours} where {right} belongs, on {case}", **shapes, case=pair.case.name),)
    gap = np.abs(pair.yours - pair.right)
    index = tuple(map(int, np.unravel_index(int(np.argmax(np.where(np.isnan(gap), np.inf, gap))), gap.shape)))
    numbers = {"yours": f"{pair.yours[index]:.6g}", "right": f"{pair.right[index]:.6g}"}
    text = "{yours} where {right} belongs{place}, on {case}"
    return (say(text, **numbers, place=place(index), case=pair.case.name),)


def enumerated(names: Sequence[str]) -> str:
    """Return names as a list in words.

    >>> enumerated(["the lecture's table", "random data"]), enumerated(["one"])
    ("the lecture's table and random data", 'one')
    """
    *first, last = dict.fromkeys(names)
    return say("{first} and {last}", first=", ".join(first), last=last) if first else last


class RefusalError(Exception):
    """An answer that cannot be compared with anything: what is wrong with it, in one line."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


def call(answer: Answer, arguments: Sequence[Any]) -> Any:
    """Call the learner's function with copies of the arguments and return what it gives.

    RefusalError if it changes its arguments.
    """
    given = deepcopy(list(arguments))
    result = answer(*given)
    for before, after in zip(arguments, given, strict=True):
        if not np.array_equal(before, after):
            words = say("changes its arguments; work on a copy (x = x - 1 in place of x -= 1)")
            raise RefusalError(words, "input-changed")
    return result


def several(result: Any, labels: Sequence[str]) -> tuple[Any, ...]:
    """Return the results that belong to the labels.

    RefusalError if there are not as many.

    >>> several((1.0, 2.0), ("mean", "variance"))
    (1.0, 2.0)
    >>> several(1.0, ("mean",))
    (1.0,)
    """
    something(result)
    if len(labels) == 1:
        return (result,)
    if not isinstance(result, (tuple, list)):
        words, got = "returns {got} where {wanted} belong: {names}, in this order", type_in_words(result)
    elif len(result) == len(labels):
        return tuple(result)
    else:
        words, got = "returns {got} values where {wanted} belong: {names}, in this order", str(len(result))
    raise RefusalError(say(words, got=got, wanted=len(labels), names=", ".join(labels)), "wrong-count")


def something(result: Any) -> None:
    """Refuse an answer that was not given."""
    if result is None:
        raise RefusalError(say("returns None: the return statement is missing, or was not reached"), "none")
    if result is Ellipsis:
        raise RefusalError(say("not written yet"), NOT_WRITTEN)


def as_numbers(value: Any) -> Floats:
    """Return an answer as a float64 array.

    RefusalError if it does not consist of real numbers.

    >>> as_numbers([[1, 2], [3, 4]]).shape
    (2, 2)
    """
    something(value)
    try:
        array = np.asarray(value)
        if array.dtype == object:  # fractions, for example
            array = array.astype(np.float64)
    except (TypeError, ValueError):
        array = np.array(None)
    if array.dtype.kind not in "fiu":
        raise RefusalError(say("returns {got} where numbers belong", got=type_in_words(value)), "wrong-type")
    return np.array(array, dtype=np.float64)


def type_in_words(value: Any) -> str:
    """Say what an answer is.

    >>> type_in_words(np.ones((2, 3), dtype=bool)), type_in_words("0.36"), type_in_words(3)
    ('an array of bool', 'a str', 'an int')
    """
    if isinstance(value, (np.ndarray, np.generic)):
        return say("an array of {kind}" if value.ndim else "a {kind}", kind=value.dtype)
    name = type(value).__name__
    vowel = name[0].lower() in "aeiou"
    return say("an {kind}" if vowel else "a {kind}", kind=name)


def unfit(numbers: Floats, shape: tuple[int, ...], of: str = "", where: str = "") -> tuple[str, str] | None:
    """Return code and name of what keeps numbers from being looked at: another shape, or an entry that is not finite.

    >>> unfit(np.ones(3), (2,), ", a weight for each row")
    ('wrong-shape', 'must have the shape (2,), a weight for each row; yours has (3,)')
    >>> unfit(np.array([1.0, np.nan]), (2,))
    ('not-finite', 'is not finite: nan at [1]')
    """
    if numbers.shape != shape:
        words = "must have the shape {shape}{of}; yours has {yours}"
        return "wrong-shape", say(words, shape=shape, of=of, yours=numbers.shape)
    bad = np.argwhere(~np.isfinite(numbers))
    if not len(bad):
        return None
    value = numbers[tuple(bad[0])]
    return "not-finite", say("is not finite: {value}{place}{where}", value=value, place=place(bad[0]), where=where)


def place(index: Sequence[int] | npt.NDArray[np.intp]) -> str:
    """Return an index in words, nothing for a single number.

    >>> place((1, 2)), place(())
    (' at [1, 2]', '')
    """
    return say(" at [{index}]", index=", ".join(map(str, index))) if len(index) else ""
