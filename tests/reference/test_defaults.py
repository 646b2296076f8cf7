"""Names, order and defaults of arguments against PyTorch's."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import pytest

import tinygrad_norm as tg

DEFAULTS = json.loads((Path(__file__).parent / "pytorch.json").read_text(encoding="utf-8"))["defaults"]
# What concerns devices, kernels, deprecated spellings and sparse tables has no meaning here.
LEFT_OUT = {
    *["device", "inplace", "foreach", "capturable", "differentiable", "fused", "size_average", "reduce", "max_norm"],
    *["norm_type", "scale_grad_by_freq", "sparse", "_weight", "_freeze", "decoupled_weight_decay", "return_indices"],
}
OWN = {"norm", "channel_axis", "activation"}  # the last one's default is a function there, its name here


@pytest.mark.parametrize("name", DEFAULTS)
def test_arguments_are_pytorchs(name: str) -> None:
    room, _, member = name.partition(".")
    ours: Any = getattr(getattr(tg, room), member)
    parameters = [p for p in inspect.signature(ours).parameters.values() if p.name not in OWN]
    theirs = {k: v for k, v in DEFAULTS[name].items() if k not in LEFT_OUT}
    known = [p for p in parameters if p.name in theirs]
    assert [p.name for p in parameters] == [p.name for p in known]
    assert [p.name for p in known] == [n for n in theirs if n in {p.name for p in known}]
    left = set(theirs) - {p.name for p in known}
    assert left <= ({"weight"} if room == "functional" else set())
    for p in known:
        default = None if p.default is p.empty else p.default
        assert default == (tuple(theirs[p.name]) if isinstance(theirs[p.name], list) else theirs[p.name]), p.name
