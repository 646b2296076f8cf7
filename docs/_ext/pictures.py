"""The pictures of the site, drawn by the framework when the site is built.

``FIGURES`` are placed with ``<!-- generated: figure NAME -->``; every operation has one on the page of operations. They
are written as SVG files beside the pages.
"""

from __future__ import annotations

import runpy
from collections.abc import Callable, Iterator, Mapping
from html import escape
from pathlib import Path

import numpy as np
from operations import PICTURES, chapters

import tinygrad_norm as tg
from tinygrad_norm import functional as F
from tinygrad_norm.engine.primitive import Primitive
from tinygrad_norm.samples import Sample
from tinygrad_norm.viz.render import render

DRAWN = Path(__file__).resolve().parent.parent / "draw_pictures.py"
GALLERY, STEPS = "reference/gallery/", "steps-"


def layer_norm_row() -> str:
    """Draw the layer norm of one row, with its gradient."""
    row = tg.Tensor([[7.0, 5.0, 4.0]], requires_grad=True, name="row")
    with tg.trace() as run:
        F.layer_norm(row, 3).backward(gradient=[[1.0, 0.0, 0.0]])
    return str(run.draw().svg)


FORWARD = (
    ("x * y", "operators.py", "names the operation"),
    ("apply", "tensor.py", "takes the arrays"),
    ("multiply", "primitives/elementwise.py", "computes x · y"),
    ("save", "primitive.py", "keeps what the rules name"),
    ("node", "tape.py", "points at those of x, y"),
)
BACKWARD = (
    ("backward", "tensor.py", "starts with ḡ = 1"),
    ("newest", "sweep.py", "the operation whose turn it is"),
    ("pull_back", "primitive.py", "ḡ · y and ḡ · x"),
    ("add", "sweep.py", "to what x and y have received"),
    ("x.grad, y.grad", "tensor.py", "once nothing waits"),
)


def engine_walk() -> str:
    """Draw the way of a product through the engine's files, and the way back."""
    lines = [
        "digraph engine {",
        'rankdir=LR bgcolor="transparent" nodesep=0.5 ranksep=0.35',
        'node [shape=box style="rounded,filled" fillcolor="#f4f4f4" color="#8a8a8a" fontname="Helvetica" fontsize=12]',
        'edge [color="#1f77b4" penwidth=1.5]',
    ]
    for lane, steps in (("f", FORWARD), ("b", BACKWARD)):
        for i, (name, file, does) in enumerate(steps):
            label = f"<b>{name}</b><br/><font color='#1f5f99'>{file}</font><br/><font point-size='10'>{does}</font>"
            lines.append(f"{lane}{i} [label=<{label}>]")
    n = len(FORWARD)
    lines += [f"f{i} -> f{i + 1}" for i in range(n - 1)]
    lines += [f'b{i} -> b{i + 1} [color="#c44e52"]' for i in range(n - 1)]
    # The loop of the sweep, and the saved arrays that it reads.
    lines.append('b3 -> b1 [color="#c44e52" constraint=false]')
    lines.append(
        'f3 -> b2 [style=dashed color="#8a8a8a" constraint=false label="saved" fontname="Helvetica" fontsize=10]'
    )
    lines += [f"{{rank=same; f{i}; b{i}}}" for i in range(n)]
    return render("\n".join([*lines, "}"]), "svg").decode()


FIGURES: Mapping[str, tuple[Callable[[], str], str]] = {
    "layer-norm-row": (
        layer_norm_row,
        "Layer norm of the row (7, 5, 4), and the gradient of its first entry on its way back: through the deviation, "
        "through the mean, and directly.",
    ),
    "engine": (
        engine_walk,
        "The way of x * y through the engine's files (blue), and the way of its gradient back (red): the sweep goes "
        "round until no operation waits.",
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


def stepping(name: str) -> str:
    """Return the link to the page that steps through a graph of the gallery."""
    return f'```{{raw}} html\n<p><a href="{PICTURES}/{STEPS}{name}.html">Step through it</a></p>\n```\n'


def write_pictures(site: Path) -> None:
    """Write all pictures where the pages, each in a folder of the site, look for them."""
    folder = (site / "page" / PICTURES).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    drawn = runpy.run_path(str(DRAWN))
    # For the frame on the front page, which is narrow and high.
    drawn["chain_rule"](direction="TB", style="compact").save(folder / f"{STEPS}chain_rule.html")
    for name, draw in drawn["PICTURES"].items():
        if name.startswith(GALLERY):
            draw().save(folder / f"{STEPS}{name.removeprefix(GALLERY)}.html")
    for name, svg in all_pictures():
        (folder / f"{name}.svg").write_text(svg, encoding="utf-8")
