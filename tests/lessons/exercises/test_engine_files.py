"""Files that hold an engine: whatever they do instead of differentiating, each point gets its verdict in one line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinygrad_norm.lessons.exercises.exercise_parts import Exercise, Verdict
from tinygrad_norm.lessons.exercises.grading import grade_file, graded
from tinygrad_norm.lessons.exercises.tasks import EXERCISES

ENGINES = {number: EXERCISES[number] for number in range(13, 21)}
every_engine = pytest.mark.parametrize("exercise", ENGINES.values(), ids=[str(number) for number in ENGINES])

# It never ends, and leaves the processor to the other tests.
FOR_EVER = "__import__('threading').Event().wait()"
ENDLESS: dict[int, tuple[str, str, tuple[str, ...]]] = {
    # where in the solution it stands, and the points that it costs
    13: ("        return as_value(other) - self", f"        {FOR_EVER}", ("with numbers",)),
    14: (
        "        self.grad = 1.0",
        f"        if len(order(self)) > 5000: {FOR_EVER}\n        self.grad = 1.0",
        ("a long chain",),
    ),
    15: (
        "        values = order(self)",
        f"        if self.grad: {FOR_EVER}\n        values = order(self)",
        ("a second backward",),
    ),
    16: ("        positive = self.data > 0", f"        {FOR_EVER}", ("relu",)),
    17: (
        "def as_tensor(value):",
        f"def as_tensor(value):\n    if isinstance(value, float): {FOR_EVER}",
        ("expressions",),
    ),
    18: (
        "        right = other",
        f"        if self.data.ndim + other.data.ndim > 4: {FOR_EVER}\n        right = other",
        ("a @ b, batches",),
    ),
    19: ("    losses = []", f"    if epochs > 3: {FOR_EVER}\n    losses = []", ("two moons, three seeds",)),
    20: ("def layer_norm", f"{FOR_EVER}\n\n\ndef layer_norm", tuple(c.labels[0] for c in EXERCISES[20].checks)),
}


def test_an_endless_loop_costs_its_own_points_only(tmp_path: Path) -> None:
    paths = {}
    for number, (place, waiting, _) in ENDLESS.items():
        text = ENGINES[number].solution.replace(place, waiting, 1)
        assert text != ENGINES[number].solution
        paths[number] = tmp_path / f"exercise_{number}.py"
        paths[number].write_text(f"import numpy as np\n{text}", encoding="utf-8")
    with ThreadPoolExecutor(len(paths)) as pool:
        grades = list(pool.map(lambda n: grade_file(paths[n], ENGINES[n], seconds=4.0), paths))
    for grade in grades:
        wrong = [v for v in grade.verdicts if not v.passed]
        assert tuple(v.label for v in wrong) == ENDLESS[grade.exercise.number][2]
        at_loading = "the file, when it is loaded, " if grade.exercise.number == 20 else ""
        assert {v.message for v in wrong} == {f"{at_loading}does not end within 4 s"}
        assert {v.code for v in wrong} == {"too-long"}


@every_engine
@pytest.mark.parametrize(
    "line", ["from tinygrad_norm import Tensor as Value", "import torch", "import jax.numpy as np"]
)
def test_an_imported_engine_is_refused_in_words(tmp_path: Path, exercise: Exercise, line: str) -> None:
    path = tmp_path / "answer.py"
    path.write_text(f"import numpy as np\n{line}\n{exercise.solution}", encoding="utf-8")
    verdicts = grade_file(path, exercise).verdicts
    assert {v.code for v in verdicts} == {"borrowed-engine"}
    (message,) = {v.message for v in verdicts}
    assert message.startswith("line 2: imports ")
    assert message.endswith("here the engine itself is to be written, with NumPy alone")


def verdicts_on(exercise: Exercise, names: Mapping[str, Any]) -> list[Verdict]:
    return [v for check in exercise.checks for v in graded(check, {**names}, "answer.py", 0)]


@every_engine
def test_an_empty_file_lacks_everything(exercise: Exercise) -> None:
    for verdict in verdicts_on(exercise, {}):
        assert verdict.code == "missing"
        assert verdict.message.startswith(("there is no class ", "there is no function "))


@pytest.mark.parametrize(("number", "kind"), [(14, "Value"), (19, "Tensor"), (20, "Tensor")])
def test_a_file_without_the_class_says_so(number: int, kind: str) -> None:
    names = names_of(number)
    del names[kind]
    assert {v.message for v in verdicts_on(ENGINES[number], names)} == {f"there is no class {kind} in the file"}


SHAPES: dict[int, tuple[str, str, str]] = {
    # an edit of the solution that spoils a shape or a kind, and the first line that this gives
    13: (
        "Value(self.data * other.data",
        "Value(np.ones((2, 3)) * other.data",
        "value: must have the shape (); yours has (2, 3), on x · y",
    ),
    14: (
        "self.grad = 1.0",
        "self.grad = np.ones(2)",
        "gradient of x: must have the shape (); yours has (2,), on a diamond",
    ),
    15: (
        "parent.grad += value.grad * derivative",
        "parent.grad = None",
        "the gradient of x is None where numbers belong",
    ),
    16: ("(1.0 - y * y,)", "([1.0, 2.0],)", "TypeError: can't multiply sequence by non-int of type 'float'"),
    17: (
        "return Tensor(self.data + other.data,",
        "return Tensor(np.ravel(self.data + other.data),",
        "value: must have the shape (); yours has (1,), on () + ()",
    ),
    18: (
        "return Tensor(self.data.sum(axis=axis, keepdims=keepdims)",
        "return (self.data.sum(axis=axis, keepdims=keepdims)",
        "the result must be a Tensor; yours is a tuple",
    ),
    19: (
        "    return x\n",
        "    return x.sum(axis=-1)\n",
        "scores: must have the shape (7, 1); yours has (7,), on 1 layer",
    ),
    20: (
        "return gamma * (centered * (variance + eps) ** -0.5) + beta",
        "return (gamma * centered).sum(axis=-1)",
        "the result must have the shape (5, 7); yours has (5,)",
    ),
}


@pytest.mark.parametrize("number", SHAPES)
def test_a_wrong_shape_gets_one_line(number: int) -> None:
    before, after, message = SHAPES[number]
    assert before in ENGINES[number].solution
    names: dict[str, Any] = {"np": np}
    exec(ENGINES[number].solution.replace(before, after, 1), names)
    wrong = [v for v in verdicts_on(ENGINES[number], names) if not v.passed]
    assert message in [v.message for v in wrong]
    assert all("\n" not in v.message for v in wrong)


def names_of(number: int, **others: Any) -> dict[str, Any]:
    names: dict[str, Any] = {"np": np}
    exec(ENGINES[number].solution, names)
    return {**names, **others}


ODD_ORDERS: dict[str, tuple[Callable[..., Any], str]] = {
    "returns a NoneType where a list of Values belongs": (lambda root: None, "wrong-type"),
    "something stands in the list that root was not computed from": (lambda root: [root, 3], "wrong-type"),
    "a Value stands in the list twice: it would pass its gradient on twice": (lambda root: [root, root], "twice"),
    "5 of 6 Values are missing": (lambda root: [root], "missing"),
    "the list runs the wrong way: it must begin with root": (
        lambda root: names_of(14)["order"](root)[::-1],
        "reversed",
    ),
}


@pytest.mark.parametrize(("message", "order", "code"), [(m, *rest) for m, rest in ODD_ORDERS.items()], ids=ODD_ORDERS)
def test_an_order_that_is_none(message: str, order: Callable[..., Any], code: str) -> None:
    (verdict,) = graded(ENGINES[14].checks[0], names_of(14, order=order), "answer.py", 0)
    assert (verdict.message, verdict.code, verdict.detail) == (message, code, ("seen on a diamond",))


def test_a_value_needs_a_derivative_for_each_parent() -> None:
    names: dict[str, Any] = {"np": np}
    exec(ENGINES[13].solution.replace("(self, other), (1.0, 1.0)", "(self, other), (1.0,)"), names)
    verdict = verdicts_on(ENGINES[13], names)[0]
    assert verdict.message == "a Value has 2 parents and 1 derivatives; one for each belongs"


@pytest.mark.parametrize(
    ("train", "message"),
    [
        (lambda *a, **k: [], "the losses must be 400 numbers, one for each step; yours have the shape (0,)"),
        (lambda *a, **k: [0.5] * 400, "the loss of the last epoch is 0.5; it must be below 0.1"),
        (lambda *a, **k: [float("nan")] * 400, "the loss of the last epoch is nan; it must be below 0.1"),
        (lambda *a, **k: [0.0] * 400, "though the losses are small: are they of this network?"),
        (lambda *a, **k: None, "returns None"),
        (lambda *a, **k: "done", "returns a str where numbers belong"),
    ],
)
def test_losses_that_are_none(train: Callable[..., Any], message: str) -> None:
    (verdict,) = graded(ENGINES[19].checks[3], names_of(19, train=train), "answer.py", 0)
    assert not verdict.passed
    assert message in verdict.message


def test_what_a_layer_norm_must_give() -> None:
    for result, message in ((None, "returns None"), (np.ones(3), "the result must be a Tensor; yours is an array of")):
        verdict = graded(ENGINES[20].checks[0], names_of(20, layer_norm=lambda *a, r=result: r), "answer.py", 0)[0]
        assert verdict.message.startswith(message)
