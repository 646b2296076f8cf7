"""The panel of the page: for each node its formula, values, gradient, what it received and what its rule sends."""

from __future__ import annotations

import html
from collections.abc import Mapping

from .card import role, some, type_text
from .contract import Folded
from .graph import EdgeView, GraphView, NodeView, Value
from .plain_text import visible


def facts_of(view: GraphView, folds: Mapping[str, Folded]) -> str:
    """Return the sections of all nodes, and of the boxes that stand for them when folded."""
    outgoing: dict[str, list[EdgeView]] = {}
    incoming: dict[str, list[EdgeView]] = {}
    for edge in view.edges:
        outgoing.setdefault(edge.source, []).append(edge)
        incoming.setdefault(edge.target, []).append(edge)
    titles = {n.id: n.title for n in view.nodes}
    sections = [section(n, outgoing.get(n.id, []), incoming.get(n.id, []), titles) for n in view.nodes]
    boxes = {n.id: n for folded in folds.values() for n in folded.view.nodes if n.id not in titles}
    return "\n".join([*sections, *(section(n, [], [], titles) for n in boxes.values())])


def text(content: str) -> str:
    """Return untrusted text for HTML."""
    return html.escape(visible(content))


def section(node: NodeView, uses: list[EdgeView], inputs: list[EdgeView], titles: Mapping[str, str]) -> str:
    """Return what is known of one node."""
    received = f"{node.received} of {node.expected} contributions received" if node.received else ""
    pairs = {
        "kind": role(node), "name": node.id if node.id != node.title else "", "formula": node.formula,
        "shape": type_text(node), "computed at": node.source,
        "kept": f"saved for the backward pass by {some(node.saved_by)}" if node.saved_by else "",
        "gradient": received if node.needs_gradient else "no gradient needed",
        "kink": node.note, "mark": "; ".join(node.badges),
    }  # fmt: skip
    facts = "".join(f"<dt>{name}</dt><dd><bdi>{text(value)}</bdi></dd>" for name, value in pairs.items() if value)
    parts = [f"<h2><bdi>{text(node.title)}</bdi></h2><dl>{facts}</dl>"]
    if node.value is not None:
        parts.append(f"<h3>value</h3>{table(node.value)}")
    if node.gradient is not None:
        parts.append(f'<h3>gradient</h3><div class="gradient">{table(node.gradient)}</div>')
    parts += [
        f"<h3>received from <bdi>{text(titles[edge.target])}</bdi>: <bdi>{text(edge.rule)}</bdi></h3>"
        f'<div class="gradient">{table(edge.contribution)}</div>'
        for edge in uses
        if edge.contribution is not None and len(uses) > 1
    ]
    rules = [e for e in inputs if e.rule and e.differentiable]
    if rules:
        items = "".join(
            f"<dt>to <bdi>{text(titles[e.source])}</bdi></dt><dd><bdi>{text(rule_text(e))}</bdi></dd>" for e in rules
        )
        parts.append(f"<h3>sends back</h3><dl>{items}</dl>")
    return f'<section class="facts" data-node="{text(node.id)}">{"".join(parts)}</section>'


def rule_text(edge: EdgeView) -> str:
    """Return what an operation sends back along one edge."""
    if edge.local:
        return f"{edge.rule} = {edge.incoming} · {edge.local}"
    return f"{edge.rule}{', ' + edge.shapes if 'Σ' in edge.shapes else ''}"


def table(value: Value) -> str:
    """Return a value as a table; pads are marked."""
    if not value.rows:
        return f"<p>{text(value.summary)}</p>"
    rows = "".join(
        f"<tr{' class=pad' if r in value.pads else ''}>"
        + "".join(f"<td>{text(cell)}" for cell in row)
        + ("<td>pad" if r in value.pads else "")
        + "</tr>"
        for r, row in enumerate(value.rows)
    )
    return f"<table>{rows}</table>"
