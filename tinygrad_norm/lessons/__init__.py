"""The lecture as running code: its tables, its steps, and what its notes got wrong.

:func:`~tinygrad_norm.lessons.lecture.all_steps.lecture` computes everything with the engine and returns plain
data (:mod:`~tinygrad_norm.lessons.document.lesson`); the ``document.as_*`` modules turn that data into text, HTML,
Markdown or JSON. What the notes give and what they claim stands in :mod:`~tinygrad_norm.lessons.lecture.notes`;
every other number is computed when the lecture runs.
"""
