"""What the terminal shows: all of a small table, the ends of a large one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tinygrad_norm.lessons.own_table.normalize_table import NormChoices, normalize_table
from tinygrad_norm.lessons.own_table.own_table import OwnTable
from tinygrad_norm.lessons.own_table.show_steps import choose_format, steps_text

TableOf = Callable[..., OwnTable]

MASKED_BATCH = """\
t.csv: 3 rows × 2 columns of numbers
Read with semicolon as the delimiter, decimal comma, utf-8, a header and text in column 1
(token). 2 blank lines skipped.
Batch norm: each column over the rows, eps 0.5, variance with divisor n − 1.
Pads, marked ░: 1 of 3 rows; left out of the statistics, their output is 0.

  x, and mean = Σ x / n over each column of real rows
             z1     z2
    Hi     1      2
  ░ pad    0      0
    you    2.5    4.5
    mean   1.75   3.25

  centered = x − mean, and variance = Σ centered² / (n − 1) over each column of real rows
                      z1          z2
    Hi         −0.750000   −1.250000
  ░ pad         0           0
    you         0.750000    1.250000
    variance    1.125000    3.125000

  normalized = centered / √(variance + 0.5); the output is the same: weight 1, bias 0
                 z1          z2
    Hi    −0.588348   −0.656532
  ░ pad    0           0
    you    0.588348    0.656532

  gradient of output[Hi, z1]: its derivative by every x
                 z1   z2
    Hi     0.120687    0
  ░ pad    0           0
    you   −0.120687    0
    2 of 6 derivatives by x are not 0.

  over 2 real rows together
                  smallest       mean    largest   deviation
    x             1.000000   2.500000   4.500000    1.274755
    centered     −1.250000   0          1.250000    1.030776
    normalized   −0.656532   0          0.656532    0.623373
    output       −0.656532   0          0.656532    0.623373
"""


def text_of(table: OwnTable, choices: NormChoices, entry: tuple[int, int] = (0, 0)) -> str:
    return steps_text(table, normalize_table(table, choices, entry))


def block_of(text: str, title: str) -> list[str]:
    (block,) = [b for b in text.split("\n\n") if b.strip().startswith(title)]
    return block.splitlines()


def test_a_small_table_is_shown_whole(table_of: TableOf) -> None:
    labels, real = ["Hi", "pad", "you"], [True, False, True]
    table = table_of([[1, 2], [0, 0], [2.5, 4.5]], labels, real, delimiter=";", decimal=",", blank_lines=2)
    assert text_of(table, NormChoices("batch", ddof=1, eps=0.5)) == MASKED_BATCH


def test_layer_norm_has_its_statistics_beside(table_of: TableOf) -> None:
    text = text_of(table_of([[7, 5, 4], [2, 3, 4]], header=False), NormChoices(eps=0, weight=(1, 2, 1)))
    assert "no header and no text." in text
    assert "Layer norm: each row over its columns, eps 0, variance with divisor n." in text
    heads = block_of(text, "x, and mean = Σ x / n over each row")[1]
    assert heads.split() == ["column", "1", "column", "2", "column", "3", "mean"]
    centered = block_of(text, "centered = x − mean, and variance")
    assert centered[2].split()[-1] == "1.555556"
    assert block_of(text, "normalized = centered / √(variance)")[2].startswith("    row 1")
    output = block_of(text, "output = normalized · weight")
    assert [line.split()[0] for line in output[2:]] == ["row", "row", "weight"]
    assert "by weight" in block_of(text, "gradient of output[row 1, column 1]")[4]


def test_rms_norm_has_no_mean(table_of: TableOf) -> None:
    text = text_of(table_of([[3, 4]]), NormChoices("rms"))
    assert "RMS norm: each row over its columns, eps 1e-05." in text
    assert block_of(text, "x, and mean square = mean of x² over each row")[2].split()[-1] == "12.500000"
    assert block_of(text, "normalized = x / √(mean square + 1e-05)")
    assert "centered" not in text


def test_pads_of_layer_norm_are_said_to_be_rows(table_of: TableOf) -> None:
    text = text_of(table_of([[1, 2], [5, 9]], ["Hi", "pad"], [True, False]), NormChoices())
    assert "Pads, marked ░: 1 of 2 rows; normalized by themselves like any row, left out of" in text
    statistics = block_of(text, "over 1 real row together")
    assert statistics[2].split() == ["x", "1.000000", "1.500000", "2.000000", "0.500000"]


def test_a_large_table_shows_its_ends_and_the_entry(table_of: TableOf) -> None:
    numbers = np.random.default_rng(0).normal(size=(50, 12))
    text = text_of(table_of(numbers, [f"t{i}" for i in range(50)]), NormChoices("batch"), entry=(30, 7))
    lines = block_of(text, "normalized")
    assert lines[1].split() == ["z1", "z2", "…", "z8", "…", "z11", "z12"]
    assert " ".join(line.split()[0] for line in lines[2:]) == "t0 t1 t2 t3 t4 … t30 … t45 t46 t47 t48 t49"
    assert lines[7] == "    … 25 rows"
    assert lines[9] == "    … 14 rows"
    assert "50 of 600 derivatives by x are not 0." in text
    assert block_of(text, "over 50 rows together")[2].split()[1] == f"{numbers.min():.6f}".replace("-", "−")
    assert block_of(text, "x, and mean")[-1].split()[0] == "mean"


def test_neighbors_have_no_gap_between(table_of: TableOf) -> None:
    numbers = np.random.default_rng(0).normal(size=(21, 7))
    text = text_of(table_of(numbers), NormChoices(), entry=(5, 2))
    lines = block_of(text, "normalized")
    assert lines[1].split() == ["z1", "z2", "z3", "…", "z6", "z7"]
    assert lines[7].split()[:2] == ["row", "6"]
    assert lines[8] == "    … 10 rows"


def test_names_fit_a_line(table_of: TableOf) -> None:
    text = text_of(table_of([[1, 2]], ["two\nlines and " + "x" * 30]), NormChoices())
    assert "    two lines and xxxxx…  " in text


@pytest.mark.parametrize(
    ("values", "as_is", "expected"),
    [
        ([1.5, 2.25], True, ""),
        ([1.5, 1 / 3], True, ".6f"),
        ([1.5, 2.25], False, ".6f"),
        ([0.0, 0.0], False, ".6f"),
        ([1e-9, -2e-5], False, ".5e"),
        ([1e9, 1.0], False, ".5e"),
    ],
)
def test_the_format_fits_the_numbers(values: list[float], as_is: bool, expected: str) -> None:
    assert choose_format(np.array(values), as_is=as_is) == expected


def test_what_was_left_out_is_said_and_nothing_drives_the_terminal(table_of: TableOf) -> None:
    labels = ["a\x1b[2Jb", "c\u202ed", "e"]
    table = table_of([[1, 2], [3, 4], [5, 7]], labels, index=True, dropped=(3, 5, 6, 8, 9, 11))
    text = steps_text(table, normalize_table(table, NormChoices("layer")))
    assert "The first column has no name and counts the rows: it is their index" in " ".join(text.split())
    assert "6 rows left out that lacked a number (lines 3, 5, 6, 8, 9…)." in " ".join(text.split())
    assert all(c.isprintable() or c == "\n" for c in text)
    assert "a\\x1b[2Jb" in text


def test_rows_that_are_too_large_only_together_are_shown_without_a_warning(table_of: TableOf) -> None:
    table = table_of([[1e300], [1.0]])
    assert "1.00000e300" in steps_text(table, normalize_table(table, NormChoices("layer")))
