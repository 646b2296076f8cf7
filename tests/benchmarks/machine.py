"""What a measurement depends on: the machine, the versions, the threads, the settings of memory."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from tinygrad_norm.memory import SWITCH

PEERS = ("torch", "jax", "jaxlib", "autograd", "mygrad", "torchviz", "numba")
CPUINFO = Path("/proc/cpuinfo")
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def facts() -> dict[str, Any]:
    """Return the facts as plain data."""
    build: Any = np.show_config(mode="dicts")
    blas = build["Build Dependencies"]["blas"]
    return {
        "processor": processor(),
        "cpus": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "libc": " ".join(platform.libc_ver()).strip(),
        "python": platform.python_version(),
        "implementation": sys.implementation.name,
        "numpy": np.__version__,
        "blas": f"{blas.get('name', 'unknown')} {blas.get('version', '')}".strip(),
        "threads": {name: os.environ[name] for name in THREADS if name in os.environ},
        "keeps freed memory": os.environ.get(SWITCH, "1") != "0",
        "peers": {name: found for name in PEERS if (found := installed(name))},
    }


def installed(package: str) -> str | None:
    """Return the version of a package, None where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def processor() -> str:
    """Return the name of the processor as well as the system knows it."""
    try:
        lines = CPUINFO.read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"
