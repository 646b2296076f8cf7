"""The code around an operation: which frames it runs in, and what their variables call a value.

A value is identified by :func:`key_of`; :func:`variables_of` gives the names that a frame's variables have for values.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Hashable, Iterator, Mapping
from types import FrameType
from typing import Any

import numpy as np

from ..engine.tensor import Tensor

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
COMPOSITIONS = tuple(os.path.join(PACKAGE, room) + os.sep for room in ("functional", "nn", "lessons"))
"""The rooms of this package whose local variables are worth showing as names."""


def key_of(tensor: Tensor) -> Hashable:
    """Return what identifies a Tensor's value: its node on the tape, or the Tensor itself off it."""
    return tensor.node if tensor.node is not None else id(tensor)


def frames_to(home: FrameType | None) -> Iterator[FrameType]:
    """Yield the frames from the caller of the engine's monitor out to ``home``."""
    frame: FrameType | None = sys._getframe(3)
    while frame is not None:
        yield frame
        if frame is home:
            return
        frame = frame.f_back


def is_shown(frame: FrameType) -> bool:
    """Return whether a frame's variables are names that a reader knows: the user's, or a composition's."""
    file = frame.f_code.co_filename
    return not file.startswith(PACKAGE + os.sep) or file.startswith(COMPOSITIONS)


def variables_of(
    frame: FrameType, results: Mapping[Hashable, int] | None = None, arrays: Collection[int] = (), since: int = 0
) -> dict[Hashable, str]:
    """Return the names of the Tensors, and of those arrays, that a frame's local variables hold.

    Of ``results``, each with its number, only those from ``since`` on are named, which the frame computed itself: what
    it was given is not its to name, be it by an argument (``x`` in ``scale(x)`` is whatever was passed) or another.
    """
    results = results or {}
    code = frame.f_code
    arguments = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    found: dict[Hashable, str] = {}
    for name, value in list(frame.f_locals.items()):
        if name.startswith("_"):
            continue
        if isinstance(value, Tensor):
            key = key_of(value)
            if key not in results or (results[key] >= since and name not in arguments):
                found.setdefault(key, name)
        elif isinstance(value, np.ndarray) and id(value) in arrays:
            found.setdefault(array_key(value), name)
    return found


def array_key(array: Any) -> Hashable:
    """Return what identifies a plain array (or list) that an operation took; the trace keeps it alive."""
    return "array", id(array)
