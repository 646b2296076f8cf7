"""Families of what is written by hand in courses, step by step: layers with their weights, losses of whole models."""

from __future__ import annotations

from typing import Any

import numpy as np

from .case import keep_sum, normal, put, sigmoid, softmax
from .elementwise import between
from .family import Family, at, slopes

EPS = 1e-5
LABELS = np.array([1, 0, 2, 2, 1])
ONE_HOT = np.eye(3)[LABELS]


def classes(*_: Any) -> Any:
    """Return a drawer of five labels of three classes."""
    return lambda rng: rng.integers(0, 3, 5)


def staged_norm(x: Any, gamma: Any, beta: Any) -> Any:
    """Return the batch norm of an assignment, in stages."""
    xmu = x - x.mean(0)
    return gamma * (xmu / np.sqrt((xmu**2).mean(0) + EPS)) + beta


def staged_norm_rule(g: Any, x: Any, gamma: Any, beta: Any, **slip: Any) -> Any:
    n = len(x)
    xmu = x - x.mean(0)
    var = (xmu**2).mean(0)
    sqrtvar = np.sqrt(var + EPS)
    ivar = 1 / sqrtvar
    dgamma, dxhat = (g * xmu * ivar).sum(0), g * gamma
    divar = (dxhat * xmu).sum(0)
    dxmu = dxhat * ivar
    dsqrtvar = -divar / (sqrtvar ** slip.get("power", 2))
    dvar = slip.get("half", 0.5) * dsqrtvar / sqrtvar
    dsq = np.ones_like(x) / slip.get("count", n) * dvar
    dxmu = dxmu + slip.get("two", 2) * xmu * dsq if slip.get("add", True) else 2 * xmu * dsq
    dmu = -dxmu.sum(0) * slip.get("minus", 1)
    dx = dxmu + slip.get("mean", 1 / n) * dmu
    return dx, slip.get("dgamma", dgamma), g.sum(0)


def network(x: Any, w: Any, b: Any, v: Any) -> Any:
    """Return a network with one hidden layer of relu."""
    return np.maximum(x @ w + b, 0) @ v


def network_rule(g: Any, x: Any, w: Any, b: Any, v: Any, **slip: Any) -> Any:
    h = x @ w + b
    a = np.maximum(h, 0)
    dh = (g @ v.T) * (slip["mask"](x, h, g @ v.T) if "mask" in slip else h > 0)
    db = dh.sum(0) if "db" not in slip else slip["db"](dh)
    return dh @ w.T, x.T @ dh, db, (h if slip.get("before") else a).T @ g


def svm_loss(x: Any, w: Any, y: Any) -> Any:
    """Return the hinge loss of several classes, averaged, with a penalty on the weights."""
    s = x @ w
    margins = np.maximum(0, s - s[np.arange(len(y)), y][:, None] + 1)
    margins[np.arange(len(y)), y] = 0
    return margins.sum() / len(y) + 0.5 * (w * w).sum()


def svm_rule(g: Any, x: Any, w: Any, y: Any, penalty: float = 1.0, correct: bool = True, mean: bool = True) -> Any:
    s, rows = x @ w, np.arange(len(y))
    d = (s - s[rows, y][:, None] + 1 > 0).astype(float)
    d[rows, y] = 0
    if correct:
        d[rows, y] = -d.sum(1)
    d = d * g / (len(y) if mean else 1)
    return d @ w.T, x.T @ d + penalty * g * w


def softmax_loss(x: Any, w: Any, b: Any, y: Any) -> Any:
    """Return the cross-entropy of a linear classifier."""
    s = x @ w + b
    s = s - s.max(1, keepdims=True)
    return (np.log(np.exp(s).sum(1)) - s[np.arange(len(y)), y]).mean()


def softmax_rule(g: Any, x: Any, w: Any, b: Any, y: Any, **slip: Any) -> Any:
    p = softmax(x @ w + b)
    d = p.copy()
    d[np.arange(len(y)), y] -= slip.get("one", 1)
    if "also" in slip:
        d = p * (d - keep_sum(d * p))
    d = d * g / slip.get("count", len(y))
    return d @ w.T, x.T @ d, d.sum(0) if slip.get("sum", True) else d.mean(0)


def logistic_loss(x: Any, w: Any) -> Any:
    """Return the loss of a logistic regression with labels ±1 by the parity of the row."""
    return np.log1p(np.exp(-SIGNS * (x @ w))).sum() + 0.1 * (w @ w)


SIGNS = np.array([1.0, -1.0, 1.0, 1.0, -1.0])


def logistic_rule(g: Any, x: Any, w: Any, inside: float = -1.0, penalty: float = 0.2) -> Any:
    d = -g * SIGNS * sigmoid(inside * SIGNS * (x @ w))
    return d[:, None] * w, x.T @ d + penalty * g * w


def projected_attention(x: Any, wq: Any, wk: Any, wv: Any) -> Any:
    """Return self-attention with its projections."""
    q, k, v = x @ wq, x @ wk, x @ wv
    return softmax(q @ k.T / np.sqrt(2)) @ v


def projected_attention_rule(g: Any, x: Any, wq: Any, wk: Any, wv: Any, **slip: Any) -> Any:
    q, k, v = x @ wq, x @ wk, x @ wv
    a = softmax(q @ k.T / np.sqrt(2))
    da, dv = g @ v.T, a.T @ g
    ds = a * (da - (0 if slip.get("uncoupled") else keep_sum(da * a))) / np.sqrt(slip.get("d", 2))
    if slip.get("columns"):
        ds = a * (da - (da * a).sum(0)) / np.sqrt(2)
    dq, dk = ds @ k, (ds if slip.get("untransposed") else ds.T) @ q
    paths = [dq @ wq.T, dk @ wk.T, dv @ wv.T]
    return sum(p for i, p in enumerate(paths) if i not in slip.get("lost", ())), x.T @ dq, x.T @ dk, x.T @ dv


def cross_attention(q: Any, k: Any, v: Any) -> Any:
    """Return attention of queries to another sequence, by cosine."""
    return softmax(3 * unit(q) @ unit(k).T) @ v


def unit(x: Any) -> Any:
    return x / np.sqrt(keep_sum(x * x))


def unit_rule(g: Any, x: Any) -> Any:
    r = np.sqrt(keep_sum(x * x))
    return (g - unit(x) * keep_sum(g * unit(x))) / r


def cross_attention_rule(g: Any, q: Any, k: Any, v: Any, normalized: bool = True, scale: float = 3.0) -> Any:
    a = softmax(3 * unit(q) @ unit(k).T)
    da = g @ v.T
    ds = scale * a * (da - keep_sum(da * a))
    dq, dk = ds @ unit(k), ds.T @ unit(q)
    return (unit_rule(dq, q) if normalized else dq), unit_rule(dk, k), a.T @ g


def gated(x: Any, w: Any, v: Any) -> Any:
    """Return a gated linear unit."""
    return (x @ w) * sigmoid(x @ v)


def gated_rule(g: Any, x: Any, w: Any, v: Any, **slip: Any) -> Any:
    s = sigmoid(x @ v)
    du, dz = g * s, g * (x @ w) * s * (1 - s if slip.get("complement", True) else 1)
    return du @ w.T + (dz @ v.T if slip.get("gate", True) else 0), x.T @ du, x.T @ dz


def squeeze(x: Any, w: Any) -> Any:
    """Return channels scaled by a gate that is made of their means."""
    return x * sigmoid(x.mean(2) @ w)[:, :, None]


def squeeze_rule(g: Any, x: Any, w: Any, through_gate: bool = True, mean: bool = True) -> Any:
    m = x.mean(2)
    s = sigmoid(m @ w)
    dz = (g * x).sum(2) * s * (1 - s)
    back = (dz @ w.T)[:, :, None] / (x.shape[2] if mean else 1)
    return g * s[:, :, None] + (back if through_gate else 0), m.T @ dz


def maxout(x: Any, w: Any) -> Any:
    """Return the largest of three linear maps."""
    return np.einsum("ni,kio->kno", x, w).max(0)


def maxout_rule(g: Any, x: Any, w: Any, chosen: bool = True) -> Any:
    z = np.einsum("ni,kio->kno", x, w)
    d = (z == z.max(0)) * g if chosen else np.broadcast_to(g / len(w), z.shape)
    return np.einsum("kno,kio->ni", d, w), np.einsum("kno,ni->kio", d, x)


def embedded(table: Any, i: Any) -> Any:
    """Return the mean of the rows of a table, for every bag of indices."""
    return table[i].mean(1)


def embedded_rule(g: Any, table: Any, i: Any, add: bool = True, mean: bool = True) -> Any:
    d = np.zeros_like(table)
    parts = np.repeat(g[:, None] / (i.shape[1] if mean else 1), i.shape[1], axis=1)
    if add:
        np.add.at(d, i, parts)
    else:
        d[i] = parts
    return d


def image_convolution(x: Any, w: Any) -> Any:
    """Return images (n, h, w) convolved with a kernel (3, 3), padded with zeros."""
    p = np.pad(x, ((0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(p, (3, 3), axis=(1, 2))
    return np.einsum("nijab,ab->nij", windows, w)


def image_convolution_rule(g: Any, x: Any, w: Any, turned: bool = True, padded: bool = True) -> Any:
    p = np.pad(x, ((0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(p, (3, 3), axis=(1, 2))
    dx = image_convolution(g, w[::-1, ::-1] if turned else w)
    if not padded:
        dx[:, [0, -1]] = 0
    return dx, np.einsum("nij,nijab->ab", g, windows)


def depthwise(x: Any, w: Any) -> Any:
    """Return every channel convolved in time with a kernel of its own, looking back only."""
    p = np.pad(x, ((2, 0), (0, 0)))
    return sum(w[j] * p[j : j + len(x)] for j in range(3))


def depthwise_rule(g: Any, x: Any, w: Any, ahead: bool = True, per_channel: bool = True) -> Any:
    p, q = np.pad(x, ((2, 0), (0, 0))), np.pad(g, ((0, 2), (0, 0)) if ahead else ((2, 0), (0, 0)))
    order = (2, 1, 0) if ahead else (0, 1, 2)
    dx = sum(w[j] * q[order[j] : order[j] + len(x)] for j in range(3))
    dw = np.stack([(g * p[j : j + len(x)]).sum(0) for j in range(3)])
    return dx, dw if per_channel else np.broadcast_to(dw.mean(1, keepdims=True), dw.shape)


def recurrent_loss(x: Any, w: Any, u: Any) -> Any:
    """Return the sum over time of squared states of a network in time."""
    h, total = np.zeros(len(w)), 0.0
    for row in x:
        h = np.tanh(row @ u + h @ w)
        total = total + (h * h).sum()
    return total


def recurrent_rule(g: Any, x: Any, w: Any, u: Any, **slip: Any) -> Any:
    states = [np.zeros(len(w))]
    for row in x:
        states.append(np.tanh(row @ u + states[-1] @ w))
    dx, dw, du, dh = np.zeros_like(x), np.zeros_like(w), np.zeros_like(u), np.zeros(len(w))
    for t in reversed(range(len(x))):
        dh = dh + 2 * g * states[t + 1] if slip.get("add", True) else 2 * g * states[t + 1]
        dz = dh * (1 - states[t + 1] ** 2)
        dx[t] = u @ dz
        dw = dw + np.outer(states[t + (1 if slip.get("late") else 0)], dz)
        du = du + np.outer(x[t], dz)
        dh = (w.T if slip.get("untransposed") else w) @ dz
        if slip.get("truncated") and t == 2:
            dh = 0 * dh
    return dx, dw, du


def whitened(x: Any, a: Any) -> Any:
    """Return half the squared length of the data, whitened by a matrix a aᵀ + 1."""
    return 0.5 * np.sum(x * np.linalg.solve(a @ a.T + np.eye(3), x.T).T)


def whitened_rule(g: Any, x: Any, a: Any, both: bool = True) -> Any:
    s = np.linalg.solve(a @ a.T + np.eye(3), x.T)
    m = -0.5 * g * s @ s.T
    return g * s.T, (m + m.T) @ a if both else m @ a


def evidence(k: Any, y: Any) -> Any:
    """Return the log likelihood of a Gaussian process, but for constants."""
    s = (k + k.T) / 2 + 4 * np.eye(len(y))
    return -0.5 * y @ np.linalg.solve(s, y) - 0.5 * np.linalg.slogdet(s)[1]


def evidence_rule(g: Any, k: Any, y: Any, determinant: bool = True, sign: float = 1.0) -> Any:
    s = (k + k.T) / 2 + 4 * np.eye(len(y))
    a = np.linalg.solve(s, y)
    return 0.5 * g * (sign * np.outer(a, a) - (np.linalg.inv(s) if determinant else 0)), -g * a


def exponential(x: Any, terms: int = 30) -> Any:
    """Return the matrix exponential by its series."""
    total = term = np.eye(len(x))
    for k in range(1, terms):
        term = term @ x / k
        total = total + term
    return total


def exponential_rule(g: Any, x: Any) -> Any:
    n = len(x)
    return exponential(np.block([[x.T, g], [np.zeros((n, n)), x.T]]))[:n, n:]


def rayleigh(a: Any, v: Any) -> Any:
    """Return the Rayleigh quotient."""
    return v @ a @ v / (v @ v)


def rayleigh_rule(g: Any, y: Any, a: Any, v: Any, quotient: bool = True, both: bool = True) -> Any:
    n = v @ v
    av = (a + a.T) @ v if both else a @ v
    return g * np.outer(v, v) / n, g * (av - (2 * y * v if quotient else 0)) / n


def power_iterated(a: Any) -> Any:
    """Return the length after three steps with a matrix, from ones."""
    v = np.ones(len(a))
    for _ in range(3):
        v = a @ v
    return np.sqrt(v @ v)


def power_iterated_rule(g: Any, a: Any, steps: int = 3) -> Any:
    vs = [np.ones(len(a))]
    for _ in range(3):
        vs.append(a @ vs[-1])
    d, out = g * vs[-1] / np.sqrt(vs[-1] @ vs[-1]), np.zeros_like(a)
    for t in reversed(range(3 - steps, 3)):
        out += np.outer(d, vs[t])
        d = a.T @ d
    return out


def low_pass(x: Any) -> Any:
    """Return the rows with their high frequencies taken away."""
    f = np.fft.rfft(x)
    f[:, 3:] = 0
    return np.fft.irfft(f, x.shape[1])


def log_spectrum(x: Any) -> Any:
    return np.log(np.abs(np.fft.fft(x)) ** 2)


def log_spectrum_rule(g: Any, x: Any, factor: float = 2.0, conjugate: bool = False) -> Any:
    f = np.fft.fft(x)
    d = g / f if conjugate else g / np.conj(f)
    return factor * np.real(np.fft.ifft(d)) * x.shape[-1]


def soft_place(x: Any) -> Any:
    """Return the expected place under a softmax."""
    return softmax(x) @ np.arange(7.0)


def bilinear(image: Any, x: Any, y: Any) -> Any:
    """Return an image between its pixels."""
    i, j = np.floor(x).astype(int), np.floor(y).astype(int)
    a, b = x - i, y - j
    low, high = image[i, j] * (1 - b) + image[i, j + 1] * b, image[i + 1, j] * (1 - b) + image[i + 1, j + 1] * b
    return low * (1 - a) + high * a


def bilinear_rule(g: Any, image: Any, x: Any, y: Any, add: bool = True, sign: float = 1.0) -> Any:
    i, j = np.floor(x).astype(int), np.floor(y).astype(int)
    a, b = x - i, y - j
    d = np.zeros_like(image)
    for di, wi in ((0, 1 - a), (1, a)):
        for dj, wj in ((0, 1 - b), (1, b)):
            if add:
                np.add.at(d, (i + di, j + dj), g * wi * wj)
            else:
                d[i + di, j + dj] += g * wi * wj
    dx = (image[i + 1, j] - image[i, j]) * (1 - b) + (image[i + 1, j + 1] - image[i, j + 1]) * b
    dy = (image[i, j + 1] - image[i, j]) * (1 - a) + sign * (image[i + 1, j + 1] - image[i + 1, j]) * a
    return d, g * dx, g * dy


def kernel_matrix(x: Any, length: Any) -> Any:
    """Return Gaussian kernels between all pairs of rows."""
    return np.exp(-0.5 * ((x[:, None] - x) ** 2).sum(-1) / length**2)


def kernel_matrix_rule(g: Any, y: Any, x: Any, length: Any, both: bool = True, power: int = 3) -> Any:
    d = x[:, None] - x
    w = -(g * y)[:, :, None] * d / length**2
    dx = w.sum(1) - (w.sum(0) if both else 0)
    return dx, np.sum(g * y * (d**2).sum(-1)) / length**power


def negative_sampling(u: Any, v: Any) -> Any:
    """Return the loss of one true pair against the others of the batch."""
    s = u @ v.T
    t = np.where(np.eye(len(u)) > 0, 1.0, -1.0)
    return np.log1p(np.exp(-t * s)).sum()


def negative_sampling_rule(g: Any, u: Any, v: Any, negatives: bool = True) -> Any:
    s = u @ v.T
    d = g * (sigmoid(s) - np.eye(len(u)))
    d = d if negatives else d * np.eye(len(u))
    return d @ v, d.T @ u


MODELS = (
    Family(
        "batch norm in stages",
        staged_norm,
        staged_norm_rule,
        at(normal(5, 7), normal(7), normal(7)),
        {
            ("variance's square root by the wrong power", "variance-path-wrong"): lambda g, *a: staged_norm_rule(
                g, *a, power=1
            ),
            ("½ of the root forgotten", "path-coefficient"): lambda g, *a: staged_norm_rule(g, *a, half=1.0),
            ("2 of the square forgotten", "path-coefficient"): lambda g, *a: staged_norm_rule(g, *a, two=1.0),
            ("n − 1 for the variance", "n-minus-one"): lambda g, *a: staged_norm_rule(g, *a, count=4),
            ("direct path overwritten", "path-coefficient"): lambda g, *a: staged_norm_rule(g, *a, add=False),
            ("mean's path added", "mean-path-sign"): lambda g, *a: staged_norm_rule(g, *a, minus=-1),
            ("mean's path not averaged", "path-coefficient"): lambda g, *a: staged_norm_rule(g, *a, mean=1),
        },
    ),
    Family(
        "network of one hidden layer",
        network,
        network_rule,
        at(normal(5, 3), normal(3, 4), normal(4), normal(4, 2)),
        {
            ("mask by the gradient", "not-linear"): lambda g, *a: network_rule(g, *a, mask=lambda x, h, d: d > 0),
            ("no mask", "inner-derivative-missing"): lambda g, *a: network_rule(g, *a, mask=lambda x, h, d: 1),
            ("bias averaged", "sum-as-mean"): lambda g, *a: network_rule(g, *a, db=lambda d: d.mean(0)),
            ("output weights before the relu", "leak"): lambda g, *a: network_rule(g, *a, before=True),
        },
    ),
    Family(
        "hinge loss of several classes",
        svm_loss,
        svm_rule,
        at(normal(5, 4), normal(4, 3), classes()),
        {
            ("correct class forgotten", "unnamed"): lambda g, *a: svm_rule(g, *a, correct=False),
            ("penalty's ½ forgotten", "term-missing"): lambda g, *a: svm_rule(g, *a, penalty=2.0),
            ("penalty forgotten", "term-missing"): lambda g, *a: svm_rule(g, *a, penalty=0.0),
            ("not averaged", "mean-as-sum"): lambda g, *a: svm_rule(g, *a, mean=False),
        },
    ),
    Family(
        "cross-entropy of a linear classifier",
        softmax_loss,
        softmax_rule,
        at(normal(5, 4), normal(4, 3), normal(3), classes()),
        {
            ("softmax's Jacobian once more", "unnamed"): lambda g, *a: softmax_rule(g, *a, also=True),
            ("divided by the classes", "constant-factor"): lambda g, *a: softmax_rule(g, *a, count=3),
            ("bias averaged", "sum-as-mean"): lambda g, *a: softmax_rule(g, *a, sum=False),
            ("labels added", "path-sign"): lambda g, *a: softmax_rule(g, *a, one=-1),
        },
    ),
    Family(
        "logistic regression with ±1",
        logistic_loss,
        logistic_rule,
        at(normal(5, 4), normal(4)),
        {
            ("sign inside", "scaled-rows"): lambda g, *a: logistic_rule(g, *a, inside=1.0),
            ("penalty halved", "term-missing"): lambda g, *a: logistic_rule(g, *a, penalty=0.1),
        },
    ),
    Family(
        "self-attention with projections",
        projected_attention,
        projected_attention_rule,
        at(normal(5, 3), normal(3, 2), normal(3, 2), normal(3, 2)),
        {
            ("values' path forgotten", "path-dropped"): lambda g, *a: projected_attention_rule(g, *a, lost=(2,)),
            ("keys' path forgotten", "path-dropped"): lambda g, *a: projected_attention_rule(g, *a, lost=(1,)),
            ("scale of the wrong size", "path-coefficient"): lambda g, *a: projected_attention_rule(g, *a, d=3),
            ("softmax over columns", "unnamed"): lambda g, *a: projected_attention_rule(g, *a, columns=True),
            ("scores not transposed", "inner-transposed"): lambda g, *a: projected_attention_rule(
                g, *a, untransposed=True
            ),
            ("coupling missing", "path-dropped"): lambda g, *a: projected_attention_rule(g, *a, uncoupled=True),
        },
    ),
    Family(
        "cosine cross-attention",
        cross_attention,
        cross_attention_rule,
        at(normal(5, 3), normal(4, 3), normal(4, 2)),
        {
            ("queries' length constant", "unnamed"): lambda g, *a: cross_attention_rule(g, *a, normalized=False),
            ("3 forgotten", "known-factor"): lambda g, *a: cross_attention_rule(g, *a, scale=1.0),
        },
    ),
    Family(
        "gated linear unit",
        gated,
        gated_rule,
        at(normal(5, 3), normal(3, 2), normal(3, 2)),
        {
            ("gate's path forgotten", "path-dropped"): lambda g, *a: gated_rule(g, *a, gate=False),
            ("σ for σ(1 − σ)", "inner-value"): lambda g, *a: gated_rule(g, *a, complement=False),
        },
    ),
    Family(
        "squeeze and excite",
        squeeze,
        squeeze_rule,
        at(normal(2, 3, 5), normal(3, 3)),
        {
            ("gate constant", "path-dropped"): lambda g, *a: squeeze_rule(g, *a, through_gate=False),
            ("mean as sum", "path-coefficient"): lambda g, *a: squeeze_rule(g, *a, mean=False),
        },
    ),
    Family(
        "maxout",
        maxout,
        maxout_rule,
        at(normal(5, 3), normal(3, 3, 2)),
        {("to all alike", "unnamed"): lambda g, *a: maxout_rule(g, *a, chosen=False)},
    ),
    Family(
        "bags of embeddings",
        embedded,
        embedded_rule,
        at(normal(6, 3), lambda rng: np.arange(20).reshape(4, 5) % 6),
        {
            ("overwritten", "path-dropped"): lambda g, t, i: embedded_rule(g, t, i, add=False),
            ("not averaged", "scale-missing"): lambda g, t, i: embedded_rule(g, t, i, mean=False),
        },
    ),
    Family(
        "images convolved",
        image_convolution,
        image_convolution_rule,
        at(normal(2, 5, 4), normal(3, 3)),
        {
            ("kernel not turned", "not-transposed"): lambda g, *a: image_convolution_rule(g, *a, turned=False),
            ("edges cropped", "entries-dropped"): lambda g, *a: image_convolution_rule(g, *a, padded=False),
        },
    ),
    Family(
        "depthwise convolution, causal",
        depthwise,
        depthwise_rule,
        at(normal(7, 3), normal(3, 3)),
        {
            ("looking back again", "not-transposed"): lambda g, *a: depthwise_rule(g, *a, ahead=False),
            ("one kernel for all", "unnamed"): lambda g, *a: depthwise_rule(g, *a, per_channel=False),
        },
    ),
    Family(
        "a loss over time",
        recurrent_loss,
        recurrent_rule,
        at(normal(5, 2), normal(3, 3), normal(2, 3)),
        {
            ("future overwritten", "path-dropped"): lambda g, *a: recurrent_rule(g, *a, add=False),
            ("state of the wrong time", "inner-value"): lambda g, *a: recurrent_rule(g, *a, late=True),
            ("w transposed", "inner-not-transposed"): lambda g, *a: recurrent_rule(g, *a, untransposed=True),
            ("truncated", "path-dropped"): lambda g, *a: recurrent_rule(g, *a, truncated=True),
        },
    ),
    Family(
        "loss of pairs against the batch",
        negative_sampling,
        negative_sampling_rule,
        at(normal(5, 3), normal(5, 3)),
        {("negatives forgotten", "unnamed"): lambda g, *a: negative_sampling_rule(g, *a, negatives=False)},
    ),
)

MATHEMATICS = (
    Family(
        "whitened length",
        whitened,
        whitened_rule,
        at(normal(5, 3), normal(3, 3)),
        {("one of two places of a", "half"): lambda g, *a: whitened_rule(g, *a, both=False)},
    ),
    Family(
        "evidence of a Gaussian process",
        evidence,
        evidence_rule,
        at(lambda rng: rng.standard_normal((4, 4)) / 4, normal(4)),
        {
            ("determinant forgotten", "path-dropped"): lambda g, *a: evidence_rule(g, *a, determinant=False),
            ("sign of the fit", "path-sign"): lambda g, *a: evidence_rule(g, *a, sign=-1.0),
        },
    ),
    Family(
        "matrix exponential",
        exponential,
        exponential_rule,
        at(normal(3, 3)),
        {
            ("as of a number", "unnamed"): lambda g, x: g @ exponential(x).T,
            ("not transposed", "not-transposed"): lambda g, x: exponential_rule(g, x.T),
        },
    ),
    Family(
        "Rayleigh quotient",
        rayleigh,
        rayleigh_rule,
        at(normal(4, 4), normal(4)),
        {
            ("length constant", "length-path-missing"): lambda g, y, a, v: rayleigh_rule(g, y, a, v, quotient=False),
            ("as if symmetric", "path-dropped"): lambda g, y, a, v: rayleigh_rule(g, y, a, v, both=False),
        },
    ),
    Family(
        "three steps of a matrix",
        power_iterated,
        power_iterated_rule,
        at(normal(4, 4)),
        {
            ("last step alone", "path-dropped"): lambda g, a: power_iterated_rule(g, a, 1),
            ("first step left out", "path-dropped"): lambda g, a: power_iterated_rule(g, a, 2),
        },
    ),
    Family(
        "low-pass filter",
        low_pass,
        lambda g, x: low_pass(g),
        at(normal(3, 8)),
        {
            ("handed on", "local-derivative-missing"): lambda g, x: g,
            ("high-pass", "unnamed"): lambda g, x: g - low_pass(g),
        },
    ),
    Family(
        "logarithm of a spectrum",
        log_spectrum,
        log_spectrum_rule,
        at(normal(3, 7)),
        {
            ("2 forgotten", "known-factor"): lambda g, x: log_spectrum_rule(g, x, factor=1.0),
            ("conjugate forgotten", "misplaced"): lambda g, x: log_spectrum_rule(g, x, conjugate=True),
        },
    ),
    Family(
        "expected place",
        soft_place,
        lambda g, y, x: g[:, None] * softmax(x) * (np.arange(7.0) - y[:, None]),
        at(normal(5, 7)),
        {
            ("coupling missing", "path-dropped"): lambda g, y, x: g[:, None] * softmax(x) * np.arange(7.0),
            ("difference reversed", "sign-flipped"): lambda g, y, x: (
                g[:, None] * softmax(x) * (y[:, None] - np.arange(7.0))
            ),
        },
    ),
    Family(
        "image between its pixels",
        bilinear,
        bilinear_rule,
        at(normal(4, 5), between(0.1, 2.9, 20), between(0.1, 3.9, 20)),
        {
            ("overwritten", "contributions-overwritten"): lambda g, *a: bilinear_rule(g, *a, add=False),
            ("sign of one corner for y", "path-sign"): lambda g, *a: bilinear_rule(g, *a, sign=-1.0),
        },
    ),
    Family(
        "Gaussian kernels of pairs",
        kernel_matrix,
        kernel_matrix_rule,
        at(normal(5, 3), lambda rng: np.array(1.7)),
        {
            ("one of two ends", "path-dropped"): lambda g, y, x, length: kernel_matrix_rule(
                g, y, x, length, both=False
            ),
            ("length not cubed", "known-factor"): lambda g, y, x, length: kernel_matrix_rule(g, y, x, length, power=2),
        },
    ),
)

POINTS = (
    slopes(
        "softplus by two branches",
        lambda x: np.where(x > 0, x + np.log1p(np.exp(-np.abs(x))), np.log1p(np.exp(-np.abs(x)))),
        lambda x, _: sigmoid(x),
        {"": normal(5, 7), " far out": normal(5, 7, scale=100)},
        wrong={("of −x", "complement"): lambda x, _: sigmoid(-x)},
    ),
    slopes(
        "root of |x|, smoothed",
        lambda x: np.sqrt(np.sqrt(x * x + 1e-12)),
        lambda x, y: x / (2 * y**3),
        {" at 1e-5": normal(5, 7, scale=1e-5), "": normal(5, 7), ", a zero": put(normal(5, 7), 0.0, 4)},
        wrong={("y not cubed", "factor-extra"): lambda x, y: x / (2 * y)},
    ),
    slopes(
        "signed square",
        lambda x: x * np.abs(x),
        lambda x, _: 2 * np.abs(x),
        {"": normal(5, 7), ", zeros": put(normal(5, 7), 0.0, 1, 2, 3)},
        wrong={("of x for |x|", "some-signs"): lambda x, _: 2 * x},
    ),
    slopes(
        "sawtooth",
        lambda x: x - np.floor(x),
        lambda x, _: np.ones_like(x),
        between(0.1, 0.9, 5, 7),
        wrong={("2 for 1", "twice"): lambda x, _: 2 * np.ones_like(x)},
    ),
    slopes(
        "relu squared",
        lambda x: np.maximum(x, 0) ** 2,
        lambda x, _: 2 * np.maximum(x, 0),
        {"": normal(5, 7), " at zeros": put(normal(5, 7), 0.0, 3, 9)},
        wrong={("of the input", "leak"): lambda x, _: 2 * x, ("2 forgotten", "half"): lambda x, _: np.maximum(x, 0)},
    ),
    slopes(
        "float32 in the middle",
        lambda x: np.tanh(np.float32(x)).astype(np.float64),
        lambda x, _: 1 - np.tanh(x) ** 2,
        wrong={("sign", "sign-flipped"): lambda x, _: np.tanh(x) ** 2 - 1},
    ),
    slopes(
        "log of tiny numbers",
        np.log,
        lambda x, _: 1 / x,
        {
            " near 1e-200": lambda rng: 1e-200 * rng.uniform(0.5, 2.5, (5, 7)),
            " near 1e200": lambda rng: 1e200 * rng.uniform(0.5, 2.5, (5, 7)),
        },
    ),
    slopes(
        "tenth power",
        lambda x: x**10,
        lambda x, _: 10 * x**9,
        {"": normal(5, 7), " near 1e20": normal(5, 7, scale=1e20)},
        wrong={("exponent kept", "power-rule"): lambda x, _: 10 * x**10},
    ),
    slopes("sine of a tenth of a million", lambda x: np.sin(1e5 * x), lambda x, _: 1e5 * np.cos(1e5 * x), normal(5, 3)),
    slopes(
        "1 over 1 + x², far",
        lambda x: 1 / (1 + x * x),
        lambda x, y: -2 * x * y * y,
        {" at 1e4": normal(5, 7, scale=1e4)},
        wrong={("y not squared", "factor-extra"): lambda x, y: -2 * x * y},
    ),
    slopes(
        "quantile function",
        lambda x: np.log(x) - np.log1p(-x),
        lambda x, _: 1 / (x * (1 - x)),
        {" near 1": between(0.999, 0.99999, 5, 7), " near 0": between(1e-6, 1e-4, 5, 7)},
    ),
)

FAMILIES = (*MODELS, *MATHEMATICS, *POINTS)
