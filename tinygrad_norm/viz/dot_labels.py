"""The words and numbers on a picture, as Graphviz reads them: a node's card, an edge's label, tooltips, the legend.

A card is a small table with a node's name, formula, shape, value and gradient. A gradient's edge says what flows back:
local derivative, incoming gradient and their product, or for arrays the rule and the shapes. The legend has the roles,
lines and marks that occur, and no others.
"""

from __future__ import annotations

import html
import math
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass

from .graph_view import EdgeView, GraphView, NodeView, Value
from .legible import beginning_of, end_of, role, shape_text, some, type_text, value_line, visible
from .theme import ROLES, Palette

NO_BREAK = "\u00a0"
"""Keeps columns aligned where viewers would join spaces."""
NEW_LINE = '<br align="left"/>'
LONGEST_TITLE, LONGEST_LINE, LONGEST_ON_EDGE = 40, 56, 36
BODY, SMALL = 11, 9
MOST_BADGE_LINES = 4
PAD = "  pad"


@dataclass(frozen=True)
class CardContent:
    """What cards show: numbers at all, gradients beside values, and (after a watched pass) counts of contributions."""

    numbers: bool
    gradients: bool
    swept: bool


def card(node: NodeView, colors: Palette, content: CardContent) -> str:
    """Return a node's label."""
    title = font(f"<b>{escaped_for_dot(end_of(node.title, LONGEST_TITLE))}</b>", colors.label, 12)
    corner = font(escaped_for_dot(role(node)), colors.label, SMALL)
    rows = [row(line(title, corner), colors.head(node))]
    typed = font(escaped_for_dot(type_text(node)), colors.quiet, SMALL) if type_text(node) else ""
    if node.formula:
        formula = font(escaped_for_dot(beginning_of(node.formula, LONGEST_LINE)), colors.ink, BODY)
        rows.append(row(line(formula, typed)))
    elif typed:
        rows.append(row(typed))
    rows += number_rows(node, colors, content)
    for badge in badges(node):
        wrapped = textwrap.wrap(badge, LONGEST_LINE, max_lines=MOST_BADGE_LINES, placeholder=" …")
        rows.append(row("".join(font(escaped_for_dot(text), colors.ink, SMALL) + NEW_LINE for text in wrapped)))
    border = 2 if node.output or node.wrong else 1
    frame = colors.wrong if node.wrong or node.kind == "failure" else colors.line
    style = ' style="dashed"' if not node.needs_gradient and node.kind != "failure" else ""
    opening = (
        f'<table border="{border}" cellborder="0" cellspacing="0" cellpadding="3" color="{frame}" '
        f'bgcolor="{colors.card}"{style}>'
    )
    return f"<{opening}{''.join(rows)}</table>>"


def number_rows(node: NodeView, colors: Palette, content: CardContent) -> list[str]:
    """Return the rows with the value and, where a backward pass is shown, the gradient beside it."""
    if node.kind == "failure" or not content.numbers or (node.value is None and not content.gradients):
        return []
    value = value_cell(node.value, colors.ink, colors)
    if not content.gradients:
        return [row(bare_table([value]))]
    gap = '<td width="14"></td>'
    if not node.needs_gradient:
        return [row(bare_table([value + gap + left(font("no gradient needed", colors.quiet, SMALL))]))]
    counted = f", {node.received} of {node.expected} received" if content.swept and node.expected > 1 else ""
    captions = font("value", colors.quiet, SMALL), font(f"gradient{counted}", colors.backward, SMALL)
    cells = value, value_cell(node.gradient, colors.backward, colors)
    return [row(bare_table([gap.join(map(left, captions)), gap.join(cells)]))]


def value_cell(value: Value | None, color: str, colors: Palette) -> str:
    """Return the cell of a value: aligned rows of digits, or its summary; a dash where there is none."""
    if value is None:
        return left(font("—", color, BODY))
    if not value.rows:
        parts = (font(escaped_for_dot(part), color, SMALL) for part in value.summary.split(", "))
        return left(NEW_LINE.join(parts) + NEW_LINE)
    widths = [max(map(len, column)) for column in zip(*value.rows, strict=True)]
    rows = [" ".join(map(str.rjust, cells, widths)) for cells in value.rows]
    # Renderers without the font's metrics count a minus sign as three characters: say how large the numbers are.
    width = math.ceil(0.6 * BODY * (len(rows[0]) + (len(PAD) if value.pads else 0))) + 3
    marked = (text + PAD if r in value.pads else text for r, text in enumerate(rows))
    lines = [font(html.escape(text.replace(" ", NO_BREAK)), color, BODY, "Courier") for text in marked]
    if value.pads:
        shades = (f' bgcolor="{colors.pad}"' if r in value.pads else "" for r in range(len(lines)))
        return left(bare_table(left(x, sized(width, 1) + shade) for x, shade in zip(lines, shades, strict=True)))
    return left("".join(f"{text}{NEW_LINE}" for text in lines), sized(width, len(lines)))


def badges(node: NodeView) -> list[str]:
    """Return the lines below a card's numbers."""
    return [*node.badges, *([f"saved for backward by {some(node.saved_by)}"] if node.saved_by else [])]


def tooltip(node: NodeView) -> str:
    """Return what a pointer over the node shows: everything that is known, in lines."""
    lines = [f"{node.id}: {role(node)}", node.title if node.title != node.id else "", node.formula, type_text(node)]
    if node.value is not None:
        lines.append(f"value {value_line(node.value, brackets=False)}")
    if node.needs_gradient and node.expected:
        shown = value_line(node.gradient, brackets=False) if node.gradient is not None else "— (not computed)"
        lines.append(f"gradient {shown}; {node.received} of {node.expected} received")
    return "\n".join(filter(None, [*lines, *badges(node), node.note]))


def edge_label(edge: EdgeView, colors: Palette, lifted: bool = False) -> str:
    """Return the label of a gradient's edge; ``lifted`` keeps it clear of an edge that runs below it."""
    if edge.local:
        product = value_line(edge.contribution or Value(), brackets=False)
        lines = [f"ḡ {edge.incoming} · ∂ {edge.local} = {product}"]
    else:
        lines = [edge.rule or "gradient", edge.shapes]
    lines += [*edge.badges, *(["WRONG"] if edge.wrong else [])]
    shown = (f"  {escaped_for_dot(beginning_of(words, LONGEST_ON_EDGE))}  " for words in lines if words)
    text = NEW_LINE.join(font(words, colors.backward, SMALL) for words in shown)
    clearance = f"{font(' ', colors.backward, 6)}{NEW_LINE}" if lifted else ""
    return f"<{text}{NEW_LINE}{clearance}>"


def edge_tooltip(edge: EdgeView) -> str:
    """Return what a pointer over an edge shows."""
    if edge.repeats > 1:
        return f"{edge.source} → {edge.target}, used {edge.repeats} times there"
    name = f" as {edge.argument}" if edge.argument else ""
    lines = [f"{edge.source} → {edge.target}{name}, shape {shape_text(edge.shape)}"]
    if edge.contribution is not None:
        lines.append(f"back: {', '.join(filter(None, [edge.rule, edge.shapes]))}")
        if edge.local:
            lines.append(f"ḡ {edge.incoming} · local derivative {edge.local}")
        if edge.shapes:
            lines.append(f"contribution {value_line(edge.contribution, brackets=False)}")
    elif not edge.differentiable:
        lines.append("no gradient flows back")
    return "\n".join([*lines, *edge.badges])


def legend(view: GraphView, colors: Palette) -> str:
    """Return the legend as the label of the whole graph."""
    present = {node.drawn_as for node in view.nodes}
    cells = [
        f'<td bgcolor="{colors.of_role(name)}">{font(escaped_for_dot(words) + " ", colors.label, SMALL)}</td>'
        for name, words in ROLES.items()
        if name in present
    ]
    marks = [font(escaped_for_dot(text), color, SMALL) for text, color in legend_lines(view, colors)]
    # Graphviz takes no row without a cell.
    rows = [f"<tr>{''.join(cells)}</tr>"] if cells else []
    rows += [f'<tr><td align="left" colspan="{max(1, len(cells))}">{mark}</td></tr>' for mark in marks]
    return f'<<table border="0" cellborder="0" cellspacing="3" cellpadding="3">{"".join(rows)}</table>>'


def legend_lines(view: GraphView, colors: Palette) -> list[tuple[str, str]]:
    """Return what the lines and marks mean, each with its color."""
    found = [(note, colors.ink) for note in view.notes]
    if any(e.magnitude is not None for e in view.edges):
        back = "dashed: the gradient on its way back, wider where it is larger; ḡ is what arrives"
        found.append((back, colors.backward))
        if any(n.needs_gradient and n.gradient is None and n.kind != "failure" for n in view.nodes):
            found.append(("— : not computed", colors.ink))
    elif any(n.gradient is not None for n in view.nodes):
        held = "gradient: what .grad holds; trace the run (with tg.trace() as t:) to see each contribution"
        found.append((held, colors.ink))
    elif any(n.needs_gradient for n in view.nodes):
        found.append(("no backward pass was recorded: gradients are not computed, not zero", colors.ink))
    if any(not e.differentiable for e in view.edges):
        found.append(("dotted: no gradient flows back", colors.ink))
    if any(n.value is not None and n.value.pads for n in view.nodes):
        found.append(("shaded rows marked pad: padding", colors.ink))
    if any(n.wrong or n.kind == "failure" for n in view.nodes):
        found.append(("WRONG or raised: a vermilion frame", colors.ink))
    return found


def escaped_for_dot(text: str) -> str:
    r"""Return untrusted text for an HTML-like label, in which Graphviz still reads backslashes.

    >>> escaped_for_dot("<b>\\N & x")
    '&lt;b&gt;\\\\N &amp; x'
    """
    return html.escape(visible(text)).replace("\\", "\\\\")


def font(text: str, color: str, size: int, face: str = "") -> str:
    """Return text in a color and size."""
    named = f' face="{face}"' if face else ""
    return f'<font color="{color}" point-size="{size}"{named}>{text}</font>'


def bare_table(rows: Iterable[str]) -> str:
    """Return cells in rows, without a line or a space between them."""
    inner = "".join(f"<tr>{row}</tr>" for row in rows)
    return f'<table border="0" cellborder="0" cellspacing="0" cellpadding="0">{inner}</table>'


def line(start: str, end: str = "") -> str:
    """Return a line of a card: a table of its own, so that no line's columns widen another's."""
    return bare_table(
        [left(start) + (f'<td width="16"></td><td align="right" balign="left">{end}</td>' if end else "")]
    )


def row(content: str, color: str = "") -> str:
    """Return a row of a card, filled with a color."""
    fill = f' bgcolor="{color}"' if color else ""
    return f'<tr><td align="left"{fill}>{content}</td></tr>'


def left(content: str, size: str = "") -> str:
    """Return a cell whose content stands on the left."""
    return f'<td align="left" balign="left"{size}>{content}</td>'


def sized(width: int, lines: int) -> str:
    """Return the attributes of a cell that is as wide and high as it is told."""
    return f' fixedsize="true" width="{width}" height="{math.ceil(1.2 * BODY * lines) + 2}"'
