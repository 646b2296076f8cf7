"""The labs' results as text and as data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from .outcome import Outcome
from .padding import BATCH, INDIFFERENT, PaddingOutcome


def train_text(outcomes: Sequence[Outcome], task: str) -> str:
    """Return the outcomes of several trainings as a table."""
    rows = [("norm", "steps", "loss", "trained on", "held out", "drift", "seconds")]
    rows += [
        (
            o.norm + (" (interrupted)" if o.course.interrupted else ""), str(o.course.steps), f"{o.loss:.4f}",
            f"{o.training_accuracy:.1%}", f"{o.accuracy:.1%}", "–" if o.drift is None else f"{o.drift:.2f}",
            f"{o.course.seconds:.1f}",
        )
        for o in outcomes
    ]  # fmt: skip
    return "\n".join([
        f"Training on {task}; right answers on examples trained on and on held-out ones, in evaluation mode",
        "", *table(rows), "",
        "loss: cross-entropy of the held-out examples. drift: distance of a batch's means from the running means,",
        "in running deviations (root mean square over features); a norm without running statistics has none.",
    ])  # fmt: skip


def padding_text(outcomes: Sequence[PaddingOutcome]) -> str:
    """Return what pads did under each norm as tables, and the verdict."""
    effects = outcomes[0].effects
    heads = [
        ("", *(f"{e.extra} pads" for e in effects)),
        ("share of pads", *(f"{e.padded_share:.1%}" for e in effects)),
    ]
    rows = [
        (o.outcome.norm, *(f"{e.training_change:.1e} ({e.training_accuracy:.0%})" for e in o.effects)) for o in outcomes
    ]
    lines = [
        f"The same {BATCH} held-out reviews, with extra pads at their ends", "",
        "Largest change of a score (and right answers) in training mode, by the statistics of the batch", "",
        *table([*heads, *rows]),
    ]  # fmt: skip
    drifts = [
        (o.outcome.norm, *(f"{e.drift:.2f}" for e in o.effects)) for o in outcomes if o.effects[0].drift is not None
    ]
    if drifts:
        lines += ["", "Distance of the batch's means from the running means, in running deviations", ""]
        lines += table([*heads, *drifts])
    moved = max(e.evaluation_change for o in outcomes for e in o.effects)
    calm = f"In evaluation mode, with running statistics, no number of pads moved a score by more than {moved:.1e}."
    return "\n".join([*lines, "", *verdict(outcomes), calm])


def verdict(outcomes: Sequence[PaddingOutcome]) -> list[str]:
    """Return which norms mind pads in training mode, in words."""
    lines = []
    indifferent = [o.outcome.norm for o in outcomes if o.indifferent]
    if indifferent:
        lines.append(f"Indifferent to pads in training mode (below {INDIFFERENT:.0e}): {', '.join(indifferent)}.")
    for o in outcomes:
        if not o.indifferent:
            worst = max(o.effects, key=lambda effect: effect.training_change)
            before, after = o.effects[0].training_accuracy, worst.training_accuracy
            lines.append(
                f"Not indifferent: {o.outcome.norm}. {worst.extra} extra pads moved a score by "
                f"{worst.training_change:.2g}; right answers went from {before:.0%} to {after:.0%}."
            )
    return lines


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows of texts as lines, the first column to the left and the others to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  ".join(
            [row[0].ljust(widths[0]), *(text.rjust(w) for text, w in zip(row[1:], widths[1:], strict=True))]
        ).rstrip()
        for row in rows
    ]


def train_data(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """Return the outcomes as plain data."""
    return [asdict(o) for o in outcomes]


def padding_data(outcomes: Sequence[PaddingOutcome]) -> list[dict[str, Any]]:
    """Return what pads did as plain data."""
    return [{**asdict(o), "indifferent": o.indifferent} for o in outcomes]
