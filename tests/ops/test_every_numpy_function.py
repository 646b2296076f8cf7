"""Every public function of NumPy on tracked Tensors: the right gradient, rightly none, or a refusal of ours.

``TABLE`` says how each is called; the search tries ``GUESSES`` as well. What NumPy accepts must give NumPy's values,
and each floating-point result either records, and its gradient is right to second order, or does not depend on the
Tensor. A function that the table does not know, of a newer NumPy, fails.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tests.sweeps import share
from tinygrad_norm.engine.primitive import NUMPY
from tinygrad_norm.errors import TinygradNormError

x = np.array([[0.31, -1.22, 0.73], [1.94, 0.42, -0.66]])
y = np.array([[-0.84, 0.57, 1.36], [0.28, -1.71, 0.93]])
s = np.array([[2.3, -1.2, 0.7], [1.9, 3.4, -0.6], [0.2, 0.9, -1.8]])
#: The tracked operands: u in (−1, 1), p positive, o above 1, d positive definite, b a stack of matrices.
POINTS = {
    "x": x,
    "y": y,
    "v": y[0],
    "w": np.array([1.78, 0.53, -0.47]),
    "n": np.array(0.37),
    "u": x / 2.5,
    "p": np.abs(x) + 0.2,
    "o": np.abs(y) + 1.1,
    "s": s,
    "d": s.T @ s + np.eye(3),
    "b": np.stack([s, s.T @ s + 0.2 * s]),
}
PLAIN = {"np": np, "I": np.array([2, 0, 1]), "M": x > 0, "K": np.array([True, False, True]), "Z": np.array([5, 2, 9])}

TABLE = {
    "x": """abs absolute all amax amin angle any arcsinh arctan argmax argmin argsort argwhere around array2string
        array_repr array_str asinh atan atleast_1d atleast_2d atleast_3d average bincount broadcast_arrays cbrt ceil
        common_type conj conjugate copy corrcoef cos cosh count_nonzero cov cumprod cumsum cumulative_prod
        cumulative_sum deg2rad degrees diag diagflat diagonal diff ediff1d empty_like exp exp2 expm1 fabs fix
        flatnonzero flip fliplr flipud floor frexp gradient histogram histogram_bin_edges i0 imag iscomplex iscomplexobj
        isfinite isinf isnan isnat isneginf isposinf isreal isrealobj ix_ lexsort logical_not matrix_transpose max mean
        median min min_scalar_type modf nan_to_num nanargmax nanargmin nancumprod nancumsum nanmax nanmean nanmedian
        nanmin nanprod nanstd nansum nanvar ndim negative nonzero ones_like permute_dims poly positive prod ptp rad2deg
        radians ravel real real_if_close result_type rint roots rot90 round shape sign signbit sin sinc sinh size sort
        sort_complex spacing square squeeze std sum tan tanh trace transpose trapezoid tril tril_indices_from trim_zeros
        triu triu_indices_from trunc unique unique_all unique_counts unique_inverse unique_values unstack unwrap vander
        var zeros_like invert bitwise_invert bitwise_not bitwise_count packbits unpackbits is_busday polyder polyint
        datetime_as_string histogramdd
        linalg.cond linalg.diagonal linalg.matrix_norm linalg.matrix_rank linalg.matrix_transpose linalg.norm
        linalg.pinv linalg.qr linalg.svdvals linalg.trace linalg.vector_norm
        fft.fft fft.fft2 fft.fftn fft.fftshift fft.hfft fft.ifft fft.ifft2 fft.ifftn fft.ifftshift fft.ihfft fft.irfft
        fft.irfft2 fft.irfftn fft.rfft fft.rfft2 fft.rfftn""",
    "p": "log log10 log1p log2 reciprocal sqrt",
    "u": "acos arccos arcsin arctanh asin atanh",
    "o": "acosh arccosh",
    "v": "cov cumulative_prod cumulative_sum diag flip ix_ poly roots trim_zeros vander meshgrid",
    "n": "atleast_1d atleast_3d sum exp average",
    "s": """diag_indices_from linalg.cond linalg.det linalg.eig linalg.eigh linalg.eigvals linalg.eigvalsh linalg.inv
        linalg.norm linalg.pinv linalg.slogdet linalg.svd tril triu trace""",
    "b": "linalg.det linalg.eigvalsh linalg.inv linalg.qr linalg.slogdet linalg.svd linalg.svdvals linalg.trace",
    "d": "linalg.cholesky linalg.eigh",
    "x, y": """add allclose append arctan2 array_equal array_equiv atan2 broadcast_arrays copysign copyto cross divide
        divmod equal float_power floor_divide fmax fmin fmod greater greater_equal heaviside histogram2d hypot inner
        intersect1d isclose isin kron less less_equal linalg.cross linalg.tensordot linalg.vecdot logaddexp logaddexp2
        logical_and logical_or logical_xor maximum may_share_memory meshgrid minimum mod multiply nextafter not_equal
        outer remainder result_type setdiff1d setxor1d shares_memory subtract tensordot true_divide union1d vdot vecdot
        linspace logspace geomspace busday_count busday_offset bitwise_and bitwise_or bitwise_xor""",
    "p, y": "float_power pow power heaviside",
    "x, x.T": "dot linalg.matmul linalg.multi_dot matmul",
    "x, v": "cross linalg.cross matvec vecdot linalg.vecdot outer kron",
    "v, s": "dot matmul vecmat",
    "v, w": """linalg.outer convolve correlate cross dot gradient inner interp polyadd polydiv polymul polysub polyval
        trapezoid""",
    "n, Z, v": "interp",
    "s, v": "linalg.lstsq linalg.solve",
    "b, s": "linalg.solve matmul",
    "s.reshape(3, 3, 1), v": "linalg.tensorsolve",
    "s.reshape(3, 1, 3), 1": "linalg.tensorinv",
    "s, 3": "linalg.matrix_power",
    "[x, y]": "block column_stack concat concatenate dstack hstack stack vstack",
    "[x, y.T, x]": "linalg.multi_dot",
    "[v, w]": "block column_stack concatenate dstack hstack stack vstack",
    "x, 0.3": "nanquantile quantile resize full_like",
    "x, 30": "nanpercentile percentile",
    "x, 2": """apply_over_axes argpartition left_shift right_shift bitwise_left_shift bitwise_right_shift ldexp pad
        partition repeat resize roll rollaxis round take tile diff vander""",
    "x, 1": "array_split argpartition delete expand_dims partition rollaxis split sort cumsum gcd lcm squeeze",
    "x, 3, 1": "array_split split hsplit",
    "x, [1, 2]": "hsplit take delete put_along_axis",
    "x, [1], 0.5": "insert put",
    "x, v, v": "insert",
    "x, M, y": "copyto place put putmask",
    "x, 0.5": "fill_diagonal",
    "M, x": "extract",
    "[1, 0], x, 0": "compress",
    "M, x, y": "where select piecewise",
    "[M, ~M], [x, y]": "select",
    "x, [M], [1.0, 2.0]": "piecewise",
    "[0, 1, 0], [v, w]": "choose",
    "I, v": "bincount searchsorted digitize",
    "v, np.sort(w)": "digitize",
    "v, 0.3": "searchsorted",
    "b, 0, 2": "moveaxis swapaxes",
    "b, 3": "dsplit rollaxis",
    "x.T, 3": "vsplit",
    "x, 0": "vsplit expand_dims squeeze argsort flip",
    "x, (3, 2)": "reshape resize broadcast_to",
    "v, (2, 3)": "broadcast_to",
    "x, float": "astype can_cast",
    "x, np.argsort(x, 1), 1": "take_along_axis",
    "x, np.array([[0], [1]]), 0.5, 1": "put_along_axis",
    "x, -0.5, 0.5": "clip",
    "x, y - 1, y + 1": "clip",
    "'ij,ij->i', x, y": "einsum einsum_path",
    "x, [0, 1], v, [1], [0]": "einsum",
    "np.sum, 1, x": "apply_along_axis",
    "np.sum, x, [0]": "apply_over_axes",
    "v, w, 1": "polyfit",
    "I, (3, 3)": "ravel_multi_index unravel_index",
    "'/nowhere', x": "save savetxt savez savez_compressed",
}
GUESSES = """x; p; u; o; v; n; s; b; x, y; p, y; x, v; v, w; s, v; s, s; x, x.T; x, 0; x, 1; x, -1; x, 2
    x, None; x, 0.3; x, axis=0; x, axis=-1; x, axis=(0, 1); x, axis=None; x, axis=1, keepdims=True
    x, keepdims=True; b, axis=(0, 2); b, 0, 1; x, (0, 1); x, [0, 1]; x, [1, 1]; x, I; v, I; I, v; M, x; K, v
    M, x, y; x, v, w; x, y, y; x, 0, 1; x, 1, 0; x, 0, v; x, [0], v; x, -0.5, 0.5; v, 2, 0; x, y, 0; x, y, axis=0
    x, ddof=1; x, weights=p; x, weights=v, axis=1; x, n=2; x[:0]; x[:, :0]; x[:0], axis=0; x[0, 0]; v[:1]
    x, decimals=1; x, k=1; n, y; 2.0, x; x, 2.0; 2, x""".replace("\n", ";")
#: NumPy never asks a Tensor here: they make, read and show arrays. What leaves the tape so is tested with the Tensor.
OUTSIDE = """arange array asanyarray asarray asarray_chkfinite ascontiguousarray asfortranarray asmatrix bartlett
    base_repr binary_repr blackman bmat broadcast_shapes datetime_data diag_indices empty eye format_float_positional
    format_float_scientific from_dlpack frombuffer fromfile fromfunction fromiter frompyfunc fromregex fromstring full
    genfromtxt get_include get_printoptions getbufsize geterr geterrcall hamming hanning identity indices info isdtype
    isfortran isscalar issubdtype iterable kaiser load loadtxt mask_indices mintypecode nested_iters ones printoptions
    promote_types require row_stack set_printoptions setbufsize seterr seterrcall show_config show_runtime test tri
    tril_indices triu_indices typename zeros linalg.test fft.fftfreq fft.rfftfreq fft.test trapz in1d"""
#: Untracked floats that depend on the Tensor, on purpose: the next number, and whatever lies in memory.
ON_PURPOSE = {"nextafter", "empty_like"}
#: Where NumPy's own values are odd: it adds booleans to booleans.
UNLIKE = {("trapezoid", "M, x"), ("trapezoid", "M, x, y")}


def public() -> dict[str, Callable[..., Any]]:
    """The public functions and ufuncs of np, np.linalg and np.fft, by the name below np."""
    return {
        f"{prefix}{name}": getattr(module, name)
        for prefix, module in (("", np), ("linalg.", np.linalg), ("fft.", np.fft))
        for name in dir(module)
        if not name.startswith("_") and callable(getattr(module, name)) and not isinstance(getattr(module, name), type)
    }


FUNCTIONS = public()
CASES = [(name, arguments) for arguments, names in TABLE.items() for name in names.split() if name in FUNCTIONS]


def reaches(function: Callable[..., Any]) -> bool:
    """Whether NumPy offers a call with a Tensor to the Tensor."""
    return isinstance(function, np.ufunc) or type(function).__name__ == "_ArrayFunctionDispatcher"


def flat(result: Any) -> list[Any]:
    """The parts of a result, in order."""
    return [part for each in result for part in flat(each)] if isinstance(result, (tuple, list)) else [result]


class Call:
    """``function(arguments)`` as a function of the operands that the arguments name."""

    def __init__(self, name: str, arguments: str) -> None:
        self.name, self.code = name, compile(f"function({arguments})", f"np.{name}({arguments})", "eval")
        self.names = [n for n in POINTS if n in self.code.co_names]

    def __call__(self, *operands: Any) -> list[Any]:
        # New copies each time, since some functions write into what they get.
        names = {k: v.copy() if isinstance(v, np.ndarray) else v for k, v in PLAIN.items()}
        names |= {
            n: x if isinstance(x, tg.Tensor) else np.asarray(x) for n, x in zip(self.names, operands, strict=True)
        }
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", tg.GraphEndsWarning)
            return flat(eval(self.code, {"function": FUNCTIONS[self.name], **names}))

    def points(self) -> list[np.ndarray]:
        return [POINTS[n].copy() for n in self.names]

    def expected(self) -> list[Any] | None:
        """What NumPy gives for arrays, or None where it refuses."""
        try:
            return self(*self.points())
        except Exception:
            return None


def verdict(call: Call, expected: list[Any] | None, to_second_order: Any) -> str:
    """Return "gradient", "none" or "refused"; raise where a result is wrong, or untracked though it depends on x."""
    leaves = [tg.Tensor(a, requires_grad=True) for a in call.points()]
    try:
        found = call(*leaves)
    except (TinygradNormError, tg.GraphEndsWarning) as error:
        if not str(error).endswith("."):
            raise AssertionError(f"not a whole sentence: {error}") from error
        return "refused"
    except Exception:
        if expected is None:  # NumPy's own error for arguments that it does not take either
            return "refused"
        raise
    assert expected is not None
    assert len(found) == len(expected)
    for mine, numpys in zip(found, expected, strict=True):
        if isinstance(numpys, (np.ndarray, np.generic)) and numpys.dtype.kind in "fiub":
            assert np.shape(mine) == numpys.shape
            if call.name == "empty_like":
                continue
            values = mine.data if isinstance(mine, tg.Tensor) else np.asarray(mine)
            np.testing.assert_allclose(values, numpys, rtol=1e-12, atol=1e-12)
    tracked = [i for i, mine in enumerate(found) if isinstance(mine, tg.Tensor) and mine.requires_grad]
    check_untracked(call, expected, set(range(len(expected))) - set(tracked))
    finite = all(np.isfinite(np.asarray(expected[i])).all() for i in tracked)
    if finite and any(found[i].size for i in tracked):

        def joined(*operands: Any) -> tg.Tensor:
            parts = call(*operands)
            return tg.concatenate([np.ravel(tg.Tensor(1.0) * parts[i]) for i in tracked])

        to_second_order(joined, call.points(), directions=1)
        return "gradient"
    return "none"


def check_untracked(call: Call, expected: list[Any], untracked: set[int]) -> None:
    """Fail where a floating-point result without a gradient changes with an operand."""
    rng = np.random.default_rng(3)
    moved = call(*[a + 1e-7 * rng.standard_normal(a.shape) for a in call.points()])
    for i in untracked:
        before, after = np.asarray(expected[i]), np.asarray(moved[i])
        if before.dtype.kind in "fc" and before.shape == after.shape and call.name not in ON_PURPOSE:
            np.testing.assert_array_equal(before, after, f"untracked, and yet it depends on {call.names}")


def test_every_function_is_known() -> None:
    known = {name for names in TABLE.values() for name in names.split()}
    reached = {name for name, function in FUNCTIONS.items() if reaches(function)}
    assert reached - known - set(OUTSIDE.split()) == set(), "say in TABLE how it is called"
    assert set(FUNCTIONS) - reached - set(OUTSIDE.split()) == set(), "it is not offered to a Tensor: OUTSIDE"


@pytest.mark.parametrize(("name", "arguments"), CASES)
def test_the_gradient_is_right_or_rightly_none_or_refused(
    name: str, arguments: str, check_to_second_order: Any
) -> None:
    call = Call(name, arguments)
    verdict(call, call.expected(), check_to_second_order)


WRITING = {"save", "savetxt", "savez", "savez_compressed"}


@pytest.mark.parametrize("name", share([n for n, f in FUNCTIONS.items() if reaches(f) and n not in WRITING]))
def test_and_so_with_other_arguments(name: str, check_to_second_order: Any) -> None:
    for arguments in GUESSES.split(";"):
        call = Call(name, arguments.strip())
        expected = call.expected()
        if expected is not None and call.names and (name, arguments.strip()) not in UNLIKE:
            verdict(call, expected, check_to_second_order)


def test_how_many_have_the_right_gradient(check_to_second_order: Any) -> None:
    right = set()
    for name, arguments in CASES:
        call = Call(name, arguments)
        if name not in right and verdict(call, call.expected(), check_to_second_order) == "gradient":
            right.add(name)
    older = 0 if hasattr(np, "matvec") else 2  # NumPy 2.1 lacks matvec and vecmat
    assert len(right) + older >= 218, sorted(set(FUNCTIONS) - right)


@pytest.mark.usefixtures("planted")
@pytest.mark.parametrize(
    ("ours", "message"),
    [
        (lambda x: tg.Tensor(np.ptp(x.data)), "untracked, and yet it depends on"),
        (lambda x: float(np.ptp(x.data)), "untracked, and yet it depends on"),
        (lambda x: tg.max(x) - tg.min(x).detach(), "assert "),
        (lambda x: tg.max(x), "Not equal to tolerance"),
    ],
)
def test_the_search_finds_what_it_looks_for(ours: Any, message: str, check_to_second_order: Any) -> None:
    NUMPY[np.ptp] = ours
    call = Call("ptp", "x")
    with pytest.raises(AssertionError, match=message):
        verdict(call, call.expected(), check_to_second_order)
