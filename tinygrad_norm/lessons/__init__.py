"""The lecture as running code, its exercises and labs; and what a lesson or an exercise of your own is written with.

Whoever teaches imports from here. A lesson is a :class:`Lesson` of :class:`Step` s of :class:`Paragraph`,
:class:`Formula`, :class:`Table`, :class:`Fact`, :class:`Claim`, :class:`Chart`, :class:`Graph` and :class:`Moving`, a
picture with a slider, which ``tinygrad-norm lecture my.py`` shows. An :class:`Exercise` has checks, made by
:func:`value_check` or :func:`gradient_check`, that know each :class:`Slip` by name; ``tinygrad-norm exercise grade
answer.py --from my.py`` grades with them. Nothing is loaded before it is asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .document.lesson import Chart, Claim, Fact, Fold, Formula, Graph, Lesson, Paragraph, Row, Series, Step, Table
    from .document.moving import Cells, Dots, Moving, Plane, Scene
    from .exercises.cases import Case
    from .exercises.checked_gradients import gradient_check
    from .exercises.checked_values import Slip, property_check, value_check
    from .exercises.exercise_parts import Exercise

_HOMES = {
    **dict.fromkeys(
        ["Chart", "Claim", "Fact", "Fold", "Formula", "Graph", "Lesson", "Paragraph", "Row", "Series", "Step", "Table"],
        "document.lesson",
    ),
    **dict.fromkeys(["Cells", "Dots", "Moving", "Plane", "Scene"], "document.moving"),
    "Case": "exercises.cases",
    "Exercise": "exercises.exercise_parts",
    "Slip": "exercises.checked_values",
    "gradient_check": "exercises.checked_gradients",
    "property_check": "exercises.checked_values",
    "value_check": "exercises.checked_values",
}

__all__ = [
    "Case",
    "Cells",
    "Chart",
    "Claim",
    "Dots",
    "Exercise",
    "Fact",
    "Fold",
    "Formula",
    "Graph",
    "Lesson",
    "Moving",
    "Paragraph",
    "Plane",
    "Row",
    "Scene",
    "Series",
    "Slip",
    "Step",
    "Table",
    "gradient_check",
    "property_check",
    "value_check",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
