"""What PyTorch's users type, and what it is called here: one table, by where they look for the name.

A Tensor and the modules ``tg``, ``tg.nn``, ``tg.functional`` and ``tg.optim`` answer a name of the table with an
AttributeError that says what to write; what is not in it stays an ordinary one, so that ``hasattr``, ``copy``, pickle
and NumPy, which ask for names on trial, are not disturbed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any, TypeVar, cast

from .errors import ForeignNameError, OperandError

F = TypeVar("F", bound=Callable[..., Any])

NO_DEVICE = "nothing: there is only one device, leave it out"
TENSOR = {
    "view": "t.reshape(…)",
    "view_as": "t.reshape(other.shape)",
    "reshape_as": "t.reshape(other.shape)",
    "permute": "t.transpose(…)",
    "t": "t.T",
    "unsqueeze": "tg.expand_dims(t, axis), or t[:, None]",
    "expand": "tg.broadcast_to(t, shape)",
    "expand_as": "tg.broadcast_to(t, other.shape)",
    "contiguous": "t itself: the layout does not matter",
    "clone": "t.copy()",
    "numel": "t.size",
    "dim": "t.ndim",
    "cpu": NO_DEVICE,
    "cuda": NO_DEVICE,
    "device": NO_DEVICE,
    "is_cuda": NO_DEVICE,
    "pin_memory": NO_DEVICE,
    "to": "t.astype(dtype); there is only one device",
    "type": "t.dtype, and t.astype(dtype) to change it",
    "float": 't.astype("float32")',
    "double": 't.astype("float64")',
    "half": 't.astype("float16")',
    "long": 't.astype("int64")',
    "int": 't.astype("int32")',
    "bool": 't.astype("bool")',
    "requires_grad_": "t.requires_grad = True",
    "grad_fn": "t.node",
    "data_ptr": "nothing: an array's place in memory means nothing",
    "mm": "t @ other",
    "bmm": "t @ other",
    "mv": "t @ other",
    "matmul": "t @ other",
    "add": "t + other",
    "sub": "t - other",
    "mul": "t * other",
    "div": "t / other",
    "pow": "t**other",
    "neg": "-t",
    "eq": "t == other",
    "lt": "t < other",
    "gt": "t > other",
    "add_": "t += other, in a block with tg.no_grad():",
    "sub_": "t -= other, in a block with tg.no_grad():",
    "mul_": "t *= other, in a block with tg.no_grad():",
    "copy_": "t.data = other, in a block with tg.no_grad():",
    "zero_": "tg.nn.init.zeros_(t)",
    "fill_": "tg.nn.init.constant_(t, value)",
    "normal_": "tg.nn.init.normal_(t)",
    "uniform_": "tg.nn.init.uniform_(t)",
    "clamp": "t.clip(min, max)",
    "softmax": "tg.functional.softmax(t, axis)",
    "log_softmax": "tg.functional.log_softmax(t, axis)",
    "sigmoid": "tg.functional.sigmoid(t)",
    "masked_fill": "tg.where(mask, value, t)",
    "gather": "tg.take_along_axis(t, index, axis)",
    "index_select": "t.take(index, axis)",
    "chunk": "tg.array_split(t, parts, axis)",
    "split": "tg.split(t, parts, axis)",
    "unbind": "list(t)",
    "tile": "tg.tile(t, counts)",
    "norm": "tg.norm(t)",
}
TG = {
    "cat": "tg.concatenate([a, b], axis)",
    "concat": "tg.concatenate([a, b], axis)",
    "chunk": "tg.array_split(t, parts, axis)",
    "tensor_split": "tg.array_split(t, parts, axis)",
    "unsqueeze": "tg.expand_dims(t, axis)",
    "permute": "tg.transpose(t, axes)",
    "flatten": "tg.ravel(t)",
    "gather": "tg.take_along_axis(t, index, axis)",
    "index_select": "tg.take(t, index, axis)",
    "masked_fill": "tg.where(mask, value, t)",
    "masked_select": "t[mask]",
    "mm": "tg.matmul(a, b), or a @ b",
    "bmm": "tg.matmul(a, b), or a @ b",
    "mv": "tg.matmul(a, b), or a @ b",
    "clamp": "tg.clip(t, min, max)",
    "div": "tg.divide(a, b), or a / b",
    "mul": "tg.multiply(a, b), or a * b",
    "sub": "tg.subtract(a, b), or a - b",
    "neg": "tg.negative(t), or -t",
    "pow": "tg.power(a, b), or a**b",
    "abs": "tg.absolute(t)",
    "rsqrt": "1 / tg.sqrt(t)",
    "numel": "t.size",
    "argmax": "t.argmax(axis)",
    "argmin": "t.argmin(axis)",
    "argsort": "t.argsort(axis)",
    "relu": "tg.functional.relu(t)",
    "sigmoid": "tg.functional.sigmoid(t)",
    "softmax": "tg.functional.softmax(t, axis)",
    "log_softmax": "tg.functional.log_softmax(t, axis)",
    "logsumexp": "tg.functional.logsumexp(t, axis)",
    "dropout": "tg.functional.dropout(t, p)",
    "layer_norm": "tg.functional.layer_norm(t, shape)",
    "conv1d": "tg.functional.conv1d(t, weight)",
    "conv2d": "tg.functional.conv2d(t, weight)",
    "from_numpy": "tg.Tensor(array)",
    "as_tensor": "tg.Tensor(values)",
    "FloatTensor": 'tg.Tensor(values, dtype="float32")',
    "LongTensor": 'tg.Tensor(values, dtype="int64")',
    "empty": "tg.zeros(shape)",
    "normal": "tg.randn(shape)",
    "is_tensor": "isinstance(t, tg.Tensor)",
    "inference_mode": "tg.no_grad()",
    "set_grad_enabled": "tg.no_grad() or tg.enable_grad()",
    "autograd": "tg.grad, tg.vjp and tg.gradients",
    "func": "tg.grad, tg.vjp, tg.jvp, tg.jacobian and tg.hessian",
    "float16": '"float16", or np.float16',
    "float32": '"float32", or np.float32',
    "float64": '"float64", or np.float64',
    "int64": '"int64", or np.int64',
    "long": '"int64", or np.int64',
    "linalg": "np.linalg, whose functions take Tensors",
    "device": NO_DEVICE,
    "cuda": NO_DEVICE,
    "compile": "nothing: call the function itself",
}
NN = {
    "functional": "tg.functional",
    "utils": "tg.optim.clip_grad_norm_ and tg.optim.clip_grad_value_",
    "LazyLinear": "tg.nn.Linear(in_features, out_features)",
    "ParameterDict": "tg.nn.ParameterList, or attributes with names",
    "DataParallel": NO_DEVICE,
    "DistributedDataParallel": NO_DEVICE,
    "AdaptiveAvgPool1d": "t.mean(-1, keepdims=True) for one entry, else tg.nn.AvgPool1d",
    "AdaptiveAvgPool2d": "t.mean((-2, -1), keepdims=True) for one entry, else tg.nn.AvgPool2d",
    "BatchNorm3d": "tg.nn.BatchNorm2d, with two axes joined by t.reshape",
    "InstanceNorm2d": "tg.nn.InstanceNorm1d, with two axes joined by t.reshape",
    "Conv3d": "nothing of its own: tg.nn.Conv2d is the largest",
    "ConvTranspose2d": "nothing of its own: repeat the entries with t.repeat, then tg.nn.Conv2d",
    "Unflatten": "t.reshape(…)",
    "Hardtanh": "t.clip(-1, 1)",
    "ReLU6": "t.clip(0, 6)",
    "SELU": "tg.nn.ELU",
    "Transformer": "tg.nn.TransformerEncoder",
    "TransformerDecoderLayer": "tg.nn.TransformerEncoderLayer with src_mask and is_causal=True",
}
FUNCTIONAL = {
    "pad": "tg.pad(t, pad_width), whose widths begin with the first axis",
    "normalize": "t / tg.norm(t, axis=axis, keepdims=True)",
    "hardtanh": "t.clip(-1, 1)",
    "relu6": "t.clip(0, 6)",
    "logsigmoid": "-tg.functional.softplus(-t)",
    "adaptive_avg_pool2d": "t.mean((-2, -1), keepdims=True) for one entry, else tg.functional.avg_pool2d",
    "multi_head_attention_forward": "tg.nn.MultiheadAttention",
    "dropout2d": "tg.functional.dropout(t, p)",
}
OPTIM = {
    "lr_scheduler": "tg.optim itself: tg.optim.StepLR, tg.optim.CosineAnnealingLR and others",
    "NAdam": "tg.optim.Adam",
    "Adamax": "tg.optim.Adam",
    "LBFGS": "tg.optim.Adam",
    "Adadelta": "tg.optim.Adagrad",
    "OneCycleLR": "tg.optim.LinearLR and tg.optim.CosineAnnealingLR together",
    "CosineAnnealingWarmRestarts": "tg.optim.CosineAnnealingLR, or tg.optim.LambdaLR",
}
NAMES = {"t": TENSOR, "tg": TG, "tg.nn": NN, "tg.functional": FUNCTIONAL, "tg.optim": OPTIM}


def no_such_name(home: str, module: str, name: str) -> AttributeError:
    """Return the error for a name that one of our modules does not have."""
    if name in NAMES[home]:
        return foreign(home, name)
    return AttributeError(f"module {module!r} has no attribute {name!r}", name=name)


def foreign(home: str, name: str) -> ForeignNameError:
    """Return the error for a name that is PyTorch's."""
    return ForeignNameError(
        f"{'a Tensor' if home == 't' else home} must be asked for a name that it has; got PyTorch's {home}.{name}. "
        f"Here it is {NAMES[home][name]}."
    )


def kind_of(value: Any) -> str:
    """Return what to call a value in an error: many things are called the same in PyTorch."""
    kind = type(value)
    return f"PyTorch's {kind.__name__}" if kind.__module__.partition(".")[0] == "torch" else kind.__name__


class ForeignName:
    """Stands in the Tensor's class for a name that PyTorch's has: a Tensor itself has no such attribute.

    A ``__getattr__`` would do the same, and make every access to any attribute slower.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: type) -> Any:
        raise foreign("t", self.name)

    def __repr__(self) -> str:
        return f"PyTorch's t.{self.name}, here {TENSOR[self.name]}"


def answer_on(tensor: type) -> None:
    """Let Tensors answer PyTorch's names, without listing them among their own."""
    missing: dict[str, Any] = {name: ForeignName(name) for name in TENSOR if not hasattr(tensor, name)}

    def own_names(self: Any) -> list[str]:
        return [name for name in object.__dir__(self) if name not in missing]

    for name, value in {**missing, "__dir__": own_names}.items():
        setattr(tensor, name, value)


KEYWORDS = {"dim": "axis", "dims": "axis", "keepdim": "keepdims", "input": "x"}
"""PyTorch's names of arguments, and ours."""


def keyword_hint(given: Iterable[str]) -> str:
    """Return what PyTorch's names of arguments are called here, as a sentence, or nothing."""
    renamed = [f"{name} is {KEYWORDS[name]} here" for name in given if name in KEYWORDS]
    return f" {', '.join(renamed)}." if renamed else ""


def refuse_keywords(error: TypeError, function: Callable[..., Any], given: Mapping[str, Any], home: str) -> None:
    """Raise an error with the arguments that a function has, where Python's own is about one that it has not."""
    if given and str(error).startswith(f"{function.__qualname__}() got an unexpected keyword"):
        from inspect import signature  # for an error only

        raise OperandError(
            f"{function.__name__} must be called with the arguments ({', '.join(signature(function).parameters)}); got "
            f"{', '.join(given)}. See help({home}.{function.__name__}).{keyword_hint(given)}"
        ) from error


def answering(function: F) -> F:
    """Return a function that answers PyTorch's names of arguments, as far as it has an axis to name."""
    code = function.__code__
    if "axis" not in code.co_varnames[: code.co_argcount]:
        return function

    @wraps(function)
    def asked(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except TypeError as error:
            if keyword_hint(kwargs):
                refuse_keywords(error, function, kwargs, "tg")
            raise

    return cast(F, asked)
