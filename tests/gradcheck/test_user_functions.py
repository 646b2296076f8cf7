"""What a user may hand in: functions of Tensors, modules with their parameters and buffers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm.gradcheck.user_functions import arguments, input_names

F = tg.functional
X = np.random.default_rng(0).standard_normal((3, 5))
W = np.random.default_rng(1).standard_normal(5)


def layer_norm(x: Any, weight: Any) -> tg.Tensor:
    return F.layer_norm(x, 5, weight)


class Linear:
    """A module as the check sees one: callable, with named parameters."""

    def __init__(self, seed: int = 0, dtype: Any = np.float64) -> None:
        rng = np.random.default_rng(seed)
        self.weight = tg.Tensor(rng.standard_normal((7, 5)), requires_grad=True, dtype=dtype)
        self.bias = tg.Tensor(rng.standard_normal(7), requires_grad=True, dtype=dtype)
        self.frozen = tg.Tensor(2.0, dtype=dtype)

    def named_parameters(self) -> Iterator[tuple[str, tg.Tensor]]:
        yield "layer.weight", self.weight
        yield "layer.bias", self.bias
        yield "frozen", self.frozen

    def forward(self, x: Any) -> tg.Tensor:
        return F.linear(x, self.weight, self.bias) * self.frozen

    def __call__(self, x: Any) -> tg.Tensor:
        return self.forward(x)


class Counting(Linear):
    """A module with buffers that every forward pass changes, one a Tensor and one an array."""

    def __init__(self) -> None:
        super().__init__()
        self.mean = tg.Tensor(np.zeros(7))
        self.count = np.zeros(1)

    def named_buffers(self) -> Iterator[tuple[str, Any]]:
        yield "mean", self.mean
        yield "count", self.count

    def forward(self, x: Any) -> tg.Tensor:
        y = super().forward(x)
        self.count += 1
        self.mean = tg.Tensor(self.mean.numpy() + y.numpy().mean(0))
        return y


def test_tensors_lists_and_narrow_numbers_are_fine_and_stay_as_they_are() -> None:
    x = tg.Tensor(X.astype(np.float32), requires_grad=True)
    before = x.numpy()
    assert tg.gradcheck(tg.exp, x).ok
    assert tg.gradcheck(tg.exp, [x]).ok
    assert tg.gradcheck(lambda x, n: x**n, (x, 3)).ok
    assert tg.gradcheck(lambda x, axis: x.sum(axis), (X, 0)).ok
    assert tg.gradcheck(tg.multiply, (2.5, X)).ok
    assert np.array_equal(x.numpy(), before)
    assert x.dtype == np.float32
    assert x.grad is None


def test_wrt_picks_inputs_by_name_or_number() -> None:
    assert [e.name for e in tg.gradcheck(layer_norm, (X, W), wrt="weight").entries] == ["weight"]
    assert [e.name for e in tg.gradcheck(layer_norm, (X, W), wrt=[1, "x"]).entries] == ["weight", "x"]
    assert [e.name for e in tg.gradcheck(layer_norm, (X, W), wrt=-1).entries] == ["weight"]
    assert [e.name for e in tg.gradcheck(layer_norm, (X, W), wrt=-2).entries] == ["x"]


def test_several_outputs_and_unused_inputs() -> None:
    report = tg.gradcheck(lambda a, b: (tg.exp(a), a.sum(axis=0), tg.Tensor(b.numpy())), (X, W), wrt="a")
    assert report.ok
    assert tg.gradcheck(lambda a, b: (tg.exp(a), tg.sin(b)), (X, W), order=2).ok
    assert [e.name for e in tg.gradcheck(lambda g: (g * 2, g * 3), X, order=2).entries[1:]] == ["g", "g0", "g1"]
    assert [e.name for e in tg.gradcheck(lambda g: g * g, X, order=2).entries[1:]] == ["g", "g′"]


def test_a_module_is_checked_by_its_parameters_and_left_as_it_was() -> None:
    module = Linear(dtype=np.float32)
    kept = [p.numpy() for _, p in module.named_parameters()]
    report = tg.gradcheck(module, X, order=2)
    assert report.ok, report
    assert [e.name for e in report.entries if e.order == 1] == ["x", "layer.weight", "layer.bias"]
    for (_, parameter), before in zip(module.named_parameters(), kept, strict=True):
        assert np.array_equal(parameter.numpy(), before)
        assert parameter.dtype == np.float32
        assert parameter.grad is None
    assert [e.name for e in tg.gradcheck(module, X, wrt=["layer.bias", "x"]).entries] == ["x", "layer.bias"]
    labels = np.array([1, 0, 2])
    assert tg.gradcheck(Picking(), (X, labels)).ok


class Picking(Linear):
    """A module with an integer input."""

    def forward(self, x: Any, labels: Any = None) -> tg.Tensor:
        y = super().forward(x)
        return y[np.arange(3), np.asarray(labels)]

    def __call__(self, x: Any, labels: Any = None) -> tg.Tensor:
        return self.forward(x, labels)


def test_a_module_is_restored_even_if_it_raises() -> None:
    module = Linear(dtype=np.float32)
    with pytest.raises(tg.ShapeError):
        tg.gradcheck(module, np.ones((3, 4)))
    assert module.weight.dtype == np.float32


def test_buffers_are_put_back_and_the_change_is_noted() -> None:
    module = Counting()
    report = tg.gradcheck(module, X)
    assert report.ok, report
    assert any("changes its buffers (mean, count)" in note for note in report.notes)
    assert np.array_equal(module.mean.numpy(), np.zeros(7))
    assert module.count[0] == 0


def test_attention_with_a_bias_that_cancels_is_fine() -> None:
    """The bias of the keys has no influence: softmax does not feel a shift."""

    class Attention(Linear):
        def forward(self, x: Any) -> tg.Tensor:
            k = F.linear(x, self.weight, self.bias)
            return F.scaled_dot_product_attention(x @ np.ones((5, 7)) * X[:, :1], k, k * 0 + 1.5 * x[:, :1])

        def __call__(self, x: Any) -> tg.Tensor:
            return self.forward(x)

    report = tg.gradcheck(Attention(), X)
    assert report.ok, report
    (bias,) = [e for e in report.entries if e.name == "layer.bias"]
    assert bias.status == "vacuous"
    assert "VACUOUS, it cancels out of the output" in str(report)


def test_names_are_numbers_where_a_function_tells_none() -> None:
    assert arguments([[[1.0], [2.0]], "text"])[0].shape == (2, 1)
    assert input_names(max, 2) == ("input 0", "input 1")
    assert input_names(lambda x: x, 2) == ("x", "input 1")


def test_what_the_users_code_raises_is_not_wrapped() -> None:
    def broken(x: Any) -> Any:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        tg.gradcheck(broken, X)
