"""The lecture as running code: its tables, its eight steps, and what its notes got wrong.

:func:`~tinygrad_norm.lessons.lecture.lecture.lecture` computes everything with the engine and returns plain
data (:mod:`~tinygrad_norm.lessons.document.lesson`); the ``document.as_*`` modules turn that data into text, HTML,
Markdown or JSON. What the notes *give* stands in :mod:`~tinygrad_norm.lessons.lecture.tables`, what
they *claim* in :mod:`~tinygrad_norm.lessons.quotations`; every other number is computed when the lecture
runs.
"""
