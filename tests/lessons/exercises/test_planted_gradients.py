"""Planted mistakes in backward passes: each must get the name it has, and cost no other point."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.sweeps import share
from tinygrad_norm.gradcheck import Entry
from tinygrad_norm.lessons.exercises import checked_gradients
from tinygrad_norm.lessons.exercises.cases import Case
from tinygrad_norm.lessons.exercises.tasks import EXERCISES

Grade = Callable[..., Any]
OnlyFault = Callable[..., Any]
Mistakes = dict[tuple[int, str, str], dict[str, Callable[..., Any]]]
"""By exercise, function and label: the wrong functions, by the name that each must get."""

X, GAMMA, BETA, V = "gradient of x", "gradient of gamma", "gradient of beta", "gradient of v"
FRONT, STRETCHED = "axes put in front", "axes stretched from 1"
MEAN, CENTER = "through the mean", "through x − mean"
VARIANCE, DEVIATION = "through the variance", "through the deviation"


def mean(x: Any, axis: int = 1) -> Any:
    return x.mean(axis, keepdims=True)


def centered(x: Any, axis: int = 1) -> Any:
    return x - mean(x, axis)


def back(g: Any, shape: tuple[int, ...]) -> Any:
    """The right answer to exercise 6."""
    while g.ndim > len(shape):
        g = g.sum(0)
    stretched = tuple(axis for axis, n in enumerate(shape) if n == 1)
    return g.sum(stretched, keepdims=True)


def only_stretched(g: Any, shape: tuple[int, ...]) -> Any:
    return back(g, (1,) * (g.ndim - len(shape)) + shape)


def only_in_front(g: Any, shape: tuple[int, ...]) -> Any:
    return g.sum(tuple(range(g.ndim - len(shape))))


def keepdims_forgotten(g: Any, shape: tuple[int, ...]) -> Any:
    return np.squeeze(back(g, shape), tuple(axis for axis, n in enumerate(shape) if n == 1))


def first_copy(g: Any, shape: tuple[int, ...]) -> Any:
    g = g[(0,) * (g.ndim - len(shape))]
    return g[tuple(slice(0, 1) if n == 1 else slice(None) for n in shape)]


def mean_of_copies(g: Any, shape: tuple[int, ...]) -> Any:
    return back(g, shape) * np.prod(shape) / g.size


def unnamed(g: Any, shape: tuple[int, ...]) -> Any:
    return back(g, shape) * 1.1 + back(np.cumsum(g).reshape(g.shape), shape)


def in_both(name: str) -> dict[str, str]:
    return {FRONT: name, STRETCHED: name}


NOT_SUMMED = "the broadcast over axis {} is not summed back"
DIVIDED = "divided by {} where nothing should be"
SUMMED_BACK: dict[str, tuple[dict[str, str], Callable[..., Any]]] = {
    "not summed": ({FRONT: NOT_SUMMED.format(0), STRETCHED: NOT_SUMMED.format(1)}, lambda g, shape: g),
    "only stretched": (
        {FRONT: "right numbers in the shape (1, 7)", STRETCHED: "right numbers in the shape (1, 3, 1)"},
        only_stretched,
    ),
    "only in front": ({STRETCHED: NOT_SUMMED.format(1)}, only_in_front),
    "mean": ({FRONT: DIVIDED.format(5), STRETCHED: DIVIDED.format(7)}, mean_of_copies),
    "zero": (in_both("nothing arrives here"), lambda g, shape: np.zeros(shape)),
    "sign": (in_both("the sign is flipped"), lambda g, shape: -back(g, shape)),
    "first copy": (in_both("contributions are overwritten"), first_copy),
    "keepdims": ({STRETCHED: "right numbers in the shape (5,) instead of (5, 1)"}, keepdims_forgotten),
    "unnamed": (in_both("is wrong, in a way that has no name here"), unnamed),
}


def passed_on(g: Any, x: Any, gamma: Any, beta: Any) -> Any:
    return g, (g * x).sum(0), g.sum(0)


SCALE_AND_SHIFT: Mistakes = {
    (6, "scale_and_shift_backward", X): {
        "the cotangent is passed on unchanged: the local derivative is missing": passed_on,
    },
    (6, "scale_and_shift_backward", GAMMA): {
        "the broadcast over axis 0 is not summed back": lambda g, x, c, b: (g * c, g * x, g.sum(0)),
        "the cotangent is passed on unchanged": lambda g, x, c, b: (g * c, g.sum(0), g.sum(0)),
    },
    (6, "scale_and_shift_backward", BETA): {
        "divided by 5 where nothing should be": lambda g, x, c, b: (g * c, (g * x).sum(0), g.mean(0)),
        "the broadcast over axis 0 is not summed back": lambda g, x, c, b: (g * c, (g * x).sum(0), g),
        "twice too large": lambda g, x, c, b: (g * c, (g * x).sum(0), 2 * g.sum(0)),
    },
}

MEANS: Mistakes = {
    (7, "mean_backward", MEAN): {
        "the 1/7 of a mean is missing": lambda g, x: np.ones_like(x) * g[:, None],
        "divided by the number of rows, not of features": lambda g, x: np.ones_like(x) * g[:, None] / len(x),
        "the gradient of a reduction is not spread back": lambda g, x: g / x.shape[1],
        "the sign is flipped": lambda g, x: -np.ones_like(x) * g[:, None] / x.shape[1],
        "the gradient is not multiplied by the incoming gradient g": lambda g, x: np.ones_like(x) / x.shape[1],
        "multiplied by x": lambda g, x: x * g[:, None] / x.shape[1],
        "n and n − 1 are confused (n = 7)": lambda g, x: np.ones_like(x) * g[:, None] / (x.shape[1] - 1),
        "nothing arrives here": lambda g, x: 0 * x,
    },
    (7, "center_backward", CENTER): {
        "the path through the MEAN is missing along axis 1": lambda g, x: g,
        "the direct way is missing": lambda g, x: 0 * x - mean(g),
        "what comes through the mean has the wrong sign": lambda g, x: g + mean(g),
        "the sum of g is subtracted, not its mean": lambda g, x: g - g.sum(1, keepdims=True),
        "the mean of g is taken down the columns": lambda g, x: g - mean(g, 0),
        "the mean of g is taken over the whole table": lambda g, x: g - g.mean(),
        "treated as an elementwise function": lambda g, x: g * (1 - 1 / x.shape[1]),
        "the sign is flipped": lambda g, x: mean(g) - g,
    },
}


def var_back(g: Any, x: Any, factor: float = 2.0, n: int | None = None) -> Any:
    return g[:, None] * factor * centered(x) / (n or x.shape[1])


VARIANCES: Mistakes = {
    (8, "variance_backward", VARIANCE): {
        "half of it is missing": lambda g, x: var_back(g, x, 1),
        "n and n − 1 are confused (n = 7)": lambda g, x: var_back(g, x, n=x.shape[1] - 1),
        "the 1/7 of a mean is missing": lambda g, x: var_back(g, x, n=1),
        "x stands where x − mean belongs": lambda g, x: g[:, None] * 2 * x / x.shape[1],
        "the mean of the column is subtracted": lambda g, x: g[:, None] * 2 * centered(x, 0) / x.shape[1],
        "divided by the number of rows": lambda g, x: var_back(g, x, n=len(x)),
        "the sign is flipped": lambda g, x: var_back(g, x, -2),
        "the gradient is not multiplied by the incoming gradient g": lambda g, x: var_back(np.ones(len(x)), x),
        "the gradient has shape (5,), its input (5, 7)": lambda g, x: var_back(g, x).sum(1),
    },
    (8, "deviation_backward", DEVIATION): {
        "twice too large": lambda g, x: var_back(g / x.std(1), x),
        "the division by σ along axis 1 is missing": lambda g, x: var_back(g, x, 1),
        "divided by 2v where 2σ belongs": lambda g, x: var_back(g / x.var(1), x, 1),
        "n and n − 1 are confused (n = 7)": lambda g, x: var_back(g / x.std(1), x, 1, x.shape[1] - 1),
        "σ is computed with n − 1": lambda g, x: var_back(g / x.std(1, ddof=1), x, 1),
        "computed with n − 1": lambda g, x: var_back(g / x.std(1, ddof=1), x, 1, x.shape[1] - 1),
        "x stands where x − mean belongs": lambda g, x: (g / x.std(1))[:, None] * x / x.shape[1],
        "this is the gradient of the variance": lambda g, x: var_back(g, x),
        "half of it is missing": lambda g, x: var_back(g / x.std(1), x, 0.5),
    },
}


def over_sigma(g: Any, x: Any, e: Any) -> Any:
    """A detour over the deviation, which is 0/0 at a row of zeros."""
    return (-g * (x.var(1) + e) ** -1.5 * x.std(1) / x.std(1))[:, None] * centered(x) / x.shape[1]


def to_every_entry(g: Any, x: Any, e: Any) -> Any:
    return np.ones_like(x) * (-0.5 * g * (x.var(1) + e) ** -1.5)[:, None]


ROOTS: Mistakes = {
    (9, "inverse_root_backward", V): {
        "the sign is flipped": lambda g, v, e: 0.5 * g * (v + e) ** -1.5,
        "twice too large": lambda g, v, e: -g * (v + e) ** -1.5,
        "the power is still −1/2": lambda g, v, e: -0.5 * g / np.sqrt(v + e),
        "the power is −1 where": lambda g, v, e: -0.5 * g / (v + e),
        "the power is −2 where": lambda g, v, e: -0.5 * g / (v + e) ** 2,
        "this is the derivative of √(v + ε)": lambda g, v, e: g / (2 * np.sqrt(v + e)),
        "this is the derivative of 1/(v + ε)": lambda g, v, e: -g / (v + e) ** 2,
        "ε is forgotten on the way back": lambda g, v, e: -0.5 * g * v**-1.5,
        "ε stands outside the root": lambda g, v, e: -0.5 * g / (np.sqrt(v) + e) ** 3,
        "the gradient is set to 0 where v is 0": lambda g, v, e: np.where(v == 0, 0, -0.5 * g * (v + e) ** -1.5),
        "the gradient is not multiplied by the incoming gradient g": lambda g, v, e: -0.5 * (v + e) ** -1.5,
        "nothing arrives here": lambda g, v, e: 0 * v,
    },
    (9, "inverse_deviation_backward", X): {
        "the gradient of x is not finite": over_sigma,
        "half of it is missing": lambda g, x, e: var_back(-0.5 * g * (x.var(1) + e) ** -1.5, x, 1),
        "twice too large": lambda g, x, e: var_back(-g * (x.var(1) + e) ** -1.5, x),
        "the sign is flipped": lambda g, x, e: var_back(0.5 * g * (x.var(1) + e) ** -1.5, x),
        "the 1/7 of a mean is missing": lambda g, x, e: var_back(-0.5 * g * (x.var(1) + e) ** -1.5, x, n=1),
        "x stands where x − mean belongs": lambda g, x, e: (-g * (x.var(1) + e) ** -1.5)[:, None] * x / x.shape[1],
        "ε is forgotten on the way back": lambda g, x, e: var_back(-0.5 * g * x.var(1) ** -1.5, x),
        "the slope of 1/√(v + ε) is missing": lambda g, x, e: var_back(g, x),
        "the power is still −1/2": lambda g, x, e: var_back(-0.5 * g * (x.var(1) + e) ** -0.5, x),
        "the gradient of v is handed to every entry as it is": to_every_entry,
    },
}


def layer_norm(
    dx: Callable[..., Any] | None = None, dgamma: Callable[..., Any] | None = None, axis: int = 1
) -> Callable[..., Any]:
    """A backward pass of layer norm with another dx (of h, x̂, r, γ, g, eps) or dγ (of g, x, x̂, γ)."""

    def backward(g: Any, x: Any, gamma: Any, beta: Any, eps: Any) -> Any:
        r = 1 / np.sqrt(mean(centered(x, axis) ** 2, axis) + eps)
        n, h = centered(x, axis) * r, g * gamma
        right = r * times_r(h, n, axis=axis)
        first = right if dx is None else dx(h, n, r, gamma, g, eps)
        return first, (g * n).sum(0) if dgamma is None else dgamma(g, x, n, gamma), g.sum(0)

    return backward


def times_r(h: Any, n: Any, sign: int = -1, axis: int = 1) -> Any:
    """What the gradient of x is, but for the factor r; with another sign of the path through the variance."""
    return h - mean(h, axis) + sign * n * mean(h * n, axis)


def other_sigma(h: Any, n: Any, r: Any, other: Callable[[Any], Any]) -> Any:
    """The backward pass with another deviation in place of 1/r."""
    s = other(1 / r)
    return times_r(h, n / r / s) / s


def eps_outside(h: Any, n: Any, r: Any, w: Any, g: Any, e: Any) -> Any:
    return other_sigma(h, n, r, lambda s: np.sqrt(s**2 - e) + e)


def n_minus_one(h: Any, n: Any, r: Any, *_: Any) -> Any:
    return r * (centered(h) - n * mean(h * n) * len(h.T) / (len(h.T) - 1))


LAYER_NORMS: Mistakes = {
    (10, "layer_norm_backward", X): {
        "the path through the MEAN is missing along axis 1": layer_norm(lambda h, n, r, *_: r * (h - n * mean(h * n))),
        "the path through the VARIANCE is missing along axis 1": layer_norm(lambda h, n, r, *_: r * centered(h)),
        "both statistics are treated as constants": layer_norm(lambda h, n, r, *_: r * h),
        "the path through the VARIANCE has the wrong sign": layer_norm(lambda h, n, r, *_: r * times_r(h, n, sign=1)),
        "n and n − 1 are confused": layer_norm(n_minus_one),
        "the division by σ along axis 1 is missing": layer_norm(lambda h, n, *_: times_r(h, n)),
        "divided by σ along axis 1 once too often": layer_norm(lambda h, n, r, *_: r**2 * times_r(h, n)),
        "γ is forgotten": layer_norm(lambda h, n, r, w, g, e: r * times_r(g, n)),
        "γ is multiplied after the means": layer_norm(lambda h, n, r, w, g, e: w * r * times_r(g, n)),
        "eps stands outside the root": layer_norm(eps_outside),
        "eps is forgotten": layer_norm(lambda h, n, r, w, g, e: other_sigma(h, n, r, lambda s: np.sqrt(s**2 - e))),
        "works along axis 0 instead of axis 1": layer_norm(lambda h, n, r, *_: r * times_r(h, n, axis=0)),
        "nothing arrives here": layer_norm(lambda h, *_: 0 * h),
    },
    (10, "layer_norm_backward", GAMMA): {
        "multiplied by x, not by x̂": layer_norm(None, lambda g, x, n, w: (g * x).sum(0)),
        "multiplied by x − μ": layer_norm(None, lambda g, x, n, w: (g * centered(x)).sum(0)),
        "multiplied by γ, which is only for the way to x": layer_norm(None, lambda g, x, n, w: (g * n * w).sum(0)),
        "this is the gradient of β": layer_norm(None, lambda g, x, n, w: g.sum(0)),
        "the broadcast over axis 0 is not summed back": layer_norm(None, lambda g, x, n, w: g * n),
        "the mean is not subtracted in x̂": layer_norm(None, lambda g, x, n, w: (g * x * mean(n / centered(x))).sum(0)),
    },
}


def masked(
    dx: Callable[..., Any] | None = None,
    dgamma: Callable[..., Any] | None = None,
    dbeta: Callable[..., Any] | None = None,
) -> Callable[..., Any]:
    """A backward pass of masked batch norm: dx of the words from (h, x̂, r), dγ and dβ from (g, x, real, x̂)."""

    def backward(g: Any, x: Any, real: Any, gamma: Any, beta: Any, eps: Any) -> Any:
        r = 1 / np.sqrt(x[real].var(0) + eps)
        n = (x - x[real].mean(0)) * r
        h, words = (g * gamma)[real], n[real]
        right = r * (h - mean(h, 0) - words * mean(h * words, 0))
        out = np.zeros_like(x)
        out[real] = right if dx is None else dx(h, words, r)
        first = (g[real] * words).sum(0) if dgamma is None else dgamma(g, x, real, n)
        return out, first, g[real].sum(0) if dbeta is None else dbeta(g, x, real, n)

    return backward


def pads_counted(g: Any, x: Any, real: Any, gamma: Any, beta: Any, eps: Any) -> Any:
    """The means divide by all positions."""
    _, dgamma, dbeta = masked()(g, x, real, gamma, beta, eps)
    r = 1 / np.sqrt(x[real].var(0) + eps)
    n = np.where(real[:, None], (x - x[real].mean(0)) * r, 0)
    h = np.where(real[:, None], g * gamma, 0)
    return np.where(real[:, None], r * (h - mean(h, 0) - n * mean(h * n, 0)), 0), dgamma, dbeta


def pads_in(g: Any, x: Any, real: Any, gamma: Any, beta: Any, eps: Any) -> Any:
    """Plain batch norm; only what leaves and enters is masked."""
    _, dgamma, dbeta = masked()(g, x, real, gamma, beta, eps)
    dx, _, _ = masked()(g * real[:, None], x, real | True, gamma, beta, eps)
    return dx * real[:, None], dgamma, dbeta


def no_mask(g: Any, x: Any, real: Any, gamma: Any, beta: Any, eps: Any) -> Any:
    _, dgamma, dbeta = masked()(g, x, real, gamma, beta, eps)
    return masked()(g, x, real | True, gamma, beta, eps)[0], dgamma, dbeta


def pads_receive(g: Any, x: Any, real: Any, gamma: Any, beta: Any, eps: Any) -> Any:
    _, dgamma, dbeta = masked()(g, x, real, gamma, beta, eps)
    r = 1 / np.sqrt(x[real].var(0) + eps)
    n, h = (x - x[real].mean(0)) * r, g * gamma
    return r * (h - h[real].mean(0) - n * (h * n)[real].mean(0)), dgamma, dbeta


def inverted(g: Any, x: Any, real: Any, gamma: Any, beta: Any, eps: Any) -> Any:
    _, dgamma, dbeta = masked()(g, x, real, gamma, beta, eps)
    return masked()(g, x, ~real, gamma, beta, eps)[0], dgamma, dbeta


def plain_hat(x: Any) -> Any:
    return centered(x, 0) / np.sqrt(x.var(0) + (0.5 if len(x) == 7 else 1e-5))


MASKED: Mistakes = {
    (11, "masked_batch_norm_backward", X): {
        "both statistics are treated as constants": masked(lambda h, n, r: r * h),
        "the path through the MEAN is missing along axis 0": masked(lambda h, n, r: r * (h - n * mean(h * n, 0))),
        "the path through the VARIANCE is missing along axis 0": masked(lambda h, n, r: r * centered(h, 0)),
        "the division by σ along axis 0 is missing": masked(lambda h, n, r: centered(h, 0) - n * mean(h * n, 0)),
        "works along axis 1 instead of axis 0": masked(lambda h, n, r: r * (centered(h) - n * mean(h * n))),
        "the means divide by all positions, pads included": pads_counted,
        "the pads enter the statistics": pads_in,
        "the pads enter the statistics and send their g back": no_mask,
        "the pads receive a gradient, which must be 0": pads_receive,
        "the mask is inverted": inverted,
        "nothing arrives here": masked(lambda h, n, r: 0 * h),
    },
    (11, "masked_batch_norm_backward", GAMMA): {
        "the g of the pads is summed as well": masked(dgamma=lambda g, x, m, n: (g * n).sum(0)),
        "the pads enter the statistics of x̂": masked(dgamma=lambda g, x, m, n: (g * plain_hat(x))[m].sum(0)),
        "the pads enter the statistics of x̂ and send": masked(dgamma=lambda g, x, m, n: (g * plain_hat(x)).sum(0)),
        "multiplied by x, not by x̂": masked(dgamma=lambda g, x, m, n: (g * x)[m].sum(0)),
    },
    (11, "masked_batch_norm_backward", BETA): {
        "the g of the pads is summed as well": masked(dbeta=lambda g, x, m, n: g.sum(0)),
        "the mean of g, not its sum": masked(dbeta=lambda g, x, m, n: g[m].mean(0)),
    },
}

PLANTED = [
    (*point, expected, wrong)
    for mistakes in (SCALE_AND_SHIFT, MEANS, VARIANCES, ROOTS, LAYER_NORMS, MASKED)
    for point, group in mistakes.items()
    for expected, wrong in group.items()
]


@pytest.mark.parametrize(
    ("number", "function", "label", "expected", "wrong"),
    share(PLANTED),
    ids=[f"{p[0]}-{p[2]}-{p[3]}" for p in share(PLANTED)],
)
def test_a_planted_mistake_gets_its_name(
    only_fault: OnlyFault, number: int, function: str, label: str, expected: str, wrong: Callable[..., Any]
) -> None:
    verdict = only_fault(number, function, label, expected, wrong)
    assert verdict.code
    assert verdict.detail[-1].startswith("seen on ")


@pytest.mark.parametrize(("expected", "wrong"), SUMMED_BACK.values(), ids=SUMMED_BACK)
def test_a_mistake_in_summing_back(grade: Grade, expected: dict[str, str], wrong: Callable[..., Any]) -> None:
    verdicts = grade(6, sum_back=wrong)
    assert [v.label for v in verdicts.values() if not v.passed] == list(expected)
    for label, beginning in expected.items():
        assert verdicts[label].message.startswith(beginning)


def test_every_gradient_exercise_has_at_least_five_planted_mistakes() -> None:
    functions = [planted[1] for planted in PLANTED] + ["sum_back"] * len(SUMMED_BACK)
    assert {name for name in functions if functions.count(name) < 5} == set()


def test_swapped_gradients(grade: Grade) -> None:
    verdicts = grade(6, scale_and_shift_backward=lambda g, x, c, b: (g * c, g.sum(0), (g * x).sum(0)))
    assert verdicts[GAMMA].message == "this is the gradient of beta"
    assert verdicts[BETA].message == "this is the gradient of gamma"


def test_a_mistake_at_zero_says_where_it_was_seen(grade: Grade) -> None:
    verdicts = grade(9, inverse_root_backward=lambda g, v, e: np.where(v == 0, 0, -0.5 * g * (v + e) ** -1.5))
    assert verdicts[V].detail[-1] == ("seen on the variances of the padded table, two of them 0; right on random data")


def test_what_cannot_be_told_is_not_called_wrong() -> None:
    entry = Entry("x", (3,), 1, "cannot tell", 3, 3, 0, 0, (1,), 0.5, 0.4, 0.3, 1.0)
    verdict = checked_gradients._mistake(
        "gradient of x", checked_gradients._Sight(Case("random data", ()), entry, None, None), []
    )
    assert (verdict.passed, verdict.message, verdict.code) == (False, "could not be checked", "")
    assert verdict.detail[0].startswith("x: CANNOT TELL")


def test_the_backward_pass_changes_its_arguments(grade: Grade) -> None:
    def backward(g: Any, x: Any) -> Any:
        x -= mean(x)
        return g[:, None] * 2 * x / x.shape[1]

    assert grade(8, variance_backward=backward)[VARIANCE].message == "the backward pass changes the input x"


def test_a_backward_pass_with_a_memory(grade: Grade) -> None:
    total = np.zeros(3)

    def backward(g: Any, x: Any) -> Any:
        nonlocal total
        total = total + 1
        return var_back(g, x) * total[0]

    verdict = grade(8, variance_backward=backward)[VARIANCE]
    assert verdict.message == "the backward pass gives another answer the second time"


def test_axes_confused_everywhere(grade: Grade) -> None:
    verdicts = grade(10, layer_norm_backward=layer_norm(axis=0))
    assert verdicts[X].message == "works along axis 0 instead of axis 1"
    assert verdicts[GAMMA].message == "x̂ is normalized down the columns, not along the rows"
    assert verdicts[BETA].passed


def test_a_nan_costs_only_its_own_gradient(grade: Grade) -> None:
    verdicts = grade(10, layer_norm_backward=layer_norm(lambda h, n, r, w, g, e: h * np.nan))
    assert verdicts[X].message == "the gradient of x is not finite"
    assert verdicts[GAMMA].passed
    assert verdicts[BETA].passed


@pytest.mark.parametrize("spoiled", range(3))
@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda gradient, g: gradient / g.sum(), "the gradient is not multiplied by"),
        (lambda gradient, g: gradient[..., None], "right numbers in the shape"),
        (lambda gradient, g: gradient + np.random.default_rng().standard_normal(), ""),
    ],
)
def test_what_is_unfit_in_one_gradient_costs_only_that(
    grade: Grade, solution: Callable[..., Any], spoiled: int, spoil: Callable[..., Any], told: str
) -> None:
    right = solution(EXERCISES[10])["layer_norm_backward"]

    def wrong(g: Any, *arguments: Any) -> Any:
        gradients = list(right(g, *arguments))
        gradients[spoiled] = spoil(gradients[spoiled], g)
        return tuple(gradients)

    verdicts = list(grade(10, layer_norm_backward=wrong).values())
    assert [v.passed for v in verdicts] == [k != spoiled for k in range(3)]
    assert verdicts[spoiled].message.startswith(told)


@pytest.mark.parametrize(
    ("sides", "step"), share([(sides, 10.0**-k) for k in range(3, 9) for sides in (1, 2)], parts=4)
)
def test_a_difference_quotient_gets_no_point(
    grade: Grade, solution: Callable[..., Any], sides: int, step: float
) -> None:
    def forward(x: Any, gamma: Any, beta: Any, eps: Any) -> Any:
        return gamma * (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + eps) + beta

    def measured(g: Any, *arguments: Any) -> Any:
        found = []
        for k in range(3):
            gradient = np.zeros_like(arguments[k])
            for index in np.ndindex(gradient.shape):
                ends = []
                for side in (1, -1) if sides == 2 else (1, 0):
                    moved = [np.array(a) for a in arguments]
                    moved[k][index] += side * step
                    ends.append(forward(*moved))
                gradient[index] = np.sum(g * (ends[0] - ends[1])) / (sides * step)
            found.append(gradient)
        return tuple(found)

    gradient_of_x, *linear = grade(10, layer_norm_backward=measured).values()
    assert not gradient_of_x.passed
    # The output is linear in γ and β: a quotient with a large step is their derivative, but for rounding.
    assert step > 1e-4 or not any(v.passed for v in linear)
