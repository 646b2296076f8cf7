"""Every format by suffix, the SVG's insides, and what a notebook shows."""

from __future__ import annotations

import json
import os
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm.viz import Drawing
from tinygrad_norm.viz.drawing import write_drawing
from tinygrad_norm.viz.finished_svg import sentence_of

STARTS = {"gv": b"digraph", "dot": b"digraph", "txt": b"x: input", "html": b"<!doctype html>"}
STARTS |= {"svg": b"<svg", "SVG": b"<svg", "png": b"\x89PNG"}


@pytest.mark.parametrize("suffix", STARTS)
def test_the_suffix_chooses_the_format(square: Drawing, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"graph.{suffix}"
    square.save(path)
    assert path.read_bytes().startswith(STARTS[suffix])
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_a_suffix_that_is_none(square: Drawing) -> None:
    with pytest.raises(tg.InputError, match=r"one of the suffixes .gv .dot .svg .* got 'graph.jpeg'"):
        square.save("graph.jpeg")


def parts(svg: str, kind: str) -> list[ElementTree.Element]:
    return [g for g in ElementTree.fromstring(svg).iter() if (g.get("class") or "").startswith(kind)]


def test_the_svg_has_each_node_and_edge_once(layer_norm: Drawing) -> None:
    view = layer_norm.view
    svg = layer_norm.svg
    assert sorted(g.get("data-node") or "" for g in parts(svg, "node")) == sorted(n.id for n in view.nodes)
    assert sorted(g.get("id") or "" for g in parts(svg, "edge forward")) == sorted(
        f"e{i}" for i in range(len(view.edges))
    )
    sent = [i for i, e in enumerate(view.edges) if e.contribution is not None]
    assert sorted(g.get("id") or "" for g in parts(svg, "edge backward")) == sorted(f"b{i}" for i in sent)
    assert [g.get("data-cluster") for g in parts(svg, "cluster")] == ["layer_norm"]


def test_every_part_has_a_tooltip(layer_norm: Drawing) -> None:
    for kind in ("node", "edge", "cluster"):
        for group in parts(layer_norm.svg, kind):
            title = group.find("{http://www.w3.org/2000/svg}title")
            assert title is not None
            assert title.text
            assert group.get("data-node") != title.text
    assert "xlink" not in layer_norm.svg
    assert "<!--" not in layer_norm.svg


def test_the_svg_says_what_it_is(layer_norm: Drawing) -> None:
    root = ElementTree.fromstring(layer_norm.svg)
    assert root.get("role") == "img"
    assert root.get("aria-label") == "Computation graph: 3 leaves, 9 operations, with the backward pass"
    folded = tg.draw(lambda z: tg.functional.softmax(z), [1.0, 2.0], depth=0)
    assert sentence_of(folded.folded.view) == "Computation graph: 1 leaves, 0 operations, 1 folded modules"


def test_themes() -> None:
    light, dark, auto = (tg.draw(lambda x: x * x, 3.0, theme=t) for t in ("light", "dark", "auto"))
    assert "prefers-color-scheme" not in light.svg + dark.svg
    assert "prefers-color-scheme:dark" in auto.svg
    assert light.dot == auto.dot
    assert "#14161a" in dark.dot
    assert "#14161a" not in light.svg


def test_the_layout_is_the_same_with_and_without_numbers_that_are_hidden(square: Drawing) -> None:
    """The page steps through one drawing: all edges of the backward pass are in it from the start."""
    assert square.page.count('class="edge backward"') == 2


def test_a_notebook_shows_the_picture_and_the_text(square: Drawing) -> None:
    shown = square._repr_mimebundle_(include=None, exclude=None)
    assert shown == {"image/svg+xml": square.svg, "text/plain": square.text}
    assert repr(square) == square.text


def test_a_frame_holds_the_whole_page(square: Drawing) -> None:
    frame = square.interactive(height=300)._repr_html_()
    assert frame.startswith('<iframe srcdoc="&lt;!doctype html&gt;')
    assert 'height="300"' in frame


def test_too_large_a_drawing_is_refused_with_advice_unless_forced(tmp_path: Path) -> None:
    x = tg.Tensor(1.0, requires_grad=True)
    y = x
    for _ in range(2100):
        y = y + 1.0
    drawing = tg.draw(y, depth=None)
    for name in ("g.svg", "g.png", "g.html"):
        with pytest.raises(tg.InputError, match=r"at most 2000 visible nodes; this one has 2101.*depth=0.*force=True"):
            drawing.save(tmp_path / name)
    drawing.save(tmp_path / "g.gv")
    assert "(no picture: a drawing must have" in drawing._repr_mimebundle_()["text/plain"]
    assert tg.draw(y, depth=None, force=True).svg.count('class="node"') == 2101


def test_data_at_full_precision(layer_norm: Drawing) -> None:
    data = json.loads(json.dumps(layer_norm.to_json(), allow_nan=False))
    nodes = {n["id"]: n for n in data["nodes"]}
    np.testing.assert_array_equal(nodes["z"]["value"], [[7, 5, 4], [2, 3, 4], [1, 2, 3], [7, 5, 6], [3, 3, 4]])
    assert abs(nodes["divide_1"]["value"][0][0] - 5 / 14**0.5) < 1e-5
    received = [np.array(e["contribution"]) for e in data["edges"] if e["from"] == "z"]
    np.testing.assert_allclose(sum(received), nodes["z"]["gradient"], rtol=1e-12)
    assert data["clusters"] == [{"id": "layer_norm", "path": "layer_norm", "label": "layer_norm", "parent": None}]
    assert [s["number"] for s in data["steps"]] == list(range(1, 27))
    assert data["failure"] is None


def test_data_without_a_run_and_without_numbers() -> None:
    with np.errstate(all="ignore"):
        data = tg.draw(lambda x: tg.log(x), -1.0).to_json()
    assert data["nodes"][1]["value"] is None
    assert data["nodes"][1]["notes"] == ["first NaN"]
    bare = Drawing(tg.draw(lambda x: x * x, 3.0).view, tg.draw(lambda x: x * x, 3.0).folded)
    assert {n["value"] for n in bare.to_json()["nodes"]} == {None}


def test_titles_of_pages() -> None:
    def loss(x: tg.Tensor) -> tg.Tensor:
        return x * x

    named = tg.Tensor(1.0, requires_grad=True, name="w")
    assert "<title>Computation graph of loss</title>" in tg.draw(loss, 1.0).page
    assert "<title>Computation graph of w</title>" in tg.draw(named).page
    assert "<title>Computation graph</title>" in tg.draw(lambda x: x * x, 1.0).page
    with tg.trace() as t:
        loss(named)
    assert "<title>Computation graph</title>" in t.draw().page


def test_a_renderer_can_be_chosen() -> None:
    drawing = tg.draw(lambda x: x * x, 3.0, renderer="/no/such/dot")
    with pytest.raises(tg.GraphError, match="renderer= must name an executable"):
        _ = drawing.svg


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "g.gv"
    path.write_text("old", encoding="utf-8")

    def full(source: str | os.PathLike[str], target: str | os.PathLike[str]) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tinygrad_norm.terminal.files.os.replace", full)
    with pytest.raises(tg.InputError, match="No space left on device"):
        write_drawing(path, b"new")
    assert path.read_text(encoding="utf-8") == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["g.gv"]


def test_a_folder_that_is_not_there(tmp_path: Path, square: Drawing) -> None:
    with pytest.raises(tg.InputError, match="must go to a file that can be written"):
        square.save(tmp_path / "none" / "g.gv")
