"""How the scenes of a moving picture are drawn: HTML whose moving pieces have their place in a style of their own.

:func:`drawn` gives the scene that is shown first, and for every choice the styles of the pieces, in their order. So the
page's script has nothing to compute: it puts one string in the place of another.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape
from typing import TypeAlias

from .chart_svg import ticks
from .moving import Cells, Dots, Moving, Plane, Point
from .numerals import write

Styles: TypeAlias = "list[str]"

BETWEEN = "|"
"""Stands between the styles of two pieces."""

NARROWEST = 17.0
"""How many rem wide a line is on a phone: dots that would touch there stand above each other."""

MARGIN = 1 / 16
"""What a line is longer at both ends than its numbers reach."""


def drawn(moving: Moving) -> tuple[str, list[str]]:
    """Return the scene that is shown first as HTML, and the styles of the pieces in every scene."""
    choices = list(moving.scenes)
    shown = choices.index(moving.shown)
    rulers = _rulers(moving)
    beside: list[str] = []
    lines: list[str] = []
    styles: list[Styles] = [[] for _ in choices]
    for index, first in enumerate(moving.scenes[moving.shown].parts):
        same = [moving.scenes[choice].parts[index] for choice in choices]
        if isinstance(first, Dots):
            html, of_part = _line([part for part in same if isinstance(part, Dots)], shown, rulers[first.unit])
            lines.append(html)
        elif isinstance(first, Plane):
            html, of_part = _plane([part for part in same if isinstance(part, Plane)], shown)
            beside.append(html)
        else:
            html, of_part = _cells([part for part in same if isinstance(part, Cells)], shown)
            beside.append(html)
        for all_styles, more in zip(styles, of_part, strict=True):
            all_styles += more
    columns = [f'<div class="beside">{"".join(beside)}</div>'] if beside else []
    columns += [f'<div class="lines">{"".join(lines)}</div>'] if lines else []
    both = " both" if len(columns) == 2 else ""
    return f'<div class="scene{both}" aria-hidden="true">{"".join(columns)}</div>', list(map(BETWEEN.join, styles))


class _Ruler:
    """Where on its line a number stands, in percent."""

    def __init__(self, numbers: Sequence[float]) -> None:
        self.least, self.most = min(numbers), max(numbers)
        if self.least == self.most:
            self.least, self.most = self.least - 1, self.most + 1
        # Halves, so that a line between the largest numbers there are does not overflow.
        margin = (self.most / 2 - self.least / 2) * 2 * MARGIN
        self._low, self._half = self.least - margin, (self.most / 2 - self.least / 2) + margin

    def at(self, number: float) -> float:
        return (number / 2 - self._low / 2) / self._half * 100


def _rulers(moving: Moving) -> dict[str, _Ruler]:
    """Return the ruler of each unit: it reaches over the numbers of every scene."""
    numbers: dict[str, list[float]] = {}
    for scene in moving.scenes.values():
        for part in scene.parts:
            if isinstance(part, Dots):
                numbers.setdefault(part.unit, []).extend([*part.numbers.values(), *part.marks.values()])
    return {unit: _Ruler(found) for unit, found in numbers.items()}


def _line(parts: Sequence[Dots], shown: int, ruler: _Ruler) -> tuple[str, list[Styles]]:
    """Return a line with its ticks, its marks, and its dots above it."""
    placed = [_placed(part, ruler) for part in parts]
    levels = 1 + max(level for places in placed for _, level in places)
    styles = [
        [
            *(f"--x:{_percent(ruler.at(mark))}" for mark in part.marks.values()),
            *(f"--x:{_percent(x)};--y:{level}" for x, level in places),
        ]
        for part, places in zip(parts, placed, strict=True)
    ]
    first = parts[shown]
    names = [*(("mark", name) for name in first.marks), *((_tone(i), name) for i, name in enumerate(first.numbers))]
    pieces = "".join(_piece(tone, name, style) for (tone, name), style in zip(names, styles[shown], strict=True))
    scale = "".join(_tick(tick, ruler) for tick in ticks(ruler.least, ruler.most))
    marked = " marked" if first.marks else ""
    html = (
        f'<div class="line-of-dots"><p class="part">{escape(first.label)}</p>'
        f'<div class="axis{marked}" style="--levels:{levels}">{scale}{pieces}</div></div>'
    )
    return html, styles


def _tick(number: float, ruler: _Ruler) -> str:
    zero = "" if number else " zero"
    return f'<span class="tick{zero}" style="--x:{_percent(ruler.at(number))}">{write(number, "g")}</span>'


def _tone(index: int) -> str:
    return f"dot tone-{index % 3}"


def _piece(kind: str, name: str, style: str) -> str:
    return f'<span class="{kind}" data-piece style="{style}">{escape(name)}</span>'


def _percent(share: float) -> str:
    """Return a number with two decimals, as short as that is.

    >>> _percent(57.1), _percent(0.001), _percent(-0.001), _percent(100.0)
    ('57.1', '0', '0', '100')
    """
    return f"{round(share, 2) + 0.0:.2f}".rstrip("0").rstrip(".")


def _placed(part: Dots, ruler: _Ruler) -> list[tuple[float, int]]:
    """Return where each dot stands: along the line, and on which level, so that no two overlap."""
    found = [(ruler.at(number), _width(name)) for name, number in part.numbers.items()]
    ends: list[float] = []  # of what stands on each level so far
    levels = [0] * len(found)
    for index in sorted(range(len(found)), key=lambda i: (found[i][0], i)):
        x, width = found[index]
        level = next((k for k, end in enumerate(ends) if x - width / 2 >= end), len(ends))
        ends[level : level + 1] = [x + width / 2]
        levels[index] = level
    return [(x, level) for (x, _), level in zip(found, levels, strict=True)]


def _width(name: str) -> float:
    """Return how wide a dot with this name is, in percent of the narrowest line."""
    return max(1.7, 0.6 * len(name) + 0.9) / NARROWEST * 100


def _plane(parts: Sequence[Plane], shown: int) -> tuple[str, list[Styles]]:
    """Return a square with a circle, arrows and points."""
    reach = max((abs(c) for part in parts for point in _ends(part) for c in point), default=0.0) * 1.15 or 1.0
    styles = [
        [
            *(_arrow(*arrow, reach) for arrow in part.arrows.values()),
            *_points(list(part.points.values()), reach),
        ]
        for part in parts
    ]
    first = parts[shown]
    # An arrow to a point ends before the name that stands there.
    names = [
        (f"arrow{' short' if end in first.points.values() else ''} tone-{i % 3}", "")
        for i, (_, end) in enumerate(first.arrows.values())
    ]
    names += [(_tone(i), name) for i, name in enumerate(first.points)]
    pieces = "".join(_piece(kind, name, style) for (kind, name), style in zip(names, styles[shown], strict=True))
    circle = f'<span class="circle" style="--r:{_percent(first.circle / reach * 100)}"></span>' if first.circle else ""
    html = f'<div><p class="part">{escape(first.label)}</p><div class="plane">{circle}{pieces}</div></div>'
    return html, styles


def _ends(part: Plane) -> Iterator[Point]:
    yield from part.points.values()
    for arrow in part.arrows.values():
        yield from arrow
    yield part.circle, part.circle


def _spot(point: Point, reach: float) -> str:
    return ";".join(f"--{axis}:{_percent(50 + c / reach * 50)}" for axis, c in zip("xy", point, strict=True))


def _points(points: Sequence[Point], reach: float) -> Styles:
    """Return the places of points; one that lies on another steps aside."""
    spots = [_spot(point, reach) for point in points]
    return [f"{spot};--aside:{spots[:index].count(spot)}" for index, spot in enumerate(spots)]


def _arrow(start: Point, end: Point, reach: float) -> str:
    across, up = (b / reach - a / reach for a, b in zip(start, end, strict=True))
    angle = math.degrees(math.atan2(up, across))
    return f"{_spot(start, reach)};--l:{_percent(math.hypot(across, up) * 50)};--a:{angle:.1f}"


def _cells(parts: Sequence[Cells], shown: int) -> tuple[str, list[Styles]]:
    """Return a grid of numbers, and the frame about its marked row or column."""
    first = parts[shown]
    heads = [f'<b style="grid-area:1/{j}">{escape(name)}</b>' for j, name in enumerate(first.columns, 2)]
    rows = [
        f'<b style="grid-area:{i}/1">{escape(name)}</b>'
        + "".join(f'<span style="grid-area:{i}/{j}">{escape(write(v))}</span>' for j, v in enumerate(row, 2))
        for i, (name, row) in enumerate(first.rows.items(), 2)
    ]
    styles = [[_framed(part)] for part in parts]
    html = (
        f'<div><p class="part">{escape(first.label)}</p><div class="cells" style="--rows:{len(first.rows)}">'
        f"{''.join([*heads, *rows])}"
        f"{_piece('frame', '', styles[shown][0])}</div></div>"
    )
    return html, styles


def _framed(part: Cells) -> str:
    down, across = len(part.rows), len(part.columns)
    if part.row is not None:
        return f"grid-area:{part.row + 2}/2/{part.row + 3}/{across + 2}"
    if part.column is not None:
        return f"grid-area:2/{part.column + 2}/{down + 2}/{part.column + 3}"
    return f"grid-area:2/2/{down + 2}/{across + 2}"
