"""Where a drawing is shown, and the layout that can be read there: a slide, a page of paper, a screen.

A :class:`Place` has a width, a height and a size below which no text may fall. :func:`fitting` tries layouts in order
of how much they show (tables, then one line a box; labels on edges, then without; fewer boxes) and takes the first
that fits, by the size that the renderer gives it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ..errors import InputError
from .dot_labels import SMALL, Style
from .fold import Folded
from .graph_as_dot import Look, Way
from .render import size_of

Size: TypeAlias = Literal["slide", "page", "screen"]

LARGEST_TEXT = 2.4
"""On a slide the smallest text becomes at most so many times as large as drawn."""


@dataclass(frozen=True)
class Place:
    """A size in points, the smallest text in points, and how many of its own units a point has."""

    width: float
    height: float
    text: float
    unit: str = "pt"
    units: float = 1.0
    filled: bool = False


PLACES: dict[str, Place] = {
    "slide": Place(1440, 810, 10.5, "px", 4 / 3, filled=True),  # 1920 × 1080 px, text from 14 px on
    "page": Place(482, 720, 7),  # A4 between margins of 2 cm
    "screen": Place(1050, math.inf, 9, "px", 4 / 3),  # 1400 px wide, text from 12 px on
}


@dataclass(frozen=True)
class Layout:
    """A folded view as it is drawn: its DOT, its SVG as the renderer wrote it, and by how much that is enlarged."""

    folded: Folded
    look: Look
    dot: str
    svg: str = ""
    scale: float = 1.0


def place_of(size: str, font_size: float | None) -> Place:
    """Return a place; ``font_size`` is its smallest text in its own unit: pixels, on paper points."""
    place = PLACES[size]
    if font_size is None:
        return place
    return Place(place.width, place.height, font_size / place.units, place.unit, place.units, place.filled)


def looks(way: str, style: str, look: Look, beside: bool) -> Iterable[Look]:
    """Yield the ways to draw that are allowed, those first that show most; the legend may stand ``beside`` it."""
    ways: tuple[Way, ...] = (way,) if way in ("LR", "TB") else ("LR", "TB")  # type: ignore[assignment]  # one of the two
    shown: tuple[tuple[Style, bool, bool], ...] = (
        ("card", True, True),
        ("card", False, True),
        ("compact", True, True),
        ("compact", False, True),
        ("compact", True, False),
        ("compact", False, False),
    )
    for kind, labels, tables in shown:
        if style == kind or (style == "auto" and (kind, labels) != ("card", False)):
            for direction in ways:
                yield Look(direction, look.numbers, kind, labels, tables, beside)


def fitting(
    foldings: Iterable[Folded],
    candidates: Iterable[Look],
    place: Place,
    size: str,
    write: Callable[[Folded, Look], str],
    draw: Callable[[str], str],
) -> Layout:
    """Return the first layout that can be read in a place; an InputError where there is none."""
    best = 0.0
    looks_allowed = list(candidates)
    for folded in foldings:
        for look in looks_allowed:
            dot = write(folded, look)
            svg = draw(dot)
            width, height = size_of(svg)
            most = min(place.width / width, place.height / height)
            needed = place.text / SMALL
            if most >= needed:
                scale = min(most, max(LARGEST_TEXT, needed)) if place.filled else needed
                return Layout(folded, look, dot, svg, scale)
            best = max(best, most * SMALL * place.units)
    raise InputError(
        f"a drawing for size={size!r} must have no text under {place.text * place.units:.3g} {place.unit}; the best "
        f"layout of this one has {best:.2g} {place.unit}. Draw less of it: depth=0, focus='path.of.a.module', or put "
        "parts of the computation in `with tg.scope('name'):`."
    )
