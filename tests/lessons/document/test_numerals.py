from __future__ import annotations

from fractions import Fraction

import pytest

from tinygrad_norm.lessons.document.numerals import closeness, fill, missing_tails, write


@pytest.mark.parametrize(
    ("value", "spec", "text"),
    [
        (1.5, ".2f", "1.50"),
        (-1.5, ".2f", "−1.50"),
        (-0.001, ".2f", "0.00"),
        (0.0, ".2f", "0"),
        (-0.0, "", "0"),
        (0.0, ".1%", "0.0%"),
        (-0.0004, ".1%", "0.0%"),
        (2.0, "", "2"),
        (2.41, "", "2.41"),
        (1e-5, "g", "1e−5"),
        (3e-16, ".1g", "3e−16"),
        (1e300, "", "1e300"),
        (1e300, ".6f", "1e300"),
        (-2e9, ".6f", "−2e9"),
        (float("nan"), ".2f", "0/0"),
        (float("inf"), ".2f", "∞"),
        (float("-inf"), ".2f", "−∞"),
        (None, ".2f", "–"),
        (7, ".2f", "7"),
        (-1234, "", "−1,234"),
        (True, "", "yes"),
        (False, "", "no"),
        ("text-with-hyphen", ".2f", "text-with-hyphen"),
        (Fraction(-1, 3), "", "−1/3"),
        (Fraction(1, 3), ".3f", "0.333"),
        (Fraction(4), "", "4"),
        ((1.0, -2.5), ".1f", "(1.0, −2.5)"),
    ],
)
def test_write(value: object, spec: str, text: str) -> None:
    assert write(value, spec) == text


def test_write_refuses_what_is_no_value() -> None:
    with pytest.raises(TypeError, match="a value of a lesson is a number or text; got object"):
        write(object())


def test_fill_names_its_values() -> None:
    assert fill("{a:.1f}, {b}, {c:.0%}", {"a": -0.25, "b": "x", "c": 0.5}) == "−0.2, x, 50%"


def test_fill_does_not_read_fields_from_values() -> None:
    assert fill("{a}", {"a": "{b}"}) == "{b}"


def test_missing_tails_align_points() -> None:
    cells = ["6.5", "12.41", "0", "–"]
    assert missing_tails(cells) == [1, 0, 3, 3]
    assert missing_tails(["1/2", "3"]) == [0, 0]


def test_closeness() -> None:
    assert closeness(0.0) == "exactly"
    assert fill(closeness(2e-16, "d"), {"d": 2e-16}) == "to within 2e−16"
