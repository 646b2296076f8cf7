"""Families of attention, recurrent cells, convolution, pooling and indexing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .case import keep_mean, keep_sum, normal, put, sigmoid, softmax
from .family import Family, at

Norm = Callable[..., Any]
QKV = (normal(5, 3), normal(5, 3), normal(5, 2))
FUTURE = np.triu(np.ones((5, 5), dtype=bool), 1)
NEARBY = np.abs(np.subtract.outer(np.arange(5), np.arange(5))) > 1
ALONE = np.array([[0], [0], [1], [0], [0]], dtype=bool) | np.zeros((5, 5), dtype=bool)
DROPPED = (np.arange(25).reshape(5, 5) % 4 > 0) / 0.75


def weights(s: Any, hidden: Any) -> Any:
    """Return a softmax that gives hidden entries, and rows of nothing else, the weight 0."""
    e = np.exp(np.where(hidden, -np.inf, s - s.max(-1, keepdims=True)))
    return e / np.maximum(keep_sum(e), 1e-300)


def masked(hidden: Any, kept: Any = 1.0) -> Norm:
    return lambda q, k, v: (kept * weights(q @ k.T / 3**0.5, hidden)) @ v


def masked_rule(hidden: Any, kept: Any = 1.0, ds: Norm | None = None, scale: float = 3**-0.5, seen: Any = None) -> Norm:
    """Return the backward pass of masked attention; ``ds(a, da)`` may be wrong, ``seen`` is what it masks instead."""

    def rule(g: Any, q: Any, k: Any, v: Any) -> Any:
        a = weights(q @ k.T / 3**0.5, hidden if seen is None else seen)
        da = kept * (g @ v.T)
        s = (a * (da - keep_sum(da * a)) if ds is None else ds(a, da)) * scale
        return s @ k, s.T @ q, (kept * a).T @ g

    return rule


def heads(q: Any, k: Any) -> Any:
    """Return the scores of two heads of three features each."""
    return np.einsum("ihd,jhd->hij", q.reshape(5, 2, 3), k.reshape(5, 2, 3))


def heads_rule(g: Any, q: Any, k: Any, order: str = "ihd") -> Any:
    return np.einsum(f"hij,jhd->{order}", g, k.reshape(5, 2, 3)).reshape(5, 6), np.einsum(
        "hij,ihd->jhd", g, q.reshape(5, 2, 3)
    ).reshape(5, 6)


def rotated(x: Any, sign: int = 1) -> Any:
    angle = sign * np.arange(1, 6)[:, None] * np.array([1.0, 0.1, 0.01])
    a, b = x[:, :3], x[:, 3:]
    return np.concatenate([a * np.cos(angle) - b * np.sin(angle), a * np.sin(angle) + b * np.cos(angle)], 1)


DISTANCE = np.subtract.outer(np.arange(5), np.arange(5)) + 4


def biased_rule(g: Any, x: Any, b: Any) -> Any:
    db = np.zeros(9)
    np.add.at(db, DISTANCE, g)
    return g, db


def biased_overwritten(g: Any, x: Any, b: Any) -> Any:
    db = np.zeros(9)
    db[DISTANCE] = g
    return g, db


def additive(q: Any, k: Any, v: Any) -> Any:
    return np.tanh(q[:, None] + k) @ v


def additive_rule(g: Any, q: Any, k: Any, v: Any, local: bool = True) -> Any:
    t = np.tanh(q[:, None] + k)
    h = g[..., None] * v * (1 - t * t if local else 1)
    return h.sum(1), h.sum(0), np.einsum("ij,ijd->d", g, t)


def linear_attention(q: Any, k: Any, v: Any) -> Any:
    a = np.exp(q) @ np.exp(k).T
    return a @ v / keep_sum(a)


def linear_rule(g: Any, q: Any, k: Any, v: Any, normalizer: float = 1.0) -> Any:
    a = np.exp(q) @ np.exp(k).T
    n = keep_sum(a)
    y = a @ v / n
    da = (g @ v.T - normalizer * keep_sum(g * y)) / n
    return (da @ np.exp(k)) * np.exp(q), (da.T @ np.exp(q)) * np.exp(k), (a / n).T @ g


ATTENTION = (
    Family(
        "causal attention",
        masked(FUTURE),
        masked_rule(FUTURE),
        at(*QKV),
        {
            ("mask forgotten", "wrong-entries"): masked_rule(FUTURE, seen=~np.ones((5, 5), dtype=bool)),
            ("scale forgotten", "root-of-size"): masked_rule(FUTURE, scale=1.0),
            ("divided by d", "root-of-size"): masked_rule(FUTURE, scale=1 / 3),
            ("coupling missing", "path-dropped"): masked_rule(FUTURE, ds=lambda a, da: a * da),
            ("weights forgotten", "unnamed"): masked_rule(FUTURE, ds=lambda a, da: da - keep_sum(da * a)),
        },
    ),
    Family(
        "attention to neighbors",
        masked(NEARBY),
        masked_rule(NEARBY),
        at(*QKV),
        {
            ("keys and values untransposed", "not-transposed"): lambda g, q, k, v: (
                lambda r: (r[0], r[1], weights(q @ k.T / 3**0.5, NEARBY) @ g)
            )(masked_rule(NEARBY)(g, q, k, v)),
        },
    ),
    Family("attention, one query sees nothing", masked(ALONE), masked_rule(ALONE), at(*QKV)),
    Family(
        "attention with dropped weights",
        masked(FUTURE, DROPPED),
        masked_rule(FUTURE, DROPPED),
        at(*QKV),
        {
            ("drops forgotten", "inner-derivative-missing"): masked_rule(FUTURE),
            ("drops not rescaled", "known-factor"): masked_rule(FUTURE, (DROPPED > 0) * 1.0),
        },
    ),
    Family(
        "attention of large scores",
        masked(FUTURE),
        masked_rule(FUTURE),
        at(normal(5, 3, scale=20), normal(5, 3, scale=20), normal(5, 2)),
    ),
    Family(
        "scores of two heads",
        heads,
        heads_rule,
        at(normal(5, 6), normal(5, 6)),
        {
            ("heads merged in the wrong order", "misplaced"): lambda g, q, k: heads_rule(g, q, k, "idh"),
            ("k's scores for q", "unnamed"): lambda g, q, k: heads_rule(g, k, q),
        },
    ),
    Family(
        "rotary positions",
        rotated,
        lambda g, x: rotated(g, -1),
        at(normal(5, 6)),
        {
            ("rotated again", "not-transposed"): lambda g, x: rotated(g),
            ("not rotated", "local-derivative-missing"): lambda g, x: g,
        },
    ),
    Family(
        "bias by distance",
        lambda x, b: x + b[DISTANCE],
        biased_rule,
        at(normal(5, 5), normal(9)),
        {
            ("overwritten", "contributions-overwritten"): biased_overwritten,
            ("runs backwards", "flipped"): lambda g, x, b: (g, biased_rule(g, x, b)[1][::-1]),
        },
    ),
    Family(
        "additive attention scores",
        additive,
        additive_rule,
        at(normal(5, 3), normal(4, 3), normal(3)),
        {
            ("tanh forgotten", "inner-derivative-missing"): lambda g, q, k, v: additive_rule(g, q, k, v, False),
        },
    ),
    Family(
        "linear attention",
        linear_attention,
        linear_rule,
        at(*QKV),
        {
            ("normalizer constant", "path-dropped"): lambda g, q, k, v: linear_rule(g, q, k, v, 0.0),
            ("normalizer's sign", "path-sign"): lambda g, q, k, v: linear_rule(g, q, k, v, -1.0),
        },
    ),
)


def rnn(x: Any, w: Any) -> Any:
    h, states = np.zeros(3), []
    for step in x:
        h = np.tanh(step + w @ h)
        states.append(h)
    return np.array(states)


def rnn_rule(g: Any, h: Any, x: Any, w: Any, back: Norm = lambda w, d: w.T @ d, keep: bool = True) -> Any:
    """Return backpropagation through time; ``back`` carries a step's gradient to the one before."""
    dx, dw, carried = np.zeros_like(x), np.zeros_like(w), np.zeros(3)
    for t in reversed(range(len(x))):
        d = (g[t] + carried) * (1 - h[t] ** 2)
        before = h[t - 1] if t else np.zeros(3)
        dx[t] = d
        dw = (dw if keep else 0) + np.outer(d, before)
        carried = back(w, d)
    return dx, dw


def gates(z: Any) -> Any:
    return sigmoid(z[:, :3]), sigmoid(z[:, 3:6]), sigmoid(z[:, 6:9]), np.tanh(z[:, 9:])


def lstm(z: Any, c: Any) -> Any:
    i, f, o, n = gates(z)
    return o * np.tanh(f * c + i * n)


def lstm_rule(g: Any, z: Any, c: Any, local: bool = True, order: Any = (0, 1, 2, 3), new: bool = False) -> Any:
    i, f, o, n = gates(z)
    t = np.tanh(f * c + i * n)
    d = g * o * (1 - t * t if local else 1)
    parts = (d * n * i * (1 - i), d * (t if new else c) * f * (1 - f), g * t * o * (1 - o), d * i * (1 - n * n))
    return np.concatenate([parts[k] for k in order], 1), d * f


def gru(z: Any, r: Any, h: Any) -> Any:
    return (1 - sigmoid(z)) * h + sigmoid(z) * np.tanh(sigmoid(r) * h)


def gru_rule(g: Any, z: Any, r: Any, h: Any, sign: int = 1, reset: float = 1.0, carry: float = 1.0) -> Any:
    u, s = sigmoid(z), sigmoid(r)
    n = np.tanh(s * h)
    d = g * u * (1 - n * n)
    return sign * g * (n - h) * u * (1 - u), d * h * s * (1 - s), carry * g * (1 - u) + reset * d * s


def recurrence(x: Any, a: Any) -> Any:
    out, h = [], np.zeros(x.shape[1])
    for step in x:
        h = a * h + step
        out.append(h)
    return np.array(out)


def recurrence_rule(g: Any, x: Any, a: Any, dx: Norm | None = None) -> Any:
    right = recurrence(g[::-1], a)[::-1]
    before = np.concatenate([np.zeros((1, x.shape[1])), recurrence(x, a)[:-1]])
    return right if dx is None else dx(g, a), np.sum(right * before)


def highway(x: Any, t: Any) -> Any:
    return sigmoid(t) * np.tanh(x) + (1 - sigmoid(t)) * x


def hmm(emission: Any) -> Any:
    """Return the log likelihood of a chain of three states with fixed transitions."""
    a = np.zeros(3)
    for step in emission:
        m = a.max()
        a = np.log(np.exp(a - m) @ CHAIN) + m + step
    return np.log(np.sum(np.exp(a)))


CHAIN = np.array([[0.7, 0.2, 0.1], [0.3, 0.5, 0.2], [0.2, 0.3, 0.5]])


def hmm_rule(g: Any, emission: Any, smoothed: bool = True) -> Any:
    ahead, behind = [], [np.ones(3)]
    a = np.ones(3)
    for step in emission:
        a = (a @ CHAIN) * np.exp(step)
        a = a / a.sum()
        ahead.append(a)
    for step in emission[:0:-1]:
        b = CHAIN @ (behind[-1] * np.exp(step))
        behind.append(b / b.sum())
    both = np.array(ahead) * (np.array(behind[::-1]) if smoothed else 1)
    return g * both / both.sum(1, keepdims=True)


def cumprod_rule(g: Any, y: Any, x: Any) -> Any:
    return np.flip(np.cumsum(np.flip(g * y, -1), -1), -1) / x


def cummax_rule(g: Any, y: Any, x: Any) -> Any:
    dx = np.zeros_like(x)
    for t in range(x.shape[1]):
        first = np.argmax(x[:, : t + 1], 1)
        dx[np.arange(len(x)), first] += g[:, t]
    return dx


RECURRENT = (
    Family(
        "tanh network in time",
        rnn,
        rnn_rule,
        at(normal(5, 3), normal(3, 3)),
        {
            ("past forgotten", "treated-as-elementwise"): lambda g, h, x, w: rnn_rule(g, h, x, w, lambda w, d: 0 * d),
            ("w not transposed", "unnamed"): lambda g, h, x, w: rnn_rule(g, h, x, w, lambda w, d: w @ d),
            ("weights overwritten", "zero"): lambda g, h, x, w: rnn_rule(g, h, x, w, keep=False),
            ("tanh forgotten", "zero"): lambda g, h, x, w: rnn_rule(g, 0 * h, x, w),
        },
    ),
    Family(
        "LSTM cell",
        lstm,
        lstm_rule,
        at(normal(5, 12), normal(5, 3)),
        {
            ("gates exchanged", "misplaced"): lambda g, z, c: lstm_rule(g, z, c, order=(1, 0, 2, 3)),
            ("tanh of the cell forgotten", "inner-derivative-missing"): lambda g, z, c: lstm_rule(g, z, c, local=False),
            ("new cell for the old", "inner-value"): lambda g, z, c: lstm_rule(g, z, c, new=True),
            ("cell gets nothing", "zero"): lambda g, z, c: (lstm_rule(g, z, c)[0], None),
        },
    ),
    Family(
        "GRU cell",
        gru,
        gru_rule,
        at(*[normal(5, 3)] * 3),
        {
            ("update gate's sign", "sign-flipped"): lambda g, z, r, h: gru_rule(g, z, r, h, sign=-1),
            ("reset path missing", "path-dropped"): lambda g, z, r, h: gru_rule(g, z, r, h, reset=0.0),
            ("carry missing", "term-missing"): lambda g, z, r, h: gru_rule(g, z, r, h, carry=0.0),
        },
    ),
    Family(
        "linear recurrence",
        recurrence,
        recurrence_rule,
        at(normal(5, 3), lambda _: np.array(0.9)),
        {
            ("not reversed", "not-transposed"): lambda g, x, a: recurrence_rule(g, x, a, lambda g, a: recurrence(g, a)),
            ("one step back alone", "path-dropped"): lambda g, x, a: recurrence_rule(
                g, x, a, lambda g, a: g + a * np.concatenate([g[1:], 0 * g[:1]])
            ),
            ("past forgotten", "treated-as-elementwise"): lambda g, x, a: recurrence_rule(g, x, a, lambda g, a: g),
        },
    ),
    Family(
        "highway gate",
        highway,
        lambda g, x, t: (
            g * (sigmoid(t) / np.cosh(x) ** 2 + 1 - sigmoid(t)),
            g * (np.tanh(x) - x) * sigmoid(t) * sigmoid(-t),
        ),
        at(normal(5, 7), normal(5, 7)),
        {
            ("carry missing", "term-missing"): lambda g, x, t: (
                g * sigmoid(t) / np.cosh(x) ** 2,
                g * (np.tanh(x) - x) * sigmoid(t) * sigmoid(-t),
            ),
            ("gate's sign", "sign-flipped"): lambda g, x, t: (
                g * (sigmoid(t) / np.cosh(x) ** 2 + 1 - sigmoid(t)),
                g * (x - np.tanh(x)) * sigmoid(t) * sigmoid(-t),
            ),
            ("carry whole", "term-missing"): lambda g, x, t: (
                g * (sigmoid(t) / np.cosh(x) ** 2 + 1 - sigmoid(t)) + g,
                g * (np.tanh(x) - x) * sigmoid(t) * sigmoid(-t),
            ),
        },
    ),
    Family(
        "hidden Markov chain",
        hmm,
        hmm_rule,
        at(normal(7, 3)),
        {
            ("filtered for smoothed", "wrong-entries"): lambda g, e: hmm_rule(g, e, False),
            ("softmax of the emissions", "wrong-entries"): lambda g, e: g * softmax(e),
        },
    ),
    Family(
        "cumulative product",
        lambda x: np.cumprod(x, -1),
        cumprod_rule,
        at(normal(3, 7)),
        {
            ("not reversed", "unnamed"): lambda g, y, x: np.cumsum(g * y, -1) / x,
            ("own output alone", "treated-as-elementwise"): lambda g, y, x: g * y / x,
        },
    ),
    Family(
        "cumulative maximum",
        lambda x: np.maximum.accumulate(x, -1),
        cummax_rule,
        at(normal(3, 7)),
        {
            ("to itself alone", "treated-as-elementwise"): lambda g, y, x: g * (x == y),
            ("to all before", "leak"): lambda g, y, x: np.flip(np.cumsum(np.flip(g, -1), -1), -1),
        },
    ),
)


def same(x: Any, w: Any) -> Any:
    """Return the cross-correlation of rows with three weights, as long as the rows."""
    wide = np.pad(x, ((0, 0), (1, 1)))
    return wide[:, :-2] * w[0] + wide[:, 1:-1] * w[1] + wide[:, 2:] * w[2]


def same_dw(g: Any, x: Any) -> Any:
    wide = np.pad(x, ((0, 0), (1, 1)))
    return np.array([np.sum(g * wide[:, k : k + 7]) for k in range(3)])


def channels(x: Any, w: Any) -> Any:
    """Return a 1-d convolution of (batch, channels, time) with (out, channels, 3)."""
    return np.einsum("nctk,ock->not", np.lib.stride_tricks.sliding_window_view(x, 3, axis=2), w)


def channels_rule(g: Any, x: Any, w: Any, flip: bool = True, dw: Norm | None = None) -> Any:
    windows = np.lib.stride_tricks.sliding_window_view(x, 3, axis=2)
    wide = np.lib.stride_tricks.sliding_window_view(np.pad(g, ((0, 0), (0, 0), (2, 2))), 3, axis=2)
    dx = np.einsum("notk,ock->nct", wide, w[..., ::-1] if flip else w)
    right = np.einsum("not,nctk->ock", g, windows)
    return dx, right if dw is None else dw(right)


ROWS_2D = np.arange(16).reshape(4, 4)
PATCHES = np.lib.stride_tricks.sliding_window_view(ROWS_2D, (2, 2)).reshape(9, 4)


def image(x: Any, w: Any) -> Any:
    return x.reshape(-1)[PATCHES] @ w


def image_rule(g: Any, x: Any, w: Any, add: bool = True) -> Any:
    dx = np.zeros(16)
    sent = g[:, None] * w
    if add:
        np.add.at(dx, PATCHES, sent)
    else:
        dx[PATCHES] = sent
    return dx.reshape(4, 4), x.reshape(-1)[PATCHES].T @ g


def strided(x: Any, w: Any) -> Any:
    return np.lib.stride_tricks.sliding_window_view(x, 3)[::2] @ w


def strided_rule(g: Any, x: Any, w: Any, step: int = 2) -> Any:
    dx = np.zeros_like(x)
    for t, sent in enumerate(g):
        dx[step * t : step * t + 3] += sent * w
    return dx, np.lib.stride_tricks.sliding_window_view(x, 3)[::2].T @ g


def blocks(x: Any) -> Any:
    """Return (3, 5, 4): the four entries of every 2 × 2 block of (6, 10)."""
    return x.reshape(3, 2, 5, 2).transpose(0, 2, 1, 3).reshape(3, 5, 4)


def unblocks(v: Any) -> Any:
    return v.reshape(3, 5, 2, 2).transpose(0, 2, 1, 3).reshape(6, 10)


def pool_rule(share: Norm) -> Norm:
    """Return the backward pass of a pool; ``share(blocks)`` says which share each entry gets."""
    return lambda g, x: unblocks(g[..., None] * share(blocks(x)))


def top(b: Any) -> Any:
    return b == b.max(-1, keepdims=True)


def first_top(b: Any) -> Any:
    return np.arange(4) == np.argmax(b, -1)[..., None]


def overlapping(x: Any) -> Any:
    return np.lib.stride_tricks.sliding_window_view(x, 3).max(-1)


def overlapping_rule(g: Any, x: Any, add: bool = True) -> Any:
    dx = np.zeros_like(x)
    for t, sent in enumerate(g):
        where = t + int(np.argmax(x[t : t + 3]))
        dx[where] = sent + (dx[where] if add else 0)
    return dx


def shuffled(x: Any) -> Any:
    return x.reshape(2, 2, 3, 5).transpose(2, 0, 3, 1).reshape(6, 10)


SEGMENT = np.array([0, 1, 0, 2, 0, 1, 1])


def segment_mean(x: Any) -> Any:
    out = np.zeros((3, x.shape[1]))
    np.add.at(out, SEGMENT, x)
    return out / np.bincount(SEGMENT)[:, None]


def frames_rule(add: bool = True) -> Norm:
    def rule(g: Any, x: Any) -> Any:
        dx = np.zeros_like(x)
        for t, sent in enumerate(g):
            dx[t : t + 3] = sent + (dx[t : t + 3] if add else 0)
        return dx

    return rule


def edges_rule(g: Any, x: Any) -> Any:
    dx = g[:, 2:-2].copy()
    dx[:, 0] += g[:, :2].sum(1)
    dx[:, -1] += g[:, -2:].sum(1)
    return dx


def reflected_rule(g: Any, x: Any) -> Any:
    dx = g[:, 2:-2].copy()
    dx[:, 1:3] += g[:, 1::-1]
    dx[:, -3:-1] += g[:, :-3:-1]
    return dx


def spectrum_product(x: Any, w: Any) -> Any:
    return np.fft.ifft(np.fft.fft(x) * np.fft.fft(w)).real


def correlated(g: Any, w: Any) -> Any:
    return np.fft.ifft(np.fft.fft(g) * np.conj(np.fft.fft(w))).real


CONVOLUTION = (
    Family(
        "convolution of the same length",
        same,
        lambda g, x, w: (same(g, w[::-1]), same_dw(g, x)),
        at(normal(3, 7), normal(3)),
        {
            ("kernel not flipped", "not-transposed"): lambda g, x, w: (same(g, w), same_dw(g, x)),
            ("kernel gradient flipped", "flipped"): lambda g, x, w: (same(g, w[::-1]), same_dw(g, x)[::-1]),
            ("kernel gradient averaged", "sum-as-mean"): lambda g, x, w: (same(g, w[::-1]), same_dw(g, x) / 3),
            ("first row alone", "contributions-overwritten"): lambda g, x, w: (same(g, w[::-1]), same_dw(g[:1], x[:1])),
        },
    ),
    Family(
        "convolution with channels",
        channels,
        channels_rule,
        at(normal(2, 3, 7), normal(4, 3, 3)),
        {
            ("kernel not flipped", "wrong-entries"): lambda g, x, w: channels_rule(g, x, w, False),
            ("channels exchanged", "flipped"): lambda g, x, w: channels_rule(g, x, w, True, lambda d: d[:, ::-1]),
            ("divided by the batch", "sum-as-mean"): lambda g, x, w: channels_rule(g, x, w, True, lambda d: d / 2),
        },
    ),
    Family(
        "convolution by patches",
        image,
        image_rule,
        at(normal(4, 4), normal(4)),
        {
            ("overwritten", "path-dropped"): lambda g, x, w: image_rule(g, x, w, False),
            ("weights forgotten", "local-derivative-missing"): lambda g, x, w: (
                image_rule(g, x, np.ones(4))[0],
                image_rule(g, x, w)[1],
            ),
        },
    ),
    Family(
        "convolution by strides of two",
        strided,
        strided_rule,
        at(normal(7), normal(3)),
        {
            ("stride forgotten", "wrong-entries"): lambda g, x, w: strided_rule(g, x, w, 1),
            ("kernel flipped", "wrong-entries"): lambda g, x, w: strided_rule(g, x, w[::-1]),
        },
    ),
    Family(
        "transposed convolution",
        lambda x, w: np.convolve(x, w),
        lambda g, x, w: (np.correlate(g, w, "valid"), np.correlate(g, x, "valid")),
        at(normal(7), normal(3)),
        {
            ("convolved again", "inner-value"): lambda g, x, w: (
                np.convolve(g, w, "valid"),
                np.correlate(g, x, "valid"),
            ),
            ("both flipped", "flipped"): lambda g, x, w: (
                np.correlate(g, w, "valid")[::-1],
                np.correlate(g, x, "valid")[::-1],
            ),
        },
    ),
    Family(
        "circular convolution by FFT",
        spectrum_product,
        lambda g, x, w: (correlated(g, w), correlated(g, x)),
        at(normal(7), normal(7)),
        {
            ("not conjugated", "not-transposed"): lambda g, x, w: (spectrum_product(g, w), correlated(g, x)),
            ("divided by n", "sum-as-mean"): lambda g, x, w: (correlated(g, w) / 7, correlated(g, x) / 7),
        },
    ),
    Family(
        "max pool",
        lambda x: blocks(x).max(-1),
        pool_rule(top),
        at(normal(6, 10)),
        {
            ("to the whole window", "leak"): pool_rule(lambda b: 1 + 0 * b),
            ("a quarter to each", "wrong-entries"): pool_rule(lambda b: 0.25 + 0 * b),
            ("sign", "sign-flipped"): pool_rule(lambda b: -1.0 * top(b)),
            ("to the least", "wrong-entries"): pool_rule(lambda b: b == b.min(-1, keepdims=True)),
        },
    ),
    Family(
        "max pool with ties",
        lambda x: blocks(x).max(-1),
        pool_rule(first_top),
        at(put(normal(6, 10), 4.0, 0, 1, 10, 24, 25)),
        {
            ("to every tie", "gradient-to-every-tie"): pool_rule(lambda b: 1.0 * top(b)),
            ("sign", "sign-flipped"): pool_rule(lambda b: -1.0 * first_top(b)),
            ("halved", "half"): pool_rule(lambda b: 0.5 * first_top(b)),
        },
    ),
    Family(
        "maximum of columns with ties",
        lambda x: x.max(1),
        lambda g, x: g[:, None] * top(x) / top(x).sum(1, keepdims=True),
        at(put(normal(5, 7), 4.0, 0, 1, 2, 15, 16)),
        {
            ("to every tie", "gradient-to-every-tie"): lambda g, x: g[:, None] * top(x),
        },
    ),
    Family(
        "average pool",
        lambda x: blocks(x).mean(-1),
        pool_rule(lambda b: 0.25 + 0 * b),
        at(normal(6, 10)),
        {
            ("¼ forgotten", "scale-missing"): pool_rule(lambda b: 1 + 0 * b),
            ("to the largest alone", "wrong-entries"): pool_rule(top),
            ("to the corner alone", "wrong-entries"): pool_rule(lambda b: np.arange(4) == 0),
        },
    ),
    Family(
        "pool by the root of squares",
        lambda x: np.sqrt((blocks(x) ** 2).sum(-1)),
        lambda g, y, x: unblocks((g / y)[..., None] * blocks(x)),
        at(normal(6, 10)),
        {
            ("division forgotten", "factor-extra"): lambda g, y, x: unblocks(g[..., None] * blocks(x)),
        },
    ),
    Family(
        "overlapping max pool",
        overlapping,
        overlapping_rule,
        at(normal(11)),
        {
            ("overwritten", "contributions-overwritten"): lambda g, x: overlapping_rule(g, x, False),
            ("at the window's start", "wrong-entries"): lambda g, x: np.concatenate([g, [0, 0]]),
        },
    ),
    Family(
        "upsampling by repetition",
        lambda x: np.repeat(x, 3, 1),
        lambda g, x: g.reshape(5, 7, 3).sum(2),
        at(normal(5, 7)),
        {
            ("first copy alone", "contributions-overwritten"): lambda g, x: g[:, ::3],
            ("averaged", "sum-as-mean"): lambda g, x: g.reshape(5, 7, 3).mean(2),
            ("as if tiled", "wrong-entries"): lambda g, x: g.reshape(5, 3, 7).sum(1),
        },
    ),
    Family(
        "pixel shuffle",
        shuffled,
        lambda g, x: g.reshape(3, 2, 5, 2).transpose(1, 3, 0, 2).reshape(4, 15),
        at(normal(4, 15)),
        {
            ("in another order", "misplaced"): lambda g, x: g.reshape(3, 2, 5, 2).transpose(3, 1, 0, 2).reshape(4, 15),
            ("merely reshaped", "misplaced"): lambda g, x: g.reshape(4, 15),
        },
    ),
    Family(
        "mean by segments",
        segment_mean,
        lambda g, x: (g / np.bincount(SEGMENT)[:, None])[SEGMENT],
        at(normal(7, 5)),
        {
            ("counts forgotten", "some-scaled"): lambda g, x: g[SEGMENT],
            ("divided by all", "scaled-rows"): lambda g, x: g[SEGMENT] / 7,
        },
    ),
    Family(
        "overlapping frames",
        lambda x: np.lib.stride_tricks.sliding_window_view(x, 3),
        frames_rule(),
        at(normal(7)),
        {
            ("overwritten", "contributions-overwritten"): frames_rule(False),
            ("counts divided out", "scaled-rows"): lambda g, x: frames_rule()(g, x) / np.array([1, 2, 3, 3, 3, 2, 1]),
        },
    ),
    Family(
        "padding with the edges",
        lambda x: np.pad(x, ((0, 0), (2, 2)), mode="edge"),
        edges_rule,
        at(normal(3, 7)),
        {
            ("cropped", "contributions-overwritten"): lambda g, x: g[:, 2:-2],
        },
    ),
    Family(
        "padding by reflection",
        lambda x: np.pad(x, ((0, 0), (2, 2)), mode="reflect"),
        reflected_rule,
        at(normal(3, 7)),
        {
            ("cropped", "contributions-overwritten"): lambda g, x: g[:, 2:-2],
            ("as if with the edges", "wrong-entries"): lambda g, x: edges_rule(g, x),
        },
    ),
    Family(
        "an image's mean",
        lambda x: x.mean((1, 2)),
        lambda g, x: np.broadcast_to(g[:, None, None] / 15, x.shape),
        at(normal(2, 3, 5)),
        {
            ("mean over one axis", "mean-as-sum"): lambda g, x: np.broadcast_to(g[:, None, None] / 5, x.shape),
            ("kept small", "not-broadcast-back"): lambda g, x: g[:, None, None] / 15,
            ("over the batch too", "sum-as-mean"): lambda g, x: np.broadcast_to(g[:, None, None] / 30, x.shape),
        },
    ),
    Family(
        "centering, then a mean of squares",
        lambda x: ((x - keep_mean(x)) ** 2).mean(1),
        lambda g, x: 2 * g[:, None] * (x - keep_mean(x)) / 7,
        at(normal(5, 7)),
        {
            ("1/n forgotten", "mean-as-sum"): lambda g, x: 2 * g[:, None] * (x - keep_mean(x)),
            ("centering forgotten", "mean-path-missing"): lambda g, x: 2 * g[:, None] * x / 7,
        },
    ),
)

FAMILIES = (*ATTENTION, *RECURRENT, *CONVOLUTION)
