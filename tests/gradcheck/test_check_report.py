"""What a report says: as text, as data, as HTML."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm.gradcheck import Entry, Finding, Report, WrongNode
from tinygrad_norm.gradcheck.check_report import Values

X = np.random.default_rng(0).standard_normal((3, 5))


@pytest.fixture
def wrong() -> Report:
    def layer_norm(x: np.ndarray) -> np.ndarray:
        result: np.ndarray = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
        return result

    def backward(g: np.ndarray, x: np.ndarray) -> np.ndarray:
        result: np.ndarray = (g - g.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
        return result

    return tg.check_vjp(layer_norm, backward, X)


def test_the_text_of_a_wrong_gradient(wrong: Report) -> None:
    head, mistake, evidence, why, closing = str(wrong).splitlines()
    assert head.startswith("x (3, 5): WRONG in 15 of 15 entries; worst x[")
    assert ": yours " in head
    assert ", numeric " in head
    assert " ± " in head
    assert mistake == "  probable mistake: the path through the VARIANCE is missing along axis 1"
    assert "leftover" in evidence
    assert why.startswith("  why: the scale depends on every entry of its row")
    assert "each row is orthogonal to x̂; rows of yours times x̂ give " in why
    assert closing.startswith("  checked 3 cotangents, ")
    assert closing.endswith(" forward evaluations, seed 0; no tolerance was set, the ± is measured")
    assert repr(wrong) == str(wrong)


def test_the_attributes(wrong: Report) -> None:
    assert not wrong
    assert not wrong.ok
    assert wrong.cause == "the path through the VARIANCE is missing along axis 1"
    assert wrong.explanation is not None
    assert wrong.entries[0].finding is wrong.finding
    assert 0 < wrong.uncertainty["x"] < 1e-8
    assert not wrong.vacuous
    fine = tg.check_vjp(np.exp, lambda g, out, x: g * out, X)
    assert fine
    assert (fine.cause, fine.explanation, fine.finding) == (None, None, None)


def test_json_round_trips_and_holds_no_nan(wrong: Report) -> None:
    data = json.loads(json.dumps(wrong.to_json(), allow_nan=False))
    assert data["ok"] is False
    assert data["status"] == "wrong"
    assert data["code"] == "variance-path-missing"
    assert data["entries"][0]["index"] == list(wrong.entries[0].index or ())
    infinite = tg.check_vjp(np.square, lambda g, x: g * np.inf, X)
    assert json.loads(json.dumps(infinite.to_json(), allow_nan=False))["entries"][0]["yours"] is None


def test_html_is_well_formed_and_says_it_without_color(wrong: Report) -> None:
    page = wrong._repr_html_()
    root = ElementTree.fromstring(page)
    text = " ".join(root.itertext())
    assert "✗ wrong" in text
    assert "the path through the VARIANCE is missing along axis 1" in text
    assert "no tolerance was set" in text


def test_html_escapes_hostile_names() -> None:
    hostile = "<script>alert('x')</script>&"
    finding = Finding("code", hostile, hostile, hostile)
    entry = Entry(hostile, (2,), 1, "wrong", 2, 2, 1, 0, (1,), 1.0, 2.0, 1e-9, 2.0, finding)
    report = Report((entry,), (finding,), (), (hostile,), hostile)
    page = report._repr_html_()
    assert "<script>" not in page
    assert hostile in " ".join(ElementTree.fromstring(page).itertext())


@pytest.mark.parametrize("status", ["right", "wrong", "cannot tell", "vacuous", "flat", "empty"])
def test_every_status_has_its_words_and_mark(status: str) -> None:
    entry = Entry("x", (2,), 2, status, 2, 2, 1, 0, (1,), 1.0, 2.0, 1e-9, 2.0)
    report = Report((entry,))
    assert str(report).startswith("second order, x (2,): ")
    ElementTree.fromstring(report._repr_html_())


def test_numbers_are_short() -> None:
    assert "± 1e-9" in str(Report((Entry("x", (), 1, "wrong", 1, 1, 1, 0, (), 1e-10, -2e9, 1e-9, 2.0),)))
    assert "yours +1e-10, numeric -2e9" in str(
        Report((Entry("x", (), 1, "wrong", 1, 1, 1, 0, (), 1e-10, -2e9, 1e-9, 2.0),))
    )


def test_two_digits_of_a_size_and_four_of_a_value() -> None:
    entry = Entry("x", (), 1, "wrong", 1, 1, 1, 0, (), 0.123456, -12345.6, 0.2, 2.0)
    assert "yours +0.1235, numeric -1.235e4 ± 0.2" in str(Report((entry,)))
    for uncertainty, shown in ((0.0123, "0.012"), (0.00987, "1e-2"), (0.0, "0"), (float("inf"), "inf")):
        assert f"agree within ± {shown} (" in str(
            Report((Entry("x", (2,), 1, "right", 2, 2, 0, 0, (1,), 1.0, 1.0, uncertainty, 2.0),))
        )


def test_what_has_no_size_has_no_relative_uncertainty() -> None:
    entries = [
        Entry(name, (), 1, "right", 1, 1, 0, 0, (), 1.0, 1.0, 1e-9, size) for name, size in (("a", 0.0), ("b", 2.0))
    ]
    assert Report(tuple(entries)).uncertainty == {"b": 5e-10}


@pytest.mark.parametrize(("kinks", "words"), [(0, ""), (1, "1 entry sits at a kink"), (2, "2 entries sit at a kink")])
def test_kinks_are_counted_in_words(kinks: int, words: str) -> None:
    text = str(Report((Entry("x", (2,), 1, "right", 2, 2, 0, kinks, (1,), 1.0, 1.0, 1e-9, 2.0),)))
    assert words in text
    assert ("kink" in text) == bool(words)


def test_html_shows_the_entries_and_the_right_rule(wrong: Report) -> None:
    page = wrong._repr_html_()
    assert page.count("<td title=") == 15
    text = " ".join(ElementTree.fromstring(page).itertext())
    assert "the right rule:" in text
    assert "dx = (γg − mean(γg) − x̂ · mean(γg x̂)) / σ, means along axis 1" in text
    assert wrong.finding is not None
    assert wrong.to_json()["entries"][0]["finding"]["formula"] == wrong.finding.formula
    values = wrong.entries[0].values
    assert values is not None
    assert len(values.yours) == len(values.numeric) == len(values.wrong) == 15


def test_right_entries_are_dots_in_the_heat_map() -> None:
    mask = np.where(np.arange(15).reshape(3, 5) == 7, 2.0, 1.0)
    report = tg.check_vjp(np.sin, lambda g, x: g * np.cos(x) * mask, X)
    page = report._repr_html_()
    assert page.count(">·</td>") == 14
    assert report.entries[0].index == (1, 2)
    assert "only input 0[1, 2] is wrong" in page.replace("x[1, 2]", "input 0[1, 2]")


@pytest.mark.parametrize("shape", [(), (1,), (40,), (30, 2), (2, 3, 4), (25, 24)])
def test_a_heat_map_is_small_or_not_there(shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).standard_normal(shape)
    report = tg.check_vjp(np.sin, lambda g, x: -g * np.cos(x), x)
    page = report._repr_html_()
    ElementTree.fromstring(page)
    small = shape in ((), (1,), (2, 3, 4))
    assert page.count("<td title=") == (x.size if small else 0)


def test_a_heat_map_with_numbers_that_are_not_finite_is_still_html() -> None:
    entry = Entry(
        *("<x>", (3,), 1, "wrong", 3, 3, 2, 0, (0,), 1.0, 2.0, 1e-9, 2.0, None),
        Values((float("nan"), 1.0, float("inf")), (1.0, 1.0, 1.0), (True, False, True)),
    )
    page = Report((entry,))._repr_html_()
    assert "&lt;x&gt;[0]: yours +nan" in page
    ElementTree.fromstring(page)


def test_a_wrong_operation_is_listed_with_its_rule() -> None:
    node = WrongNode(2, "bad<tanh>", "encoder.mlp", "x", None, "ḡ · (1 − tanh² x)")
    page = Report((), nodes=(node,))._repr_html_()
    text = " ".join(ElementTree.fromstring(page).itertext())
    for told in ("2: bad<tanh>", "encoder.mlp", "ḡ · (1 − tanh² x)", "should be"):
        assert told in text
