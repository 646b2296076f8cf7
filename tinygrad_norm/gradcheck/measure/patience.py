"""Stops a function that does not come back, such as Newton's method for the root of a negative number.

:class:`Patience` watches one call at a time from a thread of its own and raises inside a call that takes too long. A
single call into compiled code cannot be stopped, and where there are no threads nothing is.
"""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable

from .step_ladder import Array

#: Seconds that a call may always take, and how many times as long as the longest that came back.
LEAST = 0.5
TIMES = 50.0


class TookTooLongError(BaseException):
    """Raised in the middle of a function of somebody else's, which must not take it for an error of its own."""


class Patience:
    """Calls functions, and gives up on a call that takes much longer than all before.

    >>> import numpy as np
    >>> with Patience() as patience:
    ...     patience.call(np.abs, np.array([-2.0]))
    array([2.])
    """

    def __init__(self) -> None:
        self._lock, self._ended = threading.Lock(), threading.Event()
        self._deadline = self._longest = float("inf")
        self._fired = False
        self._caller = threading.get_ident()

    def __enter__(self) -> Patience:
        self._longest = 0.0
        try:
            threading.Thread(target=self._watch, daemon=True).start()
        except RuntimeError:  # no threads here
            self._longest = float("inf")
        return self

    def __exit__(self, *exception: object) -> None:
        self._ended.set()

    def call(self, function: Callable[[Array], Array], x: Array) -> Array | None:
        """Return ``function(x)``, None if it was stopped. The first call may take any time."""
        began = time.monotonic()
        try:
            with self._lock:
                self._deadline = began + max(LEAST, TIMES * self._longest) if self._longest else float("inf")
            value = function(x)
            if self._finish():  # it swallowed what should have stopped it
                return None
        except TookTooLongError:
            with self._lock:
                self._deadline, self._fired = float("inf"), False
            return None
        except BaseException:
            try:
                self._finish()
            except TookTooLongError:
                return None
            raise
        self._longest = max(self._longest, time.monotonic() - began)
        return value

    def _finish(self) -> bool:
        """End the watch; if it has just fired, wait for what it raises, which must not hit the next call.

        Tells whether it has fired.
        """
        with self._lock:
            self._deadline, fired, self._fired = float("inf"), self._fired, False
        for _ in range(100 if fired else 0):  # the function may have swallowed it
            time.sleep(0.001)
        return fired

    def _watch(self) -> None:
        while not self._ended.wait(LEAST / 10):
            with self._lock:
                if time.monotonic() > self._deadline:
                    self._deadline, self._fired = float("inf"), True
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(
                        ctypes.c_ulong(self._caller), ctypes.py_object(TookTooLongError)
                    )
