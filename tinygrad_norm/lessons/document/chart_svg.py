"""A chart as a small inline SVG: lines told apart by color and dash, a level line, labeled axes.

The colors are CSS classes (``series-0`` …), so that the page decides them for light and dark.
"""

from __future__ import annotations

import math
from html import escape

from .lesson import Chart, Series
from .numerals import write

WIDTH, HEIGHT = 640, 320
LEFT, RIGHT, TOP, BOTTOM = 56, 16, 16, 48
DASHES = ("", "7 4", "2 3")
"""Of each style of line, as many as there are classes ``series-0`` … in the style sheet."""


def chart_svg(chart: Chart) -> str:
    """Return the chart as an ``<svg>`` element with an accessible name."""
    xs = [x for line in chart.series for x, _ in line.points]
    ys = [y for line in chart.series for _, y in line.points] + [chart.level]
    x_ticks, y_ticks = ticks(min(xs), max(xs)), ticks(min(ys), max(ys))
    margin = (max(ys) - min(ys) or max(abs(max(ys)), 1.0)) / 25
    low, high = min(ys) - margin, max(ys) + margin
    wide = max(xs) - min(xs) or 1.0

    def at_x(x: float) -> float:
        return LEFT + (x - min(xs)) / wide * (WIDTH - LEFT - RIGHT)

    def at_y(y: float) -> float:
        return TOP + (high - y) / (high - low) * (HEIGHT - TOP - BOTTOM)

    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(chart.title)}">',
        *(_x_tick(at_x(x), x) for x in x_ticks),
        *(_y_tick(at_y(y), y) for y in y_ticks),
        f'<path class="level" d="M{LEFT} {at_y(chart.level):.1f}H{WIDTH - RIGHT}"/>',
        *(_path(line, "M" + "L".join(f"{at_x(x):.1f} {at_y(y):.1f}" for x, y in line.points)) for line in chart.series),
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 8}" class="axis middle">{escape(chart.x_label)}</text>',
        f'<text transform="translate(14 {(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" '
        f'class="axis middle">{escape(chart.y_label)}</text>',
        "</svg>",
    ]
    return "\n".join(parts)


def legend_items(chart: Chart) -> list[str]:
    """Return for each line a sample of its stroke and its name, as HTML."""
    return [
        f'<svg class="sample" viewBox="0 0 36 12">{_path(line, "M1 6H35")}</svg>{escape(line.label)}'
        for line in chart.series
    ]


def _path(line: Series, d: str) -> str:
    style = line.style % len(DASHES)
    dash = f' stroke-dasharray="{DASHES[style]}"' if DASHES[style] else ""
    return f'<path class="line series-{style}"{dash} d="{d}"/>'


def _x_tick(at: float, value: float) -> str:
    bottom = HEIGHT - BOTTOM
    return (
        f'<path class="grid" d="M{at:.1f} {TOP}V{bottom}"/>'
        f'<text x="{at:.1f}" y="{bottom + 16}" class="middle">{write(value, "g")}</text>'
    )


def _y_tick(at: float, value: float) -> str:
    return (
        f'<path class="grid" d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}"/>'
        f'<text x="{LEFT - 6}" y="{at + 4:.1f}" class="end">{write(value, "g")}</text>'
    )


def ticks(low: float, high: float) -> list[float]:
    """Return about six round numbers from `low` to `high`.

    >>> ticks(0, 0.95), ticks(-1.2, 1.9)
    ([0.0, 0.2, 0.4, 0.6, 0.8], [-1.0, -0.5, 0.0, 0.5, 1.0, 1.5])
    """
    span = (high - low) or 1.0
    unit = 10.0 ** math.floor(math.log10(span / 5))
    step = next(unit * m for m in (1, 2, 5, 10) if span / (unit * m) <= 7)
    first, last = math.ceil(low / step), math.floor(high / step)
    return [round(i * step, 12) for i in range(first, last + 1)]
