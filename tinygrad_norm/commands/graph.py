"""Draw the computation graph of a layer or an expression, with the gradient on every edge."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..lessons.graph_examples import EXAMPLES
from ..lessons.graph_target import drawing_of, named_arrays
from ..viz.drawing import SUFFIXES
from ..viz.render import write_whole

FORMATS = ("txt", "gv", "svg", "png", "pdf", "html")
SWITCH = {"auto": None, "yes": True, "no": False}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the subcommand's arguments.

    They arrive as text and are read in :func:`run`, so that a bad one gets one line, not a usage page.
    """
    add = parser.add_argument
    add("target", metavar="LAYER|EXPRESSION", nargs="?", help="a layer by name (see --list), or as in 'x * sin(y)'")
    add("-o", "--out", metavar="FILE", help="write a file instead of printing: FILE" + ", FILE".join(SUFFIXES))
    add("--format", metavar="NAME", help=f"{', '.join(FORMATS)} (default: by the file's suffix; txt when printing)")
    add("--let", metavar="NAME=VALUE", action="append", default=[], help="the value of a name (repeatable)")
    add("--depth", metavar="N", default="auto", help="levels of modules to open: a number, all, or auto")
    add("--focus", metavar="PATH", help="open this module or composition and close everything else")
    add("--values", metavar="WHEN", default="auto", help="show numbers: yes, no, or auto (up to 500 operations)")
    add("--gradients", metavar="WHEN", default="auto",
        help="run backward: yes, no, or auto (layers, and expressions with one number as result)")  # fmt: skip
    add("--direction", metavar="WAY", default="auto", help="LR (to the right), TB (down), or auto")
    add("--theme", metavar="NAME", default="auto", help="light, dark, or auto (as the viewer's system)")
    add("--force", action="store_true", help="lay out more than 2000 nodes, however long it takes")
    add("--list", action="store_true", help="list the layers and stop")


def run(args: argparse.Namespace) -> int:
    """Draw, and write or print."""
    if args.list:
        width = max(map(len, EXAMPLES))
        print("\n".join(f"{name.ljust(width)}  {example.what}" for name, example in EXAMPLES.items()))
        return 0
    if args.target is None:
        raise InputError(
            "graph needs a layer or an expression. Write graph layer_norm, or graph 'x * sin(y)'; see --list."
        )
    format = format_of(args)
    drawing = drawing_of(args.target, named_arrays(args.let), **options(args))
    content = drawing.picture(format)
    if args.out is None:
        sys.stdout.buffer.write(content)
    else:
        write_whole(args.out, content)
    if drawing.view.failure:
        print(f"tinygrad-norm graph: drawn up to the error: {drawing.view.failure}", file=sys.stderr)
        return 1
    return 0


def options(args: argparse.Namespace) -> dict[str, Any]:
    """Return the options of ``tg.draw`` from the arguments."""
    gradients = one_of("--gradients", args.gradients, SWITCH)
    return {
        "depth": depth_of(args.depth),
        "focus": args.focus,
        "values": one_of("--values", args.values, SWITCH),
        **({} if gradients is None else {"gradients": gradients}),
        "direction": one_of("--direction", args.direction, {"auto": "auto", "LR": "LR", "TB": "TB"}),
        "theme": one_of("--theme", args.theme, {"auto": "auto", "light": "light", "dark": "dark"}),
        "force": args.force,
    }


def format_of(args: argparse.Namespace) -> str:
    """Return the format: the one asked for, that of the file's suffix, or text."""
    if args.format is not None:
        return str(one_of("--format", args.format, {name: name for name in FORMATS}))
    if args.out is None:
        return "txt"
    suffix = Path(args.out).suffix.lower()
    return str(one_of("the suffix of --out", suffix, SUFFIXES))


def depth_of(given: str) -> Any:
    """Return the depth that was asked for."""
    if given in ("auto", "all"):
        return None if given == "all" else "auto"
    if not given.isdecimal():
        raise InputError(f"--depth must be a number, all or auto; got {given!r}. 0 shows each module as one box.")
    return int(given)


def one_of(name: str, given: str, choices: dict[str, Any]) -> Any:
    """Return the choice that was given by name."""
    if given not in choices:
        raise InputError(f"{name} must be one of {', '.join(choices)}; got {given!r}. Leave it out for the usual one.")
    return choices[given]
