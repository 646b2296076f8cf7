"""What a package index shows: the README, whose links lead into the owner's repository, if it has an address.

The address stands in one place, ``[tool.hatch.metadata.hooks.custom]`` of ``pyproject.toml``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

RELATIVE_PICTURE = re.compile(r"!\[(?P<text>[^\]]*)\]\((?!https?:)(?P<path>[^)#]+)\)")
RELATIVE_LINK = re.compile(r"(?<!!)\[(?P<text>[^\]]*)\]\((?!https?:|#)(?P<path>[^)]+)\)")


def page(readme: str, address: str) -> str:
    """Return ``readme`` with its relative links and pictures made absolute, or reduced to their text."""
    if not address:
        return RELATIVE_LINK.sub(r"\g<text>", RELATIVE_PICTURE.sub(r"*\g<text>*", readme))
    pictured = RELATIVE_PICTURE.sub(rf"![\g<text>]({address}/raw/main/\g<path>)", readme)
    return RELATIVE_LINK.sub(rf"[\g<text>]({address}/blob/main/\g<path>)", pictured)


class PackagePage(MetadataHookInterface):
    """Fill in the long description and the project's URLs."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set ``readme`` and ``urls`` from the README and the one address."""
        address = self.config["address"].rstrip("/")
        readme = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": page(readme, address)}
        if address:
            changes = f"{address}/blob/main/docs/changelog.md"
            metadata["urls"] = {"Repository": address, "Issues": f"{address}/issues", "Changelog": changes}
            if self.config["site"]:
                metadata["urls"]["Documentation"] = self.config["site"]
