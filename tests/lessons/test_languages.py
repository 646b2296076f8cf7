"""A label that is said has its words in every language, and every word belongs to a label that is said."""

from __future__ import annotations

import ast
import string
from pathlib import Path

import pytest

from tinygrad_norm import lessons
from tinygrad_norm.lessons.languages import LANGUAGES, require_language, say, speaking, spoken

PACKAGE = Path(lessons.__file__).parents[1]
SOURCES = [*PACKAGE.glob("lessons/**/*.py"), *PACKAGE.glob("commands/*.py")]


def literals(tree: ast.AST) -> set[str]:
    """Every text in a file that is no docstring."""
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return {
        n.value
        for n in ast.walk(tree)
        if isinstance(n, ast.Constant) and isinstance(n.value, str) and id(n) not in docs
    }


def said(tree: ast.AST) -> set[str]:
    """The labels that a file says: the texts in the first argument of say."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "say":
            found |= literals(node.args[0])
    return found


@pytest.mark.parametrize("code", [code for code in LANGUAGES if code != "en"])
def test_every_label_has_its_words(code: str) -> None:
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES}
    words = LANGUAGES[code].words
    assert {label for tree in trees.values() for label in said(tree)} - set(words) == set()
    elsewhere = {text for path, tree in trees.items() if path.name != "languages.py" for text in literals(tree)}
    assert {label for label in words if label not in elsewhere and label.lower() not in elsewhere} == set()


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_words_have_the_fields_of_their_label(code: str) -> None:
    for label, words in LANGUAGES[code].words.items():
        fields = [
            sorted(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)
            for text in (label, words)
        ]
        assert fields[0] == fields[1]


def test_a_language_holds_for_its_block() -> None:
    with speaking("de"):
        assert say("Why") == "Warum"
        with speaking("en"):
            assert say("Why") == "Why"
        assert say("a label of nobody's, {n}", n=1) == "a label of nobody's, 1"
        with pytest.raises(RuntimeError), speaking("en"):
            raise RuntimeError
        assert spoken().code == "de"
    assert spoken().code == "en"


def test_no_such_language() -> None:
    with pytest.raises(ValueError, match="lang must be one of en, de; got 'xx'"):
        require_language("xx")
