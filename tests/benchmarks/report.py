"""What a run found, as plain data: samples, ratios, bars met and missed, peers that were missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from .declaration import OURS, Bar, Workload
from .ratios import Ratio, Summary, ratio, summary
from .timing import Sampled


@dataclass(frozen=True)
class Measured:
    """One quantity of one peer: its samples, and how ours compare to them (None for ours)."""

    quantity: str
    peer: str
    samples: tuple[float, ...]
    summary: Summary
    ratio: Ratio | None
    phases: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Judged:
    """A bar and what was reached: the ratio of the medians, or the median; None where the peer did not run."""

    bar: Bar
    reached: float | None

    @property
    def met(self) -> bool | None:
        """Whether the bar is met; None where it could not be measured."""
        return None if self.reached is None else self.reached <= self.bar.limit


@dataclass(frozen=True)
class Result:
    """What was found for one workload."""

    workload: Workload
    measured: tuple[Measured, ...]
    judged: tuple[Judged, ...]
    missing: Mapping[str, str]
    unable: Mapping[str, str]
    rounds: int


def result(
    workload: Workload,
    times: Mapping[str, Sampled],
    apart: Mapping[str, Mapping[str, tuple[float, ...]]],
    missing: Mapping[str, str],
    unable: Mapping[str, str],
    rounds: int,
) -> Result:
    """Put together what was measured: ``times`` in this process, and all quantities in processes ``apart``.

    ``missing`` maps a peer to what must be installed for it, ``unable`` one that failed to the reason.
    """
    samples: dict[str, dict[str, tuple[float, ...]]] = {}
    for peer, sampled in times.items():
        samples.setdefault("time", {})[peer] = sampled.total
    for peer, amounts in apart.items():
        for quantity, values in amounts.items():
            samples.setdefault(quantity, {})[peer] = values
    measured = []
    for quantity, by_peer in samples.items():
        for peer, values in by_peer.items():
            compared = None if peer == OURS or OURS not in by_peer else ratio(by_peer[OURS], values)
            phases = times[peer].phases if quantity == "time" and peer in times else {}
            medians = {name: summary(phase).median for name, phase in phases.items()}
            measured.append(Measured(quantity, peer, values, summary(values), compared, medians))
    judged = tuple(judge(bar, measured) for bar in workload.bars)
    return Result(workload, tuple(measured), judged, missing, unable, rounds)


def judge(bar: Bar, measured: Sequence[Measured]) -> Judged:
    """Return how far a bar was reached."""
    found = {m.peer: m for m in measured if m.quantity == bar.quantity}
    if bar.of not in found or (bar.against or OURS) not in found:
        return Judged(bar, None)
    if bar.against is None:
        return Judged(bar, found[bar.of].summary.median)
    compared = ratio(found[bar.of].samples, found[bar.against].samples)
    return Judged(bar, None if compared is None else compared.medians)


def as_data(results: Sequence[Result], machine: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return everything as data for JSON."""
    return {
        "machine": dict(machine),
        "settings": dict(settings),
        "workloads": [
            {
                "id": r.workload.id,
                "title": r.workload.title,
                "rounds": r.rounds,
                "measured": [asdict(m) for m in r.measured],
                "bars": [{**asdict(j.bar), "reached": j.reached, "met": j.met} for j in r.judged],
                "missing": dict(r.missing),
                "unable": dict(r.unable),
            }
            for r in results
        ],
    }
