"""A lesson as one self-contained HTML page: no script, no network, every text escaped."""

from __future__ import annotations

from html import escape

from ...viz.render import RendererError
from ..languages import say, speaking
from .chart_svg import chart_svg, legend_items
from .lesson import PAD, Block, Chart, Claim, Formula, Graph, Lesson, Paragraph, Step, Table
from .numerals import missing_tails
from .page_style import STYLE

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""The page may load nothing, from anywhere; its one style sheet is inside it."""


def lesson_html(lesson: Lesson) -> str:
    """Return the whole page."""
    with speaking(lesson.lang):
        return _page(lesson)


def _page(lesson: Lesson) -> str:
    title = escape(lesson.title)
    contents = "\n".join(
        f'<li value="{step.number}"><a href="#step-{step.number}">{escape(step.title)}</a></li>'
        for step in lesson.steps
    )
    introduction = "\n".join(f"<p>{escape(text)}</p>" for text in lesson.introduction)
    sections = "\n".join(map(_step, lesson.steps))
    return f"""<!DOCTYPE html>
<html lang="{lesson.lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">
<title>{title}</title>
<style>
{STYLE}
</style>
</head>
<body>
<div class="layout">
<header>
<h1>{title}</h1>
{introduction}
</header>
<nav aria-label="{say("Steps")}">
<ol>
{contents}
</ol>
</nav>
<main>
{sections}
</main>
</div>
</body>
</html>
"""


def _step(step: Step) -> str:
    blocks = "\n".join(map(_block, step.blocks))
    heading = f'<h2><span class="number">{step.number}.</span> {escape(step.title)}</h2>'
    lines = "".join(f"\n<li>{escape(line)}</li>" for line in step.take_away)
    aside = (
        f'\n<aside class="take-away">\n<h3>{say("To take away")}</h3>\n<ul>{lines}\n</ul>\n</aside>' if lines else ""
    )
    return f'<section id="step-{step.number}">\n{heading}\n{blocks}{aside}\n</section>'


def _block(block: Block) -> str:
    if isinstance(block, Table):
        return table_html(block)
    if isinstance(block, Claim):
        return claim_html(block)
    if isinstance(block, Chart):
        return chart_html(block)
    if isinstance(block, Graph):
        return graph_html(block)
    if isinstance(block, Formula):
        return f"<pre>{escape(block.text)}</pre>"
    text = block.text if isinstance(block, Paragraph) else block.sentence
    return f"<p>{escape(text)}</p>"


_ROW = {False: "<tr>", True: '<tr class="pad">'}


def table_html(table: Table) -> str:
    """Return the table as a captioned figure; pad rows and cells have the class ``pad``."""
    heads = "".join(
        f'<th scope="col"{_attributes([_pad(name), _text(table, column)])}>{escape(name)}</th>'
        for column, name in enumerate(table.columns)
    )
    columns = [_column(table, index) for index in range(len(table.columns))]
    rows = "\n".join(
        f'{_ROW[row.pad]}<th scope="row">{escape(row.label)}</th>'
        + "".join(column[index] for column in columns)
        + "</tr>"
        for index, row in enumerate(table.rows)
    )
    note = f'\n<p class="note">{escape(table.note)}</p>' if table.note else ""
    return f"""<figure>
<figcaption>{escape(table.title)}</figcaption>
<div class="scroll" tabindex="0" role="region" aria-label="{escape(table.title)}">
<table>
<thead><tr><th scope="col" class="text">{escape(table.corner)}</th>{heads}</tr></thead>
<tbody>
{rows}
</tbody>
</table>
</div>{note}
</figure>"""


def _text(table: Table, column: int) -> str:
    return "text" if table.is_text(column) else ""


def _pad(*texts: str) -> str:
    return "pad" if PAD in texts else ""


def _column(table: Table, column: int) -> list[str]:
    """Return the cells of a column; numbers carry how far to move left to align their points."""
    head, kind = table.columns[column], _text(table, column)
    texts = [cells[column] for cells in table.cells()]
    tails = missing_tails(texts) if not kind else [0] * len(texts)
    return [
        f"<td{_attributes([kind, _pad(head, text)], tail)}>{escape(text)}</td>"
        for text, tail in zip(texts, tails, strict=True)
    ]


def _attributes(classes: list[str], tail: int = 0) -> str:
    names = " ".join(filter(None, classes))
    return (f' class="{names}"' if names else "") + (f' style="--tail:{tail}"' if tail else "")


def claim_html(claim: Claim) -> str:
    """Return what the notes say, what is true and why, as a colored card that also says its verdict."""
    why = f"\n<dt>{say('Why')}</dt><dd>{escape(claim.reason)}</dd>" if claim.why else ""
    return f"""<div class="claim {claim.verdict.replace(" ", "-")}"><dl>
<dt>{say("The notes")}</dt><dd class="says">{escape(claim.says)}</dd>
<dt class="verdict">{say(claim.verdict.capitalize())}</dt><dd>{escape(claim.true_sentence)}</dd>{why}
</dl></div>"""


def chart_html(chart: Chart) -> str:
    """Return the chart as a captioned figure with its legend."""
    items = "\n".join(f"<li>{item}</li>" for item in legend_items(chart))
    return f"""<figure class="chart">
<figcaption>{escape(chart.title)}</figcaption>
{chart_svg(chart)}
<ul class="legend">
{items}
</ul>
<p class="note">{escape(chart.level_label)}</p>
</figure>"""


def graph_html(graph: Graph) -> str:
    """Return the drawing as a captioned figure; where nothing can draw it, its listing."""
    try:
        picture = graph.drawing.embedded()
    except RendererError:
        picture = f"<pre>{escape(graph.drawing.text)}</pre>"
    title = escape(graph.title)
    return f"""<figure class="graph">
<figcaption>{title}</figcaption>
<div class="scroll" tabindex="0" role="region" aria-label="{title}">
{picture}
</div>
</figure>"""
