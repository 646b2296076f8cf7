from __future__ import annotations

import ast
from pathlib import Path

import pytest

import tinygrad_norm
from tinygrad_norm.errors import InputError
from tinygrad_norm.lessons.document.lesson import PAD
from tinygrad_norm.lessons.lecture.notes import CLAIMED, REVIEWS, SAYS, VARIANTS, find_variant

LESSONS = Path(tinygrad_norm.__file__).parent / "lessons"


def test_variants_are_the_pages_in_order() -> None:
    assert list(VARIANTS) == ["attention-page", "batch-norm-page", "layer-norm-page", "last-page"]
    assert all(variant.name == name for name, variant in VARIANTS.items())


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_is_two_sentences_of_four(name: str) -> None:
    variant = VARIANTS[name]
    assert [len(sentence) for sentence in variant.sentences] == [4, 4]
    words = [token.word for token in variant.tokens if token.word != PAD]
    assert [word.lower() for word in words] == [word.lower() for text, _ in REVIEWS[:2] for word in text]
    assert variant.real == (True, True, False, False, True, True, True, True)
    for token in variant.tokens:
        if token.word == PAD:
            assert token.embedding == token.output == (0, 0, 0)


def test_what_each_page_changes() -> None:
    def changes(name: str) -> dict[str, set[str]]:
        pairs = zip(VARIANTS["attention-page"].tokens, VARIANTS[name].tokens, strict=True)
        found = {"embedding": set(), "output": set()}
        for first, other in pairs:
            for part, words in found.items():
                if getattr(first, part) != getattr(other, part):
                    words.add(first.word)
        return found

    assert changes("batch-norm-page") == {"embedding": {"Nitish", "How"}, "output": set()}
    assert changes("layer-norm-page") == {"embedding": {"Nitish", "How", "are"}, "output": set()}
    assert changes("last-page") == {"embedding": {"Nitish", "How", "are"}, "output": {"Hi", "Nitish"}}


def test_the_changed_numbers() -> None:
    hi, nitish, *_, how, are, _, _ = VARIANTS["last-page"].tokens
    assert hi.output == (6.5, 2.4, 2.2)
    assert nitish.output == (2.2, 0.4, 3.6)
    assert (nitish.embedding[0], how.embedding[0], are.embedding[2]) == (0.21, 0.1, 0.35)


def test_an_unknown_variant_lists_the_names() -> None:
    with pytest.raises(InputError) as caught:
        find_variant("page-9")
    assert all(name in str(caught.value) for name in VARIANTS)


def test_a_claimed_value_stands_in_its_quotation() -> None:
    for key, claimed in CLAIMED.items():
        assert claimed.replace("-", "−") in SAYS[key]


def test_no_other_module_types_a_number_of_the_lecture() -> None:
    # Formats, tolerances, a learning rate and the layer's own default; all else is computed.
    ours = {1e-5, 1e-6, 1e-12, 0.02, 1e9, 1e15}
    data = {"notes.py", "chart_svg.py", "moving_scene.py", "as_slides.py", "graph_examples.py"}
    modules = [p for folder in ("document", "lecture") for p in (LESSONS / folder).rglob("*.py") if p.name not in data]
    assert len(modules) > 20
    for path in modules:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, float):
                assert node.value.is_integer() or node.value in ours, f"{path.name}:{node.lineno}"
