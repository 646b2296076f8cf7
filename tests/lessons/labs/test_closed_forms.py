from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tinygrad_norm import Tensor
from tinygrad_norm.lessons.labs import closed_forms
from tinygrad_norm.lessons.labs.closed_forms import (
    CASES,
    Given,
    by_engine,
    closed_form_gaps,
    given,
    normalized_by_paths,
    path_gaps,
    paths,
    paths_in_closed_form,
    relative_gap,
    row_gradient,
    squared_norms,
    theorem_gaps,
)
from tinygrad_norm.lessons.lecture.gradient_paths import gradient_paths
from tinygrad_norm.lessons.lecture.notes import OUTPUTS

PATHS = ("direct", "by_mean", "by_deviation")


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("eps", [0.0, 1e-5, 1.0])
def test_each_path_is_its_formula(rng: np.random.Generator, axis: int, eps: float) -> None:
    x, cotangent = rng.standard_normal((2, 7, 9))
    engine, formula = paths(x, cotangent, axis, eps), paths_in_closed_form(x, cotangent, axis, eps)
    for name in PATHS:
        assert relative_gap(getattr(engine, name), getattr(formula, name), formula.direct) < 1e-14
    np.testing.assert_allclose(engine.total, formula.total, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("axis", [0, 1])
def test_they_are_what_the_drawing_of_the_layer_shows(axis: int) -> None:
    x = np.array(OUTPUTS, dtype=float)
    cotangent = np.zeros(x.shape)
    cotangent[0, 0] = 1.0
    apart, drawn = paths(x, cotangent, axis, 0.0), gradient_paths(Tensor(x), axis, (0, 0), 0.0)
    np.testing.assert_allclose(apart.total, drawn.total, atol=1e-14)
    # There the paths end at the centered values, of which the variance is made too; only that of the mean ends at x.
    np.testing.assert_allclose(apart.direct, drawn.direct, atol=1e-14)
    np.testing.assert_allclose(apart.by_deviation, drawn.variance, atol=1e-14)
    np.testing.assert_allclose(apart.by_mean, drawn.mean, atol=1e-14)


def test_a_path_that_is_cut_sends_nothing(rng: np.random.Generator) -> None:
    x = Tensor(rng.standard_normal((2, 5)), requires_grad=True)
    cut = normalized_by_paths(x.detach(), x.detach(), x.detach(), 1, 0.0)
    assert not cut.requires_grad


def test_a_gap_is_a_share_of_the_largest_entry() -> None:
    assert relative_gap(np.array([1.0, 2.5]), np.array([1.0, 2.0])) == 0.25
    assert relative_gap(np.array([1.0]), np.array([2.0]), np.array([4.0, -8.0])) == 0.125


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
    exact, _ = squared_norms(at, 0.0)
    assert 0 < exact.mean() <= 1
    found, by_theorem = squared_norms(at, 0.5)
    assert (found < by_theorem + 1e-12).all()
    assert (found < by_theorem - 1e-6).any()


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


@pytest.mark.parametrize("case", CASES)
def test_mean_and_variance_are_those_of_the_theorem(rng: np.random.Generator, case: str) -> None:
    x, cotangent = rng.standard_normal((2, 30, 6))
    found = row_gradient(x, cotangent, *CASES[case])
    assert found.gap < 1e-12
    assert (found.variance <= found.bound * (1 + 1e-12)).all()
    detached_mean, detached_deviation = CASES[case]
    # The path through the mean makes the gradient's mean 0; the path through the deviation shrinks its variance.
    assert np.allclose(found.mean, 0, atol=1e-14) is not detached_mean
    assert (found.share < 0.99) is not detached_deviation


def test_with_a_path_too_many_the_theorem_fails(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    real = closed_forms.normalized_by_paths

    def planted(direct: object, by_mean: object, by_deviation: object, **options: object) -> object:
        return real(direct, direct, by_deviation, **options)  # type: ignore[arg-type]  # Tensors and a float

    monkeypatch.setattr(closed_forms, "normalized_by_paths", planted)
    x, cotangent = rng.standard_normal((2, 5, 6))
    assert row_gradient(x, cotangent, *CASES["mean"]).gap > 1e-3
    assert row_gradient(x, cotangent, *CASES["neither"]).gap < 1e-12
