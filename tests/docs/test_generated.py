"""Generated text: every place in the pages is filled, and what fills it is right."""

from __future__ import annotations

import doctest
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from xml.etree import ElementTree

import pytest

from tinygrad_norm.lessons.lecture.notes import SAYS

Extension = Callable[[str], ModuleType]


def test_every_place_in_the_pages_is_filled(
    extension: Extension, pages: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    generated = extension("generated")
    # The build trains for a minute; here a step each has to do.
    for name, value in {"SEEDS": (0,), "STEPS": 1, "BOUND": 9.0}.items():
        monkeypatch.setattr(extension("gpt_results"), name, value)
    used = set()
    for page in pages:
        text = page.read_text(encoding="utf-8")
        used |= {match["name"] for match in generated.PLACE.finditer(text)}
        assert "<!-- generated" not in generated.fill(text), page
    assert used == set(generated.GENERATORS)


def test_a_place_without_a_generator_is_an_error(extension: Extension) -> None:
    with pytest.raises(KeyError, match="numerology"):
        extension("generated").fill("# Title\n\n<!-- generated: numerology -->\n")


def test_what_is_not_a_place_stays(extension: Extension) -> None:
    text = "Write `<!-- generated: api m -->`.\n\n<!-- a comment -->\n"
    assert extension("generated").fill(text) == text


def test_the_site_shows_no_blank_line_at_the_end_of_an_example(extension: Extension) -> None:
    class App:
        """As much of Sphinx as the hook uses."""

    source = ["```python\n>>> 1\n1\n\n```\n\n```python\n>>> 2\n2\n```\n"]
    extension("generated").on_source_read(App(), "page", source)
    assert source == ["```python\n>>> 1\n1\n```\n\n```python\n>>> 2\n2\n```\n"]


def test_a_page_with_generated_text_is_read_again_at_every_build(extension: Extension) -> None:
    class Env:
        noted = 0

        def note_reread(self) -> None:
            self.noted += 1

    class App:
        env = Env()

    source = ["# Command line\n\n<!-- generated: command-line -->\n"]
    extension("generated").on_source_read(App(), "command-line", source)
    assert App.env.noted == 1
    assert "## lecture" in source[0]


@pytest.mark.parametrize(
    "name", ["accessible", "contents", "docstrings", "for_machines", "gpt_results", "lecture_numbers", "markdown_table"]
)
def test_the_examples_in_the_generators_hold(extension: Extension, name: str) -> None:
    found = doctest.testmod(extension(name))
    assert found.attempted > 0
    assert found.failed == 0


def test_a_cell_may_hold_anything(extension: Extension) -> None:
    module = extension("markdown_table")
    line = module.table(("a", "b"), [(module.plain("x | <b>\n$1$"), module.code("|x|"))], "<>").splitlines()
    assert line == ["| a | b |", "| :--- | ---: |", r"| x \| &lt;b&gt; \$1\$ | `\|x\|` |"]
    assert module.code("a`b") == "``a`b``"
    assert module.code("") == ""


def test_contents_follow_the_order_and_take_the_rest(extension: Extension, tmp_path: Path) -> None:
    section = tmp_path / "guides"
    section.mkdir()
    for name in ("a", "b", "index"):
        (section / f"{name}.md").write_text(f"# Page {name}\n\nIt says {name}. And more.\n", encoding="utf-8")
    (section / "c.ipynb").write_text('{"cells": [{"source": ["# Page c\\n", "\\n", "A notebook."]}]}', encoding="utf-8")
    text = extension("contents").contents("guides", "b", root=tmp_path)
    assert re.findall(r"\[(.*?)\]\((.*?)\)\n: (.*)", text) == [
        ("Page b", "b.md", "It says b."),
        ("Page a", "a.md", "It says a."),
        ("Page c", "c.ipynb", "A notebook."),
    ]
    assert text.endswith("```{toctree}\n:hidden:\n\nb\na\nc\n```\n")
    with pytest.raises(LookupError, match="gone"):
        extension("contents").contents("guides", "gone", root=tmp_path)


def test_every_line_of_the_notes_is_on_their_page_and_leads_to_its_step(extension: Extension, docs: Path) -> None:
    text = extension("generated").fill((docs / "explanation" / "the-notes.md").read_text(encoding="utf-8"))
    plain = extension("markdown_table").plain
    for line in SAYS.values():
        assert text.count(f"| {plain(line)} | [") == 1, line
    headings = (docs / "tutorials" / "the-notes-by-machine.md").read_text(encoding="utf-8").splitlines()
    steps = extension("the_notes").anchors()
    assert steps["9"] == "9-why-γ-and-β"
    numbered = [heading for heading in headings if re.match(r"## \d+\. ", heading)]
    assert [heading.split(". ")[0] for heading in numbered] == [f"## {number}" for number in steps]


def test_every_extra_is_named_with_what_it_is_for(extension: Extension, root: Path) -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", extension("extras").extras(), re.MULTILINE)
    tomllib = pytest.importorskip("tomllib", reason="before 3.11 Python reads no TOML")
    declared = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert {name for name, _ in rows} == set(declared)
    assert all(what for _, what in rows)


@pytest.mark.parametrize("address", ["", "https://example.org/docs/"])
def test_what_programs_read(
    extension: Extension, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    class App:
        """As much of Sphinx as the hook uses."""

        outdir = str(tmp_path)
        builder = SimpleNamespace(format="html")
        config = SimpleNamespace(html_baseurl=address)
        env = SimpleNamespace(
            found_docs={"index", "install", "how-to/check-a-gradient"},
            doc2path=lambda name: str(extension("for_machines").DOCS / f"{name}.md"),
        )

    extension("for_machines").on_build_finished(App(), None)
    listed = (tmp_path / "llms.txt").read_text(encoding="utf-8")
    assert f"- [Check a gradient]({address}how-to/check-a-gradient.html): " in listed
    assert listed.startswith("# tinygrad_norm\n\n> ")
    assert "index.html" not in listed
    # Without an address a sitemap would say nothing.
    assert (tmp_path / "sitemap.xml").exists() == bool(address)
    if address:
        root = ElementTree.parse(tmp_path / "sitemap.xml").getroot()
        assert [place.text for place in root.iter() if place.text and place.text.startswith("https")] == [
            f"{address}{name}.html" for name in sorted(App.env.found_docs)
        ]
