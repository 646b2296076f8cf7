"""Every number that the lecture is known to have, against its data, to the digits written here."""

from __future__ import annotations

from typing import Any

import pytest

Steps = dict[str, Any]


def agrees(value: Any, printed: str) -> bool:
    """Whether a computed number rounds to the printed one; a fraction must be the same fraction."""
    if isinstance(value, dict):
        return bool(value["fraction"] == printed) or agrees(value["value"], printed)
    if printed == "–":
        return value is None
    decimals = len(printed.partition(".")[2])
    rounded = format(float(value), f".{decimals}f")
    return rounded == printed or float(rounded) == float(printed) == 0


def check(values: list[Any], printed: str) -> None:
    wanted = printed.split()
    assert len(values) == len(wanted)
    pairs = zip(values, wanted, strict=True)
    assert [(value, text) for value, text in pairs if not agrees(value, text)] == []


def row(steps: Steps, step: int, table: str, label: str) -> list[Any]:
    rows = steps[str(step)]["tables"][table]["rows"]
    (found,) = [r["values"] for r in rows if r["label"] == label]
    return list(found)


def rows(steps: Steps, step: int, table: str) -> list[list[Any]]:
    return [r["values"] for r in steps[str(step)]["tables"][table]["rows"]]


def column(steps: Steps, step: int, table: str, name: str) -> list[Any]:
    index = steps[str(step)]["tables"][table]["columns"].index(name)
    return [values[index] for values in rows(steps, step, table)]


def claim(steps: Steps, step: int, key: str) -> Any:
    return steps[str(step)]["claims"][key]


def fact(steps: Steps, step: int, key: str) -> Any:
    return steps[str(step)]["facts"][key]["values"]


# The 5×3 table


def test_the_table_itself(steps: Steps) -> None:
    given = "2 3 7 5 4 | 1 1 2 3 4 | 5 4 1 2 3 | 6 1 7 5 6 | 7 1 3 3 4"
    for values, printed in zip(rows(steps, 2, "table"), given.split("|"), strict=True):
        check(values, printed)


@pytest.mark.parametrize(
    ("neuron", "printed"),
    [
        ("z₁", "4 4 32/5 6.4 2.529822 8 8 2.828427"),
        ("z₂", "18/5 3.6 36/25 1.44 1.200000 9/5 1.8 1.341641"),
        ("z₃", "21/5 4.2 24/25 0.96 0.979796 6/5 1.2 1.095445"),
    ],
)
def test_column_statistics(steps: Steps, neuron: str, printed: str) -> None:
    check(row(steps, 2, "statistics", neuron), printed)


BATCH_NORM = """
    1.185854  1.166667 -0.204124
   -0.790569 -0.500000 -0.204124
   -1.185854 -1.333333 -1.224745
    1.185854  1.166667  1.837117
   -0.395285 -0.500000 -0.204124
"""

LAYER_NORM = """
    1.336306 -0.267261 -1.069045 5.333333 1.247219
   -1.224745  0         1.224745 3        0.816497
   -1.224745  0         1.224745 2        0.816497
    1.224745 -1.224745  0        6        0.816497
   -0.707107 -0.707107  1.414214 3.333333 0.471405
"""


def test_batch_norm_of_the_table(steps: Steps) -> None:
    for values, printed in zip(rows(steps, 2, "normalized"), BATCH_NORM.strip().split("\n"), strict=True):
        check(values, printed)


def test_layer_norm_of_the_table(steps: Steps) -> None:
    for values, printed in zip(rows(steps, 8, "normalized"), LAYER_NORM.strip().split("\n"), strict=True):
        check(values[:-1], printed)


def test_closed_forms(steps: Steps) -> None:
    assert column(steps, 2, "closed_forms", "x̂") == [
        "(3, −2, −3, 3, −1)/√6.4",
        "(7/6, −1/2, −4/3, 7/6, −1/2)",
        "(−1, −1, −6, 9, −1)/√24",
    ]
    assert column(steps, 8, "normalized", "in closed form") == [
        "(5, −1, −4)/√14",
        "(−1, 0, 1)·√(3/2)",
        "(−1, 0, 1)·√(3/2)",
        "(1, −1, 0)·√(3/2)",
        "(−1, −1, 2)/√2",
    ]


def test_the_engine_is_within_rounding_of_the_closed_forms(steps: Steps) -> None:
    assert max(column(steps, 2, "closed_forms", "gap")) < 1e-15
    assert fact(steps, 8, "agreement")["closed"] < 1e-15
    assert fact(steps, 8, "agreement")["layer"] < 1e-15
    assert fact(steps, 2, "default")["gap"] < 1e-15


def test_rows_two_and_three_have_the_same_layer_norm(steps: Steps) -> None:
    twins = [key for key in steps["8"]["facts"] if key.startswith("twins")]
    assert twins == ["twins_2_3"]
    values = fact(steps, 8, "twins_2_3")
    assert (values["a"], values["b"], values["gap"]) == ([2, 3, 4], [1, 2, 3], 0)


def test_layer_norm_ends_on_a_circle(steps: Steps) -> None:
    circle = fact(steps, 8, "circle")
    assert circle["squares"] == 3
    assert circle["least"] == pytest.approx(3**0.5, rel=1e-15)
    assert circle["most"] == pytest.approx(3**0.5, rel=1e-15)


def test_two_rows_give_plus_and_minus_one(steps: Steps) -> None:
    two = fact(steps, 2, "two_rows")
    assert two["least"] == pytest.approx(1, rel=1e-15)
    assert two["most"] == pytest.approx(1, rel=1e-15)
    assert two["tied"] == 0
    assert (two["columns"], two["ties"]) == (30, 6)


def test_no_linear_layer_gives_the_table(steps: Steps) -> None:
    values = fact(steps, 2, "no_linear_layer")
    assert values["combination"] == "3r₁ − 2r₂ − 2r₃ + r₄"
    assert values["weights"] == [3, -2, -2, 1]
    assert values["on_features"] == [0, 0, 0]
    assert values["on_outputs"] == [22, 10, 4]


@pytest.mark.parametrize(
    ("neuron", "printed"),
    [
        ("neuron 1", "-15/526 -201/526 2569/526 0.036"),
        ("neuron 2", "-21/263 -71/263 1177/263 0.093"),
        ("neuron 3", "18/263 -127/263 1283/263 0.442"),
    ],
)
def test_least_squares(steps: Steps, neuron: str, printed: str) -> None:
    *solution, gradient, newton = row(steps, 2, "least_squares", neuron)
    check(solution, printed)
    assert gradient < 1e-13
    assert newton < 1e-12


def test_the_worked_equations(steps: Steps) -> None:
    (equations,) = [text for text in steps["2"]["text"] if text.startswith("row 1")]
    assert equations.splitlines() == [
        "row 1                       row 2",
        "z₁ = 2w₁ + 3w₂ + b₁ = 7     z₁ = 1w₁ + 1w₂ + b₁ = 2",
        "z₂ = 2w₃ + 3w₄ + b₂ = 5     z₂ = 1w₃ + 1w₄ + b₂ = 3",
        "z₃ = 2w₅ + 3w₆ + b₃ = 4     z₃ = 1w₅ + 1w₆ + b₃ = 4",
    ]


def test_the_layer_that_keeps_the_worked_rows(steps: Steps) -> None:
    assert "W = [[1, 0, 2], [2, 1, −1]], b = (−1, 2, 3)" in steps["2"]["tables"]["kept_rows"]["title"]
    assert rows(steps, 2, "kept_rows") == [
        [7, 5, 4, "the same"],
        [2, 3, 4, "the same"],
        [12, 6, 9, "differ"],
        [7, 3, 14, "differ"],
        [8, 3, 16, "differ"],
    ]


# The slips


@pytest.mark.parametrize(
    ("step", "key", "value", "other", "bound"),
    [
        (2, "first_value", "1.185854", "1.060660", "0.5"),
        (2, "second_value", "1.166667", "1.043498", "0.5"),
        (2, "third_value", "-0.204124", "-0.182574", "0.5"),
        (2, "second_row_value", "-0.790569", "-0.707107", "0.5"),
        (8, "row_value", "1.336306", "1.091089", "0.707107"),
    ],
)
def test_worked_values(steps: Steps, step: int, key: str, value: str, other: str, bound: str) -> None:
    found = claim(steps, step, key)
    assert found["verdict"] == "slip"
    values = found["values"]
    check([values["value"], values["other_divisor"], values["least_for_the_largest"]], f"{value} {other} {bound}")


def test_parameters_belong_to_the_feature(steps: Steps) -> None:
    batch = claim(steps, 2, "scale_index")
    check(batch["values"]["by_scale"], "0 1.166667 0")
    check(batch["values"]["by_shift"], "0 1 0")
    layer = claim(steps, 8, "row_statistics")
    assert layer["verdict"] == "right"
    check(layer["values"]["by_scale"], "0 -0.267261 0")
    check(layer["values"]["by_shift"], "0 1 0")


def test_scale_one_and_shift_zero_change_nothing(steps: Steps) -> None:
    values = claim(steps, 2, "identity_scale")["values"]
    assert values["output"] == values["value"]
    assert agrees(values["output"], "-0.204124")


def test_the_defaults_leave_a_value_as_it_is(steps: Steps) -> None:
    values = claim(steps, 2, "default_scale")["values"]
    assert values["output"] == values["claimed"] == 0.36
    assert agrees(values["entry_output"], "1.185854")


def test_one_token_has_one_mean(steps: Steps) -> None:
    values = claim(steps, 8, "one_token_two_means")["values"]
    assert (values["first"], values["second"]) == (6.5, 2.4)
    assert values["mean"] == pytest.approx(3.7)
    check([values["first_value"], values["second_value"], values["by_neighbor"]], "1.4130 -0.6560 0.2545")


def test_a_pad_row_becomes_the_shift(steps: Steps) -> None:
    values = claim(steps, 8, "pad_row")["values"]
    assert values["bare"] is None
    assert values["output"] == values["shift"] == [1, 2, 3]


def test_a_zero_query_attends_uniformly(steps: Steps) -> None:
    values = claim(steps, 5, "pad_stays_zero")["values"]
    check(values["pad_output"], "0.15 0.1875 0.3775")
    assert values["pad_output"] == pytest.approx([0.15, 0.1875, 0.3775], rel=1e-15)
    check([100 * values["share"], 100 * values["unscaled_share"]], "19.57 15.88")
    assert values["masked_weights"][2:] == [0, 0]


def test_batch_norm_goes_down_and_layer_norm_along(steps: Steps) -> None:
    values = claim(steps, 8, "direction")["values"]
    assert values["batch_other_columns"] == values["layer_other_rows"] == 0
    assert values["batch_other_rows"] > 0.1
    assert values["layer_other_columns"] > 0.1


def test_every_verdict(steps: Steps) -> None:
    found = {key: c["verdict"] for step in steps.values() for key, c in step["claims"].items()}
    assert found == {
        "stability": "partly shown",
        "convergence": "partly shown",
        "covariate_shift": "disputed",
        "regularization": "partly shown",
        "first_value": "slip",
        "default_scale": "right",
        "second_value": "slip",
        "scale_index": "slip",
        "third_value": "slip",
        "identity_scale": "slip",
        "second_row_value": "slip",
        "pad_stays_zero": "slip",
        "outputs_are_given": "imprecise",
        "self_attention": "imprecise",
        "sequential_data": "right",
        "statistics_not_true": "imprecise",
        "cannot_use": "too strong",
        "row_value": "slip",
        "row_statistics": "right",
        "direction": "slip",
        "one_token_two_means": "slip",
        "pad_row": "imprecise",
        "zeros_do_not_affect": "right",
    }


# The padded table

TOKENS = ("Hi", "Nitish", "pad", "pad", "How", "are", "You", "today")

EMBEDDINGS = """
    0.2 0.45 0.71 | 0.4 0.3 0.8 | 0 0 0 | 0 0 0 | 0.3 0.5 0.34 | 0.1 0 0.25 | 0.33 0.56 0.9 | 0.11 0.4 0.54
"""
OUTPUTS = "6.5 2.41 3.21 | 2.21 0.4 3.6 | 0 0 0 | 0 0 0 | 7.5 9.2 1.5 | 2.2 1.1 6.7 | 2.9 6 9 | 9.9 2.3 6.5"
PADS_IN = """
    0.7627 -0.0865 -0.1942 | -0.4963 -0.7394 -0.0688 | -1.1449 -0.8694 -1.2269 | -1.1449 -0.8694 -1.2269 |
    1.0561  2.1192 -0.7444 | -0.4993 -0.5120  0.9285 | -0.2938  1.0797  1.6685 |  1.7605 -0.1222  0.8642
"""
MASKED = """
    0.4398 -0.3768 -0.7401 | -1.0133 -1.0306 -0.5862 | – – – | – – – |
    0.7785  1.8318 -1.4151 | -1.0167 -0.8029  0.6375 | -0.7796  0.7910  1.5453 |  1.5914 -0.4126  0.5585
"""
LAYER_PADDED = """
    1.3899 -0.9210 -0.4690 |  0.1069 -1.2747  1.1678 | 0 0 0 | 0 0 0 |
    0.4340  0.9487 -1.3826 | -0.4678 -0.9219  1.3897 | -1.2314  0.0134  1.2180 |  1.1796 -1.2654  0.0858
"""


@pytest.mark.parametrize(
    ("step", "table", "printed"),
    [
        (4, "embeddings", EMBEDDINGS),
        (5, "given_outputs", OUTPUTS),
        (6, "pads_in", PADS_IN),
        (6, "masked", MASKED),
        (8, "padded", LAYER_PADDED),
    ],
)
def test_tables_of_tokens(steps: Steps, step: int, table: str, printed: str) -> None:
    found = steps[str(step)]["tables"][table]["rows"]
    assert tuple(r["label"] for r in found) == TOKENS
    assert [r["pad"] for r in found] == [token == "pad" for token in TOKENS]
    for r, text in zip(found, printed.split("|"), strict=True):
        check(r["values"], text)


@pytest.mark.parametrize(
    ("feature", "printed"),
    [
        ("x₁", "3.90125 5.201667 3.407457 2.952403"),
        ("x₂", "2.67625 3.568333 3.078343 3.074359"),
        ("x₃", "3.81375 5.085 3.108388 2.533468"),
    ],
)
def test_padded_statistics(steps: Steps, feature: str, printed: str) -> None:
    check(row(steps, 6, "statistics", feature)[:-1], printed)


def test_change_of_the_deviations(steps: Steps) -> None:
    changes = [100 * change for change in column(steps, 6, "statistics", "σ changes by")]
    check(changes[:1] + changes[2:], "15.4 22.7")
    check(changes[1:2], "0.13")
    assert claim(steps, 6, "statistics_not_true")["values"]["kept"] == 0.75


def test_the_law(steps: Steps) -> None:
    check(column(steps, 6, "law", "π*"), "0.6778 0.2577 0.7518")
    assert fact(steps, 6, "law_exact")["gap"] == 0
    for by_law, measured in (("μ by law", "μ measured"), ("σ by law", "σ measured")):
        assert column(steps, 6, "law", by_law) == pytest.approx(column(steps, 6, "law", measured), rel=1e-15)
    nearest = fact(steps, 6, "break_even")
    assert (nearest["feature"], nearest["share"]) == ("x₂", 0.25)
    assert agrees(nearest["break_even"], "0.2577")


@pytest.mark.parametrize(
    ("pads", "printed"),
    [("0", "0.440 -0.377 -0.740"), ("4", "0.987 0.091 0.050"), ("18", "1.931 0.696 0.763")],
)
def test_a_word_among_pads(steps: Steps, pads: str, printed: str) -> None:
    check(row(steps, 6, "company", pads), f"{printed} 1.390 -0.921 -0.469")


def test_sign_changes(steps: Steps) -> None:
    values = fact(steps, 6, "sign_changes")
    assert values == {"word": "Hi", "pads": [None, 3, 4]}
    for feature, pads in ((1, 3), (2, 4)):
        before = row(steps, 6, "company", str(pads - 1))[feature]
        assert before < 0 < row(steps, 6, "company", str(pads))[feature]


# Step 7


def test_mostly_padding(steps: Steps) -> None:
    share = fact(steps, 7, "share")
    assert (share["words"], share["positions"]) == (1092, 3200)
    check([100 * share["share"], share["kept"]], "65.9 0.341")
    check(column(steps, 7, "factors", "σ by law"), "0.584 0.752 1.114")
    for law, measured in (("μ by law", "μ measured"), ("σ by law", "σ measured")):
        assert column(steps, 7, "factors", law) == pytest.approx(
            column(steps, 7, "factors", measured), rel=1e-12, abs=1e-12
        )


# Backward


def test_gradient_factors(steps: Steps) -> None:
    table = steps["8"]["tables"]["factors"]["rows"]
    pads = [r["values"][0] for r in table if r["pad"]]
    words = [r["values"][0] for r in table if not r["pad"]]
    assert [round(factor) for factor in pads] == [316, 316]
    check([min(words), max(words)], "0.3 0.8")


def test_no_derivative_crosses_rows(steps: Steps) -> None:
    values = claim(steps, 8, "zeros_do_not_affect")["values"]
    assert values["layer"] == 0
    assert values["batch"] > 0.1


def test_the_gradient_is_orthogonal_and_sums_see_nothing(steps: Steps) -> None:
    orthogonal = fact(steps, 8, "orthogonal")
    assert max(orthogonal.values()) < 1e-14
    blind = fact(steps, 8, "blind")
    assert blind["largest_of_sums"] < 1e-14
    assert blind["random"] > 0.1
