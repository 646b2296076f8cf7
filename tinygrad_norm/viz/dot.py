"""The view as DOT, through the ``graphviz`` package: cards, edges for the data, dashed edges for the gradients."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import graphviz  # type: ignore[import-untyped]  # the package has no annotations

from .card import Content, card, plain_label, tooltip
from .edge_label import edge_label, edge_tooltip
from .graph import ClusterView, EdgeView, GraphView
from .legend import legend
from .theme import Palette

Direction = Literal["LR", "TB"]

LABELED_EDGES = 40
"""A drawing of so many edges shows on each what flows back; in a larger one the tooltips do."""
WITH_NUMBERS = 60
"""A drawing of so many nodes has its values on the cards; in a larger one they are in the tooltips."""
CARDS = 500
"""Above so many visible nodes: names instead of cards, no edge labels, a quicker layout."""
FONT = "Helvetica"


def dot_of(view: GraphView, colors: Palette, direction: Direction, numbers: bool | None = None) -> str:
    """Return the DOT source of a view; the same view gives the same text.

    ``numbers`` asks for the values on the cards, or for none; left to itself, a drawing of up to sixty nodes has them.
    """
    large = len(view.nodes) > CARDS
    graph = graphviz.Digraph("graph", graph_attr=graph_attributes(view, colors, direction, large))
    shape = {"shape": "box", "style": "filled"} if large else {"shape": "plain"}
    graph.attr("node", fontname=FONT, fontsize="11", color=colors.line, fontcolor=colors.label, **shape)
    graph.attr("edge", fontname=FONT, fontsize="9", color=colors.line, arrowsize="0.6")
    content = Content(
        len(view.nodes) <= WITH_NUMBERS if numbers is None else numbers,
        bool(view.sweep) or any(n.gradient is not None for n in view.nodes),
        bool(view.sweep),
    )
    add_nodes(graph, view, colors, None if large else content)
    largest = max((m for e in view.edges if (m := e.magnitude) is not None and math.isfinite(m)), default=0.0)
    labels = not large and len(view.edges) <= LABELED_EDGES
    pen = Pen(colors, labels, not large, direction == "LR", largest)
    for i, edge in enumerate(view.edges):
        add_forward(graph, edge, i, pen)
        if edge.magnitude is not None:
            add_backward(graph, edge, i, pen)
    source: str = graph.source
    return source


@dataclass(frozen=True)
class Pen:
    """How edges are drawn: with labels or not, tooltips or not, labels clear of a line below, and the widest's size."""

    colors: Palette
    labels: bool
    tooltips: bool
    lifted: bool
    largest: float


def graph_attributes(view: GraphView, colors: Palette, direction: Direction, large: bool) -> dict[str, str]:
    """Return the attributes of the whole graph."""
    attributes = {
        "rankdir": direction, "ordering": "in", "nodesep": "0.3", "ranksep": "0.4", "bgcolor": colors.canvas,
        "fontname": FONT, "fontsize": "10", "fontcolor": colors.ink, "labelloc": "b", "labeljust": "l", "pad": "0.15",
        "tooltip": "computation graph", "label": legend(view, colors),
    }  # fmt: skip
    if large:
        attributes |= {"nslimit": "1", "nslimit1": "1"}
    return attributes


def add_nodes(graph: graphviz.Digraph, view: GraphView, colors: Palette, content: Content | None) -> None:
    """Add the nodes, each in its cluster: as cards, or by name where there is no content.

    An inner cluster is finished before the one around it.
    """
    bodies: dict[str | None, graphviz.Digraph] = {None: graph}
    for c in view.clusters:
        bodies[c.id] = graphviz.Digraph(f"cluster_{c.id}", graph_attr=cluster_attributes(c, view, colors))
    for i, node in enumerate(view.nodes):
        body = bodies[node.cluster]
        common = {"id": f"n{i}", "tooltip": graphviz.escape(tooltip(node))}
        if content is None:
            body.node(node.id, graphviz.escape(plain_label(node)),
                      fillcolor=colors.of_kind(node.kind, node.output, node.wrong), **common)  # fmt: skip
        else:
            body.node(node.id, card(node, colors, content), **common)
    for c in reversed(view.clusters):
        bodies[c.parent].subgraph(bodies[c.id])


def cluster_attributes(cluster: ClusterView, view: GraphView, colors: Palette) -> dict[str, str]:
    """Return the frame of a cluster."""
    held = f"{cluster.operations} operations" + (f", {cluster.parameters} parameters" if cluster.parameters else "")
    return {
        "label": graphviz.escape(cluster.label), "labeljust": "l", "style": "rounded,filled",
        "fillcolor": colors.group if cluster.parent is None else colors.inner_group, "color": colors.frame,
        "fontcolor": colors.ink, "fontname": FONT, "fontsize": "11", "labelloc": "t", "margin": "10",
        "tooltip": graphviz.escape(f"{cluster.label}\n{held}"),
    }  # fmt: skip


def add_forward(graph: graphviz.Digraph, edge: EdgeView, i: int, pen: Pen) -> None:
    """Add the edge along which the data flow."""
    attributes = {"id": f"e{i}"}
    if pen.tooltips:
        attributes["tooltip"] = graphviz.escape(edge_tooltip(edge))
    if not edge.differentiable:
        attributes["style"] = "dotted"
    if edge.wrong:
        attributes |= {"color": pen.colors.wrong, "penwidth": "2.5"}
    graph.edge(edge.source, edge.target, **attributes)


def add_backward(graph: graphviz.Digraph, edge: EdgeView, i: int, pen: Pen) -> None:
    """Add the dashed edge along which the gradient flows back, as wide as it is large."""
    color = pen.colors.wrong if edge.wrong else pen.colors.backward
    attributes = {
        "id": f"b{i}", "dir": "back", "style": "dashed", "color": color,
        "penwidth": pen_width(edge.magnitude, pen.largest),
    }  # fmt: skip
    if pen.tooltips:
        attributes["tooltip"] = graphviz.escape(edge_tooltip(edge))
    if pen.labels:
        attributes["label"] = edge_label(edge, pen.colors, pen.lifted)
    graph.edge(edge.source, edge.target, **attributes)


def pen_width(magnitude: float | None, largest: float) -> str:
    """Return the width of a gradient's edge: from 0.8 for a thousandth of the largest, or less, to 3."""
    if not magnitude or not math.isfinite(magnitude) or not largest:
        return "0.8"
    decades = max(0.0, 3 + math.log10(magnitude / largest))
    return f"{0.8 + 2.2 * decades / 3:.1f}"
