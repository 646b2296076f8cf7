"""A process for somebody else's code: what it reports, how it ends, and that nothing of it stays."""

from __future__ import annotations

import os
import signal
import socket
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tinygrad_norm.errors import SandboxError
from tinygrad_norm.sandbox import Ending, Printed, run

JOBS = """
import os, signal, socket, subprocess, sys, time

def talks(words):
    print("hello\\x1b")
    sys.stderr.write("there\\n")
    os.write(1, b"and there\\n")
    for word in words:
        yield {"word": word, "input": sys.stdin.read(), "inherited": os.environ.get("OMP_NUM_THREADS")}

def falls_silent():
    yield "first"
    print("still here")
    while True:
        time.sleep(60)

def leaves():
    yield "first"
    os._exit(3)

def crashes():
    yield "first"
    os.kill(os.getpid(), signal.SIGSEGV)

def is_signaled():
    yield "first"
    os.kill(os.getpid(), signal.SIGRTMIN + 3)

def raises():
    yield "first"
    sys.exit(5)

def scribbles():
    yield "first"
    for descriptor in range(3, 16):
        try:
            os.write(descriptor, b"\\xff?\\n")
        except OSError:
            pass
    time.sleep(60)

def shuts_the_door():
    yield "first"
    os.closerange(3, 16)
    time.sleep(60)

def is_greedy():
    try:
        bytearray(3 << 30)
    except MemoryError:
        yield "refused"

def starts_another(port):
    line = socket.create_connection(("127.0.0.1", port))
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], stdin=line.fileno())
    yield "started"
    time.sleep(60)

def leaves_another_behind(seconds):
    subprocess.Popen([sys.executable, "-c", f"import time; time.sleep({seconds})"], start_new_session=True)
    yield "started"
"""


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A module with jobs, to be found by this process and the one it starts."""
    (tmp_path / "jobs_of_the_test.py").write_text(JOBS, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "jobs_of_the_test", raising=False)
    return import_module("jobs_of_the_test")


def test_what_a_job_reports_and_prints(jobs: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "numpy.py").write_text("1 / 0", encoding="utf-8")
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", ["", str(folder), *sys.path])
    outcome = run(jobs.talks, {"words": ["Hi", "Nitish ♥"]})
    assert [message["word"] for message in outcome.messages] == ["Hi", "Nitish ♥"]
    assert [message["input"] for message in outcome.messages] == ["", ""]
    assert outcome.messages[0]["inherited"] == "1"
    assert outcome.ending == Ending("finished")
    assert outcome.printed == Printed(3, "hello�")


def test_silence_for_too_long(jobs: Any) -> None:
    outcome = run(jobs.falls_silent, {}, seconds=0.5)
    assert outcome.messages == ("first",)
    assert outcome.ending == Ending("too long", "does not end within 0.5 s")
    assert outcome.printed == Printed(1, "still here")


@pytest.mark.parametrize(
    ("job", "reason"),
    [
        ("leaves", "ends the whole process (exit code 3)"),
        ("crashes", "crashes the whole process (SIGSEGV)"),
        ("is_signaled", f"crashes the whole process (signal {signal.SIGRTMIN + 3})"),
        ("raises", "ends the whole process (exit code 5)"),
        ("scribbles", "writes into the channel of the results"),
        ("shuts_the_door", "closes the channel of the results"),
    ],
)
def test_a_process_that_dies(jobs: Any, job: str, reason: str) -> None:
    outcome = run(getattr(jobs, job), {})
    assert (outcome.messages, outcome.ending) == (("first",), Ending("died", reason))


def test_memory_is_limited(jobs: Any) -> None:
    assert run(jobs.is_greedy, {}, memory=2 << 30).messages == ("refused",)


def test_what_the_process_started_is_ended_with_it(jobs: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        outcome = run(jobs.starts_another, {"port": server.getsockname()[1]}, seconds=0.5)
        assert outcome.ending.how == "too long"
        line, _ = server.accept()
        with line:
            line.settimeout(30)
            assert line.recv(1) == b""  # the last one that held the other end is gone


def test_a_survivor_does_not_hold_the_caller_up(jobs: Any) -> None:
    outcome = run(jobs.leaves_another_behind, {"seconds": 4})
    assert (outcome.messages, outcome.ending.how) == (("started",), "finished")


def test_an_interrupt_ends_the_process(jobs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    module = sys.modules["tinygrad_norm.sandbox.parent"]
    started: list[Any] = []

    def interrupt(process: Any, *_: object) -> None:
        started.append(process)
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "_collect", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run(jobs.falls_silent, {})
    assert started[0].returncode is not None


def test_a_system_without_groups_of_processes(jobs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "killpg")
    assert run(jobs.falls_silent, {}, seconds=0.2).ending.how == "too long"


def test_python_does_not_start(jobs: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\nexit 9\n", encoding="utf-8")
    broken.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(broken))
    with pytest.raises(SandboxError, match=r"must start: .*; it ends the whole process \(exit code 9\)\. Check that"):
        run(jobs.talks, {"words": []})


def test_python_starts_too_slowly(jobs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["tinygrad_norm.sandbox.parent"], "STARTING", 0.0)
    with pytest.raises(SandboxError, match="nothing was heard of it for 0 s"):
        run(jobs.talks, {"words": []})


def test_the_environment_is_left_alone(jobs: Any) -> None:
    before = dict(os.environ)
    run(jobs.talks, {"words": []})
    assert dict(os.environ) == before
