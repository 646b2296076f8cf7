"""What keeps an answer from the rest of the machine: bubblewrap where it is installed and works, limits elsewhere."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from enum import Enum
from functools import cache
from pathlib import Path

SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache", "/etc/alternatives")
"""What a Python needs of a Linux system."""


class Protection(Enum):
    """Under what an answer runs, in words for a report."""

    CAGE = "bubblewrap: no network, no files but Python's own, a process tree of its own, limits on time and memory"
    LIMITS = (
        "limits on time, memory and files; opening files, starting processes and networks are refused inside Python"
    )


@cache
def protection() -> Protection:
    """Return the best protection that this machine has; tried once."""
    bwrap = shutil.which("bwrap")
    if bwrap is None or sys.platform != "linux":
        return Protection.LIMITS
    command = [sys.executable, "-I", "-c", "pass"]
    tried = subprocess.run(caged_command(command), stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return Protection.CAGE if tried.returncode == 0 else Protection.LIMITS


def caged_command(command: Sequence[str], library: str = "", package: str = "", room: str = "") -> list[str]:
    """Return the command that runs another one in a cage.

    In it are the system's programs, Python with the ``library`` folder in which NumPy is, and nothing of the
    ``package`` but the one ``room``.
    """
    folders = dict.fromkeys([*SYSTEM, sys.base_prefix, sys.prefix, library])
    shown = [str(Path(folder)) for folder in folders if folder and Path(folder).exists()]
    bound = [word for folder in shown for word in ("--ro-bind", folder, folder)]
    if package:
        bound += ["--tmpfs", package, "--ro-bind", room, room]
    return [
        # Its own /tmp comes first: Python itself may lie in the one outside.
        *("bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--tmpfs", "/tmp", *bound, "--dev", "/dev"),
        *("--proc", "/proc", "--setenv", "HOME", "/tmp", "--setenv", "TMPDIR", "/tmp", "--chdir", "/tmp", *command),
    ]
