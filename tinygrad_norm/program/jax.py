"""A program in JAX: the same list of operations as functions of ``jax.numpy``, compiled by ``jax.jit``.

So it runs on accelerators, and with a sharded batch on many devices. JAX arrays cannot be written into, which concerns
two operations; and inside ``jit`` no value can be looked at, so that every branch stays as it was recorded.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

import numpy as np

from ..errors import InputError, MissingExtraError, OperandError
from .simplify import needed
from .steps import Recording, Step, needed_by
from .vocabulary import STATEMENTS, Write, borrowed, index_text, overlapped, zeros
from .writing import printed_source


@dataclass(frozen=True)
class JaxProgram:
    """A program in JAX: its source, and both functions compiled."""

    source: str
    forward: Callable[..., Any]
    backward: Callable[..., Any]


def scattered(step: Step, target: str, write: Write) -> list[str]:
    """Return the line that adds entries where they came from."""
    where = index_text(step.kwargs["index"], write)
    return [f"{zeros(step, target, write)}.at[{where}].add({write(step.args[0]).text})"]


def added(step: Step, target: str, write: Write) -> list[str]:
    """Return the lines that add windows where they came from."""
    first, loop, inside = overlapped(step, target, write)
    place, value = inside.strip().removeprefix(target).split(" += ")
    return [first, loop, f"    {target} = {target}.at{place}.add({value})"]


def in_jax(recording: Recording) -> JaxProgram:
    """Return a recording in JAX; raise if JAX is missing, or an operation in it, or float64 is switched off there."""
    try:
        jax: Any = import_module("jax")
        import_module("jax.scipy.special")
    except ImportError:
        raise MissingExtraError(
            "a program in JAX needs JAX, which is not installed. Run python -m pip install 'tinygrad-norm[jax]'."
        ) from None
    items = [*recording.forward, *recording.backward]
    missing = {
        borrowed(i) or i.primitive for i in items if isinstance(i, Step) and (borrowed(i) or i.primitive == "windows")
    }
    if missing:
        raise OperandError(f"JAX must know every operation; it has no {', '.join(sorted(missing))}. Run it in NumPy.")
    if any(value.dtype == np.float64 for value in recording.inputs) and not jax.config.jax_enable_x64:
        raise InputError(
            "JAX must be allowed to compute in float64, as this program does; it is not. Write "
            'jax.config.update("jax_enable_x64", True), or record the program with float32.'
        )
    backward = needed([i for i in recording.backward if isinstance(i, Step)], recording.gradients)
    results = (recording.outputs, recording.updates, recording.gradients, [list(needed_by(i)) for i in backward])
    forward = needed([i for i in recording.forward if isinstance(i, Step)], results)
    unchecked = replace(recording, forward=tuple(forward), backward=tuple(backward))
    statements = {**STATEMENTS, "scatter_add": scattered, "overlap_add": added}
    text = printed_source(unchecked, statements=statements).replace("import numpy as np", "import jax.numpy as np", 1)
    source = re.sub(r"np\.vectorize\(math\.erf, otypes=\[[\w.]+\]\)", "jax.scipy.special.erf", text)
    source = source.replace("import math\n", "import jax.scipy.special\n", 1) if source != text else source
    names: dict[str, Any] = {}
    exec(compile(source, "<program in JAX>", "exec"), names)
    return JaxProgram(source, jax.jit(names["forward"]), jax.jit(names["backward"]))
