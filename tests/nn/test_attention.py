"""Masks, padding and misuse of attention and the encoder; values stand in the comparison with PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm import nn

RNG = np.random.default_rng(11)
X = RNG.standard_normal((2, 5, 6))
PADS = np.array([[0, 0, 0, 0, 1], [0, 0, 1, 1, 1]], dtype=bool)


@pytest.fixture
def attention() -> nn.MultiheadAttention:
    tg.manual_seed(0)
    return nn.MultiheadAttention(6, 2, batch_first=True)


def test_masked_keys_have_weight_exactly_zero(attention: nn.MultiheadAttention) -> None:
    _, weights = attention(X, X, X, key_padding_mask=PADS)
    assert not weights.data[np.broadcast_to(PADS[:, None], weights.shape)].any()
    np.testing.assert_allclose(weights.data.sum(-1), 1.0, rtol=1e-14)


@pytest.mark.parametrize("kind", ["padding", "pairs", "added"])
def test_a_query_with_nothing_to_attend_to_gets_zeros(attention: nn.MultiheadAttention, kind: str) -> None:
    x = tg.Tensor(X, requires_grad=True)
    masks: dict[str, Any] = {
        "padding": {"key_padding_mask": np.ones((2, 5), dtype=bool)},
        "pairs": {"attn_mask": np.ones((5, 5), dtype=bool)},
        "added": {"attn_mask": np.full((5, 5), -np.inf)},
    }
    out, weights = attention(x, x, x, **masks[kind])
    assert not out.data.any()
    assert not weights.data.any()
    (out * RNG.standard_normal(out.shape)).sum().backward()
    assert not x.grad.data.any()
    assert all(np.isfinite(p.grad.data).all() for p in attention.parameters())
    tg.nn.init.constant_(attention.out_proj.bias, 3.0)
    assert (attention(x, x, x, **masks[kind])[0].data == 3.0).all()


def test_pads_change_nothing_for_real_words(attention: nn.MultiheadAttention) -> None:
    full, _ = attention(X, X, X, key_padding_mask=PADS)
    short, _ = attention(X[1:, :2], X[1:, :2], X[1:, :2])
    np.testing.assert_allclose(full.data[1, :2], short.data[0], rtol=1e-12, atol=1e-14)


def test_the_extra_keys_are_open_under_every_mask() -> None:
    layer = nn.MultiheadAttention(6, 2, batch_first=True, add_bias_kv=True, add_zero_attn=True)
    everything = np.ones((2, 5), dtype=bool)
    _, weights = layer(X, X, X, key_padding_mask=everything, attn_mask=np.ones((5, 5), dtype=bool), is_causal=True)
    assert weights.shape == (2, 5, 7)
    np.testing.assert_allclose(weights.data[..., 5:].sum(-1), 1.0, rtol=1e-14)


def test_a_causal_query_sees_no_later_key(attention: nn.MultiheadAttention) -> None:
    _, weights = attention(X, X, X, is_causal=True, average_attn_weights=False)
    assert not weights.data[..., ~np.tri(5, dtype=bool)].any()
    _, both = attention(X, X, X, is_causal=True, attn_mask=np.eye(5, dtype=bool))
    assert not both.data[:, 0].any()


def test_a_mask_can_be_learned(attention: nn.MultiheadAttention) -> None:
    bias = tg.Tensor(np.zeros((5, 5)), requires_grad=True)
    out, _ = attention(X, X, X, attn_mask=bias, key_padding_mask=PADS)
    (out * RNG.standard_normal(out.shape)).sum().backward()
    assert bias.grad.data.any()


def test_the_projections_are_drawn_by_name(attention: nn.MultiheadAttention) -> None:
    out, _ = attention(X, X, X)
    kinds, nodes, seen = {}, [out.node], set()
    while nodes:
        node = nodes.pop()
        if node is None or node in seen or node.primitive is None:
            continue
        seen.add(node)
        nodes.extend(node.parents)
        scope = node.scope
        while scope is not None:
            kinds[scope.path] = scope.kind
            scope = scope.parent
    assert {p: kinds[p] for p in ("q_proj", "k_proj", "v_proj", "out_proj")} == dict.fromkeys(
        ("q_proj", "k_proj", "v_proj", "out_proj"), "Linear 6→6"
    )
    assert kinds["attention"] == "function"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"embed_dim": 6, "num_heads": 4}, "embed_dim must be divisible by num_heads; got embed_dim=6 and num_heads=4"),
        ({"embed_dim": 6, "num_heads": 2, "dropout": 1.0}, r"dropout must lie in \[0, 1\); got 1.0"),
    ],
)
def test_arguments_must_make_sense(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(tg.InputError, match=message):
        nn.MultiheadAttention(**arguments)


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        (((2, 5, 7), (2, 5, 7), (2, 5, 7)), r"with 6, 6 and 6 features; got \(2, 5, 7\).* Check embed_dim"),
        (((2, 5, 6), (2, 6), (2, 6)), "query, key and value must be"),
        (((5, 6), (5, 6), (5, 7)), r"or all \(time, features\).*; got \(5, 6\), \(5, 6\), \(5, 7\)"),
        (((2, 5, 6), (3, 5, 6), (3, 5, 6)), "must have one batch size, key and value one length; got"),
        (
            ((2, 5, 6), (2, 5, 6), (2, 7, 6)),
            r"\(2, 7, 6\) \(batch first\)\. Check the order of the axes: batch_first=True",
        ),
    ],
)
def test_shapes_must_fit(attention: nn.MultiheadAttention, shapes: Any, message: str) -> None:
    with pytest.raises(tg.ShapeError, match=message):
        attention(*(tg.ones(s) for s in shapes))


@pytest.mark.parametrize(
    ("mask", "error", "message"),
    [
        (
            {"key_padding_mask": np.zeros((5, 2), dtype=bool)},
            tg.ShapeError,
            r"key_padding_mask must be \(batch, keys\) = \(2, 5\); got \(5, 2\)\. It holds True at pads",
        ),
        (
            {"attn_mask": np.zeros((2, 5, 5), dtype=bool)},
            tg.ShapeError,
            r"attn_mask must be \(queries, keys\) = \(5, 5\) or .* = \(4, 5, 5\); got \(2, 5, 5\)",
        ),
        (
            {"attn_mask": np.zeros((5, 5), dtype=int)},
            tg.OperandError,
            r"attn_mask must be boolean \(True: may not attend\) or floating .*; got dtype int64",
        ),
    ],
)
def test_masks_must_fit(attention: nn.MultiheadAttention, mask: Any, error: type[Exception], message: str) -> None:
    model = nn.Sequential()
    model.add_module("self_attn", attention)
    with pytest.raises(error, match=message) as caught:
        attention(X, X, X, **mask)
    assert "in self_attn: " in str(caught.value)


def test_dropped_weights_are_dropped_in_training_only() -> None:
    tg.manual_seed(0)
    layer = nn.MultiheadAttention(6, 2, dropout=0.5, batch_first=True)
    _, weights = layer(X, X, X, average_attn_weights=False)
    assert (weights.data == 0).any()
    _, weights = layer.eval()(X, X, X, average_attn_weights=False)
    assert not (weights.data == 0).any()


NORMS = ("layer", "rms", "none", "masked_batch", "batch")


def padded(x: np.ndarray, pads: np.ndarray, extra: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a batch and its mask with more pads at the end."""
    return (
        np.concatenate([x, RNG.standard_normal((x.shape[0], extra, x.shape[2]))], 1),
        np.concatenate([pads, np.ones((x.shape[0], extra), dtype=bool)], 1),
    )


@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize("norm", NORMS)
def test_only_padded_batch_norm_minds_the_pads(norm: str, norm_first: bool) -> None:
    """In training mode: real positions of the same batch with 7 more pads."""
    tg.manual_seed(0)
    layer = nn.TransformerEncoderLayer(6, 2, 7, 0.0, batch_first=True, norm=norm, norm_first=norm_first)
    long, mask = padded(X, PADS, 7)
    a = layer(X, src_key_padding_mask=PADS).data[~PADS]
    b = layer(long, src_key_padding_mask=mask).data[:, :5][~PADS]
    difference = np.abs(a - b).max()
    assert difference > 1e-3 if norm == "batch" else difference < 1e-12


def test_time_first_masks_the_same_positions() -> None:
    for norm in ("masked_batch", "batch"):
        tg.manual_seed(0)
        first = nn.TransformerEncoderLayer(6, 2, 7, 0.0, batch_first=True, norm=norm)
        second = nn.TransformerEncoderLayer(6, 2, 7, 0.0, norm=norm)
        second.load_state_dict(first.state_dict())
        a = first(X, src_key_padding_mask=PADS)
        b = second(X.swapaxes(0, 1), src_key_padding_mask=PADS)
        np.testing.assert_allclose(a.data, b.data.swapaxes(0, 1), rtol=1e-12, atol=1e-13)


def test_one_sentence_without_a_batch() -> None:
    layer = nn.TransformerEncoderLayer(6, 2, 7, 0.0, norm="masked_batch").eval()
    alone = layer(X[0], src_key_padding_mask=PADS[0])
    batch = layer(X[:1].swapaxes(0, 1), src_key_padding_mask=PADS[:1])
    np.testing.assert_allclose(alone.data, batch.data[:, 0], rtol=1e-12, atol=1e-14)


def test_masked_batch_norm_without_a_mask_takes_all_positions_for_real() -> None:
    tg.manual_seed(0)
    masked = nn.TransformerEncoderLayer(6, 2, 7, 0.0, batch_first=True, norm="masked_batch")
    plain = nn.TransformerEncoderLayer(6, 2, 7, 0.0, batch_first=True, norm="batch")
    plain.load_state_dict(masked.state_dict())
    np.testing.assert_array_equal(masked(X).data, plain(X).data)


def test_an_activation_may_be_a_function() -> None:
    layer = nn.TransformerEncoderLayer(6, 2, 7, activation=tg.functional.silu)
    assert layer(X).shape == X.shape


def test_the_encoder_copies_its_layer() -> None:
    model = nn.TransformerEncoder(nn.TransformerEncoderLayer(6, 2, 7, batch_first=True), 2)
    assert model.layers[0].linear1.weight is not model.layers[1].linear1.weight
    np.testing.assert_array_equal(model.layers[0].linear1.weight.data, model.layers[1].linear1.weight.data)
    assert model.layers[1].linear1.weight.name == "layers.1.linear1.weight"
    with pytest.raises(tg.ShapeError, match=r"^in layers\.0\.self_attn: MultiheadAttention: query, key and value"):
        model(tg.ones((2, 5, 7)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"norm": "batchnorm"}, "norm must be one of layer, rms, batch, masked_batch, none; got 'batchnorm'"),
        ({"activation": "swish"}, "activation must be 'relu', 'gelu' or a function; got 'swish'"),
    ],
)
def test_the_encoder_layer_s_choices_are_checked(options: dict[str, Any], message: str) -> None:
    with pytest.raises(tg.InputError, match=message):
        nn.TransformerEncoderLayer(6, 2, **options)


def test_masked_batch_norm_needs_a_boolean_mask() -> None:
    layer = nn.TransformerEncoderLayer(6, 2, 7, batch_first=True, norm="masked_batch")
    with pytest.raises(tg.OperandError, match="by a boolean src_key_padding_mask, True at pads; got dtype float64"):
        layer(X, src_key_padding_mask=np.zeros((2, 5)))
