"""A lesson as plain text for the terminal: wrapped sentences, aligned tables, pads marked with ░.

:func:`lesson_text` is everything, :func:`summary_text` what to take away. A line is no wider than asked for, unless it
is one word; a table that is wider is folded. Where nothing paints, there are no control characters: what is read on the
screen is what lands in a file.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import get_args

from ...terminal.files import visible
from ...terminal.screen import WIDTH, Paint, Style, plain
from ...terminal.table import aligned, folds_of
from ..languages import say, speaking
from .lesson import PAD, Chart, Claim, Fact, Formula, Graph, Judgment, Lesson, Paragraph, Step, Table
from .moving import Moving
from .numerals import missing_tails

PAD_MARK = "░"

_INDENT = "  "
_BLANKS = dict.fromkeys(map(ord, "\t\n\v\f\r"), " ")
_MARK = "→ "

TONES: Mapping[str, Style] = MappingProxyType({"slip": "red", "right": "green", "partly shown": "blue"})
"""The color of a verdict; those between right and wrong are yellow."""


def lesson_text(lesson: Lesson, width: int = WIDTH, paint: Paint = plain) -> str:
    """Return the whole lesson, ending in a line break."""
    with speaking(lesson.lang):
        steps = [_step(step, width, paint) for step in lesson.steps]
        return "\n\n".join([_head(lesson, width, paint), *steps]) + "\n"


def summary_text(lesson: Lesson, width: int = WIDTH, paint: Paint = plain) -> str:
    """Return the overview, and for each step what to take away and its verdicts."""
    with speaking(lesson.lang):
        overview = [] if lesson.overview is None else [table_text(lesson.overview, width, paint)]
        steps = ["\n".join(_in_short(step, width, paint)) for step in lesson.steps]
        return "\n\n".join([_head(lesson, width, paint), *overview, *steps]) + "\n"


def _head(lesson: Lesson, width: int, paint: Paint) -> str:
    paragraphs = [wrapped(text, "", width=width) for text in lesson.introduction]
    return "\n\n".join(filter(None, [_heading(lesson.title, "═", width, paint), "\n".join(paragraphs)]))


def _heading(text: str, line: str, width: int, paint: Paint) -> str:
    folded = _lines(text, "", width=width)
    return "\n".join(paint(part, "bold") for part in [*folded, line * max(map(len, folded), default=0)])


def _step(step: Step, width: int, paint: Paint) -> str:
    heading = say("Step {number}. {title}", number=step.number, title=step.title)
    blocks = [_block(block, width, paint) for block in step.unfolded if not isinstance(block, Chart | Graph | Moving)]
    if step.take_away:
        blocks.append("\n".join([_INDENT + paint(say("To take away"), "bold"), *_take_away(step, width, paint)]))
    return "\n\n".join(["\n" + _heading(heading, "─", width, paint), *blocks])


def _in_short(step: Step, width: int, paint: Paint) -> Iterator[str]:
    """Yield the lines of a step in a summary."""
    for line in _lines(f"{step.number}. {step.title}", "   ", "", width):
        yield paint(line, "bold")
    yield from _take_away(step, width, paint)
    claims = [block for block in step.unfolded if isinstance(block, Claim)]
    verdicts = [say(claim.verdict.capitalize()) for claim in claims]
    indent = max(map(len, verdicts), default=0) + 2 * len(_INDENT)
    for claim, verdict in zip(claims, verdicts, strict=True):
        first, *rest = _lines(claim.says, " " * indent, (_INDENT + verdict).ljust(indent), width)
        label = len(_INDENT + verdict)
        yield paint(first[:label], TONES.get(claim.verdict, "yellow")) + paint(first[label:], "dim")
        yield from (paint(line, "dim") for line in rest)
        yield wrapped(claim.true_sentence, " " * indent, width=width)


def _take_away(step: Step, width: int, paint: Paint) -> list[str]:
    lines = []
    for text in step.take_away:
        first, *rest = _lines(text, _INDENT + " " * len(_MARK), _INDENT + _MARK, width)
        lines += [paint(first[: len(_INDENT + _MARK)], "cyan") + first[len(_INDENT + _MARK) :], *rest]
    return lines


def _block(block: Paragraph | Formula | Table | Fact | Claim, width: int, paint: Paint) -> str:
    if isinstance(block, Table):
        return table_text(block, width, paint)
    if isinstance(block, Claim):
        return claim_text(block, width, paint)
    if isinstance(block, Formula):
        return "\n".join(_formula(block, width))
    text = block.text if isinstance(block, Paragraph) else block.sentence
    return wrapped(text, _INDENT, width=width)


def _formula(formula: Formula, width: int) -> Iterator[str]:
    """Yield the lines as they are; one that is too wide goes on below, further in."""
    for line in visible(formula.text.expandtabs()).split("\n"):
        further = " " * (len(line) - len(line.lstrip()) + 4)
        yield from textwrap.wrap(
            line,
            width,
            initial_indent=_INDENT * 2,
            subsequent_indent=_INDENT * 2 + further,
            break_long_words=False,
            break_on_hyphens=False,
        ) or [""]


def wrapped(text: str, indent: str, first: str | None = None, width: int = WIDTH) -> str:
    """Return `text` folded to the width, its first line led by `first`."""
    return textwrap.fill(
        visible(text.translate(_BLANKS)),
        width,
        initial_indent=indent if first is None else first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _lines(text: str, indent: str, first: str | None = None, width: int = WIDTH) -> list[str]:
    """Return the lines of a folded text, one at least."""
    return wrapped(text, indent, first, width).splitlines() or [indent if first is None else first]


def table_text(table: Table, width: int = WIDTH, paint: Paint = plain) -> str:
    """Return the table with aligned columns; a pad row leads with ░, a pad cell ends with it.

    Of a table that is wider than it may be, the columns that do not fit stand below, beside the labels again.

    >>> from tinygrad_norm.lessons.document.lesson import Row, Table
    >>> rows = (Row("Hi", (6.5, 2.41)), Row("pad", (0.0, 0.0), pad=True))
    >>> print(table_text(Table("t", "Outputs", ("x₁", "x₂"), rows, formats="")))
      Outputs
                x₁    x₂
        Hi     6.5  2.41
      ░ pad    0    0
    """
    labels = [(f"{PAD_MARK} " if row.pad else "  ") + row.label for row in table.rows]
    columns = [_shown(["  " + table.corner, *labels])]
    written = table.cells()
    for index, name in enumerate(table.columns):
        cells = [_marked(row[index]) for row in written]
        is_text = table.is_text(index)
        column = _shown([_marked(name), *(cells if is_text else _on_point(cells))])
        # Numbers stand three blanks from the column before them, text two.
        columns.append(column if is_text else [f" {cell}" for cell in column])
    sides = "l" + "".join("l" if table.is_text(index) else "r" for index in range(len(table.columns)))
    title = "\n".join(paint(line, "bold") for line in _lines(table.title, _INDENT, width=width))
    parts = []
    for fold in folds_of(columns, width - len(_INDENT)):
        head, *lines = aligned([*zip(*(columns[k] for k in fold), strict=True)], "".join(sides[k] for k in fold))
        body = [
            paint(_INDENT + line, "dim") if r.pad else _INDENT + line for r, line in zip(table.rows, lines, strict=True)
        ]
        parts.append("\n".join([_INDENT + head, *body]))
    notes = [wrapped(table.note, _INDENT * 2, width=width)] if table.note else []
    return "\n".join([title, "\n\n".join(parts), *notes])


def _shown(cells: Sequence[str]) -> list[str]:
    return [visible(cell.translate(_BLANKS)) for cell in cells]


def _marked(cell: str) -> str:
    return f"{cell} {PAD_MARK}" if cell == PAD else cell


def _on_point(cells: list[str]) -> list[str]:
    """Return numbers with blanks behind them, so that their decimal points stand in line."""
    return [cell + " " * tail for cell, tail in zip(cells, missing_tails(cells), strict=True)]


def claim_text(claim: Claim, width: int = WIDTH, paint: Paint = plain) -> str:
    """Return what the notes say, what is true and why, one under the other."""
    tone = TONES.get(claim.verdict, "yellow")
    rows: list[tuple[str, str, Style]] = [
        (say("The notes"), claim.says, "dim"),
        (say(claim.verdict.capitalize()), claim.true_sentence, tone),
        (say("Why"), claim.reason, "dim"),
    ]
    bar = _INDENT + "│ "
    names = [say("The notes"), say("Why"), *(say(verdict.capitalize()) for verdict in get_args(Judgment))]
    label = max(map(len, names)) + 3
    lines = []
    for name, text, style in rows:
        if text:
            first, *rest = _lines(text, bar + " " * label, bar + name.ljust(label), width)
            lines.append(
                paint(bar, tone) + paint(first[len(bar) : len(bar) + len(name)], style) + first[len(bar + name) :]
            )
            lines += [paint(bar, tone) + line[len(bar) :] for line in rest]
    return "\n".join(lines)
