"""A lab's panels as one picture, where matplotlib is installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..plot import new_figure, write_figure
from .report import LabReport, Line, Panel

COLORS = ("#111111", "#D55E00", "#E69F00", "#0072B2", "#56B4E9", "#CC79A7")
"""Okabe and Ito's, which color-blind readers tell apart."""
MARKERS = ("x", "^", "v", "o", "s", "D")
PANEL_SIZE = (6.0, 4.4)
"""Inches."""
MANY = 12
"""Up to so many points of a line are marked."""


def plot_report(report: LabReport, path: Path) -> None:
    """Draw all panels side by side into a file, whole or not at all."""
    panels = report.outcome.panels
    figure = new_figure((PANEL_SIZE[0] * len(panels), PANEL_SIZE[1]))
    for axes, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        draw(axes, panel)
    size = "quick" if report.quick else "full"
    part = "" if report.complete else ", cut short"
    figure.suptitle(f"{report.lab.name}: {report.lab.title} ({size}, seed {report.seed}{part})", fontsize=11)
    write_figure(figure, path)


def draw(axes: Any, panel: Panel) -> None:
    """Draw one panel."""
    for line in panel.lines:
        axes.plot(*zip(*line.points, strict=True), **look(line, panel)) if line.points else None
    if panel.log_x:
        axes.set_xscale("log")
        ticks = sorted({x for line in panel.lines for x, _ in line.points})
        if len(ticks) <= MANY:
            axes.set_xticks(ticks, [f"{x:g}" for x in ticks])
            axes.minorticks_off()
    if panel.log_y:
        axes.set_yscale("log")
    if panel.names:
        axes.set_xticks(range(len(panel.names)), panel.names, fontsize=8)
    axes.set_title(panel.title, fontsize=10)
    axes.set(xlabel=panel.x_label, ylabel=panel.y_label)
    axes.grid(color="#DDDDDD", linewidth=0.5)
    axes.legend(frameon=False, fontsize=8)


def look(line: Line, panel: Panel) -> dict[str, Any]:
    """Return how a line looks: one color and mark for each style, dashes if it says so."""
    i = line.style % len(COLORS)
    few = len(line.points) <= MANY
    return {
        "label": line.label,
        "color": COLORS[i],
        "marker": MARKERS[i] if few or not panel.joined else "",
        "markersize": 5,
        "linewidth": 1.4,
        "linestyle": ("--" if line.dashed else "-") if panel.joined else "",
    }
