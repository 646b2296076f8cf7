"""What an exercise is made of, as frozen data: the functions to write, the hints, the checks, the verdicts."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from textwrap import dedent
from typing import Any, TypeAlias

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
    """A function to write: its first line and its docstring, whose example must hold for the right answer."""

    signature: str
    docstring: str

    @property
    def name(self) -> str:
        """The function's name."""
        return self.signature.partition("(")[0]


@dataclass(frozen=True)
class Check:
    """One look at one of the learner's functions; a point for each label.

    ``grade(answer, seed)`` gives the verdicts in the order of the labels. It may let out what the answer raises.
    """

    function: str
    labels: tuple[str, ...]
    grade: Callable[[Answer, int], tuple[Verdict, ...]]


_FUNCTION = re.compile(r'^def ([^\n]+):\n    """\n(.*?)\n    """\n', re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Exercise:
    """One of the twelve, by the names ``7``, ``mean-backward`` and a short title.

    The statement says what is given, what it is about, what to do. ``functions`` is Python text: each function that is
    asked for, with its docstring and its right body. The hints go from a nudge to nearly the answer.
    """

    number: int
    slug: str
    title: str
    statement: str
    functions: str
    hints: tuple[str, ...]
    checks: tuple[Check, ...]

    @property
    def asked(self) -> tuple[Asked, ...]:
        """The functions to write."""
        return tuple(Asked(found[1], dedent(found[2])) for found in _FUNCTION.finditer(self.functions))

    @property
    def solution(self) -> str:
        """The reference solution: the functions without their docstrings."""
        return _FUNCTION.sub(r"def \1:\n", self.functions)

    @property
    def points(self) -> int:
        """How many points there are."""
        return sum(len(check.labels) for check in self.checks)
