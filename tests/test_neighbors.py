"""What other libraries make of a Tensor: matplotlib draws it, NumPy writes it, anything with ``__array__`` meets it."""

from __future__ import annotations

import importlib
import io
import os
import pickle
import warnings
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


class TheirTensor:
    """As PyTorch's of version 2.13 does it: something that can be an array, but not while it requires a gradient."""

    __module__ = "torch"
    requires_grad = False

    def __array__(self, dtype: Any = None) -> np.ndarray:
        if self.requires_grad:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
        return np.array([1.0, 2.0, 3.0], dtype)


def test_what_can_be_an_array_is_an_operand() -> None:
    t, theirs = tg.Tensor(VALUES, requires_grad=True), TheirTensor()
    assert tg.gradients((t * theirs).sum(), t).tolist() == [1.0, 2.0, 3.0]
    assert tg.Tensor(theirs).tolist() == [1.0, 2.0, 3.0]
    assert tg.concatenate([t, theirs]).shape == (6,)
    assert (t > theirs).tolist() == [False, True, False]
    theirs.requires_grad = True
    with pytest.raises(tg.OperandError, match=r"got PyTorch's TheirTensor: Can't call numpy\(\) on Tensor that"):
        t * theirs
    with pytest.raises(tg.OperandError, match=r"gradients must get a Tensor.*; got PyTorch's TheirTensor\. Compute it"):
        tg.gradients(theirs, t)  # type: ignore[arg-type]  # what is being tested


def test_it_goes_through_files_and_pickles() -> None:
    t = tg.Tensor(VALUES, requires_grad=True, name="t")
    with io.BytesIO() as file:
        np.save(file, t)
        file.seek(0)
        assert np.load(file).tolist() == VALUES
    again = pickle.loads(pickle.dumps(t))
    assert (again.tolist(), again.requires_grad, again.name) == (VALUES, True, "t")


# With the libraries themselves: pip install 'tinygrad-norm[neighbors]'


def neighbor(name: str) -> Any:
    """The library; where it is not installed the test is skipped, but not in the gate, which installs them all."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of each other's, on import
            return importlib.import_module(name)
    except ImportError:
        if os.environ.get("NEIGHBORS") == "installed":
            raise
        return pytest.skip(f"{name} is not installed: pip install 'tinygrad-norm[neighbors]'")


def arrays_of_others() -> dict[str, Callable[[list[float]], Any]]:
    return {
        "pandas.Series": lambda values: neighbor("pandas").Series(values, index=list("abc")),
        "pandas.Index": lambda values: neighbor("pandas").Index(values),
        "polars.Series": lambda values: neighbor("polars").Series(values),
        "xarray.DataArray": lambda values: neighbor("xarray").DataArray(values, dims="i"),
        "jax.Array": lambda values: neighbor("jax.numpy").asarray(values),
    }


@pytest.fixture(params=arrays_of_others())
def other(request: pytest.FixtureRequest) -> Any:
    return arrays_of_others()[request.param]([1.0, 2.0, 4.0])


def test_another_s_array_is_an_operand_on_the_right(other: Any) -> None:
    t = tg.Tensor(VALUES, requires_grad=True)
    assert tg.gradients((t * other).sum(), t).tolist() == [1.0, 2.0, 4.0]
    assert tg.grad(lambda x: (x**2 / other).sum())(VALUES).tolist() == [2.0, 3.0, 1.0]
    assert (t > other).tolist() == [False, True, False]
    assert (t == other).tolist() == [True, False, False]
    assert tg.Tensor(other).tolist() == [1.0, 2.0, 4.0]
    assert tg.functional.relu(other).tolist() == [1.0, 2.0, 4.0]
    assert tg.where(t > other, t, other).tolist() == [1.0, 3.0, 4.0]
    assert tg.gradients(t[other > 1.5].sum(), t).tolist() == [0.0, 1.0, 1.0]
    with tg.no_grad():
        t -= other
    assert t.tolist() == [0.0, 1.0, -2.0]


def test_another_s_array_on_the_left_never_loses_a_gradient_in_silence(other: Any) -> None:
    kind = type(other).__module__.partition(".")[0]
    t = tg.Tensor(VALUES, requires_grad=True)
    if kind in ("jax", "jaxlib"):  # leaves the operation to the Tensor
        assert tg.gradients((other * t).sum(), t).tolist() == [1.0, 2.0, 4.0]
    elif kind == "xarray":  # keeps the Tensor inside
        assert tg.gradients((other * t).data.sum(), t).tolist() == [1.0, 2.0, 4.0]
    elif kind == "polars":  # takes no array but NumPy's
        with pytest.raises(TypeError, match="Tensor"), tg.no_grad():
            other * t
        assert (other * t.numpy()).to_list() == [1.0, 6.0, 8.0]
    else:
        with pytest.warns(tg.GraphEndsWarning, match=r"the graph ends, at .*test_neighbors.py"):
            product = other * t
        assert list(product) == [1.0, 6.0, 8.0]
        assert list(other * t.detach()) == [1.0, 6.0, 8.0]
        with pytest.raises(tg.GraphError, match="must not become an array unseen"):
            tg.grad(lambda x: (other * x).sum())(VALUES)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_tables_in_and_out(library: str) -> None:
    frames = neighbor(library)
    table = frames.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})
    layer = tg.nn.Linear(2, 1)
    layer(table).sum().backward()
    assert layer.weight.grad is not None
    assert layer.weight.grad.tolist() == [[3.0, 7.0]]
    t = tg.Tensor(table)
    assert t.tolist() == [[1.0, 3.0], [2.0, 4.0]]
    back = {"columns": table.columns} if library == "pandas" else {"schema": table.columns, "orient": "row"}
    assert np.array_equal(frames.DataFrame(t.numpy(), **back), table)
    missing = tg.Tensor(frames.Series([1, None, 3], dtype="Int64" if library == "pandas" else None))
    np.testing.assert_array_equal(missing, [1.0, np.nan, 3.0])
    with pytest.raises(tg.OperandError, match="must be real numbers or booleans"):
        tg.Tensor(frames.DataFrame({"a": [1.0], "b": ["x"]}))


def test_pandas_takes_a_tensor_where_it_takes_an_array() -> None:
    pandas, t = neighbor("pandas"), tg.Tensor([5.0, 6.0])
    table = pandas.DataFrame({"a": [1.0, 2.0]}).assign(b=t)
    table["c"] = t
    assert table.to_numpy().tolist() == [[1.0, 5.0, 5.0], [2.0, 6.0, 6.0]]
    assert pandas.Series(t).tolist() == [5.0, 6.0]
    assert pandas.DataFrame(tg.ones((2, 2))).shape == (2, 2)


def test_xarray_keeps_a_tensor_inside() -> None:
    t = tg.Tensor(VALUES, requires_grad=True)
    inside = neighbor("xarray").DataArray(t, dims="i")
    assert tg.gradients((inside * 3.0).data.sum(), t).tolist() == [3.0] * 3


def test_jax_takes_copies_and_its_traces_are_refused() -> None:
    jax, t = neighbor("jax"), tg.Tensor(np.float32(VALUES))
    for taken in (jax.numpy.asarray(t), jax.numpy.array(t), jax.numpy.from_dlpack(t), jax.dlpack.from_dlpack(t)):
        assert taken.tolist() == VALUES
    assert tg.Tensor(jax.numpy.asarray(t)).dtype == np.float32
    with pytest.raises(tg.OperandError, match=r"(?s)got \w*Tracer: .*Convert them first"):
        jax.grad(lambda a: (a * t).sum().data)(jax.numpy.ones(3))


def test_dlpack_gives_a_copy() -> None:
    t = tg.Tensor(VALUES)
    taken = np.from_dlpack(t)
    assert taken.tolist() == VALUES
    assert not np.shares_memory(taken, t.data)
    assert not hasattr(t, "__array_namespace__")  # NumPy's functions take Tensors; the standard's have other rules
