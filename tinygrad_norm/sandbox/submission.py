"""The file that is run: loading it, and saying in one line what it raised."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType

LONGEST = 200
"""Characters of a message that are passed on."""

MODULE = "submission"
"""The name that the file has as a module: ``if __name__ == "__main__"`` does not hold in it."""


def load(file: str) -> ModuleType:
    """Run a Python file as a module of its own and return it; whatever it raises comes out.

    Modules beside the file can be imported, but do not hide installed ones of the same name.

    Parameters
    ----------
    file : str
        Path of the file.
    """
    sys.path.append(os.path.dirname(os.path.abspath(file)))
    code = compile(Path(file).read_bytes(), file, "exec", dont_inherit=True)
    module = ModuleType(MODULE)
    module.__file__ = file
    sys.modules[MODULE] = module
    exec(code, module.__dict__)
    return module


def account(error: BaseException, file: str) -> str:
    """Say in one line what was raised, and in which line of the file.

    Examples
    --------
    >>> account(NotImplementedError(), "answer.py")
    'not written yet'
    >>> try:
    ...     compile("x = (", "answer.py", "exec")
    ... except SyntaxError as error:
    ...     account(error, "answer.py")
    "line 1: SyntaxError: '(' was never closed"
    """
    line = line_of(error, file)
    where = f"line {line}: " if line else ""
    if isinstance(error, NotImplementedError):
        return "not written yet"
    if isinstance(error, SystemExit):
        return f"{where}ends the program (sys.exit); return a value instead"
    if isinstance(error, EOFError):
        return f"{where}asks for keyboard input; use the arguments instead"
    if isinstance(error, RecursionError):
        return f"{where}calls itself without end (RecursionError)"
    if isinstance(error, MemoryError):
        return f"{where}needs more memory than is allowed (MemoryError)"
    text = error.msg if isinstance(error, SyntaxError) else _text_of(error)
    return f"{where}{type(error).__name__}{': ' if text else ''}{text}"


def line_of(error: BaseException, file: str) -> int | None:
    """Return the innermost line of the file that an error came through, None if it did not."""
    if isinstance(error, SyntaxError) and error.filename == file:
        return error.lineno
    line, traceback = None, error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == file:
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line


def _text_of(error: BaseException) -> str:
    """Return the first line of the message, whatever its ``__str__`` does."""
    try:
        text = str(error)
    except Exception:
        return "(its message cannot be shown)"
    return one_line(text)


def one_line(text: str, longest: int = LONGEST) -> str:
    r"""Return the first line of a text, without what cannot be shown, and not too long.

    Examples
    --------
    >>> one_line(" shapes differ: \x1b[31m(2,)\nand (3,)")
    'shapes differ: �[31m(2,)'
    """
    first = text[: 10 * longest].strip().partition("\n")[0]
    shown = "".join(c if c.isprintable() else "�" for c in first)
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"
