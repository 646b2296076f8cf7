"""Where in the module tree an error happened: put into its message once, by the innermost module."""

from __future__ import annotations

from ..engine.tape import STATE
from ..errors import TinygradNormError


def locate(error: TinygradNormError) -> None:
    """Put the attribute path of the module being run before the error's message, unless it is in there already."""
    scope = STATE.get().scope
    path = scope.path if scope is not None else ""
    if not getattr(error, "is_located", False):
        message = str(error)
        if path and f"in {path}" not in message:
            error.args = (f"in {path}: {message}",)
        error.is_located = True  # type: ignore[attr-defined]  # a mark on an exception that is under way
