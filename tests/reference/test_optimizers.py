"""Optimizers for six steps, schedules for thirteen, and gradient clipping, against PyTorch."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

import tinygrad_norm as tg

STORED = json.loads((Path(__file__).parent / "pytorch.json").read_text(encoding="utf-8"))


def shown(case: dict[str, Any]) -> str:
    return f"{case['class']}({','.join(f'{k}={v}' for k, v in case['options'].items())})"


@pytest.mark.parametrize("case", STORED["optimizers"], ids=shown)
def test_six_steps(case: dict[str, Any], fetch: Any, agree: Any) -> None:
    params = [tg.nn.Parameter(fetch(p)) for p in case["start"]]
    groups = [{"params": params[:2]}, {"params": params[2:], "lr": 0.05}]
    optimizer = getattr(tg.optim, case["class"])(groups, **case["options"])
    for gradients, values in zip(case["gradients"], case["values"], strict=True):
        for p, g in zip(params, gradients, strict=True):
            p.grad = None if g is None else tg.Tensor(fetch(g))
        optimizer.step()
        for p, value in zip(params, values, strict=True):
            agree(p, fetch(value))


@pytest.mark.parametrize("case", STORED["schedules"], ids=lambda c: "+".join(kind for kind, _ in c["chain"]))
def test_thirteen_rates(case: dict[str, Any]) -> None:
    a, b = tg.nn.Parameter([1.0]), tg.nn.Parameter([1.0])
    optimizer = tg.optim.SGD([{"params": [a]}, {"params": [b], "lr": 0.2}], lr=0.1)
    schedules = [
        getattr(tg.optim, kind)(optimizer, **({"lr_lambda": lambda t: 1 / (1 + t)} if kind == "LambdaLR" else options))
        for kind, options in case["chain"]
    ]
    for expected, metric in zip(case["rates"], case["metrics"], strict=True):
        assert schedules[0].get_last_lr() == pytest.approx(expected, rel=1e-12, abs=1e-15)
        for schedule in schedules:
            schedule.step(*([metric] if isinstance(schedule, tg.optim.ReduceLROnPlateau) else []))


@pytest.mark.parametrize("case", STORED["clipping"], ids=lambda c: f"{c['norm_type']}-{c['max_norm']}")
def test_clipped_gradients(case: dict[str, Any], fetch: Any, agree: Any) -> None:
    params = [tg.nn.Parameter(fetch(g)) for g in case["before"]]
    for p, g in zip(params, case["before"], strict=True):
        p.grad = tg.Tensor(fetch(g))
    norm_type = math.inf if case["norm_type"] == "inf" else case["norm_type"]
    if norm_type is None:
        tg.optim.clip_grad_value_(params, case["max_norm"])
    else:
        agree(tg.optim.clip_grad_norm_(params, case["max_norm"], norm_type), fetch(case["total"]))
    for p, g in zip(params, case["after"], strict=True):
        agree(p.grad, fetch(g))


def test_every_optimizer_and_schedule_is_compared() -> None:
    compared = {case["class"] for case in STORED["optimizers"]}
    compared |= {kind for case in STORED["schedules"] for kind, _ in case["chain"]}
    assert set(tg.optim.__all__) == compared | {"clip_grad_norm_", "clip_grad_value_", "Optimizer", "Schedule"}
