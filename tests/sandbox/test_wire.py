"""What crosses between judge and answer arrives as it was sent, and whatever is malformed is refused in words."""

from __future__ import annotations

import io
import json
import struct
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinygrad_norm.sandbox.wire import LARGEST, MOST, Received, Sent, WireError, read_frame

DTYPES = [np.bool_, np.int8, np.int64, np.uint16, np.float16, np.float32, np.float64, np.complex128, np.dtype(">f8")]
ARRAYS = st.sampled_from(DTYPES).flatmap(lambda d: hnp.arrays(d, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0)))
INTEGERS = st.integers(-(2**900), 2**900)
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**900), 2**900), st.floats(), st.text(), ARRAYS, st.just(Ellipsis)
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.text(max_size=3), inner, max_size=3),
    ),
    max_leaves=8,
)


def no_handle(value: Any) -> list[Any]:
    raise AssertionError(value)


def through(value: Any) -> Any:
    sent = Sent(no_handle)
    frame = sent.frame(sent.tree(value))
    parts = read_frame(io.BytesIO(frame).read)
    assert parts is not None
    received = Received(*parts, handle=no_handle)
    return received.value(received.message)


def same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray):
        return (
            isinstance(b, np.ndarray)
            and (a.shape, a.dtype.newbyteorder("=")) == (b.shape, b.dtype)
            and np.array_equal(a, b, equal_nan=a.dtype.kind in "fc")
        )
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    return type(a) is type(b) and (a == b or (a != a and b != b))


@given(VALUES)
def test_values_arrive_as_they_were_sent(value: Any) -> None:
    assert same(value, through(value))


def test_numpy_scalars_and_what_is_not_plain() -> None:
    assert same(list(through([np.float32(0.1), np.int64(3)])), [np.float32(0.1), np.int64(3)])
    assert through(2**1000 - 1) == 2**1000 - 1
    sent = Sent(lambda value: [7, "object", type(value).__name__])
    tree = sent.tree([{1, 2}, {3: 4}, np.array(["a"]), np.array([None]), 2**1000])
    assert [item["handle"][2] for item in tree["list"]] == ["set", "dict", "ndarray", "ndarray", "int"]


def test_an_array_that_arrived_can_be_written() -> None:
    array = through(np.arange(3.0)[::-1])
    array += 1
    assert array.tolist() == [3.0, 2.0, 1.0]


@given(st.binary(max_size=60))
def test_bytes_at_random_are_refused_in_words_or_are_a_value(data: bytes) -> None:
    with suppress(WireError):  # and nothing else
        parts = read_frame(io.BytesIO(data).read)
        if parts is not None:
            received = Received(*parts, handle=no_handle)
            received.value(received.message)


@pytest.mark.parametrize(
    "message",
    [
        {"array": ["<f8", [2]]},
        {"array": ["<f8", [-1]]},
        {"array": ["<f8", [10**12, 10**12]]},
        {"array": ["<f8", [True]]},
        {"array": ["O", [1]]},
        {"array": ["<U9", [1]]},
        {"array": ["<f8,<f8", [0]]},
        {"array": ["no dtype", [0]]},
        {"array": "f"},
        {"scalar": ["<f8", [0]]},
        {"int": "x"},
        {"int": 5},
        {"int": "0x" + "f" * 10**6},
        {"list": 3},
        {"dict": [[1]]},
        {"code": "print()"},
        {"list": [], "tuple": []},
        [1],
        7,
    ],
)
def test_malformed_values_are_refused(message: Any) -> None:
    received = Received(json.dumps(message).encode(), b"\0" * 8, handle=no_handle)
    with pytest.raises(WireError):
        received.value(received.message)


def test_depth_breaks_off_frames_and_sizes() -> None:
    deep = b"[" * 100_000
    with pytest.raises(WireError, match="is no JSON"):
        Received(deep, b"", handle=no_handle)
    head = struct.pack(">II", LARGEST, 1)
    with pytest.raises(WireError, match="is too long"):
        read_frame(io.BytesIO(head).read)
    for broken in (b"\0", struct.pack(">II", 3, 0) + b"{}"):
        with pytest.raises(WireError, match="breaks off"):
            read_frame(io.BytesIO(broken).read)
    assert read_frame(io.BytesIO(b"").read) is None
    with pytest.raises(WireError, match="holds more than 16 MB"):
        Sent(no_handle).tree(np.zeros(LARGEST // 8 + 1))
    with pytest.raises(WireError, match="holds more than 100,000 values outside of arrays"):
        Sent(no_handle).tree([0] * MOST)
    with pytest.raises(WireError, match="holds more than 16 MB"):
        Sent(no_handle).frame("x" * (LARGEST + 1))
