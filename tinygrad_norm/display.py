"""How a Tensor is shown, as text and as the small table it becomes in a notebook; and what ``help(tg.exp)`` says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from inspect import Signature

    from .engine.details.array import Array
    from .engine.primitive import Primitive
    from .engine.tape import Node

SHOWN_ENTRIES = 1000
TABLE_ROWS, TABLE_COLUMNS, STACKED_ROWS = 12, 12, 24


def array_text(array: Array, indent: str) -> str:
    """Return the numbers of an array as NumPy prints them, shortened when there are many."""
    return np.array2string(array, separator=", ", prefix=indent, threshold=SHOWN_ENTRIES, edgeitems=3)


def tensor_text(array: Array, name: str | None, node: Node | None) -> str:
    """Return a Tensor's repr: values, shape, dtype, name, and the operation that made it."""
    facts = [f"shape={array.shape}", f"dtype={array.dtype}"]
    if name:
        facts.append(f"name={name!r}")
    if node is not None:
        facts.append(f"op={node.primitive.name}" if node.primitive else "requires_grad=True")
    values = array_text(array, "Tensor(")
    separator = ",\n       " if "\n" in values else ", "
    return f"Tensor({values}{separator}{', '.join(facts)})"


def tensor_html(array: Array, name: str | None, node: Node | None) -> str:
    """Return a Tensor as HTML: tables of its last two axes, each below its index; a large one by its statistics."""
    from html import escape  # its table of entities would be a tenth of the import of this package

    made_by = node.primitive.name if node and node.primitive else None
    words = escape(" ".join(filter(None, [name, f"{array.shape} {array.dtype}", made_by])))
    # A caption inside the table would be squeezed to its width by a notebook's style sheet.
    head = f"<div><code>Tensor {words}</code></div>"
    columns = array.shape[-1] if array.ndim else 1
    if (
        array.size == 0
        or columns > TABLE_COLUMNS
        or array.size > columns * (TABLE_ROWS if array.ndim < 3 else STACKED_ROWS)
    ):
        summary = "empty"
        if array.size:
            values = array.astype(np.float64)
            summary = (
                f"mean {values.mean():.4g}, deviation {values.std():.4g}, from {values.min():.4g} to {values.max():.4g}"
            )
        return f"<div>{head}{summary}</div>"
    if array.ndim < 3:
        return f"<div>{head}{table_html(np.atleast_2d(array))}</div>"
    stacked = (f"<div><code>{list(at)}</code>{table_html(array[at])}</div>" for at in np.ndindex(array.shape[:-2]))
    return f"<div>{head}<div style='display:flex;flex-wrap:wrap;gap:4px 24px'>{''.join(stacked)}</div></div>"


def table_html(rows: Array) -> str:
    """Return a matrix as a table that stands on the left, as a notebook's own tables do not everywhere."""
    cells = "".join(
        "<tr>" + "".join(f"<td style='text-align:right'>{v:.6g}</td>" for v in row) + "</tr>" for row in rows.tolist()
    )
    return f"<table style='margin:0'>{cells}</table>"


def signature_of(made: Primitive) -> Signature:
    """Return how a primitive is called: ``(x, /, axis=None, keepdims=False)``."""
    from inspect import Parameter, Signature  # when it is asked for only

    kind = Parameter.VAR_POSITIONAL if made.variadic else Parameter.POSITIONAL_ONLY
    option = Parameter.KEYWORD_ONLY if made.variadic else Parameter.POSITIONAL_OR_KEYWORD
    inputs = [Parameter(name, kind) for name in made.inputs]
    return Signature([*inputs, *(Parameter(name, option, default=d) for name, d in made.defaults.items())])


class SignatureWhenAsked:
    """``__signature__``, for which :mod:`inspect` and editors ask a primitive, and which the class does not have."""

    def __get__(self, made: Primitive | None, owner: type) -> Signature:
        if made is None:
            raise AttributeError("__signature__")
        return signature_of(made)


def documentation_of(made: Primitive) -> str:
    """Return a primitive's docstring: its call, its formula, the cotangent of each input, and its kinks."""
    defaults = [f"{name}={default!r}" for name, default in made.defaults.items()]
    call = [f"*{made.inputs[0]}"] if made.variadic else [*made.inputs, "/"]
    inputs = ["of each input"] if made.variadic else made.inputs
    rules = [f"    {name}: {rule or 'none'}" for name, rule in zip(inputs, made.rule, strict=False)]
    parts = [f"{made.name}({', '.join(call + defaults)})", f"Return {made.formula or 'the result of this operation'}."]
    parts += ["Works entry by entry; the inputs broadcast."] if made.elementwise else []
    parts += ["Cotangents (ḡ is that of the result, out):\n\n" + "\n".join(rules)] if rules else []
    return "\n\n".join([*parts, *([made.note] if made.note else [])])
