"""The reverse sweep: cotangents flow from results back to leaves.

:func:`sweep` walks the nodes from the newest to the oldest; since an operation is always newer than its inputs, every
node has all its contributions when its turn comes. Nothing recurses.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from heapq import heappop, heappush, heapreplace
from math import prod
from typing import Any

import numpy as np

from ..errors import AnomalyError, GraphError, GraphReleasedError, ShapeError, VJPError
from .details.array import Shape
from .details.saving import Saved
from .details.summation import sum_to
from .primitive import Primitive
from .tape import STATE, Node, State, where


def seed_for(cotangent: Any, shape: Shape, dtype: np.dtype[Any]) -> Any:
    """Return the cotangent that a backward pass starts from: the array or Tensor given, or 1 for a single number."""
    if cotangent is None:
        if prod(shape) != 1:
            raise GraphError(
                f"a backward pass without a cotangent must start from a single number; got shape {shape}. "
                "Sum or average it to a loss, or pass a cotangent of that shape (gradient= or cotangents=)."
            )
        return np.ones(shape, dtype) if shape else dtype.type(1)
    if cotangent.shape != shape:
        raise ShapeError(
            f"the cotangent of a result must have its shape {shape}; got {cotangent.shape}. Reshape or broadcast it."
        )
    # A list of Python numbers must not turn the backward pass of a float32 into one of float64.
    return cotangent if cotangent.dtype == dtype else cotangent.astype(dtype)


def ancestors_between(roots: Sequence[Node], targets: Collection[Node]) -> set[Node]:
    """Return the nodes that lie on a path from a target to a root."""
    seen, stack = set(roots), list(roots)
    while stack:
        for parent in stack.pop().parents:
            if parent is not None and parent not in seen:
                seen.add(parent)
                stack.append(parent)
    useful = {t for t in targets if t in seen}
    for node in sorted(seen, key=lambda n: n.order):
        if any(p in useful for p in node.parents):
            useful.add(node)
    return useful


def sweep(
    roots: Sequence[tuple[Node, Any]],
    *,
    targets: Collection[Node] | None = None,
    release: bool = False,
    wrap: Callable[[Any, Node], Any] | None = None,
) -> dict[Node, Any]:
    """Propagate cotangents from the roots back; return those of the targets.

    Parameters
    ----------
    roots : pairs of a node and its cotangent
    targets : the nodes whose cotangents are wanted; None means the leaves and those that keep a gradient
    release : drop saved arrays as soon as they were used
    wrap : for a differentiable backward pass: makes a Tensor of an array and its node, so that the rules record
    """
    _, _, anomaly, monitor = STATE.get()
    targets = None if targets is None else set(targets)
    useful = None if targets is None else ancestors_between([n for n, _ in roots], targets)
    cotangents: dict[Node, Any] = {}
    owned: set[Node] = set()
    found: dict[Node, Any] = {}
    # Operations that wait for their turn, the newest first. In a chain there is only one, which stays out of the heap.
    # Leaves have no turn: what they have received at the end is their gradient.
    waiting: list[tuple[int, Node]] = []
    newest: Node | None = None

    for root, g in roots:
        if root in cotangents:
            cotangents[root] = cotangents[root] + g
        elif useful is None or root in useful:
            cotangents[root] = g
            if root.primitive is not None:
                heappush(waiting, (-root.order, root))

    while waiting or newest is not None:
        if newest is None:
            node = heappop(waiting)[1]
        else:
            node = newest
            if waiting and -waiting[0][0] > node.order:
                node = heapreplace(waiting, (-node.order, node))[1]
            newest = None
        g = cotangents.pop(node)
        if node.keeps_grad if targets is None else node in targets:
            found[node] = g
        primitive = node.primitive
        assert primitive is not None
        saved = node.saved
        if saved is None:
            raise released(node)
        if wrap is not None:
            saved = wrapped(node, saved, wrap)
        parents, rules, joint = node.parents, primitive.rules, primitive.joint
        if joint is not None:
            together = joint(g, *saved)
            if type(together) is not tuple or len(together) != len(parents):
                raise wrong_count(primitive, node, together)
        if monitor is not None:
            sent: list[Any] = [None] * len(parents)
            raw = sent.copy() if joint is None else list(together)
        for i, parent in enumerate(parents):
            if parent is None or (useful is not None and parent not in useful):
                continue
            if joint is not None:
                c = together[i]
            else:
                rule, named = rules[i], saved[i]
                c = None if rule is None or named is None else rule(g, *named)
            if c is None:
                continue
            if monitor is not None:
                raw[i] = c
            try:
                if c.shape != node.shapes[i]:
                    c = fit(c, node, i)
            except AttributeError:
                c = fit(np.asarray(c), node, i)
            if anomaly:
                check_finite(g, c, node, i)
            if monitor is not None:
                sent[i] = c
            before = cotangents.get(parent)
            if before is None:
                cotangents[parent] = c
                if parent.primitive is not None:
                    if newest is None:
                        newest = parent
                    else:
                        heappush(waiting, (-parent.order, parent))
            elif parent in owned and before.dtype == c.dtype:
                # The sum was made by this sweep and nobody else has seen it.
                np.add(before, c, out=before)
            else:
                cotangents[parent] = both = before + c
                if type(both) is np.ndarray:
                    owned.add(parent)
        if release:
            node.saved = None
        if monitor is not None:
            monitor.swept(node, g, raw, sent)
    found.update(cotangents)
    return found


def recorded_sweep(roots: Sequence[tuple[Node, Any]], wrap: Callable[[Any, Node], Any], **how: Any) -> dict[Node, Any]:
    """Run the sweep on Tensors, with recording switched on, so that what it finds can be differentiated again."""
    state = STATE.get()
    token = STATE.set(State(True, state.scope, state.anomaly, state.monitor))
    try:
        return sweep(roots, wrap=wrap, **how)
    finally:
        STATE.reset(token)


def wrapped(node: Node, saved: Saved, wrap: Callable[[Any, Node], Any]) -> Saved:
    """Return what a node saved with its arrays as Tensors on the tape, so that a VJP on them records."""
    primitive = node.primitive
    assert primitive is not None
    parents = node.parents

    def again(name: str, value: Any) -> Any:
        if name == "out":
            return wrap(value, node)
        if name not in primitive.inputs:
            return value
        if primitive.variadic:
            return tuple([v if p is None else wrap(v, p) for v, p in zip(value, parents, strict=True)])
        parent = parents[primitive.inputs.index(name)]
        return value if parent is None else wrap(value, parent)

    def arguments(names: tuple[str, ...], values: Saved) -> Saved:
        return tuple([again(n, v) for n, v in zip(names, values, strict=True)])

    if primitive.joint is not None:
        return arguments(primitive.saves[0], saved)
    return tuple(
        [
            None if values is None else arguments(names, values)
            for names, values in zip(primitive.saves, saved, strict=True)
        ]
    )


def released(node: Node) -> GraphReleasedError:
    """Return the error for a node whose saved arrays are gone."""
    assert node.primitive is not None
    return GraphReleasedError(
        f"the graph of {node.primitive.name}{where(node.scope)} must still hold its saved arrays; an earlier "
        "backward() released them. Call that one with retain_graph=True, or compute the result anew."
    )


def fit(cotangent: Any, node: Node, i: int) -> Any:
    """Return a cotangent in its input's shape; only an elementwise primitive may need summing for it."""
    primitive, shape = node.primitive, node.shapes[i]
    assert primitive is not None
    if cotangent.shape == shape:
        return cotangent
    if primitive.elementwise:
        try:
            return sum_to(cotangent, shape)
        except VJPError:
            pass
    raise VJPError(
        f"the VJP of {primitive.name}{where(node.scope)} must return a cotangent of shape {shape} for input {i}; "
        f"got {cotangent.shape}. Correct the rule: nothing is summed or stretched for it."
    )


def wrong_count(primitive: Primitive, node: Node, raw: Any) -> VJPError:
    """Return the error for a VJP whose result is not one cotangent for each input."""
    got = f"a tuple of {len(raw)}" if type(raw) is tuple else f"a {type(raw).__name__}"
    return VJPError(
        f"the VJP of {primitive.name}{where(node.scope)} must return a tuple with one cotangent for each of its "
        f"{len(node.parents)} input(s); got {got}. For one input write (cotangent,)."
    )


def check_finite(g: Any, cotangent: Any, node: Node, i: int) -> None:
    """Raise where a rule turned a finite cotangent into a NaN or an infinity."""
    primitive = node.primitive
    assert primitive is not None
    if np.all(np.isfinite(np.asarray(g))) and not np.all(np.isfinite(np.asarray(cotangent))):
        raise AnomalyError(
            f"{primitive.name}{where(node.scope)}: every gradient must be finite; the backward rule for input {i} "
            f"{primitive.rule[i] if i < len(primitive.rule) else ''} made a NaN or an infinity from a finite "
            f"cotangent of shape {g.shape}. Look at that input's values: a zero under a root, log or division?"
        )
