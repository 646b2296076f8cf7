"""Operations that treat every row alike, done for some rows at a time: large arrays stay in the processor's cache.

:func:`in_blocks` finds them among the items of a pass, :func:`lines_of` writes their loop. The numbers are the same to
the last bit: what is computed entry by entry or along a row knows no other row, and a sum of rows adds the same blocks.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from ..engine.details.summation import (
    BLOCK,
    add_reduce,
    adds_blocks,
    broadcast_axes,
    over_columns,
    reduced_axes,
    row_blocks,
)
from ..engine.primitive import PRIMITIVES, Primitive
from .steps import Item, Step, Value, needed_by

if TYPE_CHECKING:
    from .writing import Lines

LARGE = 1 << 19
"""From so many bytes on an array does not stay in a cache from one operation to the next."""
SMALLEST, LARGEST = 1 << 15, 1 << 18
"""So many bytes a block takes: with less Python takes longer than the arithmetic, with more it does not stay either."""


REDUCTIONS = ("sum", "mean", "max", "min", "sum_product")


@dataclass(eq=False)
class Loop:
    """Steps that are done ``block`` rows at a time, and those whose results others need."""

    block: int
    steps: list[Step]
    outputs: list[Step]

    @property
    def rows(self) -> int:
        """How many there are."""
        return rows_of(self.steps[0])


def in_blocks(items: Sequence[Item], results: Collection[Value]) -> list[Item | Loop]:
    """Return items with loops in the place of steps that treat rows alike."""
    if not any(isinstance(item, Step) and size_of(item) >= LARGE for item in items):
        return [*items]
    users: dict[Value, set[Item]] = {}
    for item in items:
        for value in needed_by(item):
            users.setdefault(value, set()).add(item)
    found: list[Item | Loop] = []
    group: list[Step] = []

    def close() -> None:
        outputs = [s for s in group if s in results or not users.get(s, set()) <= set(group)]
        found.extend([Loop(block_of(group[0]), [*group], outputs)] if len(group) > 2 else group)
        group.clear()

    for item in items:
        if not (isinstance(item, Step) and fits(item, group)):
            # What needs nothing of the group may as well come before it.
            if not isinstance(item, Step) or rows_of(item) or any(value in group for value in needed_by(item)):
                close()
            if not (isinstance(item, Step) and fits(item, group)):
                found.append(item)
                continue
        group.append(item)
    close()
    return found


def size_of(value: Value) -> int:
    """Return how many bytes an array takes."""
    return prod(value.shape) * value.dtype.itemsize


def fits(step: Step, group: Sequence[Step]) -> bool:
    """Return whether a step can be done in one loop with these, or begin one."""
    rows = rows_of(step)
    block = block_of(group[0] if group else step) if rows else 0
    if not block or (is_total(step) and block * rows_in_row(step) % BLOCK):
        return False
    if not group:
        return max(map(size_of, (step, *needed_by(step)))) >= LARGE
    inside = [v for v in needed_by(step) if v in group]
    return rows == rows_of(group[0]) and not any(is_total(v) or not is_cut(v, step) for v in inside)


def rows_of(step: Step) -> int:
    """Return how many rows a step treats alike; 0 if it does not."""
    values = [x for x in step.args if isinstance(x, Value)]
    if not values or len(list(needed_by(step))) > len(values) or not all(v.in_rows for v in (step, *values)):
        return 0
    shape = values[0].shape
    if is_elementwise(step):
        return step.shape[0] if any(is_cut(v, step) for v in values) else 0
    if step.primitive not in REDUCTIONS or len({v.shape for v in values}) > 1:
        return 0
    axes = axes_of(step)
    return shape[0] if (0 < len(axes) < len(shape) and over_columns(shape, axes)) or is_total(step) else 0


def is_elementwise(step: Step) -> bool:
    """Return whether a step computes entry by entry."""
    function = step.function
    return isinstance(function, np.ufunc) or (isinstance(function, Primitive) and function.elementwise)


def is_total(step: Any) -> bool:
    """Return whether a step adds whole rows, in blocks of them."""
    if not isinstance(step, Step) or step.primitive not in ("sum", "mean", "sum_product"):
        return False
    x, axes = step.args[0], axes_of(step)
    return bool(x.in_rows and adds_blocks(x.shape, axes, x.dtype) and prod(x.shape[: len(axes)]) % BLOCK == 0)


def axes_of(step: Step) -> tuple[int, ...]:
    """Return over which axes a step reduces its operand."""
    shape: tuple[int, ...] = step.args[0].shape
    if step.primitive == "sum_product":
        return broadcast_axes(shape, step.shape) or ()
    return reduced_axes(shape, step.kwargs["axis"])


def rows_in_row(total: Step) -> int:
    """Return how many rows that are added stand in one of those that a loop takes."""
    return prod(total.args[0].shape[1 : len(axes_of(total))])


def is_cut(value: Value, step: Step) -> bool:
    """Return whether a step takes a value row by row, and not the whole of it for each row."""
    return step.primitive in REDUCTIONS or (
        len(value.shape) == len(step.shape) > 0 and value.shape[0] == step.shape[0] > 1
    )


def block_of(step: Step) -> int:
    """Return how many rows are to be done at a time, a divisor of their number; 0 if there is none that suits."""
    rows = rows_of(step)
    whole = max((v.shape for v in (step, *needed_by(step)) if v.shape and v.shape[0] == rows), key=prod)
    size = prod(whole[1:]) * step.dtype.itemsize
    sizes = [n for n in range(1, rows) if rows % n == 0 and SMALLEST <= n * size <= LARGEST]
    return max([n for n in sizes if n * prod(whole[1:-1]) % BLOCK == 0] or sizes, default=0)


def lines_of(loop: Loop, outer: Lines) -> list[str]:
    """Return the lines of a loop: arrays for what is needed later, and the steps for the rows of one block."""
    names, bind, n = outer.names, outer.bind, loop.block
    assert bind is not None
    number, rows = (names.name(Value((), np.dtype(int), name)) for name in ("number", "rows"))
    parts: dict[Any, Value] = {}
    before, first, last, after = [], [], [], []

    def part(x: Any, step: Step) -> Any:
        """Return what stands for an operand inside the loop."""
        if not isinstance(x, Value) or x in parts:
            return parts.get(x, x) if isinstance(x, Value) else x
        if is_cut(x, step):
            parts[x] = Value((n, *x.shape[1:]), x.dtype, x.name or "part")
            first.append(f"{names.name(parts[x])} = {outer.text(x).within(9)}[{rows}]")
        elif x.shape in (step.shape[1:], (1, *step.shape[1:])) and len(step.shape) == 2:
            # With a block NumPy computes faster than with one row for all.
            parts[x] = Value((n, *step.shape[1:]), x.dtype, x.name or "part")
            before.append(f"{names.name(parts[x])} = np.broadcast_to({outer.text(x).text}, {parts[x].shape}).copy()")
        return parts.get(x, x)

    for step in loop.steps:
        args, shape = tuple([part(x, step) for x in step.args]), (n, *step.shape[1:])
        if is_total(step):
            x = args[0]
            if len(args) == 2:
                parts[step, "product"] = x = Step(x.shape, x.dtype, "", True, PRIMITIVES["multiply"], args)
            columns = prod(x.shape[len(axes_of(step)) :])
            shape = (n * rows_in_row(step) // BLOCK, columns)
            parts[step] = Step(shape, x.dtype, step.name, True, row_blocks, (x, columns))
        else:
            kwargs = {**step.kwargs, "shape": shape} if step.primitive == "sum_product" else step.kwargs
            parts[step] = replace(step, shape=shape, args=args, kwargs=kwargs)
    body = [value for value in parts.values() if isinstance(value, Step)]
    inside = type(outer)(names, [parts[step] for step in loop.outputs], body, bind)
    for step in loop.outputs:
        name, block, made = names.name(step, step.wish), inside.text(parts[step]).text, parts[step].shape
        if is_total(step):
            blocks = names.name(Value(made, step.dtype, f"{name}_blocks"))
            before.append(f"{blocks} = np.empty({(loop.rows // n, *made)}, {bind(step.dtype)})")
            last.append(f"{blocks}[{number}] = {block}")
            added = f"{bind(add_reduce)}({blocks}.reshape(-1, {made[1]}), 0, np.float64).astype({bind(step.dtype)})"
            count = prod(step.args[0].shape) // prod(step.shape)
            divided = f" / {bind(np.array(count, step.dtype))}" if step.primitive == "mean" else ""
            after.append(f"{name} = {added}.reshape({step.shape}){divided}")
        else:
            before.append(f"{name} = np.empty({step.shape}, {bind(step.dtype)})")
            last.append(f"{name}[{rows}] = {block}")
    cuts = tuple(enumerate(slice(i, i + n) for i in range(0, loop.rows, n)))
    lines = [f"for {number}, {rows} in {bind(cuts)}:", *first, *(line for line, _ in inside.lines), *last]
    return [*before, "\n    ".join(lines), *after]
