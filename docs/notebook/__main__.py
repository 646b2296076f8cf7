"""Write the notebooks of the documentation, executed; or check that executing them again gives the same text.

``python docs/notebook`` writes them beside the tutorials; ``--check`` compares and writes nothing.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import nbformat
from cells import notebooks
from nbclient import NotebookClient

TUTORIALS = Path(__file__).resolve().parents[1] / "tutorials"
# What a machine's rounding decides: measured error bars and leftovers, and the number of evaluations they took.
MEASURED = re.compile(r"\d(?:\.\d+)?e[-−]\d+|\d+ forward evaluations")


def built(cells: list[tuple[str, str]]) -> nbformat.NotebookNode:
    """Return a notebook before it is executed."""
    make = {"markdown": nbformat.v4.new_markdown_cell, "code": nbformat.v4.new_code_cell}
    made = [make[kind](text, id=f"cell-{i}") for i, (kind, text) in enumerate(cells)]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return nbformat.v4.new_notebook(cells=made, metadata={"kernelspec": kernel, "language_info": {"name": "python"}})


def executed(cells: list[tuple[str, str]]) -> nbformat.NotebookNode:
    """Return a notebook with its outputs, and without what changes from run to run."""
    notebook = built(cells)
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


def is_current(path: Path, fresh: nbformat.NotebookNode) -> bool:
    """Tell whether a stored notebook is what executing it gives, and show where it is not."""
    stored = nbformat.read(path, as_version=4)
    different = [(a, b) for a, b in zip(texts(stored), texts(fresh), strict=False) if a != b]
    if not different and len(texts(stored)) == len(texts(fresh)):
        print(f"{path.name} is current")
        return True
    for a, b in different:
        print(f"stored:\n{a}\n\nfresh:\n{b}\n", file=sys.stderr)
    print(f"{path.name} is not current: run python docs/notebook", file=sys.stderr)
    return False


def main(arguments: list[str]) -> int:
    """Write or check; 1 if a notebook is not what executing it gives."""
    current = True
    for name, cells in notebooks(TUTORIALS).items():
        path, fresh = TUTORIALS / name, executed(cells)
        if "--check" in arguments:
            current = is_current(path, fresh) and current
        else:
            nbformat.write(fresh, path)
    return 0 if current else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
