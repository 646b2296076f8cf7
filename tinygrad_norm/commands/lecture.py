"""Go through the lecture step by step: every number computed, every slip of the notes explained."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

from ..lessons.document.as_data import lesson_data
from ..lessons.document.as_html import lesson_html
from ..lessons.document.as_markdown import lesson_markdown
from ..lessons.document.as_text import lesson_text
from ..lessons.document.lesson import Lesson
from ..lessons.lecture.all_steps import STEPS, lecture
from ..lessons.lecture.notes import DEFAULT_VARIANT, VARIANTS
from ..lessons.lecture.settings import Settings
from ..terminal.files import whole_text

RENDERERS: dict[str, Callable[[Lesson], str]] = {".html": lesson_html, ".htm": lesson_html}
RENDERERS |= {".md": lesson_markdown, ".markdown": lesson_markdown}
"""What ``--out`` writes, by the suffix of the file."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    add = parser.add_argument
    steps = f"only this step, {min(STEPS)} to {max(STEPS)}"
    add("--step", metavar="N", type=int, choices=STEPS, help=steps)
    variant = f"which page's copy of the padded table: {', '.join(VARIANTS)} (default: {DEFAULT_VARIANT})"
    add("--variant", metavar="NAME", choices=VARIANTS, default=DEFAULT_VARIANT, help=variant)
    ddof = "variances divide by n − DDOF (default: 0)"
    add("--ddof", metavar="0|1", type=int, choices=(0, 1), default=0, help=ddof)
    eps = "added to every variance (default: 0, and 1e-5 for layer norm over the padded table)"
    add("--eps", metavar="E", type=float, help=eps)
    add("--json", action="store_true", help="print the numbers as JSON at full precision")
    out = f"write a self-contained page instead of printing: {', '.join(f'FILE{suffix}' for suffix in RENDERERS)}"
    add("--out", metavar="FILE", type=page, help=out)


def page(text: str) -> str:
    """Return the name of a page whose suffix says what to write."""
    if Path(text).suffix.lower() not in RENDERERS:
        raise argparse.ArgumentTypeError(
            f"must end in one of {', '.join(RENDERERS)}, which says what to write; got {text!r}"
        )
    return text


def run(args: argparse.Namespace) -> int:
    """Compute the lecture and print or write it."""
    lesson = lecture(Settings(args.variant, args.ddof, args.eps), args.step)
    if args.out is not None:
        text = RENDERERS[Path(args.out).suffix.lower()](lesson)
        with whole_text(args.out) as file:
            file.write(text)
    if args.json:
        print(json.dumps(lesson_data(lesson), ensure_ascii=False, allow_nan=False, indent=1))
    elif args.out is not None:
        print(f"Wrote {args.out}.")
    else:
        print(lesson_text(lesson), end="")
    return 0
