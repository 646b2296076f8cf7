"""Pad the same reviews further and further and see which normalizations mind.

Each model is trained first, a small Transformer on padded sentences, in double precision. Ctrl-C ends the training and
keeps what was done.
"""

from __future__ import annotations

import argparse
import json

from ..lessons.labs.padding import PaddingOutcome, pad_a_trained_model
from ..lessons.labs.plot import plot_padding
from ..lessons.labs.report import padding_data, padding_text
from .lab_options import INTERRUPTED, add_training_options, checked_settings, chosen_norms, one_by_one


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_training_options(parser, epochs=6)


def run(args: argparse.Namespace) -> int:
    """Train, pad, print, draw."""
    norms, settings = chosen_norms(args), checked_settings(args, "float64")
    done: list[PaddingOutcome] = []
    complete = one_by_one(norms, lambda norm: pad_a_trained_model(norm, settings), done, was_interrupted)
    print(json.dumps(padding_data(done), indent=2) if args.json else padding_text(done))
    if args.plot is not None:
        plot_padding(done, args.plot)
    return 0 if complete else INTERRUPTED


def was_interrupted(result: PaddingOutcome) -> bool:
    """Return whether the training was ended early."""
    return result.outcome.course.interrupted
