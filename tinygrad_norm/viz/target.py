"""What can be drawn: a Tensor, a trace, or a module or function with its inputs.

Of a Tensor the tape still knows the operations and what they saved; of a trace everything is known; a module or
function is run once, under a trace of its own, and left as it was.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from types import FrameType
from typing import Any

import numpy as np

from ..engine.tensor import Tensor
from ..errors import InputError, OperandError
from .build import Build, Wish, WrongRule
from .drawing import Drawing
from .execute import watch
from .fold import Depth, fold
from .frames import PACKAGE
from .layout import Wanted as Direction
from .run import run_of_tensor, run_of_trace
from .theme import Theme
from .trace import trace


def draw(
    target: Any,
    *inputs: Any,
    values: bool | None = None,
    gradients: Any = "auto",
    depth: Depth = "auto",
    focus: str | None = None,
    direction: Direction = "auto",
    theme: Theme = "auto",
    force: bool = False,
    mask: Any = None,
    report: Any = None,
    renderer: str | None = None,
) -> Drawing:
    """Return the drawing of the computation graph of a Tensor, a trace, or a module or function with its inputs.

    Edges follow the data. Where a backward pass was watched, dashed edges carry back what each operation sends to each
    of its arguments: ḡ · ∂ for single numbers, the operation's rule for arrays.

    Parameters
    ----------
    target : Tensor, trace, module or function
        A Tensor shows what its tape still knows, a trace all that happened. A module or function is run once on
        ``inputs`` and left as it was: no ``.grad``, no buffer and no random state changes.
    *inputs : Tensors, arrays, numbers
        Numbers, lists and floating-point arrays get a gradient; integer arrays and Tensors stay as they are.
    values : bool, optional
        Whether the numbers are shown; left out, where there are at most 500 operations and 60 visible nodes.
    gradients : bool, "auto" or array
        For a function: whether to run backward. "auto": if the result is a single number; True: also from an array,
        with a fixed random cotangent; an array: with that cotangent.
    depth : int, None or "auto"
        How many levels of modules and compositions are open; None opens all, "auto" as many as keep about 60 nodes.
    focus : str, optional
        The path of a module or composition to open, such as ``encoder.attention``; everything else is closed.
    direction : "auto", "LR" or "TB"
        To the right, or down; "auto" runs to the right while that fits a page.
    theme : "auto", "light" or "dark"
        "auto" follows the viewer's system in SVG and HTML.
    force : bool
        Lay out more than 2000 visible nodes.
    mask : boolean array, optional
        True at real positions; the other rows of values with these leading axes are shaded as pads.
    report : gradcheck Report, optional
        Marks the operations and edges that a gradient check found wrong.
    renderer : str, optional
        The path of an executable that understands DOT.

    Raises
    ------
    OperandError
        The target cannot be drawn, or comes with inputs that it cannot take.
    InputError
        An option has none of its values, or nothing has the path of ``focus``.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> print(tg.draw(lambda x: x * x, 3.0).text)
    x: input () float64 = 3, gradient 6, 2 of 2 received, saved by multiply_1
    multiply_1: () float64 = x · x = 9, gradient 1
    """
    checked_choice("direction", direction, ("auto", "LR", "TB"))
    checked_choice("theme", theme, ("auto", "light", "dark"))
    wish = Wish(values, gradients is not False, None if mask is None else np.asarray(mask).astype(bool),
                wrong=wrong_rules(report))  # fmt: skip
    if isinstance(target, (Tensor, trace)) and inputs:
        raise OperandError(
            f"a {type(target).__name__} to be drawn must come alone; got {len(inputs)} more argument(s). "
            "Only a function or a module is drawn with inputs."
        )
    if isinstance(target, Tensor):
        run = run_of_tensor(target, caller_variables())
    elif isinstance(target, trace):
        run = run_of_trace(target)
    elif callable(target):
        watched = watch(target, inputs, gradients)
        run = run_of_trace(watched.trace)
        wish = replace(wish, arguments=watched.arguments)
    else:
        raise OperandError(
            f"what is to be drawn must be a Tensor, a trace, or a function or module with its inputs; got "
            f"{type(target).__name__}. Write tg.draw(f, x), or tg.draw(loss)."
        )
    build = Build(run, wish)
    view = build.view()
    return Drawing(
        view, fold(view, depth, focus), values, direction, theme, force, renderer, title_of(target), run, build.keys()
    )  # fmt: skip


def title_of(target: Any) -> str:
    """Return what a page about the target is called."""
    if isinstance(target, trace):
        return "Computation graph"
    name = target.name if isinstance(target, Tensor) else getattr(target, "__name__", type(target).__name__)
    return "Computation graph" if not name or name == "<lambda>" else f"Computation graph of {name}"


def checked_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    """Raise unless an option has one of its values."""
    if value not in choices:
        raise InputError(f"{name} must be one of {', '.join(choices)}; got {value!r}. Leave it out for the first.")


def wrong_rules(report: Any) -> tuple[WrongRule, ...]:
    """Return the rules that a gradient check's report names as wrong."""
    return tuple(
        WrongRule(
            node.number,
            node.primitive,
            node.input,
            f"WRONG rule{' for ' + node.input if node.input else ''}{': ' + node.finding.name if node.finding else ''}",
        )
        for node in getattr(report, "nodes", ())
    )


def caller_variables() -> dict[str, Tensor]:
    """Return the Tensors in the variables of the code that asked for the drawing."""
    frame: FrameType = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(PACKAGE + os.sep):
        frame = frame.f_back
    return {n: x for n, x in frame.f_locals.items() if isinstance(x, Tensor) and not n.startswith("_")}
