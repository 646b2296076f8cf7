from __future__ import annotations

from typing import Any

import pytest

from tinygrad_norm.errors import InputError
from tinygrad_norm.lessons.lecture.notes import VARIANTS
from tinygrad_norm.lessons.lecture.settings import Settings


def test_defaults_are_those_of_the_notes() -> None:
    settings = Settings()
    assert (settings.ddof, settings.table_eps, settings.layer_eps) == (0, 0.0, 1e-5)
    assert settings.divisor == "n"
    assert settings.batch is VARIANTS["attention-page"]


def test_one_eps_is_used_everywhere() -> None:
    settings = Settings(eps=0.25, ddof=1)
    assert settings.table_eps == settings.layer_eps == 0.25
    assert settings.divisor == "n − 1"
    assert Settings(eps=0.0).layer_eps == 0.0


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"variant": "x"}, "the variant must be a page of the notes; got 'x'. Choose one of: attention-page,"),
        ({"ddof": 2}, "ddof must be 0 .* or 1 .*; got 2"),
        ({"ddof": -1}, "ddof must be 0 .* or 1 .*; got -1"),
        ({"eps": -1e-9}, "eps must be a finite number of at least 0; got -1e-09"),
        ({"eps": float("nan")}, "got nan"),
        ({"eps": float("inf")}, "got inf"),
    ],
)
def test_bad_choices(choice: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Settings(**choice)
