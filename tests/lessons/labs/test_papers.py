from __future__ import annotations

from tinygrad_norm.lessons.labs.papers import BA, BJORCK, IOFFE_SZEGEDY, Paper


def test_two_names_are_both_cited() -> None:
    assert IOFFE_SZEGEDY.short == "Ioffe & Szegedy 2015"
    assert BJORCK.short == "Bjorck et al. 2018"


def test_the_full_source_has_title_and_venue() -> None:
    assert BA.full == "Ba, Kiros & Hinton 2016, “Layer Normalization”, arXiv 1607.06450"
    assert Paper("One", 1999, "Alone", "Journal").full == "One 1999, “Alone”, Journal"
