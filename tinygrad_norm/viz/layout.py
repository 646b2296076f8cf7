"""Which way a drawing runs: from left to right while that fits a page, else from top to bottom."""

from __future__ import annotations

from typing import Literal

from .card import LONGEST_LINE
from .dot import LABELED_EDGES, Direction
from .graph import GraphView, NodeView

FEW = 15
"""From so many operations on, a drawing runs down."""
PAGE = 1050.0
"""The width of a page in points: 1400 pixels."""
CHARACTER, GAP, LABEL = 6.0, 25.0, 105.0


def direction_for(view: GraphView) -> Direction:
    """Return the direction that keeps a drawing readable at the width of a page."""
    if sum(n.kind in ("operation", "module") for n in view.nodes) >= FEW:
        return "TB"
    gap = GAP + (LABEL if view.sweep and len(view.edges) <= LABELED_EDGES else 0)
    widest: dict[int, float] = {}
    for node, rank in ranks(view).items():
        widest[rank] = max(widest.get(rank, 0), width_of(node, bool(view.sweep)))
    return "LR" if sum(widest.values()) + gap * (len(widest) - 1) <= PAGE else "TB"


def ranks(view: GraphView) -> dict[NodeView, int]:
    """Return how many edges lie on the longest way to each node; what is used comes first in the view."""
    before: dict[str, list[str]] = {}
    for edge in view.edges:
        before.setdefault(edge.target, []).append(edge.source)
    rank: dict[str, int] = {}
    for node in view.nodes:
        rank[node.id] = 1 + max((rank.get(s, 0) for s in before.get(node.id, ())), default=-1)
    return {node: rank[node.id] for node in view.nodes}


def width_of(node: NodeView, gradients: bool) -> float:
    """Return about how wide a card will be, in points."""
    columns = [node.value, node.gradient] if gradients else [node.value]
    numbers = sum(
        max((len(" ".join(row)) for row in v.rows), default=len(v.summary) / 3) + 2 for v in columns if v is not None
    )
    head = len(node.title) + len(node.operation) + 4
    facts = min(len(node.formula), LONGEST_LINE) + len(str(node.shape)) + len(node.dtype)
    return CHARACTER * max(numbers, head, facts * 0.9, 12)


Wanted = Direction | Literal["auto"]
