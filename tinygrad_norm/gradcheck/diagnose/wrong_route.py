"""Single derivatives that are right but for where they go, their sign, or a factor that not all of them have."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..measure.step_ladder import Array
from ..verdict import Flags
from .evidence import Evidence, Finding, Indices, Singles, but_for


def handed_on(e: Evidence) -> Iterator[Finding | None]:
    """Find the cotangent handed on as it came: to every entry that an output depends on, or entry by entry."""
    why = "the chain rule multiplies: incoming gradient × derivative of this operation"
    name = "the cotangent is passed on unchanged: the local derivative is missing"
    code = "local-derivative-missing"
    if e.same_shape:
        yield e.named(e.cotangents, np.zeros_like(e.bar), code, name, "yours is g itself", why)
    if e.complete and e.touched.any() and np.ptp(e.jacobian[e.touched]) > 1e-9 * e.largest:
        ones = e.cotangents @ e.touched.astype(np.float64)
        evidence = "yours is the sum of g over the outputs that depend on the entry, each with the derivative 1"
        yield e.named(ones, np.zeros_like(e.bar), code, name, evidence, why)


def some_signs(e: Evidence) -> Iterator[Finding]:
    """Find single derivatives that are right but for the sign of some."""
    s = e.singles
    if s is None:
        return
    room = s.bar + s.doubt
    flipped = np.abs(s.yours - s.numeric) > room
    left = s.leftover(np.abs(s.yours), np.abs(s.numeric), room)
    if left is None or flipped.all() or flipped.sum() < 2 or np.any(np.abs(s.numeric) <= room):
        return
    yield but_for(
        left,
        "some-signs",
        "the sign of some contributions is wrong",
        f"{int(flipped.sum())} of {len(s)} single derivatives have the wrong sign, everything else is right",
        "follow the minus signs: a difference, a conjugate, a branch or the second of two terms carries its own",
    )


def some_scaled(e: Evidence) -> Iterator[Finding]:
    """Find single derivatives that are right, or the same multiple of what is right."""
    s = e.singles
    if s is None:
        return
    room = s.bar + s.doubt
    off = np.abs(s.yours - s.numeric) > room
    if off.sum() < 2 or (~off).sum() < 3 or np.any(s.numeric[off] == 0):
        return
    ratio = s.yours[off] / s.numeric[off]
    factor = float(np.median(ratio))
    left = s.leftover(s.yours[off], factor * s.numeric[off], (s.bar * (1 + abs(factor)) + s.doubt)[off])
    if left is None or factor == 0:
        return
    yield but_for(
        left,
        "some-scaled",
        f"some contributions are {factor:.6g} times what they should be, the others are right",
        f"{int(off.sum())} of {len(s)} single derivatives are off by that factor",
        "look for a coefficient that belongs to one of several terms, to the inside or to the edges",
    )


def one_entry(e: Evidence) -> Iterator[Finding]:
    """Find that one entry of the gradient alone is wrong."""
    known = e.known.all(axis=0)
    wrong = np.any((np.abs(e.yours - e.numeric) > e.bar + e.doubt) & e.known, axis=0)
    if wrong.sum() != 1 or known.sum() < 10:
        return
    name = e.problem.names[e.position]
    place = [int(i) for i in np.unravel_index(int(np.argmax(wrong)), e.x.shape)]
    yield Finding(
        "one-entry",
        f"only {name}{place} is wrong",
        f"the other {int(known.sum()) - 1} entries that were measured are right",
        "one formula made the others: look for what treats this entry differently, an edge, an index or an assignment",
    )


def wrong_entries(e: Evidence) -> Iterator[Finding]:
    """Find right contributions at wrong entries: the same numbers, or the same total, from each output."""
    if not e.complete or not e.known.all():
        return
    room = e.allowed.sum(axis=1)
    believed, right = np.sort(e.believed, axis=1), np.sort(e.jacobian, axis=1)
    largest = float(np.max(np.abs(right), initial=0.0))
    same = np.all(np.abs(believed - right) <= e.allowed.max(axis=1, keepdims=True))
    if same and np.max(e.allowed) < 1e-5 * largest:
        yield Finding(
            "wrong-entries",
            "right contributions at the wrong entries",
            "each output sends back the numbers that it should, to other entries than it should",
            "what goes forward from an entry comes back to it: check indices, flips of a kernel, strides and offsets",
        )
    total = e.jacobian.sum(axis=1)
    # Shares are not negative; of mixed signs the totals agree by accident.
    shares = min(np.min(e.jacobian + e.allowed, initial=0.0), np.min(e.believed + e.allowed, initial=0.0)) >= 0
    if shares and np.all(np.abs(e.believed.sum(axis=1) - total) <= room) and np.all(total > 1e3 * room):
        yield Finding(
            "wrong-entries",
            "each output sends back the right total, but to the wrong entries",
            "the sum over the entries is right for every single output",
            "a selection sends everything to what it selected, a mean to all alike, a repetition back to its source: "
            "check which entries each output was made of",
        )


def wrong_outputs(e: Evidence) -> Iterator[Finding]:
    """Find that the cotangents of the outputs are exchanged: each reads another's."""
    outputs = e.cotangents.shape[1]
    if not e.complete or not e.known.all() or not 2 <= outputs <= 100 or outputs**2 * e.x.size > 1_000_000:
        return
    distance = np.abs(e.believed[:, None] - e.jacobian[None]) - e.allowed.max()
    fits = np.all(distance <= 0, axis=2)
    if np.all(fits.sum(axis=0) == 1) and np.all(fits.sum(axis=1) == 1) and not np.all(np.diag(fits)):
        yield Finding(
            "wrong-outputs",
            "the incoming gradients of the outputs are exchanged",
            "what each output should send back, another one sends",
            "pair each entry of g with the output that it belongs to: check sorting, flips and the order of loops",
        )


def scaled_rows(e: Evidence) -> Iterator[Finding]:
    """Find a factor of its own for each index along an axis of the input or of the output."""
    s = e.singles
    if s is None or np.any(s.numeric == 0):
        return
    with np.errstate(all="ignore"):
        ratio = s.yours / s.numeric
        room = 2 * (np.abs(ratio) * s.bar + s.doubt) / np.abs(s.numeric)
    for what, index in _indices(e, s):
        groups = [np.flatnonzero(index == k) for k in np.unique(index)]
        if len(groups) < 3 or len(s) < 2 * len(groups):
            continue
        first = np.array([g[np.argmin(room[g])] for g in groups])
        values = ratio[first]
        same = values[np.searchsorted(np.unique(index), index)]
        # The same derivative again is no further evidence, unless something can be read as a count, or a share of one.
        seen = sum(len(np.unique(np.round(s.numeric[g] / np.max(np.abs(s.numeric)), 9))) for g in groups)
        if seen < 2 * len(groups) and not any(map(_whole, (values, 1 / values, 1 / s.numeric[first]))):
            continue
        if np.all(np.abs(ratio - same) <= room + 1e-12 * np.abs(ratio)):
            shown = ", ".join(f"{v:.4g}" for v in values[:4]) + (", …" if len(values) > 4 else "")
            yield Finding(
                "scaled-rows",
                f"off by a factor of its own for each place along {what}",
                f"yours / numeric is {shown} for one after the other, the same for everything else",
                "a factor that varies is lost or added: a count, a weight, a length or a share that belongs to each",
            )


def _whole(values: Array) -> bool:
    return bool(np.all(np.abs(values - np.rint(values)) <= 1e-9 * np.abs(values)))


def _indices(e: Evidence, s: Singles) -> Iterator[tuple[str, Indices]]:
    """Yield the place of each single derivative along every axis of the input, and of the output."""
    yield from ((f"axis {a} of the input", i) for a, i in enumerate(np.unravel_index(s.entry, e.x.shape)))
    if e.x.ndim > 1:
        yield "the entries of the input", s.entry
    if len(e.outputs) == 1 and e.outputs[0].size > 1:
        shape = e.outputs[0].shape
        yield from ((f"axis {a} of the output", i) for a, i in enumerate(np.unravel_index(s.output, shape)))


def inverse_for_transpose(e: Evidence) -> Iterator[Finding]:
    """Find a division by the Jacobian where its transpose multiplies."""
    if not e.complete or not e.known.all() or len(e.jacobian) < 2:
        return
    product = e.jacobian @ e.believed.T  # J b(eₖ), column by column
    room = 8 * e.allowed.max() * np.abs(e.believed).sum(axis=1).max() + 1e-12
    off = np.abs(product - np.eye(len(product)))
    if room < 1e-5 and np.all(off <= room):
        yield but_for(
            float(off.max()),
            "inverse-for-transpose",
            "undoes the function instead of transposing it: J⁻¹ g where Jᵀ g belongs",
            "the Jacobian times yours is g again",
            "a gradient is no inverse: g is multiplied by the transposed Jacobian, even if the function can be undone",
        )


def one_of_two_paths(e: Evidence) -> Iterator[Finding | None]:
    """Find one of the two ways through a symmetric product such as x @ xᵀ."""
    out = e.outputs[0] if len(e.outputs) == 1 else np.zeros(0)
    if not e.complete or out.ndim != 2 or out.shape[0] != out.shape[1] or not np.allclose(out, out.T, 1e-12, 0):
        return
    n = len(out)
    mirrored = e.believed.reshape(n, n, -1).swapaxes(0, 1).reshape(e.believed.shape)
    both = e.believed + mirrored
    why = "x enters the product twice; for y = x xᵀ the gradient is (g + gᵀ) x, one term for each place"
    name = "x is used twice in a symmetric product, and yours is the way through one of the two places"
    if np.all(np.abs(both - e.jacobian) <= 2 * e.allowed):
        yield Finding("path-dropped", name, "yours for g plus yours for gᵀ is right", why)
    elif np.all(np.abs(both / 2 - e.jacobian) <= 2 * e.allowed):
        name += ", counted two times"
        yield Finding("path-dropped", name, "the mean of yours for g and yours for gᵀ is right", why)


def exchanged_branches(e: Evidence) -> Iterator[Finding]:
    """Find two slopes that stand on each other's branch."""
    s = e.singles
    if s is None or not e.same_shape or np.any(s.entry != s.output):
        return
    room = s.bar + s.doubt
    low, high = float(s.numeric.min()), float(s.numeric.max())
    swapped = low + high - s.numeric
    two: Flags = (np.abs(s.numeric - low) <= room) | (np.abs(s.numeric - high) <= room)
    if high - low > 30 * np.max(room) and two.all() and np.all(np.abs(s.yours - swapped) <= 2 * room):
        mask = min(abs(low), abs(high)) <= np.max(room)
        yield Finding(
            "inverted-mask" if mask else "branches-exchanged",
            "the mask is inverted" if mask else "the two branches are exchanged",
            f"the slope is {low:.6g} or {high:.6g}, and yours is the other one in every place",
            "check the comparison, or the two branches of where: the first takes the condition, the second the rest",
        )
