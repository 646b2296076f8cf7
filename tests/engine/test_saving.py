"""What a rule may ask for, what is refused, and that the tape saves what was asked for and nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm.engine.details.saving import compile_save, inputs_of, names_of, sources_of

SOURCES = sources_of(("x", "y"), ("axis",), variadic=False)


def test_what_a_forward_function_takes() -> None:
    def scaled(x: Any, y: Any, /, scale: float = 2.0, *, axis: Any) -> Any:
        return scale * x * y

    def joined(*xs: Any, axis: int = 0) -> Any:
        return np.concatenate(xs, axis)

    assert inputs_of(np.exp) == (("x",), False, {})
    assert inputs_of(np.add) == (("x", "y"), False, {})
    assert inputs_of(scaled) == (("x", "y"), False, {"scale": 2.0, "axis": None})
    assert inputs_of(joined) == (("xs",), True, {"axis": 0})


def test_a_forward_function_without_marked_inputs() -> None:
    def double(x: Any) -> Any:
        return 2 * x

    with pytest.raises(
        tg.VJPError, match=r"double must mark its inputs as positional-only; found none. Write def double\(x, /"
    ):
        inputs_of(double)


def test_a_rule_asks_by_name() -> None:
    assert names_of("planted", lambda g: g, SOURCES) == ()
    assert names_of("planted", lambda g, y_shape, out, axis: g, SOURCES) == ("y_shape", "out", "axis")


@pytest.mark.parametrize("rule", [lambda x, g: g, lambda g, z: g, lambda g, x, z_shape: g, lambda: (), lambda g, gg: g])
def test_a_rule_with_unknown_names(rule: Any) -> None:
    with pytest.raises(
        tg.VJPError,
        match=r"VJP of 'planted' must take g first and then any of \(out, x, y, x_shape, y_shape, axis\); got \(",
    ):
        names_of("planted", rule, SOURCES)


def saved(rules: list[Any], sources: dict[str, str], joint: bool, nodes: list[Any]) -> Any:
    names = [names_of("planted", r, sources) if r else () for r in rules]
    save = compile_save(rules, names, sources, joint)
    return save("the result", ["the first", "the second"], ((3,), (5,)), {"axis": -1}, nodes)


def test_only_what_a_rule_names_is_saved_and_only_for_inputs_that_need_a_gradient() -> None:
    rules = [lambda g, y, x_shape: g, lambda g, out, axis: g]
    assert saved(rules, SOURCES, False, [1, 1]) == (("the second", (3,)), ("the result", -1))
    assert saved(rules, SOURCES, False, [None, 1]) == (None, ("the result", -1))
    assert saved([rules[0], None], SOURCES, False, [1, 1]) == (("the second", (3,)), None)


def test_each_name_finds_its_own_input() -> None:
    sources = sources_of(("x", "y", "z"), (), variadic=False)
    save = compile_save([lambda g, y_shape, z: g], [("y_shape", "z")], sources, joint=True)
    assert save("the result", ["x", "y", "z"], ((1,), (2,), (3,)), {}, [1, 1, 1]) == ((2,), "z")


def test_a_joint_rule_gets_what_it_names_in_one_tuple() -> None:
    assert saved([lambda g, x, y: (g, g)], SOURCES, True, [None, 1]) == ("the first", "the second")
    several = sources_of(("xs",), ("axis",), variadic=True)
    found = saved([lambda g, xs, xs_shape, axis: (g, g)], several, True, [1, 1])
    assert found == (("the first", "the second"), ((3,), (5,)), -1)
