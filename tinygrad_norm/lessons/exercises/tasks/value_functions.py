"""Exercise 16: tanh, exp, log, powers and relu, each from its derivative."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..cases import Case
from ..checked_engines import Build, Mistake, engine_check, graph, measured_slope, ours, theirs
from ..exercise_parts import Check, Exercise, given
from .value_engine import KIND, USED_TWICE

_FUNCTIONS = '''
    def tanh(self):
        """
        Return the hyperbolic tangent of self.

        Given:  self, any number
        Return: a Value with parent (self,), called "tanh"

        >>> Value(0.0).tanh().derivatives
        (1.0,)
        """
        y = float(np.tanh(self.data))
        return Value(y, (self,), (1.0 - y * y,), "tanh")

    def exp(self):
        """
        Return e to the power of self.

        Given:  self, any number
        Return: a Value with parent (self,), called "exp"

        >>> Value(0.0).exp().data
        1.0
        """
        y = float(np.exp(self.data))
        return Value(y, (self,), (y,), "exp")

    def log(self):
        """
        Return the natural logarithm of self.

        Given:  self, a number above 0
        Return: a Value with parent (self,), called "log"

        >>> Value(1.0).log().data
        0.0
        """
        return Value(float(np.log(self.data)), (self,), (1.0 / self.data,), "log")

    def __pow__(self, exponent):
        """
        Return self to the power of a number.

        Given:  exponent  a number, no Value; self is above 0 where it is not whole
        Return: a Value with parent (self,), called "power"; its derivative is 0 if exponent is 0

        >>> cube = Value(2.0) ** 3
        >>> cube.data, cube.derivatives
        (8.0, (12.0,))
        """
        slope = exponent * self.data ** (exponent - 1) if exponent else 0.0
        return Value(self.data**exponent, (self,), (slope,), "power")

    def relu(self):
        """
        Return self where it is positive, else 0.

        Given:  self, any number
        Return: a Value with parent (self,), called "relu"; at 0, the kink, its derivative is 0

        >>> Value(-2.0).relu().data, Value(3.0).relu().data
        (0.0, 3.0)
        """
        positive = self.data > 0
        return Value(self.data if positive else 0.0, (self,), (1.0 if positive else 0.0,), "relu")
'''


def _with_functions() -> str:
    """Return the engine of exercise 15 with the functions in its class."""
    head, mark, tail = given(USED_TWICE.functions).partition("\n\n\ndef as_value")
    return f"{head}\n{_FUNCTIONS}".rstrip("\n") + mark + tail


_ENGINE = _with_functions()


def _of(function: Build, name: str, *points: float) -> Callable[[np.random.Generator], Sequence[Case]]:
    """Return a function at points, and inside a computation that uses its argument once more."""

    def cases(generator: np.random.Generator) -> Sequence[Case]:
        a = float(generator.uniform(0.4, 1.6))
        return (
            *(graph(f"{name} at {x:g}", function, x=x) for x in points),
            graph(f"{name} at {a:.3g}", function, x=a),
            graph(f"x · {name} of x · y", lambda x, y: x * function(x * y), x=a, y=float(generator.uniform(0.4, 1.6))),
        )

    return cases


def _powers(generator: np.random.Generator) -> Sequence[Case]:
    x = float(generator.uniform(1.2, 2.4))
    exponents = (2, 3, 0.5, -1, -0.5, 1)
    return (
        *(graph(f"x ** {n}", lambda x, n=n: x**n, x=x) for n in exponents),
        graph("a negative number ** 3", lambda x: x**3, x=-x),
        graph("0 ** 2", lambda x: x**2, x=0.0),
        graph("x ** 0 at 0", lambda x: x**0 + x, x=0.0),
        graph("x · (x · y) ** 2.5", lambda x, y: x * (x * y) ** 2.5, x=x, y=float(generator.uniform(0.4, 1.6))),
    )


_TANH, _OF_TANH = (
    "(1.0 - y * y,)",
    "with y = tanh x the derivative is 1 − y²: it is 1 at 0, and next to 0 where y is near ±1",
)
_EXP, _OF_EXP = '(y,), "exp"', "the exponential is its own derivative: y"
_LOG, _OF_LOG = "(1.0 / self.data,)", "the logarithm of x has the derivative 1/x, x being what went in"
_POW, _OF_POW = "exponent * self.data ** (exponent - 1)", "x to the power n has the derivative n x to the power n − 1"
_RELU, _OF_RELU = (
    "(1.0 if positive else 0.0,)",
    "relu passes a gradient on where its input is positive, and nothing elsewhere",
)


def _wrong(code: str, name: str, why: str, right: str, wrong: str) -> Mistake:
    return Mistake(code, name, why, {right: wrong})


_AT_INPUT = "the derivative is taken at the input where the output belongs"
_AT_OUTPUT = "the derivative is taken at the output where the input belongs"
_TANH_MISTAKES = (
    _wrong("at-input", f"{_AT_INPUT}: 1 − x² for 1 − y²", _OF_TANH, _TANH, "(1.0 - self.data**2,)"),
    _wrong("square-missing", "1 − y where 1 − y² belongs: the square is missing", _OF_TANH, _TANH, "(1.0 - y,)"),
    _wrong("sigmoid", "y (1 − y): that is the derivative of the sigmoid", _OF_TANH, _TANH, "(y * (1.0 - y),)"),
    _wrong("sign", "1 + y² where 1 − y² belongs", _OF_TANH, _TANH, "(1.0 + y * y,)"),
    _wrong("no-slope", "the derivative is 1 everywhere, as if nothing were bent", _OF_TANH, _TANH, "(1.0,)"),
)
_EXP_MISTAKES = (
    _wrong("at-input", f"{_AT_INPUT}: x for eˣ", _OF_EXP, _EXP, '(self.data,), "exp"'),
    _wrong(
        "exp-twice",
        "the exponential is taken twice: e to the power y for y",
        _OF_EXP,
        _EXP,
        '(float(np.exp(y)),), "exp"',
    ),
    _wrong(
        "power-rule",
        "x eˣ⁻¹: the rule of powers is for a fixed exponent",
        _OF_EXP,
        _EXP,
        '(self.data * float(np.exp(self.data - 1)),), "exp"',
    ),
    _wrong("no-slope", "the derivative is 1 everywhere", _OF_EXP, _EXP, '(1.0,), "exp"'),
)
_LOG_MISTAKES = (
    _wrong("at-output", f"{_AT_OUTPUT}: 1/y for 1/x", _OF_LOG, _LOG, "(1.0 / np.log(self.data),)"),
    _wrong("not-inverted", "x where 1/x belongs", _OF_LOG, _LOG, "(self.data,)"),
    _wrong("sign", "the sign is flipped: −1/x", _OF_LOG, _LOG, "(-1.0 / self.data,)"),
    _wrong(
        "base-10",
        "this is the logarithm to the base 10",
        "np.log is the natural one",
        "np.log(self.data)),",
        "np.log10(self.data)),",
    ),
    _wrong(
        "base-10",
        "this is the logarithm to the base 10, on the way back too",
        "np.log is the natural one",
        "np.log(self.data)), (self,), (1.0 / self.data,)",
        "np.log10(self.data)), (self,), (1.0 / self.data / np.log(10),)",
    ),
)
_POWER_MISTAKES = (
    _wrong(
        "exponent-kept", "n xⁿ: the exponent is not lowered by one", _OF_POW, _POW, "exponent * self.data**exponent"
    ),
    _wrong("factor-missing", "xⁿ⁻¹: the factor n is missing", _OF_POW, _POW, "self.data ** (exponent - 1)"),
    _wrong(
        "factor-lowered",
        "(n − 1) xⁿ⁻¹: the factor is n, not n − 1",
        _OF_POW,
        _POW,
        "(exponent - 1) * self.data ** (exponent - 1)",
    ),
    _wrong(
        "at-output",
        f"{_AT_OUTPUT}: n yⁿ⁻¹ for n xⁿ⁻¹",
        _OF_POW,
        _POW,
        "exponent * (self.data**exponent) ** (exponent - 1)",
    ),
    _wrong(
        "raised",
        "n xⁿ⁺¹: the exponent goes up where it must go down",
        _OF_POW,
        _POW,
        "exponent * self.data ** (exponent + 1)",
    ),
)
_RELU_MISTAKES = (
    _wrong("not-cut", "the gradient passes everywhere, also where the input is negative", _OF_RELU, _RELU, "(1.0,)"),
    _wrong(
        "value-for-slope",
        "the derivative is the output itself: it must be 1 where that is positive",
        _OF_RELU,
        _RELU,
        "(self.data if positive else 0.0,)",
    ),
    _wrong(
        "kink",
        "the derivative at 0 is 1; asked is 0",
        "at the kink any number from 0 to 1 would do: here it is 0",
        _RELU,
        "(1.0 if self.data >= 0 else 0.0,)",
    ),
    _wrong(
        "kink",
        "the derivative at 0 is 1/2; asked is 0",
        "at the kink any number from 0 to 1 would do: here it is 0",
        _RELU,
        "(1.0 if positive else 0.5 if self.data == 0 else 0.0,)",
    ),
    _wrong(
        "absolute",
        "this is the absolute value",
        _OF_RELU,
        "Value(self.data if positive else 0.0",
        "Value(abs(self.data)",
    ),
    _wrong(
        "absolute",
        "this is the absolute value, on the way back too",
        _OF_RELU,
        "self.data if positive else 0.0, (self,), (1.0 if positive else 0.0,)",
        "abs(self.data), (self,), (float(np.sign(self.data)),)",
    ),
    _wrong("reversed", "it passes where the input is negative", _OF_RELU, _RELU, "(0.0 if positive else 1.0,)"),
)


def _function_check(label: str, cases: Callable[..., Sequence[Case]], mistakes: Sequence[Mistake]) -> Check:
    return engine_check(
        KIND,
        label,
        cases,
        theirs(KIND),
        ours,
        _ENGINE,
        mistakes,
        praise="right, kinks and ends too",
        slope=measured_slope(KIND),
    )


FUNCTIONS = Exercise(
    number=16,
    slug="value-functions",
    title="Build it: functions and their derivatives",
    statement="""
A function of one number is an operation with one parent and one derivative. For y = exp x it
is y itself, for y = tanh x it is 1 − y²: these are known from the output. For log and for
powers it takes the input. Write the derivative as a number, at this place; the chain rule is
already in push.

relu has a kink at 0, where there is no derivative: take 0 there. And x ** 0 is 1 whatever x
is, so its derivative is 0, at x = 0 too.
""",
    functions=_ENGINE,
    hints=(
        "Compute y first. Then ask of each function: is its slope said with y, or with x?",
        "tanh: 1 − y². exp: y. log: 1/x. power: n times x to the power n − 1. relu: 1 if x > 0, else 0.",
        'For example: y = float(np.tanh(self.data)); return Value(y, (self,), (1.0 - y * y,), "tanh"). In the power, '
        "treat the exponent 0 by itself: 0.0 ** -1 is a division by zero.",
    ),
    checks=(
        _function_check("tanh", _of(lambda x: x.tanh(), "tanh", -2.0, -0.3, 0.0, 30.0, -1000.0), _TANH_MISTAKES),
        _function_check("exp", _of(lambda x: x.exp(), "exp", -3.0, 0.0, 2.0, -1000.0), _EXP_MISTAKES),
        _function_check("log", _of(lambda x: x.log(), "log", 0.01, 1.5, 50.0), _LOG_MISTAKES),
        _function_check("powers", _powers, _POWER_MISTAKES),
        _function_check("relu", _of(lambda x: x.relu(), "relu", -2.0, -0.1, 0.0, 0.1, 3.0), _RELU_MISTAKES),
    ),
    own_engine=True,
)
