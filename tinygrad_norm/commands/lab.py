"""Run an experiment: what normalization does, with published results beside your own."""

from __future__ import annotations

import argparse
from typing import Protocol

from ..lessons.labs.published.catalog import CATALOG
from . import lab_train
from .lab_published import PublishedLab


class LabCommand(Protocol):
    """What a subcommand of ``lab`` offers."""

    __doc__: str | None

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Add the arguments."""

    def run(self, args: argparse.Namespace) -> int:
        """Do the work and return the exit code."""


LABS: dict[str, LabCommand] = {
    "train": lab_train,
    **{name: PublishedLab(lab) for name, lab in CATALOG.items()},
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add one subcommand for each lab."""
    labs = parser.add_subparsers(dest="lab", metavar="LAB", required=True)
    for name, module in LABS.items():
        summary = (module.__doc__ or "").strip().splitlines()[0]
        sub = labs.add_parser(name, help=summary, description=module.__doc__)
        module.configure(sub)
        sub.set_defaults(run_lab=module.run)


def run(args: argparse.Namespace) -> int:
    """Run the lab that was asked for."""
    code: int = args.run_lab(args)
    return code
