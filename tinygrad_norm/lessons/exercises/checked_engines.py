"""Grading an engine: what the learner wrote is run on computations that it has not seen, and so is ours.

:func:`engine_check` compares what is seen of the two. A mistake is the reference solution with something changed, run
on the same computations: it gets its name if its numbers are exactly the learner's. The one idea: a look is a function
of the names in a file, so the learner's file, the reference solution and each mistake are looked at alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

import numpy as np

from ...engine.tensor import Tensor
from ...sandbox import AnswerEndedError
from .cases import Case, Cases, Floats
from .checked_values import CLOSE, RefusalError, as_numbers, enumerated, place, same, type_in_words, unfit
from .exercise_parts import Check, Verdict, given

Names: TypeAlias = Mapping[str, Any]
"""What a file defines."""

Seen: TypeAlias = Mapping[str, Any]
"""What is seen of an engine in one case: numbers, by what they are."""

Look: TypeAlias = Callable[..., Seen]
"""``look(names, *arguments)`` of a case."""

Right: TypeAlias = Callable[..., Seen]
"""``right(*arguments)`` of a case: what should be seen."""


@dataclass(frozen=True)
class Mistake:
    """The reference solution with a mistake in it: each of the texts replaced by another.

    The code is a short stable name, the name says the mistake in a few words, ``why`` what to know.
    """

    code: str
    name: str
    why: str
    edits: Mapping[str, str]


@dataclass(frozen=True)
class _Tried:
    """A case, and what was seen of the learner's engine in it: numbers, or what it raised."""

    case: Case
    yours: Mapping[str, Floats] | Exception


def engine_check(
    function: str,
    label: str,
    cases: Cases,
    look: Look,
    right: Right | Mapping[str, Right],
    solution: str,
    mistakes: Sequence[Mistake],
    *,
    only: str = "",
    praise: str = "right on {}",
    close: float = CLOSE,
    slope: Callable[..., float | None] | None = None,
) -> Check:
    """Return the check of an engine, which is one point.

    Parameters
    ----------
    function, label : str
        What must be in the file, and what the point is called.
    cases, look
        What is looked at in each case.
    right : callable or mapping
        What should be seen, computed by our engine; or several ways of being right, by the praise of each.
    solution, mistakes
        The text of the exercise, and what may be wrong in it.
    only : str
        Of all that is seen, the one thing that this point is about; everything if empty.
    praise : str
        Of a right answer, with ``{}`` in place of the cases.
    close : float
        How far apart right numbers may be, of the largest.
    slope : callable, optional
        ``slope(names, part, index, *arguments)``: a gradient's entry, measured on the learner's own values.
    """
    ways: Mapping[str, Right] = right if isinstance(right, Mapping) else {praise: right}
    chosen = {way: _only(computed, only) for way, computed in ways.items()}
    point = EnginePoint(label, cases, _only(look, only), chosen, solution, tuple(mistakes), close, slope)
    return Check(function, (label,), point.grade, whole_file=True)


def _only(seen: Callable[..., Seen], part: str) -> Callable[..., Seen]:
    return (lambda *arguments: {part: seen(*arguments)[part]}) if part else seen


def _look(look: Look, names: Names, case: Case) -> Mapping[str, Floats] | Exception:
    """Return what is seen in a case, or what was raised; a refusal and what is not written yet go on."""
    try:
        return {part: _numbers(part, value) for part, value in look(names, *case.arguments).items()}
    except (NotImplementedError, RefusalError, AnswerEndedError):
        raise
    except Exception as error:
        return error


def _numbers(part: str, value: Any) -> Floats:
    if value is None:
        raise RefusalError(f"the {part} is None where numbers belong", "none")
    return as_numbers(value)


def _agree(yours: Mapping[str, Floats] | Exception, right: Seen, close: float) -> bool:
    """Tell whether what is seen of an engine is right."""
    if isinstance(yours, Exception):
        return False
    pairs = ((yours.get(part), np.asarray(numbers)) for part, numbers in right.items())
    return all(found is not None and same(found, numbers, numbers, close) for found, numbers in pairs)


def _is_same_mistake(
    yours: Mapping[str, Floats] | Exception, wrong: Mapping[str, Floats] | Exception, close: float
) -> bool:
    """Tell the same of a known mistake: there, what is not finite agrees with what is not finite either."""
    if isinstance(yours, Exception) or isinstance(wrong, Exception):
        return isinstance(yours, Exception) and isinstance(wrong, Exception)
    if yours.keys() != wrong.keys():
        return False
    pairs = [(yours[part], wrong[part]) for part in wrong]
    if any(a.shape != b.shape or (np.isfinite(a) != np.isfinite(b)).any() for a, b in pairs):
        return False
    finite = [(np.nan_to_num(a, posinf=0.0, neginf=0.0), np.nan_to_num(b, posinf=0.0, neginf=0.0)) for a, b in pairs]
    return all(same(a, b, b, close) for a, b in finite)


@dataclass(frozen=True)
class EnginePoint:
    """What :func:`engine_check` is given, put to use."""

    label: str
    cases: Cases
    look: Look
    ways: Mapping[str, Right]
    solution: str
    mistakes: tuple[Mistake, ...]
    close: float
    slope: Callable[..., float | None] | None

    def grade(self, names: Names, seed: int) -> tuple[Verdict, ...]:
        """Return the verdict on an engine."""
        cases = self.cases(np.random.default_rng(seed))
        tried = [_Tried(case, _look(self.look, names, case)) for case in cases]
        return (self.verdict(names, tried),)

    def verdict(self, names: Names, tried: Sequence[_Tried]) -> Verdict:
        """Return what is to be said of all that was tried."""
        failed: list[tuple[_Tried, Seen]] = []
        for way, right in self.ways.items():
            expected = [(t, right(*t.case.arguments)) for t in tried]
            wrong = [(t, seen) for t, seen in expected if not _agree(t.yours, seen, self.close)]
            if not wrong:
                return Verdict(self.label, True, way.format(enumerated([t.case.name for t in tried])))
            failed = failed or wrong
        first, seen = next((pair for pair in failed if not isinstance(pair[0].yours, Exception)), failed[0])
        if isinstance(first.yours, Exception):
            raise first.yours
        mistake = next((m for m in self.mistakes if self.is_made(m, tried)), None)
        return self.mistaken(mistake, names, first.case, first.yours, seen)

    def is_made(self, mistake: Mistake, tried: Sequence[_Tried]) -> bool:
        """Tell whether a mistake gives exactly the learner's numbers, and raises where the learner's engine does."""
        names = with_mistake(self.solution, tuple(mistake.edits.items()))
        return all(_is_same_mistake(t.yours, _look(self.look, names, t.case), self.close) for t in tried)

    def mistaken(
        self, mistake: Mistake | None, names: Names, case: Case, yours: Mapping[str, Floats], right: Seen
    ) -> Verdict:
        """Say where an engine's numbers are wrong, and name the mistake if it is known."""
        part = next(p for p in right if not _agree(yours, {p: right[p]}, self.close))
        code, seen, more = self.described(part, yours[part], np.asarray(right[part]), names, case)
        seen = seen if part == self.label else f"{part}: {seen}"
        if mistake is None:
            return Verdict(self.label, False, seen, more, code)
        return Verdict(self.label, False, mistake.name, (seen, *more, mistake.why), mistake.code)

    def described(
        self, part: str, yours: Floats, right: Floats, names: Names, case: Case
    ) -> tuple[str, str, tuple[str, ...]]:
        """Return a code, what is seen of wrong numbers, and what was measured beside them."""
        misfit = unfit(yours, right.shape)
        if misfit is not None:
            return misfit[0], f"{misfit[1]}, on {case.name}", ()
        gap = np.abs(yours - right)
        index = tuple(map(int, np.unravel_index(int(np.argmax(gap)), gap.shape)))
        steep = None if self.slope is None else self.slope(names, part, index, *case.arguments)
        more = () if steep is None else (f"measured on your own values, the slope is {steep:.6g}",)
        if gap.max() <= 1e-4 * np.abs(right).max():
            more = (*more, "so near, and yet not exact: a numeric derivative, or float32?")
        shown, belongs = _told_apart(float(yours[index]), float(right[index]))
        return "", f"{shown} where {belongs} belongs{place(index)}, on {case.name}", more


def _told_apart(a: float, b: float) -> tuple[str, str]:
    """Return two numbers with as many digits as it takes to see that they differ.

    >>> _told_apart(2.0, 3.0), _told_apart(1.0, 1.00000001)
    (('2', '3'), ('1', '1.00000001'))
    """
    shown = ((f"{a:.{digits}g}", f"{b:.{digits}g}") for digits in (6, 9, 17))
    return next((pair for pair in shown if pair[0] != pair[1]), (repr(a), repr(b)))


@cache
def with_mistake(solution: str, edits: tuple[tuple[str, str], ...] = ()) -> Names:
    """Return what the reference solution defines, with each text replaced by another."""
    text = given(solution)
    for before, after in edits:
        assert before in text, f"not in the solution: {before}"
        text = text.replace(before, after)
    names: dict[str, Any] = {"np": np}
    exec(compile(text, "solution.py", "exec"), names)
    return names


Build: TypeAlias = Callable[..., Any]
"""Computes something of the leaves with the operators and methods that an engine has."""


def graph(name: str, build: Build, g: Any = 1.0, **leaves: Any) -> Case:
    """Return a computation as a case: its leaves by name, and the gradient that arrives at its result."""
    return Case(name, (leaves, build, g))


def ours(leaves: Mapping[str, Any], build: Build, g: Any) -> Seen:
    """Return value and gradients of a computation by our engine."""
    tensors = {name: Tensor(value, requires_grad=True) for name, value in leaves.items()}
    root = build(*tensors.values())
    root.backward(gradient=g)
    zero_or = {name: np.zeros(t.shape) if t.grad is None else t.grad.numpy() for name, t in tensors.items()}
    return {"value": root.numpy(), **{f"gradient of {name}": grad for name, grad in zero_or.items()}}


def built(kind: str, names: Names, leaves: Mapping[str, Any], build: Build) -> tuple[Any, list[Any]]:
    """Return root and leaves of a computation by the learner's engine, whose class is ``kind``."""
    made = [names[kind](np.array(value) if isinstance(value, np.ndarray) else value) for value in leaves.values()]
    root = build(*made)
    if not isinstance(root, names[kind]):
        raise RefusalError(f"the result must be a {kind}; yours is {type_in_words(root)}", "wrong-type")
    return root, made


def theirs(kind: str) -> Look:
    """Return the look at value and gradients of a computation by the learner's engine."""

    def look(names: Names, leaves: Mapping[str, Any], build: Build, g: Any) -> Seen:
        root, made = built(kind, names, leaves, build)
        if np.shape(root.data) != np.shape(g):
            return {"value": root.data}  # no gradient can arrive there
        root.backward(*() if np.ndim(g) == 0 and g == 1.0 else (g,))
        gradients = {f"gradient of {name}": leaf.grad for name, leaf in zip(leaves, made, strict=True)}
        return {"value": root.data, **gradients}

    return look


def measured_slope(kind: str) -> Callable[..., float | None]:
    """Return how an entry of a gradient is measured: on the learner's own values, a leaf moved to both sides."""

    def slope(
        names: Names, part: str, index: tuple[int, ...], leaves: Mapping[str, Any], build: Build, g: Any
    ) -> float | None:
        name = part.removeprefix("gradient of ")
        if name not in leaves or name == part:
            return None

        def at(moved: float) -> float:
            leaf = np.array(leaves[name], dtype=np.float64)
            leaf[index] += moved
            root, _ = built(kind, names, {**leaves, name: leaf if leaf.ndim else float(leaf)}, build)
            return float(np.sum(g * as_numbers(root.data)))

        step = 1e-6
        return (at(step) - at(-step)) / (2 * step)

    return slope
