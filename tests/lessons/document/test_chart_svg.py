from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_norm.lessons.document.chart_svg import chart_svg, legend_items, ticks
from tinygrad_norm.lessons.document.lesson import Chart, Series


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_ticks_are_few_round_and_inside(low: float, span: float) -> None:
    high = low + span
    found = ticks(low, high)
    assert 1 <= len(found) <= 8
    assert found == sorted(set(found))
    slack = 1e-9 * max(abs(low), abs(high), 1)
    assert low - slack <= found[0]
    assert found[-1] <= high + slack


def test_ticks_of_a_single_value() -> None:
    assert ticks(2.0, 2.0) == [2.0]


def test_lines_of_one_style_are_alike() -> None:
    points = ((0.0, 0.0), (2.0, 1.0))
    series = (Series("a", points, 1), Series("b", points, 1), Series("c", points, 3))
    chart = Chart("k", "title", "x", "y", series, level=0.5, level_label="half")
    svg = chart_svg(chart)
    assert svg.count('class="line series-1"') == 2
    assert svg.count('class="line series-0"') == 1
    assert svg.count('stroke-dasharray="7 4"') == 2
    assert [item.rpartition("</svg>")[2] for item in legend_items(chart)] == ["a", "b", "c"]


@pytest.mark.parametrize("level", [-5.0, 0.5, 7.0])
def test_the_level_line_is_inside(level: float) -> None:
    chart = Chart("k", "t", "x", "y", (Series("a", ((0.0, 0.0), (1.0, 1.0)), 0),), level, "")
    (line,) = [part for part in chart_svg(chart).splitlines() if 'class="level"' in part]
    height = float(line.partition('d="M56 ')[2].partition("H")[0])
    assert 16 <= height <= 272


@pytest.mark.parametrize(
    "points", [((1.0, 2.0),), ((0.0, 0.0), (0.0, 0.0)), ((0.0, 5.0), (3.0, 5.0)), ((-1e100, 1e100),)]
)
def test_lines_without_extent_are_drawn(points: tuple[tuple[float, float], ...]) -> None:
    level = points[0][1]
    svg = chart_svg(Chart("c", "t", "x", "y", (Series("a", points),), level))
    assert "nan" not in svg
    assert "inf" not in svg
