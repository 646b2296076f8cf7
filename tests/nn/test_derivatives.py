"""Every layer's first and second derivatives, by inputs and parameters, against differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm import nn

RNG = np.random.default_rng(7)
PADS = np.array([[0, 0, 0, 0, 1], [0, 0, 1, 1, 1]], dtype=bool)


def x(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape)


def encoder(**kwargs: Any) -> nn.Module:
    return nn.TransformerEncoderLayer(6, 2, 7, 0.0, "gelu", batch_first=True, **kwargs)


pads, attend = {"key_padding_mask": PADS}, {"src_key_padding_mask": PADS}
same = x(2, 5, 6)
CASES: list[tuple[str, Callable[[], nn.Module], list[Any], dict[str, Any]]] = [
    ("Linear", lambda: nn.Linear(3, 2), [x(5, 3)], {}),
    ("Embedding", lambda: nn.Embedding(7, 3), [np.array([[1, 2, 1], [6, 0, 0]])], {}),
    ("LayerNorm", lambda: nn.LayerNorm(5), [x(3, 5)], {}),
    ("DyT", lambda: nn.DyT(5), [x(3, 5)], {}),
    ("RMSNorm", lambda: nn.RMSNorm(5), [x(3, 5)], {}),
    ("GroupNorm", lambda: nn.GroupNorm(2, 6), [x(3, 6, 5)], {}),
    ("InstanceNorm1d", lambda: nn.InstanceNorm1d(3, affine=True), [x(2, 3, 5)], {}),
    ("BatchNorm1d", lambda: nn.BatchNorm1d(3), [x(5, 3)], {}),
    ("BatchNorm1d sequence", lambda: nn.BatchNorm1d(3), [x(2, 3, 5)], {}),
    ("BatchNorm1d last", lambda: nn.BatchNorm1d(3, channel_axis=-1), [x(2, 5, 3)], {}),
    ("BatchNorm1d masked", lambda: nn.BatchNorm1d(3), [x(2, 3, 5)], {"mask": ~PADS}),
    ("BatchNorm1d eval", lambda: nn.BatchNorm1d(3).eval(), [x(2, 3, 5)], {}),
    ("BatchNorm2d", lambda: nn.BatchNorm2d(3), [x(2, 3, 2, 5)], {}),
    ("MultiheadAttention", lambda: nn.MultiheadAttention(6, 2, batch_first=True), [same, same, same], pads),
    (
        "MultiheadAttention all extras",
        lambda: nn.MultiheadAttention(6, 2, kdim=5, vdim=7, add_bias_kv=True, add_zero_attn=True),
        [x(5, 2, 6), x(7, 2, 5), x(7, 2, 7)],
        {"average_attn_weights": False},
    ),
    (
        "MultiheadAttention causal",
        lambda: nn.MultiheadAttention(6, 2),
        [x(5, 2, 6)] * 3,
        {"is_causal": True, "attn_mask": x(5, 5)},
    ),
    (
        "MultiheadAttention nothing to attend to",
        lambda: nn.MultiheadAttention(6, 2, batch_first=True),
        [same] * 3,
        {"key_padding_mask": np.array([[True] * 5, [False] * 5])},
    ),
    ("MultiheadAttention dropout", lambda: nn.MultiheadAttention(6, 2, dropout=0.3), [x(5, 2, 6)] * 3, {}),
    ("Dropout", lambda: nn.Dropout(0.4), [x(5, 3)], {}),
    *(
        (
            f"encoder {norm} {order}",
            lambda norm=norm, order=order: encoder(norm=norm, norm_first=order == "first"),
            [x(2, 5, 6)],
            attend,
        )
        for norm in ("layer", "batch", "masked_batch", "rms", "none")
        for order in ("first", "last")
    ),
    ("TransformerEncoder", lambda: nn.TransformerEncoder(encoder(), 2, nn.LayerNorm(6)), [x(2, 3, 6)], {}),
    *((kind.__name__, kind, [x(2, 3, 5)], {}) for kind in (nn.ReLU, nn.LeakyReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Tanh)),
    *((kind.__name__, kind, [x(2, 3, 5)], {}) for kind in (nn.Sigmoid, nn.Softplus, nn.Softmax, nn.LogSoftmax)),
    *((kind.__name__, kind, [x(2, 3, 5)], {}) for kind in (nn.Flatten, nn.Identity)),
    *((kind.__name__, kind, [x(3, 5), x(3, 5)], {}) for kind in (nn.MSELoss, nn.L1Loss, nn.SmoothL1Loss, nn.HuberLoss)),
    ("KLDivLoss", lambda: nn.KLDivLoss(log_target=True), [x(3, 5), x(3, 5)], {}),
    ("BCELoss", lambda: nn.BCELoss(x(5)), [0.1 + 0.8 * RNG.random((3, 5)), RNG.random((3, 5))], {}),
    ("BCEWithLogitsLoss", lambda: nn.BCEWithLogitsLoss(pos_weight=x(5)), [x(3, 5), RNG.random((3, 5))], {}),
    ("NLLLoss", lambda: nn.NLLLoss(RNG.random(5)), [x(3, 5), np.array([0, 4, 1])], {}),
    ("CrossEntropyLoss", lambda: nn.CrossEntropyLoss(label_smoothing=0.1), [x(3, 5), np.array([0, 4, 1])], {}),
    ("Conv1d", lambda: nn.Conv1d(4, 6, 3, 2, 1, groups=2), [x(2, 4, 7)], {}),
    ("Conv2d", lambda: nn.Conv2d(2, 3, (3, 2), padding="same", dilation=2), [x(2, 2, 4, 5)], {}),
    ("Conv2d circular", lambda: nn.Conv2d(2, 3, 3, padding=1, padding_mode="circular"), [x(2, 3, 4)], {}),
    *((kind.__name__, lambda kind=kind: kind(3, 2, 1), [x(2, 3, 7)], {}) for kind in (nn.MaxPool1d, nn.AvgPool1d)),
    *((kind.__name__, lambda kind=kind: kind(2), [x(2, 3, 4, 5)], {}) for kind in (nn.MaxPool2d, nn.AvgPool2d)),
    *((kind.__name__, lambda kind=kind: kind(3, 5), [x(2, 3), x(2, 5)], {}) for kind in (nn.RNNCell, nn.GRUCell)),
    ("LSTMCell", lambda: nn.LSTMCell(3, 5), [x(2, 3)], {"hx": (x(2, 5), x(2, 5))}),
    *((kind.__name__, lambda kind=kind: kind(3, 2, 2), [x(3, 2, 3)], {}) for kind in (nn.RNN, nn.GRU, nn.LSTM)),
    ("LSTM both ways", lambda: nn.LSTM(3, 2, bidirectional=True), [x(9, 1, 3)], {}),
    ("GELU tanh", lambda: nn.GELU("tanh"), [x(2, 3, 5)], {}),
    ("Sequential", lambda: nn.Sequential(nn.Linear(3, 5), nn.LayerNorm(5), nn.Tanh(), nn.Linear(5, 2)), [x(4, 3)], {}),
]


@pytest.mark.parametrize(("make", "inputs", "kwargs"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_first_and_second_order(
    make: Callable[[], nn.Module], inputs: list[Any], kwargs: dict[str, Any], check_derivatives: Any
) -> None:
    check_derivatives(make(), inputs, **kwargs)


def test_every_layer_is_checked() -> None:
    kinds = {type(part).__name__ for _, make, _, _ in CASES for part in make().modules()}
    expected = {n for n in nn.__all__ if isinstance(getattr(nn, n), type)}
    assert expected - kinds == {"Module", "ModuleDict", "Parameter", "ParameterList", "Summary"}


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.usefixtures("planted")
def test_a_planted_error_is_found(order: int, check_derivatives: Any) -> None:
    class Detached(nn.Module):
        """Forgets the path through the mean, at first order or only at second."""

        def forward(self, x: tg.Tensor) -> tg.Tensor:
            if order == 1:
                return (x - x.mean(-1, keepdims=True).detach()).square()
            return half_square(x)

    half_square = tg.primitive(
        lambda x, /: x**3 / 3,
        vjp=lambda g, x: (g * (x.data if isinstance(x, tg.Tensor) else x) ** 2,),
        name="cubed_but_detached",
        samples=[tg.sample((3,))],
        elementwise=True,
    )
    with pytest.raises(AssertionError):
        check_derivatives(Detached(), [x(3, 5)])


@pytest.mark.parametrize(
    "make",
    [
        lambda: nn.LayerNorm(5),
        lambda: nn.Sequential(nn.Linear(5, 3), nn.BatchNorm1d(3), nn.Tanh()),
        lambda: nn.Sequential(nn.Linear(5, 2), nn.Softmax()),
    ],
)
def test_the_package_s_own_gradient_check_takes_modules(make: Callable[[], nn.Module]) -> None:
    module = make()
    for p in module.parameters():
        p.data = x(*p.shape)
    before = module.state_dict()
    assert tg.gradcheck(module, (x(3, 5),), order=2)
    for key, value in module.state_dict().items():
        np.testing.assert_array_equal(value, before[key])
