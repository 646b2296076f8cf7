"""A model at a glance: its modules, the shapes that pass through them, and how many parameters each has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..context import no_grad
from ..engine.details.array import Shape
from ..engine.tensor import Tensor
from .module import Module

HEADINGS = ("path", "type", "input", "output", "parameters")


@dataclass(frozen=True)
class SummaryRow:
    """One module: path, type, shapes of its last run (empty if it was not run), own parameters, number of runs."""

    path: str
    kind: str
    inputs: tuple[Shape, ...]
    outputs: tuple[Shape, ...]
    parameters: int
    runs: int


@dataclass(frozen=True)
class Summary:
    """What :func:`summary` returns; prints as a table."""

    rows: tuple[SummaryRow, ...]
    parameters: int
    trainable: int
    buffers: int

    def __str__(self) -> str:
        cells = [HEADINGS, *(row_cells(row) for row in self.rows)]
        widths = [max(len(line[i]) for line in cells) for i in range(len(HEADINGS))]
        lines = ["  ".join(text.ljust(w) for text, w in zip(line[:-1], widths, strict=False)) for line in cells]
        lines = [f"{text}  {line[-1].rjust(widths[-1])}" for text, line in zip(lines, cells, strict=True)]
        rule = "─" * max(map(len, lines))
        total = f"{self.parameters:,} parameters, {self.trainable:,} of them trainable; {self.buffers:,} buffer entries"
        return "\n".join([lines[0], rule, *lines[1:], rule, total])

    __repr__ = __str__


def summary(module: Module, *inputs: Any) -> Summary:
    """Return a table of a model's modules: attribute path, type, shapes, number of its own parameters.

    With inputs the model is run once on them, in evaluation mode and without recording: nothing of it changes. A
    parameter that several modules share is counted where it occurs first.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> model = tg.nn.Sequential(tg.nn.Linear(2, 3), tg.nn.LayerNorm(3))
    >>> tg.summary(model, tg.ones((5, 2)))
    path  type         input   output  parameters
    ─────────────────────────────────────────────
          Sequential   (5, 2)  (5, 3)           0
    0     Linear 2→3   (5, 2)  (5, 3)           9
    1     LayerNorm 3  (5, 3)  (5, 3)           6
    ─────────────────────────────────────────────
    15 parameters, 15 of them trainable; 0 buffer entries
    """
    seen = run_watched(module, inputs) if inputs else {}
    counted: set[int] = set()
    rows = []
    for path, part in module.named_modules():
        own = 0
        for parameter in part.parameters(recurse=False):
            own += 0 if id(parameter) in counted else parameter.size
            counted.add(id(parameter))
        runs = seen.get(id(part), [])
        shapes_in, shapes_out = runs[-1] if runs else ((), ())
        rows.append(SummaryRow(path, part.label(), shapes_in, shapes_out, own, len(runs)))
    return Summary(
        tuple(rows),
        sum(p.size for p in module.parameters()),
        sum(p.size for p in module.parameters() if p.requires_grad),
        sum(b.size for b in module.buffers()),
    )


Shapes = tuple[tuple[Shape, ...], tuple[Shape, ...]]


def run_watched(module: Module, inputs: tuple[Any, ...]) -> dict[int, list[Shapes]]:
    """Run the module in evaluation mode; return the shapes of every run of every part, by the part's id."""
    seen: dict[int, list[Shapes]] = {}
    modes = [(part, part.training) for part in module.modules()]
    for part, _ in modes:
        # An attribute of the instance stands before the method of the class.
        part.__dict__["forward"] = watched(part, seen.setdefault(id(part), []))
    module.eval()
    try:
        with no_grad():
            module(*inputs)
    finally:
        for part, mode in modes:
            del part.__dict__["forward"]
            part.training = mode
    return seen


def watched(part: Module, runs: list[Shapes]) -> Callable[..., Any]:
    """Return a part's ``forward`` that notes the shapes of what goes in and comes out."""
    forward = part.forward

    def forward_and_note(*args: Any, **kwargs: Any) -> Any:
        result = forward(*args, **kwargs)
        runs.append((shapes_of(args), shapes_of(result)))
        return result

    return forward_and_note


def shapes_of(values: Any) -> tuple[Shape, ...]:
    """Return the shapes of the arrays and Tensors in a value or a tuple of them."""
    several = values if isinstance(values, (tuple, list)) else (values,)
    return tuple(v.shape for v in several if isinstance(v, Tensor) or hasattr(v, "shape"))


def row_cells(row: SummaryRow) -> tuple[str, ...]:
    """Return a row as texts."""
    kind = f"{row.kind} (×{row.runs})" if row.runs > 1 else row.kind
    return (row.path, kind, shapes_shown(row.inputs), shapes_shown(row.outputs), f"{row.parameters:,}")


def shapes_shown(shapes: tuple[Shape, ...]) -> str:
    """Return shapes as one text; the same shape several times over as one."""
    return " ".join(str(s) for s in dict.fromkeys(shapes)) or "–"
