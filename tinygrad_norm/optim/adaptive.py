"""Adam, AdamW, RMSprop and Adagrad: steps scaled, entry by entry, by the size of past gradients."""

from __future__ import annotations

from math import inf, sqrt

import numpy as np

from ..engine.details.array import Array
from .optimizer import Group, Kept, Optimizer, Params


class Adam(Optimizer):
    """Steps along the running mean of the gradient, over the root of that of its square.

    Formula: p ← p − lr · m̂ / (√v̂ + eps) with m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g². m̂ = m / (1 − β₁ᵗ) and
    v̂ = v / (1 − β₂ᵗ) undo the start from zero. With ``amsgrad`` the largest v so far is used.
    Source: Kingma & Ba 2015, algorithm 1; ``amsgrad`` is Reddi et al. 2018. Other options: see :class:`Optimizer`.

    Parameters
    ----------
    betas : β₁ and β₂, each in [0, 1)
    eps : at least 0

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

    ranges = dict.fromkeys(("lr", "eps", "weight_decay"), (0, inf)) | {"betas": (0, 1)}
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
        options = {"lr": lr, "betas": tuple(betas), "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, {**options, "amsgrad": amsgrad, "maximize": maximize})

    def update(self, p: Array, g: Array, state: Kept, group: Group) -> Array:
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
    """Adam whose weight decay stays out of the moments.

    Formula: p ← (1 − lr · weight_decay) p − lr · m̂ / (√v̂ + eps), with the moments of :class:`Adam`.
    Source: Loshchilov & Hutter 2019, "Decoupled weight decay regularization", algorithm 2.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> w = tg.nn.Parameter([1.0, -2.0])
    >>> optimizer = tg.optim.AdamW([w], lr=0.1, weight_decay=0.5)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> tg.round(w, 6).tolist()     # a twentieth less, then a step of length lr
    [0.85, -1.8]
    """

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


class RMSprop(Optimizer):
    """Steps over the root of the running mean of the gradient's square.

    Formula: p ← p − lr · g / (√v + eps) with v ← αv + (1 − α)g². With ``centered`` the square of the running mean of g
    is taken out of v; with ``momentum`` the scaled gradient passes through a velocity as in SGD.
    Source: Tieleman & Hinton 2012, lecture 6.5; ``centered`` is Graves 2013, eq. 38 to 45. Other options: see
    :class:`Optimizer`; alpha, eps and momentum are at least 0.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> w = tg.nn.Parameter([1.0, -2.0])
    >>> optimizer = tg.optim.RMSprop([w], lr=0.01)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> tg.round(w, 6).tolist()     # √v is a tenth of the first gradient
    [0.9, -1.9]
    """

    ranges = dict.fromkeys(("lr", "alpha", "eps", "weight_decay", "momentum"), (0, inf))

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
        options = {"lr": lr, "alpha": alpha, "eps": eps, "weight_decay": weight_decay, "momentum": momentum}
        super().__init__(params, {**options, "centered": centered, "maximize": maximize})

    def update(self, p: Array, g: Array, state: Kept, group: Group) -> Array:
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
    """Steps over the root of the sum of all squared gradients so far: they become shorter.

    Formula: p ← p − lr / (1 + (t − 1) lr_decay) · g / (√s + eps) with s ← s + g², from ``initial_accumulator_value``.
    Source: Duchi, Hazan & Singer 2011, "Adaptive subgradient methods". Other options: see :class:`Optimizer`; lr_decay,
    initial_accumulator_value and eps are at least 0.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> w = tg.nn.Parameter([1.0, -2.0])
    >>> optimizer = tg.optim.Adagrad([w], lr=0.1)
    >>> for _ in range(2):
    ...     optimizer.zero_grad()
    ...     w.sum().backward()
    ...     optimizer.step()
    >>> tg.round(w, 4).tolist()     # two steps, of 0.1 and of 0.1/√2
    [0.8293, -2.1707]
    """

    ranges = dict.fromkeys(("lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps"), (0, inf))

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
        options = {"lr": lr, "lr_decay": lr_decay, "weight_decay": weight_decay}
        accumulator = {"initial_accumulator_value": initial_accumulator_value, "eps": eps}
        super().__init__(params, {**options, **accumulator, "maximize": maximize})

    def update(self, p: Array, g: Array, state: Kept, group: Group) -> Array:
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
