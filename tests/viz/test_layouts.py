"""Drawings for a slide, a page and a screen: how large their text is, that all lies inside, and nothing overlaps."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import tinygrad_norm as tg
from tests.sweeps import share
from tinygrad_norm import functional as F
from tinygrad_norm import nn
from tinygrad_norm.lessons.graph_examples import EXAMPLES, TOKENS, settled
from tinygrad_norm.viz import Drawing
from tinygrad_norm.viz.layouts import PLACES
from tinygrad_norm.viz.render import size_of

SVG = "{http://www.w3.org/2000/svg}"
Box = tuple[float, float, float, float]


def example(name: str) -> Callable[..., Drawing]:
    chosen = EXAMPLES[name]
    return lambda **options: tg.draw(chosen.function, *chosen.inputs.values(), **{**chosen.options, **options})


def deep_network(**options: Any) -> Drawing:
    model = settled(nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 2)))
    return tg.draw(lambda x: F.cross_entropy(model(x), np.array([0, 1])), np.ones((2, 3)), **options)


def recurrent(**options: Any) -> Drawing:
    model = settled(nn.RNN(3, 4, batch_first=True))
    inputs = np.random.default_rng(0).normal(size=(2, 20, 3))
    return tg.draw(lambda x: model(x)[0], inputs, gradients=True, **options)


def twelve_layers(**options: Any) -> Drawing:
    layer = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True)
    return tg.draw(settled(nn.TransformerEncoder(layer, 12)), TOKENS, gradients=True, **options)


TEN: dict[str, Callable[..., Drawing]] = {
    "neuron": example("neuron"),
    "linear": example("linear"),
    "softmax": example("softmax"),
    "layer_norm": example("layer_norm"),
    "batch_norm_masked": example("batch_norm_masked"),
    "masked_attention": example("masked_attention"),
    "deep_network": deep_network,
    "encoder_layer": example("encoder_layer"),
    "recurrent": recurrent,
    "twelve_layers": twelve_layers,
}


def points(polygon: ElementTree.Element) -> Box:
    """Left, top, right and bottom of a polygon, in the picture's own units."""
    pairs = [tuple(map(float, p.split(","))) for p in polygon.attrib["points"].split()]
    xs, ys = zip(*pairs, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def read(svg: str) -> tuple[ElementTree.Element, Box, tuple[float, float]]:
    """A picture, what part of its plane is shown, and how far that is moved."""
    root = ElementTree.fromstring(svg)
    left, top, width, height = map(float, root.attrib["viewBox"].split())
    graph = root.find(f"{SVG}g")
    assert graph is not None
    match = re.search(r"translate\(([-\d.]+) ([-\d.]+)\)", graph.attrib["transform"])
    assert match is not None
    x, y = map(float, match.groups())
    return root, (left - x, top - y, left - x + width, top - y + height), (x, y)


def smallest_text(svg: str, width: float, height: float) -> float:
    """The size of the smallest text, in pixels, where the picture is fitted into so many."""
    root, (left, top, right, bottom), _ = read(svg)
    scale = min(width / (right - left), height / (bottom - top))
    # The style sheet gives numbers their size.
    numbers = float(re.search(r"\.m\{font:([\d.]+)px", svg)[1])  # type: ignore[index]  # every picture has the rule
    sizes = [
        numbers if text.get("class") == "m" else float(text.get("font-size", root.attrib["font-size"]))
        for text in root.iter(f"{SVG}text")
        if (text.text or "").strip()
    ]
    return min(sizes) * scale


def overlap(a: Box, b: Box) -> bool:
    """Whether two boxes share more than a hair."""
    return min(a[2], b[2]) - max(a[0], b[0]) > 0.6 and min(a[3], b[3]) - max(a[1], b[1]) > 0.6


def boxes(root: ElementTree.Element) -> list[Box]:
    """Every box of the drawing."""
    groups = [g for g in root.iter(f"{SVG}g") if g.get("class") == "node"]
    return [
        tuple(f(b[i] for b in corners) for i, f in enumerate((min, min, max, max)))  # type: ignore[misc]  # four of them
        for g in groups
        if (corners := [points(p) for p in g.iter(f"{SVG}polygon")])
    ]


@pytest.fixture(scope="module", params=share([*TEN]))
def slide(request: pytest.FixtureRequest) -> Drawing:
    return TEN[request.param](size="slide")


def test_on_a_slide_no_text_is_under_14_pixels_and_nothing_is_cut_or_overlaps(slide: Drawing) -> None:
    root, shown, _ = read(slide.svg)
    assert (root.get("width"), root.get("height")) == ("1920px", "1080px")
    assert smallest_text(slide.svg, 1920, 1080) >= 14
    drawn = boxes(root)
    assert len(drawn) == len(slide.layout.folded.view.nodes)
    for a, b in itertools.combinations(drawn, 2):
        assert not overlap(a, b)
    for left, top, right, bottom in drawn:
        assert shown[0] <= left
        assert shown[1] <= top
        assert right <= shown[2]
        assert bottom <= shown[3]
    for text in root.iter(f"{SVG}text"):
        assert shown[0] <= float(text.attrib["x"]) <= shown[2]
        assert shown[1] <= float(text.attrib["y"]) <= shown[3]
    assert len(slide.folded.view.nodes) <= 22


def test_layer_norm_fits_a_slide_in_one_line_a_box_with_its_gradients() -> None:
    drawing = TEN["layer_norm"](size="slide")
    assert (drawing.layout.look.style, drawing.layout.look.labels) == ("compact", True)
    assert len(drawing.layout.folded.view.nodes) == len(drawing.view.nodes) == 12
    root, _, _ = read(drawing.svg)
    classes = [g.get("class") for g in root.iter(f"{SVG}g")]
    assert classes.count("edge backward") == len(drawing.view.edges) == 13
    texts = [t.text or "" for t in root.iter(f"{SVG}text")]
    assert any("ḡ · 2 · centered" in t for t in texts)


def test_a_recurrent_net_and_twelve_layers_are_a_few_boxes_and_one_can_be_opened() -> None:
    steps, layers = recurrent(), twelve_layers()
    assert len(steps.folded.view.nodes) <= 25
    assert "step × 20" in [n.title for n in steps.folded.view.nodes]
    assert [n.title for n in layers.folded.view.nodes] == ["src", "TransformerEncoderLayer × 12"]
    opened = twelve_layers(open="layers.3")
    assert len(opened.folded.view.nodes) <= 25
    values = {n.id: n.value for n in opened.view.nodes}
    inside = [n for n in opened.folded.view.nodes if n.cluster == "layers.3"]
    assert len(inside) == 8
    assert all(n.value is not None for n in inside)
    assert [n.value for n in inside if n.kind == "operation"] == [values[n.id] for n in inside if n.kind == "operation"]
    step = recurrent(open="step.7")
    assert len(step.folded.view.nodes) <= 25
    assert all(n.value is not None for n in step.folded.view.nodes if n.cluster in step.folded.focused)


@pytest.mark.parametrize("size", ["page", "screen"])
@pytest.mark.parametrize("name", ["neuron", "layer_norm", "encoder_layer"])
def test_on_paper_and_on_a_screen(name: str, size: Any) -> None:
    drawing = TEN[name](size=size)
    root, _, _ = read(drawing.svg)
    unit = {"page": "pt", "screen": "px"}[size]
    width = float(root.attrib["width"].removesuffix(unit))
    place = PLACES[size]
    assert width <= place.width * place.units
    assert smallest_text(drawing.svg, width, 1e9) == pytest.approx(place.text * place.units, rel=0.01)


def test_a_font_size_of_one_s_own() -> None:
    large = TEN["neuron"](size="slide", font_size=20)
    assert smallest_text(large.svg, 1920, 1080) >= 20
    plain = TEN["neuron"](font_size=18)
    width, height = size_of(plain.svg.replace(' xmlns="http://www.w3.org/2000/svg"', ""))
    assert smallest_text(plain.svg, width, height) == pytest.approx(18, rel=0.01)
    with pytest.raises(tg.InputError, match="must have no text under 300 px; the best layout of this one has "):
        _ = TEN["neuron"](size="slide", font_size=300).svg
    for wrong in (0, -3, float("nan"), "large"):
        with pytest.raises(tg.InputError, match="font_size must be a number of pixels or points above 0; got "):
            TEN["neuron"](font_size=wrong)


def test_what_cannot_fit_says_what_to_do() -> None:
    def tangle(x: tg.Tensor) -> tg.Tensor:
        for i in range(40):
            x = [tg.exp, tg.sin, tg.cos, tg.tanh][(i * i) % 7 % 4](x) * (i + 2.0)
        return x

    with pytest.raises(tg.InputError, match=r"size='slide' must have no text under 14 px.*tg\.scope"):
        _ = tg.draw(tangle, 0.5, size="slide", depth=None).svg


@pytest.mark.parametrize(("option", "value"), [("size", "poster"), ("style", "fancy")])
def test_places_and_styles_that_are_none(option: str, value: str) -> None:
    with pytest.raises(tg.InputError, match=f"{option} must be one of .*; got '{value}'"):
        tg.draw(lambda x: x, 1.0, **{option: value})


def test_compact_has_tables_only_at_both_ends_and_where_it_is_opened() -> None:
    def inner(x: tg.Tensor) -> tg.Tensor:
        with tg.scope("first"):
            y = tg.exp(x) * 2.0
        with tg.scope("second"):
            return tg.sin(y) * 3.0

    def tables(drawing: Drawing) -> set[str]:
        # A line has its name and what else there is in one row.
        return {n.id for n in drawing.view.nodes if re.search(rf'"{n.id}" \[[^\n]*value</font>', drawing.dot)}

    inputs = np.ones((2, 2))
    assert tables(tg.draw(inner, inputs, gradients=True, style="compact")) == {"x", "multiply_2"}
    opened = tg.draw(inner, inputs, gradients=True, style="compact", open="first")
    assert tables(opened) == {"x", "exp_1", "multiply_1", "multiply_2"}
    assert len(tables(tg.draw(inner, inputs, gradients=True))) == 5
    number = tg.draw(lambda x: tg.exp(x) * 2.0, 0.0, style="compact").dot
    assert "= 1</font>" in number
    assert "gradient 2</font>" in number


def test_a_line_says_what_is_wrong_with_it() -> None:
    with np.errstate(all="ignore"):
        drawing = tg.draw(lambda x: tg.log(x) * np.ones(2) * 2.0, [-1.0, 1.0], style="compact")
    assert "first NaN at (0,)" in drawing.svg


def test_every_format_has_the_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawing = TEN["neuron"](size="slide")
    drawing.save(tmp_path / "neuron.png")
    content = (tmp_path / "neuron.png").read_bytes()
    width, height = (int.from_bytes(content[i : i + 4], "big") for i in (16, 20))
    assert 1850 <= width <= 1925
    assert height <= 1085
    options: list[list[str]] = []

    def rendered(renderer: Any, dot: str, given: list[str], seconds: float) -> bytes:
        options.append(given)
        return b'<svg width="720pt" height="360pt"'

    monkeypatch.setattr("tinygrad_norm.viz.render.run_renderer", rendered)
    monkeypatch.setattr("tinygrad_norm.viz.render.renderer_for", lambda *given: None)
    plain = replace(TEN["neuron"](font_size=18), renderer="dot")
    plain.picture("pdf")
    assert options == [["-Tsvg"], ["-Tpdf", "-Gsize=20.0000,10.0000!"]]


def test_dot_and_text_need_no_renderer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tinygrad_norm.viz.render.find_renderers", lambda: iter(()))
    drawing = TEN["neuron"](size="slide")
    assert drawing.dot == TEN["neuron"]().dot
    assert "no picture" in drawing._repr_mimebundle_()["text/plain"]


def test_a_slide_in_the_dark_is_dark_to_its_edges() -> None:
    root, shown, (_, y) = read(TEN["neuron"](size="slide", theme="dark").svg)
    (canvas,) = root.findall(f"{SVG}rect")
    assert canvas.get("fill") == "#14161a"
    assert float(canvas.attrib["width"]) == pytest.approx(shown[2] - shown[0], abs=0.1)
    assert float(canvas.attrib["y"]) - y == pytest.approx(shown[1], abs=0.1)


def test_the_same_program_gives_the_same_bytes() -> None:
    assert TEN["recurrent"](size="slide").svg == TEN["recurrent"](size="slide").svg
