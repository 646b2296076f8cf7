"""The form that the transforms are made of: gradients of results that are on the tape, by any Tensors before them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, overload

import numpy as np

from ..errors import GraphError, OperandError, ShapeError
from ..sweep import seed_for
from ..tape import Node
from ..tensor import Tensor, as_tensor, sweep_from, wrap


@overload
def gradients(
    outputs: Tensor | Sequence[Tensor], inputs: Tensor, cotangents: Any = None, create_graph: bool = False
) -> Tensor: ...
@overload
def gradients(
    outputs: Tensor | Sequence[Tensor], inputs: Sequence[Tensor], cotangents: Any = None,
    create_graph: bool = False,
) -> tuple[Tensor, ...]: ...  # fmt: skip
def gradients(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    cotangents: Any = None,
    create_graph: bool = False,
) -> Tensor | tuple[Tensor, ...]:
    """Return the gradients of Σ ⟨ȳ, y⟩ by the inputs, without touching any ``.grad``.

    Parameters
    ----------
    outputs : Tensor or sequence of Tensors
    inputs : Tensor or sequence of Tensors
        Leaves or results on the way; one in, one out, a sequence gives a tuple. One that no output
        depends on gets zeros.
    cotangents : array or sequence of arrays, optional
        ȳ for each output, of its shape; 1 for a single number when left out.
    create_graph : bool
        Record the computation, so that the gradients can be differentiated again. The graph is kept in any case.

    Raises
    ------
    GraphError
        An input requires no gradient, or an output is not a single number and has no cotangent.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> x = tg.Tensor(3.0, requires_grad=True)
    >>> slope = tg.gradients(x**3, x, create_graph=True)
    >>> slope.item(), tg.gradients(slope, x).item()
    (27.0, 18.0)
    """
    single = isinstance(inputs, Tensor)
    wanted = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    ends = results_of(outputs, "gradients")
    if cotangents is None:
        seeds: list[Any] = [None] * len(ends)
    elif isinstance(outputs, Tensor):
        seeds = [cotangents]
    else:
        seeds = list(cotangents)
    if len(seeds) != len(ends):
        raise ShapeError(
            f"there must be one cotangent for each of the {len(ends)} output(s); got {len(seeds)}. "
            "Pass a sequence of that length."
        )
    nodes = [node_of(x, i) for i, x in enumerate(wanted)]
    # A cotangent that does not fit is an error also where the output depends on nothing.
    given = [
        (y._node, seed_for(None if seed is None else as_tensor(seed), y.shape, y.dtype))
        for y, seed in zip(ends, seeds, strict=True)
        if y._node is not None or seed is not None
    ]
    starts = [(node, seed) for node, seed in given if node is not None]
    found = sweep_from(starts, create_graph=create_graph, targets=nodes)
    result = tuple(
        in_dtype(found[n], x) if n in found else wrap(np.zeros(x.shape, x.dtype), None)
        for x, n in zip(wanted, nodes, strict=True)
    )
    return result[0] if single else result


def results_of(y: Any, name: str) -> list[Tensor]:
    """Return a function's result, or its results, as a list; raise unless they are Tensors."""
    ends = list(y) if isinstance(y, (tuple, list)) else [y]
    for end in ends:
        if not isinstance(end, Tensor):
            raise OperandError(
                f"{name} must get a Tensor, or a tuple of them, to differentiate; got {type(end).__name__}. "
                "Compute it with tg functions."
            )
    return ends


def node_of(x: Tensor, i: int) -> Node:
    """Return an input's node, or raise."""
    if not isinstance(x, Tensor) or x._node is None:
        raise GraphError(
            f"input {i} must be a Tensor that requires a gradient; got {x!r}. Make it with requires_grad=True before "
            "the outputs are computed."
        )
    return x._node


def in_dtype(found: Any, x: Tensor) -> Tensor:
    """Return a gradient that the sweep found as a Tensor, in the dtype of what it is the gradient of."""
    gradient = found if isinstance(found, Tensor) else wrap(found, None)
    return gradient if gradient.dtype == x.dtype else gradient.astype(x.dtype)
