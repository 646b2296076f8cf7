"""Names the mistake in a wrong gradient: a table of hypotheses, tried from simple to complex.

A hypothesis is named only if what it predicts agrees with yours inside the measured bars, in every entry and for every
cotangent at once. Otherwise the mistake stays unnamed: a wrong hint is worse than none.
"""

from __future__ import annotations

import numpy as np

from . import coupling, factors, norm_mistakes, paths, places, ratios
from .evidence import Evidence, Finding, Hypothesis

__all__ = ["HYPOTHESES", "Evidence", "Finding", "Hypothesis", "name_mistake"]

#: In the order in which they are tried. Exact statements about the whole Jacobian come before fits.
HYPOTHESES: tuple[Hypothesis, ...] = (
    factors.zero,
    places.swapped_inputs,
    factors.scale_missing,
    factors.constant_factor,
    factors.lost_precision,
    norm_mistakes.norm_mistake,
    coupling.softmax_mistake,
    places.jacobian_not_transposed,
    places.moved_entries,
    places.shifted_outputs,
    places.summed_over_wrong_axes,
    paths.inverted_mask,
    paths.leak,
    paths.elementwise_only,
    paths.silent_outputs,
    paths.dropped_contributions,
    paths.local_factor_missing,
    ratios.power_rule,
    paths.wrong_operand,
    paths.skip_path,
    ratios.row_factor,
    ratios.wrong_point,
    coupling.lost_mean_path,
    coupling.lost_variance_path,
    coupling.lost_statistics,
    factors.unexplained_factor,
)


def name_mistake(evidence: Evidence) -> Finding | None:
    """Return the first finding that explains the evidence.

    None if there is none, if the gradient is not finite, or if it is wrong only where the numeric side is unknown (at
    kinks): there everything would seem to fit.
    """
    if not np.isfinite(evidence.yours).all() or evidence.agrees(evidence.numeric) is not None:
        return None
    for hypothesis in HYPOTHESES:
        finding = hypothesis(evidence)
        if finding is not None:
            return finding
    return None
