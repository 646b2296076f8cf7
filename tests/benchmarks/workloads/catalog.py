"""All workloads, in the order in which they are run and shown."""

from __future__ import annotations

from collections.abc import Sequence

from ..declaration import BenchmarkError, Workload
from .chain import CHAINS
from .check import CHECK
from .encoder import ENCODERS
from .graph import GRAPHS
from .importing import IMPORTING
from .memory import MEMORY
from .mlp import MLP
from .norm import NORMS
from .small_networks import NUMBERS, RECURRENT
from .tiny import TINY

WORKLOADS: tuple[Workload, ...] = (
    TINY,
    NUMBERS,
    RECURRENT,
    MLP,
    *ENCODERS,
    *NORMS,
    *CHAINS,
    MEMORY,
    IMPORTING,
    *GRAPHS,
    CHECK,
)


def chosen(ids: Sequence[str]) -> list[Workload]:
    """Return the workloads that the ids name; ``encoder64`` names both of its norms, no id names all."""
    for wanted in ids:
        if not any(named(workload, wanted) for workload in WORKLOADS):
            known = ", ".join(workload.id for workload in WORKLOADS)
            raise BenchmarkError(f"a workload must be one of {known}; got {wanted!r}. Give its id, or none for all.")
    return [w for w in WORKLOADS if not ids or any(named(w, wanted) for wanted in ids)]


def named(workload: Workload, wanted: str) -> bool:
    """Return whether an id names this workload or its family."""
    return workload.id == wanted or workload.id.startswith(wanted + "-")
