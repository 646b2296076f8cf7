"""What a formula may be made of: the input, the output, the other inputs, constants, and simple functions of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from ..measure.step_ladder import Array
from .evidence import Evidence, Singles

#: With more single derivatives than this, formulas are not searched for: it would take seconds.
MOST_PLACES = 4000


@dataclass(frozen=True)
class Atom:
    """A quantity with one value for each single derivative. It varies; ``pieces`` counts its different values."""

    label: str
    values: Array
    pieces: int


def atoms(e: Evidence, s: Singles) -> list[Atom]:
    """Return what varies over the single derivatives, simple things first."""
    found: list[Atom] = []
    if len(s) > MOST_PLACES:
        return found
    for template, function in FUNCTIONS.items():
        for label, values in _variables(e, s):
            with np.errstate(all="ignore"):
                computed = function(values)
            if template == "{}" or np.unique(values).size > 2:
                found += _atom(template.format(label), computed)
    return found


def _atom(label: str, values: Array) -> Iterator[Atom]:
    if np.isfinite(values).all():
        size = np.max(np.abs(values), initial=0.0)
        pieces = len(np.unique(np.round(values / (size or 1.0), 9)))
        if pieces > 1:
            yield Atom(label, values, pieces)


FUNCTIONS: dict[str, Callable[[Array], Array]] = {
    "{}": lambda v: v,
    "(1 − {})": lambda v: 1 - v,
    "(1 + {})": lambda v: 1 + v,
    "{}²": np.square,
    "|{}|": np.abs,
    "sign {}": np.sign,
    "exp {}": np.exp,
    "log |{}|": lambda v: np.log(np.abs(v)),
    "tanh {}": np.tanh,
    "(1 − tanh² {})": lambda v: 1 - np.tanh(v) ** 2,
    "sigmoid {}": lambda v: 1 / (1 + np.exp(-v)),
    "(1 − sigmoid {})": lambda v: 1 / (1 + np.exp(v)),
    "(1 − {}²)": lambda v: 1 - v * v,
    "(1 + {}²)": lambda v: 1 + v * v,
    "(1 + |{}|)": lambda v: 1 + np.abs(v),
    "√|{}|": lambda v: np.sqrt(np.abs(v)),
    "sin {}": np.sin,
    "cos {}": np.cos,
    "exp(−{}²/2)": lambda v: np.exp(-v * v / 2),
}


def _variables(e: Evidence, s: Singles) -> Iterator[tuple[str, Array]]:
    """Yield every quantity that has a value for each single derivative."""
    own = e.problem.names[e.position]
    yield own, e.x.ravel()[s.entry]
    single = len(e.outputs) == 1
    if single and e.outputs[0].size > 1:
        yield "the output" if "y" in e.problem.names else "y", e.outputs[0].ravel()[s.output]
    others = [(n, v) for n, v in zip(e.problem.names, e.problem.inputs, strict=True) if v is not e.x]
    others += [(n, v) for n, v in e.problem.constants.items() if isinstance(v, np.ndarray)]
    for name, value in others:
        if value.size < 2:
            continue
        spread = _spread(value, e.x.shape)
        if spread is not None:
            yield name, spread[s.entry]
        elif single and (spread := _spread(value, e.outputs[0].shape)) is not None:
            yield name, spread[s.output]
        elif value.dtype.kind in "iu" and value.shape == e.x.shape[:-1] and _are_classes(value, e.x.shape[-1]):
            yield f"one-hot {name}", np.eye(e.x.shape[-1])[value].ravel()[s.entry]
    for name, value in others:
        if value.shape == e.x.shape and value.dtype.kind == "f":
            yield f"({own} − {name})", (e.x - value).ravel()[s.entry]


def _are_classes(labels: Array, classes: int) -> bool:
    return bool(np.all((labels >= 0) & (labels < classes)))


def _spread(value: Array, shape: tuple[int, ...]) -> Array | None:
    """Return a value for each entry of an array of that shape, flat; None if it does not broadcast."""
    for candidate in (value, value[..., None]):
        try:
            spread = np.broadcast_to(candidate, shape)
        except ValueError:
            continue
        return spread.astype(np.float64).ravel()
    return None
