"""From DOT to SVG, PNG and PDF: finds a renderer, runs it with a time limit, and keeps its warnings to itself.

The first of these is used: the path given, ``TINYGRAD_NORM_DOT``, the ``graphviz-pure`` executable that comes with the
package, ``dot`` on the PATH. PDF needs ``dot``. Without any, DOT and text still work, and the error says what to do.
Where no program can be started, as in a browser, :func:`use_renderer` puts a function in their place.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from ..errors import GraphError, InputError

Format = Literal["svg", "png", "pdf"]

VARIABLE = "TINYGRAD_NORM_DOT"
SECONDS = 60.0
RESOLUTION = 144
"""Dots an inch of a PNG: twice a screen's 72, so that it stays sharp when shown at its natural size."""
LARGEST_SIDE = 8000
"""A renderer runs out of memory on much larger pictures; they are made smaller instead."""
WAYS_OUT = (
    "Install a renderer with `pip install graphviz-pure`, or Graphviz itself (https://graphviz.org/download), or set "
    f"{VARIABLE} to the path of a dot executable. Saving as .gv or .txt needs none."
)


class RendererError(GraphError):
    """No renderer was found, or it did not do its work."""


@dataclass(frozen=True)
class Renderer:
    """An executable that understands DOT, and where it was found."""

    path: str
    found: str
    pdf: bool


_svg_of: Callable[[str], str] | None = None


def use_renderer(svg_of: Callable[[str], str] | None) -> None:
    """Lay out by a function of this process, from DOT to SVG, where no renderer is named; None: by programs again."""
    global _svg_of
    _svg_of = svg_of


def named_renderer(name: str, by: str) -> Renderer:
    """Return the renderer that the user chose, in an option or in the environment."""
    path = shutil.which(name)
    if path is None:
        raise RendererError(f"{by} must name an executable; got {name!r}, which is none. {WAYS_OUT}")
    return Renderer(path, by, "graphviz-pure" not in os.path.basename(path))


def find_renderers() -> Iterator[Renderer]:
    """Yield the renderers there are, best first."""
    chosen, on_path = os.environ.get(VARIABLE), os.environ.get("PATH", os.defpath)
    if chosen:
        yield named_renderer(chosen, VARIABLE)
    beside = [sysconfig.get_path("scripts"), os.path.dirname(sys.executable)]
    # An empty part would be the folder we are in.
    places = [place for place in [*beside, *on_path.split(os.pathsep)] if place]
    pure = shutil.which("graphviz-pure", path=os.pathsep.join(places))
    if pure is not None:
        yield Renderer(pure, "the package graphviz-pure", pdf=False)
    dot = shutil.which("dot", path=os.pathsep.join(places[len(beside) :]))
    if dot is not None:
        yield Renderer(dot, "dot on the PATH", pdf=True)


def renderer_for(format: Format, explicit: str | None = None) -> Renderer:
    """Return the renderer to use for a format; a RendererError if there is none, or none that writes PDF."""
    if explicit is not None:
        return named_renderer(explicit, "renderer=")
    found = list(find_renderers())
    if not found:
        raise RendererError(f"a drawing needs a renderer of DOT; found none on this machine. {WAYS_OUT}")
    able = [r for r in found if r.pdf or format != "pdf"]
    if not able:
        raise RendererError(
            f"a PDF needs Graphviz's own dot; found only {found[0].found}, which writes SVG and PNG. "
            "Save as .svg and print that to PDF, or install Graphviz (https://graphviz.org/download)."
        )
    return able[0]


def render(
    dot: str,
    format: Format,
    explicit: str | None = None,
    seconds: float = SECONDS,
    scale: float = 1.0,
    dots: float = RESOLUTION,
) -> bytes:
    """Return a picture of DOT source; a RendererError if no renderer makes it within ``seconds``.

    ``scale`` enlarges a PNG or PDF; a PNG has so many ``dots`` an inch.
    """
    if _svg_of is not None and explicit is None:
        return _rendered_here(_svg_of, dot, format)
    renderer = renderer_for(format, explicit)
    options = [f"-T{format}"]
    if format == "png" or (format == "pdf" and scale != 1.0):
        width, height = size_of(run_renderer(renderer, dot, ["-Tsvg"], seconds).decode("utf-8"))
        if format == "png":
            options.append(f"-Gdpi={resolution(max(width, height) * scale, dots) * scale:.4g}")
        else:
            options.append(f"-Gsize={width * scale / 72:.4f},{height * scale / 72:.4f}!")
    return run_renderer(renderer, dot, options, seconds)


def _rendered_here(svg_of: Callable[[str], str], dot: str, format: Format) -> bytes:
    if format != "svg":
        raise RendererError(
            f"a {format.upper()} needs a renderer that is a program; here one writes SVG. Save as .svg."
        )
    try:
        written = svg_of(dot).encode("utf-8")
    except Exception as error:  # of whatever kind its language has
        raise RendererError(f"the renderer of this process must write SVG; it said: {str(error)[:300]}.") from error
    if not looks_like(written, format):
        raise RendererError(f"the renderer of this process must write SVG; it wrote {written[:20]!r}.")
    return written


def run_renderer(renderer: Renderer, dot: str, options: list[str], seconds: float) -> bytes:
    """Run a renderer on DOT source and return what it wrote."""
    try:
        done = subprocess.run(
            [renderer.path, *options], input=dot.encode("utf-8"), capture_output=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        raise RendererError(
            f"a drawing must be laid out within {seconds:g} seconds; {renderer.path} was still at work. "
            "Draw less: depth=0, focus='path.of.a.module', or save as .gv and lay it out by hand."
        ) from None
    except OSError as error:
        raise RendererError(f"the renderer {renderer.path} could not be started: {error}. {WAYS_OUT}") from error
    if done.returncode != 0 or not done.stdout:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["nothing"]
        said = next((line for line in lines if line.startswith("Error")), lines[-1])
        raise RendererError(
            f"the renderer {renderer.path} must write {' '.join(options)}; it ended with code {done.returncode} and "
            f"said: {said[:300]}. Try another one with {VARIABLE}, or save as .gv."
        )
    if not looks_like(done.stdout, options[0].removeprefix("-T")):
        raise RendererError(
            f"the renderer {renderer.path} must write {options[0].removeprefix('-T')}; it wrote something else, "
            f"beginning with {done.stdout[:20]!r}. Try another one with {VARIABLE}, or save as .gv."
        )
    return done.stdout


def looks_like(content: bytes, format: str) -> bool:
    """Tell whether bytes begin as a file of this format does.

    >>> looks_like(b"<!DOCTYPE html>", "svg"), looks_like(b"%PDF-1.7", "pdf")
    (False, True)
    """
    start = content[:2000].lstrip()
    if format == "svg":
        return b"<svg" in start and b"<html" not in start.lower()
    return start.startswith({"png": b"\x89PNG", "pdf": b"%PDF"}[format])


def size_of(svg: str) -> tuple[float, float]:
    """Return width and height of a renderer's SVG in points.

    >>> size_of('<svg width="720pt" height="100.5pt"')
    (720.0, 100.5)
    """
    match = re.search(r'<svg width="([\d.]+)pt" height="([\d.]+)pt"', svg)
    if match is None:
        raise InputError("an SVG must give its size in points; found none. Render it with Graphviz.")
    width, height = map(float, match.groups())
    return width, height


def resolution(longest: float, dots: float) -> float:
    """Return the dots an inch at which a side of so many points is not longer than the limit.

    >>> resolution(720, 144), resolution(72000, 144)
    (144, 8)
    """
    return int(LARGEST_SIDE * 72 / longest) if longest * dots > LARGEST_SIDE * 72 else dots
