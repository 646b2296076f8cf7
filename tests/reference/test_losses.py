"""Every loss and every option of it against PyTorch: results and gradients."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import tinygrad_norm as tg
from tinygrad_norm import functional as F

CASES = json.loads((Path(__file__).parent / "pytorch.json").read_text(encoding="utf-8"))["losses"]


def shown(case: dict[str, Any]) -> str:
    return f"{case['function']}({','.join(case['options'])})"


@pytest.mark.parametrize("case", CASES, ids=shown)
def test_agrees_with_pytorch(case: dict[str, Any], fetch: Any, agree: Any) -> None:
    inputs = [tg.Tensor(fetch(x), requires_grad=x["kind"] == "f") for x in case["inputs"]]
    options = {k: fetch(v) if isinstance(v, dict) else v for k, v in case["options"].items()}
    loss = getattr(F, case["function"])(*inputs, **options)
    agree(loss, fetch(case["output"]))
    loss.backward(fetch(case["cotangent"]))
    for x, expected in zip(inputs, case["gradients"], strict=True):
        if expected is None:
            assert x.grad is None
        else:
            agree(x.grad, fetch(expected))


def test_every_loss_is_compared() -> None:
    losses = {n for n in F.__all__ if n.endswith(("loss", "entropy", "logits", "div"))}
    assert losses == {case["function"] for case in CASES}
