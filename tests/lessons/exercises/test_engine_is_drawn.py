"""A learner's engine, for which the reference solution of exercise 20 stands in, is drawn and stepped by our pages."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm.lessons.exercises.checked_engines import with_mistake
from tinygrad_norm.lessons.exercises.tasks import EXERCISES
from tinygrad_norm.viz import Drawing

Engine = dict[str, Any]
PLACES = {"parents": "parents", "operation": "operation", "value": "data", "gradient": "grad", "local": "pullbacks"}


@pytest.fixture(scope="module")
def engine() -> Engine:
    return dict(with_mistake(EXERCISES[20].functions))


@pytest.fixture
def loss_of_moons(engine: Engine) -> tuple[Drawing, list[Any], Any]:
    """The loss of a network after some training, sent back and drawn."""
    x, labels = engine["two_moons"]()
    weights = engine["start"](1, sizes=(2, 3, 1))
    engine["train"](x, labels, weights, rate=0.5, epochs=5, batch=20)
    for weight in weights:
        weight.grad = np.zeros(weight.data.shape)
    loss = engine["loss"](engine["network"](x, weights), labels)
    loss.backward()
    w1, b1, w2, b2 = weights
    return tg.draw(loss, **PLACES), [w1, b1, w2, b2], loss


def test_the_loss_of_two_moons_is_drawn(loss_of_moons: tuple[Drawing, list[Any], Any]) -> None:
    drawing, weights, loss = loss_of_moons
    nodes = drawing.to_json()["nodes"]
    assert {n["operation"] for n in nodes} >= {"matmul", "add", "tanh", "multiply", "exp", "log", "sum"}
    assert [n["value"] for n in nodes if n["name"] == "loss"] == [float(loss.data)]
    gradients = [n["gradient"] for n in nodes]
    assert all(weight.grad.tolist() in gradients for weight in weights)
    assert drawing.svg.startswith("<")


def test_the_loss_of_two_moons_is_stepped(loss_of_moons: tuple[Drawing, list[Any], Any], tmp_path: Any) -> None:
    drawing, _, loss = loss_of_moons
    drawing.save(tmp_path / "moons.html")
    page = (tmp_path / "moons.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert f"{float(loss.data):.4g}" in page


def test_layer_norm_on_it_is_drawn_with_all_ways_back(engine: Engine) -> None:
    row, gamma, beta = (engine["Tensor"](v) for v in ([[7.0, 5.0, 4.0]], [1.0, 2.0, 3.0], [0.0, 1.0, 0.0]))
    y = engine["layer_norm"](row, gamma, beta, 1e-5)
    y.backward(np.array([[1.0, 0.0, 0.0]]))
    drawing = tg.draw(y, **PLACES)
    expected = {node.title: node.expected for node in drawing.view.nodes}
    assert (expected["row"], expected["gamma"], expected["beta"]) == (2, 1, 1)
    assert max(expected.values()) == 3  # the centered row: divided once, squared with itself
    assert drawing.view.notes == ()  # everywhere the parts add up to the gradient
    (shown,) = (n["gradient"] for n in drawing.to_json()["nodes"] if n["name"] == "row")
    ours = tg.Tensor(row.data, requires_grad=True)
    tg.functional.layer_norm(ours, 3, gamma.data, beta.data, 1e-5).backward(gradient=[[1.0, 0.0, 0.0]])
    np.testing.assert_allclose(shown, ours.grad.numpy(), atol=1e-12)
