"""Exercises 19 and 20: a network trained by one's own engine, and layer norm composed on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

from ....engine.tensor import Tensor
from ....functional import layer_norm
from ..cases import (
    LECTURE,
    PADDED,
    RANDOM,
    Case,
    Floats,
    gamma_and_beta,
    outputs_table,
    padded_table,
    random_table,
)
from ..checked_engines import Mistake, Names, Seen, engine_check, with_mistake
from ..checked_values import RefusalError, as_numbers, something, type_in_words
from ..exercise_parts import Check, Exercise, Verdict, given
from .backward_passes import LAYER_NORM_BACKWARD
from .tensor_engine import AS_TENSOR, BROADCASTING, REDUCTIONS, SUM_BACK, TENSOR

_MORE_OPERATIONS = """
    def __sub__(self, other):
        return self + as_tensor(other) * -1.0

    def __rsub__(self, other):
        return as_tensor(other) - self

    def __truediv__(self, other):
        return self * as_tensor(other) ** -1.0

    def __rtruediv__(self, other):
        return as_tensor(other) / self

    def __pow__(self, exponent):
        slope = exponent * self.data ** (exponent - 1.0)
        return Tensor(self.data**exponent, (self,), (lambda g: g * slope,), "power")

    def tanh(self):
        y = np.tanh(self.data)
        return Tensor(y, (self,), (lambda g: g * (1.0 - y * y),), "tanh")

    def exp(self):
        y = np.exp(self.data)
        return Tensor(y, (self,), (lambda g: g * y,), "exp")

    def log(self):
        return Tensor(np.log(self.data), (self,), (lambda g: g / self.data,), "log")
"""

ENGINE = TENSOR + given(BROADCASTING + REDUCTIONS) + _MORE_OPERATIONS + AS_TENSOR + given(SUM_BACK)
"""A whole engine for arrays, in a hundred lines: what exercises 13 to 18 build."""

_DATA = '''

def two_moons(points=200, turn=0.0):
    """Two half circles that grip each other: places (points, 2), labels ±1 (points, 1)."""
    k = np.arange(points)
    angle, upper = np.pi * (k * 0.618034 % 1), k % 2 == 0
    x = np.where(upper, np.cos(angle), 1 - np.cos(angle)) - 0.5
    y = np.where(upper, np.sin(angle), 0.5 - np.sin(angle)) - 0.25
    scatter = 0.3 * (np.stack([k * 0.754878 % 1, k * 0.569840 % 1], axis=1) - 0.5)
    turned = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return (np.stack([x, y], axis=1) + scatter) @ turned, np.where(upper, 1.0, -1.0)[:, None]


def start(seed, sizes=(2, 16, 16, 1)):
    """Random weights of a network, in turn: W (in, out) and b (out,) of each layer."""
    random = np.random.default_rng(seed)
    weights = []
    for inner, outer in zip(sizes, sizes[1:]):
        weights.append(Tensor(random.standard_normal((inner, outer)) / np.sqrt(inner)))
        weights.append(Tensor(np.zeros(outer)))
    return weights


def loss(scores, labels):
    """How badly the scores fit the labels: the mean of log(1 + exp(−label · score))."""
    return (1.0 + (labels * scores * -1.0).exp()).log().mean()
'''

_TRAINING = '''

def network(x, weights):
    """
    Return the scores of points: x @ W + b again and again, with a tanh between two layers.

    Given:  x        Tensor or array (points, 2)
            weights  list of Tensors: W (in, out) and b (out,) of each layer in turn
    Return: Tensor (points, 1); no tanh after the last layer

    >>> network(np.ones((5, 2)), start(0)).data.shape
    (5, 1)
    """
    for k in range(0, len(weights), 2):
        x = as_tensor(x) @ weights[k] + weights[k + 1]
        if k + 2 < len(weights):
            x = x.tanh()
    return x


def step(weights, rate):
    """
    Move each weight a little, so that the loss falls: its data by rate times its grad.

    Given:  weights  list of Tensors whose grad is known
            rate     a number above 0
    Return: nothing; the data of each weight has changed

    >>> w = Tensor([1.0, 2.0])
    >>> w.grad = np.array([10.0, -10.0])
    >>> step([w], 0.01)
    >>> w.data
    array([0.9, 2.1])
    """
    for weight in weights:
        weight.data = weight.data - rate * weight.grad


def train(x, labels, weights, rate, epochs, batch):
    """
    Train a network by stochastic gradient descent: a step for each batch.

    Given:  x        array (points, 2)
            labels   array (points, 1) of 1 and −1
            weights  list of Tensors, to be moved
            rate     of each step
            epochs   how often to go through all points
            batch    how many points a step takes, in the order in which they stand; points is a
                     multiple of it
    Return: list of numbers: the loss on its batch before each step

    >>> x, labels = two_moons()
    >>> losses = train(x, labels, start(0), rate=0.5, epochs=2, batch=50)
    >>> len(losses), losses[-1] < losses[0]
    (8, True)
    """
    losses = []
    for _ in range(epochs):
        for first in range(0, len(x), batch):
            chosen = slice(first, first + batch)
            for weight in weights:
                weight.grad = np.zeros(weight.data.shape)
            value = loss(network(x[chosen], weights), labels[chosen])
            value.backward()
            step(weights, rate)
            losses.append(float(value.data))
    return losses
'''

_NETWORK = ENGINE + _DATA + _TRAINING


@cache
def _reference() -> Names:
    return with_mistake(_NETWORK)


def _sizes(generator: np.random.Generator) -> Sequence[Case]:
    """Return weights and points of several networks."""
    found = []
    for sizes in ((2, 1), (2, 5, 1), (2, 4, 3, 1)):
        weights = [
            array
            for a, b in pairwise(sizes)
            for array in (generator.standard_normal((a, b)), generator.standard_normal(b))
        ]
        layers = f"{len(sizes) - 1} layer{'s' if len(sizes) > 2 else ''}"
        found.append(Case(layers, (generator.standard_normal((7, 2)), weights)))
    return found


def _score(x: Floats, weights: Sequence[Any]) -> Tensor:
    """Return the scores of the network by our engine."""
    y = Tensor(x)
    for k in range(0, len(weights), 2):
        y = y @ weights[k] + weights[k + 1]
        y = y.tanh() if k + 2 < len(weights) else y
    return y


def _scored(names: Names, x: Floats, weights: Sequence[Floats]) -> Seen:
    scores = names["network"](names["Tensor"](x), [names["Tensor"](w) for w in weights])
    something(scores)
    if not isinstance(scores, names["Tensor"]):
        raise RefusalError(f"the scores must be a Tensor; yours is {type_in_words(scores)}", "wrong-type")
    return {"scores": scores.data}


def _scored_by_ours(x: Floats, weights: Sequence[Floats]) -> Seen:
    return {"scores": _score(x, weights).numpy()}


def _one_step(generator: np.random.Generator) -> Sequence[Case]:
    shapes = ((2, 3), (3,), ())
    arrays = [(generator.standard_normal(shape), generator.standard_normal(shape)) for shape in shapes]
    return (Case("weights of three shapes", (arrays, float(generator.uniform(0.1, 0.4)))),)


def _stepped(names: Names, arrays: Sequence[tuple[Floats, Floats]], rate: float) -> Seen:
    weights = []
    for data, grad in arrays:
        weights.append(names["Tensor"](data.copy()))
        weights[-1].grad = grad.copy()
    names["step"](weights, rate)
    return {f"weight {k}": weight.data for k, weight in enumerate(weights)}


def _stepped_by_ours(arrays: Sequence[tuple[Floats, Floats]], rate: float) -> Seen:
    return {f"weight {k}": data - rate * grad for k, (data, grad) in enumerate(arrays)}


def _short_runs(generator: np.random.Generator) -> Sequence[Case]:
    """Return a few steps on moons that are turned somehow."""
    x, labels = _reference()["two_moons"](points=24, turn=float(generator.uniform(0, 3)))
    weights = [w.data for w in _reference()["start"](int(generator.integers(1000)), sizes=(2, 5, 1))]
    return (
        Case("one step", (x, labels, weights, 0.3, 1, 24)),
        Case("three epochs of four batches", (x, labels, weights, 0.3, 3, 6)),
    )


def _trained(
    names: Names, x: Floats, labels: Floats, weights: Sequence[Floats], rate: float, epochs: int, batch: int
) -> Seen:
    moved = [names["Tensor"](w.copy()) for w in weights]
    losses = names["train"](x.copy(), labels.copy(), moved, rate=rate, epochs=epochs, batch=batch)
    return {"losses": losses, **{f"weight {k}": weight.data for k, weight in enumerate(moved)}}


def _trained_by_ours(
    x: Floats, labels: Floats, weights: Sequence[Floats], rate: float, epochs: int, batch: int
) -> Seen:
    moved, losses = list(weights), []
    for k in range(0, epochs * len(x), batch):
        part = slice(k % len(x), k % len(x) + batch)
        leaves = [Tensor(w, requires_grad=True) for w in moved]
        value = (1 + (_score(x[part], leaves) * -labels[part]).exp()).log().mean()
        value.backward()
        moved = [w - rate * np.asarray(leaf.grad) for w, leaf in zip(moved, leaves, strict=True)]
        losses.append(value.item())
    return {"losses": np.array(losses), **{f"weight {k}": w for k, w in enumerate(moved)}}


LOSS_BOUND = 0.1
"""Of the mean over the last epoch. The reference comes below 0.02, a straight line stays above 0.25."""


def _learns(names: Names, seed: int) -> tuple[Verdict, ...]:
    label, generator = "two moons, three seeds", np.random.default_rng(seed)
    for k in range(3):
        x, labels = _reference()["two_moons"](turn=float(generator.uniform(0, 6)))
        weights = [names["Tensor"](w.data) for w in _reference()["start"](int(generator.integers(2**32)))]
        losses = as_numbers(names["train"](x, labels, weights, rate=0.5, epochs=40, batch=20))
        if losses.shape != (400,):
            words = f"the losses must be 400 numbers, one for each step; yours have the shape {losses.shape}"
            return (Verdict(label, False, words, code="wrong-shape"),)
        last, seen = float(losses[-10:].mean()), f"with the {('first', 'second', 'third')[k]} seed"
        if not last < LOSS_BOUND:
            words = f"the loss of the last epoch is {last:.3g}; it must be below {LOSS_BOUND}"
            return (Verdict(label, False, words, (f"seen {seen}: it began at {losses[0]:.3g}",), "not-trained"),)
        wrong = int(np.sum(np.sign(_score(x, [w.data for w in weights]).numpy()) != labels))
        if wrong > 4:
            words = (
                f"{wrong} of 200 points are on the wrong side, though the losses are small: are they of this network?"
            )
            return (Verdict(label, False, words, (f"seen {seen}",), "not-trained"),)
    return (Verdict(label, True, f"right, the loss of the last epoch is below {LOSS_BOUND} from three seeds"),)


_BETWEEN = "        if k + 2 < len(weights):\n            x = x.tanh()\n"
_SCORES = "scores may be of any size: a tanh at the end would keep them between −1 and 1"
_BENT = "without tanh in between, layers are one linear map: no straight line parts the moons"
_NETWORKS = (
    Mistake("last-tanh", "there is a tanh after the last layer, too", _SCORES, {"if k + 2 < len(weights)": "if True"}),
    Mistake("no-tanh", "there is no tanh between the layers", _BENT, {_BETWEEN: ""}),
    Mistake("no-bias", "the bias is missing", "x @ W + b", {" + weights[k + 1]": ""}),
    Mistake(
        "first-tanh",
        "only the first layer has a tanh",
        _BENT,
        {"if k + 2 < len(weights)": "if k == 0 < len(weights) - 2"},
    ),
)
_MOVED = "weight.data = weight.data - rate * weight.grad"
_DOWN = "the gradient points to where the loss grows: the step goes against it"
_STEPS = (
    Mistake(
        "uphill",
        "the step goes along the gradient: the loss grows",
        _DOWN,
        {_MOVED: "weight.data = weight.data + rate * weight.grad"},
    ),
    Mistake(
        "no-rate",
        "the step is the whole gradient: rate is missing",
        "the data move by rate times grad",
        {_MOVED: "weight.data = weight.data - weight.grad"},
    ),
    Mistake(
        "data-lost",
        "the weight is replaced by the step: its own data are missing",
        "the data move by rate times grad",
        {_MOVED: "weight.data = -rate * weight.grad"},
    ),
)
_ZEROED = "            for weight in weights:\n                weight.grad = np.zeros(weight.data.shape)\n"
_ADDS_UP = "backward adds to the grad of the leaves (exercise 15): before each backward they must be 0"
_ZEROED_ONCE = _ZEROED.replace("            ", "        ", 1).replace("                ", "            ", 1)
_AFTER = "losses.append(float(loss(network(x[chosen], weights), labels[chosen]).data))"
_EACH_BATCH = "a step for each batch: points first to first + batch, in the order in which they stand"
_TRAININGS = (
    Mistake(
        "not-zeroed", "the gradients are not zeroed: those of earlier steps are used again", _ADDS_UP, {_ZEROED: ""}
    ),
    Mistake(
        "zeroed-once",
        "the gradients are zeroed once an epoch, not before each step",
        _ADDS_UP,
        {
            "        for first in": f"{_ZEROED_ONCE}        for first in",
            _ZEROED: "",
        },
    ),
    Mistake(
        "uphill",
        "the step goes along the gradient: the loss grows",
        _DOWN,
        {_MOVED: "weight.data = weight.data + rate * weight.grad"},
    ),
    Mistake(
        "same-batch",
        "every step takes the first batch",
        _EACH_BATCH,
        {"slice(first, first + batch)": "slice(0, batch)"},
    ),
    Mistake("all-points", "every step takes all points", _EACH_BATCH, {"slice(first, first + batch)": "slice(None)"}),
    Mistake(
        "loss-after",
        "the loss is that after the step; asked is that before it",
        _EACH_BATCH,
        {
            "losses.append(float(value.data))": _AFTER,
        },
    ),
    Mistake(
        "no-step",
        "the weights never move",
        "each step ends with step(weights, rate)",
        {"            step(weights, rate)\n": ""},
    ),
)


def _network_check(function: str, label: str, cases: Any, look: Any, right: Any, mistakes: Sequence[Mistake]) -> Check:
    return engine_check(function, label, cases, look, right, _NETWORK, mistakes)


TRAINING = Exercise(
    number=19,
    slug="train-two-moons",
    title="Build it: training on two moons",
    statement="""
The engine is complete now: the stub holds all of it. Train a network with it. two_moons()
gives 200 points on two half circles that no straight line parts, start(seed) random weights,
loss(scores, labels) one number to make small.

What is left is the network, the step, and the loop that every training has: set the gradients
to 0, compute the loss, send it back, move the weights. The grader compares your losses and
weights with ours after a few steps, then trains 400 steps from three seeds on moons turned
somehow: the loss of the last epoch must be below 0.1.
""",
    functions=_NETWORK,
    hints=(
        "A layer is x @ W + b. Weights stand in pairs: weights[0] and weights[1] are the first layer. Print the loss "
        "of each step: which of the four lines of the loop is missing if it falls first and then jumps?",
        "Gradients add up in the leaves. So before each backward: for each weight, weight.grad = np.zeros(its shape). "
        "And the gradient points uphill: the step subtracts.",
        "for first in range(0, len(x), batch): zero the gradients; value = loss(network(x[first : first + batch], "
        "weights), labels[first : first + batch]); value.backward(); step(weights, rate); append float(value.data).",
    ),
    checks=(
        _network_check("network", "the network", _sizes, _scored, _scored_by_ours, _NETWORKS),
        _network_check("step", "a step", _one_step, _stepped, _stepped_by_ours, _STEPS),
        _network_check("train", "a few steps of training", _short_runs, _trained, _trained_by_ours, _TRAININGS),
        Check("train", ("two moons, three seeds",), _learns, whole_file=True),
    ),
    own_engine=True,
)

_LAYER_NORM = '''

def layer_norm(x, gamma, beta, eps):
    """
    Return γ (x − μ)/√(v + eps) + β, with mean μ and variance v of each row: the last axis.

    Given:  x            Tensor (rows, features), or with more axes in front
            gamma, beta  Tensors (features,)
            eps          a number above 0
    Return: Tensor of the shape of x; its gradient needs no line of yours

    >>> x, ones = Tensor([[1.0, 3.0]]), Tensor([1.0, 1.0])
    >>> layer_norm(x, ones, ones, 3.0).data
    array([[0.5, 1.5]])
    """
    centered = x - x.mean(axis=-1, keepdims=True)
    variance = (centered * centered).mean(axis=-1, keepdims=True)
    return gamma * (centered * (variance + eps) ** -0.5) + beta
'''

_COMPOSED = ENGINE + _DATA + given(_TRAINING) + _LAYER_NORM


def _norm_cases(generator: np.random.Generator) -> Sequence[Case]:
    cases = []
    tables = (
        (RANDOM, random_table(generator, 5, 7), 0.5),
        (LECTURE, outputs_table(), 1e-5),
        (f"{PADDED} with its rows of zeros", padded_table(), 1e-5),
        ("a batch (2, 3, 5)", random_table(generator, 2, 3, 5), 0.5),
    )
    for name, x, eps in tables:
        g = generator.standard_normal(x.shape)
        cases.append(Case(name, (g, x, *gamma_and_beta(generator, x.shape[-1]), eps)))
    return cases


def _normalized(names: Names, g: Floats, x: Floats, gamma: Floats, beta: Floats, eps: float) -> Seen:
    leaves = [names["Tensor"](array.copy()) for array in (x, gamma, beta)]
    y = names["layer_norm"](*leaves, eps)
    something(y)
    if not isinstance(y, names["Tensor"]):
        raise RefusalError(f"the result must be a Tensor; yours is {type_in_words(y)}", "wrong-type")
    if np.shape(y.data) != g.shape:
        raise RefusalError(f"the result must have the shape {g.shape}; yours has {np.shape(y.data)}", "wrong-shape")
    y.backward(g)
    return {"layer norm": y.data, **dict(zip(_GRADIENTS, (leaf.grad for leaf in leaves), strict=True))}


_GRADIENTS = ("gradient of x", "gradient of gamma", "gradient of beta")


@cache
def _closed_form() -> Callable[..., tuple[Floats, ...]]:
    """Return the reference solution of exercise 10."""
    backward: Callable[..., tuple[Floats, ...]] = with_mistake(LAYER_NORM_BACKWARD.functions)["layer_norm_backward"]
    return backward


def _by_exercise_10(g: Floats, x: Floats, gamma: Floats, beta: Floats, eps: float) -> Seen:
    features = x.shape[-1]
    dx, *others = _closed_form()(g.reshape(-1, features), x.reshape(-1, features), gamma, beta, eps)
    values = layer_norm(Tensor(x), features, gamma, beta, eps).numpy()
    return {"layer norm": values, **dict(zip(_GRADIENTS, (dx.reshape(x.shape), *others), strict=True))}


_CENTERED = "centered = x - x.mean(axis=-1, keepdims=True)"
_VARIANCE = "variance = (centered * centered).mean(axis=-1, keepdims=True)"
_DIVIDED = "(variance + eps) ** -0.5"
_LAST = "return gamma * (centered * (variance + eps) ** -0.5) + beta"
_NO_WAY = ".data is an array without parents: what goes through it never finds its way back to x"
_OF_A_ROW = "layer norm takes its statistics along each row: axis=-1, keepdims=True"
_BY_FEATURES = "the variance of layer norm is divided by the number of features, n"
_UNDER = "ε stands under the root, beside the variance: √(v + ε)"
_SCALED = "γ multiplies x̂, β is added"
_DETACHED = {_CENTERED: "centered = x - x.data.mean(axis=-1, keepdims=True)"}
_FIXED = {_DIVIDED: "(variance.data + eps) ** -0.5"}
_ON_X = (
    Mistake("detached-mean", "the mean is detached: it counts as a constant on the way back", _NO_WAY, _DETACHED),
    Mistake("detached-variance", "the variance is detached: it counts as a constant on the way back", _NO_WAY, _FIXED),
    Mistake(
        "detached", "mean and variance are detached: only the direct way is left", _NO_WAY, {**_DETACHED, **_FIXED}
    ),
)
_STATISTICS = (
    Mistake(
        "n-minus-one",
        "the variance is divided by n − 1",
        _BY_FEATURES,
        {_VARIANCE: "variance = (centered * centered).sum(axis=-1, keepdims=True) * (1 / (x.data.shape[-1] - 1))"},
    ),
    Mistake("eps-outside", "ε stands outside the root", _UNDER, {_DIVIDED: "(variance**0.5 + eps) ** -1.0"}),
    Mistake(
        "root-missing", "divided by the variance: the root is missing", _UNDER, {_DIVIDED: "(variance + eps) ** -1.0"}
    ),
    Mistake("eps-missing", "ε is missing", _UNDER, {_DIVIDED: "variance ** -0.5"}),
    Mistake("wrong-axis", "normalized down the columns: that is batch norm", _OF_A_ROW, {"axis=-1": "axis=0"}),
    Mistake("whole-table", "one mean and one variance for the whole table", _OF_A_ROW, {"axis=-1, keepdims=True": ""}),
    Mistake(
        "not-centered",
        "the mean is not subtracted",
        _OF_A_ROW,
        {_LAST: "return gamma * (x * (variance + eps) ** -0.5) + beta"},
    ),
)
_SCALES = (
    Mistake("exchanged", "γ and β are exchanged", _SCALED, {"gamma * (": "beta * (", "+ beta": "+ gamma"}),
    Mistake(
        "beta-inside",
        "β is added before γ multiplies",
        _SCALED,
        {_LAST: "return gamma * (centered * (variance + eps) ** -0.5 + beta)"},
    ),
)


def _norm_check(part: str, mistakes: Sequence[Mistake]) -> Check:
    return engine_check(
        "layer_norm",
        part,
        _norm_cases,
        _normalized,
        _by_exercise_10,
        _COMPOSED,
        mistakes,
        only=part,
        close=1e-12,
        praise="right on {}, to 1e-12",
    )


OWN_LAYER_NORM = Exercise(
    number=20,
    slug="own-layer-norm",
    title="Build it: layer norm on your own engine",
    statement="""
In exercise 10 the gradient of layer norm was worked out on paper: three ways, one line. Your
engine finds it by itself. Compose layer norm of its operations: mean, −, ×, a power, +. The
grader compares the values, and the gradients of x, γ and β, with exercise 10 to twelve digits.

Use Tensors all the way. A number taken out with .data has no parents, so nothing goes back
through it: the value stays right, and the gradient is wrong.
""",
    functions=_COMPOSED,
    hints=(
        "Four lines: the mean of each row, x without it, the mean of its square, the division. Which argument of "
        "mean keeps a column that broadcasts against x?",
        "x.mean(axis=-1, keepdims=True) is (rows, 1). The variance is the mean of centered * centered, and "
        "1/√(v + eps) is (variance + eps) ** -0.5.",
        "centered = x - x.mean(axis=-1, keepdims=True); variance = (centered * centered).mean(axis=-1, keepdims=True); "
        "return gamma * (centered * (variance + eps) ** -0.5) + beta.",
    ),
    checks=(
        _norm_check("layer norm", (*_STATISTICS, *_SCALES)),
        _norm_check("gradient of x", (*_ON_X, *_STATISTICS, *_SCALES[:1])),
        _norm_check("gradient of gamma", (*_STATISTICS, *_SCALES)),
        _norm_check("gradient of beta", _SCALES),
    ),
    own_engine=True,
)
