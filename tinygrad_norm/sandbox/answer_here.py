"""An answer in this very process, where there can be no other: in a browser, whose worker is ended when time is up.

The judge asks :class:`AnswerHere` as it asks a process, through the same requests, so each verdict is the same. Nothing
is limited here, and an answer that means to could forge its verdicts: it is for a learner's own answer.
"""

from __future__ import annotations

import builtins
import io
import sys
import warnings
from collections import deque
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

import numpy as np

from .answer_side import Desk, require_allowed
from .parent import Heard, Printed
from .session import Answer
from .wire import read_frame


class AnswerHere(Answer):
    """What :class:`.session.AnswerSession` is, without a process; whoever started this one keeps to the times.

    >>> with AnswerHere(b"double = lambda x: 2 * x", "answer.py") as answer:
    ...     answer.load()["double"](np.array([1.0, 2.0]))
    array([2., 4.])
    """

    def __init__(self, source: bytes, file: str, seconds: float = 10.0, total: float = 120.0) -> None:
        super().__init__(source, file)
        self._replies: deque[bytes] = deque()
        self._desk = Desk(self._replies.append, vars(builtins) | {"__import__": _import})
        self._screen = _Screen()

    @property
    def printed(self) -> Printed:
        """What the answer has printed so far."""
        return self._screen.heard.printed

    def _exchange(self, frame: bytes) -> tuple[bytes, bytes]:
        keyboard, sys.stdin = sys.stdin, io.StringIO()
        try:
            with redirect_stdout(self._screen), redirect_stderr(self._screen), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                with np.errstate(all="ignore"):
                    self._desk.answer(*_parts(frame))
        finally:
            sys.stdin = keyboard
        return _parts(self._replies.pop())


def _parts(frame: bytes) -> tuple[bytes, bytes]:
    parts = read_frame(io.BytesIO(frame).read)
    assert parts is not None
    return parts


class _Screen(io.TextIOBase):
    """Where the answer prints."""

    def __init__(self) -> None:
        self.heard = Heard()

    def write(self, text: str) -> int:
        self.heard.hear(text.encode("utf-8", "replace"))
        return len(text)


def _import(
    name: str,
    globals: Mapping[str, Any] | None = None,
    locals: Mapping[str, Any] | None = None,
    fromlist: Any = (),
    level: int = 0,
) -> Any:
    """Import what an answer may import, as ``__import__`` does."""
    if level == 0:
        require_allowed(name)
    return __import__(name, globals, locals, fromlist, level)
