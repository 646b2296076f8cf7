"""What holds for every page: it is executed, its links lead somewhere, its sources are named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tinygrad_norm.cli import COMMANDS

FENCE = re.compile(r"^```(?P<language>[\w{}:-]*).*?\n(?P<body>.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]]+\]\((?!https?:|#)(?P<target>[^)#]+)")
IMAGE = re.compile(r"!\[[^\]]*\]\((?!https?:)(?P<target>[^)]+)\)")
CITATION = re.compile(r"\[(?P<author>\w+)[^\]]*? (?P<year>\d{4})\]\(#sources\)")


@pytest.fixture(scope="session")
def all_pages(root: Path, pages: list[Path]) -> list[Path]:
    return [root / "README.md", *pages]


def test_every_example_ends_as_doctest_needs_it(all_pages: list[Path]) -> None:
    for page in all_pages:
        for block in FENCE.finditer(page.read_text(encoding="utf-8")):
            if block["body"].startswith(">>>"):
                assert block["language"] == "python", f"{page.name}: {block['language']}"
                assert block["body"].endswith("\n\n"), f"{page.name}: a blank line must end {block['body'][-60:]}"


def test_every_command_in_a_page_exists(all_pages: list[Path]) -> None:
    for page in all_pages:
        for block in FENCE.finditer(page.read_text(encoding="utf-8")):
            if block["language"] in ("sh", "bash", "console"):
                for command in re.findall(r"(?:^|/|\$ )tinygrad-norm +([a-z-]+)", block["body"], re.MULTILINE):
                    assert command in COMMANDS, f"{page.name}: tinygrad-norm {command}"


def test_every_relative_link_leads_to_a_file(all_pages: list[Path]) -> None:
    for page in all_pages:
        text = FENCE.sub("", page.read_text(encoding="utf-8"))
        for pattern in (LINK, IMAGE):
            for match in pattern.finditer(text):
                assert (page.parent / match["target"]).exists(), f"{page.name}: {match['target']}"


def test_every_page_has_one_title(pages: list[Path]) -> None:
    for page in pages:
        text = FENCE.sub("", page.read_text(encoding="utf-8"))
        assert len(re.findall(r"^# ", text, re.MULTILINE)) == 1, page


def test_every_citation_has_its_source(pages: list[Path]) -> None:
    found = 0
    for page in pages:
        text = page.read_text(encoding="utf-8")
        sources = text.partition("## Sources")[2].splitlines()
        for match in CITATION.finditer(text):
            found += 1
            author, year = match["author"], match["year"]
            assert any(f" {author}" in line and f"({year})" in line for line in sources), match[0]
        for source in re.split(r"^\* ", "\n".join(sources), flags=re.MULTILINE)[1:]:
            assert re.search(r"\b(19|20)\d\d\b", source), f"{page.name}: no year in {source}"
            assert re.search(r'"[^"]{5,}"|\*[^*]{5,}\*', source), f"{page.name}: no title in {source}"
    assert found > 10


def test_the_gate_finds_the_test_command(root: Path) -> None:
    commands = [
        line for line in (root / "README.md").read_text(encoding="utf-8").splitlines() if "python -m pytest" in line
    ]
    assert len(commands) == 1
    assert "python3 -m venv .venv" in commands[0]
