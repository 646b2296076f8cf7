"""ONNX models, run by onnxruntime: the engine's numbers to 1e-12, with gradients and Hessian products; what is refused.

Each model is run where it was recorded and at another point. The sweep over everything is a step of the gate.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tests.functional.test_against_torch import CASES as FUNCTIONS
from tests.functional.test_against_torch import called
from tests.nn.test_derivatives import CASES as LAYERS
from tests.program.bit_equal import elsewhere, flat
from tests.program.test_bit_equal import COMPOSED
from tinygrad_norm.engine.primitive import PRIMITIVES
from tinygrad_norm.program.onnx_vocabulary import ROWS

ROOT = Path(__file__).resolve().parents[2]
RNG = np.random.default_rng(8)
X = RNG.standard_normal((2, 5, 6))
PADS = np.array([[0, 0, 0, 0, 1], [1, 1, 1, 1, 1]], dtype=bool)
INSTALLED = os.environ.get("NEIGHBORS") == "installed"
IN_THE_GATE = pytest.mark.skipif(not INSTALLED, reason="everything is a step of the gate, with NEIGHBORS=installed")
MISSING = {"eigh", "pinv", "qr", "svd"}


@pytest.fixture(scope="module", autouse=True)
def runtime() -> Any:
    """onnxruntime; where it is not installed the tests are skipped, but not in the gate, which installs it."""
    if not INSTALLED:
        for name in ("onnx", "onnxruntime"):
            pytest.importorskip(name, reason=f"{name} is missing: python -m pip install 'tinygrad-norm[onnx]' {name}")
    import onnxruntime

    onnxruntime.set_default_logger_severity(4)
    return onnxruntime


def session(model: Any) -> Any:
    import onnx
    import onnxruntime

    onnx.checker.check_model(model, full_check=True)
    return onnxruntime.InferenceSession(model.SerializeToString())


def served(running: Any, arrays: Sequence[Any]) -> list[Any]:
    names = [given.name for given in running.get_inputs()]
    found: list[Any] = running.run(None, dict(zip(names, arrays, strict=True)))
    return found


def agrees(function: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any], tolerance: float = 1e-12) -> None:
    """Fail unless onnxruntime gives the engine's numbers, relative to the largest of a result."""
    with np.errstate(all="ignore"):
        running = session(tg.to_onnx(function, *args, **kwargs))
        for values in (args, elsewhere(function, args, kwargs)):
            arrays = [a for a in flat([*values, *(kwargs[k] for k in sorted(kwargs))]) if isinstance(a, np.ndarray)]
            expected = [np.asarray(y.data) for y in flat(function(*values, **kwargs))]
            for mine, theirs in zip(served(running, arrays), expected, strict=True):
                assert mine.dtype == theirs.dtype
                assert mine.shape == theirs.shape
                near = (
                    tolerance * np.abs(theirs[np.isfinite(theirs)]).max(initial=1e-2) if theirs.dtype.kind == "f" else 0
                )
                np.testing.assert_allclose(mine, theirs, rtol=0, atol=near)


def all_orders(function: Callable[..., Any], args: Sequence[Any]) -> Callable[..., Any]:
    """Return a function that gives the results, the gradients of Σ ⟨ȳ, y⟩, and their Hessian times a vector."""
    numbers = [i for i, x in enumerate(args) if isinstance(x, np.ndarray) and x.dtype.kind == "f"]

    def weights(x: Any, start: int) -> Any:
        return np.cos(start + np.arange(x.size)).reshape(x.shape).astype(x.dtype)

    def loss(*xs: Any, **kwargs: Any) -> Any:
        ends = [y for y in flat(function(*xs, **kwargs)) if y.requires_grad]
        return sum(((y * weights(y, 0)).sum() for y in ends), tg.Tensor(0.0))

    def ends(*xs: Any, **kwargs: Any) -> Any:
        def slopes(*real: Any) -> Any:
            whole = dict(enumerate(xs)) | dict(zip(numbers, real, strict=True))
            return tg.grad(loss, numbers)(*whole.values(), **kwargs)

        if not numbers:
            return function(*xs, **kwargs)
        gradients, pullback = tg.vjp(slopes, *(xs[i] for i in numbers))
        return function(*xs, **kwargs), gradients, pullback(*(weights(g, 7 * i) for i, g in enumerate(gradients)))

    return ends


# What must be served: the norms, attention and an encoder layer, and their derivatives

ENCODER = tg.nn.TransformerEncoderLayer(6, 2, 7, 0.0, "gelu", batch_first=True)


def attention(x: Any, pads: Any) -> tg.Tensor:
    return tg.functional.scaled_dot_product_attention(x, x, x, ~pads[:, None, :])


MAIN: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "layer norm": (lambda x, w, b: tg.functional.layer_norm(x, 6, w, b), (X, X[0, 0] + 2, X[0, 1])),
    "padded attention": (attention, (X, PADS)),
    "encoder layer": (lambda x, pads: ENCODER(x, src_key_padding_mask=pads), (X, PADS)),
    "token losses": (
        lambda table, ids, labels: tg.functional.cross_entropy(tg.functional.embedding(ids, table), labels),
        (RNG.standard_normal((5, 3)), np.array([4, 0, 4, 2]), np.array([0, 2, -100, 1])),
    ),
}


@pytest.mark.parametrize("name", MAIN)
def test_the_main_compositions_and_their_derivatives(name: str) -> None:
    function, args = MAIN[name]
    agrees(all_orders(function, args), args, {})


def test_a_model_recorded_without_pads_takes_pads_and_the_other_way_round() -> None:
    running = session(tg.to_onnx(attention, X, np.zeros((2, 5), bool)))
    for pads in (PADS, ~PADS, np.zeros((2, 5), bool)):
        np.testing.assert_allclose(served(running, [X, pads])[0], attention(X, pads).data, rtol=0, atol=1e-12)


def test_names_and_dtypes_stay() -> None:
    model = tg.nn.Sequential(tg.nn.Embedding(7, 4), tg.nn.LayerNorm(4), tg.nn.Linear(4, 3)).astype(np.float32).eval()
    ids = np.array([[1, 6, 0]], np.int32)
    made = tg.to_onnx(lambda tokens: model(tokens), ids)
    assert [given.name for given in made.graph.input] == ["tokens"]
    assert [given.name for given in made.graph.output] == ["y"]
    stored = {t.name for t in made.graph.initializer}
    assert {f"model.{path}" for path in model.state_dict()} <= stored
    (mine,) = served(session(made), [ids])
    assert mine.dtype == np.float32
    np.testing.assert_allclose(mine, model(ids).data, rtol=1e-5, atol=1e-6)
    slope = tg.to_onnx(tg.grad(lambda left, right: (left * right).sum(), (0, 1)), X, X)
    assert [given.name for given in slope.graph.input] == ["left", "right"]

    twice = tg.to_onnx(lambda y: (y, [y + 1, y]), X)
    assert [given.name for given in (*twice.graph.input, *twice.graph.output)] == ["y", "y_1", "y_2", "y_3"]


@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.int32, np.uint8, np.bool_])
def test_whole_numbers_and_masks(dtype: Any) -> None:
    x = np.array([[3, 0, 2], [1, 2, 0]]).astype(dtype)

    def function(x: tg.Tensor, at: Any) -> tuple[tg.Tensor, ...]:
        return x[at, 1:], (x > 1).sum(0), tg.where(x == 2, x, x[0]), x * 0.5, x.max(), x.argmax(1), tg.stack([x, x])

    agrees(function, (x, np.array([1, -1, 0])), {}, 1e-6)


@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (1, 1)])
def test_empty_arrays_and_numbers(shape: tuple[int, ...]) -> None:
    def function(x: tg.Tensor) -> tuple[tg.Tensor, ...]:
        return x * 2, x.sum(), x.reshape(-1), tg.exp(x).sum(0) if shape else x, tg.concatenate([x.reshape(-1)] * 2)

    agrees(function, (np.ones(shape),), {})


SMALL = (0.0, 1, -1, 0.5, -0.5, 1e-9, -1e-9, 1e-300, 5e-324, 1 - 1e-12, 1 + 1e-12)
MIDDLE = (2.0, -3, 0.46875, 4, 6, -5.9, 1.5, 2.5, -2.5, np.pi, 36, -40)
LARGE = (709.0, -709, -745, 1e5, 1e9, -1e9, 1e155, 1e308, -1e308, np.inf, -np.inf, np.nan)
EDGES = np.array([*SMALL, *MIDDLE, *LARGE])


@pytest.mark.parametrize("count", [1, 2])
def test_entrywise_functions_at_the_edges(count: int) -> None:
    """Beside 0 and 1, where digits cancel, where squares and exponentials overflow, at ∞ and NaN."""
    made = [
        p
        for p in PRIMITIVES.values()
        if p.samples[0].shapes == ((),) * count and not p.samples[0].params and p.samples[0].domains[-1] != "boolean"
    ]
    assert len(made) > 12
    xs = [x.reshape(-1) for x in np.meshgrid(*[EDGES] * count)]

    def function(*xs: Any) -> Any:
        return tuple(p(*xs) for p in made)

    with np.errstate(all="ignore"):
        found = served(session(tg.to_onnx(function, *(np.ones_like(x) + 0.5 for x in xs))), xs)
        for p, mine, theirs in zip(made, found, function(*xs), strict=True):
            np.testing.assert_allclose(mine, theirs.data, rtol=1e-12, atol=1e-305, err_msg=p.name)


# What a model does where it would need another recording, and what is refused


def test_a_branch_that_goes_the_other_way_is_an_error_that_names_the_place(runtime: Any) -> None:
    running = session(tg.to_onnx(lambda x: x * 2 if (x.data > 0).any() else x * 3, X))
    np.testing.assert_allclose(served(running, [X * 0.3])[0], X * 0.6)
    with pytest.raises(runtime.capi.onnxruntime_pybind11_state.InvalidArgument, match=r"read at test_onnx.py.*, True"):
        served(running, [-np.abs(X)])


@pytest.mark.parametrize("ids", [[0, 5], [-1, 0]])
def test_an_id_without_a_row_is_an_error(ids: list[int], runtime: Any) -> None:
    running = session(tg.to_onnx(tg.nn.Embedding(5, 3), np.array([0, 4])))
    with pytest.raises(runtime.capi.onnxruntime_pybind11_state.InvalidArgument):
        served(running, [np.array(ids)])


@pytest.mark.parametrize(
    ("function", "args", "error", "said"),
    [
        (
            lambda x: np.linalg.svd(x).S,
            (np.eye(3),),
            tg.OperandError,
            "ONNX must have every operation; it has no such svd",
        ),
        (lambda x: tg.unique(x), (np.arange(3.0),), tg.OperandError, "it has no such unique at test_onnx.py"),
        (lambda x: x[x.data > 0], (np.eye(3),), tg.OperandError, "a mask that is computed. Use tg.where"),
        (lambda x: None, (np.eye(3),), tg.OperandError, "must get a function that returns a Tensor.*got None"),
        (lambda x: x, (3.0,), tg.InputError, "lambda must get at least one array"),
        (3, (np.eye(3),), tg.OperandError, "to_onnx must get a function or a module to record; got int"),
        (tg.nn.BatchNorm1d(3), (np.eye(3),), tg.InputError, r"BatchNorm1d changes running_mean, .*Call eval\(\)"),
        (
            lambda x: x * x.data.max().item(),
            (np.eye(3),),
            tg.GraphError,
            "copy of some at test_onnx.py",
        ),
    ],
)
def test_what_cannot_be_a_model_is_said(function: Any, args: tuple[Any, ...], error: Any, said: str) -> None:
    with pytest.raises(error, match=said):
        tg.to_onnx(function, *args)


def test_without_onnx_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(tg.MissingExtraError, match=r"pip install 'tinygrad-norm\[onnx\]'"):
        tg.to_onnx(lambda x: x * x, X)


def test_the_guide_s_code(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    guide = (ROOT / "docs" / "how-to" / "serve-a-model-with-onnx.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    exec(compile("\n".join(re.findall(r"```python\n(.*?)```", guide, re.DOTALL)), "guide", "exec"), {})
    assert (tmp_path / "encoder.onnx").is_file()


# Everything


def test_every_primitive_has_a_row() -> None:
    assert PRIMITIVES.keys() - ROWS.keys() == MISSING


@IN_THE_GATE
@pytest.mark.parametrize("made", [p for p in PRIMITIVES.values() if p.name not in MISSING], ids=lambda made: made.name)
def test_primitive(made: Any) -> None:
    for point in made.samples:
        args = [np.asarray(a) for a in point.draw(np.random.default_rng(0))]

        def function(*xs: Any, point: Any = point) -> Any:
            return made(*xs, **point.params)

        # The rule of a singular determinant is another one, which is found out when it is recorded.
        singular = made.name == "det" and "zero" in point.domains
        agrees(function if singular else all_orders(function, args), args, {}, 1e-11 if made.name == "det" else 1e-12)


@IN_THE_GATE
@pytest.mark.parametrize(("name", "make", "inputs", "kwargs"), LAYERS, ids=[case[0] for case in LAYERS])
def test_layer(name: str, make: Callable[[], tg.nn.Module], inputs: list[Any], kwargs: dict[str, Any]) -> None:
    agrees(all_orders(make().eval(), inputs), inputs, kwargs)


@IN_THE_GATE
@pytest.mark.parametrize("case", FUNCTIONS, ids=lambda c: f"{c['name']}-{c['options']}".replace(" ", ""))
def test_function(case: dict[str, Any]) -> None:
    args = [None if a is None else np.asarray(a) for a in case["arrays"]]
    agrees(all_orders(lambda *xs: called(case, list(xs)), args), args, {})


@IN_THE_GATE
@pytest.mark.parametrize(("call", "arguments"), COMPOSED.values(), ids=[f"{n}-{k}" for n, k in COMPOSED])
def test_composition(call: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    try:
        agrees(all_orders(call, arguments), arguments, {})
    except tg.OperandError as error:
        said = str(error)
        assert any(
            f"no such {name}" in said or f", {name}" in said for name in (*MISSING, "lstsq", "flatnonzero", "unique")
        )
