"""Compute the reference values with PyTorch and store them: ``python tests/reference/compute.py``.

For every layer, loss and optimizer option: inputs, state dict, results, gradients of all inputs and parameters for
random cotangents, buffers afterwards, all in float64. The tests beside this script read the stored values and need no
PyTorch.

A case is plain data: which class or function, its arguments, the calls. Every array is stored in one long vector, and
stands in the JSON file as ``{"at": offset, "shape": [...], "kind": "f" | "i" | "b"}``.
"""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from layer_cases import layers
from layer_runs import run_layer
from losses import losses, run_loss
from optimizing import clipping, optimizers, run_optimizer, run_schedule, schedules
from store import Store

HERE = Path(__file__).parent


def defaults() -> dict[str, dict[str, Any]]:
    """Return the arguments and defaults of PyTorch's constructors and functions, as far as JSON can hold them."""
    names = {
        "nn": "Linear Embedding LayerNorm RMSNorm GroupNorm InstanceNorm1d BatchNorm1d BatchNorm2d MultiheadAttention "
        "TransformerEncoderLayer Dropout LeakyReLU ELU GELU MSELoss L1Loss SmoothL1Loss HuberLoss BCELoss "
        "BCEWithLogitsLoss KLDivLoss NLLLoss CrossEntropyLoss Conv1d Conv2d MaxPool1d MaxPool2d AvgPool1d AvgPool2d "
        "RNNCell GRUCell LSTMCell",
        "optim": "SGD Adam AdamW RMSprop Adagrad",
        "functional": "cross_entropy nll_loss mse_loss l1_loss smooth_l1_loss huber_loss kl_div binary_cross_entropy "
        "binary_cross_entropy_with_logits",
    }
    rooms = {"nn": torch.nn, "optim": torch.optim, "functional": torch.nn.functional}
    found: dict[str, dict[str, Any]] = {}
    for room, members in names.items():
        for name in members.split():
            parameters = inspect.signature(getattr(rooms[room], name)).parameters.values()
            found[f"{room}.{name}"] = {
                p.name: None if p.default is p.empty else p.default
                for p in parameters
                if p.default is p.empty or isinstance(p.default, (int, float, str, bool, tuple, type(None)))
            }
    return found


def main() -> None:
    """Compute everything and write it beside this script."""
    torch.manual_seed(0)
    store = Store()
    content = {
        "torch": torch.__version__,
        "layers": [run_layer(case, store) for case in layers()],
        "losses": [run_loss(*case, store) for case in losses()],
        "optimizers": [run_optimizer(*case, store) for case in optimizers()],
        "schedules": [run_schedule(chain) for chain in schedules()],
        "clipping": clipping(store),
        "defaults": defaults(),
    }
    np.savez_compressed(HERE / "pytorch.npz", values=store.vector())
    (HERE / "pytorch.json").write_text(json.dumps(content, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{len(content['layers'])} layers, {len(content['losses'])} losses, {store.length} numbers")


if __name__ == "__main__":
    main()
