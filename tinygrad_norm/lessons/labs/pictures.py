"""The labs' panels as pictures, where matplotlib is installed: :func:`write_panels` draws them side by side."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from importlib import import_module
from math import isnan
from pathlib import Path
from typing import Any

from ...errors import FileError, InputError, MissingExtraError
from ...terminal.files import whole_file
from .experiment import LabReport, Line, Panel

SUFFIXES = (".png", ".svg", ".pdf")
COLORS = ("#111111", "#D55E00", "#E69F00", "#0072B2", "#56B4E9", "#CC79A7")
"""Okabe and Ito's, which color-blind readers tell apart."""
MARKERS = ("x", "^", "v", "o", "s", "D")
PANEL_SIZE = (6.0, 4.8)
"""Inches."""
LETTERS = 13
"""Letters of the title in an inch."""
MANY = 12
"""Up to so many points of a line are marked; up to so many places of a logarithmic axis are named."""
BAR = 0.18


def check_plot(path: Path) -> None:
    """Raise, before any work is done, if a picture could not be written to this path."""
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"--plot must name a file that ends in {', '.join(SUFFIXES)}; got {str(path)!r}. Rename it.")
    if not path.absolute().parent.is_dir():
        raise FileError(f"--plot must name a file in a folder that exists; got {str(path)!r}. Make the folder first.")
    new_figure()


def new_figure(panels: int = 1) -> Any:
    """Return an empty figure with room for so many panels, that no window belongs to."""
    size = (PANEL_SIZE[0] * panels, PANEL_SIZE[1])
    try:
        return import_module("matplotlib.figure").Figure(figsize=size, layout="constrained")
    except ImportError as error:
        raise MissingExtraError(
            "--plot needs matplotlib; it is not installed. Run pip install 'tinygrad-norm[lab]', or leave --plot out."
        ) from error


def plot_report(report: LabReport, path: Path) -> None:
    """Draw all panels of a report side by side into a file, whole or not at all."""
    size = "quick" if report.quick else "full"
    part = "" if report.complete else ", cut short"
    title = f"{report.lab.name}: {report.lab.title} ({size}, seed {report.seed}{part})"
    write_panels(report.outcome.panels, path, title)


def write_panels(panels: Sequence[Panel], path: Path, title: str = "") -> None:
    """Draw panels side by side, below a title, into a file, whole or not at all."""
    figure = new_figure(len(panels))
    for axes, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        draw(axes, panel)
    if title:
        figure.suptitle(textwrap.fill(title, int(figure.get_figwidth() * LETTERS)), fontsize=11)
    # Without a date and with fixed names inside, the same results give the same bytes.
    undated = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(path.suffix.lower(), {})
    try:
        with whole_file(path) as part, import_module("matplotlib").rc_context({"svg.hashsalt": "tinygrad-norm"}):
            figure.savefig(part, format=path.suffix[1:].lower(), dpi=150, metadata=undated)
    except OSError as error:
        raise FileError(
            f"--plot must be able to write {path}; got {error.strerror or error}. Check its folder."
        ) from error


def draw(axes: Any, panel: Panel) -> None:
    """Draw one panel."""
    for line in panel.lines:
        if not all(isnan(y) for _, y in line.points):
            draw_line(axes, line)
    scale_axes(axes, panel)
    axes.set_title(panel.title, fontsize=10)
    axes.set(xlabel=panel.x_label, ylabel=panel.y_label)
    axes.grid(color="#DDDDDD", linewidth=0.5)
    axes.set_axisbelow(True)
    shown = len(axes.get_legend_handles_labels()[0])
    if shown:
        columns = 2 if shown in (2, 4) else 3
        axes.legend(frameon=False, fontsize=8, ncols=columns, loc="upper center", bbox_to_anchor=(0.5, -0.16))


def draw_line(axes: Any, line: Line) -> None:
    """Draw one line in its look."""
    color, marker = COLORS[line.style % len(COLORS)], MARKERS[line.style % len(MARKERS)]
    xs, ys = zip(*line.points, strict=True)
    if line.look == "bars":
        axes.bar(xs, ys, BAR, color=color, label=line.label)
        axes.axhline(0, color="#555555", linewidth=0.8)
    elif line.look == "marks":
        # Hollow, so that marks of equal points show through each other.
        axes.plot(xs, ys, marker, color=color, markerfacecolor="none", markersize=6, label=line.label)
    else:
        marks = {"marker": marker, "markersize": 5} if line.look == "joined" and len(xs) <= MANY else {}
        style = "-" if line.look == "joined" else "--"
        axes.plot(xs, ys, style, color=color, linewidth=1.4, label=line.label, **marks)


def scale_axes(axes: Any, panel: Panel) -> None:
    """Make axes logarithmic where the panel says so, with numbers written out where they are few."""
    if panel.names:
        axes.set_xticks(range(len(panel.names)), panel.names, fontsize=8)
    elif panel.log_x:
        axes.set_xscale("log")
        places = sorted({x for line in panel.lines for x, _ in line.points})
        if len(places) <= MANY:
            axes.set_xticks(places, [f"{x:g}" for x in places])
            axes.minorticks_off()
    else:
        # Steps, epochs, features: what is counted along an axis comes in whole numbers.
        axes.xaxis.get_major_locator().set_params(integer=True)
    if panel.log_y:
        axes.set_yscale("log")
        values = [y for line in panel.lines for _, y in line.points if not isnan(y)]
        if values and max(values) < 1e4 * min(values):
            low, high = axes.get_ylim()
            digits = (1, 2, 5) if high / low > 10 else (1, 1.5, 2, 3, 4, 6, 8)
            rounds = [digit * 10.0**power for power in range(-6, 7) for digit in digits]
            shown = [y for y in rounds if low <= y <= high]
            axes.set_yticks(shown, [f"{y:g}" for y in shown])
            axes.yaxis.set_tick_params(which="minor", left=False, labelleft=False)
