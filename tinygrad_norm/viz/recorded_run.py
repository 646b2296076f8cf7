"""What is known of a run, whether a trace watched it or only the tape was left.

:func:`run_of_trace` knows everything; :func:`run_of_tensor` knows what the tape kept: the operations and their shapes,
the values saved for the backward pass, the gradients of leaves, and what the caller's variables hold. Of a
:class:`Run` one can ask what flowed back: :func:`local_derivative`, :func:`first_bad_contribution`.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np

from ..engine.details.array import Array, Shape
from ..engine.primitive import Primitive
from ..engine.tape import Node, Scope
from ..engine.tensor import Tensor
from ..nn import Parameter
from .frames import array_key, key_of
from .legible import first_bad, number
from .trace import Failure, Sent, array_of, trace

Key: TypeAlias = Hashable


@dataclass(frozen=True)
class NamedOperation:
    """What is known of an operation of another engine, in the words of a primitive."""

    name: str
    symbol: str
    formula: str
    inputs: tuple[str, ...]
    rule: tuple[str, ...]
    variadic: bool = False
    note: str = ""

    def flows_to(self, i: int) -> bool:
        """Return whether a cotangent flows to input ``i``: nothing says that it does not."""
        return True


@dataclass(frozen=True, slots=True)
class AppliedPrimitive:
    """One operation: an operand is a key, or a literal (a number or an array; None where the tape kept neither)."""

    key: Key
    primitive: Primitive | NamedOperation
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
    """What was used but not computed; a plain array has no name and needs no gradient."""

    key: Key
    dtype: str = ""
    name: str | None = None
    needs_gradient: bool = False
    parameter: bool = False


@dataclass(frozen=True)
class Run:
    """What happened, by keys.

    ``contributions`` are by operation and argument, with the shape before summing; None is an amount that is not known.
    ``local`` are derivatives that no primitive can be asked for. ``variables`` names what variables hold, and ``outer``
    are those around the run, not inside its functions.
    """

    operations: tuple[AppliedPrimitive, ...]
    leaves: Mapping[Key, Leaf]
    arrays: Mapping[Key, Array]
    shapes: Mapping[Key, Shape]
    gradients: Mapping[Key, Array]
    contributions: Mapping[tuple[Key, int], tuple[Array | None, Shape]] = field(default_factory=dict)
    local: Mapping[tuple[Key, int], Array] = field(default_factory=dict)
    swept: tuple[Key, ...] = ()
    variables: Mapping[Key, str] = field(default_factory=dict)
    outer: Collection[Key] = ()
    failure: Failure | None = None
    notes: tuple[str, ...] = ()


def run_of_trace(t: trace) -> Run:
    """Return what a trace recorded, with the last of its backward passes."""
    leaves = {k: leaf_of(k, x) for k, x in t.leaves.items()}
    arrays: dict[Key, Array] = {k: leaf._array for k, leaf in t.leaves.items()}

    def operand(x: Any, key: Key | None) -> Key | None:
        """Return what stands for an input: its key, a new one for a plain array, None for a nameless number."""
        constant = key is None or (key in t.leaves and not t.leaves[key].requires_grad)
        named = isinstance(x, Tensor) and (x.name is not None or key in t.variables)
        if constant and np.ndim(array_of(x)) == 0 and not named:
            return None
        if key is None:
            key = array_key(x)
            arrays[key] = array_of(x)
            leaves[key] = Leaf(key, str(arrays[key].dtype))
        return key

    operations = []
    for r in t.records:
        operands = tuple(operand(x, key) for x, key in zip(r.inputs, r.operands, strict=True))
        literals = tuple(x if key is None else None for x, key in zip(r.inputs, operands, strict=True))
        shapes = tuple(array_of(x).shape for x in r.inputs)
        told = (r.params, r.scope, isinstance(r.key, Node), r.saved, r.source, r.in_backward)
        operations.append(AppliedPrimitive(r.key, r.primitive, operands, literals, shapes, *told))
        arrays[r.key] = np.asarray(r.out)
    failure = t.failure
    if failure is not None:
        failed = tuple(operand(x, key) for x, key in zip(failure.inputs, failure.operands, strict=True))
        failure = replace(failure, operands=failed)
    used = {key for op in operations for key in op.operands} | set(failure.operands if failure else ())
    sent = t.passes[-1] if t.passes else []
    gradients, contributions = received(sent, t.leaves)
    return Run(
        tuple(operations),
        # A mask that a function turned into another array would stand there alone.
        {k: leaf for k, leaf in leaves.items() if k in used or leaf.needs_gradient},
        arrays,
        {k: a.shape for k, a in arrays.items()},
        gradients,
        contributions,
        swept=tuple(s.node for s in sent),
        variables=t.variables,
        outer=t.outer,
        failure=failure,
        notes=(f"backward pass {len(t.passes)} of {len(t.passes)}",) if len(t.passes) > 1 else (),
    )


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


def leaf_of(key: Key, tensor: Tensor) -> Leaf:
    """Return a Tensor that a run used but did not compute."""
    return Leaf(key, str(tensor.dtype), tensor.name, tensor.requires_grad, isinstance(tensor, Parameter))


def run_of_tensor(target: Tensor, variables: Mapping[str, Any]) -> Run:
    """Return what the tape still knows of how a Tensor was computed."""
    tensors = {name: t for name, t in variables.items() if isinstance(t, Tensor)}
    known = {key_of(t): t for t in [*tensors.values(), target]}
    names = {key_of(t): name for name, t in reversed(list(tensors.items()))}
    end = key_of(target)
    nodes = ancestors(target.node) if target.node is not None else []
    leaves: dict[Key, Leaf] = {}
    shapes: dict[Key, Shape] = {end: target.shape}
    arrays: dict[Key, Array] = {}
    operations = []
    for node in nodes:
        if node.primitive is None:
            continue
        found, saved = kept_arrays(node, node.primitive)
        operands: list[Key | None] = []
        for i, parent in enumerate(node.parents):
            key: Key | None = parent
            if parent is None and node.shapes[i] != ():
                key = ("constant", node.order, i)
                leaves[key] = Leaf(key)
            elif parent is not None and parent.primitive is None and parent not in leaves:
                dtype, name = str((parent.params or {}).get("dtype", "")), parent.name
                # Of a leaf that no variable holds only the node is left.
                alone = Leaf(parent, dtype, name, True, "." in (name or ""))
                leaves[parent] = leaf_of(parent, known[parent]) if parent in known else alone
            operands.append(key)
            if key is not None:
                shapes.setdefault(key, node.shapes[i])
                if i in found:
                    arrays[key] = array_of(found[i])
        if -1 in found:
            arrays[node] = array_of(found[-1])
        literals = tuple(found.get(i) if key is None else None for i, key in enumerate(operands))
        told = (node.params or {}, node.scope, True, saved)
        operations.append(AppliedPrimitive(node, node.primitive, tuple(operands), literals, node.shapes, *told))
    if not operations:
        leaves[end] = leaf_of(end, target)
    arrays |= {k: array_of(t) for k, t in known.items() if k in shapes}
    holders = [(n, n.holder()) for n in nodes if n.holder is not None]
    gradients: dict[Key, Array] = {n: array_of(t.grad) for n, t in holders if t is not None and t.grad is not None}
    return Run(tuple(operations), leaves, arrays, shapes, gradients, variables=names, outer=names)


def ancestors(root: Node) -> list[Node]:
    """Return a node and everything that it was computed from, oldest first."""
    seen, stack = {root}, [root]
    while stack:
        for parent in stack.pop().parents:
            if parent is not None and parent not in seen:
                seen.add(parent)
                stack.append(parent)
    return sorted(seen, key=lambda n: n.order)


def kept_arrays(node: Node, primitive: Primitive) -> tuple[dict[int, Any], tuple[str, ...]]:
    """Return what a node saved, by the position of the input (the result has position −1), and the names of it."""
    found: dict[int, Any] = {}
    names: list[str] = []
    for name, value in primitive.named(node.saved) if node.saved is not None else ():
        if name == "out":
            found[-1] = value
        elif name not in primitive.inputs:
            continue
        elif primitive.variadic:
            found.update(enumerate(value))
        else:
            found[primitive.inputs.index(name)] = value
        if name not in names:
            names.append(name)
    return found, tuple(names)


def flows(run: Run, op: AppliedPrimitive, position: int) -> bool:
    """Return whether a gradient flows back along an edge."""
    key = op.operands[position]
    if key is None or not op.recorded or not op.primitive.flows_to(position):
        return False
    return run.leaves[key].needs_gradient if key in run.leaves else True


def local_derivative(run: Run, op: AppliedPrimitive, position: int) -> str:
    """Return the derivative of a single number by a single number, empty where they are arrays.

    It is the operation's own rule at the cotangent 1, so it is right where the incoming gradient is 0, too.
    """
    if not isinstance(op.primitive, Primitive):
        known = run.local.get((op.key, position))
        return number(known.item()) if known is not None and known.size == 1 else ""
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


def contribution_norms(run: Run) -> dict[tuple[Key, int], float]:
    """Return the size of each contribution."""
    with np.errstate(all="ignore"):
        return {
            edge: 0.0 if c is None else float(np.linalg.norm(c.astype(np.float64).ravel()))
            for edge, (c, _) in run.contributions.items()
        }


def first_bad_contribution(run: Run) -> tuple[Key, int] | None:
    """Return the edge where a finite gradient first became a NaN or an infinity."""
    # They stand in the order of the sweep.
    for (key, position), (sent, _) in run.contributions.items():
        if sent is not None and not first_bad(run.gradients[key]) and first_bad(sent):
            return key, position
    return None
