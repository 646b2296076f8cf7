"""All labs that set published results beside one's own, and how one is run."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor
from contextvars import copy_context
from types import MappingProxyType

from ...errors import InputError
from ...terminal.spelling import did_you_mean
from . import backward, batch_noise, invariance, landscape, lr_ladder, padding_lab, pre_post
from .experiment import Counting, Lab, LabReport, Session, one_thread, silent

_MODULES = (backward, lr_ladder, pre_post, landscape, batch_noise, padding_lab, invariance)

CATALOG: Mapping[str, Lab] = MappingProxyType({module.LAB.name: module.LAB for module in _MODULES})
"""By name."""


def run_lab(
    name: str, seed: int = 0, quick: bool = False, counting: Counting = silent, executor: Executor | None = None
) -> LabReport:
    """Run a lab and report; after Ctrl-C, what was done until then.

    Any ``concurrent.futures.Executor`` may do the trainings, with the same results to the bit.

    The random numbers of the caller (``manual_seed``) are left alone.

    InputError if there is no such lab, or the seed is negative.

    >>> report = run_lab("invariance", seed=1, quick=True)
    >>> [answer.verdict for answer in report.outcome.answers]
    ['exact', 'exact', 'exact', 'exact', 'exact']
    """
    if name not in CATALOG:
        raise InputError(f"the lab must be one of {', '.join(CATALOG)}; got {name!r}.{did_you_mean(name, CATALOG)}")
    if seed < 0:
        raise InputError(f"the seed must be at least 0; got {seed}. Choose a whole number such as 1.")
    lab, session = CATALOG[name], Session(seed, quick, counting, executor)
    with one_thread():
        outcome = copy_context().run(lab.run, session)
    return LabReport(lab, seed, quick, not session.interrupted, outcome)


def labs_for(benefit: str) -> tuple[Lab, ...]:
    """Return the labs that test one of the lecture's four benefits.

    >>> [lab.name for lab in labs_for("regularization")]
    ['batch-noise']
    """
    return tuple(lab for lab in CATALOG.values() if benefit in lab.benefits)
