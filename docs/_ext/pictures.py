"""The pictures of the site, drawn by the framework when the site is built.

``FIGURES`` are placed with ``<!-- generated: figure NAME -->``; every operation has one on the page of operations. They
are written as SVG files beside the pages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from html import escape
from pathlib import Path

import numpy as np
from operations import PICTURES, chapters

import tinygrad_norm as tg
from tinygrad_norm import functional as F
from tinygrad_norm.engine.details.samples import Sample
from tinygrad_norm.engine.primitive import Primitive


def layer_norm_row() -> str:
    """Draw the layer norm of one row, with its gradient."""
    row = tg.Tensor([[7.0, 5.0, 4.0]], requires_grad=True, name="row")
    with tg.trace() as run:
        F.layer_norm(row, 3).backward(gradient=[[1.0, 0.0, 0.0]])
    return str(run.draw().svg)


FIGURES: Mapping[str, tuple[Callable[[], str], str]] = {
    "layer-norm-row": (
        layer_norm_row,
        "Layer norm of the row (7, 5, 4), and the gradient of its first entry on its way back: through the deviation, "
        "through the mean, and directly.",
    ),
}


def figure(name: str) -> str:
    """Return the place of a figure with its caption."""
    caption = escape(FIGURES[name][1])
    file = f"{PICTURES}/{name}.svg"
    image = f'<a href="{file}"><img src="{file}" alt="{caption}" loading="lazy"></a>'
    return f"```{{raw}} html\n<figure>{image}<figcaption>{caption}</figcaption></figure>\n```\n"


def operation(p: Primitive) -> str:
    """Draw one operation at its smallest telling sample, with a gradient of ones coming back."""
    chosen = min(p.samples, key=lambda point: by_size(point, p.elementwise))
    rng = np.random.default_rng(0)
    names = p.inputs if not p.variadic else [f"x{'₁₂₃'[i]}" for i in range(len(chosen.shapes))]
    arrays = [np.round(a, 1) if a.dtype.kind == "f" else a for a in chosen.draw(rng)]
    inputs = [tg.Tensor(a, requires_grad=a.dtype.kind == "f", name=n) for a, n in zip(arrays, names, strict=True)]
    with tg.trace() as run:
        out = p(*inputs, **chosen.params)
        out.name = "out"
        if out.requires_grad:
            out.backward(gradient=np.ones(out.shape))
    return str(run.draw(direction="TB").svg)


def by_size(point: Sample, numbers: bool) -> tuple[bool, int]:
    """Return an order of samples by size, those last that show little: all but numbers, or axes of length 0 and 1."""
    sizes = [int(np.prod(shape)) for shape in point.shapes]
    unfit = max(sizes) > 1 if numbers else min(min(shape, default=0) for shape in point.shapes) < 2
    return unfit or 0 in sizes, sum(sizes)


def all_pictures() -> Iterator[tuple[str, str]]:
    """Yield the name and the SVG of each picture."""
    for name, (draw, _) in FIGURES.items():
        yield name, draw()
    for primitives in chapters().values():
        for p in primitives:
            yield f"operation-{p.name}", operation(p)


def write_pictures(site: Path) -> None:
    """Write all pictures where the pages, each in a folder of the site, look for them."""
    folder = (site / "page" / PICTURES).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    for name, svg in all_pictures():
        (folder / f"{name}.svg").write_text(svg, encoding="utf-8")
