from __future__ import annotations

import numpy as np
import pytest

from tinygrad_norm.lessons.lecture.notes import VARIANTS
from tinygrad_norm.lessons.lecture.steps.step_5_self_attention import attend


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("scale", [None, 1.0])
def test_unmasked_attention_is_softmax_of_scores(name: str, place: int, scale: float | None) -> None:
    sentence = VARIANTS[name].sentences[place]
    x = np.array([token.embedding for token in sentence])
    scores = np.exp(x @ x.T * (1 / np.sqrt(3) if scale is None else scale))
    weights = scores / scores.sum(axis=1, keepdims=True)
    found = attend(sentence, scale=scale)
    np.testing.assert_allclose(found.weights.numpy(), weights, rtol=1e-12)
    np.testing.assert_allclose(found.outputs.numpy(), weights @ x, rtol=1e-12)


def test_masked_attention_is_attention_among_the_words() -> None:
    sentence = VARIANTS["attention-page"].sentences[0]
    masked, alone = attend(sentence, mask_pads=True), attend(sentence[:2])
    np.testing.assert_array_equal(masked.weights.numpy()[:, 2:], np.zeros((4, 2)))
    np.testing.assert_array_equal(masked.outputs.numpy()[2:], np.zeros((2, 3)))
    np.testing.assert_allclose(masked.weights.numpy()[:2, :2], alone.weights.numpy(), rtol=1e-12)
    np.testing.assert_allclose(masked.outputs.numpy()[:2], alone.outputs.numpy(), rtol=1e-12)
