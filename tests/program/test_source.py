"""What is printed: the lecture's normalizations line by line, names, constants, files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tests.program.rounding import bounds

RNG = np.random.default_rng(3)
TABLE = np.array([[7.0, 5.0, 4.0], [2.0, 3.0, 4.0], [1.0, 1.0, 7.0], [7.0, 6.0, 2.0], [3.0, 5.0, 1.0]])
GAMMA, BETA = np.array([0.5, 1.0, 2.0]), np.array([0.1, -0.2, 0.3])


def layer_norm(x: Any, gamma: Any, beta: Any) -> tg.Tensor:
    return tg.functional.layer_norm(x, 3, gamma, beta)


def batch_norm(x: Any, gamma: Any, beta: Any) -> tg.Tensor:
    return tg.functional.batch_norm(x, weight=gamma, bias=beta)


LAYER_NORM = """\
import numpy as np


def forward(x, gamma, beta):
    centered = x - np.mean(x, axis=-1, keepdims=True)                # 5 × 3
    variance = np.mean(np.square(centered), axis=-1, keepdims=True)  # 5 × 1
    deviation = np.sqrt(variance + 1e-05)                            # 5 × 1
    normalized = centered / deviation                                # 5 × 3
    y = normalized * gamma + beta                                    # 5 × 3
    return y, (gamma, normalized, deviation, centered)


def backward(g, saved):
    gamma, normalized, deviation, centered = saved
    g_beta = np.sum(g, axis=0)                                                           # 3
    g_normalized = g * gamma                                                             # 5 × 3
    g_gamma = np.sum(g * normalized, axis=0)                                             # 3
    g_deviation = -np.sum(g_normalized * normalized, axis=1, keepdims=True) / deviation  # 5 × 1
    g_variance = g_deviation / (2 * deviation)                                           # 5 × 1
    g_centered = g_normalized / deviation + 2 * g_variance / 3 * centered                # 5 × 3
    g_x = g_centered - np.sum(g_centered, axis=1, keepdims=True) / 3                     # 5 × 3
    return g_x, g_gamma, g_beta
"""


def functions(program: Any) -> tuple[Callable[..., Any], Callable[..., Any]]:
    names: dict[str, Any] = {}
    exec(compile(program.source, "printed", "exec"), names)
    return names["forward"], names["backward"]


def test_layer_norm_is_five_lines_forward_and_seven_back() -> None:
    program = tg.program(layer_norm, TABLE, GAMMA, BETA)
    assert program.source == str(program) + "\n" == LAYER_NORM
    assert program.inputs == ("x", "gamma", "beta")


def apart(source: str, norm: Any, x: Any, gamma: Any, beta: Any, g: Any) -> float:
    """How far a printed norm is from eager, over how far it may be."""
    names: dict[str, Any] = {}
    exec(compile(source, "printed", "exec"), names)
    leaves = [tg.Tensor(a, requires_grad=True) for a in (x, gamma, beta)]
    y = norm(*leaves)
    y.backward(g)
    result, saved = names["forward"](x, gamma, beta)
    worst = 0.0
    found, expected = [result, *names["backward"](g, saved)], [y, *(t.grad for t in leaves)]
    for mine, theirs, bound in zip(found, expected, bounds(source, (x, gamma, beta), g), strict=True):
        assert mine.dtype == theirs.dtype
        worst = max(worst, float(np.max(np.abs(mine - theirs.data) / bound)))
    return worst


@pytest.mark.parametrize("norm", [layer_norm, batch_norm])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_printed_norms_agree_with_eager_to_4_ulps_a_line_at_new_data(norm: Any, dtype: Any) -> None:
    source = tg.program(norm, *(a.astype(dtype) for a in (TABLE, GAMMA, BETA))).source
    planted = source.replace("2 * deviation", f"(2 + {1000 * float(np.finfo(dtype).eps)}) * deviation")
    assert planted != source
    found = []
    for _ in range(20):
        point = [RNG.standard_normal(s).astype(dtype) for s in ((5, 3), (3,), (3,), (5, 3))]
        assert apart(source, norm, *point) <= 1
        found.append(apart(planted, norm, *point))
    assert max(found) > 1


@pytest.mark.parametrize("norm", [layer_norm, batch_norm])
def test_check_vjp_says_that_program_and_print_are_right(norm: Any) -> None:
    program = tg.program(norm, TABLE, GAMMA, BETA)
    forward, backward = functions(program)
    point = tuple(RNG.standard_normal(s) for s in ((5, 3), (3,), (3,)))
    assert tg.check_vjp(program, program.vjp, point)
    assert tg.check_vjp(lambda *xs: forward(*xs)[0], lambda g, *xs: backward(g, forward(*xs)[1]), point)


def test_a_file_runs_without_us(tmp_path: Path) -> None:
    path = tmp_path / "layer_norm.py"
    program = tg.program(layer_norm, TABLE, GAMMA, BETA)
    program.save(path)
    assert path.read_text(encoding="utf-8") == program.source
    assert "tinygrad_norm" not in program.source


def test_a_notebook_shows_the_source_and_escapes_it() -> None:
    program = tg.program(lambda x: tg.where(x < 1, x, 0), TABLE)
    html = program._repr_html_()
    assert html.startswith("<pre>import numpy as np")
    assert "x &lt; 1" in html
    assert repr(program) == "<program of lambda: 2 operation(s) forward, 1 back>"


def test_names_are_those_of_the_caller_and_never_pythons() -> None:
    def loss(np: Any, g: Any, lambda_: Any) -> tg.Tensor:
        hidden = np * g + lambda_
        saved = hidden * hidden
        return (saved * hidden).sum()

    args = [RNG.standard_normal(3) for _ in range(3)]
    program = tg.program(loss, *args)
    assert "def forward(np_2, g_2, lambda_):" in program.source
    assert "hidden = " in program.source
    functions(program)


def test_paths_of_a_model_are_names() -> None:
    model = tg.nn.Sequential(tg.nn.Linear(2, 3), tg.nn.LayerNorm(3))
    program = tg.program(model, np.ones((5, 2)))
    assert program.inputs == ("x", "0.weight", "0.bias", "1.weight", "1.bias")
    assert "def forward(x, layer0_weight, layer0_bias, layer1_weight, layer1_bias):" in program.source
    assert "    # 1.layer_norm" in program.source
    explicit = [np.ones((5, 2)), *(p.data * 2 for p in model.parameters())]
    assert not np.array_equal(program.forward(*explicit)[0], program.forward(np.ones((5, 2)))[0])


CONSTANTS = [
    np.zeros((2, 3)),
    np.ones((2, 3), np.float32),
    np.full((2, 3), 2.5),
    np.full((2, 3), np.nan),
    np.full((2, 3), -np.inf, np.float32),
    np.arange(6.0).reshape(2, 3),
    np.array([[1.0, np.inf, np.nan]]),
    np.array([1.5, 1 / 3, 1e-300]),
    np.array(2.0),
    np.array(2, np.float32),
    np.float32(0.1),
    np.array([[True, False, True]]),
    np.tri(2, 3, dtype=bool),
    np.array([1, 2, 3]),
    np.zeros((2, 0)),
]


@pytest.mark.parametrize("constant", CONSTANTS, ids=lambda c: f"{c.dtype}{c.shape}")
def test_a_constant_is_written_so_that_it_is_the_same_again(constant: Any) -> None:
    x = RNG.standard_normal(3 if constant.size else (2, 0))
    program = tg.program(lambda x: x * constant, x)
    forward, _ = functions(program)
    result = (tg.Tensor(x) * constant).data
    mine = forward(x)[0]
    assert mine.dtype == result.dtype
    assert np.array_equal(mine, result, equal_nan=True)


READABLE: list[tuple[str, Callable[..., Any], list[Any], int, int]] = [
    ("softmax", lambda x: tg.functional.softmax(x), [TABLE], 7, 2),
    ("cross_entropy", lambda x, t: tg.functional.cross_entropy(x, t), [TABLE, np.array([0, 1, 2, 1, 0])], 18, 8),
    ("attention", tg.functional.scaled_dot_product_attention, [RNG.standard_normal((2, 5, 3))] * 3, 14, 8),
]


@pytest.mark.parametrize(("name", "function", "args", "forward", "backward"), READABLE, ids=[r[0] for r in READABLE])
def test_the_classics_stay_short(name: str, function: Any, args: Any, forward: int, backward: int) -> None:
    first, second = tg.program(function, *args).source.split("def backward")
    assert (
        sum((line.startswith("    ") and "#" in line[:80]) or "assert" in line for line in first.split("\n")) <= forward
    )
    assert second.count("\n") <= backward + 6
    assert max(map(len, first.split("\n"))) <= 120
