"""Optimizers, learning-rate schedules and gradient clipping, with PyTorch's names, defaults and arithmetic.

>>> import tinygrad_norm as tg
>>> model = tg.nn.Linear(2, 1)
>>> optimizer = tg.optim.AdamW(model.parameters(), lr=1e-2)
>>> for _ in range(3):
...     optimizer.zero_grad()
...     loss = tg.functional.mse_loss(model([[2.0, 3.0]]), [[7.0]])
...     loss.backward()
...     optimizer.step()
"""

from typing import TYPE_CHECKING, Any

from .adaptive import Adagrad, Adam, AdamW, RMSprop
from .clip import clip_grad_norm_, clip_grad_value_
from .optimizer import Optimizer
from .schedule import (
    CosineAnnealingLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    MultiStepLR,
    ReduceLROnPlateau,
    Schedule,
    StepLR,
)
from .sgd import SGD

__all__ = ["SGD", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSprop", "clip_grad_norm_", "clip_grad_value_"]
__all__ += ["CosineAnnealingLR", "ExponentialLR", "LambdaLR", "LinearLR", "MultiStepLR", "ReduceLROnPlateau"]
__all__ += ["Schedule", "StepLR"]

if not TYPE_CHECKING:  # a type checker knows what is there

    def __getattr__(name: str) -> Any:
        from ..pytorch_names import no_such_name

        raise no_such_name("tg.optim", __name__, name)
