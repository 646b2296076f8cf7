"""Groups of nodes become boxes: what is inside goes, edges that leave stay, names that are hidden are replaced."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from .graph import ClusterView, EdgeView, GraphView, NodeView
from .naming import substituted
from .values import shape_text


@dataclass(frozen=True)
class Folded:
    """A folded view, and for each node of the whole view the id of what stands for it."""

    view: GraphView
    shown_as: Mapping[str, str]


def contracted(view: GraphView, stands: Mapping[str, str], box: Callable[[str, list[NodeView]], NodeView]) -> Folded:
    """Return a view in which every group of nodes is one box; edges inside a group go, like edges join."""
    groups: dict[str, list[NodeView]] = {}
    for node in view.nodes:
        groups.setdefault(stands[node.id], []).append(node)
    uses = {(e.source, stands[e.target]) for e in view.edges}
    leaving = {s for s, target in uses if stands[s] != target}
    nodes: list[NodeView] = []
    placed: set[str] = set()
    # A box stands where its last node stood, so that what it uses comes before it.
    last = {name: inside[-1].id for name, inside in groups.items()}
    for node in view.nodes:
        name = stands[node.id]
        if name == node.id and name not in placed and len(groups[name]) == 1:
            nodes.append(node)
        elif last[name] == node.id:
            placed.add(name)
            inside = groups[name]
            nodes.append(box(name, [n for n in inside if n.id in leaving or n.output] or inside[-1:]))
            nodes[-1] = replace(
                nodes[-1],
                wrong=any(n.wrong for n in inside),
                badges=tuple(b for n in inside for b in n.badges if n.kind == "operation"),
            )
    kept = {n.cluster for n in nodes}
    hidden = hidden_names(view, stands, {n.id: n for n in nodes})
    nodes = [replace(n, formula=substituted(n.formula, hidden[n.id])) if n.id in hidden else n for n in nodes]
    return Folded(
        replace(
            view,
            nodes=tuple(nodes),
            edges=tuple(
                replace(e, rule=substituted(e.rule, hidden[e.target])) if e.target in hidden and e.rule else e
                for e in joined_edges(view.edges, stands, {name for name in groups if name in placed})
            ),
            clusters=kept_clusters(view.clusters, kept),
            sweep=tuple(dict.fromkeys(stands[name] for name in view.sweep)),
        ),
        dict(stands),
    )


def hidden_names(
    view: GraphView, stands: Mapping[str, str], visible: Mapping[str, NodeView]
) -> dict[str, dict[str, str]]:
    """Return for each visible operation what its formula must call the arguments that lie in a box now."""
    titles = {n.id: n.title for n in view.nodes}
    found: dict[str, dict[str, str]] = {}
    for edge in view.edges:
        box = stands[edge.source]
        if box != edge.source and edge.target in visible:
            found.setdefault(edge.target, {})[titles[edge.source]] = visible[box].title.partition(": ")[0]
    return found


def kept_clusters(clusters: tuple[ClusterView, ...], used: set[str | None]) -> tuple[ClusterView, ...]:
    """Return the clusters that still hold a node, or one that does."""
    outer = {c.id: c.parent for c in clusters}
    needed: set[str] = set()
    for place in used:
        while place is not None and place not in needed:
            needed.add(place)
            place = outer[place]
    return tuple(c for c in clusters if c.id in needed)


def joined_edges(edges: tuple[EdgeView, ...], stands: Mapping[str, str], boxes: set[str]) -> tuple[EdgeView, ...]:
    """Return the edges between what is visible; those of one value into one box become one."""
    found: dict[object, EdgeView] = {}
    for i, edge in enumerate(edges):
        source, target = stands[edge.source], stands[edge.target]
        if source == target:
            continue
        if target not in boxes:
            found[i] = replace(edge, source=source, target=target)
            continue
        key = (edge.source, target)
        before = found.get(key)
        magnitudes = [m for m in (before.magnitude if before else None, edge.magnitude) if m is not None]
        found[key] = EdgeView(
            source, target, len(found), shape=edge.shape, shapes=shape_text(edge.shape),
            magnitude=max(magnitudes, default=None), repeats=before.repeats + 1 if before else 1,
            differentiable=edge.differentiable or (before.differentiable if before else False),
            badges=(before.badges if before else ()) + edge.badges,
            wrong=edge.wrong or (before.wrong if before else False),
        )  # fmt: skip
    return tuple(found.values())
