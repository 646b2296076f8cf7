"""One thread for the matrix products: those of the labs are too small to be shared out."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from typing import Any


def one_thread() -> AbstractContextManager[Any]:
    """Return a context in which products run on one thread, where threadpoolctl is installed (scikit-learn brings it).

    On a busy machine the threads of a small product wait for each other ten times longer than they work.
    """
    try:
        limits: AbstractContextManager[Any] = import_module("threadpoolctl").threadpool_limits(1)
    except ImportError:
        return nullcontext()
    return limits
