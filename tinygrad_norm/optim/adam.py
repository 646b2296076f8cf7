"""Adam and AdamW: steps scaled by running moments of the gradient."""

from __future__ import annotations

from math import inf, sqrt

import numpy as np

from ..engine.details.array import Array
from .optimizer import Group, Optimizer, Params, State


class Adam(Optimizer):
    """p ← p − lr · m̂ / (√v̂ + eps) with m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g² (Kingma & Ba 2015, algorithm 1).

    m̂ = m / (1 − β₁ᵗ) and v̂ = v / (1 − β₂ᵗ) undo the start from zero. g is the gradient plus ``weight_decay`` · p. With
    ``amsgrad`` the largest v so far is used (Reddi et al. 2018).

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> w = tg.nn.Parameter([1.0, -2.0])
    >>> optimizer = tg.optim.Adam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> tg.round(w, 6).tolist()     # the first step has length lr, whatever the gradient
    [0.9, -1.9]
    """

    ranges = {"lr": (0, inf), "betas": (0, 1), "eps": (0, inf), "weight_decay": (0, inf)}  # noqa: RUF012  # a constant
    decoupled = False

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr, "betas": tuple(betas), "eps": eps, "weight_decay": weight_decay, "amsgrad": amsgrad,
                "maximize": maximize,
            },
        )  # fmt: skip

    def update(self, p: Array, g: Array, state: State, group: Group) -> Array:
        """Return p after one step. Everything passes through one array, which becomes the new values."""
        lr, (beta1, beta2), decay = group["lr"], group["betas"], group["weight_decay"]
        if not state:
            state.update(step=0, exp_avg=np.zeros_like(p), exp_avg_sq=np.zeros_like(p))
            if group["amsgrad"]:
                state["max_exp_avg_sq"] = np.zeros_like(p)
        if decay and not self.decoupled:
            g = g + decay * p
        state["step"] += 1
        mean, square, new = state["exp_avg"], state["exp_avg_sq"], np.empty_like(p)
        mean *= beta1
        mean += np.multiply(g, 1 - beta1, out=new)
        square *= beta2
        np.multiply(g, g, out=new)
        new *= 1 - beta2
        square += new
        if group["amsgrad"]:
            square = np.maximum(state["max_exp_avg_sq"], square, out=state["max_exp_avg_sq"])
        np.sqrt(square, out=new)
        new *= 1 / sqrt(1 - beta2 ** state["step"])
        new += group["eps"]
        np.divide(mean, new, out=new)
        new *= -lr / (1 - beta1 ** state["step"])
        new += p * (1 - lr * decay) if decay and self.decoupled else p
        return new


class AdamW(Adam):
    """Adam whose weight decay p ← (1 − lr · weight_decay) p stays out of the moments (Loshchilov & Hutter 2019)."""

    decoupled = True

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize)
