"""Step 11: where the norm sits in a Transformer: after the residual sum or before each part, and what flows back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextvars import copy_context
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from ....engine.details.array import Array
from ....engine.tensor import Tensor
from ....functional import layer_norm, scaled_dot_product_attention
from ....viz import Drawing, draw
from ...document.lesson import Fact, Fold, Formula, Graph, Paragraph, Plain, Row, Step, Table
from ...labs.papers import XIONG
from ...labs.pre_post import PLACES, QUICK, gradient_norms, power
from ..notes import DIMENSION_NAMES, Token
from ..settings import Settings

DEPTHS = (2, 8, 32)
"""How many layers the encoders have in which gradients are measured…"""
DRAWS = 2
"""…and how many encoders of each; the lab pre-post takes more of both."""

SEED = 0

ENTRY = (0, 0)
"""Whose gradient is followed: that of the first word's first feature."""


def in_a_transformer_step(settings: Settings) -> Step:
    """Return step 11."""
    words = settings.batch.sentences[1]
    blocks = {name: block_gradient(block, words, settings.layer_eps) for name, block in BLOCKS.items()}
    return Step(
        11,
        "Where it sits in a Transformer",
        (
            Paragraph(
                "A Transformer is a stack of blocks, and each adds to its input what one of its parts f, attention or "
                "a small network, makes of it: the residual sum x + f(x). Layer norm may come after the sum, as in the "
                "first Transformer (Vaswani et al., Attention Is All You Need, 2017, section 3.1), or before the part, "
                "as in most of today's. Post-norm and pre-norm, these are called:"
            ),
            Formula("post-norm: y = LN(x + f(x))        pre-norm: y = x + f(LN(x))"),
            *_drawn(blocks),
            _residual_ways(words, blocks),
            Fold("What arrives at the input, and what that means for a stack", (_arrives(words, blocks), *_by_depth())),
        ),
        take_away=(
            "Pre-norm leaves the residual way free: ḡ passes every block unchanged.",
            "Post-norm's last gradient does not fall with the depth: it needs a warm-up.",
        ),
    )


Norm = Callable[[Tensor], Tensor]


def post_norm(x: Tensor, norm: Norm) -> Tensor:
    """Return a block with the norm after the sum; attention has identity projections, as in step 5."""
    total = x + scaled_dot_product_attention(x, x, x)
    return norm(total)


def pre_norm(x: Tensor, norm: Norm) -> Tensor:
    """Return a block with the norm before attention."""
    normalized = norm(x)
    return x + scaled_dot_product_attention(normalized, normalized, normalized)


BLOCKS = {"post-norm": post_norm, "pre-norm": pre_norm}


@dataclass(frozen=True)
class BlockGradient:
    """What flows back through one block from one entry of its output.

    The drawing, attention and the norm closed; what the residual way alone brings to the input; the whole gradient.
    """

    drawing: Drawing
    residual: Array
    total: Array


def block_gradient(block: Callable[[Tensor, Norm], Tensor], words: Sequence[Token], eps: float) -> BlockGradient:
    """Send a gradient of 1 at one entry back through a block over the embeddings of some words."""
    x = np.array([word.embedding for word in words])
    drawing = draw(
        lambda x: block(x, lambda values: layer_norm(values, len(DIMENSION_NAMES), eps=eps)),
        x,
        gradients=cotangent_of(words),
        depth=0,
    )
    data = drawing.to_json()
    (total,) = (np.array(node["gradient"]) for node in data["nodes"] if node["kind"] == "input")
    # Of the edges that leave x, one goes to the residual sum; the sum inside the norm is not of x itself.
    (residual,) = (
        np.array(edge["contribution"]) for edge in data["edges"] if edge["from"] == "x" and edge["to"][:3] == "add"
    )
    return BlockGradient(drawing, residual, total)


def cotangent_of(words: Sequence[Token]) -> Array:
    """Return the gradient that arrives: 1 at one entry and 0 at all others."""
    cotangent = np.zeros((len(words), len(DIMENSION_NAMES)))
    cotangent[ENTRY] = 1.0
    return cotangent


def _drawn(blocks: Mapping[str, BlockGradient]) -> tuple[Graph, ...]:
    return tuple(
        Graph(
            f"graph_{name.replace('-', '_')}",
            f"A block with {name} over sentence 2, and the gradient of its first entry",
            block.drawing,
        )
        for name, block in blocks.items()
    )


def _arrives(words: Sequence[Token], blocks: Mapping[str, BlockGradient]) -> Table:
    rows = [Row("ḡ, arriving at y", tuple(map(float, cotangent_of(words)[0])))]
    for name, block in blocks.items():
        rows.append(Row(f"{name}, residual way", tuple(map(float, block.residual[0]))))
        rows.append(Row(f"{name}, all ways", tuple(map(float, block.total[0]))))
    return Table(
        "arrives",
        f"What arrives at the word {words[0].word}, when ḡ is 1 at the first feature of its output",
        DIMENSION_NAMES,
        tuple(rows),
        "gradient",
        ".4f",
    )


def _residual_ways(words: Sequence[Token], blocks: Mapping[str, BlockGradient]) -> Fact:
    post, pre = (blocks[name].residual for name in BLOCKS)
    return Fact(
        "residual_way",
        "With pre-norm the residual way brings ḡ itself, to {pre_gap:g}: no norm stands in it, and past any number of "
        "blocks it stays so. With post-norm it leads through the norm, which takes out the parts along (1, …, 1) and "
        "along x̂ and divides by σ: of a ḡ of length 1 comes {post_length:.4f}, and it goes through a norm again in "
        "every block below.",
        {
            "pre_gap": float(np.abs(pre - cotangent_of(words)).max()),
            "post_length": float(np.linalg.norm(post)),
            "pre_length": float(np.linalg.norm(pre)),
        },
    )


@cache
def norms_by_depth() -> Mapping[str, tuple[float, ...]]:
    """Return the norm of the last layer's gradient in untrained encoders of each depth, by the place of the norm.

    They are measured as the lab pre-post does, in a context of their own: what the caller draws is not disturbed.
    """
    plan = replace(QUICK, depths=DEPTHS, draws=DRAWS)

    def measured(place: str) -> tuple[float, ...]:
        return tuple(gradient_norms((place, depth), SEED, plan) for depth in DEPTHS)

    return {place: copy_context().run(measured, place) for place in PLACES}


def _by_depth() -> tuple[Plain, ...]:
    norms = norms_by_depth()
    post, pre = (power(DEPTHS, norms[place]) for place in PLACES)
    return (
        Paragraph(
            "What that means for a stack is measured in untrained encoders: how large is the gradient of the last "
            "layer's weights? Where it is large however deep the stack is, training must begin with small steps and "
            "warm up; where it falls with the depth, it need not."
        ),
        Table(
            "by_depth",
            "Norm of the gradient of the last feed-forward matrix, by number of layers",
            tuple(map(str, DEPTHS)),
            tuple(Row(place, norms[place]) for place in PLACES),
            "layers",
            ".3f",
            f"Means over {DRAWS} random encoders of {QUICK.features} features. The lab takes more of them: "
            "tinygrad-norm lab pre-post.",
        ),
        Fact(
            "exponents",
            "As a power of the depth L the norm goes as L to the {post:.2f} with post-norm and as L to the {pre:.2f} "
            f"with pre-norm. {XIONG.short} (theorem 1) expect 0, and −1/2 for large L: post-norm needs a warm-up, "
            "pre-norm does not.",
            {"post": post, "pre": pre, "depths": DEPTHS},
        ),
    )
