"""A program in use: on arrays, on Tensors, in a larger graph, with modules and buffers; and what it refuses."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm import nn

RNG = np.random.default_rng(4)
X = RNG.standard_normal((5, 3))


def squares(x: Any, w: Any) -> tg.Tensor:
    return tg.functional.layer_norm(x, 3) * w


def test_on_arrays_it_gives_arrays_and_on_tensors_tensors() -> None:
    program = tg.program(squares, X, X)
    result = program(X, 2 * X)
    assert type(result) is np.ndarray
    x, w = tg.Tensor(X, requires_grad=True), tg.Tensor(2 * X, requires_grad=True)
    y = program(x, w)
    assert isinstance(y, tg.Tensor)
    assert np.array_equal(y.data, result)
    assert "op=squares" in repr(y)
    y.backward(X)
    y = program(x, w)
    y.backward(X)
    grads = program.vjp(X, X, 2 * X)
    assert x.grad is not None
    assert np.array_equal(x.grad.data, 2 * grads[0])
    with tg.no_grad():
        assert not program(x, w).requires_grad
    assert not program(tg.Tensor(X), tg.Tensor(X)).requires_grad


def test_only_what_needs_a_gradient_has_one_computed() -> None:
    program = tg.program(squares, X, X)
    w = tg.Tensor(X, requires_grad=True)
    program(X, w).sum().backward()
    (key,) = [k for k in program.variants if k[1] == (False, True)]
    assert len(program.variants[key][0].recording.backward) < len(program.recording.backward)
    other = tg.Tensor(X, requires_grad=True)
    squares(X, other).sum().backward()
    assert w.grad is not None
    assert other.grad is not None
    assert np.array_equal(w.grad.data, other.grad.data)


@pytest.mark.parametrize(
    "args",
    [(X, X), (X.astype(np.float32), X.astype(np.float32)), (X[:2], X[:2]), (X, X.astype(np.float32)), (X, X[0])],
    ids=lambda args: f"{args[0].shape}{args[0].dtype}",
)
def test_another_signature_records_anew(args: Any) -> None:
    program = tg.program(squares, X, X)
    for _ in range(2):
        result, expected = program(*args), squares(*args)
        assert result.dtype == expected.dtype
        assert np.array_equal(result, expected.data)
    assert len(program.variants) <= 2


@pytest.mark.parametrize("shape", [(5, 3), (70, 40), (3, 50, 64)])
def test_in_any_layout_it_is_eager_to_the_last_bit(shape: tuple[int, ...]) -> None:
    x, g = (RNG.standard_normal(shape).astype(np.float32) for _ in range(2))

    def norm(x: Any) -> tg.Tensor:
        return tg.functional.layer_norm(x, x.shape[-1])

    program = tg.program(norm, x)
    layouts: list[Any] = [lambda a: a, np.asfortranarray, lambda a: np.ascontiguousarray(a[::-1])[::-1]]
    for of_x in layouts:
        for of_g in layouts:
            mine, theirs = (tg.Tensor(of_x(x), requires_grad=True) for _ in range(2))
            program(mine).backward(of_g(g))
            norm(theirs).backward(of_g(g))
            assert mine.grad is not None
            assert theirs.grad is not None
            assert np.array_equal(mine.grad.data, theirs.grad.data)
    assert len(program.variants) <= 3


def test_hundreds_of_operations_in_a_row() -> None:
    def chain(x: Any) -> tg.Tensor:
        for _ in range(300):
            x = tg.tanh(1 / (1 + x))
        return x

    program = tg.program(chain, np.abs(X))
    assert np.array_equal(program(np.abs(X)), chain(np.abs(X)).data)
    compile(program.source, "printed", "exec")


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.dtype(">f8")])
def test_single_numbers_are_eager_to_the_last_bit(dtype: Any) -> None:
    def net(x: Any, w: Any, b: Any) -> tg.Tensor:
        for _ in range(3):
            x = tg.tanh(x * w + b) / (x - 2) + w**2 - 3 * b
        return x

    program = tg.program(net, *np.ones((3, 1, 1), dtype)[:, 0, 0])
    for values in (RNG.standard_normal(3), (2, 1e4, -1e4), (0, 0, 0), (np.inf, -1, 1), (np.nan, 1, 0)):
        mine, theirs = ([tg.Tensor(np.array(v, dtype), requires_grad=True) for v in values] for _ in range(2))
        g = np.array(RNG.standard_normal(), dtype)
        with np.errstate(all="ignore"):
            ends = program(*mine), net(*theirs)
            for end in ends:
                end.backward(g)
            assert np.array_equal(ends[0].data, ends[1].data, equal_nan=True)
            assert ends[0].dtype == ends[1].dtype
        for m, t in zip(mine, theirs, strict=True):
            assert m.grad is not None
            assert t.grad is not None
            assert m.grad.dtype == t.grad.dtype
            assert np.array_equal(m.grad.data, t.grad.data, equal_nan=True)
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        program(*np.array([2, 1, 1], np.float64))


def test_its_backward_pass_is_that_of_every_tensor() -> None:
    program = tg.program(squares, X, X)
    x, w = (tg.Tensor(X, requires_grad=True) for _ in range(2))
    program(x, x).backward(X)
    squares(other := tg.Tensor(X, requires_grad=True), other).backward(X)
    assert x.grad is not None
    assert other.grad is not None
    # Two inputs of a program are one leaf here; its two gradients are added last.
    np.testing.assert_allclose(x.grad.data, other.grad.data, rtol=1e-14)
    y = program(x, w)
    y.backward(X, retain_graph=True)
    y.backward(X)
    with pytest.raises(tg.GraphReleasedError):
        y.backward(X)
    with pytest.raises(tg.GraphError, match="must start from a single number"):
        program(x, w).backward()
    with pytest.raises(tg.ShapeError):
        program(x, w).backward(X[0])
    y = program(x, w)
    y.retain_grad()
    y.backward(2 * X)
    assert y.grad is not None
    assert np.array_equal(y.grad.data, 2 * X)
    x.grad = None
    program(x, w).backward(X, create_graph=True)
    assert x.grad is not None
    assert x.grad.requires_grad


def test_what_was_kept_of_a_recording_is_a_tensor_as_ever() -> None:
    kept: list[tg.Tensor] = []

    def leak(x: Any) -> tg.Tensor:
        kept.append(x * 2)
        return x * 3

    program = tg.program(leak, X)
    assert type(kept[0].data) is np.ndarray
    assert np.array_equal(program(X), X * 3)


def test_plain_arguments_are_part_of_the_signature() -> None:
    def power(x: Any, n: Any, scale: Any = 1.0) -> tg.Tensor:
        return x**n * scale

    program = tg.program(power, X, 2)
    for n in (2, 3, 2.0, True):
        assert np.array_equal(program(X, n), power(tg.Tensor(X), n).data, equal_nan=True)
        assert np.array_equal(program(X, n=n, scale=3), power(tg.Tensor(X), n, 3).data, equal_nan=True)


def test_a_tensor_in_two_places_has_the_sum_of_both_gradients() -> None:
    def function(a: tg.Tensor, b: tg.Tensor) -> tg.Tensor:
        return (a * b + np.exp(a) - b / 3).sum()

    values = np.random.default_rng(0).standard_normal(50)
    program = tg.program(function, values, values)
    twice, one, two = (tg.Tensor(values, requires_grad=True) for _ in range(3))
    program(twice, twice).backward()
    program(one, two).backward()
    assert twice.grad is not None
    assert np.array_equal(twice.grad, one.grad.data + two.grad.data)
    same = tg.Tensor(values, requires_grad=True)
    function(same, same).backward()
    assert same.grad is not None
    terms = np.abs(values) + np.exp(values) + 1 / 3
    assert np.all(np.abs(twice.grad.data - same.grad.data) <= 4 * np.finfo(float).eps * terms)


def test_a_whole_number_of_a_real_value_is_refused_where_a_little_less_gives_another() -> None:
    def times(x: tg.Tensor, n: tg.Tensor) -> tg.Tensor:
        return x * int(n)

    x = np.arange(3.0)
    for n in (np.array(2.5), np.array(2)):
        program = tg.program(times, x, n)
        for other in (n, n + 3):
            assert np.array_equal(program(x, other), x * int(other))
    with pytest.raises(tg.GraphError, match=r"read at test_program.py.*, 2, was 1 at the other"):
        tg.program(times, x, np.array(2.0))


def test_in_a_larger_graph_to_second_order() -> None:
    program = tg.program(lambda x: tg.functional.softmax(x), X)

    def loss(f: Any, x: Any) -> tg.Tensor:
        return (f(x.square()) ** 3).sum()

    v = RNG.standard_normal(X.shape)
    for derivative in (tg.grad, lambda f: lambda x: tg.hvp(f, x, v), tg.hessian):
        mine = derivative(partial(loss, program))(X).data
        theirs = derivative(partial(loss, tg.functional.softmax))(X).data
        np.testing.assert_allclose(mine, theirs, rtol=1e-12, atol=1e-14)
    assert tg.gradcheck(program, [tg.Tensor(X, requires_grad=True)])


def test_a_program_of_a_gradient_and_of_a_program() -> None:
    gradient = tg.grad(lambda x: (tg.functional.layer_norm(x, 3) ** 3).sum())
    program = tg.program(gradient, X)
    assert np.array_equal(program(X), gradient(X).data)
    again = tg.program(lambda x: program(x) * 2, X)
    assert np.array_equal(again(X), gradient(X).data * 2)
    assert "mean" in again.source


def test_several_results_some_without_a_gradient() -> None:
    def both(x: Any, k: Any) -> Any:
        return x * 2, (k + 1, None), x.sum()

    k = np.arange(3)
    program = tg.program(both, X, k)
    y, (counts, nothing), total = program(X, k)
    assert np.array_equal(y, X * 2)
    assert np.array_equal(counts, k + 1)
    assert nothing is None
    leaf = tg.Tensor(X, requires_grad=True)
    y, (counts, _), total = program(leaf, k)
    assert not counts.requires_grad
    ((y * X).sum() + total * 3).backward()
    assert leaf.grad is not None
    np.testing.assert_allclose(leaf.grad.data, 2 * X + 3)
    gradient = program.backward((X, np.float64(3)), program.forward(X, k)[1])
    np.testing.assert_allclose(gradient, 2 * X + 3)


def test_a_model_trains_as_it_does_eagerly() -> None:
    tg.manual_seed(0)
    models = [nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 1)) for _ in range(2)]
    models[1].load_state_dict(models[0].state_dict())
    program = tg.program(models[0], X)
    assert np.array_equal(models[0][1].running_mean.data, np.zeros(4))
    for model, f in zip(models, (program, models[1]), strict=True):
        optimizer = tg.optim.Adam(model.parameters(), lr=0.1)
        for step in range(5):
            optimizer.zero_grad()
            (f(X + step) ** 2).mean().backward()
            optimizer.step()
    for name, value in models[0].state_dict().items():
        assert np.array_equal(value, models[1].state_dict()[name]), name
    for model in models:
        model.eval()
    assert np.array_equal(program(X).data, models[1](X).data)


def test_a_model_that_a_function_reads_has_its_parameters_as_inputs() -> None:
    model = nn.Linear(3, 2)
    scale = tg.Tensor(2.0, requires_grad=True)
    both = {"model": model, "scales": [scale]}

    def loss(x: Any, t: Any) -> tg.Tensor:
        return tg.functional.mse_loss(both["model"](x) * both["scales"][0], t)  # type: ignore[operator,index]

    program = tg.program(loss, X, X[:, :2])
    assert set(program.inputs) == {"x", "t", "both.model.weight", "both.model.bias", "both.scales.0"}
    program(X, X[:, :2]).backward()
    found = [model.weight.grad.data, scale.grad.data]
    model.zero_grad()
    scale.grad = None
    loss(X, X[:, :2]).backward()
    assert np.array_equal(found[0], model.weight.grad.data)
    assert np.array_equal(found[1], scale.grad.data)
    slope = tg.program(tg.grad(loss), X, X[:, :2])
    assert set(slope.inputs) == set(program.inputs)
    assert np.array_equal(slope(X, X[:, :2]).data, tg.grad(loss)(X, X[:, :2]).data)
    model.requires_grad_(False)
    program(X, X[:, :2]).backward()
    assert model.bias.requires_grad is False


def test_recording_leaves_everything_as_it_was() -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3))
    before = {k: v.copy() for k, v in model.state_dict().items()}
    kinds = [type(p) for p in (*model.parameters(), *model.buffers())]
    nodes = [p.node for p in model.parameters()]
    given, mask = X.copy(), np.ones(5)
    tg.program(lambda x, m: (model(x) * m[:, None]).sum(), given, mask)
    with pytest.raises(tg.GraphError):
        tg.program(lambda x: model(x) * np.asarray(x), given)
    assert np.array_equal(given, X)
    assert given.flags.writeable
    assert [type(p) for p in (*model.parameters(), *model.buffers())] == kinds
    assert [p.node for p in model.parameters()] == nodes
    for name, value in model.state_dict().items():
        assert np.array_equal(value, before[name])


def test_threads_may_record_programs_of_one_model_at_the_same_time() -> None:
    model = nn.Linear(3, 2)
    expected = {n: model(X[:n]).data for n in range(1, 5)}
    for _ in range(10):
        program = tg.program(model, X)
        with ThreadPoolExecutor(4) as pool:
            found = dict(zip(expected, pool.map(lambda n, run=program: run(X[:n]).data, expected), strict=True))
        assert all(np.array_equal(found[n], expected[n]) for n in expected)


def test_errors_are_those_of_the_function() -> None:
    def chosen(x: Any, t: Any) -> tg.Tensor:
        with tg.scope("loss"):
            return tg.functional.cross_entropy(np.linalg.inv(x) @ x, t)

    s, t = X[:3] + np.eye(3), np.array([0, 1, 2])
    program = tg.program(chosen, s, t)
    with pytest.raises(tg.InputError, match="inv in loss: every matrix"):
        program(np.zeros((3, 3)), t)
    with pytest.raises(tg.IndexRangeError, match=r"cross_entropy: a target must be a class in \[0, 3\)"):
        program(s, t + 1)
    with pytest.raises(tg.ShapeError, match="the target must have"):
        program(s, t[:2])


def test_under_a_trace_and_in_search_of_anomalies_the_function_runs() -> None:
    program = tg.program(squares, X, X)
    with tg.trace() as t:
        program(tg.Tensor(X), tg.Tensor(X))
    assert len(t.records) > 5
    with tg.detect_anomaly(), np.errstate(all="ignore"), pytest.raises(tg.AnomalyError, match="layer_norm"):
        program(tg.Tensor(X * np.inf), tg.Tensor(X))


def test_a_rule_that_reads_other_values_is_computed_by_the_function() -> None:
    program = tg.program(lambda x: tg.prod(x, axis=0), X)
    zeros = np.where(X > 0, X, 0.0)
    leaf, other = tg.Tensor(zeros, requires_grad=True), tg.Tensor(zeros, requires_grad=True)
    program(leaf).sum().backward()
    tg.prod(other, axis=0).sum().backward()
    assert leaf.grad is not None
    assert other.grad is not None
    assert np.array_equal(leaf.grad.data, other.grad.data)
    with pytest.raises(tg.GraphError, match="must read the values that it read"):
        program.vjp(np.ones(3), zeros)


def test_a_primitive_of_somebodys_own() -> None:
    cube = tg.primitive(
        lambda x, /: x**3, vjp=lambda g, x: (3 * g * x * x,), name="my_cube", samples=[tg.sample((2, 3))]
    )
    try:
        program = tg.program(cube, X)
        assert np.array_equal(program(X), X**3)
        assert np.array_equal(program.vjp(X, X), 3 * X * X * X)
        assert 'my_cube = PRIMITIVES["my_cube"].forward' in program.source
    finally:
        del tg.PRIMITIVES["my_cube"]


def test_what_is_no_function_or_gives_no_tensor_is_refused() -> None:
    with pytest.raises(tg.OperandError, match="must get a function or a module to record; got int"):
        tg.program(3)  # type: ignore[arg-type]
    with pytest.raises(tg.OperandError, match=r"must get a function that returns a Tensor.*got float"):
        tg.program(lambda x: 3.0, X)
    program = tg.program(squares, X, X)
    with pytest.raises(tg.ShapeError, match=r"one cotangent for each result of squares, of shape \(5, 3\); got \(3,\)"):
        program.backward(X[0], program.forward(X, X)[1])
    with pytest.raises(tg.GraphError, match="must be an argument, or stand in a variable"):
        tg.program(lambda x: x * tg.Tensor(X, requires_grad=True), X)
    with pytest.raises(tg.GraphError, match="must keep its values while a function is recorded"):
        tg.program(lambda x: setattr(x, "data", X) or x, tg.Tensor(X))
