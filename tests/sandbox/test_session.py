"""An answer is used as if it were here; what it does to itself, its process or the channel ends in one sentence."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinygrad_norm.errors import SandboxError
from tinygrad_norm.sandbox import (
    AnswerEndedError,
    AnswerRaisedError,
    AnswerSession,
    Protection,
    beside,
    protection,
    session,
)

Use = Callable[..., Any]


@pytest.fixture(params=list(Protection), ids=lambda kind: kind.name.lower())
def under(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Protection:
    """Each protection that this machine has."""
    if request.param is Protection.CAGE and protection() is not Protection.CAGE:
        pytest.skip("bubblewrap is not installed, or does not work here")
    monkeypatch.setattr(session, "protection", lambda: request.param)
    kind: Protection = request.param
    return kind


@pytest.fixture
def use() -> Iterator[Use]:
    """Load an answer and return what it defines."""
    with ExitStack() as stack:

        def loaded(text: str, **limits: Any) -> Any:
            return stack.enter_context(AnswerSession(text.encode(), "answer.py", **limits)).load()

        yield loaded


ENGINE = """
import numpy as np
class Value:
    made = 0
    def __init__(self, data):
        self.data, self.grad, self.parents = data, None, ()
        Value.made += 1
    def __add__(self, other):
        result = Value(self.data + (other.data if isinstance(other, Value) else other))
        result.parents = (self, other)
        return result
    __radd__ = __add__
    def __getitem__(self, k): return Value(self.data[k])
    def __len__(self): return len(self.data)
    def __float__(self): return float(self.data)
    def __neg__(self): return Value(-self.data)
def grow(x, by=1.0):
    x += by
def keep(x):
    return x
"""


def test_objects_of_the_answer_are_used_as_if_they_were_here(use: Use, under: Protection) -> None:
    names = use(ENGINE)
    assert sorted(names) == ["Value", "grow", "keep"]
    x = names["Value"](np.arange(3.0))
    total = 1.0 + (x + np.ones(3))
    assert isinstance(total, names["Value"])
    assert not isinstance(names["grow"], names["Value"])
    assert not isinstance(3.0, names["Value"])
    assert total.data.tolist() == [2.0, 3.0, 4.0]
    assert [len(x), float(x[2]), (-x).data[1]] == [3, 2.0, -1.0]
    assert [type(p).__name__ for p in total.parents] == ["Value", "float"]
    assert list(names["keep"]((1, [2.5, None], {"a": True}))) == [1, [2.5, None], {"a": True}]
    assert (x.grad, names["Value"].made) == (None, 5)
    x.grad = np.float32(2.0)
    assert x.grad == 2.0
    assert x.grad.dtype == np.float32
    assert names["keep"](x) in {x}


def test_an_array_that_the_answer_changes_is_changed_here(use: Use) -> None:
    x, y = np.arange(6.0)[::2], np.arange(3.0)
    use(ENGINE)["grow"](x, by=y)
    assert (x.tolist(), y.tolist()) == ([0.0, 3.0, 6.0], [0.0, 1.0, 2.0])


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("1 / 0", "line 2: ZeroDivisionError: division by zero"),
        ("raise NotImplementedError", "not written yet"),
        ("raise KeyError('\\x1b[2J\\u202e\\nsecond line')", "line 2: KeyError: '\\x1b[2J\\u202e\\nsecond line'"),
        ("raise ValueError('a\\x1b]0;me\\x07 b\\u202e')", "line 2: ValueError: a�]0;me� b�"),
        ("raise ValueError('\\ud800' + 'x' * 10**6)", "line 2: ValueError: �xxxxxxxxx"),
        ("import sys; sys.exit()", "line 2: ends the program (sys.exit); return a value instead"),
        ("return open('/etc/hostname').read()", "line 2: Refused: an answer gets all that it needs as arguments"),
        ("return __import__('tinygrad_norm')", "line 2: ImportError: imports this package: an answer is written with"),
        ("return [[]] * 10**6", "WireError: holds more than 100,000 values outside of arrays"),
        ("x = []\n    for _ in range(9**5): x = [x]\n    return x", "calls itself without end (RecursionError)"),
        ("return b'x'.join([])", "bytes"),
        ("return '\\ud800'", "?"),
        ("return 10**5000", "int"),
        ("import numpy as np\n    return np.zeros(3 * 2**20)", "WireError: holds more than 16 MB"),
        (
            "class E(Exception):\n        def __str__(self): raise self\n    raise E",
            "line 4: E: (its message cannot be",
        ),
    ],
)
def test_what_an_answer_gives_or_raises(use: Use, body: str, told: str) -> None:
    f = use(f"def f(x):\n    {body}\n", memory=2**30)["f"]
    try:
        result = f(1.0)
    except (AnswerRaisedError, NotImplementedError, AnswerEndedError) as error:
        result = str(error)
    assert (result if isinstance(result, str) else type(result).__name__).startswith(told)


SCRIBBLE = """
import os
def scribble():
    for descriptor in range(3, 20):
        try:
            os.write(descriptor, b"?" * 99)
        except OSError:
            pass
"""


@pytest.mark.parametrize(
    ("body", "reason", "code"),
    [
        ("while True: pass", "does not end within 0.5 s", "too-long"),
        ("import os; os._exit(3)", "ends the whole process (exit code 3)", "died"),
        ("import os; os.abort()", "crashes the whole process (SIGABRT)", "died"),
        ("import os; os.closerange(3, 20); import time; time.sleep(60)", "", "died too-long"),
        ("scribble()", "sends back what is too long", "bad-reply"),
    ],
)
def test_a_process_that_ends(use: Use, under: Protection, body: str, reason: str, code: str) -> None:
    names = use(f"{SCRIBBLE}\ndef f(x):\n    {body}\ndef g(x):\n    return x\n", seconds=0.5)
    for function in ("f", "g"):  # what has ended stays ended
        with pytest.raises(AnswerEndedError) as error:
            names[function](1.0)
        assert error.value.code in code
        assert str(error.value).startswith(reason)


def test_replies_that_are_forged_are_no_more_than_numbers(use: Use) -> None:
    forger = """
import json, os, struct
def f(x):
    for text in (b'[3, "gave", 99.0, []]', b'[2, "gave", 99.0, [[0, 5]]]', b'[2]', b'{"ready": 1}'):
        os.write(4, struct.pack('>II', len(text), 0) + text)
    return 1.0
"""
    with pytest.raises(AnswerEndedError, match="sends back what"):
        use(forger)["f"](np.ones(2))


def test_the_environment_is_the_processs_own(use: Use, under: Protection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "abc")
    names = use("import os\ndef f(): return dict(os.environ)\ndef g(): return os.getcwd()\n")
    environment, home = names["f"](), os.environ.get("HOME")
    assert "SECRET_TOKEN" not in environment
    assert environment["HOME"] != home
    assert environment["OPENBLAS_NUM_THREADS"] == "1"
    assert names["g"]() != os.getcwd()


def test_the_whole_has_a_limit_that_talking_does_not_reset(use: Use) -> None:
    f = use("import time\ndef f(): time.sleep(0.2)\n", seconds=1.0, total=1.5)["f"]
    talk = partial(deque, (f() for _ in range(20)), 0)
    with pytest.raises(AnswerEndedError, match=r"takes the file over the 1\.5 s that it has as a whole"):
        talk()


def test_objects_of_two_answers_do_not_mix(use: Use) -> None:
    first, second = use(ENGINE), use(ENGINE)
    with pytest.raises(SandboxError, match="its own objects"):
        first["keep"](second["Value"](1.0))
    with pytest.raises(SandboxError, match="numbers, texts, arrays"):
        first["keep"]({1, 2})
    with pytest.raises(TypeError, match="is no array"):
        np.asarray(first["Value"](1.0))


def test_a_python_that_cannot_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(session, "_BOOT", "raise SystemExit(9)")
    with pytest.raises(SandboxError, match=r"must start: .* with NumPy; it ends the whole process \(exit code 9\)"):
        AnswerSession(b"", "answer.py").__enter__()


def test_functions_beside_the_answer_work_on_its_objects_where_they_are(use: Use) -> None:
    text = "def long_sum(value, times):\n    for _ in range(times):\n        value = value + 1.0\n    return value\n"
    value = use(ENGINE)["Value"](2.0)
    assert beside(value, text)["long_sum"](value, 1000).data == 1002.0
    assert beside(2.0, text)["long_sum"](2.0, 3) == 5.0
    with pytest.raises(AnswerRaisedError, match="ZeroDivisionError"):
        beside(value, "1 / 0")
