"""The colors, in light and dark: the Okabe–Ito set, told apart by words, borders and dashes as well.

Every color of the light palette has a partner in the dark one, so a light picture turns dark by a style sheet that
replaces one by the other; the contrast of text is 4.5 or more in both.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal, TypeAlias

from .graph_view import NodeView

Theme: TypeAlias = Literal["auto", "light", "dark"]

COLORED_AS = {"leaf": "input", "failure": "wrong"}


@dataclass(frozen=True)
class Palette:
    """The colors by their use. ``label`` is the text on the Okabe–Ito colors, which stay as they are in the dark."""

    canvas: str = "#ffffff"
    card: str = "#fefefe"
    ink: str = "#121212"
    label: str = "#111111"
    quiet: str = "#595959"
    line: str = "#4d4d4d"
    frame: str = "#8c8c8c"
    group: str = "#f4f4f4"
    inner_group: str = "#ebebeb"
    backward: str = "#0072b2"
    pad: str = "#d9d9d9"
    input: str = "#56b4e9"
    parameter: str = "#e69f00"
    constant: str = "#bdbdbd"
    operation: str = "#f0e442"
    output: str = "#009e73"
    module: str = "#cc79a7"
    wrong: str = "#d55e00"

    def of_role(self, role: str) -> str:
        """Return the color of a role of the legend."""
        color: str = getattr(self, COLORED_AS.get(role, role))
        return color

    def head(self, node: NodeView) -> str:
        """Return the color of a node's head."""
        return self.wrong if node.wrong else self.of_role(node.drawn_as)


LIGHT = Palette()
DARK = Palette(
    canvas="#14161a",
    card="#1f2329",
    ink="#ededed",
    quiet="#b3b3b3",
    line="#c4c4c4",
    frame="#8a8f98",
    group="#191c21",
    inner_group="#1c2025",
    backward="#6cc0f0",
    pad="#3c424b",
)

ROLES: dict[str, str] = {
    "input": "input: an argument",
    "leaf": "leaf: a tensor with a gradient of its own",
    "parameter": "parameter: a tensor that is learned",
    "constant": "constant: no gradient needed",
    "operation": "operation",
    "output": "output: nothing uses it",
    "module": "folded module",
    "failure": "raised an error",
}
"""What the legend says of each role that occurs."""


def palette(theme: Theme) -> Palette:
    """Return the colors that a picture is drawn in; ``auto`` is drawn light, and a style sheet turns it dark."""
    return DARK if theme == "dark" else LIGHT


def replacements() -> list[tuple[str, str]]:
    """Return each light color that the dark palette replaces, with its partner."""
    pairs = [(getattr(LIGHT, f.name), getattr(DARK, f.name)) for f in fields(Palette)]
    return [(light, dark) for light, dark in pairs if light != dark]


def dark_rules(scope: str) -> str:
    """Return the style sheet that turns a light picture below ``scope`` dark.

    >>> dark_rules("svg.g").splitlines()[0]
    'svg.g [fill="#ffffff"]{fill:#14161a}svg.g [stroke="#ffffff"]{stroke:#14161a}'
    """
    return "\n".join(
        f'{scope} [fill="{light}"]{{fill:{dark}}}{scope} [stroke="{light}"]{{stroke:{dark}}}'
        for light, dark in replacements()
    )
