"""This project without its tape: the model written out once by ``tg.program``, then run."""

from __future__ import annotations

from typing import Any

import numpy as np

import tinygrad_norm as tg

from ..declaration import Numbers, Step
from ..dialect import Dialect, Library, Problem, gradients_of
from . import ours


def written_out(dialect: Dialect, problem: Problem) -> Any:
    """Return the program of a model, of its constants and parameters.

    What a function reads is compared at every call, so it reads no more than it needs.
    """
    names, constants, body = (*problem.constants, *problem.parameters), frozenset(problem.constants), problem.model

    def model(*values: Any) -> Any:
        given = dict(zip(names, values, strict=True))
        return body(
            dialect,
            {name: value for name, value in given.items() if name in constants},
            {name: value for name, value in given.items() if name not in constants},
        )

    return tg.program(model, *problem.constants.values(), *problem.parameters.values())


def differentiate(dialect: Dialect, problem: Problem) -> Step:
    """Return the step that runs the program and fills every leaf's ``grad``."""
    return backward_step(dialect, problem, ours.leaves(problem.parameters))


def backward_step(dialect: Dialect, problem: Problem, parameters: dict[str, tg.Tensor]) -> Step:
    """Return the step that runs the program and fills the ``grad`` of these leaves."""
    program, given = written_out(dialect, problem), [*problem.constants.values(), *parameters.values()]
    cotangent = None if problem.cotangent is None else tg.Tensor(problem.cotangent)
    result: list[tg.Tensor] = []

    def step() -> None:
        for parameter in parameters.values():
            parameter.grad = None
        result[:] = [program(*given)]
        result[0].backward(cotangent)

    def numbers() -> Numbers:
        gradients = {name: np.asarray(parameter.grad) for name, parameter in parameters.items()}
        return {"result": result[0].data, **gradients_of(gradients)}

    return Step({"step": step}, numbers)


def train(dialect: Dialect, problem: Problem) -> Step:
    """Return the step that also takes a step of this project's Adam."""
    parameters = ours.leaves(problem.parameters)
    optimizer = tg.optim.Adam(parameters.values(), lr=1e-3)
    inner = backward_step(dialect, problem, parameters)

    def step() -> None:
        inner.run()
        optimizer.step()

    return Step({"step": step}, inner.numbers)


def differentiate_arrays(dialect: Dialect, problem: Problem) -> Step:
    """Return the step that runs the program's two functions on arrays; by the constants it computes gradients too."""
    program, given = written_out(dialect, problem), [*problem.constants.values(), *problem.parameters.values()]
    seed = np.float64(1) if problem.cotangent is None else problem.cotangent
    found: list[Any] = []

    def step() -> None:
        result, saved = program.forward(*given)
        found[:] = [result, program.backward(seed, saved)]

    def numbers() -> Numbers:
        gradients = dict(zip([*problem.constants, *problem.parameters], found[1], strict=True))
        return {"result": found[0], **gradients_of({name: gradients[name] for name in problem.parameters})}

    return Step({"step": step}, numbers)


def load() -> Dialect:
    """Return the dialect of this project, differentiated by a program."""
    return Dialect(**{**vars(ours.load()), "differentiate": differentiate, "train": train})


def load_arrays() -> Dialect:
    """Return the dialect of this project, differentiated by a program on arrays."""
    return Dialect(**{**vars(ours.load()), "differentiate": differentiate_arrays, "train": None})


LIBRARY = Library("program", None, load)
ARRAYS = Library("program-arrays", None, load_arrays)
