"""Every layer against PyTorch: state-dict keys, results, gradients of inputs, masks and parameters, buffers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg

CASES = json.loads((Path(__file__).parent / "pytorch.json").read_text(encoding="utf-8"))["layers"]


def shown(case: dict[str, Any]) -> str:
    options = ",".join(f"{k}={v}" for k, v in case["kwargs"].items() if not isinstance(v, dict))
    calls = ",".join(k for call in case["calls"] for k in call["kwargs"])
    return f"{case['class']}({options})({calls})"


def flat(result: Any) -> list[tg.Tensor]:
    if isinstance(result, tuple):
        return [r for part in result for r in flat(part)]
    return [] if result is None else [result]


def build(case: dict[str, Any]) -> tg.nn.Module:
    args, kwargs = case["args"], case["kwargs"]
    if case["class"] == "TransformerEncoder":
        (features, heads), final = args[0], kwargs["final"]
        layer = tg.nn.TransformerEncoderLayer(features, heads, **kwargs["layer"])
        return tg.nn.TransformerEncoder(layer, kwargs["num_layers"], tg.nn.LayerNorm(features) if final else None)
    return getattr(tg.nn, case["class"])(*args, **kwargs)


@pytest.mark.parametrize("case", CASES, ids=shown)
def test_agrees_with_pytorch(case: dict[str, Any], fetch: Any, agree: Any) -> None:
    module = build(case)
    state = {k: fetch(v) for k, v in case["state"].items()}
    assert list(module.state_dict()) == list(state)
    module.load_state_dict(state)
    loss: Any = tg.Tensor(0.0)
    given = []
    for call in case["calls"]:
        module.train(call["train"])
        unique = [tg.Tensor(fetch(x), requires_grad=x["kind"] == "f") for x in call["inputs"]]
        kwargs = {
            k: tg.Tensor(fetch(v), requires_grad=v["kind"] == "f") if isinstance(v, dict) else v
            for k, v in call["kwargs"].items()
        }
        inputs: list[Any] = [unique[i] for i in call["positions"]]
        if case["class"].startswith("LSTM") and len(inputs) == 3:
            inputs = [inputs[0], (inputs[1], inputs[2])]
        results = flat(module(*inputs, **kwargs))
        for ours, theirs, cotangent in zip(results, call["outputs"], call["cotangents"], strict=True):
            agree(ours, fetch(theirs))
            loss = loss + (ours * fetch(cotangent)).sum()
        masks = [kwargs[k] for k, v in call["kwargs"].items() if isinstance(v, dict)]
        given.append((unique, masks))
    if loss.requires_grad:
        loss.backward()
    for (leaves, masks), call in zip(given, case["calls"], strict=True):
        for x, expected in zip([*leaves, *masks], call["input_gradients"] + call["mask_gradients"], strict=True):
            if expected is None:
                assert x.grad is None
            else:
                agree(x.grad, fetch(expected))
    for name, parameter in module.named_parameters():
        agree(parameter.grad, fetch(case["gradients"][name]))
    assert [name for name, _ in module.named_parameters()] == list(case["gradients"])
    for name, buffer in module.named_buffers():
        agree(buffer, fetch(case["after"][name]))
    assert np.size(case["after"]) == np.size(dict(module.named_buffers()))


def test_every_layer_is_compared() -> None:
    base = {"Module", "ModuleDict", "ModuleList", "Sequential", "Parameter", "ParameterList", "Summary"}
    not_in_pytorch = {"DyT"}
    layers = {n for n in tg.nn.__all__ if isinstance(getattr(tg.nn, n), type)} - base - not_in_pytorch
    assert layers == {case["class"] for case in CASES}
