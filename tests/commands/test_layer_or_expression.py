"""What is drawn by name or by expression, with which options and errors; the commands' tests have the rest."""

from __future__ import annotations

import pytest

import tinygrad_norm as tg
from tinygrad_norm.commands.layer_or_expression import drawing_of


def test_options_of_the_example_can_be_overruled() -> None:
    assert not drawing_of("layer_norm", {}, gradients=False).view.sweep


def test_errors_of_the_expression_come_through() -> None:
    with pytest.raises(tg.InputError, match="one that Python can read"):
        drawing_of("x +", {})


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("log(-1 + 0 * x)", "invalid value"),
        ("1 / (0 * x) + log(-1 + 0 * x)", "divide by zero, invalid value"),
        ("exp(1000 * x)", "overflow"),
        ("sqrt(0 * x)", "divide by zero"),  # in the backward pass
    ],
)
def test_what_numpy_warns_of_is_said_without_a_path(
    expression: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    drawing_of(expression, {})
    assert capsys.readouterr().err.startswith(f"tinygrad-norm: {said}")
    drawing_of("x * x", {})
    assert not capsys.readouterr().err
