"""What a lesson is made of: steps of paragraphs, formulas, tables, facts, claims, and pictures that may move.

All of it is frozen data. A number is kept at full precision beside the format it is shown in, and the
sentence of a :class:`Fact` or :class:`Claim` is filled in from its own values: what is printed cannot
differ from what ``--json`` gives.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal, TypeAlias, get_args

from ...errors import InputError
from ...viz import Drawing
from ..languages import require_language
from .author_mistakes import cells_of, items_of, points_of, require_filled, require_text, values_of
from .moving import Moving
from .numerals import CellValue, Values, fill, write

PAD = "pad"
"""The label of a padding position, in every table."""

Judgment: TypeAlias = Literal["slip", "imprecise", "too strong", "disputed", "partly shown", "right"]


@dataclass(frozen=True)
class Paragraph:
    """A few sentences without a computed number."""

    text: str

    def __post_init__(self) -> None:
        require_text(text=self.text)


@dataclass(frozen=True)
class Formula:
    """Lines to be set as they are."""

    text: str

    def __post_init__(self) -> None:
        require_text(text=self.text)


@dataclass(frozen=True)
class Row:
    """One row of a table; `pad` marks a padding position."""

    label: str
    values: tuple[CellValue, ...]
    pad: bool = False

    def __post_init__(self) -> None:
        require_text(label=self.label)
        object.__setattr__(self, "values", cells_of(self.values))


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
        require_text(key=self.key, title=self.title, corner=self.corner, note=self.note)
        object.__setattr__(self, "columns", items_of("the columns of a table", self.columns, str))
        object.__setattr__(self, "rows", items_of("the rows of a table", self.rows, Row))
        widths = {len(row.values) for row in self.rows}
        if widths - {len(self.columns)}:
            raise ValueError(f"table {self.key}: rows of {widths} values, {len(self.columns)} columns")
        if not isinstance(self.formats, str):
            object.__setattr__(self, "formats", items_of("the formats of a table", self.formats, str))
            if len(self.formats) != len(self.columns):
                raise ValueError(f"table {self.key}: {len(self.formats)} formats, {len(self.columns)} columns")
        try:
            self.cells()
        except ValueError as error:
            raise ValueError(f"table {self.key}: {error}") from None

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

    def __post_init__(self) -> None:
        require_text(key=self.key)
        object.__setattr__(self, "values", values_of(self.values))
        require_filled(self.text, self.values)

    @property
    def sentence(self) -> str:
        """The text with its numbers."""
        return fill(self.text, self.values)


@dataclass(frozen=True)
class Claim:
    """Something the notes say, judged: what is true, and why it must be so.

    Both are templates over the values, which are the computed numbers at full precision. The key is its stable name
    within the step. Where there is a question, a page asks it and shows the rest on a click.
    """

    key: str
    says: str
    verdict: Judgment
    truth: str
    why: str
    values: Values = field(default_factory=lambda: MappingProxyType({}))
    question: str = ""

    def __post_init__(self) -> None:
        require_text(key=self.key, says=self.says, question=self.question)
        object.__setattr__(self, "values", values_of(self.values))
        if self.verdict not in get_args(Judgment):
            raise ValueError(f"a verdict must be one of {', '.join(get_args(Judgment))}; got {self.verdict!r}")
        for template in (self.truth, self.why):
            require_filled(template, self.values)

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

    Lines of one `style` share color and dashes.
    """

    label: str
    points: tuple[tuple[float, float], ...]
    style: int = 0

    def __post_init__(self) -> None:
        require_text(label=self.label)
        if not isinstance(self.style, int):
            raise TypeError(f"the style of a line must be a whole number; got {type(self.style).__name__}")
        object.__setattr__(self, "points", points_of(self.points))


@dataclass(frozen=True)
class Chart:
    """Lines over one axis, drawn where pictures can be (the tables beside it hold its key numbers)."""

    key: str
    title: str
    x_label: str
    y_label: str
    series: tuple[Series, ...]
    level: float = 0.0
    level_label: str = ""

    def __post_init__(self) -> None:
        texts = {"key": self.key, "title": self.title, "x_label": self.x_label, "y_label": self.y_label}
        require_text(**texts, level_label=self.level_label)
        object.__setattr__(self, "series", items_of("the series of a chart", self.series, Series))
        points_of([(0.0, self.level)])
        if not self.series:
            raise ValueError(f"chart {self.key}: there must be a line")


@dataclass(frozen=True)
class Graph:
    """A computation graph, drawn where pictures can be; its numbers stand in the tables beside it, too."""

    key: str
    title: str
    drawing: Drawing

    def __post_init__(self) -> None:
        require_text(key=self.key, title=self.title)
        if not isinstance(self.drawing, Drawing):
            raise TypeError(f"the drawing of a graph must be what tg.draw gives; got {type(self.drawing).__name__}")


Plain: TypeAlias = Paragraph | Formula | Table | Fact | Claim | Chart | Graph | Moving


@dataclass(frozen=True)
class Fold:
    """Parts of a step that a page shows on a click. They are on no slide; their sentences are notes for the speaker."""

    title: str
    blocks: tuple[Plain, ...]

    def __post_init__(self) -> None:
        require_text(title=self.title)
        object.__setattr__(self, "blocks", items_of("the blocks of a fold", self.blocks, get_args(Plain)))


Block: TypeAlias = Plain | Fold


@dataclass(frozen=True)
class Step:
    """A part of a lesson: its number, its title, what it consists of, and the few sentences to take away from it.

    A sentence to take away is short, a line of a terminal, and stands without the step. `further` says what goes
    deeper, and the command or the address (``https://…``) that leads there.
    """

    number: int
    title: str
    blocks: tuple[Block, ...]
    take_away: tuple[str, ...] = ()
    further: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        require_text(title=self.title)
        if not isinstance(self.number, int):
            raise TypeError(f"the number of a step must be a whole number; got {type(self.number).__name__}")
        object.__setattr__(self, "take_away", items_of("take_away", self.take_away, str))
        object.__setattr__(self, "blocks", items_of(f"the blocks of step {self.number}", self.blocks, get_args(Block)))
        if not isinstance(self.further, Mapping):
            raise TypeError(f"further must be a dictionary of text by text; got {type(self.further).__name__}")
        for what, where in self.further.items():
            require_text(**{"what goes further": what, "where it is": where})
        object.__setattr__(self, "further", MappingProxyType(dict(self.further)))
        keyed = Counter((type(b).__name__, b.key) for b in self.unfolded if not isinstance(b, Paragraph | Formula))
        for (kind, key), count in keyed.items():
            if count > 1:
                raise ValueError(f"step {self.number}: each {kind} must have a key of its own; {count} have {key!r}")

    @property
    def unfolded(self) -> tuple[Plain, ...]:
        """Its blocks, what is folded among them."""
        return tuple(b for block in self.blocks for b in (block.blocks if isinstance(block, Fold) else (block,)))


@dataclass(frozen=True)
class Lesson:
    """A title, steps, and sentences that lead to them.

    The settings are what the numbers depend on, for the data. The labels around the author's text are in a language of
    :data:`~tinygrad_norm.lessons.languages.LANGUAGES`. The overview is a table that a summary shows first.
    """

    title: str
    steps: tuple[Step, ...]
    introduction: tuple[str, ...] = ()
    settings: Values = field(default_factory=lambda: MappingProxyType({}))
    lang: str = "en"
    overview: Table | None = None

    def __post_init__(self) -> None:
        require_text(title=self.title)
        require_language(self.lang)
        object.__setattr__(self, "introduction", items_of("the introduction", self.introduction, str))
        object.__setattr__(self, "settings", values_of(self.settings))
        object.__setattr__(self, "steps", items_of("the steps of a lesson", self.steps, Step))
        numbers = [step.number for step in self.steps]
        if len(numbers) != len(set(numbers)):
            raise ValueError(f"the steps must have different numbers; got {', '.join(map(str, numbers))}")

    def only(self, step: int) -> Lesson:
        """Return the lesson with no other step; InputError if there is none of this number."""
        chosen = tuple(each for each in self.steps if each.number == step)
        if not chosen:
            numbers = ", ".join(str(each.number) for each in self.steps)
            raise InputError(f"the step must be one of {numbers}; got {step}")
        return replace(self, steps=chosen)
