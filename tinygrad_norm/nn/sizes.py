"""The check that layers share: a size must be a positive whole number."""

from __future__ import annotations

from ..errors import InputError


def check_sizes(layer: str, **sizes: int) -> None:
    """Raise unless every size is a positive integer."""
    for name, size in sizes.items():
        if not isinstance(size, int) or isinstance(size, bool) or size < 1:
            raise InputError(f"{layer}: {name} must be a positive integer; got {size!r}. Give the length of that axis.")
