"""Build the live page: ``docs/live`` with the package's wheel, and the libraries of the browser's world from npm.

The page loads a pinned release of Pyodide from a public network of copies. Every file of it, as of the site's own, is
taken only if its SHA-256 is the one that is written into the page here. What the page shows before Python is there is
computed here, by the functions that run in the browser.

From npm come: ``npm install @viz-js/viz@3 esbuild@0.28 @lezer/highlight@1 @codemirror/{commands,lang-python,language,
state,view}@6``, into the folder that ``NODE_MODULES`` names or ``.npm/node_modules``. Where they are not, the page
says so; where ``CI`` is set, they must be there.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from html import escape
from importlib.metadata import distribution
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinygrad_norm.lessons.document.as_html import beside
from tinygrad_norm.lessons.exercises.exercise_files import file_name
from tinygrad_norm.lessons.exercises.exercise_parts import Exercise
from tinygrad_norm.lessons.exercises.locks import is_locked
from tinygrad_norm.lessons.exercises.tasks import EXERCISES
from tinygrad_norm.viz.stepping_page import digest

if TYPE_CHECKING:
    from sphinx.application import Sphinx

DOCS = Path(__file__).resolve().parent.parent
LIVE = DOCS / "live"
COPIED = ("live.css", "page.js", "python.js", "worker.js", "glue.py")
LIBRARIES = ("@viz-js/viz", "esbuild", "@codemirror/lang-python", "@lezer/highlight")
SECONDS, STARTING = 10, 90
"""How long an answer may take before the worker is ended, and how long a slow phone may take to start Python."""


@dataclass(frozen=True)
class File:
    """A file that Python needs in the browser: its name there, its address, its size in bytes, and what it must be."""

    name: str
    url: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Release:
    """A release of Pyodide, the address that it knows as its own, and its files; the last of them is NumPy's wheel."""

    version: str
    base: str
    files: tuple[File, ...]


_NPM = "https://cdn.jsdelivr.net/npm/pyodide@314.0.7/"
_NUMPY = "numpy-2.4.6-cp314-cp314-pyemscripten_2026_0_wasm32.whl"
PINNED = Release(
    "314.0.7",
    _NPM,
    tuple(
        File(name, base + name, size, sha256)
        for base, name, size, sha256 in (
            (_NPM, "pyodide.mjs", 17931, "6f1d60f7bf529beb300f0f47983c921d3982363640ba20af0e38efdddbc66109"),
            (_NPM, "pyodide.asm.mjs", 1250344, "f7cdc8ece80678ceb712f8e65ebe6d3a83203a180c399865f49612a051693635"),
            (_NPM, "pyodide.asm.wasm", 9598218, "cc36e3cab04fdfc9a63ff13eb52eae2b911bf46c025cc7b281f394bd3de1d5e6"),
            (_NPM, "python_stdlib.zip", 2545637, "fa1957e5777068fc4f7437f96d860ae2fbe9c19732ba06c84e004ec16dd7dd7a"),
            (_NPM, "pyodide-lock.json", 119077, "5dc2fc119108bc148c7457dc86e7675b5c87e1cafd420b9c34c1eaef7b36c010"),
            # The sum is that of the release's lock, which gives no size: about this.
            (
                "https://cdn.jsdelivr.net/pyodide/v314.0.7/full/",
                _NUMPY,
                3_000_000,
                "a292c1f5d7d8a2208cd5e94fc467604c131cabcd2fc14fed6eefde121e7fabdf",
            ),
        )
    ),
)
"""The release that the page loads: npm's package, which anyone can compare with, and NumPy from beside the release."""


def described(path: Path, url: str) -> File:
    """Return what the page must know of a file that lies here."""
    content = path.read_bytes()
    return File(path.name, url, len(content), hashlib.sha256(content).hexdigest())


def node_modules() -> Path | None:
    """Return the folder of npm's packages, None where those that are needed are not in it."""
    folder = Path(os.environ.get("NODE_MODULES") or DOCS.parent / ".npm" / "node_modules")
    missing = [name for name in LIBRARIES if not (folder / name).is_dir()]
    if missing and os.environ.get("CI"):
        raise LookupError(f"the live page needs {', '.join(missing)} from npm in {folder}; see docs/_ext/live_page.py")
    return None if missing else folder


def write_live_page(site: Path, modules: Path | None, release: Release = PINNED) -> None:
    """Write the page into a folder of the site; without npm's packages one that says that it is not there."""
    folder = site / "live"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if modules is None:
        (folder / "index.html").write_text(_ABSENT, encoding="utf-8")
        return
    for name in COPIED:
        shutil.copy(LIVE / name, folder)
    shutil.copy(modules / "@viz-js" / "viz" / "dist" / "viz.js", folder)
    bundled = bundle(LIVE / "editor.js", folder / "editor.js", modules)
    wheels = [own_wheel(folder), installed_wheel("graphviz", folder)]
    own = [described(folder / name, name) for name in ("worker.js", "glue.py", "viz.js", *(w.name for w in wheels))]
    files = [*release.files, *own]
    setting = {
        "base": release.base,
        "files": [asdict(file) for file in files],
        "wheels": [release.files[-1].name, *(wheel.name for wheel in wheels)],
        "megabytes": sum(file.size for file in files) / 1e6,
        "seconds": SECONDS,
        "starting": STARTING,
    }
    (folder / "live.json").write_text(json.dumps(setting), encoding="utf-8")
    (folder / "first.json").write_text(json.dumps(shown_first()), encoding="utf-8")
    (folder / "LICENSES.txt").write_text("\n\n".join(licenses(modules, bundled)), encoding="utf-8")
    page = (LIVE / "index.html").read_text(encoding="utf-8")
    page = page.replace("{{policy}}", escape(policy(release))).replace("{{version}}", escape(release.version))
    (folder / "index.html").write_text(page, encoding="utf-8")


def policy(release: Release) -> str:
    """Return the page's security policy: scripts from the site, from what it has verified, and the lecture's."""
    places = " ".join(dict.fromkeys(file.url.removesuffix(file.name) for file in release.files))
    rules = {
        "default-src": "'none'",
        "script-src": f"'self' blob: 'wasm-unsafe-eval' '{digest(beside('moving.js'))}'",
        "worker-src": "blob:",
        "connect-src": f"'self' {places}",
        # An editor writes styles while one types; a picture and the lecture bring their own.
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' blob: data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{rule} {value}" for rule, value in rules.items())


def bundle(source: Path, target: Path, modules: Path) -> list[str]:
    """Put a script and what it imports from npm into one file; return the packages that are in it."""
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder, "told.json")
        options = ["--bundle", "--minify", "--format=esm", "--log-level=error", f"--metafile={told}"]
        command = [modules / "esbuild" / "bin" / "esbuild", source, *options, f"--outfile={target}"]
        subprocess.run(command, check=True, env={**os.environ, "NODE_PATH": str(modules)})
        inputs = json.loads(told.read_text(encoding="utf-8"))["inputs"]
    parts = [path.rpartition("node_modules/")[2].split("/") for path in inputs if "node_modules/" in path]
    return sorted({"/".join(part[:2] if part[0].startswith("@") else part[:1]) for part in parts})


def licenses(modules: Path, bundled: Iterable[str]) -> Iterator[str]:
    """Yield what each package from npm says of its license."""
    for name in [*bundled, "@viz-js/viz"]:
        about = json.loads((modules / name / "package.json").read_text(encoding="utf-8"))
        repository = about.get("repository", "")
        address = repository["url"] if isinstance(repository, dict) else repository
        texts = [path.read_text(encoding="utf-8") for path in sorted((modules / name).glob("LICENSE*"))]
        yield "\n\n".join([f"{name} {about['version']}: {about['license']}\n{address}", *texts])
    yield (
        "graphviz (for Python): MIT, its text is in its wheel.\nGraphviz, inside viz.js: EPL-1.0, "
        "https://graphviz.org/license\nPyodide: MPL-2.0, and NumPy: BSD-3-Clause, loaded from elsewhere."
    )


def own_wheel(folder: Path) -> Path:
    """Build the project's own wheel."""
    from hatchling.builders.wheel import WheelBuilder

    return Path(next(WheelBuilder(str(DOCS.parent)).build(directory=str(folder), versions=["standard"])))


def installed_wheel(name: str, folder: Path) -> Path:
    """Pack an installed package of pure Python as the wheel that it came from."""
    found = distribution(name)
    path = folder / f"{name}-{found.version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for file in found.files or ():
            if file.suffix != ".pyc" and ".." not in file.parts and file.name not in ("INSTALLER", "direct_url.json"):
                # The same bytes at each build.
                wheel.writestr(zipfile.ZipInfo(file.as_posix()), file.locate().read_bytes(), zipfile.ZIP_DEFLATED)
    return path


def shown_first() -> dict[str, Any]:
    """Return what the page shows while Python loads: what there is to begin with, and what comes of it."""
    sys.path.insert(0, str(LIVE))
    import glue

    begin = {"table": glue.LECTURE, "code": glue.NORMS["layer"][1], "entry": [0, 0]}
    return {
        "table": glue.LECTURE,
        "norms": [{"key": key, "title": title, "code": code} for key, (title, code) in glue.NORMS.items()],
        "run": glue.run(**begin),
        "graphs": {theme: glue.graph(**begin, theme=theme) for theme in ("light", "dark")},
        "lecture": glue.lecture(glue.LECTURE),
        "exercises": [exercise_data(exercise) for exercise in EXERCISES.values()],
    }


def exercise_data(exercise: Exercise) -> dict[str, Any]:
    """Return what the page shows of an exercise."""
    return {
        "number": exercise.number,
        "title": exercise.title,
        "file": file_name(exercise),
        "statement": exercise.statement.strip(),
        "stub": f"import numpy as np\n\n\n{exercise.stub.strip()}\n",
        "hints": list(exercise.hints),
        "solution": None if is_locked(exercise) else exercise.solution.strip(),
        "checks": [[check.function, list(check.labels)] for check in exercise.checks],
    }


_ABSENT = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>tinygrad_norm in your browser</title></head>
<body><main><h1>Not in this copy</h1>
<p>The page on which the package runs in the browser needs libraries from npm, which were not there when this copy of
the site was built. How to have it is written in <code>docs/_ext/live_page.py</code>.
<a href="../index.html">To the documentation</a>.</p></main></body>
</html>
"""


def on_builder_inited(app: Sphinx) -> None:
    """Write the page, where the result is a site."""
    if app.builder.format == "html":
        write_live_page(Path(app.outdir), node_modules())


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.connect("builder-inited", on_builder_inited)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
