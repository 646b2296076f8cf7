"""RMSprop and Adagrad: steps scaled by the size of past gradients."""

from __future__ import annotations

from math import inf

import numpy as np

from ..engine.details.array import Array
from .optimizer import Group, Optimizer, Params, State


class RMSprop(Optimizer):
    """p ← p − lr · g / (√v + eps) with v ← αv + (1 − α)g² (Tieleman & Hinton 2012, lecture 6.5).

    With ``centered`` the running mean of g is taken out of v (Graves 2013, eq. 38 to 45); with ``momentum`` the scaled
    gradient passes through a velocity as in SGD. g is the gradient plus ``weight_decay`` · p.
    """

    ranges = {  # noqa: RUF012  # a class constant
        "lr": (0, inf), "alpha": (0, inf), "eps": (0, inf), "weight_decay": (0, inf), "momentum": (0, inf),
    }  # fmt: skip

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr, "alpha": alpha, "eps": eps, "weight_decay": weight_decay, "momentum": momentum,
                "centered": centered, "maximize": maximize,
            },
        )  # fmt: skip

    def update(self, p: Array, g: Array, state: State, group: Group) -> Array:
        """Return p after one step."""
        alpha, new = group["alpha"], np.empty_like(p)
        if not state:
            state["square_avg"] = np.zeros_like(p)
            if group["centered"]:
                state["grad_avg"] = np.zeros_like(p)
            if group["momentum"]:
                state["momentum_buffer"] = np.zeros_like(p)
        if group["weight_decay"]:
            g = g + group["weight_decay"] * p
        square = state["square_avg"]
        np.multiply(g, g, out=new)
        new *= 1 - alpha
        square *= alpha
        square += new
        if group["centered"]:
            mean = state["grad_avg"]
            mean *= alpha
            mean += np.multiply(g, 1 - alpha, out=new)
            np.multiply(mean, mean, out=new)
            np.subtract(square, new, out=new)
            np.sqrt(new, out=new)
        else:
            np.sqrt(square, out=new)
        new += group["eps"]
        np.divide(g, new, out=new)
        if group["momentum"]:
            velocity = state["momentum_buffer"]
            velocity *= group["momentum"]
            velocity += new
            new[...] = velocity
        new *= -group["lr"]
        new += p
        return new


class Adagrad(Optimizer):
    """p ← p − lr / (1 + (t − 1) lr_decay) · g / (√s + eps) with s the sum of all g² so far (Duchi et al. 2011).

    s starts at ``initial_accumulator_value``; g is the gradient plus ``weight_decay`` · p.
    """

    ranges = {  # noqa: RUF012  # a class constant
        "lr": (0, inf), "lr_decay": (0, inf), "weight_decay": (0, inf), "initial_accumulator_value": (0, inf),
        "eps": (0, inf),
    }  # fmt: skip

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr, "lr_decay": lr_decay, "weight_decay": weight_decay,
                "initial_accumulator_value": initial_accumulator_value, "eps": eps, "maximize": maximize,
            },
        )  # fmt: skip

    def update(self, p: Array, g: Array, state: State, group: Group) -> Array:
        """Return p after one step."""
        new = np.empty_like(p)
        if not state:
            state.update(step=0, sum=np.full_like(p, group["initial_accumulator_value"]))
        if group["weight_decay"]:
            g = g + group["weight_decay"] * p
        state["sum"] += np.multiply(g, g, out=new)
        np.sqrt(state["sum"], out=new)
        new += group["eps"]
        np.divide(g, new, out=new)
        new *= -group["lr"] / (1 + state["step"] * group["lr_decay"])
        new += p
        state["step"] += 1
        return new
