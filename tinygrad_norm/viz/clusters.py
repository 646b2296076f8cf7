"""Which module or composition each operation lies in: one cluster a call, nested as the calls were."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import replace

from ..engine.tape import Scope
from .graph_view import ClusterView, NodeKind, clusters_around
from .legible import visible
from .naming import Ids
from .recorded_run import AppliedPrimitive, Run

# What says no more of a cluster than its name does.
UNNAMED_KINDS = ("function", "scope")
BACKWARD = "backward pass"


class Clusters:
    """The clusters of a run, found while its operations are read in order."""

    def __init__(self, run: Run, ids: Ids, kinds: Mapping[Hashable, NodeKind]) -> None:
        self._ids = ids
        self._of_scope: dict[Scope, str] = {}
        self._backward: str | None = None
        self.views: dict[str, ClusterView] = {}
        self.of_operation: dict[Hashable, str | None] = {op.key: self._find(op) for op in run.operations}
        self.of_failure = self._of(run.failure.scope) if run.failure else None
        self._join_single_children()
        self._parents = {view.id: view.parent for view in self.views.values()}
        self.of_leaf = self._leaves(run, kinds)

    def _find(self, op: AppliedPrimitive) -> str | None:
        if op.in_backward:
            if self._backward is None:
                self._backward = self._ids.named(BACKWARD)
                self.views[self._backward] = ClusterView(self._backward, BACKWARD, BACKWARD, None)
            return self._backward
        return self._of(op.scope)

    def _of(self, scope: Scope | None) -> str | None:
        """Return the cluster of a scope, made together with those around it when it is first met."""
        missing = []
        while scope is not None and scope not in self._of_scope:
            missing.append(scope)
            scope = scope.parent
        inside = self._of_scope[scope] if scope is not None else None
        for new in reversed(missing):
            outer = self.views[inside].path if inside is not None else ""
            path = ".".join(filter(None, [outer, new.name]))
            view = ClusterView(self._ids.named(path or new.kind), path, label_of(new, path), inside)
            self.views[view.id] = view
            self._of_scope[new] = inside = view.id
        return inside

    def _join_single_children(self) -> None:
        """Drop the cluster of a function that is all there is to a module: one frame says as much as two."""
        children = Counter(view.parent for view in self.views.values())
        direct = set(self.of_operation.values())
        direct.add(self.of_failure)
        kinds = {cluster: scope.kind for scope, cluster in self._of_scope.items()}
        joined: dict[str, str] = {}
        for view in list(self.views.values()):
            outer = view.parent
            if outer is None:
                continue
            outer = joined.get(outer, outer)
            if kinds.get(view.id) == "function" and children[view.parent] == 1 and outer not in direct:
                joined[view.id] = outer
                del self.views[view.id]
                # What was directly in the function is now directly in the module.
                if view.id in direct:
                    direct.add(outer)
            elif outer != view.parent:
                self.views[view.id] = replace(view, parent=outer)
        self.of_operation = {k: joined.get(c, c) if c else None for k, c in self.of_operation.items()}
        if self.of_failure is not None:
            self.of_failure = joined.get(self.of_failure, self.of_failure)

    def _leaves(self, run: Run, kinds: Mapping[Hashable, NodeKind]) -> dict[Hashable, str | None]:
        """Return where parameters and nameless constants belong: in the innermost cluster with all their users."""
        users: dict[Hashable, list[str | None]] = {}
        for op in run.operations:
            for key in op.operands:
                if key in run.leaves:
                    users.setdefault(key, []).append(self.of_operation[op.key])
        inner: dict[Hashable, str | None] = {}
        for key, leaf in run.leaves.items():
            nameless = kinds[key] == "constant" and not leaf.name and key not in run.outer
            own = kinds[key] == "parameter" or nameless
            inner[key] = self._common(users.get(key, ())) if own else None
        return inner

    def _common(self, clusters: Iterable[str | None]) -> str | None:
        """Return the innermost cluster that holds all of these."""
        shared: list[str] | None = None
        for cluster in dict.fromkeys(clusters):
            chain = clusters_around(cluster, self._parents)
            shared = chain if shared is None else [a for a, b in zip(shared, chain, strict=False) if a == b]
        return shared[-1] if shared else None

    def _held(self, places: Iterable[str | None]) -> Counter[str]:
        """Return how many of these places each cluster holds, those in its inner clusters too."""
        held: Counter[str] = Counter()
        for place, number in Counter(places).items():
            held.update(dict.fromkeys(clusters_around(place, self._parents), number))
        return held

    def counted(self, run: Run) -> tuple[ClusterView, ...]:
        """Return the clusters with what they hold, and how often a module was called with the same parameters."""
        operations = self._held(self.of_operation.values())
        parameters = self._held(place for key, place in self.of_leaf.items() if run.leaves[key].needs_gradient)
        kinds = {cluster: scope.kind for scope, cluster in self._of_scope.items()}
        module = {v.id: (v.path, kinds.get(v.id)) for v in self.views.values()}
        calls = Counter(m for m in module.values() if m[1] not in (None, *UNNAMED_KINDS))
        return tuple(
            replace(v, operations=operations[v.id], parameters=parameters[v.id], calls=calls.get(module[v.id], 1))
            for v in self.views.values()
        )


def label_of(scope: Scope, path: str) -> str:
    """Return what a cluster is called: ``encoder.q_proj: Linear 4→4``, or a function by its name."""
    if scope.kind in UNNAMED_KINDS:
        return visible(scope.name) or scope.kind
    return visible(f"{path}: {scope.kind}" if path and scope.kind else path or scope.kind) or "scope"
