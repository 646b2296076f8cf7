"""Calls of NumPy's functions whose counterparts stand in ``tinygrad_norm/ops``, for ``test_numpy_dispatch``.

As in the table there: "d" marks what has a gradient, which is then compared with a numeric one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

X = np.array([[0.3, -1.2, 0.7], [1.9, 0.4, -0.6]])
POSITIVE = np.array([[0.3, 1.2, 0.7], [1.9, 0.4, 0.6]])
SMALL = np.array([[0.3, -0.2, 0.7], [-0.9, 0.4, -0.6]])
Y = np.array([0.5, -0.8, 1.1])
SOLID = np.sin(np.arange(24.0)).reshape(2, 3, 4)
HOLES = np.where([[True, False, True], [True, True, True], [False, False, True]], np.vstack([X, Y]), np.nan)
COUNTS = np.array([2, 0, 2])

Calls = list[tuple[str, Callable[..., Any], tuple[Any, ...]]]


def d(call: Callable[..., Any], *arguments: Any) -> tuple[str, Callable[..., Any], tuple[Any, ...]]:
    """A call with a gradient."""
    return "d", call, arguments


def v(call: Callable[..., Any], *arguments: Any) -> tuple[str, Callable[..., Any], tuple[Any, ...]]:
    """A call that gives values only."""
    return "", call, arguments


def along(f: Callable[..., Any], x: Any = X, **options: Any) -> Calls:
    """A reduction over all, one and two axes."""
    return [
        d(lambda x: f(x, **options), x),
        d(lambda x: f(x, axis=0, **options), x),
        d(lambda x: f(x, axis=(1, 0), keepdims=True, **options), x),
        d(lambda x: f(x, axis=np.int64(-1), **options), x),
    ]


ENTRY_BY_ENTRY: dict[Callable[..., Any], Calls] = {
    **{
        f: [d(f, X)]
        for f in (
            np.arcsinh,
            np.cbrt,
            np.exp2,
            np.ceil,
            np.trunc,
            np.fix,
            np.rint,
            np.around,
            np.fabs,
            np.rad2deg,
            np.degrees,
            np.deg2rad,
            np.radians,
            np.real,
            np.conjugate,
            np.real_if_close,
            np.sinc,
        )
    },
    **{f: [d(f, SMALL)] for f in (np.arcsin, np.arccos, np.arctanh)},
    **{f: [d(f, POSITIVE)] for f in (np.log2, np.log10)},
    np.arccosh: [d(np.arccosh, 1 + POSITIVE)],
    **{
        f: [d(f, X, Y), d(f, X, 1.5), d(f, -0.3, Y), d(f, X, Y[:, None, None])]
        for f in (np.arctan2, np.hypot, np.logaddexp2, np.fmax, np.fmin, np.fmod, np.copysign, np.heaviside)
    },
    np.round: [d(np.round, X), d(lambda x: np.round(x, 1), X), d(lambda x: np.round(x, decimals=-1), X)],
    np.float_power: [d(np.float_power, POSITIVE, Y), d(np.float_power, POSITIVE, 2)],
    np.divmod: [d(lambda x, y: np.divmod(x, y)[1], X, Y), v(lambda x, y: np.divmod(x, y)[0], X, Y)],
    np.modf: [d(lambda x: np.modf(x)[0], X), d(lambda x: np.modf(x)[1], X)],
    np.nan_to_num: [
        d(np.nan_to_num, HOLES),
        d(lambda x: np.nan_to_num(x, nan=2.0, posinf=3.0), np.array([np.nan, np.inf, 1.0, -np.inf])),
        v(np.nan_to_num, COUNTS),
    ],
    **{f: [v(f, X)] for f in (np.imag, np.angle, np.isreal, np.iscomplex, np.isposinf, np.isneginf, np.spacing)},
    np.nextafter: [v(np.nextafter, X, Y)],
}
STATISTICS: dict[Callable[..., Any], Calls] = {
    **{f: [*along(f), *along(f, ddof=1), *along(f, correction=0.5)] for f in (np.var, np.std)},
    **{f: [*along(f), *along(f, np.moveaxis(SOLID, 0, -1))] for f in (np.median, np.nanmedian)},
    **{
        f: [
            *along(f, q=0.3),
            *along(f, q=np.array([[0.0, 0.25], [0.7, 1.0]])),
            *along(f, SOLID, q=[0.5]),
            d(lambda x, f=f: f(x, 0.9, 1, None, False, "linear", True), X),
        ]
        for f in (np.quantile, np.nanquantile)
    },
    **{f: [*along(f, q=30), *along(f, q=[0, 25.0, 100])] for f in (np.percentile, np.nanpercentile)},
    **{
        f: [*along(f, HOLES), *along(f)]
        for f in (np.nansum, np.nanprod, np.nanmax, np.nanmin, np.nanmean, np.nanvar, np.nanstd)
    },
    np.nanargmax: [v(np.nanargmax, HOLES), v(lambda x: np.nanargmax(x, axis=1), HOLES)],
    np.nanargmin: [v(np.nanargmin, HOLES)],
    **{f: [d(f, HOLES), d(lambda x, f=f: f(x, 1), HOLES)] for f in (np.nancumsum, np.nancumprod)},
    **{
        f: [d(f, Y), d(lambda x, f=f: f(x, axis=-1), X), d(lambda x, f=f: f(x, axis=0, include_initial=True), X)]
        for f in (np.cumulative_sum, np.cumulative_prod)
    },
    np.average: [
        *along(np.average),
        d(lambda x, w: np.average(x, weights=w), X, POSITIVE),
        d(lambda x, w: np.average(x, 1, w), X, POSITIVE[0]),
        d(lambda x, w: np.average(x, (2, 0), w), SOLID, np.arange(1.0, 9.0).reshape(4, 2)),
        d(lambda x, w: np.average(x, axis=0, weights=w, keepdims=True), X, POSITIVE),
        d(lambda x, w: np.average(x, weights=w, returned=True)[1], X, POSITIVE),
        v(lambda x: np.average(x, returned=True)[1], X),
    ],
}
SAMPLED: dict[Callable[..., Any], Calls] = {
    np.diff: [
        d(np.diff, X),
        d(lambda x: np.diff(x, 2, axis=1), X),
        d(lambda x: np.diff(x, axis=0), X),
        d(lambda x, y: np.diff(x, prepend=0, append=y), X, X[:, :2]),
    ],
    np.ediff1d: [d(np.ediff1d, X), d(lambda x, y: np.ediff1d(x, to_begin=[9.0, 8.0], to_end=y), X, Y)],
    np.trapezoid: [
        d(np.trapezoid, X),
        d(lambda x, y: np.trapezoid(x, y), X, Y),
        d(lambda x, y: np.trapezoid(x, y, axis=1), SOLID, Y),
        d(lambda x, y: np.trapezoid(x, y, axis=0), X, POSITIVE),
        d(lambda x: np.trapezoid(x, dx=0.5, axis=0), X),
    ],
    np.gradient: [
        d(np.gradient, Y),
        d(lambda x: np.gradient(x)[0], X),
        d(lambda x: np.gradient(x, 0.5, axis=1), X),
        d(lambda x: np.gradient(x, 0.5, [0.0, 1.0, 3.0])[1], X),
        d(lambda x, y: np.gradient(x, y, axis=-1, edge_order=2), SOLID, np.array([0.0, 0.3, 1.0, 1.2])),
        d(lambda x: np.gradient(x, axis=(1, 2), edge_order=2)[0], SOLID),
    ],
    **{
        f: [
            d(lambda x, y, f=f, mode=mode: f(x, y, mode=mode), SOLID[0, 0, :n], SOLID[1, 1, :m])
            for mode in ("full", "same", "valid")
            for n, m in ((4, 3), (4, 2), (2, 4), (3, 4), (1, 1), (4, 4))
        ]
        for f in (np.convolve, np.correlate)
    },
    np.interp: [
        d(np.interp, np.array([-0.5, 0.1, 1.0, 1.7, 9.0]), np.array([0.0, 0.7, 2.0]), Y),
        d(lambda x, y: np.interp(x, [0.0, 0.7, 2.0], y, left=-1.0, right=2.0), X + 0.05, Y),
        d(lambda x, y: np.interp(x, [3.0, 0.7, 2.0], y, period=2.5), X + 0.05, Y),
        d(lambda y: np.interp(0.9, [0.0, 0.7, 2.0], y), Y),
        d(lambda y: np.interp([0.0, 2.0], [1.0], y), Y[:1]),
    ],
}
LAYOUT: dict[Callable[..., Any], Calls] = {
    np.atleast_3d: [d(np.atleast_3d, x) for x in (np.array(2.0), Y, X, SOLID)],
    np.rollaxis: [d(lambda x, a=a, s=s: np.rollaxis(x, a, s), SOLID) for a in (0, 1, -1) for s in (0, 1, 2, 3, -1)],
    np.rot90: [
        *[d(lambda x, k=k: np.rot90(x, k), X) for k in range(-1, 5)],
        d(lambda x: np.rot90(x, axes=(2, 0)), SOLID),
    ],
    **{f: [d(f, X), d(f, SOLID)] for f in (np.fliplr, np.flipud)},
    np.broadcast_arrays: [d(lambda x, y, i=i: np.broadcast_arrays(x, y, 1.0)[i], X, Y) for i in (0, 1)],
    np.meshgrid: [
        d(lambda x, y: np.meshgrid(x, y)[0], Y, POSITIVE[0]),
        d(lambda x, y: np.meshgrid(x, y, x[:2], indexing="ij")[2], Y, POSITIVE[0]),
        d(lambda x, y: np.meshgrid(x, y, sparse=True)[1], Y, POSITIVE[0]),
    ],
    np.dstack: [d(lambda x, y: np.dstack([x, y]), X, X + 1), d(lambda x: np.dstack([x, x]), Y)],
    np.column_stack: [d(lambda x, y: np.column_stack([x, y, x]), X.T, Y)],
    np.block: [
        d(lambda x, y: np.block([[x, x], [y, 1.0, 2.0, 3.0]]), X, Y),
        d(lambda y: np.block([y, y]), Y),
        d(np.block, X),
    ],
    np.append: [d(np.append, X, Y), d(lambda x, y: np.append(x, y, axis=0), X, Y[None])],
    np.insert: [
        d(lambda x, y: np.insert(x, 1, y, axis=0), X, Y),
        d(lambda x: np.insert(x, [0, 2, 2], 7.0), X),
        d(lambda x, y: np.insert(x, np.int64(-1), y, axis=1), X, Y[:2]),
        d(lambda x, y: np.insert(x, [1], y, axis=1), X, X[:, :2]),
        d(lambda x: np.insert(x, slice(0, 2), [3, 4], axis=-1), X),
    ],
    np.delete: [
        d(lambda x: np.delete(x, 1, axis=1), X),
        d(lambda x: np.delete(x, [0, -1]), X),
        d(lambda x: np.delete(x, slice(None, None, 2), axis=-1), X),
    ],
    np.resize: [d(lambda x: np.resize(x, (3, 5)), X), d(lambda x: np.resize(x, 2), X)],
    np.trim_zeros: [
        d(lambda x: np.trim_zeros(x * np.array([0.0, 1.0, 0.0, 2.0, 0.0])), np.arange(1.0, 6.0)),
        v(lambda x: np.trim_zeros(x, "b"), np.array([0, 0, 3, 0])),
        v(np.trim_zeros, np.zeros(3, int)),
    ],
    np.unstack: [d(lambda x: np.unstack(x)[1], X), d(lambda x: np.unstack(x, axis=-1)[2], X)],
    np.hsplit: [d(lambda x: np.hsplit(x, 3)[1], X), d(lambda x: np.hsplit(x, [1])[1], Y)],
    np.vsplit: [d(lambda x: np.vsplit(x, 2)[1], X)],
    np.dsplit: [d(lambda x: np.dsplit(x, np.int64(2))[1], SOLID)],
    np.kron: [d(np.kron, X, Y), d(np.kron, SOLID, X), d(np.kron, np.array(2.0), Y)],
    np.cross: [
        d(np.cross, X, Y),
        d(lambda x, y: np.cross(x, y, axis=0), X.T, np.roll(X, 1).T),
        d(lambda x, y: np.cross(x, y, 1, 0, 0), SOLID, SOLID[0]),
    ],
}
PICKING: dict[Callable[..., Any], Calls] = {
    np.select: [
        d(lambda x, y: np.select([x > 1, x > 0], [x * 2, y], x), X, Y),
        d(lambda x: np.select([X > 1], [x]), X),
    ],
    np.choose: [
        d(lambda x, y: np.choose([0, 1, 1], [x, y]), X, Y),
        d(lambda x: np.choose(COUNTS, [x, 2.0, 0.0]), Y),
        d(lambda x: np.choose([[0], [0]], [x]), Y),
    ],
    np.compress: [
        d(lambda x: np.compress([True, False, True], x, axis=1), X),
        d(lambda x: np.compress([False, True], x), X),
    ],
    np.extract: [d(lambda x: np.extract(X > 0, x), X)],
    np.partition: [
        d(lambda x: np.partition(x, 1), X),
        d(lambda x: np.partition(x, 0, axis=0), X),
        d(lambda x: np.partition(x, [2, 4], axis=None), X),
    ],
    np.argpartition: [v(lambda x: np.argpartition(x, 1), X)],
    np.unique: [
        d(np.unique, X),
        d(lambda x: np.unique(x, axis=0), X),
        d(lambda x: np.unique(x, return_counts=True)[0], Y),
        v(lambda x: np.unique(x, True, True, True)[1], X),
        v(lambda x: np.unique(x, return_inverse=True)[1], X[:, [0, 0]]),
        v(lambda x: np.unique(x, return_counts=True)[1], X[:, [0, 0]]),
    ],
    np.bincount: [
        v(np.bincount, COUNTS),
        d(lambda w: np.bincount(COUNTS, w, 5), Y),
        d(lambda w: np.bincount(COUNTS, weights=w), Y),
    ],
    np.nonzero: [v(lambda x: np.nonzero(x > 0)[1], X)],
    np.argwhere: [v(lambda x: np.argwhere(x > 0), X)],
    np.flatnonzero: [v(lambda x: np.flatnonzero(x > 0), X)],
    np.searchsorted: [v(np.searchsorted, np.sort(Y), X), v(lambda x: np.searchsorted([0.0, 1.0], x, side="right"), X)],
    np.digitize: [v(lambda x: np.digitize(x, [0.0, 1.0]), X)],
    np.isin: [v(lambda x: np.isin(x, [0.3, 0.4]), X)],
}
OF_OPS = [pair for table in (ENTRY_BY_ENTRY, STATISTICS, SAMPLED, LAYOUT, PICKING) for pair in table.items()]
