"""What the comparison with PyTorch does not see: misuse, masks, statistics, labels, initial values."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm import nn
from tinygrad_norm.nn import init

RNG = np.random.default_rng(3)
PADS = np.array([[0, 0, 0, 0, 1], [0, 0, 1, 1, 1]], dtype=bool)


def test_labels_and_arguments_are_shown() -> None:
    shown = {
        nn.Linear(2, 3): ("Linear 2→3", "in_features=2, out_features=3, bias=True"),
        nn.Embedding(10, 3): ("Embedding 10×3", "10, 3"),
        nn.Embedding(10, 3, padding_idx=-1): ("Embedding 10×3", "10, 3, padding_idx=9"),
        nn.LayerNorm((2, 3)): ("LayerNorm 2×3", "(2, 3), eps=1e-05, elementwise_affine=True"),
        nn.RMSNorm(3): ("RMSNorm 3", "(3,), eps=None, elementwise_affine=True"),
        nn.DyT((2, 3), 0.25): ("DyT 2×3", "(2, 3), alpha=0.25"),
        nn.GroupNorm(2, 6): ("GroupNorm 2 of 6", "2, 6, eps=1e-05, affine=True"),
        nn.BatchNorm1d(3): ("BatchNorm1d 3", "3, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True"),
        nn.InstanceNorm1d(3): (
            "InstanceNorm1d 3",
            "3, eps=1e-05, momentum=0.1, affine=False, track_running_stats=False",
        ),
        nn.Dropout(0.1): ("Dropout 0.1", "p=0.1"),
        nn.Conv1d(4, 6, 3, bias=False): ("Conv1d 4→6, 3", "4, 6, kernel_size=(3,), stride=(1,), bias=False"),
        nn.Conv2d(4, 6, (3, 2), padding="same", groups=2): (
            "Conv2d 4→6, 3×2",
            "4, 6, kernel_size=(3, 2), stride=(1, 1), padding='same', groups=2",
        ),
        nn.MaxPool2d(2): ("MaxPool2d", "kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False"),
        nn.AvgPool1d(3, 1): (
            "AvgPool1d",
            "kernel_size=3, stride=1, padding=0, ceil_mode=False, count_include_pad=True",
        ),
        nn.GRUCell(3, 5): ("GRUCell 3→5", "3, 5, bias=True"),
        nn.LSTM(3, 5, 2, bidirectional=True): ("LSTM 3→5", "3, 5, num_layers=2, bidirectional=True"),
        nn.HuberLoss(delta=2.0): ("HuberLoss", "reduction='mean', delta=2.0"),
        nn.CrossEntropyLoss([1.0, 2.0]): (
            "CrossEntropyLoss",
            "ignore_index=-100, reduction='mean', label_smoothing=0.0",
        ),
        nn.Flatten(): ("Flatten", "start_axis=1, end_axis=-1"),
        nn.LeakyReLU(): ("LeakyReLU", "negative_slope=0.01"),
        nn.ELU(): ("ELU", "alpha=1.0"),
        nn.GELU("tanh"): ("GELU", "approximate='tanh'"),
        nn.Softplus(): ("Softplus", "beta=1.0"),
        nn.Softmax(): ("Softmax", "axis=-1"),
        nn.LogSoftmax(0): ("LogSoftmax", "axis=0"),
        nn.MultiheadAttention(8, 2): ("MultiheadAttention 8, 2 heads", "embed_dim=8, num_heads=2, batch_first=False"),
        nn.TransformerEncoderLayer(8, 2, 9, norm="rms"): ("TransformerEncoderLayer, rms norm last", ""),
        nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 9), 3): ("TransformerEncoder, 3 layers", ""),
    }
    for layer, (label, extra) in shown.items():
        assert (layer.label(), layer.extra_repr()) == (label, extra)


def test_sizes_must_be_positive_integers() -> None:
    makers: list[Callable[[Any], nn.Module]] = [
        lambda n: nn.Linear(n, 3),
        lambda n: nn.Embedding(3, n),
        lambda n: nn.LayerNorm([2, n]),
        lambda n: nn.GroupNorm(n, 6),
        lambda n: nn.BatchNorm1d(n),
        lambda n: nn.MultiheadAttention(n, 1),
        lambda n: nn.TransformerEncoderLayer(4, 2, n),
        lambda n: nn.Conv1d(n, 2, 3),
        lambda n: nn.LSTM(3, n),
        lambda n: nn.GRU(3, 5, n),
        lambda n: nn.RNNCell(n, 2),
        lambda n: nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 4), n),
    ]
    for make in makers:
        for wrong in (0, -1, 2.0, True):
            with pytest.raises(tg.InputError, match=r": \w+(\[1\])? must be a positive integer; got .*\. Give"):
                make(wrong)
    with pytest.raises(tg.InputError, match=r"normalized_shape must name at least one axis; got \(\)"):
        nn.LayerNorm(())


def test_sizes_may_be_numpy_s_integers() -> None:
    n = np.int64
    layers: list[nn.Module] = [
        *(nn.Linear(n(3), n(2)), nn.LayerNorm(n(3)), nn.LayerNorm([n(3), 2]), nn.GroupNorm(n(2), n(6))),
        *(nn.Embedding(n(5), n(3), n(1)), nn.BatchNorm1d(n(3)), nn.MultiheadAttention(n(4), n(2))),
        *(nn.TransformerEncoderLayer(n(4), n(2), n(5)), nn.Conv2d(n(1), n(2), n(3)), nn.LSTM(n(3), n(4), n(2))),
    ]
    for layer in layers:
        assert "int64" not in repr(layer) + layer.label()
    tg.optim.StepLR(tg.optim.SGD(layers[0].parameters()), n(2))


def test_a_linear_layer_s_misfit_names_the_layer() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(5, 2))
    with pytest.raises(tg.ShapeError, match=r"in 1: linear: .* in_features; got x \(7, 4\) and weight \(2, 5\)"):
        model(tg.ones((7, 3)))


class TestEmbedding:
    def test_an_id_out_of_range_is_named_with_its_position(self) -> None:
        model = nn.Sequential({"words": nn.Embedding(4, 3)})
        for wrong in (4, -1):
            with pytest.raises(
                tg.IndexRangeError,
                match=rf"in words: embedding: an id must lie in \[0, 4\); got {wrong} at position \(1, 0\)\. Enlarge",
            ):
                model([[0, 1], [wrong, 2]])
        with pytest.raises(tg.OperandError, match="ids must be integers; got dtype float64"):
            model([0.5])

    def test_the_pad_s_row_is_zero_and_gets_no_gradient(self) -> None:
        table = nn.Embedding(4, 3, padding_idx=-4)
        assert not table.weight.data[0].any()
        table([[0, 1], [1, 0]]).square().sum().backward()
        assert not table.weight.grad.data[0].any()
        np.testing.assert_allclose(table.weight.grad.data[1], 4 * table.weight.data[1])
        with pytest.raises(tg.InputError, match="padding_idx must be one of the 4 ids; got 4"):
            nn.Embedding(4, 3, padding_idx=4)


class TestBatchNorm:
    def test_one_value_in_training_has_no_deviation(self) -> None:
        layer = nn.Sequential({"norm": nn.BatchNorm1d(3)})
        with pytest.raises(
            tg.InputError, match=r"in norm: batch_norm: .* at least two real values in training.*eval mode"
        ):
            layer(tg.ones((1, 3)))
        assert int(layer.norm.num_batches_tracked) == 0
        assert layer.eval()(tg.ones((1, 3))).shape == (1, 3)

    @pytest.mark.parametrize(
        ("layer", "shape"),
        [
            (nn.BatchNorm1d(3), (5, 4)),
            (nn.BatchNorm1d(3), (3,)),
            (nn.BatchNorm2d(3), (5, 3)),
            (nn.BatchNorm1d(3, channel_axis=-1), (2, 3, 5)),
        ],
    )
    def test_the_shape_must_fit(self, layer: nn.Module, shape: tuple[int, ...]) -> None:
        with pytest.raises(tg.ShapeError, match=r"BatchNorm\dd: x must be .* with 3 channels in axis -?1; got shape"):
            layer(tg.ones(shape))

    def test_the_channel_axis_is_second_or_last(self) -> None:
        with pytest.raises(tg.InputError, match=r"channel_axis must be 1 .* or -1 .*; got 2"):
            nn.BatchNorm1d(3, channel_axis=2)

    def test_channels_last_is_channels_first_transposed(self) -> None:
        x = RNG.standard_normal((2, 3, 5))
        first, last = nn.BatchNorm1d(3), nn.BatchNorm1d(3, channel_axis=-1)
        np.testing.assert_allclose(first(x).data, last(x.swapaxes(1, 2)).data.swapaxes(1, 2), rtol=1e-13)
        np.testing.assert_allclose(first.running_var.data, last.running_var.data, rtol=1e-14)

    @pytest.mark.parametrize("momentum", [0.1, None])
    def test_masked_statistics_are_those_of_the_real_rows_alone(self, momentum: float | None) -> None:
        """In training, and in the running statistics: exactly as if the pads were not there."""
        x = RNG.standard_normal((2, 5, 3)) + 2
        masked, plain = nn.BatchNorm1d(3, momentum=momentum, channel_axis=-1), nn.BatchNorm1d(3, momentum=momentum)
        for _ in range(2):
            np.testing.assert_allclose(masked(x, ~PADS).data[~PADS], plain(x[~PADS]).data, rtol=1e-12, atol=1e-14)
        assert not masked(x, mask=~PADS).data[PADS].any()
        plain(x[~PADS])
        for key, value in plain.state_dict().items():
            np.testing.assert_allclose(masked.state_dict()[key], value, rtol=1e-14)
        np.testing.assert_allclose(
            masked.eval()(x, ~PADS).data[~PADS], plain.eval()(x[~PADS]).data, rtol=1e-12, atol=1e-14
        )

    def test_pads_send_no_gradient_and_get_none(self) -> None:
        x = tg.Tensor(RNG.standard_normal((2, 5, 3)), requires_grad=True)
        layer = nn.BatchNorm1d(3, channel_axis=-1)
        layer(x, ~PADS).backward(RNG.standard_normal(x.shape))
        assert not x.grad.data[PADS].any()
        assert x.grad.data[~PADS].all()

    def test_a_mask_of_another_shape_is_refused(self) -> None:
        with pytest.raises(tg.ShapeError, match=r"the mask must have x's shape without the channel axis, \(2, 5\)"):
            nn.BatchNorm1d(3)(tg.ones((2, 3, 5)), mask=np.ones((5, 2)))

    def test_statistics_can_be_forgotten(self) -> None:
        layer = nn.BatchNorm1d(2)
        layer(RNG.standard_normal((5, 2)))
        init.constant_(layer.weight, 3.0)
        layer.reset_parameters()
        fresh = nn.BatchNorm1d(2).state_dict()
        for key, value in layer.state_dict().items():
            np.testing.assert_array_equal(value, fresh[key])
        untracked = nn.BatchNorm1d(2, track_running_stats=False, affine=False)
        untracked.reset_parameters()
        assert list(untracked.state_dict()) == []

    def test_evaluation_does_not_touch_the_statistics(self) -> None:
        layer = nn.BatchNorm1d(2).eval()
        before = layer.state_dict()
        layer(RNG.standard_normal((5, 2)))
        for key, value in layer.state_dict().items():
            np.testing.assert_array_equal(value, before[key])


def test_layer_group_and_instance_norm_refuse_what_does_not_fit() -> None:
    with pytest.raises(
        tg.InputError, match="num_channels must be divisible by num_groups; got 5 channels and 2 groups"
    ):
        nn.GroupNorm(2, 5)
    with pytest.raises(
        tg.ShapeError, match=r"the last axes of x must be normalized_shape \(3,\); got x of shape \(2, 4\)"
    ):
        nn.LayerNorm(3)(tg.ones((2, 4)))
    for shape in [(2, 4, 5), (3,), (2, 2, 3, 5)]:
        with pytest.raises(tg.ShapeError, match=r"InstanceNorm1d: x must be .* with 3 channels; got shape"):
            nn.InstanceNorm1d(3)(tg.ones(shape))
    with pytest.raises(tg.InputError, match=r"InstanceNorm1d: momentum must be a number, .*; got None"):
        nn.InstanceNorm1d(3, momentum=None)  # type: ignore[arg-type]  # the error under test


def test_norm_layers_can_be_reset() -> None:
    squash = nn.DyT(3, 0.25)
    for layer in (nn.LayerNorm(3), nn.RMSNorm(3), nn.GroupNorm(1, 3), squash):
        for p in layer.parameters():
            init.constant_(p, 7.0)
        layer.reset_parameters()
        assert layer.weight.tolist() == [1.0] * 3
        if not isinstance(layer, nn.RMSNorm):
            assert layer.bias.tolist() == [0.0] * 3
    assert squash.alpha.item() == 0.25


class TestDyT:
    def test_every_entry_is_by_itself(self) -> None:
        layer, x = nn.DyT(3, 0.7), RNG.standard_normal((4, 3))
        layer.weight.data, layer.bias.data = [2.0, -1.0, 0.5], [0.1, 0.2, 0.3]
        expected = np.tanh(0.7 * x) * [2.0, -1.0, 0.5] + [0.1, 0.2, 0.3]
        np.testing.assert_allclose(layer(x).data, expected, rtol=1e-14)
        derivatives = tg.jacobian(layer)(x).data.reshape(12, 12)
        assert np.count_nonzero(derivatives) == np.count_nonzero(np.diag(derivatives)) == 12

    @pytest.mark.parametrize("shape", [(2, 4), (4,), (2, 1), ()])
    def test_another_number_of_features_raises(self, shape: tuple[int, ...]) -> None:
        with pytest.raises(tg.ShapeError, match=r"DyT: the last axes of x must be normalized_shape \(3,\); got x of"):
            nn.DyT(3)(tg.ones(shape))

    def test_no_features_raise(self) -> None:
        with pytest.raises(tg.InputError, match=r"DyT: normalized_shape\[0\] must be a positive"):
            nn.DyT(0)

    def test_its_parameters_have_the_dtype(self) -> None:
        layer = nn.DyT(3, dtype="float32")
        assert {name: p.dtype for name, p in layer.named_parameters()} == dict.fromkeys(
            ("alpha", "weight", "bias"), np.float32
        )
        assert layer(np.ones(3, np.float32)).dtype == np.float32


class TestDropout:
    def test_it_drops_a_share_and_keeps_the_mean(self) -> None:
        tg.manual_seed(0)
        x = tg.ones(20_000)
        y = nn.Dropout(0.3)(x)
        assert set(np.unique(y.data)) == {0.0, 1 / 0.7}
        # Five deviations of a mean of 20,000 draws: 5 · √(0.3 · 0.7 / 20000).
        assert abs(float((y.data == 0).mean()) - 0.3) < 0.0163

    def test_a_seed_decides_what_is_dropped(self) -> None:
        drawn = []
        for _ in range(2):
            tg.manual_seed(5)
            drawn.append(nn.Dropout(0.5)(tg.ones(100)).tolist())
        assert drawn[0] == drawn[1]
        assert nn.Dropout(0.5)(tg.ones(100)).tolist() != drawn[0]

    def test_float32_stays_float32(self) -> None:
        assert nn.Dropout(0.5)(tg.ones(3, dtype=np.float32)).dtype == np.float32

    @pytest.mark.parametrize("p", [-0.1, 1.1, math.nan])
    def test_p_is_a_probability(self, p: float) -> None:
        with pytest.raises(tg.InputError, match=r"must be a probability in \[0, 1\]"):
            nn.Dropout(p)
        with pytest.raises(tg.InputError, match=r"must be a probability in \[0, 1\]"):
            tg.functional.dropout([1.0], p)


def test_flatten_needs_its_axes() -> None:
    assert nn.Flatten()(tg.ones((2, 3, 5))).shape == (2, 15)
    assert nn.Flatten()(tg.ones((0, 3, 5))).shape == (0, 15)
    with pytest.raises(
        tg.ShapeError, match=r"the axes 1 to -1 must be axes of x, in this order; got x of shape \(3,\)"
    ):
        nn.Flatten()(tg.ones(3))


class TestInit:
    def test_each_function_draws_what_it_says(self) -> None:
        tg.manual_seed(0)
        shape = (300, 200)
        expected = {
            "uniform_": (0.5, math.sqrt(1 / 12)),
            "normal_": (0.0, 1.0),
            "xavier_uniform_": (0.0, math.sqrt(2 / 500)),
            "xavier_normal_": (0.0, math.sqrt(2 / 500)),
            "kaiming_uniform_": (0.0, math.sqrt(2 / 200)),
            "kaiming_normal_": (0.0, math.sqrt(2 / 200)),
            "zeros_": (0.0, 0.0),
            "ones_": (1.0, 0.0),
        }
        for name, (mean, deviation) in expected.items():
            values = getattr(init, name)(nn.Parameter(np.empty(shape))).data
            # 60,000 draws: five deviations of the mean are 5σ/245, of the deviation less than 5σ/245.
            assert abs(values.mean() - mean) <= 0.0205 * deviation
            assert abs(values.std() - deviation) <= 0.0205 * deviation
        out = init.kaiming_normal_(nn.Parameter(np.empty(shape)), mode="fan_out", nonlinearity="relu").data
        assert abs(out.std() - math.sqrt(2 / 300)) < 0.0205 * math.sqrt(2 / 300)
        assert np.abs(init.xavier_uniform_(nn.Parameter(np.empty(shape)), gain=2.0).data).max() <= 2 * math.sqrt(
            6 / 500
        )

    @pytest.mark.parametrize("shape", [(3, 5), (5, 3), (3, 2, 2)])
    def test_orthogonal_rows_or_columns(self, shape: tuple[int, ...]) -> None:
        w = init.orthogonal_(nn.Parameter(np.empty(shape)), gain=2.0).data.reshape(shape[0], -1)
        gram = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
        np.testing.assert_allclose(gram, 4 * np.eye(len(gram)), atol=1e-14)

    def test_positions_of_a_convolution_count_as_fan(self) -> None:
        assert init.fans(nn.Parameter(np.empty((4, 3, 5, 7)))) == (105, 140)

    def test_gains(self) -> None:
        assert init.calculate_gain("relu") == pytest.approx(math.sqrt(2))
        assert init.calculate_gain("tanh") == pytest.approx(5 / 3)
        assert init.calculate_gain("leaky_relu", 1.0) == pytest.approx(1.0)

    def test_layers_start_as_pytorchs_do(self) -> None:
        tg.manual_seed(1)
        linear = nn.Linear(50, 400)
        for p in linear.parameters():
            assert np.abs(p.data).max() <= 1 / math.sqrt(50)
            assert np.abs(p.data).max() > 0.97 / math.sqrt(50)
        attention = nn.MultiheadAttention(32, 2, add_bias_kv=True)
        bound = math.sqrt(6 / (32 + 96))
        assert 0.97 * bound < np.abs(attention.in_proj_weight.data).max() <= bound
        assert not attention.in_proj_bias.data.any()
        assert not attention.out_proj.bias.data.any()
        assert attention.bias_k.data.any()
        assert abs(nn.Embedding(100, 100).weight.data.std() - 1) < 0.04

    def test_a_seed_decides_the_values(self) -> None:
        tg.manual_seed(2)
        first = nn.TransformerEncoderLayer(4, 2, 8).state_dict()
        tg.manual_seed(2)
        for a, b in zip(first.values(), nn.TransformerEncoderLayer(4, 2, 8).state_dict().values(), strict=True):
            np.testing.assert_array_equal(a, b)

    def test_misuse(self) -> None:
        with pytest.raises(tg.ShapeError, match=r"must be taken of a weight \(out, in, …\); got shape \(3,\)"):
            init.xavier_uniform_(nn.Parameter(np.empty(3)))
        with pytest.raises(tg.InputError, match="mode must be 'fan_in' or 'fan_out'; got 'fan'"):
            init.kaiming_normal_(nn.Parameter(np.empty((3, 3))), mode="fan")
        with pytest.raises(tg.InputError, match=r"nonlinearity must be one of linear, .*; got 'gelu'"):
            init.calculate_gain("gelu")
