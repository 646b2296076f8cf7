"""Checks one problem: hygiene first, then every input, then the names of the mistakes.

An input is examined along random directions first, entry by entry when those disagree or when asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .check_report import Entry, Report, Values
from .diagnose import Evidence, Finding, name_mistake
from .diagnose.wrong_place import wrong_shape
from .hygiene import aliases, backward_faults, forward_faults
from .measure.clock import TimeIsUpError, current_clock
from .measure.numeric import Slopes, slopes_along_coordinates, slopes_along_directions
from .measure.step_ladder import Array, power_of_two, random_directions, scale
from .second_look import NEARLY, allowing_for_a_jump, nearly, shaken_again, where_kinks_meet, why_undecided
from .ties import shared_by_none
from .verdict import COVERAGE, Judgment, doubt, judge_gradient
from .vjp_problem import Probe, Problem, gaussian_cotangents, given_cotangent, probe

Coordinates = Literal["auto"] | bool

#: Goes with the seed into the generator of cotangents and directions.
OWN_STREAM = 0x6752
DIRECTIONS = 3
#: Inputs with so few entries are checked entry by entry: directions would cost as much.
FEW = 3
#: Above so many entries a failing input is looked at in a random sample of entries only.
MANY = 1024
SAMPLE = 128
#: The more numbers go in and out, the longer an evaluation takes. So many times entries at most are looked at, or else
#: a sample that comes to so much, but of not fewer than ``LEAST_SAMPLE`` entries.
MOST_WORK = 2**23
SAMPLED_WORK = 2**21
#: With more numbers in and out, the inputs after the first wrong one are looked at along directions alone.
LARGE = 2**15
LEAST_SAMPLE = 8
#: The Jacobian is measured for the diagnosis when it has at most so many entries.
LARGEST_JACOBIAN = 200_000
MOST_OUTPUTS = 600
#: So many entries of a wrong gradient are kept in the report.
MOST_SHOWN = 600

#: Names of gradients that may be wrong by a mere factor, but for their last digits.
FITS_A_MULTIPLE = ("product-rule", "wrong-operand")
#: Faults after which there is no linear map left to compare with the Jacobian.
NOT_LINEAR = ("not-multiplied-by-g", "multiplied-by-g-twice", "not-linear", "another-answer")

MET_A_KINK = (
    "random directions meet a kink in {}, beside which a mistake could hide: entries were checked one by one as well"
)
RETURN_ALL = "Return the whole output instead of a sum: the check multiplies it by random cotangents"
ELSEWHERE = "Choose a point where the output depends on the input"
LEAVE_OUT = "Leave cotangent out: random ones are used then, which nothing cancels"


def check_problem(
    problem: Problem,
    cotangent: Any = None,
    coordinates: Coordinates = "auto",
    seed: int = 0,
    rtol: float | None = None,
    order: int = 1,
    parameters: bool = False,
) -> Report:
    """Check one problem and return the report.

    ``parameters`` says that the inputs are those of a module, some of which may have no influence by design.
    """
    # Not default_rng(seed), of which the data may have been drawn: the first cotangent would be the input itself.
    generator = np.random.default_rng((seed, OWN_STREAM))
    with np.errstate(all="ignore"):
        outputs = problem.forward(problem.copies())
        faults = tuple(forward_faults(problem, outputs))
        if any(fault.code in ("not-finite", "random") for fault in faults):
            return Report((), faults, seed=seed, rtol=rtol, evaluations=2)
        chosen = cotangent is not None
        cotangents = given_cotangent(cotangent, outputs) if chosen else gaussian_cotangents(outputs, generator)
        notes: tuple[str, ...] = ()
        p: Probe | None = None
        try:
            p = probe(problem, outputs, cotangents, generator)
            faults += tuple(backward_faults(p))
            linear = not any(fault.code in NOT_LINEAR for fault in faults)
            examined = examine_all(p, generator, coordinates, rtol) if linear else []
            met = (MET_A_KINK.format(problem.names[e.position]) for e in examined if e.instead)
            notes = (*aliases(p), *p.problem.widened(), *met)
        except TimeIsUpError:  # before any input was examined
            examined = [not_examined(k) for k in range(len(problem.inputs))]
        entries = tuple(entry_of(problem, p, e, order) for e in examined)
    return Report(
        entries=entries,
        faults=faults,
        notes=notes,
        refused=refusal(entries, cotangents.shape[1] == 1, parameters, chosen),
        cotangents=len(cotangents),
        evaluations=2 + sum(e.evaluations for e in examined),
        seed=seed,
        rtol=rtol,
        stopped=current_clock().stopped,
    )


def examine_all(
    p: Probe, generator: np.random.Generator, coordinates: Coordinates, rtol: float | None
) -> list[Examination]:
    """Examine every input, and name the mistakes when all are known."""
    names, examined, clock = p.problem.names, list[Examination](), current_clock()
    for k, name in enumerate(names):
        clock.name = name
        briefly = numbers_of(p) > LARGE and any(e.status == "wrong" for e in examined)
        examined.append(examine(p, k, generator, coordinates, rtol, briefly))
    wrong = {names[e.position]: e for e in examined if e.status == "wrong"}
    return [with_name(e, p, wrong, generator) if e.status == "wrong" else e for e in examined]


def entry_of(problem: Problem, p: Probe | None, e: Examination, order: int) -> Entry:
    """Return the report's entry for one examination."""
    x, verdict = problem.inputs[e.position], e.verdict
    by_entry = e.indices is not None
    index: tuple[int, ...] | None = None
    yours = numeric = uncertainty = 0.0
    row, reason = 0, ""
    if verdict.right.size:
        row, column = worst_entry(e)
        yours, numeric = float(verdict.yours[row, column]), float(verdict.numeric[row, column])
        uncertainty = float(verdict.uncertainty[row, column])
        if e.indices is not None:
            index = tuple(int(i) for i in np.unravel_index(int(e.indices[column]), x.shape))
        if e.status == "cannot tell" and p is not None:
            place = None if e.indices is None else int(e.indices[column])
            with suppress(TimeIsUpError):
                reason = e.reason or why_undecided(p, e.position, verdict, e.slopes, column, place)
    finite = np.isfinite(verdict.uncertainty)
    if e.status == "right" and finite.any():
        uncertainty = float(np.max(verdict.uncertainty[finite]))
    values = np.abs(verdict.numeric)
    return Entry(
        name=problem.names[e.position],
        shape=x.shape,
        order=order,
        status=e.status,
        checked=verdict.right.shape[1] if by_entry else 0,
        total=x.size,
        wrong=int(np.any(verdict.wrong, axis=0).sum()) if by_entry else 0,
        kinks=int(np.any(verdict.kinked, axis=0).sum()) if by_entry else 0,
        index=index,
        yours=yours,
        numeric=numeric,
        uncertainty=uncertainty,
        size=float(np.max(values[np.isfinite(values)], initial=0.0)),
        finding=e.finding,
        reason=reason,
        values=all_values(e, row) if e.status == "wrong" and verdict.right.size else None,
    )


def all_values(e: Examination, row: int) -> Values | None:
    """Return every entry for one cotangent, None if not all were measured or there are many."""
    v = e.verdict
    if e.indices is None or e.sampled or e.misshapen is not None or v.right.shape[1] > MOST_SHOWN:
        return None
    return Values(*(tuple(values[row].tolist()) for values in (v.yours, v.numeric, v.wrong)))


def worst_entry(e: Examination) -> tuple[int, int]:
    """Return row and column of the entry that is furthest outside what is allowed."""
    v = e.verdict
    with np.errstate(all="ignore"):
        excess = np.abs(v.yours - v.numeric) / np.where(v.allowed > 0, v.allowed, np.finfo(np.float64).tiny)
    excess = np.where(np.isnan(excess), np.inf, excess)
    if e.status == "wrong" and v.wrong.any():
        # Among wrong entries the largest difference is easier to look at than the most significant one.
        difference = np.where(v.wrong, np.abs(v.yours - v.numeric), -1.0)
        excess = np.where(np.isnan(difference), np.inf, difference)
    row, column = np.unravel_index(int(np.argmax(excess)), excess.shape)
    return int(row), int(column)


def refusal(entries: Sequence[Entry], scalar: bool, parameters: bool, chosen: bool) -> str:
    """Return why the check proves nothing, or an empty string.

    It is refused when no input shows anything at all; and when the function returns one number (``scalar``) from
    which an input cancels, because that may hide anything. The ``parameters`` of a module may cancel by design.
    ``chosen`` says that the cotangent is the user's own.
    """
    seen = [e for e in entries if e.status != "empty"]
    hidden = [e.name for e in seen if e.status in ("vacuous", "flat")]
    if seen and len(hidden) == len(seen):
        advice = LEAVE_OUT if chosen else RETURN_ALL if scalar else ELSEWHERE
        return f"the check is vacuous: no input moves the output, so a wrong gradient might pass. {advice}"
    if scalar and hidden and not parameters:
        return (
            f"the check is vacuous for {', '.join(hidden)}: the function returns one number, from which it cancels, "
            f"so a wrong gradient might pass. {RETURN_ALL}"
        )
    return ""


def with_order(report: Report, higher: Report) -> Report:
    """Return the report of several orders joined into one."""
    return replace(
        report,
        entries=report.entries + higher.entries,
        faults=report.faults + higher.faults,
        nodes=report.nodes + higher.nodes,
        notes=report.notes + tuple(n for n in higher.notes if n not in report.notes),
        refused=report.refused or higher.refused,
        evaluations=report.evaluations + higher.evaluations,
        place=report.place or higher.place,
        stopped=report.stopped or higher.stopped,
    )


@dataclass(frozen=True)
class Examination:
    """What was found out about one input.

    ``indices`` are the flat entries that were checked one by one, None for random directions. ``slopes`` are those of
    the random cotangents and, when ``complete``, of every single output after them. ``misshapen`` is the shape that the
    backward pass returned when it is not the input's.
    """

    position: int
    verdict: Judgment
    indices: NDArray[np.intp] | None
    slopes: Slopes
    complete: bool = False
    sampled: bool = False
    misshapen: tuple[int, ...] | None = None
    finding: Finding | None = None
    reason: str = ""  # why nothing can be told
    earlier: int = 0
    along: Array | None = None  # (entries, directions), of random directions
    instead: bool = False  # of directions that were right but met a kink
    unfinished: bool = False  # since the time was up

    @property
    def evaluations(self) -> int:
        """How often the function was called."""
        return self.slopes.evaluations + self.earlier

    @property
    def status(self) -> str:
        """The verdict in words; see :class:`.Judgment`. Beside a kink, directions alone show no mistake."""
        if self.misshapen is not None:
            return "wrong"
        sure = self.indices is not None or not self.verdict.kinked.any()
        return "unfinished" if self.unfinished and not (sure and self.verdict.wrong.any()) else self.verdict.status


def examine(
    p: Probe,
    position: int,
    generator: np.random.Generator,
    coordinates: Coordinates = "auto",
    rtol: float | None = None,
    briefly: bool = False,
) -> Examination:
    """Check the gradient of one input; ``briefly`` along directions alone, since enough is wrong already."""
    x, gradient = p.problem.inputs[position], p.gradients[position]
    first = not_examined(position)
    try:
        if gradient.shape[1:] != x.shape:
            return _entries(p, position, generator, rtol, misshapen=gradient.shape[1:])
        if coordinates is True or x.size == 0 or (coordinates == "auto" and x.size <= FEW):
            return _beside_ties(p, _entries(p, position, generator, rtol, everything=coordinates is True))
        first = _directions(p, position, generator, rtol, briefly)
        settled = first.status in ("right", "vacuous", "flat", "empty") and not first.verdict.kinked.any()
        if coordinates is False or briefly or settled:
            return first
        return look_again(p, first, generator, rtol)
    except TimeIsUpError:
        return replace(first, unfinished=True)


def not_examined(position: int) -> Examination:
    """Return the examination of an input for which there was no time."""
    none = np.zeros((0, 0))
    verdict = Judgment(none > 0, none > 0, none > 0, none, none, none, none, vacuous=False)
    slopes = Slopes(none, none, none, none, np.zeros(0), none > 0, 0)
    return Examination(position, verdict, None, slopes, unfinished=True)


def look_again(p: Probe, first: Examination, generator: np.random.Generator, rtol: float | None) -> Examination:
    """Examine the entries of an input along whose directions something is wrong, or odd."""
    position, kinked = first.position, bool(first.verdict.kinked.any())
    second = _entries(p, position, generator, rtol)
    if second.sampled and first.status == "wrong" and second.status != "wrong":
        tied = _beside_ties(p, second)
        if tied is not second:
            return tied
        place, spent = locate(p, first)
        located = _entries(p, position, generator, rtol, chosen=np.array([place]))
        spent += second.evaluations
        if located.status != "wrong":
            return replace(first, earlier=spent + located.evaluations)
        return replace(located, earlier=spent + first.evaluations)
    unresolved = second.slopes.rough.T[: len(p.cotangents)]
    if first.status == "right" and second.status == "wrong" and unresolved[second.verdict.wrong].all():
        # Structure finer than any step condemns nobody; nor does a direction that met a kink acquit.
        verdict = second.verdict
        second = replace(second, verdict=replace(verdict, unsure=verdict.unsure | verdict.wrong))
    second = replace(second, earlier=first.evaluations)
    return _beside_ties(p, replace(second, instead=kinked and first.status == "right"))


def numbers_of(p: Probe) -> int:
    """Return how many numbers go in and out."""
    return sum(a.size for a in (*p.problem.inputs, *p.outputs))


def _beside_ties(p: Probe, e: Examination) -> Examination:
    """Return the examination, or what equal entries show that are right one by one and wrong together."""
    if e.status != "right" or not e.verdict.kinked.any():
        return e
    tie = shared_by_none(p, e.position)
    if tie is None:
        return e
    yours = np.array([[tie.yours]])
    verdict = judge_gradient(yours, tie.slopes, doubt(yours, []), tie.slopes.moved[0], None)
    earlier = e.evaluations
    return Examination(e.position, verdict, None, tie.slopes, finding=tie.finding, earlier=earlier)


def locate(p: Probe, first: Examination) -> tuple[int, int]:
    """Return the flat entry that is most to blame for a wrong direction, and how often the function was called.

    What a direction is off by is the sum of what its two halves are off by, so one half is measured at each step.
    """
    position = first.position
    x, gradients = p.problem.inputs[position], _flat(p.gradients[position])
    assert first.along is not None
    row, line = worst_entry(first)
    row_of, function = p.cotangents[row : row + 1], p.problem.along(position)
    entries, spent = np.arange(x.size), 0
    off = float(first.verdict.yours[row, line] - first.verdict.numeric[row, line])
    while len(entries) > 1:
        half = entries[: len(entries) // 2]
        part = np.zeros(x.size)
        part[half] = first.along[half, line]
        slopes = slopes_along_directions(function, x, [part.reshape(x.shape)], row_of, near=first.slopes.near)
        spent += slopes.evaluations
        there = float(gradients[row] @ part - np.nan_to_num(slopes.value[0, 0]))
        if abs(there) >= abs(off - there):
            entries, off = half, there
        else:
            entries, off = entries[len(half) :], off - there
    return int(entries[0]), spent


def _directions(
    p: Probe, position: int, generator: np.random.Generator, rtol: float | None, briefly: bool = False
) -> Examination:
    x = p.problem.inputs[position]
    directions = random_directions(x, DIRECTIONS, generator)
    along = np.array([v.ravel() for v in directions]).T
    flat = _flat(p.gradients[position])
    sizes = np.abs(flat) @ np.abs(along)
    expected = np.full((DIRECTIONS, len(flat)), np.nan) if briefly else (flat @ along).T
    slopes = slopes_along_directions(p.problem.along(position), x, directions, p.cotangents, expected)
    # Along a direction of unit scale the ladder reaches ½.
    reach = np.full(DIRECTIONS, 0.5)
    verdict = _judged(p, position, flat @ along, slopes, reach, rtol, lambda other: other @ along, sizes)
    return Examination(position, verdict, None, slopes, along=along)


def _entries(
    p: Probe,
    position: int,
    generator: np.random.Generator,
    rtol: float | None,
    everything: bool = False,
    misshapen: tuple[int, ...] | None = None,
    chosen: NDArray[np.intp] | None = None,
) -> Examination:
    x = p.problem.inputs[position]
    indices = np.arange(x.size)
    numbers = numbers_of(p)
    sampled = (x.size > MANY or x.size * numbers > MOST_WORK) and not everything
    if chosen is not None:
        indices = chosen
    elif sampled:
        count = min(SAMPLE, x.size, max(LEAST_SAMPLE, SAMPLED_WORK // numbers))
        indices = np.sort(generator.choice(x.size, count, replace=False))
    outputs, random = p.cotangents.shape[1], len(p.cotangents)
    complete = not sampled and outputs <= MOST_OUTPUTS and outputs * x.size <= LARGEST_JACOBIAN
    rows = np.concatenate([p.cotangents, np.eye(outputs)]) if complete else p.cotangents
    flat = _flat(p.gradients[position]) if misshapen is None else np.full((random, x.size), np.nan)
    expected = np.full((len(indices), len(rows)), np.nan)
    expected[:, :random] = flat[:, indices].T
    slopes = slopes_along_coordinates(p.problem.along(position), x, rows, indices.tolist(), expected)
    seen = len(slopes.value)
    unfinished, indices = seen < len(indices), indices[:seen]
    yours, reach = flat[:, indices], 0.5 * power_of_two(scale(x)).ravel()[indices]
    of_these = None if misshapen is not None else lambda other: other[:, indices]
    verdict = _judged(p, position, yours, _columns(slopes, random), reach, rtol, of_these, flat)
    if unfinished:  # of the others nobody knows, for one, which outputs they move
        if seen == 1:
            raise TimeIsUpError
        complete, sampled, slopes = False, True, _columns(slopes, random)
    elif misshapen is None:
        for look in (where_kinks_meet, shaken_again):
            verdict = look(p, position, verdict, indices, generator)
    return Examination(position, verdict, indices, slopes, complete, sampled, misshapen, unfinished=unfinished)


def _judged(
    p: Probe,
    position: int,
    yours: Array,
    slopes: Slopes,
    reach: Array,
    rtol: float | None,
    part: Callable[[Array], Array] | None,
    size: Array,
) -> Judgment:
    """Judge ``yours``, a ``part`` of a gradient; how rounding shakes it is asked only where it is not right without."""
    verdict = judge_gradient(yours, slopes, doubt(yours, [], size), reach, rtol)
    if part is None or (verdict.status == "right" and not verdict.kinked.any()):
        return verdict
    with np.errstate(all="ignore"):
        shaken = [part(_flat(other[position])) for other in p.perturbed]
    return judge_gradient(yours, slopes, doubt(yours, shaken, size), reach, rtol)


def _columns(slopes: Slopes, count: int) -> Slopes:
    """Return the slopes of the first ``count`` cotangents."""
    kept = {name: getattr(slopes, name)[:, :count] for name in ("value", "bar", "gap", "moved", "noise", "rough")}
    return replace(slopes, **kept)


def _flat(gradient: Array) -> Array:
    return gradient.reshape(len(gradient), -1)


def with_name(
    examination: Examination, p: Probe, others: Mapping[str, Examination], generator: np.random.Generator
) -> Examination:
    """Return the examination of a wrong gradient with the name of the mistake, where one can be given.

    What is nearly right, or nearly in proportion, may be so where the function jumps.
    """
    # One entry that halving led to says nothing of the others.
    if examination.indices is None or (examination.sampled and len(examination.indices) == 1):
        return examination
    try:
        evidence = gather(examination, p, others)
        if examination.misshapen is not None:
            return replace(examination, finding=wrong_shape(evidence, examination.misshapen))
        examination = replace(examination, finding=name_mistake(evidence))
        return near_a_jump(examination, p, others, generator)
    except TimeIsUpError:
        return examination


def near_a_jump(
    e: Examination, p: Probe, others: Mapping[str, Examination], generator: np.random.Generator
) -> Examination:
    """Return the examination with what a jump of the function explains, where yours is nearly right or a multiple."""
    factor = 0.0 if e.sampled else nearly(e.verdict)
    if abs(factor - 1) >= NEARLY and not (factor and (e.finding is None or e.finding.code in FITS_A_MULTIPLE)):
        return e
    allowing, reason = allowing_for_a_jump(p, e.position, e.slopes, generator)
    if not reason:
        return e
    v, count = e.verdict, len(p.cotangents)
    more = COVERAGE * (allowing.bar - e.slopes.bar)[:, :count].T
    unsure = v.unsure | (v.wrong & (np.abs(v.yours - v.numeric) <= v.allowed + more))
    v = replace(v, unsure=unsure, uncertainty=v.uncertainty + more, allowed=v.allowed + more)
    e = replace(e, verdict=v, slopes=allowing, reason=reason, finding=None)
    return replace(e, finding=name_mistake(gather(e, p, others))) if v.wrong.any() else e


def gather(examination: Examination, p: Probe, others: Mapping[str, Examination]) -> Evidence:
    """Return the evidence about one wrong input."""
    position, slopes, indices = examination.position, examination.slopes, examination.indices
    outputs, random = p.cotangents.shape[1], len(p.cotangents)
    cotangents, yours = p.cotangents, _flat(p.gradients[position])
    if examination.complete:
        single = np.eye(outputs)
        cotangents = np.concatenate([cotangents, single])
        yours = np.concatenate([yours, _flat(p.ask(single)[position])])
    trusted = np.isfinite(slopes.value) & (slopes.gap == 0)
    numeric = np.zeros((len(cotangents), p.problem.inputs[position].size))
    bar = np.full_like(numeric, np.inf)
    numeric[:, indices] = np.where(trusted, slopes.value, 0.0).T
    bar[:, indices] = np.where(trusted, COVERAGE * slopes.bar, np.inf).T
    return Evidence(
        problem=p.problem,
        position=position,
        outputs=p.outputs,
        cotangents=cotangents,
        yours=yours,
        numeric=numeric,
        bar=bar,
        doubt=_doubt_of_rows(p, position, yours),
        random=random,
        complete=examination.complete,
        sample=indices if examination.sampled else None,
        # Exactly zero, not within a bar: the output is the same number wherever the entry goes.
        still=((slopes.value == 0) & (slopes.gap == 0)).T[random:],
        others={
            name: (e.verdict.numeric, e.verdict.uncertainty)
            for name, e in others.items()
            if e.indices is not None and not e.sampled and e.position != position
        },
    )


def _doubt_of_rows(p: Probe, position: int, yours: Array) -> Array:
    """Return the doubt of every row: measured for the random cotangents, in proportion for the single outputs."""
    flat = _flat(p.gradients[position])
    measured = doubt(flat, [_flat(g[position]) for g in p.perturbed]).total
    largest = float(np.max(np.abs(flat), initial=0.0))
    relative = float(np.max(measured, initial=0.0)) / largest if largest else 0.0
    rest = np.full((len(yours) - len(flat), yours.shape[1]), relative * np.max(np.abs(yours), initial=0.0))
    return np.concatenate([measured, rest])
