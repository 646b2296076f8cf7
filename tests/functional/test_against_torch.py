"""Values and gradients that PyTorch computed (``tests/reference/from_torch.py``), met to the last digits in float64."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm import functional as F  # PyTorch's name for it

CASES = json.loads((Path(__file__).parents[1] / "reference" / "torch.json").read_text(encoding="utf-8"))["cases"]
# Where the arrays stand that come after options of ours.
LATER = {"layer_norm": ("weight", "bias"), "rms_norm": ("weight",), "group_norm": ("weight", "bias")}


def called(case: dict[str, Any], arrays: list[Any]) -> tg.Tensor:
    options = {k: tuple(v) if isinstance(v, list) else v for k, v in case["options"].items()}
    f = getattr(F, case["name"])
    names = LATER.get(case["name"], ())
    positional = arrays[:1] if names else arrays
    result: tg.Tensor = f(*positional, **options, **dict(zip(names, arrays[len(positional) :], strict=True)))
    return result


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c['name']}-{c['options']}".replace(" ", ""))
def test_as_torch(case: dict[str, Any]) -> None:
    leaves = [
        None if a is None else tg.Tensor(a) if g is None else tg.Tensor(a, requires_grad=True)
        for a, g in zip(case["arrays"], case["gradients"], strict=True)
    ]
    y = called(case, leaves)
    expected = np.array(case["result"])
    assert y.shape == expected.shape
    # Relative to each entry, so that tiny values are held to their own digits.
    np.testing.assert_allclose(
        y.data, expected, rtol=2e-14, atol=1e-15 * np.max(np.abs(expected[np.isfinite(expected)]))
    )
    cotangent = np.where(np.isfinite(expected), case["cotangent"], 0.0)
    free = [t for t in leaves if t is not None and t.requires_grad]
    wanted = [np.array(g) for g in case["gradients"] if g is not None]
    for mine, theirs in zip(tg.gradients(y, free, cotangent), wanted, strict=True):
        np.testing.assert_allclose(
            np.asarray(mine), theirs, rtol=1e-11, atol=1e-12 * max(1.0, np.max(np.abs(theirs), initial=0.0))
        )


def test_every_function_is_compared() -> None:
    rooms = ("activation", "attention", "batch_norm", "linear", "norm")
    ours = {n for n in F.__all__ if getattr(F, n).__module__.rpartition(".")[2] in rooms}
    assert {case["name"] for case in CASES} == ours
