from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm import nn
from tinygrad_norm.lessons.labs import norm_comparison
from tinygrad_norm.lessons.labs.networks import REVIEW_NORMS
from tinygrad_norm.lessons.labs.norm_comparison import (
    TrainingOutcome,
    comparison_data,
    comparison_text,
    plot_comparison,
    train_on_reviews,
)
from tinygrad_norm.lessons.labs.training import Course, TrainingPlan

QUICK = TrainingPlan(epochs=1, batch=16, dtype="float64")


@pytest.fixture
def quiet() -> io.StringIO:
    return io.StringIO()


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("norm", REVIEW_NORMS)
def test_a_seed_reproduces_losses_and_weights_exactly(norm: str, quiet: io.StringIO) -> None:
    first, second = (train_on_reviews(norm, QUICK, quiet) for _ in range(2))
    assert first.outcome.course.losses == second.outcome.course.losses
    assert first.outcome.loss == second.outcome.loss
    for a, b in zip(first.model.state_dict().values(), second.model.state_dict().values(), strict=True):
        np.testing.assert_array_equal(a, b)
    other = train_on_reviews(norm, dataclasses.replace(QUICK, seed=1), quiet)
    assert other.outcome.course.losses != first.outcome.course.losses
    assert (first.outcome.drift is None) == (norm not in ("batch", "masked_batch"))
    assert first.outcome.parameters == sum(p.size for p in first.model.parameters())


@pytest.mark.usefixtures("few")
def test_a_few_reviews_are_learned_by_heart(quiet: io.StringIO) -> None:
    outcome = train_on_reviews("layer", TrainingPlan(epochs=25, batch=16), quiet).outcome
    assert outcome.training_accuracy == 1.0
    assert outcome.course.losses[-1] < 0.1 < outcome.course.losses[0]
    assert outcome.course.steps == 25 * 3
    assert not outcome.course.interrupted


class TestDigits:
    def test_the_images_are_read(self, quiet: io.StringIO) -> None:
        outcome = norm_comparison.train_on_digits("batch", TrainingPlan(epochs=3, batch=128), quiet).outcome
        assert outcome.accuracy > 0.9
        assert outcome.drift is not None
        assert outcome.drift > 0

    def test_a_fifth_is_held_out(self) -> None:
        training, held_out = norm_comparison.split_digits(TrainingPlan())
        assert (len(training.classes), len(held_out.classes)) == (1437, 360)
        images = training.inputs[0]
        assert (images.dtype, images.min(), images.max()) == (np.float32, 0.0, 1.0)
        sizes = [len(part.classes) for part in held_out.in_batches(359)]
        assert sizes == [359]

    @pytest.mark.parametrize(("norm", "layers"), [("layer", 10), ("none", 7)])
    def test_three_hidden_layers(self, norm: str, layers: int) -> None:
        model = norm_comparison.digit_network(norm, "float64")
        assert len(model) == layers
        assert sum(isinstance(part, nn.Linear) for part in model) == 4

    def test_images_have_no_pads_to_mask(self) -> None:
        with pytest.raises(
            tg.InputError, match="digits: norm must be one of layer, rms, batch, none; got 'masked_batch'"
        ):
            norm_comparison.train_on_digits("masked_batch", TrainingPlan())

    def test_scikit_learn_is_optional(self, without: Callable[[str], None]) -> None:
        without("sklearn")
        with pytest.raises(tg.MissingExtraError, match=r"it is not installed\. Run pip install 'tinygrad-norm\[lab\]'"):
            norm_comparison.train_on_digits("layer", TrainingPlan())


PLAIN = TrainingOutcome("layer", Course((0.7, 0.1), 20, 3.25, False), 1.0, 0.984, 0.0625, None, 1234)
CUT = TrainingOutcome("batch", Course((0.6,), 5, 1.0, True), 0.7, 0.5, 0.6931, 0.125, 1234)


def test_training_as_a_table() -> None:
    lines = comparison_text([PLAIN, CUT], "reviews").splitlines()
    assert lines[2:5] == [
        "norm                 steps    loss  trained on  held out  drift  seconds",
        "layer                   20  0.0625      100.0%     98.4%      –      3.2",
        "batch (interrupted)      5  0.6931       70.0%     50.0%   0.12      1.0",
    ]


def test_results_as_data() -> None:
    assert json.loads(json.dumps(comparison_data([PLAIN])))[0]["course"]["losses"] == [0.7, 0.1]


def test_an_svg_says_what_was_drawn(tmp_path: Path) -> None:
    path = tmp_path / "a.svg"
    plot_comparison([PLAIN], "reviews", path)
    first = path.read_bytes()
    plot_comparison([PLAIN], "reviews", path)
    assert b"layer: 98.4% held out" in first
    assert path.read_bytes() == first


@pytest.mark.parametrize("losses", [(), (0.5, 0.0)])
def test_a_training_without_epochs_and_one_without_loss_are_drawn(tmp_path: Path, losses: tuple[float, ...]) -> None:
    path = tmp_path / "a.svg"
    plot_comparison([dataclasses.replace(PLAIN, course=Course(losses, 20, 1.0, False))], "digits", path)
    assert b"Training on digits" in path.read_bytes()
