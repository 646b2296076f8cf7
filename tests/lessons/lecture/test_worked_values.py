"""The judge of worked values: it must find a right value right, and give the reason that applies."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tinygrad_norm.lessons.lecture.settings import Settings
from tinygrad_norm.lessons.lecture.slips.worked_values import WorkedValue, judge_value

COLUMN = (7, 2, 1, 7, 3)


def worked(index: int, claimed: str, numbers: tuple[float, ...] = COLUMN) -> WorkedValue:
    return WorkedValue("key", "says", numbers, index, claimed, "column")


@pytest.mark.parametrize("claimed", ["1.2", "1.19", "1.185854"])
def test_a_right_value_is_right(claimed: str) -> None:
    claim = judge_value(worked(0, claimed), Settings())
    assert (claim.verdict, claim.why) == ("right", "")
    assert claim.true_sentence == "(7 − 4)/2.529822 = 3/√6.4 = 1.185854; dividing by n − 1: 1.060660."


def test_the_divisor_decides() -> None:
    assert judge_value(worked(1, "-0.71"), Settings()).verdict == "slip"
    assert judge_value(worked(1, "-0.71"), Settings(ddof=1)).verdict == "right"


def test_epsilon_decides() -> None:
    assert judge_value(worked(0, "0.36"), Settings(eps=63.04)).verdict == "right"
    assert judge_value(worked(0, "0.36"), Settings()).verdict == "slip"


LARGEST = (
    "7 is the largest of its column, where it stands twice, and the largest of any five numbers normalizes to at least"
)
SQUARES = "because normalized they sum to 0 and their squares to 5."
DISTANCE = "This is the distance from the mean in units of √(σ² + ε), and no other number is."
ABOVE = "7 lies above the mean 4, so its value must be positive."
BELOW = "2 lies below the mean 4, so its value must be negative."


@pytest.mark.parametrize(
    ("index", "claimed", "settings", "reason"),
    [
        (0, "0.36", Settings(), f"{LARGEST} 1/√(5 − 1) = 0.5, {SQUARES}"),
        (0, "0.36", Settings(ddof=1), f"{LARGEST} 0.447214 when the variance divides by n − 1."),
        (0, "0.36", Settings(eps=0.5), f"{LARGEST} 0.481543 with this ε, if their deviation is that of this table."),
        (0, "0.6", Settings(), DISTANCE),
        (0, "0.36", Settings(eps=30.0), DISTANCE),
        (0, "-0.21", Settings(), ABOVE),
        (1, "0.5", Settings(), BELOW),
        (1, "0.71", Settings(), f"{BELOW} Dividing by n − 1 gives −0.707107: only the sign was lost."),
        (1, "0.79", Settings(), f"{BELOW} Dividing by n gives −0.790569: only the sign was lost."),
        (0, "-1.19", Settings(), f"{ABOVE} Dividing by n gives 1.185854: only the sign was lost."),
    ],
)
def test_reasons(index: int, claimed: str, settings: Settings, reason: str) -> None:
    claim = judge_value(worked(index, claimed), settings)
    assert claim.verdict == "slip"
    assert claim.reason == reason


@given(
    st.tuples(*[st.integers(-9, 9)] * 5),
    st.integers(0, 4),
    st.decimals(-2, 2, places=2),
    st.sampled_from([Settings(), Settings(ddof=1), Settings(eps=0.5), Settings(ddof=1, eps=2.0)]),
)
def test_a_reason_never_rules_out_the_truth(
    numbers: tuple[int, ...], index: int, claimed: object, settings: Settings
) -> None:
    assume(len(set(numbers)) > 1)
    claim = judge_value(worked(index, str(claimed), numbers), settings)
    value, bound = (float(str(claim.values[name])) for name in ("value", "least_for_the_largest"))
    if "must be positive" in claim.why:
        assert value > 0
    if "must be negative" in claim.why:
        assert value < 0
    if "largest" in claim.why:
        assert value >= bound - 1e-12
