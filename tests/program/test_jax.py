"""Programs in JAX: equal to 1e-12 in float64, on one device and on four; the guide's code; what is refused."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tests.program.bit_equal import flat

ROOT = Path(__file__).resolve().parents[2]
RNG = np.random.default_rng(8)
PADS = np.array([[0, 0, 0, 0, 1], [0, 0, 1, 1, 1]], dtype=bool)


@pytest.fixture(scope="module")
def jax() -> Any:
    """JAX in float64; where it is not installed the tests are skipped, but not in the gate, which installs it."""
    if os.environ.get("NEIGHBORS") == "installed":
        import jax
    else:
        jax = pytest.importorskip("jax", reason="JAX is missing: python -m pip install 'tinygrad-norm[jax]'")
    jax.config.update("jax_enable_x64", True)
    return jax


def attention(x: Any, pads: Any) -> tg.Tensor:
    return tg.functional.scaled_dot_product_attention(x, x, x, ~pads[:, None, :])


def summed_windows(x: Any) -> tg.Tensor:
    return x[:, np.array([0, 0, 2])] + x[:, 1:4]


CASES: dict[str, tuple[Any, tuple[Any, ...], dict[str, Any]]] = {
    "layer norm": (
        lambda x, w, b: tg.functional.layer_norm(x, 3, w, b),
        tuple(RNG.standard_normal(s) for s in ((5, 3), (3,), (3,))),
        {},
    ),
    "padded attention": (attention, (RNG.standard_normal((2, 5, 6)), PADS), {}),
    "encoder layer": (
        tg.nn.TransformerEncoderLayer(6, 2, 7, 0.0, "gelu", batch_first=True),
        (RNG.standard_normal((2, 5, 6)),),
        {"src_key_padding_mask": PADS},
    ),
    "batch norm": (tg.nn.BatchNorm1d(3), (RNG.standard_normal((5, 3)),), {}),
    "cross-entropy": (tg.functional.cross_entropy, (RNG.standard_normal((5, 3)), np.array([0, 2, 2, 1, 0])), {}),
    "picked and added": (summed_windows, (RNG.standard_normal((2, 5)),), {}),
}


# What compiles for seconds runs where the gate installs JAX.
IN_THE_GATE = pytest.mark.skipif(os.environ.get("NEIGHBORS") != "installed", reason="NEIGHBORS=installed compiles more")
QUICK = ("layer norm", "padded attention")


@pytest.mark.parametrize("name", [name if name in QUICK else pytest.param(name, marks=IN_THE_GATE) for name in CASES])
def test_it_agrees(name: str, jax: Any) -> None:
    function, args, kwargs = CASES[name]
    program = tg.program(function, *args, **kwargs)
    in_jax = program.jax()
    assert "import jax.numpy as np" in in_jax.source
    arrays = program.call(args, kwargs, True).arrays
    result, *_, saved = in_jax.forward(*arrays)
    expected, kept = program.forward(*args, **kwargs)
    np.testing.assert_allclose(result, expected, rtol=0, atol=1e-12)
    g = np.asarray(RNG.standard_normal(np.shape(expected)))
    pairs = zip(flat([in_jax.backward(g, saved)]), flat([program.backward(g, kept)]), strict=True)
    for mine, theirs in pairs:
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-12)


@IN_THE_GATE
def test_the_guide_s_code_on_four_virtual_devices(jax: Any) -> None:
    guide = (ROOT / "docs" / "how-to" / "outgrow-one-machine.md").read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"```python\n(.*?)```", guide, re.DOTALL))
    code += '\nassert len(jax.devices()) == 4\nprint("right")\n'
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout == "right\n", done.stderr


def test_what_jax_cannot_do_is_said(jax: Any) -> None:
    program = tg.program(lambda x: np.linalg.svd(x).S, np.eye(3))
    with pytest.raises(tg.OperandError, match="JAX must know every operation; it has no svd"):
        program.jax()
    convolution = tg.program(lambda x, w: tg.functional.conv1d(x, w), np.ones((1, 2, 5)), np.ones((3, 2, 2)))
    with pytest.raises(tg.OperandError, match="it has no windows"):
        convolution.jax()
    jax.config.update("jax_enable_x64", False)
    try:
        with pytest.raises(tg.InputError, match="must be allowed to compute in float64"):
            tg.program(lambda x: x * x, np.ones(3)).jax()
        assert tg.program(lambda x: x * x, np.ones(3, np.float32)).jax().forward(np.ones(3, np.float32))[0].shape == (
            3,
        )
    finally:
        jax.config.update("jax_enable_x64", True)


def test_without_jax_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jax", None)
    with pytest.raises(tg.MissingExtraError, match=r"pip install 'tinygrad-norm\[jax\]'"):
        tg.program(lambda x: x * x, np.ones(3)).jax()
