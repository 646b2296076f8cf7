"""Fill the README's table of alternatives by asking each of them: run, not remembered.

``python docs/alternatives`` prints the table, ``--write`` puts it into the README. It needs this package and micrograd,
mygrad, autograd, tangent-ad, dezero, tinygrad, torch and torchviz. Every cell is what a probe returned; the row of
minitorch, which is a course and not a package, was read in its public repository.
"""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path

from frameworks import FRAMEWORKS
from probes import COLUMNS, row

README = Path(__file__).resolve().parents[2] / "README.md"
BEGIN, END = "<!-- alternatives -->\n", "<!-- end of alternatives -->"
# Its rules are left for the student to write, so what depends on them cannot be asked. The others, by file of
# its repository: tensor.py, nn.py; project/graph_builder.py; grad_check in tensor_functions.py.
PROJECT = "in its repository's `project/`"
MINITORCH = ("minitorch", "numbers, arrays", "none", "–", "none", PROJECT, "no", "tolerance fixed")


def main(arguments: list[str]) -> int:
    """Print the table, or put it into the README."""
    os.environ.setdefault("DEV", "PYTHON")  # tinygrad without a compiler
    warnings.simplefilter("ignore")
    lines = [COLUMNS, tuple(["---"] * len(COLUMNS)), *map(row, FRAMEWORKS), MINITORCH]
    table = "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"
    print(table)
    if "--write" in arguments:
        before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
        README.write_text(f"{before}{BEGIN}\n{table}\n{END}{rest.partition(END)[2]}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
