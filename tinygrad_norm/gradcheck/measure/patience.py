"""Stops a function that does not come back, such as Newton's method for the root of a negative number.

:class:`Patience` has a call watched from another thread, which raises inside a call that takes too long. A single call
into compiled code cannot be stopped, and where there are no threads nothing is. Time must have passed, and the process
have computed for as long: a call does not take long because the machine is busy with something else, or other threads.
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
#: So many times as long it may take if it does not compute: it waits for something that does not come.
WAITING = 20.0
#: How often the watch looks in that time, and how often in vain before it ends.
PATROLS = 10


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
        self._limit = self._longest = float("inf")
        self._number, self._fired = 0, False
        # The call that the watch saw last, and when it saw it first: the time, and how long the process had computed.
        self._seen, self._since = 0, (0.0, 0.0)
        self._caller = threading.get_ident()

    def __enter__(self) -> Patience:
        if watch.over(self):
            self._longest = 0.0
        return self

    def __exit__(self, *exception: object) -> None:
        watch.no_more(self)

    def call(self, function: Callable[[Array], Array], x: Array) -> Array | None:
        """Return ``function(x)``, None if it was stopped. The first call may take any time."""
        began = time.monotonic()
        try:
            self._number += 1
            self._limit = max(LEAST, TIMES * self._longest) if self._longest else float("inf")
            value = function(x)
            if self._finish():  # it swallowed what should have stopped it
                return None
        except TookTooLongError:
            with watch.lock:
                self._limit, self._fired = float("inf"), False
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
        with watch.lock:
            self._limit, fired, self._fired = float("inf"), self._fired, False
        for _ in range(100 if fired else 0):  # the function may have swallowed it
            time.sleep(0.001)
        return fired

    def stop_if_late(self) -> None:
        """Raise inside a call whose time is up; the watch calls this from its thread."""
        if self._limit == float("inf"):
            return
        now = time.monotonic(), time.process_time()
        if self._seen != self._number:
            self._seen, self._since = self._number, now
            return
        passed, computed = now[0] - self._since[0], now[1] - self._since[1]
        if min(passed, max(computed, passed / WAITING)) > self._limit:
            self._limit, self._fired = float("inf"), True
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._caller), ctypes.py_object(TookTooLongError))


class Watch:
    """The one thread that watches calls. To start one takes as long as some checks, so it stays for a while."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._watched: set[Patience] = set()
        self._thread = threading.Thread()

    def over(self, patience: Patience) -> bool:
        """Begin to watch; tells whether there are threads here."""
        with self.lock:
            self._watched.add(patience)
            if not self._thread.is_alive():  # nor is it after a fork
                self._thread = threading.Thread(target=self._run, daemon=True)
                try:
                    self._thread.start()
                except RuntimeError:
                    return False
        return True

    def no_more(self, patience: Patience) -> None:
        """End watching."""
        with self.lock:
            self._watched.discard(patience)

    def _run(self) -> None:
        idle = 0
        while idle < PATROLS:
            time.sleep(LEAST / PATROLS)
            with self.lock:
                idle = 0 if self._watched else idle + 1
                for patience in self._watched:
                    patience.stop_if_late()
                if idle == PATROLS:
                    self._thread = threading.Thread()


watch = Watch()
