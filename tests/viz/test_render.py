"""The chain of renderers, their failures, sizes, and files written whole or not at all."""

from __future__ import annotations

import os
import stat
import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import tinygrad_norm as tg
from tinygrad_norm.viz import Drawing
from tinygrad_norm.viz import render as r
from tinygrad_norm.viz.render import (
    RendererError,
    find_renderers,
    render,
    renderer_for,
    resolution,
    size_of,
    use_renderer,
)

SMALL = "digraph { a -> b }"
PYTHON = sys.executable  # kept, since a test below pretends that it lies elsewhere


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str, str], Path]:
    """Write an executable Python program that stands in for a renderer."""

    def write(name: str, body: str) -> Path:
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!{PYTHON}\nimport sys\nsource = sys.stdin.read()\n{body}\n", encoding="utf-8")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    return write


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine on which no renderer can be found; returns the only folder on its PATH."""
    only = tmp_path / "bin"
    only.mkdir()
    monkeypatch.delenv(r.VARIABLE, raising=False)
    monkeypatch.setenv("PATH", str(only))
    monkeypatch.setattr(r.sysconfig, "get_path", lambda name: str(tmp_path / "scripts"))
    monkeypatch.setattr(r.sys, "executable", str(tmp_path / "nowhere" / "python"))
    return only


def test_the_chain(
    nothing_installed: Path, program: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert list(find_renderers()) == []
    dot = program("dot", "")
    assert [(x.path, x.found, x.pdf) for x in find_renderers()] == [(str(dot), "dot on the PATH", True)]
    pure = program("graphviz-pure", "")
    assert [x.path for x in find_renderers()] == [str(pure), str(dot)]
    mine = program("mine", "")
    monkeypatch.setenv(r.VARIABLE, str(mine))
    assert [x.path for x in find_renderers()] == [str(mine), str(pure), str(dot)]
    assert renderer_for("svg").found == r.VARIABLE
    assert renderer_for("svg", str(dot)).path == str(dot)
    monkeypatch.setenv(r.VARIABLE, str(pure))
    assert renderer_for("pdf").path == str(dot)


def test_the_executable_beside_python_is_found(tmp_path: Path, nothing_installed: Path) -> None:
    for folder in ("scripts", "nowhere"):
        path = tmp_path / folder / "graphviz-pure"
        path.parent.mkdir()
        path.write_text("", encoding="utf-8")
        path.chmod(0o755)
        assert next(find_renderers()).path == str(path)
        path.unlink()


def test_a_variable_that_names_nothing(nothing_installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(r.VARIABLE, "/no/such/dot")
    with pytest.raises(RendererError, match="TINYGRAD_NORM_DOT must name an executable; got '/no/such/dot'"):
        list(find_renderers())
    with pytest.raises(RendererError, match="renderer= must name an executable; got '/none'"):
        renderer_for("svg", "/none")


def test_without_a_renderer_dot_and_text_work_and_the_message_gives_the_ways_out(
    nothing_installed: Path, square: Drawing, tmp_path: Path
) -> None:
    for name in ("g.svg", "g.png", "g.pdf", "g.html"):
        with pytest.raises(RendererError) as error:
            square.save(tmp_path / name)
        assert "pip install graphviz-pure" in str(error.value)
        assert "TINYGRAD_NORM_DOT" in str(error.value)
        assert "\n" not in str(error.value)
        assert not (tmp_path / name).exists()
    square.save(tmp_path / "g.gv")
    square.save(tmp_path / "g.txt")
    shown = square._repr_mimebundle_()
    assert set(shown) == {"text/plain"}
    assert shown["text/plain"].startswith(square.text)
    assert "pip install graphviz-pure" in shown["text/plain"]


def test_a_pdf_needs_dot(
    nothing_installed: Path, program: Callable[[str, str], Path], square: Drawing, tmp_path: Path
) -> None:
    program("graphviz-pure", "")
    with pytest.raises(RendererError, match="a PDF needs Graphviz's own dot; found only the package graphviz-pure"):
        square.save(tmp_path / "g.pdf")
    program("dot", "sys.stdout.write('%PDF ' + ' '.join(sys.argv[1:]))")
    square.save(tmp_path / "g.pdf")
    assert (tmp_path / "g.pdf").read_bytes() == b"%PDF -Tpdf"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("sys.stderr.write('Warning: one\\nError: two\\nthree'); sys.exit(3)", "code 3 and said: Error: two"),
        ("sys.stderr.write('only this'); sys.exit(1)", "code 1 and said: only this"),
        ("", "code 0 and said: nothing"),
    ],
)
def test_a_renderer_that_fails(
    nothing_installed: Path, program: Callable[[str, str], Path], body: str, said: str
) -> None:
    program("graphviz-pure", body)
    with pytest.raises(RendererError, match=said):
        render(SMALL, "svg")


@pytest.mark.parametrize(
    ("wrote", "said"),
    [
        ("<svg", "SVG; what it wrote cannot be read"),
        ("<svg/>", "an SVG with a viewBox and a group; got none"),
        ("<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 9 9'><title/></svg>", "an SVG with a viewBox"),
    ],
)
def test_a_renderer_that_writes_something_else(
    nothing_installed: Path, program: Callable[[str, str], Path], square: Drawing, wrote: str, said: str
) -> None:
    program("graphviz-pure", f"sys.stdout.write({wrote!r})")
    with pytest.raises(RendererError, match=f"must write {said}"):
        _ = square.svg
    assert "(no picture: a renderer must write " in square._repr_mimebundle_()["text/plain"]


def test_a_renderer_that_hangs(nothing_installed: Path, program: Callable[[str, str], Path]) -> None:
    program("graphviz-pure", "import time; time.sleep(600)")
    with pytest.raises(RendererError, match=r"must be laid out within 0\.2 seconds"):
        render(SMALL, "svg", seconds=0.2)


def test_a_renderer_that_cannot_be_started(nothing_installed: Path) -> None:
    broken = nothing_installed / "graphviz-pure"
    broken.write_bytes(b"\x7fELF nonsense")
    broken.chmod(0o755)
    with pytest.raises(RendererError, match="could not be started"):
        render(SMALL, "svg")


@pytest.mark.parametrize("rubbish", ["<!DOCTYPE html><html><svg></svg></html>", "graph", "\\x1b[2J"])
def test_what_is_no_picture_is_not_saved_as_one(
    nothing_installed: Path, program: Callable[[str, str], Path], rubbish: str
) -> None:
    program("graphviz-pure", f"sys.stdout.write('{rubbish}')")
    with pytest.raises(RendererError, match="must write svg; it wrote something else, beginning with b'") as error:
        render(SMALL, "svg")
    assert str(error.value).isprintable()


def test_without_a_path_the_folder_we_are_in_is_not_searched(
    nothing_installed: Path, program: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("graphviz-pure", "dot"):
        monkeypatch.chdir(program(name, "sys.stdout.write('<svg')").parent)
    for path in (None, "", os.pathsep, f"/none{os.pathsep}"):
        monkeypatch.setenv("PATH", path) if path is not None else monkeypatch.delenv("PATH")
        assert [r for r in find_renderers() if r.path.startswith(("./", os.getcwd()))] == []


def test_warnings_stay_off_the_screen(
    nothing_installed: Path, program: Callable[[str, str], Path], capfd: pytest.CaptureFixture[str]
) -> None:
    program("graphviz-pure", "sys.stderr.write('Warning: fonts'); sys.stdout.write('<svg>' + source)")
    assert render(SMALL, "svg") == b"<svg>" + SMALL.encode()
    assert capfd.readouterr() == ("", "")


def png_size(content: bytes) -> tuple[int, int]:
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", content[16:24])
    return width, height


def test_a_png_is_sharp_and_never_longer_than_8000_pixels(square: Drawing) -> None:
    small = png_size(square.picture("png"))
    assert max(small) < 2000
    chain = "digraph { rankdir=LR " + " ".join(f"{i} -> {i + 1}" for i in range(300)) + " }"
    assert 7000 < max(png_size(render(chain, "png"))) <= 8000


def test_resolution_comes_from_the_size() -> None:
    assert resolution(4000, 144) == 144
    assert resolution(4001, 144) == 143
    with pytest.raises(tg.InputError, match="must give its size in points"):
        size_of("<svg>")


def test_the_graphviz_package_is_left_as_it_was(square: Drawing) -> None:
    import graphviz

    def settings() -> tuple[str, str]:
        return graphviz.set_default_engine("dot"), graphviz.set_default_format("pdf")

    before = settings()
    assert square.svg
    assert settings() == before


@pytest.fixture
def in_process() -> Iterator[Callable[[Callable[[str], str]], None]]:
    """Lay out by a function; by programs again afterwards."""
    yield use_renderer
    use_renderer(None)


@pytest.mark.usefixtures("nothing_installed")
def test_a_function_lays_out_where_no_program_is(in_process: Callable[[Callable[[str], str]], None]) -> None:
    asked: list[str] = []

    def lay_out(dot: str) -> str:
        asked.append(dot)
        return '<?xml version="1.0"?><svg width="10pt" height="20pt" xmlns="http://www.w3.org/2000/svg"><g/></svg>'

    in_process(lay_out)
    drawing = tg.draw(lambda x: x * x, 3.0)
    assert 'width="10pt"' in drawing.svg
    assert asked == [drawing.dot]
    with pytest.raises(RendererError, match=r"a PNG needs a renderer that is a program; .* Save as \.svg"):
        drawing.picture("png")
    with pytest.raises(RendererError, match="renderer= must name an executable"):
        render(SMALL, "svg", "/none")
    use_renderer(None)
    with pytest.raises(RendererError, match="found none on this machine"):
        render(SMALL, "svg")


@pytest.mark.parametrize(
    ("lay_out", "said"),
    [(lambda dot: dot, "it wrote b'digraph"), (lambda dot: dot.missing, "it said: 'str' object has no attribute")],
)
def test_a_function_that_writes_no_svg(
    in_process: Callable[[Callable[[str], str]], None], lay_out: Callable[[str], str], said: str
) -> None:
    in_process(lay_out)
    with pytest.raises(RendererError, match=said):
        render(SMALL, "svg")
