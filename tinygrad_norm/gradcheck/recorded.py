"""Functions of Tensors, and modules, as problems to check; the gradient of a gradient is one more such function."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..context import enable_grad, no_grad
from ..engine.tensor import Tensor
from ..errors import OperandError
from ..transforms import gradients
from .ladder import Array
from .problem import Arrays, Problem, argument_names, arguments, as_float64, describe, differentiable


@dataclass(frozen=True)
class TensorFunction:
    """A function of Tensors at a point.

    Attributes
    ----------
    names : tuple of str
        What the differentiable inputs are called.
    values : tuple of arrays
        Their values, in float64.
    bind : callable
        ``bind(arrays) -> tensors``: Tensors with these values that require a gradient. For a module some of them
        are its own parameters.
    call : callable
        ``call(tensors, record) -> outputs``; ``record`` says whether they will be differentiated.
    """

    names: tuple[str, ...]
    values: Arrays
    bind: Callable[[Arrays], list[Tensor]]
    call: Callable[[Sequence[Tensor], bool], list[Tensor]]

    def problem(self) -> Problem:
        """Return the function as a problem of arrays."""

        def forward(inputs: Arrays) -> Arrays:
            outputs = self.call(self.bind(inputs), False)
            return tuple(np.array(y.data, dtype=np.float64) for y in outputs)

        def backward(inputs: Arrays, cotangents: Arrays) -> tuple[Any, ...]:
            tensors = self.bind(inputs)
            outputs = self.call(tensors, True)
            found = gradients(outputs, tensors, cotangents)
            return tuple(g.numpy() for g in found)

        return Problem(self.names, self.values, forward, backward)


def tensor_function(f: Callable[..., Any], inputs: Any, wrt: Sequence[int | str] | int | str | None) -> TensorFunction:
    """Return a function of Tensors at the point ``inputs``.

    Raises
    ------
    InputError
        There is nothing to differentiate by.
    OperandError
        The function returned something else than Tensors.
    """
    values = [x.numpy() if isinstance(x, Tensor) else x for x in arguments(inputs)]
    names = argument_names(getattr(f, "forward", f), len(values))
    positions = differentiable(values, names, wrt)

    def call(tensors: Sequence[Tensor], record: bool) -> list[Tensor]:
        complete: list[Any] = [Tensor(v) if isinstance(v, np.ndarray) else v for v in values]
        for position, tensor in zip(positions, tensors, strict=True):
            complete[position] = tensor
        with enable_grad() if record else no_grad():
            return outputs_of(f(*complete))

    chosen = tuple(as_float64(values[p]) for p in positions)
    return TensorFunction(tuple(names[p] for p in positions), chosen, leaves, call)


def leaves(arrays: Arrays) -> list[Tensor]:
    """Return new leaves of the tape with these values."""
    return [Tensor(a, requires_grad=True) for a in arrays]


def outputs_of(result: Any) -> list[Tensor]:
    """Return what a function of Tensors gave as a list of Tensors."""
    several = [t for part in result for t in outputs_of(part)] if isinstance(result, (tuple, list)) else [result]
    for value in several:
        if not isinstance(value, Tensor):
            raise OperandError(
                f"gradcheck: the function must return a Tensor or a tuple of Tensors; got {describe(value)}. "
                "Compute with Tensors throughout, or check a NumPy function and its backward pass with tg.check_vjp."
            )
    return several


def module_function(
    module: Any, inputs: Any, wrt: Sequence[int | str] | int | str | None
) -> tuple[TensorFunction, Callable[[], None]]:
    """Return a module as a function of its inputs and parameters, and a function that restores the module.

    Any object with ``named_parameters()`` will do. Its parameters get the values of each evaluation and their own ones
    back at the end; buffers from ``named_buffers()`` are put back after every evaluation.
    """
    found = {name: p for name, p in module.named_parameters() if p.requires_grad}
    values = arguments(inputs)
    given = argument_names(getattr(module, "forward", module), len(values))
    all_names = [*given, *found]
    everything = [*(x.numpy() if isinstance(x, Tensor) else x for x in values), *(p.numpy() for p in found.values())]
    positions = differentiable(everything, all_names, wrt)
    own = [p for p in positions if p < len(values)]
    parameters = [list(found.values())[p - len(values)] for p in positions if p >= len(values)]
    originals = [p._array for p in found.values()]
    buffers = snapshot(module)

    def bind(arrays: Arrays) -> list[Tensor]:
        for parameter, array in zip(parameters, arrays[len(own) :], strict=True):
            parameter._array = array
        return [*leaves(arrays[: len(own)]), *parameters]

    def call(tensors: Sequence[Tensor], record: bool) -> list[Tensor]:
        complete: list[Any] = [Tensor(v) if isinstance(v, np.ndarray) else v for v in everything[: len(values)]]
        for position, tensor in zip(own, tensors, strict=False):
            complete[position] = tensor
        try:
            with enable_grad() if record else no_grad():
                return outputs_of(module(*complete))
        finally:
            restore(module, buffers)

    def put_back() -> None:
        for parameter, array in zip(found.values(), originals, strict=True):
            parameter._array = array

    # Parameters that are not differentiated by still take part in float64.
    for parameter, array in zip(found.values(), originals, strict=True):
        parameter._array = as_float64(array)
    chosen = tuple(as_float64(everything[p]) for p in positions)
    ordered = tuple(all_names[p] for p in (*own, *(p for p in positions if p >= len(values))))
    arrays = dict(zip((all_names[p] for p in positions), chosen, strict=True))
    return TensorFunction(ordered, tuple(arrays[n] for n in ordered), bind, call), put_back


def snapshot(module: Any) -> dict[str, Array]:
    """Return copies of a module's buffers by name."""
    named = getattr(module, "named_buffers", None)
    return {name: np.array(b) for name, b in named()} if named is not None else {}


def restore(module: Any, saved: dict[str, Array]) -> None:
    """Put saved values back into a module's buffers."""
    for name, buffer in module.named_buffers() if saved else ():
        if isinstance(buffer, Tensor):
            buffer._array = saved[name]
        else:
            buffer[...] = saved[name]


def changed_buffers(module: Any, inputs: Any) -> list[str]:
    """Return the names of the buffers that one forward pass changes; they are put back."""
    before = snapshot(module)
    if not before:
        return []
    with no_grad():
        module(*arguments(inputs))
    after = snapshot(module)
    restore(module, before)
    return [name for name in before if not np.array_equal(before[name], after[name])]


def backward_function(f: TensorFunction, generator: np.random.Generator) -> TensorFunction:
    """Return (x, g) ↦ Jᵀ g of a function: what a check of the next order is about.

    The cotangents g become inputs, with random values.
    """
    with no_grad():
        outputs = f.call(f.bind(f.values), False)
    count = len(f.names)
    extra = ["g"] if len(outputs) == 1 else [f"g{i}" for i in range(len(outputs))]
    while extra[0] in f.names:
        extra = [name + "′" for name in extra]
    cotangents = tuple(np.asarray(generator.standard_normal(y.shape)) for y in outputs)

    def bind(arrays: Arrays) -> list[Tensor]:
        return [*f.bind(arrays[:count]), *leaves(arrays[count:])]

    def call(tensors: Sequence[Tensor], record: bool) -> list[Tensor]:
        xs, gs = tensors[:count], tensors[count:]
        with enable_grad():
            return list(gradients(f.call(xs, True), list(xs), gs, create_graph=record))

    return TensorFunction((*f.names, *extra), (*f.values, *cotangents), bind, call)


@contextmanager
def restoring(put_back: Callable[[], None]) -> Iterator[None]:
    """Run a block and put things back in any case."""
    try:
        yield
    finally:
        put_back()
