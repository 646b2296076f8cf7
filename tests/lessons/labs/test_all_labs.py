from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm.lessons.labs import all_labs
from tinygrad_norm.lessons.labs.all_labs import CATALOG, labs_for, run_lab
from tinygrad_norm.lessons.labs.experiment import Benefit, LabOutcome, Session
from tinygrad_norm.random import generator


def test_the_labs() -> None:
    assert list(CATALOG) == ["backward", "lr-ladder", "pre-post", "landscape", "batch-noise", "padding", "invariance"]


@pytest.mark.parametrize("name", CATALOG)
def test_every_lab_says_what_it_asks_and_what_it_cannot_show(name: str) -> None:
    lab = CATALOG[name]
    assert lab.name == name
    assert lab.title.endswith("?")
    assert lab.limits
    keys = [question.key for question in lab.questions]
    assert len(set(keys)) == len(keys)
    for text in (lab.setting, *lab.limits, *(q.published for q in lab.questions), *(q.test for q in lab.questions)):
        assert text.endswith(".")
        assert "  " not in text


@pytest.mark.parametrize("benefit", get_args(Benefit))
def test_every_benefit_has_a_lab(benefit: str) -> None:
    assert labs_for(benefit)


def test_one_lab_tests_no_benefit_but_the_verdict_on_batch_norm() -> None:
    assert [lab.name for lab in CATALOG.values() if not lab.benefits] == ["padding"]


def test_running_one_leaves_the_callers_random_numbers_alone() -> None:
    tg.manual_seed(5)
    before = generator().bit_generator.state
    report = run_lab("invariance", seed=1, quick=True)
    assert generator().bit_generator.state == before
    assert report.complete
    assert not report.broken


def test_seeds_inside_a_lab_do_not_leak(monkeypatch: pytest.MonkeyPatch) -> None:
    inside = []

    def run(session: Session) -> LabOutcome:
        tg.manual_seed(99)
        inside.append(generator().random())
        return real.run(session)

    real = CATALOG["invariance"]
    monkeypatch.setattr(all_labs, "CATALOG", {"invariance": replace(real, run=run)})
    tg.manual_seed(5)
    expected = np.random.default_rng(5).random()
    run_lab("invariance", quick=True)
    assert inside == [np.random.default_rng(99).random()]
    assert generator().random() == expected


def test_an_unknown_lab_and_a_bad_seed_are_refused() -> None:
    with pytest.raises(tg.InputError, match=r"must be one of backward, lr-ladder, .*; got 'cooking'"):
        run_lab("cooking")
    with pytest.raises(tg.InputError, match="the seed must be at least 0; got -1"):
        run_lab("invariance", seed=-1)
