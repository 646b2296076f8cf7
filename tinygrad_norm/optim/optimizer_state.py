"""An optimizer's state: reading it out with parameters as numbers, and loading it all or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from ..engine.tensor import Tensor
from ..errors import StateDictError


class Stateful(Protocol):
    """What is needed of an optimizer."""

    state: dict[Tensor, dict[str, Any]]
    param_groups: list[dict[str, Any]]


def read_optimizer_state(optimizer: Stateful) -> dict[str, Any]:
    """Return copies of the state, by the parameter's number, and of the options of each group."""
    numbers: dict[Tensor, int] = {}
    groups = []
    for group in optimizer.param_groups:
        for p in group["params"]:
            numbers[p] = len(numbers)
        options = {k: v for k, v in group.items() if k not in ("params", "names")}
        groups.append({**options, "params": [numbers[p] for p in group["params"]]})
    state = {numbers[p]: {k: copied(v) for k, v in kept.items()} for p, kept in optimizer.state.items()}
    return {"state": dict(sorted(state.items())), "param_groups": groups}


def load_optimizer_state(optimizer: Stateful, given: Mapping[str, Any]) -> None:
    """Put state and options back; raise before anything is changed if they belong to other parameters."""
    try:
        groups = list(given["param_groups"])
        state = {int(k): dict(v) for k, v in given["state"].items()}
        sizes = [len(group["params"]) for group in groups]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StateDictError(
            "an optimizer's state dict must have the keys 'state' and 'param_groups', as state_dict() returns; got "
            f"{type(given).__name__} that lacks them ({error!r}). Did you pass the model's?"
        ) from error
    own = [len(group["params"]) for group in optimizer.param_groups]
    if sizes != own:
        raise StateDictError(
            f"an optimizer's state dict must be for groups of {own} parameters; got groups of {sizes}. "
            "Make the optimizer with the same groups as the one that was saved."
        )
    params = [p for group in optimizer.param_groups for p in group["params"]]
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
                    f"an optimizer's state must fit its parameters; got {key} of shape {np.shape(value)} for parameter "
                    f"{number} of shape {p.shape}. Make the optimizer with the same parameters in the same order."
                )
        loaded[p] = {k: as_kept(k, v, p) for k, v in kept.items()}
    optimizer.state.clear()
    optimizer.state.update(loaded)
    for own_group, group in zip(optimizer.param_groups, groups, strict=True):
        options = {k: v for k, v in group.items() if k not in ("params", "names", "param_names")}
        own_group.update({k: tuple(v) if isinstance(v, list) else v for k, v in options.items()})


def as_kept(key: str, value: Any, p: Tensor) -> Any:
    """Return one loaded value as an optimizer keeps it: counts as integers, arrays in the parameter's dtype."""
    return int(value) if key == "step" else np.array(value, dtype=p.dtype)


def copied(value: Any) -> Any:
    """Return a value that later steps do not change."""
    return value.copy() if isinstance(value, np.ndarray) else value
