"""What an exercise is made of, as frozen data: the functions to write, the hints, the checks, the verdicts.

The text of an exercise is its reference solution: a function that has a docstring is one to write, the rest is given.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from textwrap import dedent
from typing import Any, TypeAlias

from ..languages import require_language, say

Answer: TypeAlias = Callable[..., Any]
"""A function that the learner wrote."""

NOT_WRITTEN = "not-written"
"""The code of a verdict on a function that is still as in the stub."""


@dataclass(frozen=True)
class Verdict:
    """What came of one point: the label says what was asked, the message in one line how it was answered.

    The detail's lines say how it was seen and what to know. The code is a short stable name of the mistake, for
    programs; empty if it has none.
    """

    label: str
    passed: bool
    message: str
    detail: tuple[str, ...] = ()
    code: str = ""


@dataclass(frozen=True)
class Asked:
    """A function to write: its first line and its docstring, whose example must hold for the right answer.

    The first line of a method names its class: ``Value.__add__(self, other)``.
    """

    signature: str
    docstring: str

    @property
    def name(self) -> str:
        """The function's name."""
        return self.signature.partition("(")[0]


@dataclass(frozen=True)
class Check:
    """One look at one of the learner's functions, or classes; a point for each label.

    ``grade(answer, seed)`` gives the verdicts in the order of the labels. It may let out what the answer raises. The
    answer is the function; with ``whole_file`` it is all that the file defines, by name.
    """

    function: str
    labels: tuple[str, ...]
    grade: Callable[[Any, int], tuple[Verdict, ...]]
    whole_file: bool = False


_SLUG = re.compile("[a-z][a-z0-9]*(-[a-z0-9]+)*")
_TO_WRITE = re.compile(
    r'^(?P<indent> *)def (?P<signature>[^\n]+):\n(?P=indent)    r?"""\n(?P<told>.*?)\n(?P=indent)    """\n'
    r"(?P<body>(?:\n*(?P=indent)    [^\n]*\n)+)",
    re.MULTILINE | re.DOTALL,
)
_CLASS = re.compile(r"^class (\w+)", re.MULTILINE)


def given(functions: str) -> str:
    """Return functions without their docstrings: nothing of them is to be written any more."""
    return _TO_WRITE.sub(r"\g<indent>def \g<signature>:\n\g<body>", functions)


def _open(function: re.Match[str]) -> str:
    """Return a function with its docstring and without its body."""
    indent, told = function["indent"], function["told"].strip()
    raw = "r" if "\\" in told else ""
    refusal = f'    raise NotImplementedError("{say("write your answer here")}")'
    lines = f"def {function['signature']}:", f'    {raw}"""{told}', '    """', refusal
    return "".join(f"{indent}{line}\n" for line in lines)


@dataclass(frozen=True)
class Exercise:
    """One of the exercises, by the names ``7``, ``mean-backward`` and a short title.

    The statement says what is given, what it is about, what to do. ``functions`` is Python text: each function that is
    asked for, with its docstring and its right body, and what is given, without a docstring. Where an engine is to be
    written (``own_engine``), a file that imports one is refused. The hints go from a nudge to nearly the answer.

    The language is one of :data:`~tinygrad_norm.lessons.languages.LANGUAGES`. Of a locked exercise the solution is not
    shown. The source is the file that it was loaded from, empty for those of the course.

    TypeError or ValueError if it cannot be an exercise: one without hints, or with a check of what it does not define.
    """

    number: int
    slug: str
    title: str
    statement: str
    functions: str
    hints: tuple[str, ...]
    checks: tuple[Check, ...]
    own_engine: bool = False
    lang: str = "en"
    locked: bool = False
    source: str = ""

    def __post_init__(self) -> None:
        require_language(self.lang)
        if not isinstance(self.number, int) or self.number < 1 or not _SLUG.fullmatch(self.slug):
            raise ValueError(
                "an exercise must have a number from 1 on and a name of small letters, digits and hyphens that begins "
                f"with a letter; got {self.number!r} and {self.slug!r}"
            )
        if '"""' in self.title + self.statement:
            raise ValueError('title and statement must not hold """: they become a docstring')
        for name, kind in (("hints", str), ("checks", Check)):
            items = getattr(self, name)
            if isinstance(items, str) or not all(isinstance(item, kind) for item in items) or not items:
                raise TypeError(f"{name} must be a tuple with one {kind.__name__} or more; is there a comma missing?")
            object.__setattr__(self, name, tuple(items))
        text = self.functions
        unknown = [
            c.function for c in self.checks if not re.search(rf"^(def|class) {c.function}\b", text, re.MULTILINE)
        ]
        if not self.asked or unknown:
            raise ValueError(
                f"exercise {self.number}: the text of the functions must define what is checked, with a docstring that "
                f"begins on a line of its own; got none for {', '.join(unknown) or 'any of them'}"
            )

    @property
    def asked(self) -> tuple[Asked, ...]:
        """The functions to write."""
        return tuple(
            Asked(f"{_class_of(found)}{found['signature']}", dedent(found["told"]))
            for found in _TO_WRITE.finditer(self.functions)
        )

    @property
    def stub(self) -> str:
        """What to start from: the functions to write without their bodies, and what is given."""
        return _TO_WRITE.sub(_open, self.functions)

    @property
    def solution(self) -> str:
        """The reference solution: the functions without their docstrings."""
        return given(self.functions)

    @property
    def points(self) -> int:
        """How many points there are."""
        return sum(len(check.labels) for check in self.checks)


def _class_of(function: re.Match[str]) -> str:
    """Return the class that a method is of, with a dot; nothing for a function."""
    if not function["indent"]:
        return ""
    *_, last = _CLASS.finditer(function.string, 0, function.start())
    return f"{last[1]}."
