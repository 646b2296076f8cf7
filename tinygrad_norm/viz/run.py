"""A run as the drawing needs it, whether a trace watched it or only the tape was left.

:func:`run_of_trace` knows everything; :func:`run_of_tensor` knows what the tape kept: the operations and their shapes,
the values saved for the backward pass, the gradients of leaves, and what the caller's variables hold.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..engine.details.array import Array, Shape
from ..engine.primitive import Primitive
from ..engine.tape import Node, Scope
from ..engine.tensor import Tensor
from ..nn import Parameter
from .frames import array_key, key_of
from .trace import Failure, Sent, array_of, saved_names, trace

Key = Hashable


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: an operand is a key, or a literal (a number or an array; None where the tape kept neither)."""

    key: Key
    primitive: Primitive
    operands: tuple[Key | None, ...]
    literals: tuple[Any, ...]
    shapes: tuple[Shape, ...]
    params: Mapping[str, Any]
    scope: Scope | None
    recorded: bool
    saved: tuple[str, ...] = ()
    source: str = ""
    in_backward: bool = False


@dataclass(frozen=True, slots=True)
class Leaf:
    """What was used but not computed."""

    key: Key
    name: str | None
    shape: Shape
    dtype: str
    needs_gradient: bool
    parameter: bool


@dataclass(frozen=True)
class Run:
    """What happened, by keys.

    ``contributions`` are by operation and argument, with the shape before summing; ``variables`` names what variables
    hold, and ``outer`` are those around the run, not inside its functions.
    """

    operations: tuple[Operation, ...]
    leaves: Mapping[Key, Leaf]
    arrays: Mapping[Key, Array]
    shapes: Mapping[Key, Shape]
    gradients: Mapping[Key, Array]
    contributions: Mapping[tuple[Key, int], tuple[Array, Shape]] = field(default_factory=dict)
    swept: tuple[Key, ...] = ()
    variables: Mapping[Key, str] = field(default_factory=dict)
    outer: Collection[Key] = ()
    failure: Failure | None = None
    notes: tuple[str, ...] = ()


def run_of_trace(t: trace, which: int = -1) -> Run:
    """Return what a trace recorded, with one of its backward passes, the last unless ``which`` says otherwise."""
    leaves = {k: leaf_of(k, x) for k, x in t.leaves.items()}
    arrays: dict[Key, Array] = {k: leaf._array for k, leaf in t.leaves.items()}

    def operand(x: Any, key: Key | None) -> Key | None:
        """Return what stands for an input: its key, a new one for a plain array, None for a nameless number."""
        constant = key is None or (key in t.leaves and not t.leaves[key].requires_grad)
        named = isinstance(x, Tensor) and (x.name is not None or key in t.variables)
        if constant and np.ndim(array_of(x)) == 0 and not named:
            return None
        if key is None:
            array, key = array_of(x), array_key(x)
            leaves[key], arrays[key] = constant_leaf(key, array.shape, str(array.dtype)), array
        return key

    operations = []
    for r in t.records:
        operands = tuple(operand(x, key) for x, key in zip(r.inputs, r.operands, strict=True))
        operations.append(
            Operation(
                r.key, r.primitive, operands,
                tuple(x if key is None else None for x, key in zip(r.inputs, operands, strict=True)),
                tuple(array_of(x).shape for x in r.inputs), r.params, r.scope, isinstance(r.key, Node), r.saved,
                r.source, r.in_backward,
            )
        )  # fmt: skip
        arrays[r.key] = np.asarray(r.out)
    failure = t.failure
    if failure is not None:
        failed = tuple(operand(x, key) for x, key in zip(failure.inputs, failure.operands, strict=True))
        failure = replace(failure, operands=failed)
    used = {key for op in operations for key in op.operands} | set(failure.operands if failure else ())
    # A mask that a function turned into another array would stand there alone.
    leaves = {k: leaf for k, leaf in leaves.items() if k in used or leaf.needs_gradient}
    sent = t.passes[which] if t.passes else []
    gradients, contributions = received(sent, t.leaves)
    notes = (f"backward pass {which % len(t.passes) + 1} of {len(t.passes)}",) if len(t.passes) > 1 else ()
    return Run(
        tuple(operations), leaves, arrays, {k: a.shape for k, a in arrays.items()}, gradients, contributions,
        tuple(s.node for s in sent), t.variables, t.outer, failure, notes,
    )  # fmt: skip


def received(
    sent: Sequence[Sent], leaves: Collection[Key]
) -> tuple[dict[Key, Array], dict[tuple[Key, int], tuple[Array, Shape]]]:
    """Return what each node received in all, and each contribution, in the order of the sweep."""
    gradients: dict[Key, Array] = {}
    contributions: dict[tuple[Key, int], tuple[Array, Shape]] = {}
    for step in sent:
        gradients[step.node] = step.cotangent
        for i, (c, raw) in enumerate(zip(step.contributions, step.raw_shapes, strict=True)):
            parent = step.node.parents[i]
            if c is None or raw is None or parent is None:
                continue
            contributions[step.node, i] = (c, raw)
            # A leaf is never swept: it has what it was sent.
            if parent in leaves:
                gradients[parent] = gradients[parent] + c if parent in gradients else c
    return gradients, contributions


def constant_leaf(key: Key, shape: Shape, dtype: str = "") -> Leaf:
    """Return a plain array that an operation took."""
    return Leaf(key, None, shape, dtype, False, False)


def leaf_of(key: Key, tensor: Tensor) -> Leaf:
    """Return a Tensor that a run used but did not compute."""
    return Leaf(
        key, tensor.name, tensor.shape, str(tensor.dtype), tensor.requires_grad, isinstance(tensor, Parameter)
    )  # fmt: skip


def run_of_tensor(target: Tensor, variables: Mapping[str, Tensor]) -> Run:
    """Return what the tape still knows of how a Tensor was computed."""
    known = {key_of(t): t for t in [*variables.values(), target]}
    names = {key_of(t): name for name, t in reversed(list(variables.items()))}
    if target.node is None:
        leaf = leaf_of(key_of(target), target)
        return Run(
            (),
            {leaf.key: leaf},
            {leaf.key: array_of(target)},
            {leaf.key: target.shape},
            {},
            variables=names,
            outer=names,
        )
    nodes = ancestors(target.node)
    leaves: dict[Key, Leaf] = {}
    shapes: dict[Key, Shape] = {target.node: target.shape}
    arrays: dict[Key, Array] = {}
    operations = []
    for node in nodes:
        if node.primitive is None:
            continue
        found = kept_arrays(node)
        operands: list[Key | None] = []
        for i, parent in enumerate(node.parents):
            key: Key | None = parent
            if parent is None and node.shapes[i] != ():
                key = ("constant", node.order, i)
                leaves[key] = constant_leaf(key, node.shapes[i])
            elif parent is not None and parent.primitive is None and parent not in leaves:
                leaves[parent] = leaf_of_node(parent, known.get(parent))
            operands.append(key)
            if key is not None:
                shapes.setdefault(key, node.shapes[i])
                if i in found:
                    arrays[key] = array_of(found[i])
        if -1 in found:
            arrays[node] = array_of(found[-1])
        operations.append(
            Operation(
                node, node.primitive, tuple(operands),
                tuple(found.get(i) if key is None else None for i, key in enumerate(operands)),
                node.shapes, node.params or {}, node.scope, True, saved_names(node.primitive, node),
            )
        )  # fmt: skip
    if target.node.primitive is None:
        leaves[target.node] = leaf_of_node(target.node, target)
    arrays |= {k: array_of(t) for k, t in known.items() if k in shapes}
    gradients: dict[Key, Array] = {n: array_of(n.grad) for n in nodes if n.grad is not None}
    return Run(tuple(operations), leaves, arrays, shapes, gradients, variables=names, outer=names)


def leaf_of_node(node: Node, tensor: Tensor | None) -> Leaf:
    """Return a leaf of which only the node, and perhaps a variable, is left."""
    if tensor is not None:
        return leaf_of(node, tensor)
    dtype = str((node.params or {}).get("dtype", ""))
    return Leaf(node, node.name, node.shapes[0], dtype, True, "." in (node.name or ""))


def ancestors(root: Node) -> list[Node]:
    """Return a node and everything that it was computed from, oldest first."""
    seen, stack = {root}, [root]
    while stack:
        for parent in stack.pop().parents:
            if parent is not None and parent not in seen:
                seen.add(parent)
                stack.append(parent)
    return sorted(seen, key=lambda n: n.order)


def kept_arrays(node: Node) -> dict[int, Any]:
    """Return what a node saved, by the position of the input; the result has position −1."""
    primitive = node.primitive
    if primitive is None or node.saved is None:
        return {}
    return dict(kept_pairs(primitive, node.saved))


def kept_pairs(primitive: Primitive, saved: tuple[Any, ...]) -> Iterator[tuple[int, Any]]:
    """Yield position and array for each name that the rules asked for."""
    for name, value in primitive.named(saved):
        if name == "out":
            yield -1, value
        elif name in primitive.inputs:
            if primitive.variadic:
                yield from enumerate(value)
            else:
                yield primitive.inputs.index(name), value
