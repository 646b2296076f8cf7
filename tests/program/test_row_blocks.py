"""Rows computed in blocks: eager to the last bit, in any number of blocks; and which operations a loop takes."""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tests.program.bit_equal import check
from tinygrad_norm import functional as F
from tinygrad_norm import nn

RNG = np.random.default_rng(9)
tg.program(lambda x: x * 1, np.ones(1))
BLOCKS: Any = sys.modules["tinygrad_norm.program.row_blocks"]


def drawn(*shape: int) -> Any:
    return RNG.standard_normal(shape)


def running_text(program: Any) -> str:
    """The source of what runs."""
    return "".join(linecache.getlines(f"<program {program.name}>"))


def loops(program: Any) -> int:
    """How many loops there are in it."""
    return sum(line.lstrip().startswith("for ") for line in running_text(program).splitlines())


@pytest.fixture(params=[40, 300])
def small_blocks(request: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of so few bytes, for arrays of any size."""
    monkeypatch.setattr(BLOCKS, "LARGE", 0)
    monkeypatch.setattr(BLOCKS, "SMALLEST", 1)
    monkeypatch.setattr(BLOCKS, "LARGEST", request.param)


def mixed(x: Any, row: Any, column: Any, square: Any) -> tg.Tensor:
    y = tg.tanh(x * row + column) / (1 + tg.square(x))
    z = y - y.max(axis=-1, keepdims=True) + row[None]
    return (z @ square) * y.mean(axis=1)[:, None] + np.maximum(column, 0) * square[0]


CASES: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "layer norm": (lambda x, w, b: F.layer_norm(x, 5, w, b), (drawn(12, 5), drawn(5), drawn(5))),
    "batch norm": (lambda x, w, b: F.batch_norm(x, weight=w, bias=b), (drawn(12, 5), drawn(5), drawn(5))),
    "softmax": (F.softmax, (drawn(12, 5),)),
    "attention": (F.scaled_dot_product_attention, (drawn(6, 4, 5), drawn(6, 4, 5), drawn(6, 4, 5))),
    "as many rows as columns": (mixed, (drawn(6, 6), drawn(6), drawn(6, 1), drawn(6, 6))),
    "gelu of a sum": (lambda x, y: F.gelu(x * y + y) * x, (drawn(24), drawn(24))),
    "one row": (lambda x: F.layer_norm(x, 5), (drawn(1, 5),)),
    "a prime number of rows": (lambda x: F.layer_norm(x, 5), (drawn(13, 5),)),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_any_blocks_are_eager_to_the_last_bit(name: str, dtype: Any, small_blocks: None) -> None:
    function, args = CASES[name]
    program = check(function, [x.astype(dtype) for x in args])
    assert loops(program) >= (name not in ("one row", "a prime number of rows"))


def test_a_layer_in_blocks(small_blocks: None) -> None:
    layer = nn.TransformerEncoderLayer(6, 2, 7, 0.0, "gelu", batch_first=True)
    check(layer, [drawn(4, 5, 6)], layer)


@pytest.mark.parametrize("norm", ["layer norm", "batch norm"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_sums_of_many_rows_add_the_same_blocks(norm: str, dtype: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BLOCKS, "LARGE", 0)
    function = CASES[norm][0]
    if norm == "layer norm":
        function = lambda x, w, b: F.layer_norm(x, 64, w, b)  # noqa: E731  # the same function of another width
    args = [x.astype(dtype) for x in (drawn(640, 64), drawn(64), drawn(64))]
    program = check(function, args)
    assert "_blocks[" in running_text(program)
    assert loops(program) >= 2


@pytest.mark.parametrize("shape", [(12, 5), (640, 64)])
def test_what_has_another_layout_is_not_cut(shape: tuple[int, int], small_blocks: None) -> None:
    x, g = (drawn(*shape).astype(np.float32) for _ in range(2))
    x = np.asfortranarray(x)
    program = tg.program(lambda x: F.layer_norm(x, shape[1]), x)
    mine, theirs = (tg.Tensor(x, requires_grad=True) for _ in range(2))
    program(mine).backward(g)
    F.layer_norm(theirs, shape[1]).backward(g)
    assert loops(program) == 0
    assert mine.grad is not None
    assert theirs.grad is not None
    assert np.array_equal(mine.grad.data, theirs.grad.data)


def test_what_is_transposed_is_not_cut_and_the_rest_is(small_blocks: None) -> None:
    x = drawn(64, 640).astype(np.float32)
    program = check(lambda x: F.layer_norm(x.T, 64), [x])
    assert "((640, 64)" not in running_text(program).partition("def backward")[0]
    program = check(lambda x: F.layer_norm(x.T, 64).sum() + F.layer_norm(x, 640).sum(), [x])
    assert "((64, 640)" in running_text(program).partition("def backward")[0]


def test_the_buffer_is_as_before_also_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BLOCKS, "LARGE", 0)
    x, before = np.full((256, 160), 1e200), np.getbufsize()
    program = check(lambda x: F.layer_norm(x, 160), [drawn(256, 160)])
    assert "np.setbufsize(160)" in running_text(program)
    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        program(x)
    assert np.getbufsize() == before


def test_what_a_later_loop_computes_faster_than_it_reads_is_not_kept() -> None:
    program = check(lambda x, w: F.layer_norm(x, 512, w), [drawn(512, 512).astype(np.float32), drawn(512)])
    _, (_, saved) = program.forward(drawn(512, 512).astype(np.float32), drawn(512))
    assert sum(part.size for part in saved) < 1.01 * 512 * 512
