"""What the comparison with PyTorch does not see of recurrent layers: misuse, cells against layers, dropout, dtypes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm import nn

RNG = np.random.default_rng(2)


@pytest.mark.parametrize("kind", ["RNN", "GRU", "LSTM"])
def test_a_layer_is_its_cell_along_time(kind: str) -> None:
    layer: Any = getattr(nn, kind)(3, 5)
    cell: Any = getattr(nn, f"{kind}Cell")(3, 5)
    cell.load_state_dict({name.removesuffix("_l0"): value for name, value in layer.state_dict().items()})
    x, state = RNG.standard_normal((20, 2, 3)), None
    result, _ = layer(x)
    for t in range(20):
        state = cell(x[t], state)
        h = state[0] if kind == "LSTM" else state
        np.testing.assert_allclose(result.data[t], h.data, rtol=1e-12, atol=1e-14)


def test_dropout_falls_between_layers_in_training_only() -> None:
    layer = nn.GRU(3, 5, num_layers=2, dropout=0.5)
    x = RNG.standard_normal((4, 2, 3))
    assert not np.array_equal(layer(x)[0], layer(x)[0])
    layer.eval()
    assert np.array_equal(layer(x)[0], layer(x)[0])


def test_float32_stays() -> None:
    result, (h, c) = nn.LSTM(3, 5, dtype="float32")(np.ones((4, 2, 3), np.float32))
    assert {result.dtype, h.dtype, c.dtype} == {np.dtype(np.float32)}


def test_what_does_not_fit_is_an_error() -> None:
    for message, call in [
        (
            r"LSTM: x must be \(time, batch, input_size\) or .* input_size 3; got shape \(4, 2, 5\)",
            lambda: nn.LSTM(3, 5)(tg.ones((4, 2, 5))),
        ),
        (
            r"GRU: x must be \(batch, time, input_size\).* at least one time",
            lambda: nn.GRU(3, 5, batch_first=True)(tg.ones((0, 3))),
        ),
        (r"RNNCell: x must be .* A whole sequence is for the layer", lambda: nn.RNNCell(3, 5)(tg.ones((4, 2, 3)))),
        (
            r"RNN: the state must be h of shape \(1, 2, 5\); got \(2, 5\)",
            lambda: nn.RNN(3, 5)(tg.ones((4, 2, 3)), tg.ones((2, 5))),
        ),
        (
            r"LSTM: the state must be a pair \(h, c\), each of shape \(1, 2, 5\)",
            lambda: nn.LSTM(3, 5)(tg.ones((4, 2, 3)), tg.ones((1, 2, 5))),
        ),  # type: ignore[arg-type]  # what is being tested
    ]:
        with pytest.raises(tg.ShapeError, match=message):
            call()
    for message, call in [
        (r"RNN: nonlinearity must be 'tanh' or 'relu'; got 'sin'", lambda: nn.RNN(3, 5, nonlinearity="sin")),
        (r"LSTM: dropout must be a probability in \[0, 1\]; got 2", lambda: nn.LSTM(3, 5, dropout=2)),
    ]:
        with pytest.raises(tg.InputError, match=message):
            call()


def test_an_empty_batch_passes() -> None:
    result, h = nn.GRU(3, 5)(tg.ones((4, 0, 3)))
    assert (result.shape, h.shape) == ((4, 0, 5), (1, 0, 5))
