"""Contrast is measured, and every light color has its dark partner."""

from __future__ import annotations

from dataclasses import fields

import pytest

from tinygrad_norm.viz.graph_view import NodeView
from tinygrad_norm.viz.theme import DARK, LIGHT, Palette, dark_rules, palette, replacements

HEADS = ("input", "parameter", "constant", "operation", "output", "module", "wrong")


def luminance(color: str) -> float:
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    """WCAG's ratio of the lighter to the darker color."""
    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("colors", [LIGHT, DARK], ids=["light", "dark"])
def test_text_can_be_read(colors: Palette) -> None:
    assert all(contrast(colors.label, getattr(colors, head)) >= 4.8 for head in HEADS)
    for ground in (colors.canvas, colors.card, colors.group, colors.inner_group):
        assert contrast(colors.ink, ground) >= 7
        assert contrast(colors.quiet, ground) >= 4.5
        assert contrast(colors.backward, ground) >= 4.3
    for text in (colors.ink, colors.quiet):
        assert contrast(text, colors.pad) >= 4.5


@pytest.mark.parametrize("colors", [LIGHT, DARK], ids=["light", "dark"])
def test_lines_can_be_seen(colors: Palette) -> None:
    assert contrast(colors.line, colors.group) >= 4.5
    assert contrast(colors.frame, colors.canvas) >= 3


def test_a_color_has_one_meaning_so_that_it_can_be_replaced() -> None:
    """The dark style sheet replaces colors by value: two uses of one light color would share their dark one."""
    used = [getattr(LIGHT, f.name) for f in fields(Palette)]
    changed = [light for light, _ in replacements()]
    assert len(changed) == len(set(changed))
    assert all(used.count(color) == 1 for color in changed)
    assert all(color == color.lower() and len(color) == 7 for color in used)


def test_the_dark_style_sheet_names_every_pair() -> None:
    rules = dark_rules("svg")
    for light, dark in replacements():
        assert f'svg [fill="{light}"]{{fill:{dark}}}' in rules
        assert f'svg [stroke="{light}"]{{stroke:{dark}}}' in rules


def test_auto_is_drawn_light() -> None:
    assert palette("auto") is palette("light") is LIGHT
    assert palette("dark") is DARK


def test_heads() -> None:
    assert LIGHT.head(NodeView("n", "operation", "n", output=True)) == LIGHT.output
    assert LIGHT.head(NodeView("n", "operation", "n")) == LIGHT.operation
    assert LIGHT.head(NodeView("n", "leaf", "n")) == LIGHT.input
    assert LIGHT.head(NodeView("n", "input", "n", output=True)) == LIGHT.input
    assert LIGHT.head(NodeView("n", "failure", "n")) == LIGHT.wrong
    assert LIGHT.head(NodeView("n", "module", "n", wrong=True)) == LIGHT.wrong
