"""Knows expressions that lose their digits, and the function that does not: what to do where the check cannot tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..engine.tape import Node
from ..engine.tensor import Tensor
from .blame import RecordedOperation, record
from .user_functions import TensorFunction

Made = Mapping[Node | None, RecordedOperation]


def stable_formula(f: TensorFunction) -> str:
    """Return what in the recorded operations of a function has a stable form, empty if nothing is known.

    >>> import numpy as np, tinygrad_norm as tg
    >>> from tinygrad_norm.gradcheck.user_functions import tensor_function
    >>> stable_formula(tensor_function(lambda x: tg.log(1 + tg.exp(x)), np.array([-30.0]), None))
    'log(1 + y) loses the digits of a small y: use log1p(y)'
    """
    operations = record(f).operations
    made: Made = {o.result.node: o for o in operations}
    return next((advice for o in operations if (advice := _advice(o, made))), "")


def _advice(operation: RecordedOperation, made: Made) -> str:
    name, inputs = operation.primitive.name, operation.inputs
    before = [_maker(x, made) for x in inputs]
    if name == "log" and before[0] is not None:
        inner = before[0].primitive.name
        if inner == "sum" and _is(before[0].inputs[0], "exp", made):
            return "log(Σ exp(y)) overflows, and loses all but the largest: use logsumexp(y)"
        if inner == "add" and any(map(_one, before[0].inputs)):
            return "log(1 + y) loses the digits of a small y: use log1p(y)"
        if inner == "subtract" and _one(before[0].inputs[0]):
            return "log(1 − y) loses the digits of a small y, or of what is left near 1: use log1p(−y)"
    if name == "subtract" and _is(inputs[0], "exp", made) and _one(inputs[1]):
        return "exp(y) − 1 loses the digits of a small y: use expm1(y)"
    return ""


def _maker(x: Any, made: Made) -> RecordedOperation | None:
    return made.get(x.node) if isinstance(x, Tensor) and x.node is not None else None


def _is(x: Any, name: str, made: Made) -> bool:
    maker = _maker(x, made)
    return maker is not None and maker.primitive.name == name


def _one(x: Any) -> bool:
    """Tell whether this is the constant 1."""
    values = np.asarray(x.data if isinstance(x, Tensor) else x)
    return bool(np.all(values == 1)) and not (isinstance(x, Tensor) and x.requires_grad)
