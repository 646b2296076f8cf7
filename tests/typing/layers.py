"""What type checkers know of layers, functions and optimizers: each line holds under mypy and under pyright.

Nothing here runs: a type checker reads it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

import tinygrad_norm as tg
from tinygrad_norm import functional as F
from tinygrad_norm import nn, optim
from tinygrad_norm.engine.details.array import Array
from tinygrad_norm.engine.tensor import Tensor

if TYPE_CHECKING:
    from typing_extensions import assert_type


class Scale(nn.Module):
    def __init__(self) -> None:
        self.factor = nn.Parameter([2.0, 3.0])

    def forward(self, x: Tensor, times: int = 1) -> tuple[Tensor, int]:
        return x * self.factor, times


def layers(x: Tensor) -> None:
    # A layer is itself, and its call is its forward.
    linear = nn.Linear(2, 3)
    assert_type(linear, nn.Linear)
    assert_type(tg.nn.Linear(2, 3)(x), Tensor)
    assert_type(linear.weight, nn.Parameter)
    assert_type(linear.bias, nn.Parameter | None)
    assert_type(linear(x), Tensor)
    assert_type(linear([1.0, 2.0]), Tensor)
    assert_type(linear.train(), nn.Linear)
    assert_type(linear.eval(), nn.Linear)
    assert_type(linear.astype("float32"), nn.Linear)
    assert_type(linear.requires_grad_(False), nn.Linear)
    assert_type(nn.Embedding(10, 3)([[4, 7]]), Tensor)
    assert_type(nn.LayerNorm(3), nn.LayerNorm)
    assert_type(nn.LayerNorm(3)(x), Tensor)
    assert_type(nn.RMSNorm(3)(x), Tensor)
    assert_type(nn.DyT(3)(x), Tensor)
    assert_type(nn.GroupNorm(1, 3)(x), Tensor)
    assert_type(nn.InstanceNorm1d(3)(x), Tensor)
    assert_type(nn.BatchNorm1d(3), nn.BatchNorm1d)
    assert_type(nn.BatchNorm1d(3)(x, mask=[True, False]), Tensor)
    assert_type(nn.BatchNorm2d(3)(x), Tensor)
    assert_type(nn.BatchNorm1d(3).running_mean, Tensor | None)
    assert_type(nn.ReLU(), nn.ReLU)
    assert_type(nn.GELU("tanh")(x), Tensor)
    assert_type(nn.Dropout(0.1)(x), Tensor)
    assert_type(nn.Identity()(x), Tensor)
    assert_type(nn.MultiheadAttention(8, 2)(x, x, x), tuple[Tensor, Tensor | None])
    assert_type(nn.CrossEntropyLoss()(x, [1, 2]), Tensor)
    assert_type(nn.Conv1d(2, 3, 5)(x), Tensor)
    assert_type(nn.Conv2d(2, 3, (5, 3), padding="same").weight, nn.Parameter)
    assert_type(nn.MaxPool2d(2)(x), Tensor)
    assert_type(nn.RNNCell(2, 3)(x), Tensor)
    assert_type(nn.LSTMCell(2, 3)(x, (x, x)), tuple[Tensor, Tensor])
    assert_type(nn.GRU(2, 3)(x), tuple[Tensor, Tensor])
    assert_type(nn.LSTM(2, 3, num_layers=2)(x), tuple[Tensor, tuple[Tensor, Tensor]])
    encoder_layer = nn.TransformerEncoderLayer(8, 2)
    assert_type(encoder_layer, nn.TransformerEncoderLayer)
    assert_type(encoder_layer(x, src_key_padding_mask=[[False]]), Tensor)
    assert_type(nn.TransformerEncoder(encoder_layer, 2)(x), Tensor)
    assert_type(Scale(), Scale)
    assert_type(Scale()(x, times=2), tuple[Tensor, int])


def models(x: Tensor, module: nn.Module) -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
    assert_type(model, nn.Sequential)
    assert_type(model(x), Tensor)
    assert_type(model[0], nn.Module)
    assert_type(model[:1], nn.Sequential)
    assert_type(model.append(nn.Tanh()), nn.Sequential)
    assert_type(nn.ModuleList([nn.Linear(2, 3)]), nn.ModuleList)
    assert_type(nn.ModuleDict({"a": model})["a"], nn.Module)
    assert_type(nn.ParameterList([x])[0], nn.Parameter)
    assert_type(module(x), Any)
    assert_type(model.parameters(), Iterator[nn.Parameter])
    assert_type(model.named_parameters(), Iterator[tuple[str, nn.Parameter]])
    assert_type(model.buffers(), Iterator[Tensor])
    assert_type(model.named_modules(), Iterator[tuple[str, nn.Module]])
    assert_type(model.state_dict(), dict[str, Array])
    assert_type(model.load_state_dict({}).missing_keys, list[str])
    assert_type(nn.summary(model), nn.Summary)
    assert_type(tg.summary(model), nn.Summary)
    assert_type(tg.get_default_dtype(), np.dtype[Any])
    assert_type(nn.init.ones_(nn.Parameter([1.0])), nn.Parameter)
    assert_type(nn.Parameter([1.0]), nn.Parameter)


def functions(x: Tensor) -> None:
    assert_type(F.relu(x), Tensor)
    assert_type(F.tanh(0.5), Tensor)
    assert_type(F.gelu(x, approximate="tanh"), Tensor)
    assert_type(F.softmax([1.0, 2.0], axis=-1), Tensor)
    assert_type(F.logsumexp(x, (0, 1), keepdims=True), Tensor)
    assert_type(F.linear(x, x, None), Tensor)
    assert_type(F.embedding([1], x), Tensor)
    assert_type(F.one_hot([1], 3), Tensor)
    assert_type(F.dropout(x, 0.5, training=False), Tensor)
    assert_type(F.layer_norm(x, 3), Tensor)
    assert_type(F.rms_norm(x, (3,)), Tensor)
    assert_type(F.group_norm(x, 1), Tensor)
    assert_type(F.instance_norm(x), Tensor)
    assert_type(F.batch_norm(x, training=True), Tensor)
    assert_type(F.scaled_dot_product_attention(x, x, x, is_causal=True), Tensor)
    assert_type(F.mse_loss(x, [1.0]), Tensor)
    assert_type(F.cross_entropy(x, [0], label_smoothing=0.1), Tensor)


def optimizers(model: nn.Module) -> None:
    sgd = optim.SGD(model.parameters(), lr=0.1)
    assert_type(sgd, optim.SGD)
    assert_type(tg.optim.SGD(tg.nn.Linear(2, 3).parameters()), optim.SGD)
    assert_type(optim.Adam(model.named_parameters()), optim.Adam)
    assert_type(optim.AdamW([{"params": model.parameters(), "lr": 0.1}]), optim.AdamW)
    assert_type(optim.RMSprop(model.parameters()), optim.RMSprop)
    assert_type(optim.Adagrad(model.parameters()), optim.Adagrad)
    assert_type(sgd.state_dict(), dict[str, Any])
    assert_type(sgd.zero_grad(), None)
    assert_type(optim.StepLR(sgd, 2), optim.StepLR)
    assert_type(optim.CosineAnnealingLR(sgd, 5), optim.CosineAnnealingLR)
    assert_type(optim.LinearLR(sgd), optim.LinearLR)
    assert_type(optim.LambdaLR(sgd, lambda t: 1 / (1 + t)), optim.LambdaLR)
    assert_type(optim.StepLR(sgd, 2).get_last_lr(), list[float])
    assert_type(optim.clip_grad_norm_(model.parameters(), 1.0), Tensor)
    assert_type(optim.ReduceLROnPlateau(optim.SGD(model.parameters()), patience=3).get_last_lr(), list[float])
    assert_type(tg.randn(2, 3), Tensor)
