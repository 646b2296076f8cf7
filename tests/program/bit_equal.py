"""A program against eager, to the last bit: results, gradients, buffers, and the gradient of a gradient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import tinygrad_norm as tg

Arrays = list[np.ndarray]


def flat(result: Any) -> list[Any]:
    if isinstance(result, (tuple, list)):
        return [r for part in result for r in flat(part)]
    return [] if result is None else [result]


def derivatives(function: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any], module: Any) -> Arrays:
    """Results, gradients by arguments and parameters, the gradients of Σ ⟨v, gradient⟩, and buffers."""
    rng = np.random.default_rng(11)
    real = [isinstance(x, np.ndarray) and x.dtype.kind == "f" for x in args]
    xs = [tg.Tensor(x, requires_grad=True) if r else x for x, r in zip(args, real, strict=True)]
    ends = flat(function(*xs, **kwargs))
    found = [np.asarray(y.data) for y in ends]
    tracked = [y for y in ends if y.requires_grad]
    leaves = [x for x in xs if isinstance(x, tg.Tensor)] + (list(module.parameters()) if module is not None else [])
    if tracked:
        cotangents = [np.asarray(rng.standard_normal(y.shape), y.dtype) for y in tracked]
        found += [g.data for g in tg.gradients(tracked, leaves, cotangents)]
        again = tg.gradients(tracked, leaves, cotangents, create_graph=True)
        curved = [g for g in again if g.requires_grad]
        if curved:
            weights = [np.asarray(rng.standard_normal(g.shape), g.dtype) for g in curved]
            found += [g.data for g in tg.gradients(curved, leaves, weights)]
    return found + ([b.data for b in module.buffers()] if module is not None else [])


def elsewhere(function: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]) -> list[Any]:
    """Other real-valued arguments that the function takes: in another order, or else a little smaller."""
    rng = np.random.default_rng(5)

    def moved(x: Any, order: bool) -> Any:
        if not isinstance(x, np.ndarray) or x.dtype.kind != "f":
            return x
        values = rng.permutation(x.ravel()).reshape(x.shape) if order else x
        return np.asarray(values * rng.uniform(0.9, 0.95, x.shape), x.dtype)

    try:
        found = [moved(x, True) for x in args]
        function(*found, **kwargs)
    except (ValueError, tg.VJPError):
        found = [moved(x, False) for x in args]
    return found


def check(function: Callable[..., Any], args: Sequence[Any], module: Any = None, **kwargs: Any) -> Any:
    """Fail unless a program of the function is eager to the last bit: recorded here, and used at another point."""
    with np.errstate(all="ignore"):
        before = module.state_dict() if module is not None else {}
        program = tg.program(function, *args, **kwargs)
        args = elsewhere(function, args, kwargs)
        if module is not None:
            module.load_state_dict(before)
        mine = derivatives(program, args, kwargs, module)
        if module is not None:
            module.load_state_dict(before)
        theirs = derivatives(function, args, kwargs, module)
    assert len(mine) == len(theirs)
    for i, (a, b) in enumerate(zip(mine, theirs, strict=True)):
        assert a.dtype == b.dtype, i
        assert a.shape == b.shape, i
        assert np.array_equal(a, b, equal_nan=a.dtype.kind == "f"), i
    return program


def check_printed(program: Any, args: Sequence[Any], **kwargs: Any) -> None:
    """Fail unless the printed functions, run by themselves, agree with the program."""
    names: dict[str, Any] = {}
    with np.errstate(all="ignore"):
        exec(compile(program.source, "printed", "exec"), names)
        results, saved = program.forward(*args, **kwargs)
        printed = names["forward"](*(np.asarray(a) for a in program.call(args, kwargs, True).arrays))
        pairs = list(zip(flat(printed[0]), flat(results), strict=True))
        gs = tuple(np.cos(np.arange(prod_of(v.shape))).reshape(v.shape).astype(v.dtype) for v in cotangents(program))
        if gs:
            mine, theirs = names["backward"](*gs, printed[-1]), program.backward(gs, saved)
            pairs += list(zip(flat(mine), flat(theirs), strict=True))
    for a, b in pairs:
        assert np.shape(a) == np.shape(b)
        assert np.asarray(a).dtype == np.asarray(b).dtype
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11)


def prod_of(shape: tuple[int, ...]) -> int:
    return int(np.prod(shape, dtype=int))


def cotangents(program: Any) -> Any:
    return program.recording.cotangents
