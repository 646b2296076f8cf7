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
from typing import Literal, TypeAlias

from .graph_view import EdgeView, GraphView, NodeView, Value
from .legible import beginning_of, bytes_text, end_of, role, shape_text, some, type_text, value_line, visible
from .theme import ROLES, Palette

NO_BREAK = "\u00a0"
"""Keeps columns aligned where viewers would join spaces."""
NEW_LINE = '<br align="left"/>'
LONGEST_TITLE, LONGEST_LINE, LONGEST_ON_EDGE, LONGEST_COMPACT = 40, 56, 36, 40
BODY, SMALL = 11, 9
MOST_BADGE_LINES, MOST_ROLES = 4, 4
PAD = "  pad"


Style: TypeAlias = Literal["card", "compact"]


@dataclass(frozen=True)
class CardContent:
    """What cards show.

    Numbers at all, gradients beside values, and (after a watched pass) counts of contributions. In the compact style
    only inputs, outputs and what lies in a ``focused`` cluster are cards, and the others lines; ``tables`` may be left
    out of these, too.
    """

    numbers: bool
    gradients: bool
    swept: bool
    style: Style = "card"
    focused: frozenset[str] = frozenset()
    tables: bool = True

    def full(self, node: NodeView) -> bool:
        """Return whether a node is a card with its table."""
        if self.style == "card" or node.kind == "failure":
            return True
        ends = node.kind in ("input", "leaf") or node.output
        return self.tables and (ends or node.cluster in self.focused)


def card(node: NodeView, colors: Palette, content: CardContent) -> str:
    """Return a node's label."""
    if not content.full(node):
        return one_line(node, colors, content)
    title = font(f"<b>{escaped_for_dot(end_of(node.title, LONGEST_TITLE))}</b>", colors.label, 12)
    typed = font(escaped_for_dot(type_text(node)), colors.quiet, SMALL) if type_text(node) else ""
    words = role(node)
    if content.style == "compact" and typed and not node.formula:
        words, typed = f"{words} {shape_text(node.shape)}", ""
    corner = font(escaped_for_dot(words), colors.label, SMALL)
    rows = [row(line(title, corner), colors.head(node))]
    if node.formula:
        formula = font(escaped_for_dot(beginning_of(node.formula, LONGEST_LINE)), colors.ink, BODY)
        rows.append(row(line(formula, typed)))
    elif typed:
        rows.append(row(typed))
    rows += number_rows(node, colors, content)
    for badge in badges(node):
        wrapped = textwrap.wrap(badge, LONGEST_LINE, max_lines=MOST_BADGE_LINES, placeholder=" …")
        rows.append(row("".join(font(escaped_for_dot(text), colors.ink, SMALL) + NEW_LINE for text in wrapped)))
    return f"<{opening(node, colors, content.style)}{''.join(rows)}</table>>"


def one_line(node: NodeView, colors: Palette, content: CardContent) -> str:
    """Return a node's label in one line: name, what computes it, shape or number."""
    title = font(f"<b>{escaped_for_dot(end_of(node.title, LONGEST_TITLE))}</b>", colors.label, BODY)
    cells = [left(title, f' bgcolor="{colors.head(node)}"')]
    if node.formula:
        words = escaped_for_dot(beginning_of(node.formula, LONGEST_COMPACT))
        cells.append(left(words))
    known = [v for v in (node.value, node.gradient) if v is not None and single(v)] if content.numbers else []
    if known and node.value is known[0]:
        cells.append(left(font(f"= {value_line(known[0])}", colors.ink, BODY)))
        if len(known) > 1:
            cells.append(left(font(f"gradient {value_line(known[1])}", colors.backward, SMALL)))
    elif node.shape is not None:
        cells.append(left(font(shape_text(node.shape), colors.quiet, SMALL)))
    if node.wrong or node.spoiled:
        cells.append(left(font(escaped_for_dot(beginning_of(badges(node)[0], LONGEST_COMPACT)), colors.ink, SMALL)))
    return f"<{opening(node, colors, content.style)}<tr>{''.join(cells)}</tr></table>>"


def single(value: Value) -> bool:
    """Return whether a value is one number."""
    return len(value.rows) == 1 and len(value.rows[0]) == 1


def opening(node: NodeView, colors: Palette, style: Style) -> str:
    """Return the opening tag of a node's table: its frame tells an output, a mistake, and what needs no gradient."""
    bad = node.wrong or node.spoiled or node.kind == "failure"
    border = 3 if bad else 2 if node.output else 1
    frame = colors.wrong if bad else colors.line
    padding = 3 if style == "card" else 2
    dashed = ' style="dashed"' if not node.needs_gradient and node.kind != "failure" else ""
    return (
        f'<table border="{border}" cellborder="0" cellspacing="0" cellpadding="{padding}" '
        f'color="{frame}" bgcolor="{colors.card}"{dashed}>'
    )


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
    held = f": {bytes_text(node.saved_bytes)}" if node.saved_bytes else ""
    by = f" by {some(node.saved_by)}" if node.saved_by else ""
    return [*node.badges, *([f"saved for backward{by}{held}"] if by or held else [])]


def tooltip(node: NodeView) -> str:
    """Return what a pointer over the node shows: everything that is known, in lines."""
    lines = [f"{node.id}: {role(node)}", node.title if node.title != node.id else "", node.formula, type_text(node)]
    if node.value is not None:
        lines.append(f"value {value_line(node.value, brackets=False)}")
    if node.needs_gradient and node.expected:
        shown = value_line(node.gradient, brackets=False) if node.gradient is not None else "— (not computed)"
        lines.append(f"gradient {shown}; {node.received} of {node.expected} received")
    return "\n".join(filter(None, [*lines, *badges(node), node.note]))


def edge_label(edge: EdgeView, colors: Palette, lifted: bool = False, style: Style = "card") -> str:
    """Return the label of a gradient's edge; ``lifted`` keeps it clear of an edge that runs below it."""
    if edge.local:
        product = value_line(edge.contribution or Value(), brackets=False)
        lines = [f"ḡ {edge.incoming} · ∂ {edge.local} = {product}"]
    else:
        lines = [edge.rule or "gradient", edge.shapes if style == "card" else ""]
    lines += [*edge.badges, *(["WRONG"] if edge.wrong else [])]
    shown = (f"  {escaped_for_dot(beginning_of(words, LONGEST_ON_EDGE))}  " for words in lines if words)
    text = NEW_LINE.join(font(words, colors.backward, SMALL) for words in shown)
    clearance = f"{font(' ', colors.backward, 6)}{NEW_LINE}" if lifted else ""
    return f"<{text}{NEW_LINE}{clearance}>"


def carried_words(edge: EdgeView) -> str:
    """Return what a loop's edge from a box to itself says."""
    return f"carried on {edge.repeats} time{'' if edge.repeats == 1 else 's'}"


def edge_tooltip(edge: EdgeView) -> str:
    """Return what a pointer over an edge shows."""
    if edge.source == edge.target:
        return f"{edge.source}, {carried_words(edge)}"
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


def legend(view: GraphView, colors: Palette, in_row: int = MOST_ROLES) -> str:
    """Return the legend, with so many roles in a row."""
    present = {node.drawn_as for node in view.nodes}
    cells = [
        f'<td bgcolor="{colors.of_role(name)}">{font(escaped_for_dot(words) + " ", colors.label, SMALL)}</td>'
        for name, words in ROLES.items()
        if name in present
    ]
    marks = [font(escaped_for_dot(text), color, SMALL) for text, color in legend_lines(view, colors)]
    # Graphviz takes no row without a cell.
    rows = [f"<tr>{''.join(cells[i : i + in_row])}</tr>" for i in range(0, len(cells), in_row)]
    parts = (
        [f'<table border="0" cellborder="0" cellspacing="3" cellpadding="3">{"".join(rows)}</table>'] if rows else []
    )
    parts += ["".join(f"{mark}{NEW_LINE}" for mark in marks)] if marks else []
    return f"<{bare_table(left(part) for part in parts)}>"


def legend_lines(view: GraphView, colors: Palette) -> list[tuple[str, str]]:
    """Return what the lines and marks mean, each with its color."""
    found = [(note, colors.ink) for note in view.notes]
    if any(e.magnitude is not None for e in view.edges):
        back = "dashed: the gradient on its way back, wider where it is larger; ḡ is what arrives"
        found.append((back, colors.backward))
        if any(n.needs_gradient and n.gradient is None and n.kind != "failure" for n in view.nodes):
            found.append(("— : not computed", colors.ink))
    elif any(n.gradient is not None for n in view.nodes):
        alone = "gradient: what .grad holds; trace the run (with tg.trace() as t:) to see each contribution"
        found.append((alone, colors.ink))
    elif any(n.needs_gradient for n in view.nodes):
        found.append(("no backward pass was recorded: gradients are not computed, not zero", colors.ink))
    if any(not e.differentiable for e in view.edges):
        found.append(("dotted: no gradient flows back", colors.ink))
    if any(n.value is not None and n.value.pads for n in view.nodes):
        found.append(("shaded rows marked pad: padding", colors.ink))
    if view.saved[0]:
        arrays, size = view.saved
        held = f"{arrays} array{'' if arrays == 1 else 's'}, {bytes_text(size)}"
        found.append((f"the tape holds for the backward pass: {held}", colors.ink))
    failed = any(n.kind == "failure" for n in view.nodes)
    bad = [w for w, is_there in (("WRONG", any(n.wrong for n in view.nodes)), ("raised", failed)) if is_there]
    bad += ["NaN or ∞"] if any(n.spoiled for n in view.nodes) else []
    if bad:
        found.append((f"{', '.join(bad)}: a thick vermilion frame", colors.ink))
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
