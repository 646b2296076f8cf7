"""A :class:`Drawing`: a graph to be looked at, saved in any format, or read as text, a table or data."""

from __future__ import annotations

import html
import os
import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from ..errors import InputError
from ..terminal.files import whole_file
from .dot_labels import SMALL, Style
from .finished_svg import finished
from .fold import Folded
from .graph_as_data import data_of
from .graph_as_dot import Direction, Look, dot_of
from .graph_as_text import listing, step_tables
from .graph_view import GraphView
from .layouts import PLACES, Layout, Size, fitting, looks, place_of
from .recorded_run import Run
from .render import RESOLUTION, RendererError, render
from .stepping_page import pictures_of, stepping_page
from .theme import Theme, palette

IDENTITY = re.compile(r' id="[^"]*"')
LARGEST = 2000
"""Above so many visible nodes a layout would take minutes."""
SUFFIXES = {f".{name}": name for name in ("gv", "dot", "svg", "png", "pdf", "html", "htm", "txt")}
SUFFIXES |= {".dot": "gv", ".htm": "html"}


@dataclass(frozen=True)
class EmbeddedPage:
    """The interactive page as a notebook shows it."""

    page: str
    height: int

    def _repr_html_(self) -> str:
        return (
            f'<iframe srcdoc="{html.escape(self.page)}" width="100%" height="{self.height}" '
            'title="Computation graph" style="border:0"></iframe>'
        )


@dataclass(frozen=True)
class Drawing:
    """A graph, ready to be written in any format.

    Edges follow the data. Where a backward pass was watched, dashed edges carry back what each operation sends to each
    of its arguments: ḡ · ∂ for single numbers, the operation's rule for arrays.

    Attributes
    ----------
    view : GraphView
        The whole graph as plain data.
    folded : Folded
        What is visible of it.
    values, direction, theme, force, renderer, style, size, font_size
        How it is shown, as :func:`tinygrad_norm.draw` explains.
    foldings : sequence of Folded
        What may be shown instead where that is too much.
    title : str
        What the page is called.
    run, keys : Run or None, dict
        Where :meth:`to_json` finds the numbers: the run, and which of its values each node's id stands for.
    """

    view: GraphView
    folded: Folded
    values: bool | None = None
    direction: Direction = "auto"
    theme: Theme = "auto"
    force: bool = False
    renderer: str | None = None
    style: Literal["auto"] | Style = "auto"
    size: Size | None = None
    font_size: float | None = None
    foldings: Sequence[Folded] = ()
    title: str = "Computation graph"
    run: Run | None = None
    keys: Mapping[str, Hashable] = field(default_factory=dict)

    @cached_property
    def layout(self) -> Layout:
        """How it is laid out; for a ``size``, the first layout that can be read there."""
        look = Look(self.direction, self.values, "compact" if self.style == "compact" else "card")
        if self.size is None:
            scale = 1.0 if self.font_size is None else self.font_size / SMALL
            return Layout(self.folded, look, self._written(self.folded, look), scale=scale)
        self.check_size()
        place = place_of(self.size, self.font_size)
        tried = looks(self.direction, self.style, look, place.filled)
        return fitting((self.folded, *self.foldings), tried, place, self.size, self._written, self._rendered)

    def _written(self, folded: Folded, look: Look) -> str:
        return dot_of(folded.view, palette(self.theme), look, folded.focused)

    def _rendered(self, dot: str) -> str:
        return render(dot, "svg", self.renderer).decode("utf-8")

    @cached_property
    def dot(self) -> str:
        """The drawing as DOT, Graphviz's language; needs nothing installed, though only a renderer can tell a size."""
        try:
            return self.layout.dot
        except RendererError:
            return replace(self, size=None).dot

    @cached_property
    def svg(self) -> str:
        """The drawing as SVG."""
        self.check_size()
        layout = self.layout
        place = place_of(self.size, self.font_size) if self.size else None
        raw = layout.svg or self._rendered(layout.dot)
        return finished(raw, layout.folded.view, self.theme, scale=layout.scale, place=place)

    def embedded(self) -> str:
        """Return the SVG for a page that holds other things: without ids, which must be unique there."""
        return IDENTITY.sub("", self.svg).rstrip()

    @property
    def text(self) -> str:
        """The visible graph as a listing, one line an operation."""
        return listing(self.folded.view)

    @property
    def table(self) -> str:
        """Every step's value and gradient as labeled tables, forward and then backward."""
        return step_tables(self.view)

    def to_json(self) -> dict[str, Any]:
        """Return the whole graph as nested data at full precision, ready for :func:`json.dumps`."""
        return data_of(self.view, self.run, self.keys)

    @cached_property
    def page(self) -> str:
        """The interactive page, complete in itself."""
        self.check_size()
        pictures, shown = pictures_of(self.view, self.folded, self._svg_of)
        return stepping_page(self.view, pictures, shown, self.theme, self.title)

    def _svg_of(self, folded: Folded, prefix: str) -> str:
        """Return one fold of the page; drawn in light colors, which the page's own style turns dark."""
        part = replace(self, folded=folded, theme="light", size=None, font_size=None)
        return finished(self._rendered(part.dot), folded.view, "light", prefix)

    def interactive(self, height: int = 700) -> EmbeddedPage:
        """Return the page for a notebook, in a frame of so many pixels."""
        return EmbeddedPage(self.page, height)

    def picture(self, format: str) -> bytes:
        """Return the content of a file in a format: gv, svg, png, pdf, html or txt."""
        if format == "gv":
            return self.dot.encode("utf-8")
        if format == "txt":
            return (self.text + "\n").encode("utf-8")
        if format == "html":
            return self.page.encode("utf-8")
        if format == "svg":
            return self.svg.encode("utf-8")
        self.check_size()
        scale = self.layout.scale
        dots = 72 * PLACES[self.size].units if self.size in ("slide", "screen") else RESOLUTION
        return render(self.dot, format, self.renderer, scale=scale, dots=dots)  # type: ignore[arg-type]  # the suffixes allow no other

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the drawing to a file; the suffix chooses the format: gv, svg, png, pdf, html or txt.

        Raises
        ------
        InputError
            The suffix is none of these, or the file cannot be written.
        RendererError
            The format needs a renderer, and there is none.
        """
        suffix = Path(path).suffix.lower()
        if suffix not in SUFFIXES:
            raise InputError(
                f"a drawing must be saved with one of the suffixes {' '.join(SUFFIXES)}; got {os.fspath(path)!r}. "
                "Write for example graph.svg, or graph.html for the page with the steps."
            )
        write_drawing(path, self.picture(SUFFIXES[suffix]))

    def check_size(self) -> None:
        """Raise where a layout would take minutes."""
        visible = len(self.folded.view.nodes)
        if visible > LARGEST and not self.force:
            raise InputError(
                f"a drawing must have at most {LARGEST} visible nodes; this one has {visible}. Fold it with depth=0 or "
                "focus='path.of.a.module', put parts of the computation in `with tg.scope('name'):`, save it as .gv or "
                ".txt, or pass force=True and wait."
            )

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Mapping[str, str]:
        """Show the picture in a notebook, and the text where there is no picture; never raises."""
        try:
            return {"image/svg+xml": self.svg, "text/plain": self.text}
        except Exception as error:  # a traceback in place of a display would hide the text, too
            return {"text/plain": f"{self.text}\n\n(no picture: {error})"}


def write_drawing(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file as a whole or not at all."""
    try:
        with whole_file(path) as part:
            part.write_bytes(content)
    except OSError as error:
        raise InputError(
            f"the drawing must go to a file that can be written; {path}: {error.strerror or error}. "
            "Check the folder and its permissions."
        ) from error
