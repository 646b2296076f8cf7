"""What a report is made of: plain data about one input, about one operation."""

from __future__ import annotations

from dataclasses import dataclass

from .diagnose import Finding


@dataclass(frozen=True)
class Entry:
    """What was found about one input.

    Attributes
    ----------
    name, shape : the input
    order : int
        1 for the gradient, 2 for the gradient of the gradient, and so on.
    status : str
        ``right``, ``wrong``, ``cannot tell``, ``vacuous`` (both sides cancel to zero), ``flat`` (nothing moves) or
        ``empty``.
    checked, total : int
        Entries compared one by one and entries there are; ``checked`` is 0 when random directions were enough.
    wrong, kinks : int
        How many are wrong, and how many sit at a kink, where anything between the one-sided slopes is right.
    index : tuple of int or None
        The worst entry; None for a direction.
    yours, numeric : float
        The two values there.
    uncertainty : float
        The measured ± of the numeric value there (three bars).
    size : float
        The largest gradient entry or directional derivative, to compare the uncertainty with.
    finding : Finding or None
        The named mistake.
    """

    name: str
    shape: tuple[int, ...]
    order: int
    status: str
    checked: int
    total: int
    wrong: int
    kinks: int
    index: tuple[int, ...] | None
    yours: float
    numeric: float
    uncertainty: float
    size: float
    finding: Finding | None = None

    @property
    def label(self) -> str:
        """The input's name and shape, with the order above the first."""
        ordinal = {1: "", 2: "second order, ", 3: "third order, "}.get(self.order, f"order {self.order}, ")
        return f"{ordinal}{self.name} {self.shape}"


@dataclass(frozen=True)
class WrongNode:
    """A recorded operation whose own backward rule is wrong.

    ``number`` counts the operations of the run from 1 in the order in which they were computed; ``path`` is the place
    in the module tree, empty outside every scope.
    """

    number: int
    primitive: str
    path: str
    input: str
    finding: Finding | None
