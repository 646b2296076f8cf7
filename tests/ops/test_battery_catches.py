"""A test of the tester: faults planted in a primitive, each with the check that must catch it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm.samples import sample

pytestmark = pytest.mark.usefixtures("planted")
MATRIX = [sample((3, 5))]


def declare(vjp: Any, forward: Any = None, samples: Any = MATRIX, **how: Any) -> tg.Primitive:
    return tg.primitive(forward or (lambda x, /: x * x), vjp=vjp, samples=samples, name="planted", **how)


def test_a_learners_primitive_passes_the_battery(case: Any) -> None:
    cube = declare(lambda g, x: (g * 3 * x**2,), lambda x, /: x**3, elementwise=True)
    at = case(cube, cube.samples[0])
    for check in (at.check_vjp, at.check_vjp_of_vjp, at.check_purity, at.check_layout, at.check_saved):
        check()


def detached(x: Any) -> Any:
    """A mistake: the values, without the graph."""
    return x.data if isinstance(x, tg.Tensor) else x


def wrong_rules() -> list[tuple[str, Any, Any, str]]:
    """A name, a forward function, a wrong rule, and the check that must catch it."""

    def square(x: Any, /) -> Any:
        return x * x

    def in_place(g: Any, x: Any) -> Any:
        return (np.multiply(g, 2 * x, out=g) if type(g) is np.ndarray else 2 * g * x,)

    corner = np.zeros((3, 5))
    corner[2, 4] = 1e-6
    return [
        ("factor", square, lambda g, x: (g * x,), "check_vjp"),
        ("sign", square, lambda g, x: (-2 * g * x,), "check_vjp"),
        ("one entry by a millionth", square, lambda g, x: (2 * g * x + corner * g,), "check_vjp"),
        ("ignores the cotangent", square, lambda g, x: (2 * x,), "check_vjp"),
        ("right for ones only", square, lambda g, x: (2 * x + 0 * g,), "check_vjp"),
        ("detached", square, lambda g, x: (2 * g * detached(x),), "check_vjp_of_vjp"),
        ("detached cotangent", square, lambda g, x: (2 * detached(g) * x,), "check_vjp_of_vjp"),
        ("writes into the cotangent", square, in_place, "check_purity"),
        ("writes into its input", lambda x, /: np.multiply(x, 2, out=x), lambda g: (2 * g,), "check_purity"),
        ("memory order", lambda x, /: np.ravel(x, "K").reshape(x.shape), lambda g: (g,), "check_layout"),
        ("widens", square, lambda g, x: (g * np.float64(2) * x,), "check_dtype"),
        ("widens its result", lambda x, /: x * x * np.ones(1), lambda g, x: (2 * g * x,), "check_dtype"),
        ("not linear", lambda x, /: x + 1, lambda g: (g,), "check_adjoint"),
        ("adjoint of another map", lambda x, /: 2 * x, lambda g: (3 * g,), "check_adjoint"),
    ]


@pytest.mark.parametrize(("forward", "vjp", "check"), [w[1:] for w in wrong_rules()], ids=[w[0] for w in wrong_rules()])
def test_the_battery_catches(case: Any, forward: Any, vjp: Any, check: str) -> None:
    made = declare(vjp, forward)
    at = case(made, made.samples[0])
    arguments = (np.float32,) if check == "check_dtype" else ()
    with pytest.raises((AssertionError, ValueError, tg.VJPError)):
        getattr(at, check)(*arguments)


def test_what_fails_is_told_with_its_sample(at_every_sample: Any) -> None:
    made = declare(lambda g, x: (2 * g * x * (x.ndim - 1),), samples=[sample((3, 5)), sample((4,))])
    with pytest.raises(AssertionError, match=r"planted at .*\(4,\)"):
        at_every_sample(made, "vjp")


def test_the_battery_catches_a_missing_broadcast(case: Any) -> None:
    rules = (lambda g: g, lambda g: np.mean(g, axis=0))
    made = declare(rules, lambda x, y, /: x + y, [sample((3, 5), (5,))], elementwise=True)
    with pytest.raises(AssertionError):
        case(made, made.samples[0]).check_vjp()


def test_the_battery_catches_a_rule_that_depends_on_what_is_tracked(case: Any) -> None:
    calls = iter(range(100))
    made = declare((lambda g: g * next(calls), lambda g: g), lambda x, y, /: x + y, samples=[sample((3,), (3,))])
    with pytest.raises(AssertionError):
        case(made, made.samples[0]).check_each_input_alone()


def test_the_battery_catches_a_python_number_that_widens(case: Any) -> None:
    rules = (lambda g, y: g * np.float64(y), lambda g, x: g * x)
    made = declare(rules, lambda x, y, /: x * y, [sample((3,), ())], elementwise=True)
    with pytest.raises(AssertionError):
        case(made, made.samples[0]).check_python_numbers()


def test_the_battery_catches_what_is_saved_beyond_the_names(case: Any) -> None:
    made = declare(lambda g, x: (2 * g * x,))
    honest = made.save
    made.save = lambda out, arrays, shapes, params, nodes: ((*honest(out, arrays, shapes, params, nodes)[0], out),)
    with pytest.raises(AssertionError):
        case(made, made.samples[0]).check_saved()
    made.save = lambda out, arrays, shapes, params, nodes: (*honest(out, arrays, shapes, params, nodes), (out,))
    with pytest.raises(AssertionError):
        case(made, made.samples[0]).check_saved()
    made.save = lambda out, arrays, shapes, params, nodes: ((out,),)
    with pytest.raises(AssertionError):
        case(made, made.samples[0]).check_saved()
