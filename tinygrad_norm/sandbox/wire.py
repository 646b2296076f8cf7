"""What crosses the border between a judge and an answer: plain values and arrays as bytes, everything else as a handle.

A frame is its length, then JSON, then the bytes of its arrays. Nothing in it is run when it is read, and whatever is
malformed is a :class:`WireError`: the other side may be hostile. This module knows no other of the package, as it is
also loaded on the other side.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

LARGEST = 16 * 2**20
"""Bytes of a frame. A value that is larger is refused where it is sent, and a frame where it arrives."""

MOST = 100_000
"""Numbers, texts, lists and so on in a frame; an array counts as one."""

_LENGTHS = struct.Struct(">II")
_KINDS = "biufc"
_WIDEST = 16
_LONGEST = 1000
"""Bits of a whole number: each is a float64, too, and can be printed."""


class WireError(Exception):
    """A frame or a value that cannot cross, in words."""


class Sent:
    """A value on its way: JSON, the arrays beside it in the order in which they stand in it, and their bytes."""

    def __init__(self, handle: Callable[[Any], list[Any]]) -> None:
        self.arrays: list[Any] = []
        self._handle = handle
        self._blobs: list[bytes] = []
        self._size = self._count = 0

    def tree(self, value: Any) -> Any:
        """Return a value as JSON can hold it; its arrays are kept beside it."""
        self._count += 1
        if self._count > MOST:
            raise WireError(f"holds more than {MOST:,} values outside of arrays")
        if value is None or (isinstance(value, (bool, float, str)) and type(value) in (bool, float, str)):
            return value
        if type(value) is int and value.bit_length() <= _LONGEST:
            return {"int": hex(value)}
        if value is Ellipsis:
            return {"ellipsis": 1}
        if isinstance(value, (list, tuple)):
            return {"tuple" if isinstance(value, tuple) else "list": [self.tree(item) for item in value]}
        if isinstance(value, dict) and all(type(key) is str for key in value):
            return {"dict": [[key, self.tree(item)] for key, item in value.items()]}
        if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in _KINDS:
            return self._array(value)
        return {"handle": self._handle(value)}

    def _array(self, value: Any) -> dict[str, list[Any]]:
        array = np.asarray(value)
        self._size += array.nbytes
        if self._size > LARGEST:
            raise WireError(f"holds more than {LARGEST // 2**20} MB")
        native = array.astype(array.dtype.newbyteorder("="), copy=False)
        self.arrays.append(value)
        self._blobs.append(native.tobytes())
        return {"array" if isinstance(value, np.ndarray) else "scalar": [native.dtype.str, list(array.shape)]}

    def frame(self, message: Any) -> bytes:
        """Return the bytes of a message, whose values went through :meth:`tree`."""
        text = json.dumps(message).encode()
        blobs = b"".join(self._blobs)
        if len(text) + len(blobs) > LARGEST:
            raise WireError(f"holds more than {LARGEST // 2**20} MB")
        return _LENGTHS.pack(len(text), len(blobs)) + text + blobs


class Received:
    """A frame that arrived: the message, and the values in it."""

    def __init__(self, text: bytes, blobs: bytes, handle: Callable[[Any], Any]) -> None:
        self.arrays: list[Any] = []
        self._blobs = memoryview(blobs)
        self._at = 0
        self._handle = handle
        try:
            self.message = json.loads(text)
        except (ValueError, RecursionError):
            raise WireError("is no JSON") from None

    def value(self, tree: Any) -> Any:
        """Return a value that went through :meth:`Sent.tree`; arrays are new and can be written."""
        if tree is None or isinstance(tree, (bool, float)):
            return tree
        if isinstance(tree, str):  # half a character cannot be printed
            return tree.encode("utf-8", "replace").decode() if not tree.isascii() else tree
        if not isinstance(tree, dict) or len(tree) != 1:
            raise WireError("holds what is no value")
        ((kind, content),) = tree.items()
        reader = self._READERS.get(kind)
        if reader is None:
            raise WireError("holds a kind of value that there is not")
        try:
            return reader(self, content)
        except (TypeError, ValueError, RecursionError, OverflowError, MemoryError):
            raise WireError(f"holds a {kind} that cannot be read") from None

    def _array(self, content: Any) -> Any:
        code, shape = content
        dtype = np.dtype(str(code))
        if dtype.kind not in _KINDS or dtype.itemsize > _WIDEST or not all(type(n) is int and n >= 0 for n in shape):
            raise ValueError(code)
        end = self._at + math.prod(shape) * dtype.itemsize
        if end > len(self._blobs):
            raise ValueError(shape)
        array = np.frombuffer(self._blobs[self._at : end], dtype).reshape(shape).copy()
        self._at = end
        self.arrays.append(array)
        return array

    def _scalar(self, content: Any) -> Any:
        array = self._array(content)
        if array.shape:
            raise ValueError(content)
        return array[()]

    _READERS: dict[str, Callable[[Received, Any], Any]] = {  # noqa: RUF012  # one table, never written
        "int": lambda self, content: _whole_number(content),
        "ellipsis": lambda self, content: Ellipsis,
        "list": lambda self, content: [self.value(item) for item in content],
        "tuple": lambda self, content: tuple(self.value(item) for item in content),
        "dict": lambda self, content: {str(key): self.value(item) for key, item in content},
        "handle": lambda self, content: self._handle(content),
        "array": _array,
        "scalar": _scalar,
    }


def _whole_number(content: Any) -> int:
    if len(content) > _LONGEST:
        raise ValueError(content)
    return int(content, 16)


def read_frame(read: Callable[[int], bytes]) -> tuple[bytes, bytes] | None:
    """Return the two parts of the next frame, None at the end; ``read(n)`` gives n bytes, or fewer at the end.

    WireError if it breaks off, or says that it is too long.
    """
    head = read(_LENGTHS.size)
    if not head:
        return None
    if len(head) < _LENGTHS.size:
        raise WireError("breaks off")
    sizes: Sequence[int] = _LENGTHS.unpack(head)
    if sum(sizes) > LARGEST:
        raise WireError("is too long")
    text, blobs = (read(size) for size in sizes)
    if (len(text), len(blobs)) != tuple(sizes):
        raise WireError("breaks off")
    return text, blobs
