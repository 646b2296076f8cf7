"""Arguments of NumPy's functions that a Tensor takes or refuses, and functions that it does not support."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm.engine.numpy_dispatch import by_our_names, positional_names
from tinygrad_norm.engine.primitive import NUMPY

X = np.array([[0.3, -1.2, 0.7], [1.9, 0.4, -0.6]])


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.sum(x, 0, None, None),
        lambda x: np.sum(x, axis=0, dtype=None),
        lambda x: np.max(x, 0, None, True),
        lambda x: np.var(x, 0, None, None, 1),
        lambda x: np.std(x, 0, None, None, 1, True),
        lambda x: np.sum(a=x, axis=1),
        lambda x: np.reshape(x, shape=(3, 2)),
        lambda x: np.concatenate((x, x), 0, out=None),
        lambda x: np.ptp(x, 1, None),
        lambda x: np.copy(x, None),
        lambda x: np.sort(x, 1, None),
    ],
)
def test_arguments_by_numpys_order_and_names(call: Any) -> None:
    np.testing.assert_allclose(np.asarray(call(tg.Tensor(X))), call(X), rtol=1e-14)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: np.exp(x, dtype=np.float32), r"exp takes the parameters \(\); got dtype. Leave them out"),
        (lambda x: np.exp(x, where=X > 0), r"exp takes the parameters \(\); got where. Leave"),
        (lambda x: np.sum(x, 0, np.float32), r"sum takes the parameters \(axis, keepdims\); got dtype"),
        (lambda x: np.mean(x, dtype=np.float32), r"mean takes the parameters \(axis, keepdims\); got dtype"),
        (lambda x: np.max(x, initial=0.0, where=X > 0), r"max takes the parameters .*; got initial, where"),
        (
            lambda x: np.var(x, 0, np.float32),
            r"np.var on a Tensor takes \(x, axis, ddof, keepdims\); got 2 positional argument\(s\) and dtype. "
            r"Leave the others out, or use x.data",
        ),
        (
            lambda x: np.reshape(x, (3, 2), order="F"),
            r"np.reshape on a Tensor takes \(x, shape\); got 2 positional.* and order",
        ),
        (lambda x: np.ravel(x, "F"), r"np.ravel on a Tensor takes \(x\); got 1 positional.* and order"),
        (
            lambda x: np.exp(x, out=np.empty_like(X)),
            r"np.exp with out= .*must write plain values; got a Tensor.*Write y = f",
        ),
        (lambda x: np.sum(x, axis=0, out=np.empty(3)), r"np.sum with out="),
        (lambda x: np.sum(x, 0, None, np.empty(3)), r"np.sum with out="),
        (lambda x: np.add(X, X, out=x), r"np.add with out="),
        (lambda x: np.argmax(X, 0, x), r"np.argmax with out="),
        (lambda x: np.add.reduce(x, out=np.empty(3)), r"np.add with out="),
        (np.arcsin, r"np.arcsin on a Tensor must have .* there is none. The nearest supported one is np.sin. Use x"),
        (np.median, r"np.median on a Tensor must have .*The nearest supported one is np.m\w+"),
        (np.fft.fft, r"^np\.fft\.fft on a Tensor must have"),
        (lambda x: np.linalg.solve(x, x), r"^np\.linalg\.solve on a Tensor must have"),
        (np.linalg.cond, r"^np\.linalg\.cond on a Tensor must have"),
        (np.linalg.matrix_norm, r"The nearest supported one is np\.linalg\.norm\. Use"),
        (lambda x: np.lib.stride_tricks.sliding_window_view(x, 2), r"^np\.lib\.stride_tricks\.sliding_window_view on"),
        (lambda x: np.frompyfunc(abs, 1, 1)(x), r"^abs \(vectorized\) on a Tensor must have"),
        (lambda x: np.add.at(X, [0], x), r"np.add.at on a Tensor must have"),
        (lambda x: np.hypot.outer(x, x), r"^np\.hypot\.outer on a Tensor must have"),
        (lambda x: np.add.reduceat(x, [0]), r"np.add.reduceat on a Tensor must have"),
        (
            lambda x: np.full_like(x, tg.Tensor(2.0, requires_grad=True)),
            r"a fill value must be a number; got Tensor\(2.*tg.ones",
        ),
        (lambda x: tg.full((2,), tg.Tensor(2.0, requires_grad=True)), r"a fill value must be a number"),
    ],
)
def test_what_is_not_supported_says_so(call: Any, message: str) -> None:
    x = tg.Tensor(X, requires_grad=True)
    before = X.copy()
    with pytest.raises(TypeError, match=message):
        call(x)
    assert np.array_equal(before, X)


def test_a_function_without_a_signature_is_called_as_it_is() -> None:
    # Some of NumPy's functions have none before version 2.4.
    assert positional_names(max) == ((), 99)
    assert by_our_names(max, (1, 2), {"dtype": None, "axis": None}) == ((1, 2), {"axis": None})


def test_a_type_error_of_our_own_function_is_not_hidden() -> None:
    with pytest.raises(tg.OperandError, match="concatenate must get a sequence"):
        tg.concatenate(tg.Tensor(1.0))
    with pytest.raises(TypeError):
        np.diff(tg.Tensor(X), n=None)


def test_unsupported_is_never_an_array_in_silence() -> None:
    x = tg.Tensor(X)
    names = [n for n in dir(np) if callable(getattr(np, n)) and not n.startswith("_")]
    supported = {f.__name__ for f in NUMPY}
    of_one = ("nanmean", "median", "arcsinh", "log2", "average", "unique", "rot90")
    of_two = ("cross", "kron", "convolve", "hypot")
    for name in of_one + of_two:
        assert name in names
        assert name not in supported
        with pytest.raises(tg.OperandError, match=f"np.{name} on a Tensor"):
            getattr(np, name)(*[x] * (1 if name in of_one else 2))
