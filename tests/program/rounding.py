"""How far two ways of rounding may be apart: each line of a printed program adds 4 units in the last place.

Of the magnitude that enters the line, that is, of the line computed with |x| for x and + for −; and what the lines
before have added goes through the derivatives. :func:`bounds` runs a printed function on numbers that carry this.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

ULPS = 4


class Rounded(NDArrayOperatorsMixin):
    """An array, how far each entry may be off, and the magnitude of what was added up to it in this line."""

    def __init__(self, value: Any, off: Any = 0.0, size: Any = None) -> None:
        self.value = np.asarray(value)
        self.off = np.broadcast_to(off, self.value.shape)
        self.size = np.abs(self.value) if size is None else size

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        assert method == "__call__", ufunc
        x, *rest = (i if isinstance(i, Rounded) else Rounded(i) for i in inputs)
        value = ufunc(x.value, *(y.value for y in rest))
        if ufunc is np.negative:
            return Rounded(value, x.off, x.size)
        if ufunc is np.square:
            return Rounded(value, (2 * np.abs(x.value) + x.off) * x.off, x.size**2)
        if ufunc is np.sqrt:
            return Rounded(value, x.off / (value + np.sqrt(x.value - x.off)), np.sqrt(x.size))
        (y,) = rest
        if ufunc in (np.add, np.subtract):
            return Rounded(value, x.off + y.off, x.size + y.size)
        if ufunc is np.multiply:
            off = np.abs(x.value) * y.off + np.abs(y.value) * x.off + x.off * y.off
            return Rounded(value, off, x.size * y.size)
        assert ufunc is np.divide, ufunc
        least = np.abs(y.value) - y.off
        return Rounded(value, (x.off + np.abs(value) * y.off) / least, x.size / least)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        assert function in (np.sum, np.mean), function
        x = args[0]
        return Rounded(*(function(part, **kwargs) for part in (x.value, x.off, x.size)))


class EachLine(ast.NodeTransformer):
    """Puts ``line(...)`` around what each line computes."""

    def visit_Assign(self, node: ast.Assign) -> ast.Assign:
        if isinstance(node.targets[0], ast.Name):
            node.value = ast.Call(ast.Name("line", ast.Load()), [node.value], [])
        return node


def bounds(source: str, inputs: Sequence[Any], cotangent: Any) -> list[Any]:
    """Return how far the result and the gradients of a printed program may be from others with the same lines."""
    eps = float(np.finfo(cotangent.dtype).eps)
    names: dict[str, Any] = {"line": lambda x: Rounded(x.value, x.off + ULPS * eps * x.size)}
    exec(compile(ast.fix_missing_locations(EachLine().visit(ast.parse(source))), "printed", "exec"), names)
    result, saved = names["forward"](*map(Rounded, inputs))
    return [found.off for found in (result, *names["backward"](Rounded(cotangent), saved))]
