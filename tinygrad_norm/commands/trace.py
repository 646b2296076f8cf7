"""Print each step of a layer or an expression: every value, then every gradient contribution."""

from __future__ import annotations

import argparse
import json
import sys

from ..lessons.graph_examples import EXAMPLES
from .argument_types import offer
from .layer_or_expression import drawing_of, named_arrays


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    add = parser.add_argument
    target = "a layer by name (see graph --list), or as in 'x * sin(y)'"
    offer(add("target", metavar="LAYER|EXPRESSION", help=target), EXAMPLES)
    add("--let", metavar="NAME=VALUE", action="append", default=[], help="the value of a name (repeatable)")
    gradients = "run backward too: yes (default) or no"
    add("--gradients", metavar="WHEN", choices=("yes", "no"), default="yes", help=gradients)
    add("--json", action="store_true", help="print nodes, edges and steps as JSON at full precision")


def run(args: argparse.Namespace) -> int:
    """Run forward and backward, and print."""
    gradients, given = args.gradients == "yes", named_arrays(args.let)
    drawing = drawing_of(args.target, given, gradients=gradients, values=True, depth=None)
    if args.json:
        print(json.dumps(drawing.to_json(), ensure_ascii=False, allow_nan=False))
    else:
        print(drawing.table)
    if drawing.view.failure:
        print(f"tinygrad-norm trace: stopped by the error: {drawing.view.failure}", file=sys.stderr)
        return 1
    return 0
