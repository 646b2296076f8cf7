"""Report what is installed: renderers, versions, fonts, optional packages."""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
from importlib import metadata
from typing import Any

from ..terminal.table import aligned
from ..viz.render import Renderer, RendererError, find_renderers, render

NEEDED = ("numpy", "graphviz", "graphviz-pure")
OPTIONAL = {
    "matplotlib": "plots of the labs",
    "scikit-learn": "the bundled digits of the labs",
    "tqdm": "progress bars",
    "safetensors": "weights in .safetensors files",
    "pytest": "the gradient check as a fixture",
    "hypothesis": "the project's own tests",
    "selenium": "the project's own browser tests",
}
FONTS = ("Helvetica", "Courier")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the subcommand's arguments."""
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def run(args: argparse.Namespace) -> int:
    """Look, try, print; the exit code is 1 if no picture can be drawn."""
    found = report()
    print(json.dumps(found, ensure_ascii=False) if args.json else report_text(found))
    return 0 if found["drawing"] == "works" else 1


def report() -> dict[str, Any]:
    """Return everything that was found."""
    try:
        renderers = [renderer_report(r) for r in find_renderers()]
        complaint = ""
    except RendererError as error:
        renderers, complaint = [], str(error)
    try:
        render("digraph { a -> b }", "svg")
        drawing = "works"
    except RendererError as error:
        drawing = str(error)
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "packages": {name: version(name) for name in ("tinygrad-norm", *NEEDED)},
        "optional": {name: version(name) for name in OPTIONAL},
        "renderers": renderers,
        "problem": complaint or None,
        # What stands in for a font on this machine, as far as fontconfig knows.
        "fonts": {name: output_of(["fc-match", name]) for name in FONTS},
        "drawing": drawing,
    }


def version(package: str) -> str | None:
    """Return the version of an installed package, None where it is missing."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def renderer_report(renderer: Renderer) -> dict[str, Any]:
    """Return a renderer's path, where it was found and what it says of itself."""
    version, formats = output_of([renderer.path, "-V"]), "svg png" + " pdf" * renderer.pdf
    return {"path": renderer.path, "found": renderer.found, "version": version, "formats": formats}


def output_of(command: list[str]) -> str | None:
    """Return the first line that a command prints, None where it cannot be run."""
    try:
        done = subprocess.run(command, capture_output=True, timeout=10, check=False, text=True, encoding="utf-8")
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = (done.stdout or done.stderr).strip().splitlines()
    return lines[0] if lines else None


def report_text(found: dict[str, Any]) -> str:
    """Return the report for a reader."""
    values = {name: version or "MISSING" for name, version in found["packages"].items()}
    values |= {name: file or "unknown: no fc-match here" for name, file in found["fonts"].items()}
    values |= {name: f"{version or 'not installed'} ({OPTIONAL[name]})" for name, version in found["optional"].items()}
    line = dict(zip(values, aligned([*values.items()], "l"), strict=True))
    renderers = [
        f"{r['path']}: {r['version'] or 'does not say its version'} ({r['found']}; {r['formats']})"
        for r in found["renderers"]
    ]
    sections = {
        "Packages": [line[name] for name in found["packages"]],
        "Renderers, the first is used": renderers or [f"none{': ' + found['problem'] if found['problem'] else ''}"],
        "Fonts": [line[name] for name in found["fonts"]],
        "Optional": [line[name] for name in found["optional"]],
    }
    blocks = [f"Python {found['python']} on {found['system']}, {sys.executable}"]
    blocks += ["\n  ".join([heading, *lines]) for heading, lines in sections.items()]
    return "\n\n".join([*blocks, f"Drawing: {found['drawing']}"])
