"""Expressions: what they give, and everything that they refuse."""

from __future__ import annotations

import contextlib
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_norm as tg
from tinygrad_norm.commands.expression import DEEPEST, LONGEST, MOST_PARTS, allowed_functions, parse

VALUES = {"x": 2.0, "y": -3.0, "z": np.array([[7.0, 5.0, 4.0], [2.0, 3.0, 4.0]])}


def value(source: str) -> np.ndarray:
    expression = parse(source)
    given = [tg.Tensor(VALUES[n], requires_grad=True) for n in expression.names]
    return expression.function()(*given).data


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x * x + sin(y)", 4 + np.sin(-3)),
        ("-x ** 2 / (1 + 1)", -2.0),
        ("+x", 2.0),
        ("mean(z, axis=-1, keepdims=True)", [[16 / 3], [3.0]]),
        ("z[0, 1:]", [5.0, 4.0]),
        ("z[:, None, 0]", [[7.0], [2.0]]),
        ("z[..., ::2]", [[7.0, 4.0], [2.0, 4.0]]),
        ("where(z > 3, z, 0)", [[7, 5, 4], [0, 0, 4]]),
        ("z @ transpose(z)", [[90, 45], [45, 29]]),
        ("abs(y)", 3.0),
        ("concatenate([z, z], axis=0)", [[7, 5, 4], [2, 3, 4]] * 2),
        ("reshape(z, (3, 2))", [[7, 5], [4, 2], [3, 4]]),
        ("einsum('ij->j', z)", [9, 8, 8]),
        ("(z == 4) * x", [[0, 0, 2], [0, 0, 2]]),
        ("  x  ", 2.0),
    ],
)
def test_values(source: str, expected: object) -> None:
    np.testing.assert_allclose(value(source), expected)


def test_names_in_order() -> None:
    assert parse("y * sin(x) + y").names == ("y", "x")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("x.data", "got the attribute 'x.data'"),
        ("().__class__.__bases__[0]", "must be made of names"),
        ("__import__('os')", "must call documented functions; got '__import__'"),
        ("eval('1')", "got 'eval'"),
        ("open('/etc/passwd')", "got 'open'"),
        ("(lambda: 1)()", "got the call"),
        ("[x for x in z]", "got the ListComp"),
        ("f'{x}'", "got the JoinedStr"),
        ("x if y else z", "got the IfExp"),
        ("x and y", "got the BoolOp"),
        ("x < y < z", "got the Compare"),
        ("x in z", "got the Compare"),
        ("not x", "must be made of names"),
        ("x // y", "must be made of names"),
        ("x % y", "must be made of names"),
        ("x << 2", "must be made of names"),
        ("(a := x)", "got the NamedExpr"),
        ("sin(*z)", "got the Starred"),
        ("sin(**z)", "got the call"),
        ("{1: x}", "got the Dict"),
        ("b'x'", "got the constant"),
        ("1j * x", "got the constant"),
        ("sin + x", "the function sin must be called"),
        ("sin = 3", "one that Python can read; got 'sin = 3'"),
        ("import os", "one that Python can read"),
        ("", "one that Python can read"),
        ("x +", "one that Python can read"),
        ("x\0", "one that Python can read"),
        ("x" * (LONGEST + 1), f"at most {LONGEST} characters; got {LONGEST + 1}"),
        ("+".join(["x"] * MOST_PARTS), f"at most {MOST_PARTS} parts"),
        ("-" * (DEEPEST + 1) + "x", f"nested at most {DEEPEST} deep"),
        ("(" * 900 + "x" + ")" * 900, "one that Python can read"),
    ],
)
def test_what_is_refused(source: str, message: str) -> None:
    with pytest.raises(tg.InputError) as error:
        parse(source)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("layer_norm(z)", "'layer_norm(z)' has none: "),
        ("9.0 ** 999 * x", "'9.0 ** 999' has none"),
        ("9 ** 9 ** 9 * x", "'9 ** 9 ** 9' has none"),
        ("x / (1 - 1)", None),
        ("1 / 0 * x", "'1 / 0' has none"),
        ("-'a' * x", "\"-'a'\" has none"),
        ("3", "must compute with its arrays; got 3"),
        ("z[9]", "index"),
        ("z @ z", "matmul"),
        ("x['a']", "x"),
    ],
)
def test_what_has_no_value(source: str, message: str | None) -> None:
    if message is None:
        with np.errstate(all="ignore"):
            assert value(source) == np.inf
        return
    with pytest.raises(tg.TinygradNormError) as error:
        value(source)
    assert message in str(error.value)


@given(st.text(max_size=40))
def test_any_text_is_an_expression_or_one_line(source: str) -> None:
    with contextlib.suppress(tg.InputError):
        assert parse(source).source == source.strip()


def test_every_allowed_function_is_documented() -> None:
    for name, function in allowed_functions().items():
        assert function.__doc__, name
        assert not name.startswith("_")


def test_the_function_has_the_names_as_arguments() -> None:
    view = tg.draw(parse("x * y").function(), 2.0, 3.0).view
    assert [n.id for n in view.nodes] == ["x", "y", "multiply_1"]


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("'a' * 9000 + x", "has a str as an operand"),
        ("[x] * 9000", "has a list as an operand"),
        ("(x, x)[0] + x", "has a tuple as an operand"),
        ("[x][0] < x", "has a list as an operand"),
        ("one_hot([1], 300000000) + x", "a whole number in an expression must be at most 10,000; got 300000000."),
        ("x + " + "1" * 1900, f"must be at most 10,000; got {'1' * 20}. Write"),
        ("outer(outer(z, z), outer(z, z))", "must have at most 100,000 entries; "),
        ("one_hot([1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3], 10000) + x[0]", "must have at most 100,000 entries; "),
        ("einsum('ab,cd,ef,gh->', z, z, z, z)", "must take at most 100,000,000 products; "),
    ],
)
def test_what_would_take_much_memory_or_time_is_refused(source: str, problem: str) -> None:
    def attempt() -> None:
        parsed = parse(source)
        parsed.function()(*(tg.Tensor(np.ones((20, 20))) for _ in parsed.names))

    with pytest.raises(tg.InputError, match=re.escape(problem)) as error:
        attempt()
    assert len(str(error.value)) < 400
