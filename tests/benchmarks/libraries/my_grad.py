"""MyGrad: tensors over NumPy."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import Any

import numpy as np

from .. import composed
from ..declaration import Numbers, Step
from ..dialect import Dialect, Library, Problem, gradients_of


def differentiate(dialect: Dialect, problem: Problem) -> Step:
    """Return the step that fills every tensor's ``grad``."""
    mygrad: Any = import_module("mygrad")
    parameters = {name: mygrad.tensor(array) for name, array in problem.parameters.items()}
    result: list[Any] = []

    def step() -> None:
        for parameter in parameters.values():
            parameter.null_grad()
        result[:] = [problem.model(dialect, problem.constants, parameters)]
        result[0].backward(problem.cotangent)

    def numbers() -> Numbers:
        gradients = {name: parameter.grad for name, parameter in parameters.items()}
        return {"result": np.asarray(result[0]), **gradients_of(gradients)}

    return Step({"step": step}, numbers)


def load() -> Dialect:
    """Return the dialect of MyGrad."""
    mygrad: Any = import_module("mygrad")
    networks: Any = import_module("mygrad.nnet")
    return Dialect(
        linear=lambda x, weight, bias: mygrad.matmul(x, weight) + bias,
        layer_norm=composed.norm(mygrad.square, mygrad.sqrt),
        batch_norm=composed.norm(mygrad.square, mygrad.sqrt, over_rows=True),
        attention=partial(composed.attention, networks.softmax),
        relu=networks.relu,
        tanh=mygrad.tanh,
        cross_entropy=networks.softmax_crossentropy,
        total=mygrad.sum,
        differentiate=differentiate,
    )


LIBRARY = Library("mygrad", "mygrad", load)
