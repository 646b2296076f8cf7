"""From a run to the plain data of its drawing: every name, number and badge settled once, for all formats."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np

from ..engine.details.array import Array
from .clusters import Clusters
from .contributions import finite, first_bad_contribution, flows, local_derivative, rule_of, sent_shapes, sizes
from .graph import EdgeView, GraphView, Kind, NodeView, Value
from .naming import Ids, formula_of, leaf_names, literal_text, result_names, substituted
from .plain_text import visible
from .run import Leaf, Operation, Run
from .values import first_bad, number, shape_text, value_of

MOST_WITH_VALUES = 500
"""Above so many operations the numbers are left out unless they are asked for."""


@dataclass(frozen=True)
class WrongRule:
    """A backward rule that a gradient check found wrong.

    The number counts recorded operations from 1; ``argument`` is empty if all are wrong.
    """

    number: int
    primitive: str
    argument: str
    finding: str


@dataclass(frozen=True)
class Wish:
    """What is to be shown.

    Values (None: where there are few operations) and gradients; the mask of real positions; the arguments of the
    function that was drawn; and the rules that a gradient check found wrong.
    """

    values: bool | None = None
    gradients: bool = True
    mask: Array | None = None
    arguments: frozenset[Hashable] = frozenset()
    wrong: tuple[WrongRule, ...] = ()


class Build:
    """The tables that nodes and edges are made from."""

    def __init__(self, run: Run, wish: Wish) -> None:
        self.run, self.wish = run, wish
        self.values = len(run.operations) <= MOST_WITH_VALUES if wish.values is None else wish.values
        # Without numbers on purpose, the rules still show; in a graph too large for numbers they do not.
        self.gradients = wish.gradients and (self.values or wish.values is not None)
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

    def _read(self, op: Operation) -> None:
        """Note who uses what, what is saved by whom, and where gradients will come from."""
        for position, key in enumerate(op.operands):
            if key is None:
                continue
            self.used.add(key)
            if flows(self.run, op, position):
                self.expected[key] += 1
                self.received[key] += (op.key, position) in self.run.contributions
        for name in op.saved:
            keys = [op.key] if name == "out" else saved_keys(op, name)
            for key in keys:
                self.saved_by.setdefault(key, []).append(self.ids[op.key])

    def keys(self) -> dict[str, Hashable]:
        """Return which value each id stands for."""
        return {name: key for key, name in self.ids.items()}

    def title(self, key: Hashable) -> str:
        """Return what a value is called."""
        return self.titles.get(key) or self.ids[key]

    def leaf_kind(self, leaf: Leaf) -> Kind:
        """Return what a leaf is."""
        if leaf.parameter:
            return "parameter"
        if leaf.key in self.wish.arguments:
            return "input"
        if not leaf.needs_gradient:
            return "constant"
        return "parameter" if self.wish.arguments else "leaf"

    def view(self) -> GraphView:
        """Return the whole graph, leaves just before the first operation that uses them."""
        run = self.run
        nodes: list[NodeView] = []
        edges: list[EdgeView] = []
        pending = dict(run.leaves)
        magnitudes = sizes(run) if self.gradients else {}
        bad = first_bad_contribution(run) if self.gradients else None
        first_nan = self._first_nan()
        recorded = 0
        for op in run.operations:
            recorded += op.recorded
            nodes += [self._leaf(pending.pop(k)) for k in dict.fromkeys(op.operands) if k in pending]
            here = (w for w in self.wish.wrong if op.recorded and w.number == recorded)
            wrong = [w for w in here if w.primitive == op.primitive.name]
            nodes.append(self._operation(op, first_nan, wrong))
            for position, key in enumerate(op.operands):
                if key is not None:
                    magnitude = magnitudes.get((op.key, position))
                    edges.append(self._edge(op, position, magnitude, bad == (op.key, position), wrong))
        nodes += [self._leaf(leaf) for leaf in pending.values()]
        if run.failure is not None:
            nodes.append(self._failure())
            edges += self._failed_edges()
        operations = Counter(
            c for op in run.operations for c in self.clusters.around(self.clusters.of_operation[op.key])
        )
        held = [(k, c) for k, c in self.clusters.of_leaf.items() if run.leaves[k].needs_gradient]
        parameters = Counter(c for _, cluster in held for c in self.clusters.around(cluster))
        return GraphView(
            tuple(nodes),
            tuple(edges),
            self.clusters.counted(operations, parameters),
            tuple(self.ids[k] for k in run.swept if k in self.ids) if self.gradients else (),
            visible(str(run.failure.error).split("\n")[0]) if run.failure else "",
            run.notes if nodes else (*run.notes, "nothing was recorded"),
        )

    def _shown(self, key: Hashable) -> Value | None:
        array = self.run.arrays.get(key)
        return value_of(array, self.wish.mask) if self.values and array is not None else None

    def _gradient(self, key: Hashable) -> Value | None:
        array = self.run.gradients.get(key)
        if array is None or not (self.gradients and self.values):
            return None
        return value_of(array, self.wish.mask)

    def _first_nan(self) -> Hashable | None:
        """Return the first operation that made a NaN or an infinity out of finite numbers."""
        run = self.run
        if not self.values:
            return None
        for op in run.operations:
            out = run.arrays.get(op.key)
            if out is None or finite(out):
                continue
            given = [run.arrays.get(k) if k is not None else v for k, v in zip(op.operands, op.literals, strict=True)]
            if all(x is None or finite_number(x) for x in given):
                return op.key
        return None

    def _leaf(self, leaf: Leaf) -> NodeView:
        key = leaf.key
        return NodeView(
            self.ids[key], self.kinds[key], self.title(key), shape=leaf.shape, dtype=leaf.dtype,
            value=self._shown(key), gradient=self._gradient(key), needs_gradient=leaf.needs_gradient,
            received=self.received[key] if self.gradients else 0, expected=self.expected[key],
            saved_by=tuple(dict.fromkeys(self.saved_by.get(key, ()))), cluster=self.clusters.of_leaf[key],
        )  # fmt: skip

    def _operation(self, op: Operation, first_nan: Hashable | None, wrong: list[WrongRule]) -> NodeView:
        key, run = op.key, self.run
        array = run.arrays.get(key)
        badges = []
        if key == first_nan and array is not None:
            badges.append(f"first {first_bad(array)}")
        badges += [visible(w.finding) for w in wrong]
        return NodeView(
            self.ids[key], "operation", self.title(key), op.primitive.name, op.primitive.symbol,
            formula_of(op, self.arguments[key]), run.shapes.get(key), str(array.dtype) if array is not None else "",
            self._shown(key), self._gradient(key), op.recorded, key not in self.used,
            self.received[key] if self.gradients else 0, self.expected[key],
            tuple(dict.fromkeys(self.saved_by.get(key, ()))), tuple(badges), self.clusters.of_operation[key], op.source,
            op.primitive.note, wrong=bool(wrong),
        )  # fmt: skip

    def _arguments(self, op: Operation) -> list[str]:
        return [
            self.title(key) if key is not None else literal_text(value, shape)
            for key, value, shape in zip(op.operands, op.literals, op.shapes, strict=True)
        ]

    def _edge(
        self, op: Operation, position: int, magnitude: float | None, bad: bool, wrong: list[WrongRule]
    ) -> EdgeView:
        run, primitive = self.run, op.primitive
        source = op.operands[position]
        sent = run.contributions.get((op.key, position)) if self.gradients else None
        argument = f"{primitive.inputs[0]}[{position}]" if primitive.variadic else primitive.inputs[position]
        rule, local, incoming, shapes = rule_of(primitive, position), "", "", ""
        contribution: Value | None = None
        if not primitive.variadic:
            names = dict(zip(primitive.inputs, self.arguments[op.key], strict=True))
            rule = substituted(rule, {**names, "out": self.title(op.key)})
        if sent is not None:
            array, raw = sent
            shapes = sent_shapes(raw, array.shape)
            contribution = value_of(array, self.wish.mask) if self.values else Value()
            local = local_derivative(run, op, position) if self.values else ""
            if local:
                incoming = number(run.gradients[op.key].reshape(-1)[0])
        return EdgeView(
            self.ids[source], self.ids[op.key], position, argument, op.shapes[position], rule, local, incoming,
            contribution, shapes, magnitude,
            flows(run, op, position), ("first NaN or ∞ of the backward pass",) if bad else (),
            any(w.argument in ("", argument, f"input {position}") for w in wrong),
        )  # fmt: skip

    def _failure(self) -> NodeView:
        failure = self.run.failure
        assert failure is not None
        name = failure.primitive.name if failure.primitive else type(failure.error).__name__
        shapes = " and ".join(shape_text(getattr(x, "shape", ())) for x in failure.inputs)
        return NodeView(
            self.failure_id, "failure", f"{name} raised", name, formula=f"got {shapes}" if shapes else "",
            badges=(visible(str(failure.error).split("\n")[0]),), cluster=self.clusters.of_failure,
            source=failure.source, needs_gradient=False,
        )  # fmt: skip

    def _failed_edges(self) -> list[EdgeView]:
        failure = self.run.failure
        assert failure is not None
        return [
            EdgeView(
                self.ids[key], self.failure_id, i, shape=getattr(x, "shape", None), differentiable=False, wrong=True
            )
            for i, (key, x) in enumerate(zip(failure.operands, failure.inputs, strict=True))
            if key in self.ids
        ]


def saved_keys(op: Operation, name: str) -> list[Hashable]:
    """Return the operands that a saved name stands for."""
    operands = op.operands if op.primitive.variadic else (op.operands[op.primitive.inputs.index(name)],)
    return [key for key in operands if key is not None]


def finite_number(x: object) -> bool:
    """Return whether a number or array holds no NaN and no infinity."""
    return finite(np.asarray(x))
