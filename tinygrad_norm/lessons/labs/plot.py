"""The labs' results as pictures, where matplotlib is installed."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from ...errors import FileError, InputError, MissingExtraError
from ...terminal.files import whole_file
from .outcome import Outcome

SUFFIXES = (".png", ".svg", ".pdf")
COLORS = {
    "layer": "#0072B2", "rms": "#56B4E9", "batch": "#D55E00", "masked_batch": "#009E73", "none": "#111111",
}  # fmt: skip
STYLES = {"layer": "-", "rms": "--", "batch": "-", "masked_batch": "-.", "none": ":"}
MARKERS = {"layer": "o", "rms": "s", "batch": "^", "masked_batch": "D", "none": "x"}


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


def finish(figure: Any, axes: Any, path: Path) -> None:
    """Add legend and grid, and write the file."""
    axes.grid(color="#DDDDDD", linewidth=0.5)
    axes.legend(frameon=False)
    write_figure(figure, path)


def write_figure(figure: Any, path: Path) -> None:
    """Write the file, whole or not at all."""
    # Without a date and with fixed names inside, the same results give the same bytes.
    undated = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(path.suffix.lower(), {})
    try:
        with whole_file(path) as part, import_module("matplotlib").rc_context({"svg.hashsalt": "tinygrad-norm"}):
            figure.savefig(part, format=path.suffix[1:].lower(), dpi=150, metadata=undated)
    except OSError as error:
        raise FileError(
            f"--plot must be able to write {path}; got {error.strerror or error}. Check its folder."
        ) from error
