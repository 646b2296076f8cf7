"""Right numbers in the wrong places: shapes, axes, permutations, Jacobians that were not transposed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, permutations

import numpy as np

from ..measure.step_ladder import Array
from .evidence import Evidence, Finding, Indices, axes_of, axis_sets


def wrong_shape(e: Evidence, shape: tuple[int, ...]) -> Finding:
    """Name what happened to a gradient whose ``shape`` is not that of its input.

    Unlike the other hypotheses this one always answers: a wrong shape is a mistake of its own.
    """
    name = e.problem.names[e.position]
    must = f"the gradient of {name} must have the shape {e.x.shape}; yours has {shape}"
    return (
        _not_reduced(e, shape, must)
        or _not_broadcast_back(e, shape, must)
        or _reshaped(e, shape, must)
        or Finding(
            "wrong-shape",
            f"the gradient has shape {shape}, its input {e.x.shape}",
            must,
            "each entry of the input has exactly one entry in its gradient",
        )
    )


def _not_reduced(e: Evidence, shape: tuple[int, ...], must: str) -> Finding | None:
    """Find that it is right once summed over the axes that were broadcast."""
    for axes in axis_sets(len(shape)):
        kept = tuple(size for a, size in enumerate(shape) if a not in axes)
        ones = tuple(1 if a in axes else size for a, size in enumerate(shape))
        count = int(np.prod([shape[a] for a in axes]))
        if e.x.shape not in (kept, ones) or count == 1:  # nothing was broadcast over an axis of one
            continue
        summed = e.yours.reshape(-1, *shape).sum(axis=tuple(a + 1 for a in axes)).reshape(len(e.yours), -1)
        leftover = _rearranged(e, summed, count=count)
        if leftover is not None:
            return Finding(
                "broadcast-not-reduced",
                f"the broadcast over {axes_of(axes)} is not summed back",
                f"summed over {axes_of(axes)}, yours is right; {must}",
                "an entry that was used many times on the way forward receives the sum of all that comes back",
                leftover,
            )
    return None


def _not_broadcast_back(e: Evidence, shape: tuple[int, ...], must: str) -> Finding | None:
    """Find that it is right once spread over the axes that were reduced."""
    for spread in _spreads(e.yours.reshape(-1, *shape), e.x.shape):
        leftover = _rearranged(e, spread)
        if leftover is not None and not np.isnan(leftover):  # a NaN would fit wherever it is spread
            return Finding(
                "not-broadcast-back",
                "the gradient of a reduction is not spread back over its input",
                f"broadcast to {e.x.shape}, yours is right; {must}",
                "a sum or mean sends something to every entry that went into it: np.broadcast_to, or keepdims=True "
                "on the way",
                leftover,
            )
    return None


def _spreads(yours: Array, shape: tuple[int, ...]) -> Iterator[Array]:
    missing = len(shape) - (yours.ndim - 1)
    if missing < 0 or yours[0].size >= int(np.prod(shape)):
        return
    for axes in combinations(range(len(shape)), missing):
        spread = np.expand_dims(yours, tuple(a + 1 for a in axes)) if axes else yours
        if all(got in (1, want) for got, want in zip(spread.shape[1:], shape, strict=True)):
            yield np.broadcast_to(spread, (len(yours), *shape))


def _reshaped(e: Evidence, shape: tuple[int, ...], must: str) -> Finding | None:
    """Find the same numbers in another shape: transposed, or with axes lost or added."""
    if e.yours.shape != e.numeric.shape:
        return None
    for order in permutations(range(len(shape))):
        if tuple(shape[a] for a in order) != e.x.shape or order == tuple(range(len(shape))):
            continue
        leftover = _rearranged(e, np.transpose(e.yours.reshape(-1, *shape), (0, *(a + 1 for a in order))))
        if leftover is not None:
            return _transposed(order, f"transposed by {order}, yours is right; {must}", leftover)
    leftover = e.agrees(e.numeric)
    if leftover is None:
        return None
    return Finding(
        "wrong-shape",
        f"right numbers in the shape {shape} instead of {e.x.shape}",
        f"reshaped to {e.x.shape}, yours is right; {must}",
        "reshape the gradient to the shape of the input (keepdims=True in a sum keeps the axes)",
        leftover,
    )


def _rearranged(e: Evidence, yours: Array, count: int = 1) -> float | None:
    """Return the relative leftover if yours, rearranged, is right; ``count`` numbers were added up in each entry."""
    error = np.abs(yours.reshape(e.numeric.shape) - e.numeric)
    if np.any(error > e.bar + count * np.max(e.doubt, initial=0.0)):
        return None
    return float(np.max(error[e.known], initial=0.0)) / e.largest


def _transposed(order: tuple[int, ...], evidence: str, leftover: float) -> Finding:
    return Finding(
        "transposed",
        "the gradient is transposed",
        evidence,
        "check the order of the factors: for y = x @ w, dx = g @ wᵀ and dw = xᵀ @ g; a transpose comes back "
        f"through np.argsort(axes), here {order}",
        leftover,
    )


def jacobian_not_transposed(e: Evidence) -> Iterator[Finding | None]:
    """Find a multiplication by J where Jᵀ belongs."""
    if not e.complete or e.jacobian.shape[0] != e.jacobian.shape[1]:
        return
    jacobian = e.jacobian
    if np.all(np.abs(jacobian - jacobian.T) <= e.allowed + e.allowed.T):
        return  # symmetric: transposing changes nothing
    ones = np.abs(jacobian - 1) <= e.allowed
    if np.all(ones | ~e.touched) and np.all(ones.sum(0) == 1) and np.all(ones.sum(1) == 1):
        told = (
            "permutation-not-inverted",
            "the permutation is applied again instead of being undone",
            "yours is P g where Pᵀ g belongs",
            "what moved from i to j must move back from j to i: np.argsort(permutation), −shift, flipped axes",
        )
    else:
        told = (
            "not-transposed",
            "multiplies by the Jacobian instead of its transpose",
            "yours is J g where Jᵀ g belongs",
            "a gradient flows from outputs to inputs: dx = g @ wᵀ for y = x @ w, and a cumulative sum comes back "
            "reversed",
        )
    yield e.named(e.cotangents @ jacobian.T, np.abs(e.cotangents) @ e.bar[e.random :].T, *told)


def moved_entries(e: Evidence) -> Iterator[Finding | None]:
    """Find the numeric gradient with its entries moved: transposed, flipped, rolled, in another memory order."""
    if e.x.size < 3 or not e.known.all():
        return
    index = np.arange(e.x.size).reshape(e.x.shape)
    for code, name, why, moved in _movements(index, e.outputs[0].shape if len(e.outputs) == 1 else e.x.shape):
        source = moved.ravel()
        if not np.array_equal(source, np.arange(e.x.size)):
            evidence = "moved back, yours is right in every cotangent"
            yield e.named(e.numeric[:, source], e.bar[:, source], code, name, evidence, why)
    yield _shuffled(e)


def _movements(index: Indices, out_shape: tuple[int, ...]) -> Iterator[tuple[str, str, str, Indices]]:
    """Yield ways to move the entries of an array, applied to its indices."""
    for order in permutations(range(index.ndim)):
        moved = index.transpose(order)
        if moved.shape == index.shape:
            found = _transposed(order, "", 0.0)
            yield found.code, found.name, found.why, moved
    why = "an order that was reversed on the way forward (or not) must match on the way back"
    for some in axis_sets(index.ndim):
        yield "flipped", f"the gradient runs backwards along {axes_of(some)}", why, np.flip(index, some)
    why = "check the offsets of slices, pads and concatenations: each entry goes back to where it came from"
    for axis, size in enumerate(index.shape):
        for shift in range(1, size):
            short = shift if shift <= size // 2 else shift - size
            name = f"the gradient is shifted by {short} along axis {axis}"
            yield "shifted", name, why, np.roll(index, shift, axis)
    why = "reshape and ravel read row by row (order='C'); use the same order on both ways"
    name = "the gradient is reshaped in column order instead of row order"
    yield "memory-order", name, why, index.ravel(order="F").reshape(index.shape)
    yield "memory-order", name, why, index.ravel().reshape(index.shape, order="F")
    if int(np.prod(out_shape)) == index.size:
        yield "memory-order", name, why, index.reshape(out_shape).reshape(index.shape, order="F")


def _shuffled(e: Evidence) -> Finding | None:
    """Find right numbers that sit elsewhere, for every cotangent at the same places."""
    yours_order = np.argsort(e.yours[0], kind="stable")
    right_order = np.argsort(e.numeric[0], kind="stable")
    source = np.empty_like(right_order)
    source[yours_order] = right_order
    if np.min(np.diff(np.sort(e.numeric[0])), initial=np.inf) <= np.max(e.bar[0]):
        return None  # repeated values: the permutation cannot be read off
    return e.named(
        e.numeric[:, source],
        e.bar[:, source],
        "misplaced",
        "right numbers in the wrong places",
        "the entries of yours are those of the numeric gradient in another order",
        "each entry of the gradient belongs where its input entry stands: check indices, axes and reshapes",
    )


def shifted_outputs(e: Evidence) -> Iterator[Finding]:
    """Find a cotangent read at an offset: every output sends back what its neighbor should."""
    if not e.complete or len(e.outputs) != 1 or not e.known.all():
        return
    shape = e.outputs[0].shape
    jacobian, allowed = (v.reshape(*shape, -1) for v in (e.jacobian, e.allowed))
    for axis, size in enumerate(shape):
        for shift in (s for k in range(1, size // 2 + 1) for s in (k, -k)):
            moved = np.roll(jacobian, shift, axis).reshape(e.jacobian.shape)
            room = np.maximum(np.roll(allowed, shift, axis).reshape(e.jacobian.shape), e.allowed)
            if np.max(np.abs(moved - e.jacobian)) <= 100 * np.max(e.allowed):
                continue
            if np.all(np.abs(e.believed - moved) <= 2 * room):
                yield Finding(
                    "shifted",
                    f"the incoming gradient is read at an offset of {shift} along axis {axis}",
                    "moved by that much, yours is right in every single derivative",
                    "check the bounds of slices, pads and concatenations: each entry goes back to where it came from",
                )


def swapped_inputs(e: Evidence) -> Iterator[Finding]:
    """Find that this is the right gradient of another input."""
    for name, (numeric, bar) in e.others.items():
        if numeric.shape != e.yours[: e.random].shape:
            continue
        error = np.abs(e.yours[: e.random] - numeric)
        if np.all(error <= bar + e.doubt[: e.random]):
            yield Finding(
                "swapped-inputs",
                f"this is the gradient of {name}",
                f"yours equals the numeric gradient of {name} in every entry",
                "return the gradients in the order of the inputs",
                float(np.max(error)) / e.largest,
            )


def summed_over_wrong_axes(e: Evidence) -> Iterator[Finding | None]:
    """Find right contributions whose sum runs over the wrong axes."""
    if len(e.outputs) != 1 or not e.one_entry_each:
        return  # an output that uses several entries has no single contribution
    out_shape = e.outputs[0].shape
    local = e.jacobian.sum(axis=1)
    slack = e.bar[e.random :].max(axis=1)
    contributions = (e.cotangents * local).reshape(-1, *out_shape)
    room = (np.abs(e.cotangents) * slack).reshape(-1, *out_shape)
    for some in axis_sets(len(out_shape)):
        where = tuple(a + 1 for a in some)
        summed = contributions.sum(where).reshape(len(e.cotangents), -1)
        if summed.shape == e.yours.shape:
            yield e.named(
                summed,
                room.sum(where).reshape(len(e.cotangents), -1),
                "wrong-axis-sum",
                f"summed over {axes_of(some)}, which is the wrong axis",
                f"yours is the sum of the right contributions over {axes_of(some)}",
                "sum over the axes that the input was broadcast along, and keep those that it has",
            )
