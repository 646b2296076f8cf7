"""A lesson as plain text for the terminal: wrapped sentences, aligned tables, pads marked with ░.

No color and no control characters: what is read on the screen is what lands in a file.
"""

from __future__ import annotations

import textwrap

from ...terminal.table import aligned
from .lesson import PAD, Chart, Claim, Fact, Formula, Graph, Lesson, Paragraph, Step, Table
from .numerals import missing_tails

WIDTH = 92
PAD_MARK = "░"

_INDENT = "  "


def lesson_text(lesson: Lesson) -> str:
    """Return the whole lesson, ending in a line break."""
    head = [lesson.title, "═" * len(lesson.title), ""]
    head += [wrapped(text, "") for text in lesson.introduction]
    parts = ["\n".join(head), *(_step(step) for step in lesson.steps)]
    return "\n\n".join(parts) + "\n"


def _step(step: Step) -> str:
    heading = f"Step {step.number}. {step.title}"
    blocks = [_block(block) for block in step.blocks if not isinstance(block, Chart | Graph)]
    return "\n\n".join([f"\n{heading}\n{'─' * len(heading)}", *blocks])


def _block(block: Paragraph | Formula | Table | Fact | Claim) -> str:
    if isinstance(block, Table):
        return table_text(block)
    if isinstance(block, Claim):
        return claim_text(block)
    if isinstance(block, Formula):
        return textwrap.indent(block.text, _INDENT * 2)
    text = block.text if isinstance(block, Paragraph) else block.sentence
    return wrapped(text, _INDENT)


def wrapped(text: str, indent: str, first: str | None = None) -> str:
    """Return `text` folded to the width, its first line led by `first`."""
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=indent if first is None else first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def table_text(table: Table) -> str:
    """Return the table with aligned columns; a pad row leads with ░, a pad cell ends with it.

    >>> from tinygrad_norm.lessons.document.lesson import Row, Table
    >>> rows = (Row("Hi", (6.5, 2.41)), Row("pad", (0.0, 0.0), pad=True))
    >>> print(table_text(Table("t", "Outputs", ("x₁", "x₂"), rows, formats="")))
      Outputs
                x₁    x₂
        Hi     6.5  2.41
      ░ pad    0    0
    """
    labels = [(f"{PAD_MARK} " if row.pad else "  ") + row.label for row in table.rows]
    columns, sides = [["  " + table.corner, *labels]], "l"
    written = table.cells()
    for index, name in enumerate(table.columns):
        cells = [_marked(row[index]) for row in written]
        is_text = table.is_text(index)
        column = [_marked(name), *(cells if is_text else _on_point(cells))]
        # Numbers stand three blanks from the column before them, text two.
        columns.append(column if is_text else [f" {cell}" for cell in column])
        sides += "l" if is_text else "r"
    lines = aligned([*zip(*columns, strict=True)], sides)
    notes = [wrapped(table.note, _INDENT * 2)] if table.note else []
    body = [wrapped(table.title, _INDENT), *(_INDENT + line for line in lines), *notes]
    return "\n".join(body)


def _marked(cell: str) -> str:
    return f"{cell} {PAD_MARK}" if cell == PAD else cell


def _on_point(cells: list[str]) -> list[str]:
    """Return numbers with blanks behind them, so that their decimal points stand in line."""
    return [cell + " " * tail for cell, tail in zip(cells, missing_tails(cells), strict=True)]


def claim_text(claim: Claim) -> str:
    """Return what the notes say, what is true and why, one under the other."""
    rows = (
        ("The notes", claim.says),
        (claim.verdict.capitalize(), claim.true_sentence),
        ("Why", claim.reason),
    )
    bar = _INDENT + "│ "
    indent = bar + " " * 15
    return "\n".join(wrapped(text, indent, f"{bar}{name:<15}") for name, text in rows if text)
