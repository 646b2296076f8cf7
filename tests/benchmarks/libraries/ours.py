"""This project, as its users write it."""

from __future__ import annotations

import numpy as np

import tinygrad_norm as tg
from tinygrad_norm import functional as F

from ..composed import linear
from ..declaration import OURS, Numbers, Step
from ..dialect import Dialect, Library, Problem, gradients_of


def differentiate(dialect: Dialect, problem: Problem) -> Step:
    """Return the step that fills every leaf's ``grad``."""
    return backward_step(dialect, problem, leaves(problem.parameters))


def leaves(arrays: Numbers) -> dict[str, tg.Tensor]:
    """Return leaves with these values."""
    return {name: tg.Tensor(array, requires_grad=True, name=name) for name, array in arrays.items()}


def backward_step(dialect: Dialect, problem: Problem, parameters: dict[str, tg.Tensor]) -> Step:
    """Return the step that computes the result and the gradients of these leaves."""
    constants = {
        name: tg.Tensor(array) if array.dtype.kind == "f" else array for name, array in problem.constants.items()
    }
    cotangent = None if problem.cotangent is None else tg.Tensor(problem.cotangent)
    result: list[tg.Tensor] = []

    def step() -> None:
        for parameter in parameters.values():
            parameter.grad = None
        result[:] = [problem.model(dialect, constants, parameters)]
        result[0].backward(cotangent)

    def numbers() -> Numbers:
        gradients = {name: np.asarray(parameter.grad) for name, parameter in parameters.items()}
        return {"result": result[0].data, **gradients_of(gradients)}

    return Step({"step": step}, numbers)


def train(dialect: Dialect, problem: Problem) -> Step:
    """Return the step that also takes a step of this project's Adam."""
    parameters = leaves(problem.parameters)
    optimizer = tg.optim.Adam(parameters.values(), lr=1e-3)
    inner = backward_step(dialect, problem, parameters)

    def step() -> None:
        inner.run()
        optimizer.step()

    return Step({"step": step}, inner.numbers)


def load() -> Dialect:
    """Return the dialect of this project."""
    return Dialect(
        linear=linear,
        layer_norm=lambda x, gamma, beta: F.layer_norm(x, x.shape[-1], gamma, beta),
        batch_norm=lambda x, gamma, beta: F.batch_norm(x, None, None, gamma, beta, training=True, channel_axis=-1),
        attention=F.scaled_dot_product_attention,
        relu=F.relu,
        tanh=tg.tanh,
        cross_entropy=F.cross_entropy,
        total=tg.sum,
        differentiate=differentiate,
        train=train,
    )


LIBRARY = Library(OURS, None, load)
