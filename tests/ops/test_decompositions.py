"""Inverse, determinant, Cholesky, eigh, svd, qr, pseudoinverse: right to second order, also where they are delicate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_norm as tg


def leaf(values: Any) -> tg.Tensor:
    return tg.Tensor(values, requires_grad=True)


def definite(x: Any) -> Any:
    return x @ x.mT + np.eye(x.shape[-2])


PROJECTED: dict[str, tuple[Callable[..., Any], tuple[int, ...]]] = {
    "inv": (lambda x: np.linalg.inv(definite(x)), (3, 2)),
    "det": (np.linalg.det, (2, 4, 4)),
    "slogdet": (lambda x: np.linalg.slogdet(x)[1], (4, 4)),
    "solve": (lambda x: np.linalg.solve(definite(x), x), (2, 3, 2)),
    "cholesky": (lambda x: np.linalg.cholesky(definite(x)), (3, 4)),
    "eigh": (lambda x: np.linalg.eigh(definite(x)).eigenvectors, (3, 4)),
    "eigvalsh": (lambda x: np.linalg.eigvalsh(definite(x)), (2, 3, 4)),
    "svd": (lambda x: np.concatenate(np.linalg.svd(x)[::2]), (3, 3)),
    "svd, tall": (lambda x: np.concatenate(np.linalg.svd(x, full_matrices=False)[::2]), (5, 3)),
    "svd, wide": (lambda x: np.linalg.svd(x, full_matrices=False).Vh, (2, 2, 4)),
    "svdvals": (np.linalg.svdvals, (3, 5)),
    "qr": (lambda x: np.concatenate(np.linalg.qr(x)), (4, 3)),
    "qr, wide": (lambda x: np.concatenate(np.linalg.qr(x), -1), (2, 2, 4)),
    "pinv, tall": (np.linalg.pinv, (4, 2)),
    "pinv, wide": (np.linalg.pinv, (2, 2, 3)),
    "lstsq": (lambda x: np.linalg.lstsq(x, x[:, 0] ** 2)[0], (4, 2)),
    "residuals": (lambda x: np.linalg.lstsq(x, x**2)[1], (4, 2)),
    "matrix_power": (lambda x: np.linalg.matrix_power(x, -3), (3, 3)),
    "multi_dot": (lambda x: np.linalg.multi_dot([x, x.T, x]), (2, 3)),
    "cond": (np.linalg.cond, (3, 4)),
    "cross": (lambda x: np.linalg.cross(x, x[::-1]), (2, 3)),
    **{
        f"norm {p}": (lambda x, p=p: np.linalg.norm(x, p, (-2, -1)), (2, 3, 4))
        for p in ("fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf)
    },
    **{f"vector norm {p}": (lambda x, p=p: np.linalg.norm(x, p, -1), (2, 4)) for p in (1, 2, 3, -1, 2.5, np.inf)},
}


@pytest.mark.parametrize("name", PROJECTED)
def test_to_second_order(name: str, check_to_second_order: Any) -> None:
    f, shape = PROJECTED[name]
    check_to_second_order(f, [np.random.default_rng(len(name)).standard_normal(shape)])


def test_they_are_what_they_are_called() -> None:
    x = tg.Tensor(np.random.default_rng(1).standard_normal((2, 4, 3)))
    square = x.mT @ x
    q, r = np.linalg.qr(x)
    left, values, right = np.linalg.svd(x, full_matrices=False)
    eigenvalues, vectors = np.linalg.eigh(square)
    root, upper = np.linalg.cholesky(square), np.linalg.cholesky(square, upper=True)
    for product in (q @ r, left * values[:, None] @ right, np.linalg.pinv(np.linalg.pinv(x))):
        np.testing.assert_allclose(product.data, x.data, atol=1e-13)
    for product in (vectors * eigenvalues[:, None] @ vectors.mT, root @ root.mT, upper.mT @ upper):
        np.testing.assert_allclose(product.data, square.data, atol=1e-13)
    for basis in (q, left, right.mT, vectors):
        np.testing.assert_allclose((basis.mT @ basis).data, np.stack([np.eye(3)] * 2), atol=1e-13)
    assert np.array_equal(np.triu(r), r)
    assert np.array_equal(np.tril(root), root)
    assert np.linalg.eigh(square).eigenvalues.shape == np.linalg.svd(x, compute_uv=False).shape == (2, 3)
    for result, names in ((np.linalg.svd(square), "U S Vh"), (np.linalg.slogdet(square), "sign logabsdet")):
        assert " ".join(result._fields) == names


# Where they are delicate


@given(n=st.integers(1, 5), rank=st.integers(0, 5), noise=st.sampled_from([0.0, 1e-17, 1e-13, 1e-9, 1e-3]))
def test_the_derivative_of_det_is_its_cofactors_at_any_rank(n: int, rank: int, noise: float) -> None:
    rng = np.random.default_rng(n + 7 * rank)
    low = rng.integers(-3, 4, (n, min(n, rank))).astype(float)
    x = low @ rng.integers(-3, 4, (min(n, rank), n)) + noise * rng.standard_normal((n, n))
    found = tg.gradients(np.linalg.det(t := leaf(x)), t, create_graph=True)
    minors = [[np.delete(np.delete(x, i, 0), j, 1) for j in range(n)] for i in range(n)]
    expected = np.array([[(-1) ** (i + j) * np.linalg.det(minors[i][j]) for j in range(n)] for i in range(n)])
    size = max(1.0, float(np.max(np.abs(x)))) ** (n - 1)
    np.testing.assert_allclose(found.data, expected, atol=1e-9 * size)


def test_det_of_a_matrix_of_rank_one_has_the_right_second_derivative(check_to_second_order: Any) -> None:
    check_to_second_order(np.linalg.det, [np.ones((3, 3))])
    check_to_second_order(np.linalg.det, [np.arange(9.0).reshape(3, 3)])
    check_to_second_order(np.linalg.det, [np.zeros((2, 3, 3))])


def test_det_of_large_matrices_that_underflow_or_are_singular() -> None:
    small = leaf(np.eye(300) * 0.01)
    y = np.linalg.det(small)
    assert y.item() == 0.0
    assert np.all(tg.gradients(y, small).data == 0)
    singular = leaf(np.diag([0.0] + [1.0] * 19))
    assert tg.gradients(np.linalg.det(singular), singular).data[0, 0] == 1.0
    assert np.count_nonzero(tg.gradients(np.linalg.det(singular), singular).data) == 1
    large = leaf(np.diag([0.0] + [1.0] * 64))
    with pytest.raises(
        tg.InputError, match=r"in the VJP of det: a singular matrix must have at most 64 rows; got 65\. Use np\.linalg"
    ):
        tg.gradients(np.linalg.det(large), large)


def test_values_have_gradients_where_they_are_equal_and_vectors_have_none() -> None:
    x = leaf(np.diag([2.0, 2.0, 5.0]))
    values, vectors = np.linalg.eigh(x)
    np.testing.assert_allclose(tg.gradients(values.sum(), x).data, np.eye(3), atol=1e-15)
    np.testing.assert_allclose(tg.gradients(np.linalg.eigvalsh(x)[2], x).data, np.diag([0.0, 0, 1]), atol=1e-15)
    assert np.isnan(tg.gradients(vectors[0, 1], x).data).any()
    assert np.isfinite(tg.gradients(vectors[0, 2], x).data[2]).all()
    # Here 0 / 0 has a limit that is not 0, which nobody computes: never 0 in silence.
    same = vectors * values @ vectors.mT
    assert np.isnan(tg.gradients(same[0, 1], x).data).any()
    slope = tg.gradients((values**2).sum(), x, create_graph=True)
    assert np.isnan(tg.gradients(slope[0, 0], x).data).any()


def test_singular_values_that_are_equal_or_zero() -> None:
    x = leaf(np.eye(3))
    left, values, right = np.linalg.svd(x)
    np.testing.assert_allclose(tg.gradients(values.sum(), x).data, np.eye(3), atol=1e-15)
    assert np.isnan(tg.gradients((left * values @ right)[0, 1], x).data).any()
    assert np.isnan(tg.gradients((left @ right)[0, 1], x).data).any()
    low = leaf(np.outer([1.0, 2.0, 3.0], [1.0, 1.0]))
    slope = tg.gradients(np.linalg.norm(low, 2), low, create_graph=True)
    np.testing.assert_allclose(slope.data, np.outer([1, 2, 3], [1, 1]) / np.sqrt(28), atol=1e-15)
    assert np.isfinite(tg.gradients(np.linalg.norm(low, "nuc"), low).data).all()
    assert np.isnan(tg.gradients(np.linalg.svd(low, full_matrices=False).U[0, 1], low).data).any()


def test_the_largest_value_has_a_second_derivative_where_the_others_are_equal(check_to_second_order: Any) -> None:
    check_to_second_order(lambda x: np.linalg.norm(x, 2), [np.diag([5.0, 2.0, 2.0])])
    check_to_second_order(lambda x: np.linalg.norm(x, 2), [np.outer([1.0, 2.0, 3.0], [1.0, 1.0])])
    check_to_second_order(lambda x: np.linalg.eigvalsh((x + x.mT) / 2)[0], [np.diag([5.0, 5.0, 2.0])])


def test_only_one_triangle_is_read() -> None:
    x = leaf(np.random.default_rng(0).standard_normal((3, 3)) + 5 * np.eye(3))
    for f in (np.linalg.cholesky, np.linalg.eigvalsh):
        assert np.all(np.triu(tg.gradients(f(x)[-1].sum(), x).data, 1) == 0)
    assert np.all(np.tril(tg.gradients(np.linalg.cholesky(x, upper=True).sum(), x).data, -1) == 0)


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_narrow_numbers_stay_narrow(dtype: Any) -> None:
    x = leaf(np.eye(3, dtype=dtype) * np.array([1, 2, 4], dtype))
    for result in (
        np.linalg.inv(x),
        np.linalg.det(x),
        *np.linalg.slogdet(x),
        *np.linalg.eigh(x),
        *np.linalg.svd(x),
        *np.linalg.qr(x),
        np.linalg.cholesky(x),
        np.linalg.pinv(x),
        np.linalg.solve(x, x),
        np.linalg.cond(x),
        *[np.linalg.norm(x, p) for p in ("fro", "nuc", 2, 1)],
        np.linalg.norm(x, 3, 0),
        np.linalg.matrix_power(x, 0),
    ):
        assert result.dtype == dtype
        if result.requires_grad:
            assert tg.gradients(result.sum(), x, create_graph=True).dtype == dtype


def test_norms_of_nothing_and_of_whole_numbers() -> None:
    for p in (None, 1, 3, 0):
        assert np.linalg.norm(tg.Tensor(np.zeros(0)), p).item() == 0.0
        assert np.linalg.norm(tg.Tensor([3, 4]), p).dtype == np.float64
    x = leaf(np.zeros(3))
    for p in (1, 2, 3, 1.5):
        y = np.linalg.norm(x, p)
        assert y.item() == 0.0
        assert tg.gradients(y, x).tolist() == [0.0] * 3


ERRORS: list[tuple[Callable[[Any], Any], Any, str]] = [
    (np.linalg.inv, tg.ShapeError, r"inv: x must be a square matrix or a stack of them; got shape \(2, 3\)\. Reshape"),
    (lambda x: np.linalg.svd(x[0]), tg.ShapeError, r"svd: x must be a matrix or a stack of them; got shape \(3,\)"),
    (lambda x: np.linalg.inv(x[:, :2] * 0), tg.InputError, r"inv: every matrix must .*\(2, 2\): Singular.*np.eye"),
    (lambda x: np.linalg.cholesky(-x[:, :2]), tg.InputError, r"cholesky: every matrix .*not positive definite"),
    (lambda x: np.linalg.solve(x[:, :2], x[0]), tg.ShapeError, r"solve: .*got shapes \(2, 2\) and \(3, 1\)"),
    (np.linalg.svd, tg.OperandError, r"svd on a Tensor must have full_matrices=False .*got shape \(2, 3\).*write"),
    (lambda x: np.linalg.qr(x.T, "complete"), tg.OperandError, r"qr on a Tensor must have the mode .*got 'complete'"),
    (lambda x: np.linalg.eigh(x, "M"), tg.OperandError, r"eigh: UPLO must be 'L' or 'U'.*got 'M'\. Leave"),
    (lambda x: np.linalg.matrix_power(x, 0.5), tg.OperandError, r"matrix_power: the exponent must be .*got 0\.5\. Use"),
    (lambda x: np.linalg.matrix_power(x, 2), tg.ShapeError, "matmul: "),
    (lambda x: np.linalg.slogdet(x), tg.ShapeError, r"logabsdet: x must be a square"),
    (lambda x: np.linalg.cross(x, x, axis=0), tg.ShapeError, r"cross: the vectors must have three entries; got"),
    (lambda x: np.linalg.lstsq(x, x.T), tg.ShapeError, r"lstsq: a must be a matrix .*got \(2, 3\) and \(3, 2\)"),
    (lambda x: np.linalg.svd(x * np.nan, False), tg.InputError, r"svd: every matrix .*did not converge.*its values"),
    (lambda x: np.linalg.pinv(x, hermitian=True), tg.OperandError, r"pinv of a Tensor must have hermitian=False"),
    (lambda x: np.linalg.multi_dot([]), None, "at least two"),
    (
        lambda x: np.linalg.norm(x, ord=3),
        tg.InputError,
        r"norm: ord must be a number for a vector.*got ord=3 for shape "
        r"\(2, 3\), axis=None\. Name",
    ),
    (lambda x: np.linalg.norm(x[None], ord=1), tg.InputError, r"norm: .*got ord=1 for shape \(1, 2, 3\)"),
    (lambda x: np.linalg.norm(x[0], ord="fro"), tg.InputError, r"norm: .*got ord='fro'"),
    (lambda x: np.linalg.norm(x, axis=(1, -1)), tg.ShapeError, r"norm: the axes must be two of .*got \(1, -1\)"),
    (lambda x: np.linalg.norm(x, axis=(0, 2)), tg.ShapeError, r"norm: the axes must be two of"),
]


@pytest.mark.parametrize(("call", "error", "message"), ERRORS)
def test_errors(call: Any, error: Any, message: str) -> None:
    with pytest.raises(error or ValueError, match=message):
        call(leaf(np.arange(6.0).reshape(2, 3)))
