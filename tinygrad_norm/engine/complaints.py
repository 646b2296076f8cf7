"""What the engine says when it cannot go on: what must hold, what came, what to do.

Every function returns the error for one fault, so that ``raise complaints.released(node)`` leaves the code short; the
few that look for the fault themselves are called ``check_...``; a text that needs no more than its gaps filled is a
constant. What an operation refuses stands with the operation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import (
    AnomalyError,
    GraphReleasedError,
    IndexRangeError,
    InputError,
    OperandError,
    ShapeError,
    TinygradNormError,
    VJPError,
)
from ..pytorch_names import keyword_hint, kind_of

if TYPE_CHECKING:
    from .primitive import Primitive
    from .tape import Node, Scope


LEFT_ALONE = (MemoryError, RecursionError, Warning)
"""What is not a fault of the operation in which it is raised."""
LONGEST_VALUE = 60

NAME_TAKEN = (
    "a primitive must have a name of its own; got {!r}, which is a function of the package or no name at all. "
    "Pass another name=."
)
WRONG_RESULT = "the forward function of {}{} must return an array of numbers; got dtype {}. Does it end without return?"
NO_GRADIENT = (
    "backward() must start from a Tensor that depends on one with requires_grad=True; got {!r}, which was {}. {}"
)
WRONG_KIND = "an in-place operator must keep the dtype {}; got values of {}. Write x = x / y, or use astype."
NO_GRAPH = "{} must be differentiated along a graph; got {!r}, which was {}. {}"
NO_ASSIGNMENT = (
    "{} must not change a leaf that requires a gradient while operations are recorded; got {!r}. "
    "Write it inside with tg.no_grad():, or make a new Tensor, as in y = x + 1."
)
NO_COTANGENT = (
    "a backward pass without a cotangent must start from a single number; got shape {}. "
    "Sum or average it to a loss, or pass a cotangent of that shape (gradient= or cotangents=)."
)
WRONG_COTANGENT = "the cotangent of a result must have its shape {}; got {}. Reshape or broadcast it."
WRONG_GRAD = "grad must be None or a Tensor of shape {} on a Tensor that requires a gradient; got {!r}."
NO_LEAF = "requires_grad can be set on a leaf of floating-point numbers; got {!r}. Use detach() or astype(float) first."
NOTHING_TO_RETAIN = (
    "retain_grad() must be called on a Tensor that requires a gradient; got {!r}. "
    "Make an input of it with requires_grad=True."
)
NO_LEAF_TO_COPY = "a Tensor to be pickled or deep-copied must be a leaf; got the result of {!r}. Use detach() first."
NO_INDEX = "an index must be an integer of shape (); got {} of shape {}. Use int(t)."
NOT_ONE_ITEM = "item() must get a Tensor with one entry; got shape {}. Index it, or use tolist()."
NO_TRUTH_VALUE = "a truth value must come from one entry; got shape {}. Use .any() or .all()."
WRONG_DATA = "new data must go to a leaf and have its shape {}; got shape {} for {}. Make a new Tensor instead."

ENDED = {
    "no_grad": ("computed under no_grad", "Compute it outside, or in a block with tg.enable_grad()."),
    "create_graph": ("made by a backward pass that was not recorded", "Pass create_graph=True there."),
    "detach": ("detached", "Use the Tensor before detach()."),
    "integers": ("of integers or booleans, which have no derivative", "Differentiate what they were computed from."),
    "values": ("computed from plain values", "Make its inputs with requires_grad=True, and compute with tg functions."),
}
"""Why a Tensor has no graph, and what to do."""


def where(scope: Scope | None) -> str:
    """Return `` in encoder.attention``, or nothing outside every named scope."""
    path = scope.path if scope is not None else ""
    return f" in {path}" if path else ""


# A declaration


def check_declaration(made: Primitive) -> None:
    """Raise unless a primitive has samples that fit its inputs, and a rule for each input."""
    if not made.samples:
        raise VJPError(
            f"primitive {made.name!r} must come with at least one sample to be tested at; got none. "
            "Pass samples=[tg.sample((3, 5))], with one shape for each input."
        )
    for point in made.samples:
        fits = made.variadic or len(point.shapes) == made.arity
        if not fits or not made.defaults.keys() >= point.params.keys():
            raise VJPError(
                f"every sample of primitive {made.name!r} must have {made.arity} shape(s) and parameters out of "
                f"({', '.join(made.params)}); got {point}. Write tg.sample(shape, ..., parameter=value)."
            )
    if not made.joint and len(made.rules) != made.arity:
        raise VJPError(
            f"primitive {made.name!r} must have one rule for each of its {made.arity} inputs; "
            f"got {len(made.rules)}. Use None for an input without a gradient."
        )


# A call


def wrong_operands(made: Primitive, given: int) -> OperandError:
    """Return the error for a call with too few or too many operands."""
    parameters = f" and the parameters {', '.join(made.params)}" if made.params else ""
    return OperandError(
        f"{made.name} takes {made.arity} input(s){parameters}; got {given} positional argument(s). "
        f"See help(tg.{made.name})."
    )


def no_operand(made: Primitive, given: Any) -> OperandError:
    """Return the error for an operand that is no array."""
    remedy = "Wrap it in tg.Tensor(...) if it holds numbers."
    if given is None:
        remedy = "Look whether the function that it comes from ends without return."
    return OperandError(f"{made.name} must get numbers, arrays or Tensors; got {kind_of(given)}. {remedy}")


def unknown_parameters(made: Primitive, params: Mapping[str, Any]) -> OperandError:
    """Return the error for a call with parameters that the operation does not have."""
    return OperandError(
        f"{made.name} takes the parameters ({', '.join(made.params)}); "
        f"got {', '.join(sorted(params.keys() - made.defaults.keys()))}."
        + (keyword_hint(params) or " Leave them out: a Tensor supports no more here.")
    )


def forward_failed(
    error: Exception, made: Primitive, arrays: Sequence[Any], params: Mapping[str, Any], scope: Scope | None
) -> TinygradNormError:
    """Return a forward function's error with the operation, its place, and the shapes it got."""
    prefix = f"{made.name}{where(scope)}"
    if isinstance(error, TinygradNormError):
        return type(error)(f"{prefix}: {error}")
    if params.keys() != made.defaults.keys():  # from a method, which passes on whatever else it was given
        return unknown_parameters(made, params)
    kinds: dict[type[Exception], type[TinygradNormError]] = {
        np.exceptions.AxisError: ShapeError,
        np.linalg.LinAlgError: InputError,
        TypeError: OperandError,
        IndexError: IndexRangeError,
        ValueError: ShapeError,
        FloatingPointError: AnomalyError,
    }
    kind = next((ours for base, ours in kinds.items() if isinstance(error, base)), InputError)
    shapes = " and ".join(str(np.shape(a)) for a in arrays) or "no input"
    given = "".join(f", {k}={shortened(v)}" for k, v in params.items() if v is not None and k != "index")
    reason = str(error).strip().rstrip(".").split("\n")[0]
    if not isinstance(error, (ValueError, TypeError, IndexError, ArithmeticError)):
        reason = f"{type(error).__name__}: {reason}"
    if isinstance(error, OverflowError):
        hint = "Every number must fit the dtype."
    elif made.elementwise and "broadcast" in reason:
        hint = "Shapes broadcast when they are equal, or 1, counted from the last axis."
    elif made.elementwise and kind in (ShapeError, OperandError):
        kind = InputError if kind is ShapeError else kind
        hint = f"Look at the values, and at the dtypes {' and '.join(str(np.asarray(a).dtype) for a in arrays)}."
    elif made.name in ("getitem", "scatter_add"):
        hint = "An index counts from 0 or from −1 backwards; a boolean one has the shape it picks from."
    elif made.native:
        hint = f"See help(tg.{made.name})."
    else:
        hint = "Correct the forward function, or the values that it meets."
    if "read-only" in reason:
        hint = "What a forward function receives belongs to the tape: return a new array."
    return kind(f"{prefix}: the inputs must fit together; got shapes {shapes}{given}: {reason}. {hint}")


def shortened(value: Any) -> str:
    """Return how a value is written, cut where it is long."""
    try:
        text = repr(value)
    except ValueError:  # an integer of more digits than Python writes
        return "a huge number"
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"


def check_forward(made: Primitive, arrays: Sequence[Any], out: Any, scope: Scope | None) -> None:
    """Raise where an operation made a NaN or an infinity that was not in its inputs."""
    for what, test in (("a NaN", np.isnan), ("an infinity", np.isinf)):
        if np.any(test(out)) and not any(
            np.any(~np.isfinite(a)) if what == "an infinity" else np.any(np.isnan(a)) for a in arrays
        ):
            at = tuple(int(i) for i in np.argwhere(test(np.asarray(out)))[0])
            raise AnomalyError(
                f"{made.name}{where(scope)}: every value must be finite; {what} appeared at index {at} of the "
                f"result, shape {out.shape}. Look at the inputs of this operation: a zero divisor, the log of zero, "
                "an overflow?"
            )


# A backward pass


def released(node: Node) -> GraphReleasedError:
    """Return the error for a node whose saved arrays are gone."""
    return GraphReleasedError(
        f"the graph of {operation(node)} must still hold its saved arrays; an earlier "
        "backward() released them. Call that one with retain_graph=True, or compute the result anew."
    )


def rule_failed(error: Exception, node: Node) -> TinygradNormError:
    """Return a rule's error with the operation, its place, and the shapes of its inputs."""
    if isinstance(error, TinygradNormError):
        return type(error)(f"in the VJP of {operation(node)}: {error}")
    shapes = " and ".join(map(str, node.shapes))
    reason = f"{type(error).__name__}: {error}".rstrip(".")
    kind = AnomalyError if isinstance(error, FloatingPointError) else VJPError
    if "read-only" in reason:
        remedy = "What a rule receives belongs to the tape: write g * 2, not g *= 2."
    else:
        remedy = "Correct the rule, or the values that it meets."
    return kind(
        f"the VJP of {operation(node)} must return cotangents for inputs of shape {shapes}; got {reason}. {remedy}"
    )


def wrong_count(node: Node, given: Any) -> VJPError:
    """Return the error for a VJP whose result is not one cotangent for each input."""
    got = f"a tuple of {len(given)}" if type(given) is tuple else f"a {type(given).__name__}"
    return VJPError(
        f"the VJP of {operation(node)} must return a tuple with one cotangent for each of its "
        f"{len(node.parents)} input(s); got {got}. For one input write (cotangent,)."
    )


def wrong_shape(node: Node, i: int, got: tuple[int, ...]) -> VJPError:
    """Return the error for a cotangent that has not the shape of its input."""
    return VJPError(
        f"the VJP of {operation(node)} must return a cotangent of shape {node.shapes[i]} for input {i}; "
        f"got {got}. Correct the rule: nothing is summed or stretched for it."
    )


def check_backward(g: Any, cotangent: Any, node: Node, i: int) -> None:
    """Raise where a rule turned a finite cotangent into a NaN or an infinity."""
    if np.all(np.isfinite(g)) and not np.all(np.isfinite(cotangent)):
        rules = node.primitive.rule if node.primitive else ()
        raise AnomalyError(
            f"{operation(node)}: every gradient must be finite; the backward rule for input {i} "
            f"{rules[i] if i < len(rules) else ''} made a NaN or an infinity from a finite "
            f"cotangent of shape {g.shape}. Look at that input's values: a zero under a root, log or division?"
        )


def operation(node: Node) -> str:
    """Return the name of a node's primitive and where it was applied."""
    return f"{node.primitive.name if node.primitive else 'a leaf'}{where(node.scope)}"
