"""Files are written as a whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path


def write(path: Path, content: str) -> None:
    """Write a text to a file beside its place, then move it there."""
    part = path.with_name(path.name + ".part")
    try:
        part.write_text(content, encoding="utf-8")
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
