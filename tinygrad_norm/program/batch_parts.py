"""``split_batch(loss, 2)``: the parts of a batch on threads of their own, and their gradients added.

Each thread records a tape of its own. NumPy computes outside of Python's lock, so that the parts run at the same time;
BLAS is kept to one thread meanwhile, as its threads would wait for each other.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from contextvars import copy_context
from functools import cache
from importlib import import_module
from itertools import pairwise
from typing import Any

import numpy as np

from ..context import no_grad
from ..engine.tape import STATE
from ..engine.tensor import Tensor
from ..errors import InputError, OperandError, ShapeError
from .surroundings import Surroundings


def split_batch(loss: Callable[..., Any], n: int = 2) -> Callable[..., Tensor]:
    """Return a function that computes a mean loss and its gradients in ``n`` parts of the batch at the same time.

    Called like ``loss``, it returns the loss without a graph and adds the gradients of what requires one to ``grad``,
    as ``loss(...).backward()`` would. Of the positional arguments the arrays and the Tensors without a gradient are
    split along their first axis, the batch. The parts are weighted by their sizes, so the loss must be a mean over it.
    Gradients agree with those of the whole batch to rounding. It pays where arrays are large, and a little more where
    the loss is a :func:`program`; threadpoolctl, from the extra ``lab``, keeps BLAS to one thread meanwhile.

    Raises
    ------
    InputError
        n is not a positive integer; or a batch norm uses the statistics of its batch, which are those of all parts.
    OperandError
        The loss is not one number.
    ShapeError
        The arguments to be split differ in length, or are shorter than n.

    Examples
    --------
    >>> import numpy as np, tinygrad_norm as tg
    >>> w = tg.Tensor([1.0, 2.0], requires_grad=True)
    >>> step = tg.split_batch(lambda x: ((x @ w) ** 2).mean())
    >>> step(np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [2.0, 0.0]])).item(), w.grad.tolist()
    (4.5, [4.0, 2.5])
    """
    if not isinstance(n, int) or isinstance(n, bool) or n < 1:
        raise InputError(f"split_batch: n must be a positive integer; got {n!r}. Give the number of processor cores.")
    checked: list[bool] = []

    def step(*args: Any, **kwargs: Any) -> Tensor:
        parts = parts_of(args, n)
        if not checked:
            refuse_batch_statistics(loss, parts[0][1], kwargs)
            checked.append(True)

        def part(share_and_part: tuple[float, tuple[Any, ...]]) -> Any:
            share, own = share_and_part
            result = loss(*own, **kwargs)
            if not isinstance(result, Tensor) or result.size != 1:
                got = f"shape {result.shape}" if isinstance(result, Tensor) else type(result).__name__
                raise OperandError(f"split_batch: the loss must be one number; got {got}. Take its mean.")
            result.backward(np.full(result.shape, share, result.dtype))
            return result.data * result.dtype.type(share)

        with one_blas_thread(), ThreadPoolExecutor(n) as pool:
            running = [pool.submit(copy_context().run, part, own) for own in parts]
            return Tensor(sum(task.result() for task in running))

    return step


def parts_of(args: tuple[Any, ...], n: int) -> list[tuple[float, tuple[Any, ...]]]:
    """Return the arguments of each part, and its share of the batch."""
    split = [isinstance(x, np.ndarray) or (isinstance(x, Tensor) and not x.requires_grad) for x in args]
    rows = {x.shape[0] if x.shape else None for x, is_split in zip(args, split, strict=True) if is_split}
    (length,) = rows if len(rows) == 1 else (None,)
    if length is None or length < n:
        raise ShapeError(
            f"split_batch: arrays must have one batch axis of at least {n} entries, the first; got shapes "
            f"{', '.join(str(x.shape) for x, is_split in zip(args, split, strict=True) if is_split) or 'of no array'}. "
            "Pass what is not to be split by keyword."
        )
    ends = [length * i // n for i in range(n + 1)]
    return [
        ((b - a) / length, tuple(x[a:b] if is_split else x for x, is_split in zip(args, split, strict=True)))
        for a, b in pairwise(ends)
    ]


class BatchStatistics:
    """Watches whether a batch norm takes a mean (a :class:`.Monitor` of the tape)."""

    def __init__(self) -> None:
        self.taken = ""

    def recorded(self, result: Any, primitive: Any, inputs: Any, params: Any, scope: Any) -> None:
        """Look for a mean in the scope of a batch norm."""
        path = scope.path if scope is not None else ""
        if primitive.name in ("mean", "sum") and path.rpartition(".")[2] == "batch_norm":
            self.taken = path

    def noted(self, *event: Any) -> None:
        """Do nothing."""

    failed = swept = noted


def refuse_batch_statistics(loss: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Raise if a batch norm uses the statistics of its batch; found out by running the loss once on one part."""
    watcher = BatchStatistics()
    token = STATE.set(STATE.get().replaced(monitor=watcher))
    try:
        with no_grad(), Surroundings(loss).buffers_kept():
            loss(*args, **kwargs)
    finally:
        STATE.reset(token)
    if watcher.taken:
        raise InputError(
            f"split_batch: no operation may look at the whole batch; {watcher.taken} takes its mean and variance, and "
            "those of a part are others. Put it in eval mode, or use a layer norm, whose statistics are a row's own."
        )


def one_blas_thread() -> AbstractContextManager[Any]:
    """Return what keeps BLAS to one thread, if threadpoolctl is there to do it."""
    controller = blas()
    return nullcontext() if controller is None else controller.limit(limits=1, user_api="blas")


@cache
def blas() -> Any:
    """Return what controls the threads of BLAS, found once: a search through the libraries takes half a millisecond."""
    try:
        return import_module("threadpoolctl").ThreadpoolController()
    except ImportError:
        return None
