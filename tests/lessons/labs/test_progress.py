from __future__ import annotations

import io
from collections.abc import Callable

import pytest

from tinygrad_norm.lessons.labs.progress import counting_on, silent
from tinygrad_norm.terminal.progress import Progress


def test_nothing_is_shown_where_there_is_no_terminal() -> None:
    stream = io.StringIO()
    assert counting_on(stream) is silent
    with silent("cells", 2) as count:
        count()
    assert stream.getvalue() == ""


def test_a_bar_where_tqdm_is_installed(terminal: io.StringIO) -> None:
    with counting_on(terminal)("cells", 2) as count:
        count()
        count()
    shown = terminal.getvalue()
    assert "cells:   0%" in shown
    assert "0/2" in shown


def test_a_bar_that_is_kept_ends_with_its_note(terminal: io.StringIO) -> None:
    with counting_on(terminal, unit="step", keep=True)("layer", 2) as count:
        count("loss=0.5000")
        count("loss=0.2500")
    last = terminal.getvalue().rstrip().rpartition("\r")[2]
    assert "layer: 100%" in last
    assert "2/2" in last
    assert "step" in last
    assert "loss=0.2500" in last


def test_a_counter_where_it_is_not(
    terminal: io.StringIO, without: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    without("tqdm")
    clock = iter(range(100))
    monkeypatch.setattr(Progress.__init__, "__defaults__", (lambda: float(next(clock)),))
    with counting_on(terminal)("cells", 4) as count:
        count()
        count("loss=0.5")
    shown = terminal.getvalue()
    assert "cells, 1 of 4:  25%" in shown
    assert "cells, 2 of 4, loss=0.5:  50%" in shown
    # The sign disappears when the work is done.
    assert shown.endswith("\r")
