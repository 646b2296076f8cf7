"""The points at which operations are tested: their shapes, and numbers of the kind they ask for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm.samples import DOMAINS, sample, samples_at, usual_samples


@pytest.mark.parametrize("domain", ["positve", ("any", "any")])
def test_a_sample_with_an_unknown_domain(domain: Any) -> None:
    with pytest.raises(tg.InputError, match=r"a known domain for each of its 1 input.*Choose from: any, positive"):
        tg.sample((3,), domain=domain)


def test_every_domain_gives_its_shape(rng: np.random.Generator) -> None:
    for draw in DOMAINS.values():
        assert [np.shape(draw(rng, s)) for s in ((), (0, 2), (2, 3))] == [(), (0, 2), (2, 3)]


def test_a_sample_draws_its_inputs(rng: np.random.Generator) -> None:
    x, y = sample((3, 5), (5,), domain=("positive", "boolean"), axis=0).draw(rng)
    assert (x.shape, y.shape) == ((3, 5), (5,))
    assert x.min() > 0
    assert y.dtype == bool


def test_the_usual_samples_hold_a_number_and_no_number() -> None:
    for inputs in (1, 2, 3):
        usual = usual_samples(inputs, "unit")
        assert all(len(point.shapes) == inputs for point in usual)
        sizes = [np.prod(shape) for point in usual for shape in point.shapes]
        assert {0, 1} <= set(sizes)
        assert all(set(point.domains) == {"unit"} for point in usual)


def test_shapes_written_as_text() -> None:
    assert samples_at("3x5 (), 7", "positive", axis=0) == (
        sample((3, 5), (), domain="positive", axis=0),
        sample((7,), domain="positive", axis=0),
    )


def test_a_function_of_many_inputs_has_no_usual_samples() -> None:
    assert usual_samples(4) == ()
    with pytest.raises(tg.VJPError, match="at least one sample"):
        tg.elementwise(lambda a, b, c, d, /: a * b * c * d, vjp=lambda g: (g,) * 4, name="planted")
