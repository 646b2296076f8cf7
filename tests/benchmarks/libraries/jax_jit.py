"""JAX on the CPU: the whole step compiled by ``jax.jit``."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import Any

import numpy

from .. import composed
from ..declaration import Numbers, Step
from ..dialect import Dialect, Library, Problem, gradients_of


def differentiate(dialect: Dialect, problem: Problem) -> Step:
    """Return the compiled step that computes the result and the pullback of the cotangent."""
    jax: Any = import_module("jax")
    constants = {name: jax.numpy.asarray(array) for name, array in problem.constants.items()}
    parameters = {name: jax.numpy.asarray(array) for name, array in problem.parameters.items()}
    seed = 1.0 if problem.cotangent is None else jax.numpy.asarray(problem.cotangent)
    results: list[Any] = []

    @jax.jit  # type: ignore[untyped-decorator]  # jax is loaded by name
    def compiled(p: Any, x: Any, g: Any) -> Any:
        result, pullback = jax.vjp(lambda q: problem.model(dialect, x, q), p)
        return result, pullback(g)[0]

    def step() -> None:
        results[:] = jax.block_until_ready(compiled(parameters, constants, seed))

    def numbers() -> Numbers:
        gradients = {name: numpy.asarray(gradient) for name, gradient in results[1].items()}
        return {"result": numpy.asarray(results[0]), **gradients_of(gradients)}

    return Step({"step": step}, numbers)


def load() -> Dialect:
    """Return the dialect of ``jax.numpy``."""
    jax: Any = import_module("jax")
    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_enable_x64", True)  # float32 arrays stay what they are
    np = jax.numpy

    def cross_entropy(logits: Any, labels: Any) -> Any:
        return -np.mean(jax.nn.log_softmax(logits)[np.arange(len(labels)), labels])

    return Dialect(
        linear=composed.linear,
        layer_norm=composed.norm(np.square, np.sqrt),
        batch_norm=composed.norm(np.square, np.sqrt, over_rows=True),
        attention=partial(composed.attention, jax.nn.softmax),
        relu=jax.nn.relu,
        tanh=np.tanh,
        cross_entropy=cross_entropy,
        total=np.sum,
        differentiate=differentiate,
    )


LIBRARY = Library("jax-jit", "jax", load)
