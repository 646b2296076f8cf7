"""How data become an array of their own, and which data are refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm.engine.details.array import to_array


def leaf(values: Any, **how: Any) -> tg.Tensor:
    return tg.Tensor(values, requires_grad=True, **how)


@pytest.mark.parametrize("data", [2.0, [1, 2], np.ones(3), tg.ones((2, 2)), tg.ones(3).sum(), [tg.ones(2), [3, 4]]])
def test_the_array_is_its_own(data: Any) -> None:
    array = to_array(data)
    assert type(array) is np.ndarray
    assert array.flags.writeable
    assert np.array_equal(array, np.asarray(data))
    assert not np.shares_memory(array, np.asarray(data))
    assert to_array(data, np.float32).dtype == np.float32


def test_a_tensor_with_a_gradient_gives_its_values() -> None:
    with pytest.warns(tg.GraphEndsWarning, match="must not become an array unseen"):
        assert to_array(leaf([1.0, 2.0]) * 2).tolist() == [2.0, 4.0]


@pytest.mark.parametrize(
    "data", [[[1, 2], [3]], "text", None, 1j, np.array([1 + 2j]), {"a": 1}, np.array(["a"]), 10**30]
)
def test_data_that_are_not_real_numbers(data: Any) -> None:
    with pytest.raises(tg.OperandError, match=r"a Tensor's data must be .*; got .*\. (Give every row|Convert them)"):
        tg.Tensor(data)


def test_a_list_of_tracked_tensors_is_refused() -> None:
    x = leaf(1.0)
    with pytest.raises(tg.OperandError, match=r"got a list with a Tensor that requires a gradient.*Use tg.stack"):
        tg.Tensor([1.0, [2.0, x]])
    with pytest.raises(tg.OperandError, match="got a list with a Tensor"):
        tg.add(tg.ones(2), [x, 1.0])
    assert tg.Tensor([tg.Tensor(1.0), 2.0]).tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (np.ma.masked_array([1.0, 2.0], [False, True]), r"got a masked array, whose mask would be lost. Fill it"),
        (np.array([[1.0, 2.0]]).view(np.matrix), r"must be an array; got a np.matrix.*np.asarray"),
    ],
)
def test_arrays_that_do_not_compute_as_arrays(data: Any, message: str) -> None:
    t = tg.Tensor([[1.0, 2.0]])
    for call in (
        lambda: tg.Tensor(data),
        lambda: tg.Tensor([data, data]),
        lambda: tg.exp(data),
        lambda: t * data,
        lambda: t < data,
        lambda: np.where(data, t, 0.0),
        lambda: np.isclose(t, data),
        lambda: t[data.astype(int) * 0],
        lambda: tg.stack([t, data]),
    ):
        with pytest.raises(tg.OperandError, match=message):
            call()
