"""Names for a model of letters to learn from: made of three parts by a rule, so that what can be learned is known.

A name is a beginning, perhaps a middle, and an ending: "ma" + "ri" + "na". Every name can be split in one way only, and
all are equally likely. So there is a loss that a model has once it knows the rule, :func:`loss_of_the_rule`.
"""

from __future__ import annotations

import itertools
import math

import numpy as np

_PARTS = """al be da el fa ga ha jo ka le li ma mi no pa ro sa ta vi yo
da di ka la le li lo mi na ri ro ti
ba bel dan fi go ja ko lin mar na nor ra rin so th va"""
BEGINNINGS, MIDDLES, ENDINGS = map(str.split, _PARTS.splitlines())

ALL_NAMES: tuple[str, ...] = tuple(map("".join, itertools.product(BEGINNINGS, ["", *MIDDLES], ENDINGS)))
"""Every name there is, each once."""


def make_names(count: int, seed: int = 0) -> list[str]:
    """Return so many different names in random order; all there are, if they are fewer.

    >>> make_names(4)
    ['rodiso', 'lidabel', 'darifi', 'fadiba']
    """
    chosen = np.random.default_rng(seed).permutation(len(ALL_NAMES))[:count]
    return [ALL_NAMES[i] for i in chosen]


def loss_of_the_rule() -> float:
    """Return the entropy of a name for each of its letters and its end, in nats.

    Formula: log(number of names) / (mean length + 1). It is the mean cross-entropy of a model that gives every name the
    same chance; what is lower on names it has not seen comes from knowing which ones are taken.

    >>> round(loss_of_the_rule(), 4)
    1.154
    """
    return math.log(len(ALL_NAMES)) / (1 + sum(map(len, ALL_NAMES)) / len(ALL_NAMES))
