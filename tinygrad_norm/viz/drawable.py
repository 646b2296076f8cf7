"""What can be drawn: a Tensor, a trace, or a module or function with its inputs.

Of a Tensor the tape still knows the operations and what they saved; of a trace everything is known; a module or
function is run once, under a trace of its own, and left as it was.
"""

from __future__ import annotations

import inspect
import math
import os
import sys
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from types import FrameType
from typing import Any, Literal

import numpy as np

from ..engine.tensor import Tensor
from ..errors import InputError, OperandError, TinygradNormError
from ..random import generator
from ..transforms import gradients as gradients_of
from .dot_labels import Style
from .drawing import Drawing
from .fold import Depth, fold
from .frames import PACKAGE, key_of
from .graph_as_dot import WITH_NUMBERS, Direction
from .layouts import PLACES, Size
from .other_engines import Field, Fields, run_of_objects
from .recorded_run import Run, run_of_tensor, run_of_trace
from .theme import Theme
from .trace import trace
from .view_of_run import MOST_WITH_VALUES, Shown, view_of_run

FEWER = (14, 9, 5)
"""Where a drawing is too large for its place, so many boxes are tried."""
MANY = 5000
"""The numbers of a run of so many operations can still be had for the few boxes that are seen."""


def draw(
    target: Any,
    *inputs: Any,
    values: bool | None = None,
    gradients: Any = "auto",
    depth: Depth = "auto",
    focus: str | None = None,
    open: str | Sequence[str] = (),
    style: Literal["auto"] | Style = "auto",
    size: Size | None = None,
    font_size: float | None = None,
    direction: Direction = "auto",
    theme: Theme = "auto",
    force: bool = False,
    mask: Any = None,
    report: Any = None,
    renderer: str | None = None,
    parents: Field = None,
    operation: Field = None,
    value: Field = None,
    gradient: Field = None,
    name: Field = None,
    local: Field = None,
) -> Drawing:
    """Return the :class:`Drawing` of the graph of a Tensor, a trace, a module or function, or another engine's result.

    Parameters
    ----------
    target : Tensor, trace, module, function, or any object with ``parents=``
        A Tensor shows what its tape still knows, a trace all that happened. A module or function is run once on
        ``inputs`` and left as it was: no ``.grad``, no buffer and no random state changes.
    *inputs : Tensors, arrays, numbers
        Numbers, lists and floating-point arrays get a gradient; integer arrays and Tensors stay as they are.
    gradients : bool, "auto" or array
        For a function: whether to run backward. "auto": if the result is a single number; True: also from an array,
        with a fixed random cotangent; an array: with that cotangent.
    values, force : bool
        Show the numbers (left out: of up to 500 operations and 60 visible nodes); lay out more than 2000 visible nodes.
    depth : int, None or "auto"
        How many levels of modules and compositions are open; None opens all; "auto" opens as many as keep about 20
        boxes, and draws the runs of a loop, or modules that are alike, as one box: ``Block × 12``.
    focus : str, optional
        The path of a module or composition to open, such as ``encoder.attention``; everything else is closed.
    open : str or sequence of str
        Paths that are open besides: ``layers.3`` of twelve like layers, ``step.7`` of a loop.
    style : "auto", "card" or "compact"
        A card with a table for each box, or one line, with tables only of inputs, outputs and what ``open`` or
        ``focus`` names. "auto" draws cards where they fit ``size``.
    size : "slide", "page" or "screen", optional
        The first layout that can be read there: on a slide of 1920×1080 pixels with no text under 14, on a page of A4
        with none under 7 points, on a screen 1400 pixels wide with none under 12.
    font_size : float, optional
        The size of the smallest text instead: in pixels on a slide or screen, else in points.
    direction, theme : str
        "LR" (to the right), "TB" (down) or "auto" (right while it fits a page); "light", "dark" or "auto" (as viewed).
    mask : boolean array, optional
        True at real positions; the other rows of values with these leading axes are shaded as pads.
    report : gradcheck Report, optional
        Marks the operations and edges that a gradient check found wrong.
    renderer : str, optional
        The path of an executable that understands DOT.
    parents, operation, value, gradient, name, local : str or function, optional
        For the result of another engine, the attribute (or a function of one object) that gives its parents, the name
        of its operation, its value, its gradient, its name, and the derivatives of it by each of its parents: factors
        of its gradient, or functions of it.

    Raises
    ------
    OperandError, InputError
        What cannot be drawn, with inputs that it cannot take; an option that has none of its values.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> print(tg.draw(lambda x: x * x, 3.0).text)
    x: input () float64 = 3, gradient 6, 2 of 2 received, saved by multiply_1
    multiply_1: () float64 = x · x = 9, gradient 1

    Micrograd's: ``tg.draw(loss, parents="_prev", operation="_op", value="data", gradient="grad")``.
    """
    check_choices(
        direction=(direction, ("auto", "LR", "TB")),
        theme=(theme, ("auto", "light", "dark")),
        style=(style, ("auto", "card", "compact")),
        size=(size, (None, *PLACES)),
    )
    if font_size is not None and not (isinstance(font_size, (int, float)) and 0 < font_size < math.inf):
        raise InputError(f"font_size must be a number of pixels or points above 0; got {font_size!r}.")
    real = None if mask is None else np.asarray(mask).astype(bool)
    wrong = getattr(report, "nodes", ())
    other = Fields(parents, operation, value, gradient, name, local)
    run, arguments = run_of_other(target, inputs, other, report) if other.given() else run_of(target, inputs, gradients)
    opened = (open,) if isinstance(open, str) else tuple(open)
    shown = Shown(values, gradients is not False, real, arguments, wrong)
    view, keys = view_of_run(run, shown)
    folded = fold(view, depth, focus, opened)
    if values is None and MOST_WITH_VALUES < len(run.operations) <= MANY and len(folded.view.nodes) <= WITH_NUMBERS:
        # A large run of which little is seen has room for its numbers.
        view, keys = view_of_run(run, replace(shown, values=True))
        folded = fold(view, depth, focus, opened)
    fewer = [fold(view, depth, focus, opened, most) for most in FEWER] if size and depth == "auto" and not focus else []
    look: dict[str, Any] = {"style": style, "size": size, "font_size": font_size, "foldings": fewer}
    return Drawing(
        view, folded, values, direction, theme, force, renderer, **look, title=title_of(target), run=run, keys=keys
    )


def check_choices(**options: tuple[object, tuple[str | None, ...]]) -> None:
    """Raise unless each option has one of its values."""
    for name, (value, choices) in options.items():
        if value not in choices:
            given = ", ".join(filter(None, choices))
            raise InputError(f"{name} must be one of {given}; got {value!r}. Leave it out for the usual one.")


def title_of(target: Any) -> str:
    """Return what a page about the target is called."""
    if isinstance(target, trace):
        return "Computation graph"
    name = target.name if isinstance(target, Tensor) else getattr(target, "__name__", type(target).__name__)
    return "Computation graph" if not name or name == "<lambda>" else f"Computation graph of {name}"


def run_of_other(target: Any, inputs: Sequence[Any], fields: Fields, report: Any) -> tuple[Run, frozenset[Hashable]]:
    """Return the run of another engine's result."""
    if fields.parents is None:
        raise InputError(
            f"what another engine computed must be drawn with parents=; got only {', '.join(fields.given())}=. Write "
            'for example tg.draw(loss, parents="_prev", operation="_op", value="data", gradient="grad").'
        )
    if inputs or report is not None:
        raise OperandError(
            "a result of another engine must be drawn alone: there is nothing to call with inputs, and no gradient "
            "check of it. Leave the inputs and report= out."
        )
    return run_of_objects(target, fields, caller_variables()), frozenset()


def run_of(target: Any, inputs: Sequence[Any], gradients: Any) -> tuple[Run, frozenset[Hashable]]:
    """Return the run that is to be drawn, and the keys of a function's arguments."""
    if isinstance(target, (Tensor, trace)) and inputs:
        raise OperandError(
            f"a {type(target).__name__} to be drawn must come alone; got {len(inputs)} more argument(s). "
            "Only a function or a module is drawn with inputs."
        )
    if isinstance(target, Tensor):
        return run_of_tensor(target, caller_variables()), frozenset()
    if isinstance(target, trace):
        return run_of_trace(target), frozenset()
    if not callable(target):
        raise OperandError(
            f"what is to be drawn must be a Tensor, a trace, or a function or module with its inputs; got "
            f"{type(target).__name__}. Write tg.draw(f, x), or tg.draw(loss); of another engine, say where things are: "
            'tg.draw(loss, parents="_prev", value="data").'
        )
    watched, arguments = watch(target, inputs, gradients)
    return run_of_trace(watched), arguments


def caller_variables() -> dict[str, Any]:
    """Return what the variables of the code that asked for the drawing hold."""
    frame: FrameType = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(PACKAGE + os.sep):
        frame = frame.f_back
    return {n: x for n, x in frame.f_locals.items() if not n.startswith("_")}


def watch(function: Callable[..., Any], inputs: Sequence[Any], gradients: Any) -> tuple[trace, frozenset[Hashable]]:
    """Run a function on its inputs and, where wanted, back; return the trace, and the keys of the arguments.

    An error of ours ends the run and is drawn. ``gradients`` is "auto" (where the result is a single number), False,
    True (with a fixed random cotangent where it is none), or the cotangent of the result.
    """
    names = names_of_inputs(function, len(inputs))
    arguments = [as_argument(x, name) for x, name in zip(inputs, names, strict=True)]
    t = trace()
    t.given([x for x in arguments if isinstance(x, Tensor)])
    with untouched(function):
        try:
            with t:
                result = function(*arguments)
                sweep_back(t, tensors_in(result), gradients)
        except TinygradNormError:
            # Where nothing was computed, there is a drawing only of the module that raised.
            if t.failure is None or not (t.records or t.failure.primitive or t.failure.scope):
                raise
    for x, name in zip(arguments, names, strict=True):
        if isinstance(x, Tensor):
            t.variables[key_of(x)] = t.outer[key_of(x)] = name
    # The leaves of a module, and its buffers too, by their attribute paths.
    for table in ("named_parameters", "named_buffers"):
        for path, tensor in getattr(function, table, list)():
            if tensor.name is None:
                t.variables[key_of(tensor)] = path
    return t, frozenset(key_of(x) for x in arguments if isinstance(x, Tensor))


def names_of_inputs(function: Callable[..., Any], count: int) -> list[str]:
    """Return what the function calls its arguments."""
    target = getattr(function, "forward", function)
    try:
        parameters = list(inspect.signature(target).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return [names[i] if i < len(names) else f"input_{i + 1}" for i in range(count)]


def as_argument(x: Any, name: str) -> Any:
    """Return an argument as a Tensor: numbers and lists get a gradient, arrays of integers and Tensors stay."""
    if isinstance(x, Tensor):
        return x
    if isinstance(x, np.ndarray) and x.dtype.kind != "f":
        return Tensor(x, name=name)
    if isinstance(x, (int, float, list, tuple, np.ndarray, np.generic)) and not isinstance(x, bool):
        return Tensor(x, requires_grad=True, name=name)
    return x


def tensors_in(result: Any) -> list[Tensor]:
    """Return the Tensors in what a function gave."""
    if isinstance(result, Tensor):
        return [result]
    if isinstance(result, dict):
        result = list(result.values())
    if isinstance(result, (tuple, list)):
        return [t for part in result for t in tensors_in(part)]
    if result is None or isinstance(result, (bool, int, float, str, np.ndarray, np.generic)):
        return []
    raise OperandError(
        f"a function to be drawn must return Tensors; got {type(result).__name__}. Return what it computes."
    )


def sweep_back(t: trace, outputs: list[Tensor], gradients: Any) -> None:
    """Run the backward pass that is wanted, without touching any ``.grad``."""
    ends = [y for y in outputs if y.requires_grad]
    leaves = [x for x in t.leaves.values() if x.requires_grad]
    if gradients is False or not ends or not leaves:
        return
    if isinstance(gradients, str) or gradients is True:
        if gradients is not True and (len(ends) != 1 or ends[0].size != 1):
            return
        # A random cotangent, since ones hide the gradient of a normalization; one decimal, to be read on a card.
        rng = np.random.default_rng(0)
        cotangents = [np.ones(y.shape) if y.size == 1 else np.round(rng.standard_normal(y.shape), 1) for y in ends]
    else:
        cotangents = [gradients] if len(ends) == 1 else list(gradients)
    gradients_of(ends, leaves, cotangents)


@contextmanager
def untouched(function: Any) -> Iterator[None]:
    """Give a module back the buffers that it had, and the random numbers their place."""
    modules = list(function.modules()) if hasattr(function, "modules") and hasattr(function, "named_buffers") else []
    held = [(m, name, buffer) for m in modules for name, buffer in m.named_buffers(recurse=False)]
    # A copy of the buffer, since a module may give the same Tensor new values.
    copies = [(m, name, buffer, np.array(buffer.data)) for m, name, buffer in held]
    state = generator().bit_generator.state
    try:
        yield
    finally:
        generator().bit_generator.state = state
        for module, name, buffer, values in copies:
            if not np.array_equal(np.asarray(buffer.data), values, equal_nan=True):
                buffer.data = values
            setattr(module, name, buffer)
