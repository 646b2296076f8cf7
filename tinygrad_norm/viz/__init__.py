"""Drawing: what the tape recorded, as a picture, a listing, a table or a page that steps through it.

``draw(target, *inputs)`` gives a :class:`~tinygrad_norm.viz.drawing.Drawing`. A run becomes plain data
(:mod:`.graph`), which is folded (:mod:`.fold`) and written as DOT, text or HTML. Only :mod:`.run` and :mod:`.build`
know the engine, and only :mod:`.render` starts a program.
"""

from .drawing import Drawing
from .graph import ClusterView, EdgeView, GraphView, NodeView, Value
from .target import draw

__all__ = ["ClusterView", "Drawing", "EdgeView", "GraphView", "NodeView", "Value", "draw"]
