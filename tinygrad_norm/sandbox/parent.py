"""Starting the process, listening to it, and ending it: :func:`run`."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

from ..errors import SandboxError
from .child import DONE, READY, Job
from .submission import one_line

GIBIBYTE = 2**30
MEMORY = 4 * GIBIBYTE
"""What the process may use, in bytes, where the system can limit it."""

STARTING = 60.0
"""Seconds that Python and NumPy may take to start on a busy machine: not the file's fault."""

SHOWN = 60
"""Characters of what the file printed that are kept."""

_ROOT = str(Path(__file__).resolve().parents[2])
_BOOT = "import sys; sys.path[:] = {path!r}; from tinygrad_norm.sandbox.child import main; main()"


@dataclass(frozen=True)
class Ending:
    """How the process ended.

    Attributes
    ----------
    how : str
        ``finished``, ``too long`` (nothing was heard for longer than the limit) or ``died``.
    reason : str
        The same in words, for a sentence about the file; empty if it finished.
    """

    how: Literal["finished", "too long", "died"]
    reason: str = ""


@dataclass(frozen=True)
class Printed:
    """What the file printed: how many lines, and the beginning of the first."""

    lines: int = 0
    first: str = ""


@dataclass(frozen=True)
class JobResult:
    """What a job reported, how its process ended, and what the file printed meanwhile."""

    messages: tuple[Any, ...]
    ending: Ending
    printed: Printed


def run(job: Job, arguments: Mapping[str, Any], seconds: float = 10.0, memory: int = MEMORY) -> JobResult:
    """Run a job in a process of its own and return what it reported.

    Parameters
    ----------
    job : generator function
        At the top level of a module of this package. It runs in the process, yields what JSON can hold, and may load
        files of which nothing is known.
    arguments : mapping
        Its keyword arguments, as JSON can hold them.
    seconds : float
        The longest time between two reports; then the process and all that it started are killed.
    memory : int
        Bytes that it may use (not on Windows and macOS).

    Raises
    ------
    SandboxError
        If the process cannot be started: no fault of the file's.
    """
    process = _start()
    lines: queue.Queue[str | None] = queue.Queue()
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    listener = threading.Thread(target=_listen, args=(process.stdout, lines), daemon=True)
    listener.start()
    drain = Drain(process.stderr)
    drain.start()
    messages: list[Any] = []
    try:
        order = {"module": job.__module__, "function": job.__qualname__, "arguments": dict(arguments), "memory": memory}
        try:
            process.stdin.write(json.dumps(order) + "\n")
            process.stdin.close()
        except OSError:
            pass  # it has died already, which the lines will show
        ending = _collect(process, lines, messages, seconds)
    finally:
        end_group(process)
        # A process that was started in a session of its own survives, and may hold the pipes open: then the readers
        # are left to it, and close them when it ends.
        listener.join(timeout=1.0)
        drain.join(timeout=1.0)
    return JobResult(tuple(messages), ending, drain.heard.printed)


def _start() -> subprocess.Popen[str]:
    here = os.getcwd()
    # The folder we were started in may hold files that hide modules; the package is found without it.
    path = [_ROOT, *(p for p in sys.path if p not in ("", here, _ROOT))]
    return subprocess.Popen(
        [sys.executable, "-I", "-B", "-u", "-X", "utf8", "-c", _BOOT.format(path=path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        # One thread each: several processes may run at once.
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"},
        start_new_session=True,
    )


def _listen(stream: IO[str], lines: queue.Queue[str | None]) -> None:
    with stream:
        for line in stream:
            lines.put(line)
    lines.put(None)


class Heard:
    """Hears what is printed, and keeps no more than the beginning."""

    def __init__(self) -> None:
        self._lines = 0
        self._beginning = b""

    def hear(self, chunk: bytes) -> None:
        """Take in what was printed next."""
        self._beginning = (self._beginning + chunk[: 20 * SHOWN])[: 20 * SHOWN]
        self._lines += chunk.count(b"\n")

    @property
    def printed(self) -> Printed:
        """What was heard so far."""
        return Printed(self._lines, one_line(self._beginning.decode("utf-8", errors="replace"), SHOWN))


class Drain(threading.Thread):
    """Hears a stream to its end."""

    def __init__(self, stream: IO[Any]) -> None:
        super().__init__(daemon=True)
        self._stream = stream
        self.heard = Heard()

    def run(self) -> None:
        """Read until the other side closes."""
        with self._stream:
            while chunk := os.read(self._stream.fileno(), 1 << 16):
                self.heard.hear(chunk)


def _collect(
    process: subprocess.Popen[str], lines: queue.Queue[str | None], messages: list[Any], seconds: float
) -> Ending:
    """Fill ``messages`` until the process is done, dead or silent for too long."""
    _await_start(process, lines)
    while True:
        try:
            line = lines.get(timeout=seconds)
        except queue.Empty:
            return Ending("too long", f"does not end within {seconds:g} s")
        if line is None or not line.endswith("\n"):  # dead, perhaps in the middle of a word
            return Ending("died", reason_of(process))
        try:
            message = json.loads(line)
        except ValueError:
            return Ending("died", "writes into the channel of the results")
        if message == DONE:
            return Ending("finished")
        messages.append(message)


def _await_start(process: subprocess.Popen[str], lines: queue.Queue[str | None]) -> None:
    try:
        line = lines.get(timeout=STARTING)
    except queue.Empty:
        happened = f"nothing was heard of it for {STARTING:g} s"
    else:
        if line is not None and json.loads(line) == READY:
            return
        happened = f"it {reason_of(process)}"
    raise SandboxError(
        f"a process for the file must start: {sys.executable} with this package and NumPy; {happened}. "
        "Check that other programs leave it memory, and try again."
    )


def reason_of(process: subprocess.Popen[Any]) -> str:
    """Say why a process that closed its output without a word is gone."""
    try:
        code = process.wait(timeout=1.0)
    except subprocess.TimeoutExpired:
        return "closes the channel of the results"
    if 0 <= code <= 128:
        return f"ends the whole process (exit code {code})"
    number = -code if code < 0 else code - 128  # how a shell, and a cage, tell of a signal
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    return f"crashes the whole process ({name})"


def end_group(process: subprocess.Popen[Any]) -> None:
    """End the process and, where the system knows groups, everything that it started."""
    try:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    except (ProcessLookupError, PermissionError):
        pass  # it is gone
    process.wait()
