"""What came of trainings, as text and as data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from .outcome import Outcome


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
