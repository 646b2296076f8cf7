"""Exercises 13 to 16: an engine for numbers. Operations and their derivatives, the order, the sum, the functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from ....sandbox import AnswerRaisedError, beside
from ..cases import Case
from ..checked_engines import (
    Build,
    Mistake,
    Names,
    Seen,
    built,
    engine_check,
    graph,
    measured_slope,
    ours,
    theirs,
)
from ..checked_values import RefusalError, type_in_words
from ..exercise_parts import Check, Exercise, Verdict, given

KIND = "Value"

_VALUE = '''
class Value:
    """A number that knows what it was computed from."""

    def __init__(self, data, parents=(), derivatives=(), operation=""):
        self.data = data  # the number
        self.parents = parents  # the Values that it was computed from
        self.derivatives = derivatives  # of this number by each of its parents
        self.operation = operation  # what was done, for a picture
        self.grad = 0.0  # of the result by this number, once that is known

'''

_OPERATORS = '''
    def __add__(self, other):
        """
        Return self + other as a new Value, which is called "+".

        Given:  other  a Value or a number
        Return: a Value with parents (self, other) and the two derivatives of the sum

        >>> total = Value(2.0) + Value(5.0)
        >>> total.data, [parent.data for parent in total.parents], total.derivatives
        (7.0, [2.0, 5.0], (1.0, 1.0))
        """
        other = as_value(other)
        return Value(self.data + other.data, (self, other), (1.0, 1.0), "+")

    def __sub__(self, other):
        """
        Return self - other as a new Value, which is called "-".

        Given:  other  a Value or a number
        Return: a Value with parents (self, other) and the two derivatives of the difference

        >>> (Value(2.0) - 5.0).data
        -3.0
        """
        other = as_value(other)
        return Value(self.data - other.data, (self, other), (1.0, -1.0), "-")

    def __rsub__(self, other):
        """
        Return other - self: Python asks this of self when other is a number.

        Given:  other  a number
        Return: a Value

        >>> (5.0 - Value(2.0)).data
        3.0
        """
        return as_value(other) - self

    def __mul__(self, other):
        """
        Return self * other as a new Value, which is called "*".

        Given:  other  a Value or a number
        Return: a Value with parents (self, other) and the two derivatives of the product

        >>> (Value(2.0) * 5.0).data
        10.0
        """
        other = as_value(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data), "*")

    # 2 + x and 2 * x are x + 2 and x * 2.
    __radd__, __rmul__ = __add__, __mul__
'''

_AS_VALUE = """

def as_value(number):
    return number if isinstance(number, Value) else Value(number)
"""


def _computations(*made: Case) -> Callable[[np.random.Generator], Sequence[Case]]:
    return lambda generator: made


def _near_two(generator: np.random.Generator) -> float:
    """Return a number of either sign that is not near 0, 1 or −1: those hide a missing factor."""
    return float(generator.choice([-1.0, 1.0]) * generator.uniform(1.2, 2.4))


def _pairs(name: str, build: Build) -> Callable[[np.random.Generator], Sequence[Case]]:
    """Return an operation on two numbers, a few times."""
    return lambda generator: [graph(name, build, x=_near_two(generator), y=_near_two(generator)) for _ in range(4)]


def _with_numbers(generator: np.random.Generator) -> Sequence[Case]:
    x, c = _near_two(generator), _near_two(generator)
    return (
        graph("x + number", lambda x: x + c, x=x),
        graph("number + x", lambda x: c + x, x=x),
        graph("x − number", lambda x: x - c, x=x),
        graph("number − x", lambda x: c - x, x=x),
        graph("x · number", lambda x: x * c, x=x),
        graph("number · x", lambda x: c * x, x=x),
    )


def _random_expression(generator: np.random.Generator, steps: int) -> Build:
    """Return a computation of three leaves in so many random steps: each takes any two of what is there by then."""
    chosen = [(int(generator.integers(3)), *map(int, generator.integers(3 + k, size=2))) for k in range(steps)]

    def build(x: Any, y: Any, z: Any) -> Any:
        made = [x, y, z]
        for operation, i, j in chosen:
            a, b = made[i], made[j]
            made.append(a + b if operation == 0 else a - b if operation == 1 else a * b)
        return made[-1] * x + made[-2] * y - z

    return build


def _expressions(steps: int) -> Callable[[np.random.Generator], Sequence[Case]]:
    """Return ten random expressions of growing length."""

    def cases(generator: np.random.Generator) -> Sequence[Case]:
        return [
            graph(
                "ten random expressions",
                _random_expression(generator, 1 + steps * k // 10),
                **{name: 0.6 * _near_two(generator) for name in "xyz"},
            )
            for k in range(10)
        ]

    return cases


def _parents_first(root: Any) -> list[Any]:
    """Return all Values that one was computed from, parents first; a refusal if one has no derivative for a parent.

    Here and below a Value is known by its hash: that of an object in another process is that of the object there.
    """
    done: list[Any] = []
    open_ones, met = [(root, False)], set()
    while open_ones:
        value, left = open_ones.pop()
        if left:
            done.append(value)
        elif hash(value) not in met:
            met.add(hash(value))
            if len(value.parents) != len(value.derivatives):
                counts = f"{len(value.parents)} parents and {len(value.derivatives)} derivatives"
                raise RefusalError(f"a Value has {counts}; one for each belongs", "wrong-count")
            open_ones.append((value, True))
            open_ones.extend((parent, False) for parent in value.parents)
    return done


def _swept(names: Names, leaves: Mapping[str, float], build: Build, g: Any) -> Seen:
    """Return value and gradients of a computation, swept here along the learner's parents and derivatives."""
    root, made = built(KIND, names, leaves, build)
    grads = {hash(root): 1.0}
    for value in reversed(_parents_first(root)):
        for parent, derivative in zip(value.parents, value.derivatives, strict=True):
            grads[hash(parent)] = grads.get(hash(parent), 0.0) + grads[hash(value)] * derivative
    gradients = {f"gradient of {name}": grads.get(hash(leaf), 0.0) for name, leaf in zip(leaves, made, strict=True)}
    return {"value": root.data, **gradients}


_PRODUCT = "(self, other), (other.data, self.data)"
_DIFFERENCE = "(self, other), (1.0, -1.0)"
_SUM = "(self, other), (1.0, 1.0)"
_OF_PRODUCT = "x · y grows y times as fast as x, and x times as fast as y"
_OF_DIFFERENCE = "x − y falls when y grows: its derivatives are 1 and −1"
_OF_SUM = "x + y grows as fast as each of the two: both derivatives are 1"
_ORDER_MATTERS = "x − y is not y − x: self stands on the left"

_ADDING = (
    Mistake("product-rule", "the derivatives of a product, in a sum", _OF_SUM, {_SUM: _PRODUCT}),
    Mistake(
        "own-value", "each derivative is the number itself", _OF_SUM, {_SUM: "(self, other), (self.data, other.data)"}
    ),
)
_SUBTRACTING = (
    Mistake(
        "swapped",
        "the operands are swapped: y − x",
        _ORDER_MATTERS,
        {"self.data - other.data, (self, other)": "other.data - self.data, (other, self)"},
    ),
    Mistake(
        "value-swapped",
        "the value is that of y − x, the derivatives are those of x − y",
        _ORDER_MATTERS,
        {"self.data - other.data": "other.data - self.data"},
    ),
    Mistake("minus-missing", "the minus is forgotten on the way back", _OF_DIFFERENCE, {_DIFFERENCE: _SUM}),
    Mistake(
        "signs-swapped",
        "the derivatives are swapped: the minus is at x",
        _OF_DIFFERENCE,
        {_DIFFERENCE: "(self, other), (-1.0, 1.0)"},
    ),
    Mistake(
        "both-minus", "both derivatives have a minus", _OF_DIFFERENCE, {_DIFFERENCE: "(self, other), (-1.0, -1.0)"}
    ),
)
_MULTIPLYING = (
    Mistake(
        "own-value",
        "the derivative of the wrong input: each has its own number, not the other's",
        _OF_PRODUCT,
        {_PRODUCT: "(self, other), (self.data, other.data)"},
    ),
    Mistake("sum-rule", "both derivatives are 1, as in a sum", _OF_PRODUCT, {_PRODUCT: _SUM}),
    Mistake(
        "whole-product",
        "each derivative is the whole product",
        _OF_PRODUCT,
        {_PRODUCT: "(self, other), (self.data * other.data, self.data * other.data)"},
    ),
)
_REVERSED = Mistake(
    "number-swapped",
    "number − x is computed as x − number: the operands are swapped",
    _ORDER_MATTERS,
    {"as_value(other) - self": "self - other"},
)
_OF_OPERATIONS = (*_ADDING, *_SUBTRACTING, *_MULTIPLYING)

_OPERATIONS = _VALUE + _OPERATORS.lstrip("\n") + _AS_VALUE


def _operation_check(label: str, cases: Callable[..., Sequence[Case]], mistakes: Sequence[Mistake]) -> Check:
    slope = measured_slope(KIND)
    return engine_check(KIND, label, cases, _swept, ours, _OPERATIONS, mistakes, slope=slope)


OPERATIONS = Exercise(
    number=13,
    slug="value-operations",
    title="Build it: numbers that remember",
    statement="""
An engine begins with a number that knows where it comes from. A Value holds its number
(data), the Values it was computed from (parents), and the local derivatives: how much it
grows when one of the parents grows by a little, the others being fixed. These are all that
the way back will ever need.

For y = a · b the parents are (a, b), and the derivatives are the numbers ∂y/∂a and ∂y/∂b at
this place, in the same order. The class is given; write its operators. Python calls
x.__add__(y) for x + y, and turns 2 - x into x.__rsub__(2).

In exercises 13 to 20 you write an engine of your own. Each stub gives what came before, so
you can begin anywhere; put your own code in its place if you like. A file that imports an
engine, this package or another, is not graded.
""",
    functions=_OPERATIONS,
    hints=(
        "Move one of the operands by a little h and look at the result. x + y moves by h. By how much does x · y "
        "move when x moves by h?",
        "x · y moves by y h when x does, and by x h when y does. x − y moves by −h when y moves by h.",
        'Value(self.data * other.data, (self, other), (other.data, self.data), "*"), after '
        "other = as_value(other). And 5 − x is as_value(5) − x, which __sub__ knows.",
    ),
    checks=(
        _operation_check("x + y", _pairs("x + y", lambda x, y: x + y), _ADDING),
        _operation_check("x − y", _pairs("x − y", lambda x, y: x - y), _SUBTRACTING),
        _operation_check("x · y", _pairs("x · y", lambda x, y: x * y), _MULTIPLYING),
        _operation_check("with numbers", _with_numbers, (*_OF_OPERATIONS, _REVERSED)),
        _operation_check("random expressions", _expressions(20), _OF_OPERATIONS),
    ),
    own_engine=True,
)

_BACKWARD = '''
    def backward(self):
        """
        Compute the grad of all Values that self was computed from; all of them are 0 before.

        Given:  order(self) and push(value), below
        Return: nothing; x.grad is then the derivative of self by x

        >>> x = Value(3.0)
        >>> y = x * x + 2.0 * x
        >>> y.backward()
        >>> x.grad
        8.0
        """
        self.grad = 1.0
        for value in order(self):
            push(value)
'''

_PUSH = """

def push(value):
    for parent, derivative in zip(value.parents, value.derivatives):
        parent.grad += value.grad * derivative
"""

_ORDER = '''

def order(root):
    """
    Return all Values that root was computed from: each once, before its own parents.

    Given:  root  a Value; it may be the end of a chain of 10,000 operations
    Return: a list of Values that begins with root

    >>> x = Value(3.0)
    >>> square = x * x
    >>> [value.data for value in order(square + x)]
    [12.0, 9.0, 3.0]
    """
    done, waiting, met = [], [(root, False)], set()
    while waiting:
        value, parents_done = waiting.pop()
        if parents_done:
            done.append(value)
        elif value not in met:
            met.add(value)
            waiting.append((value, True))
            waiting.extend((parent, False) for parent in value.parents)
    return done[::-1]
'''
_ORDERED = _VALUE + given(_OPERATORS).lstrip("\n") + _BACKWARD + _AS_VALUE + _ORDER + _PUSH


def _diamond(x: Any, y: Any) -> Any:
    a = x * y
    return (a + x) * (a * y)


def _diamonds(x: Any, y: Any) -> Any:
    for _ in range(5):
        x = x * y + x
    return x


def _late(x: Any, y: Any) -> Any:
    a = x * y
    b = a
    for _ in range(4):
        b = b * x + y
    return a + b * x


def _later(x: Any, y: Any) -> Any:
    a = x * y
    b = a
    for _ in range(4):
        b = y + b * x
    return b * y + a


_BESIDE = """
import numpy as np


def chain(x):
    made = [x]
    for _ in range(5000):
        made.append(made[-1] * 0.9995)
        made.append(made[-1] + x)
    return made[-1], np.array([id(value) for value in made])


def ordered(order, root):
    return np.array([id(value) for value in order(root)])
"""
"""Runs where the learner's engine is: from here, a chain of 10,000 operations would be as many requests."""


def _chain(x: Any) -> Any:
    return beside(x, _BESIDE)["chain"](x)[0]


def _used_often(generator: np.random.Generator) -> Sequence[Case]:
    x, y = (0.6 * _near_two(generator) for _ in "xy")
    return (
        graph("a diamond", _diamond, x=x, y=y),
        graph("five diamonds in a row", _diamonds, x=x, y=y),
        graph("a late use", _late, x=x, y=y),
        graph("a late use", _later, x=x, y=y),
        *_expressions(8)(generator),
    )


def _long_chain(generator: np.random.Generator) -> Sequence[Case]:
    return (graph("a chain of 10,000 operations", _chain, x=float(generator.uniform(0.5, 1.5))),)


def _without_recursion(what: Callable[[], Any]) -> Any:
    """Return what a function gives; a refusal if it calls itself too deep."""
    try:
        return what()
    except (RecursionError, AnswerRaisedError) as error:
        if RecursionError.__name__ not in (type(error).__name__, str(error)[-15:-1]):
            raise
        raise RefusalError(
            "calls itself once for each operation, which ends at a chain of 1,000: use a loop, and a list of those "
            "that wait",
            "recursion",
        ) from None


def _chained(names: Names, *arguments: Any) -> Seen:
    seen: Seen = _without_recursion(partial(theirs(KIND), names, *arguments))
    return seen


_TWICE_LISTED = "a Value stands in the list twice: it would pass its gradient on twice"
_EARLY_LISTED = (
    "a Value stands before one that was computed from it: it would pass its gradient on before all of it came"
)


def _out_of_order(result: Any, root: Any) -> tuple[str, str] | None:
    """Return code and name of what is wrong with the list that ``order(root)`` gave."""
    if not isinstance(result, (list, tuple)):
        return "wrong-type", f"returns {type_in_words(result)} where a list of Values belongs"
    right = {hash(value) for value in _parents_first(root)}
    listed = [hash(value) for value in result]
    if not right.issuperset(listed):
        return "wrong-type", "something stands in the list that root was not computed from"
    if len(set(listed)) < len(listed):
        return "twice", _TWICE_LISTED
    if len(listed) < len(right):
        return "missing", f"{len(right) - len(listed)} of {len(right)} Values are missing"
    place = {value: k for k, value in enumerate(listed)}
    edges = [(place[hash(value)], place[hash(parent)]) for value in result for parent in value.parents]
    if edges and all(above > below for above, below in edges):
        return "reversed", "the list runs the wrong way: it must begin with root"
    if any(above > below for above, below in edges):
        return "no-order", _EARLY_LISTED
    return None


def _chain_out_of_order(names: Names) -> tuple[str, str] | None:
    """Return the same of a chain of 10,000 operations: each Value in it comes before the one that it was made of."""
    x = names[KIND](1.0)
    root, made = (tools := beside(x, _BESIDE))["chain"](x)
    listed = _without_recursion(partial(tools["ordered"], names["order"], root)).tolist()
    place = {value: k for k, value in enumerate(listed)}
    if len(place) < len(listed):
        return "twice", _TWICE_LISTED
    places = [place.get(value, -1) for value in made.tolist()]
    if min(places) < 0:
        return "missing", f"{places.count(-1)} of {len(places)} Values are missing"
    return None if places == sorted(places, reverse=True) else ("no-order", _EARLY_LISTED)


def _order_check(label: str) -> Check:
    def grade(names: Names, seed: int) -> tuple[Verdict, ...]:
        for case in _used_often(np.random.default_rng(seed)):
            leaves, build, _ = case.arguments
            root, _ = built(KIND, names, leaves, build)
            found = _out_of_order(_without_recursion(partial(names["order"], root)), root)
            if found is not None:
                return (Verdict(label, False, found[1], (f"seen on {case.name}",), found[0]),)
        found = _chain_out_of_order(names)
        if found is not None:
            return (Verdict(label, False, found[1], ("seen on a chain of 10,000 operations",), found[0]),)
        return (Verdict(label, True, "right on diamonds, random expressions and a chain of 10,000 operations"),)

    return Check("order", (label,), grade, whole_file=True)


_LATER = "            waiting.append((value, True))\n"
_PARENTS = "for parent in value.parents)"
_FIRST_MET = {_LATER: "            done.append(value)\n", "return done[::-1]": "return done"}
_FROM_LEFT = {**_FIRST_MET, "(parent, False) " + _PARENTS: "(parent, False) for parent in reversed(value.parents))"}
_BY_LEVEL = {**_FIRST_MET, "waiting.pop()": "waiting.pop(0)"}
_EVERY_TIME = {"elif value not in met:": "else:"}
_TOO_EARLY = "no order: a Value passes its gradient on before all of it has come"
_WAIT = "depth first or breadth first is not enough: a Value waits until all that were computed from it are done"
_REPEATED = "a Value is visited twice, and passes on again what it has passed on before"
_ONCE = "each Value pushes once, when all of its gradient is there"
_FIRST_STEP = "only the parents of the result receive anything: the walk begins at the wrong end, or stops"
_SEEDED = "the result by itself has the derivative 1, and that is what is sent back first"


def _orders(code: str, name: str, why: str, also: Mapping[str, str]) -> tuple[Mistake, ...]:
    """Return a mistake of the order in its three forms: depth first from the right, from the left, and by level."""
    return tuple(Mistake(code, name, why, {**form, **also}) for form in (_FIRST_MET, _FROM_LEFT, _BY_LEVEL))


_SEED_MISTAKES = (
    Mistake(
        "no-seed",
        "no gradient arrives at all: is the seed missing, grad = 1 at the result?",
        _SEEDED,
        {"        self.grad = 1.0\n": ""},
    ),
    Mistake("own-value", "the seed is the number itself, not 1", _SEEDED, {"self.grad = 1.0": "self.grad = self.data"}),
    Mistake("first-step", _FIRST_STEP, _WAIT, {"in order(self)": "in [self]"}),
)
_ORDER_MISTAKES = (
    *_orders("no-order", _TOO_EARLY, _WAIT, {}),
    *_orders("twice", _REPEATED, _ONCE, _EVERY_TIME),
    Mistake("twice", _REPEATED, _ONCE, _EVERY_TIME),
)


def _backward_check(label: str, cases: Callable[..., Sequence[Case]], mistakes: Sequence[Mistake]) -> Check:
    return engine_check(KIND, label, cases, _chained, ours, _ORDERED, mistakes)


BACKWARD = Exercise(
    number=14,
    slug="value-backward",
    title="Build it: backward, in order",
    statement="""
Now send a gradient back. It begins at the result y: by itself it has the derivative 1, the
seed. A Value then pushes: each of its parents receives grad · derivative, added to what it
has received already. That is the chain rule, and push(value), which is given, does it.

What is left is the order. A Value may push only when all of its own gradient has arrived,
that is, after every Value that was computed from it. In a diamond, where two ways lead from
one Value to the result, that is neither depth first nor breadth first.
""",
    functions=_ORDERED,
    hints=(
        "Turn it around: a list in which each Value comes after all its parents is easy. Visit the parents first, "
        "then append the Value itself, and visit nobody twice. Then read the list from its end.",
        "A function that calls itself ends at a depth of 1,000. Keep a list of those that wait: take the last one "
        "off, put it back with a mark and its parents on top; when the marked one comes up, its parents are done.",
        "waiting = [(root, False)]; take (value, parents_done); if parents_done: done.append(value); else, if it is "
        "new: add (value, True), then (parent, False) for each parent. Return done[::-1]. backward: self.grad = 1.0, "
        "then push(value) for each value in order(self).",
    ),
    checks=(
        _order_check("the order"),
        _backward_check("diamonds and late uses", _used_often, (*_SEED_MISTAKES, *_ORDER_MISTAKES)),
        _backward_check("a long chain", _long_chain, _SEED_MISTAKES),
    ),
    own_engine=True,
)

_BACKWARD_AGAIN = '''
    def backward(self):
        """
        Compute the grad of all Values that self was computed from.

        Given:  order(self): all of them, self first, each before its parents; push(value), below
        Return: nothing. Called twice, it either adds to the grad of the leaves (those without
                parents) or starts anew; a Value in between must never keep what came before

        >>> x = Value(3.0)
        >>> y = x * x
        >>> y.backward()
        >>> x.grad
        6.0
        """
        values = order(self)
        for value in values:
            if value.parents:
                value.grad = 0.0
        self.grad += 1.0
        for value in values:
            push(value)
'''

_PUSH_AGAIN = '''

def push(value):
    """
    Hand value.grad on to each parent of the value.

    Given:  value  a Value whose grad is complete, with parents and derivatives
    Return: nothing; the grad of each parent has changed

    >>> x = Value(3.0)
    >>> twice = x + x
    >>> twice.grad = 5.0
    >>> push(twice)
    >>> x.grad
    10.0
    """
    for parent, derivative in zip(value.parents, value.derivatives):
        parent.grad += value.grad * derivative
'''

_SUMMED = _VALUE + given(_OPERATORS).lstrip("\n") + _BACKWARD_AGAIN + _AS_VALUE + given(_ORDER) + _PUSH_AGAIN


def _twice_at_once(generator: np.random.Generator) -> Sequence[Case]:
    x, y = _near_two(generator), _near_two(generator)
    return (
        graph("x + x", lambda x: x + x, x=x),
        graph("x · x", lambda x: x * x, x=x),
        graph("x − x · x", lambda x: x - x * x, x=x),
        graph("x · y + x", lambda x, y: x * y + x, x=x, y=y),
    )


def _called_twice(names: Names, leaves: Mapping[str, float], build: Build, again: Build) -> Seen:
    """Return the gradients after a backward pass, and after a second one from the result of another computation."""
    root, made = built(KIND, names, leaves, build)
    root.backward()
    after_one = {f"gradient of {name}": leaf.grad for name, leaf in zip(leaves, made, strict=True)}
    second = again(root, *made)
    second.backward()
    after_two = {f"gradient of {name} after two": leaf.grad for name, leaf in zip(leaves, made, strict=True)}
    return {**after_one, **after_two}


def _both(leaves: Mapping[str, float], build: Build, again: Build, *, adds: bool) -> Seen:
    first = ours(leaves, build, 1.0)
    second = ours(leaves, lambda *made: again(build(*made), *made), 1.0)
    names = [f"gradient of {name}" for name in leaves]
    after_two = {f"{name} after two": second[name] + (first[name] if adds else 0.0) for name in names}
    return {**{name: first[name] for name in names}, **after_two}


def _second_passes(generator: np.random.Generator) -> Sequence[Case]:
    leaves = {name: 0.6 * _near_two(generator) for name in "xy"}
    return (
        Case("the same result twice", (leaves, _diamond, lambda root, x, y: root)),
        Case("a result of a result", (leaves, _diamond, lambda root, x, y: root * x + root)),
    )


_EVERY_WAY = "each use is a way to move the result, and their gradients add up"
_CLEARING = "        for value in values:\n            if value.parents:\n                value.grad = 0.0\n"
_IN_BETWEEN = "Values in between must begin at 0 in every pass; only the leaves may add up"
_HANDED = "a parent receives the grad of the value times the derivative: that is the chain rule"
_PUSHED = "parent.grad += value.grad * derivative"
_PUSHING = (
    Mistake(
        "overwritten",
        "overwritten: the grad of a parent is set where it must be added to",
        _EVERY_WAY,
        {_PUSHED: "parent.grad = value.grad * derivative"},
    ),
    Mistake(
        "local-only",
        "only the local derivative is handed on: the factor value.grad is missing",
        _HANDED,
        {_PUSHED: "parent.grad += derivative"},
    ),
    Mistake(
        "derivative-missing",
        "grad is handed on as it is: the factor derivative is missing",
        _HANDED,
        {_PUSHED: "parent.grad += value.grad"},
    ),
    Mistake(
        "added-up",
        "grad and derivative are added where they must be multiplied",
        _HANDED,
        {_PUSHED: "parent.grad += value.grad + derivative"},
    ),
    Mistake(
        "first-parent",
        "only the first parent receives anything",
        _EVERY_WAY,
        {_PUSHED: "parent.grad += value.grad * derivative\n        break"},
    ),
    Mistake(
        "no-seed",
        "no gradient arrives at all: is the seed missing, grad = 1 at the result?",
        _SEEDED,
        {"        self.grad += 1.0\n": ""},
    ),
)
_REPEATING = (
    *_PUSHING,
    Mistake(
        "not-cleared",
        "the second pass sends on what the first has left in between",
        _IN_BETWEEN,
        {_CLEARING: "", "self.grad += 1.0": "self.grad = 1.0"},
    ),
    Mistake(
        "not-cleared", "the second pass sends on what the first has left, the seed too", _IN_BETWEEN, {_CLEARING: ""}
    ),
    Mistake(
        "result-kept",
        "the seed is added to what the first pass has left at the result",
        _IN_BETWEEN,
        {"if value.parents:": "if value.parents and value is not self:"},
    ),
)


def _sum_check(label: str, cases: Callable[..., Sequence[Case]]) -> Check:
    return engine_check(KIND, label, cases, theirs(KIND), ours, _SUMMED, _PUSHING, slope=measured_slope(KIND))


USED_TWICE = Exercise(
    number=15,
    slug="value-used-twice",
    title="Build it: a value used twice",
    statement="""
In x · x the same Value stands on both sides. It has two ways to move the result, and its
gradient is the sum of what comes back on each: 2x, not x. So a parent adds what it receives.

But what adds must be empty at the start. Suppose backward() is called a second time, from
the same result or from one that was computed of it. The leaves may go on adding (PyTorch and
this package do, and training then sets them to 0), or everything may start anew. What must
not happen is that a Value in between still holds its gradient of the first pass and sends it
on once more. Write both functions; the order of exercise 14 is given.
""",
    functions=_SUMMED,
    hints=(
        "In x + x, zip(parents, derivatives) gives x twice. What is x.grad after the first of the two, and after the "
        "second?",
        "parent.grad += value.grad * derivative. For the second pass, think of y = x · x · x: which Values hold a grad "
        "that is not 0 after the first?",
        "In backward, before the seed: for each value in order(self), if it has parents, value.grad = 0.0. Then "
        "self.grad += 1.0, then push(value) for each.",
    ),
    checks=(
        _sum_check("x + x and x · x", _twice_at_once),
        _sum_check("used at several depths", _used_often),
        engine_check(
            KIND,
            "a second backward",
            _second_passes,
            _called_twice,
            {
                "right, and a second pass adds to the leaves": partial(_both, adds=True),
                "right, and a second pass starts anew": partial(_both, adds=False),
            },
            _SUMMED,
            _REPEATING,
        ),
    ),
    own_engine=True,
)
