"""What the labs report, as text for the terminal and as data for ``--json``.

:func:`report_text` shows tables, then each published result with ours and the verdict; :func:`report_data` gives every
number at full precision, under stable keys::

    {"lab", "title", "seed", "quick", "complete", "benefits": [NAME],
     "findings": {KEY: {"source", "published", "test", "ours", "values": {NAME: number}, "verdict"}},
     "tables": {KEY: {"title", "columns", "rows": [{"label", "pad", "values"}], "note"}},
     "panels": {KEY: {"title", "x", "y", "names", "lines": [{"label", "points"}]}},
     "limits": [TEXT]}

``null`` stands for a place without a value and for infinity, which JSON has no number for.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..document.as_data import plain, table_data
from ..document.as_text import table_text, wrapped
from .experiment import Answer, Lab, LabReport, Panel, Question

_INDENT = "  "
_BAR = _INDENT + "│ "
_NAME = 11


def report_text(report: LabReport) -> str:
    """Return the whole report, ending in a line break."""
    lab = report.lab
    run = f"lab {lab.name}, seed {report.seed}, {'the quick version' if report.quick else 'the full version'}"
    if not report.complete:
        run += ", cut short"
    head = "\n".join([lab.title, "═" * len(lab.title), run])
    blocks = [head, wrapped(lab.setting, _INDENT)]
    blocks += [table_text(table) for table in report.outcome.tables if table.rows]
    answers = zip(lab.questions, report.outcome.answers, strict=True)
    blocks += [answer_text(question, answer) for question, answer in answers]
    blocks += [_listed("Limits", lab.limits), _listed("Sources", sources(lab))]
    return "\n\n".join(blocks) + "\n"


def answer_text(question: Question, answer: Answer) -> str:
    """Return what was published, the test, what we found and the verdict, one under the other."""
    rows = (
        ("Published", f"{question.published} ({question.source.short})"),
        ("Test", question.test),
        ("Ours", answer.sentence),
        ("Verdict", answer.verdict.upper()),
    )
    indent = _BAR + " " * _NAME
    return "\n".join(wrapped(text, indent, f"{_BAR}{name:<{_NAME}}") for name, text in rows)


def sources(lab: Lab) -> tuple[str, ...]:
    """Return the papers that a lab's questions come from, each once, by year."""
    papers = dict.fromkeys(paper for question in lab.questions for paper in (question.source, *question.also))
    return tuple(paper.full for paper in sorted(papers, key=lambda paper: paper.year))


def _listed(heading: str, entries: Iterable[str]) -> str:
    return "\n".join([_INDENT + heading, *(wrapped(entry, _INDENT * 2, f"{_INDENT}· ") for entry in entries)])


def report_data(report: LabReport) -> dict[str, Any]:
    """Return the report as dictionaries, lists, numbers and text, fit for ``json.dumps``."""
    lab, outcome = report.lab, report.outcome
    answers = zip(lab.questions, outcome.answers, strict=True)
    return {
        "lab": lab.name,
        "title": lab.title,
        "seed": report.seed,
        "quick": report.quick,
        "complete": report.complete,
        "benefits": list(lab.benefits),
        "findings": {question.key: _answer_data(question, answer) for question, answer in answers},
        "tables": {table.key: table_data(table) for table in outcome.tables},
        "panels": {panel.key: _panel_data(panel) for panel in outcome.panels},
        "limits": list(lab.limits),
    }


def _answer_data(question: Question, answer: Answer) -> dict[str, Any]:
    return {
        "source": question.source.full,
        "published": question.published,
        "test": question.test,
        "ours": answer.sentence,
        "values": {name: plain(value) for name, value in answer.values.items()},
        "verdict": answer.verdict,
    }


def _panel_data(panel: Panel) -> dict[str, Any]:
    lines = [{"label": line.label, "points": [list(map(plain, at)) for at in line.points]} for line in panel.lines]
    return {"title": panel.title, "x": panel.x_label, "y": panel.y_label, "names": list(panel.names), "lines": lines}
