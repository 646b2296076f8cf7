from __future__ import annotations

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm import nn
from tinygrad_norm.lessons.labs.networks import (
    NORMS,
    DetachedLayerNorm,
    GhostBatchNorm,
    NoisyBatchNorm,
    Perceptron,
    ReviewClassifier,
)


@pytest.mark.parametrize("norm", NORMS)
def test_every_norm_makes_a_network_that_trains_and_evaluates(norm: str) -> None:
    tg.manual_seed(0)
    model = Perceptron(NORMS[norm], depth=2, width=6)
    x = np.random.default_rng(0).standard_normal((8, 64)).astype(np.float32)
    scores = model(x)
    assert scores.shape == (8, 10)
    assert scores.dtype == np.float32
    assert model.last_input.shape == (8, 6)
    tg.functional.cross_entropy(scores, np.arange(8)).backward()
    assert all(p.grad is not None for p in model.parameters())
    model.eval()
    assert np.array_equal(model(x), model(x))


def test_detached_layer_norm_has_layer_norms_values_and_the_direct_path_only(rng: np.random.Generator) -> None:
    x = tg.Tensor(rng.standard_normal((3, 5)), requires_grad=True)
    cotangent = rng.standard_normal((3, 5))
    detached, whole = DetachedLayerNorm(5), nn.LayerNorm(5)
    for layer in (detached, whole):
        layer.weight.data, layer.bias.data = np.arange(1.0, 6.0), np.ones(5)
    np.testing.assert_allclose(detached(x).data, whole(x).data, rtol=1e-12)
    found = tg.gradients(detached(x), x, cotangent).numpy()
    deviation = np.sqrt(x.numpy().var(1, keepdims=True) + 1e-5)
    np.testing.assert_allclose(found, cotangent * np.arange(1.0, 6.0) / deviation, rtol=1e-12)


def test_noise_moves_means_and_scales_in_training_only(rng: np.random.Generator) -> None:
    tg.manual_seed(0)
    layer, x = NoisyBatchNorm(50), rng.standard_normal((400, 50))
    noisy = layer(x).numpy()
    means, deviations = noisy.mean(0), noisy.std(0)
    # Uniform in ±0.75: a deviation of 0.43; scales in 1 to 1.25, and jitter.
    assert 0.3 < means.std() < 0.6
    assert 1.0 < deviations.mean() < 1.3
    assert not np.allclose(layer(x).numpy(), noisy)
    layer.eval()
    plain = nn.BatchNorm1d(50)
    plain.load_state_dict(layer.state_dict())
    assert np.array_equal(layer(x), plain.eval()(x))


def test_a_ghost_of_the_whole_batch_is_batch_norm(rng: np.random.Generator) -> None:
    x = rng.standard_normal((8, 3)).astype(np.float32)
    ghost, plain = GhostBatchNorm(3, size=8), nn.BatchNorm1d(3, dtype=np.float32)
    np.testing.assert_allclose(ghost(x).data, plain(x).data, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(ghost.running_mean, plain.running_mean, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(ghost.running_var, plain.running_var, rtol=1e-5)
    np.testing.assert_allclose(ghost.eval()(x).data, plain.eval()(x).data, rtol=1e-5)


def test_ghosts_share_statistics_within_their_group_only(rng: np.random.Generator) -> None:
    x = rng.standard_normal((8, 3)).astype(np.float32)
    ghost = GhostBatchNorm(3, size=4)
    found = ghost(x).numpy()
    halves = [nn.BatchNorm1d(3, dtype=np.float32)(x[rows]).numpy() for rows in (slice(4), slice(4, 8))]
    np.testing.assert_allclose(found, np.concatenate(halves), rtol=1e-4, atol=1e-5)
    # The running statistics take the average over the groups.
    averages = np.mean([x[:4].mean(0), x[4:].mean(0)], axis=0)
    np.testing.assert_allclose(ghost.running_mean, 0.1 * averages, rtol=1e-4, atol=1e-6)


def test_the_classifier_leaves_pads_out() -> None:
    model = ReviewClassifier("layer", dtype="float64")
    ids, pads = np.array([[3, 4, 0, 0]]), np.array([[False, False, True, True]])
    np.testing.assert_allclose(model(ids, pads).data, model(ids[:, :2], pads[:, :2]).data, rtol=1e-12, atol=1e-14)
    # Whatever stands at a pad.
    np.testing.assert_array_equal(model(np.array([[3, 4, 7, 9]]), pads).data, model(ids, pads).data)
