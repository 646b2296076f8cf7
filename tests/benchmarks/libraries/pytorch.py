"""PyTorch on the CPU, eager: with its fused kernels, and composed from its elementary operations."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import Any

from .. import composed
from ..declaration import Numbers, Step
from ..dialect import Dialect, Library, Problem, gradients_of


def backward_step(dialect: Dialect, problem: Problem, parameters: dict[str, Any]) -> Step:
    """Return the step that computes the result and the gradients of these leaves."""
    torch: Any = import_module("torch")
    constants = {name: torch.tensor(array) for name, array in problem.constants.items()}
    cotangent = None if problem.cotangent is None else torch.tensor(problem.cotangent)
    result: list[Any] = []

    def step() -> None:
        for parameter in parameters.values():
            parameter.grad = None
        result[:] = [problem.model(dialect, constants, parameters)]
        result[0].backward(cotangent)

    def numbers() -> Numbers:
        gradients = {name: parameter.grad.numpy() for name, parameter in parameters.items()}
        return {"result": result[0].detach().numpy(), **gradients_of(gradients)}

    return Step({"step": step}, numbers)


def leaves(arrays: Numbers) -> dict[str, Any]:
    """Return leaves with these values."""
    torch: Any = import_module("torch")
    return {name: torch.tensor(array, requires_grad=True) for name, array in arrays.items()}


def differentiate(dialect: Dialect, problem: Problem) -> Step:
    """Return the step that fills every leaf's ``grad``."""
    return backward_step(dialect, problem, leaves(problem.parameters))


def train(dialect: Dialect, problem: Problem) -> Step:
    """Return the step that also takes a step of PyTorch's own Adam."""
    torch: Any = import_module("torch")
    parameters = leaves(problem.parameters)
    inner = backward_step(dialect, problem, parameters)
    optimizer = torch.optim.Adam(parameters.values(), lr=1e-3)

    def step() -> None:
        inner.run()
        optimizer.step()

    return Step({"step": step}, inner.numbers)


def fused() -> Dialect:
    """Return PyTorch's own functions."""
    torch: Any = import_module("torch")
    functional = torch.nn.functional

    def batch_norm(x: Any, gamma: Any, beta: Any) -> Any:
        rows = x.reshape(-1, x.shape[-1])
        return functional.batch_norm(rows, None, None, gamma, beta, training=True).reshape(x.shape)

    return Dialect(
        linear=lambda x, weight, bias: functional.linear(x, weight.T, bias),
        layer_norm=lambda x, gamma, beta: functional.layer_norm(x, (x.shape[-1],), gamma, beta),
        batch_norm=batch_norm,
        attention=functional.scaled_dot_product_attention,
        relu=torch.relu,
        tanh=torch.tanh,
        cross_entropy=functional.cross_entropy,
        total=torch.sum,
        differentiate=differentiate,
        train=train,
    )


def put_together() -> Dialect:
    """Return the same from elementary operations (softmax is one of PyTorch's)."""
    torch: Any = import_module("torch")
    return Dialect(
        linear=composed.linear,
        layer_norm=composed.norm(torch.square, torch.sqrt),
        batch_norm=composed.norm(torch.square, torch.sqrt, over_rows=True),
        attention=partial(composed.attention, partial(torch.softmax, dim=-1)),
        relu=torch.relu,
        tanh=torch.tanh,
        cross_entropy=torch.nn.functional.cross_entropy,
        total=torch.sum,
        differentiate=differentiate,
        train=train,
    )


FUSED = Library("torch-fused", "torch", fused)
COMPOSED = Library("torch-composed", "torch", put_together)
