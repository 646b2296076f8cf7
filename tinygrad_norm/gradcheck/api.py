"""The public checks: ``gradcheck`` for functions of Tensors and modules, ``check_vjp`` for hand-written NumPy code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import InputError
from .blame import blame_operation, cancelling_sum
from .check_report import Report
from .examination import NOT_LINEAR, Coordinates, check_problem, with_order
from .measure.clock import current_clock, ticking
from .numpy_pair import hand_written
from .recorded_paths import named_by_its_paths
from .stable_formula import stable_formula
from .user_functions import (
    TensorFunction,
    Wrt,
    backward_function,
    changed_buffers,
    module_function,
    tensor_function,
)

FAILED = {
    "wrong": "the gradients are wrong",
    "cannot tell": "the gradients could not be checked",
    "vacuous": "the check proves nothing",
}
ANOMALY = (
    "run the function and its backward pass under tg.detect_anomaly() to see which operation makes the NaN or infinity"
)


def gradcheck(
    f: Callable[..., Any],
    inputs: Any,
    *,
    wrt: Wrt = None,
    order: int = 1,
    cotangent: Any = None,
    coordinates: Coordinates = "auto",
    seed: int = 0,
    rtol: float | None = None,
    time_limit: float | None = None,
) -> Report:
    """Check the gradients of a function of Tensors, or of a module, against measured derivatives.

    For each input x, ``tg.vjp`` must give ``Jᵀ g``; the derivative comes from function values alone, with its own error
    bar, and a difference within three bars is right. Everything is computed in float64.

    Parameters
    ----------
    f : callable
        Takes Tensors, gives a Tensor or a tuple of them. A module (anything with ``named_parameters()``) is checked
        by its parameters too.
    inputs : Tensor or array, or tuple or list of arguments
        The point. Integers, booleans and everything else are handed on. Nothing is changed.
    wrt : names or numbers of inputs, optional
        Which to check; all with floating-point numbers unless given. Parameters go by their path.
    order : int
        2 also checks (x, g) ↦ Jᵀ g, the gradient of the gradient; 3 the next one.
    cotangent : array, optional
        Check with this g only (first order). Better leave it out: three random ones are used then.
    coordinates : "auto", True or False
        ``"auto"`` looks at single entries when random directions disagree, True always, False never.
    seed : int
        Of the random cotangents and directions.
    rtol : float, optional
        Accept differences up to this fraction of the largest entry as well. Not needed: the bars are measured.
    time_limit : float, optional
        Seconds after which the report tells what is known so far, once the evaluation that is under way is over: one
        that does not end at the point itself is not stopped.

    Returns
    -------
    Report
        True when everything is right. After a failure every recorded operation is checked by itself.

    Raises
    ------
    InputError, OperandError
        There is nothing to differentiate by, ``order`` is not 1, 2 or 3, or something else than Tensors came back.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> report = tg.gradcheck(tg.functional.layer_norm, ([[7.0, 5.0, 4.0], [2.0, 3.0, 4.0]], 3), order=2)
    >>> report.ok, report.uncertainty["x"] < 1e-8
    (True, True)
    """
    if order not in (1, 2, 3):
        raise InputError(f"gradcheck: order must be 1, 2 or 3; got {order!r}. 1 checks the gradient itself.")
    with ticking(time_limit):
        if hasattr(f, "named_parameters"):
            return _check_module(f, inputs, wrt, order, cotangent, coordinates, seed, rtol)
        return check_orders(tensor_function(f, inputs, wrt), order, cotangent, coordinates, seed, rtol)


def _check_module(module: Any, inputs: Any, wrt: Wrt, *options: Any) -> Report:
    """Check a module by its inputs and parameters; ``options`` are those of :func:`check_orders`."""
    changed = changed_buffers(module, inputs)
    with module_function(module, inputs, wrt) as function:
        report = check_orders(function, *options, parameters=True)
    note = f"the module changes its buffers ({', '.join(changed)}); they were put back after every evaluation"
    return replace(report, notes=(*report.notes, note)) if changed else report


def check_orders(
    function: TensorFunction,
    order: int,
    cotangent: Any = None,
    coordinates: Coordinates = "auto",
    seed: int = 0,
    rtol: float | None = None,
    *,
    parameters: bool = False,
) -> Report:
    """Check the first order, then the next ones as long as all is right; blame an operation for what is wrong."""
    generator = np.random.default_rng(seed + 1)
    current, joined = function, None
    for level in range(1, order + 1):
        given = cotangent if level == 1 else None
        report = check_problem(current.problem(), given, coordinates, seed, rtol, level, parameters or level > 1)
        if any(fault.code == "gradient-not-finite" for fault in report.faults):
            report = replace(report, notes=(*report.notes, ANOMALY))
        elif any(e.status == "wrong" for e in report.entries) or any(f.code in NOT_LINEAR for f in report.faults):
            blamed = blame_operation(current, report, level, seed)
            stopped = current_clock().stopped
            report = blamed if stopped is None else replace(report, stopped=stopped)
        if report.status == "cannot tell" and (advice := stable_formula(current)):
            report = replace(report, notes=(*report.notes, advice))
        if report.refused and level == 1:
            known = cancelling_sum(current)
            report = replace(report, refused=f"{report.refused}. Here {known}" if known else report.refused)
        joined = report if joined is None else with_order(joined, report)
        if not report.ok:
            break
        if level < order:
            current = backward_function(current, generator)
    assert joined is not None  # order is at least 1
    return joined


def check_vjp(
    forward: Callable[..., Any],
    backward: Callable[..., Any],
    inputs: Any,
    *,
    wrt: Wrt = None,
    cotangent: Any = None,
    coordinates: Coordinates = "auto",
    seed: int = 0,
    rtol: float | None = None,
    time_limit: float | None = None,
) -> Report:
    """Check a backward pass written by hand in NumPy against the measured derivative of its forward pass.

    The backward pass must give ``Jᵀ g`` for the Jacobian J of the forward pass and any cotangent g.

    Parameters
    ----------
    forward : callable
        ``forward(*inputs)`` gives an array, or a tuple of arrays. It runs again before each backward pass.
    backward : callable
        ``backward(g, *inputs)`` or ``backward(g, out, *inputs)``, where g has the shape of the output (a tuple for
        several). Where ``forward`` returns ``out, cache``, ``backward(g, cache)``; where a layer remembers what it
        needs, ``backward(g)``. Returns the gradient of the input, or a tuple with one for each; None stands for zeros.
    inputs : array, or tuple or list of arguments
        The point. Integer and boolean arguments are handed on and not differentiated by. Nothing is changed.
    wrt, cotangent, coordinates, seed, rtol, time_limit :
        As in :func:`gradcheck`.

    Returns
    -------
    Report
        True when everything is right.

    Raises
    ------
    InputError, OperandError
        There is nothing to differentiate by, or something else than arrays came back.

    Examples
    --------
    >>> import numpy as np, tinygrad_norm as tg
    >>> report = tg.check_vjp(np.tanh, lambda g, x: g * (1 - x**2), np.array([0.3, -1.2, 0.8, 2.0]))
    >>> report.ok, report.cause
    (False, 'the formula is right but takes the input where the output belongs')
    """
    with ticking(time_limit):
        problem = hand_written(forward, backward, inputs, wrt)
        report = check_problem(problem, cotangent, coordinates, seed, rtol)
        return named_by_its_paths(report, problem, forward, inputs, wrt, seed)


def assert_gradients(
    f: Callable[..., Any], inputs: Any, *, backward: Callable[..., Any] | None = None, **options: Any
) -> Report:
    """Check gradients and raise an AssertionError with the whole report if anything is wrong.

    Parameters
    ----------
    f, inputs :
        As in :func:`gradcheck`, or in :func:`check_vjp` when there is a ``backward``.
    backward : callable, optional
        The hand-written backward pass of a NumPy function ``f``.
    options :
        Handed on to the check.

    Examples
    --------
    >>> import numpy as np, tinygrad_norm as tg
    >>> tg.assert_gradients(np.exp, np.array([0.5, 1.0, 2.0]), backward=lambda g, out, x: -g * out)
    Traceback (most recent call last):
    AssertionError: the gradients are wrong
    x (3,): WRONG in 3 of 3 entries; ...
      probable mistake: the sign is flipped
    ...
    """
    __tracebackhide__ = True
    report = gradcheck(f, inputs, **options) if backward is None else check_vjp(f, backward, inputs, **options)
    if not report.ok:
        raise AssertionError(f"{FAILED[report.status]}\n{report}")
    return report
