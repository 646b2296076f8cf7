"""Drawing: what the tape recorded, as a picture, a listing, a table or a page that steps through it.

``draw(target, *inputs)`` gives a :class:`~tinygrad_norm.viz.drawing.Drawing`. A run becomes plain data
(:mod:`.graph_view`), which is folded (:mod:`.fold`) and written as DOT, text or HTML. Only :mod:`.recorded_run` and
:mod:`.view_of_run` know the engine, and only :mod:`.render` starts a program. Nothing of it is loaded before it is
used, so that a trace costs no more than it must.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .drawable import draw
    from .drawing import Drawing
    from .graph_view import ClusterView, EdgeView, GraphView, NodeView, Value

__all__ = ["ClusterView", "Drawing", "EdgeView", "GraphView", "NodeView", "Value", "draw"]

HOMES = {"draw": "drawable", "Drawing": "drawing"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{HOMES.get(name, 'graph_view')}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
