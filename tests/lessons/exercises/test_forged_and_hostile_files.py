"""Files that want points that they have not earned, or harm: no forgery gets a point, no attack costs others theirs."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.sweeps import share
from tinygrad_norm.lessons.exercises.class_files import find_submissions
from tinygrad_norm.lessons.exercises.grading import grade_file
from tinygrad_norm.lessons.exercises.grading_a_class import grade_class
from tinygrad_norm.lessons.exercises.tasks import EXERCISES
from tinygrad_norm.sandbox import Protection, protection, session

EXERCISE = EXERCISES[7]
RIGHT = "def mean_backward(g, x):\n    return (g / x.shape[1])[:, None] + 0 * x\n"
RIGHT += "def center_backward(g, x):\n    return g - g.mean(axis=1, keepdims=True)\n"

# Each is the body of both functions, or, with a line "---" below it, what stands before them.
FORGERIES = {
    "imports the solution": "from tinygrad_norm.lessons.exercises.tasks import EXERCISES\nreturn EXERCISES[7]",
    "hides the import": "return __import__('tinygrad' + '_norm').functional",
    "imports by machinery": "from importlib import util\nreturn util.find_spec('tinygrad_norm').loader.load_module()",
    "forges a finder": (
        "import sys, importlib.machinery as m\nsys.meta_path.insert(0, m.PathFinder)\nsys.path.insert(0, PACKAGE)\n"
        "import tinygrad_norm\nreturn tinygrad_norm.functional"
    ),
    "reads the solution": "return open(PACKAGE + '/tinygrad_norm/lessons/exercises/tasks/backward_passes.py').read()",
    "reads it by descriptor": "import os\nreturn os.read(os.open(PACKAGE + '/README.md', os.O_RDONLY), 10)",
    "reads it by pathlib": "import pathlib\nreturn pathlib.Path(PACKAGE, 'tinygrad_norm', 'cli.py').read_text()",
    "reads it by numpy": "return np.fromfile(PACKAGE + '/README.md')",
    "prints the solution": "import subprocess\nreturn subprocess.run(['tinygrad-norm', 'exercise', 'show', '7'])",
    "asks a shell": "import os\nreturn os.popen('tinygrad-norm exercise show 7 --solution').read()",
    "writes the channel": (
        "import os, struct\nt = b'[2, \"gave\", 1.0, []]'\nos.write(4, struct.pack('>II', len(t), 0) + t)\nreturn g"
    ),
    "writes verdicts": 'import os\n[os.write(k, b\'{"check": 0, "verdicts": []}\\n\') for k in (1, 2)]\nreturn g * 0',
    "patches numpy": (
        "np.array_equal = np.allclose = lambda *a, **k: True\nnp.testing = np.abs = np.max = None\n---\nreturn g * 0"
    ),
    "patches the grader": (
        "import sys\nfor m in list(sys.modules.values()):\n    for n in ('same', 'graded', 'account', 'main'):\n"
        "        if hasattr(m, n):\n            setattr(m, n, lambda *a, **k: True)\n---\nreturn g * 0"
    ),
    "searches the heap": (
        "import gc\nfor o in gc.get_objects():\n    if type(o).__name__ in ('Case', 'Verdict', 'Exercise', 'Check'):\n"
        "        return o\nreturn g * 0"
    ),
    "searches the stack": (
        "import sys\nf = sys._getframe()\nwhile f:\n    for v in f.f_locals.values():\n"
        "        if 'right' in getattr(v, '__dict__', {}):\n            return v\n    f = f.f_back\nreturn g * 0"
    ),
    "equals everything": (
        "class E(np.ndarray):\n    def __eq__(self, o): return True\n    def __array__(self, *a, **k): return self\n"
        "    def __array_function__(self, *a, **k): return True\n    def __array_ufunc__(self, *a, **k): return True\n"
        "---\nreturn np.zeros_like(x).view(E)"
    ),
    "is a magic object": (
        "class E:\n    def __array__(self, *a, **k): return np.zeros((5, 7))\n    def __eq__(self, o): return True\n"
        "    def __sub__(self, o): return 0.0\n    __rsub__ = __sub__\n---\nreturn E()"
    ),
    "reads a neighbor": "return eval(open(NEIGHBOR).read())",
    "imports a neighbor": "import sys\nsys.path.insert(0, NEIGHBOR[:-19])\nimport ada_exercise_07",
    "calls C": "import ctypes\nreturn ctypes.pythonapi.PyRun_SimpleString(b'1')",
    "goes round the hook": "import sys\nsys.addaudithook(lambda *a: None)\nimport _posixsubprocess\nreturn g",
}

ATTACKS = {
    "endless": "while True: pass",
    "endless and chatty": "import time\nwhile True:\n    print('x')\n    time.sleep(0.05)",
    "asleep": "import time\ntime.sleep(600)",
    "exits": "import os\nos._exit(0)",
    "raises exit": "raise SystemExit",
    "interrupts": "raise KeyboardInterrupt",
    "aborts": "import os\nos.abort()",
    "crashes": "import ctypes\nctypes.string_at(0)",
    "kills the grader": "import os\nos.kill(os.getppid(), 9)",
    "kills its group": "import os\nos.killpg(0, 9)",
    "stops itself": "import os, signal\nsignal.raise_signal(signal.SIGSTOP)",
    "forks": "import os\nwhile True: os.fork()",
    "starts a daemon": "import subprocess\nsubprocess.Popen(['sleep', '60'], start_new_session=True)",
    "goes behind subprocess": "import sys\nsys.modules['subprocess'] = None\nimport _posixsubprocess",
    "starts threads": "import threading as t\nwhile True: t.Thread(target=t.Event().wait, daemon=True).start()",
    "takes memory": "x = [np.ones(2**27) for _ in range(99)]",
    "prints a lot": "import sys\nwhile True: sys.stdout.write('x' * 10**6)",
    "sends a lot": "import os\nos.write(4, b'\\0' * 10**7)",
    "closes all": "import os\nos.closerange(0, 64)",
    "returns depth": "x = []\nfor _ in range(10**5): x = [x]\nreturn x",
    "returns a circle": "x = []\nx.append(x)\nreturn x",
    "returns half a character": "return '\\ud800'",
    "returns a huge number": "return 10**10000",
    "drives the terminal": "raise ValueError('\\x1b]0;owned\\x07\\x1b[2J\\u202e')",
    "deletes the canary": "import os\nos.remove(CANARY)",
    "writes the canary": "open(CANARY, 'w').write('gone')",
    "renames the folder": "import os\nos.rename(os.path.dirname(CANARY), CANARY + '-')",
    "leaves a file": "open('left.txt', 'w').write('here')",
    "leaves a link": "import os\nos.symlink('/etc', 'link')",
    "calls home": "import socket\nsocket.create_connection(('127.0.0.1', 9), 1)",
    "reads secrets": "import os\nraise ValueError(os.environ['SECRET_TOKEN'])",
    "reads home": "import os\nreturn os.listdir(os.path.expanduser('~/../' + HOME))",
    "is undone late": (
        "import atexit\natexit.register(lambda: open(CANARY, 'w'))\n"
        "class D:\n    def __del__(s):\n        while 1: 0\nd = D()"
    ),
}


def file_of(body: str, **names: str) -> str:
    before, _, inside = body.rpartition("\n---\n")
    indented = "".join(f"    {line}\n" for line in inside.splitlines())
    given = "".join(f"{name} = {value!r}\n" for name, value in names.items())
    functions = "".join(f"def {asked.name}(g, x):\n{indented}" for asked in EXERCISE.asked)
    return f"import numpy as np\n{given}{before}\n{functions}"


@pytest.fixture
def neighbor(tmp_path: Path) -> Path:
    path = tmp_path / "ada_exercise_07.py"
    path.write_text(RIGHT, encoding="utf-8")
    return path


def test_forgeries_get_no_point_without_a_cage(neighbor: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "protection", lambda: Protection.LIMITS)
    chosen = {name: FORGERIES[name] for name in share([*FORGERIES])}
    assert grades_of(chosen, neighbor, tmp_path) == dict.fromkeys(chosen, 0)


def test_forgeries_get_no_point_in_a_cage(neighbor: Path, tmp_path: Path) -> None:
    if protection() is not Protection.CAGE:
        pytest.skip("bubblewrap is not installed, or does not work here")
    chosen = {name: FORGERIES[name] for name in share([*FORGERIES], parts=6)}
    assert grades_of(chosen, neighbor, tmp_path) == dict.fromkeys(chosen, 0)


def grades_of(files: dict[str, str], neighbor: Path, folder: Path) -> dict[str, int]:
    package = str(Path(__file__).resolve().parents[3])
    points = {}
    for name, body in files.items():
        path = folder / "answer.py"
        path.write_text(file_of(body, PACKAGE=package, NEIGHBOR=str(neighbor)), encoding="utf-8")
        points[name] = grade_file(path, EXERCISE, seconds=5.0).points
    return points


def test_attacks_cost_nobody_else_and_leave_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "protection", lambda: Protection.LIMITS)
    monkeypatch.setenv("SECRET_TOKEN", "the secret")
    canary = tmp_path / "precious" / "canary.txt"
    canary.parent.mkdir()
    canary.write_text("alive", encoding="utf-8")
    folder = tmp_path / "class"
    attacks = share([*ATTACKS])
    for name in attacks:
        (folder / name).mkdir(parents=True)
        text = file_of(ATTACKS[name], CANARY=str(canary), HOME=os.environ.get("HOME", ""))
        (folder / name / "exercise_07.py").write_text(text, encoding="utf-8")
    (folder / "ada").mkdir()
    (folder / "ada" / "exercise_07.py").write_text(RIGHT, encoding="utf-8")

    began = time.monotonic()
    with ThreadPoolExecutor(2) as threads:
        graded = grade_class(find_submissions(folder), 0, 1.0, threads)
    assert time.monotonic() - began < 6.0 * len(attacks)  # each file's limit, whatever it does

    points = {student.name: student.grades[0].points for student in graded.students}
    assert points == dict.fromkeys(attacks, 0) | {"ada": 2}
    told = "".join(v.message for s in graded.students for g in s.grades for v in g.verdicts)
    assert told.isprintable()
    assert "the secret" not in told
    assert canary.read_text(encoding="utf-8") == "alive"
    assert sorted(os.listdir(tmp_path)) == ["class", "precious"]
    assert all(os.listdir(folder / name) == ["exercise_07.py"] for name in attacks)
