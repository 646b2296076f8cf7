r"""What may be shown of text that others wrote: names, labels and messages are untrusted.

Control characters, lone surrogates and marks that change the reading direction are written out as ``\u{202e}``, so
that no name can end a label, hide a part of it or turn it round. Letters of every script stay as they are.
"""

from __future__ import annotations

import unicodedata

INVISIBLE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def visible(text: str) -> str:
    r"""Return text with every character visible.

    >>> visible("a\nb\u202ec"), visible("שלום x̂")
    ('a\\u{a}b\\u{202e}c', 'שלום x̂')
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        f"\\u{{{ord(c):x}}}" if unicodedata.category(c) in INVISIBLE else c for c in text.replace("\u00a0", " ")
    )


def shortened(text: str, most: int) -> str:
    """Return text of at most so many characters, its end kept: that is where two paths differ.

    >>> shortened("encoder.layers.0.attention", 16)
    '…ers.0.attention'
    """
    return text if len(text) <= most else "…" + text[-(most - 1) :]
