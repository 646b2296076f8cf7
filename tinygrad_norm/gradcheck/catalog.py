"""Everything that the package can differentiate, as a list to check: all primitives, all compositions.

A primitive comes with samples in its declaration; a composition has its points in :data:`COMPOSITIONS`.
:func:`check_everything` checks them all and gives one :class:`Row` for each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np

from .. import functional as F  # noqa: N812  # the name under which its users know it
from ..errors import InputError
from ..primitive import FUNCTIONS, PRIMITIVES, Primitive, Sample
from ..primitive import sample as point
from ..tensor import Tensor
from .api import check_orders
from .hygiene import adjoint_gap
from .nodes import Operation, operation_function
from .problem import Arrays, unflatten
from .recorded import TensorFunction, tensor_function
from .report import Report

Lambda = Callable[..., Any]


@dataclass(frozen=True)
class Composition:
    """A function built from primitives, with the points where it is checked."""

    function: Lambda
    points: tuple[Sample, ...]


@dataclass(frozen=True)
class Row:
    """The result for one primitive or composition.

    Attributes
    ----------
    name, kind : str
        ``kind`` is ``primitive`` or ``composition``.
    points, evaluations : int
        How many points were checked, and how often functions were called.
    status : str
        ``right``, ``flat`` (the derivative is zero everywhere, and so is yours), ``wrong`` or ``cannot tell``.
    uncertainty : float
        The widest measured ± relative to the largest entry of its gradient.
    adjoint : float or None
        For a linear primitive, the largest relative violation of ⟨A x, u⟩ = ⟨x, Aᵀ u⟩.
    report : Report or None
        The first report that is not right.
    """

    name: str
    kind: str
    points: int
    evaluations: int
    status: str
    uncertainty: float
    adjoint: float | None
    report: Report | None


def each(function: Lambda, *shapes: tuple[int, ...], domain: str = "any") -> Composition:
    """Return a composition checked at one point for each shape."""
    return Composition(function, tuple(point(shape, domain=domain) for shape in shapes))


def at(function: Lambda, *shapes: tuple[int, ...], domain: str | tuple[str, ...] = "any") -> Composition:
    """Return a composition of several inputs, checked at one point."""
    return Composition(function, (point(*shapes, domain=domain),))


def registered(name: str, *arguments: Any, **options: Any) -> Lambda:
    """Return the function of that name with further arguments filled in."""
    return lambda *xs: FUNCTIONS[name](*xs, *arguments, **options)


CAUSAL = np.tril(np.ones((5, 5), dtype=bool))
REAL = np.array([[True, True, True, False], [True, True, False, False], [True, True, True, True]])

COMPOSITIONS: dict[str, Composition] = {
    "cosh": each(registered("cosh"), (3, 5)),
    "sinh": each(registered("sinh"), (3, 5)),
    "tan": each(registered("tan"), (3, 5), domain="unit"),
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
    "layer_norm, a row of zeros": at(lambda x, weight: F.layer_norm(zero_row(x), 7, weight), (5, 7), (7,)),
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
}  # fmt: skip


def zero_row(x: Any) -> Any:
    """Return x with its first row replaced by zeros, through the tape."""
    kept = np.ones(x.shape)
    kept[0] = 0
    return x * kept


def names() -> list[str]:
    """Return what can be checked: primitives first, then compositions."""
    return [*PRIMITIVES, *(name for name in COMPOSITIONS if name not in PRIMITIVES)]


def check_everything(
    order: int,
    seed: int,
    only: str | None = None,
    progress: Callable[[str, float], None] = lambda name, fraction: None,
) -> Iterator[Row]:
    """Yield the result for every primitive and composition, or for the one called ``only``.

    Raises
    ------
    InputError
        There is nothing of that name.
    """
    wanted = names() if only is None else [only]
    if only is not None and only not in names():
        raise InputError(
            f"what is checked must be a primitive, a composition or FILE.py:FUNCTION; got {only!r}. The names are: "
            f"{', '.join(names())}."
        )
    for number, name in enumerate(wanted):
        progress(name, number / len(wanted))
        yield check_named(name, order, seed)


def check_named(name: str, order: int, seed: int) -> Row:
    """Return the result for one primitive or composition at all of its points."""
    functions = [f for f in functions_of(name, seed) if f is not None]
    reports = [check_orders(f, order, seed=seed) for f in functions]
    primitive = PRIMITIVES.get(name)
    linear = primitive is not None and primitive.linear
    failed = next((r for r in reports if r.status in ("wrong", "cannot tell")), None)
    slopes = any(e.status == "right" for r in reports for e in r.entries)
    spread = [u for r in reports for u in r.uncertainty.values()]
    return Row(
        name=name,
        kind="composition" if primitive is None else "primitive",
        points=len(reports),
        evaluations=sum(r.evaluations for r in reports),
        status=failed.status if failed is not None else "right" if slopes else "flat",
        uncertainty=max(spread, default=0.0),
        adjoint=max((adjoint_of(f, seed) for f in functions), default=0.0) if linear else None,
        report=failed,
    )


def functions_of(name: str, seed: int) -> Iterator[TensorFunction | None]:
    """Yield a primitive or composition at each of its points; None where there is nothing to differentiate by."""
    generator = np.random.default_rng((seed, crc32(name.encode())))
    if name in PRIMITIVES:
        for sample in PRIMITIVES[name].samples:
            yield _primitive_at(PRIMITIVES[name], sample, generator)
    else:
        composition = COMPOSITIONS[name]
        for sample in composition.points:
            yield tensor_function(composition.function, tuple(sample.draw(generator)), None)


def _primitive_at(primitive: Primitive, sample: Sample, generator: np.random.Generator) -> TensorFunction | None:
    inputs = tuple(Tensor(x) for x in sample.draw(generator))
    params: Mapping[str, Any] = {**primitive.defaults, **sample.params}
    result = primitive(*inputs, **params)
    return operation_function(Operation(primitive, inputs, params, None, result))


def adjoint_of(f: TensorFunction, seed: int) -> float:
    """Return how far a linear function is from ⟨A x, u⟩ = ⟨x, Aᵀ u⟩, at random x and u."""
    problem = f.problem()
    generator = np.random.default_rng(seed)
    outputs = problem.forward(problem.inputs)
    u = generator.standard_normal(sum(y.size for y in outputs))

    def transpose(vector: np.ndarray) -> np.ndarray:
        found: Arrays = problem.backward(problem.inputs, unflatten(vector, outputs))
        return np.concatenate([np.ravel(g) for g in found])

    x = np.concatenate([np.ravel(v) for v in problem.inputs])
    return adjoint_gap(lambda v: problem.flat_output(unflatten(v, problem.inputs)), transpose, x, u)
