"""Where a value leaves the tape unseen: an error inside a transform or a check, elsewhere a warning once a line."""

from __future__ import annotations

import copy
import math
import re
import runpy
import statistics
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg


def assigned(t: Any) -> Any:
    a = np.zeros(2)
    a[0] = t[0]
    return a


# Every way in which NumPy, Python and others turn a Tensor into plain values.
WAYS: dict[str, Callable[[Any], Any]] = {
    "asarray": np.asarray,
    "array of a list": lambda t: np.array([t, t]),
    "array of entries": lambda t: np.array([t[0] * t[1], t[1]]),
    "a function of a list": lambda t: np.mean([t, t**2]),
    "a ufunc of a list": lambda t: np.exp([t, t]),
    "r_": lambda t: np.r_[t, 0.5],
    "assignment": assigned,
    "math": lambda t: math.exp(t[0]),
    "float": lambda t: float(t[0]),
    "sum of floats": lambda t: math.fsum(t),
    "statistics": lambda t: statistics.fmean(t),
    "full": lambda t: np.full(3, t[0]),
    "fromiter": lambda t: np.fromiter(t, float),
    "testing": lambda t: np.testing.assert_allclose(t, t.data),
    "asfarray": lambda t: np.asarray(t, dtype=np.float32),
}
EXPLICIT: dict[str, Callable[[Any], Any]] = {
    "data": lambda t: t.data,
    "numpy": lambda t: np.array([t.numpy(), t.numpy()]),
    "item": lambda t: math.exp(t[0].item()),
    "tolist": lambda t: np.array(t.tolist()),
    "detach": lambda t: np.asarray(t.detach()),
    "format": lambda t: f"{t[0]:.3f} {t}",
    "print": repr,
    "truth": lambda t: bool(t[0] > 0),
    "comparison": lambda t: np.asarray(t > 0),
    "shape": lambda t: np.zeros(t.shape),
}


def used_inside(way: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def f(x: tg.Tensor) -> tg.Tensor:
        way(x)
        return (x * x).sum()

    return f


TRANSFORMS: dict[str, Callable[[Any], Any]] = {
    "grad": lambda f: tg.grad(f)([3.0, 2.0]),
    "value_and_grad": lambda f: tg.value_and_grad(f)([3.0, 2.0]),
    "vjp": lambda f: tg.vjp(f, [3.0, 2.0]),
    "jvp": lambda f: tg.jvp(f, ([3.0, 2.0],), ([1.0, 0.0],)),
    "jacobian": lambda f: tg.jacobian(f)([3.0, 2.0]),
    "hessian": lambda f: tg.hessian(f)([3.0, 2.0]),
    "hvp": lambda f: tg.hvp(f, [3.0, 2.0], [1.0, 0.0]),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_inside_a_transform_it_is_an_error(way: Callable[[Any], Any]) -> None:
    for transform in TRANSFORMS.values():
        # An assignment to an entry is an error of NumPy's, which names ours as its cause.
        with pytest.raises((tg.GraphError, ValueError)) as caught:
            transform(used_inside(way))
        said = caught.value if isinstance(caught.value, tg.GraphError) else caught.value.__cause__
        assert isinstance(said, tg.GraphError)
        assert re.search(r"must not become an? (array|number) unseen.*test_leaving.*tg.stack", str(said))


@pytest.mark.parametrize("way", EXPLICIT.values(), ids=EXPLICIT)
def test_an_explicit_way_is_silent(way: Callable[[Any], Any]) -> None:
    for transform in TRANSFORMS.values():
        transform(used_inside(way))
    way(tg.Tensor([3.0, 2.0], requires_grad=True) * 1)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_elsewhere_it_warns_at_the_line_of_the_user(way: Callable[[Any], Any]) -> None:
    t = tg.Tensor([3.0, 2.0], requires_grad=True) * 1
    with pytest.warns(tg.GraphEndsWarning, match=r"unseen; that is where the graph ends, at .*py:\d+") as caught:
        way(t)
    assert {w.filename for w in caught} == {__file__}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        way(t.detach())
        with tg.no_grad():
            way(t)


def test_a_line_warns_once() -> None:
    t = tg.Tensor([3.0, 2.0], requires_grad=True) * 1
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(3):
            float(t[0])
        float(t[1])
    assert len(caught) == 2


def test_under_no_grad_inside_a_transform_it_is_said() -> None:
    def logged(x: tg.Tensor) -> tg.Tensor:
        with tg.no_grad():
            float(x[0])
        return x.sum()

    assert tg.grad(logged)([3.0, 2.0]).tolist() == [1.0, 1.0]


def test_a_mixed_gradient_is_never_partly_right() -> None:
    with pytest.raises(tg.GraphError, match="unseen"):
        tg.grad(lambda x: (x * np.array([x[0] * x[1], x[1]])).sum())([3.0, 2.0])
    assert tg.grad(lambda x: (x * tg.stack([x[0] * x[1], x[1]])).sum())([3.0, 2.0]).tolist() == [12.0, 13.0]


def test_a_leaf_that_is_switched_off_and_on_is_the_same_leaf() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        x = tg.Tensor([1.0, 2.0], requires_grad=True)
        expected, graphs = np.zeros(2), []
        for step in rng.choice(["on", "off", "record", "backward"], 12):
            if step in ("on", "off"):
                x.requires_grad = bool(step == "on")
            elif step == "record" and x.requires_grad:
                graphs.append((x * x).sum())
            elif step == "backward" and graphs:
                graphs.pop().backward()
                expected += 2 * x.data if x.requires_grad else 0.0  # what is frozen takes nothing, as in PyTorch
            assert (np.zeros(2) if x.grad is None else x.grad.data).tolist() == expected.tolist()
        x.grad = None
        assert x.grad is None
        assert copy.deepcopy(x).tolist() == [1.0, 2.0]


@pytest.mark.parametrize("folder", ["site-packages", "dist-packages"])
def test_the_line_named_is_never_a_librarys_wherever_it_is_installed(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = tmp_path / folder / "third_party.py"
    library.parent.mkdir()
    library.write_text("def number(t):\n    return float(t)\n")
    monkeypatch.syspath_prepend(library.parent)
    third_party = runpy.run_path(str(library))
    t = tg.Tensor(3.0, requires_grad=True) * 1
    with pytest.warns(tg.GraphEndsWarning) as caught:
        third_party["number"](t)
    assert [w.filename for w in caught] == [__file__]
