"""A teacher's file: what it defines, and one line for whatever else it does."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tinygrad_norm import lessons
from tinygrad_norm.errors import FileError
from tinygrad_norm.lessons import Case, Exercise, value_check
from tinygrad_norm.lessons.exercises.grading import graded
from tinygrad_norm.lessons.from_file import exercises_of, lesson_of, sound_exercises_of

LESSON = "from tinygrad_norm.lessons import Lesson, Step\n"
EXERCISE = '''
from tinygrad_norm.lessons import Case, Exercise, value_check

def make(number, slug):
    text = """
def f(x):
    \\"\\"\\"
    Return x.
    \\"\\"\\"
    return x
"""
    check = value_check("f", lambda generator: [Case("3", (3.0,))], lambda x: x, {"x": ()})
    return Exercise(number, slug, "Same", "", text, ("Hm.",), [check])
'''

READERS: dict[str, Callable[[str], object]] = {"lesson": lesson_of, "exercise": sound_exercises_of}


@pytest.fixture(autouse=True)
def as_found() -> Iterator[None]:
    """Take back what running a file leaves behind."""
    before = list(sys.path)
    yield
    sys.path[:] = before
    sys.modules.pop("submission", None)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], str]:
    def write_text(text: str) -> str:
        path = tmp_path / "my.py"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write_text


BAD = [
    ("x = (", "line 1: SyntaxError: '(' was never closed"),
    ("\n1 / 0", "line 2: ZeroDivisionError: division by zero"),
    ("import nowhere_to_be_found", "line 1: ModuleNotFoundError: No module named 'nowhere_to_be_found'"),
    ("raise SystemExit", "line 1: ends the program (sys.exit)"),
    ("raise ValueError('a\\x1b[31m\\nb')", "line 1: ValueError: a�[31m"),
    ("\0", "null bytes"),
    ("", "it defines none"),
    ("from tinygrad_norm.lessons import *\nx = [Lesson, Exercise]", "it defines none"),
]


@pytest.mark.parametrize("kind", READERS)
@pytest.mark.parametrize(("text", "got"), BAD, ids=[got[:30] for _, got in BAD])
def test_a_bad_file_is_one_line(write: Callable[[str], str], kind: str, text: str, got: str) -> None:
    with pytest.raises(FileError) as caught:
        READERS[kind](write(text))
    message = str(caught.value)
    assert message.isprintable()
    assert "my.py must be a Python file that defines" in message
    assert got in message
    assert f"See the how-to “write a{'n' * (kind == 'exercise')} {kind}”." in message


@pytest.mark.parametrize("kind", READERS)
def test_no_such_file(tmp_path: Path, kind: str) -> None:
    (tmp_path / "folder.py").mkdir()
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / "notes.txt").write_text("Dear all", encoding="utf-8")
    for name, got in [
        ("gone.py", "it cannot be read: No such file or directory"),
        ("folder.py", "it is no file"),
        ("pipe.py", "it is no file" if hasattr(os, "mkfifo") else "No such file"),
        ("a\0b.py", "it cannot be read: embedded null byte"),
        ("x" * 300 + ".py", "it cannot be read: File name too long"),
        ("notes.txt", "its name does not end in .py"),
    ]:
        with pytest.raises(FileError, match=got):
            READERS[kind](str(tmp_path / name))


def test_only_one_lesson(write: Callable[[str], str]) -> None:
    text = LESSON + "a = Lesson('A', [Step(1, 'S', [])])\nb = a\n"
    assert lesson_of(write(text)).title == "A"
    with pytest.raises(FileError, match="defines one lesson; it defines 2"):
        lesson_of(write(text + "c = Lesson('C', [])\n"))


def test_exercises_come_in_order_and_know_their_file(write: Callable[[str], str]) -> None:
    path = write(EXERCISE + "b, a = make(2, 'b'), make(1, 'a')\n")
    exercises = exercises_of(path)
    assert [(number, e.slug, e.source) for number, e in exercises.items()] == [(1, "a", path), (2, "b", path)]


@pytest.mark.parametrize(("more", "double"), [("1, 'b'", "1"), ("2, 'a'", "a")])
def test_no_two_of_a_name(write: Callable[[str], str], more: str, double: str) -> None:
    with pytest.raises(FileError, match=f"of different numbers and names; 2 are called {double}"):
        exercises_of(write(EXERCISE + f"a, b = make(1, 'a'), make({more})\n"))


def test_what_a_file_prints_is_no_output(write: Callable[[str], str], capsys: pytest.CaptureFixture[str]) -> None:
    exercises_of(write(EXERCISE + "print('loaded')\na = make(1, 'a')\n"))
    assert capsys.readouterr() == ("", "loaded\n")


def test_an_interrupt_is_not_the_file_s(write: Callable[[str], str]) -> None:
    with pytest.raises(KeyboardInterrupt):
        exercises_of(write("raise KeyboardInterrupt"))


TEXT = 'def f(x):\n    """\n    Return x.\n    """\n    return x\n'


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"number": 0}, "must have a number from 1 on"),
        ({"slug": "Not a slug"}, "must have a number from 1 on and a name of small letters"),
        ({"lang": "tlh"}, "lang must be one of en, de; got 'tlh'"),
        ({"hints": "one hint"}, "hints must be a tuple with one str or more; is there a comma missing?"),
        ({"hints": ()}, "hints must be a tuple with one str or more"),
        ({"checks": ("f",)}, "checks must be a tuple with one Check or more"),
        ({"functions": TEXT.replace("f(", "g(")}, "must define what is checked, .*; got none for f"),
        ({"functions": "def f(x):\n    return x\n"}, "must define what is checked, .*; got none for any of them"),
        ({"statement": '"""'}, 'must not hold """'),
    ],
)
def test_an_exercise_that_cannot_be_one(change: dict[str, object], message: str) -> None:
    check = value_check("f", lambda generator: [Case("3", (3.0,))], lambda x: x, {"x": ()})
    fields = {"number": 1, "slug": "f", "title": "F", "statement": "", "functions": TEXT, "hints": ("?",)}
    given = {**fields, "checks": (check,), **change}
    with pytest.raises((TypeError, ValueError), match=message):
        Exercise(**given)


def test_the_public_names_are_there_and_cost_nothing_until_asked_for() -> None:
    assert all(getattr(lessons, name).__doc__ for name in lessons.__all__)
    assert set(lessons.__all__) <= set(dir(lessons))
    with pytest.raises(AttributeError, match="no attribute 'Lecture'"):
        _ = lessons.Lecture
    code = "import sys, tinygrad_norm.lessons as l; l.Step; print(*(m for m in sys.modules if 'exercises' in m))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (("    return x", "    return 2 * x"), "in exercise 1, x: 6 where 3 belongs, on 3"),
        (("    return x", "    1 / 0"), "in exercise 1, x: ZeroDivisionError"),
        (("    return x", "    return"), "in exercise 1, x: returns None: the return statement is missing"),
        (("lambda x: x,", "lambda x: y,"), "in exercise 1, x: NameError: name 'y' is not defined"),
        (('{"x": ()}', '{"x": (WRONG,)}'), "in exercise 1, x: ZeroDivisionError"),
        (("def f(x):", "1 / 0\ndef f(x):"), "that of exercise 1 does not run: ZeroDivisionError"),
    ],
)
def test_a_mistake_of_the_teacher_s_is_told_to_the_teacher(
    write: Callable[[str], str], change: tuple[str, str], fault: str
) -> None:
    slip = "from tinygrad_norm.lessons import Slip\nWRONG = Slip('w', 'wrong', '', lambda x: x / 0)\n"
    assert sound_exercises_of(write(slip + EXERCISE + "a = make(1, 'a')\n"))
    path = write(slip + EXERCISE.replace(*change) + "a = make(1, 'a')\n")
    with pytest.raises(FileError) as caught:
        sound_exercises_of(path)
    assert f"must be a Python file that defines exercises whose own solutions pass; {fault}" in str(caught.value)


def test_a_name_that_would_end_the_docstring(tmp_path: Path) -> None:
    path = tmp_path / 'a"""b.py'
    path.write_text(EXERCISE + "a = make(1, 'a')\n", encoding="utf-8")
    with pytest.raises(FileError, match="has no quotes in its name"):
        exercises_of(str(path))


BACKWARD = '''
import numpy as np
import tinygrad_norm as tg
from tinygrad_norm.lessons import Case, Exercise, Slip, gradient_check

TEXT = """
def square_backward(g, x):
    \\"\\"\\"
    Return the gradient.
    \\"\\"\\"
    return 2 * g * x
"""
TWO = Slip("two", "the 2 is missing", "", lambda g, x: g * x)
CASES = lambda generator: [Case("random data", (generator.normal(size=(2, 3)),))]
CHECK = gradient_check("square_backward", FORWARD, {"x": (TWO,)}, CASES)
SQUARE = Exercise(1, "square", "Square", "", TEXT, ("Chain rule.",), (CHECK,))
'''


@pytest.mark.parametrize("forward", ["lambda x: x * x", "lambda x: tg.square(x)"])
def test_a_forward_pass_of_arrays_or_of_tensors(write: Callable[[str], str], forward: str) -> None:
    (exercise,) = sound_exercises_of(write(BACKWARD.replace("FORWARD", forward))).values()
    (verdict,) = graded(exercise.checks[0], {"square_backward": lambda g, x: g * x}, "", 0)
    assert (verdict.code, verdict.message) == ("two", "the 2 is missing")
