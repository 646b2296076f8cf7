from __future__ import annotations

import dataclasses
import io
import signal
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm import nn
from tinygrad_norm.lessons.labs import train_digits
from tinygrad_norm.lessons.labs.classifier import ReviewClassifier
from tinygrad_norm.lessons.labs.drift import drift
from tinygrad_norm.lessons.labs.fit import Course, Settings, fit
from tinygrad_norm.lessons.labs.outcome import NORMS
from tinygrad_norm.lessons.labs.progress import progress
from tinygrad_norm.lessons.labs.threads import one_thread
from tinygrad_norm.lessons.labs.train_reviews import train_on_reviews

QUICK = Settings(epochs=1, batch=16, dtype="float64")
Hide = Callable[[str], None]


@pytest.fixture
def quiet() -> io.StringIO:
    return io.StringIO()


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("norm", NORMS)
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
    outcome = train_on_reviews("layer", Settings(epochs=25, batch=16), quiet).outcome
    assert outcome.training_accuracy == 1.0
    assert outcome.course.losses[-1] < 0.1 < outcome.course.losses[0]
    assert outcome.course.steps == 25 * 3
    assert not outcome.course.interrupted


def test_drift_counts_running_deviations() -> None:
    norm = nn.BatchNorm1d(2, eps=0.0)
    norm.load_state_dict({"running_mean": [1.0, 0.0], "running_var": [4.0, 1.0]}, strict=False)
    before = norm.state_dict()
    batch = np.array([[5.0, 1.0], [9.0, -1.0]])
    # The means are 3 running deviations and 0 away.
    assert drift(norm, [(batch,)]) == pytest.approx(3 / np.sqrt(2))
    assert norm.training
    for key, value in norm.state_dict().items():
        np.testing.assert_array_equal(value, before[key])
    assert drift(nn.LayerNorm(2), [(batch,)]) is None


class TestFit:
    def model(self) -> nn.Module:
        tg.manual_seed(0)
        return nn.Linear(2, 2)

    def examples(self, rng: np.random.Generator) -> Iterator[Any]:
        for _ in range(3):
            yield (rng.standard_normal((4, 2)),), np.array([0, 1, 0, 1])

    def test_without_epochs_nothing_is_trained(self, quiet: io.StringIO) -> None:
        model = self.model()
        before = model.state_dict()
        course = fit(model, self.examples, 3, Settings(epochs=0), "x", quiet)
        assert (course.losses, course.steps) == ((), 0)
        np.testing.assert_array_equal(model.state_dict()["weight"], before["weight"])

    @pytest.mark.parametrize("after", [0, 1, 4])
    def test_ctrl_c_keeps_what_was_done(self, after: int, quiet: io.StringIO) -> None:
        model, count = self.model(), 0

        def interrupted(rng: np.random.Generator) -> Iterator[Any]:
            nonlocal count
            for example in self.examples(rng):
                if count == after:
                    signal.raise_signal(signal.SIGINT)
                count += 1
                yield example

        course = fit(model, interrupted, 3, Settings(epochs=10), "x", quiet)
        assert course.interrupted
        assert course.steps == after
        assert len(course.losses) == -(-after // 3)
        whole = fit(self.model(), self.examples, 3, Settings(epochs=10), "x", quiet)
        assert course.losses[: after // 3] == whole.losses[: after // 3]

    def test_a_loss_that_is_no_number_is_an_error(self, quiet: io.StringIO) -> None:
        model = self.model()
        model.weight.data = [[np.nan, 0.0], [0.0, 0.0]]
        with pytest.raises(
            tg.AnomalyError, match=r"the loss must be a finite number; got nan\. No parameter was changed"
        ):
            fit(model, self.examples, 3, Settings(), "x", quiet)

    @pytest.mark.parametrize("options", [{"epochs": -1}, {"seed": -1}, {"batch": 1}, {"rate": 0.0}])
    def test_settings_must_make_sense(self, options: dict[str, Any]) -> None:
        with pytest.raises(tg.InputError, match=f"{next(iter(options))} must be (at least|positive)"):
            Settings(**options)

    def test_it_writes_to_standard_error(self, capsys: pytest.CaptureFixture[str]) -> None:
        fit(self.model(), self.examples, 3, Settings(epochs=1), "linear")
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith("linear: epoch 1 of 1, loss ")


class TestProgress:
    def test_a_bar_on_a_terminal(self, terminal: io.StringIO) -> None:
        with progress(terminal, "layer", 1, 2) as tick:
            tick(0.5)
            tick(0.25, epoch=1)
        assert "layer: 100%" in terminal.getvalue()
        assert "2/2" in terminal.getvalue()
        assert "loss=0.2500" in terminal.getvalue()

    def test_a_counter_without_tqdm(self, terminal: io.StringIO, without: Hide) -> None:
        without("tqdm")
        with progress(terminal, "layer", 1, 2) as tick:
            tick(0.5)
            tick(0.25, epoch=1)
        assert terminal.getvalue() == "\rlayer 1/2, loss 0.5000 \rlayer 2/2, loss 0.2500 \n"


def test_one_thread_needs_no_package(without: Hide) -> None:
    with one_thread():
        pass
    without("threadpoolctl")
    with one_thread():
        pass


class TestDigits:
    def test_the_images_are_read(self, quiet: io.StringIO) -> None:
        outcome = train_digits.train_on_digits("batch", Settings(epochs=3, batch=128), quiet).outcome
        assert outcome.accuracy > 0.9
        assert outcome.drift is not None
        assert outcome.drift > 0

    def test_a_fifth_is_held_out(self) -> None:
        training, held_out = train_digits.split_digits(Settings())
        assert (len(training.classes), len(held_out.classes)) == (1437, 360)
        images = training.inputs[0]
        assert (images.dtype, images.min(), images.max()) == (np.float32, 0.0, 1.0)
        sizes = [len(part.classes) for part in train_digits.in_parts(held_out, 359, None)]
        assert sizes == [359]

    @pytest.mark.parametrize(("norm", "layers"), [("layer", 10), ("none", 7)])
    def test_three_hidden_layers(self, norm: str, layers: int) -> None:
        model = train_digits.digit_network(norm, "float64")
        assert len(model) == layers
        assert sum(isinstance(part, nn.Linear) for part in model) == 4

    def test_images_have_no_pads_to_mask(self) -> None:
        with pytest.raises(
            tg.InputError, match="digits: norm must be one of layer, rms, batch, none; got 'masked_batch'"
        ):
            train_digits.train_on_digits("masked_batch", Settings())

    def test_scikit_learn_is_optional(self, without: Hide) -> None:
        without("sklearn")
        with pytest.raises(tg.MissingExtraError, match=r"it is not installed\. Run pip install 'tinygrad-norm\[lab\]'"):
            train_digits.train_on_digits("layer", Settings())


def test_the_classifier_leaves_pads_out() -> None:
    model = ReviewClassifier("layer", dtype="float64")
    ids, pads = np.array([[3, 4, 0, 0]]), np.array([[False, False, True, True]])
    np.testing.assert_allclose(model(ids, pads).data, model(ids[:, :2], pads[:, :2]).data, rtol=1e-12, atol=1e-14)
    # Whatever stands at a pad.
    np.testing.assert_array_equal(model(np.array([[3, 4, 7, 9]]), pads).data, model(ids, pads).data)


def test_a_course_is_plain_data() -> None:
    assert dataclasses.asdict(Course((0.5,), 3, 1.0, False))["losses"] == (0.5,)
