"""Families of normalizations, softmax and losses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .case import away_from_zero, keep_mean, keep_sum, normal, positive, put, sigmoid, softmax
from .elementwise import between
from .family import Family, at

Norm = Callable[..., Any]


def statistics(x: Any, axes: Any, eps: float, ddof: int = 0) -> tuple[Any, Any]:
    """Return σ and x̂ along some axes."""
    s = np.sqrt(x.var(axes, keepdims=True, ddof=ddof) + eps)
    return s, (x - x.mean(axes, keepdims=True)) / s


def norm(name: str, axes: Any, eps: float, *draws: Any, **wrong: Any) -> Family:
    """Return the family of a norm without weights; mistakes are ``(g, x̂, σ, m)`` with m the mean along the axes."""

    def mean(v: Any) -> Any:
        return v.mean(axes, keepdims=True)

    def rule(body: Norm) -> Norm:
        return lambda g, x: body(g, *statistics(x, axes, eps)[::-1], mean)

    return Family(
        name,
        lambda x: statistics(x, axes, eps)[1],
        rule(lambda g, n, s, m: (g - m(g) - n * m(g * n)) / s),
        at(*draws),
        {told: rule(body) for told, body in wrong["wrong"].items()},
    )


def grouped_statistics(x: Any) -> tuple[Any, Any]:
    """Return σ and x̂ of three groups of channels."""
    s, n = statistics(x.reshape(len(x), 3, -1), 2, 1e-3)
    return s, n


def group_rule(body: Norm) -> Norm:
    def rule(g: Any, x: Any) -> Any:
        s, n = grouped_statistics(x)
        return body(g.reshape(n.shape), n, s, lambda v: v.mean(2, keepdims=True)).reshape(x.shape)

    return rule


def affine(axes: Any, around: Any, dx: Norm | None = None, dw: Norm | None = None, db: Norm | None = None) -> Norm:
    """Return the backward pass of a batch norm with weights, some of its three gradients wrong."""

    def right_dx(h: Any, n: Any, s: Any, m: Any, w: Any, g: Any) -> Any:
        return (h - m(h) - n * m(h * n)) / s

    def rule(g: Any, x: Any, w: Any, b: Any) -> Any:
        s, n = statistics(x, axes, 1e-5)
        h = g * w.reshape(around)
        return (
            (dx or right_dx)(h, n, s, lambda v: v.mean(axes, keepdims=True), w.reshape(around), g),
            (g * n).sum(axes) if dw is None else dw(g, n, x),
            g.sum(axes) if db is None else db(g),
        )

    return rule


IMAGE = (0, 2, 3)
AROUND = (1, 3, 1, 1)


def length(x: Any) -> Any:
    return np.sqrt(keep_sum(x * x))


def running(body: Norm) -> Norm:
    return lambda g, x: body(g, x, np.linspace(0.5, 2, 7), np.linspace(-1, 1, 7))


def local_response(x: Any) -> Any:
    return x / (1 + 0.5 * window(x * x)) ** 0.75


def window(v: Any) -> Any:
    """Return sums over three neighbors along the last axis."""
    wide = np.pad(v, ((0, 0), (1, 1)))
    return wide[:, 2:] + wide[:, 1:-1] + wide[:, :-2]


def local_backward(g: Any, x: Any, sign: float = -1) -> Any:
    base = 1 + 0.5 * window(x * x)
    return g * base**-0.75 + sign * 0.75 * x * window(g * x * base**-1.75)


def minmax_backward(g: Any, y: Any, x: Any) -> Any:
    top, low = x == x.max(-1, keepdims=True), x == x.min(-1, keepdims=True)
    width = np.ptp(x, -1, keepdims=True)
    return (g - low * keep_sum(g * (1 - y)) - top * keep_sum(g * y)) / width


def cosine(a: Any, b: Any) -> Any:
    return keep_sum(a * b) / (length(a) * length(b))


def spectral(x: Any) -> Any:
    return x / np.linalg.norm(x, 2)


def spectral_backward(g: Any, x: Any) -> Any:
    u, s, v = np.linalg.svd(x)
    return g / s[0] - np.sum(g * x) / s[0] ** 2 * np.outer(u[:, 0], v[0])


def masked_norm(body: Norm) -> Norm:
    """Return a rule of a layer norm over the first five of seven entries."""

    def rule(g: Any, x: Any) -> Any:
        s, n = statistics(x[:, :5], -1, 1e-5)
        return np.concatenate([body(g[:, :5], n, s), 0 * x[:, 5:]], 1)

    return rule


NORMS = (
    norm(
        "instance norm",
        2,
        1e-3,
        normal(2, 3, 7),
        wrong={
            ("mean path missing", "mean-path-missing"): lambda g, n, s, m: (g - n * m(g * n)) / s,
            ("variance path with the wrong sign", "variance-path-sign"): lambda g, n, s, m: (
                (g - m(g) + n * m(g * n)) / s
            ),
            ("both paths missing", "statistics-constant"): lambda g, n, s, m: g / s,
        },
    ),
    norm(
        "norm over two axes",
        (1, 2),
        1e-2,
        normal(3, 2, 5),
        wrong={
            ("eps forgotten", "eps-missing"): lambda g, n, s, m: (g - m(g) - n * m(g * n)) / np.sqrt(s * s - 1e-2),
            ("variance path missing", "variance-path-missing"): lambda g, n, s, m: (g - m(g)) / s,
            ("over one axis", "wrong-axis"): lambda g, n, s, m: (
                (g - g.mean(2, keepdims=True) - n * (g * n).mean(2, keepdims=True)) / s
            ),
        },
    ),
    norm(
        "norm without eps",
        1,
        0.0,
        normal(5, 7),
        wrong={
            ("mean path missing", "mean-path-missing"): lambda g, n, s, m: (g - n * m(g * n)) / s,
            ("σ squared", "sigma-twice"): lambda g, n, s, m: (g - m(g) - n * m(g * n)) / s**2,
            ("x̂ squared in its path", "unnamed"): lambda g, n, s, m: (g - m(g) - n * n * m(g * n)) / s,
            ("mean of g for g x̂", "variance-path-wrong"): lambda g, n, s, m: (g - m(g) - n * m(g) * m(n * n)) / s,
            ("x for x̂ in its path", "variance-path-wrong"): lambda g, n, s, m: (g - m(g) - n * s * m(g * n * s)) / s,
        },
    ),
    Family(
        "layer norm by the sample deviation",
        lambda x: statistics(x, -1, 0.0, 1)[1],
        lambda g, x: _sample(g, x, 6),
        at(normal(5, 7)),
        {
            ("n in its path", "n-minus-one"): lambda g, x: _sample(g, x, 7),
        },
    ),
    Family(
        "layer norm, σ + eps",
        lambda x: (x - keep_mean(x)) / (x.std(-1, keepdims=True) + 1e-2),
        lambda g, x: _eps_added(g, x, 1e-2),
        at(normal(5, 7)),
        {
            ("eps forgotten", "unnamed"): lambda g, x: _eps_added(g, x, 0.0),
        },
    ),
    Family(
        "group norm",
        lambda x: grouped_statistics(x)[1].reshape(x.shape),
        group_rule(lambda g, n, s, m: (g - m(g) - n * m(g * n)) / s),
        at(normal(2, 6, 5)),
        {
            ("variance path missing", "variance-path-missing"): group_rule(lambda g, n, s, m: (g - m(g)) / s),
            ("both paths missing", "statistics-constant"): group_rule(lambda g, n, s, m: g / s),
            ("sign", "sign-flipped"): group_rule(lambda g, n, s, m: -(g - m(g) - n * m(g * n)) / s),
        },
    ),
    Family(
        "batch norm of images",
        lambda x, w, b: statistics(x, IMAGE, 1e-5)[1] * w.reshape(AROUND) + b.reshape(AROUND),
        affine(IMAGE, AROUND),
        at(normal(5, 3, 2, 2), normal(3), normal(3)),
        {
            ("both paths missing", "statistics-constant"): affine(IMAGE, AROUND, lambda h, n, s, m, w, g: h / s),
            ("variance path missing", "variance-path-missing"): affine(
                IMAGE, AROUND, lambda h, n, s, m, w, g: (h - m(h)) / s
            ),
            ("γ forgotten", "gain-missing"): affine(
                IMAGE, AROUND, lambda h, n, s, m, w, g: (g - m(g) - n * m(g * n)) / s
            ),
            ("means over the batch alone", "wrong-axis"): affine(
                IMAGE, AROUND, lambda h, n, s, m, w, g: (h - h.mean(0) - n * (h * n).mean(0)) / s
            ),
            ("γ averaged", "sum-as-mean"): affine(IMAGE, AROUND, None, lambda g, n, x: (g * n).mean(IMAGE)),
            ("γ from raw x", "wrong-operand"): affine(IMAGE, AROUND, None, lambda g, n, x: (g * x).sum(IMAGE)),
            ("β summed over the batch alone", "broadcast-not-reduced"): affine(
                IMAGE, AROUND, None, None, lambda g: g.sum(0)
            ),
            ("β averaged", "sum-as-mean"): affine(IMAGE, AROUND, None, None, lambda g: g.mean(IMAGE)),
        },
    ),
    Family(
        "batch norm by running statistics",
        lambda x: (x - np.linspace(-1, 1, 7)) / np.linspace(0.5, 2, 7),
        running(lambda g, x, s, m: g / s),
        at(normal(5, 7)),
        {
            ("as in training", "unnamed"): running(
                lambda g, x, s, m: (g - keep_mean(g, 0) - (x - m) / s * keep_mean(g * (x - m) / s, 0)) / s
            ),
            ("σ forgotten", "local-derivative-missing"): running(lambda g, x, s, m: g),
        },
    ),
    Family(
        "unit rows",
        lambda x: x / length(x),
        lambda g, y, x: (g - y * keep_sum(g * y)) / length(x),
        {"": [normal(5, 7)], " at 1e-8": [normal(5, 7, scale=1e-8)], " at 1e8": [normal(5, 7, scale=1e8)]},
        {
            ("projection missing", "variance-path-missing"): lambda g, y, x: g / length(x),
            ("projection on x itself", "length-path-missing"): lambda g, y, x: (g - x * keep_sum(g * x)) / length(x),
            ("length forgotten", "norm-missing"): lambda g, y, x: g - y * keep_sum(g * y),
            ("over columns", "unnamed"): lambda g, y, x: (g - y * keep_sum(g * y, 0)) / length(x),
        },
    ),
    Family(
        "weight norm",
        lambda v, s: s * v / length(v),
        lambda g, v, s: (s * (g - v * keep_sum(g * v) / length(v) ** 2) / length(v), keep_sum(g * v) / length(v)),
        at(normal(5, 7), positive(5, 1)),
        {
            ("projection missing", "variance-path-missing"): lambda g, v, s: (
                s * g / length(v),
                keep_sum(g * v) / length(v),
            ),
            ("scale not divided", "wrong-operand"): lambda g, v, s: (
                s * (g - v * keep_sum(g * v) / length(v) ** 2) / length(v),
                keep_sum(g * v),
            ),
            ("scale forgotten", "factor-missing"): lambda g, v, s: (
                (g - v * keep_sum(g * v) / length(v) ** 2) / length(v),
                keep_sum(g * v) / length(v),
            ),
        },
    ),
    Family(
        "spectral norm",
        spectral,
        spectral_backward,
        at(normal(5, 3)),
        {
            ("σ constant", "path-dropped"): lambda g, x: g / np.linalg.norm(x, 2),
        },
    ),
    Family(
        "local response norm",
        local_response,
        local_backward,
        at(normal(3, 7)),
        {
            ("neighbors with the wrong sign", "path-sign"): lambda g, x: local_backward(g, x, 1),
            ("neighbors forgotten", "path-dropped"): lambda g, x: g * (1 + 0.5 * window(x * x)) ** -0.75,
        },
    ),
    Family(
        "min-max scaling",
        lambda x: (x - x.min(-1, keepdims=True)) / np.ptp(x, -1, keepdims=True),
        minmax_backward,
        at(normal(5, 7)),
        {
            ("ends constant", "path-dropped"): lambda g, y, x: g / np.ptp(x, -1, keepdims=True),
        },
    ),
    Family(
        "cosine similarity",
        cosine,
        lambda g, y, a, b: (
            g * (b / length(b) - y * a / length(a)) / length(a),
            g * (a / length(a) - y * b / length(b)) / length(b),
        ),
        at(normal(5, 7), normal(5, 7)),
        {
            ("lengths constant", "length-path-missing"): lambda g, y, a, b: (
                g * b / (length(a) * length(b)),
                g * a / (length(a) * length(b)),
            ),
            ("length of a forgotten", "norm-missing"): lambda g, y, a, b: (
                g * (b / length(b) - y * a / length(a)),
                g * (a / length(a) - y * b / length(b)) / length(b),
            ),
        },
    ),
    Family(
        "layer norm of the first five",
        lambda x: np.concatenate([statistics(x[:, :5], -1, 1e-5)[1], x[:, 5:] * 0], 1),
        masked_norm(lambda g, n, s: (g - keep_mean(g) - n * keep_mean(g * n)) / s),
        at(normal(5, 7)),
        {
            ("both paths missing", "statistics-constant"): masked_norm(lambda g, n, s: g / s),
        },
    ),
    Family(
        "rms norm at 1e-3, eps large",
        lambda x: x / np.sqrt(keep_mean(x * x) + 1e-6),
        lambda g, x: _rms(g, x, 1e-6),
        at(normal(5, 7, scale=1e-3)),
        {
            ("eps forgotten", "eps-missing"): lambda g, x: _rms(g, x, 0.0),
            ("sign of the scale path", "variance-path-sign"): lambda g, x: (
                2 * g / np.sqrt(keep_mean(x * x) + 1e-6) - _rms(g, x, 1e-6)
            ),
        },
    ),
)


def _sample(g: Any, x: Any, n: int) -> Any:
    s, hat = statistics(x, -1, 0.0, 1)
    return (g - keep_mean(g) - hat * keep_sum(g * hat) / n) / s


def _eps_added(g: Any, x: Any, eps: float) -> Any:
    c, s = x - keep_mean(x), x.std(-1, keepdims=True)
    h = g / (s + eps)
    return h - keep_mean(h) - c * keep_mean(h * c) / (s * (s + eps))


def _rms(g: Any, x: Any, eps: float) -> Any:
    s = np.sqrt(keep_mean(x * x) + eps)
    return (g - x / s * keep_mean(g * x / s)) / s


T = np.eye(7)[[0, 3, 6, 3, 1]]  # one-hot targets
SMOOTH = 0.9 * T + 0.1 / 7
WEIGHTS = np.linspace(0.5, 2.0, 7)
KEPT = np.array([True, True, False, True, True])[:, None]
BINARY = (np.arange(35).reshape(5, 7) % 3 == 0) * 1.0
FUTURE = np.triu(np.ones((5, 5), dtype=bool), 1)


def logp(x: Any, axis: int = -1) -> Any:
    x = x - x.max(axis, keepdims=True)
    return x - np.log(np.exp(x).sum(axis, keepdims=True))


def loss(name: str, f: Norm, slope: Norm, draw: Any = None, **mistakes: Any) -> Family:
    """Return the family of a function to one number; ``slope(x)`` times g is its gradient."""
    rules = {told: (lambda s: lambda g, x: g * s(x))(other) for told, other in mistakes.get("wrong", {}).items()}
    return Family(name, f, lambda g, x: g * slope(x), at(draw or normal(5, 7)), rules)


def sparsemax(x: Any) -> Any:
    ordered = np.sort(x, -1)[:, ::-1]
    k = np.arange(1, x.shape[-1] + 1)
    size = np.sum(1 + k * ordered > np.cumsum(ordered, -1), -1, keepdims=True)
    level = (np.take_along_axis(np.cumsum(ordered, -1), size - 1, -1) - 1) / size
    return np.maximum(x - level, 0)


def gaussian_nll(x: Any, s: Any) -> Any:
    return np.log(s) + x**2 / (2 * s**2)


def focal(x: Any) -> Any:
    p = softmax(x)
    return -np.sum(T * (1 - p) ** 2 * np.log(p))


def focal_slope(x: Any, changing: float = 1.0) -> Any:
    p = softmax(x)
    dp = -T * (-changing * 2 * (1 - p) * np.log(p) + (1 - p) ** 2 / p)
    return p * (dp - keep_sum(dp * p))


def dice(p: Any) -> Any:
    return 1 - 2 * np.sum(p * BINARY) / (np.sum(p) + np.sum(BINARY))


def triplet(x: Any) -> Any:
    """Return hinges of distances between rows 0 and 1 against rows 0 and 2 for triples of features."""
    return np.maximum(1 + (x[0] - x[1]) ** 2 - (x[0] - x[2]) ** 2, 0)


def triplet_backward(g: Any, x: Any, masked: bool = True) -> Any:
    h = g * (1 + (x[0] - x[1]) ** 2 > (x[0] - x[2]) ** 2) if masked else g
    near, far = 2 * h * (x[0] - x[1]), 2 * h * (x[0] - x[2])
    return np.stack([near - far, -near, far])


def contrast(a: Any, b: Any) -> Any:
    return -np.diag(logp(a @ b.T))


def contrast_backward(g: Any, a: Any, b: Any, axis: int = -1) -> Any:
    s = a @ b.T
    p = np.exp(s - s.max(axis, keepdims=True))
    d = g[:, None] * (p / p.sum(axis, keepdims=True) - np.eye(len(a)))
    return d @ b, d.T @ a


SOFTMAX = (
    Family(
        "softmax along axis 0",
        lambda x: softmax(x.T).T,
        lambda g, y, x: y * (g - keep_sum(g * y, 0)),
        at(normal(5, 7)),
        {
            ("along axis 1", "wrong-axis"): lambda g, y, x: y * (g - keep_sum(g * y)),
            ("coupling missing", "coupling-missing"): lambda g, y, x: g * y,
            ("mean for sum", "coupling-wrong"): lambda g, y, x: y * (g - keep_mean(g * y, 0)),
            ("outer y forgotten", "outer-missing"): lambda g, y, x: g - keep_sum(g * y, 0),
            ("sum of g alone", "coupling-wrong"): lambda g, y, x: y * (g - keep_sum(g, 0)),
        },
    ),
    Family(
        "softmax at temperature ½",
        lambda x: softmax(x / 0.5),
        lambda g, y, x: y * (g - keep_sum(g * y)) / 0.5,
        {"": [normal(5, 7)], ", large logits": [normal(5, 7, scale=100)]},
        {
            ("1/τ forgotten", "known-factor"): lambda g, y, x: y * (g - keep_sum(g * y)),
            ("coupling missing", "coupling-missing"): lambda g, y, x: y * g / 0.5,
            ("coupling with the wrong sign", "coupling-sign"): lambda g, y, x: y * (g + keep_sum(g * y)) / 0.5,
        },
    ),
    Family(
        "softmax of τ given",
        lambda x, t: softmax(x / t),
        lambda g, y, x, t: (y * (g - keep_sum(g * y)) / t, -np.sum(y * (g - keep_sum(g * y)) * x) / t**2),
        at(normal(5, 7), lambda _: np.array(7.0)),
        {
            ("1/τ forgotten", "known-factor"): lambda g, y, x, t: (
                y * (g - keep_sum(g * y)),
                -np.sum(y * (g - keep_sum(g * y)) * x) / t**2,
            ),
            ("τ not squared", "known-factor"): lambda g, y, x, t: (
                y * (g - keep_sum(g * y)) / t,
                -np.sum(y * (g - keep_sum(g * y)) * x) / t,
            ),
        },
    ),
    Family(
        "log-softmax along axis 0",
        lambda x: logp(x, 0),
        lambda g, y, x: g - np.exp(y) * keep_sum(g, 0),
        at(normal(5, 7)),
        {
            ("along axis 1", "wrong-axis"): lambda g, y, x: g - np.exp(y) * keep_sum(g),
            ("exp forgotten", "coupling-wrong"): lambda g, y, x: g - y * keep_sum(g, 0),
            ("coupling with the wrong sign", "coupling-sign"): lambda g, y, x: g + np.exp(y) * keep_sum(g, 0),
        },
    ),
    Family(
        "softmax under a mask",
        lambda x: softmax(np.where(FUTURE, -np.inf, x)),
        lambda g, y, x: y * (g - keep_sum(g * y)),
        at(normal(5, 5)),
        {
            ("mask forgotten", "unnamed"): lambda g, x: softmax(x) * (g - keep_sum(g * softmax(x))),
            ("coupling missing", "coupling-missing"): lambda g, y, x: y * g,
        },
    ),
    Family(
        "sparsemax",
        sparsemax,
        lambda g, y, x: (y > 0) * (g - keep_sum(g * (y > 0)) / keep_sum(1.0 * (y > 0))),
        at(normal(5, 7)),
        {
            ("mean over all", "unnamed"): lambda g, y, x: (y > 0) * (g - keep_mean(g * (y > 0))),
            ("support forgotten", "unnamed"): lambda g, y, x: g - keep_mean(g),
        },
    ),
    Family(
        "logsumexp of a column",
        lambda x: np.log(np.exp(x).sum(0)),
        lambda g, y, x: g * np.exp(x - y),
        at(normal(5, 7)),
        {
            ("softmax of the other axis", "unnamed"): lambda g, y, x: g * softmax(x),
            ("to all alike", "local-derivative-missing"): lambda g, y, x: g + 0 * x,
        },
    ),
    Family(
        "entropy of rows",
        lambda p: -(p * np.log(p)).sum(1),
        lambda g, p: -g[:, None] * (np.log(p) + 1),
        at(positive(5, 7)),
        {
            ("+1 forgotten", "term-missing"): lambda g, p: -g[:, None] * np.log(p),
            ("sign", "sign-flipped"): lambda g, p: g[:, None] * (np.log(p) + 1),
        },
    ),
)

LOSSES = (
    loss(
        "smoothed cross-entropy",
        lambda x: -np.sum(SMOOTH * logp(x)) / 5,
        lambda x: (softmax(x) - SMOOTH) / 5,
        wrong={
            ("smoothing forgotten", "unnamed"): lambda x: (softmax(x) - T) / 5,
            ("1/n forgotten", "mean-as-sum"): lambda x: softmax(x) - SMOOTH,
            ("divided by the classes too", "sum-as-mean"): lambda x: (softmax(x) - SMOOTH) / 35,
            ("softmax of the other axis", "unnamed"): lambda x: (softmax(x.T).T - SMOOTH) / 5,
        },
    ),
    loss(
        "weighted cross-entropy",
        lambda x: -np.sum(WEIGHTS * T * logp(x)) / np.sum(WEIGHTS * T),
        lambda x: keep_sum(WEIGHTS * T) * (softmax(x) - T) / np.sum(WEIGHTS * T),
        wrong={
            ("divided by n", "constant-factor"): lambda x: keep_sum(WEIGHTS * T) * (softmax(x) - T) / 5,
            ("weights forgotten", "scaled-rows"): lambda x: (softmax(x) - T) / 5,
        },
    ),
    loss(
        "cross-entropy, a row ignored",
        lambda x: -np.sum(KEPT * T * logp(x)) / 4,
        lambda x: KEPT * (softmax(x) - T) / 4,
        wrong={
            ("ignored row counted", "leak"): lambda x: (softmax(x) - T) / 4,
            ("divided by all", "n-minus-one"): lambda x: KEPT * (softmax(x) - T) / 5,
        },
    ),
    loss(
        "cross-entropy of huge logits",
        lambda x: -np.sum(T * logp(x)) / 5,
        lambda x: (softmax(x) - T) / 5,
        normal(5, 7, scale=1e3),
    ),
    loss(
        "perplexity",
        lambda x: np.exp(-np.sum(T * logp(x)) / 5),
        lambda x: np.exp(-np.sum(T * logp(x)) / 5) * (softmax(x) - T) / 5,
        wrong={
            ("exp forgotten", "known-factor"): lambda x: (softmax(x) - T) / 5,
        },
    ),
    loss(
        "binary cross-entropy of logits",
        lambda x: np.mean(np.logaddexp(0, x) - BINARY * x),
        lambda x: (sigmoid(x) - BINARY) / 35,
        wrong={
            ("sign", "sign-flipped"): lambda x: (BINARY - sigmoid(x)) / 35,
            ("targets forgotten", "term-missing"): lambda x: sigmoid(x) / 35,
            ("1/n forgotten", "mean-as-sum"): lambda x: sigmoid(x) - BINARY,
            ("σ′ applied too", "factor-extra"): lambda x: (sigmoid(x) - BINARY) * sigmoid(x) * sigmoid(-x) / 35,
            ("tanh for sigmoid", "unnamed"): lambda x: (np.tanh(x) - BINARY) / 35,
        },
    ),
    loss(
        "binary cross-entropy of probabilities",
        lambda p: -np.mean(BINARY * np.log(p) + (1 - BINARY) * np.log(1 - p)),
        lambda p: (p - BINARY) / (p * (1 - p)) / 35,
        between(0.05, 0.95),
        wrong={
            ("as if of logits", "factor-extra"): lambda p: (p - BINARY) / 35,
            ("second term's sign", "some-signs"): lambda p: -(BINARY / p + (1 - BINARY) / (1 - p)) / 35,
        },
    ),
    loss(
        "mean squared error",
        lambda x: np.mean((x - BINARY) ** 2),
        lambda x: 2 * (x - BINARY) / 35,
        wrong={
            ("1/n forgotten", "mean-as-sum"): lambda x: 2 * (x - BINARY),
            ("divided by the rows alone", "mean-as-sum"): lambda x: 2 * (x - BINARY) / 5,
            ("difference reversed", "sign-flipped"): lambda x: 2 * (BINARY - x) / 35,
            ("target forgotten", "term-missing"): lambda x: 2 * x / 35,
        },
    ),
    loss(
        "root mean squared error",
        lambda x: np.sqrt(np.mean((x - BINARY) ** 2)),
        lambda x: (x - BINARY) / 35 / np.sqrt(np.mean((x - BINARY) ** 2)),
        wrong={
            ("root forgotten", "known-factor"): lambda x: 2 * (x - BINARY) / 35,
        },
    ),
    loss(
        "mean absolute error",
        lambda x: np.mean(np.abs(x - BINARY)),
        lambda x: np.sign(x - BINARY) / 35,
        wrong={
            ("1/n forgotten", "mean-as-sum"): lambda x: np.sign(x - BINARY),
            ("squared instead", "factor-extra"): lambda x: 2 * (x - BINARY) / 35,
        },
    ),
    loss(
        "focal loss",
        focal,
        focal_slope,
        wrong={
            ("modulation constant", "scaled-rows"): lambda x: focal_slope(x, 0.0),
            ("plain cross-entropy", "scaled-rows"): lambda x: softmax(x) - T,
        },
    ),
    loss(
        "dice loss",
        dice,
        lambda p: (
            -2 * BINARY / (np.sum(p) + np.sum(BINARY)) + 2 * np.sum(p * BINARY) / (np.sum(p) + np.sum(BINARY)) ** 2
        ),
        between(0.05, 0.95),
        wrong={
            ("denominator constant", "path-dropped"): lambda p: -2 * BINARY / (np.sum(p) + np.sum(BINARY)),
            ("quotient rule's sign", "path-sign"): lambda p: (
                -2 * BINARY / (np.sum(p) + np.sum(BINARY)) - 2 * np.sum(p * BINARY) / (np.sum(p) + np.sum(BINARY)) ** 2
            ),
        },
    ),
    Family(
        "Gaussian likelihood",
        gaussian_nll,
        lambda g, x, s: (g * x / s**2, g * (1 / s - x**2 / s**3)),
        at(normal(5, 7), positive(5, 7)),
        {
            ("σ: first term forgotten", "term-missing"): lambda g, x, s: (g * x / s**2, -g * x**2 / s**3),
            ("x: σ not squared", "power-rule"): lambda g, x, s: (g * x / s, g * (1 / s - x**2 / s**3)),
            ("exchanged", "swapped-inputs"): lambda g, x, s: (g * (1 / s - x**2 / s**3), g * x / s**2),
        },
    ),
    Family(
        "Kullback–Leibler divergence",
        lambda p, q: keep_sum(p * np.log(p / q)),
        lambda g, p, q: (g * (np.log(p / q) + 1), -g * p / q),
        at(positive(5, 7), positive(5, 7)),
        {
            ("+1 forgotten", "term-missing"): lambda g, p, q: (g * np.log(p / q), -g * p / q),
            ("sign for q", "sign-flipped"): lambda g, p, q: (g * (np.log(p / q) + 1), g * p / q),
            ("p forgotten for q", "power-rule"): lambda g, p, q: (g * (np.log(p / q) + 1), -g / q),
        },
    ),
    Family(
        "triplet hinges",
        triplet,
        triplet_backward,
        at(put(normal(3, 7), 9.0, 14)),
        {
            ("mask forgotten", "leak"): lambda g, x: triplet_backward(g, x, False),
            ("anchor half", "some-scaled"): lambda g, x: triplet_backward(g, x) * np.array([0.5, 1, 1])[:, None],
        },
    ),
    Family(
        "contrastive rows",
        contrast,
        contrast_backward,
        at(normal(5, 3), normal(5, 3)),
        {
            ("softmax over columns", "unnamed"): lambda g, a, b: contrast_backward(g, a, b, 0),
            ("exchanged", "swapped-inputs"): lambda g, a, b: contrast_backward(g, a, b)[::-1],
        },
    ),
    loss(
        "variance as a regularizer",
        lambda x: x.var(0).sum(),
        lambda x: 2 * (x - keep_mean(x, 0)) / 5,
        wrong={
            ("n − 1", "n-minus-one"): lambda x: 2 * (x - keep_mean(x, 0)) / 4,
            ("mean forgotten", "mean-path-missing"): lambda x: 2 * x / 5,
        },
    ),
    loss(
        "total variation",
        lambda x: np.abs(np.diff(x, axis=0)).sum(),
        lambda x: (
            np.pad(np.sign(np.diff(x, axis=0)), ((1, 0), (0, 0)))
            - np.pad(np.sign(np.diff(x, axis=0)), ((0, 1), (0, 0)))
        ),
        put(normal(5, 7), 1.0, 3, 10, 17),
        wrong={
            ("one of two terms", "path-dropped"): lambda x: np.pad(np.sign(np.diff(x, axis=0)), ((1, 0), (0, 0))),
        },
    ),
    Family(
        "Poisson likelihood",
        lambda x: np.exp(x) - BINARY * x,
        lambda g, x: g * (np.exp(x) - BINARY),
        at(away_from_zero(5, 7)),
        {
            ("rate forgotten", "term-missing"): lambda g, x: g * (1 - BINARY),
            ("sign of the count", "term-missing"): lambda g, x: g * (np.exp(x) + BINARY),
        },
    ),
)

FAMILIES = (*NORMS, *SOFTMAX, *LOSSES)
