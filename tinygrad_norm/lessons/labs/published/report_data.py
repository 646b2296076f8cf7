"""A lab's report as plain data for ``--json``: every number at full precision, under stable keys.

The layout::

    {"lab", "title", "seed", "quick", "complete", "benefits": [NAME],
     "findings": {KEY: {"source", "published", "test", "ours", "values": {NAME: number}, "verdict"}},
     "tables": {KEY: {"title", "columns", "rows": [{"label", "pad", "values"}], "note"}},
     "panels": {KEY: {"title", "x", "y", "names", "lines": [{"label", "points"}]}},
     "limits": [TEXT]}

``null`` stands for a place without a value and for infinity, which JSON has no number for.
"""

from __future__ import annotations

from typing import Any

from ...document.as_data import plain, table_data
from .report import Finding, LabReport, Panel, Question


def report_data(report: LabReport) -> dict[str, Any]:
    """Return the report as dictionaries, lists, numbers and text, fit for ``json.dumps``."""
    lab, outcome = report.lab, report.outcome
    return {
        "lab": lab.name,
        "title": lab.title,
        "seed": report.seed,
        "quick": report.quick,
        "complete": report.complete,
        "benefits": list(lab.benefits),
        "findings": {
            question.key: _finding(question, finding)
            for question, finding in zip(lab.questions, outcome.findings, strict=True)
        },
        "tables": {table.key: table_data(table) for table in outcome.tables},
        "panels": {panel.key: _panel(panel) for panel in outcome.panels},
        "limits": list(lab.limits),
    }


def _finding(question: Question, finding: Finding) -> dict[str, Any]:
    return {
        "source": question.source.full,
        "published": question.published,
        "test": question.test,
        "ours": finding.sentence,
        "values": {name: plain(value) for name, value in finding.values.items()},
        "verdict": finding.verdict,
    }


def _panel(panel: Panel) -> dict[str, Any]:
    return {
        "title": panel.title,
        "x": panel.x_label,
        "y": panel.y_label,
        "names": list(panel.names),
        "lines": [
            {"label": line.label, "points": [list(map(plain, point)) for point in line.points]} for line in panel.lines
        ],
    }
