"""Write the notebook of the documentation, executed; or check that executing it again gives the same text.

``python docs/notebook`` writes ``docs/tutorials/layer-norm-in-a-notebook.ipynb``; ``--check`` compares and writes
nothing.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import nbformat
from cells import CELLS
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).resolve().parents[1] / "tutorials" / "layer-norm-in-a-notebook.ipynb"
# What a machine's rounding decides: measured error bars and leftovers, and the number of evaluations they took.
MEASURED = re.compile(r"\d(?:\.\d+)?e[-−]\d+|\d+ forward evaluations")


def built() -> nbformat.NotebookNode:
    """Return the notebook before it is executed."""
    make = nbformat.v4.new_markdown_cell, nbformat.v4.new_code_cell
    cells = [make[i % 2](text, id=f"cell-{i}") for i, text in enumerate(CELLS)]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel, "language_info": {"name": "python"}})


def executed() -> nbformat.NotebookNode:
    """Return the notebook with its outputs, and without what changes from run to run."""
    notebook = built()
    NotebookClient(notebook, timeout=120, kernel_name="python3", record_timing=False).execute()
    notebook.metadata.language_info = {"name": "python"}
    return notebook


def texts(notebook: nbformat.NotebookNode) -> list[str]:
    """Return the sources and the outputs as text, measured numbers left out."""
    found = [cell.source for cell in notebook.cells]
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            shown = output.get("text") or output.get("data", {}).get("text/plain")
            found.append(MEASURED.sub("…", shown or "\n".join(output.get("traceback", ()))))
    return found


def main(arguments: list[str]) -> int:
    """Write or check; 1 if the notebook is not what executing it gives."""
    fresh = executed()
    if "--check" not in arguments:
        nbformat.write(fresh, NOTEBOOK)
        return 0
    stored = nbformat.read(NOTEBOOK, as_version=4)
    different = [(a, b) for a, b in zip(texts(stored), texts(fresh), strict=False) if a != b]
    if different or len(texts(stored)) != len(texts(fresh)):
        for a, b in different:
            print(f"stored:\n{a}\n\nfresh:\n{b}\n", file=sys.stderr)
        print(f"{NOTEBOOK.name} is not current: run python docs/notebook", file=sys.stderr)
        return 1
    print(f"{NOTEBOOK.name} is current")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
