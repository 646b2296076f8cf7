from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import tinygrad_norm as tg
from tinygrad_norm.lessons.labs import plot
from tinygrad_norm.lessons.labs.fit import Course
from tinygrad_norm.lessons.labs.outcome import Outcome
from tinygrad_norm.lessons.labs.report import train_data, train_text

PLAIN = Outcome("layer", Course((0.7, 0.1), 20, 3.25, False), 1.0, 0.984, 0.0625, None, 1234)
CUT = Outcome("batch", Course((0.6,), 5, 1.0, True), 0.7, 0.5, 0.6931, 0.125, 1234)


def test_training_as_a_table() -> None:
    lines = train_text([PLAIN, CUT], "reviews").splitlines()
    assert lines[2:5] == [
        "norm                 steps    loss  trained on  held out  drift  seconds",
        "layer                   20  0.0625      100.0%     98.4%      –      3.2",
        "batch (interrupted)      5  0.6931       70.0%     50.0%   0.12      1.0",
    ]


def test_results_as_data() -> None:
    assert json.loads(json.dumps(train_data([PLAIN])))[0]["course"]["losses"] == [0.7, 0.1]


@pytest.mark.parametrize("suffix", plot.SUFFIXES)
def test_pictures_are_whole_files(tmp_path: Path, suffix: str) -> None:
    heads = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}
    path = tmp_path / f"train{suffix}"
    plot.check_plot(path)
    plot.plot_training([PLAIN, CUT], "reviews", path)
    assert path.read_bytes().startswith(heads[suffix])
    assert list(tmp_path.iterdir()) == [path]


def test_an_svg_says_what_was_drawn(tmp_path: Path) -> None:
    path = tmp_path / "a.svg"
    plot.plot_training([PLAIN], "reviews", path)
    first = path.read_bytes()
    plot.plot_training([PLAIN], "reviews", path)
    assert b"layer: 98.4% held out" in first
    assert path.read_bytes() == first


def test_a_picture_that_cannot_be_written_is_refused_beforehand(tmp_path: Path, without: Callable[[str], None]) -> None:
    with pytest.raises(tg.InputError, match=r"--plot must name a file that ends in \.png, \.svg, \.pdf; got 'a\.gif'"):
        plot.check_plot(Path("a.gif"))
    with pytest.raises(tg.FileError, match="in a folder that exists; got"):
        plot.check_plot(tmp_path / "missing" / "a.png")
    with pytest.raises(tg.FileError, match="must be able to write"):
        plot.plot_training([PLAIN], "reviews", tmp_path / "missing" / "a.png")
    without("matplotlib")
    with pytest.raises(tg.MissingExtraError, match="--plot needs matplotlib; it is not installed"):
        plot.check_plot(tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []
