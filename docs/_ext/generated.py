"""Read pages as the site shows them.

A place for generated text, ``<!-- generated: NAME arguments -->`` on a line of its own, is filled. ``GENERATORS``
holds what there is. Each generator is a function from the arguments to Markdown, free of Sphinx, so that the tests can
call it.
Nothing generated is stored: what a page shows is what the code says at the build. The exception is what the labs found,
which takes minutes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api_listing import api_listing
from command_line import command_line
from contents import contents
from extras import extras
from gpt_results import gpt_results
from lab_results import lab_results
from lecture_numbers import lecture_numbers
from lecture_pages import lecture_pages, write_lecture
from operations import numpy_functions, operations
from pictures import figure, stepping, write_pictures
from the_notes import notes_lines, notes_table

if TYPE_CHECKING:
    from sphinx.application import Sphinx

# An example's last line of output is followed by a blank one for doctest's sake. A reader has no use for it.
BLANK_AT_END = re.compile(r"\n[ \t]*\n(?=```[ \t]*$)", re.MULTILINE)
PLACE = re.compile(r"^<!-- generated: (?P<name>[\w-]+) ?(?P<arguments>.*?) -->$", re.MULTILINE)

GENERATORS: Mapping[str, Callable[..., str]] = {
    "api": api_listing,
    "command-line": command_line,
    "contents": contents,
    "extras": extras,
    "figure": figure,
    "gpt": gpt_results,
    "labs": lab_results,
    "lecture-numbers": lecture_numbers,
    "lecture-pages": lecture_pages,
    "notes-lines": notes_lines,
    "notes-table": notes_table,
    "numpy-functions": numpy_functions,
    "operations": operations,
    "stepping": stepping,
}


def fill(page: str) -> str:
    """Return a page's source with every place filled.

    Raises
    ------
    KeyError
        A place names no generator.
    """
    return PLACE.sub(lambda m: GENERATORS[m["name"]](*m["arguments"].split()), page)


def on_source_read(app: Sphinx, docname: str, source: list[str]) -> None:
    """Prepare a page as Sphinx reads it; a page with generated text is read again at every build."""
    source[0] = BLANK_AT_END.sub("\n", source[0])
    if PLACE.search(source[0]):
        source[0] = fill(source[0])
        app.env.note_reread()


def on_builder_inited(app: Sphinx) -> None:
    """Draw the pictures, where the result is a site that can show them."""
    if app.builder.format == "html":
        write_pictures(Path(app.outdir))
        write_lecture(Path(app.outdir))


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.connect("builder-inited", on_builder_inited)
    app.connect("source-read", on_source_read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
