"""A file that imports what it should write is found out by its text, before it runs."""

from __future__ import annotations

import pytest

from tinygrad_norm.lessons.exercises.borrowed_engine import imported_engine

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
def test_imports_that_are_found(text: str, expected: str) -> None:
    assert imported_engine(text.encode()) == expected


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
def test_other_files_are_left_alone(text: str) -> None:
    assert imported_engine(text.encode()) is None
