"""Everything that the package can differentiate, checked: primitives, compositions, layers.

A primitive comes with samples in its declaration; compositions and layers have their points here.
:func:`check_everything` checks them all and gives one :class:`PackageResult` for each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np

from .. import functional as F  # the name under which its users know it
from .. import nn
from ..engine.primitive import FUNCTIONS, PRIMITIVES, load_late
from ..engine.tensor import Tensor
from ..errors import InputError
from ..samples import Sample
from ..samples import sample as point
from ..terminal.spelling import did_you_mean
from .api import check_orders, gradcheck
from .blame import RecordedOperation, operation_function
from .check_report import Report
from .hygiene import adjoint_gap
from .measure.clock import ticking
from .user_functions import TensorFunction, tensor_function

load_late()
Lambda = Callable[..., Any]
#: A function built from primitives, with the points where it is checked.
Composition = tuple[Lambda, tuple[Sample, ...]]


def each(function: Lambda, *shapes: tuple[int, ...], domain: str = "any") -> Composition:
    """Return a composition checked at one point for each shape."""
    return function, tuple(point(shape, domain=domain) for shape in shapes)


def at(function: Lambda, *shapes: tuple[int, ...], domain: str | tuple[str, ...] = "any") -> Composition:
    """Return a composition of several inputs, checked at one point."""
    return function, (point(*shapes, domain=domain),)


def registered(name: str, *arguments: Any, **options: Any) -> Lambda:
    """Return the function of that name with further arguments filled in."""
    return lambda *xs: FUNCTIONS[name](*xs, *arguments, **options)


IDS = np.array([[2, 0, 2], [6, 2, 1]])
LABELS = np.array([4, 0, 2])
ZERO_ONE = np.array([[1.0, 0, 0, 1, 0], [0, 0, 1, 1, 1], [1, 1, 0, 0, 0]])
CAUSAL = np.tril(np.ones((5, 5), dtype=bool))
BUT_THE_FIRST = np.array([[0.0], [1.0], [1.0], [1.0], [1.0]])
REAL = np.array([[True, True, True, False], [True, True, False, False], [True, True, True, True]])

OF_A_MATRIX = """
    atleast_3d column_stack deg2rad ediff1d fliplr flipud nancumprod nancumsum nanprod nansum nan_to_num rad2deg real
    rot90 sinc trapezoid unstack
"""
ALONG_AN_AXIS = "average cumulative_prod cumulative_sum gradient nanmean nanstd nanvar"
RANKS_ALONG_AN_AXIS = "median nanmax nanmedian nanmin"

COMPOSITIONS: dict[str, Composition] = {
    "reciprocal": each(registered("reciprocal"), (3, 5), domain="nonzero"),
    "cumprod": each(registered("cumprod", axis=1), (3, 5)),
    "diff": each(registered("diff"), (3, 5)),
    "norm": each(registered("norm", axis=1), (3, 5)),
    "ptp": each(registered("ptp", axis=1), (3, 5), domain="distinct"),
    "std": each(registered("std", axis=1), (3, 5)),
    "var": each(registered("var", axis=1, ddof=1), (3, 5)),
    "sort": each(registered("sort"), (3, 5), domain="distinct"),
    "take": each(registered("take", np.array([2, 0, 2]), axis=1), (3, 5)),
    "diag": each(registered("diag"), (5,), (3, 3)),
    "diagonal": each(registered("diagonal"), (3, 5)),
    "trace": each(registered("trace"), (3, 5)),
    "tril": each(registered("tril"), (5, 3)),
    "triu": each(registered("triu"), (5, 3)),
    "tile": each(registered("tile", (2, 1)), (3, 5)),
    "repeat": each(registered("repeat", 2, axis=0), (3, 5)),
    "split": each(registered("split", 5, axis=1), (3, 5)),
    "array_split": each(registered("array_split", 2, axis=1), (3, 5)),
    "atleast_1d": each(registered("atleast_1d"), ()),
    "atleast_2d": each(registered("atleast_2d"), (5,)),
    "copy": each(registered("copy"), (3, 5)),
    "expand_dims": each(registered("expand_dims", 1), (3, 5)),
    "moveaxis": each(registered("moveaxis", 0, -1), (2, 3, 5)),
    "ravel": each(registered("ravel"), (3, 5)),
    "squeeze": each(registered("squeeze"), (3, 1, 5)),
    "swapaxes": each(registered("swapaxes", 0, 1), (3, 5)),
    "take_along_axis": each(registered("take_along_axis", np.array([[2, 0], [1, 1], [4, 4]]), axis=1), (3, 5)),
    "hstack": at(lambda a, b: FUNCTIONS["hstack"]([a, b]), (3, 2), (3, 5)),
    "vstack": at(lambda a, b: FUNCTIONS["vstack"]([a, b]), (2, 3), (5, 3)),
    "dot": at(registered("dot"), (3, 5), (5, 2)),
    "inner": at(registered("inner"), (3, 5), (2, 5)),
    "outer": at(registered("outer"), (3,), (5,)),
    "vdot": at(registered("vdot"), (5,), (5,)),
    "tensordot": at(registered("tensordot", axes=1), (2, 3, 5), (5, 7)),
    "vecdot": at(registered("vecdot"), (2, 3), (3,)),
    "matvec": at(registered("matvec"), (2, 3), (5, 3)),
    "vecmat": at(registered("vecmat"), (5, 3), (3, 2)),
    "multi_dot": at(lambda a, b, c: FUNCTIONS["multi_dot"]([a, b, c]), (2, 3), (3, 5), (5,)),
    "matrix_power": each(registered("matrix_power", 3), (3, 3)),
    "eigvalsh": each(registered("eigvalsh"), (3, 3), domain="regular"),
    "svdvals": each(registered("svdvals"), (3, 5), domain="regular"),
    "slogdet": each(lambda x: FUNCTIONS["slogdet"](x)[1], (3, 3), domain="regular"),
    "cond": each(registered("cond"), (3, 5), domain="regular"),
    "lstsq": at(lambda a, b: FUNCTIONS["lstsq"](a, b)[0], (5, 3), (5,), domain=("regular", "any")),
    "tensorsolve": at(registered("tensorsolve"), (3, 3), (3,), domain=("regular", "any")),
    "tensorinv": each(registered("tensorinv", 1), (3, 3), domain="regular"),
    "vector_norm": each(registered("vector_norm", axis=1, ord=3), (3, 5)),
    "matrix_norm": each(registered("matrix_norm", ord="nuc"), (3, 5), domain="regular"),
    "fftshift": each(registered("fftshift"), (3, 5)),
    "ifftshift": each(registered("ifftshift"), (3, 5)),
    "irfft": each(registered("irfft"), (3, 5)),
    "hfft": each(registered("hfft"), (3, 5)),
    "kron": at(registered("kron"), (2, 3), (3,)),
    "cross": at(registered("cross"), (5, 3), (3,)),
    **{name: each(registered(name), (3, 5)) for name in OF_A_MATRIX.split()},
    **{name: each(registered(name, axis=1), (3, 5)) for name in ALONG_AN_AXIS.split()},
    **{name: each(registered(name, axis=1), (3, 5), domain="distinct") for name in RANKS_ALONG_AN_AXIS.split()},
    **{name: each(registered(name, 0.3), (3, 5), domain="distinct") for name in ("quantile", "nanquantile")},
    **{name: each(registered(name, 30), (3, 5), domain="distinct") for name in ("percentile", "nanpercentile")},
    **{name: at(lambda a, b, name=name: FUNCTIONS[name]([a, b]), (3, 2), (3, 2)) for name in ("block", "dstack")},
    **{name: at(registered(name), (3, 5), (5,), domain="distinct") for name in ("fmax", "fmin")},
    **{name: at(registered(name), (5,), (3,)) for name in ("append", "convolve", "correlate", "meshgrid")},
    "broadcast_arrays": at(registered("broadcast_arrays"), (3, 5), (5,)),
    "trim_zeros": each(registered("trim_zeros"), (5,)),
    "fabs": each(registered("fabs"), (3, 5), domain="nonzero"),
    "float_power": at(registered("float_power"), (3, 5), (5,), domain=("positive", "any")),
    "divmod": each(lambda x: FUNCTIONS["divmod"](x, 2.0)[1], (3, 5), domain="fraction"),
    "modf": each(lambda x: FUNCTIONS["modf"](x)[0], (3, 5), domain="fraction"),
    "interp": each(lambda y: FUNCTIONS["interp"](np.linspace(-1, 6, 9), np.arange(5), y), (5,)),
    "rollaxis": each(registered("rollaxis", 2), (2, 3, 5)),
    "insert": at(lambda x, y: FUNCTIONS["insert"](x, [1, 3], y), (5,), (2,)),
    "delete": each(registered("delete", [1, 3]), (5,)),
    "resize": each(registered("resize", (2, 4)), (5,)),
    "hsplit": each(lambda x: FUNCTIONS["hsplit"](x, 5)[1], (3, 5)),
    "vsplit": each(lambda x: FUNCTIONS["vsplit"](x, 3)[1], (3, 5)),
    "dsplit": each(lambda x: FUNCTIONS["dsplit"](x, 5)[1], (2, 3, 5)),
    "select": at(lambda x, y: FUNCTIONS["select"]([ZERO_ONE > 0], [x], y), (3, 5), (5,)),
    "choose": at(lambda x, y: FUNCTIONS["choose"]([0, 1, 1], [x, y]), (2, 3), (3,)),
    "compress": each(lambda x: FUNCTIONS["compress"]([True, False, True], x, axis=0), (3, 5)),
    "extract": each(lambda x: FUNCTIONS["extract"](ZERO_ONE > 0, x), (3, 5)),
    "partition": each(registered("partition", 2), (3, 5), domain="distinct"),
    "unique": each(registered("unique"), (3, 5), domain="distinct"),
    "topk": each(lambda x: FUNCTIONS["topk"](x, 2)[0], (3, 5), domain="distinct"),
    "index_add": at(lambda x, y: FUNCTIONS["index_add"](x, [0, 2, 2], y, axis=1), (2, 5), (2, 3)),
    "bincount": each(lambda x: FUNCTIONS["bincount"]([0, 2, 2, 1, 0], x), (5,)),
    "leaky_relu": each(F.leaky_relu, (3, 5), domain="nonzero"),
    "elu": each(F.elu, (3, 5)),
    "sigmoid": each(F.sigmoid, (3, 5)),
    "silu": each(F.silu, (3, 5)),
    "softplus": each(F.softplus, (3, 5)),
    "gelu": each(F.gelu, (3, 5)),
    "gelu, approximate": each(lambda x: F.gelu(x, approximate="tanh"), (3, 5)),
    "softmax": each(F.softmax, (3, 5), (2, 3, 5)),
    "log_softmax": each(F.log_softmax, (3, 5)),
    "logsumexp": each(F.logsumexp, (3, 5)),
    "linear": at(F.linear, (5, 3), (7, 3), (7,)),
    "layer_norm": at(lambda x, weight, bias: F.layer_norm(x, 7, weight, bias), (5, 7), (7,), (7,)),
    "layer_norm, a row of zeros": at(lambda x, weight: F.layer_norm(x * BUT_THE_FIRST, 7, weight), (5, 7), (7,)),
    "rms_norm": at(lambda x, weight: F.rms_norm(x, 7, weight), (5, 7), (7,)),
    "group_norm": at(lambda x, weight, bias: F.group_norm(x, 2, weight, bias), (3, 4, 5), (4,), (4,)),
    "instance_norm": at(F.instance_norm, (2, 3, 5), (3,), (3,)),
    "batch_norm": at(
        lambda x, weight, bias: F.batch_norm(x, None, None, weight, bias, training=True), (7, 5), (5,), (5,)
    ),
    "batch_norm, masked": at(
        lambda x, weight: F.batch_norm(x, weight=weight, training=True, mask=REAL, channel_axis=-1), (3, 4, 5), (5,)
    ),
    "attention": at(F.scaled_dot_product_attention, (2, 5, 3), (2, 7, 3), (2, 7, 3)),
    "attention, masked": at(
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, attn_mask=CAUSAL), (2, 5, 3), (2, 5, 3), (2, 5, 3)
    ),
    "embedding": at(lambda weight: F.embedding(IDS, weight), (7, 3)),
    "dropout": at(lambda x: F.dropout(x, training=False), (3, 5)),
    "mse_loss": at(F.mse_loss, (3, 5), (3, 5)),
    "l1_loss": at(F.l1_loss, (3, 5), (3, 5)),
    "smooth_l1_loss": at(F.smooth_l1_loss, (3, 5), (3, 5)),
    "huber_loss": at(F.huber_loss, (3, 5), (3, 5)),
    "binary_cross_entropy": at(lambda x: F.binary_cross_entropy(F.sigmoid(x), ZERO_ONE), (3, 5)),
    "binary_cross_entropy_with_logits": at(lambda x: F.binary_cross_entropy_with_logits(x, ZERO_ONE), (3, 5)),
    "kl_div": at(lambda x: F.kl_div(F.log_softmax(x), np.full((3, 5), 0.2), reduction="batchmean"), (3, 5)),
    "nll_loss": at(lambda x: F.nll_loss(F.log_softmax(x), LABELS), (3, 5)),
    "cross_entropy": at(lambda x: F.cross_entropy(x, LABELS), (3, 5)),
    "conv1d": at(lambda x, weight: F.conv1d(x, weight, stride=2, padding=1), (2, 3, 7), (5, 3, 3)),
    "conv2d": at(lambda x, weight: F.conv2d(x, weight, groups=2), (2, 4, 5, 3), (6, 2, 3, 2)),
    "max_pool1d": each(lambda x: F.max_pool1d(x, 2), (2, 3, 6), domain="distinct"),
    "max_pool2d": each(lambda x: F.max_pool2d(x, 2), (1, 2, 4, 6), domain="distinct"),
    "avg_pool1d": each(lambda x: F.avg_pool1d(x, 3, 2, 1), (2, 3, 7)),
    "avg_pool2d": each(lambda x: F.avg_pool2d(x, 2), (2, 2, 4, 5)),
    "cross_entropy, smoothed": at(lambda x: F.cross_entropy(x, LABELS, label_smoothing=0.1), (3, 5)),
}


def encoder_layer(norm_first: bool = False) -> nn.TransformerEncoderLayer:
    """Return a small Transformer layer without dropout, which no check could repeat."""
    return nn.TransformerEncoderLayer(6, 2, 7, dropout=0, norm_first=norm_first)


#: What makes a module anew for each check, and the shapes of its inputs; an array of whole numbers is given as it is.
LAYERS: dict[str, tuple[Callable[[], nn.Module], tuple[Any, ...]]] = {
    "Linear": (lambda: nn.Linear(3, 7), ((5, 3),)),
    "Embedding": (lambda: nn.Embedding(7, 3), (IDS,)),
    "LayerNorm": (lambda: nn.LayerNorm(7), ((5, 7),)),
    "DyT": (lambda: nn.DyT(7), ((5, 7),)),
    "RMSNorm": (lambda: nn.RMSNorm(7), ((5, 7),)),
    "GroupNorm": (lambda: nn.GroupNorm(2, 4), ((3, 4, 5),)),
    "InstanceNorm1d": (lambda: nn.InstanceNorm1d(3, affine=True), ((2, 3, 5),)),
    "BatchNorm1d": (lambda: nn.BatchNorm1d(5), ((7, 5),)),
    "BatchNorm1d, evaluating": (lambda: nn.BatchNorm1d(5).eval(), ((7, 5),)),
    "BatchNorm2d": (lambda: nn.BatchNorm2d(3), ((2, 3, 5, 2),)),
    "Conv1d": (lambda: nn.Conv1d(3, 5, 3, padding="same"), ((2, 3, 7),)),
    "Conv2d": (lambda: nn.Conv2d(2, 3, 2, stride=2), ((2, 2, 4, 6),)),
    "RNN": (lambda: nn.RNN(3, 5), ((4, 2, 3),)),
    "GRU": (lambda: nn.GRU(3, 5), ((4, 2, 3),)),
    "LSTM": (lambda: nn.LSTM(3, 5), ((4, 2, 3),)),
    "RNNCell": (lambda: nn.RNNCell(3, 5), ((2, 3), (2, 5))),
    "GRUCell": (lambda: nn.GRUCell(3, 5), ((2, 3), (2, 5))),
    "LSTMCell": (lambda: nn.LSTMCell(3, 5), ((2, 3),)),
    "MultiheadAttention": (lambda: nn.MultiheadAttention(6, 2), ((5, 2, 6), (3, 2, 6), (3, 2, 6))),
    "TransformerEncoderLayer": (encoder_layer, ((5, 2, 6),)),
    "TransformerEncoderLayer, norm first": (lambda: encoder_layer(norm_first=True), ((5, 2, 6),)),
    "TransformerEncoder": (lambda: nn.TransformerEncoder(encoder_layer(), 2, nn.LayerNorm(6)), ((5, 2, 6),)),
}
#: A stack of layers is checked by what it adds to them: the way through all, to the first one, and its own parameters.
#: To check each layer's parameters again would take as long as all recurrent layers, and show what the layer showed.
ONLY_BY = {"TransformerEncoder": ("src", "layers.0.linear1.bias", "norm.weight")}


def drawn(name: str, generator: np.random.Generator) -> tuple[nn.Module, tuple[Any, ...]]:
    """Return a layer with random parameters (ones and zeros would hide mistakes), and random inputs."""
    make, shapes = LAYERS[name]
    module = make()
    for parameter in module.parameters():
        parameter.data = generator.standard_normal(parameter.shape) / max((1, *parameter.shape[-1:])) ** 0.5
    inputs = tuple(x if isinstance(x, np.ndarray) else generator.standard_normal(x) for x in shapes)
    return module, inputs


@dataclass(frozen=True)
class PackageResult:
    """The result for one primitive, composition or layer."""

    name: str
    kind: str  # primitive, composition or layer
    points: int
    evaluations: int  # how often functions were called
    status: str  # right, flat (the derivative is zero everywhere, and so is yours), wrong or cannot tell
    uncertainty: float  # the widest measured ± relative to the largest entry of its gradient
    adjoint: float | None  # for a linear primitive, the largest relative violation of ⟨A x, u⟩ = ⟨x, Aᵀ u⟩
    report: Report | None  # the first that is not right


def names() -> list[str]:
    """Return what can be checked: primitives first, then compositions, then layers."""
    return [*PRIMITIVES, *COMPOSITIONS, *LAYERS]


def check_everything(
    order: int,
    seed: int,
    only: str | None = None,
    progress: Callable[[str, float], None] = lambda name, fraction: None,
    time_limit: float | None = None,
) -> Iterator[PackageResult]:
    """Yield the result for everything that can be checked, or for the one called ``only``, while there is time."""
    wanted = names() if only is None else [only]
    if only is not None and only not in names():
        raise InputError(
            f"what is checked must be a primitive, a composition, a layer or FILE.py:FUNCTION; got {only!r}."
            f"{did_you_mean(only, names())} The names are: {', '.join(names())}."
        )
    with ticking(time_limit, shown=False) as clock:
        for number, name in enumerate(wanted):
            progress(name, number / len(wanted))
            result = check_named(name, order, seed)
            if clock.stopped is not None and result.status != "wrong":
                return
            yield result


def check_named(name: str, order: int, seed: int) -> PackageResult:
    """Return the result for one primitive, composition or layer at all of its points."""
    functions: list[TensorFunction] = []
    if name in LAYERS:
        module, inputs = drawn(name, np.random.default_rng((seed, crc32(name.encode()))))
        reports = [gradcheck(module, inputs, wrt=ONLY_BY.get(name), order=order, seed=seed)]
    else:
        functions = list(functions_of(name, seed))
        reports = [check_orders(f, order, seed=seed) for f in functions]
    primitive = PRIMITIVES.get(name)
    linear = primitive is not None and primitive.linear
    failed = next((r for r in reports if r.status in ("wrong", "cannot tell")), None)
    slopes = any(e.status == "right" for r in reports for e in r.entries)
    spread = [u for r in reports for u in r.uncertainty.values()]
    return PackageResult(
        name=name,
        kind="layer" if name in LAYERS else "composition" if primitive is None else "primitive",
        points=len(reports),
        evaluations=sum(r.evaluations for r in reports),
        status=failed.status if failed is not None else "right" if slopes else "flat",
        uncertainty=max(spread, default=0.0),
        adjoint=max((adjoint_gap(f.problem(), seed) for f in functions), default=0.0) if linear else None,
        report=failed,
    )


def functions_of(name: str, seed: int) -> Iterator[TensorFunction]:
    """Yield a primitive or composition at each of its points where there is something to differentiate by."""
    generator = np.random.default_rng((seed, crc32(name.encode())))
    if name in COMPOSITIONS:
        function, points = COMPOSITIONS[name]
        yield from (tensor_function(function, tuple(sample.draw(generator)), None) for sample in points)
        return
    primitive = PRIMITIVES[name]
    for sample in primitive.samples:
        inputs = tuple(Tensor(x) for x in sample.draw(generator))
        params = {**primitive.defaults, **sample.params}
        operation = RecordedOperation(primitive, inputs, params, None, primitive(*inputs, **params))
        found = operation_function(operation)
        if found is not None:
            yield found
