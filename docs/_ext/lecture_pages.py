"""The lecture's page and its slides as a part of the site, written by the command when the site is built.

``<!-- generated: lecture-pages -->`` is the place of the links to them.
"""

from __future__ import annotations

from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

from operations import PICTURES

from tinygrad_norm.cli import main

FILES: dict[str, tuple[str, tuple[str, ...]]] = {
    "the page": ("lecture.html", ()),
    "the slides": ("lecture-slides.html", ("--slides",)),
}


def lecture_pages() -> str:
    """Return the links to the page and to the slides."""
    links = ", ".join(f'<a href="{PICTURES}/{name}">{what}</a>' for what, (name, _) in FILES.items())
    return f"```{{raw}} html\n<p>As written when this site was built: {links}.</p>\n```\n"


def write_lecture(site: Path) -> None:
    """Write both, and the pages that step through their graphs, where the links lead.

    Raises
    ------
    RuntimeError
        The command could not write one.
    """
    folder = (site / "page" / PICTURES).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    for name, options in FILES.values():
        with redirect_stdout(StringIO()):
            failed = main(["lecture", *options, "--graphs", "--out", str(folder / name)])
        if failed:
            raise RuntimeError(f"the command lecture could not write {name}")
