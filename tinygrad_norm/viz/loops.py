"""Loops: the same code run again and again is found, and each of its runs becomes a box that can be folded and opened.

:func:`with_loops` looks, in every module and around all of them, for a sequence of operations and modules that repeats
at least three times; each repetition becomes a cluster named ``step.0``, ``step.1`` and so on. A module that repeats on
its own is a box already.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from .graph_view import ClusterView, GraphView, NodeView, clusters_around

REPEATS = 3
"""So often a sequence must occur to be taken for a loop."""
LONGEST_BODY = 100
"""A loop's body of more operations and modules than this is not looked for."""


@dataclass(frozen=True)
class Loop:
    """Where in a sequence a loop begins, how long its body is, and how often that runs."""

    start: int
    body: int
    times: int


def with_loops(view: GraphView) -> GraphView:
    """Return a view in which each run of a loop's body is a cluster."""
    clusters = {c.id: c for c in view.clusters}
    operations = {n.id: n for n in view.nodes}
    taken = {*clusters, *operations}
    moved: dict[str, str] = {}
    made: list[ClusterView] = []
    for parent, items in sequences(view).items():
        signs = [sign_of(clusters[i]) if i in clusters else sign_of(operations[i]) for i in items]
        names: Counter[str] = Counter()
        for loop in loops_in(signs):
            if loop.body == 1 and items[loop.start] in clusters:
                continue
            name = "step" if loop.body > 1 else operations[items[loop.start]].operation
            names[name] += 1
            name = name if names[name] == 1 else f"{name}_{names[name]}"
            around = f"{clusters[parent].path}." if parent in clusters and clusters[parent].path else ""
            kind = f"{name} of {parent}"
            for i in range(loop.times):
                path = f"{around}{name}.{i}"
                made.append(ClusterView(unused(path, taken), path, path, parent, kind=kind))
                for item in items[loop.start + i * loop.body : loop.start + (i + 1) * loop.body]:
                    moved[item] = made[-1].id
    return rearranged(view, moved, made) if made else view


def unused(name: str, taken: set[str]) -> str:
    """Return the name, or one like it that is not taken, and take it."""
    while name in taken:
        name += "_"
    taken.add(name)
    return name


def sequences(view: GraphView) -> dict[str | None, list[str]]:
    """Return what lies directly in each cluster, and outside all (None): operations and clusters, in their order."""
    parents = view.parents
    found: dict[str | None, dict[str, None]] = {}
    for node in view.nodes:
        if node.kind == "operation":
            chain: list[str | None] = [None, *clusters_around(node.cluster, parents)]
            for outer, inner in zip(chain, [*chain[1:], node.id], strict=True):
                found.setdefault(outer, {})[inner or ""] = None
    return {outer: list(inner) for outer, inner in found.items()}


def sign_of(item: NodeView | ClusterView) -> Hashable:
    """Return what is the same for every run of the same code."""
    if isinstance(item, ClusterView):
        return kind_of(item), item.operations, item.parameters
    # Where a loop takes its slices, these may be of several sizes.
    return item.operation, None if item.operation == "getitem" else item.shape


def kind_of(cluster: ClusterView) -> str:
    """Return what a cluster shares with others of its kind."""
    return cluster.kind or cluster.label.rpartition(": ")[2]


def loops_in(signs: Sequence[Hashable]) -> Iterator[Loop]:
    """Yield the loops in a sequence, those that cover most of it first; no two overlap.

    >>> [(loop.start, loop.body, loop.times) for loop in loops_in("xabababyzzz")]
    [(1, 2, 3), (8, 1, 3)]
    """
    numbers: dict[Hashable, int] = {}
    coded = np.array([numbers.setdefault(s, len(numbers)) for s in signs])
    pieces = [(0, len(coded))]
    while pieces:
        start, end = pieces.pop()
        loop = longest_loop(coded[start:end])
        if loop is not None:
            stop = start + loop.start + loop.body * loop.times
            yield replace(loop, start=start + loop.start)
            pieces += [(start, start + loop.start), (stop, end)]


def longest_loop(coded: np.ndarray[tuple[int], np.dtype[np.int_]]) -> Loop | None:
    """Return the loop that covers most, the one with the shortest body where several do."""
    best: Loop | None = None
    for body in range(1, min(len(coded) // REPEATS, LONGEST_BODY) + 1):
        # Where an entry equals the one a body later; the ends of the rows of such places.
        same = np.concatenate([[False], coded[body:] == coded[:-body], [False]])
        edges = np.flatnonzero(same[1:] != same[:-1])
        for start, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            times = (stop - start) // body + 1
            if times >= REPEATS and (best is None or times * body > best.times * best.body):
                best = Loop(start, body, times)
    return best


def rearranged(view: GraphView, moved: dict[str, str], made: Sequence[ClusterView]) -> GraphView:
    """Return a view with operations and clusters moved into new ones, and with them the leaves that only they use."""
    parents = {c.id: moved.get(c.id, c.parent) for c in view.clusters} | {c.id: c.parent for c in made}
    place = {n.id: moved.get(n.id, n.cluster) for n in view.nodes}
    new = {c.id for c in made}
    users: dict[str, set[str | None]] = {}
    for edge in view.edges:
        here = next((c for c in clusters_around(place[edge.target], parents) if c in new), None)
        users.setdefault(edge.source, set()).add(here)
    for node in view.nodes:
        if node.kind in ("parameter", "constant") and len(users.get(node.id, ())) == 1:
            (only,) = users[node.id]
            if only is not None and node.cluster == parents[only]:
                place[node.id] = only
    held: Counter[str] = Counter()
    owned: Counter[str] = Counter()
    for node in view.nodes:
        for cluster in clusters_around(place[node.id], parents):
            held[cluster] += node.kind == "operation"
            owned[cluster] += node.kind in ("parameter", "leaf") and node.needs_gradient
    known = {c.id: c for c in view.clusters} | {
        c.id: replace(c, operations=held[c.id], parameters=owned[c.id]) for c in made
    }
    ordered: dict[str, ClusterView] = {}
    for name in known:
        for cluster in clusters_around(name, parents):
            ordered[cluster] = replace(known[cluster], parent=parents[cluster])
    nodes = tuple(replace(n, cluster=place[n.id]) if place[n.id] != n.cluster else n for n in view.nodes)
    return replace(view, nodes=nodes, clusters=tuple(ordered.values()))
