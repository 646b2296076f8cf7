"""Everything that the package can differentiate, as a list to check: primitives, compositions, layers.

A primitive comes with samples in its declaration, the others have their points in :mod:`.compositions`.
:func:`check_everything` checks them all and gives one :class:`Row` for each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np

from ..engine.details.samples import Sample
from ..engine.primitive import PRIMITIVES, Primitive
from ..engine.tensor import Tensor
from ..errors import InputError
from .api import check_orders, gradcheck
from .compositions import COMPOSITIONS, LAYERS, drawn
from .hygiene import adjoint_gap
from .nodes import Operation, operation_function
from .problem import Arrays, unflatten
from .recorded import TensorFunction, tensor_function
from .report import Report


@dataclass(frozen=True)
class Row:
    """The result for one primitive, composition or layer.

    Attributes
    ----------
    name, kind : str
        ``kind`` is ``primitive``, ``composition`` or ``layer``.
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


def names() -> list[str]:
    """Return what can be checked: primitives first, then compositions, then layers."""
    return [*PRIMITIVES, *COMPOSITIONS, *LAYERS]


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
            f"what is checked must be a primitive, a composition, a layer or FILE.py:FUNCTION; got {only!r}. "
            f"The names are: {', '.join(names())}."
        )
    for number, name in enumerate(wanted):
        progress(name, number / len(wanted))
        yield check_named(name, order, seed)


def check_named(name: str, order: int, seed: int) -> Row:
    """Return the result for one primitive, composition or layer at all of its points."""
    functions: list[TensorFunction] = []
    if name in LAYERS:
        module, inputs = drawn(LAYERS[name], np.random.default_rng((seed, crc32(name.encode()))))
        reports = [gradcheck(module, inputs, order=order, seed=seed)]
    else:
        functions = [f for f in functions_of(name, seed) if f is not None]
        reports = [check_orders(f, order, seed=seed) for f in functions]
    primitive = PRIMITIVES.get(name)
    linear = primitive is not None and primitive.linear
    failed = next((r for r in reports if r.status in ("wrong", "cannot tell")), None)
    slopes = any(e.status == "right" for r in reports for e in r.entries)
    spread = [u for r in reports for u in r.uncertainty.values()]
    return Row(
        name=name,
        kind="layer" if name in LAYERS else "composition" if primitive is None else "primitive",
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
