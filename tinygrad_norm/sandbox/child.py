"""The process in which the file runs: reads one job from standard input, reports lines of JSON.

A job is a generator function of this package; it is named, never sent. Its reports go through a copy of
standard output that nothing else knows of; what the file prints goes to standard error.
"""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, TypeAlias

Job: TypeAlias = Callable[..., Iterator[Any]]
"""What runs in the process: yields whatever JSON can hold."""

READY, DONE = {"sandbox": "ready"}, {"sandbox": "done"}


def main() -> None:
    """Run the job that standard input describes, then end the process at once."""
    order = json.loads(sys.stdin.readline())
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    _keep_apart()
    _limit_memory(order["memory"])
    job: Job = getattr(import_module(order["module"]), order["function"])
    _send(channel, READY)
    for message in job(**order["arguments"]):
        _send(channel, message)
    _send(channel, DONE)
    # Threads and exit handlers of the file have no say any more.
    os._exit(0)


def _keep_apart() -> None:
    """Turn the keyboard into nothing, and the screen into standard error."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    sys.stdin = io.StringIO()


def _limit_memory(size: int) -> None:
    try:
        import resource
    except ImportError:  # only POSIX has it
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    try:
        resource.setrlimit(resource.RLIMIT_AS, (size if hard == resource.RLIM_INFINITY else min(size, hard), hard))
    except (OSError, ValueError):
        return  # macOS has the limit and refuses to set it


def _send(channel: io.TextIOBase | io.TextIOWrapper, message: Any) -> None:
    channel.write(json.dumps(message) + "\n")
    channel.flush()
