"""The page of the labs: its questions are the code's, its answers were measured, the exact ones are measured again."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tinygrad_norm.lessons.labs.all_labs import CATALOG, labs_for, run_lab

Extension = Callable[[str], ModuleType]

NOT_REPRODUCED = {("padding", "worse")}
"""That batch norm does worse than layer norm: every norm learns the short reviews, as the lab's limits say."""


@pytest.fixture(scope="module")
def measured(docs: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((docs / "reference" / "labs" / "measured.json").read_text(encoding="utf-8"))
    return found


def test_the_page_has_every_lab_question_and_limit(extension: Extension) -> None:
    module, plain = extension("lab_results"), extension("markdown_table").plain
    page = module.lab_results()
    for lab in CATALOG.values():
        assert f"\n## {lab.name}\n" in page
        for question in lab.questions:
            assert plain(question.published) in page
            assert plain(question.test) in page
        for limit in lab.limits:
            assert f"- {plain(limit)}" in page


@pytest.mark.parametrize(
    ("row", "benefit"),
    [
        ("training is more stable", "stability"),
        ("convergence is faster", "convergence"),
        ("internal covariate shift is reduced", "covariate_shift"),
        ("it regularizes", "regularization"),
    ],
)
def test_the_page_on_normalization_points_at_the_labs_of_each_benefit(docs: Path, row: str, benefit: str) -> None:
    page = (docs / "explanation" / "what-normalization-does.md").read_text(encoding="utf-8")
    (line,) = [line for line in page.splitlines() if line.startswith(f"| {row} |")]
    assert re.findall(r"labs\.md#([a-z-]+)\)", line) == [lab.name for lab in labs_for(benefit)]


def test_every_verdict_holds_for_five_seeds_of_the_quick_version(measured: dict[str, Any]) -> None:
    for name, answers in measured.items():
        assert list(answers["quick"]) == ["0", "1", "2", "3", "4"]
        for key in answers["full"]:
            verdicts = {run[key]["verdict"] for run in answers["quick"].values()}
            assert len(verdicts) == 1, (name, key, verdicts)
            expected = {"not reproduced"} if (name, key) in NOT_REPRODUCED else {"exact", "reproduced", "in part"}
            assert {*verdicts, answers["full"][key]["verdict"]} <= expected, (name, key, verdicts)
    assert {(name, key) for name, answers in measured.items() for key in answers["full"]} >= NOT_REPRODUCED


@pytest.mark.parametrize("name", ["backward", "invariance"])
def test_what_is_exact_is_exact_today(measured: dict[str, Any], name: str) -> None:
    verdicts = {answer.key: answer.verdict for answer in run_lab(name, seed=0, quick=True).outcome.answers}
    assert verdicts == {key: answer["verdict"] for key, answer in measured[name]["quick"]["0"].items()}
    assert set(verdicts.values()) == {"exact"}


def test_every_lab_says_which_claim_of_the_lecture_it_tests(extension: Extension) -> None:
    claims = extension("lab_results").claims
    assert claims(CATALOG["pre-post"]) == "stability, faster convergence"
    assert claims(CATALOG["padding"]) == "the verdict on batch norm"
    assert all(claims(lab) for lab in CATALOG.values())


def test_every_lab_has_its_picture(docs: Path) -> None:
    for name in CATALOG:
        picture = (docs / "reference" / "labs" / f"{name}.svg").read_text(encoding="utf-8")
        assert picture.rstrip().endswith("</svg>")


def test_a_question_that_was_not_measured_is_an_error(extension: Extension, measured: dict[str, Any]) -> None:
    module = extension("lab_results")
    changed = {**measured, "landscape": {"full": {}, "quick": {}}}
    with pytest.raises(LookupError, match=r"landscape asks other questions.*run docs/measure_labs\.py landscape"):
        module.lab_results(changed)
    with pytest.raises(LookupError, match="pre-post"):
        module.lab_results({name: answers for name, answers in measured.items() if name != "pre-post"})


def test_a_verdict_that_seeds_disagree_on_says_so(extension: Extension, measured: dict[str, Any]) -> None:
    module = extension("lab_results")
    question = CATALOG["landscape"].questions[0]
    quick = {str(seed): {question.key: {"verdict": "reproduced" if seed else "in part"}} for seed in range(5)}
    answers = {"full": {question.key: {"ours": "It is so.", "verdict": "reproduced"}}, "quick": quick}
    assert "**reproduced**; so say 4 of 5 seeds of the quick version" in module.entry(question, answers)
