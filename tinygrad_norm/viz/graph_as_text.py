"""The graph as text: a listing of one line a node, and the run told step by step.

:func:`listing` is nested as the modules are. :func:`sentences_of` tells each value as it is computed, then each
contribution as it is sent back; :func:`step_tables` puts the numbers below each sentence.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal

from ..terminal.table import aligned
from .graph_view import EdgeView, GraphView, NodeView, Value, clusters_around
from .legible import shape_text, some, type_text, value_line

LEAVES = ("input", "leaf", "parameter", "constant")
LONGEST = 48
"""A value longer than this is given by its shape in a sentence."""


def listing(view: GraphView) -> str:
    """Return the graph as one line a node, in order of creation; needs nothing installed."""
    labels, parents = {c.id: c.label for c in view.clusters}, view.parents
    lines: list[str] = []
    open_now: list[str] = []
    # Inputs come first; what lies in a module stays in it.
    for node in sorted(view.nodes, key=lambda n: n.cluster is not None or n.kind not in LEAVES):
        chain = clusters_around(node.cluster, parents)
        lines += [f"{'  ' * depth}{labels[c]}:" for depth, c in enumerate(chain) if c not in open_now]
        open_now = chain
        lines.append("  " * len(chain) + node_line(node))
    if view.failure:
        lines.append(f"raised: {view.failure}")
    lines += [f"({note})" for note in view.notes]
    return "\n".join(lines)


def node_line(node: NodeView) -> str:
    """Return a node in one line: name, type, formula, value and what else is known."""
    if node.kind == "failure":
        return f"{node.title}: {node.formula}"
    what = node.formula if node.kind in ("operation", "module") else ""
    head = f"{node.title}: {'' if what else node.kind + ' '}{type_text(node)}".rstrip()
    value = f" = {value_line(node.value)}" if node.value is not None else ""
    found = [f"{head}{' = ' + what if what else ''}{value}"]
    if node.gradient is not None:
        found.append(f"gradient {value_line(node.gradient)}")
    if node.received and node.expected > 1:
        found.append(f"{node.received} of {node.expected} received")
    if not node.needs_gradient and node.kind != "constant":
        found.append("no gradient needed")
    if node.saved_by:
        found.append(f"saved by {some(node.saved_by)}")
    return ", ".join([*found, *(badge.upper() if node.wrong else badge for badge in node.badges)])


@dataclass(frozen=True, slots=True)
class Sentence:
    """One step of a run in words: the node it is about, and for a contribution the edge (its place in the view).

    ``received`` counts the contributions that have arrived at the node.
    """

    phase: Literal["forward", "backward"]
    node: str
    words: str
    edge: int | None = None
    received: int = 0


def sentences_of(view: GraphView) -> list[Sentence]:
    """Return every step: each value in the order of the run, then the seed and each contribution as it was sent."""
    told = [Sentence("forward", node.id, computed_words(node)) for node in view.nodes]
    nodes = {node.id: node for node in view.nodes}
    into: dict[str, list[tuple[int, EdgeView]]] = {}
    for i, edge in enumerate(view.edges):
        if edge.contribution is not None:
            into.setdefault(edge.target, []).append((i, edge))
    arrived: Counter[str] = Counter()
    for name in view.sweep:
        node = nodes[name]
        if not arrived[name]:
            start = f"The backward pass starts at {node.title} with the gradient ḡ = {in_words(node.gradient, node)}"
            told.append(Sentence("backward", name, start))
        for i, edge in into.get(name, ()):
            arrived[edge.source] += 1
            count = arrived[edge.source]
            told.append(Sentence("backward", edge.source, sent_words(node, edge, nodes[edge.source], count), i, count))
    return told


def computed_words(node: NodeView) -> str:
    """Return what happens at a node when values are computed."""
    value = in_words(node.value, node)
    if node.kind == "failure":
        return f"{node.title}: {' '.join(node.badges)}"
    if node.kind == "operation":
        return f"{node.title} = {node.formula}{' = ' + value if value else ''}"
    if node.kind == "module":
        return f"{node.title} computes{' ' + value if value else ''}"
    return f"{node.title} is {'an' if node.kind == 'input' else 'a'} {node.kind}{': ' + value if value else ''}"


def in_words(value: Value | None, node: NodeView) -> str:
    """Return a value in a sentence: the numbers where they are few, else the shape."""
    if value is not None:
        text = value_line(value)
        if len(text) <= LONGEST:
            return text
    return f"shape {shape_text(node.shape)}" if node.shape is not None else ""


def sent_words(node: NodeView, edge: EdgeView, source: NodeView, arrived: int) -> str:
    """Return who sends what to whom, and how much has arrived there."""
    amount = value_line(edge.contribution) if edge.contribution is not None else ""
    short = 0 < len(amount) <= LONGEST
    shown = f" = {amount}" if short else f", shape {edge.shapes}" if edge.shapes else ""
    summed = f" ({edge.shapes})" if "Σ" in edge.shapes and short else ""
    complete = arrived == source.expected > 1 and source.gradient is not None
    in_all = f", in all {in_words(source.gradient, source)}" if complete else ""
    return (
        f"{node.title} sends {rule_words(edge)}{shown}{summed} to {source.title}: "
        f"{source.title} has received {arrived} of {source.expected}{in_all}"
    )


def rule_words(edge: EdgeView) -> str:
    """Return the rule of an edge, with its numbers where all are single ones."""
    rule = edge.rule or "a contribution"
    return f"{rule} = {edge.incoming} · {edge.local}" if edge.local else rule


def step_tables(view: GraphView) -> str:
    """Return each step as a sentence with the value or contribution as a labeled table."""
    nodes = {node.id: node for node in view.nodes}
    blocks: list[str] = []
    phase = ""
    for i, sentence in enumerate(sentences_of(view), 1):
        if sentence.phase != phase:
            phase = sentence.phase
            blocks.append(phase.upper())
        edge = view.edges[sentence.edge] if sentence.edge is not None else None
        blocks.append("\n".join([f"{i}. {sentence.words}", *tables_below(nodes[sentence.node], edge, sentence)]))
    if view.failure:
        blocks.append(f"raised: {view.failure}")
    return "\n\n".join(blocks)


def tables_below(node: NodeView, edge: EdgeView | None, sentence: Sentence) -> list[str]:
    """Return the lines of the tables below a sentence; none where the sentence says it all."""
    if edge is None:
        return several_rows(node.value if sentence.phase == "forward" else node.gradient)
    lines = several_rows(edge.contribution)
    if lines and sentence.received == node.expected > 1:
        lines += [f"     in all, the gradient of {node.title}:", *several_rows(node.gradient)]
    return lines


def several_rows(value: Value | None) -> list[str]:
    """Return the indented rows of a table of several; pads are marked."""
    if value is None or len(value.rows) < 2:
        return []
    return [f"     {text}{'  pad' if r in value.pads else ''}" for r, text in enumerate(aligned(value.rows, "r"))]
