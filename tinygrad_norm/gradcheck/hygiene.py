"""Is the code under test fit to be checked? Each fault has its own message.

A function that changes its input, draws random numbers or gives NaN, and a backward pass that is not linear in its
cotangent, remembers earlier calls or depends on the memory layout, are wrong whatever the numbers say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .diagnose import Finding
from .measure.step_ladder import UNIT_ROUNDOFF, Array
from .verdict import LEAST_MOVEMENT
from .vjp_problem import Arrays, Probe, Problem, as_gradient, flatten, unflatten

#: Gradients above this are divided where others are multiplied; below the other numbers have few digits.
LARGEST = 1e300
TINY = float(np.finfo(np.float64).tiny)


def forward_faults(problem: Problem, outputs: Arrays) -> Iterator[Finding]:
    """Yield what is wrong with the forward pass at the point."""
    center = flatten(outputs)
    bad = np.flatnonzero(~np.isfinite(center))
    if bad.size:
        yield Finding(
            "not-finite",
            "the function is not finite at this point",
            f"{bad.size} of {center.size} outputs are NaN or infinite, the first is {_where(bad[0], outputs)}",
            "choose a point inside the domain of the function",
        )
        return
    inputs = problem.copies()
    again = problem.flat_output(inputs)
    if again.shape != center.shape or not np.array_equal(again, center):
        yield Finding(
            "random",
            "the function gives another answer the second time",
            "two evaluations at the same point differ",
            "fix the seed inside the function, switch dropout off (module.eval()), or pass the random mask as an input",
        )
    yield from _changed(problem, inputs, "the function changes its input")


def _changed(problem: Problem, inputs: Arrays, what: str) -> Iterator[Finding]:
    for name, before, after in zip(problem.names, problem.inputs, inputs, strict=True):
        if not np.array_equal(before, after):
            yield Finding(
                "input-changed",
                f"{what} {name}",
                f"{int(np.sum(before != after))} of {before.size} entries were overwritten",
                "work on a copy: x = x + 1 instead of x += 1",
            )


def backward_faults(p: Probe) -> Iterator[Finding]:
    """Yield what is wrong with the backward pass, apart from its numbers."""
    for name, gradient in zip(p.problem.names, p.gradients, strict=True):
        bad = np.argwhere(~np.isfinite(gradient))
        if bad.size:
            yield Finding(
                "gradient-not-finite",
                f"the gradient of {name} is not finite",
                f"{len(bad)} of {gradient.size} entries are NaN or infinite, the first is "
                f"{name}{[int(i) for i in bad[0][1:]]}",
                "look for a division by zero, 0/0 or a root at zero that the formula needs a special case for",
            )
            return
    count = len(p.cotangents)
    # A power of two, so that b(−1024 g) = −1024 b(g) holds in floating-point arithmetic too; its inverse where the
    # product would overflow.
    huge = any(np.max(np.abs(a), initial=0.0) > LARGEST for a in p.gradients)
    factor = -1 / 1024 if huge else -1024.0
    both = p.cotangents[:2].sum(axis=0, keepdims=True)
    asked = p.ask(np.concatenate([p.cotangents, factor * p.cotangents, both]))
    if not all(np.array_equal(a, b[:count]) for a, b in zip(p.gradients, asked, strict=True)):
        yield Finding(
            "another-answer",
            "the backward pass gives another answer the second time",
            "the same point and the same cotangent were passed both times",
            "start every call from zeros: it may be adding to an array that outlives the call, or draw random numbers",
        )
        return
    yield from _linearity(p, factor, [a[count : 2 * count] for a in asked], [a[2 * count :] for a in asked])
    yield from _side_effects(p)
    yield from _layout(p)


def _linearity(p: Probe, factor: float, scaled: Sequence[Array], both: Sequence[Array]) -> Iterator[Finding]:
    """Yield what is not linear, of the gradients for the cotangents times ``factor`` and for the sum of the first."""

    def proportional(ulps: float) -> bool:
        return _all_close(p, [factor * a for a in p.gradients], scaled, factor, ulps)

    def additive(ulps: float) -> bool:
        return _all_close(p, [a[:2].sum(axis=0, keepdims=True) for a in p.gradients], both, 2.0, ulps)

    # Precision is no matter of this test: gradients in float32 have a name of their own, and what takes the derivative
    # of a function of matrices from a block matrix [[A, g], [0, A]] rounds by the size of the block.
    if proportional(1e8) and additive(1e8):
        return
    ulps = 1e10 if _in_float32(p) else 1e8
    if proportional(ulps):
        if additive(ulps):
            return
    elif _all_close(p, p.gradients, scaled):
        yield Finding(
            "not-multiplied-by-g",
            "the gradient is not multiplied by the incoming gradient g",
            "−1024 g gives the same answer as g",
            "the chain rule multiplies by g; a backward pass without it is right for g = 1 only",
        )
        return
    elif _all_close(p, [factor**2 * a for a in p.gradients], scaled, factor**2):
        yield Finding(
            "multiplied-by-g-twice",
            "the gradient is multiplied by the incoming gradient g twice",
            "−1024 g gives 1024² times the answer of g",
            "the chain rule multiplies by g once",
        )
        return
    yield Finding(
        "not-linear",
        "the backward pass is not linear in the incoming gradient g",
        "b(−1024 g) is not −1024 b(g), or b(g + h) is not b(g) + b(h)",
        "a backward pass only multiplies g by things that do not depend on g and adds up: no clipping, no sign, no g²",
    )


def _in_float32(p: Probe) -> bool:
    """Tell whether the backward pass computes in float32, or rounds g to it."""
    if all(np.array_equal(a.astype(np.float32), a) for a in p.gradients):
        return True
    rounded = p.ask(p.cotangents.astype(np.float32).astype(np.float64))
    return all(np.array_equal(a, b) for a, b in zip(p.gradients, rounded, strict=True))


def _all_close(
    p: Probe, expected: Sequence[Array], found: Sequence[Array], factor: float = 1.0, ulps: float = 64.0
) -> bool:
    """Tell whether two sets of gradients differ by rounding only.

    An ill-conditioned one may differ by its shake; one whose large terms cancel, by what the function's own rounding
    hides.
    """
    hidden = LEAST_MOVEMENT * UNIT_ROUNDOFF * float(np.max(np.abs(p.cotangents * flatten(p.outputs)), initial=0.0))
    for position, (a, b) in enumerate(zip(expected, found, strict=True)):
        room = ulps * UNIT_ROUNDOFF * float(np.max(np.abs(a), initial=0.0))
        reach = float(np.max(np.abs(p.problem.inputs[position]), initial=0.0)) or 1.0
        room += abs(factor) * (hidden / reach + TINY)
        if a.shape != b.shape:
            return False
        apart = np.abs(a - b)
        if not (np.all(apart <= room) or np.all(apart <= room + 8 * abs(factor) * p.shakes[position])):
            return False
    return True


def _side_effects(p: Probe) -> Iterator[Finding]:
    inputs, cotangents, _ = p.one_call
    yield from _changed(p.problem, inputs, "the backward pass changes the input")
    if not np.array_equal(flatten(cotangents), p.cotangents[0]):
        yield Finding(
            "cotangent-changed",
            "the backward pass changes the incoming gradient g",
            "g was overwritten during the call",
            "the caller may still need g: work on a copy",
        )
    for who, what in p.problem.overwritten(inputs, unflatten(p.cotangents[0], p.outputs)):
        yield Finding(
            "argument-changed" if "argument" in what else "output-changed",
            f"{who} changes {what}",
            "it was overwritten during the call",
            "the caller may still need it, and so may other backward passes: work on a copy",
        )


def _layout(p: Probe) -> Iterator[Finding]:
    why = "write to arrays of your own only, and use reshape and ravel (order='C') without assumptions about memory"
    for what, arrange in (("read-only", _read_only), ("not contiguous", _strided)):
        name = f"the backward pass fails on arrays that are {what}"
        inputs = tuple(arrange(x) for x in p.problem.inputs)
        cotangents = tuple(arrange(g) for g in unflatten(p.cotangents[0], p.outputs))
        try:
            answer = p.problem.backward(inputs, cotangents)
        except ValueError as error:
            yield Finding("layout", name, f"it raises ValueError: {error}", why)
            return
        after = [
            np.zeros((1, *before.shape[1:])) if value is None else as_gradient(value, of)[None]
            for of, value, before in zip(p.problem.names, answer, p.gradients, strict=True)
        ]
        # Sums may run in another order: rounding, not layout.
        if not _all_close(p, [a[:1] for a in p.gradients], after, ulps=1e6):
            evidence = "it returns another gradient than for an ordinary array with the same values"
            yield Finding("layout", name, evidence, why)
            return


def _read_only(x: Array) -> Array:
    frozen = x.copy()
    frozen.flags.writeable = False
    return frozen


def _strided(x: Array) -> Array:
    """Return the same values with every axis strided and in column order."""
    wide = np.zeros(tuple(2 * n for n in x.shape), order="F")
    every_second: tuple[Any, ...] = (..., *(slice(None, None, 2) for _ in x.shape))
    view: Array = wide[every_second]
    view[...] = x
    return view


def aliases(p: Probe) -> list[str]:
    """Return notes about returned gradients that share memory with g or with each other: legal, but fragile."""
    _, cotangents, answer = p.one_call
    arrays = [(n, a) for n, a in zip(p.problem.names, answer, strict=True) if isinstance(a, np.ndarray)]
    notes = [
        f"the gradient of {name} is g itself (the same memory): adding to it in place would change g"
        for name, a in arrays
        if any(np.shares_memory(a, g) for g in cotangents)
    ]
    notes += [
        f"the gradients of {one} and {two} share memory: adding to one in place would change the other"
        for i, (one, a) in enumerate(arrays)
        for two, b in arrays[i + 1 :]
        if np.shares_memory(a, b)
    ]
    return notes


def adjoint_gap(linear: Problem, seed: int) -> float:
    """Return the relative violation of ⟨A x, u⟩ = ⟨x, Aᵀ u⟩ at a random u: no difference quotient is needed.

    >>> a = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> linear = Problem(("x",), (np.array([1.0, -2.0]),), lambda xs: (a @ xs[0],), lambda xs, gs: (a.T @ gs[0],))
    >>> adjoint_gap(linear, seed=0) < 1e-15
    True
    """
    outputs = linear.forward(linear.inputs)
    u = np.random.default_rng(seed).standard_normal(sum(y.size for y in outputs))
    sent = linear.backward(linear.inputs, unflatten(u, outputs))
    left, right = flatten(outputs) * u, flatten(linear.inputs) * flatten(sent)
    size = float(np.sum(np.abs(left)) + np.sum(np.abs(right)))
    return abs(float(np.sum(left) - np.sum(right))) / size if size else 0.0


def _where(flat: int, outputs: Arrays) -> str:
    ends = np.cumsum([out.size for out in outputs])
    number = int(np.searchsorted(ends, flat, side="right"))
    out = outputs[number]
    index = [int(i) for i in np.unravel_index(flat - (ends[number] - out.size), out.shape)]
    return f"output{'' if len(outputs) == 1 else f' {number}'}{index or ''}"
