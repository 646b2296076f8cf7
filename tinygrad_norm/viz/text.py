"""The graph as text: a listing of one line an operation, nested as the modules are, and tables of its steps."""

from __future__ import annotations

from .card import some
from .graph import EdgeView, GraphView, NodeView, Value
from .steps import Step, steps_of
from .values import one_line, shape_text

LEAVES = ("input", "leaf", "parameter", "constant")


def listing(view: GraphView) -> str:
    """Return the graph as one line a node, in order of creation; needs nothing installed."""
    clusters = {c.id: c for c in view.clusters}
    lines: list[str] = []
    open_now: list[str] = []
    # Inputs come first; what lies in a module stays in it.
    given = [n for n in view.nodes if n.cluster is None and n.kind in LEAVES]
    rest = [n for n in view.nodes if not (n.cluster is None and n.kind in LEAVES)]
    for node in [*given, *rest]:
        chain: list[str] = []
        inside = node.cluster
        while inside is not None:
            chain.append(inside)
            inside = clusters[inside].parent
        chain.reverse()
        shared = 0
        while shared < min(len(chain), len(open_now)) and chain[shared] == open_now[shared]:
            shared += 1
        lines += [f"{'  ' * depth}{clusters[c].label}:" for depth, c in enumerate(chain) if depth >= shared]
        open_now = chain
        lines.append("  " * len(chain) + node_line(node))
    if view.failure:
        lines.append(f"raised: {view.failure}")
    lines += [f"({note})" for note in view.notes]
    return "\n".join(lines)


def node_line(node: NodeView) -> str:
    """Return a node in one line."""
    type_of = " ".join(filter(None, [shape_text(node.shape) if node.shape is not None else "", node.dtype]))
    if node.kind == "failure":
        return f"{node.title}: {node.formula}"
    what = node.formula if node.kind in ("operation", "module") else ""
    head = f"{node.title}: {'' if what else node.kind + ' '}{type_of}".rstrip()
    value = f" = {one_line(node.value)}" if node.value is not None else ""
    return ", ".join([f"{head}{' = ' + what if what else ''}{value}", *facts(node)])


def facts(node: NodeView) -> list[str]:
    """Return what is known of a node besides its value."""
    found = []
    if node.gradient is not None:
        found.append(f"gradient {one_line(node.gradient)}")
    if node.received and node.expected > 1:
        found.append(f"{node.received} of {node.expected} received")
    if not node.needs_gradient and node.kind != "constant":
        found.append("no gradient needed")
    if node.saved_by:
        found.append(f"saved by {some(node.saved_by)}")
    return [*found, *(badge.upper() if node.wrong else badge for badge in node.badges)]


def step_tables(view: GraphView) -> str:
    """Return each step as a sentence with the value or contribution as a labeled table."""
    nodes = {node.id: node for node in view.nodes}
    blocks: list[str] = []
    phase = ""
    for i, step in enumerate(steps_of(view), 1):
        if step.phase != phase:
            phase = step.phase
            blocks.append(phase.upper())
        node = nodes[step.node]
        edge = view.edges[step.edge] if step.edge is not None else None
        blocks.append("\n".join([f"{i}. {step.sentence}", *table_of(node, edge, step)]))
    if view.failure:
        blocks.append(f"raised: {view.failure}")
    return "\n\n".join(blocks)


def table_of(node: NodeView, edge: EdgeView | None, step: Step) -> list[str]:
    """Return the lines of the tables below a sentence; none where the sentence says it all."""
    if edge is None:
        return rows_below(node.value if step.phase == "forward" else node.gradient)
    lines = rows_below(edge.contribution)
    if lines and step.received == node.expected > 1:
        lines += [f"     in all, the gradient of {node.title}:", *rows_below(node.gradient)]
    return lines


def rows_below(value: Value | None) -> list[str]:
    """Return the rows of a value that does not fit a line."""
    lines = [] if value is None else rows_of(value)
    return lines if len(lines) > 1 else []


def rows_of(value: Value) -> list[str]:
    """Return the rows of a value with aligned columns; pads are marked."""
    if not value.rows:
        return [f"     {value.summary}"]
    widths = [max(len(row[i]) for row in value.rows) for i in range(len(value.rows[0]))]
    return [
        "     "
        + "  ".join(cell.rjust(w) for cell, w in zip(row, widths, strict=True))
        + ("  pad" if r in value.pads else "")
        for r, row in enumerate(value.rows)
    ]
