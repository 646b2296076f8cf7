"""Layers and models, with PyTorch's names, defaults, initialization and state-dict keys.

>>> import tinygrad_norm as tg
>>> model = tg.nn.Sequential(tg.nn.Linear(2, 3), tg.nn.LayerNorm(3), tg.nn.ReLU(), tg.nn.Linear(3, 1))
>>> model(tg.ones((5, 2))).shape
(5, 1)
"""

from . import init
from .activation import ELU, GELU, LeakyReLU, LogSoftmax, ReLU, Sigmoid, SiLU, Softmax, Softplus, Tanh
from .attention import MultiheadAttention
from .containers import ModuleList, Sequential
from .default_dtype import get_default_dtype, set_default_dtype
from .embedding import Embedding
from .linear import Linear
from .module import Module
from .norm import GroupNorm, LayerNorm, RMSNorm
from .parameter import Parameter
from .plain import Dropout, Flatten, Identity
from .running_norm import BatchNorm1d, BatchNorm2d, InstanceNorm1d
from .summary import Summary, summary
from .transformer import TransformerEncoder, TransformerEncoderLayer

__all__ = [
    "ELU", "GELU", "BatchNorm1d", "BatchNorm2d", "Dropout", "Embedding", "Flatten", "GroupNorm", "Identity",
    "InstanceNorm1d", "LayerNorm", "LeakyReLU", "Linear", "LogSoftmax", "Module", "ModuleList", "MultiheadAttention",
    "Parameter", "RMSNorm", "ReLU", "Sequential", "SiLU", "Sigmoid", "Softmax", "Softplus", "Summary", "Tanh",
    "TransformerEncoder", "TransformerEncoderLayer", "get_default_dtype", "init", "set_default_dtype", "summary",
]  # fmt: skip
