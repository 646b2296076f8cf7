"""Every primitive at every sample of its declaration, through the same battery."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tinygrad_norm.engine.primitive import PRIMITIVES

EVERY = [(made, point) for made in PRIMITIVES.values() if made.native for point in made.samples]
LINEAR = [(made, point) for made, point in EVERY if made.linear]


def name(value: Any) -> str:
    return value.name if hasattr(value, "arity") else ",".join(map(str, value.shapes)).replace(" ", "")


every_sample = pytest.mark.parametrize(("made", "point"), EVERY, ids=name)


@every_sample
def test_vjp(case: Any, made: Any, point: Any) -> None:
    case(made, point).check_vjp()


@every_sample
def test_vjp_of_vjp(case: Any, made: Any, point: Any) -> None:
    case(made, point).check_vjp_of_vjp()


@every_sample
def test_each_input_alone(case: Any, made: Any, point: Any) -> None:
    case(made, point).check_each_input_alone()


@every_sample
def test_purity(case: Any, made: Any, point: Any) -> None:
    case(made, point).check_purity()


@every_sample
def test_layout(case: Any, made: Any, point: Any) -> None:
    case(made, point).check_layout()


@pytest.mark.parametrize(
    ("made", "point"), [(made, point) for made, point in EVERY if "dtype" not in made.params], ids=name
)
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_dtype(case: Any, made: Any, point: Any, dtype: Any) -> None:
    case(made, point).check_dtype(dtype)


@pytest.mark.parametrize(
    ("made", "point"), [(m, s) for m, s in EVERY if m.elementwise and m.arity > 1 and () in s.shapes], ids=name
)
def test_python_numbers(case: Any, made: Any, point: Any) -> None:
    case(made, point).check_python_numbers()


@every_sample
def test_saved(case: Any, made: Any, point: Any) -> None:
    case(made, point).check_saved()


@pytest.mark.parametrize(("made", "point"), LINEAR, ids=name)
def test_exact_adjoint(case: Any, made: Any, point: Any) -> None:
    case(made, point).check_adjoint()


def test_the_battery_is_not_empty() -> None:
    assert len(PRIMITIVES) >= 45
    assert {made.name for made, _ in EVERY} == {n for n, made in PRIMITIVES.items() if made.native}
    assert len(LINEAR) >= 80


@pytest.mark.parametrize("made", [made for made in PRIMITIVES.values() if made.native], ids=name)
def test_what_the_learner_is_shown(made: Any) -> None:
    assert made.symbol
    assert made.formula
    assert len(made.rule) == (1 if made.variadic else made.arity)
    assert repr(made) == f"<primitive {made.name}: {made.formula}>"
