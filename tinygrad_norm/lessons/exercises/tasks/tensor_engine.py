"""Exercises 17 and 18: an engine for arrays. Broadcasting; sums, means, transposes and matrix products."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import numpy as np

from ..cases import Case
from ..checked_engines import Build, Mistake, engine_check, graph, measured_slope, ours, theirs
from ..exercise_parts import Check, Exercise, given

KIND = "Tensor"

TENSOR = '''
class Tensor:
    """An array that knows what it was computed from."""

    __array_ufunc__ = None  # so that array + tensor asks the Tensor, not NumPy

    def __init__(self, data, parents=(), pullbacks=(), operation=""):
        self.data = np.asarray(data, dtype=np.float64)
        self.parents = parents  # the Tensors that it was computed from
        self.pullbacks = pullbacks  # for each parent: its gradient, as a function of grad
        self.operation = operation  # what was done, for a picture
        self.grad = np.zeros(self.data.shape)

    def backward(self, g=1.0):
        tensors = order(self)
        for tensor in tensors:
            if tensor.parents:
                tensor.grad = np.zeros(tensor.data.shape)
        self.grad = self.grad + np.broadcast_to(g, self.data.shape)
        for tensor in tensors:
            for parent, pullback in zip(tensor.parents, tensor.pullbacks):
                parent.grad = parent.grad + pullback(tensor.grad)
'''

BROADCASTING = '''
    def __add__(self, other):
        """
        Return self + other as a new Tensor, which is called "+".

        Given:  other  a Tensor, an array or a number; NumPy broadcasts the two shapes
        Return: a Tensor with parents (self, other) and two pullbacks: functions that take the
                gradient of the sum and return that of self and that of other

        >>> total = Tensor([[1.0], [2.0]]) + Tensor([10.0, 20.0])
        >>> for_self, for_other = total.pullbacks
        >>> for_self(np.ones((2, 2)))
        array([[2.],
               [2.]])
        """
        other = as_tensor(other)
        pullbacks = (
            lambda g: sum_back(g, self.data.shape),
            lambda g: sum_back(g, other.data.shape),
        )
        return Tensor(self.data + other.data, (self, other), pullbacks, "+")

    def __mul__(self, other):
        """
        Return self * other, entry by entry, as a new Tensor, which is called "*".

        Given:  other  a Tensor, an array or a number; NumPy broadcasts the two shapes
        Return: a Tensor with parents (self, other) and two pullbacks

        >>> x = Tensor([[1.0], [2.0]])
        >>> y = x * Tensor([10.0, 20.0])
        >>> y.backward(np.ones((2, 2)))
        >>> x.grad
        array([[30.],
               [30.]])
        """
        other = as_tensor(other)
        pullbacks = (
            lambda g: sum_back(g * other.data, self.data.shape),
            lambda g: sum_back(g * self.data, other.data.shape),
        )
        return Tensor(self.data * other.data, (self, other), pullbacks, "*")

    __radd__, __rmul__ = __add__, __mul__
'''

SUM_BACK = '''

def sum_back(g, shape):
    """
    Return the gradient of an array of this shape that was broadcast to the shape of g.

    Given:  g      array
            shape  tuple, such as (3,), (2, 1) or ()
    Return: array of that shape: every copy's gradient, summed (this is exercise 6)

    >>> sum_back(np.array([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]]), (2, 1))
    array([[ 6.],
           [60.]])
    """
    while g.ndim > len(shape):
        g = g.sum(axis=0)
    for axis, length in enumerate(shape):
        if length == 1:
            g = g.sum(axis=axis, keepdims=True)
    return g
'''

AS_TENSOR = """

def as_tensor(value):
    return value if isinstance(value, Tensor) else Tensor(value)


def order(root):
    done, waiting, met = [], [(root, False)], set()
    while waiting:
        tensor, parents_done = waiting.pop()
        if parents_done:
            done.append(tensor)
        elif tensor not in met:
            met.add(tensor)
            waiting.append((tensor, True))
            waiting.extend((parent, False) for parent in tensor.parents)
    return done[::-1]
"""

_BROADCAST = TENSOR + BROADCASTING + AS_TENSOR + SUM_BACK

_LENGTHS = (2, 3, 4)
_SHAPES = tuple(
    shape
    for axes in range(len(_LENGTHS) + 1)
    for shape in product(*((1, length) for length in _LENGTHS[len(_LENGTHS) - axes :]))
)
"""All shapes of up to three axes that broadcast together: each axis 1 or its full length."""


def _all_pairs(sign: str, build: Build) -> Callable[[np.random.Generator], Sequence[Case]]:
    def cases(generator: np.random.Generator) -> Sequence[Case]:
        found = []
        for a, b in product(_SHAPES, _SHAPES):
            x, y = generator.uniform(1.0, 2.0, a), generator.uniform(2.0, 3.0, b)
            g = generator.standard_normal(np.broadcast_shapes(a, b))
            found.append(graph(f"{a} {sign} {b}", build, g, x=x, y=y))
        return found

    return cases


def _mixed(generator: np.random.Generator) -> Sequence[Case]:
    x, gamma, square = (generator.standard_normal(shape) for shape in ((4, 3), (3,), (3, 3)))
    beta, row = generator.standard_normal(3), generator.standard_normal((4, 1))
    g = generator.standard_normal((4, 3))
    return (
        graph("x · γ + β", lambda x, gamma, beta: x * gamma + beta, g, x=x, gamma=gamma, beta=beta),
        graph("a square table · γ", lambda x, gamma: x * gamma + x, g[:3], x=square, gamma=gamma),
        graph("x · x + x", lambda x: x * x + x, g, x=x),
        graph("numbers and arrays", lambda x: 2 + x * 3.0 + row * x, g, x=x),
        graph("a diamond", lambda x, y: (x * y + y) * (y + x), g, x=x, y=gamma),
        graph("a Tensor used in two shapes", lambda x, y: (x * y + x) * (y * y), g, x=row, y=gamma),
    )


_SUM_EACH = "an entry that was used many times receives the sum of what comes back to its copies"
_STRETCHED = "        if length == 1:\n            g = g.sum(axis=axis, keepdims=True)\n"
_LOOP = "    for axis, length in enumerate(shape):\n" + _STRETCHED
_IN_FRONT = "    while g.ndim > len(shape):\n        g = g.sum(axis=0)\n"
_ONES = "tuple(k for k, length in enumerate(shape) if length == 1)"
_LINED_UP = "NumPy lines shapes up from the right: what is new stands in front, at axis 0"
_ONE_STAYS = "an axis of length 1 stays in the shape: keepdims=True"
_SUMMING = (
    Mistake(
        "not-summed",
        "not summed back: the gradient keeps the shape of the result",
        _SUM_EACH,
        {_IN_FRONT: "", _LOOP: ""},
    ),
    Mistake("stretched-not-summed", "axes stretched from 1 are not summed back", _SUM_EACH, {_LOOP: ""}),
    Mistake(
        "front-not-summed",
        "axes put in front are not summed back",
        _SUM_EACH,
        {_IN_FRONT: "", _LOOP: f"    return g.sum(axis=tuple(k - len(shape) for k in {_ONES}), keepdims=True)\n"},
    ),
    Mistake(
        "wrong-axis",
        "summed over the wrong axis: the last where the first was put in front",
        _LINED_UP,
        {"g.sum(axis=0)": "g.sum(axis=-1)"},
    ),
    Mistake(
        "keepdims",
        "keepdims is lost: the axes of length 1 are gone",
        _ONE_STAYS,
        {_LOOP: f"    g = g.sum(axis={_ONES})\n"},
    ),
    Mistake(
        "keepdims",
        "keepdims is lost: the axes of length 1 are gone",
        _ONE_STAYS,
        {"axis=axis, keepdims=True": "axis=axis"},
    ),
    Mistake(
        "mean",
        "the copies' gradients are averaged where they must be summed",
        _SUM_EACH,
        {"g.sum(axis=0)": "g.mean(axis=0)", "g.sum(axis=axis": "g.mean(axis=axis"},
    ),
    Mistake(
        "first-copy",
        "only the first copy's gradient comes back",
        _SUM_EACH,
        {"g = g.sum(axis=0)": "g = g[0]", "g.sum(axis=axis, keepdims=True)": "g.take([0], axis=axis)"},
    ),
)
_TIMES_OTHER = "each factor receives g times the other one"
_FACTORS = (
    Mistake(
        "own-factor",
        "the derivative of the wrong input: each factor receives g times itself",
        _TIMES_OTHER,
        {"g * other.data, self": "g * self.data, self", "g * self.data, other": "g * other.data, other"},
    ),
    Mistake(
        "factor-missing",
        "each factor receives g as it is, as in a sum",
        _TIMES_OTHER,
        {"g * other.data, self": "g, self", "g * self.data, other": "g, other"},
    ),
)


def _broadcast_check(
    label: str, cases: Callable[..., Sequence[Case]], mistakes: Sequence[Mistake], praise: str = "right on {}"
) -> Check:
    return engine_check(
        KIND, label, cases, theirs(KIND), ours, _BROADCAST, mistakes, praise=praise, slope=measured_slope(KIND)
    )


_PAIRS = f"right on all {len(_SHAPES) ** 2} pairs of shapes up to three axes"

TENSORS = Exercise(
    number=17,
    slug="tensor-broadcasting",
    title="Build it: arrays, and broadcasting",
    statement="""
With arrays a local derivative is no longer one number. What each parent needs is a function:
from the gradient g of the result to its own gradient, of its own shape. Such a function is
called a pullback (or VJP). The class is given; a Tensor holds a pullback for each parent, and
backward calls them in the order of exercise 14. Write + and ×.

NumPy repeats an array where shapes differ: (4, 3) + (3,) uses the row four times. Whatever is
used many times receives a sum (exercise 15), so each pullback ends by summing g over all that
was repeated, until it has its parent's shape. That is sum_back.
""",
    functions=_BROADCAST,
    hints=(
        "Forget the shapes first. In a sum each parent receives g. In a product it receives g times the other factor.",
        "Then sum_back(g, shape): as long as g has more axes than shape, sum over axis 0. Then sum over each axis "
        "whose length in shape is 1, and keep it: keepdims=True.",
        "pullbacks = (lambda g: sum_back(g * other.data, self.data.shape), lambda g: sum_back(g * self.data, "
        "other.data.shape)) for a product, after other = as_tensor(other).",
    ),
    checks=(
        _broadcast_check("x + y", _all_pairs("+", lambda x, y: x + y), _SUMMING, _PAIRS),
        _broadcast_check("x · y", _all_pairs("·", lambda x, y: x * y), (*_FACTORS, *_SUMMING), _PAIRS),
        _broadcast_check("expressions", _mixed, (*_FACTORS, *_SUMMING)),
    ),
    own_engine=True,
)

REDUCTIONS = '''
    def sum(self, axis=None, keepdims=False):
        """
        Return the sum over axes, as NumPy does.

        Given:  axis      None for all, a number or a tuple; negative ones count from the end
                keepdims  whether the axes stay, with length 1
        Return: a Tensor with parent (self,) and one pullback, called "sum"

        >>> Tensor([[1.0, 2.0], [3.0, 4.0]]).sum(axis=-1).data
        array([3., 7.])
        """

        def spread(g):
            if axis is not None and not keepdims:
                g = np.expand_dims(g, axis)
            return np.broadcast_to(g, self.data.shape)

        return Tensor(self.data.sum(axis=axis, keepdims=keepdims), (self,), (spread,), "sum")

    def mean(self, axis=None, keepdims=False):
        """
        Return the mean over axes.

        Given:  axis, keepdims  as in sum
        Return: a Tensor; made of sum and ×, or with a pullback of its own

        >>> x = Tensor([[1.0, 2.0], [3.0, 4.0]])
        >>> x.mean().backward()
        >>> x.grad
        array([[0.25, 0.25],
               [0.25, 0.25]])
        """
        total = self.sum(axis, keepdims)
        return total * (total.data.size / self.data.size)

    def transpose(self, *axes):
        """
        Return self with its axes in another order, as NumPy does.

        Given:  axes  for each axis of the result which one of self it is; negative ones count
                from the end; none at all: all in reverse
        Return: a Tensor with parent (self,) and one pullback, called "transpose"

        >>> Tensor(np.ones((2, 3, 4))).transpose(0, -1, 1).data.shape
        (2, 4, 3)
        """
        n = self.data.ndim
        axes = tuple(axis % n for axis in axes) or tuple(range(n))[::-1]
        back = np.argsort(axes)
        turned = self.data.transpose(axes)
        return Tensor(turned, (self,), (lambda g: g.transpose(back),), "transpose")

    def __matmul__(self, other):
        """
        Return the matrix product self @ other, as NumPy does.

        Given:  other  a Tensor or an array; of more than two axes the last two are the matrix,
                the others are batches and broadcast; one axis is a vector
        Return: a Tensor with parents (self, other) and two pullbacks, called "@"

        >>> x, w = Tensor(np.ones((5, 4, 3))), Tensor(np.ones((3, 2)))
        >>> (x @ w).backward()
        >>> w.grad
        array([[20., 20.],
               [20., 20.],
               [20., 20.]])
        """
        other = as_tensor(other)
        left = self.data if self.data.ndim > 1 else self.data[None, :]
        right = other.data if other.data.ndim > 1 else other.data[:, None]
        full = (left @ right).shape

        def to_self(g):
            g = g.reshape(full) @ right.swapaxes(-1, -2)
            return sum_back(g, left.shape).reshape(self.data.shape)

        def to_other(g):
            g = left.swapaxes(-1, -2) @ g.reshape(full)
            return sum_back(g, right.shape).reshape(other.data.shape)

        return Tensor(self.data @ other.data, (self, other), (to_self, to_other), "@")
'''

_REDUCED = TENSOR + given(BROADCASTING) + REDUCTIONS + AS_TENSOR + given(SUM_BACK)

_AXES: tuple[Any, ...] = (None, 0, 1, -1, -2, (0, 2), (-1, 0))


def _over_axes(name: str, reduce: Callable[..., Any]) -> Callable[[np.random.Generator], Sequence[Case]]:
    """Return a sum or a mean over many choices of axes, of a cube first: there only the numbers tell an axis."""

    def cases(generator: np.random.Generator) -> Sequence[Case]:
        found = []
        for shape, axis, keepdims in product(((3, 3, 3), (2, 3, 4)), _AXES, (False, True)):
            x = generator.standard_normal(shape)
            g = generator.standard_normal(x.sum(axis=axis, keepdims=keepdims).shape)
            how = f"{name}(axis={axis}{', keepdims=True' if keepdims else ''}) of {shape}"
            found.append(graph(how, lambda x, a=axis, k=keepdims: reduce(x, axis=a, keepdims=k), g, x=x))
        x = generator.standard_normal(4)
        found.append(graph(f"x · {name} of x", lambda x: x * reduce(x), generator.standard_normal(4), x=x))
        return found

    return cases


def _transposes(generator: np.random.Generator) -> Sequence[Case]:
    found = []
    for shape, axes in product(((3, 3, 3), (2, 3, 4)), ((), (0, 2, 1), (1, 2, 0), (2, 0, 1), (0, -1, -2), (-1, 0, 1))):
        x = generator.standard_normal(shape)
        g = generator.standard_normal(x.transpose(axes or None).shape)
        found.append(graph(f"transpose{axes} of {shape}", lambda x, a=axes: x.transpose(*a), g, x=x))
    return found


def _products(*shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> Callable[[np.random.Generator], Sequence[Case]]:
    def cases(generator: np.random.Generator) -> Sequence[Case]:
        found = []
        for a, b in shapes:
            x, y = generator.standard_normal(a), generator.standard_normal(b)
            found.append(graph(f"{a} @ {b}", lambda x, y: x @ y, generator.standard_normal((x @ y).shape), x=x, y=y))
        return found

    return cases


_MATRICES = (((3, 3), (3, 3)), ((2, 3), (3, 4)), ((4, 1), (1, 2)), ((1, 3), (3, 1)))
_VECTORS = (
    ((3,), (3,)),
    ((3,), (3, 3)),
    ((3, 3), (3,)),
    ((2, 3), (3,)),
    ((3,), (3, 2)),
    ((5, 2, 3), (3,)),
    ((2,), (5, 2, 3)),
)
_BATCHES = (
    ((3, 3, 3), (3, 3, 3)),
    ((5, 2, 3), (5, 3, 4)),
    ((5, 2, 3), (3, 4)),
    ((2, 3), (5, 3, 4)),
    ((5, 1, 2, 3), (6, 3, 4)),
    ((1, 2, 3), (5, 3, 4)),
)

_SPREAD = "np.broadcast_to(g, self.data.shape)"
_PUT_BACK = "            if axis is not None and not keepdims:\n                g = np.expand_dims(g, axis)\n"
_EACH_ENTRY = "every entry was added once, so each receives the gradient of its sum"
_AXIS_BACK = "np.expand_dims(g, axis) puts the summed axis back; without it NumPy lines up from the right"
_SUMS = (
    Mistake(
        "wrong-axis",
        "spread along the wrong axis: the summed one must be put back where it was",
        _AXIS_BACK,
        {_PUT_BACK: ""},
    ),
    Mistake(
        "divided",
        "the gradient is divided by the number of entries: that is the mean",
        _EACH_ENTRY,
        {f"return {_SPREAD}": f"return {_SPREAD} * (g.size / self.data.size)"},
    ),
    Mistake(
        "times-x",
        "the gradient is multiplied by the entries: that is the sum of squares",
        _EACH_ENTRY,
        {f"return {_SPREAD}": f"return {_SPREAD} * self.data"},
    ),
)
_MEAN_BODY = "return total * (total.data.size / self.data.size)"
_BY_N = "a mean is Σ x / n, n being how many are summed into one number; so each entry receives g / n"
_MEANS = (
    Mistake("not-divided", "this is the sum: it is not divided", _BY_N, {_MEAN_BODY: "return total"}),
    Mistake(
        "back-not-divided",
        "the gradient is not divided by n: it is that of the sum",
        _BY_N,
        {_MEAN_BODY: 'return Tensor(self.data.mean(axis=axis, keepdims=keepdims), (self,), total.pullbacks, "mean")'},
    ),
    Mistake(
        "divided-by-all",
        "divided by the number of all entries, not of those that are summed",
        _BY_N,
        {_MEAN_BODY: "return total * (1 / self.data.size)"},
    ),
    Mistake(
        "divided-by-rows",
        "divided by len(self.data), whatever the axis",
        _BY_N,
        {_MEAN_BODY: "return total * (1 / len(self.data))"},
    ),
    Mistake(
        "back-divided-by-all",
        "the gradient is divided by the number of all entries",
        _BY_N,
        {
            _MEAN_BODY: "spread = total.pullbacks[0]\n"
            "        return Tensor(self.data.mean(axis=axis, keepdims=keepdims), (self,), "
            '(lambda g: spread(g) / self.data.size,), "mean")'
        },
    ),
)
_BACK = "g.transpose(back)"
_INVERSE = "axis k of the result is axis axes[k] of self; the way back is the inverse: np.argsort(axes)"
_TRANSPOSING = (
    Mistake("not-transposed", "the gradient is not transposed at all", _INVERSE, {_BACK: "g"}),
    Mistake(
        "same-order",
        "the same order is used on the way back; it must be the inverse one",
        _INVERSE,
        {_BACK: "g.transpose(axes)"},
    ),
    Mistake(
        "all-reversed", "the way back reverses all axes, whatever the order was", _INVERSE, {_BACK: "g.transpose()"}
    ),
    Mistake(
        "negative-axes",
        "negative axes come out wrong: np.argsort sorts them as the numbers that they are",
        "take each axis modulo the number of axes first",
        {"axis % n for": "axis for"},
    ),
    Mistake(
        "forward",
        "the axes are reversed, whatever was asked for",
        _INVERSE,
        {"self.data.transpose(axes)": "self.data.transpose()", _BACK: "g.transpose()"},
    ),
)
_TO_SELF, _TO_OTHER = "g.reshape(full) @ right.swapaxes(-1, -2)", "left.swapaxes(-1, -2) @ g.reshape(full)"
_RULE = "for y = a @ b: a receives g @ bᵀ and b receives aᵀ @ g; every shape fits in one way only"
_BATCH_RULE = "a matrix that was used for every item of a batch receives the sum over the batch"
_AXES_BACK = "take swapaxes(-1, -2): .T turns all axes around, those of the batch too"
_G_LEFT, _G_RIGHT = "g.reshape(full) @ left.swapaxes(-1, -2)", "right.swapaxes(-1, -2) @ g.reshape(full)"
_NOT_TRANSPOSED = "the {} operand is not transposed: {} receives {}, not {}"
_OPERANDS = (
    Mistake(
        "right-not-transposed",
        _NOT_TRANSPOSED.format("right", "a", "g @ bᵀ", "g @ b"),
        _RULE,
        {_TO_SELF: "g.reshape(full) @ right"},
    ),
    Mistake(
        "left-not-transposed",
        _NOT_TRANSPOSED.format("left", "b", "aᵀ @ g", "a @ g"),
        _RULE,
        {_TO_OTHER: "left @ g.reshape(full)"},
    ),
    Mistake("exchanged", "the two gradients are exchanged", _RULE, {"(to_self, to_other)": "(to_other, to_self)"}),
)
_BOTH = (
    Mistake(
        "none-transposed",
        "neither operand is transposed",
        _RULE,
        {_TO_SELF: "g.reshape(full) @ right", _TO_OTHER: "left @ g.reshape(full)"},
    ),
    Mistake("wrong-side", "g stands on the wrong side: a receives bᵀ @ g", _RULE, {_TO_SELF: _G_RIGHT}),
    Mistake("wrong-side", "g stands on the wrong side: b receives g @ aᵀ", _RULE, {_TO_OTHER: _G_LEFT}),
    Mistake("wrong-side", "g stands on the wrong side in both", _RULE, {_TO_SELF: _G_RIGHT, _TO_OTHER: _G_LEFT}),
)
_LIFTED = (
    Mistake(
        "vectors",
        "vectors are not made matrices first: .T of a vector is the same vector",
        "on the left a vector is one row, on the right one column",
        {
            "(to_self, to_other)": "(lambda g: sum_back(g @ other.data.T, self.data.shape), "
            "lambda g: sum_back(self.data.T @ g, other.data.shape))",
        },
    ),
)
_BATCHED = (
    Mistake(
        "batch-not-summed",
        "batch axes are not summed back",
        _BATCH_RULE,
        {
            "sum_back(g, left.shape).reshape(self.data.shape)": "g",
            "sum_back(g, right.shape).reshape(other.data.shape)": "g",
        },
    ),
    Mistake(
        "all-axes-turned",
        "the axes of the batch are turned around too",
        _AXES_BACK,
        {"right.swapaxes(-1, -2)": "right.T", "left.swapaxes(-1, -2)": "left.T"},
    ),
)


def _reduced_check(label: str, cases: Callable[..., Sequence[Case]], mistakes: Sequence[Mistake], praise: str) -> Check:
    return engine_check(
        KIND, label, cases, theirs(KIND), ours, _REDUCED, mistakes, praise=praise, slope=measured_slope(KIND)
    )


REDUCED = Exercise(
    number=18,
    slug="tensor-reductions",
    title="Build it: sums, means and matrix products",
    statement="""
What was repeated is summed on the way back, and what was summed is repeated: the gradient of
a sum goes to every entry that was added. The mean does the same with 1/n.

The gradient of a transpose is turned back. And for y = a @ b there is one rule, which the
shapes alone would tell you: a receives g @ bᵀ, b receives aᵀ @ g. Batches broadcast, so what
stands in front of the last two axes goes through sum_back; a vector is a matrix with one row
(on the left) or one column (on the right).
""",
    functions=_REDUCED,
    hints=(
        "For a table (2, 3) write the shapes of x, of y and of g on paper. Which axis is missing in g, and where must "
        "it stand so that NumPy spreads g over the right one?",
        "sum: np.expand_dims(g, axis), unless keepdims or axis is None, then np.broadcast_to(g, self.data.shape). "
        "transpose: g.transpose(np.argsort(axes)), with axes that are not negative.",
        "matmul: make vectors matrices first (a[None, :] on the left, b[:, None] on the right). Then sum_back(g @ "
        "b.swapaxes(-1, -2), a.shape) and sum_back(a.swapaxes(-1, -2) @ g, b.shape), reshaped at the end.",
    ),
    checks=(
        _reduced_check(
            "sum", _over_axes("sum", lambda x, **how: x.sum(**how)), _SUMS, "right over every choice of axes"
        ),
        _reduced_check(
            "mean", _over_axes("mean", lambda x, **how: x.mean(**how)), _MEANS, "right over every choice of axes"
        ),
        _reduced_check("transpose", _transposes, _TRANSPOSING, "right for every order of axes"),
        _reduced_check("a @ b, matrices", _products(*_MATRICES), (*_OPERANDS, *_BOTH), "right on {}"),
        _reduced_check("a @ b, vectors", _products(*_VECTORS), (*_OPERANDS, *_LIFTED), "right on {}"),
        _reduced_check("a @ b, batches", _products(*_BATCHES), (*_OPERANDS, *_BOTH, *_BATCHED), "right on {}"),
    ),
    own_engine=True,
)
