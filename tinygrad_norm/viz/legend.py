"""The legend under a drawing: the roles, lines and marks that occur in it, and no others."""

from __future__ import annotations

from .card import escaped, font
from .graph import GraphView
from .theme import ROLES, Palette

SIZE = 9


def legend(view: GraphView, colors: Palette) -> str:
    """Return the legend as the label of the whole graph."""
    cells = [swatch(role, colors) for role in roles(view)]
    marks = [font(escaped(text), color, SIZE) for text, color in lines(view, colors)]
    # Graphviz takes no row without a cell.
    rows = [f"<tr>{''.join(cells)}</tr>"] if cells else []
    rows += [f'<tr><td align="left" colspan="{max(1, len(cells))}">{mark}</td></tr>' for mark in marks]
    return f'<<table border="0" cellborder="0" cellspacing="3" cellpadding="3">{"".join(rows)}</table>>'


def roles(view: GraphView) -> list[str]:
    """Return the roles that occur, in the order of the legend."""
    found = {"output" if n.output and n.kind == "operation" else n.kind for n in view.nodes}
    return [role for role in ROLES if role in found]


def swatch(role: str, colors: Palette) -> str:
    """Return one role in its color."""
    color = colors.wrong if role == "failure" else getattr(colors, {"leaf": "input"}.get(role, role))
    return f'<td bgcolor="{color}">{font(escaped(ROLES[role]) + " ", colors.label, SIZE)}</td>'


def lines(view: GraphView, colors: Palette) -> list[tuple[str, str]]:
    """Return what the lines and marks mean, each with its color."""
    found = [(note, colors.ink) for note in view.notes]
    if any(e.magnitude is not None for e in view.edges):
        found.append(
            ("dashed: the gradient on its way back, wider where it is larger; ḡ is what arrives", colors.backward)
        )
        if any(n.needs_gradient and n.gradient is None and n.kind != "failure" for n in view.nodes):
            found.append(("— : not computed", colors.ink))
    elif any(n.gradient is not None for n in view.nodes):
        found.append(
            ("gradient: what .grad holds; trace the run (with tg.trace() as t:) to see each contribution", colors.ink)
        )
    elif any(n.needs_gradient for n in view.nodes):
        found.append(("no backward pass was recorded: gradients are not computed, not zero", colors.ink))
    if any(not e.differentiable for e in view.edges):
        found.append(("dotted: no gradient flows back", colors.ink))
    if any(n.value is not None and n.value.pads for n in view.nodes):
        found.append(("shaded rows marked pad: padding", colors.ink))
    if any(n.wrong or n.kind == "failure" for n in view.nodes):
        found.append(("WRONG or raised: a vermilion frame", colors.ink))
    return found
