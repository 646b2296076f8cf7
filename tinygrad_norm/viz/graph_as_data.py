"""The graph as data: every node, edge and step with its numbers at full precision, ready for JSON."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np

from ..engine.details.array import Array
from .graph_as_text import sentences_of
from .graph_view import EdgeView, GraphView, NodeView
from .recorded_run import Run


def data_of(view: GraphView, run: Run | None, keys: Mapping[str, Hashable]) -> dict[str, Any]:
    """Return the graph as dictionaries, lists, strings and numbers; NaN and infinities become None: JSON has none."""
    return {
        "nodes": [node_data(n, run, keys.get(n.id)) for n in view.nodes],
        "edges": [edge_data(e, run, keys.get(e.target)) for e in view.edges],
        "clusters": [{"id": c.id, "path": c.path, "label": c.label, "parent": c.parent} for c in view.clusters],
        "steps": [
            {"number": i, "phase": s.phase, "node": s.node, "edge": s.edge, "received": s.received, "text": s.words}
            for i, s in enumerate(sentences_of(view), 1)
        ],
        "failure": view.failure or None,
    }


def node_data(node: NodeView, run: Run | None, key: Hashable) -> dict[str, Any]:
    """Return one node with its value and gradient."""
    return {
        "id": node.id,
        "kind": node.kind,
        "name": node.title,
        "operation": node.operation or None,
        "formula": node.formula or None,
        "shape": None if node.shape is None else list(node.shape),
        "dtype": node.dtype or None,
        "value": nested_numbers(run.arrays.get(key)) if run else None,
        "gradient": nested_numbers(run.gradients.get(key)) if run else None,
        "needs_gradient": node.needs_gradient,
        "received": node.received,
        "expected": node.expected,
        "saved_by": list(node.saved_by),
        "notes": list(node.badges),
        "cluster": node.cluster,
        "source": node.source or None,
    }


def edge_data(edge: EdgeView, run: Run | None, key: Hashable) -> dict[str, Any]:
    """Return one edge with its contribution."""
    sent = run.contributions.get((key, edge.position)) if run else None
    return {
        "from": edge.source,
        "to": edge.target,
        "position": edge.position,
        "argument": edge.argument or None,
        "rule": edge.rule or None,
        "sent": edge.shapes or None,
        "contribution": nested_numbers(sent[0]) if sent is not None else None,
        "differentiable": edge.differentiable,
        "wrong": edge.wrong,
    }


def nested_numbers(array: Array | None) -> Any:
    """Return an array as nested lists of numbers, with None for what JSON cannot hold.

    >>> nested_numbers(np.array([[1.0, np.nan], [0.1, 2.0]]))
    [[1.0, None], [0.1, 2.0]]
    """
    if array is None:
        return None
    numbers = np.asarray(array).astype(object)
    numbers[~np.isfinite(array)] = None
    return numbers.tolist()
