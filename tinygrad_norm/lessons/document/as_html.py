"""A lesson as one self-contained HTML page: no network, every text escaped, complete without its script.

The script shows other scenes of the moving pictures; they all stand in the page, and it computes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from html import escape
from importlib.resources import files
from itertools import product

from ...errors import InputError
from ...viz.render import RendererError
from ...viz.stepping_page import digest
from ..languages import say, speaking
from .chart_svg import chart_svg, legend_items
from .lesson import PAD, Block, Chart, Claim, Fold, Formula, Graph, Lesson, Paragraph, Plain, Row, Step, Table
from .moving import Moving
from .moving_scene import drawn
from .numerals import CellValue, missing_tails, write

GRAPH_TEXT = 26.0
"""The smallest text of a graph in px, were it 1920 px wide: on a page that has half of it, 12."""

MOST_BUTTONS = 4
"""A control behind the first one that has more choices is a slider, too."""

GraphPages = Mapping[str, str]
"""Where the page that steps through a graph is, by :func:`graph_name`."""


def head(title: str, style: str, script: str) -> str:
    """Return the head of a page that may load nothing, from anywhere: its style and its script are inside it."""
    policy = "default-src 'none'; style-src 'unsafe-inline'" + (f"; script-src '{digest(script)}'" if script else "")
    return f"""<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">
<title>{escape(title)}</title>
<style>
{style}
</style>
</head>"""


def beside(name: str) -> str:
    """Return a style sheet or a script that lies beside this module."""
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def graph_name(step: Step, graph: Graph) -> str:
    """Return what a graph is called among all of a lesson."""
    return f"{step.number}-{graph.key}"


def lesson_html(lesson: Lesson, graph_pages: GraphPages | None = None) -> str:
    """Return the whole page; it links to the pages that step through its graphs, if it is told where they are."""
    with speaking(lesson.lang):
        return _page(lesson, graph_pages or {})


def _page(lesson: Lesson, graph_pages: GraphPages) -> str:
    title = escape(lesson.title)
    moves = any(isinstance(block, Moving) for step in lesson.steps for block in step.unfolded)
    script = beside("moving.js") if moves else ""
    contents = "\n".join(
        f'<li value="{step.number}"><a href="#step-{step.number}">{escape(step.title)}</a></li>'
        for step in lesson.steps
    )
    introduction = "\n".join(f"<p>{escape(text)}</p>" for text in lesson.introduction)
    sections = "\n".join(_step(step, graph_pages) for step in lesson.steps)
    return f"""<!DOCTYPE html>
<html lang="{lesson.lang}">
{head(lesson.title, beside("page.css"), script)}
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
</div>{f"<script>{script}</script>" if script else ""}
</body>
</html>
"""


def _step(step: Step, graph_pages: GraphPages) -> str:
    blocks = "\n".join(_block(block, step, graph_pages) for block in step.blocks)
    heading = f'<h2><span class="number">{step.number}.</span> {escape(step.title)}</h2>'
    return f'<section id="step-{step.number}">\n{heading}\n{blocks}{take_away_html(step)}{_further(step)}\n</section>'


def take_away_html(step: Step) -> str:
    """Return the sentences to take away from a step as a box; nothing if there are none."""
    if not step.take_away:
        return ""
    lines = "".join(f"\n<li>{escape(line)}</li>" for line in step.take_away)
    return f'\n<aside class="take-away">\n<h3>{say("To take away")}</h3>\n<ul>{lines}\n</ul>\n</aside>'


def _further(step: Step) -> str:
    if not step.further:
        return ""
    lines = "".join(f"\n<li>{escape(what)} {_where(where)}</li>" for what, where in step.further.items())
    return f'\n<div class="further">\n<h3>{say("To go deeper")}</h3>\n<ul>{lines}\n</ul>\n</div>'


def _where(where: str) -> str:
    """Return a link to an address; anything else is a command."""
    if where.startswith(("https://", "http://")):
        return f'<a href="{escape(where)}">{escape(where)}</a>'
    return f"<code>{escape(where)}</code>"


def _block(block: Block, step: Step, graph_pages: GraphPages) -> str:
    if isinstance(block, Fold):
        blocks = "\n".join(_block(inner, step, graph_pages) for inner in block.blocks)
        return f'<details class="fold">\n<summary>{escape(block.title)}</summary>\n{blocks}\n</details>'
    return block_html(block, graph_pages.get(graph_name(step, block)) if isinstance(block, Graph) else None)


def block_html(block: Plain, graph_page: str | None = None) -> str:
    """Return a block that stands by itself; a graph leads to the page that steps through it."""
    if isinstance(block, Table):
        return table_html(block)
    if isinstance(block, Claim):
        return claim_html(block)
    if isinstance(block, Chart):
        return chart_html(block)
    if isinstance(block, Moving):
        return moving_html(block)
    if isinstance(block, Graph):
        return graph_html(block, graph_page)
    if isinstance(block, Formula):
        return f"<pre>{escape(block.text)}</pre>"
    text = block.text if isinstance(block, Paragraph) else block.sentence
    return f"<p>{escape(text)}</p>"


def table_html(table: Table, of_rows: Sequence[str] = ()) -> str:
    """Return the table as a captioned figure; pad rows and cells have the class ``pad``.

    `of_rows` are further attributes of its rows, as HTML.
    """
    heads = "".join(
        f'<th scope="col"{_attributes([_pad(name), _text(table, column)])}>{escape(name)}</th>'
        for column, name in enumerate(table.columns)
    )
    columns = [_column(table, index, texts) for index, texts in enumerate(zip(*table.cells(), strict=True))]
    rows = "\n".join(
        f"<tr{_attributes([PAD if row.pad else ''])}{of_rows[index] if of_rows else ''}>"
        f'<th scope="row">{escape(row.label)}</th>' + "".join(column[index] for column in columns) + "</tr>"
        for index, row in enumerate(table.rows)
    )
    note = f'\n<p class="note">{escape(table.note)}</p>' if table.note else ""
    corner = f'<th scope="col" class="text">{escape(table.corner)}</th>' if table.corner else "<td></td>"
    return f"""<figure>
<figcaption>{escape(table.title)}</figcaption>
<div class="scroll" tabindex="0" role="group" aria-label="{escape(table.title)}">
<table>
<thead><tr>{corner}{heads}</tr></thead>
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


def _column(table: Table, column: int, texts: Sequence[str]) -> list[str]:
    """Return the cells of a column; numbers carry how far to move left to align their points."""
    head, kind = table.columns[column], _text(table, column)
    tails = missing_tails(texts) if not kind else [0] * len(texts)
    return [
        f"<td{_attributes([kind, _pad(head, text)], tail)}>{escape(text)}</td>"
        for text, tail in zip(texts, tails, strict=True)
    ]


def _attributes(classes: list[str], tail: int = 0) -> str:
    names = " ".join(filter(None, classes))
    return (f' class="{names}"' if names else "") + (f' style="--tail:{tail}"' if tail else "")


def claim_html(claim: Claim) -> str:
    """Return what the notes say and what is true as a colored card that also says its verdict; why, on a click.

    Where there is a question, it is asked first, and all of the answer is shown on a click.
    """
    says = f'<dt>{say("The notes")}</dt><dd class="says">{escape(claim.says)}</dd>'
    truth = f'<dt class="verdict">{say(claim.verdict.capitalize())}</dt><dd>{escape(claim.true_sentence)}</dd>'
    tone = claim.verdict.replace(" ", "-")
    if not claim.question:
        reason = f"\n<details><summary>{say('Why')}</summary>{escape(claim.reason)}</details>" if claim.why else ""
        return f'<div class="claim {tone}"><dl>\n{says}\n{truth}\n</dl>{reason}</div>'
    why = f"\n<dt>{say('Why')}</dt><dd>{escape(claim.reason)}</dd>" if claim.why else ""
    return f"""<div class="claim asked"><dl>{says}</dl>
<details><summary>{escape(claim.question)}</summary>
<dl class="{tone}">
{truth}{why}
</dl></details></div>"""


def moving_html(moving: Moving) -> str:
    """Return the scene that is shown first and its numbers; for the script the controls; and all scenes as tables."""
    scene, styles = drawn(moving)
    choices = list(moving.scenes)
    counted = say("All {count} places of the slider, as a table", count=len(choices))
    note = f'\n<p class="note">{escape(moving.note)}</p>' if moving.note else ""
    return f"""<figure class="moving">
<figcaption>{escape(moving.title)}</figcaption>
<form class="controls" hidden>
{_controls(moving)}
</form>
{scene}
{_readout(moving)}{note}
<details class="scenes"><summary>{counted}</summary>
{_tables(moving, dict(zip(choices, styles, strict=True)))}
</details>
</figure>"""


def _controls(moving: Moving) -> str:
    controls = zip(moving.controls.items(), moving.shown, strict=True)
    return "\n".join(
        _slider(name, of, of.index(at)) if index == 0 or len(of) > MOST_BUTTONS else _buttons(name, of, of.index(at))
        for index, ((name, of), at) in enumerate(controls)
    )


def _slider(name: str, choices: Sequence[CellValue], at: int) -> str:
    texts = list(map(write, choices))
    return (
        f'<label class="control slider"><span>{escape(name)}</span><input type="range" min="0" max="{len(texts) - 1}" '
        f'value="{at}" data-texts="{escape(json.dumps(texts, ensure_ascii=False))}" '
        f'aria-valuetext="{escape(texts[at])}"><output>{escape(texts[at])}</output></label>'
    )


def _buttons(name: str, choices: Sequence[CellValue], at: int) -> str:
    buttons = "".join(
        f'<label><input type="radio" name="{escape(name)}" value="{index}"{" checked" if index == at else ""}>'
        f"<span>{escape(write(choice))}</span></label>"
        for index, choice in enumerate(choices)
    )
    return f'<fieldset class="control"><legend>{escape(name)}</legend>{buttons}</fieldset>'


def _readout(moving: Moving) -> str:
    """Return the numbers of the scene that is shown: lines of the same dots as one table, the others by name."""
    (texts,) = moving.rows([moving.shown])
    cells = iter(texts)
    groups: dict[tuple[str, ...], list[str]] = {}
    for line in moving.scenes[moving.shown].lines:
        row = "".join(f"<td data-number>{escape(next(cells))}</td>" for _ in line.numbers)
        groups.setdefault(tuple(line.numbers), []).append(f'<tr><th scope="row">{escape(line.label)}</th>{row}</tr>')
    tables = "".join(
        '<div class="scroll" tabindex="0" role="group" '
        f'aria-label="{escape(moving.title)}"><table><thead><tr><td></td>'
        + "".join(f'<th scope="col">{escape(name)}</th>' for name in names)
        + f"</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
        for names, rows in groups.items()
    )
    numbers = "".join(
        f"<div><dt>{escape(name)}</dt><dd data-number>{escape(text)}</dd></div>"
        for name, text in zip(moving.scenes[moving.shown].numbers, cells, strict=True)
    )
    return f'<div class="readout" aria-live="polite">{tables}{f"<dl>{numbers}</dl>" if numbers else ""}</div>'


def _tables(moving: Moving, styles: Mapping[tuple[CellValue, ...], str]) -> str:
    """Return a table of the first control's places for each choice of the others; its rows carry the styles."""
    (first, places), *others = moving.controls.items()
    tables = []
    for chosen in product(*(range(len(of)) for _, of in others)):
        rest = tuple(of[k] for k, (_, of) in zip(chosen, others, strict=True))
        title = ", ".join(f"{name}: {write(value)}" for (name, _), value in zip(others, rest, strict=True))
        rows = [(place, *rest) for place in places]
        table = Table(
            "scenes",
            title or moving.title,
            moving.columns,
            tuple(Row(write(row[0]), moving.scenes[row].values) for row in rows),
            first,
            moving.formats,
        )
        names = ["-".join(map(str, (k, *chosen))) for k in range(len(places))]
        tables.append(
            table_html(
                table,
                [f' data-scene="{n}" data-styles="{styles[row]}"' for n, row in zip(names, rows, strict=True)],
            )
        )
    return "\n".join(tables)


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


def graph_html(graph: Graph, page: str | None = None, whole: bool = True) -> str:
    """Return the drawing as a captioned figure, in a layout that fits a screen; where nothing can draw it, its listing.

    What had to be left out for that is shown on a click, if `whole`. A line leads to the page that steps through it, or
    says how that is written.
    """
    title = escape(graph.title)
    if page is None:
        step = say("To step through it, forward and backward, write the page with {option}.", option="--graphs")
    else:
        step = f'<a href="{escape(page)}">{say("Step through it, forward and backward")}</a>'
    return f"""<figure class="graph">
<figcaption>{title}</figcaption>
{_pictures(graph, title, whole)}
<p class="note">{step}</p>
</figure>"""


def _pictures(graph: Graph, title: str, whole: bool) -> str:
    fitted = replace(graph.drawing, size="slide", font_size=GRAPH_TEXT)
    try:
        small = _region(fitted.embedded(), title, " fitted")
        if not whole or fitted.layout.look.style == "card":
            return small
    except (InputError, RendererError):
        small = ""
    try:
        large = graph.drawing.embedded()
    except RendererError:
        large = f"<pre>{escape(graph.drawing.text)}</pre>"
    if not small:
        return _region(large, title)
    numbers = say("With all values and gradients")
    return f"{small}\n<details><summary>{numbers}</summary>\n{_region(large, f'{title}: {numbers}')}\n</details>"


def _region(content: str, label: str, kind: str = "") -> str:
    """Return what may be wider than the page, to be scrolled."""
    return f'<div class="scroll{kind}" tabindex="0" role="group" aria-label="{label}">\n{content}\n</div>'
