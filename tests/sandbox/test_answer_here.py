"""An answer in this process is asked, and answers, as one in a process of its own does."""

from __future__ import annotations

import re
import sys
import warnings

import numpy as np
import pytest

from tinygrad_norm.sandbox import Answer, AnswerHere, AnswerRaisedError, AnswerSession, Printed

from .test_session import ENGINE

BODIES = [
    "x += 1",
    "return {'a': (x, [1, 2.5, None, 'text'])}",
    "return 1 / 0",
    "raise NotImplementedError",
    "raise ValueError('a\\x1b]0;me\\x07 b\\u202e')",
    "import sys; sys.exit()",
    "return __import__('tinygrad_norm')",
    "import torch",
    "import subprocess",
    "import numpy.linalg as la, math; return la.norm(x) + math.pi",
    "return input()",
    "return [[]] * 10**6",
    "return f12(x)",
    "import numpy as np; return np.log(x - 5) + np.float64(0) / 0",
    "print('hello\\n' * 2); import sys; sys.stderr.write('more\\n')",
]


SOURCE = "\n".join(f"def f{k}(x):\n    {body}" for k, body in enumerate(BODIES)).encode()


def told(answer: Answer) -> tuple[list[tuple[str, list[float]]], Printed]:
    """What each function gives or raises, what becomes of its argument, and what was printed in all."""
    seen = []
    with answer:
        names = answer.load()
        for k in range(len(BODIES)):
            x = np.arange(3.0)
            try:
                given = repr(names[f"f{k}"](x))
            except (AnswerRaisedError, NotImplementedError) as error:
                given = f"{type(error).__name__}: {error}"
            seen.append((given, x.tolist()))
        assert answer.ended is None
    return seen, answer.printed  # what a process prints arrives after its answers, if it likes


def test_it_gives_raises_changes_and_prints_the_same() -> None:
    mine = sys.stdin, sys.stdout, np.geterr()
    here = told(AnswerHere(SOURCE, "answer.py"))
    assert (sys.stdin, sys.stdout, np.geterr()) == mine
    assert here == told(AnswerSession(SOURCE, "answer.py"))
    assert here[1] == Printed(4, "hello")


def test_objects_stay_behind_the_requests() -> None:
    with AnswerHere(ENGINE.encode(), "answer.py") as answer:
        names = answer.load()
        x = names["Value"](np.arange(3.0))
        total = 1.0 + (x + np.ones(3))
        assert isinstance(total, names["Value"])
        total.data[0] = 7.0  # a copy
        assert total.data.tolist() == [2.0, 3.0, 4.0]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = (", "line 1: SyntaxError: '(' was never closed"),
        ("\nfrom tinygrad_norm import nn", "line 2: ImportError: imports this package"),
        ("raise SystemExit", "line 1: ends the program"),
    ],
)
def test_a_file_that_does_not_run_says_why(source: str, expected: str) -> None:
    with (
        AnswerHere(source.encode(), "answer.py") as answer,
        pytest.raises(AnswerRaisedError, match=re.escape(expected)),
    ):
        answer.load()


def test_its_warnings_are_nobodys() -> None:
    with (
        warnings.catch_warnings(record=True) as heard,
        AnswerHere(b"import warnings\nwarnings.warn('me')", "a.py") as a,
    ):
        a.load()
    assert heard == []
