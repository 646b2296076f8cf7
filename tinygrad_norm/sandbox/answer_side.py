"""The process in which an answer runs: Python, NumPy, this file, and the answer; nothing that could judge it is here.

It loads the file whose text it is sent, then does what it is asked, one request at a time: call, look at an attribute,
set one, apply an operator. Values and arrays go back as they are, everything else stays and gets a number
(:mod:`.wire`). What the answer prints goes to standard error. Files, processes, networks and packages that
differentiate are refused (:func:`_guard`); memory, time and files are limited where the system can do it.
"""

from __future__ import annotations

import io
import operator
import os
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from types import ModuleType
from typing import Any

import numpy as np

from .submission import MODULE, account
from .wire import Received, Sent, WireError, read_frame

_ARITHMETIC = (operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod)
_MORE = (operator.pow, operator.matmul, operator.neg, operator.pos, operator.abs, operator.getitem, operator.setitem)
_COMPARING = (operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge, operator.contains)
OPERATORS: dict[str, Callable[..., Any]] = {
    asked.__name__: asked for asked in (*_ARITHMETIC, *_MORE, *_COMPARING, len, list, float, int, bool, isinstance)
}
"""What can be asked of objects that stay here, beside calls and attributes."""

OBJECTS = 1_000_000
"""How many of them are kept."""


class Refused(Exception):  # noqa: N818  # read by a learner: "Refused: …"
    """What an answer must not do, in words."""


class Desk:
    """The answer, the objects of it that the other side knows by number, and what can be asked of them."""

    def __init__(self, send: Callable[[bytes], object], builtins: Mapping[str, Any] | None = None) -> None:
        self._send = send
        self._builtins = {} if builtins is None else {"__builtins__": dict(builtins)}
        self._objects: list[Any] = []
        self._numbers: dict[int, int] = {}
        self._file = ""

    def _handle(self, value: Any) -> list[Any]:
        number = self._numbers.get(id(value))
        if number is None:
            if len(self._objects) >= OBJECTS:
                raise WireError("makes too many objects")
            number = self._numbers[id(value)] = len(self._objects)
            self._objects.append(value)
        kind = "class" if isinstance(value, type) else "function" if callable(value) else "object"
        return [number, kind, str(type(value).__name__)[:80]]

    def answer(self, text: bytes, blobs: bytes) -> None:
        """Do one request and send what came of it."""
        received = Received(text, blobs, self._objects.__getitem__)
        number, action, *content = received.message
        values = Sent(self._handle)
        try:
            operands = [received.value(item) for item in content]
            before = [array.tobytes() for array in received.arrays]
            result = values.tree(getattr(self, f"do_{action}")(*operands))
            pairs = enumerate(zip(received.arrays, before, strict=True))
            changed = [[k, values.tree(array)] for k, (array, bytes_) in pairs if array.tobytes() != bytes_]
            self._send(values.frame([number, "gave", result, changed]))
        except BaseException as error:  # also sys.exit
            unwritten = isinstance(error, NotImplementedError)
            told = [number, "raised", account(error, self._file), type(error).__name__[:80], unwritten]
            self._send(Sent(self._handle).frame(told))

    def do_load(self, source: str, file: str) -> dict[str, Any]:
        """Run the answer as a module of its own; return what can be called in it, by name."""
        self._file = file
        module = ModuleType(MODULE)
        sys.modules[MODULE] = module
        vars(module).update(self._builtins)
        exec(compile(source.encode("latin-1"), file, "exec", dont_inherit=True), module.__dict__)
        return {name: value for name, value in vars(module).items() if callable(value) and not name.startswith("__")}

    def do_beside(self, source: str) -> dict[str, Any]:
        """Run a text of whoever judges; return what can be called in it, by name."""
        defined: dict[str, Any] = {}
        exec(compile(source, "beside", "exec", dont_inherit=True), defined)
        return {name: value for name, value in defined.items() if callable(value)}

    def do_call(self, called: Any, positional: Any, named: Any) -> Any:
        """Call a function or a class."""
        return called(*positional, **named)

    def do_get(self, owner: Any, name: str) -> Any:
        """Look at an attribute."""
        return getattr(owner, name)

    def do_set(self, owner: Any, name: str, value: Any) -> None:
        """Set an attribute."""
        setattr(owner, name, value)

    def do_operator(self, name: str, operands: Any) -> Any:
        """Apply an operator."""
        return OPERATORS[name](*operands)


PROCESSES = {"_ctypes", "_multiprocessing", "_posixsubprocess", "_socket", "_winapi", "ctypes", "multiprocessing"}
PROCESSES |= {"pty", "socket", "subprocess", "_interpreters", "_xxsubinterpreters", "_testcapi"}
"""Modules with ways out that Python does not announce."""

_ALLOWED = sys.stdlib_module_names | {"numpy"}

_REFUSED = (
    *("ctypes.", "ftplib.", "http.", "imaplib.", "pty.", "shutil.", "signal.", "smtplib.", "socket.", "subprocess."),
    *("sys.addaudithook", "urllib.", "webbrowser.", "winreg.", "os.chmod", "os.chown", "os.exec", "os.fork", "os.kill"),
    *("os.link", "os.mkdir", "os.posix_spawn", "os.putenv", "os.remove", "os.rename", "os.rmdir", "os.spawn"),
    *("os.symlink", "os.system", "os.truncate", "os.unsetenv"),
)
"""What begins so, of the events that Python announces."""


def require_allowed(name: str) -> None:
    """Raise ImportError unless an answer may import a module of this name."""
    root = name.partition(".")[0]
    if root in PROCESSES or root not in _ALLOWED:
        whose = "this package" if root == "tinygrad_norm" else root
        raise ImportError(f"imports {whose}: an answer is written with Python and NumPy alone")


def _guard(package: str) -> Callable[[str, tuple[Any, ...]], None]:
    """Return the hook that refuses what an answer has no business with: it cannot be taken out again.

    Read are Python's and NumPy's own files; nothing below ``package``, and nothing is written.
    """
    readable = tuple({os.path.realpath(p) + os.sep for p in (sys.base_prefix, sys.prefix, *_libraries())})
    hidden = os.path.realpath(package) + os.sep
    realpath, fsdecode, separator = os.path.realpath, os.fsdecode, os.sep

    def hook(event: str, details: tuple[Any, ...]) -> None:
        if event == "import":
            require_allowed(details[0])
        elif event == "open":
            path, mode, flags = details
            if isinstance(path, int):
                return
            place = realpath(fsdecode(path)) + separator
            writes = bool((flags or 0) & (os.O_WRONLY | os.O_RDWR)) or any(c in (mode or "") for c in "wax+")
            if writes or not place.startswith(readable) or place.startswith(hidden):
                raise Refused("an answer gets all that it needs as arguments; it opens no files")
        elif event in ("os.listdir", "os.scandir", "os.chdir"):
            if not (realpath(fsdecode(details[0] or ".")) + separator).startswith(readable):
                raise Refused("an answer gets all that it needs as arguments; it looks into no folders")
        elif event.startswith(_REFUSED):
            raise Refused(f"an answer computes; it must not use {event}")

    return hook


def _libraries() -> Iterable[str]:
    """Return where NumPy is, and what is found beside it."""
    return (os.path.dirname(os.path.dirname(np.__file__)),)


def _limit(memory: int, cpu: int) -> None:
    """Limit memory, time on the processor, and the size of files, where the system can do it."""
    try:
        import resource
    except ImportError:  # only POSIX has it
        return
    # No process or thread beside this one, for users other than root.
    limits = {"RLIMIT_NPROC": 0, "RLIMIT_AS": memory, "RLIMIT_CPU": cpu, "RLIMIT_FSIZE": 0, "RLIMIT_NOFILE": 64}
    for name, size in limits.items():
        _, hard = resource.getrlimit(getattr(resource, name))
        least = size if hard == resource.RLIM_INFINITY else min(size, hard)
        try:
            resource.setrlimit(getattr(resource, name), (least, least))
        except (OSError, ValueError):
            continue  # macOS has some of the limits and refuses to set them


def _watch(seconds: float) -> None:
    """End the process when its time is up or whoever started it is gone; nobody else may be there to do it."""
    end, parent = time.monotonic() + seconds, os.getppid()
    while time.monotonic() < end and os.getppid() == parent:
        time.sleep(0.2)
    os._exit(70)


def main(package: str, memory: int, seconds: float) -> None:
    """Answer what standard input asks, until it ends."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    sys.stdin = io.StringIO()
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    threading.Thread(target=_watch, args=(seconds,), daemon=True).start()
    _limit(memory, int(seconds) + 1)
    for name in [name for name in sys.modules if name.partition(".")[0] in PROCESSES]:
        del sys.modules[name]
    sys.addaudithook(_guard(package))

    def send(frame: bytes) -> None:
        replies.write(frame)
        replies.flush()

    desk = Desk(send)
    send(Sent(lambda value: []).frame("ready"))
    while (frame := read_frame(requests.read)) is not None:
        desk.answer(*frame)
    os._exit(0)
