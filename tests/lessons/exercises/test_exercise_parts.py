"""An exercise as text: what is to be written, what is given, and the solution; functions and methods alike."""

from __future__ import annotations

from tinygrad_norm.lessons.exercises.exercise_parts import Check, Exercise, Verdict, given

TEXT = '''
class Value:
    """What is given keeps its words."""

    def __init__(self, data):
        self.data = data

    def __add__(self, other):
        """
        Return the sum.

        Given:  other  a Value
        """
        total = self.data

        return Value(total + other.data)

    __radd__ = __add__


def doubled(value):
    """
    Return twice the value.
    """
    return value + value


def shown(value):
    return str(value.data)
'''

CHECK = Check("doubled", ("twice",), lambda answer, seed: (Verdict("twice", True, "right"),))
EXERCISE = Exercise(99, "sums", "Sums", "", TEXT, ("Add.",), (CHECK,))


def test_functions_and_methods_with_docstrings_are_asked_for() -> None:
    asked = EXERCISE.asked
    assert [(a.signature, a.name) for a in asked] == [
        ("Value.__add__(self, other)", "Value.__add__"),
        ("doubled(value)", "doubled"),
    ]
    assert asked[0].docstring == "Return the sum.\n\nGiven:  other  a Value"


def test_the_stub_has_their_docstrings_and_all_that_is_given() -> None:
    refusal = 'raise NotImplementedError("write your answer here")\n'
    body = "        total = self.data\n\n        return Value(total + other.data)\n"
    expected = TEXT.replace(body, f"        {refusal}").replace("    return value + value\n", f"    {refusal}")
    assert EXERCISE.stub == expected.replace('"""\n        Return', '"""Return').replace('"""\n    Return', '"""Return')


def test_the_solution_has_no_docstrings_of_theirs() -> None:
    names: dict[str, type] = {}
    exec(EXERCISE.solution, names)
    assert "Return" not in EXERCISE.solution
    assert "What is given keeps its words." in EXERCISE.solution
    assert names["shown"](names["doubled"](names["Value"](4))) == "8"


def test_what_is_given_once_is_given_again_unchanged() -> None:
    assert given(EXERCISE.solution) == EXERCISE.solution
