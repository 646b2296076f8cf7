"""Everything in the package passes its own check, and a planted mistake is found."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm.engine.primitive import FUNCTIONS, PRIMITIVES
from tinygrad_norm.gradcheck.whole_package import COMPOSITIONS, LAYERS, check_everything, check_named, names

#: Functions without a derivative: comparisons, indices, counts, constants.
WITHOUT = """
    all angle any argmax argmin argpartition argsort argwhere bitwise_and bitwise_or bitwise_xor count_nonzero
    digitize empty_like equal flatnonzero floor_divide full_like greater greater_equal imag invert isclose iscomplex
    isfinite isin isinf isnan isneginf isposinf isreal less less_equal logical_and logical_not logical_or
    logical_xor nanargmax nanargmin nextafter nonzero not_equal ones_like searchsorted signbit spacing zeros_like
"""


@pytest.mark.parametrize("name", names())
def test_everything_is_right(name: str) -> None:
    row = check_named(name, order=1, seed=0)
    assert row.status in ("right", "flat"), row.report
    kinds = {"primitive": PRIMITIVES, "composition": COMPOSITIONS, "layer": LAYERS}
    assert name in kinds[row.kind]
    if row.adjoint is not None:
        assert row.adjoint < 1e-14


@pytest.mark.parametrize("name", ["layer_norm", "softmax", "batch_norm, masked", "var", "divide"])
def test_and_the_gradient_of_the_gradient(name: str) -> None:
    assert check_named(name, order=2, seed=1).status == "right"


def test_nothing_is_left_out() -> None:
    listed = {name.split(",")[0] for name in names()} | {"scaled_dot_product_attention"}
    assert set(tg.functional.__all__) - {"one_hot"} <= listed
    assert set(FUNCTIONS) - set(WITHOUT.split()) <= listed
    assert set(FUNCTIONS) >= set(WITHOUT.split())
    assert len(names()) == len(set(names()))
    activations = {"ELU", "GELU", "LeakyReLU", "LogSoftmax", "ReLU", "SiLU", "Sigmoid", "Softmax", "Softplus", "Tanh"}
    holders = {"Dropout", "Flatten", "Identity", "Module", "ModuleDict", "ModuleList", "Parameter", "ParameterList"}
    holders |= {"Sequential", "Summary"}
    calls = {name for name in tg.nn.__all__ if name.endswith("Loss") or "Pool" in name}
    layers = {name for name in tg.nn.__all__ if name[0].isupper()} - activations - holders - calls
    assert layers <= listed


def test_progress_goes_from_zero_towards_one(monkeypatch: pytest.MonkeyPatch) -> None:
    from tinygrad_norm.gradcheck import whole_package

    monkeypatch.setattr(whole_package, "names", lambda: ["exp", "softmax"])
    seen: list[tuple[str, float]] = []
    rows = list(check_everything(1, 0, progress=lambda name, fraction: seen.append((name, fraction))))
    assert [row.name for row in rows] == ["exp", "softmax"]
    assert seen == [("exp", 0.0), ("softmax", 0.5)]
    assert rows[0].evaluations > 100


@pytest.mark.usefixtures("planted")
def test_a_wrong_primitive_is_found_and_its_report_kept() -> None:
    point = tg.sample((3, 5))
    tg.primitive(
        lambda x, /: np.sin(x), vjp=lambda g, x: (-g * np.cos(x),), name="wrong_sin", samples=[point], elementwise=True
    )
    row = check_named("wrong_sin", 1, 0)
    assert row.status == "wrong"
    assert row.report is not None
    assert row.report.finding is not None
    assert "the sign is flipped" in row.report.finding.name


@pytest.mark.usefixtures("planted")
def test_a_linear_primitive_with_a_wrong_adjoint_shows_in_its_own_column() -> None:
    def scale(x: Any, /) -> Any:
        return 3.0 * x

    tg.primitive(scale, vjp=lambda g: (g,), name="wrong_scale", samples=[tg.sample((3, 5))], linear=True)
    assert (check_named("wrong_scale", 1, 0).adjoint or 0) > 0.01
    # Of several points the worst counts.
    samples = [tg.sample((3, 5)), tg.sample((4,)), tg.sample((2, 3))]
    tg.primitive(
        scale, vjp=lambda g: (g * (1.0 if g.ndim == 1 else 3.0),), name="half_scale", samples=samples, linear=True
    )
    assert (check_named("half_scale", 1, 0).adjoint or 0) > 0.01


def test_an_unknown_name_is_answered_with_the_names() -> None:
    with pytest.raises(tg.InputError, match=r"got 'layernorm'\. Did you mean LayerNorm\? The names are: "):
        list(check_everything(1, 0, "layernorm"))
