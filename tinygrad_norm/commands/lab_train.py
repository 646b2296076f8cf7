"""Train the same small model with each normalization and compare.

On reviews: a two-layer Transformer encoder finds the sentiment of padded sentences. On digits: a network of three
hidden layers reads the images that scikit-learn brings. Ctrl-C ends the training and keeps what was done.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from ..errors import InputError
from ..io import check_destination, save
from ..lessons.labs.outcome import NORMS, Train, Trained
from ..lessons.labs.plot import plot_training
from ..lessons.labs.report import train_data, train_text
from ..lessons.labs.train_digits import LAYERS, train_on_digits
from ..lessons.labs.train_reviews import train_on_reviews
from .lab_options import INTERRUPTED, add_training_options, checked_settings, chosen_norms, one_by_one

TASKS: dict[str, tuple[Train, tuple[str, ...]]] = {
    "reviews": (train_on_reviews, NORMS),
    "digits": (train_on_digits, tuple(LAYERS)),
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("--task", metavar="NAME", default="reviews", help="reviews or digits (default: reviews)")
    add_training_options(parser, epochs=8)
    parser.add_argument(
        "--save", metavar="FILE", type=Path, help="keep the trained weights: FILE.npz or .safetensors, by norm"
    )


def run(args: argparse.Namespace) -> int:
    """Train, print, draw, save."""
    if args.task not in TASKS:
        raise InputError(f"--task must be one of {', '.join(TASKS)}; got {args.task!r}. Choose one of them.")
    train, available = TASKS[args.task]
    norms, settings = chosen_norms(args, available), checked_settings(args, "float32")
    if args.save is not None:
        check_destination(args.save)
    done: list[Trained] = []
    complete = one_by_one(norms, lambda norm: train(norm, settings, None), done, was_interrupted)
    outcomes = [trained.outcome for trained in done]
    print(json.dumps(train_data(outcomes), indent=2) if args.json else train_text(outcomes, args.task))
    if args.plot is not None:
        plot_training(outcomes, args.task, args.plot)
    if args.save is not None:
        save({outcome.norm: model.state_dict() for outcome, model in done}, args.save)
    return 0 if complete else INTERRUPTED


def was_interrupted(result: Trained) -> bool:
    """Return whether the training was ended early."""
    return result.outcome.course.interrupted
