from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm import optim
from tinygrad_norm.lessons.labs.published import training
from tinygrad_norm.lessons.labs.published.digits import Digits, digits
from tinygrad_norm.lessons.labs.published.networks import NORMS, Perceptron


@pytest.fixture
def few() -> Digits:
    return digits(0, 100, 200)


def trained(data: Digits, rate: float, steps: int, **options: Any) -> training.Fit:
    tg.manual_seed(0)
    model = Perceptron(NORMS["none"], depth=2, width=16)
    optimizer = optim.SGD(model.parameters(), lr=rate)
    return training.fit(model, data, optimizer, steps, np.random.default_rng(0), batch=32, **options)


def test_the_goal_is_reached_and_the_loss_falls(few: Digits, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "GOAL", 0.5)
    found = trained(few, 0.2, 60, look_every=4)
    assert found.reached is not None
    assert found.reached % 4 == 0
    assert found.accuracy > 0.5
    assert found.loss < found.losses[0]
    assert len(found.losses) == 60
    assert not found.diverged


def test_without_steps_enough_the_goal_is_not_reached(few: Digits) -> None:
    found = trained(few, 1e-6, 5)
    assert found.reached is None
    assert found.loss == pytest.approx(found.held_out_loss, rel=0.5)


def test_a_rate_too_large_diverges_without_a_warning(few: Digits) -> None:
    found = trained(few, 1e6, 30)
    assert found.diverged
    assert (found.accuracy, found.held_out_loss) == (0.0, math.inf)
    assert len(found.losses) < 30


def test_a_loss_that_leaves_the_numbers_at_the_last_step_counts(few: Digits, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "judged", lambda *_: (0.9, math.nan))
    assert trained(few, 0.1, 2).diverged


def test_before_each_step_there_are_gradients_of_its_batch(few: Digits) -> None:
    seen = []
    trained(few, 0.1, 3, before_step=lambda step, images, classes: seen.append((step, images.shape, classes.shape)))
    assert seen == [(step, (32, 64), (32,)) for step in (1, 2, 3)]


def test_judging_leaves_the_model_in_training(few: Digits) -> None:
    tg.manual_seed(0)
    model = Perceptron(NORMS["batch"], depth=1, width=8)
    before = model.state_dict()
    accuracy, loss = training.judged(model, few.images, few.classes)
    assert model.training
    assert 0 <= accuracy <= 1
    assert loss > 0
    assert all(np.array_equal(before[name], value) for name, value in model.state_dict().items())
