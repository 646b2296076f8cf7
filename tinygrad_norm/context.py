"""What users set for a block: ``scope``, and the switches ``no_grad``, ``enable_grad``, ``detect_anomaly``.

Each is a context manager and holds for the current thread or task only; a switch is a decorator too.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from types import TracebackType
from typing import Any, TypeVar, cast

from .engine.tape import STATE, Scope, State
from .errors import OperandError

F = TypeVar("F", bound=Callable[..., Any])
Own = TypeVar("Own", bound="Setting")


class Setting:
    """Base of the context managers that change the state."""

    __slots__ = ()

    def change(self, state: State) -> State:
        """Return the state that holds inside the block."""
        raise TypeError("a Setting must define change()")

    def __enter__(self: Own) -> Own:
        # The way back lies in the state, not in this object, which several threads may enter at once.
        STATE.set(self.change(STATE.get()))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        STATE.set(STATE.get().outer or State())


class Switch(Setting):
    """A setting without arguments; as a decorator it is entered anew on every call."""

    def __init__(self, function: Any = None) -> None:
        if function is not None:
            name = type(self).__name__
            raise OperandError(f"{name} takes no arguments; got {function!r}. Write @tg.{name}() with parentheses.")

    def __call__(self, function: F) -> F:
        """Return ``function`` running under this setting; an ``async`` one is under it whenever it runs."""
        if isgeneratorfunction(function) or isasyncgenfunction(function):
            raise OperandError(
                f"{type(self).__name__} must decorate a function that runs when it is called; got the generator "
                f"{function.__name__}. Write with tg.{type(self).__name__}(): inside it."
            )
        if iscoroutinefunction(function):

            @wraps(function)
            async def awaited(*args: Any, **kwargs: Any) -> Any:
                with type(self)():
                    return await function(*args, **kwargs)

            return cast(F, awaited)

        @wraps(function)
        def inside(*args: Any, **kwargs: Any) -> Any:
            with type(self)():
                return function(*args, **kwargs)

        return cast(F, inside)


class no_grad(Switch):
    """Record nothing inside the block or function.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> x = tg.Tensor([1.0, 2.0], requires_grad=True)
    >>> with tg.no_grad():
    ...     (x * 2).requires_grad
    False
    """

    def change(self, state: State) -> State:
        """Switch recording off."""
        return state.replaced(recording=False)


class enable_grad(Switch):
    """Record inside the block, also where ``no_grad`` holds around it."""

    def change(self, state: State) -> State:
        """Switch recording on."""
        return state.replaced(recording=True)


class differentiating(Switch):
    """Record, and let no value leave the tape unseen: what transforms and checks run a function under."""

    def change(self, state: State) -> State:
        """Switch recording on, and make a silent end of the graph an error."""
        return state.replaced(recording=True, strict=True)


class detect_anomaly(Switch):
    """Raise at the first operation, forward or backward, that makes a NaN or an infinity.

    Every result is searched, which costs time: use it to find a fault, not to train.

    Examples
    --------
    >>> import numpy as np, tinygrad_norm as tg
    >>> with tg.detect_anomaly(), tg.scope("loss"), np.errstate(divide="ignore"):
    ...     tg.log(tg.Tensor([1.0, 0.0]))
    Traceback (most recent call last):
    tinygrad_norm.errors.AnomalyError: log in loss: every value must be finite; an infinity appeared at index (1,) ...
    """

    def change(self, state: State) -> State:
        """Switch the search on."""
        return state.replaced(anomaly=True)


class scope(Setting):
    """Name a part of the computation; errors, drawings and checks give the path.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> with tg.scope("encoder"), tg.scope("attention"):
    ...     tg.ones((2, 5)) @ tg.ones((4, 8))
    Traceback (most recent call last):
    tinygrad_norm.errors.ShapeError: matmul in encoder.attention: ...
    """

    __slots__ = ("kind", "name")

    def __init__(self, name: str, kind: str = "scope") -> None:
        self.name, self.kind = name, kind

    def change(self, state: State) -> State:
        """Push one scope."""
        return state.within(Scope(self.name, state.scope, self.kind))
