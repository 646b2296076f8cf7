"""Arguments of NumPy's functions that a Tensor takes or refuses, and functions that it does not support."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm.engine.numpy_dispatch import by_our_names, positional_names
from tinygrad_norm.engine.primitive import NUMPY
from tinygrad_norm.numpy_refused import REMEDIES, remedy

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
            r"np.var on a Tensor takes \(x, axis, ddof, keepdims, mean, correction\); got 2 positional argument\(s\) "
            r"and dtype. Leave the others out, or use x.data",
        ),
        (
            lambda x: np.reshape(x, (3, 2), order="F"),
            r"reshape: the entries .* order='C'; got 'F'. Transpose",
        ),
        (lambda x: np.ravel(x, "F"), r"ravel: the entries .* order='C'; got 'F'. Transpose"),
        (
            lambda x: np.exp(x, out=np.empty_like(X)),
            r"np.exp with out= .*must write plain values; got a Tensor.*Write y = f",
        ),
        (lambda x: np.sum(x, axis=0, out=np.empty(3)), r"np.sum with out="),
        (lambda x: np.sum(x, 0, None, np.empty(3)), r"np.sum with out="),
        (lambda x: np.add(X, X, out=x), r"np.add with out="),
        (lambda x: np.argmax(X, 0, x), r"np.argmax with out="),
        (lambda x: np.add.reduce(x, out=np.empty(3)), r"np.add with out="),
        (
            np.cov,
            r"^np.cov on a Tensor must have a differentiable counterpart; there is none. With one variable a row: "
            r"c = x - x.mean\(1, keepdims=True\); c .* Use x.data for plain values",
        ),
        (np.histogram, r"^np.histogram on a Tensor must have .* a count has no derivative. .*Use x.data"),
        (np.fft.fft, r"^np\.fft\.fft on a Tensor must have .*is complex: tg.ops.fft.rfft_pair"),
        (np.fft.ifft2, r"^np\.fft\.ifft2 on a Tensor must have .*tg.ops.fft.irfft_pair"),
        (np.linalg.eig, r"^np\.linalg\.eig on a Tensor must have .*np.linalg.eigh does it for symmetric"),
        (lambda x: np.apply_along_axis(np.sum, 0, x), r"^np.apply_along_axis on a Tensor .*tg.stack\(\[f\(row\)"),
        (lambda x: np.lib.stride_tricks.sliding_window_view(x, 2), r"^np\.lib\.stride_tricks\.sliding_window_view on"),
        (
            lambda x: np.frompyfunc(abs, 1, 1)(x),
            r"^abs \(vectorized\) on a Tensor must have .*Compose it of functions that record \(dir\(tg\) lists",
        ),
        (lambda x: np.add.at(X, [0], x), r"np.add.at on a Tensor must have .*It writes into an array"),
        (lambda x: np.ldexp.outer(x, x), r"^np\.ldexp\.outer on a Tensor must have"),
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


def test_every_remedy_is_for_functions_that_exist_each_once() -> None:
    names = [name for row in REMEDIES.values() for name in row.split()]
    assert len(names) == len(set(names))
    for name in names:
        found: Any = np
        for part in name.split("."):
            found = getattr(found, part)
        assert callable(found)
        assert name.endswith(".at") or found not in NUMPY
    for sentence in REMEDIES:
        assert not sentence.endswith(".")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cov", np.cov(X)),
        ("corrcoef", np.corrcoef(X)),
        ("polyfit", np.polyfit(X[0], X[1], 1)),
        ("apply_along_axis", np.apply_along_axis(np.sum, 1, X)),
        ("diagflat", np.diagflat(X)),
        ("fft.rfft", np.stack([np.fft.rfft(X).real, np.fft.rfft(X).imag], -1)),
        ("ldexp", np.ldexp(X, 4)),
        ("linspace", np.linspace(X[0, 0], X[1, 0], 4)),
    ],
)
def test_what_a_remedy_says_is_what_numpy_does(name: str, expected: Any) -> None:
    code = {
        "apply_along_axis": "tg.stack([f(row) for row in x])",
        "fft.rfft": "tg.ops.fft.rfft_pair(x)",
        "linspace": "start + (stop - start) * np.linspace(0, 1, n)",
        "diagflat": "tg.diag(x.ravel())",
    }.get(name, remedy(f"np.{name}").partition(": ")[2])
    assert code in remedy(f"np.{name}")
    *statements, last = code.split("; ")
    x = tg.Tensor(X[0] if name == "polyfit" else X, requires_grad=True)
    names: dict[str, Any] = {"x": x, "y": tg.Tensor(X[1]), "np": np, "tg": tg, "f": np.sum, "degree": 1, "n": 4}
    names |= {"start": x.ravel()[0], "stop": x.ravel()[-3]}
    exec("; ".join(statements), names)
    result = eval(last, names)
    np.testing.assert_allclose(result.data, expected, rtol=1e-12)
    assert result.requires_grad


def test_unsupported_is_never_an_array_in_silence() -> None:
    x = tg.Tensor(X)
    for name in ("unwrap", "poly", "i0", "roots"):
        assert name not in {f.__name__ for f in NUMPY}
        with pytest.raises(tg.OperandError, match=f"np.{name} on a Tensor"):
            getattr(np, name)(x)
