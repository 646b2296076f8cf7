"""What the live page asks of Python: plain data in, plain data out, as JSON has it.

The same functions run in the browser's worker and, for what the page shows while it loads, when the site is built.
A table is ``{"columns": [...], "rows": [...], "cells": [[...]]}``, all of it text as it was typed. The exercises and
the lecture, more than half of what there is to import, are imported when they are asked for.
"""

from __future__ import annotations

import json
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from typing import Any

import numpy as np

import tinygrad_norm as tg
from tinygrad_norm.engine.tensor import Tensor
from tinygrad_norm.errors import InputError, TinygradNormError
from tinygrad_norm.gradcheck import Report
from tinygrad_norm.gradcheck.check_report import verdict_sentence
from tinygrad_norm.lessons.own_table.csv_file import CellError, NumberFormat
from tinygrad_norm.lessons.own_table.own_table import Column, Layout, OwnTable
from tinygrad_norm.lessons.own_table.read_table import read_table
from tinygrad_norm.sandbox import AnswerHere, account, line_of
from tinygrad_norm.viz import Drawing
from tinygrad_norm.viz.theme import Theme

MOST = 20, 12
"""Rows and columns that a table on the page may have."""

FILE = "yours.py"
"""What the learner's text is called in messages."""

OTHER = 4, 5
"""Rows and columns of the random table on which a mistake is looked for that has no name on the learner's."""

SEARCH = 3.0
"""Seconds for the check, and for that search."""

LECTURE = {
    "columns": ["z1", "z2", "z3"],
    "rows": ["1", "2", "3", "4", "5"],
    "cells": [["7", "5", "4"], ["2", "3", "4"], ["1", "2", "3"], ["7", "5", "6"], ["3", "3", "4"]],
}
"""The lecture's table."""

_STATISTICS = """import numpy as np

# Each {unit} is normalized by its own mean and variance.
def forward(x):
    centered = x - x.mean(axis={axis}, keepdims=True)
    variance = (centered**2).mean(axis={axis}, keepdims=True)
    return centered / np.sqrt(variance + 1e-5)

# A first try: g is divided by what x was divided by. What is forgotten?
def backward(g, x):
    centered = x - x.mean(axis={axis}, keepdims=True)
    variance = (centered**2).mean(axis={axis}, keepdims=True)
    return g / np.sqrt(variance + 1e-5)
"""

NORMS = {
    "layer": ("Layer norm (each row)", _STATISTICS.format(unit="row", axis=1)),
    "batch": ("Batch norm (each column)", _STATISTICS.format(unit="column", axis=0)),
    "rms": (
        "RMS norm (each row)",
        """import numpy as np

# Each row is divided by its root mean square; its mean stays in it.
def forward(x):
    return x / np.sqrt((x**2).mean(axis=1, keepdims=True) + 1e-5)

# A first try: g is divided by what x was divided by. What is forgotten?
def backward(g, x):
    return g / np.sqrt((x**2).mean(axis=1, keepdims=True) + 1e-5)
""",
    ),
    "softmax": (
        "Softmax (each row)",
        """import numpy as np

def forward(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)

# A first try: the derivative of each entry by itself. What is forgotten?
def backward(g, x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    return g * p * (1 - p)
""",
    ),
}
"""What there is to begin with: a name and a text, whose forward pass is right and whose backward pass is not."""


class _CannotBeDoneError(Exception):
    """Why the page cannot show an answer, and where the reason is: a line of the text, or a cell of the table."""

    def __init__(self, why: str, **where: Any) -> None:
        super().__init__(why)
        self.told = {"why": why, **where}


def answer(request: str, report: Callable[[Any], object] = lambda told: None) -> str:
    """Do what is asked for and return what came of it; ``report`` is told what is done before the end."""
    asked = json.loads(request)
    told: dict[str, Any] = asked["arguments"]
    if asked["action"] == "grade":
        told = told | {"report": report}
    try:
        came: dict[str, Any] = {"gave": ACTIONS[asked["action"]](**told)}
    except _CannotBeDoneError as error:
        came = {"refused": error.told}
    except TinygradNormError as error:
        came = {"refused": {"why": str(error)}}
    return json.dumps(came)


def numbers_of(table: Mapping[str, Any]) -> Any:
    """Return the cells as numbers; a decimal comma is one, too."""
    columns, rows, cells = table["columns"], table["rows"], table["cells"]
    if not (1 <= len(rows) <= MOST[0] and 1 <= len(columns) <= MOST[1]):
        raise _CannotBeDoneError(
            f"a table on this page must have 1 to {MOST[0]} rows and 1 to {MOST[1]} columns; "
            f"got {len(rows)}×{len(columns)}. For more there is: tinygrad-norm norm"
        )
    found: list[list[float]] = []
    try:
        found.extend(map(NumberFormat(";").row, cells))
    except CellError as error:
        row = len(found)
        why = f"row {rows[row]}, column {columns[error.index]}: {error}"
        raise _CannotBeDoneError(why, cell=[row, error.index]) from None
    return np.array(found)


def read(text: str) -> dict[str, Any]:
    """Return the table in a text, as CSV is found in the world."""
    table = _from_text(text)
    numbers, names = table.numbers, table.labels
    if numbers.shape[0] > MOST[0] or numbers.shape[1] > MOST[1]:
        raise _CannotBeDoneError(
            f"a table on this page must have at most {MOST[0]} rows and {MOST[1]} columns of numbers; got "
            f"{numbers.shape[0]}×{numbers.shape[1]}. For more there is: tinygrad-norm norm"
        )
    return {
        "columns": [column.title for column in table.number_columns],
        "rows": [name.strip() or str(i + 1) for i, name in enumerate(names[0])]
        if names
        else [str(i + 1) for i in range(len(numbers))],
        "cells": [[_shortest(value) for value in row] for row in numbers.tolist()],
    }


def _shortest(value: float) -> str:
    return repr(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def _from_text(text: str) -> OwnTable:
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "table.csv")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        try:
            return read_table(path)
        except TinygradNormError as error:
            raise _CannotBeDoneError(str(error).replace(path, "the text")) from None


@contextmanager
def _heard() -> Iterator[StringIO]:
    """Keep what is printed."""
    screen = StringIO()
    with redirect_stdout(screen), redirect_stderr(screen), warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield screen


def functions_of(code: str) -> tuple[Callable[..., Any], Callable[..., Any] | None]:
    """Return what the learner's text defines: forward, and backward if it is there."""
    names: dict[str, Any] = {"__name__": "yours", "tg": tg, "np": np}
    exec(compile(code, FILE, "exec", dont_inherit=True), names)
    forward, backward = names.get("forward"), names.get("backward")
    if not callable(forward):
        raise InputError("the text must define forward(x), which gives the normalized table; it does not.")
    return forward, backward if callable(backward) else None


def run(table: Mapping[str, Any], code: str, entry: Sequence[int]) -> dict[str, Any]:
    """Return the normalized table, the gradient of one entry of it, and what the check says of the backward pass."""
    numbers = numbers_of(table)
    with _heard() as screen:
        try:
            shown = _run(numbers, code, entry)
        except TinygradNormError as error:
            raise _CannotBeDoneError(str(error), line=line_of(error, FILE)) from None
        except BaseException as error:  # also sys.exit
            raise _CannotBeDoneError(account(error, FILE), line=line_of(error, FILE)) from None
    return shown | {"printed": screen.getvalue()[:2000]}


def _run(numbers: Any, code: str, entry: Sequence[int]) -> dict[str, Any]:
    forward, backward = functions_of(code)
    x = Tensor(numbers, requires_grad=True, name="x")
    out = _result(forward, x)
    place, g = _one_hot(out, entry)
    if out.requires_grad:
        out.backward(gradient=g)
    gradient = np.zeros_like(numbers) if x.grad is None else x.grad.numpy()
    shown = {"output": _finite(out.numpy()), "entry": place, "gradient": _finite(gradient), "mine": None, "check": None}
    if backward is None:
        return shown
    report = tg.check_vjp(forward, backward, numbers, time_limit=SEARCH)
    mine = _own_gradient(backward, g, numbers)
    close = 1e-9 * np.abs(gradient).max(initial=0.0)
    wrong = [] if mine is None else np.argwhere(~np.isclose(mine, gradient, 1e-6, close)).tolist()
    check = _told(report)
    if report.status == "wrong" and check["name"] is None:
        check |= _named_elsewhere(
            forward, backward, "small to tell mistakes apart" if report.stopped is None else "large"
        )
    return shown | {"mine": None if mine is None else _finite(mine), "wrong": wrong, "check": check}


def _result(forward: Callable[..., Any], x: Tensor) -> Tensor:
    out = forward(x)
    if not isinstance(out, Tensor) or not 1 <= out.ndim <= 2:
        kind = f"of shape {out.shape}" if isinstance(out, Tensor) else f"a {type(out).__name__}"
        raise InputError(
            f"forward(x) must give a table or a row, computed from x with operators and NumPy's functions; got {kind}."
        )
    return out


def _one_hot(out: Tensor, entry: Sequence[int]) -> tuple[list[int], Any]:
    """Return the entry of the output that is looked at, and the gradient that begins there."""
    fits = len(entry) == out.ndim and all(0 <= i < n for i, n in zip(entry, out.shape, strict=False))
    place = list(entry) if fits else [0] * out.ndim
    g = np.zeros(out.shape)
    g[tuple(place)] = 1.0
    return place, g


def _own_gradient(backward: Callable[..., Any], g: Any, numbers: Any) -> Any:
    """Return the gradient that the learner's backward pass gives, if it can be called so and shown."""
    try:
        mine = np.asarray(backward(g.copy(), numbers.copy()), dtype=float)
    except Exception:  # the check has called it in its own way, and says what is wrong
        return None
    return mine if mine.shape == numbers.shape else None


def _told(report: Report) -> dict[str, Any]:
    finding = report.finding
    return {
        "status": report.status,
        "sentences": [*(f"{e.label}: {verdict_sentence(e)}" for e in report.entries), *filter(None, [report.refused])],
        "name": finding.name if finding else None,
        "evidence": finding.evidence if finding else "",
        "why": finding.why if finding else "",
        "seen": "",
    }


def _named_elsewhere(forward: Callable[..., Any], backward: Callable[..., Any], too: str) -> dict[str, Any]:
    """Return the name that a mistake has on another table, where the learner's is too small or too large."""
    more = np.random.default_rng(0).normal(1.0, 2.0, OTHER)
    try:
        report = tg.check_vjp(forward, backward, more, time_limit=SEARCH)
    except Exception:  # it is written for another size
        return {}
    told = _told(report)
    seen = f"seen on a random table of {OTHER[0]}×{OTHER[1]}: yours is too {too}"
    return {k: told[k] for k in ("name", "evidence", "why")} | {"seen": seen} if told["name"] else {}


def _finite(array: Any) -> Any:
    """Return numbers as JSON has them, with text for those that are not finite."""
    if isinstance(array, list):
        return [_finite(item) for item in array]
    if isinstance(array, float):
        return array if np.isfinite(array) else str(array)
    return _finite(np.asarray(array, dtype=float).tolist())


def graph(table: Mapping[str, Any], code: str, entry: Sequence[int], theme: Theme) -> dict[str, Any]:
    """Return the graph of the learner's forward pass, with the gradient of one entry on its way back."""
    drawing = _drawn(table, code, entry, lambda drawing: (drawing.svg, drawing.text), theme=theme)
    return dict(zip(("svg", "text"), drawing, strict=True))


def steps(table: Mapping[str, Any], code: str, entry: Sequence[int]) -> dict[str, Any]:
    """Return the page that steps through it."""
    return {"page": _drawn(table, code, entry, lambda drawing: drawing.page)}


def _drawn(
    table: Mapping[str, Any], code: str, entry: Sequence[int], look: Callable[[Drawing], Any], theme: Theme = "auto"
) -> Any:
    numbers = numbers_of(table)
    with _heard():
        try:
            forward, _ = functions_of(code)
            out = _result(forward, Tensor(numbers, requires_grad=True, name="x"))
            return look(tg.draw(forward, numbers, gradients=_one_hot(out, entry)[1], theme=theme))
        except BaseException as error:  # also sys.exit
            raise _CannotBeDoneError(account(error, FILE), line=line_of(error, FILE)) from None


def lecture(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return the lecture on a table as a page."""
    from tinygrad_norm.lessons.document.as_html import lesson_html
    from tinygrad_norm.lessons.own_table.own_lecture import own_lecture

    numbers = numbers_of(table)
    names = Column(1, "row")
    columns = (names, *(Column(k + 2, title) for k, title in enumerate(table["columns"])))
    lines = np.arange(len(numbers)) + 2
    layout = Layout(",", ".", header=True, encoding="utf-8", blank_lines=0)
    own = OwnTable("your table", columns, numbers, {names: table["rows"]}, lines, layout)
    return {"page": lesson_html(own_lecture(own))}


def grade(number: int, code: str, report: Callable[[Any], object] = lambda told: None) -> dict[str, Any]:
    """Return the verdicts on an answer to an exercise; ``report`` is told how many points each check decides."""
    from tinygrad_norm.lessons.exercises.exercise_report import grade_data
    from tinygrad_norm.lessons.exercises.grading import grade_source
    from tinygrad_norm.lessons.exercises.tasks import EXERCISES

    exercise = EXERCISES[number]
    source = code.encode()
    graded = grade_source(
        source, FILE, exercise, seconds=1e6, session=AnswerHere, report=lambda told: report(len(told))
    )
    told = grade_data(graded)
    try:
        compile(source, FILE, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        told["line"] = line_of(error, FILE)
    return told


ACTIONS: Mapping[str, Callable[..., dict[str, Any]]] = {
    "grade": grade,
    "graph": graph,
    "lecture": lecture,
    "read": read,
    "run": run,
    "steps": steps,
}
"""What can be asked for."""
