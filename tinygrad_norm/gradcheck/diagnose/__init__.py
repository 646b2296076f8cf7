"""Names the mistake in a wrong gradient: a table of hypotheses, tried from simple to complex.

A hypothesis is named only if what it predicts agrees with yours inside the measured bars, in every entry and for every
cotangent at once. Otherwise the mistake stays unnamed: a wrong hint is worse than none.
"""

from __future__ import annotations

from itertools import chain

import numpy as np

from . import wrong_coupling, wrong_factor, wrong_formula, wrong_norm, wrong_path, wrong_place, wrong_route
from .evidence import Evidence, Finding, Hypothesis

__all__ = ["HYPOTHESES", "Evidence", "Finding", "Hypothesis", "name_mistake"]

#: In the order in which they are tried. Exact statements about the whole Jacobian come before fits.
HYPOTHESES: tuple[Hypothesis, ...] = (
    wrong_factor.zero,
    wrong_place.swapped_inputs,
    wrong_factor.scale_missing,
    wrong_factor.constant_factor,
    wrong_factor.lost_precision,
    wrong_norm.norm_mistake,
    wrong_coupling.softmax_mistake,
    wrong_place.jacobian_not_transposed,
    wrong_place.moved_entries,
    wrong_place.shifted_outputs,
    wrong_place.summed_over_wrong_axes,
    wrong_route.exchanged_branches,
    wrong_path.leak,
    wrong_path.elementwise_only,
    wrong_path.silent_outputs,
    wrong_path.dropped_contributions,
    wrong_route.some_signs,
    wrong_path.local_factor_missing,
    wrong_factor.power_rule,
    wrong_formula.related,
    wrong_formula.product_rule,
    wrong_path.skip_path,
    wrong_factor.row_factor,
    wrong_factor.wrong_point,
    wrong_route.some_scaled,
    wrong_route.one_of_two_paths,
    wrong_route.wrong_outputs,
    wrong_coupling.lost_mean_path,
    wrong_coupling.lost_variance_path,
    wrong_coupling.lost_statistics,
    wrong_coupling.lost_length_path,
    wrong_factor.unexplained_factor,
    wrong_route.handed_on,
    wrong_route.inverse_for_transpose,
    wrong_formula.another_point,
    wrong_formula.constant_term,
    wrong_formula.factor_of_formula,
    wrong_formula.another_derivative,
    wrong_formula.term_of_formula,
    wrong_route.scaled_rows,
    wrong_route.wrong_entries,
    wrong_formula.wrong_branch,
    wrong_route.one_entry,
)

#: What a sample of the entries can show; the others look at whole rows, or at where an entry should have gone.
OF_A_SAMPLE: tuple[Hypothesis, ...] = (
    wrong_factor.zero,
    wrong_factor.constant_factor,
    wrong_factor.lost_precision,
    wrong_factor.power_rule,
    wrong_formula.related,
    wrong_formula.product_rule,
    wrong_factor.wrong_point,
    wrong_factor.unexplained_factor,
    wrong_formula.constant_term,
    wrong_formula.factor_of_formula,
    wrong_formula.term_of_formula,
)

#: Of fewer sampled entries nothing is said that is about every entry.
FEWEST = 3


def name_mistake(evidence: Evidence) -> Finding | None:
    """Return the first finding that explains the evidence.

    None if there is none, if the gradient is not finite, or if it is wrong only where the numeric side is unknown (at
    kinks): there everything would seem to fit.
    """
    if not np.isfinite(evidence.yours).all() or evidence.agrees(evidence.numeric) is not None:
        return None
    if evidence.sample is not None and len(evidence.sample) < FEWEST:
        return None
    hypotheses = HYPOTHESES if evidence.sample is None else OF_A_SAMPLE
    considered = chain.from_iterable(hypothesis(evidence) for hypothesis in hypotheses)
    return next((finding for finding in considered if finding is not None), None)
