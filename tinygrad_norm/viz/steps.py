"""The run as a sequence of sentences: each value as it is computed, then each contribution as it is sent back."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal

from .graph import EdgeView, GraphView, NodeView, Value
from .values import one_line, shape_text

LONGEST = 48
"""A value longer than this is given by its shape in a sentence."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step: the node it is about, the edge (its place in the view) for a contribution, and the sentence.

    ``received`` counts the contributions that have arrived at the node.
    """

    phase: Literal["forward", "backward"]
    node: str
    sentence: str
    edge: int | None = None
    received: int = 0


def steps_of(view: GraphView) -> list[Step]:
    """Return every step, forward and then backward."""
    return [*forward_steps(view), *backward_steps(view)]


def forward_steps(view: GraphView) -> list[Step]:
    """Return one step for each leaf and operation, in the order of the run."""
    return [Step("forward", node.id, forward_sentence(node)) for node in view.nodes]


def forward_sentence(node: NodeView) -> str:
    """Return what happens at a node when values are computed."""
    value = in_words(node.value, node)
    if node.kind == "failure":
        return f"{node.title}: {' '.join(node.badges)}"
    if node.kind == "operation":
        return f"{node.title} = {node.formula}{' = ' + value if value else ''}"
    if node.kind == "module":
        return f"{node.title} computes{' ' + value if value else ''}"
    return f"{node.title} is {'an' if node.kind == 'input' else 'a'} {node.kind}{': ' + value if value else ''}"


def in_words(value: Value | None, node: NodeView) -> str:
    """Return a value in a sentence: the numbers where they are few, else the shape."""
    if value is not None:
        text = one_line(value)
        if len(text) <= LONGEST:
            return text
    return f"shape {shape_text(node.shape)}" if node.shape is not None else ""


def backward_steps(view: GraphView) -> list[Step]:
    """Return the seed and one step for each contribution, in the order of the sweep."""
    if not view.sweep:
        return []
    nodes = {node.id: node for node in view.nodes}
    into: dict[str, list[tuple[int, EdgeView]]] = {}
    for i, edge in enumerate(view.edges):
        if edge.contribution is not None:
            into.setdefault(edge.target, []).append((i, edge))
    arrived: Counter[str] = Counter()
    steps = []
    for name in view.sweep:
        node = nodes[name]
        if not arrived[name]:
            steps.append(Step("backward", name, seed_sentence(node)))
        for i, edge in into.get(name, ()):
            arrived[edge.source] += 1
            source = nodes[edge.source]
            steps.append(
                Step(
                    "backward", source.id, sent_sentence(node, edge, source, arrived[source.id]), i, arrived[source.id]
                )
            )
    return steps


def seed_sentence(node: NodeView) -> str:
    """Return how a backward pass starts."""
    gradient = in_words(node.gradient, node)
    return f"The backward pass starts at {node.title} with the gradient ḡ = {gradient}"


def sent_sentence(node: NodeView, edge: EdgeView, source: NodeView, arrived: int) -> str:
    """Return who sends what to whom, and how much has arrived there."""
    rule = edge.rule or "a contribution"
    if edge.local:
        rule = f"{rule} = {edge.incoming} · {edge.local}"
    amount = one_line(edge.contribution) if edge.contribution is not None else ""
    short = 0 < len(amount) <= LONGEST
    shown = f" = {amount}" if short else f", shape {edge.shapes}"
    summed = f" ({edge.shapes})" if "Σ" in edge.shapes and short else ""
    complete = arrived == source.expected > 1 and source.gradient is not None
    in_all = f", in all {in_words(source.gradient, source)}" if complete else ""
    return (
        f"{node.title} sends {rule}{shown}{summed} to {source.title}: "
        f"{source.title} has received {arrived} of {source.expected}{in_all}"
    )
