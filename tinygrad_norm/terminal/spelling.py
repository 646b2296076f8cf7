"""What somebody may have meant by a name that there is not."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(given: object, names: Iterable[object]) -> str:
    """Return the question that a message ends with, a blank before it; nothing where no name is like the given one.

    >>> print(did_you_mean("Soft_max", ["softmax", "relu"]), did_you_mean("--jsn", ["--json"]), did_you_mean("x", "y"))
     Did you mean softmax?  Did you mean --json?
    """
    from difflib import get_close_matches  # only for somebody who mistyped

    stems = {str(name).lstrip("-").casefold(): name for name in names}
    near = get_close_matches(str(given).lstrip("-").casefold(), stems, 1)
    return f" Did you mean {stems[near[0]]}?" if near else ""
