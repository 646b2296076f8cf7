"""The drawing as plain data: what every picture, listing and page is made from.

A :class:`GraphView` holds nodes, edges and clusters with everything that is shown of them as text. The one idea: it is
frozen and knows no tape and no Tensor, so what draws it needs none, and the same program gives the same view.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ..engine.details.array import Shape

NodeKind: TypeAlias = Literal["input", "leaf", "parameter", "constant", "operation", "module", "failure"]


@dataclass(frozen=True, slots=True)
class Value:
    """An array as it is shown: a small one by its ``rows`` of numbers, a large one by a ``summary``.

    ``pads`` are the numbers of the rows that a mask calls padding.
    """

    rows: tuple[tuple[str, ...], ...] = ()
    summary: str = ""
    pads: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class NodeView:
    """One card: a result, a leaf, or a folded module.

    Attributes
    ----------
    id : str
        Stable and unique: ``matmul_3``, ``encoder.q_proj.weight``.
    kind : str
        What it is; an operation that nothing else uses is also an ``output``.
    title, formula : str
        What it is called, and what computes it, with its arguments' names.
    shape, dtype : of the result; None and empty where unknown
    value, gradient : Value or None
        None where it is not known, or was not computed.
    needs_gradient : bool
        Whether the tape records for it.
    received : int
        How many contributions to its gradient have arrived, of ``expected``.
    saved_by : tuple of str
        The operations that keep its value for the backward pass.
    badges : tuple of str
        What else must be seen: the first NaN, a wrong rule.
    cluster : str or None
        The module or composition it lies in.
    operations, parameters : int
        What a folded module holds.
    saved_bytes : int
        How much memory its value takes while it is saved.
    spoiled : bool
        It has a NaN or an infinity that an operation made out of finite numbers.
    """

    id: str
    kind: NodeKind
    title: str
    operation: str = ""
    symbol: str = ""
    formula: str = ""
    shape: Shape | None = None
    dtype: str = ""
    value: Value | None = None
    gradient: Value | None = None
    needs_gradient: bool = True
    output: bool = False
    received: int = 0
    expected: int = 0
    saved_by: tuple[str, ...] = ()
    badges: tuple[str, ...] = ()
    cluster: str | None = None
    source: str = ""
    note: str = ""
    operations: int = 0
    parameters: int = 0
    wrong: bool = False
    saved_bytes: int = 0
    spoiled: bool = False

    @property
    def drawn_as(self) -> str:
        """The kind as the legend has it: an operation that nothing else uses is an output."""
        return "output" if self.output and self.kind == "operation" else self.kind


@dataclass(frozen=True, slots=True)
class EdgeView:
    """One argument of one operation; the data flow from ``source`` to ``target``.

    Attributes
    ----------
    position, argument : which argument it is, by number and by name
    rule : str
        What the target sends back, with the arguments' names: ``ḡ · γ``.
    local, incoming : str
        The local derivative and the incoming gradient, where all are single numbers.
    contribution : Value or None
        What arrived at the source; None where the backward pass did not run.
    shapes : str
        For arrays, the shape of what was sent, and the axes over which a broadcast was summed.
    magnitude : float or None
        The norm of the contribution.
    differentiable : bool
        Whether a gradient flows back at all.
    repeats : int
        How many edges a folded drawing shows as this one; from a box to itself, how often a loop carries a value on.
    """

    source: str
    target: str
    position: int = 0
    argument: str = ""
    shape: Shape | None = None
    rule: str = ""
    local: str = ""
    incoming: str = ""
    contribution: Value | None = None
    shapes: str = ""
    magnitude: float | None = None
    differentiable: bool = True
    badges: tuple[str, ...] = ()
    wrong: bool = False
    repeats: int = 1


@dataclass(frozen=True, slots=True)
class ClusterView:
    """A module, a composition or one run of a loop's body.

    ``path`` is what ``focus=`` and ``open=`` take; a second call has an ``id`` of its own. Clusters of one ``kind``
    (left out: of the same label without the path) may be drawn as one.
    """

    id: str
    path: str
    label: str
    parent: str | None
    operations: int = 0
    parameters: int = 0
    calls: int = 1
    kind: str = ""


@dataclass(frozen=True, slots=True)
class GraphView:
    """A whole graph: nodes in order of creation, edges in order of arguments, clusters after what contains them.

    ``sweep`` names the operations in the order in which the backward pass visited them, empty if it did not run.
    ``failure`` is the message of the error that ended the run, ``saved`` the number of arrays on the tape and of bytes.
    """

    nodes: tuple[NodeView, ...]
    edges: tuple[EdgeView, ...]
    clusters: tuple[ClusterView, ...] = ()
    sweep: tuple[str, ...] = ()
    failure: str = ""
    notes: tuple[str, ...] = ()
    saved: tuple[int, int] = (0, 0)

    @property
    def parents(self) -> dict[str, str | None]:
        """What each cluster lies in."""
        return {c.id: c.parent for c in self.clusters}


def clusters_around(cluster: str | None, parents: Mapping[str, str | None]) -> list[str]:
    """Return a cluster and those around it, outermost first."""
    found = []
    while cluster is not None:
        found.append(cluster)
        cluster = parents[cluster]
    return found[::-1]
