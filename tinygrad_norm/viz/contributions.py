"""What the backward pass sent along each edge: local derivative, incoming gradient, and what a broadcast summed."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..engine.details.array import Array, Shape
from ..engine.details.summation import broadcast_axes
from ..engine.primitive import Primitive
from .run import Key, Operation, Run
from .values import number, shape_text


def rule_of(primitive: Primitive, position: int) -> str:
    """Return the rule that a primitive declares for an input, empty if it declares none."""
    if primitive.variadic:
        return primitive.rule[0] if primitive.rule else ""
    return primitive.rule[position] if position < len(primitive.rule) else ""


def flows(run: Run, op: Operation, position: int) -> bool:
    """Return whether a gradient flows back along an edge."""
    key = op.operands[position]
    if key is None or not op.recorded or not op.primitive.flows_to(position):
        return False
    return run.leaves[key].needs_gradient if key in run.leaves else True


def local_derivative(run: Run, op: Operation, position: int) -> str:
    """Return the derivative of a single number by a single number, empty where they are arrays.

    It is the operation's own rule at the cotangent 1, so it is right where the incoming gradient is 0, too.
    """
    out = run.arrays[op.key]
    if out.size != 1 or any(int(np.prod(s)) != 1 for s in op.shapes) or not flows(run, op, position):
        return ""
    inputs = [run.arrays[k] if k is not None else v for k, v in zip(op.operands, op.literals, strict=True)]
    nodes = [object() if flows(run, op, i) else None for i in range(len(inputs))]
    saved = op.primitive.save(out, inputs, op.shapes, op.params, nodes)
    one = np.ones(out.shape, out.dtype)
    with np.errstate(all="ignore"):
        found = op.primitive.pull_back(one, saved)[position]
    return number(np.asarray(found).reshape(-1)[0])


def summed_axes(raw: Shape, shape: Shape) -> str:
    """Return over which axes a contribution was summed back to its input's shape.

    >>> summed_axes((5, 3), (3,)), summed_axes((5, 3), (5, 1)), summed_axes((3,), (3,))
    ('Σ over axis 0', 'Σ over axis 1', '')
    """
    axes = broadcast_axes(raw, shape) or ()
    if not axes:
        return ""
    return f"Σ over {'axis' if len(axes) == 1 else 'axes'} {', '.join(map(str, axes))}"


def sent_shapes(raw: Shape, shape: Shape) -> str:
    """Return the shape of what was sent, and how a broadcast was summed back: ``(5, 3), Σ over axis 0 → (3,)``."""
    summed = summed_axes(raw, shape)
    return f"{shape_text(raw)}, {summed} → {shape_text(shape)}" if summed else shape_text(shape)


def sizes(run: Run) -> Mapping[tuple[Key, int], float]:
    """Return the norm of each contribution."""
    with np.errstate(all="ignore"):
        return {edge: float(np.linalg.norm(c.astype(np.float64).ravel())) for edge, (c, _) in run.contributions.items()}


def first_bad_contribution(run: Run) -> tuple[Key, int] | None:
    """Return the edge where a finite gradient first became a NaN or an infinity."""
    # They stand in the order of the sweep.
    for (key, position), (sent, _) in run.contributions.items():
        if finite(run.gradients[key]) and not finite(sent):
            return key, position
    return None


def finite(array: Array) -> bool:
    """Return whether an array holds no NaN and no infinity."""
    return array.dtype.kind != "f" or bool(np.isfinite(array).all())
