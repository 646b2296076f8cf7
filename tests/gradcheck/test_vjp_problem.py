"""What is asked of a backward pass: three random cotangents, at the point or also one unit in the last place away."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm.gradcheck.vjp_problem import flatten, one_ulp_away, unflatten


@pytest.mark.parametrize("factor", [2.0, 3.0])
def test_a_gradient_must_be_right_for_three_cotangents_at_once(factor: float) -> None:
    """At the point, and a gradient that is not right there at two points beside it."""
    asked: list[tuple[bytes, bytes]] = []

    def backward(g: np.ndarray, x: np.ndarray) -> np.ndarray:
        asked.append((x.tobytes(), g.tobytes()))
        return factor * g * x

    assert tg.check_vjp(np.square, backward, np.arange(1.0, 6.0)).cotangents == 3
    cotangents = [g for _, g in asked[:3]]
    assert len({x for x, _ in asked[:3]}) == 1
    assert len(set(cotangents)) == 3
    points = {len({x for x, g in asked if g == of}) for of in cotangents}
    assert points == {1} if factor == 2 else min(points) >= 3


def test_one_ulp_away_is_the_next_number_up_or_down_and_zeros_stay(rng: np.random.Generator) -> None:
    x = np.concatenate([np.zeros(5), rng.standard_normal(200) * 10.0 ** rng.integers(-9, 9, 200)])
    moved = one_ulp_away(x, rng)
    assert np.all(moved[:5] == 0)
    up = moved[5:] == np.nextafter(x[5:], np.inf)
    assert np.all(up | (moved[5:] == np.nextafter(x[5:], -np.inf)))
    assert 50 < up.sum() < 150


def test_pieces_of_a_flat_vector_have_the_shapes_and_own_their_memory() -> None:
    like = (np.ones((2, 3)), np.zeros(()), np.zeros((0, 4)), np.ones(2))
    vector = np.arange(9.0)
    pieces = unflatten(vector, like)
    assert [p.shape for p in pieces] == [a.shape for a in like]
    assert np.array_equal(flatten(pieces), vector)
    assert not any(np.shares_memory(p, vector) for p in pieces)
    assert unflatten(np.zeros(0), ()) == ()
    assert flatten(()).shape == (0,)
