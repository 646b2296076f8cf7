"""The live page in a real browser, without a network: Python, NumPy and the package run in its worker.

The tests share one page, whose Python starts once and once more after an endless loop; each puts the page into the
state that it needs. They need the wheel of NumPy for npm's Pyodide, which no registry has: its path is
``PYODIDE_NUMPY_WHEEL``.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tinygrad_norm.lessons.exercises.tasks import EXERCISES

WHEEL = os.environ.get("PYODIDE_NUMPY_WHEEL", "")
pytestmark = pytest.mark.skipif(
    not os.path.isfile(WHEEL),
    reason="PYODIDE_NUMPY_WHEEL must be the path of a wheel of NumPy 2.1 or newer for npm's pyodide@0.25.1",
)

PYODIDE = ("pyodide.mjs", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json")
HANGS = 60.0
"""Seconds after which a test gives up waiting."""
LIMIT = 8
"""Seconds that code may take on the page under test."""
HOSTILE = "<img src=x onerror=\"document.title='hacked'\">"
RIGHT = """import numpy as np

def forward(x):
    return x / np.sqrt((x**2).mean(axis=1, keepdims=True) + 1e-5)

def backward(g, x):
    s = np.sqrt((x**2).mean(axis=1, keepdims=True) + 1e-5)
    n = x / s
    return (g - n * (g * n).mean(axis=1, keepdims=True)) / s
"""
CONTROL, ENTER, TAB = "\ue009", "\ue007", "\ue004"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *told: Any) -> None:
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, live_page: ModuleType, npm: Path) -> Iterator[str]:
    """The address of a site that holds the page and all that it loads."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "index.html").write_text("<title>Documentation</title>", encoding="utf-8")
    (folder / "pyodide").mkdir()
    for path in (*(npm / "pyodide" / name for name in PYODIDE), Path(WHEEL)):
        shutil.copy(path, folder / "pyodide")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    base = f"{address}/pyodide/"
    names = (*PYODIDE, Path(WHEEL).name)
    files = tuple(live_page.described(folder / "pyodide" / name, base + name) for name in names)
    live_page.write_live_page(folder, npm, live_page.Release("0.25.1", base, files))
    setting = folder / "live" / "live.json"
    told = json.loads(setting.read_text(encoding="utf-8"))
    setting.write_text(json.dumps(told | {"seconds": LIMIT}), encoding="utf-8")
    yield address
    server.shutdown()
    server.server_close()


class Page:
    """The page, used as a person would."""

    def __init__(self, browser: Any, address: str) -> None:
        self.browser, self.address = browser, address
        self.took: dict[str, float] = {}

    def until(self, holds: str, *arguments: Any) -> float:
        """Wait until a condition in JavaScript holds; return how long it took."""
        began = time.perf_counter()
        while not self.browser.run(f"return {holds}", *arguments):
            if time.perf_counter() - began > HANGS:
                raise TimeoutError(f"{holds}; the page says:\n{self.browser.run('return document.body.innerText')}")
            time.sleep(0.01)
        return time.perf_counter() - began

    def ready(self) -> float:
        return self.until("document.querySelector('.status').dataset.phase === 'ready'")

    def go(self, view: str) -> None:
        self.browser.run("location.hash = arguments[0]", view)
        section = {"exercise": "exercises"}.get(view.partition("=")[0], view)
        self.until("!document.getElementById(arguments[0]).hidden", section)

    def write(self, editor: str, text: str) -> None:
        """Replace the text in an editor as a paste does."""
        self.browser.click(f"{editor} .cm-content")
        self.browser.press(CONTROL + "a")
        self.browser.driver.execute_cdp_cmd("Input.insertText", {"text": text})

    def written(self, editor: str) -> str:
        return "\n".join(
            self.browser.run(
                "return [...document.querySelectorAll(arguments[0] + ' .cm-line')].map(e => e.textContent)", editor
            )
        )

    def check(self, text: str) -> str:
        """Write forward and backward, press the button, and return the verdict."""
        self.go("work")
        self.ready()
        self.write("#code", text)
        self.browser.run("document.getElementById('verdict').textContent = ''")
        self.browser.click("#run")
        self.took["verdict"] = self.until("/✓|✗|No backward/.test(document.getElementById('verdict').textContent)")
        self.ready()
        return str(self.browser.shown("#verdict"))

    def grade(self, text: str) -> str:
        self.write("#answer", text)
        self.browser.click("#grade")
        self.until("/of \\d+ points(?! decided)|Ended/.test(document.getElementById('grade-shown').textContent)")
        return str(self.browser.shown("#grade-shown"))

    def wrong_line(self, editor: str) -> str:
        found = self.browser.run("return document.querySelector(arguments[0] + ' .wrong-line')?.textContent", editor)
        return str(found)


@pytest.fixture(scope="module")
def page(browser: Any, site: str) -> Page:
    """The page just opened, its Python not yet there."""
    browser.screen(1400, 1000)
    browser.visit(f"{site}/live/index.html")
    return Page(browser, site)


def test_the_first_screen_is_useful_while_python_loads(page: Page) -> None:
    page.until("!!document.querySelector('#results table')")
    shown = page.browser.run("return [document.querySelector('.status').dataset.phase, document.body.innerText]")
    assert shown[0] in ("loading", "starting")
    for told in ("Computed beforehand", "both statistics are treated as constants", "1.3363", "Loading Python"):
        assert told in shown[1] or (told == "Loading Python" and shown[0] == "starting")
    assert page.browser.run("return document.getElementById('graph').complete")


def test_python_starts_and_judges(page: Page) -> None:
    started = page.ready()
    assert "Computed beforehand" not in page.browser.run("return document.body.innerText")
    page.browser.run("document.getElementById('results').replaceChildren()")
    page.browser.click("#run")
    first = page.until("!!document.querySelector('#results table')")
    page.ready()
    wrong = page.check(RIGHT.replace("* n).mean", "* n).sum"))
    assert "is multiplied by 3 along axis 1" in wrong
    assert page.browser.run("return document.querySelectorAll('#results td.wrong').length") > 0
    took = page.took["verdict"]
    assert "✓ Right" in page.check(RIGHT)
    assert page.browser.run("return document.querySelectorAll('#results td.wrong').length") == 0
    print(f"\nready after {started:.1f} s, first answer {first:.2f} s, an edited backward judged in {took:.2f} s")
    assert page.browser.complaints() == []
    assert all(asked.startswith((page.address, "blob:", "about:", "data:")) for asked in page.browser.requests())


def test_an_error_is_shown_at_its_line(page: Page) -> None:
    assert "line 2: SyntaxError: '(' was never closed" in page.check("def forward(x):\n    return (x\n")
    assert page.wrong_line("#code") == "    return (x"
    assert "✗ line 2: ZeroDivisionError" in page.check(RIGHT.replace("\n", "\n1 / 0", 1))
    assert page.wrong_line("#code") == "1 / 0"
    assert "✓ Right" in page.check(RIGHT)
    assert page.wrong_line("#code") == "None"


def test_an_entry_of_the_result_is_chosen(page: Page) -> None:
    page.check("def forward(x):\n    return x * x\n")
    page.browser.run("document.querySelector('#results tbody tr:nth-child(4) td:nth-child(3) button').click()")
    page.until("/entry \\(4, z2\\)/.test(document.getElementById('results').textContent)")
    assert "10.0000" in page.browser.shown("#results div.side-by-side")
    page.ready()


def test_pictures_follow_the_theme_and_files_are_saved(page: Page) -> None:
    browser = page.browser
    page.check(RIGHT)
    drawn = browser.run("return document.getElementById('graph').src")
    for theme in ("light", "dark", "auto"):
        browser.click("#theme")
        assert browser.run("return document.documentElement.dataset.theme") == theme
        page.until("document.getElementById('graph').src !== arguments[0]", drawn)
        drawn = browser.run("return document.getElementById('graph').src")
        page.ready()
    browser.run("window.saved = []; HTMLAnchorElement.prototype.click = function () { saved.push(this.download) }")
    browser.click("#steps")
    page.go("exercise=7")
    browser.click("#answer-file")
    page.until("saved.length === 2")
    assert sorted(browser.run("return saved")) == ["exercise_07_mean_backward.py", "graph.html"]


def test_hostile_text_stays_text(page: Page) -> None:
    browser = page.browser
    said = page.check(f"def forward(x):\n    raise ValueError({HOSTILE!r})\n")
    assert HOSTILE in said
    named = f"print({HOSTILE!r})\ndef forward(x):\n    with tg.scope({HOSTILE!r}):\n        return x * 2\n"
    page.go("work")
    browser.run(
        "for (const label of ['name of column 1', 'name of row 1']) {"
        "  const input = document.querySelector(`[aria-label='${label}']`);"
        "  input.value = arguments[0]; input.dispatchEvent(new Event('input')); }",
        HOSTILE,
    )
    page.check(named)
    assert HOSTILE in browser.shown("#results")
    assert HOSTILE in browser.run("return document.getElementById('graph-text').textContent")
    assert browser.run("return document.getElementById('graph').naturalWidth") > 0
    page.go("lecture")
    page.until("(document.getElementById('lecture-page').srcdoc ?? '').includes('&lt;img')")
    browser.run(
        "const input = document.querySelector('[data-place=\"0,0\"]');"
        "input.value = arguments[0]; input.dispatchEvent(new Event('input'))",
        HOSTILE,
    )
    page.go("work")
    page.until("document.getElementById('table-problem').textContent.includes('is not a number')")
    assert browser.run("return document.querySelector('[data-place=\"0,0\"]').getAttribute('aria-invalid')") == "true"
    assert browser.run("return document.querySelectorAll('main img').length") == 1
    assert browser.run("return document.title") == "tinygrad_norm in your browser"
    browser.click("#lecture-table")
    page.until("document.getElementById('table-problem').textContent === ''")


def test_code_reaches_nothing_but_the_site(page: Page) -> None:
    asked: list[str] = []

    class Elsewhere(Quiet):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    reaching = (
        "from js import XMLHttpRequest\nr = XMLHttpRequest.new()\n"
        f"r.open('GET', 'http://127.0.0.1:{server.server_port}/secret', False)\nr.send()\n"
    )
    try:
        assert "✗ line 4: JsException" in page.check(reaching)
    finally:
        server.shutdown()
        server.server_close()
    assert asked == []
    page.browser.complaints()  # the browser has told of it


def test_it_is_used_with_keys_alone(page: Page) -> None:
    browser = page.browser
    page.check(RIGHT)
    browser.run("document.querySelector('[data-place=\"0,0\"]').focus()")
    browser.press(ENTER)
    assert browser.run("return document.activeElement.dataset.place") == "1,0"
    browser.run("document.getElementById('theme').focus()")
    reached: list[str] = []
    while "graph-file" not in reached and len(reached) < 80:
        browser.press(TAB)
        reached.append(browser.run("const e = document.activeElement; return e.id || e.className || e.tagName"))
    assert {"norm", "lecture-table", "run", "reset", "graph-file"} <= set(reached)
    assert any("cm-content" in name for name in reached)
    browser.click("#code .cm-content")
    browser.run("document.getElementById('verdict').textContent = ''")
    browser.press(CONTROL + ENTER)
    page.until("document.getElementById('verdict').textContent.includes('✓')")
    browser.click("#lecture-table")
    page.ready()


def test_an_exercise_is_graded(page: Page) -> None:
    browser = page.browser
    page.go("exercise=7")
    page.ready()
    stub = page.written("#answer")
    assert "def center_backward(g, x):" in stub
    right = (
        "import numpy as np\ndef mean_backward(g, x):\n    return np.repeat(g[:, None], x.shape[1], 1) / x.shape[1]\n"
        "def center_backward(g, x):\n    return g - g.mean(axis=1, keepdims=True)\n"
    )
    assert "2 of 2 points: full marks" in page.grade(right)
    for number in (1, 14, 19):
        page.go(f"exercise={number}")
        assert "full marks" in page.grade(f"import numpy as np\n{EXERCISES[number].solution}")
    page.go("exercise=7")
    said = page.grade(right.replace(" / x.shape[1]", ""))
    assert "1 of 2 points" in said
    assert "✗ wrong: through the mean" in said
    assert "0 of 2 points" in page.grade(right.replace("np.repeat(", "np.repeat(("))
    assert page.wrong_line("#answer").startswith("    return np.repeat((")
    browser.click("#hint")
    assert "Hint 1:" in browser.shown("#hints")
    browser.click("#answer-reset")
    assert page.written("#answer") == stub


def test_the_lecture_opens_with_a_table_of_ones_own(page: Page) -> None:
    browser = page.browser
    page.go("work")
    browser.run(
        "document.querySelector('details').open = true; document.getElementById('csv').value = arguments[0]",
        "word;wide;deep\nthe;1,5;2\ncat;3;9\n",
    )
    browser.click("#use-csv")
    page.until("!!document.querySelector('#grid input[value=\"deep\"]')")
    page.ready()
    page.go("lecture")
    page.until("(document.getElementById('lecture-page').srcdoc ?? '').includes('deep')")
    lesson = browser.run("return document.getElementById('lecture-page').srcdoc")
    assert "2 rows and 2 columns" in lesson
    # It runs its own script, which moves its pictures, in an origin of its own.
    frame = browser.run("return document.getElementById('lecture-page')")
    assert frame.get_attribute("sandbox") == "allow-scripts"
    browser.driver.switch_to.frame(frame)
    try:
        page.browser.run("document.querySelector('[type=range]').focus()")
        browser.press("\ue010")
        assert browser.run("return document.querySelector('output').textContent") == "deep"
    finally:
        browser.driver.switch_to.default_content()
    assert browser.complaints() == []
    page.go("work")
    browser.click("#lecture-table")
    page.ready()


def test_nothing_overflows_and_all_can_be_read(page: Page) -> None:
    """Neither on a screen nor on a phone, also with a wide table whose names are long."""
    browser = page.browser
    page.go("work")
    wide = [["name", "W" * 300, *(f"c{j}" for j in range(11))], *(["W" * 300, *"123456789012"] for _ in range(3))]
    browser.run(
        "document.querySelector('details').open = true; document.getElementById('csv').value = arguments[0]",
        "\n".join(map(",".join, wide)),
    )
    browser.click("#use-csv")
    page.until("document.querySelectorAll('#grid input').length > 50")
    page.until("document.querySelectorAll('#results th').length > 40")
    page.ready()
    try:
        for width, view in [(w, v) for w in (1400, 390) for v in ("work", "exercise=10", "lecture")]:
            browser.screen(width, 844)
            page.go(view)
            needed, there = browser.run("const e = document.scrollingElement; return [e.scrollWidth, e.clientWidth]")
            assert needed <= there <= width, (width, view)
            small = browser.run(
                "return [...document.querySelectorAll('main *, header *, footer *')].filter(e => e.offsetParent &&"
                " [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) &&"
                " parseFloat(getComputedStyle(e).fontSize) < 12).map(e => e.outerHTML.slice(0, 80))"
            )
            assert small == []
    finally:
        browser.screen(1400, 1000)
    page.go("work")
    browser.click("#lecture-table")
    page.ready()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("view", ["work", "exercise=7", "lecture"])
def test_axe_finds_nothing(page: Page, axe: str, view: str, theme: str) -> None:
    page.go(view)
    page.browser.run("document.documentElement.dataset.theme = arguments[0]", theme)
    try:
        assert page.browser.violations(axe) == []
    finally:
        page.browser.run("document.documentElement.dataset.theme = 'auto'")


def test_an_endless_loop_is_ended_and_the_page_goes_on(page: Page) -> None:
    browser = page.browser
    page.go("exercise=7")
    page.ready()
    said = page.grade("def mean_backward(g, x):\n    while True:\n        pass\n")
    assert f"✗ Ended: mean_backward does not end within {LIMIT} s" in said
    assert browser.run("return document.querySelector('.status').dataset.phase") in ("starting", "ready")
    page.go("work")
    restart = page.ready()
    print(f"\nPython is there again after {restart:.1f} s")
    page.write("#code", "import numpy as np\nnp.sqrt = None\nwhile True: pass\n")
    browser.click("#run")
    page.until("document.querySelector('.status').dataset.phase === 'busy'")
    browser.click("#again")
    page.until("document.getElementById('verdict').textContent.includes('✗ Ended: your code was stopped')")
    assert "✓ Right" in page.check(RIGHT)


def test_work_is_kept_over_a_reload_and_missing_python_is_told(page: Page) -> None:
    browser = page.browser
    page.go("work")
    page.write("#code", RIGHT + "\n# mine")
    browser.run(
        "const input = document.querySelector('[data-place=\"0,0\"]');"
        "input.value = '11'; input.dispatchEvent(new Event('input'))"
    )
    page.go("exercise=12")
    page.write("#answer", "# my answer")
    browser.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*/pyodide/*"]})
    try:
        browser.driver.refresh()
        page.until("document.querySelector('.status')?.dataset.phase === 'failed'")
        assert "Python could not be started" in browser.shown("#status")
        browser.driver.set_network_conditions(offline=True, latency=0, throughput=0)
        browser.click("#again")
        page.until("document.getElementById('status').textContent.startsWith('You are offline')")
        browser.driver.delete_network_conditions()
        assert page.written("#answer") == "# my answer"
        browser.click("#grade")
        page.until("document.getElementById('grade-shown').textContent.includes('✗ Python is not there')")
        page.go("work")
        assert page.written("#code").endswith("# mine")
        assert browser.run("return document.querySelector('[data-place=\"0,0\"]').value") == "11"
        browser.click("#forget")
        page.until("document.querySelector('.status')?.dataset.phase === 'failed'")
        assert browser.run("return document.querySelector('[data-place=\"0,0\"]').value") == "7"
    finally:
        browser.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})


def test_a_file_that_was_changed_is_not_run(page: Page) -> None:
    browser = page.browser
    browser.driver.execute_cdp_cmd(
        "Page.addScriptToEvaluateOnNewDocument",
        {
            "source": "const f = fetch; window.fetch = async (u, o) => String(u).endsWith('glue.py')"
            " ? new Response('import os') : f(u, o);"
        },
    )
    browser.driver.refresh()
    page.until("document.querySelector('.status')?.dataset.phase === 'failed'")
    assert "glue.py is not the file that belongs here" in browser.shown("#status")
