from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm import nn, optim


@pytest.fixture
def optimizer() -> optim.SGD:
    return optim.SGD([nn.Parameter([1.0])], lr=0.1)


def test_a_cosine_comes_back_after_its_end(optimizer: optim.SGD) -> None:
    schedule = optim.CosineAnnealingLR(optimizer, T_max=4, eta_min=0.02)
    rates = []
    for _ in range(9):
        rates += schedule.get_last_lr()
        schedule.step()
    expected = [0.02 + 0.04 * (1 + math.cos(math.pi * t / 4)) for t in range(9)]
    np.testing.assert_allclose(rates, expected, rtol=1e-12)


def test_functions_of_the_step_one_for_each_group() -> None:
    optimizer = optim.SGD([{"params": [nn.Parameter([1.0])]}, {"params": [nn.Parameter([1.0])], "lr": 1.0}], lr=0.1)
    schedule = optim.LambdaLR(optimizer, [lambda t: 0.5**t, lambda t: 1.0 / (t + 1)])
    schedule.step()
    assert schedule.get_last_lr() == [0.05, 0.5]
    with pytest.raises(tg.InputError, match="one function, or one for each of the 2 parameter groups; got 1"):
        optim.LambdaLR(optimizer, [lambda t: 1.0])


def test_a_schedule_goes_on_from_its_state(optimizer: optim.SGD) -> None:
    schedule = optim.StepLR(optimizer, 2, 0.5)
    for _ in range(3):
        schedule.step()
    saved = schedule.state_dict(), optimizer.state_dict()
    other = optim.SGD([nn.Parameter([1.0])], lr=0.7)
    other.load_state_dict(saved[1])
    again = optim.StepLR(other, 2, 0.5)
    again.load_state_dict(saved[0])
    other.load_state_dict(saved[1])
    again.step()
    schedule.step()
    assert again.get_last_lr() == schedule.get_last_lr() == [0.025]
    for wrong in ({}, {"last_epoch": 1, "base_lrs": [0.1, 0.2]}):
        with pytest.raises(tg.StateDictError, match="must have last_epoch and 1 base_lrs; got"):
            again.load_state_dict(wrong)


def test_last_epoch_goes_on_where_the_groups_know_their_first_rate(optimizer: optim.SGD) -> None:
    with pytest.raises(tg.InputError, match="to go on from step 3 every parameter group must hold its 'initial_lr'"):
        optim.StepLR(optimizer, 2, last_epoch=3)
    optimizer.param_groups[0]["initial_lr"] = 0.4
    assert optim.StepLR(optimizer, 2, 0.5, last_epoch=3).get_last_lr() == [0.05]
    group: dict[str, Any] = {"params": [nn.Parameter([1.0])], "initial_lr": 0.3}
    optimizer.add_param_group(group)
    assert optim.StepLR(optimizer, 2).base_lrs == [0.4, 0.3]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda o: optim.StepLR(o, 0), "StepLR: step_size must be a positive number of steps; got 0"),
        (
            lambda o: optim.CosineAnnealingLR(o, 2.5),
            "CosineAnnealingLR: T_max must be a positive number of steps; got 2.5",
        ),
        (lambda o: optim.LinearLR(o, total_iters=-1), "LinearLR: total_iters must be"),
        (lambda o: optim.LinearLR(o, 0.0), r"start_factor must lie in \(0, 1\] and end_factor in \[0, 1\]; got 0.0"),
        (lambda o: optim.LinearLR(o, 0.5, 1.5), "got 0.5 and 1.5"),
        (lambda o: optim.Schedule(o), r"a Schedule must define rate\(\); Schedule does not"),
    ],
)
def test_misuse(optimizer: optim.SGD, make: Any, message: str) -> None:
    with pytest.raises(tg.InputError, match=message):
        make(optimizer)


class TestClipping:
    def test_a_single_parameter_and_missing_gradients(self) -> None:
        a, b = nn.Parameter([1.0]), nn.Parameter([1.0, 1.0])
        assert optim.clip_grad_norm_([a, b], 1.0).item() == 0.0
        assert optim.clip_grad_norm_([a, b], 1.0, math.inf).item() == 0.0
        b.grad = tg.Tensor([3.0, 4.0])
        assert optim.clip_grad_norm_(b, 10.0).item() == 5.0
        assert b.grad.tolist() == [3.0, 4.0]
        assert a.grad is None

    def test_float32_stays_float32(self) -> None:
        a = nn.Parameter([1.0], dtype=np.float32)
        a.grad = tg.Tensor([30.0], dtype=np.float32)
        optim.clip_grad_norm_([a], 1.0)
        assert a.grad.dtype == np.float32

    def test_a_norm_that_is_not_finite(self) -> None:
        a = nn.Parameter([1.0])
        a.grad = tg.Tensor([np.nan])
        with pytest.raises(tg.AnomalyError, match="the norm of the gradient must be finite; got nan"):
            optim.clip_grad_norm_([a], 1.0, error_if_nonfinite=True)
        optim.clip_grad_norm_([a], 1.0)
        assert np.isnan(a.grad.item())

    @pytest.mark.parametrize(("max_norm", "norm_type"), [(-1.0, 2.0), (1.0, 0.0)])
    def test_options_must_make_sense(self, max_norm: float, norm_type: float) -> None:
        with pytest.raises(tg.InputError, match="norm_type must be positive and max_norm not negative; got norm_type="):
            optim.clip_grad_norm_([nn.Parameter([1.0])], max_norm, norm_type)


def test_a_plateau_goes_on_from_its_state(optimizer: optim.SGD) -> None:
    schedule = optim.ReduceLROnPlateau(optimizer, patience=2, factor=0.5)
    for loss in (1.0, 2.0, 2.0):
        schedule.step(loss)
    again = optim.ReduceLROnPlateau(optimizer, patience=2, factor=0.5)
    again.load_state_dict(schedule.state_dict())
    assert (again.best, again.num_bad_epochs, again.last_epoch) == (1.0, 2, 3)
    again.step(tg.Tensor(2.0))
    assert optimizer.param_groups[0]["lr"] == 0.05


def test_a_plateau_s_options(optimizer: optim.SGD) -> None:
    for wrong in ({"factor": 1.0}, {"mode": "least"}, {"threshold_mode": "share"}):
        with pytest.raises(tg.InputError, match=r"factor must be below 1, mode 'min' or 'max' and .* The defaults are"):
            optim.ReduceLROnPlateau(optimizer, **wrong)  # type: ignore[arg-type]  # what is being tested
    with pytest.raises(tg.InputError, match="one min_lr, or one for each of the 1 parameter groups; got 2"):
        optim.ReduceLROnPlateau(optimizer, min_lr=[0.1, 0.2])
