"""What all optimizers share: parameter groups, state, and a step that happens for all parameters or for none.

A subclass states its options' ranges and says in ``update`` what the new values of one parameter are. The one idea: a
parameter is given a new array and its old one is left alone, so a tape recorded before the step stays valid.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from inspect import signature
from math import isfinite
from typing import Any, ClassVar, TypeAlias

import numpy as np

from ..context import enable_grad
from ..engine.details.array import Array
from ..engine.tensor import Tensor
from ..errors import AnomalyError, GraphError, InputError, OperandError, StateDictError
from ..pytorch_names import kind_of

Params: TypeAlias = Iterable[Any]
"""Parameters, (name, parameter) pairs as from ``named_parameters()``, or dicts, one for each group."""
Group: TypeAlias = dict[str, Any]
Kept: TypeAlias = dict[str, Any]
"""What an optimizer keeps for one parameter, by name."""


class Optimizer:
    """Base of the optimizers: in their formulas p is a parameter (…), g its gradient (…), t the number of the step.

    Every option can be set for each parameter group anew. All optimizers have ``lr``, the step length, at least 0;
    ``weight_decay``, at least 0, by which g ← g + weight_decay · p comes first; and ``maximize``, which goes uphill.

    Parameters
    ----------
    params : parameters, pairs of name and parameter, or parameter groups: dicts with "params" and options of their own
    defaults : the options of groups that do not set them

    Raises
    ------
    InputError
        There are no parameters, one comes twice, or an option is unknown or outside its range.
    OperandError
        A parameter is no leaf of floating-point numbers, or a single Tensor stands in place of a list.
    """

    ranges: ClassVar[Mapping[str, tuple[float, float]]] = {}
    """Lower and upper bound of each numeric option; the lower one is allowed, the upper one is not."""

    def __init__(self, params: Params, defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        self.state: dict[Tensor, Kept] = {}
        self.param_groups: list[Group] = []
        if isinstance(params, (Tensor, Mapping)):
            raise OperandError(
                f"an optimizer must get an iterable of parameters; got a single {type(params).__name__}. "
                "Put it in a list."
            )
        given = list(params)
        if not given:
            raise InputError(
                "an optimizer must get at least one parameter; got an empty iterable. Pass model.parameters() itself: "
                "a generator that was looped over once is empty, and so is a model whose layers sit in a plain list."
            )
        for group in given if isinstance(given[0], Mapping) else [{"params": given}]:
            self.add_param_group(group)

    def add_param_group(self, group: Mapping[str, Any]) -> None:
        """Add parameters with options of their own, for example ``{"params": layer.parameters(), "lr": 1e-4}``."""
        if not isinstance(group, Mapping) or "params" not in group:
            raise OperandError(
                "a parameter group must be a dict with the key 'params'; got "
                f"{sorted(group) if isinstance(group, Mapping) else type(group).__name__}. "
                "Write {'params': layer.parameters(), 'lr': 1e-3}."
            )
        unknown = group.keys() - self.defaults.keys() - {"params", "initial_lr"}
        if unknown:
            raise InputError(
                f"{type(self).__name__} must get the options {', '.join(self.defaults)}; got "
                f"{', '.join(sorted(map(str, unknown)))}. Leave it out, or correct its name."
            )
        params, names = named(group["params"])
        made: Group = {**self.defaults, **group, "params": params, "names": names}
        self.check(made)
        known = [p for g in self.param_groups for p in g["params"]]
        for i, p in enumerate(params):
            if any(p is other for other in (*known, *params[:i])):
                raise InputError(
                    f"a parameter must be in one group, once; got {names[i]} again. Collect the parameters in a set, "
                    "or freeze one of two names that share it."
                )
        self.param_groups.append(made)

    def check(self, group: Group) -> None:
        """Raise if an option lies outside its range."""
        for option, (low, high) in self.ranges.items():
            values = group[option] if isinstance(group[option], tuple) else (group[option],)
            if not all(low <= value < high for value in values):
                bound = f"[{low:g}, {high:g})" if isfinite(high) else f"at least {low:g}"
                raise InputError(
                    f"{type(self).__name__}: {option} must be {'in ' if isfinite(high) else ''}{bound}; got "
                    f"{group[option]}. The default is {self.defaults_shown(option)}."
                )

    def defaults_shown(self, option: str) -> Any:
        """Return the default of an option of the class."""
        return signature(type(self)).parameters[option].default

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients; with ``set_to_none=False`` they become zeros."""
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none or p.grad is None:
                    p.grad = None
                else:
                    p.grad = Tensor(np.zeros(p.shape, p.dtype))

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Give every parameter that has a gradient its new values.

        ``closure``, if given, computes the loss and its gradients first; its result is returned.

        Raises
        ------
        GraphError
            No parameter has a gradient.
        AnomalyError
            A gradient holds a NaN or an infinity. No parameter was changed then.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        due = [
            (group, name, p, np.asarray(p.grad.data, dtype=computed_in(p)))
            for group in self.param_groups
            for name, p in zip(group["names"], group["params"], strict=True)
            if p.grad is not None
        ]
        if not due:
            raise GraphError(
                "step() must find a gradient of at least one parameter; got none. Call loss.backward() first, and make "
                "the optimizer from the parameters of the model that computed the loss."
            )
        with np.errstate(all="ignore"):
            for _, name, _, g in due:
                check_gradient(name, g)
        for group, _, p, g in due:
            if group.get("maximize"):
                g = -g
            values = self.update(np.asarray(p._array, g.dtype), g, self.state.setdefault(p, {}), group)
            # The new array is the optimizer's own and goes to nobody else: no need to copy it again.
            p._array = values.astype(p.dtype, copy=False)
        return loss

    def update(self, p: Array, g: Array, state: Kept, group: Group) -> Array:
        """Return new values for the values ``p`` with gradient ``g``, as a new array; ``state`` is kept for it."""
        raise OperandError(
            f"an Optimizer must define update(); {type(self).__name__} does not. Return the parameter's new array."
        )

    def state_dict(self) -> dict[str, Any]:
        """Return the state and the options, with parameters numbered in order: what :func:`tg.save` can save."""
        numbers: dict[Tensor, int] = {}
        groups = []
        for group in self.param_groups:
            for p in group["params"]:
                numbers[p] = len(numbers)
            options = {k: v for k, v in group.items() if k not in ("params", "names")}
            groups.append({**options, "params": [numbers[p] for p in group["params"]]})
        state = {numbers[p]: {k: copied(v) for k, v in kept.items()} for p, kept in self.state.items()}
        return {"state": dict(sorted(state.items())), "param_groups": groups}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over state and options that :meth:`state_dict` returned; all or nothing.

        Raises
        ------
        StateDictError
            The groups, the number of parameters or their shapes are others.
        """
        try:
            groups = list(state_dict["param_groups"])
            state = {int(k): dict(v) for k, v in state_dict["state"].items()}
            sizes = [len(group["params"]) for group in groups]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise StateDictError(
                "an optimizer's state dict must have the keys 'state' and 'param_groups', as state_dict() returns; got "
                f"{type(state_dict).__name__} that lacks them ({error!r}). Did you pass the model's?"
            ) from error
        own = [len(group["params"]) for group in self.param_groups]
        if sizes != own:
            raise StateDictError(
                f"an optimizer's state dict must be for groups of {own} parameters; got groups of {sizes}. "
                "Make the optimizer with the same groups as the one that was saved."
            )
        params = [p for group in self.param_groups for p in group["params"]]
        loaded: dict[Tensor, dict[str, Any]] = {}
        for number, kept in state.items():
            if not 0 <= number < len(params):
                raise StateDictError(
                    f"an optimizer's state must be for parameters 0 to {len(params) - 1}; got number {number}. "
                    "Make the optimizer with the same parameters as the one that was saved."
                )
            p = params[number]
            for key, value in kept.items():
                if np.ndim(value) and np.shape(value) != p.shape:
                    raise StateDictError(
                        f"an optimizer's state must fit its parameters; got {key} of shape {np.shape(value)} for "
                        f"parameter {number} of shape {p.shape}. Make the optimizer with the same parameters in the "
                        "same order."
                    )
            loaded[p] = {k: as_kept(k, v, p) for k, v in kept.items()}
        self.state.clear()
        self.state.update(loaded)
        for own_group, group in zip(self.param_groups, groups, strict=True):
            options = {k: v for k, v in group.items() if k not in ("params", "names", "param_names")}
            own_group.update({k: tuple(v) if isinstance(v, list) else v for k, v in options.items()})

    def __repr__(self) -> str:
        lines = []
        for i, group in enumerate(self.param_groups):
            options = ", ".join(f"{k}={v}" for k, v in group.items() if k not in ("params", "names"))
            lines.append(f"  group {i}: {len(group['params'])} parameters, {options}")
        return f"{type(self).__name__}(\n" + "\n".join(lines) + "\n)"


def named(params: Any) -> tuple[list[Tensor], list[str]]:
    """Return parameters and what to call them in errors; raise unless they are leaves."""
    listed = [params] if isinstance(params, Tensor) else list(params)
    if not listed:
        raise InputError(
            "a parameter group must hold at least one parameter; got an empty one. Leave it out, or pass the generator "
            "model.parameters() before anything else has looped over it."
        )
    found, names = [], []
    for i, entry in enumerate(listed):
        name, p = entry if isinstance(entry, tuple) and len(entry) == 2 else (None, entry)
        if not isinstance(p, Tensor) or not p.is_leaf or p.dtype.kind != "f":
            made_by = p.node.primitive if isinstance(p, Tensor) and p.node else None
            got = f"the result of {made_by.name}" if made_by else p if isinstance(p, Tensor) else kind_of(p)
            raise OperandError(
                f"an optimizer must get leaves of floating-point numbers; got {got}. "
                "Pass model.parameters(), or Tensors made with requires_grad=True."
            )
        found.append(p)
        names.append(name or p.name or f"parameter {i}")
    return found, names


def check_gradient(name: str, g: Array) -> None:
    """Raise if a gradient holds a NaN or an infinity."""
    # The sum is finite unless an entry is not, or it overflows: only then is every entry looked at.
    if not isfinite(np.add.reduce(g, axis=None)) and not np.isfinite(g).all():
        what = "a NaN" if np.isnan(g).any() else "an infinity"
        raise AnomalyError(
            f"step(): every gradient must be finite; got {what} in the gradient of {name}, shape {g.shape}. No "
            "parameter was changed. Look at the loss: run it under tg.detect_anomaly() to find the first operation at "
            "fault, lower the learning rate, or clip the gradient."
        )


def as_kept(key: str, value: Any, p: Tensor) -> Any:
    """Return one loaded value as an optimizer keeps it: counts as integers, arrays in the dtype of its steps."""
    return int(value) if key == "step" else np.array(value, dtype=computed_in(p))


def computed_in(p: Tensor) -> np.dtype[Any]:
    """Return the dtype of a parameter's steps: not float16, in which the square of 1e-4 is 0."""
    return np.promote_types(p.dtype, np.float32)


def copied(value: Any) -> Any:
    """Return a value that later steps do not change."""
    return value.copy() if isinstance(value, np.ndarray) else value
