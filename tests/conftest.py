"""What the tests share: numeric derivatives, random numbers, and a registry to plant faults in.

The numeric derivative is a central difference at three steps, extrapolated twice (Richardson), so its error is
O(step⁶): with a step of 2⁻⁹ below 1e-14 for the functions here, and rounding adds a few eps/2⁻¹¹ ≈ 1e-12 of the
values. ``CLOSE`` = 1e-8 of the size of the gradient leaves four digits for large derivatives and is still a hundred
times sharper than 1e-6.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from threadpoolctl import threadpool_limits

import tinygrad_norm as tg
from tinygrad_norm.engine.primitive import FUNCTIONS, NUMPY, PRIMITIVES, load_late

load_late()  # the tests go through every operation

# The suite runs in several processes and multiplies small matrices: more threads would only wait for each other.
threadpool_limits(limits=1)
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# The same examples in every run, and no clock.
settings.register_profile("suite", derandomize=True, deadline=None, max_examples=60)
settings.load_profile("suite")

CLOSE = 1e-8
STEP = 2.0**-9
Arrays = list[np.ndarray]


def moved(xs: Sequence[Any], vs: Sequence[Any], t: float) -> Arrays:
    """Return the points xs + t · vs; a tangent of None leaves its point alone."""
    return [x if v is None else x + t * v for x, v in zip(xs, vs, strict=True)]


def along(f: Callable[..., Any], xs: Sequence[Any], vs: Sequence[Any]) -> np.ndarray:
    """Return the derivative of f at xs along the tangents vs."""

    def central(h: float) -> np.ndarray:
        return (values(f(*moved(xs, vs, h))) - values(f(*moved(xs, vs, -h)))) / (2 * h)

    coarse, middle, fine = (central(STEP / 2**k) for k in range(3))
    once, again = (4 * middle - coarse) / 3, (4 * fine - middle) / 3
    return (16 * again - once) / 15


def agree(mine: Any, numeric: Any, dtype: Any = np.float64) -> None:
    """Fail unless a gradient agrees with its numeric value; values rounded to ``dtype`` make that less exact."""
    mine, numeric = values(mine), values(numeric)
    assert mine.shape == numeric.shape
    # Rounding in the function moves the difference by eps / (2 · smallest step), twice over by the extrapolation.
    bound = max(CLOSE, 2 * np.finfo(dtype).eps * 4 / STEP)
    size = 1.0 + np.max(np.abs(numeric), initial=0.0)
    assert np.all(np.isfinite(mine))
    assert np.max(np.abs(mine - numeric), initial=0.0) <= bound * size


def values(x: Any) -> np.ndarray:
    """Return plain values: of a Tensor without a word about the graph that ends here."""
    return x.data if isinstance(x, tg.Tensor) else np.asarray(x)


@pytest.fixture
def rng() -> np.random.Generator:
    """Random numbers, the same in every run."""
    return np.random.default_rng(20261122)


@pytest.fixture
def derivative() -> Callable[..., np.ndarray]:
    """``derivative(f, xs, vs)``: the numeric derivative of f at xs along vs."""
    return along


@pytest.fixture
def close() -> Callable[..., None]:
    """``close(mine, numeric)`` fails unless a gradient agrees with its numeric value."""
    return agree


@pytest.fixture
def in_thread() -> Callable[[Callable[[], Any]], Any]:
    """The function :func:`done_in_a_thread`."""
    return done_in_a_thread


def done_in_a_thread(work: Callable[[], Any]) -> Any:
    """Return what the work returns in a new thread, or raise what it raises there."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


class Registry:
    """A plugin, not a fixture of this folder, so that it holds for the doctests of the package and of the pages too."""

    @pytest.fixture(autouse=True)
    def registry_as_found(self) -> Iterator[None]:
        """What a test declares is forgotten after it: whoever comes next finds the operations of the package."""
        found = [(table, dict(table)) for table in (PRIMITIVES, FUNCTIONS, NUMPY)]
        yield
        for table, before in found:
            table.clear()
            table.update(before)


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Registry())


@pytest.fixture
def planted() -> None:
    """Says that a test declares primitives, which are forgotten after it."""


@pytest.fixture
def check_to_second_order() -> Callable[..., None]:
    """``check(f, xs)``: the gradient of ⟨u, f⟩ and that of a random functional of the gradient, against differences."""
    return to_second_order


def to_second_order(f: Callable[..., tg.Tensor], xs: Sequence[np.ndarray], seed: int = 0, directions: int = 3) -> None:
    """Compare the first and second order of f : arrays -> Tensor with numeric derivatives, u and directions random."""
    rng = np.random.default_rng(seed)
    u = rng.standard_normal(f(*map(tg.Tensor, xs)).shape)

    def first(*point: Any) -> list[np.ndarray]:
        leaves = [tg.Tensor(x, requires_grad=True) for x in point]
        return [values(g) for g in tg.gradients(f(*leaves), leaves, u)]

    def value(*point: Any) -> Any:
        return np.sum(u * values(f(*map(tg.Tensor, point))))

    ws = [rng.standard_normal(x.shape) for x in xs]
    leaves = [tg.Tensor(x, requires_grad=True) for x in xs]
    graph = tg.gradients(f(*leaves), leaves, u, create_graph=True)
    for recorded, plain in zip(graph, first(*xs), strict=True):
        np.testing.assert_allclose(values(recorded), plain, rtol=1e-12, atol=1e-12)
    reached = [(g, w) for g, w in zip(graph, ws, strict=True) if g.requires_grad]
    second = [values(s) for s in tg.gradients([g for g, _ in reached], leaves, [w for _, w in reached])]
    for _ in range(directions):
        vs = [rng.standard_normal(x.shape) for x in xs]
        mine = sum(float(np.sum(g * v)) for g, v in zip(first(*xs), vs, strict=True))
        agree(mine, along(value, xs, vs))
        mine = sum(float(np.sum(s * v)) for s, v in zip(second, vs, strict=True))
        agree(mine, along(lambda *p: sum(np.sum(w * g) for w, g in zip(ws, first(*p), strict=True)), xs, vs))
