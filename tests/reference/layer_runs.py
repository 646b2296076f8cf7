"""Running a layer case in PyTorch."""

from __future__ import annotations

from typing import Any

import torch
from store import Store, randn


def flat(result: Any) -> list[Any]:
    """Return a result's tensors, one after the other."""
    if isinstance(result, tuple):
        return [r for part in result for r in flat(part)]
    return [] if result is None else [result]


def run_layer(case: dict[str, Any], store: Store) -> dict[str, Any]:
    """Run one layer's calls; return the case with everything stored."""
    module = case["make"](*case["args"], **case["torch_kwargs"]).double()
    with torch.no_grad():
        for p in module.parameters():
            p.copy_(randn(*p.shape) * 0.5 + (1.0 if p.ndim == 1 else 0.0))
        for name, buffer in module.named_buffers():
            if buffer.dtype.is_floating_point and name.endswith("running_var"):
                buffer.copy_(randn(*buffer.shape).abs() + 0.5)
    stored: dict[str, Any] = {k: case[k] for k in ("class", "args", "kwargs")}
    stored["state"] = {k: store.put(v) for k, v in module.state_dict().items()}
    loss: Any = 0.0
    leaves: list[torch.Tensor] = []
    stored["calls"] = []
    for one in case["calls"]:
        module.train(one["train"])
        # The same Tensor given twice stays one: self-attention.
        unique: dict[int, torch.Tensor] = {}
        inputs = []
        for x in one["inputs"]:
            if id(x) not in unique:
                unique[id(x)] = x.clone().requires_grad_() if x.dtype.is_floating_point else x
                leaves.append(unique[id(x)])
            inputs.append(unique[id(x)])
        positions = [next(i for i, u in enumerate(unique.values()) if u is x) for x in inputs]
        kwargs = {}
        for k, v in one["kwargs"].items():
            if isinstance(v, torch.Tensor) and v.dtype.is_floating_point:
                v = v.clone().requires_grad_()
                leaves.append(v)
            kwargs[k] = v
        if case["class"].startswith("LSTM") and len(inputs) == 3:
            inputs = [inputs[0], (inputs[1], inputs[2])]
        results = flat(module(*inputs, **kwargs))
        cotangents = [randn(*r.shape) for r in results]
        loss = loss + sum((r * c).sum() for r, c in zip(results, cotangents, strict=True))
        stored["calls"].append(
            {
                "train": one["train"],
                "inputs": [store.put(x) for x in unique.values()],
                "positions": positions,
                "kwargs": {k: store.put(v) if isinstance(v, torch.Tensor) else v for k, v in kwargs.items()},
                "outputs": [store.put(r) for r in results],
                "cotangents": [store.put(c) for c in cotangents],
                "leaves": (list(unique.values()), [v for v in kwargs.values() if isinstance(v, torch.Tensor)]),
            }
        )
    if loss.requires_grad:
        loss.backward()
    for one in stored["calls"]:
        inputs, masks = one.pop("leaves")
        one["input_gradients"] = [store.put(x.grad) if x.grad is not None else None for x in inputs]
        one["mask_gradients"] = [store.put(m.grad) if m.grad is not None else None for m in masks]
    stored["gradients"] = {k: store.put(p.grad) for k, p in module.named_parameters()}
    stored["after"] = {k: store.put(b) for k, b in module.named_buffers()}
    return stored
