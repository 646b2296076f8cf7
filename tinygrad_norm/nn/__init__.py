"""Layers and models, with PyTorch's names, defaults, initialization and state-dict keys.

In every layer ``dtype`` is that of its parameters, :func:`get_default_dtype` when left out, and ``bias`` says whether
it has one. In shapes (…) stands for any axes, or none. Our ``x`` is PyTorch's ``input``.

>>> import tinygrad_norm as tg
>>> model = tg.nn.Sequential(tg.nn.Linear(2, 3), tg.nn.LayerNorm(3), tg.nn.ReLU(), tg.nn.Linear(3, 1))
>>> model(tg.ones((5, 2))).shape
(5, 1)
"""

import sys
from typing import TYPE_CHECKING, Any

from . import init
from .attention import MultiheadAttention
from .containers import ModuleDict, ModuleList, ParameterList, Sequential
from .convolution import AvgPool1d, AvgPool2d, Conv1d, Conv2d, MaxPool1d, MaxPool2d
from .embedding import Embedding
from .linear import Linear
from .loss import (
    BCELoss,
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    HuberLoss,
    KLDivLoss,
    L1Loss,
    MSELoss,
    NLLLoss,
    SmoothL1Loss,
)
from .module import Module
from .norm import DyT, GroupNorm, LayerNorm, RMSNorm
from .parameter import Parameter, get_default_dtype, set_default_dtype
from .parameterless import (
    ELU,
    GELU,
    Dropout,
    Flatten,
    Identity,
    LeakyReLU,
    LogSoftmax,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)
from .recurrent import GRU, LSTM, RNN, GRUCell, LSTMCell, RNNCell
from .running_norm import BatchNorm1d, BatchNorm2d, InstanceNorm1d
from .summary import Summary, summary
from .transformer import TransformerEncoder, TransformerEncoderLayer

__all__ = ["Module", "ModuleDict", "ModuleList", "Parameter", "ParameterList", "Sequential", "Summary", "summary"]
__all__ += ["Embedding", "Linear", "MultiheadAttention", "TransformerEncoder", "TransformerEncoderLayer"]
__all__ += ["BatchNorm1d", "BatchNorm2d", "DyT", "GroupNorm", "InstanceNorm1d", "LayerNorm", "RMSNorm"]
__all__ += ["ELU", "GELU", "LeakyReLU", "LogSoftmax", "ReLU", "SiLU", "Sigmoid", "Softmax", "Softplus", "Tanh"]
__all__ += ["AvgPool1d", "AvgPool2d", "Conv1d", "Conv2d", "MaxPool1d", "MaxPool2d"]
__all__ += ["GRU", "LSTM", "RNN", "GRUCell", "LSTMCell", "RNNCell"]
__all__ += ["BCELoss", "BCEWithLogitsLoss", "CrossEntropyLoss", "HuberLoss", "KLDivLoss", "L1Loss", "MSELoss"]
__all__ += ["NLLLoss", "SmoothL1Loss"]
__all__ += ["Dropout", "Flatten", "Identity", "get_default_dtype", "init", "set_default_dtype"]

# Where the layers without parameters of version 0.1.0 say that they come from, when they are unpickled.
sys.modules[f"{__name__}.activation"] = sys.modules[f"{__name__}.plain"] = sys.modules[ReLU.__module__]

if not TYPE_CHECKING:  # a type checker knows what is there

    def __getattr__(name: str) -> Any:
        from ..pytorch_names import no_such_name

        raise no_such_name("tg.nn", __name__, name)
