"""Names a mistake inside a hand-written backward pass, by recording its forward pass.

Where no hypothesis about the whole gradient fits, the NumPy function is run on Tensors. The gradient on its tape is
right; yours is compared with sweeps over this tape that are changed at one step: a path is left out, has the wrong
sign or another factor; an operation hands g on as it came, multiplies by its Jacobian untransposed, or is
differentiated with another value. A match must hold in every entry and for every cotangent.
"""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from ..engine.sweep import contributions, summed_back
from ..engine.tape import Node
from .blame import RecordedOperation, RecordedRun, Recorder, record
from .check_report import Report
from .diagnose import Finding
from .diagnose.evidence import but_for
from .examination import check_problem
from .measure.clock import TimeIsUpError, current_clock
from .measure.step_ladder import Array
from .user_functions import TensorFunction, Wrt, tensor_function
from .vjp_problem import Arrays, Problem, gaussian_cotangents, gradients_for, unflatten

#: With more operations no other values are tried; with still more, or larger values, nothing: it would take seconds.
MANY_OPERATIONS, MOST_OPERATIONS = 40, 120
MOST_NUMBERS = 20_000
#: Two sums of the same numbers in another order differ by less than this part of the largest.
SAME = 1e-9

#: So many numbers hold up a factor that is no 0, −1 or 2.
FEWEST = 4
#: How close to a whole number the times are that a path counts.
COUNTED = 1e-7

#: What a step sends to its input number i, given g and what is right; or None where it cannot.
Change = Callable[[Array, Array], Array]
Steps = Sequence[RecordedOperation]


def named_by_its_paths(
    report: Report, problem: Problem, forward: Callable[..., Any], inputs: Any, wrt: Wrt, seed: int
) -> Report:
    """Return the report with names for those wrong gradients that one change of the recorded sweep explains."""
    unnamed = [e for e in report.entries if e.status == "wrong" and e.finding is None]
    if report.faults or not unnamed or sum(e.total for e in report.entries) > MOST_NUMBERS:
        return report
    with np.errstate(all="ignore"), suppress(Exception, TimeIsUpError):  # what cannot be recorded has no name
        paths = recorded_paths(problem, forward, inputs, wrt, seed)
        if paths is not None:
            found = {e.name: paths.finding(problem.names.index(e.name)) for e in unnamed}
            entries = (replace(e, finding=found.get(e.name) or e.finding) for e in report.entries)
            return replace(report, entries=tuple(entries))
    return report


def recorded_paths(
    problem: Problem, forward: Callable[..., Any], inputs: Any, wrt: Wrt, seed: int
) -> RecordedPaths | None:
    """Record a NumPy function at its point, None if its tape does not give its gradient."""
    f, watcher = tensor_function(forward, inputs, wrt), Watcher(forward)
    run = record(f, watcher)
    taped = replace(problem, backward=f.problem().backward)
    if not 0 < len(run.operations) <= MOST_OPERATIONS or not check_problem(taped, None, False, seed).ok:
        return None
    outputs = problem.forward(problem.inputs)
    cotangents = gaussian_cotangents(outputs, np.random.default_rng((seed, len(run.operations))))
    yours = tuple(g.reshape(len(cotangents), -1) for g in gradients_for(problem, outputs, cotangents))
    return RecordedPaths(f, run, watcher.sites, tuple(unflatten(g, outputs) for g in cotangents), yours)


class Site(NamedTuple):
    """A place in the user's code: the instruction, and its line."""

    file: str
    instruction: int
    line: str


class Watcher(Recorder):
    """A recorder that also keeps where in the user's code each operation was applied."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        code = getattr(function, "__code__", None)
        self.file = "" if code is None else str(code.co_filename)
        self.sites: dict[Node | None, Site] = {}

    def recorded(self, result: Any, *what: Any) -> None:
        """Keep one operation and its place."""
        super().recorded(result, *what)
        frame: Any = sys._getframe(1)
        while frame is not None and frame.f_code.co_filename != self.file:
            frame = frame.f_back
        if frame is not None:
            line = linecache.getline(self.file, frame.f_lineno).strip()
            self.sites[result.node] = Site(f"{frame.f_code.co_name} {frame.f_lineno}", frame.f_lasti, line)


@dataclass(frozen=True)
class RecordedPaths:
    """A recorded run, where each operation was applied, cotangents of the outputs and your gradients for them."""

    function: TensorFunction
    run: RecordedRun
    sites: Mapping[Node | None, Site]
    cotangents: tuple[Arrays, ...]
    yours: tuple[Array, ...]

    @cached_property
    def swept(self) -> list[dict[Node, Array]]:
        """What every node receives, for each cotangent."""
        return [self.sweep(g, {}) for g in self.cotangents]

    @cached_property
    def idle(self) -> Collection[Node]:
        """Nodes that receive nothing but rounding, like the maximum that a softmax subtracts: often left out."""
        sizes = {node: max(float(np.max(np.abs(s[node]), initial=0.0)) for s in self.swept) for node in self.swept[0]}
        return {node for node, size in sizes.items() if size <= SAME * max(sizes.values())}

    @cached_property
    def repeated(self) -> list[Steps]:
        """The operations that were applied at one place of the code several times, as in a loop."""
        groups: dict[tuple[Site, str], list[RecordedOperation]] = {}
        for o in self.run.operations:
            if o.result.node in self.sites and o.result.node in self.swept[0]:
                groups.setdefault((self.sites[o.result.node], o.primitive.name), []).append(o)
        return [steps for steps in groups.values() if len(steps) > 1]

    def sweep(
        self, g: Arrays, changes: Mapping[tuple[Node, int], Change], without: Collection[Node] = ()
    ) -> dict[Node, Array]:
        """Return what every node receives, with changes of what some operations send, and nothing to others."""
        received: dict[Node, Array] = {}
        for output, part in zip(self.run.outputs, g, strict=True):
            if output.node is not None:
                received[output.node] = received.get(output.node, 0.0) + part
        for operation in reversed(self.run.operations):
            node = operation.result.node
            if node is None or node not in received:
                continue
            for i, (parent, sent) in enumerate(
                zip(node.parents, contributions(node, received[node], None, None), strict=True)
            ):
                if parent is None or sent is None or parent in without:
                    continue
                array = np.asarray(sent)
                array = summed_back(array, node, i) if array.shape != node.shapes[i] else array
                if (node, i) in changes:
                    array = changes[node, i](received[node], array)
                received[parent] = received.get(parent, 0.0) + array
        return received

    def finding(self, position: int) -> Finding | None:
        """Return the name of the mistake in the gradient of one input, None if no one change explains it."""
        right, yours = np.array([self.gradient(s, position) for s in self.swept]), self.yours[position]
        size = float(np.max(np.abs(yours), initial=0.0) + np.max(np.abs(right), initial=0.0))
        if not np.isfinite(size) or np.max(np.abs(yours - right), initial=0.0) <= 1e3 * SAME * size:
            return None
        seen = [o for o in reversed(self.run.operations) if o.result.node in self.swept[0]]
        for without in [self.idle, ()] if self.idle else [()]:
            compare = Comparison(self, position, right, yours, size, without)
            every = (self.changes(steps) for steps in [*([o] for o in seen), *self.repeated])
            for told in chain(*every, self.some_uses(position, yours)):
                if (found := compare.finding(told)) is not None:
                    return found
        return None

    def some_uses(self, position: int, yours: Array) -> Iterator[Told]:
        """Yield the paths through those of the places where an input is used that do not count once in yours."""
        leaf = self.run.inputs[position].node
        nodes = [o.result.node for o in self.run.operations if o.result.node in self.swept[0]]
        uses = [(n, i) for n in nodes if n is not None for i, parent in enumerate(n.parents) if parent is leaf]
        if leaf is None or not 3 <= len(uses) <= yours.size // 2:
            return
        sent = []
        for g in self.cotangents:
            received = dict[tuple[Node, int], Array]()
            self.sweep(g, {use: partial(_kept, received, use) for use in uses})
            sent.append([received.get(use, np.zeros(yours.shape[1])).ravel() for use in uses])
        columns = np.concatenate(np.swapaxes(sent, 1, 2))
        times = np.linalg.lstsq(columns, yours.ravel(), rcond=None)[0]
        odd = np.flatnonzero(np.abs(times - 1) > COUNTED)
        if 1 < len(odd) < len(uses):
            where = f"through {len(odd)} of the {len(uses)} places where {self.function.names[position]} is used"
            yield Told("path", where, {uses[k]: _nothing for k in odd}, scaled=True)

    def gradient(self, received: Mapping[Node, Array], position: int) -> Array:
        """Return the gradient of one input as a flat array."""
        x = self.run.inputs[position]
        gradient = None if x.node is None else received.get(x.node)
        return np.zeros(x.size) if gradient is None else np.broadcast_to(gradient, x.shape).ravel()

    def changes(self, steps: Steps) -> Iterator[Told]:
        """Yield what may be wrong at one operation, or at each of several alike."""
        where, nodes = self.place(steps), [o.result.node for o in steps if o.result.node is not None]
        # The first step of a loop may start from a constant.
        parents = [i for i, of in enumerate(zip(*(n.parents for n in nodes), strict=True)) if any(of)]
        if len(parents) > 1:
            every = {(n, i): _nothing for n in nodes for i in parents}
            yield Told("path", f"through {where}", every, len(steps) == 1)
        for i in parents:
            of = f"input {i + 1} of " if len(parents) > 1 else ""
            yield Told("path", f"through {of}{where}", {(n, i): _nothing for n in nodes}, len(steps) == 1)
            for code, change, what in _SENT:
                yield Told(code, what.format(f"{of}{where}"), {(n, i): change for n in nodes})
            applied = {(o.result.node, i): _applied(o, i) for o in steps}
            yield Told("inner-not-transposed", f"{where} is applied to g where its transpose belongs", applied)
            if len(self.run.operations) <= MANY_OPERATIONS:
                yield from self.other_values(steps, i, where)

    def other_values(self, steps: Steps, i: int, where: str) -> Iterator[Told]:
        """Yield what comes of another recorded value in the place of one that the rule uses."""
        node, primitive = steps[0].result.node, steps[0].primitive
        assert node is not None
        assert node.saved is not None
        used = {name: v for name, v in primitive.named(node.saved) if isinstance(v, np.ndarray)}
        ones: list[tuple[str, list[Array]]] = [
            (name, [t.data] * len(steps)) for name, t in zip(self.function.names, self.run.inputs, strict=True)
        ]
        alike = (
            [[o] for o in self.run.operations]
            if len(steps) == 1
            else [s for s in self.repeated if len(s) == len(steps)]
        )
        ones += [(f"the result of {self.place(s)}", [o.result.data for o in s]) for s in alike]
        for name, right in used.items():
            rightly = next((label for label, values in ones if np.array_equal(values[0], right)), name)
            for label, values in ones:
                if values[0].shape == right.shape:
                    pairs = zip(steps, values, strict=True)
                    changed = {(o.result.node, i): _with_value(o, i, name, v) for o, v in pairs}
                    yield Told(
                        "inner-value", f"the derivative of {where} is taken with {label} in place of {rightly}", changed
                    )

    def place(self, steps: Steps) -> str:
        """Return in words which operation this is."""
        node, number = (
            steps[0].result.node,
            [o.result.node for o in self.run.operations].index(steps[0].result.node) + 1,
        )
        line = f", `{self.sites[node].line[:70]}`" if node in self.sites else ""
        return f"{steps[0].primitive.name} ({'each step of ' if len(steps) > 1 else ''}operation {number}{line})"


def _kept(received: dict[tuple[Node, int], Array], use: tuple[Node, int], g: Array, right: Array) -> Array:
    received[use] = right
    return right


def _nothing(g: Array, right: Array) -> Array:
    return np.zeros_like(right)


def _handed_on(g: Array, right: Array) -> Array:
    return g if g.shape == right.shape else right


def _transposed(g: Array, right: Array) -> Array:
    return right.T if right.ndim == 2 and right.shape[0] == right.shape[1] else right


def _negative(g: Array, right: Array) -> Array:
    return -right


_SENT: tuple[tuple[str, Change, str], ...] = (
    ("path-sign", _negative, "the path through {} has the wrong sign"),
    ("inner-derivative-missing", _handed_on, "the derivative of {} is missing: g is handed on as it came"),
    ("inner-transposed", _transposed, "what comes back through {} is transposed"),
)


def _applied(operation: RecordedOperation, i: int) -> Change:
    """Return the change that applies an operation to g in the place of its input."""

    def change(g: Array, right: Array) -> Array:
        with suppress(Exception):  # it takes no such input
            values = [getattr(x, "_array", x) for x in operation.inputs]
            found = np.asarray(operation.primitive.forward(*values[:i], g, *values[i + 1 :], **operation.params))
            return found if found.shape == right.shape else right
        return right

    return change


def _with_value(operation: RecordedOperation, i: int, name: str, value: Array) -> Change:
    """Return the change that takes the derivative of an operation with another value of what its rule uses."""
    node = operation.result.node
    assert node is not None
    primitive, saved = operation.primitive, node.saved
    assert saved is not None

    def put(of: str, v: Any) -> Any:
        return value if of == name and isinstance(v, np.ndarray) and v.shape == value.shape else v

    def change(g: Array, right: Array) -> Array:
        with suppress(Exception):  # the rule takes no such value
            found = np.asarray(primitive.pull_back(g, primitive.changed(saved, put))[i])
            return np.asarray(summed_back(found, node, i)) if found.shape != right.shape else found
        return right

    return change


@dataclass(frozen=True)
class Told:
    """A change of the sweep: its code, what is to be said, and what is sent instead.

    ``scaled`` says that the path may also be there with any factor.
    """

    code: str
    what: str
    changes: Mapping[Any, Change]
    scaled: bool = False


@dataclass(frozen=True)
class Comparison:
    """Yours beside the right gradient of one input, and sweeps that leave some nodes out."""

    paths: RecordedPaths
    position: int
    right: Array
    yours: Array
    size: float
    without: Collection[Node]

    def finding(self, told: Told) -> Finding | None:
        """Return the finding if the change explains yours for every cotangent."""
        factor, left, clock = 0.0, 0.0, current_clock()
        for k, g in enumerate(self.paths.cotangents):
            clock.tick()
            swept = self.paths.sweep(g, told.changes, self.without)
            path = self.right[k] - self.paths.gradient(swept, self.position)
            weight = float(np.sum(path * path))
            if not np.isfinite(weight) or np.max(np.abs(path)) <= 1e3 * SAME * self.size:
                return None  # this changes nothing
            if told.scaled and k == 0:
                factor = 1 + float(np.sum(path * (self.yours[k] - self.right[k]))) / weight
                if np.sum(path != 0) < FEWEST and not np.any(np.abs(factor - np.array([0, -1, 2])) <= COUNTED):
                    return None  # any number would fit
            left = max(left, float(np.max(np.abs(self.right[k] - (1 - factor) * path - self.yours[k]))))
            if left > SAME * self.size:
                return None
        code, name, why = _words(told, factor)
        evidence = "the sweep over your forward pass, changed there and nowhere else, gives yours"
        return but_for(left / self.size, code, name, evidence, why)


def _words(told: Told, factor: float) -> tuple[str, str, str]:
    """Return code, name and reason of a change."""
    if told.code != "path":
        why = "the chain rule multiplies g by the transposed derivative of every step, at the values of that step"
        return told.code, told.what, why
    why = "the gradient is the sum over all paths from the input to the output: each counts once, with its own sign"
    for known, code, name in (
        (0.0, "path-dropped", "is missing"),
        (-1.0, "path-sign", "has the wrong sign"),
        (2.0, "path-twice", "is counted two times"),
    ):
        if abs(factor - known) <= COUNTED:
            return code, f"the path {told.what} {name}", why
    return "path-coefficient", f"the path {told.what} is multiplied by {factor:.6g}", why
