"""The command exercise as a user types it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinygrad_norm.cli import main
from tinygrad_norm.commands import exercise as command
from tinygrad_norm.lessons.exercises.exercise_files import stub_text
from tinygrad_norm.lessons.exercises.exercise_report import exercise_text, grade_text, hint_text
from tinygrad_norm.lessons.exercises.grading import Grade, graded
from tinygrad_norm.lessons.exercises.tasks import EXERCISES
from tinygrad_norm.lessons.from_file import exercises_of
from tinygrad_norm.lessons.languages import speaking
from tinygrad_norm.sandbox import Printed, Protection, protection

Run = Callable[..., tuple[int, str, str]]
STUB = "exercise_07_mean_backward.py"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command in an empty folder: exit code, output, errors."""
    monkeypatch.chdir(tmp_path)

    def go(*arguments: str) -> tuple[int, str, str]:
        code = main(["exercise", *arguments])
        return code, *capsys.readouterr()

    return go


def test_list(run: Run) -> None:
    code, out, err = run("list")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert len(lines) == len(EXERCISES)
    assert re.split("  +", lines[6]) == [" 7", "Backward: the mean", "2 points", "mean-backward"]


def test_list_as_json(run: Run) -> None:
    code, out, _ = run("list", "--json")
    assert code == 0
    assert json.loads(out)[6] == {
        "exercise": 7,
        "name": "mean-backward",
        "title": "Backward: the mean",
        "points": 2,
        "functions": ["mean_backward(g, x)", "center_backward(g, x)"],
        "hints": 3,
    }


def test_show_by_number_and_by_name(run: Run) -> None:
    assert run("show", "7") == run("show", "mean-backward") == (0, exercise_text(EXERCISES[7]), "")


def test_show_the_solution(run: Run) -> None:
    assert run("show", "7", "--solution") == (0, EXERCISES[7].solution.strip() + "\n", "")


def test_hints_come_one_at_a_time(run: Run) -> None:
    assert run("hint", "7") == (0, hint_text(EXERCISES[7], 1), "")
    assert run("hint", "7", "--step", "3") == (0, hint_text(EXERCISES[7], 3), "")


def test_start_here_and_in_a_new_folder(run: Run, tmp_path: Path) -> None:
    code, out, err = run("start", "7")
    assert (code, err) == (0, "")
    assert out == f"Wrote {STUB}. Open it in an editor, then: tinygrad-norm exercise grade {STUB}\n"
    assert (tmp_path / STUB).read_text(encoding="utf-8") == stub_text(EXERCISES[7])
    assert run("start", "7", "a/b")[0] == 0
    assert os.listdir(tmp_path / "a" / "b") == [STUB]


def test_start_never_overwrites_unless_told_to(run: Run, tmp_path: Path) -> None:
    (tmp_path / STUB).write_text("my work", encoding="utf-8")
    code, out, err = run("start", "7")
    assert (code, out) == (2, "")
    assert err.startswith(f"tinygrad-norm exercise: {STUB} must not exist yet, so that no work is lost; it does. ")
    assert (tmp_path / STUB).read_text(encoding="utf-8") == "my work"
    assert run("start", "7", "--force")[0] == 0
    assert (tmp_path / STUB).read_text(encoding="utf-8") == stub_text(EXERCISES[7])
    assert os.listdir(tmp_path) == [STUB]


def test_start_then_write_then_grade_in_real_processes(tmp_path: Path) -> None:
    def go(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-W", "error", "-m", "tinygrad_norm", "exercise", *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )

    assert go("start", "8").returncode == 0
    path = tmp_path / "exercise_08_variance_backward.py"
    body = 'raise NotImplementedError("write your answer here")'
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace(body, "return g[:, None] * 2 * (x - x.mean(1, keepdims=True)) / (x.shape[1] - 1)", 1),
        encoding="utf-8",
    )
    done = go("grade", path.name, "--seed", "4", "--seconds", "30")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("Exercise 8, Backward: the variance: 0 of 2 points\n\n  wrong  through the variance ")
    assert "n and n − 1 are confused (n = 7)" in done.stdout
    assert "  open   through the deviation  not written yet\n" in done.stdout
    assert os.listdir(tmp_path) == [path.name]


def test_grade_gives_its_verdicts_as_json(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("import numpy as np\n" + EXERCISES[7].solution, encoding="utf-8")
    code, out, err = run("grade", "mine.py", "--exercise", "mean-backward", "--json")
    assert (code, err) == (0, "")
    data = json.loads(out)
    assert (data["exercise"], data["points"], data["out_of"], data["full_marks"]) == (7, 2, 2, True)
    assert [v["passed"] for v in data["verdicts"]] == [True, True]
    assert data["verdicts"][0]["detail"][0].startswith("x: right; random directions agree within ± ")


GRADED = f"Graded under {protection().value}.\n"


def test_grade_a_class(run: Run, tmp_path: Path) -> None:
    (tmp_path / "ada_exercise_07.py").write_text("import numpy as np\n" + EXERCISES[7].solution, encoding="utf-8")
    (tmp_path / "helper.py").write_text("", encoding="utf-8")
    code, out, err = run("grade", ".", "--jobs", "1")
    assert (code, err) == (0, f"helper.py: answers no exercise, left out\n{GRADED}")
    assert out == "student  ex 7  total  first to mend\nada       2/2    2/2\n"
    (tmp_path / "bob_exercise_07.py").write_text(stub_text(EXERCISES[7]), encoding="utf-8")
    code, out, _ = run("grade", ".", "--json")
    assert code == 1
    assert [s["points"] for s in json.loads(out)["students"]] == [2, 0]


BAD = [
    (["show", "99"], f"the exercise must be a number from 1 to {len(EXERCISES)} or its name; got '99'."),
    (["start", "x"], "got 'x'. See tinygrad-norm exercise list."),
    (["start", "7", "file"], "file must be a folder; got File exists. Name another one."),
    (["start", "7", "file/below"], "file/below must be a folder; got Not a directory."),
    (["hint", "7", "--step", "4"], "--step must be 1 to 3 for exercise 7; got 4."),
    (["grade", "nothing.py"], "nothing.py must be a file that can be read; got No such file or directory."),
    (["grade", "nothing.py", "--exercise", "7"], "nothing.py must be a file that can be read"),
    (["grade", "file"], "file must say which exercise it answers, in its first line or its name; it does not. Give"),
    (
        ["grade", "file", "--exercise", "0"],
        f"a number from 1 to {len(EXERCISES)} or its name; got '0'.",
    ),
    (["grade", "file", "--jobs", "2"], "--jobs is for a folder of files; got one file."),
    (["grade", "folder"], "folder must hold answers to exercises"),
    (["grade", "folder", "--exercise", "7"], "--exercise is for a single file; got a folder."),
    (["grade", "file", "--stats"], "--stats is for a folder of files; got one file."),
    (["grade", "folder", "--roster", "none.csv"], "none.csv must be a CSV file with a name a line; got: No such file"),
    (["grade", "folder", "--exercises", "7,x"], "or its name; got 'x'."),
]


@pytest.mark.parametrize(("arguments", "message"), BAD, ids=[" ".join(arguments) for arguments, _ in BAD])
def test_bad_input_gets_one_line(run: Run, tmp_path: Path, arguments: list[str], message: str) -> None:
    (tmp_path / "file").write_text("x = 1", encoding="utf-8")
    (tmp_path / "folder").mkdir()
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("tinygrad-norm exercise: ")
    assert message in err
    assert err.count("\n") == 1
    assert sorted(os.listdir(tmp_path)) == ["file", "folder"]


BAD_ARGUMENTS = [
    (["hint", "7", "--step", "0"], "hint: argument --step: must be at least 1; got 0; see tinygrad-norm exercise hint"),
    (["hint", "7", "--step", "two"], "hint: argument --step: must be a whole number; got 'two'"),
    (["grade", "x", "--seconds", "0"], "argument --seconds: must be a number of seconds above 0, a day at most;"),
    (["grade", "x", "--seconds", "nan"], "got 'nan'"),
    (["grade", "x", "--seconds", "soon"], "got 'soon'"),
    (["grade", "x", "--seed", "-1"], "grade: argument --seed: must be at least 0; got -1"),
    (["grade", "x", "--seed", "x"], "grade: argument --seed: must be a whole number; got 'x'"),
    (["grade", "x", "--jobs", "0"], "grade: argument --jobs: must be at least 1; got 0"),
    (["grade", "x", "--jobs", "many"], "grade: argument --jobs: must be a whole number; got 'many'"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD_ARGUMENTS, ids=[" ".join(a) for a, _ in BAD_ARGUMENTS])
def test_a_bad_argument_gets_one_line(
    run: Run, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    with pytest.raises(SystemExit, match="2"):
        run(*arguments)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("tinygrad-norm exercise ")
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(("processors", "files", "workers"), [(64, 40, 8), (64, 3, 8), (None, 40, 1), (2, 40, 2)])
def test_as_many_workers_as_processors(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, processors: int | None, files: int, workers: int
) -> None:
    for k in range(files):
        (tmp_path / f"s{k}_exercise_07.py").write_text("", encoding="utf-8")
    asked: list[tuple[str, int]] = []

    def grade_class(handed_in: object, seed: int, seconds: float, executor: Any, report: object) -> Grade:
        asked.append((type(executor).__name__, executor._max_workers))
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "grade_class", grade_class)
    monkeypatch.setattr(os, "cpu_count", lambda: processors)
    assert run("grade", ".")[0] == 130
    kind = "ProcessPoolExecutor" if files == 40 and workers > 1 else "ThreadPoolExecutor"
    assert asked == [(kind, workers)]


def test_reports_of_a_class(run: Run, tmp_path: Path) -> None:
    right = "import numpy as np\n" + EXERCISES[7].solution
    wrong = right.replace("- g.mean", "+ g.mean")
    renamed = re.sub(r"\bg\b", "grad", wrong)
    own = "\ndef own(value):  # mine\n    for _ in range(3):\n" + 4 * "        value = value * 2 / (value + 1)\n"
    files = {"Ada": right, "Bob": wrong + own, "Eve": renamed + own.replace("value", "v").replace("mine", "")}
    for name, text in {**files, "=Zoe": wrong}.items():
        (tmp_path / "class" / name).mkdir(parents=True)
        (tmp_path / "class" / name / "exercise_07.py").write_text(text, encoding="utf-8")
    (tmp_path / "roster.csv").write_text("Name\nada\nBob\nEve\n=Zoe\nMia\n", encoding="utf-8")
    options = ["--roster", "roster.csv", "--csv", "points.csv", "--feedback", "told", "--stats", "--similar"]
    code, out, err = run("grade", "class", *options)
    assert (code, err) == (1, GRADED)
    table, mistakes, copies = out.split("\n\n")
    assert [line.split()[0] for line in table.splitlines()] == ["student", "ada", "Bob", "Eve", "=Zoe", "Mia"]
    assert table.splitlines()[-1].split(maxsplit=3) == ["Mia", "–", "0/2", "nothing handed in"]
    assert mistakes.splitlines()[1].split(maxsplit=3)[:3] == ["3", "ex", "7"]
    assert "what comes through the mean has the wrong sign" in mistakes
    assert copies == "ex 7: Bob, Eve\n"
    assert (tmp_path / "points.csv").read_text(encoding="utf-8").splitlines() == [
        "student,7: through the mean,7: through x − mean,total,out of,notes",
        "ada,1,1,2,2,",
        "Bob,1,0,1,2,",
        "Eve,1,0,1,2,",
        "'=Zoe,1,0,1,2,",
        "Mia,,,0,2,nothing handed in",
    ]
    assert sorted(os.listdir(tmp_path / "told")) == ["Bob.md", "Eve.md", "Mia.md", "_Zoe.md", "ada.md"]
    told = (tmp_path / "told" / "Bob.md").read_text(encoding="utf-8")
    assert told.startswith(
        "# Bob: 1/2\n\n## Exercise 7, Backward: the mean: 1 of 2 points\n\n```text\nright  through the mean"
    )
    assert "wrong  through x − mean" in told

    code, _, _ = run("grade", "class/Bob", "--gradescope", "results.json")
    results = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert (code, results["score"], [test["score"] for test in results["tests"]]) == (1, 1, [1, 0])
    assert results["tests"][1]["output"].startswith("wrong  through x − mean")


def test_a_class_stopped_by_ctrl_c_shows_what_was_done(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ada_exercise_07.py").write_text("import numpy as np\n" + EXERCISES[7].solution, encoding="utf-8")

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command.Progress, "__call__", interrupt)
    code, out, err = run("grade", ".")
    assert (code, err) == (130, GRADED + "Stopped before the end: what was graded by then is above.\n")
    assert out == "student  ex 7  total  first to mend\nada       2/2    2/2\n"


def test_a_cage_can_be_required(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ada_exercise_07.py").write_text("import numpy as np\n" + EXERCISES[7].solution, encoding="utf-8")
    for kind, code in ((Protection.LIMITS, 2), (Protection.CAGE, 0)):
        monkeypatch.setattr(command, "protection", lambda kind=kind: kind)
        assert run("grade", ".", "--require-cage")[0] == code


def test_the_guide_shows_what_happens(run: Run, tmp_path: Path) -> None:
    """Every command of the guide prints what stands below it; numbers whose last digits depend on the machine aside."""
    text = (Path(__file__).parents[2] / "docs" / "how-to" / "run-a-class.md").read_text(encoding="utf-8")
    (wrong,) = re.findall(r"```python\ndef variance_backward(.*?)```", text, re.DOTALL)
    shown = re.findall(r"```console\n\$ tinygrad-norm exercise (.*?)\n(.*?)```", text, re.DOTALL)
    assert [arguments.split()[0] for arguments, _ in shown] == ["list", "start", "hint", "grade", "grade"]
    body = '    raise NotImplementedError("write your answer here")'
    mean, variance = ("import numpy as np\n" + EXERCISES[n].solution for n in (7, 8))
    for name, answer in {
        "ada/exercise_07.py": mean,
        "ada/exercise_08.py": variance,
        "bob_exercise_07.py": mean,
        "bob_exercise_08.py": f"def variance_backward{wrong}\ndef deviation_backward(g, x):\n    1 / 0\n",
        "eve_exercise_08.py": variance + "\ndef deviation_backward(g, x):\n    while True:\n        pass\n",
        "zoe/exercise_07.py": "import sys\n"
        + mean.replace("return np.ones_like", "sys.exit()\n    return np.ones_like"),
    }.items():
        path = tmp_path / "class" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(answer, encoding="utf-8")
    for arguments, output in shown:
        code, out, err = run(*arguments.split())
        assert (code, err) == (
            int(arguments.startswith("grade")),
            GRADED if arguments.startswith("grade class") else "",
        )
        assert masked(out) == masked(output)
        if arguments.startswith("start"):
            stub = tmp_path / arguments.replace("start 8", "exercise_08_variance_backward.py")
            written = stub.read_text(encoding="utf-8")
            stub.write_text(written.replace(body, wrong.split("\n", 1)[1].rstrip(), 1), encoding="utf-8")
    known = {"--step", "--force", "--exercise", "--from", "--solution", "--seconds", "--json", "--jobs", "--seed"}
    known |= {"--roster", "--due", "--csv", "--feedback", "--gradescope", "--stats", "--similar", "--require-cage"}
    known |= {"--dask", "--exercises", "--junitxml"}
    assert {*re.findall(r"(--[a-z][a-z-]*)", text)} <= known | {"--exercise-seconds"}


OWN = "rms.py"


def test_the_guide_to_an_exercise_of_ones_own(run: Run, tmp_path: Path) -> None:
    """Twenty lines, a planted mistake, its name: in a folder of their own, graded in the sandbox."""
    text = (Path(__file__).parents[2] / "docs" / "how-to" / "write-an-exercise.md").read_text(encoding="utf-8")
    source, answer = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    shown = re.findall(r"```console\n\$ tinygrad-norm exercise (.*?)\n(.*?)```", text, re.DOTALL)
    assert [arguments.split()[0] for arguments, _ in shown] == ["list", "start", "grade"]
    (tmp_path / OWN).write_text(source, encoding="utf-8")
    for arguments, output in shown:
        code, out, err = run(*arguments.split())
        assert (code, out, err) == (1 if arguments.startswith("grade") else 0, output, "")
        if arguments.startswith("start"):
            stub = tmp_path / "exercise_01_root_mean_square.py"
            written = stub.read_text(encoding="utf-8")
            right = "import numpy as np\n" + run("show", "1", "--solution", "--from", OWN)[1]
            stub.write_text("import numpy as np\n" + answer, encoding="utf-8")
    stub.write_text(right, encoding="utf-8")
    code, out, err = run("grade", ".", "--from", OWN)
    assert (code, err) == (0, f"rms.py: answers no exercise, left out\n{GRADED}")
    assert out.splitlines()[1].split()[1:] == ["1/1", "1/1"]
    # The stub says whose exercise it is: it is not taken for one of the course.
    assert "exercise 1 of rms.py:" in written
    stub.write_text(written, encoding="utf-8")
    assert run("grade", stub.name)[0] == 2
    assert "not written yet" in run("grade", stub.name, "--from", OWN)[1]
    assert "The mean is over axis 1." in run("hint", "1", "--step", "2", "--from", OWN)[1]


GERMAN = """
import numpy as np
from tinygrad_norm.lessons import Case, Exercise, Slip, value_check

SUM = Slip("sum", "die Summe: nicht durch n geteilt", "ein Mittel ist Σ/n", np.sum)
CASES = lambda generator: [Case("Zufallszahlen", (generator.normal(size=7),))]
TEXT = '''
def mittel(x):
    \"\"\"
    Gib das Mittel von x zurück.
    \"\"\"
    return np.mean(x)
'''
CHECKS = (value_check("mittel", CASES, np.mean, {"Mittel": (SUM,)}),)
MEAN = Exercise(1, "mittel", "Das Mittel", "Es ist die Summe durch n.", TEXT, ("Teile.", "Durch n."), CHECKS, lang="de")
"""


def test_a_german_exercise_leaves_no_english_label(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mittel.py").write_text(GERMAN, encoding="utf-8")
    said = [run(*words, "--from", "mittel.py")[1] for words in (["list"], ["show", "1"], ["start", "1"], ["hint", "1"])]
    said.append(run("hint", "1", "--step", "2", "--from", "mittel.py")[1])
    path = tmp_path / "exercise_01_mittel.py"
    stub = path.read_text(encoding="utf-8")
    said.append(stub)
    for body in ("print(1); return np.mean(x)", "x -= 1; return x.mean()"):
        path.write_text(re.sub("raise .*", body, stub), encoding="utf-8")
        said.append(run("grade", path.name, "--from", "mittel.py")[1])
    said.append(run("grade", ".", "--from", "mittel.py")[1].replace(tmp_path.name, "Ada"))
    # What is said of other answers is the same outside of the sandbox, and costs less there.
    (exercise,) = exercises_of("mittel.py").values()
    answers = [..., None, "x", [1, 2], np.array([0.0, 1.0]), np.nan, 3.14, np.float32(0.1), *np.arange(2.0)]
    for answer in [*({"mittel": lambda x, a=a: a} for a in answers), {"mittel": np.sum}, {}]:
        with speaking("de"):
            verdicts = graded(exercise.checks[0], answer, path.name, 0)
        said.append(grade_text(Grade(exercise, path.name, verdicts, Printed(2, "1"))))
    own = r"exercise_01_mittel\.py|python -m doctest|tinygrad-norm exercise 1 of mittel\.py"
    own += r"|tinygrad-norm exercise \w+ \S+( --step \d| --solution)? --from mittel\.py"
    words = set(re.findall(r"[A-Za-zäöüß]+", re.sub(own, "", "".join(said))))
    english = """
        the a an of for right wrong open point points exercise hint full marks next last where belongs on shape is line
        returns not written yet file student total first must have numbers mend solution write your answer at array
    """
    assert words & set(english.split()) == set()
    assert {"richtig", "falsch", "offen", "Volle", "Aufgabe", "Punkt"} <= words


@pytest.mark.parametrize("locked", ["all", "7", "1-9", "3, 5-7", "nonsense"])
def test_a_locked_solution_is_not_shown(run: Run, monkeypatch: pytest.MonkeyPatch, locked: str) -> None:
    monkeypatch.setenv("TINYGRAD_NORM_LOCKED", locked)
    code, out, err = run("show", "7", "--solution")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "the solution of exercise 7 must not be locked to be shown; it is, by the teacher. Ask for a hint" in err
    assert "--solution" not in run("hint", "7", "--step", "3")[1]
    assert run("show", "7")[0] == 0


@pytest.mark.parametrize("locked", ["", " ", "8", "1-6,8"])
def test_another_lock_leaves_it_open(run: Run, monkeypatch: pytest.MonkeyPatch, locked: str) -> None:
    monkeypatch.setenv("TINYGRAD_NORM_LOCKED", locked)
    assert run("show", "7", "--solution")[0] == 0
    assert "--solution" in run("hint", "7", "--step", "3")[1]


def test_an_exercise_of_ones_own_is_locked_by_itself(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYGRAD_NORM_LOCKED", "all")
    (tmp_path / "open.py").write_text(GERMAN, encoding="utf-8")
    (tmp_path / "locked.py").write_text(GERMAN.replace('lang="de"', "locked=True"), encoding="utf-8")
    assert run("show", "mittel", "--solution", "--from", "open.py")[0] == 0
    assert run("show", "mittel", "--solution", "--from", "locked.py")[0] == 2
    assert run("hint", "1", "--step", "2", "--from", "locked.py")[1].endswith("\n\nThat was the last one.\n")


def masked(output: str) -> str:
    """Return a text without the numbers of the gradient check."""
    return re.sub(r"(worst|yours) .*", r"\1", output)
