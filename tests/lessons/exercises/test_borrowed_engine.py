"""A file that imports what it should write is found out: by its text, and by what running it brought along."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import tinygrad_norm
from tinygrad_norm.lessons.exercises.borrowed_engine import engine_behind, imported_engine

OURS = "imports this package: here the engine itself is to be written, with NumPy alone"
TORCH = OURS.replace("this package", "torch, a package that differentiates")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import tinygrad_norm", f"line 1: {OURS}"),
        ("import numpy as np\nfrom tinygrad_norm.engine import tensor", f"line 2: {OURS}"),
        ("def f():\n    import math, torch.autograd as t", f"line 2: {TORCH}"),
        ("t = __import__('torch')", f"line 1: {TORCH}"),
        ("from importlib import import_module\nt = import_module('torch.nn')", f"line 2: {TORCH}"),
        ("import importlib\nimportlib.import_module('torch')\nimport jax", f"line 2: {TORCH}"),
        ("import autograd.numpy as np", f"line 1: {TORCH.replace('torch', 'autograd')}"),
    ],
)
def test_imports_that_are_found(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "answer.py"
    path.write_text(text, encoding="utf-8")
    assert imported_engine(str(path)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "import numpy as np\nimport math",
        "from . import torch",
        "def torch(): return '# import torch'",
        "f(1); import_module(name); __import__(1)",
        "import torch as",
        "x = '\\",
        "\0",
        "",
    ],
)
def test_other_files_are_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "answer.py"
    path.write_text(text, encoding="utf-8")
    assert imported_engine(str(path)) is None


def test_no_file(tmp_path: Path) -> None:
    assert imported_engine(str(tmp_path / "none.py")) is None


def test_what_came_by_way_of_another_file() -> None:
    another = f"{OURS}, by way of another file"
    assert engine_behind({"Value": tinygrad_norm.Tensor}, ()) == another
    assert engine_behind({"tg": tinygrad_norm}, ()) == another
    assert engine_behind({"np": np}, ["json", "torch.nn"]) == f"{TORCH}, by way of another file"
    assert (
        engine_behind({"np": np, "x": 3.0, "f": lambda: 1, "odd": type("T", (), {"__module__": 3})}, ["json"]) is None
    )
