from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm import nn
from tinygrad_norm.lessons.labs import padding_lab
from tinygrad_norm.lessons.labs.experiment import Session
from tinygrad_norm.lessons.labs.networks import REVIEW_NORMS, ReviewClassifier
from tinygrad_norm.lessons.labs.padding_lab import (
    EXTRA_PADS,
    FAR,
    FEWER,
    LEAST,
    MOVED,
    SAME,
    PaddingPlan,
    PadEffect,
    Reader,
    pad_effects,
    run,
    trained,
    verdicts,
)
from tinygrad_norm.lessons.labs.reviews import make_reviews

TINY = PaddingPlan(training=32, held_out=16, epochs=1, repeats=1)


def test_the_mechanics() -> None:
    outcome = run(Session(0), TINY)
    found = {answer.key: answer.verdict for answer in outcome.answers}
    assert list(found.values())[:5] == [*["exact"] * 4, "reproduced"]
    changes, right, distances, training = outcome.tables
    assert [row.label for row in changes.rows] == [row.label for row in right.rows] == list(REVIEW_NORMS)
    assert [row.label for row in distances.rows] == ["batch", "masked_batch"]
    assert [row.values[-1] is None for row in training.rows] == [norm[-5:] != "batch" for norm in REVIEW_NORMS]
    assert distances.note.endswith("% are pads.")
    score, distance = outcome.panels
    assert [line.label for line in score.lines] == [*REVIEW_NORMS, "rounding is below"]
    assert [line.label for line in distance.lines] == ["batch", "masked_batch"]
    # A change of 0 has a place on the logarithmic axis; the table keeps it as it is.
    assert min(y for line in score.lines for _, y in line.points) >= LEAST


def test_cut_short(interrupted_after: Callable[[int], Session]) -> None:
    outcome = run(interrupted_after(2), TINY)
    assert {answer.verdict for answer in outcome.answers} == {"not finished"}
    assert [row.label for row in outcome.tables[0].rows] == ["layer", "rms"]
    assert outcome.tables[2].rows == ()
    nothing = run(interrupted_after(0), TINY)
    assert all(table.rows == () for table in nothing.tables)
    assert nothing.panels[1].lines == ()


def test_ctrl_c_within_a_training_leaves_that_training_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(job: tuple[str, int], seed: int, plan: PaddingPlan) -> Reader:
        if job == ("batch", 0):
            monkeypatch.setattr("tinygrad_norm.optim.AdamW.step", raise_interrupt)
        return trained(job, seed, plan)

    def raise_interrupt(self: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(padding_lab, "trained", interrupted)
    session = Session(0)
    outcome = run(session, TINY)
    assert session.interrupted
    assert [row.label for row in outcome.tables[0].rows] == ["layer", "rms"]


def test_a_seed_and_a_repeat_decide_everything() -> None:
    job = ("masked_batch", 0)
    assert trained(job, 0, TINY) == trained(job, 0, TINY)
    assert trained(job, 1, TINY).loss != trained(job, 0, TINY).loss != trained(("masked_batch", 1), 0, TINY).loss


def test_a_norm_that_minds_pads_breaks_what_must_be_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: every norm is a batch norm that counts pads, so that the control without a norm moves, too."""

    def counting_pads(norm: str, **options: Any) -> ReviewClassifier:
        return ReviewClassifier("batch", **options)

    monkeypatch.setattr(padding_lab, "ReviewClassifier", counting_pads)
    found = {answer.key: answer.verdict for answer in run(Session(0), TINY).answers}
    assert [found[key] for key in ("layer", "rms", "masked", "running")] == ["broken", "broken", "broken", "exact"]
    assert found["company"] == "not reproduced"


def test_batch_statistics_in_evaluation_break_what_must_be_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: a model that stays in training mode whatever it is told."""

    class AlwaysTraining(ReviewClassifier):
        def train(self, mode: bool = True) -> AlwaysTraining:
            super().train()
            return self

    monkeypatch.setattr(padding_lab, "ReviewClassifier", AlwaysTraining)
    found = {answer.key: answer.verdict for answer in run(Session(0), TINY).answers}
    assert [found[key] for key in ("layer", "rms", "masked", "running")] == ["exact", "exact", "exact", "broken"]


def reader(
    change: float = 0.0,
    *,
    in_use: float = 0.0,
    right: float = 0.99,
    natural: float = 0.05,
    distance: float = 0.05,
    padded: float = 0.05,
) -> Reader:
    """A network whose scores change by so much, and whose statistics are so far from the running ones."""
    effects = [PadEffect(0, 0.4, 0.0, 0.0, right, distance)]
    effects += [PadEffect(extra, 0.8, change, in_use, right, padded) for extra in EXTRA_PADS]
    return Reader(right, right, 0.05, natural, tuple(effects))


READERS = {
    "layer": [reader(1e-15)],
    "rms": [reader(1e-15)],
    "batch": [reader(1.0, padded=0.2), reader(0.5, padded=0.2)],
    "masked_batch": [reader(1e-15)],
    "none": [reader(1e-15)],
}


def judged(**changed: Reader) -> dict[str, str]:
    """The verdicts if the first repeat of a norm is another one."""
    readers = READERS | {norm: [one, *READERS[norm][1:]] for norm, one in changed.items()}
    return {answer.key: answer.verdict for answer in verdicts(readers)}


def test_measurements_as_they_were() -> None:
    assert list(judged().values()) == [*["exact"] * 4, "reproduced", "in part", "not reproduced", "in part"]


@pytest.mark.parametrize(("question", "norm"), [("layer", "layer"), ("rms", "rms"), ("masked", "masked_batch")])
def test_a_change_above_rounding_breaks_an_identity(question: str, norm: str) -> None:
    assert judged(**{norm: reader(SAME)})[question] == "exact"
    broken = [key for key, verdict in judged(**{norm: reader(2 * SAME)}).items() if verdict == "broken"]
    assert broken == [question]


@pytest.mark.parametrize("norm", ["batch", "masked_batch"])
def test_a_change_in_use_breaks_an_identity(norm: str) -> None:
    assert judged(**{norm: reader(1e-15, in_use=2 * SAME)})["running"] == "broken"


def test_every_training_must_move_and_the_control_must_not() -> None:
    assert judged(batch=reader(MOVED, padded=0.2))["company"] == "reproduced"
    assert judged(batch=reader(0.9 * MOVED, padded=0.2))["company"] == "not reproduced"
    assert judged(none=reader(2 * SAME))["company"] == "not reproduced"


def test_statistics_may_stray_by_themselves_by_pads_or_not_at_all() -> None:
    def strays(**changes: float) -> str:
        one = reader(1.0, **changes)
        return {a.key: a.verdict for a in verdicts(READERS | {"batch": [one]})}["strays"]

    assert strays(natural=FAR) == "reproduced"
    assert strays(padded=0.11) == "in part"
    assert strays(padded=0.09) == "not reproduced"
    assert strays(padded=0.11, distance=0.06) == "not reproduced"
    assert judged(masked_batch=reader(padded=0.11))["strays"] == "not reproduced"


def test_batch_norm_may_do_worse_and_its_statistics_be_far() -> None:
    def compared(right: float, natural: float = 0.05) -> tuple[str, str]:
        one = reader(1.0, right=right, natural=natural)
        found = {a.key: a.verdict for a in verdicts(READERS | {"batch": [one]})}
        return found["worse"], found["close"]

    assert compared(0.99 - 1.1 * FEWER) == ("reproduced", "not reproduced")
    assert compared(0.99 - 0.9 * FEWER) == ("not reproduced", "in part")
    assert compared(0.99, natural=FAR) == ("not reproduced", "not reproduced")


def test_repeats_are_averaged_but_the_largest_change_counts() -> None:
    found = {
        answer.key: answer.values
        for answer in verdicts(READERS | {"layer": [reader(1e-15, right=0.9), replace(READERS["layer"][0])]})
    }
    assert found["layer"]["change"] == 1e-15
    assert found["worse"]["layer"] == pytest.approx(0.945)
    assert found["company"]["changed_by_few"] == 0.5


REVIEWS = make_reviews(16, seed=0)


def effects_on(norm: str) -> tuple[nn.Module, tuple[PadEffect, ...]]:
    """An untrained classifier, and what pads do to it."""
    tg.manual_seed(0)
    model = ReviewClassifier(norm, dtype="float64")
    return model, pad_effects(model, REVIEWS)


@pytest.mark.parametrize("norm", REVIEW_NORMS)
def test_only_padded_batch_norm_minds_pads(norm: str) -> None:
    _, found = effects_on(norm)
    assert [effect.extra for effect in found] == [0, 4, 16, 64]
    assert found[0].training_change == found[0].evaluation_change == 0
    for effect in found[1:]:
        assert (effect.training_change > 1e-3) == (norm == "batch")
        assert (effect.training_change < 1e-12) == (norm != "batch")
        assert effect.evaluation_change < 1e-12
        assert norm == "batch" or effect.training_accuracy == found[0].training_accuracy


def test_the_share_of_pads_is_counted() -> None:
    _, found = effects_on("none")
    words = [len(review.words) for review in REVIEWS]
    for effect in found:
        assert effect.padded_share == pytest.approx(1 - sum(words) / (len(words) * (max(words) + effect.extra)))


def test_only_batch_norms_have_running_statistics_to_be_far_from() -> None:
    by_norm = {norm: [effect.drift for effect in effects_on(norm)[1]] for norm in REVIEW_NORMS}
    assert [norm for norm, drifts in by_norm.items() if None not in drifts] == ["batch", "masked_batch"]
    first, *others = by_norm["masked_batch"]
    assert others == pytest.approx([first] * 3, rel=1e-9)
    first, *others = by_norm["batch"]
    assert first is not None
    assert abs(others[-1] - first) > 1e-3  # type: ignore[operator]  # not None, as seen above


@pytest.mark.parametrize("norm", ["batch", "masked_batch"])
def test_the_model_is_left_as_it_was(norm: str) -> None:
    tg.manual_seed(0)
    untouched = ReviewClassifier(norm, dtype="float64").state_dict()
    model, _ = effects_on(norm)
    assert not model.training
    for key, value in model.state_dict().items():
        np.testing.assert_array_equal(value, untouched[key])
