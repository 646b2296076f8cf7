"""The label of one node: a small table with its name, formula, shape, value and gradient, as Graphviz reads it."""

from __future__ import annotations

import html
import math
import textwrap
from dataclasses import dataclass

from .graph import NodeView, Value
from .plain_text import shortened, visible
from .theme import Palette
from .values import shape_text

NO_BREAK = "\u00a0"
"""Keeps columns aligned where viewers would join spaces."""
NEW_LINE = '<br align="left"/>'
LONGEST_TITLE, LONGEST_LINE = 40, 56
BODY, SMALL = 11, 9
MOST_SAVED = 2
MOST_LINES = 4
PAD = "pad"


def escaped(text: str) -> str:
    r"""Return untrusted text for an HTML-like label, in which Graphviz still reads backslashes.

    >>> escaped("<b>\\N & x")
    '&lt;b&gt;\\\\N &amp; x'
    """
    return html.escape(visible(text)).replace("\\", "\\\\")


def font(text: str, color: str, size: int, face: str = "") -> str:
    """Return text in a color and size."""
    named = f' face="{face}"' if face else ""
    return f'<font color="{color}" point-size="{size}"{named}>{text}</font>'


def line(left: str, right: str = "", gap: int = 2) -> str:
    """Return a row of a card: a table of its own, so that no row's columns widen another's."""
    between = f'<td width="{8 * gap}"></td><td align="right" balign="left">{right}</td>' if right else ""
    return f'<table border="0" cellborder="0" cellspacing="0" cellpadding="0"><tr>' \
        f'<td align="left" balign="left">{left}</td>{between}</tr></table>'  # fmt: skip


def row(content: str, color: str = "") -> str:
    """Return a row of a card, filled with a color."""
    fill = f' bgcolor="{color}"' if color else ""
    return f'<tr><td align="left"{fill}>{content}</td></tr>'


@dataclass(frozen=True)
class Content:
    """What cards show: numbers at all, gradients beside values, and (after a watched pass) counts of contributions."""

    numbers: bool
    gradients: bool
    swept: bool


def card(node: NodeView, colors: Palette, content: Content) -> str:
    """Return a node's label."""
    head = colors.of_kind(node.kind, node.output, node.wrong)
    title = font(f"<b>{escaped(shortened(node.title, LONGEST_TITLE))}</b>", colors.label, 12)
    rows = [row(line(title, font(escaped(role(node)), colors.label, SMALL)), head)]
    facts = font(escaped(type_text(node)), colors.quiet, SMALL) if type_text(node) else ""
    if node.formula:
        formula = font(escaped(shortened_end(node.formula, LONGEST_LINE)), colors.ink, BODY)
        rows.append(row(line(formula, facts)))
    elif facts:
        rows.append(row(facts))
    rows += body(node, colors, content)
    for badge in badges(node):
        lines = textwrap.wrap(badge, LONGEST_LINE, max_lines=MOST_LINES, placeholder=" …")
        rows.append(row("".join(font(escaped(line), colors.ink, SMALL) + NEW_LINE for line in lines)))
    border = 2 if node.output or node.wrong else 1
    frame = colors.wrong if node.wrong or node.kind == "failure" else colors.line
    style = ' style="dashed"' if not node.needs_gradient and node.kind != "failure" else ""
    opening = (
        f'<table border="{border}" cellborder="0" cellspacing="0" cellpadding="3" color="{frame}" '
        f'bgcolor="{colors.card}"{style}>'
    )
    return f"<{opening}{''.join(rows)}</table>>"


def type_text(node: NodeView) -> str:
    """Return shape and dtype, as far as they are known."""
    return " ".join(filter(None, [shape_text(node.shape) if node.shape is not None else "", node.dtype]))


def role(node: NodeView) -> str:
    """Return the word in a card's corner: what it is, in a word as well as in a color."""
    if node.kind != "operation":
        return f"{node.kind}, output" if node.output and node.kind == "module" else node.kind
    name = node.operation if node.title != node.id else node.symbol
    return f"{name}, output" if node.output else name


def body(node: NodeView, colors: Palette, content: Content) -> list[str]:
    """Return the rows with the value and, where a backward pass is shown, the gradient beside it."""
    if node.kind == "failure" or not content.numbers or (node.value is None and not content.gradients):
        return []
    value = numbers(node.value, colors.ink, colors)
    if not content.gradients:
        return [row(columns([("", value)]))]
    if not node.needs_gradient:
        return [row(columns([("", value), ("", left(font("no gradient needed", colors.quiet, SMALL)))]))]
    counted = f", {node.received} of {node.expected} received" if content.swept and node.expected > 1 else ""
    return [
        row(
            columns(
                [
                    (font("value", colors.quiet, SMALL), value),
                    (
                        font(f"gradient{counted}", colors.backward, SMALL),
                        numbers(node.gradient, colors.backward, colors),
                    ),
                ]
            )
        )
    ]


def left(content: str, size: str = "") -> str:
    """Return a cell whose content stands on the left."""
    return f'<td align="left" balign="left"{size}>{content}</td>'


def columns(pairs: list[tuple[str, str]]) -> str:
    """Return captions, where there are any, and the cells below them, side by side."""
    gap = '<td width="14"></td>'
    captions = gap.join(left(caption) for caption, _ in pairs) if any(c for c, _ in pairs) else ""
    rows = filter(None, [captions, gap.join(content for _, content in pairs)])
    inner = "".join(f"<tr>{r}</tr>" for r in rows)
    return f'<table border="0" cellborder="0" cellspacing="0" cellpadding="0">{inner}</table>'


def numbers(value: Value | None, color: str, colors: Palette) -> str:
    """Return the cell of a value: aligned rows of digits, or its summary; a dash where there is none."""
    if value is None:
        return left(font("—", color, BODY))
    if not value.rows:
        return left(NEW_LINE.join(font(escaped(line), color, SMALL) for line in value.summary.split(", ")) + NEW_LINE)
    widths = [max(len(row[i]) for row in value.rows) for i in range(len(value.rows[0]))]
    lines = []
    for r, cells in enumerate(value.rows):
        text = " ".join(cell.rjust(w) for cell, w in zip(cells, widths, strict=True))
        mark = f"  {PAD}" if r in value.pads else ""
        lines.append(font(html.escape((text + mark).replace(" ", NO_BREAK)), color, BODY, "Courier"))
    # Renderers without the font's metrics count a minus sign as three characters: say how large the numbers are.
    width = math.ceil(0.6 * BODY * (sum(widths) + len(widths) - 1 + (len(PAD) + 2 if value.pads else 0))) + 3
    if value.pads:
        rows = (
            f"<tr>{left(text, sized(width, 1) + (shade if r in value.pads else ''))}</tr>"
            for r, (text, shade) in enumerate((text, f' bgcolor="{colors.pad}"') for text in lines)
        )
        return left(f'<table border="0" cellborder="0" cellspacing="0" cellpadding="0">{"".join(rows)}</table>')
    return left("".join(f"{text}{NEW_LINE}" for text in lines), sized(width, len(lines)))


def sized(width: int, lines: int) -> str:
    """Return the attributes of a cell that is as wide and high as it is told."""
    return f' fixedsize="true" width="{width}" height="{math.ceil(1.2 * BODY * lines) + 2}"'


def some(names: tuple[str, ...]) -> str:
    """Return the first few names and how many more there are.

    >>> some(("a", "b", "c", "d"))
    'a, b +2 more'
    """
    more = f" +{len(names) - MOST_SAVED} more" if len(names) > MOST_SAVED else ""
    return ", ".join(names[:MOST_SAVED]) + more


def badges(node: NodeView) -> list[str]:
    """Return the lines below a card's numbers."""
    found = list(node.badges)
    if node.saved_by:
        found.append(f"saved for backward by {some(node.saved_by)}")
    return found


def shortened_end(text: str, most: int) -> str:
    """Return text of at most so many characters, its beginning kept."""
    return text if len(text) <= most else text[: most - 1] + "…"


def plain_label(node: NodeView) -> str:
    """Return the short label of a node in a drawing too large for cards."""
    return visible(shortened(node.title, LONGEST_TITLE))


def tooltip(node: NodeView) -> str:
    """Return what a pointer over the node shows: everything that is known, in lines."""
    lines = [f"{node.id}: {role(node)}", node.title if node.title != node.id else "", node.formula]
    lines.append(type_text(node))
    if node.value is not None:
        lines.append(f"value {one_line_or_summary(node.value)}")
    if node.needs_gradient and node.expected:
        shown = one_line_or_summary(node.gradient) if node.gradient is not None else "— (not computed)"
        lines.append(f"gradient {shown}; {node.received} of {node.expected} received")
    lines += [*badges(node), node.note]
    return "\n".join(filter(None, lines))


def one_line_or_summary(value: Value) -> str:
    """Return a value in one line, its rows separated."""
    return "; ".join(" ".join(row) for row in value.rows) if value.rows else value.summary
