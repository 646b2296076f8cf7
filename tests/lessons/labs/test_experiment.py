from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from multiprocessing import get_context

import pytest

from tinygrad_norm.lessons.labs.experiment import LabOutcome, LabReport, Session, counting_on, silent
from tinygrad_norm.random import generator, manual_seed
from tinygrad_norm.terminal.progress import Progress


def test_the_sentence_is_filled_in_from_the_values(report: LabReport) -> None:
    assert report.outcome.answers[0].sentence == "It is 0.2."


def test_every_question_must_be_answered_in_order(report: LabReport) -> None:
    with pytest.raises(ValueError, match=r"asked \['first', 'second'\], answered \['second', 'first'\]"):
        replace(report, outcome=LabOutcome(report.outcome.answers[::-1]))
    with pytest.raises(ValueError, match=r"answered \[\]"):
        replace(report, outcome=LabOutcome(()))


@pytest.mark.parametrize(("verdict", "broken"), [("exact", False), ("broken", True), ("not reproduced", False)])
def test_only_an_identity_can_break(
    report: LabReport, outcome_of: Callable[..., LabOutcome], verdict: str, broken: bool
) -> None:
    assert replace(report, outcome=outcome_of(verdict)).broken is broken


def test_verdicts_of_identities_and_experiments(report: LabReport) -> None:
    question = report.lab.questions[0]
    assert [question.identity(holds, "", {}).verdict for holds in (True, False)] == ["exact", "broken"]
    assert [question.experiment(holds, "", {}).verdict for holds in (True, False)] == ["reproduced", "not reproduced"]
    assert question.unfinished().verdict == "not finished"


def test_ctrl_c_keeps_what_was_done_and_skips_the_rest() -> None:
    session, seen = Session(), []

    def work(job: int) -> int:
        seen.append(job)
        if job == 3:
            raise KeyboardInterrupt
        return job * job

    assert session.each("squares", (1, 2, 3, 4), work) == {1: 1, 2: 4}
    assert session.interrupted
    assert session.each("more", (5,), work) == {}
    assert seen == [1, 2, 3]


def test_ctrl_c_between_jobs(interrupted_after: Callable[[int], Session]) -> None:
    session = interrupted_after(2)
    assert session.each("squares", (1, 2, 3), lambda n: n) == {1: 1, 2: 2}
    assert session.interrupted
    session = interrupted_after(0)
    assert session.each("squares", (1,), lambda n: n) == {}


def test_another_error_is_not_kept_quiet() -> None:
    session = Session()
    with pytest.raises(ZeroDivisionError):
        session.each("division", (0,), lambda n: 1 / n)
    assert not session.interrupted


def test_nothing_is_shown_where_there_is_no_terminal() -> None:
    stream = io.StringIO()
    assert counting_on(stream) is silent
    with silent("cells", 2) as count:
        count()
    assert stream.getvalue() == ""


def test_a_bar_where_tqdm_is_installed(terminal: io.StringIO) -> None:
    with counting_on(terminal)("cells", 2) as count:
        count()
        count()
    shown = terminal.getvalue()
    assert "cells:   0%" in shown
    assert "0/2" in shown


def test_a_bar_that_is_kept_ends_with_its_note(terminal: io.StringIO) -> None:
    with counting_on(terminal, unit="step", keep=True)("layer", 2) as count:
        count("loss=0.5000")
        count("loss=0.2500")
    last = terminal.getvalue().rstrip().rpartition("\r")[2]
    assert "layer: 100%" in last
    assert "2/2" in last
    assert "step" in last
    assert "loss=0.2500" in last


def test_a_counter_where_it_is_not(
    terminal: io.StringIO, without: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    without("tqdm")
    clock = iter(range(100))
    monkeypatch.setattr(Progress.__init__, "__defaults__", (lambda: float(next(clock)),))
    with counting_on(terminal)("cells", 4) as count:
        count()
        count("loss=0.5")
    shown = terminal.getvalue()
    assert "cells, 1 of 4:  25%" in shown
    assert "cells, 2 of 4, loss=0.5:  50%" in shown
    # The sign disappears when the work is done.
    assert shown.endswith("\r")


def draw(job: int, scale: float) -> tuple[float, float]:
    """A job at the top of a module: random numbers and a product, as trainings have them."""
    manual_seed(job)
    values = generator().standard_normal((40, 40)) * scale
    return float(values.sum()), float((values @ values).sum())


@pytest.mark.parametrize(
    "workers", [lambda: ThreadPoolExecutor(3), lambda: ProcessPoolExecutor(2, get_context("spawn"))]
)
def test_an_executor_does_trainings_with_the_same_results_to_the_bit(workers: Callable[[], Executor]) -> None:
    work = partial(draw, scale=2.0)
    manual_seed(7)
    before = generator().bit_generator.state
    with workers() as executor:
        apart = Session(executor=executor).trainings("training", range(4), work)
    assert generator().bit_generator.state == before
    assert list(apart.items()) == list(Session().trainings("training", range(4), work).items())


def test_ctrl_c_keeps_the_trainings_that_an_executor_has_done() -> None:
    @contextmanager
    def counting(stage: str, total: int) -> Iterator[Callable[..., None]]:
        left = iter([False, True])

        def count(note: str = "") -> None:
            if next(left):
                raise KeyboardInterrupt

        yield count

    with ThreadPoolExecutor(1) as executor:
        session = Session(counting=counting, executor=executor)
        done = session.trainings("training", range(50), partial(draw, scale=1.0))
    assert session.interrupted
    assert len(done) == 2
    assert session.trainings("more", range(3), partial(draw, scale=1.0)) == {}
