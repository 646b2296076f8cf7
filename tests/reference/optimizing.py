"""Optimizers, schedules and gradient clipping: what is compared, and running it in PyTorch."""

from __future__ import annotations

from typing import Any

import torch
from store import Store, randn


def optimizers() -> list[tuple[str, dict[str, Any]]]:
    """Return the cases: class and options."""
    return [
        ("SGD", {"lr": 0.1}),
        ("SGD", {}),
        ("SGD", {"lr": 0.1, "momentum": 0.9}),
        ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.3}),
        ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
        ("SGD", {"lr": 0.1, "weight_decay": 0.1, "maximize": True}),
        ("Adam", {}),
        ("Adam", {"lr": 0.1, "betas": [0.8, 0.95], "eps": 1e-3}),
        ("Adam", {"lr": 0.1, "weight_decay": 0.1}),
        ("Adam", {"lr": 0.1, "amsgrad": True}),
        ("Adam", {"lr": 0.1, "maximize": True, "weight_decay": 0.1}),
        ("AdamW", {}),
        ("AdamW", {"lr": 0.1, "weight_decay": 0.3}),
        ("AdamW", {"lr": 0.1, "amsgrad": True, "maximize": True, "weight_decay": 0.0}),
        ("RMSprop", {}),
        ("RMSprop", {"lr": 0.1, "alpha": 0.8, "eps": 1e-3, "weight_decay": 0.1}),
        ("RMSprop", {"lr": 0.1, "momentum": 0.9}),
        ("RMSprop", {"lr": 0.1, "centered": True, "momentum": 0.5}),
        ("RMSprop", {"lr": 0.1, "centered": True, "maximize": True}),
        ("Adagrad", {}),
        ("Adagrad", {"lr": 0.1, "lr_decay": 0.1, "weight_decay": 0.1}),
        ("Adagrad", {"lr": 0.1, "initial_accumulator_value": 0.5, "eps": 1e-3, "maximize": True}),
    ]


STEPS = 6
METRICS = [3.0, 2.0, 2.5, 1.9, 1.9, 1.9, 1.0, 1.2, 1.1, 5.0, 4.0, 0.5, 0.5]


def run_optimizer(kind: str, options: dict[str, Any], store: Store) -> dict[str, Any]:
    """Take six steps with given gradients on two groups of parameters; the second has a rate of its own."""
    params = [randn(3, 2).requires_grad_(), randn(5).requires_grad_(), randn().requires_grad_()]
    start = [store.put(p) for p in params]
    groups = [{"params": params[:2]}, {"params": params[2:], "lr": 0.05}]
    optimizer = getattr(torch.optim, kind)(groups, **options)
    gradients, values = [], []
    for step in range(STEPS):
        for i, p in enumerate(params):
            # The second parameter has no gradient at one step, as happens when a branch is not taken.
            p.grad = None if (step, i) == (2, 1) else randn(*p.shape)
        gradients.append([None if p.grad is None else store.put(p.grad) for p in params])
        optimizer.step()
        values.append([store.put(p) for p in params])
    return {"class": kind, "options": options, "start": start, "gradients": gradients, "values": values}


def schedules() -> list[list[tuple[str, dict[str, Any]]]]:
    """Return lists of schedules that act on one optimizer together."""
    return [
        [("StepLR", {"step_size": 3})],
        [("StepLR", {"step_size": 2, "gamma": 0.5})],
        [("CosineAnnealingLR", {"T_max": 5})],
        [("CosineAnnealingLR", {"T_max": 4, "eta_min": 0.01})],
        [("LinearLR", {})],
        [("LinearLR", {"start_factor": 0.1, "end_factor": 0.5, "total_iters": 4})],
        [("LinearLR", {"start_factor": 0.2, "total_iters": 3}), ("CosineAnnealingLR", {"T_max": 6})],
        [("LinearLR", {"total_iters": 2}), ("StepLR", {"step_size": 3, "gamma": 0.1})],
        [("LambdaLR", {"lr_lambda": "1 / (1 + t)"})],
        [("ExponentialLR", {"gamma": 0.8})],
        [("MultiStepLR", {"milestones": [7, 2, 4, 4]})],
        [("LinearLR", {"total_iters": 3}), ("ExponentialLR", {"gamma": 0.9}), ("MultiStepLR", {"milestones": [5]})],
        [("ReduceLROnPlateau", {"patience": 1})],
        [("ReduceLROnPlateau", {"patience": 0, "factor": 0.5, "cooldown": 2, "min_lr": 0.03})],
        [("ReduceLROnPlateau", {"patience": 1, "mode": "max", "threshold": 0.5, "threshold_mode": "abs"})],
        [("ReduceLROnPlateau", {"patience": 0, "mode": "max", "threshold": 0.2, "min_lr": [0.01, 0.1]})],
    ]


def run_schedule(chain: list[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    """Return the rates of 13 steps of two groups."""
    a, b = randn(2).requires_grad_(), randn(2).requires_grad_()
    optimizer = torch.optim.SGD([{"params": [a]}, {"params": [b], "lr": 0.2}], lr=0.1)
    made = []
    for kind, options in chain:
        if kind == "LambdaLR":
            options = {"lr_lambda": lambda t: 1 / (1 + t)}
        made.append(getattr(torch.optim.lr_scheduler, kind)(optimizer, **options))
    rates = []
    for _ in range(13):
        rates.append([group["lr"] for group in optimizer.param_groups])
        optimizer.step()
        for schedule, (kind, _) in zip(made, chain, strict=True):
            schedule.step(*([METRICS[len(rates) - 1]] if kind == "ReduceLROnPlateau" else []))
    return {"chain": chain, "rates": rates, "metrics": METRICS}


def clipping(store: Store) -> list[dict[str, Any]]:
    """Return clipped gradients for several norms."""
    found = []
    for max_norm, norm_type in [(1.0, 2.0), (100.0, 2.0), (1.0, 1.0), (0.5, float("inf")), (1.0, 3.0), (0.5, None)]:
        params = [randn(3, 2).requires_grad_(), randn(5).requires_grad_()]
        for p in params:
            p.grad = randn(*p.shape)
        before = [store.put(p.grad) for p in params]
        if norm_type is None:
            torch.nn.utils.clip_grad_value_(params, max_norm)
            total = torch.tensor(max_norm)
        else:
            total = torch.nn.utils.clip_grad_norm_(params, max_norm, norm_type)
        found.append(
            {
                "max_norm": max_norm,
                "norm_type": "inf" if norm_type == float("inf") else norm_type,
                "before": before,
                "total": store.put(total),
                "after": [store.put(p.grad) for p in params],
            }
        )
    return found
