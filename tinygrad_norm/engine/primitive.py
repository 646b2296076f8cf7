"""What an operation is: one declaration, which the tape, the drawing and the tests all read.

``primitive(forward, vjp=...)`` declares an operation, ``elementwise(...)`` one that broadcasts;
``PRIMITIVES`` holds them all by name. The one idea: **the VJP's parameter names are its contract**.
The tape looks at them and saves exactly what the rule names, so a rule that needs little costs little.

======================= ======================================================================
a VJP's parameter       what it receives
======================= ======================================================================
``g`` (always first)    the cotangent ḡ of the result: the gradient of the final scalar by it
``out``                 the result itself
``x`` (an input's name) that input's array
``x_shape``             only the shape of that input
``axis`` (a parameter)  that keyword parameter of the forward function
======================= ======================================================================

Inputs are the forward function's positional-only parameters (those before ``/``), or its ``*xs``; for a
NumPy ufunc they are called ``x`` and ``y``. All other parameters are constants of the operation.

A VJP is either *one function* that returns a tuple with a cotangent for each input, or a *tuple of
functions*, one for each input (None for an input that has no gradient). Write a tuple where an input often needs no
gradient: only the rules that are needed run, and only what they name is saved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar, TypeVar

import numpy as np

from ..errors import OperandError, VJPError
from .details.array import PLAIN
from .details.samples import Sample
from .details.saving import Rule, compile_save, names_of, signature_of, sources_of


class Primitive:
    """An operation that the tape can differentiate. Made by :func:`primitive` or :func:`elementwise`.

    Calling it, ``multiply(x, y)``, gives a Tensor and records. :meth:`on` follows its operands instead.
    """

    __slots__ = (
        "arity", "defaults", "elementwise", "formula", "forward", "inputs", "joint", "linear", "name", "native", "note",
        "params", "rule", "rules", "samples", "save", "saves", "symbol", "variadic",
    )  # fmt: skip

    interpreter: ClassVar[Callable[[Primitive, Sequence[Any], dict[str, Any]], Any]]
    """How a primitive is applied to Tensors. Set once, by the module that knows what a Tensor is."""

    def __init__(
        self,
        forward: Callable[..., Any],
        vjp: Rule | tuple[Rule | None, ...],
        *,
        name: str,
        symbol: str,
        formula: str,
        rule: tuple[str, ...],
        samples: Sequence[Sample],
        elementwise: bool,
        linear: bool,
        note: str,
        native: bool,
    ) -> None:
        self.forward, self.name, self.symbol, self.formula = forward, name, symbol, formula
        self.rule, self.samples, self.note = rule, tuple(samples), note
        self.elementwise, self.linear, self.native = elementwise, linear, native
        inputs, self.variadic, self.defaults = signature_of(forward)
        self.arity = len(inputs)
        self.params = tuple(self.defaults)
        if not self.samples:
            raise VJPError(
                f"primitive {name!r} must come with at least one sample to be tested at; got none. "
                "Pass samples=[tg.sample((3, 5))], with one shape for each input."
            )
        self.joint = None if isinstance(vjp, tuple) else vjp
        self.rules = vjp if isinstance(vjp, tuple) else (vjp,)
        for point in self.samples:
            if (
                not self.variadic and len(point.shapes) != self.arity
            ) or not self.defaults.keys() >= point.params.keys():
                raise VJPError(
                    f"every sample of primitive {name!r} must have {self.arity} shape(s) and parameters out of "
                    f"({', '.join(self.params)}); got {point}. Write tg.sample(shape, ..., parameter=value)."
                )
        if self.joint is None and len(self.rules) != self.arity:
            raise VJPError(
                f"primitive {name!r} must have one rule for each of its {self.arity} inputs; "
                f"got {len(self.rules)}. Use None for an input without a gradient."
            )
        self.inputs = inputs
        sources = sources_of(inputs, self.params, self.variadic)
        self.saves = tuple(names_of(name, r, sources) if r else () for r in self.rules)
        self.save = compile_save(self.rules, self.saves, sources, self.joint is not None)

    def __repr__(self) -> str:
        return f"<primitive {self.name}: {self.formula}>" if self.formula else f"<primitive {self.name}>"

    def __call__(self, *inputs: Any, **params: Any) -> Any:
        """Apply the operation to Tensors, arrays or numbers; the result is a Tensor."""
        return Primitive.interpreter(self, *self.bind(inputs, params))

    def on(self, *inputs: Any, **params: Any) -> Any:
        """Apply the operation to what it is given: Tensors give a Tensor, plain arrays an array.

        This is the form for use inside a VJP, which runs on arrays at first order and on Tensors when the
        backward pass is itself recorded.
        """
        inputs, params = self.bind(inputs, params)
        for x in inputs:
            if type(x) is not np.ndarray and hasattr(x, "__array_ufunc__") and not isinstance(x, PLAIN):
                return Primitive.interpreter(self, inputs, params)
        return self.forward(*inputs, **params)

    def bind(self, inputs: tuple[Any, ...], params: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Split a call's arguments into inputs and a full set of parameters."""
        if not self.variadic and len(inputs) != self.arity:
            extra = inputs[self.arity :]
            if len(inputs) < self.arity or len(extra) > len(self.params):
                raise OperandError(
                    f"{self.name} takes {self.arity} input(s)"
                    + (f" and the parameters {', '.join(self.params)}" if self.params else "")
                    + f"; got {len(inputs)} positional argument(s). See help(tg.{self.name})."
                )
            params = {**dict(zip(self.params, extra, strict=False)), **params}
            inputs = inputs[: self.arity]
        if not params:
            return inputs, self.defaults.copy()
        unknown = params.keys() - self.defaults.keys()
        if unknown:
            raise OperandError(
                f"{self.name} takes the parameters ({', '.join(self.params)}); "
                f"got {', '.join(sorted(unknown))}. Leave them out: a Tensor supports no more here."
            )
        return inputs, {**self.defaults, **params}


PRIMITIVES: dict[str, Primitive] = {}
FUNCTIONS: dict[str, Callable[..., Any]] = {}
"""Primitives and compositions by name: where a Tensor's methods look up what they call."""
NUMPY: dict[Callable[..., Any], Callable[..., Any]] = {}
"""For a NumPy function or ufunc, the function of ours that does the same on Tensors."""

F = TypeVar("F", bound=Callable[..., Any])


def composition(*numpy_functions: Callable[..., Any]) -> Callable[[F], F]:
    """Register a function composed of primitives under its name, and as what these NumPy functions do."""

    def register(function: F) -> F:
        FUNCTIONS[function.__name__.strip("_")] = function
        for numpy_function in numpy_functions:
            NUMPY[numpy_function] = function
        return function

    return register


def primitive(
    forward: Callable[..., Any],
    *,
    vjp: Rule | tuple[Rule | None, ...],
    samples: Sequence[Sample],
    name: str | None = None,
    symbol: str | None = None,
    formula: str = "",
    rule: tuple[str, ...] = (),
    elementwise: bool = False,
    linear: bool = False,
    note: str = "",
    numpy: Sequence[Callable[..., Any]] = (),
) -> Primitive:
    """Declare an operation and return it, ready to be called on Tensors.

    Parameters
    ----------
    forward : a NumPy ufunc, or a function ``f(x, y, /, param=default)`` of arrays; what it returns belongs to the tape
        and becomes read-only, so let it be a new array or a view of an input, not one that you keep
    vjp : one function ``(g, ...) -> tuple`` or a tuple of functions, one for each input; see the module
    samples : where to test it; see :func:`sample`
    name, symbol, formula, rule : what errors, drawings and lessons show; one string of ``rule`` an input
    elementwise : the operation broadcasts, and the sweep sums each cotangent back to its input's shape
    linear : the operation is linear in its inputs, so its VJP is tested as an exact adjoint
    note : ties and kinks: what the gradient is where the function has none
    numpy : the NumPy functions that shall call this primitive when they are given a Tensor

    Examples
    --------
    >>> import numpy as np, tinygrad_norm as tg
    >>> cube = tg.primitive(lambda x, /: x**3, vjp=lambda g, x: (g * 3 * x**2,), name="cube",
    ...                     samples=[tg.sample((2, 3))], elementwise=True)
    >>> tg.grad(cube)(2.0).item()
    12.0
    """
    name = name or getattr(forward, "__name__", "").strip("_")
    rules = [r for r in vjp if r is not None] if isinstance(vjp, tuple) else [vjp]
    native = bool(rules) and all(
        str(getattr(r, "__module__", "")).startswith(__name__.partition(".")[0]) for r in rules
    )
    if not name.isidentifier() or (name in FUNCTIONS and (name not in PRIMITIVES or PRIMITIVES[name].native)):
        raise VJPError(
            f"a primitive must have a name of its own; got {name!r}, which is a function of the package or no name "
            f"at all. "
            "Pass another name=."
        )
    made = Primitive(
        forward, vjp, name=name, symbol=symbol or name, formula=formula, rule=rule, samples=samples,
        elementwise=elementwise, linear=linear, note=note, native=native,
    )  # fmt: skip
    PRIMITIVES[name] = FUNCTIONS[name] = made
    if isinstance(forward, np.ufunc):
        # np.exp(t) stays what it is when a learner declares another exp; their own they may declare anew.
        taken = NUMPY.get(forward)
        if taken is None or (isinstance(taken, Primitive) and not taken.native):
            NUMPY[forward] = made
    for function in numpy:
        NUMPY[function] = made
    return made


def elementwise(forward: Callable[..., Any], **declaration: Any) -> Primitive:
    """Declare a broadcasting operation: :func:`primitive` with ``elementwise=True``."""
    return primitive(forward, elementwise=True, **declaration)


def each_sample() -> Iterator[tuple[Primitive, Sample]]:
    """Yield every primitive with each of its samples: what the tests and the check command run over."""
    for made in PRIMITIVES.values():
        for point in made.samples:
            yield made, point
