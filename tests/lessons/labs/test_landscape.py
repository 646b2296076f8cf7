from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm import functional as F
from tinygrad_norm.lessons.labs.digits import Digits, digits
from tinygrad_norm.lessons.labs.experiment import Session
from tinygrad_norm.lessons.labs.landscape import REACH, SHOWN, LandscapePlan, View, run, verdicts, view
from tinygrad_norm.lessons.labs.networks import NORMS, Perceptron

TINY = LandscapePlan((0.1, 0.2), steps=4, look_every=2, depth=1, width=8)


@pytest.fixture
def data() -> Digits:
    return digits(0, 100, 64)


def ready(norm: str, data: Digits) -> Perceptron:
    """A network with the gradient of all the data."""
    tg.manual_seed(0)
    model = Perceptron(NORMS[norm], depth=1, width=8)
    F.cross_entropy(model(*data.training.inputs), data.training.classes).backward()
    return model


@pytest.mark.parametrize("norm", SHOWN)
def test_looking_leaves_weights_and_gradients_as_they_were(data: Digits, norm: str) -> None:
    model = ready(norm, data)
    before = [(p.numpy().copy(), np.array(p.grad)) for p in model.parameters()]
    view(model, data.training, 0.5)
    for p, (values, gradient) in zip(model.parameters(), before, strict=True):
        assert np.array_equal(p, values)
        assert np.array_equal(p.grad, gradient)


def test_what_is_seen_is_what_lies_there(data: Digits) -> None:
    rate = 0.05
    model = ready("none", data)
    seen = view(model, data.training, rate)
    parameters = list(model.parameters())
    here = [p.numpy() for p in parameters]
    slope = [np.array(p.grad) for p in parameters]
    losses, changes = [F.cross_entropy(model(*data.training.inputs), data.training.classes).item()], []
    for reach in REACH:
        for p, values, gradient in zip(parameters, here, slope, strict=True):
            p.data = values - reach * rate * gradient
            p.grad = None
        loss = F.cross_entropy(model(*data.training.inputs), data.training.classes)
        loss.backward()
        losses.append(loss.item())
        changes.append(
            np.sqrt(sum(((np.array(p.grad) - g) ** 2).sum() for p, g in zip(parameters, slope, strict=True)))
        )
    assert seen.loss_range == pytest.approx(max(losses) - min(losses), rel=1e-5)
    assert seen.gradient_change == pytest.approx(max(changes), rel=1e-4)
    steps = [reach * rate * np.sqrt(sum((g**2).sum() for g in slope)) for reach in REACH]
    bends = [change / step for change, step in zip(changes, steps, strict=True)]
    assert seen.smoothness == pytest.approx(max(bends), rel=1e-3)


def test_the_mechanics() -> None:
    outcome = run(Session(0), TINY)
    assert [answer.key for answer in outcome.answers] == ["loss_range", "gradient_change", "smoothness"]
    (table,) = outcome.tables
    assert len(table.rows) == len(SHOWN) * 2
    for panel in outcome.panels:
        assert [line.label for line in panel.lines] == list(SHOWN)
        assert [x for x, _ in panel.lines[0].points] == [2, 4]


def test_cut_short(interrupted_after: Callable[[int], Session]) -> None:
    outcome = run(interrupted_after(2), TINY)
    assert {answer.verdict for answer in outcome.answers} == {"not finished"}
    assert [row.label for row in outcome.tables[0].rows] == ["none, rate 0.1", "batch, rate 0.1"]
    assert outcome.panels[0].lines[0].points == ()


@pytest.mark.parametrize(
    ("batch", "expected"),
    [
        (View(1.0, 1.0, 1.0), ["reproduced"] * 3),
        (View(1.9, 1.0, 1.0), ["not reproduced", "reproduced", "reproduced"]),
        (View(1.0, 1.9, 2.1), ["reproduced", "not reproduced", "not reproduced"]),
    ],
)
def test_the_least_favorable_rate_decides(batch: View, expected: list[str]) -> None:
    seen = {
        ("none", 0.1): (View(2.0, 2.0, 2.0),) * 3,
        ("batch", 0.1): (View(0.1, 0.1, 0.1),) * 3,
        ("none", 0.2): (View(2.0, 2.0, 2.0),) * 3,
        ("batch", 0.2): (batch, batch, View(50.0, 50.0, 50.0)),
    }
    assert [answer.verdict for answer in verdicts(seen, (0.1, 0.2))] == expected
