"""What the live page asks of Python, in an ordinary Python: plain data in, plain data or a reason out."""

from __future__ import annotations

import json
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tinygrad_norm.lessons.exercises.tasks import EXERCISES

NORMALIZED = """
def backward(g, x):
    m = lambda a: a.mean(axis={axis}, keepdims=True)
    n = forward(x)
    s = np.sqrt(m(({centered}) ** 2) + 1e-5)
    return (g - {through_mean} - n * m(g * n)) / s
"""
RIGHT = {
    "layer": NORMALIZED.format(axis=1, centered="x - m(x)", through_mean="m(g)"),
    "batch": NORMALIZED.format(axis=0, centered="x - m(x)", through_mean="m(g)"),
    "rms": NORMALIZED.format(axis=1, centered="x", through_mean="0"),
    "softmax": """
def backward(g, x):
    p = forward(x)
    return p * (g - (g * p).sum(axis=1, keepdims=True))
""",
}
NAMED = {
    "layer": "both statistics are treated as constants: the paths through mean and variance are missing along axis 1",
    "batch": "both statistics are treated as constants: the paths through mean and variance are missing along axis 0",
    "rms": "the path through the RMS is missing along axis 1",
    "softmax": "treated as an elementwise function: entries influence each other, and that is missing",
}


def asked(glue: ModuleType, action: str, **arguments: Any) -> Any:
    """What comes of a request: what is given, or why it is refused."""
    came = json.loads(glue.answer(json.dumps({"action": action, "arguments": arguments})))
    return came.get("gave") or came["refused"]


def run(glue: ModuleType, code: str, entry: tuple[int, ...] = (0, 0), table: Any = None) -> Any:
    return asked(glue, "run", table=table or glue.LECTURE, code=code, entry=entry)


@pytest.mark.parametrize("norm", NAMED)
def test_the_first_try_of_each_norm_is_wrong_and_named_and_the_right_one_is_accepted(
    glue: ModuleType, norm: str
) -> None:
    code = glue.NORMS[norm][1]
    assert run(glue, code)["check"]["name"] == NAMED[norm]
    shown = run(glue, code + RIGHT[norm], entry=(1, 2))
    assert shown["check"]["status"] == "right"
    assert shown["wrong"] == []
    np.testing.assert_allclose(shown["mine"], shown["gradient"], atol=1e-12)


def test_a_mistake_that_the_table_does_not_tell_is_looked_for_on_another(
    glue: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = glue.NORMS["layer"][1]
    assert run(glue, code)["check"]["seen"].endswith("4×5: yours is too small to tell mistakes apart")
    fixed = code.replace("centered = x -", "assert len(x) == 5; centered = x -")
    assert (run(glue, fixed)["check"]["name"], run(glue, fixed)["check"]["seen"]) == (None, "")
    monkeypatch.setattr(glue, "SEARCH", 1e-9)
    stopped = run(glue, code)["check"]
    assert (stopped["status"], stopped["name"]) in {("wrong", None), ("cannot tell", None)}
    nothing = run(glue, "def forward(x): return x * 0\ndef backward(g, x): return g * 0")["check"]
    assert nothing["status"] not in ("right", "wrong")


def test_what_is_shown_is_what_the_engine_computes(glue: ModuleType) -> None:
    shown = run(glue, "def forward(x):\n    return x * x\n", entry=(3, 1))
    assert (shown["output"][3][1], shown["gradient"][3]) == (25.0, [0.0, 10.0, 0.0])
    assert (shown["mine"], shown["check"], shown["entry"]) == (None, None, [3, 1])
    assert run(glue, "def forward(x):\n    return x.sum(axis=1)\n", entry=(3, 1))["entry"] == [0]
    infinite = run(glue, "def forward(x):\n    return x / 0\n")
    assert infinite["output"][0][0] == "inf"


@pytest.mark.parametrize(
    ("code", "why", "line"),
    [
        ("def forward(x):\n    return (x", "line 2: SyntaxError: '(' was never closed", 2),
        ("def forward(x):\n\n    return x / y", "line 3: NameError: name 'y' is not defined", 3),
        ("import sys\nsys.exit()", "line 2: ends the program", 2),
        ("raise KeyboardInterrupt", "line 1: KeyboardInterrupt", 1),
        ("x = 1", "the text must define forward(x)", None),
        ("def forward(x):\n    return 7", "forward(x) must give a table or a row", None),
        ("def forward(x):\n    return x.sum()", "got of shape ()", None),
        ("def forward(x):\n    return forward(x)", "line 2: calls itself without end", 2),
        ("def forward(x): return x\ndef backward(g, x): return 1 / 0", "line 2: ZeroDivisionError", 2),
        ("\0", "SyntaxError", None),
        ("def forward(x):\n    raise ValueError('<img src=x onerror=alert(1)>\\x1b')", "ValueError: <img src=x", 2),
    ],
)
def test_what_does_not_run_says_why_and_where(glue: ModuleType, code: str, why: str, line: int | None) -> None:
    told = run(glue, code)
    assert why in told["why"]
    assert told["line"] == line


def test_what_is_printed_is_kept_and_cut(glue: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    shown = run(glue, "print('<b>' * 10**4)\ndef forward(x):\n    return x\n")
    assert len(shown["printed"]) == 2000
    assert capsys.readouterr().out == ""


def table(cells: list[list[str]]) -> dict[str, Any]:
    rows, columns = [f"r{i}" for i in range(len(cells))], [f"c{j}" for j in range(len(cells[0]) if cells else 0)]
    return {"columns": columns, "rows": rows, "cells": cells}


def test_a_cell_that_is_no_number_is_named(glue: ModuleType) -> None:
    told = run(glue, "", table=table([["1", "2"], ["3", "<b>"]]))
    assert told == {"why": "row r1, column c1: '<b>' is not a number", "cell": [1, 1]}
    assert run(glue, "", table=table([[" "]]))["why"] == "row r0, column c0: the cell is empty"
    assert glue.numbers_of(table([["1,5", "-2e1"]])).tolist() == [[1.5, -20.0]]


@pytest.mark.parametrize("shape", [(0, 0), (21, 1), (1, 13)])
def test_a_table_that_is_too_large_or_empty_is_refused(glue: ModuleType, shape: tuple[int, int]) -> None:
    assert "1 to 20 rows and 1 to 12 columns" in run(glue, "", table=table([["1"] * shape[1]] * shape[0]))["why"]


def test_tables_are_read_as_they_are_found(glue: ModuleType) -> None:
    assert asked(glue, "read", text="who;a;b\nx;1,5;2\ny;-0;1e20\n") == {
        "columns": ["a", "b"],
        "rows": ["x", "y"],
        "cells": [["1.5", "2"], ["0", "1e+20"]],
    }
    assert asked(glue, "read", text="1\t2\n3\t4\n")["rows"] == ["1", "2"]
    assert asked(glue, "read", text="a,b\n1,x\n2,3\n")["why"].startswith("the text, line 2, column 2 ('b')")
    assert "at most 20 rows" in asked(glue, "read", text="1,2\n" * 21)["why"]


def test_the_graph_and_the_lecture_escape_names(glue: ModuleType) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    code = f"import tinygrad_norm as tg\ndef forward(x):\n    with tg.scope({hostile!r}):\n        return x * 2\n"
    drawn = asked(glue, "graph", table=glue.LECTURE, code=code, entry=[0, 0], theme="dark")
    assert "<img" not in drawn["svg"]
    assert "&lt;img" in drawn["svg"]
    assert hostile not in asked(glue, "steps", table=glue.LECTURE, code=code, entry=[0, 0])["page"]
    named = glue.LECTURE | {"columns": [hostile, "1", "1"], "rows": [hostile, "", "3", "4", "5"]}
    page = asked(glue, "lecture", table=named)["page"]
    assert "<img" not in page
    assert "&lt;img" in page
    assert "2 to 20 rows" in asked(glue, "lecture", table=table([["1"]]))["why"]


def test_an_exercise_is_graded_point_by_point(glue: ModuleType) -> None:
    told: list[int] = []
    exercise = EXERCISES[7]
    request = {"action": "grade", "arguments": {"number": 7, "code": f"import numpy as np\n{exercise.solution}"}}
    grade = json.loads(glue.answer(json.dumps(request), told.append))["gave"]
    assert (grade["full_marks"], told) == (True, [1, 1])
    assert [verdict["code"] for verdict in asked(glue, "grade", number=7, code=exercise.stub)["verdicts"]] == [
        "not-written",
        "not-written",
    ]
    assert asked(glue, "grade", number=7, code="\nx = (")["line"] == 2
