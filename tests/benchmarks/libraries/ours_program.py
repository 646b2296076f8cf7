"""This project without its tape: the model written out once by ``tg.program``, then run."""

from __future__ import annotations

from typing import Any

import numpy as np

import tinygrad_norm as tg

from ..declaration import Numbers, Step
from ..dialect import Dialect, Library, Problem, gradients_of
from . import ours


def differentiate(dialect: Dialect, problem: Problem) -> Step:
    """Return the step that runs the program and fills every leaf's ``grad``."""
    parameters = ours.leaves(problem.parameters)
    given: list[Any] = [*problem.constants.values(), *parameters.values()]
    cotangent = None if problem.cotangent is None else tg.Tensor(problem.cotangent)
    result: list[tg.Tensor] = []

    def model(*values: Any) -> Any:
        constants = dict(zip(problem.constants, values, strict=False))
        rest = values[len(constants) :]
        return problem.model(dialect, constants, dict(zip(problem.parameters, rest, strict=True)))

    program = tg.program(model, *given)

    def step() -> None:
        for parameter in parameters.values():
            parameter.grad = None
        result[:] = [program(*given)]
        result[0].backward(cotangent)

    def numbers() -> Numbers:
        gradients = {name: np.asarray(parameter.grad) for name, parameter in parameters.items()}
        return {"result": result[0].data, **gradients_of(gradients)}

    return Step({"step": step}, numbers)


def load() -> Dialect:
    """Return the dialect of this project, differentiated by a program."""
    dialect = vars(ours.load())
    return Dialect(**{**dialect, "differentiate": differentiate, "train": None})


LIBRARY = Library("program", None, load)
