"""What the drawing tests share: graphs to draw, and a real browser to open pages in."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm import functional as F
from tinygrad_norm.viz import Drawing

SCRIPT, QUOTES, LINES = '<script>alert("x")</script>', "a\"b'c\\N\\G", "two\nlines"
ENTITIES = "&#xD800;&amp;&#0;"
HOSTILE = [SCRIPT, QUOTES, LINES, ENTITIES, "\u202eright to left שלום", "}} ]; -> <b>&amp;", ""]
FLAGS = """
--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
--disable-component-update --disable-sync --disable-default-apps --disable-extensions --window-size=1400,1000
--force-device-scale-factor=1
"""


@pytest.fixture(params=range(len(HOSTILE)))
def hostile(request: pytest.FixtureRequest) -> str:
    return HOSTILE[request.param]


@pytest.fixture
def table() -> np.ndarray[Any, Any]:
    """The lecture's 5×3 table."""
    return np.array([[7.0, 5, 4], [2, 3, 4], [1, 2, 3], [7, 5, 6], [3, 3, 4]])


@pytest.fixture
def layer_norm(table: np.ndarray[Any, Any]) -> Drawing:
    weight = tg.Tensor(np.ones(3), requires_grad=True, name="weight")
    bias = tg.Tensor(np.zeros(3), requires_grad=True, name="bias")
    return tg.draw(lambda z: F.layer_norm(z, 3, weight, bias), table, gradients=True)


@pytest.fixture
def square() -> Drawing:
    return tg.draw(lambda x: x * x, 3.0)


class Browser:
    """Chromium, driven as a person would: keys, clicks, and what can be seen."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def open(self, path: Path, fragment: str = "") -> None:
        self.driver.get("about:blank")
        self.driver.get_log("browser")
        self.driver.get_log("performance")
        self.driver.get(path.as_uri() + fragment)

    def state(self, name: str) -> str:
        found: str = self.driver.execute_script("return document.documentElement.dataset[arguments[0]] || ''", name)
        return found

    def run(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

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

    def violations(self, axe: str) -> list[str]:
        """What axe-core finds wrong with the page."""
        self.run(axe)
        found = self.driver.execute_async_script(
            "const done = arguments[arguments.length - 1];"
            "axe.run().then(r => done(r.violations.map(v => v.id + ': ' + v.nodes.map(n => n.html).join(' '))));"
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
            f"the tests of the interactive page need {' and '.join(missing)}: on Debian, `apt-get install chromium "
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


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[Drawing], Path]:
    """Write a drawing as a page and return where it is."""

    def save(drawing: Drawing) -> Path:
        path = tmp_path / "graph.html"
        drawing.save(path)
        return path

    return save
