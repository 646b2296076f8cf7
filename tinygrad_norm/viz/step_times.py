"""When each thing of a run is known: at which step a value is computed, a contribution arrives, a gradient is complete.

:func:`times_of` reads it off the steps; :func:`fold_times` says it of the boxes of a folded view, in which only what
crosses a border arrives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .fold import Folded
from .graph_as_text import Sentence
from .graph_view import EdgeView, GraphView, NodeView


@dataclass(frozen=True)
class Times:
    """The steps of a whole run: ``forward`` of them compute, ``last`` is the last.

    ``computed`` is by node; ``arrivals`` are by node the steps at which something arrives, with the edge in the view
    that it came by (None where the backward pass starts).
    """

    forward: int
    last: int
    computed: Mapping[str, int]
    arrivals: Mapping[str, Sequence[tuple[int, int | None]]]
    sent: Mapping[tuple[str, str, int], int]

    def saved_at(self, node: NodeView) -> int:
        """Return the step at which the last operation that keeps a value has been computed."""
        return max((self.computed[name] for name in node.saved_by if name in self.computed), default=1)

    def sent_at(self, edge: EdgeView, otherwise: int) -> int:
        """Return the step at which an edge's contribution is sent; without a backward pass its rule is known before."""
        return self.sent.get((edge.source, edge.target, edge.position), otherwise)


@dataclass(frozen=True)
class FoldTimes:
    """The steps of what a folded view shows: by node and, for ``sent``, by the place of the edge in that view.

    ``gradients`` are the steps at which the last part of a result's gradient arrives, also from inside its box.
    """

    computed: Mapping[str, Sequence[int]]
    arrivals: Mapping[str, Sequence[int]]
    gradients: Mapping[str, int]
    seeds: frozenset[str]
    sent: Mapping[int, Sequence[int]]

    def start(self, name: str) -> int:
        """Return the step at which the first of a box is computed."""
        return min(self.computed.get(name, (1,)))

    def end(self, name: str) -> int:
        """Return the step at which all of a box is computed."""
        return max(self.computed.get(name, (1,)))

    def complete(self, name: str) -> int:
        """Return the step at which all of a gradient has arrived, 0 if none does."""
        return self.gradients.get(name, 0)


def times_of(view: GraphView, steps: Sequence[Sentence]) -> Times:
    """Return the times of a run."""
    computed: dict[str, int] = {}
    arrivals: dict[str, list[tuple[int, int | None]]] = {}
    sent: dict[tuple[str, str, int], int] = {}
    for number, step in enumerate(steps, 1):
        if step.phase == "forward":
            computed[step.node] = number
            continue
        arrivals.setdefault(step.node, []).append((number, step.edge))
        if step.edge is not None:
            edge = view.edges[step.edge]
            sent[edge.source, edge.target, edge.position] = number
    return Times(len(computed), len(steps), computed, arrivals, sent)


def fold_times(folded: Folded, view: GraphView, times: Times) -> FoldTimes:
    """Return the times of a folded view."""
    shown_as = folded.shown_as
    computed: dict[str, list[int]] = {}
    for name, number in times.computed.items():
        computed.setdefault(shown_as[name], []).append(number)
    arrivals: dict[str, list[int]] = {}
    gradients: dict[str, int] = {}
    seeds: set[str] = set()
    for name, found in times.arrivals.items():
        box = shown_as[name]
        crossing = [n for n, edge in found if edge is None or shown_as[view.edges[edge].target] != box]
        seeds |= {box} if any(edge is None for _, edge in found) else set()
        arrivals[box] = sorted([*arrivals.get(box, []), *crossing])
        if crossing:
            gradients[box] = max(gradients.get(box, 0), *(n for n, _ in found))
    return FoldTimes(computed, arrivals, gradients, frozenset(seeds), edges_at(folded, view, times))


def edges_at(folded: Folded, view: GraphView, times: Times) -> dict[int, list[int]]:
    """Return for each visible edge the steps at which a contribution is sent along it."""
    # Edges of one pair keep their order when a view is folded; those that were joined share one.
    visible_edges: dict[tuple[str, str], list[int]] = {}
    for i, edge in enumerate(folded.view.edges):
        visible_edges.setdefault((edge.source, edge.target), []).append(i)
    taken: dict[tuple[str, str], int] = {}
    found: dict[int, list[int]] = {}
    for edge in view.edges:
        pair = (folded.shown_as[edge.source], folded.shown_as[edge.target])
        if pair[0] == pair[1] or pair not in visible_edges:
            continue
        n = min(taken.get(pair, 0), len(visible_edges[pair]) - 1)
        taken[pair] = n + 1
        number = times.sent.get((edge.source, edge.target, edge.position))
        if number is not None:
            found.setdefault(visible_edges[pair][n], []).append(number)
    return {i: sorted(numbers) for i, numbers in found.items()}
