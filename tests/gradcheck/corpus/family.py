"""A family: one function with its right backward pass, at several points, and the mistakes that are made in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .case import Case, fixed, normal

Draw = Callable[..., Any]
Rule = Callable[..., Any]


@dataclass(frozen=True)
class Family:
    """A right backward pass, at ``points``, and wrong ones from (what is wrong, its code).

    ``points`` maps what is added to the name to the drawers of the inputs; mistakes are planted at the first of them.
    """

    name: str
    forward: Rule
    backward: Rule | None
    points: Mapping[str, Sequence[Draw]] = field(default_factory=lambda: {"": [normal(5, 7)]})
    mistakes: Mapping[tuple[str, str], Rule] = field(default_factory=dict)

    def right(self) -> list[Case]:
        """Return the cases to accept."""
        if self.backward is None:
            return []
        return [
            Case(self.name + where, fixed(self.forward, self.backward, *draws)) for where, draws in self.points.items()
        ]

    def wrong(self) -> list[Case]:
        """Return the cases to reject."""
        draws = next(iter(self.points.values()))
        return [
            Case(f"{self.name}, {what}", fixed(self.forward, rule, *draws), code)
            for (what, code), rule in self.mistakes.items()
        ]


def at(*draws: Draw, **_: Any) -> dict[str, Sequence[Draw]]:
    """Return the one point of a family."""
    return {"": draws}


def slopes(
    name: str,
    f: Rule,
    slope: Rule | None,
    points: Draw | Mapping[str, Draw] | None = None,
    **mistakes: Any,
) -> Family:
    """Return the family of an elementwise function; ``slope(x, y)`` times g is the gradient.

    ``wrong`` maps (what is wrong, its code) to another slope.
    """
    several = points if isinstance(points, Mapping) else {"": points or normal(5, 7)}
    wrong = mistakes.get("wrong", {})
    return Family(
        name,
        f,
        None if slope is None else _rule(slope),
        {where: [draw] for where, draw in several.items()},
        {told: _rule(other) for told, other in wrong.items()},
    )


def _rule(slope: Rule) -> Rule:
    return lambda g, y, x: g * slope(x, y)
