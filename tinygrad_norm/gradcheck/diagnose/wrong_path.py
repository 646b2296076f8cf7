"""Mistakes in which output depends on which input: leaks, dropped contributions, forgotten factors."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..measure.step_ladder import Array
from ..verdict import Flags
from .evidence import Evidence, Finding


def leak(e: Evidence) -> Iterator[Finding]:
    """Find a gradient that is right where the output depends on the input and flows where it does not."""
    if not e.complete or not e.still.any():
        return
    extra = np.abs(e.believed) > e.allowed
    if not np.any(extra & e.still) or not np.any(~e.still & e.significant(e.numeric)[e.random :]):
        return
    if np.any(np.abs(e.believed - e.jacobian)[~e.still] > e.allowed[~e.still]):
        return
    count = int(np.sum(extra & e.still))
    yield Finding(
        "leak",
        "a gradient leaks through where the output does not depend on the input",
        f"yours is right everywhere else, but not 0 in {count} places where moving the input moves nothing",
        "multiply by the mask of the forward pass: relu, clip, where, max, dropout and attention masks send "
        "nothing back to what they blocked",
    )


def local_factor_missing(e: Evidence) -> Iterator[Finding | None]:
    """Find a cotangent handed on unchanged, where every output touches one entry."""
    if not e.one_entry_each or not e.touched.any():
        return
    slopes = e.jacobian[e.touched]
    if np.ptp(slopes) <= 1e-9 * np.max(np.abs(slopes)):
        return  # a constant: told better by the hypotheses about factors
    yield e.named(
        e.cotangents @ e.touched.astype(np.float64),
        np.zeros_like(e.yours),
        "local-derivative-missing",
        "the cotangent is passed on unchanged: the local derivative is missing",
        "yours is g itself where g times the derivative belongs",
        "the chain rule multiplies: incoming gradient × derivative of this operation",
    )


def elementwise_only(e: Evidence) -> Iterator[Finding | None]:
    """Find that only the diagonal of the Jacobian is used."""
    if not (e.complete and e.jacobian.shape[0] == e.jacobian.shape[1]):
        return
    diagonal = np.diag(e.jacobian)
    if np.all(np.abs(e.jacobian - np.diag(diagonal)) <= e.allowed):
        return
    yield e.named(
        e.cotangents * diagonal,
        np.abs(e.cotangents) * np.diag(e.bar[e.random :]),
        "treated-as-elementwise",
        "treated as an elementwise function: entries influence each other, and that is missing",
        "yours is the diagonal of the Jacobian times g",
        "each output depends on several inputs here (softmax: dx = y · (g − Σ g y)), so g must be mixed along the axis",
    )


def silent_outputs(e: Evidence) -> Iterator[Finding]:
    """Find outputs that send nothing back, where all others are right."""
    if not e.complete:
        return
    matters = np.any(e.touched, axis=1)
    silent = matters & np.all(np.abs(e.believed) <= e.allowed, axis=1)
    if not silent.any() or silent.sum() == matters.sum():
        return
    if np.any(np.abs(e.believed - e.jacobian)[~silent] > e.allowed[~silent]):
        return
    reached = np.any(e.touched[matters & ~silent], axis=0)
    needed = np.any(e.touched[silent], axis=0)
    evidence = f"outputs {_as_indices(silent, e.outputs)} send nothing back, the others are right"
    if np.all(reached[needed]):
        yield Finding(
            "contributions-overwritten",
            "contributions are overwritten: of several outputs made from one entry only some count",
            evidence,
            "an entry that was used several times receives the sum: np.add.at or +=, not an assignment; sum over "
            "the broadcast",
        )
    yield Finding(
        "silent-outputs",
        "some outputs send nothing back",
        evidence,
        "every output entry that depends on the input contributes: check slices, indices and dropped branches",
    )


def _as_indices(flags: Flags, outputs: tuple[Array, ...]) -> str:
    """Return the first few flagged outputs as indices."""
    places = np.argwhere(flags.reshape(outputs[0].shape if len(outputs) == 1 else -1)).tolist()
    return ", ".join(map(str, places[:4])) + (f" and {len(places) - 4} more" if len(places) > 4 else "")


def dropped_contributions(e: Evidence) -> Iterator[Finding]:
    """Find that every single derivative is either right or missing."""
    if not e.complete:
        return
    right = np.abs(e.believed - e.jacobian) <= e.allowed
    missing = e.touched & ~right
    if not missing.any() or np.any(~right & ~missing) or np.any(e.believed[missing] != 0):
        return
    if not np.any(e.touched & right):
        return
    entries = np.any(missing, axis=0)
    whole = np.all(~e.touched | missing, axis=0) & entries
    if np.array_equal(whole, entries):
        yield Finding(
            "entries-dropped",
            "some entries of the input receive nothing",
            f"{int(entries.sum())} of {e.x.size} entries get 0 although the output depends on them; the others are "
            "right",
            "check the edges: slices, strides and paddings that leave out the first or the last entries",
        )
    yield Finding(
        "path-dropped",
        "a path is dropped: some of the ways from input to output are missing",
        f"{int(missing.sum())} of {int(e.touched.sum())} single derivatives are 0 in yours, the others are right",
        "a value that is used in several places receives a contribution from each of them",
    )


def skip_path(e: Evidence) -> Iterator[Finding | None]:
    """Find the identity path of a residual connection missing, or counted twice."""
    if not (e.complete and e.same_shape and e.significant(e.numeric).any()) or e.one_entry_each:
        return  # entry by entry the 1 may as well come from a product, as in (x log x)′ = log x + 1
    why = "in y = x + f(x) the gradient of x is g plus what comes back through f"
    missing, twice = e.numeric - e.cotangents, e.numeric + e.cotangents
    yours = "yours is the numeric gradient"
    yield e.named(missing, None, "skip-missing", "the skip connection is missing", f"{yours} − g", why)
    yield e.named(twice, None, "skip-twice", "the skip connection is counted twice", f"{yours} + g", why)
