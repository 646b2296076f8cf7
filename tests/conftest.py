"""What the tests share: numeric derivatives, random numbers, a registry to plant faults in, and a real browser.

The numeric derivative is a central difference at three steps, extrapolated twice (Richardson), so its error is
O(step⁶): with a step of 2⁻⁹ below 1e-14 for the functions here, and rounding adds a few eps/2⁻¹¹ ≈ 1e-12 of the
values. ``CLOSE`` = 1e-8 of the size of the gradient leaves four digits for large derivatives and is still a hundred
times sharper than 1e-6.
"""

from __future__ import annotations

import gc
import json
import os
import shutil
import signal
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from threadpoolctl import threadpool_limits

import tinygrad_norm as tg
from tests.sweeps import EVERYTHING
from tinygrad_norm.engine.primitive import FUNCTIONS, NUMPY, PRIMITIVES, load_late

load_late()  # the tests go through every operation

# The suite starts Python some hundred times, and it should compile the package once.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# The suite runs in several processes and multiplies small matrices: more threads would only wait for each other.
threadpool_limits(limits=1)
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# A shell's background ignores Ctrl-C, and what is started there would, too: some tests send it.
signal.signal(signal.SIGINT, signal.default_int_handler)

# The same examples in every run, and no clock; four times as many in the gate.
settings.register_profile("suite", derandomize=True, deadline=None, max_examples=100 if EVERYTHING else 25)
settings.load_profile("suite")

FLAGS = """
--headless=new --no-sandbox --disable-gpu --disable-software-rasterizer --disable-quic --no-first-run
--disable-background-networking --disable-component-update --disable-sync --disable-default-apps --disable-extensions
--window-size=1400,1000 --force-device-scale-factor=1
"""

CLOSE = 1e-8
STEP = 2.0**-9
Arrays = list[np.ndarray]


def moved(xs: Sequence[Any], vs: Sequence[Any], t: float) -> Arrays:
    """Return the points xs + t · vs; a tangent of None leaves its point alone."""
    return [x if v is None else x + t * v for x, v in zip(xs, vs, strict=True)]


def along(f: Callable[..., Any], xs: Sequence[Any], vs: Sequence[Any]) -> np.ndarray:
    """Return the derivative of f at xs along the tangents vs."""

    def central(h: float) -> np.ndarray:
        return (values(f(*moved(xs, vs, h))) - values(f(*moved(xs, vs, -h)))) / (2 * h)

    coarse, middle, fine = (central(STEP / 2**k) for k in range(3))
    once, again = (4 * middle - coarse) / 3, (4 * fine - middle) / 3
    return (16 * again - once) / 15


def agree(mine: Any, numeric: Any, dtype: Any = np.float64) -> None:
    """Fail unless a gradient agrees with its numeric value; values rounded to ``dtype`` make that less exact."""
    mine, numeric = values(mine), values(numeric)
    assert mine.shape == numeric.shape
    # Rounding in the function moves the difference by eps / (2 · smallest step), twice over by the extrapolation.
    bound = max(CLOSE, 2 * np.finfo(dtype).eps * 4 / STEP)
    size = 1.0 + np.max(np.abs(numeric), initial=0.0)
    assert np.all(np.isfinite(mine))
    assert np.max(np.abs(mine - numeric), initial=0.0) <= bound * size


def values(x: Any) -> np.ndarray:
    """Return plain values: of a Tensor without a word about the graph that ends here."""
    return x.data if isinstance(x, tg.Tensor) else np.asarray(x)


@pytest.fixture
def rng() -> np.random.Generator:
    """Random numbers, the same in every run."""
    return np.random.default_rng(20261122)


@pytest.fixture
def derivative() -> Callable[..., np.ndarray]:
    """``derivative(f, xs, vs)``: the numeric derivative of f at xs along vs."""
    return along


@pytest.fixture
def close() -> Callable[..., None]:
    """``close(mine, numeric)`` fails unless a gradient agrees with its numeric value."""
    return agree


@pytest.fixture
def in_thread() -> Callable[[Callable[[], Any]], Any]:
    """The function :func:`done_in_a_thread`."""
    return done_in_a_thread


def done_in_a_thread(work: Callable[[], Any]) -> Any:
    """Return what the work returns in a new thread, or raise what it raises there."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


class Registry:
    """A plugin, not a fixture of this folder, so that it holds for the doctests of the package and of the pages too."""

    @pytest.fixture(autouse=True)
    def registry_as_found(self) -> Iterator[None]:
        """What a test declares is forgotten after it: whoever comes next finds the operations of the package."""
        found = [(table, dict(table)) for table in (PRIMITIVES, FUNCTIONS, NUMPY)]
        yield
        for table, before in found:
            table.clear()
            table.update(before)


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Registry())


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, Any, Any]:
    """Look for no garbage among the some hundred thousand objects of a collection, as there is none."""
    gc.disable()
    result = yield
    gc.enable()
    return result


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path: Path) -> Generator[None, list[Any], list[Any]]:
    """Look for no doctests in files of tests, which hold none."""
    found = yield
    return [each for each in found if type(each) is pytest.Module or not file_path.name.startswith("test_")]


@pytest.fixture
def planted() -> None:
    """Says that a test declares primitives, which are forgotten after it."""


@pytest.fixture
def check_to_second_order() -> Callable[..., None]:
    """``check(f, xs)``: the gradient of ⟨u, f⟩ and that of a random functional of the gradient, against differences."""
    return to_second_order


def to_second_order(f: Callable[..., tg.Tensor], xs: Sequence[np.ndarray], seed: int = 0, directions: int = 3) -> None:
    """Compare the first and second order of f : arrays -> Tensor with numeric derivatives, u and directions random."""
    rng = np.random.default_rng(seed)
    u = rng.standard_normal(f(*map(tg.Tensor, xs)).shape)

    def first(*point: Any) -> list[np.ndarray]:
        leaves = [tg.Tensor(x, requires_grad=True) for x in point]
        return [values(g) for g in tg.gradients(f(*leaves), leaves, u)]

    def value(*point: Any) -> Any:
        return np.sum(u * values(f(*map(tg.Tensor, point))))

    ws = [rng.standard_normal(x.shape) for x in xs]
    leaves = [tg.Tensor(x, requires_grad=True) for x in xs]
    graph = tg.gradients(f(*leaves), leaves, u, create_graph=True)
    for recorded, plain in zip(graph, first(*xs), strict=True):
        np.testing.assert_allclose(values(recorded), plain, rtol=1e-12, atol=1e-12)
    reached = [(g, w) for g, w in zip(graph, ws, strict=True) if g.requires_grad]
    second = [values(s) for s in tg.gradients([g for g, _ in reached], leaves, [w for _, w in reached])]
    for _ in range(directions):
        vs = [rng.standard_normal(x.shape) for x in xs]
        mine = sum(float(np.sum(g * v)) for g, v in zip(first(*xs), vs, strict=True))
        agree(mine, along(value, xs, vs))
        mine = sum(float(np.sum(s * v)) for s, v in zip(second, vs, strict=True))
        agree(mine, along(lambda *p: sum(np.sum(w * g) for w, g in zip(ws, first(*p), strict=True)), xs, vs))


class Browser:
    """Chromium, driven as a person would: keys, clicks, and what can be seen."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def open(self, path: Path, fragment: str = "") -> None:
        self.visit(path.as_uri() + fragment)

    def visit(self, address: str) -> None:
        self.driver.get("about:blank")
        self.driver.get_log("browser")
        self.driver.get_log("performance")
        self.driver.get(address)

    def state(self, name: str) -> str:
        found: str = self.driver.execute_script("return document.documentElement.dataset[arguments[0]] || ''", name)
        return found

    def run(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def address(self) -> str:
        """Where the page says that it is; the browser around it is told later."""
        return str(self.run("return location.href"))

    def press(self, *keys: str) -> None:
        self.driver.switch_to.active_element.send_keys(*keys)

    def click(self, selector: str) -> None:
        from selenium.webdriver.common.by import By

        self.driver.find_element(By.CSS_SELECTOR, selector).click()

    def text(self, selector: str) -> str:
        return str(self.run("return document.querySelector(arguments[0]).textContent", selector))

    def shown(self, selector: str) -> str:
        """The text of an element that can be seen."""
        return str(self.run("return document.querySelector(arguments[0]).innerText", selector))

    def heard(self) -> list[str]:
        """Every name that a screen reader finds on the page."""
        tree = self.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
        return [str(n["name"]["value"]) for n in tree if not n["ignored"] and n.get("name", {}).get("value")]

    def screen(self, width: int, height: int) -> None:
        """Make the window as large as another screen; 0 as it was."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1 if width else 0, "mobile": 0 < width < 500}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def violations(self, axe: str, *rules: str) -> list[str]:
        """What axe-core finds wrong with the page, by some of its rules or by all."""
        self.run(axe)
        found = self.driver.execute_async_script(
            "const [rules, done] = arguments;"
            "axe.run({resultTypes: ['violations'], selectors: false, ...(rules.length ? {runOnly: rules} : {})})"
            ".then(r => done(r.violations.map(v => v.id + ': ' + v.nodes.map(n => n.html).join(' '))));",
            list(rules),
        )
        return [str(x)[:300] for x in found]

    def complaints(self) -> list[str]:
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """Every address that was asked for since the page was opened."""
        events = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        return [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A headless Chromium. Where there is none, the tests that need it say so: the gate fails, others go on."""
    missing = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
    if missing:
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say(
            f"the tests of pages need {' and '.join(missing)}: on Debian, `apt-get install chromium "
            "chromium-driver`. In the gate (CI=true) they must not be missing."
        )
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for flag in (*FLAGS.split(), f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
    try:
        yield Browser(driver)
    finally:
        driver.quit()


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core. Where it is missing, the tests that need it say so; inside the gate it must be there."""
    place = os.environ.get("AXE_CORE", "")
    if not os.path.isfile(place):
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say(
            "the tests of accessibility need axe-core: `npm install axe-core`, and AXE_CORE as the path of its "
            f"axe.min.js; got {place!r}. In the gate (CI=true) it must not be missing."
        )
    return Path(place).read_text(encoding="utf-8")
