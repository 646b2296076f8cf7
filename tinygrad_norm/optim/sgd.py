"""Stochastic gradient descent with momentum."""

from __future__ import annotations

from math import inf

import numpy as np

from ..engine.details.array import Array
from ..errors import InputError
from .optimizer import Group, Kept, Optimizer, Params


class SGD(Optimizer):
    """Stochastic gradient descent, if wanted with momentum.

    Formula: p ← p − lr · v with v ← momentum · v + (1 − dampening) · g. The first v is g itself. With ``nesterov`` the
    step is along g + momentum · v.
    Source: Polyak 1964; ``nesterov`` is Sutskever et al. 2013, in PyTorch's form. Other options: see
    :class:`Optimizer`.

    Raises
    ------
    InputError
        lr, momentum or weight_decay is negative, or nesterov comes without momentum or with dampening.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> w = tg.nn.Parameter([1.0, -2.0])
    >>> optimizer = tg.optim.SGD([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.tolist()
    [0.8, -1.6]
    """

    ranges = dict.fromkeys(("lr", "momentum", "weight_decay"), (0, inf))

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        options = {"lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay}
        super().__init__(params, {**options, "nesterov": nesterov, "maximize": maximize})

    def check(self, group: Group) -> None:
        """Raise if an option lies outside its range, or Nesterov's step lacks its momentum."""
        super().check(group)
        if group["nesterov"] and (group["momentum"] == 0 or group["dampening"] != 0):
            raise InputError(
                "SGD: nesterov must come with a momentum and without dampening; got momentum="
                f"{group['momentum']}, dampening={group['dampening']}. Pass momentum=0.9, for example."
            )

    def update(self, p: Array, g: Array, state: Kept, group: Group) -> Array:
        """Return p after one step."""
        new = np.empty_like(p)
        momentum = group["momentum"]
        if group["weight_decay"]:
            g = g + group["weight_decay"] * p
        if momentum:
            velocity = state.get("momentum_buffer")
            if velocity is None:
                state["momentum_buffer"] = velocity = np.array(g)
            else:
                np.multiply(g, 1 - group["dampening"], out=new)
                velocity *= momentum
                velocity += new
            g = g + momentum * velocity if group["nesterov"] else velocity
        np.multiply(g, -group["lr"], out=new)
        new += p
        return new
