"""What a program is made of: inputs, constants and steps, each step one function applied to earlier values.

A :class:`Step` applies a primitive or a function of NumPy's. Its arguments are a tree (tuples, lists, dicts, slices)
whose leaves are values of the program or plain Python. A :class:`Check` is what the recording took for granted, such
as the way a branch went.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from ..engine.details.array import Array, Shape
from ..engine.primitive import Primitive


@dataclass(eq=False, slots=True)
class Value:
    """An array of a program: its shape and dtype, what it is called, and whether it lies row after row in memory."""

    shape: Shape
    dtype: np.dtype[Any]
    name: str = ""
    in_rows: bool = True


@dataclass(eq=False, slots=True)
class Input(Value):
    """What the program is given."""


@dataclass(eq=False, slots=True)
class Constant(Value):
    """An array that is the same in every run; ``ended`` as in a Tensor, why it has no graph."""

    array: Array = field(default_factory=lambda: np.empty(0))
    ended: str | None = None


@dataclass(eq=False, slots=True)
class Step(Value):
    """One application of a function; ``rule_of`` names the operation whose rule it belongs to, in a backward pass."""

    function: Primitive | Callable[..., Any] = np.positive
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    scope: str = ""
    place: str = ""
    rule_of: str = ""
    cotangent_of: str = ""

    @property
    def primitive(self) -> str:
        """The name of the primitive, empty for a function of NumPy's."""
        return self.function.name if isinstance(self.function, Primitive) else ""

    @property
    def wish(self) -> str:
        """What it is called if it must have a name."""
        return self.name or self.cotangent_of or self.primitive or getattr(self.function, "__name__", "value")

    def __str__(self) -> str:
        what = self.primitive or getattr(self.function, "__name__", "")
        said = f"the rule of {self.rule_of}, {what}" if self.rule_of else what
        return f"{said}{f' in {self.scope}' if self.scope else ''}{f' at {self.place}' if self.place else ''}"


@dataclass(eq=False, slots=True)
class Check:
    """A value that the recording looked at, and what it saw: another value means another program."""

    value: Value
    seen: Any
    place: str

    def __str__(self) -> str:
        return f"a value that was read{f' at {self.place}' if self.place else ''}, {self.seen!r}"


Item: TypeAlias = Step | Check


@dataclass(frozen=True)
class Recording:
    """A run and its backward pass, written out.

    ``outputs`` is a tree of values; ``cotangents`` stands for what arrives at those with a gradient, ``gradients``
    are what the inputs get, in their order, None where none is wanted. ``updates`` are new values of buffers, by path;
    ``flows`` says of each result in turn whether it has a gradient.
    """

    inputs: tuple[Input, ...]
    forward: tuple[Item, ...]
    outputs: Any
    updates: dict[str, Value]
    cotangents: tuple[Input, ...]
    backward: tuple[Item, ...]
    gradients: tuple[Value | None, ...]
    flows: tuple[bool, ...]


TREES = (tuple, list, dict, slice)


def mapped(change: Callable[[Value], Any], tree: Any) -> Any:
    """Return a tree with ``change(value)`` in the place of each value."""
    if isinstance(tree, Value):
        return change(tree)
    if isinstance(tree, (tuple, list)):
        return type(tree)([mapped(change, part) for part in tree])
    if isinstance(tree, dict):
        return {key: mapped(change, part) for key, part in tree.items()}
    if isinstance(tree, slice):
        return slice(*(mapped(change, part) for part in (tree.start, tree.stop, tree.step)))
    return tree


def values_in(tree: Any) -> Iterator[Value]:
    """Yield the values of a tree, from left to right."""
    if isinstance(tree, Value):
        yield tree
    elif isinstance(tree, (tuple, list)):
        for part in tree:
            if isinstance(part, Value):
                yield part
            elif isinstance(part, TREES):
                yield from values_in(part)
    elif isinstance(tree, dict):
        yield from values_in(tuple(tree.values()))
    elif isinstance(tree, slice):
        yield from values_in((tree.start, tree.stop, tree.step))


def order_of(transpose: Step) -> tuple[int, ...]:
    """Return where each axis of a transposed array comes from."""
    axes, ndim = transpose.kwargs["axes"], len(transpose.shape)
    if axes is None:
        return tuple(range(ndim))[::-1]
    return tuple(a % ndim for a in (axes if isinstance(axes, (tuple, list)) else (axes,)))


def needed_by(item: Item) -> Iterator[Value]:
    """Yield the values that a step or a check takes."""
    return values_in((item.value,) if isinstance(item, Check) else (item.args, item.kwargs))
