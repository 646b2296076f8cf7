from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

import tinygrad_norm as tg
from tests.sweeps import share
from tinygrad_norm.lessons.labs.experiment import LabOutcome, LabReport, Line, Panel
from tinygrad_norm.lessons.labs.pictures import SUFFIXES, check_plot, draw, plot_report


@pytest.mark.parametrize("suffix", share([*SUFFIXES]))
def test_a_picture_is_written_whole(report: LabReport, tmp_path: Path, suffix: str) -> None:
    heads = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}
    path = tmp_path / f"a{suffix}"
    check_plot(path)
    plot_report(report, path)
    assert path.read_bytes().startswith(heads[suffix])
    assert path.stat().st_size > 1000
    assert list(tmp_path.iterdir()) == [path]


def test_the_same_report_gives_the_same_svg_whose_title_is_text(report: LabReport, tmp_path: Path) -> None:
    pictures = []
    for name in ("a.svg", "b.svg"):
        plot_report(report, tmp_path / name)
        pictures.append((tmp_path / name).read_text(encoding="utf-8"))
    assert "made-up: Is it so? (quick, seed 7)" in pictures[0]


def test_every_kind_of_line_has_its_look(report: LabReport) -> None:
    axes = Figure().add_subplot()
    draw(axes, report.outcome.panels[0])
    joined, dashed, many = axes.lines
    assert (joined.get_linestyle(), joined.get_marker()) == ("-", "x")
    assert (dashed.get_linestyle(), dashed.get_marker()) == ("--", "None")
    assert (many.get_linestyle(), many.get_marker()) == ("-", "None")
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["a", "b", "c"]


def test_few_places_of_a_logarithmic_axis_are_named(report: LabReport) -> None:
    axes = Figure().add_subplot()
    draw(axes, report.outcome.panels[1])
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0.1", "1"]


def test_a_line_breaks_where_it_has_no_value_and_one_without_any_is_not_drawn() -> None:
    nan = float("nan")
    lines = (Line("broken", ((1.0, 2.0), (2.0, nan), (3.0, 1.0)), 0), Line("nothing", ((1.0, nan),), 1))
    axes = Figure().add_subplot()
    draw(axes, Panel("p", "A title", "x", "y", lines, log_y=True))
    assert np.isnan(axes.lines[0].get_ydata()).tolist() == [False, True, False]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["broken"]


def test_bars_stand_on_zero_and_marks_are_hollow(report: LabReport) -> None:
    axes = Figure().add_subplot()
    draw(axes, report.outcome.panels[2])
    assert [bar.get_height() for bar in axes.patches] == [-1, 2]
    marks = axes.lines[-1]
    assert (marks.get_linestyle(), marks.get_markerfacecolor()) == ("None", "none")
    assert [label.get_text() for label in axes.get_xticklabels()] == ["z₁", "z₂"]


def test_a_panel_without_lines_has_no_legend(report: LabReport) -> None:
    axes = Figure().add_subplot()
    draw(axes, report.outcome.panels[3])
    assert axes.get_legend() is None


def test_every_panel_is_drawn_beside_the_others(report: LabReport, outcome_of: object) -> None:
    assert isinstance(report.outcome, LabOutcome)
    assert len(report.outcome.panels) == 4


def test_a_picture_that_cannot_be_written_is_refused_beforehand(
    report: LabReport, tmp_path: Path, without: Callable[[str], None]
) -> None:
    with pytest.raises(tg.InputError, match=r"--plot must name a file that ends in \.png, \.svg, \.pdf; got 'a\.gif'"):
        check_plot(Path("a.gif"))
    with pytest.raises(tg.FileError, match="in a folder that exists; got"):
        check_plot(tmp_path / "missing" / "a.png")
    with pytest.raises(tg.FileError, match="must be able to write"):
        plot_report(report, tmp_path / "missing" / "a.png")
    without("matplotlib")
    with pytest.raises(tg.MissingExtraError, match="--plot needs matplotlib; it is not installed"):
        check_plot(tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []
