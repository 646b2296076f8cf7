"""What is said where a formula loses its digits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm.gradcheck.stable_formula import stable_formula
from tinygrad_norm.gradcheck.user_functions import tensor_function


@pytest.mark.parametrize(
    ("f", "name"),
    [
        (lambda x: tg.log(1 + tg.exp(x)), "log1p(y)"),
        (lambda x: tg.log(tg.exp(x) + 1), "log1p(y)"),
        (lambda x: tg.log(1 - tg.tanh(x) ** 2), "log1p(−y)"),
        (lambda x: tg.exp(x) - 1, "expm1(y)"),
        (lambda x: tg.log(tg.exp(x).sum()), "logsumexp(y)"),
        (lambda x: tg.log(2 + tg.exp(x)), ""),
        (lambda x: tg.exp(x) - 2, ""),
        (lambda x: tg.log(x * x), ""),
        (lambda x: tg.log(x / x + x), ""),
    ],
)
def test_the_stable_form_of_an_expression_is_known(f: Any, name: str) -> None:
    advice = stable_formula(tensor_function(f, np.array([0.5, 1.5]), None))
    assert advice.endswith(f"use {name}") if name else advice == ""


def test_it_is_told_where_the_check_cannot_tell() -> None:
    report = tg.gradcheck(lambda x: tg.log(1 + tg.exp(x)), np.array([-34.5]))
    assert report.status == "cannot tell"
    assert "note: log(1 + y) loses the digits of a small y: use log1p(y)" in str(report)
    assert tg.gradcheck(lambda x: tg.log1p(tg.exp(x)), np.array([-34.5])).ok
