"""An answer at work in a process of its own, asked from here: :class:`AnswerSession` and the :class:`Remote` objects.

:class:`Answer` is what can be asked of it wherever it is; :mod:`.answer_here` has one that needs no process.

What the answer defines is used as if it were here, ``names["Value"](2.0) * 3.0``; each step is a request to the
process, and only plain values, arrays and handles come back. So whoever judges keeps everything that could be forged:
an answer that patches, searches or prints gives wrong numbers and nothing more.
"""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import numpy as np

from ..errors import SandboxError
from .answer_side import OPERATORS
from .cage import Protection, caged_command, protection
from .parent import GIBIBYTE, STARTING, Drain, Printed, end_group, reason_of
from .submission import one_line
from .wire import Received, Sent, WireError, read_frame

MEMORY = 2 * GIBIBYTE
_FOLDER = str(Path(__file__).resolve().parent)
_PACKAGE = str(Path(__file__).resolve().parents[1])
_BOOT = """
import sys, types
sys.path[:] = {path!r}
room = types.ModuleType("sandbox")
room.__path__ = [{folder!r}]
sys.modules["sandbox"] = room
from sandbox.answer_side import main
main({package!r}, {memory!r}, {seconds!r})
"""


class AnswerEndedError(Exception):
    """The process of an answer is gone: what it did, in words, and a short stable code."""

    def __init__(self, reason: str, code: str) -> None:
        super().__init__(reason)
        self.code = code


class AnswerRaisedError(Exception):
    """The answer raised something: the message says what and where, in one line."""


class Remote:
    """An object of the answer, which stays in its process: calls, attributes and operators ask for it there."""

    __slots__ = ("_number", "_session")
    __array_ufunc__ = None  # an array on the left leaves an operator to the object

    def __init__(self, session: Answer, number: int) -> None:
        object.__setattr__(self, "_session", session)
        object.__setattr__(self, "_number", number)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._session.ask("get", self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._session.ask("set", self, name, value)

    def __array__(self, *_: object, **__: object) -> Any:
        raise TypeError("an object of the answer is no array")

    def __hash__(self) -> int:
        return hash(self._number)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of the answer>"

    def __iter__(self) -> Iterator[Any]:
        return iter(self._session.ask("operator", "list", (self,)))


class RemoteCallable(Remote):
    """A function or a class of the answer."""

    __slots__ = ()

    def __call__(self, *positional: Any, **named: Any) -> Any:
        """Call it there."""
        return self._session.ask("call", self, positional, named)

    def __instancecheck__(self, instance: object) -> bool:
        return isinstance(instance, Remote) and bool(self._session.ask("operator", "isinstance", (instance, self)))


def beside(known: Any, source: str) -> Mapping[str, Any]:
    """Define functions in the process in which an object of an answer lives, or here if it lives here.

    They do at one request what would take thousands. What they give is the answer's word, as everything from there is.
    """
    if isinstance(known, Remote):
        names: Mapping[str, Any] = known._session.ask("beside", source)
        return names
    defined: dict[str, Any] = {}
    exec(compile(source, "beside", "exec", dont_inherit=True), defined)
    return defined


def _operator(name: str, turned: bool = False) -> Callable[..., Any]:
    def asked(self: Remote, *others: Any) -> Any:
        return self._session.ask("operator", name, (*others, self) if turned else (self, *others))

    return asked


_BINARY = {"add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul"}
_OTHERS = {"list", "isinstance"}
"""Asked in another way."""
for _name in OPERATORS:
    if _name not in _OTHERS:
        setattr(Remote, f"__{_name}__", _operator(_name))
    if _name in _BINARY:
        setattr(Remote, f"__r{_name}__", _operator(_name, turned=True))


class Answer:
    """An answer, asked request for request, whatever carries the requests: what all ways of running one share."""

    def __init__(self, source: bytes, file: str) -> None:
        self._source, self._file = source, file
        self._sent = 0
        self._kinds: dict[str, type[Remote]] = {}
        self.ended: AnswerEndedError | None = None

    def __enter__(self) -> Answer:
        """Wait until it can be asked."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        """End it."""

    @property
    def printed(self) -> Printed:
        """What the answer printed: all of it once it has ended, before that what has arrived."""
        raise NotImplementedError

    def _exchange(self, frame: bytes) -> tuple[bytes, bytes]:
        """Return the reply to a request."""
        raise NotImplementedError

    def _end(self, reason: str, code: str) -> AnswerEndedError:
        self.ended = AnswerEndedError(reason, code)
        return self.ended

    def load(self) -> Mapping[str, Any]:
        """Run the answer; return the functions and classes that it defines, by name."""
        names: Mapping[str, Any] = self.ask("load", self._source.decode("latin-1"), self._file)
        return names

    def ask(self, action: str, *operands: Any) -> Any:
        """Have the answer do something and return what it gives; arrays that it changed are changed here, too.

        AnswerRaisedError or NotImplementedError as the answer raised; AnswerEndedError if it is gone.
        """
        if self.ended is not None:
            raise self.ended
        values = Sent(self._number_of)
        self._sent += 1
        try:
            frame = self._exchange(values.frame([self._sent, action, *map(values.tree, operands)]))
            return self._read(frame, values.arrays)
        except WireError as error:
            raise self._end(f"sends back what {error}", "bad-reply") from None

    def _number_of(self, value: Any) -> Any:
        if isinstance(value, Remote) and value._session is self:
            return object.__getattribute__(value, "_number")
        raise SandboxError(f"an answer must be asked with numbers, texts, arrays and its own objects; got {value!r}.")

    def _read(self, frame: tuple[bytes, bytes], given: Sequence[Any]) -> Any:
        received = Received(*frame, handle=self._remote)
        match received.message:
            case [self._sent, "gave", tree, list(changed)]:
                result = received.value(tree)
                _change(given, [(k, received.value(array)) for k, array in changed])
                return result
            case [self._sent, "raised", str(told), str(), bool(unwritten)]:
                text = one_line(told)
                raise NotImplementedError(text) if unwritten else AnswerRaisedError(text)
        raise WireError("is no reply")

    def _remote(self, content: Any) -> Remote:
        number, kind, name = content
        if type(number) is not int or kind not in ("class", "function", "object") or type(name) is not str:
            raise ValueError(content)
        name = name if name.isidentifier() else "object"
        if name not in self._kinds and len(self._kinds) < 1000:
            self._kinds[f"{kind} {name}"] = type(
                name, (Remote if kind == "object" else RemoteCallable,), {"__slots__": ()}
            )
        return self._kinds[f"{kind} {name}"](self, number)


class AnswerSession(Answer):
    """The process of one answer.

    Parameters
    ----------
    source : bytes
        The Python file.
    file : str
        What it is called in tracebacks.
    seconds : float
        How long loading it, or one request, may take.
    total : float
        How long the process may live: seconds by the clock, and on the processor.
    memory : int
        Bytes that it may use, where the system can limit it.

    Examples
    --------
    >>> with AnswerSession(b"double = lambda x: 2 * x", "answer.py") as session:
    ...     names = session.load()
    ...     names["double"](np.array([1.0, 2.0]))
    array([2., 4.])
    """

    def __init__(
        self, source: bytes, file: str, seconds: float = 10.0, total: float = 120.0, memory: int = MEMORY
    ) -> None:
        super().__init__(source, file)
        self._seconds, self._total = seconds, total
        self._end_at = time.monotonic() + total
        self.folder = tempfile.TemporaryDirectory(prefix="tinygrad_norm-")
        try:
            self._process = _start(memory, total, self.folder.name)
        except BaseException:
            self.folder.cleanup()
            raise
        self._frames: queue.Queue[tuple[bytes, bytes] | str | None] = queue.Queue(maxsize=4)
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        threading.Thread(target=_listen, args=(self._process.stdout, self._frames), daemon=True).start()
        self._drain = Drain(self._process.stderr)
        self._drain.start()

    def __enter__(self) -> AnswerSession:
        """Wait until the process is ready; it is no fault of the answer's if it is not."""
        try:
            first = self._frames.get(timeout=min(STARTING, self._total))
        except queue.Empty:
            first = f"nothing was heard of it for {STARTING:g} s"
        if isinstance(first, tuple) and first[0] == b'"ready"':
            return self
        happened = first if isinstance(first, str) else reason_of(self._process)
        self.__exit__()
        raise SandboxError(
            f"a process for the file must start: {sys.executable} with NumPy; it {happened}. "
            "Check that other programs leave it memory, and try again."
        )

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        """End the process and all that it started."""
        end_group(self._process)
        assert self._process.stdin is not None
        with suppress(OSError):  # a request that it did not take is lost
            self._process.stdin.close()
        self._drain.join(timeout=1.0)
        self.folder.cleanup()

    @property
    def printed(self) -> Printed:
        """What the answer printed."""
        return self._drain.heard.printed

    def _exchange(self, frame: bytes) -> tuple[bytes, bytes]:
        assert self._process.stdin is not None
        with suppress(OSError):  # it is gone, which reading will show
            self._process.stdin.write(frame)
            self._process.stdin.flush()
        left = max(self._end_at - time.monotonic(), 0.0)
        try:
            reply = self._frames.get(timeout=min(self._seconds, left))
        except queue.Empty:
            if left < self._seconds:
                raise self._end(
                    f"takes the file over the {self._total:g} s that it has as a whole", "too-long"
                ) from None
            raise self._end(f"does not end within {self._seconds:g} s", "too-long") from None
        if reply is None:
            raise self._end(reason_of(self._process), "died")
        if isinstance(reply, str):
            raise self._end(f"sends back what {reply}", "bad-reply")
        return reply

    def _end(self, reason: str, code: str) -> AnswerEndedError:
        end_group(self._process)
        return super()._end(reason, code)


def _change(given: Sequence[Any], changed: Sequence[tuple[Any, Any]]) -> None:
    """Do to our arrays what the answer did to its copies of them."""
    for k, array in changed:
        if type(k) is not int or not 0 <= k < len(given) or not isinstance(array, np.ndarray):
            raise WireError("changes what was not given")
        ours = given[k]
        if isinstance(ours, np.ndarray) and ours.flags.writeable and ours.shape == array.shape:
            ours[...] = array


def _start(memory: int, total: float, folder: str) -> subprocess.Popen[bytes]:
    library = str(Path(np.__file__).resolve().parents[1])
    path = [p for p in sys.path if p.startswith((sys.base_prefix, sys.prefix)) and p != library]
    boot = _BOOT.format(path=[*path, library], folder=_FOLDER, package=_PACKAGE, memory=memory, seconds=total)
    command = [sys.executable, "-I", "-B", "-u", "-X", "utf8", "-c", boot]
    return subprocess.Popen(
        caged_command(command, library, _PACKAGE, _FOLDER) if protection() is Protection.CAGE else command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder,
        env=_environment(folder),
        start_new_session=True,
    )


def _environment(folder: str) -> dict[str, str]:
    """Return what the process knows of the environment: one thread for NumPy, and a home that is its own."""
    kept = {
        name: os.environ[name] for name in ("SYSTEMROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH") if name in os.environ
    }
    one = {f"{library}_NUM_THREADS": "1" for library in ("OPENBLAS", "OMP", "MKL")}
    return {**kept, **one, "HOME": folder, "TMPDIR": folder, "PATH": os.defpath, "LC_ALL": "C.UTF-8"}


def _listen(stream: IO[bytes], frames: queue.Queue[tuple[bytes, bytes] | str | None]) -> None:
    with stream:
        while True:
            try:
                frame: tuple[bytes, bytes] | str | None = read_frame(stream.read)
            except WireError as error:
                frame = str(error)
            except (OSError, ValueError):
                frame = None
            frames.put(frame)
            if not isinstance(frame, tuple):
                return
