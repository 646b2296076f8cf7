"""Draw the computation graph of a layer or an expression, with the gradient on every edge."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from ..errors import InputError
from ..lessons.graph_examples import EXAMPLES
from ..terminal.table import aligned
from ..viz.drawing import SUFFIXES, write_drawing
from ..viz.layouts import PLACES
from .argument_types import offer
from .layer_or_expression import drawing_of, named_arrays

FORMATS = ("txt", "gv", "svg", "png", "pdf", "html")
OPTIONS = ("depth", "focus", "open", "style", "size", "font_size", "direction", "theme", "force")
SWITCH = {"auto": None, "yes": True, "no": False}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    add = parser.add_argument
    target = "a layer by name (see --list), or as in 'x * sin(y)'"
    offer(add("target", metavar="LAYER|EXPRESSION", nargs="?", help=target), EXAMPLES)
    add("-o", "--out", metavar="FILE", help="write a file instead of printing: FILE" + ", FILE".join(SUFFIXES))
    formats = f"{', '.join(FORMATS)} (default: by the file's suffix; txt when printing)"
    add("--format", metavar="NAME", choices=FORMATS, help=formats)
    add("--let", metavar="NAME=VALUE", action="append", default=[], help="the value of a name (repeatable)")
    depths = "levels of modules to open: a number, all, or auto"
    add("--depth", metavar="N", type=depth_given, default="auto", help=depths)
    add("--focus", metavar="PATH", help="open this module or composition and close everything else")
    add("--open", metavar="PATH", action="append", default=[], help="open this one besides (repeatable)")
    styles = "card (a table in each box), compact (one line a box), or auto (cards where they fit)"
    add("--style", metavar="NAME", choices=("auto", "card", "compact"), default="auto", help=styles)
    sizes = "choose a layout that can be read on a slide, a page or a screen"
    add("--size", metavar="PLACE", choices=tuple(PLACES), help=sizes)
    sizes = "the size of the smallest text: pixels on a slide or screen, else points"
    add("--font-size", metavar="N", type=float, help=sizes)
    values = "show numbers: yes, no, or auto (up to 500 operations)"
    add("--values", metavar="WHEN", choices=SWITCH, default="auto", help=values)
    gradients = "run backward: yes, no, or auto (layers, and expressions with one number as result)"
    add("--gradients", metavar="WHEN", choices=SWITCH, default="auto", help=gradients)
    directions = "LR (to the right), TB (down), or auto"
    add("--direction", metavar="WAY", choices=("auto", "LR", "TB"), default="auto", help=directions)
    themes = "light, dark, or auto (as the viewer's system)"
    add("--theme", metavar="NAME", choices=("auto", "light", "dark"), default="auto", help=themes)
    add("--force", action="store_true", help="lay out more than 2000 nodes, however long it takes")
    add("--list", action="store_true", help="list the layers and stop")
    add("--json", action="store_true", help="print nodes, edges and steps, or the list, as JSON at full precision")


def depth_given(given: str) -> int | str | None:
    """Return the depth that was asked for."""
    if given in ("auto", "all"):
        return None if given == "all" else "auto"
    if not given.isdecimal():
        raise argparse.ArgumentTypeError(
            f"must be a number, all or auto; got {given!r}. 0 shows each module as one box"
        )
    return int(given)


def run(args: argparse.Namespace) -> int:
    """Draw, and write or print."""
    if args.list:
        rows = [(name, example.what) for name, example in EXAMPLES.items()]
        listed = [{"layer": name, "what": what} for name, what in rows]
        print(json.dumps(listed, ensure_ascii=False, indent=1) if args.json else "\n".join(aligned(rows, "l")))
        return 0
    if args.target is None:
        raise InputError(
            "graph needs a layer or an expression. Write graph layer_norm, or graph 'x * sin(y)'; see --list."
        )
    if args.json and args.format and args.out is None:
        raise InputError("--json and --format must not both print; got both. Name a file with --out.")
    format = args.format or format_by_suffix(args.out)
    options = {name: getattr(args, name) for name in OPTIONS}
    if args.gradients != "auto":  # what a layer says of its gradients stands if not asked
        options["gradients"] = SWITCH[args.gradients]
    drawing = drawing_of(args.target, named_arrays(args.let), values=SWITCH[args.values], **options)
    if args.out is not None:
        write_drawing(args.out, drawing.picture(format))
    if args.json:
        print(json.dumps(drawing.to_json(), ensure_ascii=False, allow_nan=False))
    elif args.out is None:
        sys.stdout.buffer.write(drawing.picture(format))
    if drawing.view.failure:
        print(f"tinygrad-norm graph: drawn up to the error: {drawing.view.failure}", file=sys.stderr)
        return 1
    return 0


def format_by_suffix(out: str | None) -> str:
    """Return the format of a file's suffix; what is printed is text."""
    suffix = ".txt" if out is None else Path(out).suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(
            f"the suffix of --out must be one of {', '.join(SUFFIXES)}; got {suffix!r}. Leave it out for the usual one."
        )
    return SUFFIXES[suffix]
