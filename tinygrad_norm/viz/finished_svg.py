"""What Graphviz's SVG becomes before it is shown: accessible, dark where wanted, without what is not needed."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from .dot_labels import BODY, SMALL
from .graph_as_dot import LEGEND
from .graph_view import GraphView
from .layouts import Place
from .render import RendererError
from .theme import Theme, dark_rules

SVG = "http://www.w3.org/2000/svg"
XLINK = "{http://www.w3.org/1999/xlink}title"
SPACE = "{http://www.w3.org/XML/1998/namespace}space"
FAMILY = "Helvetica,Arial,'Liberation Sans',sans-serif"
MONO = "Courier,'Liberation Mono',monospace"
CLASS = "computation-graph"

NUMBER = re.compile(r"-?\d+\.\d+")


def finished(
    raw: str, view: GraphView, theme: Theme, prefix: str = "", scale: float = 1.0, place: Place | None = None
) -> str:
    """Return a renderer's SVG with tooltips as titles, names as data, one style sheet and shorter numbers.

    ``prefix`` keeps the ids of several drawings on one page apart. It is ``scale`` times as large as it was laid out,
    in the middle of a place that it is to fill.
    """
    try:
        root = ElementTree.fromstring(raw)
    except ElementTree.ParseError as error:
        raise RendererError(f"a renderer must write SVG; what it wrote cannot be read: {error}. Try another.") from None
    graph = root.find(f"{{{SVG}}}g")
    if graph is None or not ("viewBox" in root.attrib or (scale == 1.0 and place is None)):
        raise RendererError("a renderer must write an SVG with a viewBox and a group; got none. Try another.")
    for group in list(root.iter(f"{{{SVG}}}g")):
        unwrap_links(group)
    for group in list(graph):
        kind = group.get("class", "")
        if kind in ("node", "edge", "cluster"):
            settle(group, kind, view, prefix)
    for element in root.iter():
        shorten(element)
    title = graph.find(f"{{{SVG}}}title")
    if title is not None:
        title.text = "Computation graph"
    graph.set("id", f"{prefix}graph")
    root.set("class", CLASS)
    root.set("font-size", str(SMALL))
    root.set("role", "img")
    root.set("aria-label", sentence_of(view))
    if scale != 1.0 or place is not None:
        enlarge(root, scale, place)
    style = ElementTree.Element(f"{{{SVG}}}style")
    style.text = style_sheet(theme)
    root.insert(0, style)
    return namespaced(root) + "\n"


def enlarge(root: ElementTree.Element, scale: float, place: Place | None) -> None:
    """Set the size at which a picture is shown."""
    left, top, width, height = map(float, root.attrib["viewBox"].split())
    unit, units = ("pt", 1.0) if place is None else (place.unit, place.units)
    if place is not None and place.filled:
        left, top = left - (place.width / scale - width) / 2, top - (place.height / scale - height) / 2
        width, height = place.width / scale, place.height / scale
        numbers = {"x": left, "y": top, "width": width, "height": height}
        canvas = ElementTree.Element(f"{{{SVG}}}rect", {name: f"{x:.2f}" for name, x in numbers.items()})
        canvas.set("fill", next(root.iter(f"{{{SVG}}}polygon")).get("fill", "none"))
        root.insert(0, canvas)
    root.set("viewBox", f"{left:.2f} {top:.2f} {width:.2f} {height:.2f}")
    root.set("width", f"{round(width * scale * units, 1):g}{unit}")
    root.set("height", f"{round(height * scale * units, 1):g}{unit}")


def namespaced(root: ElementTree.Element) -> str:
    """Return an SVG element as text without prefixes."""
    ElementTree.register_namespace("", SVG)
    return ElementTree.tostring(root, encoding="unicode").replace(" />", "/>").replace("\n\n", "\n")


def unwrap_links(group: ElementTree.Element) -> None:
    """Move what Graphviz put in a link for a tooltip's sake out of it, and the tooltip into the title."""
    for child in list(group):
        link = child.find(f"{{{SVG}}}a") if child.tag == f"{{{SVG}}}g" else None
        if link is None or XLINK not in link.attrib:
            continue
        title = group.find(f"{{{SVG}}}title")
        if title is not None:
            title.set("data-name", title.text or "")
            title.text = link.attrib[XLINK]
        at = list(group).index(child)
        group.remove(child)
        for offset, inner in enumerate(list(link)):
            inner.tail = "\n"
            group.insert(at + offset, inner)


def settle(group: ElementTree.Element, kind: str, view: GraphView, prefix: str) -> None:
    """Give a node, edge or cluster its id and name as data."""
    title = group.find(f"{{{SVG}}}title")
    name = title.attrib.pop("data-name", title.text or "") if title is not None else ""
    identity = group.get("id", "")
    if identity == LEGEND:
        group.set("class", LEGEND)
    elif kind == "node":
        node = view.nodes[int(identity[1:])]
        group.set("data-node", node.id)
        group.set("data-kind", node.drawn_as)
    elif kind == "edge":
        edge = view.edges[int(identity[1:])]
        group.set("data-edge", identity[1:])
        group.set("data-from", edge.source)
        group.set("data-to", edge.target)
        group.set("class", "edge backward" if identity.startswith("b") else "edge forward")
    else:
        group.set("data-cluster", name.removeprefix("cluster_"))
    group.set("id", prefix + identity)


def shorten(element: ElementTree.Element) -> None:
    """Drop what says nothing and keep one decimal of a point, a tenth of a pixel."""
    element.attrib.pop(SPACE, None)
    family = element.attrib.pop("font-family", "")
    size = element.attrib.pop("font-size", None)
    if family.startswith("Courier"):
        # The style sheet gives their font and size.
        element.set("class", "m")
    elif size is not None and float(size) != SMALL:
        element.set("font-size", f"{float(size):g}")
    if element.get("text-anchor") == "start":
        del element.attrib["text-anchor"]
    for name in ("points", "d", "x", "y", "transform"):
        value = element.get(name)
        if value is not None:
            element.set(name, NUMBER.sub(lambda m: f"{float(m[0]):.1f}".removesuffix(".0"), value))


def style_sheet(theme: Theme) -> str:
    """Return the style sheet of a drawing on its own."""
    rules = f".{CLASS}{{font-family:{FAMILY}}}.{CLASS} .m{{font:{BODY}px {MONO}}}"
    if theme == "auto":
        rules += f"\n@media (prefers-color-scheme:dark){{{dark_rules('.' + CLASS)}}}"
    return rules


def sentence_of(view: GraphView) -> str:
    """Return the drawing in a sentence, for those who cannot see it."""
    kinds = [n.kind for n in view.nodes]
    operations, modules = kinds.count("operation"), kinds.count("module")
    leaves = len(kinds) - operations - modules
    boxes = f", {modules} folded modules" if modules else ""
    swept = ", with the backward pass" if view.sweep else ""
    return f"Computation graph: {leaves} leaves, {operations} operations{boxes}{swept}"
