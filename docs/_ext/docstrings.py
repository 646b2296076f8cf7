"""Bring the package's docstrings into the form that Sphinx reads.

They are written to be read in an editor. Three habits need a translation. In a ``Parameters`` section, ``name : what
it is`` without a description below means the description, not the type. A paragraph may follow the parameters. And a
formula may hold ``f(*xs)``, ``|x|`` or ``x_``, which reStructuredText would take for markup.
"""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

PARAMETER = re.compile(r"^(?P<names>[*\w][\w, *]*) : (?P<text>.+)$")
UNDERLINE = re.compile(r"^-{3,}$")
LABEL = re.compile(r"^(Formula|Shapes|Source): ")
MARKUP = re.compile(r"``.+?``|(?::[\w:]+:)?`[^`]+`|\*\*?(?=[^\s*])[^*]*[^\s*]\*\*?(?!\w)")
SPECIAL = re.compile(r"[*|]|(?<=\w)_(?!\w)")


def describe_parameters(lines: list[str]) -> list[str]:
    """Return a docstring's lines with its ``Parameters`` in the form that napoleon reads."""
    heads = [i for i, line in enumerate(lines[1:]) if UNDERLINE.match(line)]
    start = next((i for i in heads if lines[i].strip() == "Parameters"), None)
    if start is None:
        return lines
    end = next((i for i in heads if i > start), len(lines))
    entries, prose = split_entries(lines[start + 2 : end])
    spaced = [*prose, ""] if prose else []
    return [*lines[:start], *spaced, *lines[start : start + 2], *entries, "", *lines[end:]]


def split_entries(section: list[str]) -> tuple[list[str], list[str]]:
    """Return the entries of a section, and the prose below them.

    What follows the colon is a type if another line describes it, one that does not go on with a small letter.
    """
    entries: list[str] = []
    prose: list[str] = []
    for line, after in zip(section, [*section[1:], ""], strict=True):
        match, below = PARAMETER.match(line), after.strip() if after.startswith(" ") else ""
        if prose or not (match or below or line.startswith(" ") or not line):
            prose.append(line)
        elif match and (not below or below[0].islower()):
            entries += [match["names"], f"    {match['text']}"]
        elif line:
            entries.append(line)
    return entries, prose


def escape(text: str) -> str:
    r"""Return text in which only code, roles and paired asterisks are markup.

    Examples
    --------
    >>> print(escape("y = f(*xs) of ``*xs``, *not* |x_|"))
    y = f(\*xs) of ``*xs``, *not* \|x\_\|
    """
    parts, end = [], 0
    for match in MARKUP.finditer(text):
        parts += [SPECIAL.sub(r"\\\g<0>", text[end : match.start()]), match[0]]
        end = match.end()
    return "".join([*parts, SPECIAL.sub(r"\\\g<0>", text[end:])])


def escape_lines(lines: list[str]) -> list[str]:
    """Return a docstring's lines with the prose escaped; examples, literal blocks and names of parameters stay."""
    found: list[str] = []
    example, literal = False, False
    for i, line in enumerate(lines):
        after = lines[i + 1] if i + 1 < len(lines) else ""
        example = line.lstrip().startswith(">>>") or (example and bool(line.strip()))
        literal = literal and (not line.strip() or line.startswith(" "))
        field = after.startswith("    ") and not line.startswith(" ")
        found.append(line if example or literal or field else escape(line))
        literal = literal or line.rstrip().endswith("::")
    return found


def set_labels_apart(lines: list[str]) -> list[str]:
    """Return a docstring's lines with a paragraph of its own for the formula, the shapes and the source."""
    return [part for line in lines for part in (["", line] if LABEL.match(line) else [line])]


# Napoleon reads "The node: what a drawing shows" under a property as a type with a description. Hide the colon from it.
HIDDEN_COLON = "\ue000"


def before_napoleon(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Rewrite a docstring in place."""
    lines[:] = escape_lines(set_labels_apart(describe_parameters(lines)))
    if what in ("property", "attribute") and lines:
        lines[0] = lines[0].replace(": ", HIDDEN_COLON + " ")


def after_napoleon(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Bring the hidden colons back."""
    lines[:] = [line.replace(HIDDEN_COLON, ":") for line in lines]


def init_signature(
    app: Sphinx, what: str, name: str, obj: type, options: object, signature: str | None, returned: str | None
) -> tuple[str | None, str | None]:
    """Return what ``__init__`` takes for a class whose ``__new__`` takes anything, as that of a module does."""
    if what != "class" or signature != "(*args, **kwargs)" or obj.__init__ is object.__init__:
        return signature, returned
    found = inspect.signature(obj.__init__)
    bare = [p.replace(annotation=inspect.Parameter.empty) for p in list(found.parameters.values())[1:]]
    return str(found.replace(parameters=bare, return_annotation=inspect.Signature.empty)), None


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx on both sides of napoleon, whose priority is 500."""
    app.connect("autodoc-process-docstring", before_napoleon, priority=400)
    app.connect("autodoc-process-docstring", after_napoleon, priority=600)
    app.connect("autodoc-process-signature", init_signature)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
