"""What is asked of each framework, and how the answer is judged: one function for each column of the table."""

from __future__ import annotations

import importlib
import inspect
import os
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from types import ModuleType
from typing import Any

import numpy as np

COLUMNS = (
    "",
    "values",
    "NumPy functions that record",
    "second derivative",
    "as a layer",
    "draws its graph",
    "writes its gradient as code",
    "gradient check",
)

Array = np.ndarray[Any, Any]
Function = Callable[[Any], Any]

X = np.array([[0.3, 1.2, -0.7], [2.0, 0.1, 0.9]])
CONDITION = np.array([[True, False, True], [False, True, True]])
NUMPY: Mapping[str, Callable[[Any, Any], Any]] = {
    "exp": lambda np, x: np.exp(x),
    "maximum": lambda np, x: np.maximum(x, 0.5),
    "sum": lambda np, x: np.sum(x, axis=-1),
    "mean": lambda np, x: np.mean(x, axis=-1, keepdims=True),
    "var": lambda np, x: np.var(x, axis=0),
    "where": lambda np, x: np.where(CONDITION, x, 0.0),
    "concatenate": lambda np, x: np.concatenate([x, x * x]),
    "matmul": lambda np, x: np.matmul(x, np.ones((3, 2))),
    "einsum": lambda np, x: np.einsum("ij,kj->ik", x, x),
    "norm": lambda np, x: np.linalg.norm(x),
}
RNG = np.random.default_rng(0)
BATCH, COTANGENT, DIRECTION = (RNG.normal(size=(5, 3)) for _ in range(3))


@dataclass(frozen=True)
class Framework:
    """How to ask one framework.

    ``gradient(f)`` gives the gradient of Σ cos f(X) for an f made of NumPy functions, or of those of ``own_numpy``;
    ``cube`` the second derivative of x³ at 2; ``batch_norm`` the derivative along DIRECTION of the gradient of
    ⟨COTANGENT, x̂⟩ through its batch norm; ``draw`` draws a small graph; ``write(f, x)`` gives the source of the
    gradient of a function to a number, and what computes it.
    """

    title: str
    packages: tuple[str, ...] = ()
    values: str = "arrays"
    gradient: Callable[[Function], Any] | None = None
    own_numpy: str = ""
    cube: Callable[[], Any] | None = None
    batch_norm: Callable[[], Any] | None = None
    layers: Mapping[str, str] = field(default_factory=dict)
    draw: Callable[[], object] | None = None
    drawing: str = "no"
    write: Callable[[Function, Array], tuple[str, Function]] | None = None
    check: str = ""
    checking: str = "no"


def numeric(f: Function, x: Array, step: float = 1e-6) -> Array:
    """Return the gradient of a function to a number by central differences."""
    found = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        e = np.zeros_like(x)
        e[i] = step
        found[i] = (f(x + e) - f(x - e)) / (2 * step)
    return found


def batch_norm_slope(x: Array) -> Array:
    """Return, by the closed form, the gradient of ⟨COTANGENT, x̂⟩ with ε = 1e-5."""
    deviation = np.sqrt(x.var(0) + 1e-5)
    xhat = (x - x.mean(0)) / deviation
    slope: Array = (COTANGENT - COTANGENT.mean(0) - xhat * (COTANGENT * xhat).mean(0)) / deviation
    return slope


def second_along_direction(step: float = 1e-6) -> Array:
    """Return what ``batch_norm`` must give, by central differences of the closed form."""
    change: Array = batch_norm_slope(BATCH + step * DIRECTION) - batch_norm_slope(BATCH - step * DIRECTION)
    return change / (2 * step)


@contextmanager
def no_programs() -> Any:
    """Hide every program, system Graphviz among them."""
    path, os.environ["PATH"] = os.environ.get("PATH", ""), os.devnull
    try:
        yield
    finally:
        os.environ["PATH"] = path


def works(ask: Callable[[], Any]) -> Any:
    """Return the answer, or None where the framework refuses."""
    try:
        return ask()
    except Exception:  # whatever a framework raises is its way to say no
        return None


def numpy_cell(framework: Framework) -> str:
    """Return how many of the NumPy functions give the right gradient, and how many of its own copies of them."""
    right = count_right(framework, np)
    cell = f"{right} of {len(NUMPY)}" if right else "none"
    if framework.own_numpy:
        own = count_right(framework, importlib.import_module(framework.own_numpy))
        cell += f"; {own} of `{framework.own_numpy}`"
    return cell


def count_right(framework: Framework, module: ModuleType) -> int:
    """Return how many of the functions, taken from ``module``, give the right gradient."""
    if framework.gradient is None:
        return 0
    right = 0
    for call in NUMPY.values():
        found = works(partial(framework.gradient, partial(call, module)))
        true = numeric(partial(loss, partial(call, np)), X)
        right += found is not None and np.allclose(found, true, atol=1e-6)
    return right


def loss(f: Function, x: Array) -> float:
    """Return Σ cos f(x)."""
    return float(np.sum(np.cos(f(x))))


def second_cell(framework: Framework) -> str:
    """Return whether a gradient can be differentiated, and whether that is right through a batch norm."""
    found = works(framework.cube) if framework.cube else None
    if found is None or not np.allclose(np.asarray(found, float), 12.0):
        return "no"
    if framework.batch_norm is None:
        return "yes"
    true = second_along_direction()
    error = np.abs(np.asarray(framework.batch_norm(), float) - true).max() / np.abs(true).max()
    return "yes" if error < 1e-4 else f"yes; {100 * error:.0f} % off through its batch norm"


def layers_cell(framework: Framework) -> str:
    """Return which of batch norm, layer norm and attention there are."""
    there = []
    for what, place in framework.layers.items():
        module, _, name = place.rpartition(":")
        if not hasattr(importlib.import_module(module), name):
            raise LookupError(f"{framework.title} has no {place} any more: correct its entry")
        there.append(what)
    return ", ".join(there) or "none"


def drawing_cell(framework: Framework) -> str:
    """Return whether it draws, and whether it can without another program."""
    if framework.draw is None:
        return framework.drawing
    with no_programs():
        alone = works(framework.draw) is not None
    return framework.drawing if alone else f"{framework.drawing}; needs Graphviz's `dot`"


def layer_norm(x):  # type: ignore[no-untyped-def]  # what rewrites its source knows no annotations
    """Return Σ x̂³ of the rows, in NumPy."""
    centered = x - np.mean(x, axis=1, keepdims=True)
    variance = np.mean(centered * centered, axis=1, keepdims=True)
    xhat = centered / np.sqrt(variance + 1e-5)
    return np.sum(xhat * xhat * xhat)


def writing_cell(framework: Framework) -> str:
    """Return what it writes for a layer norm: how many lines, with what in them, and whether they run and are right."""
    if framework.write is None:
        return "no"
    source, gradient = framework.write(layer_norm, X)
    own = framework.packages[0].partition("-")[0] if framework.packages else "tinygrad_norm"
    lines = [line for line in source.splitlines() if line.strip() and not line.strip().startswith(("#", "import "))]
    helpers = sum(f"{own}." in line for line in lines)
    what = f"{len(lines)} lines for a layer norm, " + (f"{helpers} with helpers of its own" if helpers else "all NumPy")
    found = works(partial(gradient, X))
    if found is None:
        return f"{what}; they fail"
    right = np.allclose(np.asarray(found), numeric(layer_norm, X), atol=1e-6)
    return f"{what}; they run{'' if right else ', and are wrong'}"


def check_cell(framework: Framework) -> str:
    """Return whether there is a gradient check, and where its tolerance comes from."""
    if framework.check:
        module, _, name = framework.check.rpartition(":")
        inspect.signature(getattr(importlib.import_module(module), name))
    return framework.checking


def row(framework: Framework) -> tuple[str, ...]:
    """Return one framework's row of the table."""
    versions = ", ".join(version(package).partition("+")[0] for package in framework.packages)
    title = f"{framework.title} {versions}".strip()
    return (
        title,
        framework.values,
        numpy_cell(framework),
        second_cell(framework),
        layers_cell(framework),
        drawing_cell(framework),
        writing_cell(framework),
        check_cell(framework),
    )
