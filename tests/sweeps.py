"""Sweeps over many cases of a kind: all of them in a step of the gate (``SWEEPS=all``), a share of them in the suite.

Which share it is depends on a hash of the package's sources: the same in every run, another one after a change.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar
from zlib import crc32

Case = TypeVar("Case")
PACKAGE = Path(__file__).resolve().parent.parent / "tinygrad_norm"
EVERYTHING = os.environ.get("SWEEPS") == "all"


def turn_of(sources: Sequence[Path]) -> int:
    """A number that changes with the sources."""
    number = 0
    for path in sorted(sources):
        number = crc32(path.read_bytes(), number)
    return number


TURN = 0 if EVERYTHING else turn_of([*PACKAGE.rglob("*.py")])


def share(cases: Sequence[Case], parts: int = 3, everything: bool = EVERYTHING, turn: int = TURN) -> list[Case]:
    """Every so-manieth case, from one that the sources choose; every one in the gate."""
    return list(cases) if everything else list(cases)[turn % parts :: parts]
