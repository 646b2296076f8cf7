"""How a primitive is applied to Tensors: compute, record if a gradient is wanted, explain what went wrong.

:func:`apply` is the one way in: it is what calling a primitive does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .array import Shape, to_array
from .errors import (
    AnomalyError,
    IndexRangeError,
    InputError,
    OperandError,
    ShapeError,
    TinygradNormError,
)  # fmt: skip
from .primitive import Primitive
from .state import STATE, Scope, where
from .tape import Node
from .tensor import Tensor

NUMBERS = frozenset({int, float, bool})
NO_PARAMETERS: dict[str, Any] = {}
# Looked up once, as apply() runs for every operation.
new, ndarray = object.__new__, np.ndarray


def apply(primitive: Primitive, inputs: Sequence[Any], params: dict[str, Any]) -> Tensor:
    """Compute a primitive and record it if a gradient is wanted of any input."""
    recording, scope, anomaly, monitor = STATE.get()
    arrays: list[Any] = []
    nodes: list[Node | None] = []
    shapes: list[Shape] = []
    tracked = False
    for x in inputs:
        if isinstance(x, Tensor):
            array = x._array
            node = x._node
            if node is not None:
                tracked = True
            nodes.append(node)
            shapes.append(array.shape)
        else:
            # A Python number stays one, so that it never widens a float32.
            array = x if type(x) in NUMBERS and primitive.elementwise else operand(x, primitive)
            nodes.append(None)
            shapes.append(() if array is x else array.shape)
        arrays.append(array)
    try:
        out = primitive.forward(*arrays, **params) if params else primitive.forward(*arrays)
    except (ValueError, TypeError, IndexError, TinygradNormError) as error:
        if monitor is not None:
            monitor.failed(error, primitive, inputs, params, scope)
        raise explained(error, primitive, arrays, params, scope) from error
    if type(out) is not ndarray and not isinstance(out, np.generic):
        out = np.asarray(out)
    result: Tensor = new(Tensor)
    result._array = out
    result._name = result._node = None
    if tracked and recording and out.dtype.kind == "f":
        in_shapes = tuple(shapes)
        saved = primitive.save(out, arrays, in_shapes, params, nodes)
        result._node = Node(primitive, tuple(nodes), in_shapes, params or NO_PARAMETERS, saved, scope)
    if anomaly:
        check_forward(primitive, arrays, out, scope)
    if monitor is not None:
        monitor.recorded(result, primitive, inputs, params, scope)
    return result


def operand(x: Any, primitive: Primitive) -> Any:
    """Return an operand that is not a Tensor as a private array."""
    if isinstance(x, np.generic) and x.dtype.kind in "fiub":
        return x
    if isinstance(x, (np.ndarray, list, tuple, int, float, bool, np.generic)):
        return to_array(x)
    raise OperandError(
        f"{primitive.name} must get numbers, arrays or Tensors; got {type(x).__name__}. "
        "Wrap it in tg.Tensor(...) if it holds numbers."
    )


def explained(
    error: Exception,
    primitive: Primitive,
    arrays: Sequence[Any],
    params: Mapping[str, Any],
    scope: Scope | None,
) -> TinygradNormError:
    """Return a forward function's error with the operation, its place, and the shapes it got."""
    prefix = f"{primitive.name}{where(scope)}"
    if isinstance(error, TinygradNormError):
        return type(error)(f"{prefix}: {error}")
    kinds: dict[type[Exception], type[TinygradNormError]] = {
        np.exceptions.AxisError: ShapeError,
        TypeError: OperandError,
        IndexError: IndexRangeError,
        ValueError: ShapeError,
    }
    kind = next((ours for base, ours in kinds.items() if isinstance(error, base)), InputError)
    shapes = " and ".join(str(np.shape(a)) for a in arrays) or "no input"
    given = "".join(f", {k}={v!r}" for k, v in params.items() if v is not None and k != "index")
    if primitive.elementwise:
        hint = "Shapes broadcast when they are equal, or 1, counted from the last axis."
    elif primitive.name in ("getitem", "scatter_add"):
        hint = "An index counts from 0 or from −1 backwards; a boolean one has the shape it picks from."
    else:
        hint = f"See help(tg.{primitive.name})."
    reason = str(error).strip().rstrip(".").split("\n")[0]
    return kind(f"{prefix}: the inputs must fit together; got shapes {shapes}{given}: {reason}. {hint}")


def check_forward(primitive: Primitive, arrays: Sequence[Any], out: Any, scope: Scope | None) -> None:
    """Raise where an operation made a NaN or an infinity that was not in its inputs."""
    for what, test in (("a NaN", np.isnan), ("an infinity", np.isinf)):
        if np.any(test(out)) and not any(
            np.any(~np.isfinite(a)) if what == "an infinity" else np.any(np.isnan(a)) for a in arrays
        ):
            at = tuple(int(i) for i in np.argwhere(test(np.asarray(out)))[0])
            raise AnomalyError(
                f"{primitive.name}{where(scope)}: every value must be finite; {what} appeared at index {at} of the "
                f"result, shape {out.shape}. Look at the inputs of this operation: a zero divisor, the log of zero, "
                "an overflow?"
            )
