"""A normalized table for the terminal: every step as a small labeled table, pads marked.

A table with many rows or columns shows its first and last ones, the row and column of the gradient's
entry, and the statistics of all of it; ``--csv`` and ``--json`` have the whole.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..document.as_text import PAD_MARK, table_text, wrapped
from ..document.lesson import Row, Table
from .number_format import COMMA
from .steps import Normalized
from .table import OwnTable, delimiter_name
from .window import Window, choose_format, counted, window_of, window_text


def report_text(table: OwnTable, result: Normalized, labels: Sequence[Sequence[str]]) -> str:
    """Return everything a reader of the terminal should see, ending in a line break.

    Parameters
    ----------
    table
        What was read.
    result
        What was computed from it.
    labels
        The columns of text that name the rows.
    """
    window = window_of(table, result, labels)
    blocks = [_introduction(table, result), *_step_blocks(window, result)]
    blocks += [_gradient_block(window, result), _statistics_block(result)]
    return "\n\n".join(blocks) + "\n"


def _introduction(table: OwnTable, result: Normalized) -> str:
    """Return what was read, what was assumed, and what was done."""
    rows, columns = table.numbers.shape
    lines = [
        f"{table.source}: {counted(rows, 'row')} × {counted(columns, 'column')} of numbers",
        _assumed(table),
        _done(result),
    ]
    if result.real is not None:
        pads = rows - int(result.real.sum())
        effect = (
            "left out of the statistics, their output is 0"
            if result.choices.kind == "batch"
            else "normalized by themselves like any row, left out of the summary"
        )
        lines.append(f"Pads, marked {PAD_MARK}: {pads:,} of {counted(rows, 'row')}; {effect}.")
    return "\n".join(wrapped(line, "") for line in lines)


def _assumed(table: OwnTable) -> str:
    """Return how the file was read, in one sentence or two."""
    layout = table.layout
    text = ", ".join(f"{c.number} ({c.title})" if c.header else f"{c.number}" for c in table.text_columns)
    parts = (
        f"{delimiter_name(layout.delimiter)} as the delimiter",
        "decimal comma" if layout.decimal == COMMA else "decimal point",
        layout.encoding,
        "a header" if layout.header else "no header",
    )
    sentence = f"Read with {', '.join(parts)} and {f'text in column {text}' if text else 'no text'}."
    skipped = layout.blank_lines
    return sentence + (f" {counted(skipped, 'blank line')} skipped." if skipped else "")


def _done(result: Normalized) -> str:
    """Return which normalization it was, in one sentence."""
    choices = result.choices
    name = "RMS" if choices.kind == "rms" else choices.kind.capitalize()
    over = "each column over the rows" if choices.kind == "batch" else "each row over its columns"
    divisor = "n" if choices.ddof == 0 else f"n − {choices.ddof}"
    variance = "" if choices.kind == "rms" else f", variance with divisor {divisor}"
    return f"{name} norm: {over}, eps {choices.eps:g}{variance}."


def _step_blocks(window: Window, result: Normalized) -> list[str]:
    """Return each step as a table, with a statistic beside or below what it is taken from."""
    choices = result.choices
    parameters = [(n, np.array(v)) for n, v in (("weight", choices.weight), ("bias", choices.bias)) if v]
    blocks = []
    for step, following in zip(result.steps, (*result.steps[1:], None), strict=True):
        if step.is_statistic or (step.name == "output" and not parameters):
            continue
        title = step.name if step.name == "x" else f"{step.name} = {step.formula}"
        beside, below = [], parameters if step.name == "output" else []
        if following is not None and following.is_statistic:
            title += f", and {following.words} = {following.formula}"
            if choices.kind == "batch":
                below = [(following.words, following.values[0])]
            else:
                beside = [following]
        if step.name == "normalized" and not parameters:
            title += "; the output is the same: weight 1, bias 0"
        blocks.append(window_text(window, title, step.values, beside, below, as_is=step.name == "x"))
    return blocks


def _gradient_block(window: Window, result: Normalized) -> str:
    """Return the derivative of the chosen entry by everything it may depend on."""
    gradient = result.gradient
    parameters = (("by weight", gradient.weight), ("by bias", gradient.bias))
    title = f"gradient of output[{', '.join(window.entry)}]: its derivative by every x"
    below = [(name, values) for name, values in parameters if values is not None]
    nonzero = int(np.count_nonzero(gradient.x))
    verb = "is" if nonzero == 1 else "are"
    note = f"{nonzero:,} of {counted(gradient.x.size, 'derivative')} by x {verb} not 0."
    return window_text(window, title, gradient.x, below=below) + "\n" + wrapped(note, "    ")


def _statistics_block(result: Normalized) -> str:
    """Return the extent of every step over all real rows."""
    real = slice(None) if result.real is None else result.real
    numbers = {
        step.name: [float(f(step.values[real])) for f in (np.min, np.mean, np.max, np.std)]
        for step in result.steps
        if not step.is_statistic
    }
    count = len(result.steps[0].values[real])
    whose = "row" if result.real is None else "real row"
    table = Table(
        key="statistics",
        title=f"over {counted(count, whose)} together",
        columns=("smallest", "mean", "largest", "deviation"),
        rows=tuple(Row(name, tuple(values)) for name, values in numbers.items()),
        formats=choose_format(np.array([*numbers.values()])),
    )
    return table_text(table)
