"""Runs a check of a learner's file in a process of its own, with a time limit, and keeps what it prints off the screen.

Whatever the file does (raise, print, loop, exit, kill itself), the caller gets a result or a message of one line.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from ..errors import LearnerCodeError

ROOT = Path(__file__).resolve().parent.parent.parent
START = "import sys; from tinygrad_norm.gradcheck.learner import main; main(sys.argv[1:])"
CHUNK = 1 << 16


@dataclass(frozen=True)
class Outcome:
    """The result of a check in another process.

    ``result`` is what :func:`.learner.check_file` returned; ``printed`` counts the lines that the learner's code
    printed, and ``first`` is the first of them.
    """

    result: dict[str, Any]
    printed: int
    first: str


class _Drain(threading.Thread):
    """Reads a stream to its end, counts its lines and keeps the beginning of the first."""

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__(daemon=True)
        self.stream, self.lines, self.start_of_output = stream, 0, b""

    def run(self) -> None:
        """Read until the other side closes."""
        while chunk := os.read(self.stream.fileno(), CHUNK):
            self.start_of_output = (self.start_of_output + chunk)[:200]
            self.lines += chunk.count(b"\n")

    def finish(self) -> None:
        """Wait for the end of the stream and close it; a process that escaped may hold it open, and keeps it."""
        self.join(timeout=1.0)
        if not self.is_alive():
            self.stream.close()

    @property
    def first(self) -> str:
        """The first line, at most 60 characters of it."""
        text = self.start_of_output.decode("utf-8", errors="replace").lstrip()
        return text.splitlines()[0][:60] if text else ""


def check_in_process(path: Path, function: str, order: int, seed: int, timeout: float) -> Outcome:
    """Check a function of a file in a process of its own.

    Raises
    ------
    LearnerCodeError
        The file could not be checked: it raised, ran for too long, ended the process or gave nonsense.
    """
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "result.json"
        arguments = [str(path), function, str(order), str(seed), str(answer)]
        process, drain = _start(arguments)
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise LearnerCodeError(
                f"{path.name}:{function} must finish within {timeout:g} s; it was stopped. Check a smaller sample, "
                "look for an endless loop, or allow more time with --timeout."
            ) from None
        finally:
            _kill(process)
            drain.finish()
        if not answer.exists():
            raise LearnerCodeError(f"{path.name} {_ending(code)} before the check was done. Take that out of the file.")
        result: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
    if "error" in result:
        raise LearnerCodeError(result["error"])
    return Outcome(result, drain.lines, drain.first)


def _start(arguments: Sequence[str]) -> tuple[subprocess.Popen[bytes], _Drain]:
    known = os.environ.get("PYTHONPATH")
    process = subprocess.Popen(
        [sys.executable, "-c", START, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *([known] if known else [])])},
        start_new_session=os.name == "posix",
    )
    assert process.stdout is not None  # it is a pipe
    drain = _Drain(process.stdout)
    drain.start()
    return process, drain


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Stop the process, if it still runs, and everything that it has started."""
    with suppress(ProcessLookupError):
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()


def _ending(code: int) -> str:
    """Return how a process ended.

    >>> _ending(3), _ending(-11)
    ('ended the process (exit code 3)', 'ended the process (signal 11)')
    """
    return f"ended the process (exit code {code})" if code >= 0 else f"ended the process (signal {-code})"
