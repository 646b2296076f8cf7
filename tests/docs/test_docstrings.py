"""What a public docstring of a function, layer, optimizer or schedule must say: formula, shapes, source, an example."""

from __future__ import annotations

import doctest
import inspect
import itertools
import re
from typing import Any

import pytest

from tinygrad_norm import functional, nn, optim

# Bases, containers and what only looks at a module compute nothing of their own; schedules move a rate, no array.
BASES = {nn.Module, nn.ModuleDict, nn.ModuleList, nn.ParameterList, optim.Optimizer, optim.Schedule}
FUNCTIONS = [getattr(functional, name) for name in functional.__all__]
LAYERS = [v for v in map(nn.__dict__.get, nn.__all__) if inspect.isclass(v) and issubclass(v, nn.Module)]
RULES = [getattr(optim, name) for name in optim.__all__]
SUBJECTS = [v for v in (*FUNCTIONS, *LAYERS, *RULES) if v not in BASES]

NAMED_AXES = re.compile(r"\(\)|\([\w… ·]+(, [\w… ·]+)*,?\)")
YEAR_OR_REFERENCE = re.compile(r"\b(19|20)\d\d\b|\b(PyTorch|NumPy)'s ``\w+``")


def paragraph(label: str, text: str) -> str:
    """What a docstring says under a label, up to the next label or empty line."""
    match = re.search(rf"^{label}: (.*?)(?=\n\n|\n[A-Z]\w+: |\Z)", text, re.MULTILINE | re.DOTALL)
    return match[1] if match else ""


def lacks(text: str, *, arrays: bool) -> list[str]:
    """What is missing in a docstring."""
    shapes = paragraph("Shapes", text)
    found = {
        "a first sentence": re.match(r"[A-Z][^\n]*\.\n", text) is not None,
        "a formula": bool(re.search(r"[=←−·/]|softmax", paragraph("Formula", text))),
        "shapes in named axes": not arrays or len(NAMED_AXES.findall(shapes)) > 0,
        "a source": bool(YEAR_OR_REFERENCE.search(paragraph("Source", text))),
        "an example with a result": any(e.want.strip() for e in doctest.DocTestParser().get_examples(text)),
    }
    return [what for what, there in found.items() if not there]


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.__name__)
def test_it_says_formula_shapes_source_and_gives_an_example(subject: Any) -> None:
    missing = lacks(inspect.getdoc(subject) or "", arrays=subject not in RULES)
    assert not missing, f"{subject.__name__} lacks {', '.join(missing)}"


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.__name__)
def test_every_error_of_its_own_is_named(subject: Any) -> None:
    """What a function's body raises, or a class's up to its public base, is named in the docstring."""
    mro = inspect.getmro(subject) if inspect.isclass(subject) else (inspect.unwrap(subject),)
    own = itertools.takewhile(lambda body: body not in BASES and body is not object, mro)
    raised = {name for body in own for name in re.findall(r"raise (\w+)\(", inspect.getsource(body))}
    text = inspect.getdoc(subject) or ""
    assert all(name in text for name in raised), f"{subject.__name__} raises {raised}"


def test_a_poor_docstring_would_be_found() -> None:
    assert lacks("Return x.\n\nFormula: none.\n", arrays=True) == [
        *["a formula", "shapes in named axes", "a source", "an example with a result"],
    ]
    rich = "Return x.\n\nFormula: y = x.\nShapes: x (batch, time).\nSource: Kalman 1960.\n\n>>> 1 + 1\n2\n"
    assert lacks(rich, arrays=True) == []
    for line in ("Formula: y = x.\n", "Shapes: x (batch, time).\n", "Source: Kalman 1960.\n", "2\n"):
        assert len(lacks(rich.replace(line, ""), arrays=True)) == 1
