from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_norm.viz.plain_text import shortened, visible


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("encoder.weight", "encoder.weight"),
        ("x̂ = γ · 名前 שלום", "x̂ = γ · 名前 שלום"),
        ("a\nb\tc\0", "a\\u{a}b\\u{9}c\\u{0}"),
        ("\u202e\u2066\ud800\ue000", "\\u{202e}\\u{2066}\\u{d800}\\u{e000}"),
        ("a\u00a0b", "a b"),
    ],
)
def test_what_cannot_be_seen_is_written_out(given: str, shown: str) -> None:
    assert visible(given) == shown


@given(st.text())
def test_nothing_invisible_is_left(text: str) -> None:
    shown = visible(text)
    assert not any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") for c in shown)
    shown.encode("utf-8")


def test_shortening_keeps_the_end() -> None:
    assert shortened("abc", 3) == "abc"
    assert shortened("abcd", 3) == "…cd"
