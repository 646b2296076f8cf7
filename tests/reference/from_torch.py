"""Compute what PyTorch gives for the functions of ``tinygrad_norm.functional``, and write it to ``torch.json``.

Run it with PyTorch installed: ``python tests/reference/from_torch.py``. The tests read the file and never import
PyTorch. Every case holds a function's name, its arrays, its options, the result, a random cotangent ū and the gradients
of ⟨ū, result⟩ by every floating-point array; float64 throughout.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

OUT = Path(__file__).with_name("torch.json")
INF = float("inf")


def cases(rng: np.random.Generator) -> list[tuple[str, list[Any], dict[str, Any]]]:
    """Return the name, the arrays and the options (in this package's words) of every case."""
    x, row = rng.standard_normal((3, 5)) * 2, rng.standard_normal
    kinks = np.array([[-3.0, -1.0, -0.0, 0.0, 1.0, 3.0]])
    far = np.array([-100.0, -40.0, -20.0, 20.0, 40.0, 100.0])
    found: list[tuple[str, list[Any], dict[str, Any]]] = []
    for name, options in [
        ("relu", {}),
        ("leaky_relu", {}),
        ("leaky_relu", {"negative_slope": 0.3}),
        ("elu", {}),
        ("elu", {"alpha": 0.5}),
        ("gelu", {}),
        ("gelu", {"approximate": "tanh"}),
        ("silu", {}),
        ("sigmoid", {}),
        ("softplus", {}),
        ("softplus", {"beta": 2.0}),
        ("tanh", {}),
    ]:
        found += [(name, [a], options) for a in (x, kinks, far)]
    for name in ("softmax", "log_softmax", "logsumexp"):
        found += [(name, [x], {"axis": axis}) for axis in (0, -1)]
        found += [(name, [np.array([[1000.0, 999.0, -1000.0], [0.0, -INF, 1.0]])], {"axis": -1})]
    found.append(("logsumexp", [row((2, 3, 4))], {"axis": (0, 2), "keepdims": True}))
    found.append(("linear", [row((2, 3, 4)), row((5, 4)), row(5)], {}))
    found.append(("linear", [row(4), row((5, 4)), None], {}))
    w5, b5, w35 = row(5), row(5), row((3, 5))
    for arrays, shape in [
        ([x, w5, b5], 5),
        ([x, None, None], 5),
        ([x, w35, row((3, 5))], (3, 5)),
        ([row((2, 3, 5)), w35, None], (3, 5)),
    ]:
        found.append(("layer_norm", arrays, {"normalized_shape": shape}))
    constant = np.vstack([x[:1], np.full((1, 5), 2.0)])
    found.append(("layer_norm", [constant, w5, b5], {"normalized_shape": 5}))
    found.append(("layer_norm", [x, w5, b5], {"normalized_shape": 5, "eps": 0.5}))
    for options in ({}, {"eps": 0.5}):
        found.append(("rms_norm", [x, w5], {"normalized_shape": 5, **options}))
    found.append(("rms_norm", [np.zeros((1, 5)), w5], {"normalized_shape": 5, "eps": 1e-5}))
    for shape in [(4, 5), (4, 5, 3), (2, 5, 3, 2)]:
        found.append(("batch_norm", [row(shape), row(5), rng.random(5) + 0.5, w5, b5], {"training": True}))
        found.append(("batch_norm", [row(shape), row(5), rng.random(5) + 0.5, w5, b5], {"training": False}))
        found.append(("batch_norm", [row(shape), None, None, None, None], {"training": True, "eps": 0.1}))
    found.append(("group_norm", [row((2, 6, 3)), row(6), row(6)], {"num_groups": 3}))
    found.append(("group_norm", [row((2, 6)), None, None], {"num_groups": 2, "eps": 0.1}))
    found.append(("instance_norm", [row((2, 3, 4)), row(3), row(3)], {}))
    found.append(("instance_norm", [row((2, 3, 2, 2)), None, None], {"eps": 0.1}))
    q, k, v = row((2, 4, 5)), row((2, 3, 5)), row((2, 3, 6))
    mask = np.array([[True, True, False], [False, True, True], [True, False, False], [True, True, True]])
    additive = row((4, 3))
    for m, options in [
        (None, {}),
        (None, {"scale": 0.3}),
        (None, {"is_causal": True}),
        (mask, {}),
        (additive, {}),
        (np.where(mask, additive, -INF), {}),
        (np.broadcast_to(mask[1], (2, 1, 3)), {}),
    ]:
        found.append(("scaled_dot_product_attention", [q, k, v, m], options))
    return found


def torch_functions(torch: Any) -> dict[str, Callable[..., Any]]:
    """Return PyTorch's functions taking this package's arguments."""
    f = torch.nn.functional

    def shaped(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(x: Any, *rest: Any, normalized_shape: Any, **options: Any) -> Any:
            shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
            return function(x, shape, *rest, **options)

        return call

    return {
        **{name: getattr(f, name) for name in ["relu", "leaky_relu", "elu", "gelu", "silu", "sigmoid", "softplus"]},
        "tanh": torch.tanh,
        "linear": f.linear,
        "softmax": lambda x, axis: torch.softmax(x, axis),
        "log_softmax": lambda x, axis: torch.log_softmax(x, axis),
        "logsumexp": lambda x, axis, keepdims=False: torch.logsumexp(x, axis, keepdims),
        "layer_norm": shaped(f.layer_norm),
        "rms_norm": shaped(f.rms_norm),
        "batch_norm": f.batch_norm,
        "group_norm": lambda x, w, b, num_groups, **o: f.group_norm(x, num_groups, w, b, **o),
        "instance_norm": lambda x, w, b, **o: f.instance_norm(x, None, None, w, b, **o),
        "scaled_dot_product_attention": f.scaled_dot_product_attention,
    }


def main() -> None:
    """Write the file."""
    import torch

    functions, rng = torch_functions(torch), np.random.default_rng(0)
    written = []
    for name, arrays, options in cases(rng):
        leaves = [None if a is None else torch.tensor(a, requires_grad=a.dtype.kind == "f") for a in arrays]
        # Running statistics have no gradient in PyTorch.
        if name == "batch_norm":
            leaves = [t.detach() if t is not None and i in (1, 2) else t for i, t in enumerate(leaves)]
        y = functions[name](*leaves, **options)
        u = rng.standard_normal(tuple(y.shape))
        finite = torch.isfinite(y)
        torch.where(finite, y, 0.0).backward(torch.tensor(u))
        gradients = [None if t is None or t.grad is None else t.grad.tolist() for t in leaves]
        written.append(
            {
                "name": name,
                "arrays": [None if a is None else a.tolist() for a in arrays],
                "options": options,
                "result": y.tolist(),
                "cotangent": u.tolist(),
                "gradients": gradients,
            }
        )
    lines = ",\n".join(json.dumps(case) for case in written)
    OUT.write_text(f'{{"torch": "{torch.__version__}", "cases": [\n{lines}\n]}}\n', encoding="utf-8")


if __name__ == "__main__":
    main()
