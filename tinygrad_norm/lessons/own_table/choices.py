"""Which normalization of a table is meant, and whether it fits the table."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ...errors import InputError

Kind: TypeAlias = Literal["batch", "layer", "rms"]

KINDS: tuple[Kind, ...] = ("batch", "layer", "rms")


@dataclass(frozen=True)
class Choices:
    """Which normalization.

    Attributes
    ----------
    kind
        "batch" normalizes each column over the rows, "layer" each row over the columns, "rms" divides
        each row by its root mean square.
    ddof
        The variance divides by ``n − ddof``.
    eps
        Added to the variance or mean square, not negative.
    weight, bias
        One number for each column, or None for 1 and 0.
    """

    kind: Kind = "layer"
    ddof: int = 0
    eps: float = 1e-5
    weight: tuple[float, ...] | None = None
    bias: tuple[float, ...] | None = None

    @property
    def axis(self) -> int:
        """The axis that the statistics are taken over: 0 for the rows of a column, else 1."""
        return 0 if self.kind == "batch" else 1

    def check(self, rows: int, columns: int) -> None:
        """Raise InputError if they do not fit a table of that many real rows and columns."""
        if not (math.isfinite(self.eps) and self.eps >= 0):
            raise InputError(f"eps must be a finite number of at least 0; got {self.eps:g}; try 1e-5")
        if self.kind == "rms" and (self.ddof or self.bias is not None):
            wrong = "a ddof: it has no mean" if self.ddof else "a bias"
            raise InputError(f"rms norm must be used without {wrong}; leave it out or use layer norm")
        for name, values in (("weight", self.weight), ("bias", self.bias)):
            if values is not None and len(values) != columns:
                raise InputError(
                    f"{name} must have one number for each of the {columns} columns of numbers; got {len(values)}"
                )
            if values is not None and not all(map(math.isfinite, values)):
                raise InputError(f"{name} must be of finite numbers; got {values}")
        if self.kind == "batch" and rows < 2:
            raise InputError(
                "batch norm must have at least two real rows: with one, every value is its own mean; "
                f"got {rows}; use layer norm, or add rows"
            )
        if self.kind == "layer" and self.ddof >= columns:
            raise InputError(
                f"layer norm with ddof {self.ddof} must have more columns of numbers than that; "
                f"got {columns}; use ddof 0"
            )
