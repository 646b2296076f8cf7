"""What other libraries make of a Tensor: matplotlib draws it, NumPy writes it, anything with ``__array__`` meets it."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure

import tinygrad_norm as tg

VALUES = [1.0, 3.0, 2.0]
DRAWN: dict[str, Callable[[Any, Any], Any]] = {
    "plot": lambda axes, t: axes.plot(t),
    "plot against": lambda axes, t: axes.plot(t, t),
    "step": lambda axes, t: axes.step(np.arange(3), t),
    "stem": lambda axes, t: axes.stem(t),
    "semilogy": lambda axes, t: axes.semilogy(t),
    "bar": lambda axes, t: axes.bar(np.arange(3), t),
    "hist": lambda axes, t: axes.hist(t),
    "scatter": lambda axes, t: axes.scatter(t, t),
    "errorbar": lambda axes, t: axes.errorbar(np.arange(3), t, yerr=t),
    "imshow": lambda axes, t: axes.imshow(tg.stack([t, t])),
}


@pytest.fixture
def axes() -> Iterator[Any]:
    with mpl.rc_context({"backend": "Agg"}):
        yield Figure().subplots()


@pytest.mark.parametrize("draw", DRAWN.values(), ids=DRAWN)
def test_matplotlib_draws_it(axes: Any, draw: Callable[[Any, Any], Any]) -> None:
    draw(axes, tg.Tensor(VALUES))
    leaf = tg.Tensor(VALUES, requires_grad=True)
    for tracked in (leaf, leaf * 1):
        with pytest.warns(tg.GraphEndsWarning, match=r"the graph ends, at .*test_neighbors.py"):
            draw(axes, tracked)
        with tg.no_grad():
            draw(axes, tracked)
    with io.BytesIO() as file:
        axes.figure.savefig(file)
        assert file.tell() > 1000


class Series:
    """As pandas, polars, xarray and PyTorch have: something that can be an array."""

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array([1.0, 2.0, 3.0], dtype)


def test_what_can_be_an_array_is_an_operand() -> None:
    t = tg.Tensor(VALUES, requires_grad=True)
    assert tg.gradients((t * Series()).sum(), t).tolist() == [1.0, 2.0, 3.0]
    assert tg.Tensor(Series()).tolist() == [1.0, 2.0, 3.0]
    assert tg.concatenate([t, Series()]).shape == (6,)


def test_it_goes_through_files_and_pickles() -> None:
    t = tg.Tensor(VALUES, requires_grad=True, name="t")
    with io.BytesIO() as file:
        np.save(file, t)
        file.seek(0)
        assert np.load(file).tolist() == VALUES
    again = pickle.loads(pickle.dumps(t))
    assert (again.tolist(), again.requires_grad, again.name) == (VALUES, True, "t")
