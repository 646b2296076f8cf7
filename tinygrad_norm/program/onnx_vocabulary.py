"""How each operation is written in ONNX: :data:`ROWS`, one row for each primitive and each function of NumPy's.

Where a runtime has an operation for float32 only, or ONNX has none, a row puts it together from what there is for
float64, so that no digit is lost.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, TypeVar

import numpy as np

from ..engine.details.array import Array, Shape
from ..engine.details.summation import reduced_axes
from ..engine.primitive import PRIMITIVES
from ..engine.primitives.indexing import is_basic
from ..errors import OperandError
from ..ops.erf import LARGE, MIDDLE, SMALL
from .onnx_graph import BOOL, INT, Edge, Graph
from .steps import Constant, Step, Value, mapped

AnyRow = TypeVar("AnyRow", bound=Callable[..., Any])
Row: TypeAlias = Callable[..., Any]
"""Takes a step and its arguments, values as edges, and returns the edge of the result."""


ROWS: dict[str, Row] = {}
"""How a primitive, or a function of NumPy's, becomes nodes, by its name."""


def row(names: str) -> Callable[[AnyRow], AnyRow]:
    """Enter a row under one name or several."""

    def entered(made: AnyRow) -> AnyRow:
        ROWS.update(dict.fromkeys(names.split(), made))
        return made

    return entered


def entrywise(formula: AnyRow, name: str = "") -> AnyRow:
    """Enter a formula whose operands have the result's dtype, under a name or its own."""

    @row(name or formula.__name__)
    def made(step: Step, *args: Any, **options: Any) -> Any:
        return formula(*in_dtype(args, step.dtype), **options)

    return formula


def condition(formula: AnyRow, name: str = "") -> AnyRow:
    """Enter a formula whose operands have a dtype in common, and whose result is true or false."""

    @row(name or formula.__name__)
    def made(step: Step, *args: Any) -> Any:
        return formula(*in_dtype(args, np.result_type(*(x.dtype if isinstance(x, Edge) else x for x in args))))

    return formula


def in_dtype(args: Sequence[Any], dtype: np.dtype[Any]) -> list[Any]:
    """Return operands in a dtype; None stays."""
    graph = next(x.graph for x in args if isinstance(x, Edge))
    edges = (x.astype(dtype) if isinstance(x, Edge) else x for x in args)
    return [graph.constant(np.asarray(x, dtype)) if isinstance(x, (bool, int, float)) else x for x in edges]


# What works entry by entry. The formulas are those of a mathematical library: right also next to 0 and at ∞.


def exp(x: Edge) -> Edge:
    """Return eˣ."""
    return x.op("Exp")


def log(x: Edge) -> Edge:
    """Return the natural logarithm."""
    return x.op("Log")


def sqrt(x: Edge) -> Edge:
    """Return the square root."""
    return x.op("Sqrt")


@condition
def isnan(x: Edge) -> Edge:
    """Return where x is NaN, which no whole number is."""
    return x.op("IsNaN", dtype=BOOL) if x.dtype.kind == "f" else ~x.equals(x)


@condition
def isinf(x: Edge) -> Edge:
    """Return where x is infinite."""
    return x.op("IsInf", dtype=BOOL) if x.dtype.kind == "f" else ~x.equals(x)


@condition
def signbit(x: Edge) -> Edge:
    """Return where the sign is −, also that of −0."""
    return (x < 0) | (1 / x < 0) if x.dtype.kind == "f" else x < 0


def with_sign(size: Edge, x: Edge) -> Edge:
    """Return a size with the sign of x."""
    return signbit(x).where(-size, size)


@entrywise
def expm1(x: Edge) -> Edge:
    """Return eˣ − 1 after W. Kahan: the rounding of u = eˣ and of log u cancel."""
    u = exp(x)
    return u.equals(1).where(x, (abs(x) > 40).where(u - 1, (u - 1) * (x / log(u))))


@entrywise
def log1p(x: Edge) -> Edge:
    """Return log(1 + x), after W. Kahan as well."""
    u = x + 1
    return u.equals(1).where(x, isinf(u).where(log(u), log(u) * (x / (u - 1))))


@entrywise
def sinh(x: Edge) -> Edge:
    """Return ½(eˣ − e⁻ˣ), next to 0 from eˣ − 1; the halves since eˣ overflows earlier."""
    size = abs(x)
    low, half = expm1(size.op("Min", 1.0)), exp(size * 0.5)
    return with_sign((size < 1).where((low + low / (low + 1)) * 0.5, half * 0.5 * half - 0.5 / half / half), x)


@entrywise
def cosh(x: Edge) -> Edge:
    """Return ½(eˣ + e⁻ˣ)."""
    half = exp(abs(x) * 0.5)
    return half * 0.5 * half + 0.5 / half / half


@entrywise
def arctan(x: Edge) -> Edge:
    """Return arctan x: the runtime's float32 value y, and arctan((x − tan y) / (1 + x tan y)), which is tiny."""
    if x.dtype != np.float64:
        return x.op("Atan")
    size = abs(x)
    t = (size > 1).where(1 / size, size)
    y = t.astype(np.float32).op("Atan").astype(x.dtype)
    sine, cosine = y.op("Sin"), y.op("Cos")
    angle = y + (t * cosine - sine) / (cosine + t * sine)
    return with_sign((size > 1).where(math.pi / 2 - angle, angle), x)


@entrywise
def arcsinh(x: Edge) -> Edge:
    """Return log(x + √(x² + 1)); beyond 10⁸ the 1 is lost, and later x² overflows."""
    size = abs(x)
    large = size > 1e8
    t = large.where(0.0, size)
    return with_sign(large.where(log(size) + math.log(2), log1p(t + t * t / (sqrt(t * t + 1) + 1))), x)


@entrywise
def arccosh(x: Edge) -> Edge:
    """Return log(x + √(x² − 1))."""
    large = x > 1e8
    t = large.where(1.0, x) - 1
    return large.where(log(x) + math.log(2), log1p(t + sqrt(t) * sqrt(t + 2)))


@entrywise
def arctan2(y: Edge, x: Edge) -> Edge:
    """Return the angle of (x, y): arctan of the smaller over the larger, turned and mirrored."""
    swapped, flat = abs(y) > abs(x), abs(y).equals(abs(x))
    small, large = swapped.where(abs(x), abs(y)), swapped.where(abs(y), abs(x))
    angle = arctan(flat.where(large.equals(0).where(0.0, small.like(1.0)), small / large))
    angle = swapped.where(math.pi / 2 - angle, angle)
    return with_sign(signbit(x).where(math.pi - angle, angle), y)


@entrywise
def hypot(x: Edge, y: Edge) -> Edge:
    """Return √(x² + y²), where no square overflows."""
    large, small = abs(x).op("Max", abs(y)), abs(x).op("Min", abs(y))
    ratio = (large.equals(0) | isinf(large)).where(0.0, small / large)
    return (isinf(x) | isinf(y)).where(math.inf, large * sqrt(ratio * ratio + 1))


def added_powers(x: Edge, y: Edge, power: Row, log_1p: Row) -> Edge:
    """Return the logarithm of two added powers: the larger exponent, and what the other one adds."""
    found: Edge = x.op("Max", y) + log_1p(power(-x.equals(y).where(0.0, abs(x - y))))
    return found


@entrywise
def exp2(x: Edge) -> Edge:
    """Return 2ˣ."""
    return x.like(2.0).op("Pow", x)


@entrywise
def cbrt(x: Edge) -> Edge:
    """Return the cube root, by a power and one step of Newton's: 1/3 is no number of the machine."""
    size = abs(x)
    root = size.op("Pow", 1 / 3)
    better = root - (root - size / (root * root)) / 3
    return with_sign((size.equals(0) | isinf(size)).where(size, better), x)


@entrywise
def remainder(x: Edge, y: Edge) -> Edge:
    """Return the remainder, which has the divisor's sign."""
    if x.dtype.kind != "f":
        return x.op("Mod", y)
    rest = x.op("Mod", y, fmod=1)
    return rest.equals(0).where(with_sign(abs(rest), y), ((rest < 0) ^ (y < 0)).where(rest + y, rest))


@entrywise
def floor_divide(x: Edge, y: Edge) -> Edge:
    """Return how many times y fits into x."""
    whole = (x - remainder(x, y)) / y
    return y.equals(0).where(x / y, whole.op("Round")) if x.dtype.kind == "f" else whole


@entrywise
def erf(x: Edge) -> Edge:
    """Return erf x as :mod:`tinygrad_norm.ops.erf` does: a runtime has it for float32 only."""
    if x.dtype != np.float64:
        return x.op("Erf")
    size = abs(x).op("Min", 6.0)
    small = x * ratio(SMALL, size * size)
    z = 1 / (size.op("Max", 4.0) * size.op("Max", 4.0))
    tail = (size > 4).where((1 / math.sqrt(math.pi) - z * ratio(LARGE, z)) / size, ratio(MIDDLE, size.op("Min", 4.0)))
    far = with_sign(1 - exp(-(size * size)) * tail, x)
    return isnan(x).where(x, (size <= 0.46875).where(small, far))


def ratio(fraction: tuple[list[float], list[float]], t: Edge) -> Edge:
    """Return a quotient of two polynomials."""
    values: list[Any] = [0.0, 0.0]
    for i, coefficients in enumerate(fraction):
        for c in coefficients:
            values[i] = t * values[i] + c
    top, bottom = values
    return t.like(top / bottom)


@row("round")
def rounded(step: Step, x: Edge, decimals: int = 0) -> Edge:
    """Return the nearest number with so many decimals, of two the even one."""
    factor = 10.0 ** abs(decimals)
    if not decimals:
        return x.op("Round")
    return (x * factor).op("Round") / factor if decimals > 0 else (x / factor).op("Round") * factor


@entrywise
def clip(x: Edge, lower: Any = None, upper: Any = None) -> Edge:
    """Return x, no smaller and no larger than the limits."""
    x = x if lower is None else x.op("Max", lower)
    return x if upper is None else x.op("Min", upper)


FORMULAS: dict[str, Row] = {
    "add": lambda x, y: x | y if x.dtype == BOOL else x + y,
    "multiply": lambda x, y: x & y if x.dtype == BOOL else x * y,
    "square": lambda x: x * x,
    "tan": lambda x: x.op("Sin") / x.op("Cos"),
    "log2": lambda x: log(x) / math.log(2),
    "log10": lambda x: log(x) / math.log(10),
    "arcsin": lambda x: arctan(x / sqrt((1 - x) * (x + 1))),
    "arccos": lambda x: arctan(sqrt((1 - x) / (x + 1))) * 2,
    "arctanh": lambda x: with_sign(log1p(abs(x) / (1 - abs(x)) * 2) * 0.5, x),
    "logaddexp": lambda x, y: added_powers(x, y, exp, log1p),
    "logaddexp2": lambda x, y: added_powers(x, y, exp2, lambda t: log1p(t) / math.log(2)),
    "fmod": lambda x, y: x.op("Mod", y, fmod=1),
    "trunc": lambda x: with_sign(abs(x).op("Floor"), x),
    "sign": lambda x: isnan(x).where(x, x.op("Sign")),
    "copysign": lambda x, y: with_sign(abs(x), y),
    "heaviside": lambda x, y: x.equals(0).where(y, isnan(x).where(x, (x > 0).astype(x.dtype))),
    "relu": lambda x: x.op("Max", 0),
    "invert": lambda x: ~x,
    "bitwise_and": lambda x, y: x & y,
    "bitwise_or": lambda x, y: x | y,
    "bitwise_xor": lambda x, y: x ^ y,
    "positive": lambda x: x,
    "copy": lambda x: x,
    "negative": lambda x: -x,
    "absolute": abs,
    "subtract": lambda x, y: x - y,
    "divide": lambda x, y: x / y,
    "power": lambda x, y: x.op("Pow", y),
    "maximum": lambda x, y: x.op("Max", y),
    "minimum": lambda x, y: x.op("Min", y),
    **{op.lower(): lambda x, op=op: x.op(op) for op in ("Exp", "Log", "Sqrt", "Sin", "Cos", "Tanh", "Floor", "Ceil")},
}
CONDITIONS: dict[str, Row] = {
    "equal": lambda x, y: x.equals(y),
    "not_equal": lambda x, y: ~x.equals(y),
    "less": lambda x, y: x < y,
    "less_equal": lambda x, y: x <= y,
    "greater": lambda x, y: x > y,
    "greater_equal": lambda x, y: x >= y,
    "isfinite": lambda x: ~(isnan(x) | isinf(x)),
    "isposinf": lambda x: x.equals(math.inf),
    "isneginf": lambda x: x.equals(-math.inf),
}
for _name, _formula in FORMULAS.items():
    entrywise(_formula, _name)
for _name, _formula in CONDITIONS.items():
    condition(_formula, _name)


@row("where")
def _chosen(step: Step, condition: Edge, x: Any, y: Any) -> Edge:
    _, x, y = in_dtype((condition, x, y), step.dtype)
    return condition.astype(bool).where(x, y)


@row("masked")
def masked(step: Step, x: Edge, mask: Edge) -> Edge:
    """Return x where the mask holds, else 0."""
    return mask.astype(bool).where(x, 0)


# Sums, products and extremes


def reduction(op: str) -> Row:
    """Return the row of a reduction."""

    def made(step: Step, x: Edge, axis: Any = None, *, keepdims: bool = False, initial: Any = None) -> Edge:
        axes = axes_of(step, axis)
        x = x.astype(INT if step.dtype == BOOL else step.dtype)
        found = x.reduced(op, axes, keepdims)
        if op in ("ReduceMax", "ReduceMin"):
            if x.dtype.kind == "f":  # of which runtimes ignore NaN
                found = found + isnan(x).where(x, 0.0).reduced("ReduceSum", axes, keepdims)
            if initial is not None:
                found = found.op(op.removeprefix("Reduce"), initial)
        return found.astype(step.dtype)

    return made


def axes_of(step: Step, axis: Any) -> tuple[int, ...]:
    """Return the axes of the first argument that are reduced."""
    return reduced_axes(step.args[0].shape, tuple(axis) if isinstance(axis, list) else axis)


@row("mean")
def _mean(step: Step, x: Edge, axis: Any = None, *, keepdims: bool = False) -> Edge:
    x, axes = x.astype(step.dtype), axes_of(step, axis)
    if not math.prod(step.args[0].shape):
        return x.graph.constant(np.full(step.shape, np.nan, step.dtype))
    return x.reduced("ReduceMean", axes, keepdims)


@row("count_nonzero")
def _counted(step: Step, x: Edge, axis: Any = None, *, keepdims: bool = False) -> Edge:
    return x.astype(bool).astype(INT).reduced("ReduceSum", axes_of(step, axis), keepdims)


@row("any")
def _any_of(step: Step, x: Edge, axis: Any = None, *, keepdims: bool = False) -> Edge:
    return _counted(step, x, axis, keepdims=keepdims) > 0


@row("all")
def _all_of(step: Step, x: Edge, axis: Any = None, *, keepdims: bool = False) -> Edge:
    return _counted(step, ~x.astype(bool), axis, keepdims=keepdims).equals(0)


@row("sum_product")
def _sum_product(step: Step, x: Edge, y: Edge, shape: Shape) -> Edge:
    whole = step.args[0].shape
    lead = len(whole) - len(shape)
    axes = [a for a, n in enumerate(whole) if a < lead or (shape[a - lead] == 1 and n != 1)]
    return (x * y).reduced("ReduceSum", axes).reshape(step.shape)


@row("cumsum")
def _cumsum(step: Step, x: Edge, axis: Any = None) -> Edge:
    x = x.astype(step.dtype)
    return x.reshape([-1]).op("CumSum", np.array(0)) if axis is None else x.op("CumSum", np.array(axis))


def position(op: str) -> Row:
    """Return the row of the place of an extreme, which is the first NaN if there is one."""

    def made(step: Step, x: Edge, axis: Any = None, *, keepdims: bool = False) -> Edge:
        if axis is None:
            x, axis = x.reshape([-1]), 0
        nan, x = isnan(x).astype(INT), x.astype(INT) if x.dtype == BOOL else x
        found = x.op(op, dtype=INT, axis=axis, keepdims=1)
        first = nan.op("ArgMax", axis=axis, keepdims=1)
        return (nan.reduced("ReduceMax", [axis]) > 0).where(first, found).reshape(step.shape)

    return made


@row("argsort")
def _argsort(step: Step, x: Edge, axis: int = -1, *, kind: Any = None, stable: Any = None) -> Edge:
    length = step.shape[axis]
    x = x if x.dtype.kind == "f" else x.astype(INT)
    key = isnan(x).where(math.inf, x) if x.dtype.kind == "f" else x
    return key.op("TopK", np.array([length]), dtype=INT, number=2, axis=axis, largest=0)


@row("argpartition")
def _argpartition(step: Step, x: Edge, kth: Any, axis: int = -1) -> Edge:
    return _argsort(step, x, axis)


@row("ndim")
def _ndim(step: Step, x: Edge) -> Edge:
    return x.graph.constant(np.array(len(step.args[0].shape)))


@row("searchsorted")
def _searchsorted(step: Step, table: Edge, x: Edge, side: str = "left") -> Edge:
    rows = x.reshape([*step.shape, 1])
    before = table.astype(x.dtype)
    return (before < rows if side == "left" else before <= rows).astype(INT).reduced("ReduceSum", [-1], False)


@row("diff")
def _diff(step: Step, x: Edge, n: int = 1, axis: int = -1) -> Edge:
    shape = list(step.args[0].shape)
    for _ in range(n):
        shape[axis] -= 1
        numbers = np.arange(shape[axis])
        x = x.picked(numbers + 1, axis) - x.picked(numbers, axis)
    return x.astype(step.dtype)


# Shapes and places


@row("reshape ravel expand_dims squeeze")
def _reshaped(step: Step, x: Edge, *_: Any, **options: Any) -> Edge:
    return x.reshape(step.shape)


@row("broadcast_to")
def _broadcast(step: Step, x: Edge, *_: Any, **options: Any) -> Edge:
    return x.op("Expand", np.array(step.shape, np.int64))


@row("broadcast_arrays")
def _broadcast_arrays(step: Step, *xs: Edge) -> tuple[Edge, ...]:
    shape = np.broadcast_shapes(*(x.shape for x in step.args))
    return tuple(x.op("Expand", np.array(shape, np.int64)) for x in xs)


@row("transpose")
def _transposed(step: Step, x: Edge, axes: Any = None) -> Edge:
    ndim = len(step.shape)
    axes = range(ndim)[::-1] if axes is None else [a % ndim for a in np.atleast_1d(axes)]
    return x.transpose([int(a) for a in axes])


@row("matrix_transpose")
def _with_matrix_transposed(step: Step, x: Edge) -> Edge:
    ndim = len(step.shape)
    return x.transpose([*range(ndim - 2), ndim - 1, ndim - 2])


@row("concatenate")
def _concatenated(step: Step, *xs: Any, axis: int = 0) -> Edge:
    first, *rest = in_dtype(xs[0] if isinstance(xs[0], list) else xs, step.dtype)
    return joined(first, rest, axis)


def joined(first: Edge, rest: Sequence[Edge], axis: int) -> Edge:
    """Return values one after the other."""
    return first.op("Concat", *rest, axis=axis) if rest else first


@row("stack")
def _stacked(step: Step, *xs: Any, axis: int = 0) -> Edge:
    parts = in_dtype(xs[0] if isinstance(xs[0], list) else xs, step.dtype)
    first, *rest = (x.op("Unsqueeze", np.array([axis])) for x in parts)
    return joined(first, rest, axis)


@row("flip")
def _flipped(step: Step, x: Edge, axis: Any = None) -> Edge:
    axes = axes_of(step, axis)
    return indexed(
        x,
        step.args[0].shape,
        tuple(slice(None, None, -1 if a in axes else 1) for a in range(len(step.shape))),
        step.shape,
    )


@row("roll")
def _rolled(step: Step, x: Edge, shift: Any, axis: Any = None) -> Edge:
    shape = step.shape
    if axis is None:
        x, shape, axis = x.reshape([-1]), (math.prod(shape),), 0
    for n, a in np.broadcast(shift, axis):
        x = x.picked((np.arange(shape[a]) - n) % shape[a], int(a))
    return x.reshape(step.shape)


@row("pad")
def _padded(step: Step, x: Edge, width: Any = None, value: Any = 0, **of_numpy: Any) -> Edge:
    width = np.broadcast_to(of_numpy.get("pad_width", width), (len(step.shape), 2))
    value = x.like(of_numpy.get("constant_values", value))
    return x.op("Pad", width.T.reshape(-1).astype(np.int64), value)


@row("astype")
def _cast(step: Step, x: Edge, *_: Any, **options: Any) -> Edge:
    return x.astype(step.dtype)


def _filled_with(value: Any) -> Row:
    return lambda step, x, *_, **options: x.graph.constant(np.full(step.shape, value, step.dtype))


# Indexing


def indexed(x: Edge, shape: Shape, index: Any, result: Shape) -> Edge:
    """Return ``x[index]`` with a known index: slices stay slices, all other entries are picked by their number."""
    if not is_basic(index):
        places = np.arange(math.prod(shape)).reshape(shape)[index]
        return x.reshape([-1]).picked(places, 0)
    parts = full_index(index, len(shape))
    axes, starts, ends, steps = [], [], [], []
    for axis, part in enumerate(p for p in parts if p is not None):
        bounds = slice(part, part + 1 or None) if not isinstance(part, slice) else part
        start, stop, by = bounds.indices(shape[axis])
        if (start, stop, by) != (0, shape[axis], 1):
            axes.append(axis)
            starts.append(start)
            ends.append(stop if stop >= 0 else np.iinfo(np.int64).min)
            steps.append(by)
    if axes:
        x = x.op("Slice", *(np.array(numbers, np.int64) for numbers in (starts, ends, axes, steps)))
    return x.reshape(result)


def full_index(index: Any, ndim: int) -> list[Any]:
    """Return an index as a list with a part for each axis, in which masks are the places where they hold."""
    parts: list[Any] = []
    for part in index if isinstance(index, tuple) else (index,):
        is_mask = isinstance(part, np.ndarray) and part.dtype == bool
        parts += np.nonzero(part) if is_mask else [part]
    used = sum(part is not None and part is not Ellipsis for part in parts)
    at = next((i for i, part in enumerate(parts) if part is Ellipsis), len(parts))
    return [*parts[:at], *[slice(None)] * (ndim - used), *parts[at + 1 :]]


def places_of(graph: Graph, shape: Shape, index: Any) -> tuple[Edge, int] | None:
    """Return where an index with values points: (…, k) numbers for the first k axes, and k; None for constants only."""
    parts = full_index(mapped(lambda v: v.array if isinstance(v, Constant) else graph.edges[v], index), len(shape))
    given = [
        p.shape
        for p in (index if isinstance(index, tuple) else (index,))
        if isinstance(p, Value) and not isinstance(p, Constant)
    ]
    if not given:
        return None
    if any(isinstance(p, Edge) and p.dtype == BOOL for p in parts):
        raise OperandError(
            "to_onnx: the shape of a result must not depend on values, as that of entries picked by a mask does; got a "
            "mask that is computed. Use tg.where, which keeps the shape."
        )
    stand_ins = iter(given)
    still = tuple([np.zeros(next(stand_ins), np.intp) if isinstance(p, Edge) else p for p in parts])
    while isinstance(still[-1], slice) and still[-1] == slice(None):
        still = still[:-1]
    picks = [i for i, p in enumerate(still) if not isinstance(p, slice) and p is not None]
    count = sum(p is not None for p in still)
    together = picks == list(range(picks[0], picks[-1] + 1))
    ndim = max(np.ndim(still[i]) for i in picks)
    lead = np.empty(shape[:count])[still].shape
    behind = len(lead) - ndim - (picks[0] if together else 0)
    axes = [p for p in parts[: len(still)] if p is not None]
    stand_ins = iter(given)
    numbers = []
    for axis, part in enumerate(axes):
        if isinstance(part, Edge):
            own = next(stand_ins)
            numbers.append(part.astype(INT).reshape([*own, *[1] * behind]).op("Expand", np.array(lead, np.int64)))
        else:
            along = np.arange(shape[axis]).reshape([-1 if a == axis else 1 for a in range(count)])
            numbers.append(graph.constant(np.broadcast_to(along, shape[:count])[still]))
    first, *rest = (n.reshape([*lead, 1]) for n in numbers)
    return joined(first, rest, -1), count


def static(index: Any) -> Any:
    """Return an index with arrays in the place of constants."""
    return mapped(lambda v: v.array if isinstance(v, Constant) else v, index)


@row("getitem picked")
def _getitem(step: Step, x: Any, index: Any) -> Any:
    if isinstance(x, tuple):
        return x[index]
    own = step.kwargs.get("index", step.args[-1] if len(step.args) > 1 else None)
    shape = step.args[0].shape
    found = places_of(x.graph, shape, own)
    if found is None:
        return indexed(x, shape, static(own), step.shape)
    return x.op("GatherND", found[0])


@row("scatter_add")
def _scatter_add(step: Step, x: Edge, index: Any, shape: Shape) -> Edge:
    own = step.kwargs["index"]
    found = places_of(x.graph, shape, own)
    if found is not None:
        zeros = x.like(np.zeros(shape, step.dtype))
        return zeros.op("ScatterND", found[0], x, reduction="add")
    return added_at(x, np.arange(math.prod(shape)).reshape(shape)[static(own)], shape)


def added_at(x: Edge, places: Array, shape: Shape) -> Edge:
    """Return zeros of a shape with the entries of x added at these numbers of entries."""
    zeros = x.like(np.zeros(math.prod(shape), x.dtype))
    return zeros.op("ScatterElements", places.reshape(-1), x.reshape([-1]), reduction="add").reshape(shape)


@row("unravel_index")
def _unravel_index(step: Step, x: Edge, shape: Any) -> tuple[Edge, ...]:
    strides = [math.prod(shape[a + 1 :]) for a in range(len(shape))]
    return tuple(x.astype(INT) / s - x.astype(INT) / (s * n) * n for s, n in zip(strides, shape, strict=True))


@row("ravel_multi_index")
def _ravel_multi_index(step: Step, places: tuple[Any, ...], dims: Any) -> Edge:
    first, *others = in_dtype(places, INT)
    found: Edge = first
    for place, n in zip(others, dims[1:], strict=True):
        found = found * n + place
    return found


@row("windows")
def _windows(step: Step, x: Edge, size: Shape, stride: Shape, dilation: Shape) -> Edge:
    count = len(size)
    lead = len(step.shape) - 2 * count
    places = step.shape[lead : lead + count]
    for a in range(count)[::-1]:
        at = np.add.outer(np.arange(places[a]) * stride[a], np.arange(size[a]) * dilation[a])
        x = x.picked(at, lead + a)
    order = [*range(lead), *range(lead, lead + 2 * count, 2), *range(lead + 1, lead + 2 * count, 2)]
    return x.transpose(order)


@row("overlap_add")
def _overlap_add(step: Step, x: Edge, stride: Shape, dilation: Shape, shape: Shape) -> Edge:
    size = step.args[0].shape[-len(stride) :]
    numbers = np.arange(math.prod(shape)).reshape(shape)
    places = PRIMITIVES["windows"].forward(numbers, size=size, stride=stride, dilation=dilation)
    return added_at(x, places, shape)


# Matrices


@row("matmul")
def _matmul(step: Step, x: Edge, y: Edge) -> Edge:
    return x.astype(step.dtype).op("MatMul", y.astype(step.dtype))


@row("einsum")
def einsum(step: Step, *xs: Edge, subscripts: str) -> Edge:
    """Return a sum of products. Where … stands for fewer axes than in another operand, it gets axes of length 1."""
    terms = subscripts.replace(" ", "").partition("->")[0].split(",")
    shapes = [x.shape for x in step.args]
    free = [len(s) - len(t.replace("...", "")) if "..." in t else 0 for s, t in zip(shapes, terms, strict=True)]
    found = []
    for x, shape, term, own in zip(xs, shapes, terms, free, strict=True):
        at, more = term.find("..."), max(free) - own
        whole = [*shape[:at], *[1] * more, *shape[at:]]
        found.append(x.astype(step.dtype).reshape(whole) if at >= 0 and more else x.astype(step.dtype))
    first, *rest = found
    return first.op("Einsum", *rest, equation=subscripts)


@row("rfft_pair irfft_pair fft_pair")
def fourier(step: Step, x: Edge, axis: int = -1, **options: Any) -> Edge:
    """Return a Fourier transform along an axis: a linear function, thus a product with its values at unit vectors."""
    whole, result = step.args[0].shape, step.shape
    pair, pairs = int(step.primitive != "rfft_pair"), int(step.primitive != "irfft_pair")
    ndim = len(whole) - pair
    axis %= ndim
    others = [a for a in range(ndim) if a != axis]
    n = whole[axis] * 2**pair
    units = np.eye(n, dtype=step.dtype).reshape([n, whole[axis], *[2] * pair])
    matrix = step.function.forward(units, axis=1, **options).reshape(n, -1)  # type: ignore[union-attr]
    rows = x.transpose([*others, axis, *[ndim] * pair]).reshape([*(whole[a] for a in others), n])
    found = rows.op("MatMul", matrix).reshape([*(whole[a] for a in others), result[axis], *[2] * pairs])
    return found.transpose([*np.argsort([*others, axis]).tolist(), *[ndim] * pairs])


def eliminated(step: Step, x: Edge, right: Edge | None, columns: int) -> tuple[Edge, Edge]:
    """Return the solution for the right-hand sides, and the factors of the determinant along the last axis.

    Gauss's and Jordan's elimination; the row with the largest entry of its column becomes the next one.
    """
    n = step.args[0].shape[-1]
    work = x if right is None else x.op("Concat", right, axis=-1)
    rows, factors = np.arange(n)[:, None], []
    lead = step.shape[:-2] if right is not None else step.shape
    for k in range(n):
        mine = work.like(rows == k)
        size = work.like(rows >= k).where(abs(work.picked(np.array([k]), -1)), -1.0)
        best = size.op("ArgMax", dtype=INT, axis=-2, keepdims=1)
        order = mine.where(best, best.equals(rows).where(np.array(k), best.like(rows)))
        work = work.op("GatherElements", order.op("Expand", np.array([*lead, n, n + columns])), axis=-2)
        row = work.picked(np.array([k]), -2)
        pivot = row.picked(np.array([k]), -1)
        factors.append(best.equals(np.array(k)).where(pivot, -pivot))
        row = row / pivot.equals(0).where(1.0, pivot)
        work = mine.where(row, work - work.picked(np.array([k]), -1) * row)
    first, *rest = factors
    return work, joined(first, rest, -1)


@row("solve")
def _solve(step: Step, x: Edge, y: Edge) -> Edge:
    *lead, n, columns = step.shape
    x, y = (a.op("Expand", np.array([*lead, n, m], np.int64)) for a, m in ((x, n), (y, columns)))
    return eliminated(step, x, y, columns)[0].picked(np.arange(n, n + columns), -1)


@row("inv")
def _inv(step: Step, x: Edge) -> Edge:
    return _solve(step, x, x.like(np.eye(step.shape[-1], dtype=step.dtype)))


@row("det")
def _det(step: Step, x: Edge) -> Edge:
    if not step.args[0].shape[-1]:
        return x.graph.constant(np.ones(step.shape, step.dtype))
    return eliminated(step, x, None, 0)[1].reduced("ReduceProd", [-1]).reshape(step.shape)


@row("logabsdet")
def _logabsdet(step: Step, x: Edge) -> Edge:
    if not step.args[0].shape[-1]:
        return x.graph.constant(np.zeros(step.shape, step.dtype))
    return log(abs(eliminated(step, x, None, 0)[1])).reduced("ReduceSum", [-1]).reshape(step.shape)


@row("cholesky")
def cholesky(step: Step, x: Edge, upper: bool = False) -> Edge:
    """Return the factor, column by column, each taken out of what is left."""
    n, columns = step.shape[-1], []
    work = _with_matrix_transposed(step, x) if upper else x
    for k in range(n):
        column = work.picked(np.array([k]), -1)
        low = np.arange(n)[:, None] >= k
        column = column.like(low).where(column / sqrt(column.picked(np.array([k]), -2)), 0.0)
        work = work - column * _with_matrix_transposed(step, column)
        columns.append(column)
    first, *rest = columns
    found = joined(first, rest, -1)
    return _with_matrix_transposed(step, found) if upper else found


ROWS |= {name: reduction(f"Reduce{name.capitalize()}") for name in ("sum", "prod", "max", "min")}
ROWS |= {"argmax": position("ArgMax"), "argmin": position("ArgMin")}
ROWS |= {"zeros_like": _filled_with(0), "ones_like": _filled_with(1)}
