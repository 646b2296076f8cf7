"""A lesson as GitHub-flavored Markdown; every text from outside the layout is escaped."""

from __future__ import annotations

import re

from ..languages import say, speaking
from .as_text import PAD_MARK
from .lesson import PAD, Chart, Claim, Fact, Formula, Graph, Lesson, Paragraph, Step, Table
from .moving import Moving

_SPECIAL = re.compile(r"[\\`*_{}\[\]#|~$!&<>@]")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;"}


def lesson_markdown(lesson: Lesson) -> str:
    """Return the whole lesson, ending in a line break."""
    with speaking(lesson.lang):
        return _page(lesson)


def _page(lesson: Lesson) -> str:
    parts = [f"# {escaped_markdown(lesson.title)}", *(escaped_markdown(text) for text in lesson.introduction)]
    if len(lesson.steps) > 1:
        parts.append("\n".join(map(_content_line, lesson.steps)))
    parts += [_step(step) for step in lesson.steps]
    return "\n\n".join(parts) + "\n"


def escaped_markdown(text: str) -> str:
    r"""Return `text` so that Markdown shows it as it is, on one line.

    >>> print(escaped_markdown("a*b | <script> $x$"), escaped_markdown("1. June"), escaped_markdown("0.5"))
    a\*b \| &lt;script&gt; \$x\$ 1\. June 0.5
    """
    flat = re.sub(r"\s+", " ", text)
    flat = _SPECIAL.sub(lambda hit: _ENTITIES.get(hit[0], "\\" + hit[0]), flat)
    # Text between colons is no emoji, and a first "1." or "-" no list.
    flat = re.sub(r":(?=\w+:)", "&#58;", flat)
    return re.sub(r"^(\s*)(\d*)([-+=.)])(?=[\s=-]|$)", r"\1\2\\\3", flat)


def _heading(step: Step) -> str:
    return say("Step {number}. {title}", number=step.number, title=step.title)


def _content_line(step: Step) -> str:
    """Return an entry of the contents, linked by the anchor that GitHub makes of a heading."""
    anchor = re.sub(r"[^\w\- ]", "", _heading(step).lower()).replace(" ", "-")
    return f"{step.number}. [{escaped_markdown(step.title)}](#{anchor})"


def _step(step: Step) -> str:
    blocks = [_block(block) for block in step.unfolded if not isinstance(block, Chart | Graph | Moving)]
    if step.take_away:
        lines = "\n".join(f"* {escaped_markdown(line)}" for line in step.take_away)
        blocks.append(f"**{say('To take away')}**\n\n{lines}")
    return "\n\n".join([f"## {escaped_markdown(_heading(step))}", *blocks])


def _block(block: Paragraph | Formula | Table | Fact | Claim) -> str:
    if isinstance(block, Table):
        return table_markdown(block)
    if isinstance(block, Claim):
        return claim_markdown(block)
    if isinstance(block, Formula):
        fence = "`" * (max((len(run) for run in re.findall("`+", block.text)), default=2) + 1)
        fence = fence if len(fence) > 2 else "```"
        return f"{fence}text\n{block.text}\n{fence}"
    text = block.text if isinstance(block, Paragraph) else block.sentence
    return escaped_markdown(text)


def table_markdown(table: Table) -> str:
    """Return the table with its title above; pads are marked with ░.

    >>> from tinygrad_norm.lessons.document.lesson import Row, Table
    >>> rows = (Row("Hi", (6.5, 2.41)), Row("pad", (0.0, 0.0), pad=True))
    >>> print(table_markdown(Table("t", "Outputs", ("x₁", "x₂"), rows, formats="")))
    **Outputs**
    <BLANKLINE>
    |  | x₁ | x₂ |
    | :--- | ---: | ---: |
    | Hi | 6.5 | 2.41 |
    | ░ *pad* | 0 | 0 |
    """
    marks = [":---", *(":---" if table.is_text(index) else "---:" for index in range(len(table.columns)))]
    lines = [
        _line([escaped_markdown(table.corner), *map(_cell, table.columns)]),
        _line(marks),
        *(
            _line([_label(row.label, row.pad), *map(_cell, cells)])
            for row, cells in zip(table.rows, table.cells(), strict=True)
        ),
    ]
    note = f"\n\n{escaped_markdown(table.note)}" if table.note else ""
    return f"**{escaped_markdown(table.title)}**\n\n" + "\n".join(lines) + note


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _label(label: str, pad: bool) -> str:
    return f"{PAD_MARK} *{escaped_markdown(label)}*" if pad else escaped_markdown(label)


def _cell(cell: str) -> str:
    return f"{PAD_MARK} *{cell}*" if cell == PAD else escaped_markdown(cell)


def claim_markdown(claim: Claim) -> str:
    """Return what the notes say, what is true and why, as a quotation."""
    lines = [
        f"**{say('The notes')}:** {escaped_markdown(claim.says)}",
        f"**{say(claim.verdict.capitalize())}:** {escaped_markdown(claim.true_sentence)}",
    ]
    if claim.why:
        lines.append(f"**{say('Why')}:** {escaped_markdown(claim.reason)}")
    return "\n>\n".join(f"> {line}" for line in lines)
