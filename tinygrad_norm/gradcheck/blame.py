"""Finds the recorded operation that is to blame for a composite that failed.

Every operation of one run is checked by itself, at the values that it really had. One that fails has a wrong rule.
If all pass, the tape is replayed as a plain function: when *its* derivative is what the backward pass gave, a part
of the computation left the tape; otherwise the engine combines right gradients wrongly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..engine.primitive import Primitive
from ..engine.tape import STATE, Node, Scope
from ..engine.tensor import Tensor
from .check_report import Report, WrongNode
from .diagnose import Finding
from .examination import check_problem
from .forward_constants import constants_of
from .measure.step_ladder import Array, scale
from .user_functions import TensorFunction, backward_function, leaves
from .vjp_problem import Arrays, Problem

#: More operations than this are not re-checked one by one.
MOST_NODES = 2000


@dataclass(frozen=True)
class RecordedOperation:
    """One recorded operation: what was applied to what, where, and which node it made."""

    primitive: Primitive
    inputs: tuple[Any, ...]
    params: Mapping[str, Any]
    scope: Scope | None
    result: Tensor


class Recorder:
    """Watches one run and keeps its operations (a :class:`.Monitor` of the tape)."""

    def __init__(self) -> None:
        self.operations: list[RecordedOperation] = []

    def recorded(
        self, result: Any, primitive: Primitive, inputs: Sequence[Any], params: Mapping[str, Any], scope: Scope | None
    ) -> None:
        """Keep one operation."""
        self.operations.append(RecordedOperation(primitive, tuple(inputs), params, scope, result))

    def failed(self, *event: Any, **more: Any) -> None:
        """Do nothing: an error is on its way to the user, and rules are called again one by one."""

    noted = swept = failed


@dataclass(frozen=True)
class RecordedRun:
    """What one run left on the tape: its operations, from the inputs to the outputs."""

    operations: Sequence[RecordedOperation]
    inputs: Sequence[Tensor]
    outputs: Sequence[Tensor]

    def replay(self, values: Arrays) -> Arrays:
        """Compute the recorded operations again, from other values of the inputs."""
        pairs = zip(self.inputs, values, strict=True)
        known: dict[Node | None, Array] = {t.node: v for t, v in pairs if t.node is not None}

        def value(x: Any) -> Any:
            return known.get(x.node, x.data) if isinstance(x, Tensor) else x

        for operation in self.operations:
            result = operation.primitive.forward(*map(value, operation.inputs), **operation.params)
            known[operation.result.node] = np.asarray(result)
        return tuple(np.asarray(value(y), dtype=np.float64) for y in self.outputs)


def record(f: TensorFunction, recorder: Recorder | None = None) -> RecordedRun:
    """Run a function once and keep what was recorded."""
    recorder = Recorder() if recorder is None else recorder
    tensors = f.bind(f.values)
    token = STATE.set(STATE.get().replaced(monitor=recorder))
    try:
        outputs = f.call(tensors, True)
    finally:
        STATE.reset(token)
    return RecordedRun([o for o in recorder.operations if o.result.node is not None], tensors, outputs)


def blame_operation(f: TensorFunction, report: Report, order: int, seed: int) -> Report:
    """Return the report of a failed composite with the operation to blame, where one is found.

    ``order`` is the highest that was checked: a rule may be right and its own derivative wrong.
    """
    run = record(f)
    if len(run.operations) > MOST_NODES:
        note = f"{len(run.operations)} operations are too many to re-check one by one"
        return replace(report, notes=(*report.notes, note))
    wrong = [w for number, o in enumerate(run.operations, 1) for w in check_operation(number, o, order, seed)]
    if wrong:
        return replace(report, nodes=tuple(wrong), place=_wrong_rule(wrong))
    if report.faults:
        return report
    if _right_nearby(f, order, seed):
        entries = tuple(replace(e, status="right", wrong=0) if e.status == "wrong" else e for e in report.entries)
        return replace(report, entries=entries, notes=(*report.notes, KINKS_MEET))
    off_the_tape = _off_the_tape(f, run, seed) if order == 1 else None
    return replace(report, place=off_the_tape or ENGINE_AT_FAULT)


ENGINE_AT_FAULT = Finding(
    "engine",
    "the engine combines right gradients wrongly",
    "every recorded operation passes by itself, at its actual values",
    "look at the order of the sweep, at the accumulation of several contributions, and at arrays that are shared",
)
KINKS_MEET = (
    "several kinks meet at this point, so the function has no gradient to compare with; every recorded operation "
    "is right by itself, and the gradient is right a little way off"
)


def _right_nearby(f: TensorFunction, order: int, seed: int) -> bool:
    """Tell whether the gradient is right a little way off: an MLP at zero is no fault of its backward pass."""
    generator = np.random.default_rng(seed)
    nearby = tuple(x + 1e-3 * scale(x) * generator.standard_normal(x.shape) for x in f.values)
    return check_problem(f.problem().at(nearby), seed=seed, order=order).ok


def check_operation(number: int, operation: RecordedOperation, order: int, seed: int) -> list[WrongNode]:
    """Return what is wrong with one operation at its actual values: nothing, or one entry for each wrong input."""
    f = operation_function(operation)
    if f is None:
        return []
    generator = np.random.default_rng(seed)
    for _ in range(order):
        report = check_problem(f.problem(), seed=seed)
        bad = [e for e in report.entries if e.status == "wrong"]
        if bad or report.faults:
            fault = report.faults[0] if report.faults else None
            path = operation.scope.path if operation.scope is not None else ""
            told = [(e.name, e.finding or fault) for e in bad] or [("", fault)]
            of = operation.primitive
            return [WrongNode(number, of.name, path, name, finding, rule_of(of, name)) for name, finding in told]
        f = backward_function(f, generator)
    return []


def operation_function(operation: RecordedOperation) -> TensorFunction | None:
    """Return one operation as a function of its floating-point inputs; None if it has none with a rule."""
    primitive = operation.primitive
    arrays = [x.numpy() if isinstance(x, Tensor) else x for x in operation.inputs]
    positions = [
        i
        for i, x in enumerate(arrays)
        if isinstance(operation.inputs[i], Tensor) and x.dtype.kind == "f" and primitive.flows_to(i)
    ]
    if not positions:
        return None
    names = primitive.inputs if not primitive.variadic else tuple(f"input {i}" for i in range(len(arrays)))

    def with_these(values: Sequence[Any]) -> list[Any]:
        complete = list[Any](arrays)
        for position, value in zip(positions, values, strict=True):
            complete[position] = value
        return complete

    def call(tensors: Sequence[Tensor], record: bool) -> list[Tensor]:
        return [primitive(*with_these(tensors), **operation.params)]

    def plain(inputs: Arrays) -> Arrays:
        return (np.array(primitive.forward(*with_these(inputs), **operation.params), dtype=np.float64),)

    values = tuple(np.asarray(arrays[i], dtype=np.float64) for i in positions)
    constants = constants_of(primitive.forward, operation.params)
    # Operations of others might write into their arrays.
    ours = primitive.native and all(isinstance(x, Tensor) for x in operation.inputs)
    chosen = tuple(names[i] for i in positions)
    return TensorFunction(chosen, values, leaves, call, constants, plain if ours else None)


def rule_of(primitive: Primitive, name: str) -> str:
    """Return the declared rule of a primitive for the input of that name, of all inputs for an empty one."""
    told = zip(primitive.inputs, primitive.rule, strict=False)
    return ", ".join(f"d{of} = {rule}" for of, rule in told if name in ("", of))


def _wrong_rule(wrong: Sequence[WrongNode]) -> Finding:
    first, operations = wrong[0], {w.number for w in wrong}
    place = f" in {first.path}" if first.path else ""
    by = f" for {first.input}" if first.input else ""
    more = f" ({len(operations) - 1} more)" if len(operations) > 1 else ""
    what, why = (f": {first.finding.name}", f": {first.finding.why}") if first.finding is not None else ("", "")
    return Finding(
        "wrong-rule",
        f"the backward rule of {first.primitive}{by} is wrong{place}{what}",
        f"operation {first.number} of the run fails by itself, at its actual values{more}",
        f"the composite is only as right as its operations; correct the rule of {first.primitive}{why}",
        formula=first.rule,
    )


def _off_the_tape(f: TensorFunction, run: RecordedRun, seed: int) -> Finding | None:
    """Tell whether yours is the gradient of what is on the tape, so that something must be missing from it."""
    replayed = Problem(f.names, f.values, run.replay, f.problem().backward)
    report = check_problem(replayed, seed=seed)
    if any(e.status in ("wrong", "cannot tell") for e in report.entries) or report.faults:
        return None
    return Finding(
        "off-the-tape",
        "a part of the computation leaves the tape",
        "yours is exactly the gradient of the operations that were recorded, but the function depends on its input "
        "in another way as well",
        "look for detach(), .data, .numpy(), float(), no_grad and NumPy calls on plain arrays inside the function",
    )


def cancelling_sum(f: TensorFunction) -> str:
    """Return why a function that returns one number does not depend on its input, where the tape tells.

    The last operation is a sum or a mean, and the operation before it belongs to a composition whose output has a
    constant sum: a layer norm, a softmax.
    """
    run = record(f)
    made = {o.result.node: o for o in run.operations}
    last = made.get(run.outputs[0].node)
    if last is None or last.primitive.name not in ("sum", "mean") or not isinstance(last.inputs[0], Tensor):
        return ""
    before = made.get(last.inputs[0].node)
    if before is None or before.scope is None:
        return ""
    return f"the {last.primitive.name} of what {before.scope.path} returns does not depend on its input"
