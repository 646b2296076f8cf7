"""Grading backward passes: the gradient check against the engine's forward pass, with its diagnosis."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any

import numpy as np

from ...context import no_grad
from ...engine.tensor import Tensor
from ...gradcheck import Entry, Finding, Report, check_vjp
from ...gradcheck.check_report import verdict_sentence
from ..languages import say
from .cases import Case, Cases, Floats
from .checked_values import Slip, Slips, as_numbers, enumerated, same, several
from .exercise_parts import Answer, Check, Verdict

Backward = Callable[..., Any]

TREMBLE = 1e-12
"""Of the largest entry: far above the rounding of a formula, below that of a quotient of any useful step."""

QUOTIENT = (
    "a difference quotient, and not the derivative",
    (
        "the numbers are right, but move by a thousand roundings when the arguments move by one",
        "a backward pass applies the derivative as a formula; a quotient of differences is what it is checked with",
    ),
    "difference-quotient",
)
"""What is said of an answer that measures what it should derive: message, detail and code."""


def gradient_check(
    function: str,
    forward: Callable[..., Any],
    slips: Slips,
    cases: Cases,
    label: str = "gradient of {}",
    *,
    adapt: Callable[[Answer], Backward] | None = None,
    simpler: Cases | None = None,
) -> Check:
    """Return the check of a hand-written backward pass, ``function(g, *arguments)``; a point for each gradient.

    ``forward(*arguments)`` takes arrays and gives an array or a Tensor. The slips stand by each parameter of it whose
    gradient is asked for, in this order: the mistakes that this exercise knows better than the gradient check. A
    point's label has ``{}`` in place of the parameter. ``adapt`` makes such a function of the learner's when it takes
    something else. What ``simpler`` gives is looked at when a mistake has no name, and not graded.
    """
    labels = {name: label.format(name) for name in slips}

    @wraps(forward)
    def values(*arguments: Any) -> Any:
        with no_grad():
            result = forward(*arguments)
        return result.numpy() if isinstance(result, Tensor) else np.asarray(result)

    def grade(answer: Answer, seed: int) -> tuple[Verdict, ...]:
        backward = answer if adapt is None else adapt(answer)

        def checked(g: Any, *arguments: Any) -> tuple[Floats, ...]:
            return tuple(map(as_numbers, several(backward(g, *arguments), tuple(labels.values()))))

        return _Passes(values, checked, labels, np.random.default_rng(seed), seed).graded(cases, slips, simpler)

    return Check(function, tuple(labels.values()), grade)


@dataclass(frozen=True)
class _Sight:
    """What the gradient check saw of one input: nothing of it, if the backward pass is unfit to be checked."""

    case: Case
    entry: Entry | None
    fault: Finding | None
    finding: Finding | None


def _sight(case: Case, report: Report, name: str) -> _Sight:
    entry = next((entry for entry in report.entries if entry.name == name), None)
    for fault in report.faults:
        # The one fault that is about some gradients only.
        if fault.code != "gradient-not-finite" or entry is None or entry.status != "right":
            return _Sight(case, entry, fault, fault)
    return _Sight(case, entry, None, None if entry is None else entry.finding)


def _is_right(report: Report, name: str) -> bool:
    sight = _sight(Case("", ()), report, name)
    return sight.fault is None and sight.entry is not None and sight.entry.status == "right"


@dataclass(frozen=True)
class _Passes:
    """A forward pass of the engine and a learner's backward pass, to be looked at in several cases."""

    forward: Backward
    backward: Callable[..., tuple[Floats, ...]]
    labels: Mapping[str, str]
    generator: np.random.Generator
    seed: int

    def graded(self, cases: Cases, slips: Slips, simpler: Cases | None) -> tuple[Verdict, ...]:
        """Return a verdict for each gradient: the first mistake that is seen in it, or what it is right on."""
        wrong: dict[str, Verdict] = {}
        right: list[tuple[Case, Report]] = []
        for case in cases(self.generator):
            open_ones = [name for name in self.labels if name not in wrong]
            report = self.check(case, open_ones)
            for name in open_ones:
                # What is unfit about one gradient is found in the check of all: then each is judged apart.
                own = self.check(case, [name]) if report.faults and len(open_ones) > 1 else report
                if not _is_right(own, name):
                    sight = self.name_mistake(_sight(case, own, name), name, slips[name], simpler)
                    wrong[name] = _mistake(self.labels[name], sight, [case.name for case, _ in right])
            if len(wrong) == len(self.labels):
                break
            right.append((case, report))
        for name in [name for name in self.labels if name not in wrong]:
            if self.is_quotient(right[0][0], name):
                wrong[name] = Verdict(self.labels[name], False, *QUOTIENT)
        return tuple(wrong.get(name) or _praise(label, name, right) for name, label in self.labels.items())

    def is_quotient(self, case: Case, name: str) -> bool:
        """Tell whether a right gradient trembles as a difference quotient does when its arguments move by a last bit.

        A formula answers with about as much; a quotient divides the rounding of its two values by its step.
        """
        k = list(self.labels).index(name)
        g = self.generator.standard_normal(self.forward(*case.arguments).shape)

        def moved(value: Any) -> Any:
            if not isinstance(value, np.ndarray) or value.dtype != np.float64:
                return value
            return np.nextafter(value, self.generator.choice([-np.inf, np.inf], value.shape))

        with np.errstate(all="ignore"):
            calm = self.backward(g.copy(), *case.arguments)[k]
            others = [self.backward(g.copy(), *map(moved, case.arguments))[k] for _ in range(3)]
        size = np.max(np.abs(calm), initial=0.0)
        return any(np.max(np.abs(other - calm), initial=0.0) > TREMBLE * size for other in others)

    def check(self, case: Case, names: Sequence[str]) -> Report:
        """Return the gradient check of some inputs in one case."""

        def chosen(g: Any, *arguments: Any) -> tuple[Floats, ...]:
            gradients = dict(zip(self.labels, self.backward(g, *arguments), strict=True))
            return tuple(gradients[name] for name in names)

        return check_vjp(self.forward, chosen, case.arguments, wrt=list(names), seed=self.seed)

    def name_mistake(self, sight: _Sight, name: str, slips: Sequence[Slip], simpler: Cases | None) -> _Sight:
        """Return the sight with the best name: that of a slip, the check's own, or one from a simpler case."""
        if sight.fault is not None:
            return sight
        slip = self._slip(slips, list(self.labels).index(name), sight.case)
        if slip is not None:
            return replace(sight, finding=slip)
        if sight.finding is None and simpler is not None:
            others = (_sight(case, self.check(case, [name]), name) for case in simpler(self.generator))
            return next((other for other in others if other.finding is not None), sight)
        return sight

    def _slip(self, slips: Sequence[Slip], k: int, case: Case) -> Finding | None:
        """Return the slip that gives the same k-th gradient as the learner's function, for two random cotangents."""
        shape = self.forward(*case.arguments).shape
        cotangents = [self.generator.standard_normal(shape) for _ in range(2)]
        with np.errstate(all="ignore"):
            yours = [self.backward(g.copy(), *case.arguments)[k] for g in cotangents]
            for slip in slips:
                theirs = [np.asarray(slip.answer(g, *case.arguments)) for g in cotangents]
                if all(b.any() and same(a, b, b) for a, b in zip(yours, theirs, strict=True)):
                    evidence = say("with this mistake the formula gives exactly yours, for two random g")
                    return Finding(slip.code, slip.name, evidence, slip.why)
        return None


def _mistake(label: str, sight: _Sight, passed: Sequence[str]) -> Verdict:
    entry, finding = sight.entry, sight.finding
    where = say("seen on {case}", case=sight.case.name)
    if passed:
        where += f"; {say('right on {}', enumerated(passed))}"
    seen = () if entry is None else (f"{entry.name}: {verdict_sentence(entry)}",)
    if finding is None:
        wrong = entry is not None and entry.status == "wrong"
        words = "is wrong, in a way that has no name here" if wrong else "could not be checked"
        return Verdict(label, False, words, (*seen, where))
    said = tuple(line for line in (finding.evidence, finding.why) if line)
    return Verdict(label, False, finding.name, (*seen, *said, where), finding.code)


def _praise(label: str, name: str, right: Sequence[tuple[Case, Report]]) -> Verdict:
    message = say("right on {}", enumerated([case.name for case, _ in right]))
    entries = [entry for _, report in right for entry in report.entries if entry.name == name]
    return Verdict(label, True, message, tuple(f"{name}: {verdict_sentence(entry)}" for entry in entries))
