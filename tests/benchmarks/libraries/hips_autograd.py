"""HIPS autograd: NumPy wrapped in boxes."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import Any

from .. import composed
from ..declaration import Numbers, Step
from ..dialect import Dialect, Library, Problem, gradients_of
from .adam import Adam


def differentiate(dialect: Dialect, problem: Problem) -> Step:
    """Return the step that computes the loss and the gradient by a dict of arrays."""
    return gradient_step(dialect, problem, dict(problem.parameters))


def gradient_step(dialect: Dialect, problem: Problem, parameters: dict[str, Any]) -> Step:
    """Return the step that computes the gradient at these parameters, which may be replaced between steps."""
    autograd: Any = import_module("autograd")
    results: list[Any] = []

    def result_of(p: Any) -> Any:
        return problem.model(dialect, problem.constants, p)

    def step() -> None:
        pullback, result = autograd.make_vjp(result_of)(parameters)
        results[:] = [result, pullback(1.0 if problem.cotangent is None else problem.cotangent)]

    def numbers() -> Numbers:
        return {"result": results[0], **gradients_of(results[1])}

    return Step({"step": step}, numbers)


def train(dialect: Dialect, problem: Problem) -> Step:
    """Return the step that also takes a step of Adam."""
    parameters: dict[str, Any] = dict(problem.parameters)
    adam = Adam(parameters)
    inner = gradient_step(dialect, problem, parameters)

    def step() -> None:
        inner.run()
        gradients = inner.numbers()
        for name, array in parameters.items():
            parameters[name] = adam.updated(name, array, gradients[f"gradient of {name}"])

    return Step({"step": step}, inner.numbers)


def load() -> Dialect:
    """Return the dialect of autograd's NumPy."""
    np: Any = import_module("autograd.numpy")

    def softmax(x: Any) -> Any:
        exponentials = np.exp(x - np.max(x, axis=-1, keepdims=True))
        return exponentials / np.sum(exponentials, axis=-1, keepdims=True)

    def cross_entropy(logits: Any, labels: Any) -> Any:
        shifted = logits - np.max(logits, axis=-1, keepdims=True)
        log_sum = np.log(np.sum(np.exp(shifted), axis=-1))
        return np.mean(log_sum - shifted[np.arange(len(labels)), labels])

    return Dialect(
        linear=composed.linear,
        layer_norm=composed.norm(np.square, np.sqrt),
        batch_norm=composed.norm(np.square, np.sqrt, over_rows=True),
        attention=partial(composed.attention, softmax),
        relu=lambda x: np.maximum(x, 0),
        tanh=np.tanh,
        cross_entropy=cross_entropy,
        total=np.sum,
        differentiate=differentiate,
        train=train,
    )


LIBRARY = Library("autograd", "autograd", load)
