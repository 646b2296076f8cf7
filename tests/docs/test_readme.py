"""The README: its picture is current, its commands are what the gate runs, its table is what the framework answers."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def readme(root: Path) -> str:
    return (root / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def alternatives(docs: Path) -> Iterator[Path]:
    """The folder whose modules ask the alternatives, importable."""
    folder = docs / "alternatives"
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))
    for name in ("frameworks", "probes"):
        sys.modules.pop(name, None)


def test_the_picture_is_that_of_the_example(docs: Path, readme: str) -> None:
    """That the picture is current is tested with the others."""
    (picture,) = re.findall(r"\]\((docs/[\w/]+\.svg)\)", readme)
    assert "ḡ 6 · ∂ −1 = −6" in (docs.parent / picture).read_text(encoding="utf-8")
    assert "loss = (w * x - x) ** 2" in readme


def test_the_two_commands(readme: str) -> None:
    commands = [line for line in readme.splitlines() if line.startswith("python3 -m venv")]
    assert [c.rpartition("&& ")[2] for c in commands] == [
        ".venv/bin/tinygrad-norm lecture",
        ".venv/bin/python -m pytest -n auto",
    ]
    assert "'.[test]'" in commands[1]


def test_our_row_of_the_table_is_what_we_answer(alternatives: Path, readme: str) -> None:
    probes = importlib.import_module("probes")
    frameworks = importlib.import_module("frameworks")
    assert f"| {' | '.join(probes.row(frameworks.OURS))} |" in readme
    assert f"| {' | '.join(probes.COLUMNS)} |" in readme


def test_the_table_has_a_row_for_each_framework(alternatives: Path, readme: str) -> None:
    frameworks = importlib.import_module("frameworks").FRAMEWORKS
    table = readme.partition("<!-- alternatives -->")[2].partition("<!-- end of alternatives -->")[0]
    titles = [line.split(" | ")[0].removeprefix("| ") for line in table.strip().splitlines()[2:]]
    assert [t for f in frameworks for t in titles if t.startswith(f.title)] == titles[: len(frameworks)]
    assert titles[len(frameworks) :] == ["minitorch"]


def test_a_probe_finds_a_wrong_framework(alternatives: Path) -> None:
    probes = importlib.import_module("probes")
    wrong = probes.Framework(
        "wrong",
        gradient=lambda f: 2 * probes.X,
        cube=lambda: 12.0,
        batch_norm=lambda: probes.BATCH,
        drawing="yes",
        draw=lambda: 1 / 0,
        layers={"attention": "tinygrad_norm:gone"},
    )
    assert probes.numpy_cell(wrong) == "none"
    assert "off through its batch norm" in probes.second_cell(wrong)
    assert probes.drawing_cell(wrong) == "yes; needs Graphviz's `dot`"
    with pytest.raises(LookupError, match="correct its entry"):
        probes.layers_cell(wrong)
    broken = probes.Framework("broken", ("peer",), write=lambda f, x: ("y = peer.sum(x)\nreturn y", lambda x: 1 / 0))
    assert probes.writing_cell(broken) == "2 lines for a layer norm, 1 with helpers of its own; they fail"
    planted = probes.Framework("planted", write=lambda f, x: ("# no line\nreturn x", lambda x: x))
    assert probes.writing_cell(planted) == "1 lines for a layer norm, all NumPy; they run, and are wrong"
    empty = probes.Framework("empty", cube=lambda: 11.0)
    assert (probes.numpy_cell(empty), probes.second_cell(empty), probes.check_cell(empty)) == ("none", "no", "no")


def hundreds(*files: Path) -> str:
    """How many lines files have, rounded up to whole hundreds."""
    return f"{-(-sum(len(f.read_text(encoding='utf-8').splitlines()) for f in files) // 100) * 100:,}"


def test_the_readme_says_how_long_the_engine_is(root: Path, readme: str) -> None:
    engine = root / "tinygrad_norm" / "engine"
    reverse_mode = ["primitive.py", "tape.py", "sweep.py", "tensor.py", "primitives/elementwise.py"]
    whole, part = hundreds(*engine.rglob("*.py")), hundreds(*(engine / name for name in reverse_mode))
    assert f"{whole} lines in `tinygrad_norm/engine/`, {part} of which are reverse mode" in " ".join(readme.split())
