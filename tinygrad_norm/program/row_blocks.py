"""Operations that treat every row alike, done for some rows at a time: large arrays stay in the processor's cache.

:func:`in_blocks` finds them among the items of a pass, :func:`made_again` leaves out what a later loop computes faster
than it reads, :func:`lines_of` writes a loop. The numbers are the same to the last bit: what is computed entry by entry
or along a row knows no other row, and a sum of rows adds the same blocks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from ..engine.details.array import Array, Shape
from ..engine.details.summation import (
    BLOCK,
    LONGEST_ROW,
    add_reduce,
    adds_blocks,
    broadcast_axes,
    over_columns,
    reduced_axes,
    row_blocks,
)
from ..engine.primitive import PRIMITIVES, Primitive
from .steps import Constant, Input, Item, Step, Value, needed_by
from .vocabulary import function_of, numpy_path, running, with_numbers

if TYPE_CHECKING:
    from .writing import Lines

LARGE = 1 << 19
"""From so many bytes on an array does not stay in a cache from one operation to the next."""
SMALLEST, BEST, LARGEST = 1 << 15, 1 << 17, 1 << 18
"""So many bytes a block takes: with less Python takes longer than the arithmetic, with more it does not stay either."""
CHEAP = frozenset({np.add, np.subtract, np.multiply, np.divide, np.square, np.negative})
"""In a block these take less time than reading their result from memory."""
LONGEST_CHAIN = 2
"""So many of them are done again for one result."""
LONG_ROW = 128
"""From so many numbers on, NumPy takes longer to write out what it broadcasts than to begin anew for each row."""
CACHE_LINE = 64
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


def in_blocks(items: Sequence[Item]) -> list[Item | Loop]:
    """Return items with loops in the place of steps that treat rows alike; every step is an output of its loop."""
    found: list[Item | Loop] = []
    group: list[Step] = []

    def close() -> None:
        found.extend([Loop(block_of(group[0]), [*group], [*group])] if len(group) > 1 else group)
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


def taken_by(item: Item | Loop) -> Iterator[Value]:
    """Yield what an item takes from others."""
    if not isinstance(item, Loop):
        return needed_by(item)
    return (value for step in item.steps for value in needed_by(step) if value not in item.steps)


def made_again(
    forward: Sequence[Item | Loop], backward: Sequence[Item | Loop], results: Collection[Value]
) -> tuple[list[Item | Loop], list[Item | Loop]]:
    """Let loops compute what an earlier one would write for them only, if they can from what there is anyway."""
    items = [*forward, *backward]
    for step in [step for item in items if isinstance(item, Loop) for step in item.outputs][::-1]:
        takers = [item for item in items if step in taken_by(item)]
        kept = {value for item in backward for value in taken_by(item)}
        steps = [chain(step, item, kept) for item in takers if isinstance(item, Loop)]
        if step not in results and size_of(step) >= LARGE and len(steps) == len(takers) and all(steps):
            for loop, more in zip(takers, steps, strict=True):
                assert isinstance(loop, Loop)
                loop.steps[:0] = more
    return pruned(forward, {*results, *(v for i in backward for v in taken_by(i))}), pruned(backward, results)


def chain(step: Step, loop: Loop, kept: Collection[Value], longest: int = LONGEST_CHAIN) -> list[Step]:
    """Return the steps, the last of them this one, that a loop can do to have its result; none if it cannot."""
    uses = [other for other in loop.steps if step in needed_by(other)]
    if (
        not longest
        or function_of(step) not in CHEAP
        or rows_of(step) != loop.rows
        or not all(is_cut(step, other) for other in uses)
    ):
        return []
    found: list[Step] = []
    for x in needed_by(step):
        if isinstance(x, (Input, Constant)) or x in kept or x in loop.steps or size_of(x) * 8 <= size_of(step):
            continue
        more = chain(x, loop, kept, longest - 1) if isinstance(x, Step) else []
        if not more:
            return []
        found += more
    return [*found, step]


def pruned(items: Sequence[Item | Loop], results: Collection[Value]) -> list[Item | Loop]:
    """Return the items that the results need, and in loops the steps and outputs."""
    wanted, found = set(results), []
    for item in reversed(items):
        if isinstance(item, Loop):
            item.outputs = [step for step in item.outputs if step in wanted]
            inside: set[Value] = set(item.outputs)
            for step in item.steps[::-1]:
                if step in inside:
                    inside.update(needed_by(step))
            item.steps = [step for step in item.steps if step in inside]
        elif isinstance(item, Step) and item not in wanted:
            continue
        wanted.update(taken_by(item))
        found.append(item)
    return [item for item in found[::-1] if not isinstance(item, Loop) or item.steps]


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
    if len(axes) > 1 and not is_total(step) and prod(shape[a] for a in axes) > LONGEST_ROW:
        return 0  # in float64, by way of a buffer, on whose size it depends
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
    suited = [n for n in sizes if n * prod(whole[1:-1]) % BLOCK == 0] or sizes
    return min(suited, key=lambda n: abs(n * size - BEST), default=0)


def lines_of(loop: Loop, outer: Lines) -> list[str]:
    """Return the lines of a loop: arrays for what is needed later, and the steps for the rows of one block."""
    done = Round(loop, outer)
    bind, n = done.bind, loop.block
    cuts = tuple(enumerate(slice(i, i + n) for i in range(0, loop.rows, n)))
    text = [f"for {done.number}, {done.rows} in {bind(cuts)}:", *(f"    {line}" for line in done.lines)]
    width = max(step.shape[-1] for step in loop.steps)
    if width >= LONG_ROW:
        # What is broadcast NumPy first writes out in a buffer, unless this takes no more than one row.
        size = done.name("size", (), np.dtype(int))
        begin, end = f"{size} = np.setbufsize({width // 16 * 16})", f"np.setbufsize({size})"
        text = [begin, "try:", *(f"    {line}" for line in text), "finally:", f"    {end}"]
    # They look at large arrays.
    parts = ", ".join(outer.names.name(part) for part in done.parts.values())
    return [*done.before, "\n".join(text), f"del {parts}", *done.after]


class Round:
    """One round of a loop. Arithmetic writes into what is there: rows of a result, or a block that is free again."""

    def __init__(self, loop: Loop, outer: Lines) -> None:
        self.loop, self.outer = loop, outer
        assert outer.bind is not None
        self.bind = outer.bind
        self.number, self.rows = (self.name(wish, (), np.dtype(int)) for wish in ("number", "rows"))
        self.parts: dict[Any, Value] = {}
        self.before: list[str] = []
        self.lines: list[str] = []
        self.after: list[str] = []
        for step in loop.steps:
            self.take(step)
        steps = [part for part in self.parts.values() if isinstance(part, Step)]
        whole = {self.parts[step]: step for step in loop.outputs}
        self.last, self.free, self.held = last_uses(steps), dict[Any, list[str]](), dict[Value, str]()
        for i, step in enumerate(steps):
            self.write(step, i, whole.get(step))

    def name(self, wish: str, shape: Shape, dtype: Any) -> str:
        """Return a name that nothing has."""
        return self.outer.names.name(Value(shape, dtype, wish))

    def take(self, step: Step) -> None:
        """Note what a step is for the rows of a block."""
        args, n = tuple([self.part(x, step) for x in step.args]), self.loop.block
        if not is_total(step):
            shape = (n, *step.shape[1:])
            kwargs = {**step.kwargs, "shape": shape} if step.primitive == "sum_product" else step.kwargs
            self.parts[step] = replace(step, shape=shape, args=args, kwargs=kwargs)
            return
        x = args[0]
        if len(args) == 2:
            self.parts[step, "product"] = x = Step(x.shape, x.dtype, "", True, PRIMITIVES["multiply"], args)
        columns = prod(x.shape[len(axes_of(step)) :])
        shape = (n * rows_in_row(step) // BLOCK, columns)
        self.parts[step] = Step(shape, x.dtype, step.name, True, row_blocks, (x, columns))

    def part(self, x: Any, step: Step) -> Any:
        """Return what stands for an operand of a step."""
        if isinstance(x, Value) and x not in self.parts and is_cut(x, step):
            self.parts[x] = part = Value((self.loop.block, *x.shape[1:]), x.dtype, x.name or "part")
            self.lines.append(f"{self.outer.names.name(part)} = {self.outer.text(x).within(9)}[{self.rows}]")
        return self.parts.get(x, x) if isinstance(x, Value) else x

    def write(self, step: Step, i: int, whole: Step | None) -> None:
        """Add the lines of a step, the ``i``-th; ``whole`` is what its rows are part of, if that is needed later."""
        for value in [value for value in self.held if self.last[value] == i]:
            self.free.setdefault((value.shape, value.dtype), []).append(self.held.pop(value))
        place = "" if whole is None else self.place(step, whole)
        name = self.outer.names.name(step, step.wish)
        if not is_arithmetic(step):
            self.lines.append(f"{name} = {running(step, self.outer.text, self.bind).text}")
            if place:
                self.lines.append(f"{place} = {name}")
            return
        if not place:
            free = self.free.get((step.shape, step.dtype))
            self.held[step] = place = free.pop() if free else self.empty("scratch", step.shape, step.dtype)
        write = with_numbers(step, self.outer.text, self.bind)
        operands = ", ".join(write(x).text for x in step.args)
        self.lines.append(f"{name} = {numpy_path(function_of(step))}({operands}, out={place})")

    def place(self, step: Step, whole: Step) -> str:
        """Return where the rows of a result belong, and add the lines before and after the loop."""
        name, bind = self.outer.names.name(whole, whole.wish), self.bind
        if not is_total(whole):
            self.before.append(f"{name} = {bind(aligned)}({whole.shape}, {bind(whole.dtype)})")
            return f"{name}[{self.rows}]"
        blocks = self.empty(f"{name}_blocks", (self.loop.rows // self.loop.block, *step.shape), step.dtype)
        added = f"{bind(add_reduce)}({blocks}.reshape(-1, {step.shape[1]}), 0, np.float64).astype({bind(step.dtype)})"
        count = prod(whole.args[0].shape) // prod(whole.shape)
        divided = f" / {bind(np.array(count, step.dtype))}" if whole.primitive == "mean" else ""
        self.after.append(f"{name} = {added}.reshape({whole.shape}){divided}")
        return f"{blocks}[{self.number}]"

    def empty(self, wish: str, shape: Shape, dtype: Any) -> str:
        """Return the name of an array that is made before the loop."""
        name = self.name(wish, shape, dtype)
        self.before.append(f"{name} = {self.bind(aligned)}({shape}, {self.bind(dtype)})")
        return name


def is_arithmetic(step: Step) -> bool:
    """Return whether a step can write its result into an array."""
    function = function_of(step)
    return isinstance(function, np.ufunc) and function.nout == 1 and len(step.args) == function.nin and not step.kwargs


def last_uses(steps: Sequence[Step]) -> dict[Value, int]:
    """Return with which step each value is needed for the last time."""
    found = {value: i for i, step in enumerate(steps) for value in needed_by(step)}
    for i, step in reversed([*enumerate(steps)]):
        if not is_arithmetic(step):
            # Its result may be what it was given, or look at it.
            found |= {value: max(found[value], found.get(step, i)) for value in needed_by(step)}
    return found


def aligned(shape: Shape, dtype: np.dtype[Any]) -> Array:
    """Return an empty array at the start of a cache line: on numbers that lie across two NumPy takes twice as long."""
    size = prod(shape) * dtype.itemsize
    whole = np.empty(size + CACHE_LINE, np.uint8)
    start = -whole.ctypes.data % CACHE_LINE
    return whole[start : start + size].view(dtype).reshape(shape)
