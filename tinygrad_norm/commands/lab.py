"""Run an experiment: what normalization does, with published results beside your own."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from ..errors import InputError
from ..io import check_destination, save
from ..lessons.labs.all_labs import CATALOG, run_lab
from ..lessons.labs.experiment import Lab, counting_on
from ..lessons.labs.networks import REVIEW_NORMS
from ..lessons.labs.norm_comparison import TASKS, Train, Trained, comparison_data, comparison_text, plot_comparison
from ..lessons.labs.pictures import check_plot, plot_report
from ..lessons.labs.training import TrainingPlan
from ..lessons.labs.written_report import report_data, report_text
from ..terminal.table import aligned
from .workers import configure as configure_workers
from .workers import workers

BROKEN = 1
"""The exit code if a statement that must be exact is not."""
INTERRUPTED = 130
"""The exit code of a command that Ctrl-C ended."""

QUICK = 2
"""How many epochs of training make its small version."""

TRAIN = """Train the same small model with each normalization and compare.

On reviews: a two-layer Transformer encoder finds the sentiment of padded sentences. On digits: a network of three
hidden layers reads the images that scikit-learn brings. Ctrl-C ends the training and keeps what was done.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add one subcommand for each lab."""
    labs = parser.add_subparsers(dest="lab", metavar="LAB")
    listing = labs.add_parser("list", help="the labs, a line each", description="Print the labs, a line each.")
    listing.add_argument("--json", action="store_true", help="print them as JSON")
    listing.set_defaults(run_lab=_list, plot=None)
    _configure_training(labs.add_parser("train", help=TRAIN.splitlines()[0], description=TRAIN))
    for lab in CATALOG.values():
        _configure(lab, labs.add_parser(lab.name, help=lab.title, description=f"{lab.title}\n\n{lab.setting}"))


def run(args: argparse.Namespace) -> int:
    """Run the lab that was asked for, after a look at where its picture shall be written."""
    if args.plot is not None:
        check_plot(args.plot)
    code: int = args.run_lab(args)
    return code


def _list(args: argparse.Namespace) -> int:
    asked = {"train": TRAIN.splitlines()[0], **{lab.name: lab.title for lab in CATALOG.values()}}
    if args.json:
        print(_json([{"lab": name, "asks": title} for name, title in asked.items()]))
    else:
        print("\n".join(aligned([*asked.items()], "l")))
    return 0


def _json(data: object) -> str:
    return json.dumps(data, ensure_ascii=False, allow_nan=False, indent=1)


def _configure(lab: Lab, parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--quick", action="store_true", help="the small version: under half a minute instead of minutes")
    add("--seed", metavar="N", type=int, default=0, help="of everything random (default: 0)")
    add("--json", action="store_true", help="print the results as JSON at full precision")
    _add_plot(parser)
    configure_workers(add, "trainings run", "1")
    parser.set_defaults(run_lab=partial(_run, lab))


def _run(lab: Lab, args: argparse.Namespace) -> int:
    with ExitStack() as stack:
        apart = args.dask is not None or (args.jobs or 1) > 1
        executor = stack.enter_context(workers(args.jobs or 1, args.dask)) if apart else None
        report = run_lab(lab.name, args.seed, args.quick, counting_on(sys.stderr), executor)
    if args.json:
        print(_json(report_data(report)))
    else:
        print(report_text(report), end="")
    if args.plot is not None:
        plot_report(report, args.plot)
    if report.broken:
        return BROKEN
    return 0 if report.complete else INTERRUPTED


def _configure_training(parser: argparse.ArgumentParser) -> None:
    add, norms, epochs = parser.add_argument, REVIEW_NORMS, TrainingPlan.epochs
    add("--task", metavar="NAME", choices=TASKS, default="reviews", help="reviews or digits (default: reviews)")
    repeatable = f"{', '.join(norms)}; repeatable (default: all)"
    add("--norm", metavar="NAME", choices=norms, action="append", help=repeatable)
    few = f"{epochs}, or {QUICK} with --quick"
    add("--epochs", metavar="N", type=int, help=f"times to see all examples (default: {few})")
    add("--quick", action="store_true", help="the small version, in seconds")
    add("--seed", metavar="N", type=int, default=0, help="decides examples, first parameters and order (default: 0)")
    add("--json", action="store_true", help="print the results as JSON")
    _add_plot(parser)
    add("--save", metavar="FILE", type=Path, help="keep the trained weights: FILE.npz or .safetensors, by norm")
    parser.set_defaults(run_lab=_run_training)


def _add_plot(parser: argparse.ArgumentParser) -> None:
    what = "draw the results: FILE.png, .svg or .pdf (needs matplotlib)"
    parser.add_argument("--plot", metavar="FILE", type=Path, help=what)


def _run_training(args: argparse.Namespace) -> int:
    train, available = TASKS[args.task]
    for norm in args.norm or ():
        if norm not in available:
            raise InputError(f"--norm must be one of {', '.join(available)}; got {norm!r}. Choose one of them.")
    usual = QUICK if args.quick else TrainingPlan.epochs
    plan = TrainingPlan(usual if args.epochs is None else args.epochs, args.seed)
    if args.save is not None:
        check_destination(args.save)
    # Each norm once, in the order given.
    norms = list(dict.fromkeys(args.norm or available))
    done = _trained_one_by_one(norms, train, plan)
    outcomes = [trained.outcome for trained in done]
    print(_json(comparison_data(outcomes)) if args.json else comparison_text(outcomes, args.task))
    if args.plot is not None:
        plot_comparison(outcomes, args.task, args.plot)
    if args.save is not None:
        save({outcome.norm: model.state_dict() for outcome, model in done}, args.save)
    complete = len(done) == len(norms) and not any(outcome.course.interrupted for outcome in outcomes)
    return 0 if complete else INTERRUPTED


def _trained_one_by_one(norms: list[str], train: Train, plan: TrainingPlan) -> list[Trained]:
    """Train with one norm after the other; Ctrl-C ends it.

    A training that it hits ends early with a result; anywhere else it leaves the results before.
    """
    done: list[Trained] = []
    for norm in norms:
        try:
            done.append(train(norm, plan, None))
        except KeyboardInterrupt:
            if not done:
                raise
            break
        if done[-1].outcome.course.interrupted:
            break
    return done
