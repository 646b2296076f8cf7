"""Tables without a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from tinygrad_norm.lessons.own_table.own_table import Column, Layout, OwnTable

TableOf = Callable[..., OwnTable]


@pytest.fixture(scope="session")
def table_of() -> TableOf:
    """Return a function that makes a table of numbers with labels in column 1, read from line 2 on."""

    def make(
        numbers: npt.ArrayLike, labels: Sequence[str] | None = None, real: object = None, **layout: Any
    ) -> OwnTable:
        array = np.array(numbers, dtype=float)
        array.flags.writeable = False
        usual = Layout(delimiter=",", decimal=".", header=True, encoding="utf-8", blank_lines=0)
        facts = replace(usual, **layout)
        names = [*([] if labels is None else ["token"]), *(f"z{i + 1}" for i in range(array.shape[1]))]
        columns = tuple(Column(number, name if facts.header else None) for number, name in enumerate(names, 1))
        return OwnTable(
            source="t.csv",
            columns=columns,
            numbers=array,
            texts={} if labels is None else {columns[0]: [*labels]},
            lines=np.arange(2, len(array) + 2),
            layout=facts,
            real=None if real is None else np.array(real, dtype=bool),
        )

    return make
