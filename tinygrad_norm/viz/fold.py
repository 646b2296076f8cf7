"""Folding: a module becomes a box with its counts, so that what is seen stays small enough to read.

``depth`` counts the levels of modules that are open; ``focus`` opens one path and closes everything else, ``opened``
are paths that stay open. Left to itself, folding opens as many levels as keep about twenty boxes, and draws the runs
of a loop, or modules that are alike, as one box. What is inside a box goes, edges that leave it stay, and a formula
calls the box by its name where it named what is hidden.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from ..errors import InputError
from .graph_view import ClusterView, EdgeView, GraphView, NodeView, clusters_around
from .legible import shape_text
from .loops import REPEATS, kind_of, with_loops
from .naming import substituted

VISIBLE = 22
"""Automatic folding keeps about so many boxes."""

AGAIN = re.compile(r"([^,(]+ × \d+)(?:, \1)+")
MOST_BADGES = 3
"""So many marks of what is inside a box are shown on it."""

Depth: TypeAlias = int | Literal["auto"] | None


@dataclass(frozen=True)
class Folded:
    """A folded view, and for each node of the whole view the id of what stands for it."""

    view: GraphView
    shown_as: Mapping[str, str]
    focused: frozenset[str] = frozenset()
    """The clusters that were asked for by name."""


def fold(
    view: GraphView,
    depth: Depth = "auto",
    focus: str | None = None,
    opened: Sequence[str] = (),
    most: int = VISIBLE,
) -> Folded:
    """Return a view with the clusters below ``depth``, or outside ``focus``, folded; an InputError for any other.

    ``most`` is how many boxes automatic folding keeps.
    """
    if depth is not None and depth != "auto" and (isinstance(depth, bool) or not isinstance(depth, int) or depth < 0):
        raise InputError(
            f"depth must be a number of levels from 0 on, None for all of them, or 'auto'; got {depth!r}. "
            "0 shows each module as one box."
        )
    if (depth is None or (depth == "auto" and len(view.nodes) <= most)) and focus is None and not opened:
        return folded_by(view, lambda cluster: True)
    if depth == "auto" or focus is not None or opened:
        view = with_loops(view)
    levels = levels_of(view)
    if focus is not None:
        joined = like_boxes_joined(view, folded_by(view, focus_test(view, focus, depth, levels)))
        return replace(joined, focused=frozenset(clusters_at(view, focus, "focus")))
    chosen = frozenset(c for path in opened for c in clusters_at(view, path, "open"))
    inside = {outer for c in chosen for outer in around(c, view)}
    if depth != "auto":
        levels_open = len(levels) if depth is None else depth
        folded = folded_by(view, open_above(levels_open, levels, inside))
        return replace(like_boxes_joined(view, folded), focused=chosen) if opened else folded
    for tried in range(max(levels.values(), default=-1) + 1, -1, -1):
        folded = like_boxes_joined(view, folded_by(view, open_above(tried, levels)))
        if len(folded.view.nodes) <= most:
            break
    if opened:
        folded = like_boxes_joined(view, folded_by(view, open_above(tried, levels, inside)))
    return replace(folded, focused=chosen)


def around(cluster: str, view: GraphView) -> list[str]:
    """Return a cluster and those that it lies in."""
    return clusters_around(cluster, view.parents)


def levels_of(view: GraphView) -> dict[str, int]:
    """Return how deep each cluster lies, from 0."""
    levels: dict[str, int] = {}
    for cluster in view.clusters:
        levels[cluster.id] = 0 if cluster.parent is None else levels[cluster.parent] + 1
    return levels


def open_above(depth: int, levels: Mapping[str, int], opened: Collection[str] = ()) -> Callable[[ClusterView], bool]:
    """Return which clusters are open where so many levels of them are, and some others."""
    return lambda cluster: levels[cluster.id] < depth or cluster.id in opened


def clusters_at(view: GraphView, path: str, option: str) -> set[str]:
    """Return the clusters of a path, or of an end of one; an InputError that lists what there is."""
    chosen = {c.id for c in view.clusters if path in (c.path, c.id)}
    chosen = chosen or {c.id for c in view.clusters if c.path.endswith(f".{path}")}
    if not chosen:
        paths = list(dict.fromkeys(c.path for c in view.clusters))
        raise InputError(
            f"{option} must be the path of a module or composition; got {path!r}. "
            f"{'There is' if paths else 'Nothing is nested here'}{': ' if paths else '.'}{', '.join(paths[:12])}"
            f"{f' and {len(paths) - 12} more' if len(paths) > 12 else ''}"
        )
    return chosen


def focus_test(view: GraphView, focus: str, depth: Depth, levels: Mapping[str, int]) -> Callable[[ClusterView], bool]:
    """Return which clusters are open: those around the focus, it, and those in it (to ``depth`` levels)."""
    chosen = clusters_at(view, focus, "focus")
    parents = view.parents
    outside = {outer for name in chosen for outer in clusters_around(name, parents)}
    within: dict[str, int] = {}
    for cluster in view.clusters:
        if cluster.id in chosen:
            within[cluster.id] = levels[cluster.id]
        elif cluster.parent in within:
            within[cluster.id] = within[cluster.parent]
    most = depth if isinstance(depth, int) else None

    def is_open(cluster: ClusterView) -> bool:
        if cluster.id in within:
            return cluster.id in chosen or most is None or levels[cluster.id] - within[cluster.id] < most
        return cluster.id in outside

    return is_open


def closed_clusters(view: GraphView, is_open: Callable[[ClusterView], bool]) -> dict[str, str]:
    """Return each cluster that is not open, or lies in one that is not, with the outermost such one."""
    closed: dict[str, str] = {}
    for cluster in view.clusters:
        if cluster.parent in closed:
            closed[cluster.id] = closed[cluster.parent]
        elif not is_open(cluster):
            closed[cluster.id] = cluster.id
    return closed


def folded_by(view: GraphView, is_open: Callable[[ClusterView], bool]) -> Folded:
    """Return a view with every cluster folded that is not open, or lies in one that is not."""
    closed = closed_clusters(view, is_open)
    if not closed:
        return Folded(view, {n.id: n.id for n in view.nodes})
    stands = {n.id: closed.get(n.cluster or "", n.id) for n in view.nodes}
    by_id = {c.id: c for c in view.clusters}
    return contracted(view, stands, lambda box, inside: box_of(by_id[box], inside, by_id))


def box_of(cluster: ClusterView, results: list[NodeView], clusters: Mapping[str, ClusterView]) -> NodeView:
    """Return the box of a folded cluster; a single result lends it its shape, value and gradient.

    Inside the frame of an open module it is called by its own attribute alone.
    """
    outer = clusters[cluster.parent].path if cluster.parent is not None else ""
    calls = f", one of {cluster.calls} calls" if cluster.calls > 1 else ""
    lent = results[0] if len(results) == 1 else NodeView("", "module", "")
    return NodeView(
        id=cluster.id,
        kind="module",
        title=cluster.label.removeprefix(f"{outer}.") if outer else cluster.label,
        formula=held_in(cluster.operations, cluster.parameters) + calls,
        shape=lent.shape,
        dtype=lent.dtype,
        value=lent.value,
        gradient=lent.gradient,
        needs_gradient=any(r.needs_gradient for r in results),
        output=any(r.output for r in results),
        cluster=cluster.parent,
        operations=cluster.operations,
        parameters=cluster.parameters,
    )


def held_in(operations: int, parameters: int) -> str:
    """Return what a box holds: ``3 operations, 1 parameter``."""
    counts = ((operations, "operation"), *([(parameters, "parameter")] if parameters else []))
    return ", ".join(f"{n} {what}{'' if n == 1 else 's'}" for n, what in counts)


def like_boxes_joined(view: GraphView, folded: Folded) -> Folded:
    """Return a view in which rows of like boxes, each right after the other, are one box: ``Block × 12``."""
    by_id = {c.id: c for c in view.clusters}
    rows: list[list[NodeView]] = []
    for node in folded.view.nodes:
        if node.kind in ("parameter", "constant", "input", "leaf"):
            continue
        if node.kind == "module" and rows and rows[-1] and are_like(rows[-1][-1], node, by_id):
            rows[-1].append(node)
        else:
            rows.append([node] if node.kind == "module" else [])
    members = {row[0].id: row for row in rows if len(row) >= REPEATS}
    if not members:
        return folded
    stands = {n.id: n.id for n in folded.view.nodes} | {n.id: name for name, row in members.items() for n in row}
    given = parameters_given(folded.view)
    joined = contracted(
        folded.view, stands, lambda name, results: joint_box(members[name], results[-1], by_id, given), rolled=True
    )
    carried = carried_edges(folded.view.edges, members)
    shown = replace(joined.view, edges=(*joined.view.edges, *carried))
    return Folded(shown, {name: stands[now] for name, now in folded.shown_as.items()})


def are_like(a: NodeView, b: NodeView, clusters: Mapping[str, ClusterView]) -> bool:
    """Return whether two boxes are the same kind of thing, side by side."""
    kinds = [kind_of(clusters[n.id]) for n in (a, b)]
    return kinds[0] == kinds[1] and (a.operations, a.parameters, a.cluster) == (b.operations, b.parameters, b.cluster)


def parameters_given(view: GraphView) -> dict[str, frozenset[str]]:
    """Return the parameters that each box takes from outside."""
    learned = {n.id for n in view.nodes if n.kind in ("parameter", "leaf")}
    given: dict[str, set[str]] = {}
    for edge in view.edges:
        if edge.source in learned:
            given.setdefault(edge.target, set()).add(edge.source)
    return {name: frozenset(found) for name, found in given.items()}


def carried_edges(edges: Sequence[EdgeView], members: Mapping[str, Sequence[NodeView]]) -> list[EdgeView]:
    """Return for each row of boxes the edge from it to itself: what one of them hands to the next."""
    place = {n.id: (name, i) for name, row in members.items() for i, n in enumerate(row)}
    carried: dict[str, dict[tuple[int, int], EdgeView]] = {}
    for edge in edges:
        if edge.source in place and edge.target in place:
            (name, i), (other, j) = place[edge.source], place[edge.target]
            if name == other and j == i + 1:
                carried.setdefault(name, {})[i, j] = edge
    return [
        EdgeView(name, name, shape=next(iter(pairs.values())).shape, repeats=len(pairs))
        for name, pairs in carried.items()
    ]


def joint_box(
    row: list[NodeView], result: NodeView, clusters: Mapping[str, ClusterView], given: Mapping[str, frozenset[str]]
) -> NodeView:
    """Return the box of a row of like boxes; ``result`` is the last that something else uses."""
    first, paths = row[0], list(dict.fromkeys(clusters[n.id].path for n in row))
    once = len({given.get(n.id, frozenset()) for n in row}) == 1 and (first.id in given or len(paths) == 1)
    what = clusters[first.id].kind.partition(" of ")[0] or first.title.rpartition(": ")[2].partition(", ")[0]
    operations = sum(n.operations for n in row)
    parameters = first.parameters if once else sum(n.parameters for n in row)
    names = f"{paths[0]} to {paths[-1]}: " if len(paths) > 1 else f"{paths[0]}: " if paths[0] not in ("", what) else ""
    shared = ", the same parameters each time" if once else ""
    held = f"{names}{held_in(operations, parameters)}{shared}"
    title = f"{what} × {len(row)}"
    return replace(result, id=first.id, title=title, formula=held, operations=operations, parameters=parameters)


def contracted(
    view: GraphView,
    stands: Mapping[str, str],
    box: Callable[[str, list[NodeView]], NodeView],
    rolled: bool = False,
) -> Folded:
    """Return a view in which every group of nodes is one box; edges inside a group go, like edges join.

    Of ``rolled`` boxes the results are all alike, and the edges from them to one other join as well.
    """
    groups: dict[str, list[NodeView]] = {}
    for node in view.nodes:
        groups.setdefault(stands[node.id], []).append(node)
    leaving = {e.source for e in view.edges if stands[e.source] != stands[e.target]}
    expected, received = crossing(view.edges, stands)
    nodes: list[NodeView] = []
    boxes: set[str] = set()
    for node in view.nodes:
        name = stands[node.id]
        inside = groups[name]
        if name == node.id and len(inside) == 1:
            nodes.append(node)
        elif inside[-1] is node:
            # A box stands where its last node stood, so that what it uses comes before it.
            boxes.add(name)
            made = box(name, [n for n in inside if n.id in leaving or n.output] or inside[-1:])
            badges = tuple(b for n in inside for b in n.badges if n.kind == "operation")
            marked = replace(
                made,
                badges=tuple(dict.fromkeys(badges))[:MOST_BADGES],
                wrong=any(n.wrong for n in inside),
                spoiled=any(n.spoiled for n in inside),
                saved_bytes=sum(n.saved_bytes for n in inside),
                expected=expected[name],
                received=received[name],
            )
            nodes.append(marked)
    kept = {n.cluster for n in nodes}
    hidden = hidden_names(view, stands, {n.id: n for n in nodes})
    nodes = [replace(n, formula=once(substituted(n.formula, hidden[n.id]))) if n.id in hidden else n for n in nodes]
    edges = (
        replace(e, rule=substituted(e.rule, hidden[e.target])) if e.target in hidden and e.rule else e
        for e in joined_edges(view.edges, stands, boxes, rolled)
    )
    parents = view.parents
    needed = {c for place in kept for c in clusters_around(place, parents)}
    clusters = tuple(c for c in view.clusters if c.id in needed)
    sweep = tuple(dict.fromkeys(stands[name] for name in view.sweep))
    return Folded(replace(view, nodes=tuple(nodes), edges=tuple(edges), clusters=clusters, sweep=sweep), dict(stands))


def crossing(edges: Sequence[EdgeView], stands: Mapping[str, str]) -> tuple[Counter[str], Counter[str]]:
    """Return how many contributions each box can get from outside, and how many it got: what stays inside is none."""
    expected: Counter[str] = Counter()
    received: Counter[str] = Counter()
    for edge in edges:
        if stands[edge.source] != stands[edge.target] and edge.differentiable:
            expected[stands[edge.source]] += edge.repeats
            received[stands[edge.source]] += edge.repeats * (edge.magnitude is not None)
    return expected, received


def hidden_names(
    view: GraphView, stands: Mapping[str, str], visible: Mapping[str, NodeView]
) -> dict[str, dict[str, str]]:
    """Return for each visible operation what its formula must call the arguments that lie in a box now."""
    titles = {n.id: n.title for n in view.nodes}
    boxes = {n.id for n in view.nodes if n.kind == "module"}
    found: dict[str, dict[str, str]] = {}
    for edge in view.edges:
        box = stands[edge.source]
        renamed = box != edge.source or visible[box].title != titles[box]
        if renamed and edge.target in visible:
            called = titles[edge.source].partition(": ")[0] if edge.source in boxes else titles[edge.source]
            found.setdefault(edge.target, {})[called] = visible[box].title.partition(": ")[0]
    return found


def once(formula: str) -> str:
    """Return a formula in which an argument that comes again and again stands once.

    >>> once("stack(step × 3, step × 3, step × 3), axis 0"), once("x, y, x")
    ('stack(step × 3, …), axis 0', 'x, y, x')
    """
    return AGAIN.sub(r"\1, …", formula)


def joined_edges(
    edges: tuple[EdgeView, ...], stands: Mapping[str, str], boxes: set[str], rolled: bool
) -> tuple[EdgeView, ...]:
    """Return the edges between what is visible; those of one value into one box become one."""
    found: dict[object, EdgeView] = {}
    for i, edge in enumerate(edges):
        source, target = stands[edge.source], stands[edge.target]
        if source == target:
            continue
        alike = rolled and source in boxes
        if target not in boxes and not alike:
            found[i] = replace(edge, source=source, target=target)
            continue
        key = (source if alike else edge.source, target)
        both = [found[key], edge] if key in found else [edge]
        found[key] = EdgeView(
            source,
            target,
            position=len(found),
            shape=edge.shape,
            shapes=shape_text(edge.shape),
            magnitude=max((e.magnitude for e in both if e.magnitude is not None), default=None),
            differentiable=any(e.differentiable for e in both),
            badges=tuple(b for e in both for b in e.badges),
            wrong=any(e.wrong for e in both),
            repeats=both[0].repeats + edge.repeats if len(both) == 2 else edge.repeats,
        )
    return tuple(found.values())
