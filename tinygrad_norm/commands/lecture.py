"""Go through the lecture: every number computed, every slip of the notes explained; or show a lesson of your own."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from ..errors import InputError
from ..lessons.document.as_data import lesson_data
from ..lessons.document.as_html import graph_name, lesson_html
from ..lessons.document.as_markdown import lesson_markdown
from ..lessons.document.as_slides import lesson_slides
from ..lessons.document.as_text import lesson_text, summary_text
from ..lessons.document.lesson import Graph, Lesson
from ..lessons.languages import say, speaking
from ..lessons.lecture.all_steps import STEPS, lecture
from ..lessons.lecture.notes import DEFAULT_VARIANT, VARIANTS
from ..lessons.lecture.settings import Settings
from ..terminal.files import shown_name, whole_text
from ..terminal.screen import paint_for, safe_json, text_width
from ..viz.render import RendererError

PAGES = (".html", ".htm")
SUFFIXES = (*PAGES, ".md", ".markdown")
"""Of the file that ``--out`` writes; they say what."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    add = parser.add_argument
    own = "a Python file that defines a lesson of your own, to be shown in place of the lecture"
    add("lesson", metavar="MY.py", nargs="?", help=own)
    add(
        "--table",
        metavar="FILE",
        help="go through a small table of your own, as CSV, without the verdicts on the notes",
    )
    add("--full", action="store_true", help="print everything, not only what to take away")
    add("--step", metavar="N", type=int, help=f"only this step, and all of it ({min(STEPS)} to {max(STEPS)})")
    variant = f"which page's copy of the padded table: {', '.join(VARIANTS)} (default: {DEFAULT_VARIANT})"
    add("--variant", metavar="NAME", choices=VARIANTS, help=variant)
    add("--ddof", metavar="0|1", type=int, choices=(0, 1), help="variances divide by n − DDOF (default: 0)")
    eps = "added to every variance (default: 0, and 1e-5 for layer norm over the padded table)"
    add("--eps", metavar="E", type=float, help=eps)
    add("--json", action="store_true", help="print the numbers as JSON at full precision")
    out = f"write a self-contained page instead of printing: {', '.join(f'FILE{suffix}' for suffix in SUFFIXES)}"
    add("--out", metavar="FILE", type=page, help=out)
    add("--slides", action="store_true", help="write slides instead of the page; print them for a PDF")
    add("--graphs", action="store_true", help="write beside FILE.html a page for each graph that steps through it")
    add("--open", action="store_true", help="write the page, to FILE.html or else to a temporary one, and open it")


def page(text: str) -> str:
    """Return the name of a page whose suffix says what to write."""
    if Path(text).suffix.lower() not in SUFFIXES:
        raise argparse.ArgumentTypeError(
            f"must end in one of {', '.join(SUFFIXES)}, which says what to write; got {text!r}"
        )
    return text


def run(args: argparse.Namespace) -> int:
    """Compute the lesson and print, write or open it."""
    _check_pages(args)
    lesson = _lesson(args)
    out: str | None = args.out
    if args.open and out is None:
        out = str(Path(tempfile.mkdtemp(prefix="tinygrad-norm-"), "lecture.html"))
    if out is not None:
        _write(lesson, out, args)
    if args.json:
        print(safe_json(json.dumps(lesson_data(lesson), ensure_ascii=False, allow_nan=False, indent=1)))
    elif out is not None:
        with speaking(lesson.lang):
            print(say("Wrote {file}.", file=shown_name(out)))
    else:
        _print(lesson, args)
    return _opened(out) if args.open and out is not None else 0


def _check_pages(args: argparse.Namespace) -> None:
    """Refuse what needs a page for the browser without one."""
    if args.open and args.out is None:
        return
    for option in ("open", "slides", "graphs"):
        if getattr(args, option) and Path(args.out or "").suffix.lower() not in PAGES:
            got = "none; add --open or --out" if args.out is None else f"--out {shown_name(args.out)}"
            raise InputError(f"--{option} must have a page for the browser, FILE.html; got {got}")


def _write(lesson: Lesson, out: str, args: argparse.Namespace) -> None:
    """Write the page, last; before it the pages of its graphs, to which it links."""
    path = Path(out)
    graphs = _graph_pages(lesson, path.stem, args) if args.graphs or args.out is None else {}
    if path.suffix.lower() in PAGES:
        made = lesson_slides if args.slides else lesson_html
        text = made(lesson, {name: quote(file) for name, (file, _) in graphs.items()})
    else:
        text = lesson_markdown(lesson)
    for name, content in [*graphs.values(), (path.name, text)]:
        with whole_text(str(path.with_name(name))) as file:
            file.write(content)


def _graph_pages(lesson: Lesson, stem: str, args: argparse.Namespace) -> dict[str, tuple[str, str]]:
    """Return for each graph the name of its stepping file, numbered because a key may be any text, and the page.

    Where nothing can draw there are none, unless they were asked for.
    """
    pages: dict[str, tuple[str, str]] = {}
    try:
        for step in lesson.steps:
            for block in step.unfolded:
                if isinstance(block, Graph):
                    page = block.drawing.page
                    pages[graph_name(step, block)] = f"{stem}-graph-{len(pages) + 1}.html", page
    except RendererError:
        if args.graphs:
            raise
        return {}
    return pages


def _lesson(args: argparse.Namespace) -> Lesson:
    """Return what is to be shown: the lecture, a teacher's lesson, or the walk through a table."""
    if args.lesson is not None:
        from ..lessons.from_file import lesson_of  # with all that runs somebody's file

        given = {"--table": args.table, "--variant": args.variant, "--ddof": args.ddof, "--eps": args.eps}
        _refuse("the lecture, not for a lesson of your own", given)
        lesson = lesson_of(args.lesson)
        return lesson if args.step is None else lesson.only(args.step)
    if args.table is not None:
        from ..lessons.own_table.own_lecture import own_lecture
        from ..lessons.own_table.read_table import read_table

        _refuse("the padded table of the notes, not for one of your own", {"--variant": args.variant})
        lesson = own_lecture(read_table(args.table), args.ddof or 0, args.eps or 0.0)
        return lesson if args.step is None else lesson.only(args.step)
    return lecture(Settings(args.variant or DEFAULT_VARIANT, args.ddof or 0, args.eps), args.step)


def _refuse(purpose: str, given: dict[str, object]) -> None:
    for option, value in given.items():
        if value is not None:
            raise InputError(f"{option} is for {purpose}; got {shown_name(str(value))}. Leave it out.")


def _print(lesson: Lesson, args: argparse.Namespace) -> None:
    width, paint = text_width(), paint_for(sys.stdout)
    if args.full or args.step is not None:
        print(lesson_text(lesson, width, paint), end="")
        return
    print(summary_text(lesson, width, paint))
    with speaking(lesson.lang):
        for label, option in (
            ("All of it: {command}", "--full"),
            ("One step: {command}", "--step N"),
            ("As a page: {command}", "--open"),
            ("As slides: {command}", "--slides --open"),
        ):
            print(say(label, command=_again(args, option)))


def _again(args: argparse.Namespace, option: str) -> str:
    """Return the command that shows the same lesson in another way."""
    given: Sequence[object] = [
        *([shown_name(args.lesson)] if args.lesson is not None else []),
        *(
            word
            for name in ("table", "variant", "ddof", "eps")
            if getattr(args, name) is not None
            for word in (f"--{name}", shown_name(str(getattr(args, name))))
        ),
    ]
    return " ".join(map(str, ["tinygrad-norm lecture", *given, option]))


def _opened(path: str) -> int:
    if webbrowser.open(Path(path).resolve().as_uri()):
        return 0
    print(f"tinygrad-norm lecture: no browser could be opened; open {shown_name(path)} in one", file=sys.stderr)
    return 1
