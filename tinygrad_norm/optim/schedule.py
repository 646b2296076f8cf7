"""Learning-rate schedules: call ``step()`` once an epoch (or once a batch), after the optimizer's.

Each multiplies or moves the rate that it finds, so several can act on one optimizer: a LinearLR warms up while a
CosineAnnealingLR cools down. (LambdaLR sets the rate and stands alone.) In the formulas t counts the steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import cos, inf, pi
from typing import Any

import numpy as np

from ..engine.tensor import Tensor
from ..errors import InputError, StateDictError
from .optimizer import Group, Optimizer


class Schedule:
    """What the schedules share: counting, and setting the rate of every parameter group.

    Parameters
    ----------
    last_epoch : the step to go on from, when the optimizer's groups hold their "initial_lr" already; −1 starts anew
    """

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        self.optimizer = optimizer
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise InputError(
                    f"{type(self).__name__}: to go on from step {last_epoch} every parameter group must hold its "
                    f"'initial_lr'; group {i} does not. Load the optimizer's state dict first, or use last_epoch=-1."
                )
        self.base_lrs: list[float] = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self.step()

    def step(self) -> None:
        """Set the rates of the next step."""
        self.last_epoch += 1
        for i, group in enumerate(self.optimizer.param_groups):
            group["lr"] = float(self.rate(group, i, self.last_epoch))

    def rate(self, group: Group, i: int, t: int) -> float:
        """Return the rate of a group at step t from the one it has."""
        raise InputError(f"a Schedule must define rate(); {type(self).__name__} does not. Return the group's new rate.")

    def get_last_lr(self) -> list[float]:
        """Return the current rate of every group."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Return how far the schedule is; the options are not part of it."""
        return {"last_epoch": self.last_epoch, "base_lrs": list(self.base_lrs)}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from where a saved schedule was; load the optimizer's state too, which holds the rates."""
        if not {"last_epoch", "base_lrs"} <= set(state_dict) or len(state_dict["base_lrs"]) != len(self.base_lrs):
            raise StateDictError(
                f"a schedule's state dict must have last_epoch and {len(self.base_lrs)} base_lrs; got "
                f"{dict(state_dict)}. Pass what state_dict() of a schedule on such an optimizer returned."
            )
        self.last_epoch, self.base_lrs = int(state_dict["last_epoch"]), list(state_dict["base_lrs"])


class StepLR(Schedule):
    """The rate shrinks by a factor after every ``step_size`` steps.

    Formula: lr ← lr · gamma when t is a multiple of step_size.
    Source: PyTorch's ``StepLR``.

    Raises
    ------
    InputError
        step_size is not a positive integer.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> optimizer = tg.optim.SGD([tg.nn.Parameter(1.0)], lr=0.1)
    >>> schedule = tg.optim.StepLR(optimizer, step_size=2, gamma=0.5)
    >>> rates = []
    >>> for _ in range(5):
    ...     rates += schedule.get_last_lr()
    ...     schedule.step()
    >>> [round(rate, 4) for rate in rates]
    [0.1, 0.1, 0.05, 0.05, 0.025]
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        check_length("StepLR", "step_size", step_size)
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def rate(self, group: Group, i: int, t: int) -> float:
        """Return the rate at step t."""
        return float(group["lr"] * (self.gamma if t and t % self.step_size == 0 else 1))


class ExponentialLR(Schedule):
    """The rate shrinks by a factor at every step.

    Formula: lr ← lr · gamma.
    Source: PyTorch's ``ExponentialLR``.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> optimizer = tg.optim.SGD([tg.nn.Parameter(1.0)], lr=0.1)
    >>> schedule = tg.optim.ExponentialLR(optimizer, gamma=0.5)
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.05]
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def rate(self, group: Group, i: int, t: int) -> float:
        """Return the rate at step t."""
        return float(group["lr"] * (self.gamma if t else 1))


class MultiStepLR(Schedule):
    """The rate shrinks by a factor at each of the milestones.

    Formula: lr ← lr · gamma when t is one of the milestones, which may come in any order, and more than once.
    Source: PyTorch's ``MultiStepLR``.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> optimizer = tg.optim.SGD([tg.nn.Parameter(1.0)], lr=0.1)
    >>> schedule = tg.optim.MultiStepLR(optimizer, milestones=[1, 3], gamma=0.5)
    >>> rates = []
    >>> for _ in range(5):
    ...     rates += schedule.get_last_lr()
    ...     schedule.step()
    >>> rates
    [0.1, 0.05, 0.05, 0.025, 0.025]
    """

    def __init__(
        self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.milestones, self.gamma = sorted(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def rate(self, group: Group, i: int, t: int) -> float:
        """Return the rate at step t."""
        return float(group["lr"] * self.gamma ** self.milestones.count(t))


class CosineAnnealingLR(Schedule):
    """The rate goes down along half a cosine, to ``eta_min`` after ``T_max`` steps.

    Formula: lr = eta_min + ½(lr₀ − eta_min)(1 + cos(π t / T_max)).
    Source: Loshchilov & Hutter 2017, eq. 5, without restarts; PyTorch's ``CosineAnnealingLR``.

    Raises
    ------
    InputError
        T_max is not a positive integer.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> optimizer = tg.optim.SGD([tg.nn.Parameter(1.0)], lr=0.1)
    >>> schedule = tg.optim.CosineAnnealingLR(optimizer, T_max=4)
    >>> rates = []
    >>> for _ in range(5):
    ...     rates += schedule.get_last_lr()
    ...     schedule.step()
    >>> [round(rate, 4) for rate in rates]
    [0.1, 0.0854, 0.05, 0.0146, 0.0]
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        check_length("CosineAnnealingLR", "T_max", T_max)
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def rate(self, group: Group, i: int, t: int) -> float:
        """Return the rate at step t, moved from the present one by the ratio that the formula has over one step."""
        if t == 0:
            return float(group["lr"])
        before, now = (1 + cos(pi * s / self.T_max) for s in (t - 1, t))
        if (t - 1 - self.T_max) % (2 * self.T_max) == 0:
            # At its lowest the rate has no ratio to its next.
            return float(group["lr"] + (self.base_lrs[i] - self.eta_min) * now / 2)
        return float((group["lr"] - self.eta_min) * now / before + self.eta_min)


class LinearLR(Schedule):
    """The rate goes in a straight line from one share of lr₀ to another: a warm-up.

    Formula: lr = lr₀ · (start_factor + (end_factor − start_factor) · min(t, total_iters) / total_iters).
    Source: Goyal et al. 2017, section 2.2 (gradual warm-up); PyTorch's ``LinearLR``.

    Raises
    ------
    InputError
        start_factor lies outside (0, 1], end_factor outside [0, 1], or total_iters is not a positive integer.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> optimizer = tg.optim.SGD([tg.nn.Parameter(1.0)], lr=0.1)
    >>> schedule = tg.optim.LinearLR(optimizer, start_factor=0.25, total_iters=3)
    >>> rates = []
    >>> for _ in range(5):
    ...     rates += schedule.get_last_lr()
    ...     schedule.step()
    >>> [round(rate, 4) for rate in rates]
    [0.025, 0.05, 0.075, 0.1, 0.1]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        check_length("LinearLR", "total_iters", total_iters)
        if not 0 < start_factor <= 1 or not 0 <= end_factor <= 1:
            raise InputError(
                "LinearLR: start_factor must lie in (0, 1] and end_factor in [0, 1]; got "
                f"{start_factor} and {end_factor}. Set the optimizer's lr to the largest rate."
            )
        self.start_factor, self.end_factor, self.total_iters = start_factor, end_factor, total_iters
        super().__init__(optimizer, last_epoch)

    def factor(self, t: int) -> float:
        """Return the factor of step t."""
        return self.start_factor + (self.end_factor - self.start_factor) * min(t, self.total_iters) / self.total_iters

    def rate(self, group: Group, i: int, t: int) -> float:
        """Return the rate at step t."""
        if t == 0:
            return float(group["lr"] * self.start_factor)
        if t > self.total_iters:
            return float(group["lr"])
        return float(group["lr"] * self.factor(t) / self.factor(t - 1))


class LambdaLR(Schedule):
    """The rate is a function of the step.

    Formula: lr = lr₀ · f(t) for a function f, or one for each parameter group.
    Source: PyTorch's ``LambdaLR``.

    Raises
    ------
    InputError
        There are not as many functions as parameter groups.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> optimizer = tg.optim.SGD([tg.nn.Parameter(1.0)], lr=0.1)
    >>> schedule = tg.optim.LambdaLR(optimizer, lambda t: 1 / (1 + t))
    >>> rates = []
    >>> for _ in range(5):
    ...     rates += schedule.get_last_lr()
    ...     schedule.step()
    >>> [round(rate, 4) for rate in rates]
    [0.1, 0.05, 0.0333, 0.025, 0.02]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        count = len(optimizer.param_groups)
        self.functions = [lr_lambda] * count if callable(lr_lambda) else list(lr_lambda)
        if len(self.functions) != count:
            raise InputError(
                f"LambdaLR: there must be one function, or one for each of the {count} parameter groups; got "
                f"{len(self.functions)}. Pass a single function to treat all groups alike."
            )
        super().__init__(optimizer, last_epoch)

    def rate(self, group: Group, i: int, t: int) -> float:
        """Return the rate at step t."""
        return self.base_lrs[i] * self.functions[i](t)


class ReduceLROnPlateau(Schedule):
    """The rate shrinks when a measured value, a validation loss for example, has not become better for a while.

    Formula: lr ← max(lr · factor, min_lr) when more than ``patience`` steps in a row brought nothing better than the
    best by more than ``threshold``; then ``cooldown`` steps are not counted.
    Source: PyTorch's ``ReduceLROnPlateau``. Here ``step`` takes the value that was measured.

    Parameters
    ----------
    mode : "min" if less is better, "max" if more is
    threshold_mode : "rel" if ``threshold`` is a share of the best value, "abs" if it is a difference
    min_lr : the least rate, or one for each parameter group
    eps : a change of the rate that is not larger is left out

    Raises
    ------
    InputError
        factor is not below 1, a mode is another word, or there are not as many least rates as parameter groups.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> optimizer = tg.optim.SGD([tg.nn.Parameter(1.0)], lr=0.1)
    >>> schedule = tg.optim.ReduceLROnPlateau(optimizer, factor=0.5, patience=1)
    >>> for loss in [3.0, 2.0, 2.0, 2.0]:
    ...     schedule.step(loss)
    >>> schedule.get_last_lr()
    [0.05]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | Sequence[float] = 0.0,
        eps: float = 1e-8,
    ) -> None:
        count = len(optimizer.param_groups)
        self.min_lrs = [float(min_lr)] * count if isinstance(min_lr, (int, float)) else list(min_lr)
        if not factor < 1 or mode not in ("min", "max") or threshold_mode not in ("rel", "abs"):
            raise InputError(
                "ReduceLROnPlateau: factor must be below 1, mode 'min' or 'max' and threshold_mode 'rel' or 'abs'; got "
                f"{factor}, {mode!r} and {threshold_mode!r}. The defaults are 0.1, 'min' and 'rel'."
            )
        if len(self.min_lrs) != count:
            raise InputError(
                f"ReduceLROnPlateau: there must be one min_lr, or one for each of the {count} parameter groups; got "
                f"{len(self.min_lrs)}. Pass a single number to treat all groups alike."
            )
        self.optimizer, self.mode, self.threshold_mode = optimizer, mode, threshold_mode
        self.factor, self.patience, self.cooldown, self.eps = factor, patience, cooldown, eps
        self.base_lrs, self.last_epoch = self.get_last_lr(), 0
        self.best, self.num_bad_epochs, self.cooldown_counter = (inf if mode == "min" else -inf), 0, 0
        # By how much the best value is multiplied, and what is added, to find what is better.
        sign = -1 if mode == "min" else 1
        self.scale, self.shift = (1 + sign * threshold, 0.0) if threshold_mode == "rel" else (1.0, sign * threshold)

    def step(self, metrics: Any) -> None:  # type: ignore[override]  # as in PyTorch, it takes what was measured
        """Count a measured value, and shrink the rates if it is time."""
        current = float(metrics.item() if isinstance(metrics, Tensor) else metrics)
        bound = self.best * self.scale + self.shift
        self.last_epoch += 1
        if current < bound if self.mode == "min" else current > bound:
            self.best, self.num_bad_epochs = current, 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter, self.num_bad_epochs = self.cooldown_counter - 1, 0
        if self.num_bad_epochs > self.patience:
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
            for group, least in zip(self.optimizer.param_groups, self.min_lrs, strict=True):
                rate = max(group["lr"] * self.factor, least)
                if group["lr"] - rate > self.eps:
                    group["lr"] = float(rate)

    def state_dict(self) -> dict[str, Any]:
        """Return how far the schedule is, and what it has seen."""
        return {**super().state_dict(), **{name: getattr(self, name) for name in COUNTED}}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from where a saved schedule was; load the optimizer's state too, which holds the rates."""
        super().load_state_dict(state_dict)
        for name in COUNTED:
            setattr(self, name, state_dict.get(name, getattr(self, name)))


COUNTED = ("best", "num_bad_epochs", "cooldown_counter")
"""What ReduceLROnPlateau keeps from step to step."""


def check_length(schedule: str, name: str, steps: int) -> None:
    """Raise unless a number of steps is a positive integer."""
    if not isinstance(steps, (int, np.integer)) or steps < 1:
        raise InputError(
            f"{schedule}: {name} must be a positive number of steps; got {steps!r}. Count in calls of step()."
        )
