"""A model's graph while it is written. An :class:`Edge` is a value in it; computing with it adds nodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .steps import Constant, Value, mapped

BOOL, INT = np.dtype(bool), np.dtype(np.int64)


class Graph:
    """The nodes and constants of a model while it is written."""

    def __init__(self, onnx: Any) -> None:
        self.onnx = onnx
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []
        self.edges: dict[Value, Any] = {}
        self.stored: dict[Any, Edge] = {}
        self.numbers: dict[str, int] = {}
        self.place = ""

    def named(self, wish: str) -> str:
        """Return a name that nothing has yet."""
        number = self.numbers[wish] = self.numbers.get(wish, 0) + 1
        return wish if number == 1 else self.named(f"{wish}_{number}")

    def type_of(self, dtype: Any) -> int:
        """Return ONNX's number for a dtype."""
        return int(self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def stores(self, array: Any, name: str) -> Edge:
        """Put an array into the model."""
        array = np.asarray(array, order="C")
        edge = Edge(self, self.named(name), array.dtype)
        self.initializers.append(self.onnx.numpy_helper.from_array(array, edge.name))
        return edge

    def constant(self, array: Any) -> Edge:
        """Return an array as a value; an equal one is stored only once."""
        array = np.asarray(array)
        key = array.dtype, array.shape, array.tobytes()
        if key not in self.stored:
            self.stored[key] = self.stores(array, "constant")
        return self.stored[key]

    def node(self, op: str, inputs: Sequence[Edge], dtype: Any, number: int = 1, **attributes: Any) -> Edge:
        """Add a node and return its first result, or the one of that ``number``."""
        outputs = [self.named(op.lower()) for _ in range(number)]
        names = [x.name for x in inputs]
        name = self.named(f"{self.place}/{op}" if self.place else op)
        self.nodes.append(self.onnx.helper.make_node(op, names, outputs, name, **attributes))
        return Edge(self, outputs[-1], np.dtype(dtype))

    def edge(self, value: Value) -> Any:
        """Return what stands for a value."""
        return self.constant(value.array) if isinstance(value, Constant) else self.edges[value]

    def of(self, tree: Any) -> Any:
        """Return arguments with edges in the place of values; a whole number, such as an axis, is one of Python's."""

        def given(value: Value) -> Any:
            if isinstance(value, Constant) and not value.shape and value.dtype.kind in "iu":
                return int(value.array)
            return self.edge(value)

        return mapped(given, tree)


@dataclass(frozen=True, eq=False)
class Edge:
    """A value of the graph. Numbers beside it take its dtype, arrays keep theirs."""

    graph: Graph
    name: str
    dtype: np.dtype[Any]

    def op(self, op: str, *others: Any, dtype: Any = None, **attributes: Any) -> Edge:
        """Apply an operation to this value and others."""
        inputs = [self, *(self.like(x) for x in others)]
        return self.graph.node(op, inputs, self.dtype if dtype is None else dtype, **attributes)

    def like(self, x: Any) -> Edge:
        """Return a number, an array or an edge as an edge."""
        if isinstance(x, Edge):
            return x
        return self.graph.constant(x if isinstance(x, np.ndarray) else np.asarray(x, self.dtype))

    def astype(self, dtype: Any) -> Edge:
        """Return the value in another dtype."""
        return self if self.dtype == dtype else self.op("Cast", dtype=dtype, to=self.graph.type_of(dtype))

    def reshape(self, shape: Sequence[int]) -> Edge:
        """Return the value in another shape."""
        return self.op("Reshape", np.array(shape, np.int64), allowzero=1)

    def transpose(self, axes: Sequence[int]) -> Edge:
        """Return the value with its axes in another order."""
        return self.op("Transpose", perm=list(axes)) if axes else self

    def picked(self, indices: Any, axis: int) -> Edge:
        """Return the entries at these places of an axis."""
        return self.op("Gather", indices, axis=axis)

    def reduced(self, op: str, axes: Sequence[int], keepdims: bool = True) -> Edge:
        """Return the sum, product or extreme over axes."""
        return self.op(op, np.array(axes, np.int64), keepdims=int(keepdims)) if len(axes) else self

    def where(self, x: Any, y: Any) -> Edge:
        """Return x where this holds, else y; one of them is an edge."""
        kind: Edge = x if isinstance(x, Edge) else y
        if kind.dtype == BOOL:
            return (self & kind.like(x)) | (~self & kind.like(y))
        return self.graph.node("Where", [self, kind.like(x), kind.like(y)], kind.dtype)

    def equals(self, other: Any) -> Edge:
        """Return where two values are equal."""
        return self.op("Equal", other, dtype=BOOL)

    def __add__(self, other: Any) -> Edge:
        return self.op("Add", other)

    def __sub__(self, other: Any) -> Edge:
        return self.op("Sub", other)

    def __mul__(self, other: Any) -> Edge:
        return self.op("Mul", other)

    def __truediv__(self, other: Any) -> Edge:
        return self.op("Div", other)

    def __rsub__(self, other: Any) -> Edge:
        return self.like(other) - self

    def __rtruediv__(self, other: Any) -> Edge:
        return self.like(other) / self

    def __neg__(self) -> Edge:
        return self.op("Neg")

    def __abs__(self) -> Edge:
        return self.op("Abs")

    def __lt__(self, other: Any) -> Edge:
        return self.op("Less", other, dtype=BOOL)

    def __le__(self, other: Any) -> Edge:
        return self.op("LessOrEqual", other, dtype=BOOL)

    def __gt__(self, other: Any) -> Edge:
        return self.op("Greater", other, dtype=BOOL)

    def __ge__(self, other: Any) -> Edge:
        return self.op("GreaterOrEqual", other, dtype=BOOL)

    def __and__(self, other: Any) -> Edge:
        return self.op("And" if self.dtype == BOOL else "BitwiseAnd", other)

    def __or__(self, other: Any) -> Edge:
        return self.op("Or" if self.dtype == BOOL else "BitwiseOr", other)

    def __xor__(self, other: Any) -> Edge:
        return self.op("Xor" if self.dtype == BOOL else "BitwiseXor", other)

    def __invert__(self) -> Edge:
        return self.op("Not" if self.dtype == BOOL else "BitwiseNot")
