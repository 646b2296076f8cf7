"""Running what is to be drawn: a function or a module with its inputs, under a trace, leaving no mark on either."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ..engine.tensor import Tensor
from ..errors import OperandError, TinygradNormError
from ..random import generator
from ..transforms import gradients as gradients_of
from .frames import key_of
from .trace import trace

Wanted = bool | Literal["auto"] | Any


@dataclass(frozen=True)
class Watched:
    """What a run left: the trace, and the keys of its arguments."""

    trace: trace
    arguments: frozenset[Hashable]


def watch(function: Callable[..., Any], inputs: Sequence[Any], gradients: Wanted) -> Watched:
    """Run a function on its inputs and, where wanted, back; an error of ours ends the run and is drawn.

    ``gradients`` is "auto" (where the result is a single number), False, True (with a fixed random cotangent where it
    is none), or the cotangent of the result.
    """
    names = argument_names(function, len(inputs))
    arguments = [argument(x, name) for x, name in zip(inputs, names, strict=True)]
    t = trace()
    t.given([x for x in arguments if isinstance(x, Tensor)])
    with untouched(function):
        try:
            with t:
                result = function(*arguments)
                sweep_back(t, outputs_of(result), gradients)
        except TinygradNormError:
            if t.failure is None or (t.failure.primitive is None and not t.records):
                raise
    for x, name in zip(arguments, names, strict=True):
        if isinstance(x, Tensor):
            t.variables[key_of(x)] = t.outer[key_of(x)] = name
    name_parameters(t, function)
    return Watched(t, frozenset(key_of(x) for x in arguments if isinstance(x, Tensor)))


def argument_names(function: Callable[..., Any], count: int) -> list[str]:
    """Return what the function calls its arguments."""
    target = getattr(function, "forward", function)
    try:
        parameters = list(inspect.signature(target).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return [names[i] if i < len(names) else f"input_{i + 1}" for i in range(count)]


def argument(x: Any, name: str) -> Any:
    """Return an argument as a Tensor: numbers and lists get a gradient, arrays of integers and Tensors stay."""
    if isinstance(x, Tensor):
        return x
    if isinstance(x, np.ndarray) and x.dtype.kind != "f":
        return Tensor(x, name=name)
    if isinstance(x, (int, float, list, tuple, np.ndarray, np.generic)) and not isinstance(x, bool):
        return Tensor(x, requires_grad=True, name=name)
    return x


def outputs_of(result: Any) -> list[Tensor]:
    """Return the Tensors in what a function gave."""
    if isinstance(result, Tensor):
        return [result]
    if isinstance(result, dict):
        result = list(result.values())
    if isinstance(result, (tuple, list)):
        return [t for part in result for t in outputs_of(part)]
    if result is None or isinstance(result, (bool, int, float, str, np.ndarray, np.generic)):
        return []
    raise OperandError(
        f"a function to be drawn must return Tensors; got {type(result).__name__}. Return what it computes."
    )


def sweep_back(t: trace, outputs: list[Tensor], gradients: Wanted) -> None:
    """Run the backward pass that is wanted, without touching any ``.grad``."""
    if gradients is False:
        return
    ends = [y for y in outputs if y.requires_grad]
    leaves = [x for x in t.leaves.values() if x.requires_grad]
    if not ends or not leaves:
        return
    if isinstance(gradients, str) or gradients is True:
        if gradients is not True and (len(ends) != 1 or ends[0].size != 1):
            return
        # A random cotangent, since ones hide the gradient of a normalization; one decimal, to be read on a card.
        rng = np.random.default_rng(0)
        cotangents = [
            np.ones(y.shape) if y.size == 1 else np.round(rng.standard_normal(y.shape), 1) for y in ends
        ]  # fmt: skip
    else:
        cotangents = [gradients] if len(ends) == 1 else list(gradients)
    gradients_of(ends, leaves, cotangents)


@contextmanager
def untouched(function: Any) -> Iterator[None]:
    """Give a module back the buffers that it had, and the random numbers their place."""
    modules = list(function.modules()) if hasattr(function, "modules") and hasattr(function, "named_buffers") else []
    held = [(m, name, buffer) for m in modules for name, buffer in m.named_buffers(recurse=False)]
    # A copy of the buffer, since a module may give the same Tensor new values.
    copies = [(m, name, buffer, np.array(buffer.data)) for m, name, buffer in held]
    state = generator().bit_generator.state
    try:
        yield
    finally:
        generator().bit_generator.state = state
        for module, name, buffer, values in copies:
            if not np.array_equal(np.asarray(buffer.data), values, equal_nan=True):
                buffer.data = values
            setattr(module, name, buffer)


def name_parameters(t: trace, function: Any) -> None:
    """Name the leaves of a module by their attribute paths, and its buffers too."""
    for table in ("named_parameters", "named_buffers"):
        for path, tensor in getattr(function, table, list)():
            if tensor.name is None:
                t.variables[key_of(tensor)] = path
