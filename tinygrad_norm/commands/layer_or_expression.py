"""What the commands ``graph`` and ``trace`` are asked to draw: a layer by name, or an expression over named arrays."""

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import InputError
from ..lessons.graph_examples import ARRAYS, EXAMPLES
from ..terminal.spelling import did_you_mean
from ..viz import Drawing, draw
from .expression import parse


def drawing_of(target: str, given: Mapping[str, Any], **options: Any) -> Drawing:
    """Draw a layer by name or an expression, with some arrays given and the others as documented."""
    if target in EXAMPLES:
        example = EXAMPLES[target]
        function, inputs = example.function, dict(example.inputs)
        options = {**example.options, **{k: v for k, v in options.items() if v is not None or k not in example.options}}
    else:
        try:
            expression = parse(target)
        except InputError as error:
            if target.isidentifier():
                raise no_such_layer(target) from None
            raise error
        if expression.names == (target,) and target not in {**ARRAYS, **given}:
            raise no_such_layer(target)
        function = expression.function()
        inputs = {name: value_for(name, given) for name in expression.names}
    unused = given.keys() - inputs.keys()
    if unused:
        raise InputError(
            f"--let must name an array that {target} uses: {', '.join(inputs) or 'it uses none'}; got "
            f"{', '.join(sorted(unused))}. Leave it out."
        )
    inputs |= given
    met: set[str] = set()
    with np.errstate(divide="call", over="call", invalid="call", call=lambda kind, flag: met.add(kind)):
        drawing = draw(function, *inputs.values(), **{"gradients": "auto", **options})
    if met:
        print(f"tinygrad-norm: {', '.join(sorted(met))}: NaN and infinities are shown as they are", file=sys.stderr)
    return drawing


def value_for(name: str, given: Mapping[str, Any]) -> Any:
    """Return the value of a name in an expression."""
    if name in given:
        return given[name]
    if name not in ARRAYS:
        raise InputError(
            f"every name in an expression must have a value; {name!r} has none. Give it one with --let {name}=2.5 or "
            f"--let '{name}=[[1, 2], [3, 4]]'; {', '.join(ARRAYS)} have values already."
        )
    return ARRAYS[name]


def no_such_layer(name: str) -> InputError:
    """Return the error for a name that is no layer."""
    return InputError(
        f"what is to be drawn must be a layer or an expression; got {name!r}.{did_you_mean(name, EXAMPLES)} "
        f"The layers are {', '.join(EXAMPLES)}."
    )


def named_arrays(settings: Sequence[str]) -> dict[str, Any]:
    """Return the arrays of ``--let NAME=VALUE``: numbers or nested lists, as Python writes them.

    >>> named_arrays(["a=2.5", "m=[[1, 2], [3, 4]]"])
    {'a': 2.5, 'm': [[1, 2], [3, 4]]}
    """
    return dict(map(named_array, settings))


def named_array(setting: str) -> tuple[str, Any]:
    """Return one name and its value."""
    name, equals, text = setting.partition("=")
    name = name.strip()
    if not equals or not name.isidentifier():
        raise InputError(f"--let must be NAME=VALUE; got {setting[:60]!r}. Write for example --let x=2.5.")
    try:
        value = ast.literal_eval(text.strip())
        array = np.array(value)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        array = np.array(None)
    if array.dtype.kind not in "fiub":
        raise InputError(
            f"the value of {name} must be a number or a nested list of numbers with rows of one length; got "
            f"{text.strip()[:60]!r}. Write for example --let '{name}=[[1, 2], [3, 4]]'."
        )
    # Whole numbers are taken as real ones, to be differentiated; True and False stay as they are, a mask.
    return name, array if array.dtype.kind == "b" else value
