"""Every primitive, layer, function of ``functional`` and composition of ``ops``: the program is eager to the last bit.

Recorded at one point, used at another; results, gradients, gradients of gradients and buffers, float64 and float32. And
what is printed of them runs by itself and agrees.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.engine.test_numpy_dispatch import CALLS
from tests.functional.test_against_torch import CASES as FUNCTIONS
from tests.functional.test_against_torch import called
from tests.nn.test_derivatives import CASES as LAYERS
from tests.program.bit_equal import check, check_printed
from tinygrad_norm import functional, nn
from tinygrad_norm.engine.primitive import PRIMITIVES

NATIVE = [made for made in PRIMITIVES.values() if made.native]
DTYPES = [np.float64, np.float32]
# One call of each function of NumPy's that is composed of primitives, and each of those that cut or pick.
COMPOSED = {
    (name, len(arguments)): (call, arguments)
    for name, calls in CALLS.items()
    for records, call, arguments in calls
    if records
}


def cast(x: Any, dtype: Any) -> Any:
    return x.astype(dtype) if isinstance(x, np.ndarray) and x.dtype.kind == "f" else x


@pytest.mark.parametrize("made", NATIVE, ids=lambda made: made.name)
def test_primitive(made: Any) -> None:
    for i, point in enumerate(made.samples):
        args = [cast(np.asarray(a), DTYPES[i % 2]) for a in point.draw(np.random.default_rng(0))]
        check(lambda *xs, point=point: made(*xs, **point.params), args)
    for dtype in DTYPES:
        point = made.samples[min(1, len(made.samples) - 1)]
        args = [cast(np.asarray(a), dtype) for a in point.draw(np.random.default_rng(0))]
        program = check(lambda *xs, point=point: made(*xs, **point.params), args)
    check_printed(program, args) if dtype is np.float64 else None


@pytest.mark.parametrize(("name", "make", "inputs", "kwargs"), LAYERS, ids=[case[0] for case in LAYERS])
def test_layer(name: str, make: Callable[[], nn.Module], inputs: list[Any], kwargs: dict[str, Any]) -> None:
    for dtype in DTYPES[::-1]:
        module = make()
        for part in module.modules():
            if isinstance(getattr(part, "dropout", None), float) or isinstance(part, nn.Dropout):
                part.eval()  # what is random cannot be recorded
        if dtype is np.float32 and list(module.parameters()):
            module.astype(dtype)
        args = [cast(x, dtype) for x in inputs]
        program = check(module, args, module, **kwargs)
    check_printed(program, args, **kwargs)


@pytest.mark.parametrize("case", FUNCTIONS, ids=lambda c: f"{c['name']}-{c['options']}".replace(" ", ""))
def test_function(case: dict[str, Any]) -> None:
    for dtype in DTYPES[::-1]:
        args = [None if a is None else cast(np.asarray(a), dtype) for a in case["arrays"]]
        program = check(lambda *xs: called(case, list(xs)), args)
    check_printed(program, args)


@pytest.mark.parametrize(("call", "arguments"), COMPOSED.values(), ids=[f"{n}-{k}" for n, k in COMPOSED])
def test_composition(call: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    with np.errstate(all="ignore"):
        program = check(call, arguments)
        check_printed(program, arguments)


# NumPy writes a large result over an operand that nobody else holds; a tape holds all, a line of a program need not.
MIXED_LAYOUTS: dict[str, Callable[..., Any]] = {
    "result": lambda x, y: functional.layer_norm(x.T * 2 + y, 260),
    "gradient": lambda x, y: functional.layer_norm(x, 270).T * 1.5 + y,
    "both": lambda x, y: functional.softmax(y - functional.layer_norm(x, 270).T * y, 0),
    "three axes": lambda x, y: functional.layer_norm(
        x.reshape(2, 130, 270).transpose(2, 0, 1) * 2 + y.reshape(270, 2, 130), 130
    ),
}


@pytest.mark.parametrize("name", MIXED_LAYOUTS)
def test_large_arrays_whose_layouts_meet(name: str) -> None:
    rng = np.random.default_rng(3)
    for dtype in DTYPES:
        check(MIXED_LAYOUTS[name], [rng.standard_normal(s).astype(dtype) for s in ((260, 270), (270, 260))])
