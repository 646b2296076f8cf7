"""One run of a function, and its backward pass, written down step by step.

:class:`Recorder` is the engine's monitor. What is computed from values alone becomes a step too, and a branch on a
value becomes a check (see :mod:`.seen`). The backward pass is recorded as one that can be differentiated, so that its
rules are steps as well.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile
from types import FrameType
from typing import Any

import numpy as np

from ..engine.primitive import Primitive
from ..engine.sweep import sweep
from ..engine.tape import STATE, Node, Scope, leaf_node
from ..engine.tensor import Tensor
from ..errors import GraphError, OperandError
from ..viz.frames import PACKAGE, frames_to, is_shown, key_of, variables_of
from .seen import RECORDER, Plain, Seen, picked, plain, seen_kind, seen_result
from .steps import Check, Constant, Input, Item, Recording, Step, Value, values_in


class Recorder:
    """Writes down a run (a :class:`.Monitor` of the tape)."""

    def __init__(self, general: bool = False) -> None:
        self.general = general
        self.items: list[Item] = []
        self.known: dict[int, Value] = {}
        self.keys: dict[Hashable, Value] = {}
        self.numbers: dict[Hashable, int] = {}
        self.alive: list[Any] = []
        self.stack: list[FrameType] = []
        self.before: list[int] = []
        self.backward_from: int | None = None
        self.home = sys._getframe(1)

    def knows(self, array: Any, value: Value) -> None:
        """Note which value an array holds; an array that is known already keeps its value."""
        if id(array) not in self.known:
            self.known[id(array)] = value
            self.alive.append(array)

    def value_of(self, x: Any) -> Any:
        """Return the value, or plain Python, that an argument of a function is."""
        ended = None
        if isinstance(x, Tensor):
            if x._node is not None and x.is_leaf and id(x._array) not in self.known:
                raise GraphError(
                    "program: a Tensor that requires a gradient must be an argument, or stand in a variable or a "
                    f"module that the function reads; got {x!r}. Pass it as an argument."
                )
            x, ended = x._array, x._ended
        if isinstance(x, (np.ndarray, np.generic)):
            if id(x) not in self.known:
                array = np.array(x)
                self.knows(x, Constant(array.shape, array.dtype, array=array, ended=ended))
            return self.known[id(x)]
        if isinstance(x, (tuple, list)):
            return type(x)([self.value_of(part) for part in x])
        if isinstance(x, dict):
            return {key: self.value_of(part) for key, part in x.items()}
        if isinstance(x, slice):
            return slice(*(self.value_of(part) for part in (x.start, x.stop, x.step)))
        return x

    def option_of(self, x: Any) -> Any:
        """Return :meth:`value_of` a parameter, in which a whole number of NumPy's is one of Python's."""
        if isinstance(x, np.integer) and isinstance(self.known.get(id(x), None), (Constant, type(None))):
            return int(x)
        return type(x)([self.option_of(part) for part in x]) if isinstance(x, (tuple, list)) else self.value_of(x)

    # What the engine tells

    def recorded(
        self, result: Any, primitive: Primitive, inputs: Sequence[Any], params: Mapping[str, Any], scope: Scope | None
    ) -> None:
        """Write down an operation."""
        args = tuple(self.value_of(x if isinstance(x, Tensor) or type(x) in NUMBERS else np.asarray(x)) for x in inputs)
        options = {k: self.option_of(v) for k, v in params.items()}
        step = self.write(primitive, (args, options), result._array, scope)
        self.checks_shape(step, result._array)
        node = result._node
        if node is not None:
            self.knows_saved(node, args)
        kinds = {isinstance(x, Plain) for x in inputs if isinstance(x, Tensor)}
        result.__class__ = Plain if node is None and kinds == {True} else Seen
        self.calls(result, step)

    def knows_saved(self, node: Node, args: Sequence[Any]) -> None:
        """Know what an operation saved off the tape, perhaps as a copy; what a rule does with it is to be seen."""
        primitive = node.primitive
        assert primitive is not None

        def known(saved: Any, i: int) -> Any:
            value = args[i]
            if node.parents[i] is not None or not isinstance(value, Value):
                return saved
            self.knows(saved, value)
            return saved if isinstance(value, Constant) else plain(saved)

        def change(name: str, saved: Any) -> Any:
            if name not in primitive.inputs:
                return saved
            if primitive.variadic:
                return tuple([known(part, i) for i, part in enumerate(saved)])
            return known(saved, primitive.inputs.index(name))

        node.saved = primitive.changed(node.saved or (), change)

    def noted(self, function: Any, args: Sequence[Any], kwargs: Mapping[str, Any], result: Any) -> None:
        """Write down a function of NumPy's on values; of a plain answer, as of ``np.allclose``, also what it was."""
        told = tuple(self.value_of(x) for x in args), {k: self.option_of(v) for k, v in kwargs.items()}
        scope = STATE.get().scope
        parts = result if isinstance(result, tuple) else (result,)
        if isinstance(result, (bool, int)):
            self.items.append(Check(self.write(function, told, None, scope), result, place()))
        elif parts and all(isinstance(part, Tensor) for part in parts):
            whole = self.write(function, told, None, scope) if isinstance(result, tuple) else None
            for i, part in enumerate(parts):
                if type(part) is Tensor:
                    part.__class__ = Seen
                if type(part._array) is np.bool_:  # of which there are only two
                    part._array = np.asarray(part._array)
                applied: tuple[Any, Any] = (function, told) if whole is None else (picked, ((whole, i), {}))
                step = self.write(*applied, part._array, scope)
                self.calls(part, step)
                self.checks_shape(whole or step, part._array)
        elif any(not isinstance(value, Constant) for value in values_in(told)):
            raise unseen()

    def failed(self, *event: Any) -> None:
        """Do nothing: the error is on its way to the caller."""

    def swept(self, node: Node, cotangent: Any, contributions: Sequence[Any]) -> None:
        """Say of the steps since the last one whose rule they are, and call the cotangent after what it belongs to."""
        assert node.primitive is not None
        forward = self.keys.get(node)
        for item in self.items[self.backward_from :]:
            item.place = forward.place if isinstance(forward, Step) else ""
            if isinstance(item, Step):
                item.rule_of = node.primitive.name
                item.scope = node.scope.path if node.scope else ""
        self.backward_from = len(self.items)
        self.names_cotangent(forward, cotangent)

    def names_cotangent(self, of: Value | None, cotangent: Any) -> None:
        """Call what arrives at a value ``g_`` and the value's name."""
        value = self.value_of(cotangent)
        if of is not None and isinstance(value, Step) and not value.name:
            value.name = f"g_{of.name}" if of.name else ""
            value.cotangent_of = f"g_{of.wish}" if isinstance(of, Step) else ""

    # How it is written

    def write(self, function: Any, told: tuple[Any, Any], result: Any, scope: Scope | None) -> Step:
        """Write down a step and return it; ``result`` is None where it is no array."""
        self.look_around()
        array = np.empty(0, object) if result is None else np.asarray(result)
        where = scope.path if scope else "", place()
        step = Step(array.shape, array.dtype, "", array.flags.c_contiguous, function, *told, *where)
        self.items.append(step)
        if result is not None:
            self.knows(result, step)
        return step

    def calls(self, tensor: Tensor, step: Step) -> None:
        """Let a step be called what variables call a Tensor."""
        key = key_of(tensor)
        self.keys[key], self.numbers[key] = step, len(self.items) - 1
        self.alive.append(tensor)

    def left(self, array: Any, seen: Any) -> None:
        """Check a truth value or a whole number that left; refuse real numbers, as nobody sees what they are for."""
        value = self.value_of(array)
        if isinstance(value, Constant):
            return
        if type(seen) is int and array.dtype.kind == "f":
            value = self.write(np.trunc, ((value,), {}), np.trunc(array), STATE.get().scope)
        elif array.dtype.kind not in "biu" and not isinstance(seen, bool):
            raise unseen()
        self.items.append(Check(value, seen, place()))

    def checks_shape(self, step: Step, result: Any) -> None:
        """Check the shape of a result that depends on values: of what a mask picks, of the different entries."""
        index = step.kwargs["index"] if step.primitive == "getitem" else step.args[1] if step.function is picked else ()
        masks = [v for v in values_in(index) if v.dtype == bool and v.shape and not isinstance(v, Constant)]
        name = getattr(step.function, "__name__", "")
        if masks or name in OF_SOME_SHAPE or (name == "where" and len(step.args) == 1):
            shape = self.write(np.shape, ((self.value_of(result),), {}), None, STATE.get().scope)
            self.items.append(Check(shape, np.shape(result), place()))

    def look_around(self) -> None:
        """Call the values so far what the local variables call them; the names of an outer function go first."""
        if self.backward_from is not None:
            return
        names: dict[Hashable, str] = {}
        frames = list(frames_to(self.home))
        outward = frames[::-1]
        same = sum(1 for _ in takewhile(lambda both: both[0] is both[1], zip(outward, self.stack, strict=False)))
        # How many items there were before each frame was entered.
        self.before[same:] = [len(self.items)] * (len(outward) - same)
        self.stack = outward
        for frame, before in zip(frames, self.before[::-1], strict=True):
            if frame is not self.home and is_shown(frame):
                names |= variables_of(frame, self.numbers, (), before)
        for key, name in names.items():
            value = self.keys.get(key)
            if value is not None and not value.name:
                value.name = name


NUMBERS = frozenset({int, float, bool})
OF_SOME_SHAPE = {
    "nonzero",
    "flatnonzero",
    "argwhere",
    "unique",
    "unique_values",
    "extract",
    "compress",
    "repeat",
    "bincount",
}
"""Functions of NumPy's whose results have a shape that depends on values."""
NUMPY_HOME = os.path.dirname(np.__file__) + os.sep


def place() -> str:
    """Return file and line of the innermost code that is neither this package's nor NumPy's."""
    frame: Any = sys._getframe(2)
    while frame is not None:
        file = frame.f_code.co_filename
        if not file.startswith((PACKAGE + os.sep, NUMPY_HOME)):
            return f"{os.path.basename(file)}:{frame.f_lineno}"
        frame = frame.f_back
    return ""


def unseen() -> GraphError:
    """Return the error where values become a copy, or part of one, whose uses nobody sees."""
    return GraphError(
        f"program: values must stay where they are seen; got a copy of some at {place()}, where what it is for is not. "
        "Compute with functions of tg, or with functions of NumPy that return something on x.data itself."
    )


@dataclass(eq=False)
class Given:
    """An input of a run: its name and values, whether a gradient is wanted, what stands for it, and how it lies."""

    name: str
    array: Any
    wanted: bool
    tensor: Tensor
    in_rows: bool


@contextmanager
def seen(given: Sequence[Given]) -> Iterator[None]:
    """Let the Tensors of the inputs have these values, as leaves that are seen, for a while."""
    before = [(type(g.tensor), g.tensor._array, g.tensor._node) for g in given]
    try:
        for g in given:
            kind: Any = type(g.tensor)
            g.tensor.__class__ = seen_kind(kind)
            g.tensor._array = g.array
            g.tensor._node = leaf_node(g.tensor) if g.wanted else None
        yield
    finally:
        for g, (own, array, node) in zip(given, before, strict=True):
            g.tensor.__class__, g.tensor._array, g.tensor._node = own, array, node


def record(
    run: Callable[[], tuple[Any, dict[str, Tensor]]], given: Sequence[Given], seed: int, general: bool = False
) -> Recording:
    """Record ``run``, which gives its results and the new values of buffers, and its backward pass.

    A ``general`` recording is one for all values, where nothing can be recorded anew: it takes no short cut that these
    ones allow (see :func:`.some`), and has no backward pass.
    """
    recorder = Recorder(general)
    inputs = [Input(np.shape(g.array), g.array.dtype, g.name, g.in_rows) for g in given]
    state = STATE.get()
    tokens = (
        RECORDER.set(recorder),
        STATE.set(state.replaced(recording=True, strict=True, monitor=recorder, scope=None)),
    )
    try:
        with seen(given), np.errstate(all="ignore"):
            for value, g in zip(inputs, given, strict=True):
                recorder.knows(g.array, value)
                recorder.keys[key_of(g.tensor)] = value
            nodes = [g.tensor._node for g in given]
            outputs, updates = run()
            ends = list(tensors_in(outputs))
            if not ends:
                raise no_tensor(outputs)
            flows = tuple(end._node is not None for end in ends)
            found = recorder.value_of(outputs), recorder.value_of(updates)
            forward, recorder.items, recorder.backward_from = tuple(recorder.items), [], 0
            cotangents, gradients = ((), ()) if general else backward_of(recorder, ends, nodes, seed)
    finally:
        recorder.stack.clear()  # which leads back to the recorder
        RECORDER.reset(tokens[0])
        STATE.reset(tokens[1])
    backward = tuple(recorder.items)
    return Recording(tuple(inputs), forward, *found, cotangents, backward, gradients, flows)


def backward_of(
    recorder: Recorder, ends: Sequence[Tensor], nodes: Sequence[Node | None], seed: int
) -> tuple[tuple[Input, ...], tuple[Value | None, ...]]:
    """Record a backward pass from the results to the inputs; return its cotangents and gradients."""
    generator = np.random.default_rng(seed)
    starts = [end for end in ends if end._node is not None]
    cotangents = []
    roots = []
    for i, end in enumerate(starts):
        array = np.asarray(generator.uniform(0.5, 1.5, end.shape), end.dtype)
        value = Input(end.shape, end.dtype, "g" if len(starts) == 1 else f"g_{i + 1}")
        recorder.knows(array, value)
        cotangents.append(value)
        assert end._node is not None
        roots.append((end._node, seen_result(array, None)))
    wanted = {node for node in nodes if node is not None}
    found = sweep(roots, wrap=seen_result, targets=wanted) if roots else {}
    gradients: list[Value | None] = []
    for node in nodes:
        if node is None:
            gradients.append(None)
        elif node not in found:
            zeros = np.zeros(node.shapes[0], node.params["dtype"])
            gradients.append(Constant(zeros.shape, zeros.dtype, array=zeros))
        else:
            gradient = found[node]
            if gradient.dtype != node.params["dtype"]:
                gradient = gradient.astype(node.params["dtype"])
            value = recorder.value_of(gradient)
            if isinstance(value, Step):  # whatever else it is called on the way
                value.name = f"g_{recorder.keys[node].name}"
            gradients.append(value)
    return tuple(cotangents), tuple(gradients)


def tensors_in(tree: Any) -> Iterator[Tensor]:
    """Yield the Tensors among results."""
    if isinstance(tree, Tensor):
        yield tree
    elif isinstance(tree, (tuple, list)):
        for part in tree:
            yield from tensors_in(part)
    elif tree is not None:
        raise no_tensor(tree)


def no_tensor(result: Any) -> OperandError:
    """Return the error of a function that returns something else."""
    return OperandError(
        "program must get a function that returns a Tensor, or a tuple of them; got "
        f"{'None' if result is None else type(result).__name__}. Compute it with tg functions, and return it."
    )
