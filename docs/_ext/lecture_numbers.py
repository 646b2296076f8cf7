"""Every number of the lecture, from the data that ``tinygrad-norm lecture --json`` prints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from markdown_table import code, plain, table

from tinygrad_norm.lessons.document.as_data import lesson_data
from tinygrad_norm.lessons.lecture.all_steps import lecture

Data = Mapping[str, Any]


def lecture_numbers() -> str:
    """Return a section for each step of the lecture: its tables, facts and what it says of the notes' claims."""
    steps: Data = lesson_data(lecture())["steps"]
    return "\n\n".join(part for number, step in steps.items() for part in step_parts(number, step)) + "\n"


def step_parts(number: str, step: Data) -> Iterator[str]:
    """Yield the parts of one step, each under the path at which the JSON has it."""
    yield f"## Step {number}: {step['title']}"
    for key, found in step["tables"].items():
        yield f"### {plain(found['title'])}"
        yield code(f"steps.{number}.tables.{key}")
        yield value_table(found)
        if found["note"]:
            yield plain(found["note"])
    if step["facts"]:
        yield f"### Facts of step {number}"
        yield code(f"steps.{number}.facts")
        yield from (definition(key, plain(fact["text"]), fact["values"]) for key, fact in step["facts"].items())
    if step["claims"]:
        yield f"### The notes in step {number}, and the truth"
        yield code(f"steps.{number}.claims")
        yield from (claim(key, found) for key, found in step["claims"].items())


def claim(key: str, found: Data) -> str:
    """Return what the notes say, the verdict, the truth and the reason."""
    text = f"*{plain(found['notes'])}* – **{found['verdict']}.** {plain(found['truth'])} {plain(found['why'])}"
    return definition(key, text, found["values"])


def definition(key: str, text: str, values: Data) -> str:
    """Return an entry of a definition list: a key of the JSON, a sentence, and the numbers that the key holds."""
    numbers = f"\n\n  {named(values)}" if values else ""
    return f"{code(key)}\n: {text}{numbers}"


def value_table(found: Data) -> str:
    """Return one table of values, a row's label first."""
    rows = [(plain(row["label"]), *(plain(number(v)) for v in row["values"])) for row in found["rows"]]
    width = len(found["columns"])
    return table(("", *map(plain, found["columns"])), rows, "<" + ">" * width)


def named(values: Data) -> str:
    """Return names and numbers as ``mean = 4``."""
    return ", ".join(code(f"{name} = {number(value)}") for name, value in values.items())


def number(value: Any) -> str:
    """Return a value of the JSON with seven significant digits and a true minus sign.

    Examples
    --------
    >>> number(-0.20412414523), number({"fraction": "18/5", "value": 3.6}), number(None), number([1, 0.5])
    ('−0.2041241', '18/5', '–', '1, 0.5')
    """
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return ", ".join(number(v) for v in value)
    if isinstance(value, dict):
        return str(value["fraction"]).replace("-", "−")
    return f"{value:.7g}".replace("-", "−")
