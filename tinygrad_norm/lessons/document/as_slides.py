"""A lesson as slides: one self-contained page, a slide for each idea, in the proportions 16:9; printed, a PDF.

A step begins with its title and what to take away. Then each picture and each table has a slide, each question one, and
what else is judged shares one. What is folded is on no slide: its sentences, as all paragraphs, are notes for the
speaker. Without the script the slides stand one below the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from html import escape

from ..languages import say, speaking
from .as_html import (
    GraphPages,
    beside,
    block_html,
    claim_html,
    graph_html,
    graph_name,
    head,
    table_html,
    take_away_html,
)
from .lesson import Chart, Claim, Fact, Fold, Formula, Graph, Lesson, Paragraph, Plain, Step, Table
from .moving import Moving

MOST_CLAIMS, MOST_LETTERS = 4, 1100
"""What is judged on one slide, without a question: so many claims, of so many letters."""

SMALLEST_TEXT = 0.85
"""Of a table, in rem; what then does not fit is scrolled."""


@dataclass(frozen=True)
class Slide:
    """What a slide shows, as HTML, below the title of its step; and the sentences that the speaker has in hand."""

    content: str
    notes: tuple[str, ...] = ()
    above: str = ""


def lesson_slides(lesson: Lesson, graph_pages: GraphPages | None = None) -> str:
    """Return the page of slides; it links to the pages that step through its graphs, if it is told where they are."""
    with speaking(lesson.lang):
        slides = list(slides_of(lesson, graph_pages or {}))
        script = beside("moving.js") + beside("slides.js")
        sections = "\n".join(_section(slide, number, len(slides)) for number, slide in enumerate(slides, start=1))
        return f"""<!DOCTYPE html>
<html lang="{lesson.lang}">
{head(lesson.title, beside("page.css") + beside("slides.css"), script)}
<body>
<main>
{sections}
</main>
<nav class="bar" aria-label="{say("Slides")}" hidden>
<button type="button" id="back" aria-label="{say("Previous slide")}">←</button>
<button type="button" id="next" aria-label="{say("Next slide")}">→</button>
<button type="button" id="speaker" aria-pressed="false">{say("Notes")}</button>
</nav>
<script>{script}</script>
</body>
</html>
"""


def _section(slide: Slide, number: int, count: int) -> str:
    notes = "".join(f"<p>{escape(text)}</p>" for text in slide.notes)
    aside = f'<aside class="notes" tabindex="0" aria-label="{say("Notes")}">{notes}</aside>' if notes else ""
    above = f'<p class="above">{escape(slide.above)}</p>' if slide.above else ""
    return f"""<section class="slide" id="{number}" tabindex="-1" aria-label="{number}/{count}">
<div class="content">{above}
{slide.content}
</div><p class="place">{number}/{count}</p>{aside}
</section>"""


def slides_of(lesson: Lesson, graph_pages: GraphPages) -> Iterator[Slide]:
    """Yield the slides of a lesson: its title, then those of each step."""
    introduction = "".join(f"<p>{escape(text)}</p>" for text in lesson.introduction)
    yield Slide(f'<div class="title"><h1>{escape(lesson.title)}</h1>{introduction}</div>')
    for step in lesson.steps:
        yield _opening(step)
        for blocks in _ideas(step):
            yield _slide(blocks, step, graph_pages)


def _heading(step: Step) -> str:
    return f"{step.number}. {step.title}"


def _opening(step: Step) -> Slide:
    """Return the slide that a step begins with; where there is nothing to take away, it has the text itself."""
    formulas = "".join(f"<pre>{escape(block.text)}</pre>" for block in step.blocks if isinstance(block, Formula))
    text = take_away_html(step) or "".join(f"<p>{escape(sentence)}</p>" for sentence in _sentences(step.blocks))
    folded = [block.blocks for block in step.blocks if isinstance(block, Fold)]
    notes = [*_sentences(step.blocks), *(sentence for blocks in folded for sentence in _sentences(blocks))]
    notes += [f"{what}: {where}" for what, where in step.further.items()]
    return Slide(f"<h2>{escape(_heading(step))}</h2>{text}{formulas}", tuple(notes))


def _sentences(blocks: Sequence[Plain | Fold]) -> list[str]:
    return [
        block.text if isinstance(block, Paragraph) else block.sentence
        for block in blocks
        if isinstance(block, Paragraph | Fact)
    ]


def _ideas(step: Step) -> Iterator[list[Plain]]:
    """Yield what has a slide of its own; claims without a question come together, where the first of them stands."""
    together: list[list[Plain]] = []
    for block in step.blocks:
        if isinstance(block, Claim) and not block.question:
            if not together or not _fits(together[-1], block):
                together.append([])
            together[-1].append(block)
    for block in step.blocks:
        if isinstance(block, Claim) and not block.question:
            yield from together
            together = []
        elif isinstance(block, Claim | Table | Chart | Graph | Moving):
            yield [block]


def _fits(claims: Sequence[Plain], more: Claim) -> bool:
    letters = sum(len(c.says) + len(c.true_sentence) for c in [*claims, more] if isinstance(c, Claim))
    return len(claims) < MOST_CLAIMS and letters <= MOST_LETTERS


def _slide(blocks: Sequence[Plain], step: Step, graph_pages: GraphPages) -> Slide:
    notes: list[str] = []
    parts = []
    if isinstance(blocks[0], Claim) and not blocks[0].question:
        parts.append(f"<h2>{say('Right, or not?')}</h2>")
    for block in blocks:
        if isinstance(block, Graph):
            parts.append(graph_html(block, graph_pages.get(graph_name(step, block)), whole=False))
        elif isinstance(block, Claim) and not block.question:
            parts.append(claim_html(replace(block, why="")))
            notes.append(f"{block.says}: {block.reason}" if block.why else "")
        elif isinstance(block, Table):
            parts.append(f'<div style="--size:{_text_size(block):.2f}rem">{table_html(block)}</div>')
        else:
            parts.append(block_html(block))
            notes.append(block.note if isinstance(block, Moving) else "")
    return Slide("\n".join(parts), tuple(filter(None, notes)), _heading(step))


def _text_size(table: Table) -> float:
    """Return how large its text may be, in rem, so that it fits: a letter is 0.6 em wide, a line 1.9 high."""
    cells = zip(table.rows, table.cells(), strict=True)
    lines = [(table.corner, *table.columns), *((row.label, *texts) for row, texts in cells)]
    wide = sum(0.6 * max(map(len, column)) + 1.2 for column in zip(*lines, strict=True))
    return max(SMALLEST_TEXT, min(1.75, 68 / wide, 33 / (1.9 * len(lines))))
