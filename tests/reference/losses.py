"""Which losses are compared, and running them in PyTorch."""

from __future__ import annotations

from typing import Any

import torch
from store import Store, ints, randn


def losses() -> list[tuple[str, list[torch.Tensor], dict[str, Any]]]:
    """Return the cases: function, tensors, options. The last dict may hold tensors too."""
    cases: list[tuple[str, list[torch.Tensor], dict[str, Any]]] = []
    x, t = randn(5, 3), ints(3, 5)
    ignoring = torch.tensor([0, -100, 2, 2, -100])
    soft = torch.softmax(randn(5, 3), -1)
    weight = torch.rand(3, dtype=torch.float64) + 0.5
    for reduction in ("mean", "sum", "none"):
        for target in (t, ignoring, soft):
            for w in (None, weight):
                options = {"weight": w, "reduction": reduction}
                cases.append(("cross_entropy", [x, target], options))
                cases.append(("cross_entropy", [x, target], {**options, "label_smoothing": 0.1}))
        log_p = torch.log_softmax(randn(5, 3), -1)
        for w in (None, weight):
            cases.append(("nll_loss", [log_p, t], {"weight": w, "reduction": reduction}))
            skipping = {"weight": w, "reduction": reduction, "ignore_index": 7}
            cases.append(("nll_loss", [log_p, torch.where(t == 1, 7, t)], skipping))
        deep, deep_target = randn(2, 3, 5, 2), ints(3, 2, 5, 2)
        cases.append(
            ("cross_entropy", [deep, deep_target], {"weight": weight, "reduction": reduction, "label_smoothing": 0.2})
        )
        cases.append(
            ("cross_entropy", [deep, torch.softmax(randn(2, 3, 5, 2), 1)], {"weight": weight, "reduction": reduction})
        )
        cases.append(("nll_loss", [torch.log_softmax(deep, 1), deep_target], {"reduction": reduction}))
        cases.append(("cross_entropy", [randn(3), torch.tensor(1)], {"reduction": reduction}))
        a, b = randn(5, 3) * 2, randn(5, 3)
        p, q = torch.rand(5, 3, dtype=torch.float64), torch.rand(5, 3, dtype=torch.float64)
        hard = (q > 0.5).double()
        w = torch.rand(3, dtype=torch.float64)
        cases += [
            ("mse_loss", [a, b], {"reduction": reduction}),
            ("l1_loss", [a, b], {"reduction": reduction}),
            ("smooth_l1_loss", [a, b], {"reduction": reduction}),
            ("smooth_l1_loss", [a, b], {"reduction": reduction, "beta": 0.3}),
            ("smooth_l1_loss", [a, b], {"reduction": reduction, "beta": 0.0}),
            ("huber_loss", [a, b], {"reduction": reduction}),
            ("huber_loss", [a, b], {"reduction": reduction, "delta": 0.3}),
            ("binary_cross_entropy", [p, q], {"reduction": reduction}),
            ("binary_cross_entropy", [p, hard], {"reduction": reduction, "weight": w}),
            ("binary_cross_entropy_with_logits", [a, q], {"reduction": reduction}),
            ("binary_cross_entropy_with_logits", [a, hard], {"reduction": reduction, "weight": w}),
            ("binary_cross_entropy_with_logits", [a, q], {"reduction": reduction, "pos_weight": w + 1}),
        ]
    target = torch.softmax(randn(5, 3), -1)
    for reduction in ("mean", "sum", "none", "batchmean"):
        cases.append(("kl_div", [torch.log_softmax(randn(5, 3), -1), target], {"reduction": reduction}))
        cases.append(
            ("kl_div", [torch.log_softmax(randn(5, 3), -1), target.log()], {"reduction": reduction, "log_target": True})
        )
    return cases


def run_loss(name: str, tensors: list[torch.Tensor], options: dict[str, Any], store: Store) -> dict[str, Any]:
    """Run one loss; return it with everything stored."""
    inputs = [x.clone().requires_grad_() if x.dtype.is_floating_point else x for x in tensors]
    result = getattr(torch.nn.functional, name)(*inputs, **options)
    cotangent = randn(*result.shape)
    (result * cotangent).sum().backward()
    return {
        "function": name,
        "inputs": [store.put(x) for x in inputs],
        "options": {k: store.put(v) if isinstance(v, torch.Tensor) else v for k, v in options.items() if v is not None},
        "output": store.put(result),
        "cotangent": store.put(cotangent),
        "gradients": [None if x.grad is None else store.put(x.grad) for x in inputs],
    }
