"""The lecture under every choice of settings: its tables against NumPy, its sentences against its tables."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest

from tests.sweeps import share
from tinygrad_norm.errors import InputError
from tinygrad_norm.lessons.document.as_data import lesson_data
from tinygrad_norm.lessons.document.as_text import lesson_text
from tinygrad_norm.lessons.document.lesson import Claim, Fact, Lesson, Table
from tinygrad_norm.lessons.lecture.all_steps import STEPS, lecture
from tinygrad_norm.lessons.lecture.notes import OUTPUTS, SAYS, VARIANTS

StepsOf = Callable[..., dict[str, Any]]

CHOICES = [
    {"variant": variant, "ddof": ddof, "eps": eps}
    for variant, ddof, eps in share(
        [
            *product(VARIANTS, (0, 1), (None, 0.5)),
            *product(["attention-page", "last-page"], (0, 1), (0.0, 1e-5)),
        ]
    )
]
EXTREME = [{"eps": eps} for eps in (5e-324, 1e-30, 63.04, 1e6, 1e300)]


def normalized(table: np.ndarray, axis: int, ddof: int, eps: float) -> np.ndarray:
    centered = table - table.mean(axis=axis, keepdims=True)
    with np.errstate(invalid="ignore"):
        return np.asarray(centered / np.sqrt(table.var(axis=axis, ddof=ddof, keepdims=True) + eps))


def values(step: dict[str, Any], table: str, columns: slice = slice(None)) -> np.ndarray:
    rows = [r["values"][columns] for r in step["tables"][table]["rows"]]
    return np.array([[np.nan if v is None else v for v in row] for row in rows], dtype=float)


def ids(choice: dict[str, Any]) -> str:
    return "-".join(map(str, choice.values()))


@pytest.mark.parametrize("choice", CHOICES, ids=ids)
def test_settings_flow_through_every_table(steps_of: StepsOf, choice: dict[str, Any]) -> None:
    steps = steps_of(**choice)
    ddof, eps, batch = choice["ddof"], choice["eps"], VARIANTS[choice["variant"]]
    table_eps, layer_eps = eps or 0.0, 1e-5 if eps is None else eps
    five = np.array(OUTPUTS, dtype=float)
    padded = np.array([token.output for token in batch.tokens])
    real = np.array(batch.real)

    def same(found: np.ndarray, expected: np.ndarray) -> None:
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)

    same(values(steps["1"], "column", slice(3, 4))[:, 0], normalized(five, 0, ddof, table_eps)[:, 0])
    same(values(steps["1"], "row", slice(3, 4))[:, 0], normalized(five, 1, ddof, table_eps)[0])
    same(values(steps["2"], "normalized"), normalized(five, 0, ddof, table_eps))
    same(values(steps["4"], "embeddings"), np.array([token.embedding for token in batch.tokens]))
    same(values(steps["5"], "given_outputs"), padded)
    same(values(steps["6"], "pads_in"), normalized(padded, 0, ddof, table_eps))
    same(values(steps["6"], "masked")[real], normalized(padded[real], 0, ddof, table_eps))
    assert np.isnan(values(steps["6"], "masked")[~real]).all()
    same(values(steps["6"], "statistics", slice(2, 4)).T, [t.std(axis=0, ddof=ddof) for t in (padded, padded[real])])
    same(values(steps["8"], "normalized", slice(0, 3)), normalized(five, 1, ddof, table_eps))
    same(values(steps["8"], "normalized", slice(4, 5))[:, 0], five.std(axis=1, ddof=ddof))
    same(values(steps["8"], "padded"), normalized(padded, 1, ddof, layer_eps))
    words = padded[real]
    for row in steps["6"]["tables"]["company"]["rows"]:
        company = np.vstack([words, np.zeros((int(row["label"]), 3))])
        same(np.array(row["values"][:3]), normalized(company, 0, ddof, table_eps)[0])
        same(np.array(row["values"][3:]), normalized(words, 1, ddof, layer_eps)[0])


@pytest.mark.parametrize("choice", CHOICES + EXTREME, ids=ids)
def test_the_text_is_whole_and_narrow(lesson_of: Callable[..., Lesson], choice: dict[str, Any]) -> None:
    text = lesson_text(lesson_of(**choice))
    assert re.findall(r"\bnan\b|\binf\b|None|Tensor|array\(|[{}]|e\+|-\d", text) == []
    assert max(map(len, text.splitlines())) <= 100


@pytest.mark.parametrize("choice", CHOICES, ids=ids)
def test_sentences_hold_for_their_settings(steps_of: StepsOf, choice: dict[str, Any]) -> None:
    steps = steps_of(**choice)
    ddof, eps = choice["ddof"], choice["eps"]
    check = steps["1"]["facts"]["check"]
    assert ("come out with mean 0" in check["text"]) == (not eps)
    assert (check["values"]["variance_error"] < 1e-14) == (not eps)
    circle = steps["8"]["facts"]["circle"]
    assert ("lies on one circle" in circle["text"]) == (circle["values"]["most"] - circle["values"]["least"] < 1e-14)
    assert circle["values"]["squares"] == 3 - ddof
    assert circle["values"]["most"] <= (3 - ddof) ** 0.5 + 1e-14
    orthogonal = steps["8"]["facts"]["orthogonal"]
    assert ("and to x̂" in orthogonal["text"]) == (orthogonal["values"]["along_output"] < 1e-13)
    blind = steps["8"]["facts"]["blind"]
    assert ("so is the sum of its squares" in blind["text"]) == (blind["values"]["largest_of_sums"] < 1e-13)
    convergence = steps["3"]["claims"]["convergence"]
    assert ("it is worse" in convergence["truth"]) == (
        convergence["values"]["normalized"] > convergence["values"]["raw"]
    )
    two = steps["2"]["facts"]["two_rows"]
    assert ("all that is left" in two["text"]) == (two["values"]["most"] - two["values"]["least"] < 1e-12)
    padded = steps["8"]["tables"]["padded"]
    undefined = any(row["values"] == [None] * 3 for row in padded["rows"])
    assert undefined == (eps == 0) == ("0/0" in padded["note"])
    factors = [row["values"][0] for row in steps["8"]["tables"]["factors"]["rows"] if row["pad"]]
    assert factors == ([None, None] if eps == 0 else pytest.approx([(1e-5 if eps is None else eps) ** -0.5] * 2))
    stated = steps["6"]["claims"]["statistics_not_true"]["values"]["changes"]
    shown = [row["values"][-1] for row in steps["6"]["tables"]["statistics"]["rows"]]
    assert stated == shown
    flips = steps["6"]["facts"]["sign_changes"]
    assert flips["text"].count(" from ") == sum(pads is not None for pads in flips["values"]["pads"])


@pytest.mark.parametrize("choice", CHOICES, ids=ids)
def test_verdicts_do_not_depend_on_the_settings_unless_the_value_does(
    steps_of: StepsOf, choice: dict[str, Any]
) -> None:
    for step in steps_of(**choice).values():
        for claim in step["claims"].values():
            if "claimed" in claim["values"] and "value" in claim["values"] and claim["verdict"] == "right":
                assert round(claim["values"]["value"], 2) == claim["values"]["claimed"]
            assert claim["truth"]
            assert claim["why"] or claim["verdict"] == "right"
            # Before a slip is explained, it is asked for.
            assert claim["question"][-1:] == "?" or claim["verdict"] != "slip"


def test_an_epsilon_that_makes_a_note_right_is_believed(steps_of: StepsOf) -> None:
    claim = steps_of(eps=63.04)["2"]["claims"]["first_value"]
    assert (claim["verdict"], claim["why"]) == ("right", "")


def test_a_very_large_epsilon_is_said_to_be_worse(steps_of: StepsOf) -> None:
    step = steps_of(eps=1e6)["3"]
    assert "it is worse" in step["claims"]["convergence"]["truth"]
    assert step["tables"]["descent"]["rows"][1]["values"][-1] == "over 1000"


def test_every_line_of_the_notes_is_judged_once(lesson_of: Callable[..., Lesson]) -> None:
    claims = [block for step in lesson_of().steps for block in step.unfolded if isinstance(block, Claim)]
    assert {claim.key: claim.says for claim in claims} == dict(SAYS)
    assert len(claims) == len(SAYS)


def test_keys_are_unique_within_a_step(lesson_of: Callable[..., Lesson]) -> None:
    for step in lesson_of().steps:
        for kind in (Table, Fact, Claim):
            keys = [block.key for block in step.unfolded if isinstance(block, kind)]
            assert len(keys) == len(set(keys))


def test_every_step_leaves_two_lines_to_take_away(lesson_of: Callable[..., Lesson]) -> None:
    for step in lesson_of().steps:
        assert len(step.take_away) == 2, step.title
        for line in step.take_away:
            assert line[-1] == "."
            # Two blanks and a mark before it, at 80 columns.
            assert len(line) <= 76, line


def test_the_disputed_benefit_is_marked_and_cited() -> None:
    (claim,) = [b for b in lecture(step=3).steps[0].unfolded if isinstance(b, Claim) and b.verdict == "disputed"]
    assert claim.key == "covariate_shift"
    assert re.search("Ioffe and Szegedy.*2015.*Santurkar.*2018", claim.reason)


@pytest.mark.parametrize("number", STEPS)
def test_one_step(steps: dict[str, Any], number: int) -> None:
    assert lesson_data(lecture(step=number))["steps"] == {str(number): steps[str(number)]}


@pytest.mark.parametrize("number", [0, 13, -1])
def test_no_such_step(number: int) -> None:
    with pytest.raises(InputError, match=f"the step must be one of 1 to 12; got {number}"):
        lecture(step=number)
