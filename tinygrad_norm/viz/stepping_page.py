"""The interactive page: one file that steps through the run, forward and then backward, on the drawing itself.

The layout was done by Graphviz, once for each fold depth; the script only shows and hides. The one idea: everything on
the page says from which step on it is known (``data-from``), and at a step the script hides what is not, from the eye
and from a screen reader. Without a script all of it is there as text: the steps are an ordered list with their tables,
and each node has a section with its formula, value, gradient and what its rule sends.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from xml.etree import ElementTree

from .finished_svg import SVG, namespaced
from .fold import Folded, fold, levels_of
from .graph_as_dot import LEGEND
from .graph_as_text import LEAVES, Sentence, rule_words, sentences_of
from .graph_view import EdgeView, GraphView, NodeView, Value
from .legible import role, some, type_text, visible
from .step_times import FoldTimes, Times, fold_times, times_of
from .theme import LIGHT, Theme, dark_rules

MOST_VISIBLE = 200
"""A fold depth that shows more nodes than this gets no picture in the page."""
MOST_TABLES = 400
"""With more steps than this they stand on the page without their tables."""
CAPTION = re.compile(r"gradient(, \d+ of \d+ received)?$")


@dataclass(frozen=True)
class FoldPicture:
    """One fold depth: what the button says, the folded view and its SVG."""

    label: str
    folded: Folded
    svg: str


def stepping_page(view: GraphView, pictures: Sequence[FoldPicture], shown: str, theme: Theme, title: str) -> str:
    """Return the page; ``shown`` is the label of the picture that it opens with."""
    steps = sentences_of(view)
    times = times_of(view, steps)
    style = resource("page.css") + dark_style()
    script = resource("page.js")
    policy = f"default-src 'none'; style-src '{digest(style)}'; script-src '{digest(script)}'"
    name = html_text(title)
    raised = f"raised: {html_text(view.failure)}"
    failure = f'<p class="failure" data-from="{times.forward}">{raised}</p>' if view.failure else ""
    drawings = "\n".join(
        f'<div class="drawing{" shown" if p.label == shown else ""}" data-depth="{html_text(p.label)}">'
        f"{annotated(p, view, times)}</div>"
        for p in pictures
    )
    return f"""<!doctype html>
<html lang="en" data-theme="{theme}" data-depth="{html_text(shown)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{name}</title>
<style>{style}</style>
</head>
<body>
<header>
<h1>{name}</h1>{failure}
{settings(pictures)}
{bar(len(steps))}
</header>
<main>
<div id="view" tabindex="0" role="region" aria-label="Drawing">
{drawings}
</div>
<div id="panel" tabindex="0" role="region" aria-label="What is known at this step">
<div id="now"></div>
<p id="hint">Select a box to see its formula and what is known of it at this step.</p>
{sections_of(view, pictures, times)}
<div id="received"></div>
</div>
<details open><summary>The steps</summary>
<ol id="steps">
{list_of(steps, view)}
</ol>
</details>
</main>
<script>{script}</script>
</body>
</html>
"""


def bar(steps: int) -> str:
    """Return what is always at hand: the buttons that step, the sentence of the step, and the place for a guess."""
    return f"""<div class="bar">
<div class="group" role="group" aria-label="Steps">
<button type="button" id="first" aria-label="First step">First</button>
<button type="button" id="back" aria-label="Step back">Back</button>
<input type="range" id="slider" min="1" max="{steps}" value="1" aria-label="Step">
<button type="button" id="next" aria-label="Next step">Next</button>
<button type="button" id="last" aria-label="Last step">Last</button>
<button type="button" id="guessing" aria-pressed="false">Guess first</button>
</div>
<form id="guess" hidden><label for="answer" id="question"></label>
<input id="answer" inputmode="text" autocomplete="off"><button>Check</button>
<button type="button" id="reveal">Show it</button></form>
<p id="sentence" aria-live="polite"><b id="phase"></b><span id="words"></span> <span id="verdict"></span></p>
</div>"""


def settings(pictures: Sequence[FoldPicture]) -> str:
    """Return the buttons that change how the drawing looks."""
    labels = (html_text(p.label) for p in pictures)
    depths = "".join(f'<button type="button" data-depth="{label}">{label}</button>' for label in labels)
    themes = "".join(f'<button type="button" data-theme="{t}">{t}</button>' for t in ("auto", "light", "dark"))
    return f"""<div class="settings">
<div class="group" role="group" aria-label="Open levels"><span>Open levels</span>{depths}</div>
<div class="group" role="group" aria-label="Zoom">
<button type="button" id="farther" aria-label="Zoom out">−</button>
<button type="button" id="closer" aria-label="Zoom in">+</button>
<button type="button" id="fit">Fit</button>
</div>
<div class="group" role="group" aria-label="Colors">{themes}</div>
</div>"""


def list_of(steps: Sequence[Sentence], view: GraphView) -> str:
    """Return the steps as items of a list: sentence, table of the numbers that move, and what a guess is asked."""
    nodes = {n.id: n for n in view.nodes}
    items = []
    for number, step in enumerate(steps, 1):
        node = nodes[step.node]
        edge = view.edges[step.edge] if step.edge is not None else None
        value = edge.contribution if edge is not None else node.value if step.phase == "forward" else node.gradient
        given = {"data-phase": step.phase, "data-node": step.node, "data-from": str(number)}
        asked = None if step.phase == "forward" and node.kind in LEAVES else question(node, edge, nodes, value, number)
        if asked is not None and (step.phase == "forward" or edge is not None):
            given |= {"data-question": asked[0], "data-answer": asked[1]}
        marks = " ".join(f'{name}="{html_text(text)}"' for name, text in given.items())
        moved = value is not None and (len(value.rows) > 1 or len(value.rows[:1]) == 1 < len(value.rows[0]))
        table = html_table(value) if moved and value is not None and len(steps) <= MOST_TABLES else ""
        items.append(f"<li {marks}><span>{html_text(step.words)}</span>{table}</li>")
    return "\n".join(items)


def question(
    node: NodeView, edge: EdgeView | None, nodes: Mapping[str, NodeView], value: Value | None, number: int
) -> tuple[str, str] | None:
    """Return what to ask before a step is shown, and the answer; nothing where there is no number to ask for."""
    if value is None or not value.rows:
        return None
    cells = [(r, c) for r, row in enumerate(value.rows) for c in range(len(row))]
    r, c = cells[number % len(cells)]
    where = "" if len(cells) == 1 else f" in row {r + 1}, column {c + 1}"
    if edge is None:
        what = f"{node.title} = {node.formula}"
    else:
        rule = f"{edge.rule} = {edge.incoming} · {edge.local}" if edge.local else edge.rule or "a contribution"
        what = f"{nodes[edge.target].title} sends {rule} to {node.title}"
    return f"{what}: which number{where}?", value.rows[r][c]


def html_text(content: str) -> str:
    """Return untrusted text for HTML, in an attribute or between tags."""
    return html.escape(visible(content))


def isolated(content: str) -> str:
    """Return untrusted text of any reading direction, which it keeps to itself."""
    return f"<bdi>{html_text(content)}</bdi>"


def resource(name: str) -> str:
    """Return the text of a file that lies beside this module."""
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def digest(source: str) -> str:
    """Return what a content security policy calls a script or style sheet."""
    return "sha256-" + base64.b64encode(hashlib.sha256(source.encode("utf-8")).digest()).decode("ascii")


DARK_PAGE = (
    "color-scheme:dark;--canvas:#14161a;--card:#262b32;--ink:#ededed;--quiet:#b3b3b3;--line:#8a8f98;--back:#6cc0f0;"
    "--mark:#ff8c3a"
)


def dark_style() -> str:
    """Return the style sheet of the page in the dark: chosen, or the system's choice while nothing is chosen."""
    parts = []
    for selector, query in (("[data-theme=dark]", ""), ("[data-theme=auto]", "(prefers-color-scheme:dark)")):
        rules = f":root{selector}{{{DARK_PAGE}}}\n{dark_rules(selector + ' svg')}"
        parts.append(f"@media screen{' and ' + query if query else ''}{{{rules}}}")
    return "\n".join(parts)


def sections_of(view: GraphView, pictures: Sequence[FoldPicture], times: Times) -> str:
    """Return the sections of all nodes that some picture shows, and of the boxes in each."""
    incoming: dict[str, list[EdgeView]] = {}
    for edge in view.edges:
        incoming.setdefault(edge.target, []).append(edge)
    titles = {n.id: n.title for n in view.nodes}
    seen = {n.id for p in pictures for n in p.folded.view.nodes}
    whole = fold_times(Folded(view, {n.id: n.id for n in view.nodes}), view, times)
    parts = [section(n, incoming.get(n.id, []), titles, whole, times) for n in view.nodes if n.id in seen]
    for picture in pictures:
        boxes = [n for n in picture.folded.view.nodes if n.id not in titles]
        when = fold_times(picture.folded, view, times)
        parts += [section(n, [], titles, when, times, picture.label) for n in boxes]
    return "\n".join(parts)


def section(
    node: NodeView,
    inputs: list[EdgeView],
    titles: Mapping[str, str],
    when: FoldTimes,
    times: Times,
    depth: str = "",
) -> str:
    """Return what is known of one node, each thing from its step on."""
    start = when.start(node.id)
    kept = times.saved_at(node)
    known = {
        "kind": (start, role(node)),
        "name": (start, node.id if node.id != node.title else ""),
        "formula": (start, node.formula),
        "shape": (start, type_text(node)),
        "computed at": (start, node.source),
        "kept": (kept, f"saved for the backward pass by {some(node.saved_by)}" if node.saved_by else ""),
        "gradient": (start, "" if node.needs_gradient else "no gradient needed"),
        "kink": (start, node.note),
        "mark": (start, "; ".join(node.badges)),
    }
    pairs = "".join(
        f'<div data-from="{step}"><dt>{name}</dt><dd>{isolated(text)}</dd></div>'
        for name, (step, text) in known.items()
        if text
    )
    parts = [f"<h2>{isolated(node.title)}</h2><dl>{pairs}</dl>"]
    if node.value is not None:
        parts.append(f'<div data-from="{when.end(node.id)}"><h3>value</h3>{html_table(node.value)}</div>')
    if node.gradient is not None and when.complete(node.id):
        table = html_table(node.gradient)
        parts.append(f'<div class="gradient" data-from="{when.complete(node.id)}"><h3>gradient</h3>{table}</div>')
    sent = ""
    for edge in inputs:
        if edge.rule and edge.differentiable:
            words = rule_words(edge) + (f", {edge.shapes}" if "Σ" in edge.shapes and not edge.local else "")
            at = times.sent_at(edge, start)
            sent += f'<div data-from="{at}"><dt>to {isolated(titles[edge.source])}</dt><dd>{isolated(words)}</dd></div>'
    if sent:
        first = min(times.sent_at(e, start) for e in inputs if e.rule and e.differentiable)
        parts.append(f'<div data-from="{first}"><h3>sends back</h3><dl>{sent}</dl></div>')
    place = f' data-depth="{html_text(depth)}"' if depth else ""
    marks = f'data-node="{html_text(node.id)}"{place} data-from="{start}"'
    return f'<section class="facts" {marks}>{"".join(parts)}</section>'


def html_table(value: Value) -> str:
    """Return a value as a table; pads are marked."""
    if not value.rows:
        return f"<p>{html_text(value.summary)}</p>"
    rows = "".join(
        f"<tr{' class=pad' if r in value.pads else ''}>"
        + "".join(f"<td>{html_text(cell)}" for cell in row)
        + ("<td>pad" if r in value.pads else "")
        + "</tr>"
        for r, row in enumerate(value.rows)
    )
    return f"<table>{rows}</table>"


def pictures_of(view: GraphView, chosen: Folded, draw: Callable[[Folded, str], str]) -> tuple[list[FoldPicture], str]:
    """Return a picture for each fold depth that is small enough, and the label of the one to open with."""
    deepest = max(levels_of(view).values(), default=-1) + 1
    candidates: dict[str, Folded] = {}
    for depth in range(deepest + 1):
        folded = fold(view, depth)
        if len(folded.view.nodes) <= MOST_VISIBLE:
            candidates["all" if depth == deepest and depth else str(depth)] = folded
    shown = next((label for label, folded in candidates.items() if folded.view == chosen.view), "")
    if not shown:
        shown = "chosen"
        candidates = {shown: chosen, **candidates}
    return [
        FoldPicture(label, folded, draw(folded, f"d{i}-")) for i, (label, folded) in enumerate(candidates.items())
    ], shown


def annotated(picture: FoldPicture, view: GraphView, times: Times) -> str:
    """Return a picture whose parts know at which steps they appear, and can be reached by keyboard."""
    root = ElementTree.fromstring(picture.svg)
    style = root.find(f"{{{SVG}}}style")
    if style is not None:
        root.remove(style)
    root.set("role", "group")
    nodes = {n.id: n for n in picture.folded.view.nodes}
    when = fold_times(picture.folded, view, times)
    for group in root.iter(f"{{{SVG}}}g"):
        kind = group.get("class", "")
        title = group.find(f"{{{SVG}}}title")
        if kind == "node":
            settle_node(group, nodes[group.attrib["data-node"]], when, times)
        elif kind.startswith("edge"):
            target = group.attrib["data-to"]
            backward = "backward" in kind
            at = when.sent.get(int(group.attrib["data-edge"]), []) if backward else when.computed.get(target, [])[:1]
            group.set("data-steps", " ".join(map(str, at)))
        elif kind in (LEGEND, "graph"):
            for text in group.findall(f"{{{SVG}}}text"):
                if "NaN" in (text.text or "") or "tape holds" in (text.text or ""):
                    text.set("data-from", str(times.forward))
        if title is not None:
            group.remove(title)
    return namespaced(root)


def settle_node(group: ElementTree.Element, node: NodeView, when: FoldTimes, times: Times) -> None:
    """Say of a box at which steps it is computed and a gradient arrives, and of its words from when they are known."""
    arrivals = when.arrivals.get(node.id, [])
    own = sorted({*when.computed.get(node.id, ()), *arrivals})
    group.set("data-steps", " ".join(map(str, own)))
    group.set("data-arrivals", " ".join(map(str, arrivals)))
    if node.kind == "module":
        group.set("data-stops", " ".join(map(str, sorted({when.end(node.id), *arrivals}))))
    if node.id in when.seeds:
        group.set("data-seeded", "1")
    group.set("tabindex", "0")
    group.set("role", "button")
    for text in group.iter(f"{{{SVG}}}text"):
        words = (text.text or "").strip()
        if words.startswith("saved for backward"):
            text.set("data-from", str(times.saved_at(node) if node.saved_by else when.end(node.id)))
        elif text.get("fill") == LIGHT.backward and not CAPTION.match(words):
            text.set("data-from", str(when.complete(node.id) or times.last + 1))
        elif text.get("font-weight") != "bold" and node.kind == "module":
            text.set("data-from", str(when.end(node.id)))
