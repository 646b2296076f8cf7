"""Losses as layers: CrossEntropyLoss, NLLLoss, MSELoss, L1Loss, SmoothL1Loss, HuberLoss, BCELoss and their like.

Each keeps the options of the function of ``tg.functional`` that it calls, where ranges and errors are explained.
Weights are buffers, as in PyTorch: saved with the module and converted by ``astype``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from .. import functional as F
from ..engine.tensor import Data, Optional, Tensor
from .module import Module


class Loss(Module):
    """What the losses share: options that are attributes, and are passed on."""

    function: ClassVar[Callable[..., Tensor]]
    options: tuple[str, ...]

    def keep(self, **options: Any) -> None:
        """Make every option an attribute, and every weight a buffer."""
        self.options = tuple(options)
        for name, value in options.items():
            if name.endswith("weight"):
                self.register_buffer(name, value)
            else:
                setattr(self, name, value)

    def forward(self, input: Data, target: Data) -> Tensor:
        """Return the loss of a prediction against its target."""
        return self.function(input, target, **{name: getattr(self, name) for name in self.options})

    def extra_repr(self) -> str:
        """Return the arguments."""
        return ", ".join(f"{name}={getattr(self, name)!r}" for name in self.options if name not in self._buffers)


class MSELoss(Loss):
    """The mean squared error as a layer.

    Formula: (x − t)² for input x and target t, then the mean.
    Shapes: input and target (batch, …), result () or, with ``reduction="none"``, as the input.
    Source: Goodfellow, Bengio & Courville 2016, section 5.1.4; PyTorch's ``MSELoss``.
    Parameters and errors: those of ``tg.functional.mse_loss``.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.nn.MSELoss()([1.0, 3.0], [1.0, 1.0]).item()
    2.0
    """

    function = staticmethod(F.mse_loss)

    def __init__(self, reduction: str = "mean") -> None:
        self.keep(reduction=reduction)


class L1Loss(Loss):
    """The mean absolute error as a layer.

    Formula: |x − t| for input x and target t, then the sum divided by their number: Σ |x − t| / n.
    Shapes: input and target (batch, …), result () or, with ``reduction="none"``, as the input.
    Source: PyTorch's ``L1Loss``.
    Parameters and errors: those of ``tg.functional.l1_loss``.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.nn.L1Loss()([1.0, 3.0], [1.0, 0.0]).item()
    1.5
    """

    function = staticmethod(F.l1_loss)

    def __init__(self, reduction: str = "mean") -> None:
        self.keep(reduction=reduction)


class SmoothL1Loss(Loss):
    """The absolute error, squared near 0, as a layer.

    Formula: d²/(2β) where d = |x − t| < β, else d − β/2; then the mean.
    Shapes: input and target (batch, …), result () or, with ``reduction="none"``, as the input.
    Source: Girshick 2015, eq. 3; PyTorch's ``SmoothL1Loss``.
    Parameters and errors: those of ``tg.functional.smooth_l1_loss``.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.nn.SmoothL1Loss("none")([0.5, 3.0], [0.0, 0.0]).tolist()
    [0.125, 2.5]
    """

    function = staticmethod(F.smooth_l1_loss)

    def __init__(self, reduction: str = "mean", beta: float = 1.0) -> None:
        self.keep(reduction=reduction, beta=beta)


class HuberLoss(Loss):
    """The squared error near 0, the absolute one beyond δ, as a layer.

    Formula: d²/2 where d = |x − t| ≤ δ, else δ(d − δ/2); then the mean.
    Shapes: input and target (batch, …), result () or, with ``reduction="none"``, as the input.
    Source: Huber 1964; PyTorch's ``HuberLoss``.
    Parameters and errors: those of ``tg.functional.huber_loss``.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.nn.HuberLoss("none", delta=2.0)([1.0, 3.0], [0.0, 0.0]).tolist()
    [0.5, 4.0]
    """

    function = staticmethod(F.huber_loss)

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        self.keep(reduction=reduction, delta=delta)


class BCELoss(Loss):
    """How unlikely probabilities call targets of two classes, as a layer.

    Formula: −(t log p + (1 − t) log(1 − p)), then the mean.
    Shapes: input p and target t (batch, …), in [0, 1]; ``weight`` broadcasts to them; result () or, with
    ``reduction="none"``, as the input.
    Source: Goodfellow, Bengio & Courville 2016, section 6.2.2.2; PyTorch's ``BCELoss``.
    Parameters and errors: those of ``tg.functional.binary_cross_entropy``.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.round(tg.nn.BCELoss()([0.5, 0.5], [1.0, 0.0]), 4).item()
    0.6931
    """

    function = staticmethod(F.binary_cross_entropy)

    def __init__(self, weight: Optional = None, reduction: str = "mean") -> None:
        self.keep(weight=weight, reduction=reduction)


class BCEWithLogitsLoss(Loss):
    """The binary cross-entropy of sigmoid(x), computed from the logit x, as a layer.

    Formula: (1 − t) x + (1 + (w₊ − 1) t) log(1 + e⁻ˣ), then the mean; w₊ is ``pos_weight``.
    Shapes: input x and target t (batch, …), t in [0, 1]; ``weight`` and ``pos_weight`` broadcast to them; result ()
    or, with ``reduction="none"``, as the input.
    Source: PyTorch's ``BCEWithLogitsLoss``.
    Parameters and errors: those of ``tg.functional.binary_cross_entropy_with_logits``.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.nn.BCEWithLogitsLoss(reduction="none")([1000.0, 0.0], [1.0, 1.0]).tolist()
    [0.0, 0.6931471805599453]
    """

    function = staticmethod(F.binary_cross_entropy_with_logits)

    def __init__(self, weight: Optional = None, reduction: str = "mean", pos_weight: Optional = None) -> None:
        self.keep(weight=weight, reduction=reduction, pos_weight=pos_weight)


class KLDivLoss(Loss):
    """The Kullback–Leibler divergence of probabilities t from log-probabilities x, as a layer.

    Formula: t (log t − x), then the mean over all entries; ``reduction="batchmean"`` gives the divergence itself.
    Shapes: input x, in (−∞, 0], and target t (batch, classes), or any one shape; result () or, with
    ``reduction="none"``, as the input.
    Source: Kullback & Leibler 1951; PyTorch's ``KLDivLoss``.
    Parameters and errors: those of ``tg.functional.kl_div``.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.nn.KLDivLoss("batchmean")([[-0.5, -1.0]], [[1.0, 0.0]]).item()
    0.5
    """

    function = staticmethod(F.kl_div)

    def __init__(self, reduction: str = "mean", log_target: bool = False) -> None:
        self.keep(reduction=reduction, log_target=log_target)


class NLLLoss(Loss):
    """Minus the log-probability of the target class, as a layer.

    Formula: −x[target] for log-probabilities x, then the mean.
    Shapes: input (batch, classes, positions…), target (batch, positions…) of class numbers, ``weight`` (classes);
    result () or, with ``reduction="none"``, as the target.
    Source: PyTorch's ``NLLLoss``.
    Parameters and errors: those of ``tg.functional.nll_loss``.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.nn.NLLLoss()([[-0.5, -1.0]], [1]).item()
    1.0
    """

    function = staticmethod(F.nll_loss)

    def __init__(self, weight: Optional = None, ignore_index: int = -100, reduction: str = "mean") -> None:
        self.keep(weight=weight, ignore_index=ignore_index, reduction=reduction)


class CrossEntropyLoss(Loss):
    """How unlikely logits call the target, as a layer.

    Formula: −Σ p log softmax(x) over the classes, then the mean; p is 1 for the target class, or the target itself.
    Shapes: input (batch, classes, positions…), target (batch, positions…) of class numbers, or with probabilities
    as the input; ``weight`` (classes); result () or, with ``reduction="none"``, (batch, positions…).
    Source: Goodfellow, Bengio & Courville 2016, section 6.2.2.3; PyTorch's ``CrossEntropyLoss``.
    Parameters and errors: those of ``tg.functional.cross_entropy``.

    Examples
    --------
    >>> import tinygrad_norm as tg
    >>> tg.nn.CrossEntropyLoss()([[2.0, 0.0, 0.0]], [0]).item()
    0.2395447662218847
    """

    function = staticmethod(F.cross_entropy)

    def __init__(
        self,
        weight: Optional = None,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        self.keep(weight=weight, ignore_index=ignore_index, reduction=reduction, label_smoothing=label_smoothing)
