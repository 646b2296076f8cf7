"""A lab of the catalog as a subcommand of ``lab``: published results beside one's own."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from ..lessons.labs.plot import check_plot
from ..lessons.labs.published.catalog import run_lab
from ..lessons.labs.published.counting import counting_on
from ..lessons.labs.published.report import Lab
from ..lessons.labs.published.report_data import report_data
from ..lessons.labs.published.report_plot import plot_report
from ..lessons.labs.published.report_text import report_text
from .lab_options import INTERRUPTED

BROKEN = 1
"""The exit code if a statement that must be exact is not."""


class PublishedLab:
    """What ``lab`` expects of a subcommand, for one lab."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.__doc__ = f"{lab.title}\n\n{lab.setting}"

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Add the arguments."""
        add = parser.add_argument
        add("--quick", action="store_true", help="the small version: under half a minute instead of minutes")
        add("--seed", metavar="N", type=int, default=0, help="of everything random (default: 0)")
        add("--json", action="store_true", help="print the results as JSON at full precision")
        add("--plot", metavar="FILE", type=Path, help="draw the results: FILE.png, .svg or .pdf (needs matplotlib)")

    def run(self, args: argparse.Namespace) -> int:
        """Run, print, draw."""
        if args.plot is not None:
            check_plot(args.plot)
        report = run_lab(self.lab.name, args.seed, args.quick, counting_on(sys.stderr))
        if args.json:
            print(json.dumps(report_data(report), ensure_ascii=False, allow_nan=False, indent=1))
        else:
            print(report_text(report), end="")
        if args.plot is not None:
            plot_report(report, args.plot)
        if report.broken:
            return BROKEN
        return 0 if report.complete else INTERRUPTED
