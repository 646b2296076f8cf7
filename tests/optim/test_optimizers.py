"""What the comparison with PyTorch does not see: misuse, state, the tape, dtypes, exact reproducibility."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm import functional as F
from tinygrad_norm import nn, optim

MAKERS: dict[str, Callable[[Any], optim.Optimizer]] = {
    "SGD": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01),
    "Adam": lambda p: optim.Adam(p, lr=0.1, amsgrad=True, weight_decay=0.01),
    "AdamW": lambda p: optim.AdamW(p, lr=0.1),
    "RMSprop": lambda p: optim.RMSprop(p, lr=0.1, momentum=0.9, centered=True),
    "Adagrad": lambda p: optim.Adagrad(p, lr=1.0, lr_decay=0.01),
}
X = np.random.default_rng(0).standard_normal((20, 3))
Y = X @ [[1.0], [-2.0], [0.5]] + 3


def run(model: nn.Module, optimizer: optim.Optimizer, steps: int) -> list[float]:
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = F.mse_loss(model(tg.Tensor(X, dtype=model.weight.dtype)), Y.astype(model.weight.dtype))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@pytest.fixture(params=MAKERS)
def make(request: pytest.FixtureRequest) -> Callable[[Any], optim.Optimizer]:
    return MAKERS[request.param]


def test_the_loss_goes_down(make: Any) -> None:
    tg.manual_seed(0)
    model = nn.Linear(3, 1)
    losses = run(model, make(model.parameters()), 150)
    assert losses[-1] < 0.2 * losses[0]


def test_a_seed_reproduces_every_loss_exactly(make: Any) -> None:
    curves = []
    for _ in range(2):
        tg.manual_seed(3)
        model = nn.Linear(3, 1)
        curves.append(run(model, make(model.parameters()), 10))
    assert curves[0] == curves[1]


def test_float32_stays_float32(make: Any) -> None:
    model = nn.Linear(3, 1, dtype=np.float32)
    optimizer = make(model.parameters())
    run(model, optimizer, 2)
    assert {p.dtype for p in model.parameters()} == {np.dtype(np.float32)}
    kept = [v for state in optimizer.state.values() for v in state.values() if isinstance(v, np.ndarray)]
    assert {v.dtype for v in kept} <= {np.dtype(np.float32)}


def test_a_tape_recorded_before_a_step_stays_valid(make: Any) -> None:
    model = nn.Linear(3, 1)
    before = {n: p.data.copy() for n, p in model.named_parameters()}
    views = {n: p.data for n, p in model.named_parameters()}
    x = tg.Tensor(X, requires_grad=True)
    out = model(x)
    optimizer = make(model.parameters())
    run(model, optimizer, 2)
    out.sum().backward()
    np.testing.assert_array_equal(x.grad.data[0], before["weight"][0])
    for name, array in before.items():
        np.testing.assert_array_equal(views[name], array)


def test_stopping_and_going_on_from_a_state_dict_changes_nothing(make: Any, tmp_path: Any) -> None:
    tg.manual_seed(1)
    model, twin = nn.Linear(3, 1), nn.Linear(3, 1)
    optimizer = make(model.named_parameters())
    run(model, optimizer, 3)
    tg.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, tmp_path / "half.npz")
    rest = run(model, optimizer, 3)
    saved = tg.load(tmp_path / "half.npz")
    twin.load_state_dict(saved["model"])
    other = make(twin.parameters())
    other.load_state_dict(saved["optimizer"])
    assert run(twin, other, 3) == rest
    run(twin, other, 1)
    again = make(twin.parameters())
    again.load_state_dict(optimizer.state_dict())
    assert again.state_dict()["param_groups"] == optimizer.state_dict()["param_groups"]


def test_a_state_dict_is_a_snapshot(make: Any) -> None:
    model = nn.Linear(3, 1)
    optimizer = make(model.parameters())
    run(model, optimizer, 1)
    state = optimizer.state_dict()
    frozen = {(i, k): np.copy(v) for i, kept in state["state"].items() for k, v in kept.items()}
    run(model, optimizer, 2)
    for (i, k), value in frozen.items():
        np.testing.assert_array_equal(state["state"][i][k], value)


def test_a_number_can_be_trained(make: Any) -> None:
    w, v = nn.Parameter(3.0), nn.Parameter([3.0])
    both = make([w]), make([v])
    for _ in range(3):
        for p, optimizer in zip((w, v), both, strict=True):
            optimizer.zero_grad()
            (p * p).sum().backward()
            optimizer.step()
    assert w.shape == ()
    assert [w.item()] == v.tolist() != [3.0]


def test_a_closure_computes_the_loss(make: Any) -> None:
    w = nn.Parameter([3.0])
    optimizer = make([w])

    def closure() -> tg.Tensor:
        optimizer.zero_grad()
        loss = (w * w).sum()
        loss.backward()
        return loss

    with tg.no_grad():
        assert optimizer.step(closure).item() == 9.0
    assert w.item() < 3


def test_a_gradient_of_another_dtype_is_cast() -> None:
    w = nn.Parameter([3.0], dtype=np.float32)
    w.grad = tg.Tensor([1.0])
    optim.SGD([w], lr=0.5).step()
    assert (w.tolist(), w.dtype) == ([2.5], np.float32)


def test_groups_have_options_of_their_own() -> None:
    a, b, c = (nn.Parameter([1.0]) for _ in range(3))
    optimizer = optim.SGD([{"params": a}, {"params": [b], "lr": 0.5}], lr=0.1)
    optimizer.add_param_group({"params": [("c", c)], "maximize": True})
    for p in (a, b, c):
        p.grad = tg.Tensor([1.0])
    optimizer.step()
    assert [p.item() for p in (a, b, c)] == [0.9, 0.5, 1.1]
    assert "group 1: 1 parameters, lr=0.5, momentum=0.0" in repr(optimizer)


def test_gradients_are_forgotten_or_zeroed() -> None:
    a, b = nn.Parameter([1.0]), nn.Parameter([1.0])
    optimizer = optim.SGD([a, b])
    a.grad = tg.Tensor([5.0])
    optimizer.zero_grad(set_to_none=False)
    assert (a.grad.tolist(), b.grad) == ([0.0], None)
    optimizer.zero_grad()
    assert a.grad is None


def test_no_parameters_is_an_error() -> None:
    for empty in ([], iter(()), nn.ReLU().parameters()):
        with pytest.raises(
            tg.InputError, match=r"at least one parameter; got an empty iterable\. Pass model\.parameters"
        ):
            optim.SGD(empty)
    with pytest.raises(tg.InputError, match="a parameter group must hold at least one parameter"):
        optim.SGD([{"params": []}])


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        (nn.Parameter([1.0]), tg.OperandError, "an iterable of parameters; got a single Parameter. Put it in a list"),
        ({"params": [nn.Parameter([1.0])]}, tg.OperandError, "got a single dict"),
        ([np.ones(3)], tg.OperandError, "must get leaves of floating-point numbers; got ndarray"),
        ([tg.Tensor([1, 2])], tg.OperandError, "must get leaves of floating-point numbers; got Tensor"),
        ([nn.Parameter([1.0]) * 2], tg.OperandError, "got the result of multiply"),
        ([{"lr": 0.1}], tg.OperandError, r"a dict with the key 'params'; got \['lr'\]"),
        ([{"params": [nn.Parameter([1.0])]}, nn.Parameter([1.0])], tg.OperandError, "key 'params'; got Parameter"),
        ([{"params": [nn.Parameter([1.0])], "rate": 1}], tg.InputError, "SGD must get the options lr, .*; got rate"),
    ],
)
def test_what_is_no_parameter_is_refused(params: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        optim.SGD(params)


def test_a_parameter_belongs_to_one_group() -> None:
    w = nn.Linear(1, 1).weight
    for params in ([w, w], [{"params": [w]}, {"params": [w]}]):
        with pytest.raises(tg.InputError, match="a parameter must be in one group, once; got weight again"):
            optim.SGD(params)


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        (optim.SGD, {"lr": -1.0}, r"SGD: lr must be at least 0; got -1\.0\. The default is 0\.001"),
        (optim.SGD, {"lr": float("nan")}, "lr must be at least 0; got nan"),
        (
            optim.Adam,
            {"betas": (0.9, 1.0)},
            r"Adam: betas must be in \[0, 1\); got \(0\.9, 1\.0\)\. The default is \(0\.9, 0\.999\)",
        ),
        (optim.AdamW, {"eps": -1e-8}, "AdamW: eps must be"),
        (optim.RMSprop, {"alpha": -0.1}, "RMSprop: alpha must be"),
        (optim.Adagrad, {"lr_decay": -0.1}, "Adagrad: lr_decay must be"),
        (optim.SGD, {"nesterov": True}, "nesterov must come with a momentum and without dampening; got momentum=0.0"),
        (optim.SGD, {"nesterov": True, "momentum": 0.9, "dampening": 0.1}, "dampening=0.1"),
    ],
)
def test_options_must_lie_in_range(kind: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(tg.InputError, match=message):
        kind([nn.Parameter([1.0])], **options)


def test_a_step_needs_a_gradient() -> None:
    with pytest.raises(tg.GraphError, match=r"must find a gradient of at least one parameter; got none\. Call loss\."):
        optim.SGD(nn.Linear(2, 2).parameters()).step()


@pytest.mark.parametrize(("bad", "what"), [(np.nan, "a NaN"), (np.inf, "an infinity")])
def test_a_loss_that_is_not_finite_changes_no_parameter(bad: float, what: str) -> None:
    model = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
    optimizer = optim.Adam(model.parameters())
    before = model.state_dict()
    model(X).mean().backward()
    model[0].weight.grad = model[0].weight.grad * bad
    message = rf"got {what} in the gradient of 0\.weight, shape \(2, 3\)\. No parameter was changed\. .* tg\.detect_"
    with pytest.raises(tg.AnomalyError, match=r"every gradient must be finite; " + message):
        optimizer.step()
    for key, value in model.state_dict().items():
        np.testing.assert_array_equal(value, before[key])
    assert optimizer.state == {}


def test_large_finite_gradients_are_not_refused() -> None:
    w = nn.Parameter(np.ones(2), dtype=np.float32)
    w.grad = tg.Tensor(np.full(2, 3e38), dtype=np.float32)
    optim.SGD([w], lr=0.0).step()
    assert w.tolist() == [1.0, 1.0]


def test_states_of_other_models_are_refused() -> None:
    model = nn.Linear(3, 1)
    optimizer = optim.Adam(model.parameters())
    run(model, optimizer, 1)
    good = optimizer.state_dict()
    cases: list[tuple[Any, str]] = [
        (model.state_dict(), "must have the keys 'state' and 'param_groups'.* Did you pass the model's"),
        ([], "got list that lacks them"),
        ({**good, "param_groups": good["param_groups"] * 2}, r"for groups of \[2\] parameters; got groups of \[2, 2\]"),
        ({**good, "state": {7: good["state"][0]}}, "for parameters 0 to 1; got number 7"),
        ({**good, "state": {0: good["state"][1]}}, r"got exp_avg of shape \(1,\) for parameter 0 of shape \(1, 3\)"),
    ]
    for state, message in cases:
        with pytest.raises(tg.StateDictError, match=message):
            optimizer.load_state_dict(state)
    np.testing.assert_array_equal(optimizer.state_dict()["state"][0]["exp_avg"], good["state"][0]["exp_avg"])


def test_update_must_be_defined() -> None:
    w = nn.Parameter([1.0])
    w.grad = tg.Tensor([1.0])
    with pytest.raises(tg.OperandError, match=r"an Optimizer must define update\(\); Optimizer does not"):
        optim.Optimizer([w], {}).step()


def test_the_norm_that_clips_is_no_float16() -> None:
    """Four gradients of 300: the sum of their squares is infinite in float16, and their norm 600."""
    params = [nn.Parameter(np.zeros(1, np.float16)) for _ in range(4)]
    for p in params:
        p.grad = tg.Tensor(np.full(1, 300, np.float16))
    assert optim.clip_grad_norm_(params, 60.0).item() == 600
    assert [p.grad.tolist() for p in params] == [[30.0]] * 4
    assert all(p.grad.dtype == np.float16 for p in params)


@pytest.mark.parametrize("norm_type", [1.0, 2.0, 3.0, math.inf])
@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_the_norm_neither_overflows_nor_vanishes(size: float, norm_type: float) -> None:
    p = nn.Parameter(np.zeros(3))
    p.grad = tg.Tensor([3 * size, -4 * size, 0.0])
    expected = (3**norm_type + 4**norm_type) ** (1 / norm_type) if norm_type < math.inf else 4.0
    assert optim.clip_grad_norm_(p, 1e300, norm_type).item() == pytest.approx(expected * size, rel=1e-14)


def test_adam_moves_a_float16_parameter_whose_gradient_has_no_square_in_float16() -> None:
    p = nn.Parameter(np.ones(2, np.float16))
    optimizer = optim.Adam([p], lr=0.25)
    p.grad = tg.Tensor(np.array([1e-4, 0], np.float16))
    optimizer.step()
    assert p.dtype == np.float16
    assert p.tolist() == [0.75, 1.0]
    again = optim.Adam([p], lr=0.25)
    again.load_state_dict(optimizer.state_dict())
    assert again.state[p]["exp_avg_sq"].dtype == np.float32


def test_clipping_by_value_takes_no_negative_bound() -> None:
    with pytest.raises(tg.InputError, match="clip_value must not be negative; got -1"):
        optim.clip_grad_value_([], -1.0)
