"""What a lesson is made of: steps of paragraphs, formulas, tables, facts, claims, charts and graphs.

All of it is frozen data. A number is kept at full precision beside the format it is shown in, and the
sentence of a :class:`Fact` or :class:`Claim` is filled in from its own values: what is printed cannot
differ from what ``--json`` gives.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from types import MappingProxyType
from typing import Literal, TypeAlias

from ...viz import Drawing
from .numerals import fill, write

PAD = "pad"
"""The label of a padding position, in every table."""

CellValue: TypeAlias = "int | float | Fraction | str | None"
"""What a cell holds. A float NaN stands for 0/0; None for a place that has no value."""

Values: TypeAlias = "Mapping[str, CellValue | tuple[CellValue, ...]]"

Judgment: TypeAlias = Literal["slip", "imprecise", "too strong", "disputed", "partly shown", "right"]


@dataclass(frozen=True)
class Paragraph:
    """A few sentences without a computed number."""

    text: str


@dataclass(frozen=True)
class Formula:
    """Lines to be set as they are."""

    text: str


@dataclass(frozen=True)
class Row:
    """One row of a table; `pad` marks a padding position."""

    label: str
    values: tuple[CellValue, ...]
    pad: bool = False


@dataclass(frozen=True)
class Table:
    """A small labeled table: a label for each column, and above the row labels the corner.

    The key is its stable name within the step. A format is that of fractional numbers, for all columns or one for each;
    empty means "as short as exact". The note is a line below.
    """

    key: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    corner: str = ""
    formats: str | tuple[str, ...] = ".6f"
    note: str = ""

    def __post_init__(self) -> None:
        widths = {len(row.values) for row in self.rows}
        if widths - {len(self.columns)}:
            raise ValueError(f"table {self.key}: rows of {widths} values, {len(self.columns)} columns")

    def format_of(self, column: int) -> str:
        """Return the format of a fractional number in that column."""
        return self.formats if isinstance(self.formats, str) else self.formats[column]

    def is_text(self, column: int) -> bool:
        """Return whether there is text in that column; else it is aligned as numbers."""
        return any(isinstance(row.values[column], str) for row in self.rows)

    def cells(self) -> tuple[tuple[str, ...], ...]:
        """Return every value as a reader should see it, ``(row, column)``."""
        return tuple(
            tuple(write(value, self.format_of(column)) for column, value in enumerate(row.values)) for row in self.rows
        )


@dataclass(frozen=True)
class Fact:
    """A sentence whose numbers were computed; `text` is a template over `values`.

    >>> Fact("share", "{pads:.1%} of the positions are pads.", {"pads": 0.25}).sentence
    '25.0% of the positions are pads.'
    """

    key: str
    text: str
    values: Values

    @property
    def sentence(self) -> str:
        """The text with its numbers."""
        return fill(self.text, self.values)


@dataclass(frozen=True)
class Claim:
    """Something the notes say, judged: what is true, and why it must be so.

    Both are templates over the values, which are the computed numbers at full precision. The key is its stable name
    within the step.
    """

    key: str
    says: str
    verdict: Judgment
    truth: str
    why: str
    values: Values = field(default_factory=lambda: MappingProxyType({}))

    @property
    def true_sentence(self) -> str:
        """What is true, with its numbers."""
        return fill(self.truth, self.values)

    @property
    def reason(self) -> str:
        """Why, with its numbers."""
        return fill(self.why, self.values)


@dataclass(frozen=True)
class Series:
    """One line of a chart, as ``(x, y)`` points.

    Lines of one `style` share color and dashes; a `thin` one is told from its fellow by its width.
    """

    label: str
    points: tuple[tuple[float, float], ...]
    style: int
    thin: bool = False


@dataclass(frozen=True)
class Chart:
    """Lines over one axis, drawn where pictures can be (the tables beside it hold its key numbers)."""

    key: str
    title: str
    x_label: str
    y_label: str
    series: tuple[Series, ...]
    level: float
    level_label: str


@dataclass(frozen=True)
class Graph:
    """A computation graph, drawn where pictures can be; its numbers stand in the tables beside it, too."""

    key: str
    title: str
    drawing: Drawing


Block: TypeAlias = "Paragraph | Formula | Table | Fact | Claim | Chart | Graph"


@dataclass(frozen=True)
class Step:
    """A part of a lesson: its number, its title, what it consists of, and the few sentences to take away from it.

    A sentence to take away is short, a line of a terminal, and stands without the step.
    """

    number: int
    title: str
    blocks: tuple[Block, ...]
    take_away: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lesson:
    """The whole lecture, or the steps chosen from it."""

    title: str
    settings: Values
    introduction: tuple[str, ...]
    steps: tuple[Step, ...]
