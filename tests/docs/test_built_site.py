"""The built site as a visitor has it: pages by axe-core and on a phone, the theme button, search, what programs read.

``SITE`` names the folder of the site; without it there is nothing to look at. With ``SCREENSHOTS`` every page is
photographed into the folder that it names.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

SITE = Path(os.environ.get("SITE") or "no site")
SCREENSHOTS = os.environ.get("SCREENSHOTS", "")
FOUND = [path.relative_to(SITE) for path in SITE.rglob("*.html")]
# The pages that step and the live page are tested where they are made.
PAGES = sorted(path.as_posix() for path in FOUND if path.parts[0] not in ("_images", "live"))
DARK = ("index.html", "install.html", "reference/api/optim.html", "tutorials/an-engine-in-a-notebook.html")
"""Pages with everything that has a color: prose, code, output, errors, signatures, tables, links."""
FORMULAS = "explanation/what-normalization-does.html"

pytestmark = pytest.mark.skipif(not PAGES, reason="SITE names no built site; the gate builds one and looks at it")

THEME = "document.body.dataset.theme = document.documentElement.dataset.theme = arguments[0]"
SCROLLERS = """
return [...document.querySelectorAll("article *")].filter(box => box.scrollWidth > box.clientWidth + 1
    && ["auto", "scroll"].includes(getComputedStyle(box).overflowX) && box.clientWidth > 0
    && !(box.tabIndex === 0 && (box.hasAttribute("aria-label") || box.tagName === "FIGURE")))
  .map(box => box.outerHTML.slice(0, 200));
"""
SEARCHED = """
const done = arguments[arguments.length - 1];
const tell = () => {
  const first = document.querySelector("#search-results li a");
  if (first) done(first.getAttribute("href"));
  return first;
};
if (!tell()) new MutationObserver((_, watch) => tell() && watch.disconnect()).observe(
  document.querySelector("#search-results"), { childList: true, subtree: true });
"""


class Quiet(SimpleHTTPRequestHandler):
    """Serves the site without a line for each request."""

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def address(browser: Any) -> Iterator[str]:
    """Where the site is served. The page of the layers is long: axe-core may take its time on a busy machine."""
    browser.driver.set_script_timeout(300)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=SITE)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_accessible_and_fits(browser: Any, axe: str, address: str, page: str) -> None:
    for width in (1400, 390):
        browser.screen(width, 900)
        browser.driver.get(address + page)
        assert browser.run("return document.documentElement.scrollWidth") <= width
        assert browser.run(SCROLLERS) == []
        for theme in ("dark", "light") if SCREENSHOTS else ():
            browser.run(THEME, theme)
            name = f"{page.removesuffix('.html').replace('/', '-')}-{width}-{theme}.png"
            Path(SCREENSHOTS, name).write_bytes(browser.driver.get_screenshot_as_png())
    assert browser.violations(axe) == []


@pytest.mark.parametrize("page", DARK)
def test_dark_pages_have_contrast(browser: Any, axe: str, address: str, page: str) -> None:
    browser.driver.get(address + page)
    browser.run(THEME, "dark")
    assert browser.violations(axe) == []


def test_what_is_wrong_is_found(browser: Any, axe: str, tmp_path: Path) -> None:
    wide = '<div style="overflow:auto;width:9rem"><div style="width:99rem">wide</div></div>'
    text = f'<!doctype html><html lang="en"><title>x</title><article><h1>x</h1><img src="x.svg">{wide}</article>'
    (tmp_path / "x.html").write_text(text, encoding="utf-8")
    browser.open(tmp_path / "x.html")
    assert len(browser.run(SCROLLERS)) == 1
    assert any(found.startswith("image-alt: ") for found in browser.violations(axe))


def test_pictures_and_frames_follow_the_theme_button(browser: Any, address: str) -> None:
    browser.screen(1400, 1000)
    browser.driver.get(address + "reference/gallery.html")
    shown = {}
    for _ in range(3):
        browser.run("document.querySelector('.theme-toggle').click()")
        theme = browser.run("return document.body.dataset.theme")
        shown[theme] = browser.driver.find_element("css selector", "article img").screenshot_as_png
    assert set(shown) == {"light", "dark", "auto"}
    assert shown["light"] != shown["dark"]
    assert shown["auto"] in (shown["light"], shown["dark"])


def test_formulas_have_their_font(browser: Any, address: str) -> None:
    browser.driver.get(address + FORMULAS)
    faces = browser.driver.execute_async_script(
        "document.fonts.ready.then(() => arguments[0]([...document.fonts].map(f => [f.family, f.status])))"
    )
    assert ["STIX Two Math", "loaded"] in [[family.strip('"'), status] for family, status in faces]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("layer norm", "functional.layer_norm"),
        ("LayerNorm", "nn.LayerNorm"),
        ("batch norm", "functional.batch_norm"),
        ("softmax", "functional.softmax"),
        ("gradcheck", "gradcheck"),
    ],
)
def test_search_leads_to_the_api_first(browser: Any, address: str, typed: str, found: str) -> None:
    browser.driver.get(f"{address}search.html?q={typed.replace(' ', '+')}")
    link = browser.driver.execute_async_script(SEARCHED)
    assert link.startswith("reference/api/")
    assert link.endswith(f"#tinygrad_norm.{found}")


def test_other_sites_can_link_to_the_api(docs: Path) -> None:
    inventory = pytest.importorskip("sphinx.util.inventory").InventoryFile
    with (SITE / "objects.inv").open("rb") as file:
        entry = inventory.load(file, "", os.path.join)["py:function"]["tinygrad_norm.functional.layer_norm"]
    page, _, anchor = entry.uri.partition("#")
    assert f'id="{anchor}"' in (SITE / page).read_text(encoding="utf-8")


def test_the_list_for_programs_names_every_page() -> None:
    listed = re.findall(r"^- \[.+\]\((.+)\): \S", (SITE / "llms.txt").read_text(encoding="utf-8"), re.MULTILINE)
    others = ("index.html", "search.html", "genindex.html", "py-modindex.html")
    assert sorted(listed) == [p for p in PAGES if p not in others]
