"""Layer, RMS, group and instance norm: what they make of a row, to second order, in float32, and their errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm import functional as F  # PyTorch's name for it

# A function of x, weight and bias; the shapes of the three.
KINDS: list[tuple[str, Any, tuple[Any, Any, Any]]] = [
    ("layer", lambda x, w, b: F.layer_norm(x, 5, w, b), ((3, 5), (5,), (5,))),
    ("layer 3d", lambda x, w, b: F.layer_norm(x, (3, 5), w, b, eps=0.1), ((2, 3, 5), (3, 5), (3, 5))),
    ("layer eps 0", lambda x, w, b: F.layer_norm(x, 5, w, b, eps=0), ((3, 5), (5,), (5,))),
    ("rms", lambda x, w, b: F.rms_norm(x, 5, w) + b, ((3, 5), (5,), (5,))),
    ("rms 2 axes", lambda x, w, b: F.rms_norm(x, [3, 5], w, eps=0.1) + b, ((2, 3, 5), (3, 5), (5,))),
    ("group", lambda x, w, b: F.group_norm(x, 3, w, b), ((2, 6, 2), (6,), (6,))),
    ("group of matrix", lambda x, w, b: F.group_norm(x, 2, w, b), ((2, 6), (6,), (6,))),
    ("instance", lambda x, w, b: F.instance_norm(x, w, b), ((2, 3, 4), (3,), (3,))),
    ("instance 2d", lambda x, w, b: F.instance_norm(x, w, b, eps=0.1), ((2, 3, 2, 2), (3,), (3,))),
]


@pytest.mark.parametrize(("name", "f", "shapes"), KINDS, ids=[k[0] for k in KINDS])
@pytest.mark.parametrize("seed", [0, 1])
def test_to_second_order(name: str, f: Any, shapes: Any, seed: int, check_to_second_order: Any) -> None:
    rng = np.random.default_rng(seed)
    check_to_second_order(f, [rng.standard_normal(s) for s in shapes], seed=seed)


@pytest.mark.parametrize(("name", "f", "shapes"), KINDS, ids=[k[0] for k in KINDS])
def test_weight_and_bias_may_be_left_out(name: str, f: Any, shapes: Any, rng: np.random.Generator) -> None:
    if "rms" in name:
        f = {
            "rms": lambda x, w, b: F.rms_norm(x, 5, w),
            "rms 2 axes": lambda x, w, b: F.rms_norm(x, [3, 5], w, eps=0.1),
        }[name]
    x = rng.standard_normal(shapes[0])
    plain = f(x, None, None)
    np.testing.assert_allclose(np.asarray(plain), np.asarray(f(x, np.ones(shapes[1]), np.zeros(shapes[2]))), rtol=1e-15)


@pytest.mark.parametrize(("name", "f", "shapes"), KINDS, ids=[k[0] for k in KINDS])
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_narrow_stays_narrow_and_integers_become_float64(
    name: str, f: Any, shapes: Any, dtype: Any, rng: np.random.Generator
) -> None:
    xs = [rng.standard_normal(s) for s in shapes]
    narrow = [tg.Tensor(x, requires_grad=True, dtype=dtype) for x in xs]
    y = f(*narrow)
    assert y.dtype == dtype
    for g in tg.gradients(y, narrow, np.ones(y.shape), create_graph=True):
        assert g.dtype == dtype
    wide = f(*[n.numpy().astype(float) for n in narrow])
    np.testing.assert_allclose(y.data.astype(np.float64), wide.data, rtol=0, atol=40 * float(np.finfo(dtype).eps))
    assert f(np.round(xs[0] * 3).astype(int), *[None] * 2 if "rms" not in name else [None, 0.0]).dtype == np.float64


def test_a_row_is_centered_and_scaled(rng: np.random.Generator) -> None:
    x = rng.standard_normal((4, 7)) * 5 + 3
    y = np.asarray(F.layer_norm(x, 7, eps=0))
    np.testing.assert_allclose(y.mean(-1), 0, atol=1e-15)
    np.testing.assert_allclose(y.std(-1), 1, rtol=1e-14)
    np.testing.assert_allclose(np.asarray(F.layer_norm(3 * x + 2, 7, eps=0)), y, rtol=1e-12)
    r = np.asarray(F.rms_norm(x, 7, eps=0.0))
    np.testing.assert_allclose((r**2).mean(-1), 1, rtol=1e-14)


def test_the_gradient_is_orthogonal_to_ones_and_to_the_result(rng: np.random.Generator) -> None:
    x = tg.Tensor(rng.standard_normal((4, 7)), requires_grad=True)
    y = F.layer_norm(x, 7, eps=0)
    g = np.asarray(tg.gradients(y, x, rng.standard_normal((4, 7))))
    np.testing.assert_allclose(g.sum(-1), 0, atol=1e-14)
    np.testing.assert_allclose((g * y.data).sum(-1), 0, atol=1e-14)


def test_eps_lies_inside_the_root() -> None:
    x = np.array([1.0, -1.0])
    np.testing.assert_allclose(np.asarray(F.layer_norm(x, 2, eps=3.0)), [0.5, -0.5])
    np.testing.assert_allclose(np.asarray(F.rms_norm(x, 2, eps=3.0)), [0.5, -0.5])


def test_a_constant_row_is_zero_with_a_finite_gradient() -> None:
    x = tg.Tensor(np.full((1, 3), 2.0), requires_grad=True)
    y = F.layer_norm(x, 3)
    g = tg.gradients(y, x, [[1.0, 2.0, 6.0]], create_graph=True)
    assert y.tolist() == [[0.0] * 3]
    np.testing.assert_allclose(g.data, (np.array([[1.0, 2.0, 6.0]]) - 3.0) / np.sqrt(1e-5))
    assert np.all(np.isfinite(tg.gradients((g * g).sum(), x)))


def test_rms_norm_takes_the_smallest_step_of_its_dtype() -> None:
    for dtype in (np.float32, np.float64):
        x = np.zeros(2, dtype)
        x[0] = np.sqrt(2 * np.finfo(dtype).eps)
        np.testing.assert_allclose(np.asarray(F.rms_norm(x, 2)), [1.0, 0.0], rtol=1e-6)


def test_groups_range_from_layer_to_instance_norm(rng: np.random.Generator) -> None:
    x = rng.standard_normal((2, 6, 4))
    np.testing.assert_allclose(np.asarray(F.group_norm(x, 6)), np.asarray(F.instance_norm(x)), rtol=1e-13)
    np.testing.assert_allclose(np.asarray(F.group_norm(x, 1)), np.asarray(F.layer_norm(x, (6, 4))), rtol=1e-13)


def test_a_large_offset_loses_no_digits() -> None:
    row = np.array([1.0, 2.0, 3.0])
    np.testing.assert_allclose(
        np.asarray(F.layer_norm(row + 1e8, 3, eps=0)), np.asarray(F.layer_norm(row, 3, eps=0)), rtol=1e-12
    )


def test_float16_whose_squares_are_too_large_for_it(rng: np.random.Generator) -> None:
    x = (rng.permutation(24).reshape(2, 3, 4) * 100.0 - 1000.0).astype(np.float16)
    wide = x.astype(np.float64)
    for f in (
        lambda t: F.layer_norm(t, 4),
        lambda t: F.rms_norm(t, 4),
        lambda t: F.group_norm(t, 1),
        lambda t: F.instance_norm(t),
        lambda t: F.batch_norm(t),
        lambda t: F.batch_norm(t, np.zeros(3), np.full(3, 1e6)),
        lambda t: tg.std(t, axis=1),
    ):
        t = tg.Tensor(x, requires_grad=True)
        y = f(t)
        np.testing.assert_allclose(y.data.astype(np.float64), f(wide).data, rtol=2e-3, atol=2e-3)
        assert tg.gradients(y, t, np.ones(y.shape), create_graph=True).dtype == np.float16
    with np.errstate(over="ignore"):
        assert tg.var(x).item() == np.var(x) == np.inf


def test_an_empty_batch_stays_empty() -> None:
    for y in (
        F.layer_norm(np.ones((0, 4)), np.int64(4)),
        F.rms_norm(np.ones((0, 4)), [4]),
        F.group_norm(np.ones((0, 4, 2)), 2),
        F.instance_norm(np.ones((0, 4, 2))),
        F.softmax(np.ones((0, 4))),
        F.logsumexp(np.ones((0, 4)), keepdims=True),
    ):
        assert y.size == 0


def test_each_norm_is_one_scope() -> None:
    x = tg.Tensor(np.arange(12.0).reshape(2, 2, 3), requires_grad=True)
    for name, y in [
        ("layer_norm", F.layer_norm(x, 3)),
        ("rms_norm", F.rms_norm(x, 3)),
        ("group_norm", F.group_norm(x, 2)),
        ("instance_norm", F.instance_norm(x)),
    ]:
        assert y.node.scope.path == name


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda x: F.layer_norm(x, 4),
            tg.ShapeError,
            r"layer_norm: the last axes of x must be normalized_shape \(4,\); got x of shape \(2, 3, 5\). Pass "
            r"the length of the feature axis",
        ),
        (lambda x: F.layer_norm(x, (2, 5)), tg.ShapeError, r"normalized_shape \(2, 5\); got x of shape \(2, 3, 5\)"),
        (lambda x: F.layer_norm(x, (7, 2, 3, 5)), tg.ShapeError, r"normalized_shape \(7, 2, 3, 5\)"),
        (lambda x: F.layer_norm(x, ()), tg.ShapeError, r"normalized_shape \(\)"),
        (
            lambda x: F.layer_norm(x, 5.0),
            tg.OperandError,
            r"layer_norm: normalized_shape must be a whole number.*got 5.0",
        ),
        (
            lambda x: F.rms_norm(x, "5"),
            tg.OperandError,
            r"rms_norm: normalized_shape must be .*got '5'. Pass the length",
        ),
        (lambda x: F.layer_norm(1.0, 1), tg.ShapeError, r"normalized_shape \(1,\); got x of shape \(\)"),
        (
            lambda x: F.layer_norm(x, 5, np.ones(3)),
            tg.ShapeError,
            r"layer_norm: the weight must have shape \(5,\), one entry for each normalized feature; got \(3,\). "
            r"Reshape it, or pass None",
        ),
        (
            lambda x: F.layer_norm(x, 5, None, 1.0),
            tg.ShapeError,
            r"layer_norm: the bias must have shape \(5,\).*got \(\)",
        ),
        (
            lambda x: F.layer_norm(x, 5, eps=-1e-5),
            tg.InputError,
            r"layer_norm: eps must not be negative; got -1e-05. The usual value",
        ),
        (lambda x: F.layer_norm(x, 5, eps=np.nan), tg.InputError, r"layer_norm: eps must not be negative; got nan"),
        (lambda x: F.rms_norm(x, 3), tg.ShapeError, r"rms_norm: the last axes of x must be"),
        (lambda x: F.rms_norm(x, 5, np.ones((3, 5))), tg.ShapeError, r"rms_norm: the weight must have shape \(5,\)"),
        (lambda x: F.rms_norm(x, 5, eps=-1.0), tg.InputError, r"rms_norm: eps"),
        (
            lambda x: F.group_norm(x, 2),
            tg.ShapeError,
            r"group_norm: x must be \(batch, channels, …\) with channels divisible by num_groups; got x \(2, 3, "
            r"5\) and num_groups=2. Choose a divisor",
        ),
        (lambda x: F.group_norm(x, 0), tg.ShapeError, r"num_groups=0"),
        (lambda x: F.group_norm(x[0, 0], 1), tg.ShapeError, r"group_norm: .*got x \(5,\)"),
        (lambda x: F.group_norm(x, 3, np.ones(5)), tg.ShapeError, r"group_norm: the weight must have shape \(3,\)"),
        (lambda x: F.group_norm(x, 3, eps=-1), tg.InputError, r"group_norm: eps"),
        (
            lambda x: F.instance_norm(x[0]),
            tg.ShapeError,
            r"instance_norm: x must be \(batch, channels, positions…\) with at least two positions; got \(3, "
            r"5\). One value has no deviation: use layer_norm or group_norm",
        ),
        (lambda x: F.instance_norm(x[:, :, :1]), tg.ShapeError, r"instance_norm: .*got \(2, 3, 1\)"),
        (
            lambda x: F.instance_norm(x, None, np.ones(5)),
            tg.ShapeError,
            r"instance_norm: the bias must have shape \(3,\)",
        ),
        (lambda x: F.instance_norm(x, eps=-1), tg.InputError, r"instance_norm: eps"),
    ],
)
def test_errors(call: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        call(tg.ones((2, 3, 5)))
