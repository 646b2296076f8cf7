"""Reviews in the manner of the lecture's, made by a small grammar, with a sentiment that follows a rule.

A review is one or two clauses, perhaps after a greeting ("Hi Nitish") and before an ending ("How are you today"). A
clause such as "I am not very good" is positive or negative: its adjective decides, and "not" or "never" turns it round.
Clauses joined by "and" agree; joined by "but" they differ. **The last clause decides.** So a reader must find the last
clause, its adjective and what stands before it, among words that say nothing.

The labels follow this rule and not the notes, in which "I am good" counts as 0. :func:`padded` and :func:`in_batches`
make rectangles of ids of reviews that differ in length.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from ...engine.details.array import Array
from ...errors import InputError
from .evaluation import Examples, rows_in_batches

T = TypeVar("T")


def _phrases(texts: str) -> tuple[tuple[str, ...], ...]:
    """Return phrases, which stand between bars, each as its words."""
    return tuple(tuple(text.split()) for text in texts.split("|"))


PAD = "<pad>"
GREETINGS = _phrases("Hi | Hello | Hi Nitish | Hello Nitish | Good day | Dear friend")
ENDINGS = _phrases("How are you | How are you today | You? | And you? | See you")
SUBJECTS = _phrases("I am | you are | we were | it was | the lecture was | the notes are | my friend is | the day was")
NEGATIONS = ("not", "never")
DEGREES = ("very", "so", "really", "quite")
POSITIVE = ("good", "great", "clear", "happy", "fine", "kind")
NEGATIVE = ("bad", "sad", "dull", "tired", "poor", "rude")
TIMES = ("today", "yesterday", "again")
JOINTS = ("and", "but")

_IN_PHRASES = [word for phrase in (*GREETINGS, *ENDINGS, *SUBJECTS) for word in phrase]
VOCABULARY: tuple[str, ...] = tuple(
    dict.fromkeys([PAD, *_IN_PHRASES, *NEGATIONS, *DEGREES, *POSITIVE, *NEGATIVE, *TIMES, *JOINTS])
)
"""All words, the pad first: a word's id is its place."""
IDS = {word: i for i, word in enumerate(VOCABULARY)}
LONGEST = 21
"""Words of the longest review that the grammar can make."""


@dataclass(frozen=True)
class Review:
    """A sentence as words, and its sentiment: 1 positive, 0 negative."""

    words: tuple[str, ...]
    sentiment: int


def make_reviews(count: int, seed: int) -> tuple[Review, ...]:
    """Return this many different reviews, half of them positive; the same for the same seed.

    >>> from tinygrad_norm.lessons.labs.reviews import make_reviews
    >>> for review in make_reviews(3, seed=0):
    ...     print(review.sentiment, *review.words)
    0 I am not fine and the notes are tired How are you today
    1 Dear friend I am never bad How are you today
    0 Hi the notes are so rude
    """
    if not 1 <= count <= 100_000:
        raise InputError(f"the number of reviews must lie in [1, 100000]; got {count}. The grammar makes no more.")
    rng = np.random.default_rng(seed)
    made: dict[tuple[str, ...], Review] = {}
    while len(made) < count:
        sentiment = len(made) % 2
        words = sentence(rng, sentiment)
        made.setdefault(words, Review(words, sentiment))
    return tuple(made.values())


def sentence(rng: np.random.Generator, sentiment: int) -> tuple[str, ...]:
    """Return a review's words."""
    words: list[str] = []
    if rng.random() < 0.5:
        words += pick(rng, GREETINGS)
    if rng.random() < 0.6:
        joint = pick(rng, JOINTS)
        words += [*clause(rng, sentiment if joint == "and" else 1 - sentiment), joint]
    words += clause(rng, sentiment)
    if rng.random() < 0.4:
        words += pick(rng, ENDINGS)
    return tuple(words)


def clause(rng: np.random.Generator, sentiment: int) -> list[str]:
    """Return a clause of this sentiment."""
    negated = rng.random() < 0.4
    words = list(pick(rng, SUBJECTS))
    if negated:
        words.append(pick(rng, NEGATIONS))
    if rng.random() < 0.4:
        words.append(pick(rng, DEGREES))
    words.append(pick(rng, POSITIVE if sentiment != negated else NEGATIVE))
    if rng.random() < 0.3:
        words.append(pick(rng, TIMES))
    return words


def pick(rng: np.random.Generator, choices: tuple[T, ...]) -> T:
    """Return one of the choices."""
    return choices[int(rng.integers(len(choices)))]


@dataclass(frozen=True)
class Batch:
    """Ids (review, position), where the pads are, and the sentiments (review)."""

    ids: Array
    pads: Array
    labels: Array

    @property
    def padded_share(self) -> float:
        """The share of positions that are pads, π in the lecture."""
        return float(self.pads.mean())

    def as_examples(self) -> Examples:
        """Return it as what a classifier takes and should find."""
        return Examples((self.ids, self.pads), self.labels)


def padded(reviews: Sequence[Review], extra: int = 0) -> Batch:
    """Return reviews as one batch, padded to the longest and by ``extra`` more.

    >>> padded([Review(("Hi", "Nitish"), 1), Review(("How", "are", "you", "today"), 0)]).pads.astype(int)
    array([[0, 0, 1, 1],
           [0, 0, 0, 0]])
    """
    length = max(len(review.words) for review in reviews) + extra
    ids = np.zeros((len(reviews), length), np.intp)
    pads = np.ones((len(reviews), length), bool)
    for i, review in enumerate(reviews):
        ids[i, : len(review.words)] = [IDS[word] for word in review.words]
        pads[i, : len(review.words)] = False
    return Batch(ids, pads, np.array([review.sentiment for review in reviews]))


def in_batches(reviews: Sequence[Review], size: int, rng: np.random.Generator | None = None) -> Iterator[Batch]:
    """Yield all reviews in batches (see :func:`.evaluation.rows_in_batches`)."""
    for rows in rows_in_batches(len(reviews), size, rng):
        yield padded([reviews[i] for i in rows])


def epochs_of(reviews: Sequence[Review], size: int) -> tuple[Callable[[np.random.Generator], Iterator[Examples]], int]:
    """Return what gives the batches of an epoch, in the order of a generator, and how many there are."""

    def epoch(rng: np.random.Generator) -> Iterator[Examples]:
        return (batch.as_examples() for batch in in_batches(reviews, size, rng))

    return epoch, len(list(in_batches(reviews, size)))
