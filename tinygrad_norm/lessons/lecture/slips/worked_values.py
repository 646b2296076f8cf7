"""The notes' worked values of ``(x − μ)/σ``: for each the truth, and the reason it cannot be otherwise.

A value can be impossible before anything is computed: what lies above the mean is positive, and the
largest of n numbers normalizes to at least ``1/√(n − 1)``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ....engine.tensor import Tensor
from ...document.lesson import Claim
from ...document.numerals import write
from ..norm_formula import BATCH, columns_of, normalize, smallest_largest
from ..notes import CLAIMED, OUTPUTS, SAYS
from ..settings import DIVISORS, Settings

_COUNT_NAMES = {3: "three", 5: "five"}


@dataclass(frozen=True)
class WorkedValue:
    """One value as the notes work it out: which of the numbers of a column or row (the place) is normalized.

    The key is the claim's name, ``says`` the notes' line, and ``claimed`` their result, in as many digits as they give.
    """

    key: str
    says: str
    numbers: tuple[float, ...]
    index: int
    claimed: str
    place: str


def batch_norm_values() -> tuple[WorkedValue, ...]:
    """Return the four values on the batch-norm page."""
    z1, z2, z3 = columns_of(OUTPUTS)
    return (
        _value("first_value", z1, 0, "column"),
        _value("second_value", z2, 0, "column"),
        _value("third_value", z3, 0, "column"),
        _value("second_row_value", z1, 1, "column"),
    )


def _value(key: str, numbers: tuple[float, ...], index: int, place: str) -> WorkedValue:
    return WorkedValue(key, SAYS[key], numbers, index, CLAIMED[key], place)


def layer_norm_value() -> WorkedValue:
    """Return the value on the layer-norm page."""
    return _value("row_value", OUTPUTS[0], 0, "row")


def judge_value(worked: WorkedValue, settings: Settings) -> Claim:
    """Compute the value and say whether the notes' result agrees, and if not why it cannot."""
    numbers = Tensor([[float(x)] for x in worked.numbers])
    steps, other = (normalize(numbers, BATCH, ddof, settings.table_eps) for ddof in (settings.ddof, 1 - settings.ddof))
    scale = (steps.variance + settings.table_eps).sqrt().item()
    # The bound holds without ε; an ε shrinks all values alike, by σ/√(σ² + ε).
    shrink = steps.deviation.item() / scale
    computed = {
        "x": worked.numbers[worked.index],
        "mean": steps.mean.item(),
        "scale": scale,
        "value": steps.normalized[worked.index].item(),
        "other_divisor": other.normalized[worked.index].item(),
        "claimed": float(worked.claimed),
        "least_for_the_largest": shrink * smallest_largest(len(worked.numbers), settings.ddof),
    }
    right = _agrees(worked.claimed, computed["value"])
    form = settings.closed_form(worked.numbers)
    return Claim(
        worked.key,
        worked.says,
        "right" if right else "slip",
        f"({{x}} − {{mean:.6g}})/{{scale:.6f}} = {form.entry(worked.index)} = {{value:.6f}}; "
        f"dividing by {DIVISORS[1 - settings.ddof]}: {{other_divisor:.6f}}.",
        "" if right else _reason(worked, computed, settings),
        computed,
        _question(worked, computed["mean"]),
    )


def _question(worked: WorkedValue, mean: float) -> str:
    """Return what can be answered before anything is computed."""
    x, claimed = worked.numbers[worked.index], worked.claimed.replace("-", "−")
    if x == max(worked.numbers) and float(worked.claimed) > 0:
        return f"Can the largest of {_COUNT_NAMES[len(worked.numbers)]} numbers become {claimed}?"
    return f"The mean of its {worked.place} is {write(mean, '.6g')}. Can {write(x)} become {claimed}?"


def _agrees(claimed: str, value: float) -> bool:
    """Whether `value` rounds to the digits claimed."""
    digits = len(claimed.partition(".")[2])
    return format(value, f".{digits}f") == claimed


def _reason(worked: WorkedValue, computed: Mapping[str, float], settings: Settings) -> str:
    """Return the template of the sentence that rules the notes' value out."""
    if computed["claimed"] * computed["value"] < 0:
        side, sign = ("below", "negative") if computed["x"] < computed["mean"] else ("above", "positive")
        reason = f"{{x}} lies {side} the mean {{mean:.6g}}, so its value must be {sign}."
        opposite = format(-computed["claimed"], f".{len(worked.claimed.partition('.')[2])}f")
        for ddof, value in ((settings.ddof, computed["value"]), (1 - settings.ddof, computed["other_divisor"])):
            if _agrees(opposite, value):
                reason += f" Dividing by {DIVISORS[ddof]} gives {value:.6f}: only the sign was lost."
        return reason.replace("-", "−")
    if computed["x"] == max(worked.numbers) and computed["claimed"] < computed["least_for_the_largest"]:
        twice = ", where it stands twice" if worked.numbers.count(worked.numbers[worked.index]) > 1 else ""
        return (
            f"{{x}} is the largest of its {worked.place}{twice}, and the largest of any "
            f"{_COUNT_NAMES[len(worked.numbers)]} numbers normalizes to at least "
            f"{_bound(worked, settings)}"
        )
    return "This is the distance from the mean in units of √(σ² + ε), and no other number is."


def _bound(worked: WorkedValue, settings: Settings) -> str:
    if settings.table_eps:
        return "{least_for_the_largest:.6g} with this ε, if their deviation is that of this table."
    if settings.ddof:
        return "{least_for_the_largest:.6g} when the variance divides by n − 1."
    count = len(worked.numbers)
    return (
        f"1/√({count} − 1) = {{least_for_the_largest:.6g}}, because normalized they sum to 0 and their "
        f"squares to {count}."
    )
