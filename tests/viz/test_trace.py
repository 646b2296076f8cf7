"""The flight recorder: what it notes of a run, of its backward passes and of its end."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm.engine.tape import STATE, Node


def test_it_records_operations_values_scopes_and_lines() -> None:
    with tg.trace() as t:
        x = tg.Tensor([1.0, 2.0], requires_grad=True)
        with tg.scope("block"):
            y = x * 3.0
    (record,) = t.records
    assert record.primitive.name == "multiply"
    assert record.operands == (x.node, None)
    assert record.inputs[1] == 3.0
    np.testing.assert_array_equal(record.out, [3.0, 6.0])
    assert record.scope is not None
    assert record.scope.path == "block"
    assert record.saved == ("y",)
    assert record.source.startswith("test_trace.py:")
    assert list(t.leaves) == [x.node]
    assert t.variables == {x.node: "x", y.node: "y"}
    assert repr(t) == "<trace of 1 operation(s)>"


def test_it_records_what_is_not_on_the_tape() -> None:
    with tg.trace() as t, tg.no_grad():
        tg.exp(tg.Tensor([1.0], requires_grad=True))
    (record,) = t.records
    assert not isinstance(record.key, Node)
    assert record.saved == ()


def test_it_records_each_contribution_and_the_shape_before_it_was_summed() -> None:
    with tg.trace() as t:
        x = tg.Tensor(np.ones((2, 3)), requires_grad=True)
        b = tg.Tensor(np.arange(3.0), requires_grad=True)
        y = x * b
        y.backward(np.full((2, 3), 2.0))
    ((sent,),) = t.passes
    assert sent.node is y.node
    np.testing.assert_array_equal(sent.cotangent, np.full((2, 3), 2.0))
    assert [c is not None and c.shape for c in sent.contributions] == [(2, 3), (3,)]
    assert sent.raw_shapes == ((2, 3), (2, 3))
    assert "1 backward pass(es)" in repr(t)


def test_two_backward_passes_are_told_apart_and_the_last_is_drawn() -> None:
    with tg.trace() as t:
        x = tg.Tensor(3.0, requires_grad=True)
        y = x * x
        y.backward(retain_graph=True)
        y.backward(10.0)
    assert len(t.passes) == 2
    text = t.draw().text
    assert "gradient 60" in text
    assert "(backward pass 2 of 2)" in text


def test_the_operation_that_raised_is_kept_and_the_error_goes_on() -> None:
    t = tg.trace()
    a = tg.Tensor(np.ones((2, 3)), requires_grad=True)
    with pytest.raises(tg.ShapeError, match="matmul"), t:
        tg.exp(a) @ np.ones((4, 2))
    assert t.failure is not None
    assert t.failure.primitive is tg.matmul
    assert t.failure.inputs[1].shape == (4, 2)
    assert t.failure.source.startswith("test_trace.py:")
    assert "stopped by an error" in repr(t)
    drawing = t.draw()
    assert "(2, 3) and (4, 2)" in drawing.text
    assert drawing.view.failure.startswith("matmul")
    assert [n.kind for n in drawing.view.nodes] == ["leaf", "operation", "constant", "failure"]


def test_an_error_from_elsewhere_is_kept_without_an_operation() -> None:
    t = tg.trace()
    x = tg.Tensor(1.0, requires_grad=True)
    with pytest.raises(KeyError), t:
        {}[tg.exp(x)]
    assert t.failure is not None
    assert t.failure.primitive is None
    assert "KeyError raised" in t.draw().text


def test_an_error_that_was_handled_inside_is_forgotten() -> None:
    with tg.trace() as t:
        x = tg.Tensor([1.0, 2.0], requires_grad=True)
        with pytest.raises(tg.ShapeError):
            x + np.ones(3)
    assert t.failure is None
    t = tg.trace()
    with pytest.raises(ZeroDivisionError), t:
        handle_one_and_raise_another(x)
    assert t.failure is not None
    assert isinstance(t.failure.error, ZeroDivisionError)


def handle_one_and_raise_another(x: tg.Tensor) -> float:
    with contextlib.suppress(tg.ShapeError):
        x + np.ones(3)
    return 1 / 0


def test_a_trace_inside_a_trace_tells_the_outer_one_everything() -> None:
    with tg.trace() as outer:
        x = tg.Tensor(2.0, requires_grad=True)
        y = tg.exp(x)
        inner = tg.trace()
        with pytest.raises(tg.ShapeError), inner:
            sweep_and_raise(y)
    assert len(inner.records) == 1
    assert len(outer.records) == 2
    assert len(outer.passes) == 1
    assert inner.failure is not None
    assert outer.failure is None


def sweep_and_raise(y: tg.Tensor) -> tg.Tensor:
    (y * y).backward()
    return tg.Tensor([1.0]) @ tg.Tensor([1.0, 2.0])


def test_outside_a_trace_nothing_is_kept() -> None:
    with tg.trace() as t:
        pass
    tg.exp(tg.Tensor(1.0, requires_grad=True)).backward()
    assert t.records == []
    assert t.passes == []
    assert STATE.get().monitor is None


def test_another_thread_is_not_recorded() -> None:
    with tg.trace() as t:
        thread = threading.Thread(target=lambda: tg.exp(tg.Tensor(1.0, requires_grad=True)))
        thread.start()
        thread.join()
    assert t.records == []


def test_operations_of_a_recorded_backward_pass_lie_in_a_place_of_their_own() -> None:
    with tg.trace() as t:
        x = tg.Tensor(3.0, requires_grad=True)
        (slope,) = tg.gradients(x**3, [x], create_graph=True)
    assert slope.item() == 27.0
    first, *rest = (r.in_backward for r in t.records)
    assert not first
    assert rest
    assert all(rest)
    assert [c.label for c in t.draw().view.clusters] == ["backward pass"]


def test_it_draws_saves_and_tabulates(tmp_path: Path) -> None:
    with tg.trace() as t:
        x = tg.Tensor(3.0, requires_grad=True)
        y = x * x
        y.backward()
    t.save(tmp_path / "run.gv")
    assert (tmp_path / "run.gv").read_text(encoding="utf-8") == t.draw().dot
    table = t.table()
    assert table.startswith("FORWARD\n\n1. x is a leaf: 3")
    assert table.endswith("y sends ḡ · x = 1 · 3 = 3 to x: x has received 2 of 2, in all 6")
