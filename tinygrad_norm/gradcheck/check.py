"""Checks one problem: hygiene first, then every input, then the names of the mistakes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from .entry import Entry
from .examine import Coordinates, Examination, diagnose, examine
from .hygiene import aliases, backward_faults, forward_faults
from .probe import Probe, gaussian_cotangents, given_cotangent, probe
from .problem import Problem
from .report import Report

#: Faults after which there is no linear map left to compare with the Jacobian.
NOT_LINEAR = ("not-multiplied-by-g", "multiplied-by-g-twice", "not-linear", "another-answer")

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
    generator = np.random.default_rng(seed)
    with np.errstate(all="ignore"):
        outputs = problem.forward(tuple(x.copy() for x in problem.inputs))
        faults = tuple(forward_faults(problem, outputs))
        if any(fault.code in ("not-finite", "random") for fault in faults):
            return Report((), faults, seed=seed, rtol=rtol, evaluations=2)
        cotangents = (
            gaussian_cotangents(outputs, generator) if cotangent is None else given_cotangent(cotangent, outputs)
        )
        p = probe(problem, outputs, cotangents, generator)
        faults += tuple(backward_faults(problem, p))
        examined: list[Examination] = []
        if not any(fault.code in NOT_LINEAR for fault in faults):
            examined = [examine(problem, k, p, generator, coordinates, rtol) for k in range(len(problem.inputs))]
            examined = name_mistakes(problem, examined, p)
        notes = tuple(aliases(problem, p))
    entries = tuple(entry_of(problem, e, order) for e in examined)
    return Report(
        entries=entries,
        faults=faults,
        notes=notes,
        refused=refusal(entries, cotangents.shape[1] == 1, parameters, cotangent is not None),
        cotangents=len(cotangents),
        evaluations=2 + sum(e.evaluations for e in examined),
        seed=seed,
        rtol=rtol,
    )


def name_mistakes(problem: Problem, examined: Sequence[Examination], p: Probe) -> list[Examination]:
    """Return the examinations, those of wrong gradients with the name of the mistake."""
    wrong = {problem.names[e.position]: e for e in examined if e.status == "wrong"}
    return [diagnose(problem, e, p, wrong) if e.status == "wrong" else e for e in examined]


def entry_of(problem: Problem, e: Examination, order: int) -> Entry:
    """Return the report's entry for one examination."""
    x, verdict = problem.inputs[e.position], e.verdict
    by_entry = e.indices is not None
    index: tuple[int, ...] | None = None
    yours = numeric = uncertainty = 0.0
    if verdict.right.size:
        row, column = worst(e)
        yours, numeric = float(verdict.yours[row, column]), float(verdict.numeric[row, column])
        uncertainty = float(verdict.uncertainty[row, column])
        if e.indices is not None:
            index = tuple(int(i) for i in np.unravel_index(int(e.indices[column]), x.shape))
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
    )


def worst(e: Examination) -> tuple[int, int]:
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
    )
