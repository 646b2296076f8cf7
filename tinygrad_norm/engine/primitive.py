"""1. What an operation is: one declaration, which the tape, the drawing and the tests all read.

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

from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np

from ..display import SignatureWhenAsked, documentation_of
from ..errors import VJPError
from ..pytorch_names import answering
from ..samples import Sample, usual_samples
from . import complaints
from .details.array import PLAIN
from .details.saving import Rule, Saved, compile_save, inputs_of, names_of, sources_of

if TYPE_CHECKING:
    # The one knot of the engine: calling a primitive gives a Tensor, and a Tensor's operators are primitives. So
    # engine/tensor.py, which is read and imported later, puts its apply() here as it defines it.
    from .tensor import Tensor
    from .tensor import apply as apply


class Primitive:
    """An operation that the tape can differentiate. Made by :func:`primitive` or :func:`elementwise`.

    Calling it, ``multiply(x, y)``, gives a Tensor and records. :meth:`on` follows its operands instead.
    """

    __signature__ = SignatureWhenAsked()

    def __init__(
        self,
        forward: Callable[..., Any],
        vjp: Rule | tuple[Rule | None, ...],
        name: str,
        samples: Sequence[Sample],
        symbol: str,
        formula: str,
        rule: tuple[str, ...],
        elementwise: bool,
        linear: bool,
        note: str,
        native: bool,
    ) -> None:
        self.forward, self.name, self.symbol, self.formula = forward, name, symbol or name, formula
        self.rule, self.samples, self.note = rule, tuple(samples), note
        self.elementwise, self.linear, self.native = elementwise, linear, native
        self.inputs, self.variadic, self.defaults = inputs_of(forward)
        self.arity = len(self.inputs)
        self.params = tuple(self.defaults)
        self.joint = not isinstance(vjp, tuple)
        self.rules: tuple[Rule | None, ...] = vjp if isinstance(vjp, tuple) else (vjp,)
        complaints.check_declaration(self)
        sources = sources_of(self.inputs, self.params, self.variadic)
        self.saves = tuple(names_of(name, r, sources) if r else () for r in self.rules)
        self.pull_back = puller(self.rules, self.joint)
        self.save: Callable[..., Saved] = lambda *recorded: self._first_save(sources)(*recorded)
        self.__doc__ = documentation_of(self)

    def _first_save(self, sources: Mapping[str, str]) -> Callable[..., Saved]:
        # Compiled when it is first needed: it takes most of the time of a declaration.
        self.save = compile_save(self.rules, self.saves, sources, self.joint)
        return self.save

    def __repr__(self) -> str:
        return f"<primitive {self.name}: {self.formula}>" if self.formula else f"<primitive {self.name}>"

    def __call__(self, *inputs: Any, **params: Any) -> Tensor:
        """Apply the operation to Tensors, arrays or numbers; the result is a Tensor."""
        if len(inputs) != self.arity or ((params or self.params) and params.keys() != self.defaults.keys()):
            inputs, params = self.bind(inputs, params)
        return apply(self, inputs, params)

    def on(self, *inputs: Any, **params: Any) -> Any:
        """Apply the operation to what it is given: Tensors give a Tensor, plain arrays an array.

        This is the form for use inside a VJP, which runs on arrays at first order and on Tensors when the
        backward pass is itself recorded.
        """
        inputs, params = self.bind(inputs, params)
        for x in inputs:
            if type(x) is not np.ndarray and hasattr(x, "__array_ufunc__") and not isinstance(x, PLAIN):
                return apply(self, inputs, params)
        return self.forward(*inputs, **params)

    def bind(self, inputs: tuple[Any, ...], params: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Split a call's arguments into inputs and a full set of parameters."""
        if not self.variadic and len(inputs) != self.arity:
            extra = inputs[self.arity :]
            if len(inputs) < self.arity or len(extra) > len(self.params):
                raise complaints.wrong_operands(self, len(inputs))
            params = {**dict(zip(self.params, extra, strict=False)), **params}
            inputs = inputs[: self.arity]
        if not params:
            return inputs, self.defaults.copy()
        if not params.keys() <= self.defaults.keys():
            raise complaints.unknown_parameters(self, params)
        return inputs, {**self.defaults, **params}

    def flows_to(self, i: int) -> bool:
        """Return whether a cotangent flows to input ``i``."""
        return self.joint or self.rules[i] is not None

    def named(self, saved: Saved) -> Iterable[tuple[str, Any]]:
        """Yield what was saved with the name that a rule gives it."""
        for names, values in zip(self.saves, [saved] if self.joint else saved, strict=True):
            if values is not None:
                yield from zip(names, values, strict=True)

    def changed(self, saved: Saved, change: Callable[[str, Any], Any]) -> Saved:
        """Return what was saved with ``change(name, value)`` in the place of each value."""
        if self.joint:
            return tuple(map(change, self.saves[0], saved))
        rules = zip(self.saves, saved, strict=True)
        return tuple(None if values is None else tuple(map(change, names, values)) for names, values in rules)


def puller(rules: tuple[Rule | None, ...], joint: bool) -> Callable[[Any, Saved], Any]:
    """Return the function that asks the rules: from ḡ and what was saved to the cotangent of each input, or None.

    It runs for every operation of a backward pass, so that the usual forms are written out.
    """
    if joint:
        rule = rules[0]
        assert rule is not None
        return lambda g, saved: rule(g, *saved)
    if len(rules) == 2:
        one, two = cast(tuple[Rule, Rule], rules)  # for a rule that is None nothing is saved
        return lambda g, saved: (
            None if saved[0] is None else one(g, *saved[0]),
            None if saved[1] is None else two(g, *saved[1]),
        )
    return lambda g, saved: tuple(
        None if rule is None or values is None else rule(g, *values) for rule, values in zip(rules, saved, strict=True)
    )


PRIMITIVES: dict[str, Primitive] = {}
NUMPY: dict[Callable[..., Any], Callable[..., Any]] = {}
"""For a NumPy function or ufunc, the function of ours that does the same on Tensors."""
LATE: list[str] = []
"""Modules with further operations, which are loaded when a function of NumPy's is met that none of those here is."""


def load_late() -> None:
    """Load the operations that wait in :data:`LATE`: for a function that nothing knows yet, and for who lists all."""
    for module in tuple(LATE):  # emptied last: a second thread must wait for the import too
        import_module(module)
    LATE.clear()


FUNCTIONS: dict[str, Callable[..., Any]] = {}
"""Primitives and what is composed of them, by name: no second one may take it."""

F = TypeVar("F", bound=Callable[..., Any])


def composition(*numpy_functions: Callable[..., Any]) -> Callable[[F], F]:
    """Register a function composed of primitives under its name, and as what these NumPy functions do."""

    def register(function: F) -> F:
        function = answering(function)
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
    symbol: str = "",
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
    package = __name__.partition(".")[0]
    native = bool(rules) and all(str(getattr(r, "__module__", "")).startswith(package) for r in rules)
    if not native:  # all names must be known, so that none is taken twice
        load_late()
    if not name.isidentifier() or (name in FUNCTIONS and (name not in PRIMITIVES or PRIMITIVES[name].native)):
        raise VJPError(complaints.NAME_TAKEN.format(name))
    made = Primitive(forward, vjp, name, samples, symbol, formula, rule, elementwise, linear, note, native)
    PRIMITIVES[name] = FUNCTIONS[name] = made
    if isinstance(forward, np.ufunc):
        # np.exp(t) stays what it is when a learner declares another exp; their own they may declare anew.
        taken = NUMPY.get(forward)
        if taken is None or (isinstance(taken, Primitive) and not taken.native):
            NUMPY[forward] = made
    for function in numpy:
        NUMPY[function] = made
    return made


def elementwise(
    forward: Callable[..., Any],
    *,
    domain: str | tuple[str, ...] = "any",
    samples: Sequence[Sample] | None = None,
    **declaration: Any,
) -> Primitive:
    """Declare a broadcasting operation: :func:`primitive` with ``elementwise=True``.

    Without ``samples`` it is tested at the usual shapes, with numbers from ``domain``, one for all inputs or one each.
    """
    usual = usual_samples(len(inputs_of(forward)[0]), domain) if samples is None else samples
    return primitive(forward, elementwise=True, samples=usual, **declaration)
