"""A lab's report as plain text for the terminal: tables, then each published result with ours and the verdict."""

from __future__ import annotations

from collections.abc import Iterable

from ...document.as_text import table_text, wrapped
from .report import Finding, Lab, LabReport, Question

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
    answers = zip(lab.questions, report.outcome.findings, strict=True)
    blocks += [finding_text(question, finding) for question, finding in answers]
    blocks += [_listed("Limits", lab.limits), _listed("Sources", sources(lab))]
    return "\n\n".join(blocks) + "\n"


def finding_text(question: Question, finding: Finding) -> str:
    """Return what was published, the test, what we found and the verdict, one under the other."""
    rows = (
        ("Published", f"{question.published} ({question.source.short})"),
        ("Test", question.test),
        ("Ours", finding.sentence),
        ("Verdict", finding.verdict.upper()),
    )
    indent = _BAR + " " * _NAME
    return "\n".join(wrapped(text, indent, f"{_BAR}{name:<{_NAME}}") for name, text in rows)


def sources(lab: Lab) -> tuple[str, ...]:
    """Return the papers that a lab's questions come from, each once, by year."""
    papers = dict.fromkeys(paper for question in lab.questions for paper in (question.source, *question.also))
    return tuple(paper.full for paper in sorted(papers, key=lambda paper: paper.year))


def _listed(heading: str, entries: Iterable[str]) -> str:
    return "\n".join([_INDENT + heading, *(wrapped(entry, _INDENT * 2, f"{_INDENT}· ") for entry in entries)])
