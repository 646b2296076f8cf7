"""Draws every picture of these pages: ``python docs/draw_pictures.py`` writes the SVG and, beside it, the DOT source.

The test suite draws them again and compares, so that no picture can go stale.
"""

from __future__ import annotations

import runpy
import subprocess
from collections.abc import Callable, Mapping
from doctest import DocTestParser
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import tinygrad_norm as tg
from tinygrad_norm.commands.layer_or_expression import drawing_of
from tinygrad_norm.viz import Drawing
from tinygrad_norm.viz.render import renderer_for

DOCS = Path(__file__).resolve().parent
RENDERER = DOCS / "reference" / "gallery" / "renderer.txt"
"""Which program laid the pictures out; another one may set a line a pixel off."""


def named(target: str, **options: object) -> Callable[[], Drawing]:
    """Return what draws a layer or an expression by name."""
    return lambda: drawing_of(target, {}, **options)


def neuron() -> Drawing:
    """Draw the neuron of the tutorial, under the names that it has there."""
    with tg.trace() as run:
        x = tg.Tensor(2.0, requires_grad=True)
        w = tg.Tensor(-3.0, requires_grad=True)
        b = tg.Tensor(6.8, requires_grad=True)
        product = x * w
        s = product + b
        y = tg.tanh(s)
        y.backward()
    drawing: Drawing = run.draw()
    return drawing


def broadcast() -> Drawing:
    """Draw a bias that is added to every row."""

    def add_bias(x: tg.Tensor, b: tg.Tensor) -> tg.Tensor:
        return x + b

    return tg.draw(add_bias, [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], [0.1, 0.2], gradients=np.ones((3, 2)))


def chain_rule(direction: str = "LR", style: str = "auto") -> Drawing:
    """Draw the README's example."""
    w = tg.Tensor(2.0, requires_grad=True, name="w")
    x = tg.Tensor(3.0, requires_grad=True, name="x")
    with tg.trace() as run:
        loss = (w * x - x) ** 2
        loss.backward()
    drawing: Drawing = run.draw(direction=direction, style=style)
    return drawing


def failed() -> Drawing:
    """Draw a run that ends in an error of shapes."""

    def two_layers(x: tg.Tensor) -> tg.Tensor:
        with tg.scope("first", "Linear 3→4"):
            hidden = tg.tanh(x @ np.ones((3, 4)))
        with tg.scope("second", "Linear 5→2"):
            return hidden @ np.ones((5, 2))

    return tg.draw(two_layers, [[1.0, 2.0, 3.0]])


@cache
def names_of(page: str) -> dict[str, Any]:
    """Run the examples of a page and return what they define."""
    names: dict[str, Any] = {}
    for example in DocTestParser().get_examples((DOCS / page).read_text(encoding="utf-8")):
        exec(compile(example.source, page, "single", dont_inherit=True), names)
    return names


def built(name: str) -> Callable[[], Drawing]:
    """Return what draws a picture of the tutorial in which an engine is built: the drawing that its page makes."""
    return lambda: names_of("tutorials/build-it-yourself.md")[name]


def gpt_block() -> Drawing:
    """Draw a block of the tutorial's GPT on three letters, its modules as boxes."""
    script = runpy.run_path(str(DOCS / "tutorials" / "gpt.py"))
    tg.manual_seed(0)
    block = script["Block"](tg.nn.LayerNorm)
    letters = tg.Tensor(np.sin(np.arange(3.0 * script["WIDTH"])).reshape(1, 3, -1), requires_grad=True, name="x")
    return tg.draw(block, letters, gradients=np.ones(letters.shape), depth=1, values=False)


GALLERY: Mapping[str, Callable[[], Drawing]] = runpy.run_path(str(DOCS / "gallery_drawings.py"))["DRAWINGS"]
PICTURES: Mapping[str, Callable[[], Drawing]] = {
    "pictures/chain_rule": chain_rule,
    "reference/gallery/square": named("x * x"),
    "reference/gallery/neuron": named("neuron"),
    "reference/gallery/linear": named("linear"),
    "reference/gallery/softmax": named("softmax"),
    "reference/gallery/layer_norm": named("layer_norm"),
    "reference/gallery/batch_norm": named("batch_norm"),
    "reference/gallery/batch_norm_eval": named("batch_norm_eval"),
    "reference/gallery/batch_norm_masked": named("batch_norm_masked"),
    "reference/gallery/masked_attention": named("masked_attention"),
    "reference/gallery/encoder_layer": named("encoder_layer", depth=1),
    "reference/gallery/rms_norm": named("rms_norm"),
    **{f"reference/gallery/{name}": draw for name, draw in GALLERY.items()},
    "tutorials/pictures/neuron": neuron,
    "tutorials/pictures/broadcast": broadcast,
    "tutorials/pictures/own_values": built("remembered"),
    "tutorials/pictures/own_diamond": built("diamond"),
    "tutorials/pictures/own_careless": built("careless"),
    "tutorials/pictures/own_neuron": built("neuron"),
    "tutorials/pictures/own_broadcast": built("broadcast"),
    "tutorials/pictures/own_product": built("product_mean"),
    "tutorials/pictures/own_step": built("step"),
    "tutorials/pictures/own_layer_norm": built("one_row"),
    "tutorials/pictures/gpt_block": gpt_block,
    "how-to/pictures/failed": failed,
    "how-to/pictures/slide": named("layer_norm", size="slide"),
    "how-to/pictures/attention_folded": named("attention", depth=1),
}
"""Each picture by its path below this folder, without the suffix."""


def renderer_version() -> str:
    """Return what the renderer says of itself."""
    done = subprocess.run(
        [renderer_for("svg").path, "-V"], capture_output=True, check=True, text=True, encoding="utf-8"
    )
    return (done.stdout or done.stderr).strip() + "\n"


def main() -> None:
    """Draw and write all of them."""
    for name, draw in PICTURES.items():
        path = DOCS / name
        path.parent.mkdir(parents=True, exist_ok=True)
        drawing = draw()
        drawing.save(path.with_suffix(".gv"))
        drawing.save(path.with_suffix(".svg"))
    RENDERER.write_text(renderer_version(), encoding="utf-8")


if __name__ == "__main__":
    main()
