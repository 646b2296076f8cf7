"""``program(f, *args)``: a function and its backward pass as a straight list of operations, to read and to run.

The function is recorded for the shapes, dtypes and Python arguments that it is called with; other ones record anew. So
does a branch that goes the other way. What it runs is bit-equal to eager, what it prints is plain NumPy.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from ..engine.details.array import to_array
from ..engine.tape import STATE
from ..engine.tensor import Tensor, accumulating, wrap
from ..errors import GraphError, OperandError, VJPError
from ..terminal.files import whole_text
from .arguments import Call, as_tensors, call_of, filled, mapped_results, names_of
from .on_tape import Saved, Variant, operation_of, results_on_tape
from .recorder import Given, record
from .simplify import simplified
from .steps import Recording, Step
from .surroundings import Surroundings
from .two_points import OtherWayError, another_point, compare
from .writing import ChangedError, compiled, printed_source

if TYPE_CHECKING:
    from .jax import JaxProgram

RECORDING = accumulating
"""Held while the Tensors that a function reads have other values and nodes for a recording.

No program may read them then, and no gradient be added to them.
"""
MOST_VARIANTS = 16
"""So many ways through the branches are kept for one signature; a function with more runs itself."""


class Program:
    """A function written out: forward and backward pass as a straight list of operations. :func:`program` makes it.

    Called on Tensors it gives Tensors, fills their ``grad`` and can stand in a larger graph; called on arrays it gives
    arrays. Under a trace or ``detect_anomaly`` the function itself runs.

    Attributes
    ----------
    source : str
        Both passes in plain NumPy, as first recorded.
    inputs : tuple of str
        What ``forward`` takes: the arguments, then what the function reads, such as parameters by their paths.
    """

    def __init__(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.function = function
        self.name = name_of(function, "program")
        self.surroundings = Surroundings(function)
        self.variants: dict[Any, list[Variant]] = {}
        self.quick: dict[bool, Variant] = {}
        self.operation = operation_of(self)
        self.recording = self.record(self.call(args, kwargs, True)).recording
        self.inputs = tuple(value.name for value in self.recording.inputs)
        self.source = printed_source(self.recording)

    def __repr__(self) -> str:
        passes = (self.recording.forward, self.recording.backward)
        forward, backward = (sum(isinstance(item, Step) for item in items) for items in passes)
        return f"<program of {self.name}: {forward} operation(s) forward, {backward} back>"

    def __str__(self) -> str:
        return self.source.rstrip()

    def _repr_html_(self) -> str:
        return f"<pre>{escape(self.source)}</pre>"

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the source to a file that runs anywhere with NumPy."""
        with whole_text(path) as file:
            file.write(self.source)

    # Using it

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return what the function returns: Tensors, or arrays if it gets and reads no Tensor."""
        state = STATE.get()
        if state.monitor is not None or state.anomaly:
            return self.function(*args, **kwargs)
        quick = self.quick.get(False)
        if quick is not None and state.recording and not kwargs and not self.surroundings.changed():
            # The usual case, without making a signature: the compiled function looks at shapes and dtypes.
            try:
                nodes, arrays = quick.opened(*args)
                results, _, saved = quick.forward(*arrays)
            except Exception:
                pass  # what does not fit, or is wrong, is found below
            else:
                return results_on_tape(self, quick, nodes, arrays, results, saved)
        with RECORDING:
            call = self.call(args, kwargs, False)
            nodes = tuple([x._node if w else None for x, w in zip(call.leaves, call.wanted, strict=True)])
        on_tensors = any(isinstance(x, Tensor) for x in call.leaves)
        if not on_tensors:
            call = self.call(args, kwargs, True)
        variant, results, saved = self.run(call)
        if variant is None:
            return results if on_tensors else mapped_results(results, lambda i, y: y.data)
        if not on_tensors:
            return results
        if True in call.wanted and True in variant.recording.flows:
            return results_on_tape(self, variant, nodes, tuple(call.arrays), results, saved)
        return mapped_results(results, lambda i, y: wrap(y, None))

    def forward(self, *args: Any, **kwargs: Any) -> tuple[Any, Saved]:
        """Return the results as arrays, and what the backward pass needs: values, and the recording they belong to.

        Arguments are those of the function, or, in the order of ``inputs``, all that it reads too.
        """
        variant = self.quick.get(True)
        if variant is not None and not kwargs and not self.surroundings.changed():
            try:
                results, _, saved = variant.forward(*args)
            except Exception:
                pass  # as above
            else:
                return results, (variant, saved)
        own = len(self.inputs) - len(self.surroundings.tensors)
        given: Sequence[Any] = ()
        if not kwargs and own < len(args) == len(self.inputs):
            args, given = args[:own], args[own:]
        call = self.call(args, kwargs, True)
        if given:
            call.arrays[own:] = [np.asarray(x) for x in given]
        variant, results, saved = self.run(call, update=False)
        if variant is None:
            raise GraphError(
                f"program: {self.name} must have no more than {MOST_VARIANTS} ways through its branches to be written "
                "out; got another one. Call the program, which runs the function itself then."
            )
        return results, (variant, saved)

    def backward(self, g: Any, saved: Saved) -> Any:
        """Return the gradients of the real-valued inputs for a cotangent, or for a tuple of them, one a result."""
        variant, values = saved
        try:
            found = variant.backward(values, *(g if type(g) is tuple else (g,)))
        except Exception:  # perhaps a list, or of another dtype
            found = variant.backward_from(g, values, self.name)
        wanted = tuple([x for x in found if x is not None])
        return wanted[0] if len(wanted) == 1 else wanted

    def vjp(self, g: Any, *args: Any) -> Any:
        """Return the gradients at some inputs: what :func:`tg.check_vjp` takes as the backward pass."""
        return self.backward(g, self.forward(*args)[1])

    def jax(self) -> JaxProgram:
        """Return both functions in JAX, compiled by ``jax.jit``, and their source; branches stay as first recorded.

        ``forward`` takes JAX arrays in the order of ``inputs``, and gives what ``backward(g, saved)`` needs too.

        Raises
        ------
        MissingExtraError
            JAX is not installed.
        InputError, OperandError
            JAX does not compute in float64 as it is set up, or has no such operation.
        """
        from .jax import in_jax  # for this only

        return in_jax(self.recording)

    # Which recording a call is for

    def call(self, args: Any, kwargs: Any, every: bool) -> Call:
        """Return a call; with ``every`` a gradient is wanted of each real-valued input but buffers."""
        if self.surroundings.values and self.surroundings.changed():
            self.surroundings = Surroundings(self.function)
            self.variants.clear()
            self.quick.clear()
        with RECORDING:
            return call_of(args, kwargs, self.surroundings, every)

    def run(self, call: Call, update: bool = True) -> tuple[Variant | None, Any, Any]:
        """Run the recording whose checks hold, or make one; the function itself where there are too many."""
        variants = self.variants.get(call.signature, ())
        for variant in variants:
            try:
                results, updates, saved = variant.forward(*call.arrays)
                break
            except ChangedError:
                continue
            except Exception:
                # The function itself says what is wrong, with operation and scope.
                filled(self.function, call, as_tensors(call))
                raise
        else:
            if len(variants) >= MOST_VARIANTS:
                return None, filled(self.function, call, as_tensors(call)), ()
            variant = self.record(call)
            results, updates, saved = variant.forward(*call.arrays)
        if update and updates:
            for path, array in zip(variant.recording.updates, updates, strict=True):
                place = self.surroundings.buffers[path]
                place.table[place.key] = wrap(array, None)
        return variant, results, saved

    def record(self, call: Call) -> Variant:
        """Record a call and compile it."""
        recording = recorded(self.function, call, self.surroundings, self.name)
        every = call.wanted == [a.dtype.kind == "f" for a in call.arrays]
        variant = Variant(call._replace(leaves=[], arrays=[]), every, recording, *compiled(recording, self.name))
        self.variants.setdefault(call.signature, []).append(variant)
        if (
            call.signature[0] == len(call.args)
            and not self.surroundings.tensors
            and True in call.wanted
            and True in recording.flows
        ):
            self.quick |= {False: variant, every: variant}
        return variant


def name_of(function: Any, who: str) -> str:
    """Return what a function or a module is called; raise if it is neither."""
    if not callable(function):
        raise OperandError(
            f"{who} must get a function or a module to record; got {type(function).__name__}. Pass f, *args."
        )
    return str(getattr(function, "__name__", type(function).__name__)).strip("<>")


def recorded(
    function: Callable[..., Any], call: Call, surroundings: Surroundings, name: str, general: bool = False
) -> Recording:
    """Return what a call's own point and another one agree on, simplified; ``general`` as in :func:`.record`."""
    surrounding = [place.value() for place in surroundings.tensors.values()]
    own = len(call.leaves) - len(surrounding)
    names = [*names_of(function, call), *surroundings.tensors]
    points = [to_array(x) for x in call.arrays]

    def at(points: Sequence[Any], seed: int) -> Recording:
        tensors = [*(wrap(a, None) for a in points[:own]), *surrounding]
        rows = [x.flags.c_contiguous for x in call.arrays]
        given = [Given(*five) for five in zip(names, points, call.wanted, tensors, rows, strict=True)]
        with surroundings.buffers_kept() as updates:
            return record(lambda: (filled(function, call, tensors), updates()), given, seed, general)

    with RECORDING:
        first = at(points, 0)
        for gently in (False, True):
            generator = np.random.default_rng(0)
            try:
                compare(first, at([another_point(a, generator, gently) for a in points], 1), name)
                break
            except (OtherWayError, ValueError, ArithmeticError, LookupError, VJPError):
                if gently:  # before, a branch may go the other way, or the function not take the values
                    raise
    return simplified(first)


def program(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Program:
    """Return a function and its backward pass written out as a list of operations, recorded once at these arguments.

    The function is run twice, at the arguments and at other values, so that what was computed outside of tg and NumPy
    is found and not frozen. Parameters of modules that it is or reads become inputs by their paths. Plain values that
    it reads in globals, objects or the environment are compared at every call; what it reads from a file is not.

    Parameters
    ----------
    function : callable
        A function of arrays or Tensors that returns a Tensor, or a tuple of them; or a module.
    args, kwargs :
        What to record it at. Arrays and Tensors are inputs; another shape, dtype or plain value records anew.

    Raises
    ------
    GraphError
        The function does not compute the same operations at both points; the error names the operation and its place.
    OperandError
        There is no function, or it returns something else than Tensors.

    Examples
    --------
    >>> import numpy as np, tinygrad_norm as tg
    >>> p = tg.program(lambda x: (x * x).sum(), np.array([1.0, 2.0, 3.0]))
    >>> print(p)
    import numpy as np
    <BLANKLINE>
    <BLANKLINE>
    def forward(x):
        y = np.sum(x * x)  # number
        return y, (x,)
    <BLANKLINE>
    <BLANKLINE>
    def backward(g, saved):
        x, = saved
        multiply = g * x    # 3
        g_x = 2 * multiply  # 3
        return g_x
    >>> p(np.array([1.0, 0.0, 2.0])), p.vjp(1.0, np.array([1.0, 0.0, 2.0]))
    (np.float64(5.0), array([2., 0., 4.]))
    """
    return Program(function, args, kwargs)
