"""Functions composed of primitives, with PyTorch's names and defaults.

Our ``x`` is PyTorch's ``input``, our ``axis`` its ``dim``, our ``keepdims`` its ``keepdim``. Every function takes
Tensors, arrays, numbers and nested lists, and raises an OperandError for what holds no numbers. In shapes (…) stands
for any axes, or none.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..engine.primitive import LATE
from .activation import elu, gelu, leaky_relu, log_softmax, logsumexp, relu, sigmoid, silu, softmax, softplus, tanh
from .attention import scaled_dot_product_attention
from .batch_norm import batch_norm
from .dropout import dropout
from .embedding import embedding, one_hot
from .linear import linear
from .loss import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    huber_loss,
    kl_div,
    l1_loss,
    mse_loss,
    nll_loss,
    smooth_l1_loss,
)
from .norm import group_norm, instance_norm, layer_norm, rms_norm

__all__ = ["elu", "gelu", "leaky_relu", "log_softmax", "logsumexp", "relu", "sigmoid", "silu", "softmax", "softplus"]
__all__ += ["dropout", "embedding", "linear", "one_hot", "scaled_dot_product_attention", "tanh"]
__all__ += ["binary_cross_entropy", "binary_cross_entropy_with_logits", "cross_entropy", "huber_loss", "kl_div"]
__all__ += ["l1_loss", "mse_loss", "nll_loss", "smooth_l1_loss"]
__all__ += ["batch_norm", "group_norm", "instance_norm", "layer_norm", "rms_norm"]
__all__ += ["avg_pool1d", "avg_pool2d", "conv1d", "conv2d", "max_pool1d", "max_pool2d"]

# What is loaded when it is first used, so that the import stays quick.
WINDOWS = frozenset(["avg_pool1d", "avg_pool2d", "conv1d", "conv2d", "max_pool1d", "max_pool2d"])
LATE.append(f"{__name__}.windows")

if TYPE_CHECKING:  # the same names for a type checker, which loads nothing
    from .windows import avg_pool1d, avg_pool2d, conv1d, conv2d, max_pool1d, max_pool2d
else:

    def __getattr__(name: str) -> Any:
        if name in WINDOWS:
            return getattr(import_module(".windows", __name__), name)
        from ..pytorch_names import no_such_name

        raise no_such_name("tg.functional", __name__, name)
