"""What the notebooks say and do, cell by cell: one is written here, one is a page of the tutorials."""

from __future__ import annotations

from pathlib import Path

from from_page import Cell, cells_of

# Markdown and code take turns, Markdown first.
LAYER_NORM = (
    """# Layer norm in a notebook

A lesson to run cell by cell. Tensors, drawings and reports show themselves: end a cell with one, and it appears below.
You need this package and any notebook program; nothing else.""",
    """import numpy as np

import tinygrad_norm as tg
from tinygrad_norm import functional as F""",
    """## A Tensor is a table

These are five samples of three neurons. A small Tensor shows itself as the table it is.""",
    """z = tg.Tensor(
    [[7.0, 5, 4], [2, 3, 4], [1, 2, 3], [7, 5, 6], [3, 3, 4]],
    requires_grad=True,
    name="z",
)
z""",
    """Layer norm goes along each row. *Two of these rows will come out the same. Which, and why?*""",
    """y = F.layer_norm(z, 3)
y""",
    """Rows 2 and 3: they differ only by 1 everywhere, and layer norm does not see what is added to a whole row. (By
hand: `tinygrad-norm exercise start 3`.) NumPy's functions take Tensors. Every row now has mean 0 and mean square 1:""",
    """mean, square = np.mean(y, axis=1), np.mean(y**2, axis=1)
np.round(np.stack([np.abs(mean), square], axis=1), 3)""",
    """## The gradient

Send one number back: the gradient of the first entry of each row. *What must each row of it sum to?*""",
    """y.backward(gradient=np.eye(3)[[0, 0, 0, 0, 0]])
tg.round(z.grad, 5)""",
    """To 0: adding the same number to a whole row changes nothing, so no gradient points that way.

## The graph

Record a run, and draw what was computed. Each card has its value and its gradient; each dashed arrow has what it
carries back. Here for the first row alone, small enough to follow with a pencil. *On how many paths does the gradient
come back?*""",
    """row = tg.Tensor([[7.0, 5.0, 4.0]], requires_grad=True, name="row")
with tg.trace() as run:
    out = F.layer_norm(row, 3)
    out.backward(gradient=[[1.0, 0.0, 0.0]])
drawing = run.draw()
drawing""",
    """On three: the direct one, one through the mean and one through the
variance. To step through the backward pass, end a cell with `drawing.interactive()`, or write a page with
`drawing.save("run.html")`.

The same graph as text:""",
    """print(drawing.text)""",
    """## The check

A backward pass written by hand is compared with a numeric derivative whose error is measured. *How would you know that
this one is right?*""",
    """def norm(x):
    centered = x - x.mean(1, keepdims=True)
    return centered / np.sqrt((centered**2).mean(1, keepdims=True) + 1e-5)


def norm_backward(g, out, x):
    deviation = np.sqrt(x.var(1, keepdims=True) + 1e-5)
    along = out * (g * out).mean(1, keepdims=True)
    return (g - g.mean(1, keepdims=True) - along) / deviation


tg.check_vjp(norm, norm_backward, z.data)""",
    """This one forgets that the variance depends on x, too. The report says so. Write yours:
`tinygrad-norm exercise start 10`.""",
    """def forgetful_backward(g, out, x):
    deviation = np.sqrt(x.var(1, keepdims=True) + 1e-5)
    return (g - g.mean(1, keepdims=True)) / deviation


tg.check_vjp(norm, forgetful_backward, z.data)""",
    """## Where to go from here

Change a number in the table and run the cells again. Then let γ and β in: `F.layer_norm(z, 3, weight, bias)`. Or go
down the columns: `F.batch_norm(z)`.""",
)


def notebooks(tutorials: Path) -> dict[str, list[Cell]]:
    """Return the cells of each notebook by the name of its file."""
    page = (tutorials / "build-it-yourself.md").read_text(encoding="utf-8")
    return {
        "layer-norm-in-a-notebook.ipynb": [(("markdown", "code")[i % 2], text) for i, text in enumerate(LAYER_NORM)],
        "an-engine-in-a-notebook.ipynb": cells_of(page, "an-engine-in-a-notebook.ipynb"),
    }
