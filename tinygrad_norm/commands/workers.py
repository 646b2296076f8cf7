"""Who does the work of a command that has many independent pieces: threads, processes, or the workers of a cluster."""

from __future__ import annotations

import argparse
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from multiprocessing import get_context
from typing import Any

from ..errors import InputError
from .argument_types import whole_number

MOST = 8


def configure(add: Callable[..., argparse.Action], what: str, default: str) -> None:
    """Add the options that choose."""
    add("--jobs", metavar="J", type=whole_number(1), help=f"how many {what} at a time (default: {default})")
    add("--dask", metavar="ADDRESS", help="do it on the workers of the Dask scheduler there")


def processors() -> int:
    """Return how many jobs at a time this machine is good for."""
    return min(os.cpu_count() or 1, MOST)


@contextmanager
def workers(jobs: int, dask: str | None = None, processes: bool = True) -> Iterator[Executor]:
    """Give so many threads or processes, or a cluster's executor if there is an address.

    InputError if Dask is not installed, or does not answer there.
    """
    if dask is not None:
        with _client(dask) as client:
            yield client.get_executor()
    elif processes and jobs > 1:
        # Ctrl-C reaches all processes of a terminal; only this one decides what it means.
        ignore = (signal.SIGINT, signal.SIG_IGN)
        with ProcessPoolExecutor(jobs, get_context("spawn"), signal.signal, ignore) as pool:
            yield pool
    else:
        with ThreadPoolExecutor(jobs) as threads:
            yield threads


def _client(address: str) -> Any:
    try:
        client = import_module("distributed").Client
    except ImportError:
        raise InputError("--dask needs Dask: pip install 'tinygrad-norm[cluster]'.") from None
    try:
        return client(address, timeout=10)
    except (OSError, ValueError) as error:
        told = " ".join(str(error).split())[:200]
        raise InputError(f"--dask must be the address of a Dask scheduler; got {address!r}: {told}.") from None
