"""The sweep: every contribution arrives once, in order, at any depth; a released graph says so; nothing leaks."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_norm as tg
from tinygrad_norm.engine.details.summation import broadcast_axes, sum_to
from tinygrad_norm.engine.primitives import indexing
from tinygrad_norm.engine.primitives.indexing import Part, take_index
from tinygrad_norm.engine.sweep import seed_for


def leaf(values: Any, **how: Any) -> tg.Tensor:
    return tg.Tensor(values, requires_grad=True, **how)


# Shapes of graphs


def test_a_tensor_used_twice() -> None:
    x = leaf([1.0, -2.0, 3.0])
    (x * x).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [2.0, -4.0, 6.0]


def test_a_diamond() -> None:
    x = leaf(3.0)
    left, right = x * 2.0, x.exp()
    (left * right).backward()
    assert x.grad is not None
    assert x.grad.item() == pytest.approx(2 * np.exp(3.0) * (1 + 3.0))


def test_a_tower_of_diamonds_is_not_walked_path_by_path() -> None:
    x = leaf(1.0)
    y = x
    for _ in range(200):  # 2²⁰⁰ paths
        y = y * 0.5 + y * 0.5
    y.backward()
    assert x.grad is not None
    assert x.grad.item() == 1.0


def test_a_late_branch_waits_for_all_its_contributions() -> None:
    x = leaf(2.0)
    early = x * x
    late = early * 3.0
    total = early + late * early
    total.backward()
    # d/dx (x² + 3x⁴)
    assert x.grad is not None
    assert x.grad.item() == 2 * 2.0 + 12 * 8.0


def test_contributions_of_many_branches_add_up_without_touching_each_other() -> None:
    x, w = leaf(np.ones(4)), leaf(np.arange(4.0))
    h = x + w
    parts = [h * float(k) for k in range(5)]
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    total.retain_grad()
    h.retain_grad()
    total.backward(np.array([1.0, 2.0, 3.0, 4.0]))
    for t, factor in ((total, 1.0), (h, 10.0), (x, 10.0), (w, 10.0)):
        assert t.grad is not None
        assert t.grad.tolist() == [factor * v for v in (1.0, 2.0, 3.0, 4.0)]


def test_two_outputs_of_one_graph_add_up_in_the_leaf() -> None:
    x = leaf(2.0)
    y = x * x
    (y * 1.0).backward(retain_graph=True)
    (y * 10.0).backward()
    assert x.grad is not None
    assert x.grad.item() == 44.0


def test_a_leaf_is_its_own_gradient() -> None:
    x = leaf([1.0, 2.0])
    x.backward([3.0, 4.0])
    x.backward([3.0, 4.0])
    assert x.grad is not None
    assert x.grad.tolist() == [6.0, 8.0]


def test_inputs_that_need_no_gradient_get_none() -> None:
    x, c = leaf(2.0), tg.Tensor(5.0)
    y = x * c
    y.backward()
    assert c.grad is None
    assert not c.requires_grad
    assert y.grad is None


# Where a backward pass starts


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_one_is_the_cotangent_of_a_single_number(dtype: Any) -> None:
    for shape in ((), (1,), (1, 1)):
        seed = seed_for(None, shape, np.dtype(dtype))
        assert (seed.shape, seed.dtype, seed.item()) == (shape, dtype, 1.0)


@pytest.mark.parametrize("shape", [(2,), (0,), (1, 0)])
def test_what_is_not_a_single_number_needs_a_cotangent(shape: Any) -> None:
    with pytest.raises(tg.GraphError, match=r"must start from a single number; got shape \(\d"):
        seed_for(None, shape, np.dtype(float))


def test_a_cotangent_has_the_shape_and_the_dtype_of_its_result() -> None:
    narrow = np.dtype(np.float32)
    assert seed_for(np.ones(2), (2,), narrow).dtype == narrow
    with pytest.raises(tg.ShapeError, match=r"must have its shape \(2,\); got \(2, 1\)"):
        seed_for(np.ones((2, 1)), (2,), narrow)


def test_a_result_that_is_given_twice_counts_twice() -> None:
    x = leaf(3.0)
    y = x * x
    assert tg.gradients([y, y], x, [1.0, 10.0]).item() == 66.0


def test_a_result_that_does_not_lead_to_a_target_is_left_alone() -> None:
    x, w = leaf(3.0), leaf(5.0)
    other = w * w
    other.backward()  # its graph is gone, and not needed
    assert tg.gradients([x * x, other], x, [1.0, 1.0]).item() == 6.0


@pytest.mark.usefixtures("planted")
def test_a_wide_contribution_is_not_added_into_a_narrow_sum() -> None:
    def rule(g: Any) -> tuple[Any, ...]:
        return (g.astype(np.float32),)

    narrow = tg.primitive(lambda x, /: x * 1.0, vjp=rule, samples=[tg.sample((3,))], name="narrow")
    x = leaf([1.0])
    h = x * 1.0
    # The newest is swept first: two narrow ones make a sum that the sweep owns, then comes the wide one.
    total = h * (2.0**-30) + narrow(h) + narrow(h)
    assert tg.gradients(total, h, [1.0]).tolist() == [2.0 + 2.0**-30]


# Parts: what picking entries sends back

USES: list[Callable[[tg.Tensor], tg.Tensor]] = [
    *(
        lambda h, index=index: h[index]
        for index in (0, -1, slice(1, 3), slice(None, None, -2), (1, 2), (..., 0), (None, 1), ..., np.array([0, 0, 2]))
    ),
    *[lambda h: h * 2.0] * 5,
    lambda h: h * np.float64(2.0),  # sends back a wider dtype
]


@given(
    uses=st.lists(st.tuples(st.sampled_from(USES), st.integers(0, 99)), min_size=1, max_size=6),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_parts_add_up_as_whole_arrays_do_to_the_sign_of_a_zero(uses: Any, dtype: Any) -> None:
    def gradients() -> list[bytes]:
        x = leaf(np.ones((3, 4), dtype))
        h = x * 1.0
        ends = [use(h) for use, _ in uses]
        rngs = [np.random.default_rng(seed) for _, seed in uses]
        gs = [rng.choice([-0.0, -0.0, 0.1], y.shape).astype(y.dtype) for rng, y in zip(rngs, ends, strict=True)]
        return [g.data.tobytes() for g in tg.gradients(ends, [h, x], gs)]

    mine = gradients()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(indexing, "Part", lambda *part: np.asarray(Part(*part)))
        assert mine == gradients()


def test_a_loop_over_rows_makes_no_whole_array_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    whole = Part.__array__
    monkeypatch.setattr(Part, "__array__", lambda part, *how, **more: made.append(1) or whole(part, *how, **more))
    x = leaf(np.ones((50, 2)))
    total = x[0]
    for row in x:
        total = total + row
    total.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[2.0, 2.0]] + [[1.0, 1.0]] * 49
    assert len(made) == 1


def test_a_part_is_an_array_to_who_watches() -> None:
    x = leaf(np.arange(6.0).reshape(3, 2))
    with tg.trace() as trace, tg.detect_anomaly():
        (x[0] * x[2] * x[0]).sum().backward()
    sent = [step.contributions[0] for step in trace.passes[0] if repr(step.node.primitive) == repr(take_index)]
    assert [s.shape for s in sent if s is not None] == [(3, 2)] * 3
    assert x.grad is not None
    assert np.array_equal(np.sum(sent, axis=0), x.grad.data)


# Release


def test_a_second_backward_says_what_to_do() -> None:
    x = leaf([1.0, 2.0])
    with tg.scope("model"):
        y = (x * x).sum()
    y.backward()
    with pytest.raises(
        tg.GraphReleasedError,
        match=r"graph of sum in model must still hold its saved arrays; an earlier backward\(\) released them. "
        r"Call that one with retain_graph=True, or compute the result anew.",
    ):
        y.backward()
    with pytest.raises(tg.GraphReleasedError):
        tg.gradients(y, x)
    assert x.grad is not None
    assert x.grad.tolist() == [2.0, 4.0]


def test_a_released_part_is_noticed_also_where_nothing_was_saved() -> None:
    x = leaf(1.0)
    shared = x + 1.0
    (shared * 2.0).backward()
    with pytest.raises(tg.GraphReleasedError, match="graph of add must"):
        (shared * 3.0).backward()


def test_retain_graph_and_gradients_keep_the_graph() -> None:
    x = leaf(3.0)
    y = x * x
    y.backward(retain_graph=True)
    assert tg.gradients(y, x).item() == 6.0
    y.backward(create_graph=True)
    y.backward()
    assert x.grad is not None
    assert x.grad.item() == 18.0


def test_backward_drops_what_was_saved() -> None:
    x = leaf(np.ones(3))
    y = (x * x).exp()
    saved = weakref.ref(y.node.saved[0])
    y.sum().backward()
    assert y.node.saved is None
    assert saved() is not None  # y itself still shows its values
    del y
    assert saved() is None


# A backward pass that is recorded itself


def test_a_saved_input_is_differentiated_again() -> None:
    x, w = leaf([1.0, 2.0]), leaf([3.0, 5.0])
    for product in (x * w, tg.einsum("i,i->i", x, w)):  # saved one by one, and as a tuple
        slope = tg.gradients(product, x, [1.0, 10.0], create_graph=True)
        assert tg.gradients(slope.sum(), w).tolist() == [1.0, 10.0]


def test_it_stands_in_the_scope_of_its_call_and_ends_with_it() -> None:
    x = leaf(3.0)
    y = x**3
    with tg.scope("training"), tg.no_grad():
        slope = tg.gradients(y, x, create_graph=True)
        assert not (x * 2.0).requires_grad
    assert slope.node is not None
    assert slope.node.scope is not None
    assert slope.node.scope.path == "training"
    assert tg.gradients(slope, x).item() == 18.0


# What is refused


@pytest.mark.usefixtures("planted")
def test_nothing_is_summed_for_a_rule_that_does_not_broadcast() -> None:
    def rule(g: Any) -> tuple[Any, ...]:
        return (np.ones((2, 3)) * g,)

    wide = tg.primitive(lambda x, /: x * 1.0, vjp=rule, samples=[tg.sample((3,))], name="wide")
    with pytest.raises(tg.VJPError, match=r"must return a cotangent of shape \(3,\) for input 0; got \(2, 3\)"):
        wide(leaf(np.ones(3))).sum().backward()


def test_an_operation_is_not_blamed_for_an_infinity_that_it_was_given() -> None:
    x = leaf([1.0])
    with tg.detect_anomaly():
        (x * 2.0).backward([np.inf])
    assert x.grad is not None
    assert x.grad.tolist() == [np.inf]


# An error on the way leaves every gradient as it was


@pytest.mark.usefixtures("planted")
def test_a_failing_rule_changes_no_gradient() -> None:
    broken = tg.primitive(lambda x, /: x * 1.0, vjp=lambda g: 1 / 0, samples=[tg.sample((3,))], name="broken")
    x, w = leaf(np.ones(3)), leaf(np.ones(3))
    w.grad = tg.Tensor(np.full(3, 7.0))
    with tg.scope("model"):
        y = (broken(x) + w).sum()
    with (
        pytest.raises(
            tg.VJPError, match=r"VJP of broken in model must .* shape \(3,\); got ZeroDivisionError: division"
        ),
        tg.scope("elsewhere"),
    ):
        y.backward()
    assert x.grad is None
    assert w.grad is not None
    assert w.grad.tolist() == [7.0] * 3


# The adjoint of broadcasting


@pytest.mark.parametrize(
    ("shape", "target", "axes"),
    [
        ((3, 5), (3, 5), ()),
        ((2, 3, 5), (3, 5), (0,)),
        ((3, 5), (3, 1), (1,)),
        ((3, 5), (), (0, 1)),
        ((2, 3), (1, 1), (0, 1)),
        ((3,), (2, 3), None),
        ((3, 5), (5, 5), None),
        ((0, 4), (1, 4), (0,)),
    ],
)
def test_summing_back(shape: Any, target: Any, axes: Any) -> None:
    assert broadcast_axes(shape, target) == axes
    g = np.arange(np.prod(shape), dtype=float).reshape(shape)
    if axes is None:
        with pytest.raises(tg.VJPError, match=r"must have a shape that .* broadcasts to; got .* Correct the rule"):
            sum_to(g, target)
    else:
        assert np.array_equal(sum_to(g, target), g.sum(axes).reshape(target) if axes else g)
