from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tinygrad_norm.lessons.labs.all_labs import CATALOG, labs_for
from tinygrad_norm.lessons.labs.papers import SANTURKAR
from tinygrad_norm.lessons.lecture.notes import FEATURES
from tinygrad_norm.lessons.lecture.settings import Settings
from tinygrad_norm.lessons.lecture.steps.step_3_benefits import MAX_STEPS, batch_noise, descent, neuron_drift, rescaling


def test_layer_norm_does_not_see_the_scale() -> None:
    result = rescaling(1000.0, Settings())
    assert result.output_change < 1e-14
    assert result.gradient_shrinks_by == pytest.approx(1000, rel=1e-12)


def test_with_a_large_eps_it_does() -> None:
    assert rescaling(1000.0, Settings(eps=1.0)).output_change > 0.1


@pytest.mark.parametrize("normalized", [False, True])
def test_curvature_is_that_of_the_features(normalized: bool) -> None:
    features = np.array(FEATURES, dtype=float)
    if normalized:
        features = (features - features.mean(axis=0)) / features.std(axis=0)
    design = np.column_stack([features, np.ones(5)])
    eigenvalues = np.linalg.eigvalsh(2 / 5 * design.T @ design)
    run = descent(normalized, Settings())
    assert run.least == pytest.approx(eigenvalues[0], rel=1e-10)
    assert run.largest == pytest.approx(eigenvalues[-1], rel=1e-10)
    assert run.condition == pytest.approx(eigenvalues[-1] / eigenvalues[0], rel=1e-10)


def test_normalized_features_need_fewer_steps() -> None:
    raw, normalized = (descent(choice, Settings()) for choice in (False, True))
    assert raw.steps is not None
    assert normalized.steps is not None
    assert normalized.steps * 100 < raw.steps <= MAX_STEPS


def test_a_large_eps_makes_it_worse_than_no_normalization() -> None:
    run = descent(True, Settings(eps=1e6))
    assert run.condition > descent(False, Settings()).condition
    assert run.steps is None


def test_features_scaled_to_nothing_have_no_best_fit() -> None:
    run = descent(True, Settings(eps=1e300))
    assert (run.condition, run.steps) == (float("inf"), None)


def test_drift_stops_at_batch_norm() -> None:
    history = neuron_drift(3, Settings())
    assert [at.step for at in history] == [0, 1, 2, 3]
    assert history[0].mean == pytest.approx(7.2)
    assert len({round(at.mean, 3) for at in history}) == 4
    for at in history:
        assert abs(at.normalized_mean) < 1e-14
        assert at.normalized_deviation == pytest.approx(1, rel=1e-12)


def test_batch_norm_depends_on_the_company() -> None:
    noise = batch_noise(3, Settings())
    assert noise.batches == 6
    assert noise.most - noise.least > 0.5
    assert noise.layer_norm_spread == 0


@pytest.mark.parametrize("claim", ["stability", "convergence", "covariate_shift", "regularization"])
def test_every_benefit_points_at_the_labs_that_test_it(steps: dict[str, Any], claim: str) -> None:
    found = steps["3"]["claims"][claim]
    names = found["values"]["labs"].split(", ")
    assert names == [lab.name for lab in labs_for(claim)]
    assert ", ".join(names) in found["why"]


def test_covariate_shift_stays_disputed_with_its_evidence(steps: dict[str, Any]) -> None:
    found = steps["3"]["claims"]["covariate_shift"]
    assert found["verdict"] == "disputed"
    assert "Santurkar" in found["why"]
    assert any(question.source is SANTURKAR for question in CATALOG[found["values"]["labs"]].questions)
