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
