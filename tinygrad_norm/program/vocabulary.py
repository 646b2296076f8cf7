"""How a step is written: as plain NumPy that a person reads, or as calls of our kernels, which are bit-equal to eager.

Both are expressions with a precedence, so that brackets stand only where they must. :data:`OPERATORS`, :data:`PRINTED`
and :data:`RUNNING` are the vocabulary; what is in none of them is called by its name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np

from ..engine.details.summation import (
    add_reduce,
    averaging_kernel,
    broadcast_axes,
    kept_shape,
    kernel,
    kernel_to,
    product_kernel_to,
    reduced_count,
)
from ..engine.primitive import Primitive
from ..engine.primitives.indexing import is_basic
from ..engine.primitives.linalg import matmul
from ..engine.primitives.shape import repeated
from .seen import picked
from .steps import Constant, Step, Value, order_of


class Text(NamedTuple):
    """An expression and how strongly it binds: Python's order of operators."""

    text: str
    binds: int = 9

    def within(self, least: int) -> str:
        """Return it with brackets, unless it binds at least so strongly."""
        return self.text if self.binds >= least else f"({self.text})"


Write = Callable[[Any], Text]
"""Gives the text of an argument: a value, a tree of them, or plain Python."""

SUM, PRODUCT, SIGN, POWER = 5, 6, 7, 8
OPERATORS: dict[Any, tuple[str, int]] = {
    np.less: ("<", 1),
    np.less_equal: ("<=", 1),
    np.greater: (">", 1),
    np.greater_equal: (">=", 1),
    np.equal: ("==", 1),
    np.not_equal: ("!=", 1),
    np.bitwise_or: ("|", 2),
    np.bitwise_xor: ("^", 3),
    np.bitwise_and: ("&", 4),
    np.add: ("+", SUM),
    np.subtract: ("-", SUM),
    np.multiply: ("*", PRODUCT),
    np.divide: ("/", PRODUCT),
    np.floor_divide: ("//", PRODUCT),
}


def function_of(step: Step) -> Any:
    """Return the function of NumPy's that a step is, if it is one: a primitive may be a ufunc."""
    function = step.function
    return function.forward if isinstance(function, Primitive) and isinstance(function.forward, np.ufunc) else function


def operator(step: Step, write: Write) -> Text | None:
    """Return arithmetic and comparisons as operators."""
    function = function_of(step)
    if function is np.negative:  # −(x / y) and (−x) / y are the same number
        x = write(step.args[0])
        return Text(f"-{x.within(PRODUCT)}", min(x.binds, SIGN) if x.binds >= PRODUCT else SIGN)
    if function is np.invert:
        return Text("~" + write(step.args[0]).within(SIGN), SIGN)
    if function not in OPERATORS or len(step.args) != 2 or step.kwargs:
        return None
    sign, binds = OPERATORS[function]
    left, right = write(step.args[0]), write(step.args[1])
    # A comparison with a comparison would be a chain.
    return Text(f"{left.within(binds + (binds == 1))} {sign} {right.within(binds + 1)}", binds)


def call(name: str, args: Sequence[Any], kwargs: dict[str, Any], write: Write) -> Text:
    """Return a call."""
    parts = [write(x).text for x in args] + [f"{key}={write(x).text}" for key, x in kwargs.items()]
    return Text(f"{name}({', '.join(parts)})")


def method(step: Step) -> str:
    """Return the name of the array's own method that a step calls, if it does."""
    name = getattr(step.function, "__name__", "")
    return name if getattr(np.ndarray, name, None) is step.function else ""


def index_text(index: Any, write: Write) -> str:
    """Return what stands between the brackets."""
    if isinstance(index, tuple) and index:
        return ", ".join(index_text(part, write) for part in index) + "," * (len(index) == 1)
    if isinstance(index, slice):
        ends = ["" if part is None else write(part).text for part in (index.start, index.stop)]
        return ":".join(ends) + ("" if index.step is None else f":{write(index.step).text}")
    return "..." if index is Ellipsis else write(index).text


def numpy_path(function: Any) -> str:
    """Return a function's name as one writes it: ``np.linalg.inv``, ``np.add.reduce``."""
    owner = getattr(function, "__self__", None)
    if isinstance(owner, np.ufunc):
        return f"np.{owner.__name__}.{function.__name__}"
    name = function.__name__
    if getattr(np, name, None) is function:
        return f"np.{name}"
    return f"{(function.__module__ or 'np').replace('numpy', 'np', 1)}.{name}"


# As a person writes it

SAME_IN_NUMPY = {
    "sum": "np.sum",
    "mean": "np.mean",
    "prod": "np.prod",
    "max": "np.max",
    "min": "np.min",
    "cumsum": "np.cumsum",
    "flip": "np.flip",
    "roll": "np.roll",
    "round": "np.round",
    "where": "np.where",
    "inv": "np.linalg.inv",
    "solve": "np.linalg.solve",
    "det": "np.linalg.det",
    "pinv": "np.linalg.pinv",
}


def one_axis(params: dict[str, Any]) -> dict[str, Any]:
    """Return parameters without those that say nothing, and one axis as a number."""
    kept = {k: v for k, v in params.items() if v is not None and v is not False and (k, v) != ("decimals", 0)}
    axis = kept.get("axis")
    return {**kept, "axis": axis[0]} if isinstance(axis, tuple) and len(axis) == 1 else kept


def _add(step: Step, write: Write) -> Text:
    x, y = step.args
    if x is y:
        return Text(f"2 * {write(x).within(PRODUCT + 1)}", PRODUCT)
    found = operator(step, write)
    assert found is not None
    return found


def is_double(x: Any) -> bool:
    """Return whether a value is another one added to itself."""
    return isinstance(x, Step) and x.primitive == "add" and x.args[0] is x.args[1]


def _multiply(step: Step, write: Write) -> Text:
    x, y = step.args
    right = write(y)
    if is_double(y) and right.binds == PRODUCT:
        return Text(f"2 * {write(x).within(PRODUCT)} * {right.text.removeprefix('2 * ')}", PRODUCT)
    return Text(f"{write(x).within(PRODUCT)} * {right.within(PRODUCT + 1)}", PRODUCT)


def _sum_product(step: Step, write: Write) -> Text:
    x, y = step.args
    product = f"{write(x).within(PRODUCT)} * {write(y).within(PRODUCT + 1)}"
    axes = broadcast_axes(x.shape, step.shape) or ()
    if not axes:
        return Text(product, PRODUCT)
    options = one_axis({"axis": axes, "keepdims": len(x.shape) == len(step.shape)})
    kept = (
        kept_shape(x.shape, axes)
        if options.get("keepdims")
        else tuple(n for i, n in enumerate(x.shape) if i not in axes)
    )
    summed = f"np.sum({product}{''.join(f', {k}={v}' for k, v in options.items())})"
    return Text(summed if kept == step.shape else f"np.reshape({summed}, {step.shape})")


def _transpose(step: Step, write: Write) -> Text:
    axes, ndim = order_of(step), len(step.shape)
    if ndim == 2 and axes == (1, 0):
        return Text(f"{write(step.args[0]).within(9)}.T")
    if axes == (*range(ndim - 2), ndim - 1, ndim - 2):
        return Text(f"{write(step.args[0]).within(9)}.mT")
    return Text(f"np.transpose({write(step.args[0]).text}, {axes})")


def _windows(step: Step, write: Write) -> Text:
    size, stride, gaps = (step.kwargs[k] for k in ("size", "stride", "dilation"))
    reach = tuple(d * (k - 1) + 1 for k, d in zip(size, gaps, strict=True))
    view = (
        f"np.lib.stride_tricks.sliding_window_view({write(step.args[0]).text}, {reach}, {tuple(range(-len(size), 0))})"
    )
    steps = [":" if n == 1 else f"::{n}" for n in (*stride, *gaps)]
    return Text(view if set(steps) == {":"} else f"{view}[..., {', '.join(steps)}]")


PRINTED: dict[str, Callable[[Step, Write], Text]] = {
    "add": _add,
    "multiply": _multiply,
    "sum_product": _sum_product,
    "transpose": _transpose,
    "power": lambda s, w: Text(f"{w(s.args[0]).within(POWER + 1)} ** {w(s.args[1]).within(SIGN)}", POWER),
    "matmul": lambda s, w: Text(f"{w(s.args[0]).within(PRODUCT)} @ {w(s.args[1]).within(PRODUCT + 1)}", PRODUCT),
    "getitem": lambda s, w: Text(f"{w(s.args[0]).within(9)}[{index_text(s.kwargs['index'], w)}]"),
    "reshape": lambda s, w: Text(f"np.reshape({w(s.args[0]).text}, {s.shape})"),
    "broadcast_to": lambda s, w: Text(f"np.broadcast_to({w(s.args[0]).text}, {s.shape})"),
    "astype": lambda s, w: Text(f"{w(s.args[0]).within(9)}.astype({w(s.dtype).text})"),
    "relu": lambda s, w: Text(f"np.maximum({w(s.args[0]).text}, 0)"),
    "masked": lambda s, w: Text(f"np.where({w(s.args[1]).text}, {w(s.args[0]).text}, 0)"),
    "clip": lambda s, w: call("np.clip", (s.args[0], s.kwargs["lower"], s.kwargs["upper"]), {}, w),
    "concatenate": lambda s, w: call("np.concatenate", (list(s.args),), s.kwargs, w),
    "stack": lambda s, w: call("np.stack", (list(s.args),), s.kwargs, w),
    "pad": lambda s, w: call("np.pad", (s.args[0], s.kwargs["width"]), {"constant_values": s.kwargs["value"]}, w),
    "logabsdet": lambda s, w: Text(f"np.linalg.slogdet({w(s.args[0]).text})[1]"),
    "erf": lambda s, w: Text(f"np.vectorize(math.erf, otypes=[{w(s.dtype).text}])({w(s.args[0]).text})"),
    "einsum": lambda s, w: call("np.einsum", (s.kwargs["subscripts"], *s.args), {}, w),
    "windows": _windows,
}


def printed(step: Step, write: Write) -> Text:
    """Return a step in plain NumPy."""
    name, params = step.primitive, one_axis(step.kwargs)
    if name in PRINTED:
        return PRINTED[name](step, write)
    return operator(step, write) or called(step, SAME_IN_NUMPY.get(name, name), params, write)


def called(step: Step, name: str, params: dict[str, Any], write: Write) -> Text:
    """Return a step as the call of a function or method, or an index."""
    if step.function is picked:
        return Text(f"{write(step.args[0]).within(9)}[{index_text(step.args[1], write)}]")
    if method(step):
        return call(f"{write(step.args[0]).within(9)}.{method(step)}", step.args[1:], step.kwargs, write)
    function = function_of(step)
    return call(name if isinstance(function, Primitive) else numpy_path(function), step.args, params, write)


def scattered(step: Step, target: str, write: Write) -> list[str]:
    """Return the lines that add entries where they came from."""
    x, index = write(step.args[0]).text, step.kwargs["index"]
    where = index_text(index, write)
    if is_basic(index):
        return [zeros(step, target, write), f"{target}[{where}] = {x}"]
    return [zeros(step, target, write), f"np.add.at({target}, np.s_[{where}], {x})"]


def overlapped(step: Step, target: str, write: Write) -> list[str]:
    """Return the lines that add windows where they came from: all first entries, then all second ones."""
    x, stride, gaps = step.args[0], step.kwargs["stride"], step.kwargs["dilation"]
    count = len(stride)
    places, size = x.shape[-2 * count : -count], x.shape[-count:]
    at = [f"i{a}" if count > 1 else "i" for a in range(count)]
    ends = [f"{i} * {d} : {i} * {d} + {s * n} : {s}" for i, d, s, n in zip(at, gaps, stride, places, strict=True)]
    loop = f"for {', '.join(at)} in np.ndindex{size}:" if count > 1 else f"for i in range({size[0]}):"
    inside = f"    {target}[..., {', '.join(ends)}] += {write(x).within(9)}[..., {', '.join(at)}]"
    return [zeros(step, target, write), loop, inside]


def zeros(step: Step, target: str, write: Write) -> str:
    """Return the line that makes an array to add to."""
    dtype = "" if step.dtype == np.float64 else f", {write(step.dtype).text}"
    return f"{target} = np.zeros({step.shape}{dtype})"


Statements = Mapping[str, Callable[[Step, str, Write], list[str]]]
STATEMENTS: Statements = {"scatter_add": scattered, "overlap_add": overlapped}
"""What takes lines of its own to be written in NumPy."""


def borrowed(step: Step) -> str:
    """Return the name of a primitive that has no counterpart in NumPy: its own function is called."""
    name = step.primitive
    known = (
        name in PRINTED or name in SAME_IN_NUMPY or name in STATEMENTS or not isinstance(function_of(step), Primitive)
    )
    return "" if known else name


# As it runs

Bind = Callable[[Any], str]
"""Gives a name of the namespace to an object."""


def _sum(step: Step, write: Write, bind: Bind) -> Text:
    x, axis, keepdims = step.args[0], step.kwargs["axis"], bool(step.kwargs["keepdims"])
    axis = tuple(axis) if isinstance(axis, list) else axis
    if step.primitive == "sum" or x.dtype.kind != "f" or x.dtype == np.float16:
        make = kernel if step.primitive == "sum" else averaging_kernel
        return summed(make(x.shape, axis, keepdims, x.dtype), write(x), axis, keepdims, bind)
    total = summed(kernel(x.shape, axis, keepdims, x.dtype), write(x), axis, keepdims, bind)
    return Text(f"{total.text} / {bind(np.array(reduced_count(x.shape, axis), x.dtype))}", PRODUCT)


def summed(made: Callable[..., Any], x: Text, axis: Any, keepdims: bool, bind: Bind) -> Text:
    """Return the call of a sum's kernel; of NumPy's own reduction, where it is that."""
    if made.__name__ == "by_numpy":
        return Text(f"{bind(add_reduce)}({x.text}, {axis}, None, None, {keepdims})")
    return Text(f"{bind(made)}({x.text})")


def _running_product(step: Step, write: Write, bind: Bind) -> Text:
    x, y = step.args
    product = Text(f"{write(x).within(PRODUCT)} * {write(y).within(PRODUCT + 1)}", PRODUCT)
    whole = np.broadcast_shapes(x.shape, y.shape)
    if whole == step.shape:
        return product
    rows = x.shape == y.shape and x.dtype == y.dtype and x.in_rows and y.in_rows
    if not rows or product_kernel_to(whole, step.shape, x.dtype) is None:
        return Text(f"{bind(kernel_to(whole, step.shape, np.result_type(x.dtype, y.dtype)))}({product.text})")
    n = prod(whole[a] for a in broadcast_axes(whole, step.shape) or ())
    flat = "" if whole[-1] == n else f".reshape(-1, {n})"
    both = ", ".join(f"{write(v).within(9)}{flat}" if flat else write(v).text for v in (x, y))
    return Text(f"np.vecdot({both}).reshape({step.shape})")


def _matmul(step: Step, write: Write, bind: Bind) -> Text:
    x, y = step.args
    if len(x.shape) == 2 == len(y.shape):
        return Text(f"{write(x).within(9)}.dot({write(y).text})")
    return call(bind(matmul.forward), (x, y), {}, write)


def _running_transpose(step: Step, write: Write, bind: Bind) -> Text:
    x, axes = write(step.args[0]).within(9), order_of(step)
    return Text(f"{x}.T" if axes == (1, 0) else f"{x}.transpose({axes})")


RUNNING: dict[str, Callable[[Step, Write, Bind], Text]] = {
    "sum": _sum,
    "mean": _sum,
    "sum_product": _running_product,
    "matmul": _matmul,
    "reshape": lambda s, w, b: Text(f"{w(s.args[0]).within(9)}.reshape({s.shape})"),
    "transpose": _running_transpose,
    "broadcast_to": lambda s, w, b: Text(f"{b(repeated)}({w(s.args[0]).text}, {s.shape})"),
    "getitem": lambda s, w, b: Text(f"{w(s.args[0]).within(9)}[{index_text(s.kwargs['index'], w)}]"),
}


def with_numbers(step: Step, write: Write, bind: Bind) -> Write:
    """Return ``write`` for an operation on arrays: NumPy computes faster with a number that is an array itself."""

    def text(x: Any) -> Text:
        if isinstance(x, Constant) and not x.shape:
            return Text(bind(x.array))
        if type(x) in (int, float) and step.dtype.kind == "f" and abs(x) < np.finfo(step.dtype).max:
            return Text(bind(np.array(x, step.dtype)))
        return write(x)

    alike = all(x.dtype == step.dtype for x in step.args if isinstance(x, Value))
    return text if step.shape and alike else write


def running(step: Step, write: Write, bind: Bind) -> Text:
    """Return a step as it runs: with our kernels, so that it is eager to the last bit."""
    function, name = step.function, step.primitive
    if name in RUNNING and all(isinstance(x, Value) for x in step.args):
        return RUNNING[name](step, write, bind)
    found = operator(step, with_numbers(step, write, bind))
    if found is not None and any(isinstance(x, Value) and not isinstance(x, Constant) for x in step.args):
        return found
    if isinstance(function, Primitive):
        made = (
            function.forward
            if function.native
            else lambda *args, **kwargs: np.asarray(function.forward(*args, **kwargs))
        )
        return call(bind(made), step.args, step.kwargs, write)
    if method(step) and not step.args[0].shape:  # NumPy's numbers have other methods
        return call(f"np.asarray({write(step.args[0]).text}).{method(step)}", step.args[1:], step.kwargs, write)
    return call(bind(function), step.args, step.kwargs, write)
