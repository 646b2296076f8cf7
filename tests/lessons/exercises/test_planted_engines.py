"""Planted mistakes in engines: each must get the name it has, in answers that are written in other ways than ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from tests.sweeps import share
from tinygrad_norm.lessons.exercises.checked_engines import EnginePoint, Mistake, ours, with_mistake
from tinygrad_norm.lessons.exercises.exercise_parts import Check, Verdict
from tinygrad_norm.lessons.exercises.grading import graded
from tinygrad_norm.lessons.exercises.tasks import EXERCISES

ENGINES = range(13, 21)


def point_of(check: Check) -> EnginePoint | None:
    point = getattr(check.grade, "__self__", None)
    return point if isinstance(point, EnginePoint) else None


POINTS = [(n, check, point) for n in ENGINES for check in EXERCISES[n].checks if (point := point_of(check))]
MISTAKES = [(n, check, point, mistake) for n, check, point in POINTS for mistake in point.mistakes]


def verdicts_on(number: int, names: Mapping[str, Any], seed: int = 0) -> dict[str, Verdict]:
    return {v.label: v for c in EXERCISES[number].checks for v in graded(c, dict(names), "answer.py", seed)}


def run_text(text: str) -> dict[str, Any]:
    names: dict[str, Any] = {"np": np}
    exec(text, names)
    return names


@pytest.mark.parametrize(
    ("number", "check", "point", "mistake"),
    share(MISTAKES),
    ids=[f"{m[0]}-{m[1].labels[0]}-{m[3].name}" for m in share(MISTAKES)],
)
def test_every_known_mistake_gets_its_own_name(number: int, check: Check, point: EnginePoint, mistake: Mistake) -> None:
    (verdict,) = graded(check, dict(with_mistake(point.solution, tuple(mistake.edits.items()))), "answer.py", 1)
    assert (verdict.passed, verdict.message, verdict.code) == (False, mistake.name, mistake.code)
    assert verdict.detail[-1] == mistake.why
    assert " where " in verdict.detail[0] or "must have the shape" in verdict.detail[0] or "finite" in verdict.detail[0]


@pytest.mark.parametrize("number", ENGINES)
def test_every_exercise_knows_several_mistakes(number: int) -> None:
    codes = {mistake.code for n, _, _, mistake in MISTAKES if n == number}
    assert len(codes) >= 2


NUMERIC = [(c, point) for _, c, point in POINTS if ours in point.ways.values() and c.labels[0] != "a long chain"]


@pytest.mark.parametrize(("check", "point"), NUMERIC, ids=[c.labels[0] for c, _ in NUMERIC])
def test_what_is_expected_is_the_numeric_derivative(check: Check, point: EnginePoint) -> None:
    step = 1e-6
    for case in list(point.cases(np.random.default_rng(3)))[:40]:
        leaves, build, g = case.arguments
        if case.name.startswith(("relu at 0", "x ** 0")) and "0.1" not in case.name:
            continue  # a kink, where the derivative is a convention, and a power of 0
        directions = {name: np.random.default_rng(4).standard_normal(np.shape(value)) for name, value in leaves.items()}

        up, down = (
            ours({name: np.asarray(v + by * directions[name]) for name, v in leaves.items()}, build, g)
            for by in (step, -step)
        )
        numeric = np.sum(g * (up["value"] - down["value"])) / (2 * step)
        seen = ours(leaves, build, g)
        exact = sum(np.sum(seen[f"gradient of {name}"] * directions[name]) for name in leaves)
        assert numeric == pytest.approx(exact, rel=1e-6, abs=1e-6), case.name


# Answers in the style of somebody else: recursion, dictionaries, counts, closures.

VALUE = """
class Value:
    def __init__(self, data, parents=(), derivatives=(), operation=""):
        self.data, self.parents, self.derivatives, self.operation = data, parents, derivatives, operation
        self.grad = 0.0

    def __add__(self, other):
        if not isinstance(other, Value):
            other = Value(other)
        out = Value(self.data + other.data, [other, self], [1, 1], "plus")
        return out

    def __sub__(self, other):
        return self + Value(other.data if isinstance(other, Value) else other).times(-1, other)

    def __rsub__(self, other):
        return Value(other) - self

    def times(self, factor, parent):
        parents = [parent] if isinstance(parent, Value) else []
        return Value(self.data * factor, parents, [factor] * len(parents))

    def __mul__(self, other):
        if not isinstance(other, Value):
            other = Value(other)
        return Value(self.data * other.data, [other, self], [self.data, other.data], "times")

    def __radd__(self, other):
        return self + other

    def __rmul__(self, other):
        return self * other
"""

BACKWARD = (
    VALUE
    + """
    def backward(self):
        users = {}
        for value in everything(self):
            for parent in value.parents:
                users[id(parent)] = users.get(id(parent), 0) + 1
        self.grad = 1
        ready = [self]
        while ready:
            value = ready.pop()
            for parent, derivative in zip(value.parents, value.derivatives):
                parent.grad += derivative * value.grad
                users[id(parent)] -= 1
                if users[id(parent)] == 0:
                    ready.append(parent)


def everything(root):
    found, new = {id(root): root}, [root]
    while new:
        for parent in new.pop().parents:
            if id(parent) not in found:
                found[id(parent)] = parent
                new.append(parent)
    return list(found.values())


def order(root):
    users = {id(root): 0}
    for value in everything(root):
        for parent in value.parents:
            users[id(parent)] = users.get(id(parent), 0) + 1
    ready, done = [root], []
    while ready:
        value = ready.pop(0)
        done.append(value)
        for parent in value.parents:
            users[id(parent)] -= 1
            if users[id(parent)] == 0:
                ready.append(parent)
    return done
"""
)

RECURSIVE = (
    VALUE
    + """
    def backward(self):
        self.grad = 1.0
        for value in order(self):
            for k in range(len(value.parents)):
                value.parents[k].grad += value.grad * value.derivatives[k]


def order(root):
    done = []

    def visit(value):
        if value not in done:
            for parent in value.parents:
                visit(parent)
            done.append(value)

    visit(root)
    return list(reversed(done))
"""
)

# Ways back that are not in order: depth first, level by level, and each of them without remembering who was met.
NO_ORDER = {
    "depth first": """
    def visit(value):
        if value not in done:
            done.append(value)
            for parent in value.parents:
                visit(parent)

    visit(root)
    return done
""",
    "level by level": """
    waiting = [root]
    while waiting:
        value = waiting.pop(0)
        if value not in done:
            done.append(value)
            waiting += value.parents
    return done
""",
}
TWICE = {
    "depth first, again and again": NO_ORDER["depth first"].replace("if value not in done", "if True"),
    "level by level, again and again": NO_ORDER["level by level"].replace("if value not in done", "if True"),
    "parents first, again and again": """
    def visit(value):
        for parent in value.parents:
            visit(parent)
        done.append(value)

    visit(root)
    return list(reversed(done))
""",
}


@pytest.mark.parametrize(
    ("body", "code"),
    [*((body, "no-order") for body in NO_ORDER.values()), *((body, "twice") for body in TWICE.values())],
    ids=[*NO_ORDER, *TWICE],
)
def test_the_wrong_order_gets_its_name(body: str, code: str) -> None:
    text = EXERCISES[14].solution
    order, push = text.index("    done, waiting"), text.index("def push")
    names = run_text(f"{text[:order]}    done = []\n{body}\n\n{text[push:]}")
    for check in EXERCISES[14].checks[:2]:
        assert graded(check, names, "answer.py", 0)[0].code == code


def test_recursion_ends_at_a_long_chain() -> None:
    verdicts = verdicts_on(14, run_text(RECURSIVE))
    assert {label: v.code for label, v in verdicts.items() if not v.passed} == {
        "the order": "recursion",
        "a long chain": "recursion",
    }
    assert verdicts["a long chain"].message.startswith("calls itself once for each operation")


STARTS_ANEW = (
    BACKWARD.replace(
        "        self.grad = 1\n",
        "        for value in everything(self):\n            value.grad = 0\n        self.grad = 1\n",
    ).replace(
        """            for parent, derivative in zip(value.parents, value.derivatives):
                parent.grad += derivative * value.grad
""",
        """            push(value)
            for parent in value.parents:
""",
    )
    + """

def push(value):
    for k, parent in enumerate(value.parents):
        parent.grad = parent.grad + value.derivatives[k] * value.grad
"""
)

FUNCTIONS = STARTS_ANEW.replace(
    "    def __radd__",
    """    def tanh(self):
        t = (2 / (1 + np.exp(-2 * self.data))) - 1
        return Value(t, (self,), (1 - t**2,))

    def exp(self):
        out = Value(np.exp(self.data), (self,))
        out.derivatives = (out.data,)
        return out

    def log(self):
        return Value(np.log(self.data), (self,), (self.data ** -1.0,))

    def __pow__(self, n):
        return Value(self.data ** n, (self,), (0 if n == 0 else n * self.data ** (n - 1),))

    def relu(self):
        return Value(max(self.data, 0), (self,), (float(self.data > 0),))

    def __radd__""",
)

TENSOR = """
class Tensor:
    __array_ufunc__ = None

    def __init__(self, data, parents=(), pullbacks=(), operation=""):
        self.data = np.array(data, dtype=float)
        self.grad = np.zeros_like(self.data)
        self.parents, self.pullbacks = parents, pullbacks
        self._backward = lambda: None

    def __add__(self, other):
        other = other if isinstance(other, Tensor) else Tensor(other)
        out = Tensor(self.data + other.data, (self, other))

        def _backward():
            self.grad = self.grad + unbroadcast(out.grad, self.data.shape)
            other.grad = other.grad + unbroadcast(out.grad, other.data.shape)

        out._backward = _backward
        return out

    def __mul__(self, other):
        other = other if isinstance(other, Tensor) else Tensor(other)
        out = Tensor(self.data * other.data, (self, other))

        def _backward():
            self.grad = self.grad + unbroadcast(out.grad * other.data, self.data.shape)
            other.grad = other.grad + unbroadcast(out.grad * self.data, other.data.shape)

        out._backward = _backward
        return out

    __radd__, __rmul__ = __add__, __mul__

    def __sub__(self, other):
        return self + other * -1.0

    def __pow__(self, n):
        out = Tensor(self.data**n, (self,))

        def _backward():
            self.grad = self.grad + out.grad * n * self.data ** (n - 1)

        out._backward = _backward
        return out

    def tanh(self):
        out = Tensor(np.tanh(self.data), (self,))

        def _backward():
            self.grad = self.grad + out.grad * (1 - out.data**2)

        out._backward = _backward
        return out

    def exp(self):
        out = Tensor(np.exp(self.data), (self,))

        def _backward():
            self.grad = self.grad + out.grad * out.data

        out._backward = _backward
        return out

    def log(self):
        out = Tensor(np.log(self.data), (self,))

        def _backward():
            self.grad = self.grad + out.grad / self.data

        out._backward = _backward
        return out

    def sum(self, axis=None, keepdims=False):
        out = Tensor(self.data.sum(axis=axis, keepdims=keepdims), (self,))

        def _backward():
            kept = self.data.sum(axis=axis, keepdims=True).shape
            self.grad = self.grad + np.ones_like(self.data) * out.grad.reshape(kept)

        out._backward = _backward
        return out

    def mean(self, axis=None, keepdims=False):
        axes = range(self.data.ndim) if axis is None else np.atleast_1d(axis)
        return self.sum(axis, keepdims) * (1 / np.prod([self.data.shape[a] for a in axes]))

    def transpose(self, *axes):
        out = Tensor(np.transpose(self.data, axes or None), (self,))

        def _backward():
            back = np.empty_like(self.data)
            back.transpose(axes or None)[...] = out.grad
            self.grad = self.grad + back

        out._backward = _backward
        return out

    def __matmul__(self, other):
        other = other if isinstance(other, Tensor) else Tensor(other)
        out = Tensor(self.data @ other.data, (self, other))

        def _backward():
            a, b, g = self.data, other.data, out.grad
            if b.ndim == 1:
                g = np.expand_dims(g, -1)
                b = b[:, None]
            if a.ndim == 1:
                g = np.expand_dims(g, -2) if self.data.ndim == 1 and g.ndim >= 1 and g.shape[-1:] == b.shape[-1:] else g
                a = a[None]
            g = g.reshape((a @ b).shape)
            self.grad = self.grad + unbroadcast(g @ np.moveaxis(b, -1, -2), a.shape).reshape(self.data.shape)
            other.grad = other.grad + unbroadcast(np.moveaxis(a, -1, -2) @ g, b.shape).reshape(other.data.shape)

        out._backward = _backward
        return out

    def backward(self, g=1.0):
        topo, visited = [], set()

        def build(v):
            if v not in visited:
                visited.add(v)
                for p in v.parents:
                    build(p)
                topo.append(v)

        build(self)
        self.grad = np.ones_like(self.data) * g
        for v in reversed(topo):
            v._backward()


def unbroadcast(g, shape):
    extra = g.ndim - len(shape)
    axes = tuple(range(extra)) + tuple(extra + k for k, n in enumerate(shape) if n == 1)
    return g.sum(axis=axes, keepdims=True).reshape(shape)


def sum_back(g, shape):
    return unbroadcast(g, shape)
"""

NETWORK = (
    TENSOR
    + """

def loss(scores, labels):
    return ((scores * labels * -1).exp() + 1).log().mean()


def network(x, weights):
    *hidden, last = list(zip(weights[::2], weights[1::2]))
    x = x if isinstance(x, Tensor) else Tensor(x)
    for w, b in hidden:
        x = (x @ w + b).tanh()
    return x @ last[0] + last[1]


def step(weights, rate):
    for w in weights:
        w.data -= rate * w.grad


def train(x, labels, weights, rate, epochs, batch):
    losses = []
    for k in range(epochs * (len(x) // batch)):
        i = k * batch % len(x)
        value = loss(network(x[i:i + batch], weights), labels[i:i + batch])
        value.backward()
        step(weights, rate)
        for w in weights:
            w.grad *= 0
        losses.append(value.data)
    return np.array(losses)
"""
)

NORM = (
    TENSOR
    + """

def layer_norm(x, gamma, beta, eps):
    mu = x.mean(axis=-1, keepdims=True)
    var = ((x - mu) ** 2).mean(axis=-1, keepdims=True)
    return (x - mu) * (var + eps) ** -0.5 * gamma + beta
"""
)

STYLES = {13: VALUE, 14: BACKWARD, 15: STARTS_ANEW, 16: FUNCTIONS, 17: TENSOR, 18: TENSOR, 19: NETWORK, 20: NORM}


@pytest.mark.parametrize("number", ENGINES)
def test_another_style_scores_full_marks(number: int) -> None:
    verdicts = verdicts_on(number, run_text(STYLES[number]), seed=5).values()
    assert [v.message for v in verdicts if not v.passed] == []


def test_a_second_pass_is_told_for_what_it_is() -> None:
    anew = verdicts_on(15, run_text(STARTS_ANEW))["a second backward"]
    adding = verdicts_on(15, with_mistake(EXERCISES[15].functions))["a second backward"]
    assert anew.message == "right, and a second pass starts anew"
    assert adding.message == "right, and a second pass adds to the leaves"


PLANTED: dict[str, tuple[int, dict[str, str], dict[str, str]]] = {
    # what is planted: exercise, edits of the other style, the points that fail with their codes
    "product: own number": (
        13,
        {"[other, self], [self.data, other.data]": "[self, other], [self.data, other.data]"},
        {"x · y": "own-value", "with numbers": "own-value", "random expressions": "own-value"},
    ),
    "number − x swapped": (
        13,
        {"return Value(other) - self": "return self - other"},
        {"with numbers": "number-swapped"},
    ),
    "minus forgotten on the way back": (
        13,
        {"[factor] * len(parents)": "[1] * len(parents)"},
        {"x − y": "minus-missing", "with numbers": "minus-missing", "random expressions": "minus-missing"},
    ),
    "no seed": (
        14,
        {"self.grad = 1\n": "pass\n"},
        {"diamonds and late uses": "no-seed", "a long chain": "no-seed"},
    ),
    "overwritten": (
        15,
        {"parent.grad = parent.grad + value": "parent.grad = value"},
        {"x + x and x · x": "overwritten", "used at several depths": "", "a second backward": "overwritten"},
    ),
    "nothing cleared": (
        15,
        {"            value.grad = 0\n": "            pass\n"},
        {"a second backward": "not-cleared"},
    ),
    "tanh at the input": (16, {"(1 - t**2,)": "(1 - self.data**2,)"}, {"tanh": "at-input"}),
    "1 − y for 1 − y²": (16, {"(1 - t**2,)": "(1 - t,)"}, {"tanh": "square-missing"}),
    "log at the output": (16, {"(self.data ** -1.0,)": "(1 / np.log(self.data),)"}, {"log": "at-output"}),
    "relu at 0": (16, {"float(self.data > 0)": "float(self.data >= 0)"}, {"relu": "kink"}),
    "power not lowered": (16, {"n * self.data ** (n - 1)": "n * self.data ** n"}, {"powers": "exponent-kept"}),
    "not summed back": (
        17,
        {"return g.sum(axis=axes, keepdims=True).reshape(shape)": "return g"},
        {"x + y": "not-summed", "x · y": "not-summed", "expressions": "not-summed"},
    ),
    "keepdims lost": (
        17,
        {"return g.sum(axis=axes, keepdims=True).reshape(shape)": "return g.sum(axis=axes)"},
        {"x + y": "keepdims", "x · y": "keepdims", "expressions": "keepdims"},
    ),
    "factors exchanged": (
        17,
        {
            "out.grad * other.data, self": "out.grad * self.data, self",
            "out.grad * self.data, other": "out.grad * other.data, other",
        },
        {"x · y": "own-factor", "expressions": "own-factor"},
    ),
    "mean not divided": (18, {" * (1 / np.prod([self.data.shape[a] for a in axes]))": ""}, {"mean": "not-divided"}),
    "mean divided by all": (18, {"self.data.shape[a] for a in axes": "self.data.size"}, {"mean": "divided-by-all"}),
    "transpose: same order": (
        18,
        {"back.transpose(axes or None)[...] = out.grad": "back = out.grad.transpose(axes or None)"},
        {"transpose": "same-order"},
    ),
    "right operand": (
        18,
        {"g @ np.moveaxis(b, -1, -2)": "g @ b"},
        dict.fromkeys(("a @ b, matrices", "a @ b, vectors", "a @ b, batches"), "right-not-transposed"),
    ),
    "gradients not zeroed": (
        19,
        {"w.grad *= 0": "pass"},
        {"a few steps of training": "not-zeroed", "two moons, three seeds": "not-trained"},
    ),
    "uphill": (
        19,
        {"w.data -= rate": "w.data += rate"},
        {"a step": "uphill", "a few steps of training": "uphill", "two moons, three seeds": "not-trained"},
    ),
    "tanh at the end": (
        19,
        {"return x @ last[0] + last[1]": "return (x @ last[0] + last[1]).tanh()"},
        {"the network": "last-tanh", "a few steps of training": "", "two moons, three seeds": "not-trained"},
    ),
    "detached mean": (
        20,
        {"(x - mu) * (var": "(x - mu.data) * (var", "((x - mu) ** 2)": "((x - mu.data) ** 2)"},
        {"gradient of x": "detached-mean"},
    ),
    "detached variance": (20, {"(var + eps)": "(Tensor(var.data) + eps)"}, {"gradient of x": "detached-variance"}),
    "n − 1": (
        20,
        {"** 2).mean(axis=-1, keepdims=True)": "** 2).sum(axis=-1, keepdims=True) * (1 / (x.data.shape[-1] - 1))"},
        {"layer norm": "n-minus-one", "gradient of x": "n-minus-one", "gradient of gamma": "n-minus-one"},
    ),
    "ε outside": (
        20,
        {"(var + eps) ** -0.5": "(var ** 0.5 + eps) ** -1.0"},
        {"layer norm": "eps-outside", "gradient of x": "eps-outside", "gradient of gamma": "eps-outside"},
    ),
}


@pytest.mark.parametrize(("number", "edits", "expected"), share([*PLANTED.values()]), ids=share([*PLANTED]))
def test_a_mistake_in_another_style_gets_its_name(number: int, edits: dict[str, str], expected: dict[str, str]) -> None:
    text = STYLES[number]
    for before, after in edits.items():
        assert before in text
        text = text.replace(before, after)
    verdicts = verdicts_on(number, run_text(text))
    assert {label: v.code for label, v in verdicts.items() if not v.passed} == expected
