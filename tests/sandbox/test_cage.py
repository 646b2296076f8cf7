"""The cage that keeps an answer from the rest of the machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tinygrad_norm.sandbox import Protection, protection
from tinygrad_norm.sandbox.cage import caged_command


@pytest.fixture(autouse=True)
def cage() -> None:
    if protection() is not Protection.CAGE:
        pytest.skip("bubblewrap is not installed, or does not work here")


def told(code: str, *places: str) -> str:
    """What Python says in a cage that has a library, a package in it hidden, and one room of that shown."""
    command = caged_command([sys.executable, "-I", "-c", code], *places)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr[-300:]


def test_a_library_is_seen_wherever_it_lies_and_of_the_package_one_room(tmp_path: Path) -> None:
    # Also below /tmp, of which a cage has its own: an environment may have been made there.
    room = tmp_path / "library" / "package" / "room"
    room.mkdir(parents=True)
    for place in (room.parents[1] / "other.txt", room.parent / "solution.txt", room / "runner.txt"):
        place.write_text("seen", encoding="utf-8")
    library = str(room.parents[1])
    code = f"import os; print(sorted(f for _, _, files in os.walk({library!r}) for f in files))"
    assert told(code, library, str(room.parent), str(room)) == "['other.txt', 'runner.txt']\n"
    assert told(f"import os; print(os.path.exists({str(tmp_path / 'library')!r}))") == "False\n"


def test_nothing_outside_is_written_or_reached(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("alive", encoding="utf-8")
    code = f"""
import os, socket
for act in (lambda: open({str(tmp_path / "precious")!r}), lambda: open(os.path.join({sys.prefix!r}, "x"), "w"),
            lambda: socket.create_connection(("127.0.0.1", 9), 1), lambda: os.kill({os.getpid()}, 0)):
    try:
        act()
        print("done")
    except OSError as error:
        print(type(error).__name__)
"""
    assert "done" not in told(code)
    assert told(code).count("Error") == 4
