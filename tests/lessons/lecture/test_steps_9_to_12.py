"""Steps 9 to 12: every number by another road, in fractions or in a line of NumPy, and under other settings."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm.lessons.document.as_text import lesson_text
from tinygrad_norm.lessons.document.lesson import Lesson
from tinygrad_norm.lessons.labs.papers import HENRY, XIONG, ZHANG_SENNRICH, ZHU
from tinygrad_norm.lessons.lecture.notes import OUTPUTS, VARIANTS
from tinygrad_norm.lessons.lecture.settings import Settings
from tinygrad_norm.lessons.lecture.steps import step_11_in_a_transformer as transformer
from tinygrad_norm.lessons.lecture.steps.step_9_scale_and_shift import best_fit, difference_when_undone
from tinygrad_norm.lessons.lecture.steps.step_10_evaluation import exact_running, running_statistics

StepsOf = Callable[..., dict[str, Any]]

Z = np.array(OUTPUTS, dtype=float)
CHOICES = [{}, {"ddof": 1}, {"eps": 0.5}, {"eps": 1e-5, "ddof": 1, "variant": "last-page"}]
WORDS = VARIANTS["attention-page"].sentences[1]
X = np.array([word.embedding for word in WORDS])


def table(steps: dict[str, Any], step: int, key: str) -> dict[str, list[Any]]:
    return {row["label"]: row["values"] for row in steps[str(step)]["tables"][key]["rows"]}


def fact(steps: dict[str, Any], step: int, key: str) -> dict[str, Any]:
    found: dict[str, Any] = steps[str(step)]["facts"][key]["values"]
    return found


def same(found: Any, expected: Any, rtol: float = 1e-12) -> None:
    np.testing.assert_allclose(np.array(found, dtype=float), expected, rtol=rtol, atol=1e-14)


# Step 9


@pytest.mark.parametrize("choice", CHOICES, ids=str)
def test_batch_norm_is_undone_exactly(steps_of: StepsOf, choice: dict[str, Any]) -> None:
    found = table(steps_of(**choice), 9, "batch_norm_undone")
    same(found["γ"], np.sqrt(Z.var(0, ddof=choice.get("ddof", 0)) + choice.get("eps", 0)))
    same(found["β"], Z.mean(0))
    same([found[f"row {i}"] for i in range(1, 6)], Z)
    exactly = steps_of(**choice)["9"]["facts"]["batch_norm_undone"]["values"]["exact"]
    assert exactly == 0


def test_what_does_not_undo_it_leaves_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = Settings(ddof=1).closed_form((7, 2, 1, 7, 3))
    monkeypatch.setattr(Settings, "closed_form", lambda self, numbers: wrong)
    assert difference_when_undone((7, 2, 1, 7, 3), Settings(ddof=0)) != 0


@pytest.mark.parametrize("choice", CHOICES, ids=str)
def test_layer_norm_is_not_undone(steps_of: StepsOf, choice: dict[str, Any]) -> None:
    spread = np.sqrt(Z.var(1, ddof=choice.get("ddof", 0), keepdims=True) + choice.get("eps", 0))
    normalized = (Z - Z.mean(1, keepdims=True)) / spread
    for i, values in enumerate(table(steps_of(**choice), 9, "layer_norm_undone").values()):
        same(values[:2], np.polyfit(normalized[:, i], Z[:, i], 1), rtol=1e-10)
        same(values[2], np.corrcoef(normalized[:, i], Z[:, i])[0, 1] ** 2, rtol=1e-10)
        assert values[3] < 1e-13


def test_the_known_shares_of_the_variance(steps: dict[str, Any]) -> None:
    shares = [values[2] for values in table(steps, 9, "layer_norm_undone").values()]
    assert [format(share, ".3f") for share in shares] == ["0.980", "0.349", "0.145"]
    assert fact(steps, 9, "merged") == {
        "one": [2, 3, 4],
        "other": [1, 2, 3],
        "least": [{"fraction": "1/2", "value": 0.5}] * 3,
    }


def test_no_other_scale_and_shift_is_nearer() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 7))
    fit = best_fit(x, y)
    best = ((fit.scale * x + fit.shift - y) ** 2).mean()
    assert fit.r_squared == pytest.approx(1 - best / y.var())
    for scale, shift in rng.standard_normal((20, 2)) / 10:
        assert (((fit.scale + scale) * x + fit.shift + shift - y) ** 2).mean() > best


# Step 10


def test_running_statistics_by_their_rule_in_fractions() -> None:
    columns = [[Fraction(x) for x in column] for column in zip(*OUTPUTS, strict=True)]
    for i, column in enumerate(columns):
        center = sum(column) / 5
        unbiased = sum((x - center) ** 2 for x in column) / 4
        mean, variance, tenth = Fraction(0), Fraction(1), Fraction(1, 10)
        for count in range(1, 11):
            mean, variance = (1 - tenth) * mean + tenth * center, (1 - tenth) * variance + tenth * unbiased
            means, variances = exact_running(count, tenth)
            assert (means[i], variances[i]) == (mean, variance)


@pytest.mark.parametrize("choice", CHOICES, ids=str)
def test_evaluation_after_batches(steps_of: StepsOf, choice: dict[str, Any]) -> None:
    steps, eps = steps_of(**choice), choice.get("eps", 0)
    running, evaluated = table(steps, 10, "running"), table(steps, 10, "evaluated")
    for count in (1, 10, 100):
        kept = 0.9**count
        mean, variance = (1 - kept) * Z.mean(0), kept + (1 - kept) * Z.var(0, ddof=1)
        same(running[str(count)], [*mean, *variance])
        same(evaluated[f"in evaluation, after {count}"], (Z[0] - mean) / np.sqrt(variance + eps))
    same(evaluated["in training"], (Z[0] - Z.mean(0)) / np.sqrt(Z.var(0) + eps))
    same(evaluated["in the limit"], (Z[0] - Z.mean(0)) / np.sqrt(Z.var(0, ddof=1) + eps))
    limit = fact(steps, 10, "limit")
    same(limit["ratios"], np.sqrt((Z.var(0, ddof=1) + eps) / (Z.var(0) + eps)))
    assert ("in all three features" in steps["10"]["facts"]["limit"]["text"]) == (not eps)


def test_the_known_numbers_of_evaluation(steps: dict[str, Any]) -> None:
    evaluated = table(steps, 10, "evaluated")
    printed = {name: [format(x, ".6f") for x in values] for name, values in evaluated.items()}
    assert printed["in training"] == ["1.185854", "1.166667", "-0.204124"]
    assert printed["in evaluation, after 1"] == ["5.061969", "4.464842", "3.544728"]
    assert printed["in evaluation, after 10"] == ["1.863899", "2.152937", "1.189355"]
    assert printed["in the limit"] == ["1.060660", "1.043498", "-0.182574"]
    first = fact(steps, 10, "fractions")
    assert [v["fraction"] for v in first["means"]] == ["2/5", "9/25", "21/50"]
    assert [v["fraction"] for v in first["variances"]] == ["17/10", "27/25", "51/50"]
    assert first["gap"] < 1e-13
    assert format(fact(steps, 10, "limit")["factor"], ".6f") == "1.118034"
    assert fact(steps, 10, "one_mode") == {"gap": 0, "alone": 0}


def test_a_running_variance_that_divides_by_n_would_be_seen() -> None:
    found = running_statistics(1, Settings())
    assert abs(found.variance[0] - (0.9 + 0.1 * Z.var(0)[0])) > 0.1


# Step 11


@pytest.mark.parametrize("eps", [0.0, 1e-5, 0.5])
def test_what_flows_back_through_a_block(eps: float) -> None:
    """Against the chain of Jacobians: I + the part's, and the norm's before or after it."""

    def norm(x: tg.Tensor) -> tg.Tensor:
        centered = x - x.mean(axis=-1, keepdims=True)
        return centered / ((centered * centered).mean(axis=-1, keepdims=True) + eps).sqrt()

    def part(x: tg.Tensor) -> tg.Tensor:
        return tg.functional.softmax(x @ x.T / 3**0.5) @ x

    def through(function: Callable[[tg.Tensor], tg.Tensor], at: np.ndarray) -> np.ndarray:
        return np.asarray(tg.jacobian(function)(at).data).reshape(12, 12)

    part_at_x, one, arriving = X + part(tg.Tensor(X)).data, np.eye(12), np.eye(12)[0]
    post, pre = (transformer.block_gradient(block, WORDS, eps) for block in transformer.BLOCKS.values())
    last = through(norm, part_at_x)
    same(post.residual.ravel(), arriving @ last, rtol=1e-9)
    same(post.total.ravel(), arriving @ last @ (one + through(part, X)), rtol=1e-9)
    normalized = norm(tg.Tensor(X)).data
    same(pre.residual.ravel(), arriving)
    same(pre.total.ravel(), arriving @ (one + through(part, normalized) @ through(norm, X)), rtol=1e-9)


def test_the_residual_way_of_pre_norm_is_free(steps: dict[str, Any]) -> None:
    values = fact(steps, 11, "residual_way")
    assert values["pre_gap"] == 0
    assert values["post_length"] < 1 == values["pre_length"]
    assert table(steps, 11, "arrives")["pre-norm, residual way"] == [1, 0, 0]
    graphs = steps["11"]["graphs"]
    assert set(graphs) == {"graph_post_norm", "graph_pre_norm"}


def test_exponents_of_the_depth(steps: dict[str, Any]) -> None:
    norms = table(steps, 11, "by_depth")
    values = fact(steps, 11, "exponents")
    for name, place in (("post", "Post-LN"), ("pre", "Pre-LN")):
        slope, _ = np.polyfit(np.log([2, 8, 32]), np.log(norms[place]), 1)
        assert values[name] == pytest.approx(slope)
    # The tests of the lab: flat, and falling like a root.
    assert abs(values["post"]) < 0.15
    assert -0.65 < values["pre"] < -0.35


def test_the_callers_random_numbers_are_not_disturbed() -> None:
    transformer.norms_by_depth.cache_clear()
    tg.manual_seed(5)
    transformer.norms_by_depth()
    assert tg.random.generator().integers(1000) == np.random.default_rng(5).integers(1000)


# Step 12


@pytest.mark.parametrize("choice", CHOICES, ids=str)
def test_rms_norm(steps_of: StepsOf, choice: dict[str, Any]) -> None:
    eps, found = choice.get("eps", 0), table(steps_of(**choice), 12, "rms")
    same([found[str(i)] for i in range(1, 6)], Z / np.sqrt((Z**2).mean(1, keepdims=True) + eps))
    assert found["pad"] == ([0, 0, 0] if eps else [None] * 3)


def test_the_known_numbers_after_layer_norm(steps: dict[str, Any]) -> None:
    rms, dyt, attention = (table(steps, 12, key) for key in ("rms", "dyt", "qk_norm"))
    printed = [" ".join(format(x, ".6f") for x in rms[row]) for row in "123"]
    assert printed[0] == "1.278019 0.912871 0.730297"
    assert printed[1] == "0.643268 0.964901 1.286535"
    assert printed[2] == "0.462910 0.925820 1.388730"
    squares = [Fraction(sum(x * x for x in row), 3) for row in OUTPUTS]
    found = fact(steps, 12, "rms_keeps_the_mean")["squares"]
    assert [v["fraction"] if isinstance(v, dict) else str(v) for v in found] == [str(s) for s in squares]
    assert " ".join(format(x, ".6f") for x in dyt["1"]) == "0.998178 0.986614 0.964028"
    same([dyt[str(i)] for i in range(1, 6)], np.tanh(Z / 2))
    assert dyt["pad"] == [0, 0, 0]
    assert " ".join(format(x, ".4f") for x in attention["weights"]) == "0.2538 0.2085 0.2897 0.2481"
    saturated = attention["weights, embeddings · 10"]
    assert " ".join(format(x, ".5f") for x in saturated) == "0.00000 0.00000 1.00000 0.00000"
    assert " ".join(format(x, ".4f") for x in attention["cosines"]) == "1.0000 0.6328 0.9141 0.9064"


def test_attention_by_hand(steps: dict[str, Any]) -> None:
    found = table(steps, 12, "qk_norm")
    for label, factor in (("weights", 1), ("weights, embeddings · 10", 10)):
        e = np.exp(factor**2 * X @ X[0] / np.sqrt(3))
        same(found[label], e / e.sum())
    lengths = np.sqrt((X**2).sum(1))
    for label in ("cosines", "cosines, embeddings · 10"):
        same(found[label], X @ X[0] / lengths / lengths[0])
    assert fact(steps, 12, "qk_norm_is_blind_to_size")["word"] == "You"


# All of them


def test_sources_are_named_with_their_years(lesson_of: Callable[..., Lesson]) -> None:
    text = " ".join(lesson_text(lesson_of()).split())
    for paper in (XIONG, ZHANG_SENNRICH, HENRY, ZHU):
        assert paper.short in text
    assert re.search(r"Vaswani et al., Attention Is All You Need, 2017", text)
    assert re.search(r"Ioffe and Szegedy, Batch Normalization, 2015", text)


INTRODUCED = {
    "ε": "A small number ε under the root",
    "ḡ": "that arrives at x̂ is called ḡ",
    "R²": "R² is the share of a neuron's variance",
    "Hessian": "second derivatives, the Hessian",
    "oftmax": "Softmax makes weights of a position's scores",
    "Jacobian": "the row's Jacobian, its outputs' derivatives by its inputs",
    "random loss": "What comes back from the random loss",
    "running": "keeps running statistics beside those of the batch",
    "residual": "the residual sum x + f(x)",
    "post-norm": "Post-norm and pre-norm, these are called",
    "RMS": "RMS norm keeps the division only",
    "DyT": "Dynamic tanh (DyT) asks",
    "QK": "QK norm is a norm inside attention",
    "cosine": "the scores are cosines times a learned number",
}


@pytest.mark.parametrize("term", INTRODUCED)
def test_no_term_is_used_before_it_is_introduced(term: str, lesson_of: Callable[..., Lesson]) -> None:
    text = lesson_text(lesson_of())
    text = " ".join(text[text.index("Step 1.") :].split())
    # A formula stands with the sentence that introduces its letters.
    introduced, used = text.index(INTRODUCED[term]), text.index(term)
    assert used >= introduced


def test_batch_norm_is_defined_before_its_benefits_are_weighed(lesson_of: Callable[..., Lesson]) -> None:
    titles = [step.title for step in lesson_of().steps]
    assert titles.index("Batch norm, a revision") < titles.index("Four benefits, and what can be shown of them here")
