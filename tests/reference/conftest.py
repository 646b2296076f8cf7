"""What the comparisons with PyTorch share: the stored values.

The scripts beside this file that are no tests need PyTorch and are run by hand (``python tests/reference/compute.py``):
pytest must not import them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg

collect_ignore_glob = ["[!t]*.py"]
Stored = dict[str, Any]


@pytest.fixture(scope="session")
def fetch() -> Callable[[Stored], np.ndarray]:
    """A function from an entry of the JSON file to its array."""
    with np.load(Path(__file__).parent / "pytorch.npz") as archive:
        values = archive["values"]

    def array(entry: Stored) -> np.ndarray:
        start, shape = entry["at"], tuple(entry["shape"])
        kind = {"f": np.float64, "i": np.int64, "b": np.bool_}[entry["kind"]]
        return values[start : start + int(np.prod(shape))].reshape(shape).astype(kind)

    return array


@pytest.fixture(scope="session")
def agree() -> Callable[[Any, np.ndarray], None]:
    """An assertion that two arrays agree to 1e-12, of the larger of 1 and the value."""

    def check(ours: Any, theirs: np.ndarray) -> None:
        ours = ours.data if isinstance(ours, tg.Tensor) else np.asarray(ours)
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)

    return check
