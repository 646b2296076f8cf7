"""Keeping freed memory: the switch, the systems without it, and the effect, counted in page faults."""

from __future__ import annotations

import ctypes
import os
import platform
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tinygrad_norm.memory import LARGEST_KEPT, M_MMAP_THRESHOLD, M_TRIM_THRESHOLD, SWITCH, TRIM_ABOVE, keep_freed_memory

ROOT = Path(__file__).resolve().parents[1]
WITH_GLIBC = sys.platform == "linux" and platform.libc_ver()[0] == "glibc"


class FakeLibrary:
    """A C library that writes down what it is asked."""

    def __init__(self, answers: tuple[int, ...] = (1, 1)) -> None:
        self.asked: list[tuple[int, int]] = []
        self._answers = list(answers)

    def mallopt(self, option: int, value: int) -> int:
        self.asked.append((option, value))
        return self._answers.pop(0)


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> FakeLibrary:
    """A Linux whose C library is a fake one; the process's own allocator stays as it is."""
    fake = FakeLibrary()
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(ctypes, "CDLL", lambda name: fake)
    monkeypatch.delenv(SWITCH, raising=False)
    return fake


def test_the_allocator_is_asked_to_keep_large_blocks(library: FakeLibrary) -> None:
    assert keep_freed_memory() is True
    assert library.asked == [(M_MMAP_THRESHOLD, LARGEST_KEPT), (M_TRIM_THRESHOLD, TRIM_ABOVE)]


def test_the_values_fit_a_c_int() -> None:
    for value in (M_MMAP_THRESHOLD, LARGEST_KEPT, M_TRIM_THRESHOLD, TRIM_ABOVE):
        assert ctypes.c_int(value).value == value


@pytest.mark.parametrize(("setting", "kept"), [("0", False), ("1", True), ("", True)])
def test_the_switch(library: FakeLibrary, monkeypatch: pytest.MonkeyPatch, setting: str, kept: bool) -> None:
    monkeypatch.setenv(SWITCH, setting)
    assert keep_freed_memory() is kept
    assert bool(library.asked) is kept


@pytest.mark.parametrize("system", ["darwin", "win32", "freebsd14", "emscripten"])
def test_another_system_is_left_alone(library: FakeLibrary, monkeypatch: pytest.MonkeyPatch, system: str) -> None:
    monkeypatch.setattr(sys, "platform", system)
    assert keep_freed_memory() is False
    assert library.asked == []


def test_a_c_library_without_the_function(monkeypatch: pytest.MonkeyPatch, library: FakeLibrary) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: SimpleNamespace())  # musl has no mallopt
    assert keep_freed_memory() is False


def test_a_system_without_a_c_library(monkeypatch: pytest.MonkeyPatch, library: FakeLibrary) -> None:
    def missing(name: str | None) -> None:
        raise OSError("no such library")

    monkeypatch.setattr(ctypes, "CDLL", missing)
    assert keep_freed_memory() is False


@pytest.mark.parametrize("answers", [(0,), (1, 0)])
def test_an_allocator_that_refuses(
    monkeypatch: pytest.MonkeyPatch, library: FakeLibrary, answers: tuple[int, ...]
) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: FakeLibrary(answers))
    assert keep_freed_memory() is False


def test_it_is_done_on_import_and_can_be_done_again() -> None:
    assert keep_freed_memory() is (WITH_GLIBC and os.environ.get(SWITCH, "1") != "0")


# Each step makes and frees 40 arrays of 1 MiB, 10240 pages in all, as a training step does.
FAULTS = """
import resource, numpy as np, tinygrad_norm as tg

x = tg.Tensor(np.ones((512, 512), np.float32))

def step():
    for _ in range(20):
        (x + 1.0) * 2.0

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

step()
before = faults()
for _ in range(10):
    step()
print(faults() - before)
"""


def page_faults(keep: str) -> int:
    environment = {**os.environ, SWITCH: keep}
    for name in ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "GLIBC_TUNABLES"):
        environment.pop(name, None)
    done = subprocess.run(
        [sys.executable, "-c", FAULTS], capture_output=True, encoding="utf-8", cwd=ROOT, env=environment, check=True
    )
    return int(done.stdout)


def test_freed_memory_is_used_again_without_page_faults() -> None:
    if not WITH_GLIBC:
        assert keep_freed_memory() is False
        return
    # 400 arrays of 256 pages are touched; without the setting each page is a fault (fewer where the kernel maps pages
    # of 2 MiB), with it none but the interpreter's own.
    assert page_faults("1") * 20 < page_faults("0")
