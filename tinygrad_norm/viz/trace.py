"""The flight recorder: every value, gradient and contribution of one run, for drawings, tables and lessons.

``with tg.trace() as t:`` keeps what is computed inside, on the tape or not, with its scope and source line;
``t.draw()``, ``t.table()`` and ``t.save("run.html")`` show it, also when the block raised. The one idea: the engine
tells its monitor about each operation and each step of the sweep, and the trace writes it down. Outside a trace
there is no monitor, and nothing costs anything.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile
from types import FrameType, TracebackType
from typing import Any

import numpy as np

from ..context import Setting
from ..engine.details.array import Array, Shape
from ..engine.primitive import Primitive
from ..engine.sweep import sweep
from ..engine.tape import Monitor, Node, Scope, State
from ..engine.tensor import Tensor
from ..nn import Module
from .frames import PACKAGE, frames_to, is_shown, key_of, variables_of

NAMED_UP_TO = 2000
"""So many operations are named by the local variables that hold them; looking them up takes a little time for each."""


@dataclass(frozen=True)
class Record:
    """One operation as it was computed.

    ``key`` and ``operands`` identify results: the tape's node, or a number for what is not on the tape, None for
    a plain number or array. ``saved`` holds the names that the tape kept for the backward pass.
    """

    key: Hashable
    primitive: Primitive
    inputs: tuple[Any, ...]
    operands: tuple[Hashable | None, ...]
    params: Mapping[str, Any]
    scope: Scope | None
    out: Array
    saved: tuple[str, ...]
    source: str
    in_backward: bool


@dataclass(frozen=True)
class Failure:
    """The operation that raised, or only the error when it came from elsewhere."""

    error: BaseException
    primitive: Primitive | None = None
    inputs: tuple[Any, ...] = ()
    operands: tuple[Hashable | None, ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    scope: Scope | None = None
    source: str = ""


@dataclass(frozen=True)
class Sent:
    """One step of a backward pass: what a node received in all, and what it sent to each of its inputs.

    ``raw_shapes`` are the shapes before a broadcast was summed back, be it by the rule or by the sweep.
    """

    node: Node
    cotangent: Array
    contributions: tuple[Array | None, ...]
    raw_shapes: tuple[Shape | None, ...]


class trace(Setting):
    """Record everything that is computed inside the block.

    Attributes
    ----------
    records : list of Record
        The operations in the order in which they were computed.
    passes : list of list of Sent
        The backward passes, each in the order of its sweep.
    failure : Failure or None
        What ended the block, if it raised.
    leaves : dict
        What was used but not computed inside: the Tensor for each key, in order of first use.
    variables, outer : dict
        The names of the variables that hold a value, and of those around the block alone.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> with tg.trace() as t:
    ...     x = tg.Tensor(3.0, requires_grad=True)
    ...     y = x * x
    ...     y.backward()
    >>> print(t.draw().text)
    x: leaf () float64 = 3, gradient 6, 2 of 2 received, saved by multiply_1
    y: () float64 = x · x = 9, gradient 1
    """

    def __init__(self) -> None:
        super().__init__()
        self.records: list[Record] = []
        self.passes: list[list[Sent]] = []
        self.failure: Failure | None = None
        self.leaves: dict[Hashable, Tensor] = {}
        self.variables: dict[Hashable, str] = {}
        self.outer: dict[Hashable, str] = {}
        self._tensors: dict[Hashable, Tensor] = {}
        self._results: dict[Hashable, int] = {}
        self._arrays: set[int] = set()
        # The frames of the last operation, from the outermost on, and how many operations there were before each.
        self._stack: list[FrameType] = []
        self._before: list[int] = []
        self._home: FrameType | None = None
        self._outer: Monitor | None = None

    def change(self, state: State) -> State:
        """Become the monitor; one that was there before is told everything too."""
        self._outer = state.monitor
        return state.replaced(monitor=self)

    def __enter__(self) -> trace:
        self._home = sys._getframe(1)
        return super().__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, traceback)
        self._stack, self._before = [], []
        if error is not None and (self.failure is None or self.failure.error is not error.__cause__):
            self.failure = self._failure_at(error, traceback)
        elif error is not None and self.failure is not None:
            # The engine raised its own account of the forward function's error: that is what to show.
            self.failure = replace(self.failure, error=error)
        else:
            self.failure = None
        if self._home is not None and is_shown(self._home):
            self.outer |= variables_of(self._home, arrays=self._arrays)
            self.variables |= self.outer
        self._home = None

    # What the engine tells

    def recorded(
        self,
        result: Tensor,
        primitive: Primitive,
        inputs: Sequence[Any],
        params: Mapping[str, Any],
        scope: Scope | None,
    ) -> None:
        """Write down an operation."""
        if self._outer is not None:
            self._outer.recorded(result, primitive, inputs, params, scope)
        operands = self._operands(inputs)
        self._arrays |= {id(x) for x in inputs if isinstance(x, np.ndarray)}
        names, source, in_backward = self._look_around()
        for key, name in names.items():
            self.variables.setdefault(key, name)
        node = result.node
        key = key_of(result)
        self._tensors[key] = result
        self._results[key] = len(self.records)
        told = (key, primitive, tuple(inputs), operands, params, scope)
        self.records.append(Record(*told, result._array, saved_names(primitive, node), source, in_backward))

    def noted(self, function: Any, args: Sequence[Any], kwargs: Mapping[str, Any], result: Any) -> None:
        """Pass on what is no operation of the tape."""
        if self._outer is not None:
            self._outer.noted(function, args, kwargs, result)

    def failed(
        self,
        error: Exception,
        primitive: Primitive,
        inputs: Sequence[Any],
        params: Mapping[str, Any],
        scope: Scope | None,
    ) -> None:
        """Write down the operation that raised."""
        if self._outer is not None:
            self._outer.failed(error, primitive, inputs, params, scope)
        source = self._look_around()[1]
        self.failure = Failure(error, primitive, tuple(inputs), self._operands(inputs), params, scope, source)

    def swept(self, node: Node, cotangent: Any, contributions: Sequence[Any]) -> None:
        """Write down a step of a backward pass; a sweep goes back in time, so a step forward begins another pass."""
        if self._outer is not None:
            self._outer.swept(node, cotangent, contributions)
        if not self.passes or self.passes[-1][-1].node.order <= node.order:
            self.passes.append([])
        arrays = tuple(None if c is None else array_of(c) for c in contributions)
        g = array_of(cotangent)
        broadcasts = node.primitive is not None and node.primitive.elementwise
        shapes = tuple(None if a is None else g.shape if broadcasts else a.shape for a in arrays)
        self.passes[-1].append(Sent(node, g, arrays, shapes))

    def given(self, tensors: Sequence[Tensor]) -> None:
        """Note Tensors that the run starts from, used or not."""
        self._operands(tensors)

    # What can be had from it

    def draw(self, **options: Any) -> Any:
        """Return the :class:`~tinygrad_norm.viz.Drawing` of this run; the options are those of :func:`tg.draw`."""
        return Tensor.drawn_by(self, **options)

    def table(self) -> str:
        """Return each step's value and gradient as labeled tables, forward and then backward."""
        steps: str = self.draw(depth=None, values=True, force=True).table
        return steps

    def save(self, path: str | os.PathLike[str], **options: Any) -> None:
        """Write the drawing to a file; its suffix chooses the format: html, svg, png, pdf, gv or txt."""
        self.draw(**options).save(path)

    def __repr__(self) -> str:
        swept = f", {len(self.passes)} backward pass(es)" if self.passes else ""
        failed = ", stopped by an error" if self.failure else ""
        return f"<trace of {len(self.records)} operation(s){swept}{failed}>"

    # How it finds out

    def _operands(self, inputs: Sequence[Any]) -> tuple[Hashable | None, ...]:
        keys = tuple(key_of(x) if isinstance(x, Tensor) else None for x in inputs)
        for key, x in zip(keys, inputs, strict=True):
            if key is not None and key not in self._tensors:
                self._tensors[key] = self.leaves[key] = x
        return keys

    def _look_around(self) -> tuple[dict[Hashable, str], str, bool]:
        """Return the names of local variables, the user's line, and whether a backward pass is under way."""
        names: dict[Hashable, str] = {}
        source, in_backward = "", False
        frames = list(frames_to(self._home))
        for frame, before in zip(frames, self._entered(frames), strict=True):
            code = frame.f_code
            if not source and not code.co_filename.startswith(PACKAGE + os.sep):
                source = f"{os.path.basename(code.co_filename)}:{frame.f_lineno}"
            in_backward = in_backward or code is sweep.__code__
            if frame is not self._home and len(self.records) < NAMED_UP_TO and is_shown(frame):
                # Frames come from the inside out: what an outer one calls a value stands.
                names |= variables_of(frame, self._results, self._arrays, before)
        return names, source, in_backward

    def _entered(self, frames: Sequence[FrameType]) -> list[int]:
        """Return how many operations there were before each frame was entered; the innermost comes first."""
        outward = list(reversed(frames))
        same = sum(1 for _ in takewhile(lambda both: both[0] is both[1], zip(outward, self._stack, strict=False)))
        self._before[same:] = [len(self.records)] * (len(outward) - same)
        self._stack = outward
        return self._before[::-1]

    def _failure_at(self, error: BaseException, traceback: TracebackType | None) -> Failure:
        """Return where code that is no operation raised: in which module, and with what arguments."""
        scope = self.records[-1].scope if self.records else None
        open_scopes: list[Scope] = []
        while scope is not None:
            open_scopes.insert(0, scope)
            scope = scope.parent
        given: list[Tensor] = []
        while traceback is not None:
            frame, code = traceback.tb_frame, traceback.tb_frame.f_code
            arguments = [frame.f_locals.get(name) for name in code.co_varnames[: code.co_argcount]]
            module = arguments[0] if arguments else None
            if isinstance(module, Module) and code is Module.__call__.__code__:
                scope = scope_called(module._place, module.label(), scope, open_scopes)
            known = [x for x in arguments if isinstance(x, Tensor) and key_of(x) in self._tensors]
            given = known or given
            traceback = traceback.tb_next
        return Failure(error, inputs=tuple(given), operands=tuple(map(key_of, given)), scope=scope)


def scope_called(name: str, kind: str, parent: Scope | None, known: Sequence[Scope]) -> Scope:
    """Return the scope of a module's call: one of those that were open when the last operation was recorded, or new."""
    for scope in known[known.index(parent) + 1 if parent in known else 0 :]:
        if (scope.name, scope.kind) == (name, kind):
            return scope
    return Scope(name, parent, kind)


def array_of(value: Any) -> Array:
    """Return the array of a Tensor, an array or a number."""
    return np.asarray(value._array if isinstance(value, Tensor) else value)


def saved_names(primitive: Primitive, node: Node | None) -> tuple[str, ...]:
    """Return the names that the tape kept for the backward pass of an operation, in order of the rules."""
    if node is None or node.saved is None:
        return ()
    arrays = ("out", *primitive.inputs)
    return tuple(dict.fromkeys(name for name, _ in primitive.named(node.saved) if name in arrays))
