"""What the GPT of the tutorial learns: trained as its page is built, with three norms from three seeds."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from markdown_table import code, table

import tinygrad_norm as tg
from tinygrad_norm import nn
from tinygrad_norm.lessons.labs.training import one_thread

TUTORIALS = Path(__file__).resolve().parent.parent / "tutorials"
NORMS = (nn.LayerNorm, nn.RMSNorm, nn.DyT)
SEEDS, STEPS = (0, 1, 2), 400
BOUND = 1.3
"""The loss on unseen names that every training must end below; the rule of the names has 1.154."""


def script() -> Any:
    """Return the script as a module."""
    sys.path.insert(0, str(TUTORIALS))
    try:
        return import_module("gpt")
    finally:
        sys.path.remove(str(TUTORIALS))


def gpt_results() -> str:
    """Return a table of the losses, and the names that the first model makes up.

    Raises
    ------
    ValueError
        A training does not end below the bound.
    """
    gpt, rows, names = script(), [], []
    with one_thread():
        for norm in NORMS:
            trained = [gpt.train(norm, seed, STEPS) for seed in SEEDS]
            with tg.no_grad():
                unseen = [gpt.loss_of(model, slice(gpt.TRAINING, None)).item() for model, _ in trained]
            if max(unseen) >= BOUND:
                raise ValueError(f"{norm.__name__}: the losses must end below {BOUND}; got {unseen}")
            names = names or gpt.sample(trained[0][0], 20)
            seen = [sum(losses[-50:]) / len(losses[-50:]) for _, losses in trained]
            rows.append((code(norm.__name__), *(f"{loss:.3f}" for loss in (*seen, *unseen))))
    heads = [f"{where}, seed {seed}" for where in ("training", "unseen") for seed in SEEDS]
    said = f"Every one ends below {BOUND} on unseen names. Twenty names that the first one makes up:"
    return f"{table(('norm', *heads), rows, '<' + '>' * len(heads))}\n\n{said}\n\n```text\n{lines(names)}\n```\n"


def lines(names: list[str], each: int = 10) -> str:
    """Return the names, so many on a line.

    >>> print(lines(["a", "b", "c"], 2))
    a b
    c
    """
    return "\n".join(" ".join(names[i : i + each]) for i in range(0, len(names), each))
