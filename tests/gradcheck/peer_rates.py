"""Runs the gradient checks of torch, jax and autograd, at their defaults, on the same corpus.

``python tests/gradcheck/peer_rates.py`` in an environment that has NumPy and some of the three; what is not installed
is left out. The results go to ``measured_rates.json``, from which ``publish_rates.py`` makes the page.
"""

from __future__ import annotations

import importlib
import inspect
import json
import sys
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from corpus.cases import ACCEPT, REJECT

STORE = Path(__file__).resolve().parent / "measured_rates.json"
#: Seeds for each: torch and jax take their time.
SEEDS = {"autograd": 3, "torch": 1, "jax": 1}
EVERY = (*ACCEPT, *REJECT)
#: A function of arrays, its backward pass ``(g, arrays) -> gradients``, and the arrays.
Flat = tuple[Callable[..., Any], Callable[..., Any], list[Any]]


def flat_pair(number: int, seed: int) -> Flat:
    """Return a case as a function of float64 arrays to one array, with a gradient for each of them."""
    forward, backward, inputs = EVERY[number].make(np.random.default_rng(seed))
    floating = [i for i, x in enumerate(inputs) if np.asarray(x).dtype.kind == "f"]
    parameters = inspect.signature(backward).parameters.values()
    required = [p for p in parameters if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    wants_output = len(required) == len(inputs) + 2

    def complete(arrays: Any) -> list[Any]:
        values = [np.copy(x) for x in inputs]
        for i, array in zip(floating, arrays, strict=True):
            values[i] = np.array(array, dtype=np.float64)
        return values

    def f(*arrays: Any) -> Any:
        out = forward(*complete(arrays))
        several = isinstance(out, (tuple, list))
        return np.concatenate([np.ravel(y) for y in out]) if several else np.asarray(out, dtype=np.float64)

    def vjp(g: Any, *arrays: Any) -> list[Any]:
        values = complete(arrays)
        out = forward(*complete(arrays))
        cotangent: Any = np.array(g, dtype=np.float64)
        if isinstance(out, (tuple, list)):
            ends = np.cumsum([np.size(y) for y in out])[:-1]
            pieces = np.split(cotangent, ends)
            cotangent = tuple(p.reshape(np.shape(y)) for p, y in zip(pieces, out, strict=True))
        got = backward(cotangent, *([out] if wants_output else []), *values)
        got = got if isinstance(got, (tuple, list)) else (got,)
        got = got if len(got) == len(floating) else [got[i] for i in floating]
        return [
            np.zeros_like(a) if d is None else np.array(d, np.float64, order="C")
            for d, a in zip(got, arrays, strict=True)
        ]

    return f, vjp, [np.array(inputs[i], dtype=np.float64) for i in floating]


def torch_accepts(f: Any, vjp: Any, arrays: list[Any]) -> bool:
    """Run ``torch.autograd.gradcheck``."""
    torch = importlib.import_module("torch")

    class Function(torch.autograd.Function):  # type: ignore[misc, name-defined]  # the module is not known statically
        @staticmethod
        def forward(ctx: Any, *tensors: Any) -> Any:
            ctx.save_for_backward(*tensors)
            return torch.from_numpy(np.array(f(*(t.detach().numpy() for t in tensors))))

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return tuple(map(torch.from_numpy, vjp(g.numpy(), *(t.detach().numpy() for t in ctx.saved_tensors))))

    tensors = [torch.tensor(a, requires_grad=True) for a in arrays]
    return bool(torch.autograd.gradcheck(Function.apply, tensors, raise_exception=False))


def jax_accepts(f: Any, vjp: Any, arrays: list[Any]) -> bool:
    """Run ``jax.test_util.check_grads`` in reverse mode."""
    jax = importlib.import_module("jax")
    check = importlib.import_module("jax.test_util").check_grads
    jax.config.update("jax_enable_x64", True)
    out = jax.ShapeDtypeStruct(np.shape(f(*arrays)), np.float64)
    shapes = [jax.ShapeDtypeStruct(a.shape, np.float64) for a in arrays]
    function = jax.custom_vjp(lambda *xs: jax.pure_callback(f, out, *xs))
    function.defvjp(
        lambda *xs: (function(*xs), xs), lambda xs, g: tuple(jax.pure_callback(lambda *v: vjp(*v), shapes, g, *xs))
    )
    check(function, tuple(arrays), order=1, modes=["rev"])
    return True


def autograd_accepts(f: Any, vjp: Any, arrays: list[Any]) -> bool:
    """Run ``autograd.test_util.check_grads`` in reverse mode."""
    extend = importlib.import_module("autograd.extend")
    function = extend.primitive(f)
    back = extend.primitive(vjp)
    extend.defvjp(function, *(_rule(back, k) for k in range(len(arrays))))
    importlib.import_module("autograd.test_util").check_grads(function, modes=["rev"], order=1)(*arrays)
    return True


def _rule(back: Any, k: int) -> Callable[..., Any]:
    return lambda y, *xs: lambda g: back(g, *xs)[k]


PEERS = {"autograd": autograd_accepts, "torch": torch_accepts, "jax": jax_accepts}


def accepted(job: tuple[str, int]) -> int:
    """Return in how many of the seeds a peer accepts a case; an error of any kind is a refusal."""
    peer, number = job
    count = 0
    for seed in range(SEEDS[peer]):
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            np.random.seed(seed)  # noqa: NPY002  autograd draws its directions from here
            f, vjp, arrays = flat_pair(number, seed)
            try:
                count += PEERS[peer](f, vjp, arrays)
            except Exception:  # whatever a check raises, it has not accepted
                continue
    return count


def main() -> int:
    """Run what is installed and store it."""
    stored = json.loads(STORE.read_text(encoding="utf-8")) if STORE.exists() else {}
    peers = stored.setdefault("peers", {})
    for peer in PEERS:
        try:
            version = importlib.import_module(peer).__version__ if peer != "autograd" else _installed(peer)
        except ImportError:
            print(f"{peer} is not installed")
            continue
        with ProcessPoolExecutor(max_workers=2) as pool:
            counts = list(pool.map(accepted, [(peer, k) for k in range(len(EVERY))], chunksize=8))
        names = [case.name for case in EVERY]
        peers[peer] = {"version": version, "seeds": SEEDS[peer], "accepted": dict(zip(names, counts, strict=True))}
        STORE.write_text(json.dumps(stored, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
        refused = sum(SEEDS[peer] - n for n in counts[: len(ACCEPT)])
        print(f"{peer} {version}: {refused} of {len(ACCEPT) * SEEDS[peer]} right runs refused, ", end="")
        print(f"{sum(counts[len(ACCEPT) :])} of {len(REJECT) * SEEDS[peer]} wrong runs accepted")
    return 0


def _installed(name: str) -> str:
    importlib.import_module(name)
    return str(importlib.import_module("importlib.metadata").version(name))


if __name__ == "__main__":
    sys.exit(main())
