"""The command ``tinygrad-norm lecture``, run as a user runs it."""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import webbrowser
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest

from tinygrad_norm.cli import main
from tinygrad_norm.lessons.document.as_data import lesson_data
from tinygrad_norm.lessons.document.as_html import lesson_html
from tinygrad_norm.lessons.document.as_markdown import lesson_markdown
from tinygrad_norm.lessons.document.as_slides import lesson_slides
from tinygrad_norm.lessons.document.as_text import lesson_text, summary_text
from tinygrad_norm.lessons.document.lesson import Graph, Lesson
from tinygrad_norm.lessons.lecture import all_steps
from tinygrad_norm.lessons.lecture.notes import OUTPUTS, VARIANTS
from tinygrad_norm.lessons.lecture.settings import Settings
from tinygrad_norm.terminal.table import places


def run(arguments: Sequence[str], folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tinygrad_norm", "lecture", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONIOENCODING": "utf-8", **environment},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


@cache
def lecture(settings: Settings | None = None, step: int | None = None) -> Lesson:
    """The lecture with these settings, computed once for all tests of this file."""
    return all_steps.lecture(settings, step)


@pytest.fixture(autouse=True)
def _computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = Settings()
    monkeypatch.setattr(
        "tinygrad_norm.commands.lecture.lecture",
        lambda settings, step: lecture(None if settings == plain else settings, step),
    )


def test_the_whole_lecture_is_utf8_wherever_it_goes(tmp_path: Path) -> None:
    result = run(["--full"], tmp_path, COLUMNS="92", PYTHONIOENCODING="cp1252", PYTHONUTF8="0")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == lesson_text(lecture())


def test_the_lecture_in_short(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["lecture"]) == 0
    text = capsys.readouterr().out
    assert text.startswith(summary_text(lecture(), 80))
    assert text.endswith(
        "\nAs a page: tinygrad-norm lecture --open\nAs slides: tinygrad-norm lecture --slides --open\n"
    )
    assert len(text.splitlines()) <= 160
    assert max(map(places, text.splitlines())) <= 80
    assert "\x1b" not in text


def test_what_to_type_for_more_shows_the_same_lesson(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lecture", "--eps", "0.5", "--variant", "last-page", "--ddof", "1"]) == 0
    again = "tinygrad-norm lecture --variant last-page --ddof 1 --eps 0.5 --full"
    assert f"All of it: {again}\n" in capsys.readouterr().out


def test_json_with_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--step", "6", "--variant", "last-page", "--ddof", "1", "--eps", "0.5", "--json"]
    assert main(["lecture", *options]) == 0
    out, error = capsys.readouterr()
    assert error == ""
    data = json.loads(out)
    assert data == lesson_data(lecture(Settings("last-page", 1, 0.5), 6))
    assert data["settings"] == {"variant": "last-page", "ddof": 1, "eps": 0.5, "padded_layer_norm_eps": 0.5}


def test_json_holds_numbers_at_full_precision(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lecture", "--json", "--step", "2"]) == 0
    data = json.loads(capsys.readouterr().out)
    first = data["steps"]["2"]["tables"]["normalized"]["rows"][0]["values"]
    assert first == pytest.approx([3 / 6.4**0.5, 7 / 6, -1 / 24**0.5], rel=1e-15)


@pytest.mark.parametrize(
    ("name", "options", "written"),
    [
        ("page.HTML", [], lesson_html),
        ("page.htm", [], lesson_html),
        ("page.md", [], lesson_markdown),
        ("page.Markdown", [], lesson_markdown),
        ("page.html", ["--slides"], lesson_slides),
    ],
)
def test_out_writes_a_page(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    options: list[str],
    written: Callable[[Lesson], str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["lecture", "--step", "8", "--out", name, *options]) == 0
    assert capsys.readouterr() == (f"Wrote {name}.\n", "")
    assert (tmp_path / name).read_text(encoding="utf-8") == written(lecture(step=8))
    assert os.listdir(tmp_path) == [name]


@pytest.mark.parametrize("options", [[], ["--slides"]])
def test_the_graphs_have_pages_that_are_linked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["lecture", "--step", "8", "--graphs", "--out", "a page.html", *options]) == 0
    page = (tmp_path / "a page.html").read_text(encoding="utf-8")
    links = re.findall('<a href="(?!#)([^"]*)">', page)
    assert links == ["a%20page-graph-1.html"]
    assert sorted(os.listdir(tmp_path)) == ["a page-graph-1.html", "a page.html"]
    (graph,) = [b for b in lecture(step=8).steps[0].unfolded if isinstance(b, Graph)]
    assert (tmp_path / unquote(links[0])).read_text(encoding="utf-8") == graph.drawing.page


def test_without_a_renderer_the_graphs_are_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TINYGRAD_NORM_DOT", "/no/such/dot")
    monkeypatch.setattr(tempfile, "mkdtemp", lambda prefix: str(tmp_path))
    monkeypatch.setattr(webbrowser, "open", lambda url: True)
    # What was drawn for another test is kept in its drawing.
    monkeypatch.setattr("tinygrad_norm.commands.lecture.lecture", all_steps.lecture)
    assert main(["lecture", "--step", "8", "--open"]) == 0
    assert os.listdir(tmp_path) == ["lecture.html"]
    assert main(["lecture", "--step", "8", "--graphs", "--out", str(tmp_path / "x.html")]) == 2
    assert os.listdir(tmp_path) == ["lecture.html"]
    assert "/no/such/dot" in capsys.readouterr().err


def test_out_and_json_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lecture", "--out", str(tmp_path / "page.md"), "--json", "--step", "7"]) == 0
    assert json.loads(capsys.readouterr().out)["steps"].keys() == {"7"}
    assert (tmp_path / "page.md").exists()


BAD = [
    (["--step", "99"], "the step must be one of 1 to "),
    (["--step", "two"], "argument --step: invalid int value: 'two'"),
    (["--variant", "x"], "argument --variant: invalid choice: 'x' (choose from "),
    (["--ddof", "2"], "argument --ddof: invalid choice: 2 (choose from 0, 1)"),
    (["--ddof", "one"], "argument --ddof: invalid int value: 'one'"),
    (["--eps", "-1"], "eps must be a finite number of at least 0; got -1."),
    (["--eps", "nan"], "got nan."),
    (["--eps", "inf"], "got inf."),
    (["--eps", "small"], "argument --eps: invalid float value: 'small'"),
    (["--out", "page.pdf"], "argument --out: must end in one of .html, .htm, .md, .markdown, which says what"),
    (["--out", "page"], "argument --out: must end in one of .html,"),
    (["--out", "missing/page.html"], "missing/page.html: cannot write the file: No such file or directory;"),
    (["--out", "folder.html"], "folder.html: cannot write the file: it is a directory;"),
    (["--out", "file.txt/page.md"], "file.txt/page.md: cannot write the file: "),
    (["--out", "x" * 300 + ".html"], ".html: cannot write the file: "),
    (["--open", "--out", "page.md"], "--open must have a page for the browser, FILE.html; got --out page.md"),
    (["--slides", "--out", "page.md"], "--slides must have a page for the browser, FILE.html; got --out page.md"),
    (["--slides"], "--slides must have a page for the browser, FILE.html; got none; add --open or --out"),
    (["--graphs", "--json"], "--graphs must have a page for the browser, FILE.html; got none; add --open or --out"),
    (["gone.py"], "gone.py must be a Python file that defines one lesson; it cannot be read: No such file"),
    (["file.txt"], "file.txt must be a Python file that defines one lesson; its name does not end in .py."),
    (["gone.py", "--eps", "1"], "--eps is for the lecture, not for a lesson of your own; got 1.0. Leave it out."),
    (["gone.py", "--table", "t.csv"], "--table is for the lecture, not for a lesson of your own; got t.csv."),
    (["--table", "gone.csv"], "gone.csv"),
    (["--table", "t.csv", "--variant", "last-page"], "--variant is for the padded table of the notes, not for one"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD, ids=[" ".join(a)[:30] for a, _ in BAD])
def test_bad_input_is_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    (tmp_path / "folder.html").mkdir()
    (tmp_path / "file.txt").write_text("mine", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    if message.startswith("argument "):
        with pytest.raises(SystemExit, match="2"):
            main(["lecture", *arguments])
    else:
        assert main(["lecture", *arguments]) == 2
    out, error = capsys.readouterr()
    assert out == ""
    assert error.count("\n") == 1
    assert error.startswith("tinygrad-norm lecture: ")
    assert message in error
    assert sorted(os.listdir(tmp_path)) == ["file.txt", "folder.html"]


def test_bad_input_from_a_shell(tmp_path: Path) -> None:
    result = run(["--step", "7", "--out", "missing−/p.html"], tmp_path, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1
    assert "missing−/p.html: cannot write the file" in result.stderr
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--eps"], "lecture: argument --eps: expected one argument; see tinygrad-norm lecture --help"),
        (["--bogus"], "tinygrad-norm lecture: unrecognized arguments: --bogus; see tinygrad-norm lecture --help"),
    ],
)
def test_bad_arguments_are_one_line_too(capsys: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["lecture", *arguments])
    out, error = capsys.readouterr()
    assert (out, error.count("\n")) == ("", 1)
    assert message in error


def test_help_lists_the_variants(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["lecture", "--help"])
    assert caught.value.code == 0
    words = capsys.readouterr().out.replace(",", " ").split()
    assert set(VARIANTS) <= set(words)


def test_a_failed_write_leaves_the_old_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    page.write_text("old", encoding="utf-8")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tinygrad_norm.terminal.files.os.replace", full)
    assert main(["lecture", "--step", "1", "--out", str(page)]) == 2
    assert "page.html: cannot write the file: No space left on device" in capsys.readouterr().err
    assert page.read_text(encoding="utf-8") == "old"
    assert os.listdir(tmp_path) == ["page.html"]


def test_open_writes_a_page_and_opens_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(tempfile, "mkdtemp", lambda prefix: str(tmp_path))
    monkeypatch.setattr(webbrowser, "open", lambda url: not opened.append(url))
    monkeypatch.chdir(tmp_path)
    assert main(["lecture", "--step", "7", "--open"]) == 0
    assert capsys.readouterr().out == f"Wrote {tmp_path / 'lecture.html'}.\n"
    assert (tmp_path / "lecture.html").read_text(encoding="utf-8") == lesson_html(lecture(step=7))
    assert main(["lecture", "--step", "8", "--open"]) == 0
    assert 'href="lecture-graph-1.html"' in (tmp_path / "lecture.html").read_text(encoding="utf-8")
    opened.pop()
    capsys.readouterr()
    assert main(["lecture", "--step", "1", "--open", "--out", "my page.html"]) == 0
    assert opened == [(tmp_path / name).as_uri() for name in ("lecture.html", "my page.html")]
    assert capsys.readouterr().out == "Wrote my page.html.\n"
    monkeypatch.setattr(webbrowser, "open", lambda url: False)
    assert main(["lecture", "--step", "1", "--open", "--out", "page.html"]) == 1
    out, error = capsys.readouterr()
    assert (out, error.count("\n")) == ("Wrote page.html.\n", 1)
    assert "no browser could be opened; open page.html in one" in error


def test_the_guide_to_a_lesson_of_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    guide = (Path(__file__).parents[2] / "docs" / "how-to" / "write-a-lesson.md").read_text(encoding="utf-8")
    source, moving = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    ((arguments, shown),) = re.findall(r"```console\n\$ tinygrad-norm (.*?)\n(.*?)```", guide, re.DOTALL)
    (tmp_path / "mean.py").write_text(source, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert main(arguments.split()) == 0
    assert capsys.readouterr() == (shown, "")
    assert main([*arguments.split(), "--json", "--out", "mean.html"]) == 0
    assert json.loads(capsys.readouterr().out)["steps"]["1"]["facts"]["mean"]["values"] == {"mean": 4.0}
    assert "Their mean is 4.0." in (tmp_path / "mean.html").read_text(encoding="utf-8")
    (tmp_path / "moving.py").write_text(moving, encoding="utf-8")
    assert main(["lecture", "moving.py", "--json", "--slides", "--out", "moving.html"]) == 0
    (scenes,) = json.loads(capsys.readouterr().out)["steps"]["1"]["moving"].values()
    assert [scene["choice"] for scene in scenes["scenes"]] == [[last] for last in range(4, 21)]
    for scene in scenes["scenes"]:
        x = [1.0, 2.0, 3.0, *scene["choice"]]
        deviation = statistics.pstdev(x)
        normalized = [(each - statistics.fmean(x)) / deviation for each in x]
        assert scene["values"] == pytest.approx([*x, *normalized, deviation])
    assert "Four numbers, and one that leaves" in (tmp_path / "moving.html").read_text(encoding="utf-8")
    assert main(["lecture", "mean.py", "--step", "2"]) == 2
    assert capsys.readouterr().err == "tinygrad-norm lecture: the step must be one of 1; got 2\n"


GERMAN = """
from tinygrad_norm.lessons import *

LEKTION = Lesson(
    "Das Mittel",
    [
        Step(
            1,
            "Wo es liegt",
            [
                Paragraph("Drei Wörter."),
                Formula("μ = Σ/n"),
                Table("t", "Teile", ["Zahl", "gerade"], [Row("a", [1234.5, True]), Row("b", [3, False])], "", ".2f"),
                Fact("f", "Zusammen {n}, im Mittel {m:.2f}, einzeln {e:.1f}.", {"n": 12345, "m": 0.5, "e": (1.5, 2.5)}),
                *(
                    Claim(v, "so heißt es", v, "wahr ist {x:.1f}", "weil", {"x": 2.5})
                    for v in ("slip", "imprecise", "too strong", "disputed", "partly shown", "right")
                ),
                Moving("m", "Es bewegt sich", {"k": [0, 1]}, lambda k: Scene([Dots("Zahl", {"a": k + 0.5})])),
                Claim("q", "so steht es da", "right", "ja", "", question="Kann das sein?"),
                Fold("Mehr", [Paragraph("Noch etwas.")]),
                Chart("c", "Bild", "x", "y", [Series("Linie", [(0.0, 0.5), (1.0, 1.0)], 0)], 0.5, "Mitte"),
            ],
            ["Es balanciert."],
            {"Mehr davon": "https://example.org/"},
        ),
    ],
    ["Eine Lektion."],
    lang="de",
)
"""


def test_a_german_lesson_leaves_no_english_label(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mittel.py").write_text(GERMAN, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    slides = ["--slides", "--out", "folien.html"]
    for arguments in (["--full"], [], ["--out", "mittel.md"], ["--out", "mittel.html"], slides, ["--json"]):
        assert main(["lecture", "mittel.py", *arguments]) == 0
    shown = capsys.readouterr().out
    text, _, data = shown.partition("{\n")
    pages = [(tmp_path / f"mittel.{suffix}").read_text(encoding="utf-8") for suffix in ("md", "html")]
    body = re.sub(r"tinygrad-norm lecture mittel\.py --\w+( N)?", "", text) + pages[0]
    pages.append((tmp_path / "folien.html").read_text(encoding="utf-8"))
    for page in pages[1:]:
        body += re.sub("<script>.*?</script>|<[^>]*>", " ", page.partition("</style>")[2], flags=re.DOTALL)
        body += " ".join(re.findall('aria-label="(.*?)"', page))
    words = set(re.findall(r"[A-Za-zäöüß]+", body))
    english = (
        "Step Steps The the notes Why Slip Imprecise Too strong Disputed Partly shown Right take away To yes no All "
        "go deeper places slider table Slides Notes Previous Next slide through forward"
    )
    assert words & set(english.split()) == set()
    assert {"Schritt", "Schritte", "Notizen", "Warum", "Fehler", "Umstritten", "Mitnehmen", "ja", "nein"} <= words
    assert '<html lang="de">' in pages[1]
    for shown in (text, *pages):
        assert "1234,50" in shown
        assert "Zusammen 12.345, im Mittel 0,50, einzeln (1,5; 2,5)." in shown
    assert "Zusammen 12.345" in json.loads("{" + data)["steps"]["1"]["facts"]["f"]["text"]
    assert json.loads("{" + data)["steps"]["1"]["facts"]["f"]["values"] == {"n": 12345, "m": 0.5, "e": [1.5, 2.5]}
    assert ">0,6<" in pages[1]


def test_a_table_of_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = "\n".join(",".join(map(str, row)) for row in OUTPUTS)
    (tmp_path / "t.csv").write_text(f"z1,z2,z3\n{rows}\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert main(["lecture", "--table", "t.csv", "--json"]) == 0
    own = json.loads(capsys.readouterr().out)["steps"]
    assert main(["lecture", "--table", "t.csv"]) == 0
    text = capsys.readouterr().out
    assert "their verdicts are not here: none of them would apply" in " ".join(text.split())
    assert "Slip" not in text
    assert "All of it: tinygrad-norm lecture --table t.csv --full\n" in text
    assert main(["lecture", "--table", "t.csv", "--step", "3"]) == 0
    assert "Rows that differ and come out the same: 2 and 3." in capsys.readouterr().out
    # On the notes' table it gives the numbers of the lecture.
    steps = lesson_data(lecture())["steps"].values()
    theirs = {step["title"]: step["tables"]["normalized"]["rows"] for step in steps if "normalized" in step["tables"]}
    batch, layer = theirs["Batch norm, a revision"], theirs["Layer norm, across the features"]
    assert [r["values"] for r in own["2"]["tables"]["batch_norm"]["rows"]] == [r["values"][:3] for r in batch]
    assert [r["values"] for r in own["3"]["tables"]["layer_norm"]["rows"]] == [r["values"][:3] for r in layer]


@pytest.mark.parametrize(
    ("text", "dots"),
    [
        ("word,a,b\nHi,1,2\nyou,3,5\n", ["Hi", "you"]),
        ("word,a,b\nHi,1,2\nHi,3,5\n", ["1", "2"]),
        ("word,a,b\nsomebody,1,2\nyou,3,5\n", ["1", "2"]),
        ("1,2\n3,1e120\n", None),
        ("1,2\n" + "3,5\n" * 8, None),
    ],
)
def test_a_small_table_of_ones_own_is_swept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, dots: list[str] | None
) -> None:
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    assert main(["lecture", "--table", str(tmp_path / "t.csv"), "--json", "--out", str(tmp_path / "t.html")]) == 0
    step = json.loads(capsys.readouterr().out)["steps"]["2"]
    if dots is None:
        assert step["moving"] == {}
        return
    (swept,) = step["moving"].values()
    assert swept["columns"][:2] == [f"x {name}" for name in dots]
    by_batch = [row["values"] for row in step["tables"]["batch_norm"]["rows"]]
    for column, scene in enumerate(swept["scenes"]):
        assert scene["values"][2:4] == pytest.approx([row[column] for row in by_batch])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,2\n", "must have 2 to 20 rows and 2 to 12 columns of numbers; got 1×2. Use: tinygrad-norm norm"),
        ("1\n2\n", "got 2×1"),
        ("1,2\n" * 21, "got 21×2"),
        (",".join("1" * 13) + "\n" + ",".join("2" * 13), "got 2×13"),
        ("1,2\n1,3\n", "column 1: the variance is 0 and eps is 0, so the result would be 0/0; give --eps 1e-5"),
        ("1,2\n3,3\n", "line 2: the variance is 0 and eps is 0"),
        ("1e200,2\n3,-1e200\n", "the variance is too large for a 64-bit float"),
        ("a,b\n", "the file holds only a header"),
    ],
)
def test_a_table_that_does_not_fit_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, message: str
) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text, encoding="utf-8")
    assert main(["lecture", "--table", str(path)]) == 2
    out, error = capsys.readouterr()
    assert (out, error.count("\n")) == ("", 1)
    assert message in error
