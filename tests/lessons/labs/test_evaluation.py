from __future__ import annotations

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm import nn
from tinygrad_norm.lessons.labs.digits import digits
from tinygrad_norm.lessons.labs.evaluation import Examples, accuracy_and_loss, batch_norm_drift
from tinygrad_norm.lessons.labs.networks import NORMS, Perceptron


def test_drift_counts_running_deviations() -> None:
    norm = nn.BatchNorm1d(2, eps=0.0)
    norm.load_state_dict({"running_mean": [1.0, 0.0], "running_var": [4.0, 1.0]}, strict=False)
    before = norm.state_dict()
    batch = np.array([[5.0, 1.0], [9.0, -1.0]])
    # The means are 3 running deviations and 0 away.
    assert batch_norm_drift(norm, [(batch,)]) == pytest.approx(3 / np.sqrt(2))
    assert norm.training
    for key, value in norm.state_dict().items():
        np.testing.assert_array_equal(value, before[key])
    assert batch_norm_drift(nn.LayerNorm(2), [(batch,)]) is None


@pytest.mark.parametrize("training", [True, False])
def test_judging_leaves_the_model_as_it_was(training: bool) -> None:
    tg.manual_seed(0)
    model = Perceptron(NORMS["batch"], depth=1, width=8).train(training)
    before = model.state_dict()
    accuracy, loss = accuracy_and_loss(model, digits(0, 100, 200).training)
    assert model.training is training
    assert 0 <= accuracy <= 1
    assert loss > 0
    assert all(np.array_equal(before[name], value) for name, value in model.state_dict().items())


def test_judging_is_done_in_evaluation_mode() -> None:
    model, examples = nn.BatchNorm1d(2, eps=0.0), Examples((np.array([[9.0, 1.0], [8.0, 2.0]]),), np.array([0, 0]))
    # By the running statistics, mean 0 and deviation 1, the scores stay as they are; by the batch's, one is wrong.
    assert accuracy_and_loss(model, examples) == (1.0, pytest.approx(np.log1p(np.exp([-8.0, -6.0])).mean()))


def test_examples_are_taken_row_by_row() -> None:
    examples = Examples((np.arange(3), np.arange(6).reshape(3, 2)), np.array([5, 6, 7]))
    taken = examples.take(np.array([2, 0]))
    assert [part.tolist() for part in taken.inputs] == [[2, 0], [[4, 5], [0, 1]]]
    assert taken.classes.tolist() == [7, 5]
