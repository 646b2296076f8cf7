"""Checks a function of a learner's own file, in a process of its own with a time limit.

:func:`check_in_process` starts that process (see :mod:`tinygrad_norm.sandbox`); whatever the file does (raise, print,
loop, exit, kill itself), the caller gets a result or a message of one line. :func:`check_file` is what runs inside.

The convention: ``NAME`` and ``NAME_backward`` are a pair in NumPy, ``backward(g, *inputs)`` or ``backward(g, out,
*inputs)``; ``NAME`` alone computes with Tensors. The points come from ``SAMPLES``, a list of argument tuples or a
dictionary from a function's name to such a list, or else from the defaults in the signature of ``NAME``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from ..engine.tensor import Tensor
from ..errors import InputError, LearnerCodeError, TinygradNormError
from ..sandbox import Printed, account, line_of, load, run
from .api import check_vjp, gradcheck
from .measure.clock import ticking


def check_in_process(
    path: Path, function: str, order: int, seed: int, timeout: float, time_limit: float | None = None
) -> tuple[dict[str, Any], Printed]:
    """Check a function of a file in a process of its own; return what :func:`check_file` did, and what was printed."""
    return in_process(check_job, path, function, timeout, order=order, seed=seed, time_limit=time_limit)


def in_process(
    job: Callable[..., Iterator[dict[str, Any]]], path: Path, function: str, timeout: float, **more: Any
) -> tuple[dict[str, Any], Printed]:
    """Do something with a function of a file in a process of its own; return what the job yields, and what was printed.

    A LearnerCodeError says why it could not be done: the file raised, ran for too long, ended the process or gave
    nonsense.
    """
    outcome = run(job, {"file": str(path), "function": function, **more}, seconds=timeout)
    if outcome.ending.how == "too long":
        raise LearnerCodeError(
            f"{path.name}:{function} must finish within {timeout:g} s; it was stopped. Check a smaller sample, "
            "look for an endless loop, or allow more time with --timeout."
        )
    if outcome.ending.how == "died":
        raise LearnerCodeError(
            f"{path.name} must leave the process running; it {outcome.ending.reason} before the check was done. "
            "Take that out of the file."
        )
    (result,) = outcome.messages
    if "error" in result:
        raise LearnerCodeError(result["error"])
    return result, outcome.printed


SUFFIX = "_backward"


def check_job(
    file: str, function: str, order: int, seed: int, time_limit: float | None = None
) -> Iterator[dict[str, Any]]:
    """Yield what :func:`check_file` returns, or ``{"error": message}``: the job of :func:`check_in_process`."""
    with ticking(time_limit):
        yield told(lambda: check_file(Path(file), function, order, seed), file, function)


def told(work: Callable[[], dict[str, Any]], file: str, function: str) -> dict[str, Any]:
    """Return what some work on a function of a file gives, or ``{"error": message}``."""
    try:
        return work()
    except BaseException as error:  # whatever a learner's code raises is told in one line, never as our traceback
        line = line_of(error, file)
        said = f"{Path(file).name}{',' if line else f':{function}:'} {account(error, file)}"
        ours = isinstance(error, TinygradNormError) and line is None
        return {"error": " ".join(str(error).split()) if ours else said}


def check_file(path: Path, function: str, order: int, seed: int) -> dict[str, Any]:
    """Return the reports of one function at all of its points, as data with their text."""
    if path.suffix != ".py":
        raise InputError(f"{path.name} must be a Python file; got the suffix {path.suffix!r}. Rename it to end in .py.")
    module = load(str(path))
    forward, backward = find(module, path.name, function)
    if backward is not None and order != 1:
        raise InputError(
            f"{path.name}: a hand-written pair is checked at order 1; got --order {order}. Leave it out, or write "
            f"{function} with Tensors and without {function}{SUFFIX}."
        )
    reports = []
    for inputs, given in points_of(module, path.name, function, forward):
        bound = function_of(forward, given)
        if backward is None:
            reports.append(gradcheck(bound, inputs, order=order, seed=seed))
        else:
            reports.append(check_vjp(bound, backward, inputs, seed=seed))
    return {
        "ok": all(report.ok for report in reports),
        "kind": "function of Tensors" if backward is None else "hand-written pair",
        "reports": [report.to_json() for report in reports],
        "texts": [
            f"sample {number} of {len(reports)}\n{report}" if len(reports) > 1 else str(report)
            for number, report in enumerate(reports, 1)
        ],
    }


def find(module: ModuleType, file: str, function: str) -> tuple[Callable[..., Any], Callable[..., Any] | None]:
    """Return the function and its backward pass, None if it has none."""
    forward = getattr(module, function, None)
    if not callable(forward):
        own = [n for n, v in vars(module).items() if callable(v) and getattr(v, "__module__", "") == module.__name__]
        raise InputError(
            f"{file} must define a function called {function}; it defines "
            f"{', '.join(sorted(own)) or 'no function'}. Check the spelling after the colon."
        )
    if function.endswith(SUFFIX):
        raise InputError(
            f"{file}:{function} is a backward pass; name its forward pass, {function.removesuffix(SUFFIX)}, and "
            "both are found."
        )
    backward = getattr(module, function + SUFFIX, None)
    return forward, backward if callable(backward) else None


def points_of(
    module: ModuleType, file: str, function: str, forward: Callable[..., Any]
) -> list[tuple[tuple[Any, ...], tuple[str, ...]]]:
    """Return the arguments of each check, and the names of the parameters that they are for."""
    samples = getattr(module, "SAMPLES", None)
    if isinstance(samples, dict):
        samples = samples.get(function)
    if samples is not None:
        return [(_sample(s, file, function), ()) for s in _sample_list(samples, file, function)]
    defaults = {
        p.name: p.default
        for p in inspect.signature(forward).parameters.values()
        if p.default is not p.empty and p.kind is not p.KEYWORD_ONLY
    }
    arrays = {n: v for n, v in defaults.items() if isinstance(v, (np.ndarray, Tensor))}
    chosen: dict[str, Any] = arrays or {n: v for n, v in defaults.items() if isinstance(v, float)}
    if not chosen:
        raise InputError(
            f"{file} must say where to check {function}; it has no SAMPLES, and no parameter of {function} has an "
            f'array as its default. Add SAMPLES = {{"{function}": [(np.random.default_rng(0).normal(size=(3, 5)),)]}}.'
        )
    return [(tuple(chosen.values()), tuple(chosen))]


def _sample_list(samples: Any, file: str, function: str) -> list[Any]:
    if isinstance(samples, (list, tuple)) and samples:
        return list(samples)
    raise InputError(
        f"{file}: SAMPLES must be a list of argument tuples for {function}, or a dictionary of such lists; got "
        f"{type(samples).__name__}{' without entries' if samples in ([], ()) else ''}. "
        f'For example SAMPLES = {{"{function}": [(x, w)]}}.'
    )


def _sample(sample: Any, file: str, function: str) -> tuple[Any, ...]:
    if isinstance(sample, (list, tuple)):
        return tuple(sample)
    if isinstance(sample, (np.ndarray, Tensor, float)):
        return (sample,)
    raise InputError(
        f"{file}: a sample of {function} must be a tuple of arguments; got {type(sample).__name__}. Write (x, w)."
    )


def function_of(forward: Callable[..., Any], names: tuple[str, ...]) -> Callable[..., Any]:
    """Return the function of the parameters ``names``, in this order; the others keep their defaults."""
    if not names:
        return forward

    def filled(*values: Any) -> Any:
        return forward(**dict(zip(names, values, strict=True)))

    parameters = [inspect.Parameter(n, inspect.Parameter.POSITIONAL_OR_KEYWORD) for n in names]
    filled.__name__ = forward.__name__
    filled.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # read by inspect.signature
    return filled
