from __future__ import annotations

import dataclasses
import io
import math
import signal
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm import nn, optim
from tinygrad_norm.lessons.labs import training
from tinygrad_norm.lessons.labs.digits import Digits, digits
from tinygrad_norm.lessons.labs.evaluation import Examples
from tinygrad_norm.lessons.labs.networks import NORMS, Perceptron
from tinygrad_norm.lessons.labs.training import Course, TrainingPlan, fit, one_thread


@pytest.fixture
def quiet() -> io.StringIO:
    return io.StringIO()


class TestFit:
    def model(self) -> nn.Module:
        tg.manual_seed(0)
        return nn.Linear(2, 2)

    def examples(self, rng: np.random.Generator) -> Iterator[Examples]:
        for _ in range(3):
            yield Examples((rng.standard_normal((4, 2)),), np.array([0, 1, 0, 1]))

    def test_without_epochs_nothing_is_trained(self, quiet: io.StringIO) -> None:
        model = self.model()
        before = model.state_dict()
        course = fit(model, self.examples, 3, TrainingPlan(epochs=0), "x", quiet)
        assert (course.losses, course.steps) == ((), 0)
        np.testing.assert_array_equal(model.state_dict()["weight"], before["weight"])

    @pytest.mark.parametrize("after", [0, 1, 4])
    def test_ctrl_c_keeps_what_was_done(self, after: int, quiet: io.StringIO) -> None:
        model, count = self.model(), 0

        def interrupted(rng: np.random.Generator) -> Iterator[Examples]:
            nonlocal count
            for example in self.examples(rng):
                if count == after:
                    signal.raise_signal(signal.SIGINT)
                count += 1
                yield example

        course = fit(model, interrupted, 3, TrainingPlan(epochs=10), "x", quiet)
        assert course.interrupted
        assert course.steps == after
        assert len(course.losses) == -(-after // 3)
        whole = fit(self.model(), self.examples, 3, TrainingPlan(epochs=10), "x", quiet)
        assert course.losses[: after // 3] == whole.losses[: after // 3]

    def test_a_loss_that_is_no_number_is_an_error(self, quiet: io.StringIO) -> None:
        model = self.model()
        model.weight.data = [[np.nan, 0.0], [0.0, 0.0]]
        with pytest.raises(
            tg.AnomalyError, match=r"the loss must be a finite number; got nan\. No parameter was changed"
        ):
            fit(model, self.examples, 3, TrainingPlan(), "x", quiet)

    @pytest.mark.parametrize("options", [{"epochs": -1}, {"seed": -1}, {"batch": 1}, {"rate": 0.0}])
    def test_a_plan_must_make_sense(self, options: dict[str, Any]) -> None:
        with pytest.raises(tg.InputError, match=f"{next(iter(options))} must be (at least|positive)"):
            TrainingPlan(**options)

    def test_a_log_gets_a_line_for_each_epoch_on_standard_error(self, capsys: pytest.CaptureFixture[str]) -> None:
        course = fit(self.model(), self.examples, 3, TrainingPlan(epochs=2), "linear")
        first, second = course.losses
        expected = f"linear: epoch 1 of 2, loss {first:.4f}\nlinear: epoch 2 of 2, loss {second:.4f}\n"
        assert capsys.readouterr() == ("", expected)

    def test_a_terminal_shows_the_loss_of_each_step_and_at_last_of_the_epoch(self, terminal: io.StringIO) -> None:
        course = fit(self.model(), self.examples, 3, TrainingPlan(epochs=1), "linear", terminal)
        shown = terminal.getvalue()
        assert "linear: 100%" in shown
        assert "3/3" in shown
        assert f"loss={course.losses[0]:.4f}" in shown
        assert "epoch" not in shown


def test_a_course_is_plain_data() -> None:
    assert dataclasses.asdict(Course((0.5,), 3, 1.0, False))["losses"] == (0.5,)


def test_one_thread_needs_no_package(without: Callable[[str], None]) -> None:
    with one_thread():
        pass
    without("threadpoolctl")
    with one_thread():
        pass


@pytest.fixture
def digits_to_learn() -> Digits:
    return digits(0, 100, 200)


def trained(data: Digits, rate: float, steps: int, **options: Any) -> training.WatchedTraining:
    tg.manual_seed(0)
    model = Perceptron(NORMS["none"], depth=2, width=16)
    optimizer = optim.SGD(model.parameters(), lr=rate)
    return training.train_watched(model, data, optimizer, steps, np.random.default_rng(0), batch=32, **options)


def test_the_goal_is_reached_and_the_loss_falls(digits_to_learn: Digits, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "GOAL", 0.5)
    found = trained(digits_to_learn, 0.2, 60, look_every=4)
    assert found.reached is not None
    assert found.reached % 4 == 0
    assert found.accuracy > 0.5
    assert found.loss < found.losses[0]
    assert len(found.losses) == 60
    assert math.isfinite(found.loss)


def test_without_steps_enough_the_goal_is_not_reached(digits_to_learn: Digits) -> None:
    found = trained(digits_to_learn, 1e-6, 5)
    assert found.reached is None
    assert found.loss == pytest.approx(found.held_out_loss, rel=0.5)


def test_a_rate_too_large_diverges_without_a_warning(digits_to_learn: Digits) -> None:
    found = trained(digits_to_learn, 1e6, 30)
    assert (found.accuracy, found.held_out_loss, found.loss) == (0.0, math.inf, math.inf)
    assert len(found.losses) < 30


def test_a_loss_that_leaves_the_numbers_at_the_last_step_counts(
    digits_to_learn: Digits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "accuracy_and_loss", lambda *_: (0.9, math.nan))
    assert math.isinf(trained(digits_to_learn, 0.1, 2).loss)


def test_before_each_step_there_are_gradients_of_its_batch(digits_to_learn: Digits) -> None:
    seen = []

    def note(step: int, examples: Examples) -> None:
        seen.append((step, examples.inputs[0].shape, examples.classes.shape))

    trained(digits_to_learn, 0.1, 3, before_step=note)
    assert seen == [(step, (32, 64), (32,)) for step in (1, 2, 3)]
