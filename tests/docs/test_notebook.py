"""The notebook: what is stored is what its source says and what running it gives; no Jupyter is needed to see that."""

from __future__ import annotations

import ast
import contextlib
import io
import json
import re
import runpy
from pathlib import Path
from typing import Any

import pytest

# What a machine's rounding decides.
MEASURED = re.compile(r"\d(?:\.\d+)?e[-−]\d+|\d+ forward evaluations")


NAMES = ["layer-norm-in-a-notebook.ipynb", "an-engine-in-a-notebook.ipynb"]


@pytest.fixture(scope="module", params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


@pytest.fixture(scope="module")
def stored(docs: Path, name: str) -> list[dict[str, Any]]:
    text = (docs / "tutorials" / name).read_text(encoding="utf-8")
    cells: list[dict[str, Any]] = json.loads(text)["cells"]
    return cells


@pytest.fixture(scope="module")
def written(docs: Path) -> dict[str, list[tuple[str, str]]]:
    """The cells of each notebook as the script has them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(docs / "notebook"))
        cells = runpy.run_path(str(docs / "notebook" / "cells.py"))["notebooks"](docs / "tutorials")
    found: dict[str, list[tuple[str, str]]] = cells
    return found


def text_of(output: dict[str, Any]) -> str:
    return MEASURED.sub("…", "".join(output.get("text") or output["data"]["text/plain"]))


def run(source: str, names: dict[str, Any]) -> list[str]:
    """Run a cell as a notebook does, and return what it prints and the repr of its last expression."""
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, "cell", "exec"), names)
        value = None if last is None else eval(compile(ast.Expression(last.value), "cell", "eval"), names)
    shown = [printed.getvalue()] if printed.getvalue() else []
    return [MEASURED.sub("…", s) for s in [*shown, *([] if value is None else [repr(value)])]]


def test_the_sources_are_those_of_the_script(
    written: dict[str, list[tuple[str, str]]], name: str, stored: list[dict[str, Any]]
) -> None:
    assert list(written) == NAMES
    assert written[name] == [(c["cell_type"], "".join(c["source"])) for c in stored]


def test_running_it_gives_the_stored_text(stored: list[dict[str, Any]]) -> None:
    names: dict[str, Any] = {}
    for cell in stored:
        if cell["cell_type"] == "code":
            assert run("".join(cell["source"]), names) == [text_of(o) for o in cell["outputs"]]


def test_it_shows_tensors_drawings_and_reports(stored: list[dict[str, Any]], name: str) -> None:
    kinds = [kind for cell in stored for output in cell.get("outputs", ()) for kind in output.get("data", {})]
    html = "".join("".join(o.get("data", {}).get("text/html", "")) for c in stored for o in c.get("outputs", ()))
    assert "image/svg+xml" in kinds
    if name == "layer-norm-in-a-notebook.ipynb":
        assert "<div><code>Tensor" in html
        assert "gradient check" in html
    else:
        assert kinds.count("image/svg+xml") == 8
