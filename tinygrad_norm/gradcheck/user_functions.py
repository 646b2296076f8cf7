"""What a user hands in: the arguments, a function of Tensors, a module.

:func:`tensor_function` and :func:`module_function` make a :class:`TensorFunction`, whose backward pass is the engine's.
The gradient of a gradient is one more such function: :func:`backward_function`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..context import differentiating, enable_grad, no_grad
from ..engine.details.saving import inputs_of
from ..engine.tensor import Tensor
from ..errors import InputError, OperandError
from ..transforms import gradients
from .forward_constants import constants_of
from .measure.step_ladder import Array
from .vjp_problem import Arrays, Problem, describe

#: Names or numbers of the inputs to differentiate by; None for all that hold floating-point numbers.
Wrt = Sequence[int | str] | int | str | None


def arguments(inputs: Any) -> tuple[Any, ...]:
    """Return ``inputs`` as the tuple of positional arguments: a tuple or list holds several, all else is one.

    An argument that is itself a nested list of numbers becomes an array.

    >>> arguments(([[1.0, 2.0]], 3))
    (array([[1., 2.]]), 3)
    """
    if not isinstance(inputs, (tuple, list)):
        return (inputs,)
    return tuple(np.array(x) if isinstance(x, list) and _is_numeric(x) else x for x in inputs)


def _is_numeric(nested: list[Any]) -> bool:
    return all(_is_numeric(x) if isinstance(x, list) else isinstance(x, (int, float)) for x in nested)


def input_names(function: Callable[..., Any], count: int) -> tuple[str, ...]:
    """Return the names of the first ``count`` positional parameters, ``input 0`` and so on where unknown."""
    names = (
        inputs_of(function)[0] if isinstance(function, np.ufunc) else [p.name for p in positional_parameters(function)]
    )
    return tuple(names[i] if i < len(names) else f"input {i}" for i in range(count))


def positional_parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """Return the parameters that can be passed by position; none where a built-in function does not tell."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    return [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]


def differentiable(values: Sequence[Any], names: Sequence[str], wrt: Wrt) -> tuple[int, ...]:
    """Return the positions to differentiate by: all floating-point arguments, or those that ``wrt`` picks.

    An InputError says that ``wrt`` names an argument that is not there, or one without floating-point numbers, or that
    nothing is left.
    """
    floating = [i for i, value in enumerate(values) if is_floating(value)]
    if wrt is not None:
        chosen = [_position(pick, names) for pick in ([wrt] if isinstance(wrt, (int, str)) else wrt)]
        for position in chosen:
            if position not in floating:
                raise InputError(
                    f"gradcheck: an input to differentiate by must hold floating-point numbers; {names[position]} "
                    f"is {describe(values[position])}. Convert it, or leave it out of wrt."
                )
        return tuple(chosen)
    if not floating:
        listed = ", ".join(describe(v) for v in values) or "no inputs at all"
        raise InputError(
            f"gradcheck: at least one input must hold floating-point numbers to differentiate by; got {listed}. "
            "Pass arrays such as np.array([1.0, 2.0])."
        )
    return tuple(floating)


def _position(pick: int | str, names: Sequence[str]) -> int:
    if isinstance(pick, str) and pick in names:
        return list(names).index(pick)
    if isinstance(pick, int) and -len(names) <= pick < len(names):
        return pick % len(names)
    raise InputError(
        f"gradcheck: wrt must name or number an input; got {pick!r}, but the inputs are {', '.join(names)}. Use one "
        f"of these names, or 0 to {len(names) - 1}."
    )


def is_floating(value: Any) -> bool:
    """Tell whether ``value`` holds floating-point numbers: an array, a NumPy scalar or a Python float."""
    return isinstance(value, float) or (
        isinstance(value, (np.ndarray, np.generic)) and np.issubdtype(value.dtype, np.floating)
    )


def as_float64(value: Any) -> Array:
    """Return a contiguous float64 copy: the check itself always runs in float64."""
    return np.array(value, dtype=np.float64, order="C")


@dataclass(frozen=True)
class TensorFunction:
    """A function of Tensors at a point: the ``values``, in float64, of its differentiable inputs ``names``."""

    names: tuple[str, ...]
    values: Arrays
    #: ``bind(arrays) -> tensors`` that require a gradient. For a module some of them are its own parameters.
    bind: Callable[[Arrays], list[Tensor]]
    #: ``call(tensors, record) -> outputs``; ``record`` says whether they will be differentiated.
    call: Callable[[Sequence[Tensor], bool], list[Tensor]]
    #: What it computes with besides: see :attr:`.Problem.constants`.
    constants: Mapping[str, Any] = field(default_factory=dict)
    #: The outputs for arrays, where they need no Tensors.
    plain: Callable[[Arrays], Arrays] | None = None

    def problem(self) -> Problem:
        """Return the function as a problem of arrays."""

        def forward(inputs: Arrays) -> Arrays:
            outputs = self.call(self.bind(inputs), False)
            return tuple(np.array(y._array, dtype=np.float64) for y in outputs)

        def pullback(inputs: Arrays) -> Callable[[Arrays], tuple[Any, ...]]:
            tensors = self.bind(inputs)
            outputs = self.call(tensors, True)
            return lambda cotangents: tuple(g.numpy() for g in tape_gradients(outputs, tensors, cotangents))

        def backward(inputs: Arrays, cotangents: Arrays) -> tuple[Any, ...]:
            return pullback(inputs)(cotangents)

        return Problem(self.names, self.values, self.plain or forward, backward, pullback, constants=self.constants)


def tape_gradients(
    outputs: Sequence[Tensor], inputs: Sequence[Tensor], cotangents: Sequence[Any], create_graph: bool = False
) -> tuple[Tensor, ...]:
    """Return the gradients on the tape; an output without a graph adds nothing, for the check to judge."""
    kept = [(y, g) for y, g in zip(outputs, cotangents, strict=True) if y.requires_grad]
    return gradients([y for y, _ in kept], inputs, [g for _, g in kept], create_graph)


def tensor_function(f: Callable[..., Any], inputs: Any, wrt: Wrt) -> TensorFunction:
    """Return a function of Tensors at the point ``inputs``."""
    values = [x.numpy() if isinstance(x, Tensor) else x for x in arguments(inputs)]
    names = input_names(getattr(f, "forward", f), len(values))
    positions = differentiable(values, names, wrt)
    chosen = tuple(as_float64(values[p]) for p in positions)
    fixed = {name: value for i, (name, value) in enumerate(zip(names, values, strict=True)) if i not in positions}
    call = calling(f, values, positions)
    return TensorFunction(tuple(names[p] for p in positions), chosen, leaves, call, constants_of(f, fixed))


def calling(
    f: Callable[..., Any], values: Sequence[Any], positions: Sequence[int]
) -> Callable[[Sequence[Tensor], bool], list[Tensor]]:
    """Return the ``call`` of a function whose arguments are ``values``, but for the Tensors at ``positions``."""
    arrays = [i for i, v in enumerate(values) if isinstance(v, np.ndarray) and i not in positions]

    def call(tensors: Sequence[Tensor], record: bool) -> list[Tensor]:
        complete = [*values]
        for i in arrays:
            complete[i] = Tensor(values[i])
        for position, tensor in zip(positions, tensors, strict=False):  # a module has its parameters already
            complete[position] = tensor
        with differentiating() if record else no_grad():
            return returned_tensors(f(*complete))

    return call


def leaves(arrays: Arrays) -> list[Tensor]:
    """Return new leaves of the tape with these values."""
    return [Tensor(a, requires_grad=True) for a in arrays]


def returned_tensors(result: Any) -> list[Tensor]:
    """Return what a function of Tensors gave as a list of Tensors."""
    several = [t for part in result for t in returned_tensors(part)] if isinstance(result, (tuple, list)) else [result]
    for value in several:
        if not isinstance(value, Tensor):
            raise OperandError(
                f"gradcheck: the function must return a Tensor or a tuple of Tensors; got {describe(value)}. "
                "Compute with Tensors throughout, or check a NumPy function and its backward pass with tg.check_vjp."
            )
    return several


@contextmanager
def module_function(module: Any, inputs: Any, wrt: Wrt) -> Iterator[TensorFunction]:
    """Give a module as a function of its inputs and parameters; at the end of the block it is as it was.

    Any object with ``named_parameters()`` will do. Its parameters get the values of each evaluation and their own ones
    back at the end; buffers from ``named_buffers()`` are put back after every evaluation.
    """
    found = {name: p for name, p in module.named_parameters() if p.requires_grad}
    values = [x.numpy() if isinstance(x, Tensor) else x for x in arguments(inputs)]
    names = [*input_names(getattr(module, "forward", module), len(values)), *found]
    everything = [*values, *(p.numpy() for p in found.values())]
    positions = differentiable(everything, names, wrt)
    own = [p for p in positions if p < len(values)]
    others = [p for p in positions if p >= len(values)]
    parameters = [list(found.values())[p - len(values)] for p in others]
    originals = [p._array for p in found.values()]
    buffers = snapshot(module)
    run = calling(module, values, own)

    def bind(arrays: Arrays) -> list[Tensor]:
        for parameter, array in zip(parameters, arrays[len(own) :], strict=True):
            parameter._array = array
        return [*leaves(arrays[: len(own)]), *parameters]

    def call(tensors: Sequence[Tensor], record: bool) -> list[Tensor]:
        try:
            return run(tensors, record)
        finally:
            restore(module, buffers)

    try:
        # Parameters that are not differentiated by still take part in float64.
        for parameter, array in zip(found.values(), originals, strict=True):
            parameter._array = as_float64(array)
        chosen = tuple(as_float64(everything[p]) for p in (*own, *others))
        constants = constants_of(getattr(module, "forward", module), {})
        yield TensorFunction(tuple(names[p] for p in (*own, *others)), chosen, bind, call, constants)
    finally:
        for parameter, array in zip(found.values(), originals, strict=True):
            parameter._array = array


def snapshot(module: Any) -> dict[str, Array]:
    """Return copies of a module's buffers by name."""
    return {name: np.array(b) for name, b in getattr(module, "named_buffers", list)()}


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
            return list(tape_gradients(f.call(xs, True), list(xs), gs, create_graph=record))

    return TensorFunction((*f.names, *extra), (*f.values, *cotangents), bind, call, f.constants)
