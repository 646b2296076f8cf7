"""Every line of the handwritten notes, page by page, and the place in the lecture that treats it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tinygrad_norm.lessons.lecture.notes import SAYS, VARIANTS

StepsOf = Callable[..., dict[str, Any]]

# A line as the notes have it (spelled as the lecture spells), the step, and where in it; after @ the page of a table.
NOTES = """
To transform data or outputs to have a mean of zero and a (variable) variance of one | 1 | facts.check
What do we normalize? | 1 | text
Improved training stability: fewer extreme values that make gradients explode or vanish | 3 | claims.stability
Faster convergence: the gradients have more consistent magnitudes | 3 | claims.convergence
Mitigating internal covariate shift | 3 | claims.covariate_shift
Regularization effect: noise through the mini-batches | 3 | claims.regularization
Batch norm (revision) | 2 | title
z₁ = 2w₁ + 3w₂ + b₁ = 7 | 2 | text
z₂ = 2w₃ + 3w₄ + b₂ = 5 | 2 | text
z₃ = 2w₅ + 3w₆ + b₃ = 4 | 2 | text
z₁ = 1w₁ + 1w₂ + b₁ = 2 | 2 | text
z₂ = 1w₃ + 1w₄ + b₂ = 3 | 2 | text
z₃ = 1w₅ + 1w₆ + b₃ = 4 | 2 | text
we have to normalize z₁, z₂, z₃ | 2 | tables.normalized
f₁ f₂ z₁ z₂ z₃: 2 3 7 5 4 | 2 | tables.table
f₁ f₂ z₁ z₂ z₃: 1 1 2 3 4 | 2 | tables.table
f₁ f₂ z₁ z₂ z₃: 5 4 1 2 3 | 2 | tables.table
f₁ f₂ z₁ z₂ z₃: 6 1 7 5 6 | 2 | tables.table
f₁ f₂ z₁ z₂ z₃: 7 1 3 3 4 | 2 | tables.table
z₁ → μ₁, z₂ → μ₂, z₃ → μ₃ | 2 | tables.statistics
(7 − μ₁)/σ₁ = 0.36 | 2 | claims.first_value
0.36 γ₁ + β₁ = 0.36 | 2 | claims.default_scale
(1) ← γ, β → (0), default | 2 | facts.default
(5 − μ₂)/σ₂ = −0.21 | 2 | claims.second_value
−0.21 γ₁ + β₂ = −0.21 | 2 | claims.scale_index
(4 − μ₃)/σ₃ = 0.12 | 2 | claims.third_value
0.12 γ₃ + β₃ = 5 | 2 | claims.identity_scale
(2 − μ₁)/σ₁ = 0.71 γ₁ + β₁ = 0.71 | 2 | claims.second_row_value
Why don't we use batch norm in Transformers? | 4 | title
Batch normalization is not good work with self attention | 6 | claims.self_attention
Batch normalization is not good with sequential data | 6 | claims.sequential_data
r1 Hi Nitish, 1 | 4 | tables.reviews
r2 How are you today, 0 | 4 | tables.reviews
r3 I am good, 0 | 4 | tables.reviews
r4 You?, 1 | 4 | tables.reviews
Embedding dimension = three | 4 | tables.embeddings
Batch size = 2: two rows at once | 4 | tables.batch_1
first row 2 embeddings, second row 4 embeddings | 4 | tables.reviews
Hi Nitish pad pad | 4 | tables.batch_1
How are you today | 4 | tables.batch_1
Hi 0.2 0.45 0.71 | 4 | tables.embeddings
Nitish 0.4 0.3 0.8 | 4 | tables.embeddings
pad 0 0 0 | 4 | tables.embeddings
How 0.3 0.5 0.34 | 4 | tables.embeddings
are 0.1 0.0 0.25 | 4 | tables.embeddings
You 0.33 0.56 0.9 | 4 | tables.embeddings
today 0.11 0.4 0.54 | 4 | tables.embeddings
→ self-attention | 5 | title
Hi becomes 6.5 … | 5 | claims.outputs_are_given
pad 0 0 0 stays 0 0 0 | 5 | claims.pad_stays_zero
Hi 6.5 2.41 3.21 | 5 | tables.given_outputs
Nitish 2.21 0.4 3.6 | 5 | tables.given_outputs
pad 0 0 0 | 5 | tables.given_outputs
How 7.5 9.2 1.5 | 5 | tables.given_outputs
are 2.2 1.1 6.7 | 5 | tables.given_outputs
You 2.9 6 9 | 5 | tables.given_outputs
today 9.9 2.3 6.5 | 5 | tables.given_outputs
Nitish 0.21 0.3 0.8 | 4 | tables.embeddings @ batch-norm-page
How 0.1 0.5 0.34 | 4 | tables.embeddings @ batch-norm-page
Hi 6.5 2.41 3.21 | 5 | tables.given_outputs @ batch-norm-page
μ₁ σ₁ μ₂ σ₂ μ₃ σ₃, γ₁ β₁ γ₂ β₂ γ₃ β₃ | 6 | tables.statistics @ batch-norm-page
32 → batch | 7 | text
Most of the sentences = 32 words | 7 | text
Largest sentence = 100 words | 7 | text
To match the number of words we use padding | 7 | facts.share
After padding, mean and std are not true, because maximum zeros are present | 6 | claims.statistics_not_true
We can not use batch norm | 6 | claims.cannot_use
(7 − μ₁)/σ₁ = 0.3 γ₁ + β₁ | 8 | claims.row_value
((5 − μ₁)/σ₁) γ₂ + β₂ | 8 | claims.row_statistics
across features, across batch | 8 | title
each row: μ₁ → σ₁, μ₂ → σ₂, μ₃ → σ₃, μ₄ → σ₄, μ₅ → σ₅ | 8 | tables.normalized
Hi 6.5 2.41 3.21 | 5 | tables.given_outputs @ layer-norm-page
are 0.1 0 0.35 | 4 | tables.embeddings @ layer-norm-page
Nitish 0.21 0.3 0.8 | 4 | tables.embeddings @ layer-norm-page
Hi 6.5 2.4 2.2 | 5 | tables.given_outputs @ last-page
Nitish 2.2 0.4 3.6 | 5 | tables.given_outputs @ last-page
How 7.5 9.2 1.5 | 5 | tables.given_outputs @ last-page
You 2.9 6 9 | 5 | tables.given_outputs @ last-page
today 9.9 2.3 6.5 | 5 | tables.given_outputs @ last-page
((6.5 − μ₁)/σ₁) γ₁ + β₁ | 8 | claims.one_token_two_means
((2.4 − μ₂)/σ₂) γ₂ + β₂ | 8 | claims.one_token_two_means
In layer norm, zero doesn't affect other embedding values | 8 | claims.zeros_do_not_affect
((0 − μ₃)/σ₃) γ₃ + β₃ = 0 | 8 | claims.pad_row
Batch norm will affect the other embeddings, because we calculate horizontally | 8 | claims.direction
"""


@dataclass(frozen=True)
class Line:
    """A line of the notes and the place that treats it."""

    text: str
    step: str
    place: str
    page: str | None

    @property
    def numbers(self) -> list[float]:
        return numbers_in(self.text)


def numbers_in(text: str) -> list[float]:
    return [float(found.replace("−", "-")) for found in re.findall(r"(?<![\w.])−?[0-9]+(?:\.[0-9]+)?", text)]


def parsed(line: str) -> Line:
    text, step, where = (part.strip() for part in line.split("|"))
    place, _, page = (part.strip() for part in where.partition("@"))
    return Line(text, step, place, page or None)


LINES = [parsed(line) for line in NOTES.strip().splitlines()]


def found_at(line: Line, steps_of: StepsOf) -> Any:
    step = steps_of(**({"variant": line.page} if line.page else {}))[line.step]
    for key in line.place.split("."):
        step = step[key]
    return step


def words_of(data: Any) -> Iterator[str]:
    """Every text and number of some data, as the notes would write it."""
    if isinstance(data, dict):
        for value in data.values():
            yield from words_of(value)
    elif isinstance(data, list):
        for value in data:
            yield from words_of(value)
    elif data is not None:
        yield str(data).replace("-", "−")


@pytest.mark.parametrize("line", LINES, ids=lambda line: f"{line.step}: {line.text[:40]}")
def test_a_line_is_treated_where_it_is_said_to_be(line: Line, steps_of: StepsOf) -> None:
    found = found_at(line, steps_of)
    assert found
    there = numbers_in(" ".join(words_of(found)))
    assert [number for number in line.numbers if number not in there] == []
    if line.place.startswith("tables.") and len(line.numbers) >= 3:
        first = line.text.split()[0]
        rows = [
            r
            for r in found["rows"]
            if r["label"] == first or not re.match(r"^(Hi|Nitish|pad|How|are|You|today)", first)
        ]
        assert any(r["values"] == line.numbers for r in rows)
    if line.place == "text" and line.text.startswith("z"):
        assert any(line.text in text for text in found)


def test_every_line_that_is_judged_is_a_line_of_the_notes() -> None:
    judged = {line.place.removeprefix("claims.") for line in LINES if line.place.startswith("claims.")}
    assert judged == set(SAYS)


def test_what_a_line_says_stands_in_what_is_judged() -> None:
    for line in LINES:
        if line.place.startswith("claims.") and "γ" in line.text and "=" in line.text:
            said = SAYS[line.place.removeprefix("claims.")]
            assert set(line.numbers) & set(numbers_in(said))


def test_each_step_on_the_notes_has_a_line_and_each_page_is_shown() -> None:
    assert {line.step for line in LINES} == set("12345678")
    assert {line.page for line in LINES if line.page} == set(VARIANTS) - {"attention-page"}


@pytest.mark.parametrize(
    "wrong", ["Hi 6.5 2.41 3.22 | 5 | tables.given_outputs", "(8 − μ₁)/σ₁ | 2 | claims.first_value"]
)
def test_a_line_that_is_not_there_is_noticed(wrong: str, steps_of: StepsOf) -> None:
    with pytest.raises(AssertionError):
        test_a_line_is_treated_where_it_is_said_to_be(parsed(wrong), steps_of)
