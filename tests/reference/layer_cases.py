"""Which layers are compared, with which arguments, on which calls."""

from __future__ import annotations

from typing import Any

import torch
from encoder_variants import encoder, encoder_layer
from store import randn

RENAMED = {"dim": "axis", "start_dim": "start_axis", "end_dim": "end_axis"}
PADS = torch.tensor([[0, 0, 0, 0, 1], [0, 0, 1, 1, 1], [0, 0, 0, 0, 0]], dtype=torch.bool)
CAUSAL = torch.triu(torch.ones(5, 5, dtype=torch.bool), 1)
NN = torch.nn


def layers() -> list[dict[str, Any]]:
    """Return the cases: name of our class, its arguments, PyTorch's if they differ, and the calls."""
    cases: list[dict[str, Any]] = []

    def case(
        kind: str, *args: Any, calls: list[Any], torch_make: Any = None, torch_kwargs: Any = None, **kw: Any
    ) -> None:
        cases.append(
            {
                "class": kind,
                "args": list(args),
                "kwargs": kw,
                "calls": calls,
                "make": torch_make or getattr(NN, kind),
                "torch_kwargs": kw if torch_kwargs is None else torch_kwargs,
            }
        )

    def call(*inputs: Any, train: bool = True, **kwargs: Any) -> dict[str, Any]:
        return {"inputs": list(inputs), "kwargs": kwargs, "train": train}

    case("Linear", 3, 2, calls=[call(randn(5, 3))])
    case("Linear", 3, 2, bias=False, calls=[call(randn(2, 5, 3))])
    case("Linear", 3, 2, calls=[call(randn(3))])
    case("Embedding", 7, 3, calls=[call(torch.tensor([[1, 6, 1], [0, 2, 2]]))])
    case("Embedding", 7, 3, padding_idx=1, calls=[call(torch.tensor([[1, 6, 1], [0, 2, 2]]))])
    case("Embedding", 7, 3, padding_idx=-1, calls=[call(torch.tensor([6, 6, 0, 3]))])

    case("LayerNorm", 5, calls=[call(randn(3, 5))])
    case("LayerNorm", [3, 5], calls=[call(randn(2, 3, 5))])
    case("LayerNorm", 5, eps=0.1, bias=False, calls=[call(randn(2, 3, 5))])
    case("LayerNorm", 5, elementwise_affine=False, calls=[call(randn(3, 5))])
    case("RMSNorm", 5, calls=[call(randn(3, 5))])
    case("RMSNorm", 5, eps=0.1, calls=[call(randn(2, 3, 5))])
    case("RMSNorm", [3, 5], elementwise_affine=False, calls=[call(randn(2, 3, 5))])
    case("GroupNorm", 2, 6, calls=[call(randn(3, 6, 5))])
    case("GroupNorm", 3, 6, eps=0.1, affine=False, calls=[call(randn(3, 6, 2, 5))])
    case("GroupNorm", 1, 6, calls=[call(randn(3, 6))])
    case("GroupNorm", 2, 6, bias=False, calls=[call(randn(3, 6, 5))])
    case("InstanceNorm1d", 3, calls=[call(randn(2, 3, 5))])
    case("InstanceNorm1d", 3, affine=True, eps=0.1, calls=[call(randn(2, 3, 5)), call(randn(2, 3, 5), train=False)])
    case("InstanceNorm1d", 3, affine=True, calls=[call(randn(3, 5))])
    case("InstanceNorm1d", 3, affine=True, bias=False, calls=[call(randn(3, 5))])
    tracked = [call(randn(2, 3, 5)), call(randn(2, 3, 7)), call(randn(2, 3, 5), train=False)]
    case("InstanceNorm1d", 3, affine=True, track_running_stats=True, calls=tracked)
    case(
        "InstanceNorm1d",
        3,
        momentum=0.3,
        track_running_stats=True,
        calls=[call(randn(3, 5)), call(randn(3, 5), train=False)],
    )

    flat = [
        call(randn(5, 3) * 2 + 1),
        call(randn(7, 3)),
        call(randn(2, 3), train=False),
        call(randn(1, 3), train=False),
    ]
    case("BatchNorm1d", 3, calls=flat)
    case("BatchNorm1d", 3, momentum=None, calls=flat)
    case("BatchNorm1d", 3, momentum=0.3, eps=0.1, calls=flat)
    case("BatchNorm1d", 3, affine=False, calls=flat)
    case("BatchNorm1d", 3, bias=False, calls=flat)
    case("BatchNorm1d", 3, track_running_stats=False, calls=[flat[0], flat[2]])
    case("BatchNorm1d", 3, calls=[call(randn(2, 3, 5)), call(randn(1, 3, 2)), call(randn(2, 3, 1), train=False)])
    case("BatchNorm2d", 3, calls=[call(randn(2, 3, 2, 5)), call(randn(2, 3, 1, 2), train=False)])

    x, y, z = randn(3, 5, 6), randn(3, 5, 6), randn(3, 7, 6)
    time_first = randn(5, 3, 6)
    attention = ["MultiheadAttention", 6, 2]
    case(*attention, batch_first=True, calls=[call(x, x, x)])
    case(*attention, calls=[call(time_first, time_first, time_first)])
    case(*attention, calls=[call(randn(5, 3, 6), randn(7, 3, 6), randn(7, 3, 6), need_weights=False)])
    case("MultiheadAttention", 6, 1, batch_first=True, bias=False, calls=[call(x, y, y)])
    case(*attention, batch_first=True, calls=[call(x, z, z, average_attn_weights=False)])
    case(*attention, batch_first=True, kdim=5, vdim=7, calls=[call(x, randn(3, 7, 5), randn(3, 7, 7))])
    case(*attention, batch_first=True, kdim=6, vdim=7, bias=False, calls=[call(x, randn(3, 7, 6), randn(3, 7, 7))])
    case(*attention, batch_first=True, calls=[call(x, x, x, key_padding_mask=PADS)])
    case(*attention, calls=[call(time_first, time_first, time_first, key_padding_mask=PADS, need_weights=False)])
    case(*attention, batch_first=True, calls=[call(x, y, y, attn_mask=CAUSAL)])
    case(*attention, batch_first=True, calls=[call(x, y, y, attn_mask=CAUSAL, is_causal=True)])
    case(*attention, batch_first=True, calls=[call(x, y, y, attn_mask=CAUSAL, is_causal=True, need_weights=False)])
    case(*attention, batch_first=True, calls=[call(x, y, y, attn_mask=randn(5, 5))])
    case(*attention, batch_first=True, calls=[call(x, y, y, attn_mask=CAUSAL.repeat(6, 1, 1), key_padding_mask=PADS)])
    case(*attention, batch_first=True, calls=[call(x, y, y, attn_mask=randn(6, 5, 5), key_padding_mask=randn(3, 5))])
    case(*attention, batch_first=True, add_zero_attn=True, calls=[call(x, y, y), call(x, y, y, attn_mask=randn(5, 5))])
    case(*attention, batch_first=True, add_bias_kv=True, calls=[call(x, y, y, key_padding_mask=PADS)])
    case(
        *attention,
        add_bias_kv=True,
        add_zero_attn=True,
        calls=[
            call(time_first, randn(7, 3, 6), randn(7, 3, 6)),
            call(time_first, time_first, time_first, attn_mask=CAUSAL, key_padding_mask=PADS),
        ],
    )
    case(
        *attention,
        calls=[
            call(randn(5, 6), randn(7, 6), randn(7, 6)),
            call(randn(5, 6), randn(5, 6), randn(5, 6), key_padding_mask=PADS[0], average_attn_weights=False),
            call(randn(5, 6), randn(5, 6), randn(5, 6), need_weights=False, attn_mask=CAUSAL),
        ],
    )

    def layer_case(*calls: Any, **kw: Any) -> None:
        plain = {k: v for k, v in kw.items() if k != "norm" or v != "layer"}
        case(
            "TransformerEncoderLayer",
            6,
            2,
            dim_feedforward=7,
            dropout=0.0,
            calls=list(calls),
            **plain,
            torch_make=encoder_layer,
            torch_kwargs={"dim_feedforward": 7, "dropout": 0.0, "real": ~PADS, **kw},
        )

    layer_case(call(x), batch_first=True)
    layer_case(call(time_first, src_mask=CAUSAL))
    layer_case(call(x, src_key_padding_mask=PADS), batch_first=True, norm_first=True)
    layer_case(call(x, src_mask=CAUSAL, is_causal=True), batch_first=True, activation="gelu")
    layer_case(call(x), batch_first=True, bias=False, layer_norm_eps=0.1)
    layer_case(call(randn(5, 6)), norm_first=True)
    layer_case(call(x), call(y, train=False), batch_first=True)
    for norm in ("batch", "masked_batch", "rms", "none"):
        for norm_first in (False, True):
            layer_case(
                call(x, src_key_padding_mask=PADS),
                call(y, src_key_padding_mask=PADS),
                batch_first=True,
                norm=norm,
                norm_first=norm_first,
            )

    def stack(args: list[int], num_layers: int, final: bool, layer: dict[str, Any]) -> torch.nn.Module:
        return encoder(*args, num_layers=num_layers, final=final, **layer)

    small = {"dim_feedforward": 7, "dropout": 0.0, "batch_first": True}
    for final in (False, True):
        calls = [call(x, src_key_padding_mask=PADS)]
        case("TransformerEncoder", [6, 2], num_layers=2, final=final, layer=small, calls=calls, torch_make=stack)
    calls = [call(x, mask=CAUSAL, is_causal=True)]
    case("TransformerEncoder", [6, 2], num_layers=3, final=False, layer=small, calls=calls, torch_make=stack)

    for kind, kw in [
        ("ReLU", {}),
        ("LeakyReLU", {}),
        ("LeakyReLU", {"negative_slope": 0.3}),
        ("ELU", {}),
        ("ELU", {"alpha": 0.5}),
        ("GELU", {}),
        ("GELU", {"approximate": "tanh"}),
        ("SiLU", {}),
        ("Sigmoid", {}),
        ("Softplus", {}),
        ("Softplus", {"beta": 2.0}),
        ("Tanh", {}),
        ("Softmax", {"dim": 1}),
        ("Softmax", {"dim": -1}),
        ("LogSoftmax", {"dim": 1}),
        ("Identity", {}),
        ("Flatten", {}),
        ("Flatten", {"start_dim": 0, "end_dim": 1}),
        ("Dropout", {"p": 0.0}),
        ("Dropout", {"p": 1.0}),
    ]:
        case(kind, calls=[call(randn(2, 3, 5) * 2)], torch_kwargs=kw, **{RENAMED.get(k, k): v for k, v in kw.items()})
    loss_layers(case, call)
    windowed_layers(case, call)
    recurrent_layers(case, call)
    case("Dropout", p=0.7, calls=[call(randn(3, 5), train=False)])
    return cases


def loss_layers(case: Any, call: Any) -> None:
    """Add the losses, with and without weights."""
    x, t, classes = randn(5, 3), randn(5, 3), torch.tensor([0, 2, 2, 1, 0])
    p = torch.softmax(x, -1)
    case("MSELoss", calls=[call(x, t)])
    case("MSELoss", reduction="none", calls=[call(x, t)])
    case("L1Loss", reduction="sum", calls=[call(x, t)])
    case("SmoothL1Loss", beta=0.3, calls=[call(x, t)])
    case("HuberLoss", delta=0.3, calls=[call(x, t)])
    case("KLDivLoss", reduction="batchmean", log_target=True, calls=[call(x, t)])
    for kind, input, target, options in [
        ("BCELoss", p, torch.softmax(t, -1), {}),
        ("BCEWithLogitsLoss", x, torch.softmax(t, -1), {"pos_weight": [2.0, 0.5, 3.0]}),
        ("NLLLoss", torch.log_softmax(x, -1), classes, {"ignore_index": 1}),
        ("CrossEntropyLoss", x, classes, {"label_smoothing": 0.1}),
        ("CrossEntropyLoss", x, torch.softmax(t, -1), {}),
    ]:
        case(kind, calls=[call(input, target)])
        options = {"weight": [1.0, 0.5, 0.25], "reduction": "sum", **options}
        given = {k: torch.tensor(v) if isinstance(v, list) else v for k, v in options.items()}
        case(kind, calls=[call(input, target)], torch_kwargs=given, **options)


def windowed_layers(case: Any, call: Any) -> None:
    """Add convolutions and pools; where a pool has ties, the first entry has the gradient."""
    line, image = randn(2, 4, 9), randn(2, 4, 7, 6)
    case("Conv1d", 4, 6, 3, calls=[call(line), call(randn(4, 5))])
    case("Conv1d", 4, 6, 3, stride=2, padding=2, dilation=2, groups=2, bias=False, calls=[call(line)])
    for padding in ("same", "valid"):
        case("Conv1d", 4, 3, 4, padding=padding, dilation=2, calls=[call(line)])
    for mode in ("reflect", "replicate", "circular"):
        case("Conv1d", 4, 3, 3, stride=2, padding=2, padding_mode=mode, calls=[call(line)])
    case("Conv2d", 4, 6, 3, calls=[call(image), call(randn(4, 5, 4))])
    case("Conv2d", 4, 8, [3, 2], stride=[2, 1], padding=[1, 2], dilation=[1, 2], groups=4, calls=[call(image)])
    case("Conv2d", 4, 3, [4, 3], padding="same", dilation=[1, 2], groups=1, calls=[call(image)])
    case("Conv2d", 4, 3, 3, padding=1, padding_mode="circular", calls=[call(image)])
    ties, line_ties = torch.relu(image), torch.relu(line)
    case("MaxPool1d", 2, calls=[call(line_ties), call(randn(4, 5))])
    case("MaxPool1d", 3, stride=2, padding=1, dilation=2, ceil_mode=True, calls=[call(line_ties)])
    case("MaxPool2d", 2, calls=[call(ties), call(randn(4, 5, 4))])
    case("MaxPool2d", [3, 2], stride=[2, 3], padding=[1, 0], ceil_mode=True, calls=[call(ties)])
    case("MaxPool2d", 3, stride=2, padding=1, dilation=2, calls=[call(ties)])
    case("AvgPool1d", 2, calls=[call(line), call(randn(4, 5))])
    case("AvgPool1d", 4, stride=3, padding=2, ceil_mode=True, calls=[call(line)])
    for include in (False, True):
        case(
            "AvgPool1d", 3, stride=2, padding=1, ceil_mode=True, count_include_pad=include, calls=[call(randn(2, 4, 8))]
        )
        for ceil in (False, True):
            options = {"stride": [2, 3], "padding": [1, 1], "ceil_mode": ceil, "count_include_pad": include}
            case("AvgPool2d", [3, 2], calls=[call(image), call(randn(4, 6, 8))], **options)
    case("AvgPool2d", 2, divisor_override=3, calls=[call(image)])


def recurrent_layers(case: Any, call: Any) -> None:
    """Add cells and layers; several inputs of an LSTM are x and the pair (h, c)."""
    x, h, c, one = randn(2, 3), randn(2, 5), randn(2, 5), randn(3)
    for kind, options in [("RNNCell", {}), ("RNNCell", {"nonlinearity": "relu"}), ("GRUCell", {}), ("LSTMCell", {})]:
        state = [h, c] if kind == "LSTMCell" else [h]
        flat = [s[0] for s in state]
        case(kind, 3, 5, calls=[call(x), call(x, *state), call(one), call(one, *flat)], **options)
        case(kind, 3, 5, bias=False, calls=[call(x, *state)], **options)
    for kind, options in [("RNN", {}), ("RNN", {"nonlinearity": "relu"}), ("GRU", {}), ("LSTM", {})]:
        count = 2 if kind == "LSTM" else 1
        case(kind, 3, 5, calls=[call(randn(4, 2, 3)), call(randn(4, 3))], **options)
        state = [randn(2, 2, 5) for _ in range(count)]
        case(kind, 3, 5, num_layers=2, batch_first=True, calls=[call(randn(2, 4, 3), *state)], **options)
        state, flat = [randn(4, 2, 5) for _ in range(count)], [randn(4, 5) for _ in range(count)]
        options = {"num_layers": 2, "bidirectional": True, "bias": False, **options}
        case(kind, 3, 5, calls=[call(randn(11, 2, 3), *state), call(randn(3, 3), *flat)], **options)
