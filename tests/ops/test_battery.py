"""Every primitive at every sample of its declaration, through the same battery."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tinygrad_norm.engine.primitive import PRIMITIVES

NATIVE = [made for made in PRIMITIVES.values() if made.native]
LINEAR = [made for made in NATIVE if made.linear]
CHECKS = ["vjp", "vjp_of_vjp", "each_input_alone", "purity", "layout", "saved"]


def name(value: Any) -> str:
    return str(getattr(value, "name", value))


@pytest.mark.parametrize("made", NATIVE, ids=name)
@pytest.mark.parametrize("check", CHECKS)
def test_at_every_sample(at_every_sample: Any, made: Any, check: str) -> None:
    at_every_sample(made, check)


@pytest.mark.parametrize("made", [made for made in NATIVE if "dtype" not in made.params], ids=name)
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_dtype(at_every_sample: Any, made: Any, dtype: Any) -> None:
    at_every_sample(made, "dtype", dtype)


@pytest.mark.parametrize("made", [m for m in NATIVE if m.elementwise and m.arity > 1], ids=name)
def test_python_numbers(at_every_sample: Any, made: Any) -> None:
    at_every_sample(made, "python_numbers")


@pytest.mark.parametrize("made", LINEAR, ids=name)
def test_exact_adjoint(at_every_sample: Any, made: Any) -> None:
    at_every_sample(made, "adjoint")


def test_the_battery_is_not_empty() -> None:
    assert len(NATIVE) >= 45
    assert sum(len(made.samples) for made in LINEAR) >= 80
    assert all(made.samples for made in NATIVE)
    assert sum(() in point.shapes for made in NATIVE if made.elementwise for point in made.samples) >= 20


@pytest.mark.parametrize("made", NATIVE, ids=name)
def test_what_the_learner_is_shown(made: Any) -> None:
    assert made.symbol
    assert made.formula
    assert len(made.rule) == (1 if made.variadic else made.arity)
    assert repr(made) == f"<primitive {made.name}: {made.formula}>"
