"""Measurements on the corpus: how often the check is right, and how well its bars cover the true error."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np
from corpus.case import Case
from corpus.known import ENTRIES, Known

import tinygrad_norm as tg
from tinygrad_norm.gradcheck import Report
from tinygrad_norm.gradcheck.measure.numeric import slopes_along_coordinates
from tinygrad_norm.gradcheck.measure.step_ladder import power_of_two, scale
from tinygrad_norm.gradcheck.numpy_pair import hand_written
from tinygrad_norm.gradcheck.verdict import COVERAGE, LEAST_MOVEMENT, WIDEST_BAR, doubt, judge_gradient
from tinygrad_norm.gradcheck.vjp_problem import gaussian_cotangents, probe

#: So many entries of each input of a case are compared with its closed form.
ENTRIES_OF_CASE = 4


@dataclass(frozen=True)
class Coverage:
    """True errors and bars of all entries that the check would judge.

    ``error`` and ``bar`` are the true error and three measured bars; ``relative`` is that relative to the derivative;
    ``refused`` counts entries about which the check says that it cannot tell.
    """

    error: np.ndarray
    bar: np.ndarray
    relative: np.ndarray
    refused: int

    @property
    def uncovered(self) -> int:
        """How many entries are further off than their three bars."""
        return int(np.sum(self.error > self.bar))


def coverage_of(known: Known, seeds: Iterable[int]) -> Coverage:
    """Return errors and bars of a known function at all of its points."""
    found = [coverage_at(known, point, seed) for point in known.points for seed in seeds]
    whole = (np.concatenate([getattr(f, name) for f in found]) for name in ("error", "bar", "relative"))
    return Coverage(*whole, refused=sum(f.refused for f in found))


@cache
def coverage_at(known: Known, point: tuple[float, float], seed: int) -> Coverage:
    """Return errors and bars of a known function at one point."""
    size, offset = point
    x = offset + size * np.random.default_rng(seed).standard_normal(ENTRIES)
    # One output alone, so that every entry has to measure its own noise.
    slopes = slopes_along_coordinates(lambda v: np.ravel(known.function(v)), x, np.eye(ENTRIES))
    value, bar = np.diag(slopes.value), np.diag(slopes.bar)
    with np.errstate(all="ignore"):
        truth = np.asarray(known.derivative(x.astype(np.longdouble)))
        error = np.abs(value - truth).astype(np.float64)
        relative = COVERAGE * bar / np.abs(truth).astype(np.float64)
    largest = np.max(np.abs(value[np.isfinite(value)]), initial=0.0)
    moves = np.diag(slopes.moved) >= LEAST_MOVEMENT * np.diag(slopes.noise)
    judged = np.isfinite(value) & (bar <= WIDEST_BAR * largest) & moves
    return Coverage(error[judged], COVERAGE * bar[judged], relative[judged & (truth != 0)], int(np.sum(~judged)))


def off_in_bars(case: Case, seed: int) -> np.ndarray:
    """Return how far slopes are off a closed form, in three bars and what rounding does to that form.

    They are measured as the slopes of a gradient that is twice as large, along a few entries of each input.
    """
    generator = np.random.default_rng(seed)
    with np.errstate(all="ignore"):
        problem = hand_written(*case.make(generator))
        outputs = problem.forward(problem.copies())
        p = probe(problem, outputs, gaussian_cotangents(outputs, generator), generator)
        found = [np.zeros(0)]
        for k, x in enumerate(problem.inputs):
            some = np.sort(generator.choice(x.size, min(ENTRIES_OF_CASE, x.size), replace=False))
            yours, *nearby = (g[k].reshape(len(p.cotangents), -1)[:, some] for g in (p.gradients, *p.perturbed))
            slopes = slopes_along_coordinates(problem.along(k), x, p.cotangents, some.tolist(), 2 * yours.T)
            doubts = doubt(yours, nearby)
            judged = judge_gradient(2 * yours, slopes, doubts, 0.5 * power_of_two(scale(x)).ravel()[some], None)
            room = judged.uncertainty + doubts.total + slopes.gap.T / 2
            found.append((np.abs(judged.numeric - yours) / room)[~judged.unsure & ~np.bool_(judged.vacuous)])
    return np.nan_to_num(np.concatenate(found))


def answer_of(case: Case, report: Report) -> str:
    """Return the status of a report, or for a mistake its code, ``unnamed`` if it has none.

    Where other mistakes would leave the same gradient, the report tells all; the one that was planted counts then.
    """
    if report.status != "wrong":
        return str(report.status)
    finding = report.finding
    if finding is None:
        return "unnamed"
    return case.expect if case.expect in finding.alternatives else str(finding.code)


def outcomes(case: Case, seeds: Iterable[int]) -> Counter[str]:
    """Return how often a case got which answer: ``right``, ``cannot tell``, ``vacuous``, a code or ``unnamed``."""
    found: Counter[str] = Counter()
    for seed in seeds:
        with np.errstate(all="ignore"):
            forward, backward, inputs = case.make(np.random.default_rng(seed))
        try:
            answer = answer_of(case, tg.check_vjp(forward, backward, inputs, seed=seed))
        except ArithmeticError as error:
            answer = type(error).__name__
        found[answer] += 1
    return found
