"""The view as DOT, through the ``graphviz`` package: cards, edges for the data, dashed edges for the gradients.

:func:`dot_of` writes it, and :func:`direction_for` chooses which way it runs: from left to right while that fits a
page, else from top to bottom.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import graphviz  # type: ignore[import-untyped]  # the package has no annotations

from .dot_labels import (
    BODY,
    LONGEST_LINE,
    LONGEST_TITLE,
    CardContent,
    Style,
    card,
    carried_words,
    edge_label,
    edge_tooltip,
    legend,
    tooltip,
)
from .graph_view import ClusterView, EdgeView, GraphView, NodeView
from .legible import end_of, visible
from .theme import Palette

Way: TypeAlias = Literal["LR", "TB"]
Direction: TypeAlias = Way | Literal["auto"]

LABELED_EDGES = 40
"""A drawing of so many edges shows on each what flows back; in a larger one the tooltips do."""
WITH_NUMBERS = 60
"""A drawing of so many nodes has its values on the cards; in a larger one they are in the tooltips."""
CARDS = 500
"""Above so many visible nodes: names instead of cards, no edge labels, a quicker layout."""
FONT = "Helvetica"
SPACING = {"ordering": "in", "nodesep": "0.3", "ranksep": "0.4", "labelloc": "b", "labeljust": "l", "pad": "0.15"}
CLOSE = SPACING | {"nodesep": "0.2", "ranksep": "0.2", "pad": "0.1"}
FRAME = {"labelloc": "t", "labeljust": "l", "style": "rounded,filled"}
MARGIN = {"card": "10", "compact": "5"}
LEGEND = "legend"
FEW = 15
"""From so many operations on, a drawing runs down."""
PAGE_WIDTH = 1050.0
"""In points: 1400 pixels."""
CHARACTER, GAP, LABEL = 6.0, 25.0, 105.0


@dataclass(frozen=True)
class Look:
    """How a view is drawn.

    ``numbers`` asks for the values on the cards, or for none; left to itself, a drawing of up to sixty nodes has them.
    ``labels`` on the edges say what flows back. ``tables`` are what is left of the cards in the compact style. The
    legend stands below, or ``beside`` a drawing that runs down.
    """

    direction: Direction = "auto"
    numbers: bool | None = None
    style: Style = "card"
    labels: bool = True
    tables: bool = True
    beside: bool = False


@dataclass(frozen=True)
class Pen:
    """How edges are drawn: with labels or not, labels clear of a line below, the widest's size, and the style."""

    colors: Palette
    labels: bool
    lifted: bool
    largest: float
    style: Style


def dot_of(view: GraphView, colors: Palette, look: Look, focused: frozenset[str] = frozenset()) -> str:
    """Return the DOT source of a view; the same view gives the same text."""
    way = direction_for(view) if look.direction == "auto" else look.direction
    large = len(view.nodes) > CARDS
    labels = look.labels and not large and len(view.edges) <= LABELED_EDGES
    spacing = SPACING if look.style == "card" else CLOSE
    whole = {"rankdir": way, "bgcolor": colors.canvas, "tooltip": "computation graph"}
    beside = look.beside and way == "TB"
    whole |= {} if beside else {"label": legend(view, colors)}
    whole |= {"fontname": FONT, "fontsize": "10", "fontcolor": colors.ink} | spacing
    graph = graphviz.Digraph("graph", graph_attr=whole | ({"nslimit": "1", "nslimit1": "1"} if large else {}))
    shape = {"shape": "box", "style": "filled"} if large else {"shape": "plain"}
    ink = colors.label if large else colors.ink
    graph.attr("node", fontname=FONT, fontsize=str(BODY), color=colors.line, fontcolor=ink, **shape)
    graph.attr("edge", fontname=FONT, fontsize="9", color=colors.line, arrowsize="0.6")
    few = len(view.nodes) <= WITH_NUMBERS
    content = CardContent(
        few if look.numbers is None else look.numbers,
        bool(view.sweep) or any(n.gradient is not None for n in view.nodes),
        bool(view.sweep),
        look.style if few or look.numbers else "compact",
        focused,
        look.tables,
    )
    if beside:
        graph.node(LEGEND, legend(view, colors, 1), id=LEGEND, tooltip="legend", shape="plain")
    add_nodes(graph, view, colors, None if large else content, MARGIN[look.style])
    largest = max((m for e in view.edges if (m := e.magnitude) is not None and math.isfinite(m)), default=0.0)
    pen = Pen(colors, labels, way == "LR", largest, look.style)
    for i, edge in enumerate(view.edges):
        told = {} if large else {"tooltip": edge_tooltip(edge)}
        add_forward(graph, edge, i, pen, told)
        if edge.magnitude is not None:
            add_backward(graph, edge, i, pen, told)
    source: str = graph.source
    return source


def add_nodes(
    graph: graphviz.Digraph, view: GraphView, colors: Palette, content: CardContent | None, margin: str
) -> None:
    """Add the nodes, each in its cluster: as cards, or by name where there is no content.

    An inner cluster is finished before the one around it.
    """
    bodies: dict[str | None, graphviz.Digraph] = {None: graph}
    for c in view.clusters:
        bodies[c.id] = graphviz.Digraph(
            f"cluster_{c.id}", graph_attr=cluster_attributes(c, colors) | {"margin": margin}
        )
    for i, node in enumerate(view.nodes):
        given = {"id": f"n{i}", "tooltip": tooltip(node)}
        if content is None:
            given |= {"label": visible(end_of(node.title, LONGEST_TITLE)), "fillcolor": colors.head(node)}
        label = "" if content is None else card(node, colors, content)
        bodies[node.cluster].body.append(f"\t{quoted(node.id)} {attributes(given, label)}\n")
    for c in reversed(view.clusters):
        bodies[c.parent].subgraph(bodies[c.id])


def cluster_attributes(cluster: ClusterView, colors: Palette) -> dict[str, str]:
    """Return the frame of a cluster."""
    held = f"{cluster.operations} operations" + (f", {cluster.parameters} parameters" if cluster.parameters else "")
    words = {"label": cluster.label, "tooltip": f"{cluster.label}\n{held}"}
    fill = colors.group if cluster.parent is None else colors.inner_group
    painted = {"fillcolor": fill, "color": colors.frame, "fontname": FONT, "fontsize": "11", "fontcolor": colors.ink}
    return {name: graphviz.escape(text.replace("&", "&amp;")) for name, text in words.items()} | painted | FRAME


def quoted(text: str) -> str:
    r"""Return text as a string of DOT: no character ends it, no backslash and no ``&`` means something else.

    >>> print(quoted("a\"b\\N"), quoted("&#xD800;"))
    "a\"b\\N" "&amp;#xD800;"
    """
    if "&" in text:
        text = text.replace("&", "&amp;")
    if "\\" in text or '"' in text or "\n" in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{text}"'


def attributes(given: Mapping[str, str], label: str = "") -> str:
    """Return attributes as DOT has them, with a label that is like HTML (between angle brackets) if there is one.

    The package's own quoting is made for every case there is, and takes a third of the time of a large drawing.
    """
    parts = [f"{name}={quoted(text)}" for name, text in given.items()]
    return f"[{' '.join([*parts, f'label={label}'] if label else parts)}]"


def add_forward(graph: graphviz.Digraph, edge: EdgeView, i: int, pen: Pen, told: dict[str, str]) -> None:
    """Add the edge along which the data flow; ``told`` is its tooltip, if any."""
    given = {"id": f"e{i}", **told}
    if edge.source == edge.target:
        given["label"] = f"  {carried_words(edge)}  "
    if not edge.differentiable:
        given["style"] = "dotted"
    if edge.wrong:
        given |= {"color": pen.colors.wrong, "penwidth": "2.5"}
    graph.body.append(f"\t{quoted(edge.source)} -> {quoted(edge.target)} {attributes(given)}\n")


def add_backward(graph: graphviz.Digraph, edge: EdgeView, i: int, pen: Pen, told: dict[str, str]) -> None:
    """Add the dashed edge along which the gradient flows back, as wide as it is large."""
    bad = edge.wrong or not math.isfinite(edge.magnitude or 0.0)
    color = pen.colors.wrong if bad else pen.colors.backward
    width = pen_width(edge.magnitude, pen.largest)
    given = {"id": f"b{i}", "dir": "back", "style": "dashed", "color": color, "penwidth": width, **told}
    label = edge_label(edge, pen.colors, pen.lifted, pen.style) if pen.labels else ""
    graph.body.append(f"\t{quoted(edge.source)} -> {quoted(edge.target)} {attributes(given, label)}\n")


def pen_width(magnitude: float | None, largest: float) -> str:
    """Return the width of a gradient's edge: from 0.8 for a thousandth of the largest, or less, to 3."""
    if not magnitude or not math.isfinite(magnitude) or not largest:
        return "0.8"
    decades = max(0.0, 3 + math.log10(magnitude / largest))
    return f"{0.8 + 2.2 * decades / 3:.1f}"


def direction_for(view: GraphView) -> Way:
    """Return the direction that keeps a drawing readable at the width of a page."""
    if sum(n.kind in ("operation", "module") for n in view.nodes) >= FEW:
        return "TB"
    gap = GAP + (LABEL if view.sweep and len(view.edges) <= LABELED_EDGES else 0)
    rank = ranks(view)
    widest: dict[int, float] = {}
    for node in view.nodes:
        widest[rank[node.id]] = max(widest.get(rank[node.id], 0), width_of(node, bool(view.sweep)))
    return "LR" if sum(widest.values()) + gap * (len(widest) - 1) <= PAGE_WIDTH else "TB"


def ranks(view: GraphView) -> dict[str, int]:
    """Return how many edges lie on the longest way to each node; what is used comes first in the view."""
    before: dict[str, list[str]] = {}
    for edge in view.edges:
        if edge.source != edge.target:
            before.setdefault(edge.target, []).append(edge.source)
    rank: dict[str, int] = {}
    for node in view.nodes:
        rank[node.id] = 1 + max((rank.get(s, 0) for s in before.get(node.id, ())), default=-1)
    return rank


def width_of(node: NodeView, gradients: bool) -> float:
    """Return about how wide a card will be, in points."""
    columns = [v for v in ((node.value, node.gradient) if gradients else (node.value,)) if v is not None]
    numbers = sum(max((len(" ".join(row)) for row in v.rows), default=len(v.summary) / 3) + 2 for v in columns)
    head = len(node.title) + len(node.operation) + 4
    facts = min(len(node.formula), LONGEST_LINE) + len(str(node.shape)) + len(node.dtype)
    return CHARACTER * max(numbers, head, facts * 0.9, 12)
