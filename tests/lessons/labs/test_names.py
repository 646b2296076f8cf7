from __future__ import annotations

from collections import Counter

import numpy as np

from tinygrad_norm.lessons.labs.names import ALL_NAMES, loss_of_the_rule, make_names


def test_every_name_is_made_in_one_way() -> None:
    assert len(set(ALL_NAMES)) == len(ALL_NAMES) == 20 * 13 * 16
    assert all(name.isascii() and name.islower() and 3 <= len(name) <= 9 for name in ALL_NAMES)


def test_names_are_different_and_follow_the_seed() -> None:
    names = make_names(500, seed=3)
    assert len(set(names)) == 500
    assert set(names) <= set(ALL_NAMES)
    assert names == make_names(500, seed=3)
    assert names != make_names(500, seed=4)
    assert sorted(make_names(10**6)) == sorted(ALL_NAMES)


def test_the_loss_of_the_rule_is_that_of_equal_chances() -> None:
    """Letter by letter: the chance of a letter is the share of the names that go on with it."""
    begun = Counter((name + ".")[:end] for name in ALL_NAMES for end in range(len(name) + 2))
    surprise = sum(count * np.log(begun[start[:-1]] / count) for start, count in begun.items() if start)
    asked = sum(count for start, count in begun.items() if start)
    assert abs(surprise / asked - loss_of_the_rule()) < 1e-12
