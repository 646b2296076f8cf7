"""The gallery's drawings of what has no name on the command line: models, runs that fail, and what a check found."""

from __future__ import annotations

import numpy as np

import tinygrad_norm as tg
from tinygrad_norm import functional as F
from tinygrad_norm import nn
from tinygrad_norm.engine.primitive import Primitive
from tinygrad_norm.lessons.graph_examples import OUTPUTS, TOKENS, affine, settled
from tinygrad_norm.samples import sample
from tinygrad_norm.viz import Drawing


def recurrent() -> Drawing:
    """Draw a recurrent net over twenty steps: one box with what it carries on."""
    net = settled(nn.RNN(3, 4, batch_first=True))

    def states(x: tg.Tensor) -> tg.Tensor:
        return net(x)[0]

    inputs = np.round(np.sin(np.arange(60.0)).reshape(1, 20, 3), 1)
    return tg.draw(states, inputs, gradients=True, style="compact")


def twelve_layers() -> Drawing:
    """Draw an encoder of twelve layers with the fourth one open."""
    layer = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True)
    model = settled(nn.TransformerEncoder(layer, 12))
    return tg.draw(model, TOKENS, gradients=True, open="layers.3", style="compact")


class Block(nn.Module):
    """A GPT's block: what is normalized goes through attention, then through two layers, and is added each time."""

    def __init__(self) -> None:
        self.norm1, self.norm2 = nn.LayerNorm(4), nn.LayerNorm(4)
        self.attention = nn.MultiheadAttention(4, 2, batch_first=True)
        self.widen, self.narrow = nn.Linear(4, 8), nn.Linear(8, 4)

    def forward(self, x: tg.Tensor) -> tg.Tensor:
        """Return the tokens after the block; none looks at a later one."""
        seen = self.norm1(x)
        mixed = x + self.attention(seen, seen, seen, need_weights=False, is_causal=True)[0]
        return mixed + self.narrow(F.gelu(self.widen(self.norm2(mixed))))


def gpt_block() -> Drawing:
    """Draw a block of a GPT, with layer norm before attention and before the two layers."""
    return tg.draw(settled(Block()), TOKENS, gradients=True, style="compact", depth=1)


def batch_norm_twice() -> Drawing:
    """Draw batch norm in training beside the same in evaluation."""
    mean, variance = np.mean(OUTPUTS, axis=0), np.var(OUTPUTS, axis=0, ddof=1)

    def both(z: tg.Tensor) -> tuple[tg.Tensor, tg.Tensor]:
        weight, bias = affine(3)
        with tg.scope("training"):
            trained = F.batch_norm(z, None, None, weight, bias, training=True)
        with tg.scope("evaluation"):
            held = tg.Tensor(mean, name="running_mean"), tg.Tensor(variance, name="running_var")
            evaluated = F.batch_norm(z, *held, weight, bias, training=False)
        return trained, evaluated

    return tg.draw(both, OUTPUTS, gradients=True, style="compact", depth=None)


def dynamic_tanh() -> Drawing:
    """Draw DyT of the lecture's table: no statistics at all."""
    return tg.draw(nn.DyT(3), OUTPUTS, gradients=True, depth=None)


def failed() -> Drawing:
    """Draw a run whose second layer takes another width than the first one gives."""
    model = settled(nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(5, 2)))
    return tg.draw(model, OUTPUTS[:2], style="compact")


def not_a_number() -> Drawing:
    """Draw a run in which a logarithm of a negative number spoils all that it reaches."""

    def spoiled(x: tg.Tensor) -> tg.Tensor:
        logs = tg.log(x)
        return (logs * 2.0 + tg.exp(x)).sum()

    with np.errstate(invalid="ignore"):
        return tg.draw(spoiled, [-1.0, 2.0])


def wrong_rule() -> Drawing:
    """Draw what a gradient check found: a square whose rule forgot its factor 2."""
    careless = Primitive(
        lambda x, /: x * x,
        (lambda g, x: g * x,),
        name="square",
        samples=(sample((2,)),),
        symbol="x²",
        formula="x²",
        rule=("ḡ · 2x",),
        elementwise=True,
        linear=False,
        note="",
        native=False,
    )

    def total(x: tg.Tensor, w: tg.Tensor) -> tg.Tensor:
        return tg.exp(careless(x * w)).sum()

    x, w = [0.5, -1.0, 2.0], [1.0, 0.5, 0.3]
    return tg.draw(total, x, w, report=tg.gradcheck(total, (tg.Tensor(x), tg.Tensor(w))))


def second_order() -> Drawing:
    """Draw x³ differentiated twice: the first backward pass is recorded, too."""
    x = tg.Tensor(2.0, requires_grad=True, name="x")
    with tg.trace() as run:
        cube = x * x * x
        slope = tg.gradients(cube, x, create_graph=True)
        tg.gradients(slope, x)
    drawing: Drawing = run.draw(style="compact")
    return drawing


DRAWINGS = {
    "recurrent": recurrent,
    "twelve_layers": twelve_layers,
    "gpt_block": gpt_block,
    "batch_norm_twice": batch_norm_twice,
    "dyt": dynamic_tanh,
    "failed": failed,
    "not_a_number": not_a_number,
    "wrong_rule": wrong_rule,
    "second_order": second_order,
}
"""Each drawing by its name in the gallery."""
