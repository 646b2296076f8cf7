from __future__ import annotations

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm.lessons.labs import reviews as r
from tinygrad_norm.lessons.labs.reviews import Review, in_batches, make_reviews, padded
from tinygrad_norm.lessons.lecture import notes


def sentiment_by_the_rule(words: tuple[str, ...]) -> int:
    """The rule, written down a second time: the last adjective, turned round by a negation in its clause."""
    last = max(i for i, word in enumerate(words) if word in (*r.POSITIVE, *r.NEGATIVE))
    start = max((i for i, word in enumerate(words[:last]) if word in r.JOINTS), default=-1)
    negated = any(word in r.NEGATIONS for word in words[start + 1 : last])
    return int((words[last] in r.POSITIVE) != negated)


def test_labels_follow_the_rule() -> None:
    for review in make_reviews(2000, 0):
        assert review.sentiment == sentiment_by_the_rule(review.words), review


def test_reviews_differ_are_balanced_and_fit() -> None:
    made = make_reviews(2000, 0)
    assert len({review.words for review in made}) == 2000
    assert sum(review.sentiment for review in made) == 1000
    assert max(len(review.words) for review in made) <= r.LONGEST
    assert len({len(review.words) for review in made}) > 10


def test_the_longest_review_of_all_is_known() -> None:
    """Greeting, two clauses with everything, a joint, an ending."""
    groups = (r.GREETINGS, r.SUBJECTS, r.SUBJECTS, r.ENDINGS)
    assert sum(max(map(len, group)) for group in groups) + 2 * 4 + 1 == r.LONGEST


def test_a_seed_decides_the_reviews() -> None:
    assert make_reviews(50, 3) == make_reviews(50, 3)
    assert make_reviews(50, 3) != make_reviews(50, 4)
    assert make_reviews(50, 3) == make_reviews(60, 3)[:50]


def test_the_lecture_s_words_are_known() -> None:
    for words, _ in notes.REVIEWS:
        assert set(words) <= set(r.VOCABULARY)
    assert r.IDS[r.PAD] == 0


@pytest.mark.parametrize("count", [0, 100_001])
def test_the_number_of_reviews_is_limited(count: int) -> None:
    with pytest.raises(tg.InputError, match=r"must lie in \[1, 100000\]; got"):
        make_reviews(count, 0)


def test_pads_fill_up_to_the_longest_and_further() -> None:
    batch = padded([Review(("Hi", "Nitish"), 1), Review(("You?",), 0)], extra=1)
    assert batch.pads.tolist() == [[False, False, True], [False, True, True]]
    assert [[r.VOCABULARY[i] for i in row] for row in batch.ids] == [["Hi", "Nitish", r.PAD], ["You?", r.PAD, r.PAD]]
    assert batch.labels.tolist() == [1, 0]
    assert batch.padded_share == 0.5


def test_every_review_comes_once_an_epoch_in_a_random_order() -> None:
    made = make_reviews(50, 0)
    plain = [label for batch in in_batches(made, 8) for label in batch.labels]
    assert plain == [review.sentiment for review in made]
    shuffled = in_batches(made, 8, np.random.default_rng(0))
    seen = [tuple(row[~pads]) for batch in shuffled for row, pads in zip(batch.ids, batch.pads, strict=True)]
    expected = [tuple(r.IDS[word] for word in review.words) for review in made]
    assert seen != expected
    assert sorted(seen) == sorted(expected)


def test_a_rest_of_one_review_is_left_out() -> None:
    made = make_reviews(9, 0)
    assert [len(b.labels) for b in in_batches(made, 4)] == [4, 4]
    assert [len(b.labels) for b in in_batches(made[:1], 4)] == [1]
