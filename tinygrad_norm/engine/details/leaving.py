"""What happens where a value leaves the tape without saying so: ``float(loss)``, ``np.array([t, t])``, ``a[0] = t``.

Inside a transform or a check it is an error, as the gradient would be wrong in silence; elsewhere, while operations are
recorded, a warning once a line. The explicit ways (``.data .numpy() .item() .tolist() .detach()``, ``no_grad``) say so.
"""

from __future__ import annotations

import linecache
import os
import sys
import warnings

from ...errors import GraphEndsWarning, GraphError
from ..tape import STATE

PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))) + os.sep


def leave_tape(became: str) -> None:
    """Raise or warn, naming the line, because a Tensor that requires a gradient became plain values there."""
    state = STATE.get()
    if not state.recording:
        return
    file, number = line_of_user()
    source = linecache.getline(file, number).strip()
    said = (
        f"a Tensor that requires a gradient must not become {became} unseen; that is where the graph ends, at "
        f"{file}:{number}{f': {source}' if source else ''}. Write .numpy() or .detach() to say so, tg.stack([...]) for "
        "a list of Tensors, or a function of tg or NumPy that takes the Tensor itself."
    )
    if state.strict:
        raise GraphError(said)
    warnings.warn_explicit(said, GraphEndsWarning, file, number, registry=SEEN)


SEEN: dict[str | tuple[str, type[Warning], int], int] = {}
"""The lines that were warned of already, as the warnings module keeps them."""


def line_of_user() -> tuple[str, int]:
    """Return file and line of the innermost frame that is neither ours nor a library's; else of the outermost one."""
    # Python's own folder and every site-packages or dist-packages: sysconfig knows none that a .pth file names.
    folders = (os.path.dirname(os.__file__), *(path for path in sys.path if path.endswith("-packages")))
    libraries = {os.path.join(folder, "") for folder in folders}
    frame = sys._getframe(2)
    while True:
        file = frame.f_code.co_filename
        if not file.startswith((PACKAGE, *libraries, "<frozen")) or frame.f_back is None:
            return file, frame.f_lineno
        frame = frame.f_back
