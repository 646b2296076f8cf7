"""The frameworks, each asked in its own words. A package is imported when it is asked."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

import numpy as np
from probes import BATCH, COTANGENT, DIRECTION, Array, Framework, Function, X


def _ours_gradient(f: Function) -> Array:
    import tinygrad_norm as tg

    x = tg.Tensor(X, requires_grad=True)
    np.sum(np.cos(f(x))).backward()
    return np.asarray(x.grad)


def _ours_batch_norm() -> Array:
    import tinygrad_norm as tg

    x = tg.Tensor(BATCH, requires_grad=True)
    slope = tg.gradients((tg.nn.BatchNorm1d(3)(x) * COTANGENT).sum(), x, create_graph=True)
    return np.asarray(tg.gradients((slope * DIRECTION).sum(), x))


def _ours_cube() -> float:
    import tinygrad_norm as tg

    return float(tg.grad(tg.grad(lambda x: x**3))(2.0))


def _ours_draw() -> str:
    import tinygrad_norm as tg

    return str(tg.draw(tg.Tensor(2.0, requires_grad=True) ** 2).svg)


def _ours_write(f: Function, x: Array) -> tuple[str, Function]:
    import tinygrad_norm as tg

    program = tg.program(f, x)
    return program.source, lambda x: program.vjp(1.0, x)


def _tangent_cube() -> float:
    import tangent

    return float(tangent.grad(tangent.grad(cubed))(2.0))


def cubed(x):  # type: ignore[no-untyped-def]  # what rewrites its source knows no annotations
    """Return x³."""
    return x * x * x


def _tangent_write(f: Function, x: Array) -> tuple[str, Function]:
    import tangent

    gradient = tangent.grad(f)
    return inspect.getsource(gradient), gradient


def _mygrad_gradient(f: Function) -> Array:
    import mygrad

    x = mygrad.tensor(X)
    mygrad.sum(mygrad.cos(f(x))).backward()
    return np.asarray(x.grad)


def _mygrad_cube() -> Any:
    import mygrad

    x = mygrad.tensor(2.0)
    (x**3).backward()
    x.grad.backward()
    return x.grad


def _mygrad_draw() -> bytes:
    import mygrad
    from mygrad.computational_graph import build_graph

    return bytes(build_graph(mygrad.tensor(2.0) ** 2).pipe("svg"))


def _autograd_gradient(f: Function) -> Array:
    import autograd
    import autograd.numpy as anp

    return np.asarray(autograd.grad(lambda x: anp.sum(anp.cos(f(x))))(X))


def _autograd_cube() -> float:
    import autograd

    return float(autograd.grad(autograd.grad(lambda x: x**3))(2.0))


def _micrograd_cube() -> Any:
    from micrograd.engine import Value

    x = Value(2.0)
    (x**3).backward()
    x.grad.backward()
    return x.grad


def _dezero() -> Any:
    vars(np)["int"] = int  # its last release, of 2020, uses NumPy's old name
    return importlib.import_module("dezero")


def _dezero_gradient(f: Function) -> Array:
    dz = _dezero()
    x = dz.Variable(X)
    dz.functions.sum(dz.functions.cos(f(x))).backward()
    return np.asarray(x.grad.data)


def _dezero_second(x: Any, y: Any, direction: Any) -> Array:
    y.backward(create_graph=True)
    slope = x.grad
    x.cleargrad()
    _dezero().functions.sum(slope * direction).backward()
    return np.asarray(x.grad.data)


def _dezero_cube() -> Array:
    x = _dezero().Variable(np.array(2.0))
    return _dezero_second(x, x**3, np.array(1.0))


def _dezero_batch_norm() -> Array:
    dz = _dezero()
    x = dz.Variable(BATCH)
    with dz.using_config("train", True):
        return _dezero_second(x, dz.functions.sum(dz.layers.BatchNorm()(x) * COTANGENT), DIRECTION)


def _dezero_draw() -> bytes:
    import subprocess

    x = _dezero().Variable(np.array(2.0))
    text = importlib.import_module("dezero.utils").get_dot_graph(x**2)
    # What plot_dot_graph runs, without a shell to hide that the program is missing.
    return subprocess.run(["dot", "-Tsvg"], input=text.encode(), capture_output=True, check=True).stdout


def _tinygrad_gradient(f: Function) -> Array:
    from tinygrad import Tensor

    x = Tensor(X)
    return np.asarray(f(x).cos().sum().gradient(x)[0].numpy())


def _tinygrad_cube() -> Array:
    from tinygrad import Tensor

    x = Tensor([2.0])
    (slope,) = (x**3).sum().gradient(x)
    return np.asarray(slope.sum().gradient(x)[0].numpy())[0]


def _tinygrad_batch_norm() -> Array:
    from tinygrad import Tensor, nn

    x = Tensor(BATCH)
    (slope,) = (nn.BatchNorm(3, track_running_stats=False)(x) * Tensor(COTANGENT)).sum().gradient(x)
    return np.asarray((slope * Tensor(DIRECTION)).sum().gradient(x)[0].numpy())


def _torch_gradient(f: Function) -> Array:
    import torch

    x = torch.tensor(X, requires_grad=True)
    torch.cos(f(x)).sum().backward()
    return x.grad.numpy()


def _torch_cube() -> float:
    import torch

    x = torch.tensor(2.0, requires_grad=True)
    (slope,) = torch.autograd.grad(x**3, x, create_graph=True)
    return float(torch.autograd.grad(slope, x)[0])


def _torch_batch_norm() -> Array:
    import torch

    x = torch.tensor(BATCH, requires_grad=True)
    y = torch.nn.BatchNorm1d(3, dtype=torch.float64)(x) * torch.tensor(COTANGENT)
    (slope,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    return torch.autograd.grad((slope * torch.tensor(DIRECTION)).sum(), x)[0].numpy()


def _torch_draw() -> bytes:
    import torch
    import torchviz

    return bytes(torchviz.make_dot(torch.ones(2, requires_grad=True).sum()).pipe("svg"))


OURS = Framework(
    "**tinygrad_norm**",
    values="arrays",
    gradient=_ours_gradient,
    cube=_ours_cube,
    batch_norm=_ours_batch_norm,
    layers={
        "batch norm": "tinygrad_norm.nn:BatchNorm1d",
        "layer norm": "tinygrad_norm.nn:LayerNorm",
        "attention": "tinygrad_norm.nn:MultiheadAttention",
    },
    draw=_ours_draw,
    drawing="yes, with local derivatives",
    write=_ours_write,
    check="tinygrad_norm:gradcheck",
    checking="tolerance measured; names the mistake",
)
FRAMEWORKS = (
    OURS,
    Framework(
        "micrograd",
        ("micrograd",),
        values="numbers",
        cube=_micrograd_cube,
        drawing="in its repository's `trace_graph.ipynb`",
    ),
    Framework(
        "MyGrad",
        ("mygrad",),
        gradient=_mygrad_gradient,
        cube=_mygrad_cube,
        layers={"batch norm": "mygrad.nnet.layers.batchnorm:batchnorm"},
        draw=_mygrad_draw,
        drawing="yes",
    ),
    Framework(
        "autograd",
        ("autograd",),
        gradient=_autograd_gradient,
        own_numpy="autograd.numpy",
        cube=_autograd_cube,
        check="autograd.test_util:check_grads",
        checking="tolerance fixed",
    ),
    Framework(
        "tangent",
        ("tangent-ad",),
        values="source code",
        cube=_tangent_cube,
        write=_tangent_write,
    ),
    Framework(
        "DeZero",
        ("dezero",),
        gradient=_dezero_gradient,
        cube=_dezero_cube,
        batch_norm=_dezero_batch_norm,
        layers={"batch norm": "dezero.layers:BatchNorm"},
        draw=_dezero_draw,
        drawing="yes",
        check="dezero.utils:gradient_check",
        checking="tolerance set by hand",
    ),
    Framework(
        "tinygrad",
        ("tinygrad",),
        gradient=_tinygrad_gradient,
        cube=_tinygrad_cube,
        batch_norm=_tinygrad_batch_norm,
        layers={"batch norm": "tinygrad.nn:BatchNorm", "layer norm": "tinygrad.nn:LayerNorm"},
        drawing="its compiler's work (`VIZ=1`)",
    ),
    Framework(
        "PyTorch + torchviz",
        ("torch", "torchviz"),
        gradient=_torch_gradient,
        cube=_torch_cube,
        batch_norm=_torch_batch_norm,
        layers={
            "batch norm": "torch.nn:BatchNorm1d",
            "layer norm": "torch.nn:LayerNorm",
            "attention": "torch.nn:MultiheadAttention",
        },
        draw=_torch_draw,
        drawing="yes",
        check="torch.autograd:gradcheck",
        checking="tolerance set by hand",
    ),
)
