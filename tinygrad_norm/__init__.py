"""A from-scratch autograd framework on NumPy for teaching: import it, draw its graphs, check gradients.

>>> import tinygrad_norm as tg
>>> x = tg.Tensor([[7.0, 5.0, 4.0], [2.0, 3.0, 4.0]], requires_grad=True)
>>> y = tg.functional.layer_norm(x, 3)
>>> (y * tg.arange(6.0).reshape(2, 3)).sum().backward()
>>> x.grad.shape
(2, 3)
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from . import functional, ops
from .context import detect_anomaly, enable_grad, no_grad, scope
from .engine.primitive import PRIMITIVES, Primitive, elementwise, primitive
from .engine.primitives.indexing import scatter_add
from .engine.primitives.linalg import matmul
from .engine.primitives.reduction import max, mean, min, sum
from .engine.primitives.shape import broadcast_to, reshape, transpose
from .engine.tensor import Tensor
from .errors import (
    AnomalyError,
    FileError,
    GraphEndsWarning,
    GraphError,
    GraphReleasedError,
    IndexRangeError,
    InputError,
    MissingExtraError,
    OperandError,
    ShapeError,
    StateDictError,
    TinygradNormError,
    VJPError,
)
from .memory import keep_freed_memory
from .ops.constants import full_like, ones_like, zeros_like
from .ops.creation import arange, eye, full, linspace, ones, rand, randint, randn, zeros
from .ops.elementwise import (
    absolute,
    add,
    arccos,
    arccosh,
    arcsin,
    arcsinh,
    arctan,
    arctan2,
    arctanh,
    cbrt,
    ceil,
    clip,
    copysign,
    cos,
    cosh,
    deg2rad,
    divide,
    erf,
    exp,
    exp2,
    expm1,
    float_power,
    floor,
    fmax,
    fmin,
    fmod,
    heaviside,
    hypot,
    log,
    log1p,
    log2,
    log10,
    logaddexp,
    logaddexp2,
    maximum,
    minimum,
    multiply,
    nan_to_num,
    negative,
    power,
    rad2deg,
    reciprocal,
    remainder,
    round,
    sign,
    sin,
    sinc,
    sinh,
    sqrt,
    square,
    subtract,
    tan,
    tanh,
    trunc,
    where,
)
from .ops.layout import (
    append,
    array_split,
    astype,
    atleast_1d,
    atleast_2d,
    atleast_3d,
    block,
    broadcast_arrays,
    column_stack,
    concatenate,
    delete,
    dsplit,
    dstack,
    expand_dims,
    fliplr,
    flipud,
    hsplit,
    hstack,
    insert,
    meshgrid,
    moveaxis,
    pad,
    ravel,
    repeat,
    resize,
    rollaxis,
    rot90,
    split,
    squeeze,
    stack,
    swapaxes,
    tile,
    tril,
    triu,
    unstack,
    vsplit,
    vstack,
)
from .ops.picking import (
    bincount,
    choose,
    compress,
    diag,
    diagonal,
    extract,
    index_add,
    partition,
    select,
    sort,
    take,
    take_along_axis,
    topk,
    unique,
)
from .ops.products import (
    cross,
    dot,
    einsum,
    inner,
    kron,
    outer,
    tensordot,
    vdot,
)
from .ops.reduction import cumsum, prod
from .ops.shape import flip, roll
from .ops.statistics import (
    average,
    cumprod,
    cumulative_prod,
    cumulative_sum,
    median,
    nancumprod,
    nancumsum,
    nanmax,
    nanmean,
    nanmedian,
    nanmin,
    nanpercentile,
    nanprod,
    nanquantile,
    nanstd,
    nansum,
    nanvar,
    percentile,
    ptp,
    quantile,
    std,
    var,
)
from .pytorch_names import answer_on, no_such_name
from .random import manual_seed
from .samples import sample

__all__ = [
    "PRIMITIVES",
    "AnomalyError",
    "Drawing",
    "FileError",
    "GraphEndsWarning",
    "GraphError",
    "GraphReleasedError",
    "IndexRangeError",
    "InputError",
    "MissingExtraError",
    "OperandError",
    "Primitive",
    "ShapeError",
    "StateDictError",
    "Tensor",
    "TinygradNormError",
    "VJPError",
    "__version__",
    "absolute",
    "add",
    "append",
    "arange",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "array_split",
    "assert_gradients",
    "astype",
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "average",
    "bincount",
    "block",
    "broadcast_arrays",
    "broadcast_to",
    "cbrt",
    "ceil",
    "check_vjp",
    "choose",
    "clip",
    "column_stack",
    "compress",
    "concatenate",
    "convolve",
    "copysign",
    "correlate",
    "cos",
    "cosh",
    "cross",
    "cumprod",
    "cumsum",
    "cumulative_prod",
    "cumulative_sum",
    "deg2rad",
    "delete",
    "detect_anomaly",
    "diag",
    "diagonal",
    "diff",
    "divide",
    "dot",
    "draw",
    "dsplit",
    "dstack",
    "ediff1d",
    "einsum",
    "elementwise",
    "enable_grad",
    "erf",
    "exp",
    "exp2",
    "expand_dims",
    "expm1",
    "extract",
    "eye",
    "flip",
    "fliplr",
    "flipud",
    "float_power",
    "floor",
    "fmax",
    "fmin",
    "fmod",
    "full",
    "full_like",
    "functional",
    "get_default_dtype",
    "grad",
    "gradcheck",
    "gradients",
    "heaviside",
    "hessian",
    "hsplit",
    "hstack",
    "hvp",
    "hypot",
    "index_add",
    "inner",
    "insert",
    "interp",
    "jacobian",
    "jvp",
    "kron",
    "linspace",
    "load",
    "log",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
    "logaddexp2",
    "manual_seed",
    "matmul",
    "matvec",
    "max",
    "maximum",
    "mean",
    "median",
    "meshgrid",
    "min",
    "minimum",
    "moveaxis",
    "multiply",
    "nan_to_num",
    "nancumprod",
    "nancumsum",
    "nanmax",
    "nanmean",
    "nanmedian",
    "nanmin",
    "nanpercentile",
    "nanprod",
    "nanquantile",
    "nanstd",
    "nansum",
    "nanvar",
    "negative",
    "nn",
    "no_grad",
    "norm",
    "ones",
    "ones_like",
    "ops",
    "optim",
    "outer",
    "pad",
    "partition",
    "percentile",
    "power",
    "primitive",
    "prod",
    "program",
    "ptp",
    "quantile",
    "rad2deg",
    "rand",
    "randint",
    "randn",
    "ravel",
    "reciprocal",
    "remainder",
    "repeat",
    "reshape",
    "resize",
    "roll",
    "rollaxis",
    "rot90",
    "round",
    "sample",
    "save",
    "scatter_add",
    "scope",
    "select",
    "set_default_dtype",
    "sign",
    "sin",
    "sinc",
    "sinh",
    "sort",
    "split",
    "split_batch",
    "sqrt",
    "square",
    "squeeze",
    "stack",
    "std",
    "subtract",
    "sum",
    "summary",
    "swapaxes",
    "take",
    "take_along_axis",
    "tan",
    "tanh",
    "tensor",
    "tensordot",
    "tile",
    "to_onnx",
    "topk",
    "trace",
    "transpose",
    "trapezoid",
    "tril",
    "triu",
    "trunc",
    "unique",
    "unstack",
    "value_and_grad",
    "var",
    "vdot",
    "vecdot",
    "vecmat",
    "viz",
    "vjp",
    "vsplit",
    "vstack",
    "where",
    "zeros",
    "zeros_like",
]

tensor = Tensor
keep_freed_memory()
# Where the Tensors of version 0.1.0 say that they come from, when they are unpickled.
sys.modules[f"{__name__}.tensor"] = sys.modules[Tensor.__module__]
__version__ = "0.1.0"

# What is loaded when it is first used, so that the import stays quick: name -> (room, attribute there).
LAZY: dict[str, tuple[str, str | None]] = {
    "Drawing": ("viz", "Drawing"),
    "assert_gradients": ("gradcheck", "assert_gradients"),
    "check_vjp": ("gradcheck", "check_vjp"),
    "convolve": ("ops.sampled", "convolve"),
    "correlate": ("ops.sampled", "correlate"),
    "diff": ("ops.sampled", "diff"),
    "draw": ("viz", "draw"),
    "ediff1d": ("ops.sampled", "ediff1d"),
    "get_default_dtype": ("nn", "get_default_dtype"),
    "grad": ("transforms", "grad"),
    "gradcheck": ("gradcheck", "gradcheck"),
    "gradients": ("transforms", "gradients"),
    "hessian": ("transforms", "hessian"),
    "hvp": ("transforms", "hvp"),
    "interp": ("ops.sampled", "interp"),
    "jacobian": ("transforms", "jacobian"),
    "jvp": ("transforms", "jvp"),
    "load": ("io", "load"),
    "matvec": ("ops.matrices", "matvec"),
    "nn": ("nn", None),
    "norm": ("ops.matrices", "norm"),
    "program": ("program", "program"),
    "optim": ("optim", None),
    "save": ("io", "save"),
    "set_default_dtype": ("nn", "set_default_dtype"),
    "split_batch": ("program", "split_batch"),
    "summary": ("nn", "summary"),
    "to_onnx": ("program", "to_onnx"),
    "trace": ("viz.trace", "trace"),
    "trapezoid": ("ops.sampled", "trapezoid"),
    "value_and_grad": ("transforms", "value_and_grad"),
    "vecdot": ("ops.matrices", "vecdot"),
    "vecmat": ("ops.matrices", "vecmat"),
    "viz": ("viz", None),
    "vjp": ("transforms", "vjp"),
}


if TYPE_CHECKING:  # the same names for a type checker, which loads nothing
    from . import nn, optim, viz
    from .gradcheck import assert_gradients, check_vjp, gradcheck
    from .io import load, save
    from .nn.parameter import get_default_dtype, set_default_dtype
    from .nn.summary import summary
    from .ops.matrices import matvec, norm, vecdot, vecmat
    from .ops.sampled import convolve, correlate, diff, ediff1d, interp, trapezoid
    from .program.batch_parts import split_batch
    from .program.onnx import to_onnx
    from .program.program import program
    from .transforms import grad, gradients, hessian, hvp, jacobian, jvp, value_and_grad, vjp
    from .viz import Drawing, draw
    from .viz.trace import trace
else:

    def __getattr__(name: str) -> Any:
        if name not in LAZY:
            raise no_such_name("tg", __name__, name)
        room, attribute = LAZY[name]
        module = import_module(f".{room}", __name__)
        value = module if attribute is None else getattr(module, attribute)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted(__all__)


def _draw(target: Any, **options: Any) -> Any:
    """Draw: ``tensor.draw()`` and ``trace.draw()`` arrive here, and load the drawing room when first used."""
    return sys.modules[__name__].draw(target, **options)


Tensor.drawn_by = _draw
answer_on(Tensor)


class _Package(ModuleType):
    """Keeps ``tg.gradcheck`` and its like functions when the room of the same name is imported."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (isinstance(value, ModuleType) and LAZY.get(name, (None, None))[1] is not None):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
