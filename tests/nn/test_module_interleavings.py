"""Whatever happens to a parameter between forward and backward: its gradient is PyTorch's, or an error says so."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_norm as tg
from tinygrad_norm import nn

STEPS = [
    "frozen",
    "trainable",
    "forward",
    "forward, not recorded",
    "backward",
    "float32",
    "float64",
    "zero_grad",
    "set values",
]


@given(st.lists(st.sampled_from(STEPS), max_size=12))
def test_what_was_computed_before_sends_its_gradient_to_the_parameter(steps: list[str]) -> None:
    """The loss is k · w, of which the k-th forward makes one: every backward must add that k, and nothing else.

    A parameter that is frozen at the time takes nothing.
    """
    model = nn.ParameterList([np.ones(2)])
    (w,) = model
    losses: list[tuple[int, tg.Tensor]] = []
    expected = None
    for k, step in enumerate(steps, 1):
        if step in ("frozen", "trainable"):
            model.requires_grad_(step == "trainable")
        elif step == "forward":
            loss = (w * float(k)).sum()
            assert loss.requires_grad == w.requires_grad
            losses += [(k, loss)] if w.requires_grad else []
        elif step == "forward, not recorded":
            with tg.no_grad():
                assert not (w * float(k)).requires_grad
        elif step == "backward" and losses:
            made, loss = losses.pop()
            loss.backward()
            if w.requires_grad:
                expected = made + (expected or 0)
        elif step.startswith("float"):
            model.astype(step)
        elif step == "zero_grad":
            model.zero_grad()
            expected = None
        elif step == "set values":
            w.data = np.full(2, float(k))
        if expected is None:
            assert w.grad is None
        else:
            assert w.grad.dtype == w.dtype
            assert w.grad.tolist() == [expected] * 2
