from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm import nn
from tinygrad_norm.lessons.labs import pre_post
from tinygrad_norm.lessons.labs.digits import digits
from tinygrad_norm.lessons.labs.experiment import Session
from tinygrad_norm.lessons.labs.pre_post import (
    Arm,
    DigitTransformer,
    Encoder,
    PrePostPlan,
    arms,
    last_layer_gradient,
    power,
    run,
    trained,
)
from tinygrad_norm.lessons.labs.training import WatchedTraining

TINY = PrePostPlan(
    (1, 2), features=8, draws=1, steps=2, warm_up=1, repeats=2, depth=1, trained_features=8, high=0.01, low=0.001
)


def test_the_mechanics() -> None:
    outcome = run(Session(0), TINY)
    assert len(outcome.answers) == 5
    gradients, training = outcome.tables
    assert [row.label for row in gradients.rows] == ["Post-LN", "Pre-LN"]
    assert [row.label for row in training.rows] == [arm.name for arm in arms(TINY)]
    # Two steps are too few for a mean of ten.
    assert [line.points for line in outcome.panels[1].lines] == [()] * 4
    assert outcome.panels[1].title == "Training at rate 0.01"


def test_cut_short_between_gradients_and_training(interrupted_after: Callable[[int], Session]) -> None:
    outcome = run(interrupted_after(5), TINY)
    verdicts = [answer.verdict for answer in outcome.answers]
    assert "not finished" not in verdicts[:2]
    assert verdicts[2:] == ["not finished"] * 3
    assert [row.label for row in outcome.tables[1].rows] == ["Post-LN, without warm-up, rate 0.01"]
    assert {a.verdict for a in run(interrupted_after(2), TINY).answers} == {"not finished"}


def test_warm_up_raises_the_rate_step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    rates: list[float] = []

    class Spy(tg.optim.Adam):
        def step(self, closure: object = None) -> None:
            rates.append(self.param_groups[0]["lr"])
            super().step()

    monkeypatch.setattr(pre_post.optim, "Adam", Spy)
    data = digits(0, 50, 100)
    size = PrePostPlan((1,), 8, 1, steps=4, warm_up=3, repeats=1, depth=1, trained_features=8)
    trained((Arm("Pre-LN", True, 0.3), 0), data, 0, size)
    trained((Arm("Pre-LN", False, 0.3), 0), data, 0, size)
    assert rates == pytest.approx([0.1, 0.2, 0.3, 0.3, *[0.3] * 4])


@pytest.mark.parametrize("pre", [False, True])
def test_the_norm_is_where_it_says(pre: bool) -> None:
    tg.manual_seed(0)
    encoder = Encoder(3, 8, pre)
    layers = list(encoder.layers)
    assert [layer.norm_first for layer in layers] == [pre] * 3
    assert isinstance(encoder.last_norm, nn.LayerNorm) is pre
    assert not np.array_equal(layers[0].linear1.weight, layers[1].linear1.weight)
    assert not np.any(layers[0].linear1.bias)
    # Xavier: a variance of 2 / (fan in + fan out).
    assert layers[0].self_attn.in_proj_weight.numpy().std() == pytest.approx(np.sqrt(2 / (8 + 24)), rel=0.2)
    out = encoder(tg.ones((2, 4, 8), dtype=np.float32) * np.arange(8, dtype=np.float32)).numpy()
    np.testing.assert_allclose(out.mean(-1), 0, atol=1e-5)


def test_a_digit_is_read_row_by_row() -> None:
    tg.manual_seed(0)
    model = DigitTransformer(1, 8, pre=True)
    (images,) = digits(0, 4, 4).training.inputs
    scores = model(images)
    assert scores.shape == (4, 10)
    turned = images.reshape(4, 8, 8)[:, ::-1].reshape(4, 64)
    assert not np.allclose(model(turned), scores)


def test_the_last_layer_gradient_falls_with_depth_for_pre_ln_only() -> None:
    def mean(depth: int, pre: bool) -> float:
        tg.manual_seed(0)
        rng = np.random.default_rng(0)
        return float(np.mean([last_layer_gradient(depth, 16, pre, rng) for _ in range(8)]))

    assert mean(12, True) < 0.75 * mean(2, True)
    assert mean(12, False) > 0.75 * mean(2, False)


def test_a_power_is_fitted_to_logarithms() -> None:
    assert power([1, 4, 16], [3.0, 1.5, 0.75]) == pytest.approx(-0.5)


def judged(monkeypatch: pytest.MonkeyPatch, norms: dict[str, float], accuracy: dict[str, float]) -> list[str]:
    """The verdicts of a run with made-up measurements: a power of the depth for each place, accuracies by arm."""
    monkeypatch.setattr(pre_post, "gradient_norms", lambda job, seed, size: job[1] ** norms[job[0]])
    monkeypatch.setattr(
        pre_post,
        "trained",
        lambda job, data, seed, plan: WatchedTraining(None, accuracy[job[0].course], 1.0, 1.0, (1.0,) * 25),
    )
    outcome = run(Session(), TINY)
    if accuracy:
        assert [x for x, _ in outcome.panels[1].lines[0].points] == [10, 20]
    return [answer.verdict for answer in outcome.answers]


NORMS = {"Post-LN": 0.0, "Pre-LN": -0.5}
ACCURACY = {
    "Post-LN, without warm-up": 0.1,
    "Post-LN, with warm-up": 0.7,
    "Pre-LN, without warm-up": 0.8,
    "Pre-LN, with warm-up": 0.8,
}


def test_measurements_on_which_everything_reproduces(monkeypatch: pytest.MonkeyPatch) -> None:
    assert judged(monkeypatch, NORMS, ACCURACY) == ["reproduced"] * 5


@pytest.mark.parametrize(
    ("norms", "accuracy", "failing"),
    [
        ({"Post-LN": -0.3}, {}, [0]),
        ({"Pre-LN": -0.1}, {}, [1]),
        ({"Pre-LN": -0.9}, {}, [1]),
        ({}, {"Post-LN, without warm-up": 0.6}, [2, 3]),
        ({}, {"Pre-LN, without warm-up": 0.5}, [2, 4]),
        ({}, {"Post-LN, with warm-up": 0.2}, [3]),
        ({}, {"Post-LN, with warm-up": 0.96}, [4]),
    ],
)
def test_each_test_can_fail(
    monkeypatch: pytest.MonkeyPatch, norms: dict[str, float], accuracy: dict[str, float], failing: list[int]
) -> None:
    found = judged(monkeypatch, NORMS | norms, ACCURACY | accuracy)
    assert [i for i, verdict in enumerate(found) if verdict == "not reproduced"] == failing
