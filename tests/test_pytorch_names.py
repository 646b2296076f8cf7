"""PyTorch's names: each says what to write here, and nobody who asks on trial is disturbed."""

from __future__ import annotations

import copy
import pickle
import pydoc
import re
from functools import partial, reduce
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm import nn
from tinygrad_norm.errors import ForeignNameError
from tinygrad_norm.pytorch_names import NAMES

HOMES: dict[str, Any] = {"t": tg.ones((2, 3)), "tg": tg, "tg.nn": nn, "tg.functional": tg.functional}
HOMES["tg.optim"] = tg.optim
EVERY = [(home, name) for home, names in NAMES.items() for name in names]


@pytest.mark.parametrize(("home", "name"), EVERY)
def test_a_name_says_what_it_is_here(home: str, name: str) -> None:
    pattern = rf"must be asked for a name that it has; got PyTorch's {re.escape(home)}\.{name}\. Here it is .+\.$"
    with pytest.raises(ForeignNameError, match=pattern) as caught:
        getattr(HOMES[home], name)
    assert isinstance(caught.value, AttributeError)
    assert not hasattr(HOMES[home], name)
    assert getattr(HOMES[home], name, 3) == 3
    assert name not in dir(HOMES[home])


@pytest.mark.parametrize(("home", "name"), EVERY)
def test_what_it_says_exists(home: str, name: str) -> None:
    for path in re.findall(r"\b(?:tg|np|t)(?:\.\w+)+", NAMES[home][name]):
        first, *rest = path.split(".")
        reduce(getattr, rest, {"tg": tg, "np": np, "t": tg.ones((2, 3))}[first])


def test_there_are_enough() -> None:
    asked = {"t": "view unsqueeze permute numel cpu clamp", "tg": "cat tensor_split mm bmm clamp relu"}
    asked["tg.nn"] = "LazyLinear DataParallel"
    assert all(name in NAMES[home] for home, names in asked.items() for name in names.split())
    assert len(EVERY) > 100


@pytest.mark.parametrize("home", HOMES)
def test_other_names_stay_unknown_as_usual(home: str) -> None:
    for name in ("__array_interface__", "_repr_png_", "_ipython_display_", "__array_struct__", "exq"):
        with pytest.raises(AttributeError, match=f"has no attribute '{name}'") as caught:
            getattr(HOMES[home], name)
        assert not isinstance(caught.value, ForeignNameError)


def test_copies_pickles_and_arrays_are_not_disturbed() -> None:
    t = nn.Parameter([1.0, 2.0])
    for same in (copy.copy(t), copy.deepcopy(t), pickle.loads(pickle.dumps(t)), tg.Tensor(t.detach())):
        assert same.tolist() == [1.0, 2.0]
    assert np.asarray(t.detach()).tolist() == [1.0, 2.0]
    assert "PyTorch's t." not in pydoc.plain(pydoc.render_doc(tg.Tensor))
    assert {"reshape", "shape", "backward"} <= set(dir(t))


def test_an_attribute_costs_what_it_did() -> None:
    """No ``__getattr__``, with which Python would take longer for every attribute, found or not."""
    assert not any("__getattr__" in vars(kind) or "__getattribute__" in vars(kind) for kind in tg.Tensor.__mro__[:-1])


def test_modules_stay_modules() -> None:
    assert all(isinstance(HOMES[home], ModuleType) for home in HOMES if home != "t")
    with pytest.raises(ImportError, match="cannot import name 'LazyLinear'"):
        exec("from tinygrad_norm.nn import LazyLinear")


def test_what_is_pytorch_s_is_called_so() -> None:
    theirs: Any = type("Linear", (), {"__module__": "torch.nn.modules.linear"})()
    for call in (lambda: nn.Sequential(theirs), lambda: nn.ModuleDict({"a": theirs}), lambda: tg.optim.SGD([theirs])):
        with pytest.raises(tg.OperandError, match=r"must .*; got PyTorch's Linear\b.*\. \w+"):
            call()


def test_pytorch_s_names_of_arguments() -> None:
    x = tg.ones((2, 3))
    methods = [
        "sum",
        "mean",
        "max",
        "min",
        "prod",
        "var",
        "std",
        "cumsum",
        "cumprod",
        "argmax",
        "argsort",
        "all",
        "any",
    ]
    functions = [tg.sum, tg.var, tg.std, tg.concatenate, tg.stack, tg.median, tg.topk, tg.squeeze, tg.norm, tg.flip]
    calls: list[Any] = [lambda: tg.functional.softmax(x, dim=0), lambda: nn.Softmax(dim=1), lambda: x.repeat(2, dim=0)]
    calls += [partial(getattr(x, name), dim=0) for name in methods]
    calls += [partial(function, x, dim=0) for function in functions]
    for call in calls:
        with pytest.raises(tg.OperandError, match=r"got .*\bdim\b.* dim is axis here\.$"):
            call()
    for other in (lambda: x.sum(colour=1), lambda: x.max(0, colour=1)):  # type: ignore[arg-type]  # what is being tested
        with pytest.raises(tg.OperandError, match=r"takes the parameters \(axis, keepdims\); got colour\. Leave"):
            other()
    with pytest.raises(tg.OperandError, match=r"got dim, keepdim\..* dim is axis here, keepdim is keepdims here\.$"):
        tg.functional.logsumexp(x, dim=0, keepdim=True)  # type: ignore[call-arg]  # what is being tested
    with pytest.raises(tg.OperandError, match=r"got colour\. See help\(tg\.functional\.softmax\)\.$"):
        tg.functional.softmax(x, colour=0)  # type: ignore[call-arg]  # what is being tested
    assert isinstance(nn.Identity(dim=1), nn.Identity)
