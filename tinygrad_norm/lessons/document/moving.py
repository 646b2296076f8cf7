"""A picture that can be moved: a slider, and for each of its places what is to be seen, computed beforehand.

:class:`Moving` asks a function for the :class:`Scene` of every choice. A scene has parts (:class:`Dots` on a line, a
:class:`Plane`, :class:`Cells` of a table) and numbers. The one idea: the page holds all scenes as a table, and its
script only shows one of them; without a script one is drawn, and the table stands below.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import InitVar, dataclass, field
from itertools import product
from types import MappingProxyType
from typing import Any, TypeAlias

from .author_mistakes import cells_of, items_of, points_of, require_text
from .numerals import CellValue, write

MOST_SCENES = 1000
"""Of one moving picture: each is written into the page."""

Point: TypeAlias = "tuple[float, float]"


@dataclass(frozen=True)
class Dots:
    """Numbers as dots on a line, by the short name that stands in the dot; `marks` are places on the line, such as μ.

    Lines with the same `unit` have the same scale.
    """

    label: str
    numbers: Mapping[str, float]
    unit: str = ""
    marks: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require_text(label=self.label, unit=self.unit)
        object.__setattr__(self, "numbers", _places(self.numbers))
        object.__setattr__(self, "marks", _places(self.marks) if self.marks else MappingProxyType({}))


@dataclass(frozen=True)
class Plane:
    """Points of a plane by name, arrows from one place to another, and a circle about the origin."""

    label: str
    points: Mapping[str, Point]
    arrows: Mapping[str, tuple[Point, Point]] = field(default_factory=dict)
    circle: float = 0.0

    def __post_init__(self) -> None:
        require_text(label=self.label)
        object.__setattr__(self, "points", _pairs(self.points))
        ends = {name: points_of(arrow) for name, arrow in _named(self.arrows).items()}
        if any(len(arrow) != 2 for arrow in ends.values()):
            raise ValueError("an arrow must be a pair of points, from and to")
        object.__setattr__(self, "arrows", MappingProxyType(ends))
        object.__setattr__(self, "circle", points_of([(0.0, self.circle)])[0][1])


@dataclass(frozen=True)
class Cells:
    """A small table of numbers by the names of its rows, with one row or one column of it marked."""

    label: str
    columns: tuple[str, ...]
    rows: Mapping[str, tuple[CellValue, ...]]
    row: int | None = None
    column: int | None = None

    def __post_init__(self) -> None:
        require_text(label=self.label)
        object.__setattr__(self, "columns", items_of("the columns of a table", self.columns, str))
        rows = {name: cells_of(row) for name, row in _named(self.rows).items()}
        if {len(row) for row in rows.values()} != {len(self.columns)}:
            raise ValueError(f"the rows must have {len(self.columns)} values each, one for a column")
        object.__setattr__(self, "rows", MappingProxyType(rows))
        for place, count in ((self.row, len(rows)), (self.column, len(self.columns))):
            if place is not None and place not in range(count):
                raise ValueError(f"the marked row or column must be a whole number from 0 to {count - 1}; got {place}")


Part: TypeAlias = "Dots | Plane | Cells"


@dataclass(frozen=True)
class Scene:
    """What a moving picture shows for one choice: its parts, and further numbers by name."""

    parts: tuple[Part, ...]
    numbers: Mapping[str, CellValue] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", items_of("the parts of a scene", self.parts, (Dots, Plane, Cells)))
        numbers = dict(zip(_named(self.numbers), cells_of(list(self.numbers.values())), strict=True))
        object.__setattr__(self, "numbers", MappingProxyType(numbers))
        if len(set(self.columns)) < len(self.columns):
            raise ValueError(f"the numbers of a scene must have different names; got {', '.join(self.columns)}")

    @property
    def lines(self) -> tuple[Dots, ...]:
        """Those of its parts that are dots on a line."""
        return tuple(part for part in self.parts if isinstance(part, Dots))

    @property
    def columns(self) -> tuple[str, ...]:
        """What its numbers are called in a table: those of the dots, then the others."""
        several = len(self.lines) > 1
        of_dots = (f"{line.label} {name}" if several else name for line in self.lines for name in line.numbers)
        return (*of_dots, *self.numbers)

    @property
    def values(self) -> tuple[CellValue, ...]:
        """Its numbers in that order."""
        return (*(number for line in self.lines for number in line.numbers.values()), *self.numbers.values())

    @property
    def shape(self) -> tuple[object, ...]:
        """What must be the same in every scene of a picture: which parts it has, and what is named in them."""
        parts = [
            (part.label, part.unit, *part.numbers, None, *part.marks)
            if isinstance(part, Dots)
            else (part.label, *part.points, None, *part.arrows)
            if isinstance(part, Plane)
            else (part.label, part.columns, *part.rows.items())
            for part in self.parts
        ]
        return (*parts, *self.numbers)


@dataclass(frozen=True)
class Moving:
    """A picture that can be moved: `scene` is called with one choice of each control and returns the scene there.

    The first control is a slider, through its choices in their order. `shown` is the choice that is drawn first, one of
    each control; the first ones if it is not given. The format is that of fractional numbers.

    >>> def scene(last: float) -> Scene:
    ...     return Scene([Dots("x", {"a": 1.0, "b": last})], {"mean": (1.0 + last) / 2})
    >>> moving = Moving("mean", "The mean of two", {"b": [2, 3, 4]}, scene)
    >>> moving.columns, [scene.values for scene in moving.scenes.values()]
    (('a', 'b', 'mean'), [(1.0, 2.0, 1.5), (1.0, 3.0, 2.0), (1.0, 4.0, 2.5)])
    """

    key: str
    title: str
    controls: Mapping[str, tuple[CellValue, ...]]
    scene: InitVar[Callable[..., Scene]]
    shown: tuple[CellValue, ...] = ()
    formats: str = ".4f"
    note: str = ""
    scenes: Mapping[tuple[CellValue, ...], Scene] = field(init=False)

    def __post_init__(self, scene: Callable[..., Scene]) -> None:
        require_text(key=self.key, title=self.title, formats=self.formats, note=self.note)
        controls = {name: _choices(name, of) for name, of in _named(self.controls).items()}
        object.__setattr__(self, "controls", MappingProxyType(controls))
        choices = list(product(*controls.values()))
        if not controls or len(choices) > MOST_SCENES:
            raise ValueError(
                f"moving picture {self.key}: there must be a control, and at most {MOST_SCENES} scenes; got "
                f"{len(choices) if controls else 0}"
            )
        object.__setattr__(self, "scenes", MappingProxyType({choice: self._asked(scene, choice) for choice in choices}))
        first = self.scenes[choices[0]]
        for choice, found in self.scenes.items():
            if found.shape != first.shape:
                raise ValueError(
                    f"moving picture {self.key}: every scene must have the same parts and names; that of "
                    f"{write(choice)} differs from that of {write(choices[0])}"
                )
        object.__setattr__(self, "shown", cells_of(self.shown) or choices[0])
        if self.shown not in self.scenes:
            raise ValueError(
                f"moving picture {self.key}: shown must be one choice of each of {', '.join(controls)}; got "
                f"{write(self.shown)}"
            )
        self.rows(choices)

    def _asked(self, scene: Callable[..., Scene], choice: tuple[CellValue, ...]) -> Scene:
        found = scene(*choice)
        if not isinstance(found, Scene):
            raise TypeError(f"moving picture {self.key}: scene must return a Scene; got {type(found).__name__}")
        return found

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the numbers of a scene."""
        return self.scenes[self.shown].columns

    def rows(self, choices: Sequence[tuple[CellValue, ...]]) -> list[tuple[str, ...]]:
        """Return the numbers of some scenes as a reader should see them."""
        return [tuple(write(value, self.formats) for value in self.scenes[c].values) for c in choices]


def _named(given: object) -> Mapping[str, Any]:
    """Return a dictionary whose keys are text."""
    if not isinstance(given, Mapping):
        raise TypeError(f"there must be a dictionary by name; got {type(given).__name__}")
    for name in given:
        require_text(**{"a name": name})
    return given


def _places(numbers: object) -> Mapping[str, float]:
    """Return numbers that can be drawn, by name."""
    found = {name: points_of([(0.0, value)])[0][1] for name, value in _named(numbers).items()}
    if not found:
        raise ValueError("there must be a number, one at least")
    return MappingProxyType(found)


def _pairs(points: object) -> Mapping[str, Point]:
    return MappingProxyType({name: points_of([point])[0] for name, point in _named(points).items()})


def _choices(name: str, choices: object) -> tuple[Any, ...]:
    found = cells_of(list(choices) if isinstance(choices, range) else choices)
    if not found or len(set(found)) < len(found):
        raise ValueError(f"the choices of {name} must be different values, one at least")
    return found
