"""Run an experiment that trains a small model: padding, train."""

from __future__ import annotations

import argparse

from . import lab_padding, lab_train

LABS = {"padding": lab_padding, "train": lab_train}


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
