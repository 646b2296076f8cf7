"""The interactive page: one file that steps through the run, forward and then backward, on the drawing itself.

The layout was done by Graphviz, once for each fold depth; the script only shows and hides. Everything that it shows is
in the page as text too: the steps are an ordered list, and each node has a section with its formula, values, gradient,
what it received and what its rule sends.
"""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from xml.etree import ElementTree

from .finished_svg import SVG, namespaced
from .fold import Folded, fold, levels_of
from .graph_as_text import Sentence, rule_words, sentences_of
from .graph_view import EdgeView, GraphView, NodeView, Value
from .legible import role, some, type_text, visible
from .theme import Theme, dark_rules

MOST_VISIBLE = 200
"""A fold depth that shows more nodes than this gets no picture in the page."""


@dataclass(frozen=True)
class FoldPicture:
    """One fold depth: what the button says, the folded view and its SVG."""

    label: str
    folded: Folded
    svg: str


def stepping_page(view: GraphView, pictures: Sequence[FoldPicture], shown: str, theme: Theme, title: str) -> str:
    """Return the page; ``shown`` is the label of the picture that it opens with."""
    steps = sentences_of(view)
    style = resource("page.css") + dark_style()
    script = resource("page.js")
    policy = f"default-src 'none'; style-src '{digest(style)}'; script-src '{digest(script)}'"
    name = html_text(title)
    failure = f'<p class="failure">raised: {html_text(view.failure)}</p>' if view.failure else ""
    drawings = "\n".join(
        f'<div class="drawing{" shown" if p.label == shown else ""}" data-depth="{html_text(p.label)}">'
        f"{annotated(p, view, steps)}</div>"
        for p in pictures
    )
    items = "\n".join(
        f'<li data-phase="{s.phase}" data-node="{html_text(s.node)}">{html_text(s.words)}</li>' for s in steps
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
{controls(pictures, len(steps))}
<p id="sentence" aria-live="polite"><b id="phase"></b><span id="words"></span></p>
</header>
<main>
<div id="view" tabindex="0" role="region" aria-label="Drawing">
{drawings}
</div>
<aside aria-label="Selected node">
<p id="hint">Select a node to see its formula, values, gradient and rules. ← → Home End step through the run.</p>
{sections_of(view, [p.folded for p in pictures])}
</aside>
</main>
<details open><summary>All {len(steps)} steps</summary>
<ol id="steps">
{items}
</ol>
</details>
<script>{script}</script>
</body>
</html>
"""


def controls(pictures: Sequence[FoldPicture], steps: int) -> str:
    """Return the buttons at the top of the page."""
    labels = (html_text(p.label) for p in pictures)
    depths = "".join(f'<button type="button" data-depth="{label}">{label}</button>' for label in labels)
    themes = "".join(f'<button type="button" data-theme="{t}">{t}</button>' for t in ("auto", "light", "dark"))
    return f"""<div class="controls">
<div class="group" role="group" aria-label="Steps">
<button type="button" id="first" aria-label="First step">First</button>
<button type="button" id="back" aria-label="Step back">Back</button>
<input type="range" id="slider" min="1" max="{steps}" value="{steps}" aria-label="Step">
<button type="button" id="next" aria-label="Next step">Next</button>
<button type="button" id="last" aria-label="Last step">Last</button>
</div>
<div class="group" role="group" aria-label="Open levels"><span>Open levels</span>{depths}</div>
<div class="group" role="group" aria-label="Zoom">
<button type="button" id="farther" aria-label="Zoom out">−</button>
<button type="button" id="closer" aria-label="Zoom in">+</button>
<button type="button" id="fit">Fit</button>
</div>
<div class="group" role="group" aria-label="Colors">{themes}</div>
</div>"""


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


def sections_of(view: GraphView, folds: Sequence[Folded]) -> str:
    """Return the sections of all nodes, and of the boxes that stand for them when folded."""
    outgoing: dict[str, list[EdgeView]] = {}
    incoming: dict[str, list[EdgeView]] = {}
    for edge in view.edges:
        outgoing.setdefault(edge.source, []).append(edge)
        incoming.setdefault(edge.target, []).append(edge)
    titles = {n.id: n.title for n in view.nodes}
    boxes = {n.id: n for folded in folds for n in folded.view.nodes if n.id not in titles}
    nodes = (*view.nodes, *boxes.values())
    return "\n".join(section(n, outgoing.get(n.id, []), incoming.get(n.id, []), titles) for n in nodes)


def section(node: NodeView, uses: list[EdgeView], inputs: list[EdgeView], titles: Mapping[str, str]) -> str:
    """Return what is known of one node."""
    received = f"{node.received} of {node.expected} contributions received" if node.received else ""
    known = {
        "kind": role(node),
        "name": node.id if node.id != node.title else "",
        "formula": node.formula,
        "shape": type_text(node),
        "computed at": node.source,
        "kept": f"saved for the backward pass by {some(node.saved_by)}" if node.saved_by else "",
        "gradient": received if node.needs_gradient else "no gradient needed",
        "kink": node.note,
        "mark": "; ".join(node.badges),
    }
    pairs = "".join(f"<dt>{name}</dt><dd>{isolated(value)}</dd>" for name, value in known.items() if value)
    parts = [f"<h2>{isolated(node.title)}</h2><dl>{pairs}</dl>"]
    if node.value is not None:
        parts.append(f"<h3>value</h3>{html_table(node.value)}")
    if node.gradient is not None:
        parts.append(f'<h3>gradient</h3><div class="gradient">{html_table(node.gradient)}</div>')
    parts += [
        f"<h3>received from {isolated(titles[edge.target])}: {isolated(edge.rule)}</h3>"
        f'<div class="gradient">{html_table(edge.contribution)}</div>'
        for edge in uses
        if edge.contribution is not None and len(uses) > 1
    ]
    sent = ""
    for edge in inputs:
        if edge.rule and edge.differentiable:
            words = rule_words(edge) + (f", {edge.shapes}" if "Σ" in edge.shapes and not edge.local else "")
            sent += f"<dt>to {isolated(titles[edge.source])}</dt><dd>{isolated(words)}</dd>"
    if sent:
        parts.append(f"<h3>sends back</h3><dl>{sent}</dl>")
    return f'<section class="facts" data-node="{html_text(node.id)}">{"".join(parts)}</section>'


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


def annotated(picture: FoldPicture, view: GraphView, steps: Sequence[Sentence]) -> str:
    """Return a picture whose parts know at which steps they appear, and can be reached by keyboard."""
    root = ElementTree.fromstring(picture.svg)
    style = root.find(f"{{{SVG}}}style")
    if style is not None:
        root.remove(style)
    root.set("role", "group")
    shown_as = picture.folded.shown_as
    titles = {n.id: n.title for n in picture.folded.view.nodes}
    forward, arrivals, seeds = places(steps, shown_as)
    sent = edges_at(picture.folded, view, steps)
    for group in root.iter(f"{{{SVG}}}g"):
        kind = group.get("class", "")
        title = group.find(f"{{{SVG}}}title")
        if kind == "node":
            name = group.attrib["data-node"]
            own = sorted({*forward.get(name, ()), *arrivals.get(name, ())})
            group.set("data-steps", " ".join(map(str, own)))
            group.set("data-arrivals", " ".join(map(str, arrivals.get(name, ()))))
            if name in seeds:
                group.set("data-seeded", "1")
            group.set("tabindex", "0")
            group.set("role", "button")
            group.set("aria-label", f"{titles[name]}, {group.get('data-kind')}")
        elif kind.startswith("edge"):
            target = group.attrib["data-to"]
            at = sent.get(int(group.attrib["data-edge"]), []) if "backward" in kind else forward.get(target, [])[:1]
            group.set("data-steps", " ".join(map(str, at)))
        if title is not None:
            group.remove(title)
    return namespaced(root)


def places(
    steps: Sequence[Sentence], shown_as: Mapping[str, str]
) -> tuple[dict[str, list[int]], dict[str, list[int]], set[str]]:
    """Return for each visible node the steps that compute it, those that bring a gradient, and where a sweep starts."""
    forward: dict[str, list[int]] = {}
    arrivals: dict[str, list[int]] = {}
    seeds = set()
    for number, step in enumerate(steps, 1):
        table = forward if step.phase == "forward" else arrivals
        name = shown_as[step.node]
        table.setdefault(name, []).append(number)
        if step.phase == "backward" and step.edge is None:
            seeds.add(name)
    return forward, arrivals, seeds


def edges_at(folded: Folded, view: GraphView, steps: Sequence[Sentence]) -> dict[int, list[int]]:
    """Return for each visible edge the steps at which a contribution is sent along it."""
    # Edges of one pair keep their order when a view is folded; those that were joined share one.
    visible_edges: dict[tuple[str, str], list[int]] = {}
    for i, edge in enumerate(folded.view.edges):
        visible_edges.setdefault((edge.source, edge.target), []).append(i)
    place: dict[int, int] = {}
    taken: dict[tuple[str, str], int] = {}
    for i, edge in enumerate(view.edges):
        pair = (folded.shown_as[edge.source], folded.shown_as[edge.target])
        if pair in visible_edges and pair[0] != pair[1]:
            n = min(taken.get(pair, 0), len(visible_edges[pair]) - 1)
            place[i] = visible_edges[pair][n]
            taken[pair] = n + 1
    found: dict[int, list[int]] = {}
    for number, step in enumerate(steps, 1):
        if step.edge is not None and step.edge in place:
            found.setdefault(place[step.edge], []).append(number)
    return found
