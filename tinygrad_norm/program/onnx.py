"""A function as an ONNX model: a graph of operations that runtimes in many languages serve.

:func:`to_onnx` records the function as :func:`.program` does and hands each step to :data:`.onnx_vocabulary.ROWS`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from importlib import import_module
from inspect import signature
from operator import add
from typing import Any

import numpy as np

from ..engine.details.array import Array
from ..errors import InputError, MissingExtraError, OperandError
from .arguments import call_of
from .onnx_graph import BOOL, INT, Edge, Graph
from .onnx_vocabulary import ROWS
from .program import name_of, recorded
from .steps import Check, Recording, Step, Value, values_in
from .surroundings import Surroundings

OPSET, IR = 18, 8
"""The versions of ONNX's operations and of its file format: the first ones that have all that is needed."""


def to_onnx(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Return a function as an ``onnx.ModelProto``, recorded at these arguments, which ``onnx.save`` writes to a file.

    Inputs are called as the function's arguments, the result ``y``, several ``y_1``, ``y_2``. What it reads besides,
    such as parameters by their paths, is stored in the model. The gradient ``tg.grad(f)`` is a function like any other.

    Parameters
    ----------
    function : callable
        A function of arrays or Tensors that returns a Tensor, or a tuple of them; or a module in evaluation mode.
    args, kwargs :
        What to record it at. Arrays and Tensors are the model's inputs, whose shapes and dtypes are kept; other values
        are part of the model. A run in which a branch would go another way than here is an error.

    Raises
    ------
    GraphError
        The function does not compute the same operations at two points; the error names the operation and its place.
    InputError
        No argument is an array, or the function changes a module's buffers.
    MissingExtraError
        onnx is not installed.
    OperandError
        ONNX has no such operation.
    """
    try:
        onnx: Any = import_module("onnx")
    except ImportError:
        raise MissingExtraError(
            "to_onnx needs onnx, which is not installed. Run python -m pip install 'tinygrad-norm[onnx]'."
        ) from None
    name = name_of(function, "to_onnx")
    surroundings = Surroundings(function)
    call = call_of(args, kwargs, surroundings, True)
    read = dict(zip(surroundings.tensors, call.arrays[len(call.arrays) - len(surroundings.tensors) :], strict=True))
    if len(read) == len(call.arrays):
        raise InputError(f"to_onnx: {name} must get at least one array, the model's input; got none. Pass f, *args.")
    recording = recorded(function, call, surroundings, name, general=True)
    if recording.updates:
        raise InputError(
            f"to_onnx: a model must change nothing while it runs; {name} changes {', '.join(recording.updates)}. "
            "Call eval() on the module first."
        )
    return Model(onnx, recording, read).proto(name)


class Model:
    """A model while it is made of a recording."""

    def __init__(self, onnx: Any, recording: Recording, read: dict[str, Array]) -> None:
        self.helper, self.graph, self.recording = onnx.helper, Graph(onnx), recording
        self.given = recording.inputs[: len(recording.inputs) - len(read)]
        for value in self.given:
            self.graph.edges[value] = Edge(self.graph, self.graph.named(value.name), value.dtype)
        for value, (path, array) in zip(recording.inputs[len(self.given) :], read.items(), strict=True):
            self.graph.edges[value] = self.graph.stores(array, path)
        results = list(values_in(recording.outputs))
        names = [f"y_{i + 1}" for i in range(len(results))] if len(results) > 1 else ["y"]
        self.results = [(value, self.graph.named(name)) for value, name in zip(results, names, strict=True)]
        self.failures: list[Edge] = []
        for item in recording.forward:
            if isinstance(item, Check):
                self.failures.append(self.failure(item))
            else:
                self.graph.edges[item] = self.step(item)

    def step(self, step: Step) -> Any:
        """Return the edge of a step."""
        graph = self.graph
        graph.place = step.scope
        name = step.primitive or getattr(step.function, "__name__", "")
        if 0 in step.shape and step.dtype != object:
            return graph.constant(np.empty(step.shape, step.dtype))
        try:
            args, kwargs = graph.of((step.args, step.kwargs))
            signature(ROWS[name]).bind(step, *args, **kwargs)
        except (KeyError, TypeError):
            raise OperandError(
                f"to_onnx: ONNX must have every operation; it has no such {step}. Leave it out of the model, or run "
                "the function in NumPy."
            ) from None
        found = ROWS[name](step, *args, **kwargs)
        if isinstance(found, Edge) and graph.nodes and graph.nodes[-1].output[-1] == found.name:
            found = Edge(graph, graph.named(step.wish), found.dtype)
            graph.nodes[-1].output[-1] = found.name
        return found

    def failure(self, check: Check) -> Edge:
        """Return 0; if a value is another one than was recorded, the model ends with an error that names the place."""
        graph = self.graph
        seen = np.asarray(check.seen)
        same = graph.edge(check.value).astype(BOOL if seen.dtype == BOOL else INT).equals(seen)
        others = (~same).astype(INT).reshape([-1]).reduced("ReduceSum", [0], keepdims=False)
        graph.place = f"{check}, must be as it was recorded"
        return graph.constant(np.zeros(1, np.int64)).picked(others, 0)

    def proto(self, name: str) -> Any:
        """Return the finished model; each result waits for the checks."""
        graph, helper = self.graph, self.helper
        graph.place = ""
        failed = reduce(add, self.failures) if self.failures else None
        for value, result in self.results:
            edge = graph.edge(value)
            if failed is not None:
                edge = edge.op("Unsqueeze", np.array([0])).picked(failed, 0)
            edge.op("Identity")
            graph.nodes[-1].output[0] = result
        inputs = [self.described(value, graph.edges[value].name) for value in self.given]
        outputs = [self.described(*pair) for pair in self.results]
        whole = helper.make_graph(graph.nodes, name, inputs, outputs, graph.initializers)
        opset = [helper.make_opsetid("", OPSET)]
        return helper.make_model(whole, opset_imports=opset, ir_version=IR, producer_name="tinygrad_norm")

    def described(self, value: Value, name: str) -> Any:
        """Return what is said of an input or a result: its name, dtype and shape."""
        return self.helper.make_tensor_value_info(name, self.graph.type_of(value.dtype), value.shape)
