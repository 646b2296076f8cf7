"""What the handwritten notes give and claim, line by line, each with what became of it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from contents import DOCS
from markdown_table import plain, table

from tinygrad_norm.lessons.document.as_data import lesson_data
from tinygrad_norm.lessons.lecture.all_steps import lecture
from tinygrad_norm.lessons.lecture.notes import (
    DIMENSION_NAMES,
    FEATURE_NAMES,
    FEATURES,
    NEURON_NAMES,
    OUTPUTS,
    REVIEWS,
    VARIANTS,
)

TUTORIAL = "tutorials/the-notes-by-machine.md"
STEP_HEADING = re.compile(r"^## (\d+)\. (.*)$", re.MULTILINE)


def notes_lines(step: str) -> str:
    """Return the lines of the notes that a step judges, each with the verdict, which leads to that step."""
    claims = lesson_data(lecture())["steps"][step]["claims"].values()
    where = f"../{TUTORIAL}#{anchors()[step]}"
    rows = [(plain(c["notes"]), f"[{c['verdict']}]({where})", plain(c["truth"])) for c in claims]
    return table(("the notes", "step " + step, "what is so"), rows)


def anchors() -> dict[str, str]:
    """Return the place of each step in the tutorial that goes through them."""
    headings = STEP_HEADING.findall((DOCS / TUTORIAL).read_text(encoding="utf-8"))
    return {number: "-".join(re.findall(r"[\w\-]+", f"{number} {title}".lower())) for number, title in headings}


def notes_table(name: str) -> str:
    """Return a table of the notes: the layer's inputs and outputs, the reviews, or the padded batch of each page."""
    if name == "layer":
        rows: list[Sequence[object]] = [(*f, *z) for f, z in zip(FEATURES, OUTPUTS, strict=True)]
        return numbers((*FEATURE_NAMES, *NEURON_NAMES), rows)
    if name == "reviews":
        return table(("review", "sentiment"), [(" ".join(words), str(label)) for words, label in REVIEWS], "<>")
    parts = []
    for variant in VARIANTS.values():
        rows = [(plain(t.word), *t.embedding, *t.output) for t in variant.tokens]
        heads = ("word", "e₁", "e₂", "e₃", *DIMENSION_NAMES)
        caption = f"On {variant.page} (`--variant {variant.name}`):"
        parts.append(f"{caption}\n\n{numbers(heads, rows, '<' + '>' * 6)}")
    return "\n".join(parts)


def numbers(heads: Sequence[str], rows: Sequence[Sequence[object]], align: str = "") -> str:
    """Return a table of numbers, each as short as it can be written."""
    cells = [[f"{x:g}" if isinstance(x, (int, float)) else str(x) for x in row] for row in rows]
    return table(heads, cells, align or ">" * len(heads))
