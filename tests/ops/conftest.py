"""The battery that every primitive passes at every sample: ``case(primitive, sample).check_...()``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from zlib import crc32

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm.engine.tape import STATE
from tinygrad_norm.samples import Sample

Arrays = list[np.ndarray]


def values(x: Any) -> np.ndarray:
    return x.data if isinstance(x, tg.Tensor) else np.asarray(x)


class Spy:
    """A monitor that keeps what every rule sent."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    def recorded(self, *about: Any) -> None: ...

    def failed(self, *about: Any) -> None: ...

    def swept(self, node: Any, cotangent: Any, contributions: Any) -> None:
        self.sent += [c for c in contributions if c is not None]

    def __enter__(self) -> Spy:
        self.token = STATE.set(STATE.get().replaced(monitor=self))
        return self

    def __exit__(self, *error: object) -> None:
        STATE.reset(self.token)


class Case:
    """A primitive at one of its samples, and the checks that it must pass there."""

    def __init__(self, along: Any, agree: Any, made: tg.Primitive, point: Sample) -> None:
        self.along, self.agree = along, agree
        self.primitive, self.params = made, dict(point.params)
        self.rng = np.random.default_rng(crc32(f"{made.name} {point}".encode()))
        self.xs: Arrays = point.draw(self.rng)
        self.out = np.asarray(self.forward(*self.xs))
        self.u = self.rng.standard_normal(self.out.shape).astype(self.out.dtype)
        # The inputs that have a gradient.
        self.free = [i for i, x in enumerate(self.xs) if x.dtype.kind == "f" and made.flows_to(i)]

    def forward(self, *xs: Any) -> Any:
        return self.primitive.forward(*xs, **self.params)

    def leaves(self, xs: Sequence[Any], only: Sequence[int] | None = None) -> list[tg.Tensor]:
        wanted = self.free if only is None else only
        return [tg.Tensor(x, requires_grad=i in wanted) for i, x in enumerate(xs)]

    def gradients(self, xs: Sequence[Any], u: Any, create_graph: bool = False) -> tuple[tg.Tensor, ...]:
        leaves = self.leaves(xs)
        y = self.primitive(*leaves, **self.params)
        return tg.gradients(y, [leaves[i] for i in self.free], u, create_graph=create_graph)

    def numeric_gradient(self, i: int) -> np.ndarray:
        """Return ∂⟨ū, f⟩/∂xs[i], one central difference for each entry."""
        result = np.zeros(self.xs[i].shape)
        for at in np.ndindex(result.shape):
            unit = np.zeros(result.shape)
            unit[at] = 1.0
            tangents = [unit if j == i else None for j in range(len(self.xs))]
            result[at] = np.sum(self.along(self.forward, self.xs, tangents) * self.u)
        return result

    def check_vjp(self) -> None:
        """The VJP against a central difference for every entry of every input."""
        for i, mine in zip(self.free, self.gradients(self.xs, self.u), strict=True):
            self.agree(mine, self.numeric_gradient(i), self.out.dtype)

    def check_vjp_of_vjp(self) -> None:
        """The derivative of ⟨w, VJP(x, ḡ)⟩ by x and ḡ, w random, along random directions; and create_graph's values."""
        leaves = self.leaves(self.xs)
        g = tg.Tensor(self.u, requires_grad=True)
        y = self.primitive(*leaves, **self.params)
        free = [leaves[i] for i in self.free]
        first = tg.gradients(y, free, g, create_graph=True)
        for recorded, plain in zip(first, self.gradients(self.xs, self.u), strict=True):
            # prod multiplies in another order when it is recorded: at most 15 factors here, each order 15 roundings.
            rounding = 30 * np.finfo(float).eps if self.primitive.name == "prod" else 0.0
            np.testing.assert_allclose(values(recorded), values(plain), rtol=rounding, atol=0.0)
        ws = [self.rng.standard_normal(x.shape) for x in free]
        reached = [(f, w) for f, w in zip(first, ws, strict=True) if f.requires_grad]
        second = [np.zeros(x.shape) for x in [*free, g]]
        if reached:
            ends, weights = zip(*reached, strict=True)
            second = [values(s) for s in tg.gradients(ends, [*free, g], weights)]

        def functional(*point: Any) -> float:
            *xs, u = point
            found = self.gradients(xs, u)
            return sum(float(np.sum(w * values(f))) for w, f in zip(ws, found, strict=True))

        for _ in range(3):
            vs: list[Any] = [
                self.rng.standard_normal(x.shape) if i in self.free else None for i, x in enumerate(self.xs)
            ]
            dg = self.rng.standard_normal(self.u.shape)
            moving = [vs[i] for i in self.free]
            mine = sum(float(np.sum(s * v)) for s, v in zip(second, [*moving, dg], strict=True))
            self.agree(mine, self.along(functional, [*self.xs, self.u], [*vs, dg]), self.out.dtype)

    def check_each_input_alone(self) -> None:
        """An input's gradient does not depend on whether the others are tracked."""
        together = self.gradients(self.xs, self.u)
        for i, expected in zip(self.free, together, strict=True):
            leaves = self.leaves(self.xs, only=[i])
            y = self.primitive(*leaves, **self.params)
            assert np.array_equal(tg.gradients(y, leaves[i], self.u), expected)

    def check_purity(self) -> None:
        """Nothing is written into an input, a cotangent, a result or what was saved; and twice gives the same."""
        before = [x.copy() for x in self.xs]
        frozen = [x.copy() for x in self.xs]
        cotangent = tg.Tensor(self.u)
        for array in frozen:
            array.flags.writeable = False
        leaves = self.leaves(frozen)
        y = self.primitive(*leaves, **self.params)
        out = y.numpy()
        inputs = [leaves[i] for i in self.free]
        first = tg.gradients(y, inputs, cotangent)
        kept = [f.numpy() for f in first]
        again = tg.gradients(y, inputs, cotangent)
        assert all(np.array_equal(a, k) and np.array_equal(f, k) for a, f, k in zip(again, first, kept, strict=True))
        assert np.array_equal(y, out)
        assert np.array_equal(cotangent, self.u)
        assert all(np.array_equal(x, b) for x, b in zip(self.xs, before, strict=True))
        assert all(np.array_equal(t, b) for t, b in zip(leaves, before, strict=True))
        # The raw forward function and rules too, on arrays that cannot be written to.
        result = np.asarray(self.forward(*frozen))
        np.testing.assert_array_equal(result, out)
        result.flags.writeable = False
        shapes = tuple(x.shape for x in frozen)
        wanted = [object() if i in self.free else None for i in range(len(frozen))]
        saved = self.primitive.save(result, frozen, shapes, {**self.primitive.defaults, **self.params}, wanted)
        u = self.u.copy()
        u.flags.writeable = False
        self.primitive.pull_back(u, saved)

    def check_layout(self) -> None:
        """Transposed, reversed and strided inputs: the same values and the gradient in its place."""
        for view, back in LAYOUTS:
            leaves = self.leaves([np.array(back(x), order="C") for x in self.xs])
            viewed = [view(t) for t in leaves]
            assert all(np.array_equal(v, x) for v, x in zip(viewed, self.xs, strict=True))
            y = self.primitive(*viewed, **self.params)
            np.testing.assert_allclose(values(y), self.out, rtol=1e-13, atol=1e-13)
            u = view(tg.Tensor(np.array(back(self.u), order="C")))
            found = tg.gradients(y, [leaves[i] for i in self.free], u)
            for mine, expected in zip(found, self.gradients(self.xs, self.u), strict=True):
                np.testing.assert_allclose(values(mine), back(values(expected)), rtol=1e-12, atol=1e-12)

    def check_dtype(self, dtype: Any) -> None:
        """Narrow inputs give a narrow result and narrow cotangents all the way, close to the wide ones."""
        xs = [x.astype(dtype) if x.dtype.kind == "f" else x for x in self.xs]
        leaves = self.leaves(xs)
        y = self.primitive(*leaves, **self.params)
        wide = [x.astype(np.float64) if x.dtype.kind == "f" else x for x in xs]
        expected = self.forward(*wide)
        assert y.dtype == dtype
        u = self.u.astype(y.dtype)
        with Spy() as spy:
            found = tg.gradients(y, [leaves[i] for i in self.free], u)
        assert {np.asarray(c).dtype for c in spy.sent} <= {np.dtype(dtype)}
        graph = tg.gradients(y, [leaves[i] for i in self.free], u, create_graph=True)
        assert {f.dtype for f in (*found, *graph)} <= {np.dtype(dtype)}
        # A hundred roundings, each of the size of the largest entry.
        bound = 100 * float(np.finfo(dtype).eps)
        wanted = self.gradients(wide, u.astype(np.float64))
        for narrow, exact in zip([y, *found], [expected, *wanted], strict=True):
            exact = values(exact)
            size = 1.0 + np.max(np.abs(exact), initial=0.0)
            assert np.max(np.abs(values(narrow).astype(np.float64) - exact), initial=0.0) <= bound * size

    def check_python_numbers(self) -> None:
        """A Python number in place of an input widens neither the result nor any cotangent of a float32."""
        for i in self.free:
            if self.xs[i].shape:
                continue
            xs: list[Any] = [x.astype(np.float32) if x.dtype.kind == "f" else x for x in self.xs]
            xs[i] = float(xs[i])
            others = [j for j in self.free if j != i]
            leaves: list[Any] = [tg.Tensor(x, requires_grad=True) if j in others else x for j, x in enumerate(xs)]
            with Spy() as spy:
                y = self.primitive(*leaves, **self.params)
                found = tg.gradients(y, [leaves[j] for j in others], self.u)
            assert {y.dtype, *(f.dtype for f in found), *(np.asarray(c).dtype for c in spy.sent)} == {
                np.dtype(np.float32)
            }
            together = dict(zip(self.free, self.gradients(self.xs, self.u), strict=True))
            for j, narrow in zip(others, found, strict=True):
                np.testing.assert_allclose(values(narrow), values(together[j]), rtol=1e-4, atol=1e-5)

    def check_adjoint(self) -> None:
        """For a linear operation A: A(αx + βz) = αAx + βAz and ⟨Ax, u⟩ = ⟨x, Aᵀu⟩, on whole numbers, so exactly."""
        xs, zs = ([self.rng.integers(-9, 10, x.shape).astype(float) for x in self.xs] for _ in range(2))
        u = self.rng.integers(-9, 10, self.out.shape).astype(self.out.dtype)
        ax, az = np.asarray(self.forward(*xs)), np.asarray(self.forward(*zs))
        mixed = self.forward(*(2.0 * x - 3.0 * z for x, z in zip(xs, zs, strict=True)))
        # Only mean divides: one rounding an entry.
        size = np.finfo(float).eps * (1.0 + np.sum(np.abs(ax)) + np.sum(np.abs(az))) * 10
        assert np.max(np.abs(mixed - (2.0 * ax - 3.0 * az)), initial=0.0) <= size
        back = self.gradients(xs, u)
        right = sum(float(np.sum(x * values(b))) for x, b in zip(xs, back, strict=True))
        assert abs(float(np.sum(ax * u)) - right) <= size * 9

    def check_saved(self) -> None:
        """The node holds exactly what the rules name, for the inputs that are tracked, and nothing for the others."""
        made = self.primitive
        leaves = self.leaves(self.xs)
        y = made(*leaves, **self.params)
        node = y.node
        assert node is not None
        assert node.shapes == tuple(x.shape for x in self.xs)
        params = {**made.defaults, **self.params}
        inputs = ("xs",) if made.variadic else made.inputs
        arrays = [tuple(self.xs)] if made.variadic else self.xs
        shapes = [node.shapes] if made.variadic else node.shapes
        pool = {"out": self.out, **dict(zip(inputs, arrays, strict=True)), **params}
        pool |= {f"{n}_shape": s for n, s in zip(inputs, shapes, strict=True)}
        assert node.saved is not None
        groups = [node.saved] if made.joint else node.saved
        assert len(groups) == len(made.saves)
        for i, (names, held) in enumerate(zip(made.saves, groups, strict=True)):
            if not made.joint and i not in self.free:
                assert held is None
                continue
            assert len(held) == len(names)
            for name, value in zip(names, held, strict=True):
                same(value, pool[name])


def same(a: Any, b: Any) -> None:
    """Fail unless two saved values, perhaps nested in tuples, are equal."""
    if isinstance(a, tuple):
        assert isinstance(b, tuple)
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            same(x, y)
    elif isinstance(a, np.ndarray):
        np.testing.assert_array_equal(a, b)
    else:
        assert a is b or a == b


def last_of_two(x: Any) -> Any:
    """Return every second entry along each axis: the strided view that ``spaced`` is undone by."""
    return x[tuple(slice(None, None, 2) for _ in x.shape)]


def spaced(x: np.ndarray) -> np.ndarray:
    """Return an array with zeros between the entries of x along each axis."""
    wide = np.zeros(tuple(2 * n for n in x.shape), x.dtype)
    wide[tuple(slice(None, None, 2) for _ in x.shape)] = x
    return wide


# A view of a Tensor and the array that it is taken of: axes reversed, entries reversed, entries apart.
LAYOUTS: list[tuple[Callable[[Any], Any], Callable[[Any], Any]]] = [
    (lambda t: t.T, lambda a: a.T),
    (np.flip, np.flip),
    (last_of_two, spaced),
]


@pytest.fixture
def case(derivative: Any, close: Any) -> Callable[[tg.Primitive, Sample], Case]:
    """The battery: ``case(primitive, sample).check_...()``."""
    return partial(Case, derivative, close)


@pytest.fixture
def at_every_sample(case: Callable[[tg.Primitive, Sample], Case]) -> Callable[..., None]:
    """``at_every_sample(primitive, "vjp")``: that check at each of its samples; what fails is told with the sample."""

    def check(made: tg.Primitive, name: str, *arguments: Any) -> None:
        for point in made.samples:
            at_sample(made, point, name, arguments)

    def at_sample(made: tg.Primitive, point: Sample, name: str, arguments: Sequence[Any]) -> None:
        try:
            getattr(case(made, point), f"check_{name}")(*arguments)
        except Exception as error:
            raise AssertionError(f"{made.name} at {point}: {error}") from error

    return check
