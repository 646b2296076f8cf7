"""Tables without a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pytest

from tinygrad_norm.lessons.own_table.table import Column, Layout, OwnTable

TableOf = Callable[..., OwnTable]


@pytest.fixture(scope="session")
def table_of() -> TableOf:
    """Return a function that makes a table of numbers with labels in column 1, read from line 2 on."""

    def make(numbers: npt.ArrayLike, labels: Sequence[str] | None = None, **layout: object) -> OwnTable:
        array = np.array(numbers, dtype=float)
        array.flags.writeable = False
        first = 1 if labels is None else 2
        facts: dict[str, object] = {
            "delimiter": ",", "decimal": ".", "header": True, "encoding": "utf-8", "blank_lines": 0, **layout,
        }  # fmt: skip
        headed = facts["header"]
        return OwnTable(
            source="t.csv",
            number_columns=tuple(Column(first + i, f"z{i + 1}" if headed else None) for i in range(array.shape[1])),
            text_columns=() if labels is None else (Column(1, "token" if headed else None),),
            numbers=array,
            texts=() if labels is None else (list(labels),),
            lines=np.arange(2, len(array) + 2),
            layout=Layout(**facts),  # type: ignore[arg-type]
        )

    return make
