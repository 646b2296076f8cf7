"""From a run to the plain data of its drawing: every name, number and badge settled once, for all formats."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from ..engine.details.array import Array, Shape
from ..engine.details.summation import broadcast_axes
from .clusters import Clusters
from .graph_view import EdgeView, GraphView, NodeKind, NodeView, Value
from .legible import first_bad, number, shape_text, value_of, visible
from .naming import Ids, formula_of, leaf_names, literal_text, result_names, substituted
from .recorded_run import (
    AppliedPrimitive,
    Leaf,
    Run,
    contribution_norms,
    first_bad_contribution,
    flows,
    local_derivative,
)
from .trace import Failure

if TYPE_CHECKING:  # drawing must not wait for the gradient check to be loaded
    from ..gradcheck import WrongNode

MOST_WITH_VALUES = 500
"""Above so many operations the numbers are left out unless they are asked for."""


@dataclass(frozen=True)
class Shown:
    """What is to be shown.

    Values (None: where there are few operations) and gradients; the mask of real positions; the arguments of the
    function that was drawn; and the rules that a gradient check found wrong.
    """

    values: bool | None = None
    gradients: bool = True
    mask: Array | None = None
    arguments: frozenset[Hashable] = frozenset()
    wrong: tuple[WrongNode, ...] = ()


def view_of_run(run: Run, shown: Shown) -> tuple[GraphView, Mapping[str, Hashable]]:
    """Return a run as it is drawn, and which value of the run each node's id stands for."""
    making = ViewOfRun(run, shown)
    return making.view(), {name: key for key, name in making.ids.items()}


class ViewOfRun:
    """The tables that nodes and edges are made from."""

    def __init__(self, run: Run, shown: Shown) -> None:
        self.run, self.shown = run, shown
        self.values = len(run.operations) <= MOST_WITH_VALUES if shown.values is None else shown.values
        # Without numbers on purpose, the rules still show; in a graph too large for numbers they do not.
        self.gradients = shown.gradients and (self.values or shown.values is not None)
        ids = Ids()
        named = leaf_names(run)
        self.kinds = {key: self.leaf_kind(leaf) for key, leaf in run.leaves.items()}
        self.ids: dict[Hashable, str] = {}
        for key in run.leaves:
            self.ids[key] = ids.named(named[key]) if key in named else ids.counted(self.kinds[key])
        for op in run.operations:
            self.ids[op.key] = ids.counted(op.primitive.name)
        self.titles = {key: visible(name) for key, name in named.items()}
        self.titles |= {k: visible(n) for k, n in result_names(run, list(named.values())).items()}
        self.clusters = Clusters(run, ids, self.kinds)
        self.failure_id = ids.counted(run.failure.primitive.name if run.failure and run.failure.primitive else "error")
        self.used: set[Hashable] = set()
        self.saved_by: dict[Hashable, list[str]] = {}
        self.expected: Counter[Hashable] = Counter()
        self.received: Counter[Hashable] = Counter()
        self.arguments = {op.key: self._arguments(op) for op in run.operations}
        for op in run.operations:
            self._read(op)
        self.used |= set(run.failure.operands) if run.failure else set()

    def leaf_kind(self, leaf: Leaf) -> NodeKind:
        """Return what a leaf is."""
        if leaf.parameter:
            return "parameter"
        if leaf.key in self.shown.arguments:
            return "input"
        if not leaf.needs_gradient:
            return "constant"
        return "parameter" if self.shown.arguments else "leaf"

    def title(self, key: Hashable) -> str:
        """Return what a value is called."""
        return self.titles.get(key) or self.ids[key]

    def _arguments(self, op: AppliedPrimitive) -> list[str]:
        return [
            self.title(key) if key is not None else literal_text(value, shape)
            for key, value, shape in zip(op.operands, op.literals, op.shapes, strict=True)
        ]

    def _read(self, op: AppliedPrimitive) -> None:
        """Note who uses what, what is saved by whom, and where gradients will come from."""
        for position, key in enumerate(op.operands):
            if key is None:
                continue
            self.used.add(key)
            if flows(self.run, op, position):
                self.expected[key] += 1
                self.received[key] += self.gradients and (op.key, position) in self.run.contributions
        for name in op.saved:
            for key in [op.key] if name == "out" else saved_operands(op, name):
                self.saved_by.setdefault(key, []).append(self.ids[op.key])

    def view(self) -> GraphView:
        """Return the whole graph, leaves just before the first operation that uses them."""
        run = self.run
        nodes: list[NodeView] = []
        edges: list[EdgeView] = []
        pending = dict(run.leaves)
        magnitudes = contribution_norms(run) if self.gradients else {}
        bad = first_bad_contribution(run) if self.gradients else None
        first_nan = self._first_nan()
        self.spoiled = self._reached_from(first_nan)
        recorded = 0
        for op in run.operations:
            recorded += op.recorded
            nodes += [self._leaf(pending.pop(k)) for k in dict.fromkeys(op.operands) if k in pending]
            name = op.primitive.name if op.recorded else None
            wrong = [w for w in self.shown.wrong if w.number == recorded and w.primitive == name]
            nodes.append(self._operation(op, first_nan, wrong))
            rules = self._rules(op)
            for position, key in enumerate(op.operands):
                if key is not None:
                    magnitude = magnitudes.get((op.key, position))
                    marks = ("NaN or ∞",) if magnitude is not None and not math.isfinite(magnitude) else ()
                    badges = ("first NaN or ∞ of the backward pass",) if bad == (op.key, position) else marks
                    edges.append(self._edge(op, position, rules[position], magnitude, badges, wrong))
        nodes += [self._leaf(leaf) for leaf in pending.values()]
        if run.failure is not None:
            nodes.append(self._failure(run.failure))
            edges += self._failed_edges(run.failure)
        return GraphView(
            tuple(nodes),
            tuple(edges),
            self.clusters.counted(run),
            tuple(self.ids[k] for k in run.swept if k in self.ids) if self.gradients else (),
            first_line(run.failure.error) if run.failure else "",
            run.notes if nodes else (*run.notes, "nothing was recorded"),
            (len(self.saved_by), sum(n.saved_bytes for n in nodes)),
        )

    def _first_nan(self) -> Hashable | None:
        """Return the first operation that made a NaN or an infinity out of finite numbers."""
        arrays = self.run.arrays
        for op in self.run.operations if self.values else ():
            if op.key not in arrays or not first_bad(arrays[op.key]):
                continue
            given = [arrays.get(k) if k is not None else v for k, v in zip(op.operands, op.literals, strict=True)]
            if all(x is None or not first_bad(np.asarray(x)) for x in given):
                return op.key
        return None

    def _reached_from(self, first: Hashable | None) -> set[Hashable]:
        """Return the results that an operation's NaN or infinity reached, its own with them."""
        spoiled = {first} if first is not None else set()
        for op in self.run.operations if spoiled else ():
            if not spoiled.isdisjoint(op.operands) and op.key in self.run.arrays and first_bad(self.run.arrays[op.key]):
                spoiled.add(op.key)
        return spoiled

    def _node(self, key: Hashable, kind: NodeKind, **more: Any) -> NodeView:
        """Return the card of a leaf or a result, with what is known of both."""
        return NodeView(
            self.ids[key],
            kind,
            self.title(key),
            shape=self.run.shapes.get(key),
            value=self._value(self.run.arrays.get(key)),
            gradient=self._value(self.run.gradients.get(key)) if self.gradients else None,
            received=self.received[key],
            expected=self.expected[key],
            saved_by=tuple(dict.fromkeys(self.saved_by.get(key, ()))),
            saved_bytes=self._bytes(key) if key in self.saved_by else 0,
            **more,
        )

    def _leaf(self, leaf: Leaf) -> NodeView:
        key, cluster = leaf.key, self.clusters.of_leaf[leaf.key]
        return self._node(key, self.kinds[key], dtype=leaf.dtype, needs_gradient=leaf.needs_gradient, cluster=cluster)

    def _operation(self, op: AppliedPrimitive, first_nan: Hashable | None, wrong: list[WrongNode]) -> NodeView:
        key, primitive = op.key, op.primitive
        array = self.run.arrays.get(key)
        badges = [f"first {first_bad(array)}"] if key == first_nan and array is not None else []
        if key in self.spoiled and key != first_nan:
            badges = [f"NaN or ∞ from {self.title(first_nan)}"]
        return self._node(
            key,
            "operation",
            operation=primitive.name,
            symbol=primitive.symbol,
            formula=formula_of(op, self.arguments[key]),
            dtype=dtype_text(array.dtype) if array is not None else "",
            needs_gradient=op.recorded,
            output=key not in self.used,
            badges=(*badges, *map(wrong_words, wrong)),
            cluster=self.clusters.of_operation[key],
            source=op.source,
            note=primitive.note,
            wrong=bool(wrong),
            spoiled=key in self.spoiled,
        )

    def _bytes(self, key: Hashable) -> int:
        """Return how much memory a value takes; of one whose values are gone, as much as float64 would."""
        if key in self.run.arrays:
            return int(self.run.arrays[key].nbytes)
        return 8 * math.prod(self.run.shapes.get(key, ()))

    def _value(self, array: Array | None) -> Value | None:
        return value_of(array, self.shown.mask) if self.values and array is not None else None

    def _rules(self, op: AppliedPrimitive) -> list[str]:
        """Return what an operation sends back to each of its inputs, in their names; those of one rule share it."""
        primitive, count = op.primitive, len(op.operands)
        if primitive.variadic:
            return [next(iter(primitive.rule), "")] * count
        names = {**dict(zip(primitive.inputs, self.arguments[op.key], strict=True)), "out": self.title(op.key)}
        rules = [substituted(rule, names) for rule in primitive.rule[:count]]
        return [*rules, *[""] * (count - len(rules))]

    def _edge(
        self,
        op: AppliedPrimitive,
        position: int,
        rule: str,
        magnitude: float | None,
        badges: tuple[str, ...],
        wrong: list[WrongNode],
    ) -> EdgeView:
        run, primitive = self.run, op.primitive
        argument = f"{primitive.inputs[0]}[{position}]" if primitive.variadic else primitive.inputs[position]
        local, incoming, shapes, contribution = "", "", "", None
        sent = run.contributions.get((op.key, position)) if self.gradients else None
        if sent is not None:
            array, raw = sent
            shapes = sent_shapes(raw, array.shape) if array is not None else ""
            contribution = self._value(array) or Value()
            local = local_derivative(run, op, position) if self.values else ""
            incoming = number(run.gradients[op.key].reshape(-1)[0]) if local else ""
        return EdgeView(
            self.ids[op.operands[position]],
            self.ids[op.key],
            position,
            argument,
            op.shapes[position],
            rule,
            local,
            incoming,
            contribution,
            shapes,
            magnitude,
            flows(run, op, position),
            badges,
            bool(wrong) and any(w.input in ("", argument, f"input {position}") for w in wrong),
        )

    def _failure(self, failure: Failure) -> NodeView:
        name = failure.primitive.name if failure.primitive else type(failure.error).__name__
        if failure.primitive is None and failure.scope is not None:
            name = failure.scope.kind or name
        shapes = " and ".join(shape_text(getattr(x, "shape", ())) for x in failure.inputs)
        return NodeView(
            self.failure_id,
            "failure",
            f"{name} raised",
            name,
            formula=f"got {shapes}" if shapes else "",
            badges=(first_line(failure.error),),
            cluster=self.clusters.of_failure,
            source=failure.source,
            needs_gradient=False,
        )

    def _failed_edges(self, failure: Failure) -> list[EdgeView]:
        arguments = enumerate(zip(failure.operands, failure.inputs, strict=True))
        return [
            EdgeView(self.ids[k], self.failure_id, i, shape=getattr(x, "shape", None), differentiable=False, wrong=True)
            for i, (k, x) in arguments
            if k in self.ids
        ]


@lru_cache
def dtype_text(dtype: np.dtype[Any]) -> str:
    """Return the name of a dtype, which NumPy makes anew each time."""
    return str(dtype)


def saved_operands(op: AppliedPrimitive, name: str) -> list[Hashable]:
    """Return the operands that a saved name stands for."""
    operands = op.operands if op.primitive.variadic else (op.operands[op.primitive.inputs.index(name)],)
    return [key for key in operands if key is not None]


def wrong_words(node: WrongNode) -> str:
    """Return what a card says of a rule that a gradient check found wrong."""
    what = f": {node.finding.name}" if node.finding else ""
    right = f"; right: {node.rule}" if node.rule else ""
    return visible(f"WRONG rule{' for ' + node.input if node.input else ''}{what}{right}")


def first_line(error: BaseException) -> str:
    """Return what a drawing says of an error."""
    return visible(str(error).split("\n")[0])


def sent_shapes(raw: Shape, shape: Shape) -> str:
    """Return the shape of what was sent, and over which axes a broadcast was summed back to the input's shape.

    >>> sent_shapes((5, 3), (3,)), sent_shapes((5, 3), (5, 1)), sent_shapes((3,), (3,))
    ('(5, 3), Σ over axis 0 → (3,)', '(5, 3), Σ over axis 1 → (5, 1)', '(3,)')
    """
    axes = broadcast_axes(raw, shape)
    if not axes:
        return shape_text(shape)
    over = f"{'axis' if len(axes) == 1 else 'axes'} {', '.join(map(str, axes))}"
    return f"{shape_text(raw)}, Σ over {over} → {shape_text(shape)}"
