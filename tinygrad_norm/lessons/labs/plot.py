"""The labs' results as pictures, where matplotlib is installed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from secrets import token_hex
from typing import Any

from ...errors import FileError, InputError, MissingExtraError
from .outcome import Outcome
from .padding import INDIFFERENT, PaddingOutcome

SUFFIXES = (".png", ".svg", ".pdf")
COLORS = {
    "layer": "#0072B2", "rms": "#56B4E9", "batch": "#D55E00", "masked_batch": "#009E73", "none": "#111111",
}  # fmt: skip
STYLES = {"layer": "-", "rms": "--", "batch": "-", "masked_batch": "-.", "none": ":"}
MARKERS = {"layer": "o", "rms": "s", "batch": "^", "masked_batch": "D", "none": "x"}
ZERO = 1e-17
"""Where a change of exactly 0 is drawn, since a logarithmic axis has no place for it."""


def check_plot(path: Path) -> None:
    """Raise, before any work is done, if a picture could not be written to this path."""
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"--plot must name a file that ends in {', '.join(SUFFIXES)}; got {str(path)!r}. Rename it.")
    if not path.absolute().parent.is_dir():
        raise FileError(f"--plot must name a file in a folder that exists; got {str(path)!r}. Make the folder first.")
    new_figure()


def new_figure(size: tuple[float, float] = (7, 4)) -> Any:
    """Return an empty figure, of so many inches, that no window belongs to."""
    try:
        return import_module("matplotlib.figure").Figure(figsize=size, layout="constrained")
    except ImportError as error:
        raise MissingExtraError(
            "--plot needs matplotlib; it is not installed. Run pip install 'tinygrad-norm[lab]', or leave --plot out."
        ) from error


def plot_training(outcomes: Sequence[Outcome], task: str, path: Path) -> None:
    """Draw the loss of each epoch under each norm."""
    figure = new_figure()
    axes = figure.add_subplot()
    for o in outcomes:
        epochs = range(1, len(o.course.losses) + 1)
        axes.plot(epochs, o.course.losses, STYLES[o.norm], color=COLORS[o.norm], marker=MARKERS[o.norm], markersize=4,
                  label=f"{o.norm}: {o.accuracy:.1%} held out")  # fmt: skip
    axes.set(xlabel="epoch", ylabel="mean loss", title=f"Training on {task}", yscale="log")
    axes.xaxis.get_major_locator().set_params(integer=True)
    finish(figure, axes, path)


def plot_padding(outcomes: Sequence[PaddingOutcome], path: Path) -> None:
    """Draw how far extra pads move a score under each norm, in training mode."""
    figure = new_figure()
    axes = figure.add_subplot()
    extras = [effect.extra for effect in outcomes[0].effects[1:]]
    for i, o in enumerate(outcomes):
        norm = o.outcome.norm
        # Side by side, so that equal values do not hide each other.
        places = [x + 0.06 * (i - (len(outcomes) - 1) / 2) for x in range(len(extras))]
        changes = [max(effect.training_change, ZERO) for effect in o.effects[1:]]
        axes.plot(places, changes, STYLES[norm], color=COLORS[norm], marker=MARKERS[norm], label=norm)
    for height, text in ((INDIFFERENT, "rounding below this line"), (ZERO, "exactly 0")):
        axes.axhline(height, color="#888888", linewidth=1, zorder=0)
        axes.text(0.3, 1.6 * height, text, color="#555555", fontsize=9, transform=axes.get_yaxis_transform())
    axes.set_xticks(range(len(extras)), [str(extra) for extra in extras])
    axes.set(xlabel="extra pads at the end of every review", ylabel="largest change of a score", yscale="log",
             title="The same reviews, padded further, in training mode")  # fmt: skip
    finish(figure, axes, path)


def finish(figure: Any, axes: Any, path: Path) -> None:
    """Add legend and grid, and write the file."""
    axes.grid(color="#DDDDDD", linewidth=0.5)
    axes.legend(frameon=False)
    write_figure(figure, path)


def write_figure(figure: Any, path: Path) -> None:
    """Write the file, whole or not at all."""
    target = path.resolve()
    part = target.with_name(f".{target.name}.{token_hex(4)}.part")
    # Without a date and with fixed names inside, the same results give the same bytes.
    undated = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(path.suffix.lower(), {})
    try:
        with import_module("matplotlib").rc_context({"svg.hashsalt": "tinygrad-norm"}):
            figure.savefig(part, format=path.suffix[1:].lower(), dpi=150, metadata=undated)
        os.replace(part, target)
    except OSError as error:
        raise FileError(
            f"--plot must be able to write {path}; got {error.strerror or error}. Check its folder."
        ) from error
    finally:
        with suppress(OSError):
            part.unlink()
