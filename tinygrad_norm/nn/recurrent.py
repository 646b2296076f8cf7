"""Recurrent layers: RNN, GRU and LSTM, which run along time, and the cells RNNCell, GRUCell and LSTMCell: one step.

A cell and the layer of its kind share one function, a *step*: from what the input gives, what the state holds, and the
state, to the new state. Nothing is fused, so that every step can be drawn, and every derivative is exact.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from .. import functional as F
from ..engine.tensor import Data, Tensor, as_tensor
from ..errors import InputError, ShapeError
from ..functional.composition import composed
from ..ops.layout import concatenate, stack
from . import init
from .module import Module
from .parameter import Parameter, check_sizes, parameter_dtype

State: TypeAlias = tuple[Tensor, ...]
"""(h), or (h, c) of an LSTM."""
PLAINLY_SPLIT = 8
"""So many steps are taken one by one; more by halves, since each costs the size of what it is taken from."""


@composed
def tanh_step(given: Tensor, held: Tensor, state: State) -> State:
    """Return h′ = tanh(given + held)."""
    return (F.tanh(given + held),)


@composed
def relu_step(given: Tensor, held: Tensor, state: State) -> State:
    """Return h′ = max(given + held, 0)."""
    return (F.relu(given + held),)


@composed
def gru_step(given: Tensor, held: Tensor, state: State) -> State:
    """Return h′ = (1 − z) n + z h with the reset gate r, the update gate z and the new values n."""
    (h,), n = state, held.shape[-1] // 3
    gates = F.sigmoid(given[..., : 2 * n] + held[..., : 2 * n])
    r, z = gates[..., :n], gates[..., n:]
    new = F.tanh(given[..., 2 * n :] + r * held[..., 2 * n :])
    return (new + z * (h - new),)


@composed
def lstm_step(given: Tensor, held: Tensor, state: State) -> State:
    """Return c′ = f c + i g and h′ = o tanh(c′) with the gates i, f and o and the new values g."""
    (_, c), n = state, held.shape[-1] // 4
    sums = given + held
    gates = F.sigmoid(sums[..., : 2 * n])
    i, f = gates[..., :n], gates[..., n:]
    c = f * c + i * F.tanh(sums[..., 2 * n : 3 * n])
    return F.sigmoid(sums[..., 3 * n :]) * F.tanh(c), c


STEPS: dict[str, tuple[Callable[[Tensor, Tensor, State], State], int, int]] = {
    "tanh": (tanh_step, 1, 1),
    "relu": (relu_step, 1, 1),
    "GRU": (gru_step, 3, 1),
    "LSTM": (lstm_step, 4, 2),
}
"""The step of each kind, how many sums it takes for each entry of the state, and how many Tensors the state has."""


class Recurrence(Module):
    """What cells and layers share: parameters for each run along time, called after its suffix."""

    kind: str
    suffixes: tuple[str, ...] = ("",)

    def prepare(self, sizes: dict[str, int], kind: str, bias: bool, dtype: Any) -> None:
        """Take the sizes over, and make the parameters."""
        check_sizes(type(self).__name__, **sizes)
        if kind not in STEPS:
            raise InputError(
                f"{type(self).__name__}: nonlinearity must be 'tanh' or 'relu'; got {kind!r}. Choose one of them."
            )
        self.kind, self.bias = kind, bias
        self.input_size, self.hidden_size = sizes["input_size"], sizes["hidden_size"]
        dtype, rows = parameter_dtype(dtype), STEPS[kind][1] * self.hidden_size
        for i, suffix in enumerate(self.suffixes):
            columns = self.input_size if i < self.runs else self.hidden_size * self.runs
            self.register_parameter(f"weight_ih{suffix}", Parameter(np.zeros((rows, columns), dtype)))
            self.register_parameter(f"weight_hh{suffix}", Parameter(np.zeros((rows, self.hidden_size), dtype)))
            for name in ("bias_ih", "bias_hh"):
                self.register_parameter(f"{name}{suffix}", Parameter(np.zeros(rows, dtype)) if bias else None)
        self.reset_parameters()

    @property
    def runs(self) -> int:
        """How many runs along time, in one direction or both, take the same input."""
        return 1

    def reset_parameters(self) -> None:
        """Draw all parameters anew, from ±1/√hidden_size."""
        for parameter in self.parameters():
            init.uniform_(parameter, -1 / math.sqrt(self.hidden_size), 1 / math.sqrt(self.hidden_size))

    def given(self, x: Tensor, suffix: str) -> Tensor:
        """Return what the input gives to the sums, at one time or at all."""
        return F.linear(x, getattr(self, f"weight_ih{suffix}"), getattr(self, f"bias_ih{suffix}"))

    def advanced(self, given: Tensor, state: State, suffix: str) -> State:
        """Return the state one step later."""
        held = F.linear(state[0], getattr(self, f"weight_hh{suffix}"), getattr(self, f"bias_hh{suffix}"))
        return STEPS[self.kind][0](given, held, state)

    def first_state(self, hx: Any, shape: tuple[int, ...], dtype: Any) -> State:
        """Return the state to begin with, zeros when left out; raise unless it has the shape that it must have."""
        count = STEPS[self.kind][2]
        if hx is None:
            return tuple(as_tensor(np.zeros(shape, dtype)) for _ in range(count))
        parts = tuple(as_tensor(h) for h in (hx if count == 2 and isinstance(hx, (tuple, list)) else (hx,)))
        if len(parts) != count or any(h.shape != shape for h in parts):
            got = ", ".join(str(h.shape) for h in parts)
            raise ShapeError(
                f"{type(self).__name__}: the state must be {'a pair (h, c), each' if count == 2 else 'h'} of shape "
                f"{shape}; got {got}. Leave it out to begin with zeros."
            )
        return parts

    def label(self) -> str:
        """Return ``LSTM 3→5``."""
        return f"{type(self).__name__} {self.input_size}→{self.hidden_size}"


class Cell(Recurrence):
    """What the cells share: a single step."""

    def step(self, x: Data, hx: Any) -> State:
        """Return the state after one step."""
        x = as_tensor(x)
        if x.ndim not in (1, 2) or x.shape[-1] != self.input_size:
            raise ShapeError(
                f"{type(self).__name__}: x must be (batch, input_size) or (input_size) with input_size "
                f"{self.input_size}; got shape {x.shape}. A whole sequence is for the layer, without Cell in its name."
            )
        given = self.given(x, "")
        return self.advanced(given, self.first_state(hx, (*x.shape[:-1], self.hidden_size), given.dtype), "")

    def extra_repr(self) -> str:
        """Return the arguments."""
        return f"{self.input_size}, {self.hidden_size}, bias={self.bias}"


class RNNCell(Cell):
    """One step of a simple recurrent network.

    Formula: h′ = tanh(x Wᵢᵀ + bᵢ + h Wₕᵀ + bₕ), or max(…, 0) with ``nonlinearity="relu"``. All parameters are drawn
    from ±1/√hidden_size.
    Shapes: x (batch, input_size) or (input_size), h (batch, hidden_size), zeros when left out, result as h;
    ``weight_ih`` (hidden_size, input_size), ``weight_hh`` (hidden_size, hidden_size), both biases (hidden_size).
    Source: Elman 1990, "Finding structure in time"; PyTorch's ``RNNCell``.

    Raises
    ------
    InputError
        A size is not a positive integer, or nonlinearity neither "tanh" nor "relu".
    ShapeError
        x or the state has another shape; when called.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> cell, h = tg.nn.RNNCell(3, 5), None
    >>> for x in tg.ones((4, 2, 3)):
    ...     h = cell(x, h)
    >>> h.shape
    (2, 5)
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh", dtype: Any = None
    ) -> None:
        self.prepare({"input_size": input_size, "hidden_size": hidden_size}, nonlinearity, bias, dtype)

    def forward(self, x: Data, hx: Data | None = None) -> Tensor:
        """Return h after one step."""
        return self.step(x, hx)[0]


class GRUCell(Cell):
    """One step of a gated recurrent unit.

    Formula: h′ = (1 − z) n + z h with r, z = σ(x Wᵢᵀ + bᵢ + h Wₕᵀ + bₕ) and n = tanh(x Wᵢᵀ + bᵢ + r (h Wₕᵀ + bₕ)), each
    with its own third of the parameters' rows.
    Shapes: x (batch, input_size) or (input_size), h (batch, hidden_size), zeros when left out, result as h;
    ``weight_ih`` (3 hidden_size, input_size), ``weight_hh`` (3 hidden_size, hidden_size), biases (3 hidden_size).
    Source: Cho et al. 2014, "Learning phrase representations using RNN encoder–decoder"; PyTorch's ``GRUCell``.

    Raises
    ------
    InputError, ShapeError
        As in :class:`RNNCell`.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.nn.GRUCell(3, 5)(tg.ones((2, 3))).shape
    (2, 5)
    """

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, dtype: Any = None) -> None:
        self.prepare({"input_size": input_size, "hidden_size": hidden_size}, "GRU", bias, dtype)

    def forward(self, x: Data, hx: Data | None = None) -> Tensor:
        """Return h after one step."""
        return self.step(x, hx)[0]


class LSTMCell(Cell):
    """One step of a long short-term memory.

    Formula: c′ = f c + i g and h′ = o tanh(c′) with i, f, o = σ(x Wᵢᵀ + bᵢ + h Wₕᵀ + bₕ) and g = tanh(the same), each
    with its own quarter of the parameters' rows, in the order i, f, g, o.
    Shapes: x (batch, input_size) or (input_size), h and c (batch, hidden_size), zeros when left out, result (h, c);
    ``weight_ih`` (4 hidden_size, input_size), ``weight_hh`` (4 hidden_size, hidden_size), biases (4 hidden_size).
    Source: Hochreiter & Schmidhuber 1997, "Long short-term memory"; PyTorch's ``LSTMCell``.

    Raises
    ------
    InputError, ShapeError
        As in :class:`RNNCell`.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> h, c = tg.nn.LSTMCell(3, 5)(tg.ones((2, 3)))
    >>> h.shape, c.shape
    ((2, 5), (2, 5))
    """

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, dtype: Any = None) -> None:
        self.prepare({"input_size": input_size, "hidden_size": hidden_size}, "LSTM", bias, dtype)

    def forward(self, x: Data, hx: tuple[Data, Data] | None = None) -> tuple[Tensor, Tensor]:
        """Return h and c after one step."""
        h, c = self.step(x, hx)
        return h, c


class Recurrent(Recurrence):
    """What the layers share: several runs along time, one on top of the other, in one direction or both."""

    def prepare_layers(self, kind: str, sizes: dict[str, int], options: dict[str, Any], dtype: Any) -> None:
        """Take the options over, and make the parameters of all runs."""
        self.num_layers, self.batch_first = sizes["num_layers"], options["batch_first"]
        self.dropout, self.bidirectional = options["dropout"], options["bidirectional"]
        if not 0 <= self.dropout <= 1:
            raise InputError(
                f"{type(self).__name__}: dropout must be a probability in [0, 1]; got {self.dropout}. 0 switches it "
                "off."
            )
        check_sizes(type(self).__name__, num_layers=self.num_layers)
        directions = ("", "_reverse")[: self.runs]
        self.suffixes = tuple(f"_l{i}{way}" for i in range(self.num_layers) for way in directions)
        self.prepare(sizes, kind, options["bias"], dtype)

    @property
    def runs(self) -> int:
        """How many runs along time, in one direction or both, take the same input."""
        return 2 if self.bidirectional else 1

    def run(self, x: Data, hx: Any) -> tuple[Tensor, State]:
        """Return the last layer's h at all times, and the last state of every run."""
        x = as_tensor(x)
        if x.ndim not in (2, 3) or x.shape[-1] != self.input_size or not x.shape[self.batch_first and x.ndim == 3]:
            order = "(batch, time, input_size)" if self.batch_first else "(time, batch, input_size)"
            raise ShapeError(
                f"{type(self).__name__}: x must be {order} or (time, input_size) with input_size {self.input_size}; "
                f"got shape {x.shape}. Check batch_first, and that there is at least one time."
            )
        batched = x.ndim == 3
        if not batched:
            x = x.reshape(x.shape[0], 1, x.shape[1])
        elif self.batch_first:
            x = x.swapaxes(0, 1)
        batch = (x.shape[1],) if batched else ()
        dtype = np.result_type(x.dtype, next(self.parameters()).dtype)
        state = self.first_state(hx, (len(self.suffixes), *batch, self.hidden_size), dtype)
        last: list[State] = []
        for layer in range(self.num_layers):
            if layer:
                x = F.dropout(x, self.dropout, self.training)
            results = []
            for suffix in self.suffixes[layer * self.runs : (layer + 1) * self.runs]:
                begin = tuple(h[len(last)] if batched else h[len(last)].reshape(1, -1) for h in state)
                steps, end = self.along(unstacked(self.given(x, suffix)), begin, suffix)
                results.append(stack(steps))
                last.append(end)
            x = results[0] if len(results) == 1 else concatenate(results, -1)
        ends = tuple(stack(parts) for parts in zip(*last, strict=True))
        if not batched:
            return x[:, 0], tuple(h[:, 0] for h in ends)
        return x.swapaxes(0, 1) if self.batch_first else x, ends

    def along(self, given: list[Tensor], state: State, suffix: str) -> tuple[list[Tensor], State]:
        """Return h at all times, and the last state, of one run along time, or back."""
        backwards = suffix.endswith("_reverse")
        results = []
        for step in reversed(given) if backwards else given:
            state = self.advanced(step, state, suffix)
            results.append(state[0])
        return results[::-1] if backwards else results, state

    def extra_repr(self) -> str:
        """Return the arguments."""
        usual = {"num_layers": 1, "bias": True, "batch_first": False, "dropout": 0.0, "bidirectional": False}
        others = "".join(f", {k}={getattr(self, k)}" for k, v in usual.items() if getattr(self, k) != v)
        return f"{self.input_size}, {self.hidden_size}{others}"


def unstacked(x: Tensor) -> list[Tensor]:
    """Return the entries along the first axis."""
    n = x.shape[0]
    if n <= PLAINLY_SPLIT:
        return [x[t] for t in range(n)]
    return unstacked(x[: n // 2]) + unstacked(x[n // 2 :])


class RNN(Recurrent):
    """A simple recurrent network along time.

    Formula: hₜ = tanh(xₜ Wᵢᵀ + bᵢ + hₜ₋₁ Wₕᵀ + bₕ), or max(…, 0) with ``nonlinearity="relu"``; the next layer takes hₜ
    for its xₜ.
    Shapes: x (time, batch, input_size), with ``batch_first`` (batch, time, input_size), or (time, input_size); state h
    (num_layers · directions, batch, hidden_size), zeros when left out; result: the last layer's h at all times, (time,
    batch, directions · hidden_size), and the last state. Parameters: as in :class:`RNNCell`, with ``_l0``, ``_l1``, …
    after their names, and ``_reverse`` for the way back.
    Source: Elman 1990, "Finding structure in time"; PyTorch's ``RNN``.

    Parameters
    ----------
    num_layers : how many run one on top of the other
    dropout : with which probability the entries between two layers are dropped in training
    bidirectional : whether each layer also runs back in time; the results of both are joined

    Raises
    ------
    InputError
        A size is not a positive integer, dropout no probability, or nonlinearity neither "tanh" nor "relu".
    ShapeError
        x or the state has another shape; when called.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> result, h = tg.nn.RNN(3, 5, num_layers=2, batch_first=True)(tg.ones((2, 7, 3)))
    >>> result.shape, h.shape
    ((2, 7, 5), (2, 2, 5))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        dtype: Any = None,
    ) -> None:
        sizes = {"input_size": input_size, "hidden_size": hidden_size, "num_layers": num_layers}
        options = {"bias": bias, "batch_first": batch_first, "dropout": dropout, "bidirectional": bidirectional}
        self.prepare_layers(nonlinearity, sizes, options, dtype)

    def forward(self, x: Data, hx: Data | None = None) -> tuple[Tensor, Tensor]:
        """Return h of the last layer at all times, and the last h of every run."""
        result, state = self.run(x, hx)
        return result, state[0]


class Gated(Recurrent):
    """What GRU and LSTM share: their arguments."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        dtype: Any = None,
    ) -> None:
        sizes = {"input_size": input_size, "hidden_size": hidden_size, "num_layers": num_layers}
        options = {"bias": bias, "batch_first": batch_first, "dropout": dropout, "bidirectional": bidirectional}
        self.prepare_layers(type(self).kind, sizes, options, dtype)


class GRU(Gated):
    """A gated recurrent unit along time.

    Formula: hₜ = (1 − z) n + z hₜ₋₁, with the gates of :class:`GRUCell`; the next layer takes hₜ for its xₜ.
    Shapes: x (time, batch, input_size), state h (num_layers · directions, batch, hidden_size); result (time, batch,
    directions · hidden_size) and the last state. All is as in :class:`RNN`, with the parameters of :class:`GRUCell`.
    Source: Cho et al. 2014; PyTorch's ``GRU``.

    Raises
    ------
    InputError, ShapeError
        As in :class:`RNN`.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> result, h = tg.nn.GRU(3, 5, bidirectional=True)(tg.ones((7, 2, 3)))
    >>> result.shape, h.shape
    ((7, 2, 10), (2, 2, 5))
    """

    if not TYPE_CHECKING:  # of its own, since help() on Python 3.10 would show the inherited Module.__new__ instead
        __init__ = Gated.__init__
    kind = "GRU"

    def forward(self, x: Data, hx: Data | None = None) -> tuple[Tensor, Tensor]:
        """Return h of the last layer at all times, and the last h of every run."""
        result, state = self.run(x, hx)
        return result, state[0]


class LSTM(Gated):
    """A long short-term memory along time.

    Formula: cₜ = f cₜ₋₁ + i g and hₜ = o tanh(cₜ), with the gates of :class:`LSTMCell`; the next layer takes hₜ for its
    xₜ.
    Shapes: x (time, batch, input_size), state a pair (h, c), each (num_layers · directions, batch, hidden_size); result
    (time, batch, directions · hidden_size) and the last pair. All else is as in :class:`RNN`, with the parameters of
    :class:`LSTMCell`.
    Source: Hochreiter & Schmidhuber 1997; PyTorch's ``LSTM``, without its ``proj_size``.

    Raises
    ------
    InputError, ShapeError
        As in :class:`RNN`.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> result, (h, c) = tg.nn.LSTM(3, 5)(tg.ones((7, 2, 3)))
    >>> result.shape, h.shape, c.shape
    ((7, 2, 5), (1, 2, 5), (1, 2, 5))
    """

    if not TYPE_CHECKING:  # of its own, since help() on Python 3.10 would show the inherited Module.__new__ instead
        __init__ = Gated.__init__
    kind = "LSTM"

    def forward(self, x: Data, hx: tuple[Data, Data] | None = None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Return h of the last layer at all times, and the last h and c of every run."""
        result, (h, c) = self.run(x, hx)
        return result, (h, c)
