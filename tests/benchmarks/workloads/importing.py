"""What ``import tinygrad_norm`` adds to ``import numpy``, each time in a new process."""

from __future__ import annotations

from ..declaration import Bar, Workload

SCRIPT = """
import time, numpy
start = time.{clock}()
import tinygrad_norm
print(time.{clock}() - start)
"""

IMPORTING = Workload(
    id="import",
    title="import tinygrad_norm after import numpy, in a new process",
    bars=(Bar(0.030), Bar(0.015, aim=True)),
    rounds=20,
    script=SCRIPT,
)
