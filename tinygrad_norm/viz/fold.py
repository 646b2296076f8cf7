"""Folding: a module becomes a box with its counts, so that what is seen stays small enough to read.

``depth`` counts the levels of modules that are open; ``focus`` opens one path and closes everything else. Left to
itself, folding opens as many levels as keep about sixty nodes visible.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Literal

from ..errors import InputError
from .contract import Folded, contracted
from .graph import ClusterView, GraphView, NodeView

VISIBLE = 60
"""Automatic folding keeps about so many nodes."""
RUN = 3
"""Automatic folding joins at least so many like boxes in a row."""

Depth = int | None | Literal["auto"]


def fold(view: GraphView, depth: Depth = "auto", focus: str | None = None) -> Folded:
    """Return a view with the clusters below ``depth``, or outside ``focus``, folded.

    Raises
    ------
    InputError
        The depth is no number from 0 on, None or "auto", or nothing has the path of the focus.
    """
    levels = levels_of(view)
    if focus is not None:
        return folded_by(view, focus_test(view, focus, depth, levels))
    if depth is None:
        return folded_by(view, lambda cluster: True)
    if depth != "auto":
        if isinstance(depth, bool) or not isinstance(depth, int) or depth < 0:
            raise InputError(
                f"depth must be a number of levels from 0 on, None for all of them, or 'auto'; got {depth!r}. "
                "0 shows each module as one box."
            )
        return folded_by(view, lambda cluster: levels[cluster.id] < depth)
    deepest = max(levels.values(), default=-1) + 1
    for tried in range(deepest, -1, -1):
        # Count before building: only one of the depths is wanted.
        if visible_count(view, levels, tried) <= VISIBLE:
            return folded_by(view, lambda cluster, tried=tried: levels[cluster.id] < tried)  # type: ignore[misc]
    folded = folded_by(view, lambda cluster: False)
    return join_runs(view, folded)


def levels_of(view: GraphView) -> dict[str, int]:
    """Return how deep each cluster lies, from 0."""
    levels: dict[str, int] = {}
    for cluster in view.clusters:
        levels[cluster.id] = 0 if cluster.parent is None else levels[cluster.parent] + 1
    return levels


def visible_count(view: GraphView, levels: Mapping[str, int], depth: int) -> int:
    """Return how many nodes a fold at this depth would show."""
    outer = {c.id: c.parent for c in view.clusters}
    shown = set()
    for node in view.nodes:
        place, stands = node.cluster, node.id
        while place is not None:
            if levels[place] >= depth:
                stands = place
            place = outer[place]
        shown.add(stands)
    return len(shown)


def focus_test(view: GraphView, focus: str, depth: Depth, levels: Mapping[str, int]) -> Callable[[ClusterView], bool]:
    """Return which clusters are open: those around the focus, it, and those in it (to ``depth`` levels)."""
    chosen = {c.id for c in view.clusters if focus in (c.path, c.id)}
    if not chosen:
        paths = list(dict.fromkeys(c.path for c in view.clusters))
        raise InputError(
            f"focus must be the path of a module or composition; got {focus!r}. "
            f"{'There is' if paths else 'Nothing is nested here'}{': ' if paths else '.'}{', '.join(paths[:12])}"
            f"{f' and {len(paths) - 12} more' if len(paths) > 12 else ''}"
        )
    outer = {c.id: c.parent for c in view.clusters}
    around: set[str | None] = set()
    within: dict[str, int] = {}
    for cluster in view.clusters:
        if cluster.id in chosen:
            place: str | None = cluster.id
            while place is not None:
                around.add(place)
                place = outer[place]
            within[cluster.id] = levels[cluster.id]
        elif cluster.parent in within:
            within[cluster.id] = within[cluster.parent]
    most = depth if isinstance(depth, int) else None

    def is_open(cluster: ClusterView) -> bool:
        if cluster.id in within:
            return cluster.id in chosen or most is None or levels[cluster.id] - within[cluster.id] < most
        return cluster.id in around

    return is_open


def folded_by(view: GraphView, is_open: Callable[[ClusterView], bool]) -> Folded:
    """Return a view with every cluster folded that is not open, or lies in one that is not."""
    closed: dict[str, str] = {}
    for cluster in view.clusters:
        if cluster.parent in closed:
            closed[cluster.id] = closed[cluster.parent]
        elif not is_open(cluster):
            closed[cluster.id] = cluster.id
    if not closed:
        return Folded(view, {n.id: n.id for n in view.nodes})
    stands = {n.id: closed.get(n.cluster or "", n.id) for n in view.nodes}
    by_id = {c.id: c for c in view.clusters}
    return contracted(view, stands, lambda box, inside: box_of(by_id[box], inside))


def box_of(cluster: ClusterView, results: list[NodeView]) -> NodeView:
    """Return the box of a folded cluster; a single result lends it its shape, value and gradient."""
    parameters = f", {counted(cluster.parameters, 'parameter')}" if cluster.parameters else ""
    calls = f", one of {cluster.calls} calls" if cluster.calls > 1 else ""
    result = results[0] if len(results) == 1 else None
    return NodeView(
        cluster.id, "module", cluster.label, formula=counted(cluster.operations, "operation") + parameters + calls,
        shape=result.shape if result else None, dtype=result.dtype if result else "",
        value=result.value if result else None, gradient=result.gradient if result else None,
        needs_gradient=any(r.needs_gradient for r in results), output=any(r.output for r in results),
        received=sum(r.received for r in results), expected=sum(r.expected for r in results),
        cluster=cluster.parent, operations=cluster.operations, parameters=cluster.parameters,
    )  # fmt: skip


def counted(n: int, what: str) -> str:
    """Return ``1 operation`` or ``3 operations``."""
    return f"{n} {what}{'' if n == 1 else 's'}"


def join_runs(view: GraphView, folded: Folded) -> Folded:
    """Return a view in which runs of like boxes, each right after the other, are one box.

    Boxes of one path are one module run N times with the same parameters: ``(×N)``. Boxes of several paths are distinct
    instances: ``+N more``.
    """
    by_id = {c.id: c for c in view.clusters}
    runs: list[list[NodeView]] = []
    for node in folded.view.nodes:
        if node.kind in ("parameter", "constant", "input", "leaf"):
            continue
        if node.kind == "module" and runs and runs[-1] and like(runs[-1][-1], node, by_id):
            runs[-1].append(node)
        else:
            runs.append([node] if node.kind == "module" else [])
    stands = {n.id: n.id for n in folded.view.nodes}
    members: dict[str, list[NodeView]] = {}
    for run in runs:
        if len(run) >= RUN:
            members[run[0].id] = run
            stands |= {n.id: run[0].id for n in run}
    if not members:
        return folded
    joined = contracted(folded.view, stands, lambda name, results: run_box(members[name], results, by_id))
    return Folded(joined.view, {name: stands[shown] for name, shown in folded.shown_as.items()})


def like(a: NodeView, b: NodeView, clusters: Mapping[str, ClusterView]) -> bool:
    """Return whether two boxes are the same kind of thing, side by side."""
    kinds = [clusters[n.id].label.rpartition(": ")[2] for n in (a, b)]
    return kinds[0] == kinds[1] and (a.operations, a.parameters, a.cluster) == (b.operations, b.parameters, b.cluster)


def run_box(run: list[NodeView], results: list[NodeView], clusters: Mapping[str, ClusterView]) -> NodeView:
    """Return the box of a run of like boxes."""
    same = len({clusters[n.id].path for n in run}) == 1
    title = f"{run[0].title} (×{len(run)})" if same else f"{run[0].title} +{len(run) - 1} more"
    operations = sum(n.operations for n in run)
    parameters = run[0].parameters if same else sum(n.parameters for n in run)
    held = f", {counted(parameters, 'parameter')}" if parameters else ""
    result = results[-1]
    return replace(
        result, id=run[0].id, title=title, formula=counted(operations, "operation") + held, operations=operations,
        parameters=parameters,
    )  # fmt: skip
