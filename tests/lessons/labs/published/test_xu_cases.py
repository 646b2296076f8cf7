from __future__ import annotations

import numpy as np
import pytest

from tinygrad_norm.lessons.labs.published import xu_cases
from tinygrad_norm.lessons.labs.published.xu_cases import CASES, row_gradient


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
    real = xu_cases.normalized_by_paths

    def planted(direct: object, by_mean: object, by_deviation: object, **options: object) -> object:
        return real(direct, direct, by_deviation, **options)  # type: ignore[arg-type]  # Tensors and a float

    monkeypatch.setattr(xu_cases, "normalized_by_paths", planted)
    x, cotangent = rng.standard_normal((2, 5, 6))
    assert row_gradient(x, cotangent, *CASES["mean"]).gap > 1e-3
    assert row_gradient(x, cotangent, *CASES["neither"]).gap < 1e-12
