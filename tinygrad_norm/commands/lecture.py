"""Go through the lecture in eight steps: every number computed, every slip of the notes explained."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from ..errors import InputError
from ..lessons.document.as_data import lesson_data
from ..lessons.document.as_html import lesson_html
from ..lessons.document.as_markdown import lesson_markdown
from ..lessons.document.as_text import lesson_text
from ..lessons.document.lesson import Lesson
from ..lessons.lecture.eight_steps import STEPS, lecture
from ..lessons.lecture.notes import DEFAULT_VARIANT, VARIANTS
from ..lessons.lecture.settings import Settings
from ..terminal.files import whole_text

RENDERERS: Mapping[str, Callable[[Lesson], str]] = MappingProxyType(
    {
        ".html": lesson_html,
        ".htm": lesson_html,
        ".md": lesson_markdown,
        ".markdown": lesson_markdown,
    }
)
"""What ``--out`` writes, by the suffix of the file."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the subcommand's arguments.

    They arrive as text and are read in :func:`run`, so that a bad one gets one line, not a usage page.
    """
    add = parser.add_argument
    add("--step", metavar="N", help=f"only this step, {min(STEPS)} to {max(STEPS)}")
    add(
        "--variant",
        metavar="NAME",
        default=DEFAULT_VARIANT,
        help="which page's copy of the padded table: " + ", ".join(VARIANTS) + f" (default: {DEFAULT_VARIANT})",
    )
    add("--ddof", metavar="0|1", default="0", help="variances divide by n − DDOF (default: 0)")
    add(
        "--eps",
        metavar="E",
        help="added to every variance (default: 0, and 1e-5 for layer norm over the padded table)",
    )
    add("--json", action="store_true", help="print the numbers as JSON at full precision")
    add(
        "--out",
        metavar="FILE",
        help="write a self-contained page instead of printing: " + ", ".join(f"FILE{s}" for s in RENDERERS),
    )


def run(args: argparse.Namespace) -> int:
    """Compute the lecture and print or write it."""
    settings = Settings(
        variant=args.variant,
        ddof=_whole("--ddof", args.ddof),
        eps=None if args.eps is None else _number("--eps", args.eps),
    )
    render = None if args.out is None else _renderer(args.out)
    lesson = lecture(settings, None if args.step is None else _whole("--step", args.step))
    if args.out is not None and render is not None:
        write_whole(Path(args.out), render(lesson))
    if args.json:
        print(json.dumps(lesson_data(lesson), ensure_ascii=False, allow_nan=False, indent=1))
    elif args.out is not None:
        print(f"Wrote {args.out}.")
    else:
        print(lesson_text(lesson), end="")
    return 0


def _whole(flag: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise InputError(f"{flag} must be a whole number; got {text!r}. See tinygrad-norm lecture -h.") from None


def _number(flag: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError(f"{flag} must be a number such as 1e-5; got {text!r}.") from None


def _renderer(out: str) -> Callable[[Lesson], str]:
    suffix = Path(out).suffix.lower()
    if suffix not in RENDERERS:
        raise InputError(f"--out must end in one of {', '.join(RENDERERS)}, which says what to write; got {out!r}.")
    return RENDERERS[suffix]


def write_whole(path: Path, text: str) -> None:
    """Write a file completely or not at all; an existing one is replaced when the new one is complete.

    Raises
    ------
    InputError
        If it cannot be written there.
    """
    try:
        with whole_text(path) as file:
            file.write(text)
    except OSError as error:
        raise InputError(
            f"--out must be a file that can be written; got {str(path)!r}: {error.strerror}. "
            "Name a file in a folder of yours."
        ) from None
