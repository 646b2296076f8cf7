"""What the tests of the gradient check share: the corpus, and how it is run."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm.gradcheck import Report

sys.path.insert(0, str(Path(__file__).resolve().parent))

from corpus_rates import Coverage, coverage_of  # beside this file


@pytest.fixture
def run_case() -> Callable[..., Report]:
    """``run_case(case, seed)``: what the check says about a case of the corpus."""

    def run(case: Any, seed: int) -> Report:
        with np.errstate(all="ignore"):
            forward, backward, inputs = case.make(np.random.default_rng(seed))
        return tg.check_vjp(forward, backward, inputs, seed=seed)

    return run


@pytest.fixture
def coverage() -> Callable[..., Coverage]:
    """``coverage(known, seeds)``: the measured bars of a known function beside the true errors."""
    return coverage_of
