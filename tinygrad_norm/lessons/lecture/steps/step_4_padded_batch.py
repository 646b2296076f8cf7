"""Step 4: sentences of unequal length, made equal with pads."""

from __future__ import annotations

from ....engine.tensor import Tensor
from ...document.lesson import PAD, Fact, Fold, Paragraph, Plain, Row, Step, Table
from ..notes import BATCH_SIZE, REVIEWS
from ..settings import Settings
from ..tensor_tables import token_table


def padded_batch_step(settings: Settings) -> Step:
    """Return step 4."""
    batches = [REVIEWS[i : i + BATCH_SIZE] for i in range(0, len(REVIEWS), BATCH_SIZE)]
    first, *rest = (_batch(number, [words for words, _ in batch]) for number, batch in enumerate(batches, start=1))
    others = [block for blocks in rest for block in blocks]
    return Step(
        4,
        "Why not batch norm in a Transformer: padding",
        (
            Paragraph(
                "A Transformer reads sentences, and sentences differ in length. A batch is one array, "
                "so the shorter ones are filled up with pads."
            ),
            *first,
            Fold("All reviews, both batches, and the embeddings", (_reviews(), *others, *_embeddings(settings))),
        ),
        take_away=(
            "A batch is one array, so short sentences are filled up with pads.",
            "To a layer that is not told, a pad is a position like any other.",
        ),
    )


def _reviews() -> Table:
    return Table(
        "reviews",
        "The reviews of the notes",
        ("review", "words", "sentiment"),
        tuple(
            Row(f"r{number}", (" ".join(words), len(words), sentiment))
            for number, (words, sentiment) in enumerate(REVIEWS, start=1)
        ),
    )


def _embeddings(settings: Settings) -> tuple[Plain, ...]:
    return (
        Paragraph(
            "Each word of the first batch has an embedding of three numbers, a pad has zeros. From "
            f"here on the batch is the one that the notes write on {settings.batch.page}."
        ),
        token_table(
            "embeddings",
            "Embeddings of batch 1",
            settings.batch.tokens,
            Tensor([token.embedding for token in settings.batch.tokens]),
            formats="",
        ),
    )


def _batch(number: int, sentences: list[tuple[str, ...]]) -> tuple[Plain, ...]:
    longest = max(map(len, sentences))
    first = (number - 1) * BATCH_SIZE + 1
    filled = ((*words, *[PAD] * (longest - len(words))) for words in sentences)
    positions = longest * len(sentences)
    real = sum(map(len, sentences))
    return (
        Table(
            f"batch_{number}",
            f"Batch {number}, filled up to {longest} words",
            tuple(f"word {i + 1}" for i in range(longest)),
            tuple(Row(f"r{i}", cells) for i, cells in enumerate(filled, start=first)),
        ),
        Fact(
            f"batch_{number}_share",
            "{real} of {positions} positions are words, {pads} are pads: π = {share:.4g}.",
            {"real": real, "positions": positions, "pads": positions - real, "share": (positions - real) / positions},
        ),
    )
