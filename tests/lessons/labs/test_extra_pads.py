from __future__ import annotations

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm import nn
from tinygrad_norm.lessons.labs.extra_pads import PadEffect, pad_effects
from tinygrad_norm.lessons.labs.networks import REVIEW_NORMS, ReviewClassifier
from tinygrad_norm.lessons.labs.reviews import make_reviews

REVIEWS = make_reviews(16, seed=0)


def effects_on(norm: str) -> tuple[nn.Module, tuple[PadEffect, ...]]:
    """An untrained classifier, and what pads do to it."""
    tg.manual_seed(0)
    model = ReviewClassifier(norm, dtype="float64")
    return model, pad_effects(model, REVIEWS)


@pytest.mark.parametrize("norm", REVIEW_NORMS)
def test_only_padded_batch_norm_minds_pads(norm: str) -> None:
    _, found = effects_on(norm)
    assert [effect.extra for effect in found] == [0, 4, 16, 64]
    assert found[0].training_change == found[0].evaluation_change == 0
    for effect in found[1:]:
        assert (effect.training_change > 1e-3) == (norm == "batch")
        assert (effect.training_change < 1e-12) == (norm != "batch")
        assert effect.evaluation_change < 1e-12
        assert norm == "batch" or effect.training_accuracy == found[0].training_accuracy


def test_the_share_of_pads_is_counted() -> None:
    _, found = effects_on("none")
    words = [len(review.words) for review in REVIEWS]
    for effect in found:
        assert effect.padded_share == pytest.approx(1 - sum(words) / (len(words) * (max(words) + effect.extra)))


def test_only_batch_norms_have_running_statistics_to_be_far_from() -> None:
    by_norm = {norm: [effect.drift for effect in effects_on(norm)[1]] for norm in REVIEW_NORMS}
    assert [norm for norm, drifts in by_norm.items() if None not in drifts] == ["batch", "masked_batch"]
    first, *others = by_norm["masked_batch"]
    assert others == pytest.approx([first] * 3, rel=1e-9)
    first, *others = by_norm["batch"]
    assert first is not None
    assert abs(others[-1] - first) > 1e-3  # type: ignore[operator]  # not None, as seen above


@pytest.mark.parametrize("norm", ["batch", "masked_batch"])
def test_the_model_is_left_as_it_was(norm: str) -> None:
    tg.manual_seed(0)
    untouched = ReviewClassifier(norm, dtype="float64").state_dict()
    model, _ = effects_on(norm)
    assert not model.training
    for key, value in model.state_dict().items():
        np.testing.assert_array_equal(value, untouched[key])
