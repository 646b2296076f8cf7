"""Write formulas as MathML, which browsers show by themselves: no script and no network is needed.

A font with the shapes and measures of formulas comes from npm, ``npm install @fontsource/stix-two-math@5``, in the
folder that ``NODE_MODULES`` names or ``.npm/node_modules``. Where it is missing, the reader's own fonts stand in;
where ``CI`` is set, it must be there.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from docutils.utils.math import MathError, latex2mathml
from sphinx.util import logging

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.writers.html5 import HTML5Translator


FONT = "@fontsource/stix-two-math"
FONT_FILES = {
    "files/stix-two-math-latin-400-normal.woff2": "stix-two-math.woff2",
    "LICENSE": "stix-two-math-license.txt",
}
LOG = logging.getLogger(__name__)


def written(node: nodes.Element, as_block: bool) -> str:
    """Return a formula as MathML; warn, and give its source as code, where it uses a command that is not known."""
    try:
        return str(latex2mathml.tex2mathml(node.astext(), as_block=as_block))
    except MathError as error:
        LOG.warning("formula: %s", error, location=node, type="math")
        return f"<code>{node.astext()}</code>"


def inline(self: HTML5Translator, node: nodes.math) -> None:
    """Write a formula within a line."""
    self.body.append(written(node, as_block=False))
    raise nodes.SkipNode


def block(self: HTML5Translator, node: nodes.math_block) -> None:
    """Write a formula on a line of its own, in a box that scrolls where it is too wide."""
    self.body.append(f'<div class="math-block">{written(node, as_block=True)}</div>\n')
    raise nodes.SkipNode


def copy_font(app: Sphinx) -> None:
    """Put the font where site.css looks for it, with its license."""
    modules = Path(os.environ.get("NODE_MODULES") or Path(app.confdir).parent / ".npm" / "node_modules")
    if app.builder.format != "html":
        return
    if not (modules / FONT).is_dir():
        tell = LOG.warning if os.environ.get("CI") else LOG.info
        tell("formulas: no font for them in %s: npm install %s@5", modules, FONT)
        return
    folder = Path(app.outdir) / "_static"
    folder.mkdir(parents=True, exist_ok=True)
    for source, name in FONT_FILES.items():
        shutil.copyfile(modules / FONT / source, folder / name)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the renderer and choose it."""
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    app.config["html_math_renderer"] = "mathml"
    app.connect("builder-inited", copy_font)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
