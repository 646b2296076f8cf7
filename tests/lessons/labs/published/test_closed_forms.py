from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tinygrad_norm.lessons.labs.published import closed_forms
from tinygrad_norm.lessons.labs.published.closed_forms import (
    Given,
    by_engine,
    closed_form_gaps,
    given,
    path_gaps,
    squared_norms,
    theorem_gaps,
)  # fmt: skip


@pytest.fixture(params=range(4))
def at(request: pytest.FixtureRequest) -> Given:
    return given(np.random.default_rng(request.param))


def test_closed_forms_are_what_the_engine_composes(at: Given) -> None:
    gaps = closed_form_gaps(at)
    assert set(gaps) == {"layer norm", "batch norm", "RMS norm"}
    assert max(gaps.values()) < 1e-12


def test_the_paths_add_up(at: Given) -> None:
    assert max(path_gaps(at).values()) < 1e-12


def test_theorem_4_1_is_an_equation_without_eps_and_a_bound_with_it(at: Given) -> None:
    gaps = theorem_gaps(at)
    assert gaps["equation"] < 1e-12
    assert gaps["excess"] < 1e-12
    assert 0 < gaps["share"] <= 1
    wide = squared_norms(at, 0.5)
    assert (wide.found < wide.by_theorem + 1e-12).all()
    assert (wide.found < wide.by_theorem - 1e-6).any()


def test_a_closed_form_without_its_last_term_is_noticed(at: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    def planted(x: np.ndarray, cotangent: np.ndarray, axis: int, eps: float) -> object:
        whole = real(x, cotangent, axis, eps)
        return replace(whole, by_deviation=np.zeros_like(x))

    real = closed_forms.paths_in_closed_form
    monkeypatch.setattr(closed_forms, "paths_in_closed_form", planted)
    gaps = closed_form_gaps(at)
    assert min(gaps["layer norm"], gaps["batch norm"]) > 1e-3
    assert path_gaps(at)["by_deviation"] > 1e-3


def test_a_detached_mean_breaks_the_equation(at: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    def planted(x: object, **options: object) -> object:
        mean = x.detach().mean(0, keepdims=True)  # type: ignore[attr-defined]  # a Tensor
        centered = x - mean
        return centered / ((centered * centered).mean(0, keepdims=True) + options["eps"]) ** 0.5 * options["weight"]

    monkeypatch.setattr(closed_forms.F, "batch_norm", planted)
    assert theorem_gaps(at)["equation"] > 1e-6


def test_inputs_differ_in_size_and_scale() -> None:
    some = [given(np.random.default_rng(seed)) for seed in range(20)]
    assert len({at.x.shape for at in some}) > 15
    assert max(at.x.std() for at in some) > 20 * min(at.x.std() for at in some)


def test_the_gradient_is_that_of_the_cotangent() -> None:
    assert by_engine(lambda x: x * 3.0, np.ones(2), np.array([1.0, -2.0])).tolist() == [3.0, -6.0]
