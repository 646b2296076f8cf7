"""The passes: the same values, to the last bit, from fewer steps.

:func:`simplified` makes a recording anew, from its inputs to its gradients. Each step goes through :class:`Simplifier`,
which gives back a step that is there already where it can (common subexpressions, a factor of 1, a broadcast that adds
nothing) and moves signs to where they cost least. What nothing needs is left out at the end. All moves are exact: a
sign commutes with rounding, and a broadcast with what works entry by entry.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from ..engine.details.summation import kept_shape, reduced_axes
from ..engine.primitive import PRIMITIVES
from .steps import Check, Constant, Item, Recording, Step, Value, mapped, needed_by, order_of, values_in


def simplified(recording: Recording) -> Recording:
    """Return a recording that computes the same with fewer steps."""
    again = Simplifier()
    forward = again.items(recording.forward)
    outputs, updates = again.tree(recording.outputs), again.tree(recording.updates)
    backward = again.items(recording.backward)
    gradients = again.tree(recording.gradients)
    backward = needed(backward, gradients)
    forward = needed(forward, (outputs, updates, [list(needed_by(i)) for i in backward], gradients))
    return replace(
        recording,
        forward=tuple(forward),
        outputs=outputs,
        updates=updates,
        backward=tuple(backward),
        gradients=gradients,
    )


def needed(items: Sequence[Item], results: Any) -> list[Item]:
    """Return the items that the results need, and the checks with what these need."""
    wanted = set(values_in(results))
    kept: list[Item] = []
    for item in reversed(items):
        if isinstance(item, Check) or item in wanted:
            kept.append(item)
            wanted.update(needed_by(item))
    return kept[::-1]


def key_of(tree: Any) -> Hashable:
    """Return what two equal trees have in common."""
    if isinstance(tree, Value):
        return id(tree)
    if isinstance(tree, (tuple, list)):
        return (type(tree), *map(key_of, tree))
    if isinstance(tree, dict):
        return tuple((name, key_of(part)) for name, part in tree.items())
    if isinstance(tree, slice):
        return (slice, key_of((tree.start, tree.stop, tree.step)))
    return type(tree), repr(tree)


class Simplifier:
    """Makes steps, each only once, and simpler where that changes nothing."""

    def __init__(self) -> None:
        self.made: dict[Hashable, Value] = {}
        self.instead: dict[Value, Value] = {}
        self.order: list[Item] = []

    def tree(self, tree: Any) -> Any:
        """Return a tree with the values that stand for the old ones."""
        return mapped(self.value, tree)

    def value(self, old: Value) -> Value:
        """Return what stands for a value."""
        if isinstance(old, Constant):
            return self.made.setdefault((old.array.tobytes(), old.shape, old.dtype), old)
        return self.instead.get(old, old)

    def items(self, old: Sequence[Item]) -> list[Item]:
        """Make items anew, in their order, and return those that were made."""
        self.order = []
        for item in old:
            if isinstance(item, Check):
                value = self.value(item.value)
                if not any(isinstance(i, Check) and i.value is value for i in self.order):
                    self.order.append(replace(item, value=value))
                continue
            new = self.step(replace(item, args=self.tree(item.args), kwargs=self.tree(item.kwargs)))
            if item.name and not new.name:
                new.name = item.name
            self.instead[item] = new
        return self.order

    def step(self, step: Step) -> Value:
        """Return a step, or what has the same value."""
        for rule in RULES.get(step.primitive or step.function, ()):
            found = rule(self, step)
            if found is not None:
                return found
        key = (id(step.function), key_of(step.args), key_of(step.kwargs))
        if key not in self.made:
            self.made[key] = step
            self.order.append(step)
        return self.made[key]

    def apply(self, name: str, like: Step, *args: Any, **changes: Any) -> Value:
        """Return a primitive applied to values, with the place of another step and its result's shape and dtype."""
        made = PRIMITIVES[name]
        return self.step(replace(like, **{"name": "", "function": made, "args": args, "kwargs": {}, **changes}))


Rule = Callable[[Simplifier, Step], "Value | None"]


def same(value: Any, step: Step) -> bool:
    """Return whether a value could stand for a step: an array of its shape and dtype."""
    return isinstance(value, Value) and value.shape == step.shape and value.dtype == step.dtype


def is_negative(value: Any) -> bool:
    """Return whether a value is the negative of another, and nobody's name."""
    return isinstance(value, Step) and value.primitive == "negative" and not value.name


def unchanged(again: Simplifier, step: Step) -> Value | None:
    """Leave out what gives x in the shape and dtype that it has."""
    return step.args[0] if same(step.args[0], step) else None


def without_broadcast(again: Simplifier, step: Step) -> Value | None:
    """Leave out the broadcast of an operand that the operation broadcasts anyway."""
    for i, x in enumerate(step.args):
        if isinstance(x, Step) and x.primitive == "broadcast_to":
            args = (*step.args[:i], x.args[0], *step.args[i + 1 :])
            whole = [a for a in args if isinstance(a, Value) and a.shape == step.shape]
            # In memory the result is laid out as before.
            if whole and all(a.in_rows for a in whole):
                return again.step(replace(step, args=args))
    return None


def times_one(again: Simplifier, step: Step) -> Value | None:
    """Leave out a factor of 1."""
    for one, other in (step.args, step.args[::-1]):
        is_one = one == 1 if not isinstance(one, Value) else isinstance(one, Constant) and bool(np.all(one.array == 1))
        if is_one and same(other, step):
            return other if isinstance(other, Value) else None
    return None


def sign_outside(again: Simplifier, step: Step) -> Value | None:
    """Take the sign of all summands, of a factor or of a dividend last, where there are no more entries."""
    x = step.args[0]
    if is_negative(x) and prod(step.shape) <= prod(x.shape):
        return again.apply("negative", step, again.step(replace(step, name="", args=(x.args[0], *step.args[1:]))))
    y = step.args[1] if step.primitive in ("multiply", "sum_product") else None
    if y is not None and is_negative(y) and prod(step.shape) <= prod(y.shape):
        return again.apply("negative", step, again.step(replace(step, name="", args=(x, y.args[0]))))
    return None


def sign_of_summand(again: Simplifier, step: Step) -> Value | None:
    """Write x + (−y) as x − y."""
    x, y = step.args
    if is_negative(y) and isinstance(x, Value):
        other = "subtract" if step.primitive == "add" else "add"
        return again.apply(other, step, x, y.args[0])
    if is_negative(x) and isinstance(y, Value) and step.primitive == "add":
        return again.apply("subtract", step, y, x.args[0])
    return None


def twice_negative(again: Simplifier, step: Step) -> Value | None:
    """Write −(−x) as x."""
    x = step.args[0]
    return x.args[0] if is_negative(x) and same(x.args[0], step) else None


def axes_kept(again: Simplifier, step: Step) -> Value | None:
    """Let a sum keep its axes instead of giving them back, and reshape only once."""
    x = step.args[0]
    if isinstance(x, Step) and x.primitive in ("sum", "mean") and not x.kwargs["keepdims"]:
        whole, axis = x.args[0].shape, x.kwargs["axis"]
        if reduced_axes(whole, axis) and kept_shape(whole, axis) == step.shape:
            return again.step(replace(x, name="", shape=step.shape, kwargs={**x.kwargs, "keepdims": True}))
    if isinstance(x, Step) and x.primitive == "reshape":
        return again.step(replace(step, args=(x.args[0], *step.args[1:])))
    return None


def transposed_back(again: Simplifier, step: Step) -> Value | None:
    """Write (xᵀ)ᵀ as x."""
    x = step.args[0]
    if isinstance(x, Step) and x.primitive == "transpose" and same(x.args[0], step):
        first, second = order_of(x), order_of(step)
        if [first[a] for a in second] == list(range(len(first))):
            return x.args[0] if isinstance(x.args[0], Value) else None
    return None


RULES: dict[Any, tuple[Rule, ...]] = {
    "positive": (unchanged,),
    "astype": (unchanged,),
    "reshape": (unchanged, sign_outside, axes_kept),
    "broadcast_to": (unchanged,),
    "transpose": (transposed_back,),
    "negative": (twice_negative,),
    "add": (without_broadcast, sign_of_summand),
    "subtract": (without_broadcast, sign_of_summand),
    "multiply": (times_one, without_broadcast, sign_outside),
    "divide": (without_broadcast, sign_outside),
    "sum": (sign_outside,),
    "sum_product": (sign_outside,),
    np.ndarray.astype: (unchanged,),
}
