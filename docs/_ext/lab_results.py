"""The labs, published results beside ours: questions from the code, answers as ``docs/measure_labs.py`` kept them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from markdown_table import code, plain, table

from tinygrad_norm.lessons.labs.all_labs import CATALOG
from tinygrad_norm.lessons.labs.experiment import Lab, Question
from tinygrad_norm.lessons.labs.written_report import sources

MEASURED = Path(__file__).resolve().parent.parent / "reference" / "labs" / "measured.json"
BENEFITS = {
    "stability": "stability",
    "convergence": "faster convergence",
    "covariate_shift": "internal covariate shift",
    "regularization": "regularization",
}
VERDICT = "the verdict on batch norm"
Answers = Mapping[str, Any]
"""What was measured of one lab: ``full`` and, by seed, ``quick``; each by question."""


def lab_results(measured: Mapping[str, Answers] | None = None) -> str:
    """Return a table of all labs and a section for each.

    Raises
    ------
    LookupError
        A question was not measured: run ``docs/measure_labs.py`` for its lab.
    """
    measured = json.loads(MEASURED.read_text(encoding="utf-8")) if measured is None else measured
    for lab in CATALOG.values():
        check(lab, measured.get(lab.name, {}))
    overview = table(
        ("lab", "asks", "claim of the lecture", "results"),
        [
            (f"[{code(lab.name)}](#{lab.name})", plain(lab.title), claims(lab), counted(lab, measured))
            for lab in CATALOG.values()
        ],
    )
    parts = [part for lab in CATALOG.values() for part in section(lab, measured[lab.name])]
    return "\n\n".join([overview, *parts]) + "\n"


def check(lab: Lab, answers: Answers) -> None:
    """Raise if what was measured is not what the lab asks today."""
    asked = [question.key for question in lab.questions]
    runs = [answers.get("full", {}), *answers.get("quick", {}).values()]
    if any(list(run) != asked for run in runs) or len(runs) < 2:
        raise LookupError(
            f"the lab {lab.name} asks other questions than were measured; run docs/measure_labs.py {lab.name}"
        )


def claims(lab: Lab) -> str:
    """Return which of the lecture's claims a lab tests: benefits, or that batch norm fails on padded sentences."""
    return ", ".join(BENEFITS[benefit] for benefit in lab.benefits) or VERDICT


def counted(lab: Lab, measured: Mapping[str, Answers]) -> str:
    """Return how many results have each verdict, in full."""
    verdicts = [answer["verdict"] for answer in measured[lab.name]["full"].values()]
    return ", ".join(f"{verdicts.count(verdict)} {verdict}" for verdict in dict.fromkeys(verdicts))


def section(lab: Lab, answers: Answers) -> Iterator[str]:
    """Yield the parts of one lab's section."""
    yield f"## {lab.name}"
    yield f"**{plain(lab.title)}** {plain(lab.setting)}"
    yield f"```text\ntinygrad-norm lab {lab.name} --seed 0\n```"
    yield f"![{plain(lab.title)}](labs/{lab.name}.svg)"
    for question in lab.questions:
        yield entry(question, answers)
    yield "What it cannot show:"
    yield "\n".join(f"- {plain(limit)}" for limit in lab.limits)
    yield "Sources:"
    yield "\n".join(f"- {plain(source)}" for source in sources(lab))


def entry(question: Question, answers: Answers) -> str:
    """Return one published result with the test, what we found, and the verdict."""
    full = answers["full"][question.key]
    quick = [run[question.key]["verdict"] for run in answers["quick"].values()]
    same = quick.count(full["verdict"])
    if same < len(quick):
        seeds = f"; so say {same} of {len(quick)} seeds of the quick version"
    else:
        seeds = f", as in the quick version with {same} of {len(quick)} seeds"
    lines = (
        f": *Test.* {plain(question.test)}",
        f": *Ours.* {plain(full['ours'])}",
        f": *Verdict.* **{full['verdict']}**{seeds}.",
    )
    return f"**{plain(question.source.short)}.** {plain(question.published)}\n" + "\n\n".join(lines)
