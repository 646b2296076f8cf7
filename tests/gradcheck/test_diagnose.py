"""When a mistake is named, and when it is better not to; the corpus holds one case for each name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from corpus.cases import REJECT
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_norm as tg
from tinygrad_norm.gradcheck import Report, diagnose
from tinygrad_norm.gradcheck.diagnose import HYPOTHESES, Evidence
from tinygrad_norm.gradcheck.vjp_problem import Problem


def code(report: Report) -> str | None:
    return report.finding.code if report.finding is not None else None


#: For each hypothesis a mistake of the corpus that only it explains.
EXAMPLES = {
    "zero": "tanh, zero",
    "swapped_inputs": "a·b, gradients in the wrong order",
    "scale_missing": "3x + 2, slope forgotten",
    "constant_factor": "mean, 1/n forgotten",
    "lost_precision": "exp, returned in float32",
    "norm_mistake": "layer norm, n − 1",
    "softmax_mistake": "softmax, coupling missing",
    "jacobian_not_transposed": "cumulative sum, not reversed",
    "moved_entries": "flip, not undone",
    "shifted_outputs": "pad, off by one",
    "summed_over_wrong_axes": "broadcast bias, wrong axis",
    "leak": "relu, leak",
    "elementwise_only": "softmax, as if elementwise",
    "silent_outputs": "rows by index, duplicates overwritten",
    "dropped_contributions": "difference, one of two terms",
    "local_factor_missing": "sigmoid, local derivative missing",
    "power_rule": "log, multiplied for divided",
    "skip_path": "residual block, skip forgotten",
    "row_factor": "deviation, 1/σ forgotten",
    "wrong_point": "tanh, of the input",
    "lost_mean_path": "centering, the mean's path forgotten",
    "lost_variance_path": "norm, then a linear map, variance path missing",
    "lost_statistics": "norm, then a linear map, both paths missing",
    "unexplained_factor": "x² at 1e8, off by 1e-6",
    "some_signs": "pinball, sign of one branch",
    "related": "tan, not squared",
    "product_rule": "mish, first term forgotten",
    "exchanged_branches": "pinball, branches exchanged",
    "some_scaled": "second difference, 2 forgotten",
    "one_of_two_paths": "Gram matrix, one path",
    "wrong_outputs": "eigenvalues, order reversed",
    "handed_on": "Sinkhorn, passed on",
    "inverse_for_transpose": "cosine transform, by its inverse",
    "another_point": "2 cos² − 1, of x for 2x",
    "constant_term": "Kullback–Leibler divergence, +1 forgotten",
    "factor_of_formula": "logaddexp, not normalized",
    "another_derivative": "a + 2 b c, own factor",
    "term_of_formula": "mean squared error, target forgotten",
    "scaled_rows": "mean by segments, divided by all",
    "lost_length_path": "cosine similarity, lengths constant",
    "wrong_entries": "median of seven, as a mean",
    "wrong_branch": "interpolation by its place, of the next cell",
    "one_entry": "one wrong entry of 35",
}


@pytest.mark.parametrize("hypothesis", HYPOTHESES, ids=lambda h: h.__name__)
def test_no_hypothesis_is_dead(hypothesis: Any, monkeypatch: pytest.MonkeyPatch, run_case: Callable[..., Any]) -> None:
    (case,) = [case for case in REJECT if case.name == EXAMPLES[hypothesis.__name__]]
    monkeypatch.setattr(diagnose, "HYPOTHESES", (hypothesis,))
    report = run_case(case, 0)
    assert code(report) == case.expect


def test_a_factor_with_two_readings_is_told_with_both() -> None:
    """2 is the size of an axis here: the 1/2 of a mean, or something counted twice."""
    x = np.random.default_rng(0).standard_normal((2, 5))
    report = tg.check_vjp(lambda v: v.mean(0), lambda g, v: np.stack([g, g]), x)
    assert report.finding is not None
    assert (report.finding.code, report.finding.alternatives) == ("twice", ("mean-as-sum",))
    assert report.finding.name.startswith("2 times what it should be; it may be: twice too large")
    assert "; or: the 1/2 of a mean is missing" in report.finding.name


def test_a_reading_by_the_size_of_an_axis_alone_is_no_more_than_possible() -> None:
    """3 is the size of an axis here, and the square of √3, by which the scores are divided."""
    x = np.random.default_rng(0).standard_normal((5, 3))

    def forward(v: Any) -> Any:
        return np.sin(v / np.sqrt(v.shape[-1]))

    report = tg.check_vjp(forward, lambda g, v: g * np.cos(v / np.sqrt(3)) * np.sqrt(3), x)
    assert report.finding is not None
    assert report.finding.name == "the 1/3 of a mean is missing, or another factor of 3 is wrong"


@pytest.mark.parametrize("rest", [0.0, 1e-17])
def test_what_is_left_of_a_cancelled_gradient_is_nothing(rest: float) -> None:
    x = np.random.default_rng(0).standard_normal((5, 3))
    report = tg.check_vjp(np.sin, lambda g, v: rest * g * np.sin(v), x)
    assert code(report) == "zero"
    assert report.finding is not None
    assert ("but for rounding" in report.finding.name) == (rest > 0)


def test_a_path_of_a_norm_with_nothing_on_it_is_missing() -> None:
    x = np.random.default_rng(0).standard_normal((5, 7))

    def without_the_direct_path(g: Any, v: Any) -> Any:
        y, sigma = standardized(v), v.std(-1, keepdims=True)
        return -(g.mean(-1, keepdims=True) + y * (g * y).mean(-1, keepdims=True)) / sigma

    report = tg.check_vjp(standardized, without_the_direct_path, x)
    assert report.finding is not None
    assert report.finding.name.startswith("the direct path is missing along")


def test_a_difference_in_a_product_stands_in_parentheses() -> None:
    x = np.random.default_rng(0).standard_normal((5, 3))
    report = tg.check_vjp(lambda v: v**2 / 2 - v**3 / 3 + v, lambda g, v: g, x)
    assert report.finding is not None
    assert "1 − x · x" not in report.finding.name


def test_a_single_number_gets_no_name_that_any_number_would_fit() -> None:
    x = np.array(1.3)
    assert code(tg.check_vjp(np.sin, lambda g, v: g * 3.7 * np.cos(v), x)) is None
    assert code(tg.check_vjp(np.sin, lambda g, v: -g * np.cos(v), x)) == "sign-flipped"
    text = str(tg.check_vjp(np.sin, lambda g, v: g * 3.7 * np.cos(v), x))
    assert "probable mistake: unnamed" in text


def test_two_mistakes_at_once_are_not_given_the_name_of_one() -> None:
    x = np.random.default_rng(0).standard_normal((3, 5))
    report = tg.check_vjp(np.tanh, lambda g, v: -g * (1 - v**2), x)
    assert code(report) is None


def standardized(x: np.ndarray, eps: float = 0.0) -> np.ndarray:
    result: np.ndarray = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + eps)
    return result


M = np.random.default_rng(9).standard_normal((7, 4))


def centered(x: np.ndarray) -> np.ndarray:
    result: np.ndarray = x - x.mean(-1, keepdims=True)
    return result


def row_softmax(x: np.ndarray) -> np.ndarray:
    result: np.ndarray = np.exp(x) / np.exp(x).sum(-1, keepdims=True)
    return result


def nonsense(g: np.ndarray, x: np.ndarray) -> np.ndarray:
    result: np.ndarray = g * np.cos(3 * x) + 0.1 * g[::-1]
    return result


@pytest.mark.parametrize(
    ("forward", "backward", "shape"),
    [
        (standardized, nonsense, (5, 7)),
        (standardized, lambda g, x: standardized(x) * g, (5, 7)),
        (lambda x: standardized(x, 1.0), lambda g, x: g * np.sin(x), (5, 7)),
        (row_softmax, nonsense, (5, 7)),
        (lambda x: x - x.mean(-1, keepdims=True), nonsense, (5, 7)),
        (lambda x: x.sum(-1, keepdims=True) * x, lambda g, x: g + 0.2 * x.mean(-1, keepdims=True) * g, (5, 7)),
        (lambda x: x**2, lambda g, x: 2 * g * x + np.where(np.arange(7) == 3, g, 0) * x**3, (5, 7)),
        (lambda x: x**3, lambda g, x: 3 * g * x**2 + 0.5 * g.sum(), (5, 7)),
        (lambda x: np.cumsum(x, -1), nonsense, (5, 7)),
        (lambda x: x[:, 1:] * x[:, :-1], lambda g, x: np.pad(g, ((0, 0), (1, 0))) * np.sin(x), (5, 7)),
        (lambda x: np.maximum(x, 0), lambda g, x: g * (x > 0) * np.exp(0.3 * x), (5, 7)),
        (lambda x: np.sort(x, -1), lambda g, x: g * np.arange(7), (5, 7)),
        (lambda x: np.abs(x) ** 1.5, lambda g, x: g * np.abs(x) ** 0.31 * np.sign(x), (5, 7)),
        (lambda x: np.tanh(x @ x.T), lambda g, x: g @ x, (5, 5)),
        # Like a lost path through a statistic, but of a function that does not ignore shifts or scales
        (lambda x: x @ M, lambda g, x: g @ M.T + centered(x) * g.sum(-1, keepdims=True), (5, 7)),
        (lambda x: x @ M, lambda g, x: g @ M.T + (1 + centered(x)) * g.sum(-1, keepdims=True), (5, 7)),
        (lambda x: centered(x) @ M, lambda g, x: g @ M.T + (2 + centered(x)) * g.sum(-1, keepdims=True), (5, 7)),
        (lambda x: centered(x) @ M[:3], lambda g, x: g @ M[:3].T + g.sum() * x**2, (5, 3)),
        # A constant ratio that too few numbers hold up
        (lambda x: (x**2).sum(), lambda g, x: np.sqrt(2) * 2 * g * x, (2,)),
        (lambda x: np.exp(1j * x).real, nonsense, (2, 2)),
        (lambda x: np.tanh(x), lambda g, x: g * (x[..., :1] > 0) + 0 * x, (4, 3)),
    ],
)
def test_what_nothing_explains_stays_unnamed(forward: Any, backward: Any, shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(4).standard_normal(shape)
    report = tg.check_vjp(forward, backward, x)
    assert report.status == "wrong"
    assert code(report) is None, report


@given(
    st.sampled_from([np.sin, row_softmax, lambda x: x.sum(0), lambda x: (x**2).sum(), lambda x: np.cumsum(x, -1)]),
    st.tuples(st.integers(2, 5), st.integers(2, 5)),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=8)
def test_numbers_that_were_drawn_have_no_name(f: Callable[..., Any], shape: tuple[int, int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape)
    drawn = rng.standard_normal((x.size, np.size(f(x))))
    report = tg.check_vjp(f, lambda g, v: (drawn @ np.ravel(g)).reshape(v.shape), x, seed=seed)
    assert report.status == "wrong"
    assert code(report) is None, report


def test_an_input_called_y_is_not_taken_for_the_output(rng: np.random.Generator) -> None:
    x, y = rng.standard_normal((2, 5, 7))
    report = tg.check_vjp(np.hypot, lambda g, out, x, y: (g * x, g * y), (x, y))
    assert [e.finding.name.split(",")[0] for e in report.entries if e.finding] == ["multiplied by the output"] * 2


@given(st.integers(5, 12), st.integers(0, 2**32 - 1))
@settings(max_examples=8)
def test_a_few_places_are_on_one_side_of_a_number_by_accident(size: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, wrong = rng.standard_normal(size), rng.permutation(size) < rng.integers(2, size - 1)
    slips = np.where(wrong, rng.uniform(2, 3, size), 1)
    assert code(tg.check_vjp(np.sin, lambda g, v: g * np.cos(v) * slips, x, seed=seed)) is None


@pytest.mark.parametrize("columns", [4, 5, 7])
def test_rows_that_are_all_alike_are_evidence_of_one_row_alone(columns: int, rng: np.random.Generator) -> None:
    """Four numbers are always four times a factor of its own each, in however many rows they stand."""
    x, right, other = rng.standard_normal((6, columns)), *rng.standard_normal((2, columns))
    report = tg.check_vjp(lambda v: np.exp(v @ right).sum(), lambda g, v: g * np.exp(v @ right)[:, None] * other, x)
    assert code(report) == "scaled-rows"  # of rows that differ it is true
    report = tg.check_vjp(lambda v: (v @ right).sum(), lambda g, v: g * np.ones_like(v) * other, x)
    assert report.status == "wrong"
    assert code(report) is None, report


def test_rows_that_are_constant_have_no_direction_of_their_own() -> None:
    x = np.random.default_rng(4).standard_normal((5, 7))
    x[2] = 1.5
    report = tg.check_vjp(lambda v: centered(v) @ M, lambda g, v: g @ M.T * np.cos(v), x)
    assert report.status == "wrong"
    assert code(report) is None


def test_a_norm_without_eps_and_a_norm_without_centering_are_recognized() -> None:
    x = np.random.default_rng(0).standard_normal((5, 7))
    report = tg.check_vjp(standardized, lambda g, v: g / v.std(-1, keepdims=True), x)
    assert code(report) == "statistics-constant"

    def rms(v: np.ndarray) -> np.ndarray:
        result: np.ndarray = v / np.sqrt((v**2).mean(-1, keepdims=True))
        return result

    def half(g: np.ndarray, v: np.ndarray) -> np.ndarray:
        s = np.sqrt((v**2).mean(-1, keepdims=True))
        result: np.ndarray = (g - 0.5 * v / s * (g * v / s).mean(-1, keepdims=True)) / s
        return result

    assert code(tg.check_vjp(rms, half, x)) == "path-coefficient"


def test_a_mistake_only_at_a_kink_has_no_name() -> None:
    x = np.array([0.0, 1.0, -2.0, 0.5])
    report = tg.check_vjp(lambda v: np.maximum(v, 0), lambda g, v: g * np.where(v == 0, -3, v > 0), x)
    assert report.status == "wrong"
    assert code(report) is None


@pytest.mark.parametrize(("silent", "told"), [(4, "[6]"), (5, "[6] and 1 more")])
def test_the_first_four_outputs_that_send_nothing_back_are_listed(silent: int, told: str) -> None:
    sends = ~np.isin(np.arange(10), np.arange(3, 3 + silent))
    report = tg.check_vjp(np.sin, lambda g, v: g * np.cos(v) * sends, np.linspace(0.1, 1.0, 10))
    assert report.finding is not None
    assert report.finding.evidence == f"outputs [3], [4], [5], {told} send nothing back, the others are right"


def test_with_many_outputs_the_random_cotangents_alone_still_name_simple_mistakes() -> None:
    many = np.random.default_rng(1).standard_normal((140, 1))
    x = np.random.default_rng(0).standard_normal(5)
    report = tg.check_vjp(lambda v: np.sin(v) * many, lambda g, v: -(g * np.cos(v) * many).sum(0), x)
    assert code(report) == "sign-flipped"
    odd = tg.check_vjp(lambda v: np.sin(v) * many, lambda g, v: (g * np.cos(3 * v) * many).sum(0), x)
    assert odd.status == "wrong"
    assert code(odd) is None


@pytest.mark.parametrize(
    ("shape", "backward", "wanted"),
    [
        ((5, 7), lambda g, x: g.T * 2 * x.T, "transposed"),
        ((5, 7), lambda g, x: (2 * g * x).ravel(), "wrong-shape"),
        ((5, 7), lambda g, x: np.zeros((2, 3)), "wrong-shape"),
        ((5, 7), lambda g, x: (2 * g * x)[:4], "wrong-shape"),
        ((5, 7), lambda g, x: (2 * g * x)[0], "wrong-shape"),
        ((5, 7), lambda g, x: g.T, "wrong-shape"),
        ((1, 7), lambda g, x: np.concatenate([g, g]), "wrong-shape"),
        ((1, 7), lambda g, x: np.concatenate([2 * g * x, 0 * g]), "broadcast-not-reduced"),
    ],
)
def test_a_wrong_shape_always_has_a_name(shape: tuple[int, ...], backward: Any, wanted: str) -> None:
    x = np.random.default_rng(0).standard_normal(shape)
    report = tg.check_vjp(np.square, backward, x)
    assert code(report) == wanted
    assert "the gradient of x must have the shape" in str(report).replace("gradient of input 0", "gradient of x")


def test_the_layer_norm_message_shows_what_the_rows_must_not_do() -> None:
    def norm(x: np.ndarray) -> np.ndarray:
        result: np.ndarray = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
        return result

    x = np.random.default_rng(0).standard_normal((3, 5))
    report = tg.check_vjp(norm, lambda g, v: g / np.sqrt(v.var(-1, keepdims=True) + 1e-5), x)
    assert code(report) == "statistics-constant"
    assert report.explanation is not None
    assert "rows of yours sum to" in report.explanation
    assert "times x̂ give" in report.explanation


def test_an_instance_norm_over_two_axes_is_recognized() -> None:
    def backward(g: np.ndarray, x: np.ndarray) -> np.ndarray:
        s = np.sqrt(x.var((1, 2), keepdims=True) + 1e-3)
        result: np.ndarray = (g - g.mean((1, 2), keepdims=True)) / s
        return result

    def norm(x: np.ndarray) -> np.ndarray:
        s = np.sqrt(x.var((1, 2), keepdims=True) + 1e-3)
        result: np.ndarray = (x - x.mean((1, 2), keepdims=True)) / s
        return result

    report = tg.check_vjp(norm, backward, np.random.default_rng(0).standard_normal((2, 3, 2)))
    assert code(report) == "variance-path-missing"
    assert "along axes 1 and 2" in str(report.cause)


def test_an_entry_stands_clear_of_its_bar_where_it_is_known_to_a_tenth() -> None:
    x = np.zeros(4)
    problem = Problem(("x",), (x,), lambda xs: xs, lambda xs, gs: gs)
    numeric = np.array([[1.0, -1.0, 1.0, 1.0]])
    bar = np.array([[0.09, 0.09, 0.11, np.inf]])
    nothing = np.zeros((1, 4))
    e = Evidence(problem, 0, (x,), nothing, numeric, numeric, bar, nothing, 1, False, nothing == 0)
    assert e.significant(numeric).tolist() == [[True, True, False, False]]


@pytest.mark.parametrize(("offset", "wanted"), [(2.0**10, "twice"), (2.0**38, None)])
def test_a_ratio_that_is_known_loosely_is_read_as_no_number(offset: float, wanted: str | None) -> None:
    """What is added rounds the values, so that the numeric side knows 10 or only 3 digits."""
    x = np.random.default_rng(0).standard_normal((3, 5))
    # (np.asarray, since what can be recorded is known without numbers.)
    report = tg.check_vjp(lambda v: offset + np.sin(np.asarray(v)), lambda g, v: 2 * g * np.cos(v), x)
    assert report.status == "wrong"
    assert code(report) == wanted


TAU, FOURS = 0.25, np.full(5, 4.0)


@pytest.mark.parametrize(
    ("forward", "inputs", "label"),
    [
        (lambda x: np.tanh(x / TAU), (), "TAU = 0.25"),
        (lambda x: np.tanh(x * 4), (), "the 4"),
        (lambda x, tau: np.tanh(x / tau), (np.array(0.25),), "tau = 0.25"),
        (lambda x, k: np.tanh(x * k), (4,), "k = 4"),
        (lambda x, kept=FOURS: np.tanh(x * kept), (), "kept = 4"),
    ],
)
def test_a_lost_factor_is_a_value_of_the_forward_pass_before_it_is_a_size(
    forward: Any, inputs: tuple[Any, ...], label: str
) -> None:
    """4 is the number of rows as well: both are said."""
    x = np.random.default_rng(0).standard_normal((4, 5))

    def backward(g: np.ndarray, out: np.ndarray, *_: Any) -> Any:
        return (g * (1 - out**2), *(None for _ in inputs))

    report = tg.check_vjp(forward, backward, (x, *inputs), wrt=0)
    assert report.finding is not None
    assert code(report) == "known-factor"
    assert f"{label} of the forward pass is missing" in report.finding.name.replace("applied once too often", "missing")
    assert "sum-as-mean" in report.finding.alternatives
    assert "it may be" in report.finding.name


def test_a_number_on_a_layer_is_known_too() -> None:
    class Layer:
        scale = 3.0

        def __init__(self) -> None:
            self.scale = 3.0

        def forward(self, x: np.ndarray) -> np.ndarray:
            self.x = x
            result: np.ndarray = self.scale * np.sin(x)
            return result

        def backward(self, g: np.ndarray) -> np.ndarray:
            result: np.ndarray = g * np.cos(self.x)
            return result

    layer = Layer()
    report = tg.check_vjp(layer.forward, layer.backward, np.random.default_rng(0).standard_normal((5, 7)))
    assert code(report) == "known-factor"
    assert "self.scale = 3 of the forward pass is missing" in str(report)


def test_a_layer_that_remembers_keeps_its_names() -> None:
    class Tanh:
        def forward(self, x: np.ndarray) -> np.ndarray:
            self.y = np.tanh(x)
            return self.y

        def backward(self, g: np.ndarray) -> np.ndarray:
            result: np.ndarray = g * (1 - self.y)
            return result

    layer = Tanh()
    x = np.random.default_rng(0).standard_normal((5, 7))
    assert code(tg.check_vjp(layer.forward, layer.backward, x)) == "not-squared"
    large = np.random.default_rng(0).standard_normal((40, 50))
    assert code(tg.check_vjp(layer.forward, layer.backward, large)) == "not-squared"


@pytest.mark.parametrize("factor", [1 + 1e-7, 1 - 3e-9, 0.9999999])
def test_a_factor_near_one_is_told_from_one(factor: float) -> None:
    x = np.random.default_rng(0).standard_normal((5, 7))
    report = tg.check_vjp(np.exp, lambda g, out, v: factor * g * out, x)
    assert code(report) == "constant-factor"
    assert "every entry is 1 times" not in str(report)
    entry = report.entries[0]
    yours, numeric = str(report).split("yours ")[1].split(" ± ")[0].split(", numeric ")
    assert yours != numeric
    assert float(yours) == pytest.approx(entry.yours, rel=1e-3)


def test_a_skip_is_missing_only_where_the_input_is_added() -> None:
    x = np.random.default_rng(0).uniform(0.5, 2.0, (5, 7))
    assert code(tg.check_vjp(lambda v: v * np.log(v), lambda g, v: g * np.log(v), x)) == "product-rule"
    report = tg.check_vjp(lambda v: np.sin(v) + v, lambda g, v: g * np.cos(v), x)
    assert code(report) == "term-missing"
    assert "the constant term 1 is missing" in str(report)


def test_centering_beside_a_forgotten_mean_is_not_misnamed() -> None:
    """Two things are wrong: 1/n of a mean and the path through the mean of the centering."""
    x = np.random.default_rng(0).standard_normal((5, 7))

    def f(v: np.ndarray) -> np.ndarray:
        result: np.ndarray = (np.tanh(centered(v)) ** 2).mean(-1)
        return result

    def backward(g: np.ndarray, v: np.ndarray, n: int = 7) -> np.ndarray:
        t = np.tanh(centered(v))
        result: np.ndarray = g[:, None] * 2 * t * (1 - t**2) / n
        return result

    assert code(tg.check_vjp(f, backward, x)) == "mean-path-missing"
    both = tg.check_vjp(f, lambda g, v: backward(g, v, 1), x)
    assert both.status == "wrong"
    assert code(both) is None
    right = tg.check_vjp(f, lambda g, v: centered(backward(g, v)), x)
    assert right.ok


def test_a_norm_with_another_eps_per_row_is_not_misnamed() -> None:
    x = np.random.default_rng(0).standard_normal((5, 7))
    eps = np.linspace(0.01, 0.5, 5)[:, None]

    def f(v: np.ndarray) -> np.ndarray:
        result: np.ndarray = centered(v) / np.sqrt(v.var(-1, keepdims=True) + eps)
        return result

    def backward(g: np.ndarray, v: np.ndarray, variance_path: float) -> np.ndarray:
        s = np.sqrt(v.var(-1, keepdims=True) + eps)
        n = centered(v) / s
        result: np.ndarray = (centered(g) - variance_path * n * (g * n).mean(-1, keepdims=True)) / s
        return result

    assert tg.check_vjp(f, lambda g, v: backward(g, v, 1.0), x).ok
    report = tg.check_vjp(f, lambda g, v: backward(g, v, 0.0), x)
    assert report.status == "wrong"
    assert code(report) in (None, "variance-path-wrong", "variance-path-missing", "path-dropped")


@pytest.mark.parametrize(
    ("forward", "backward", "wanted"),
    [
        # what was once thought to have no name: a fact about every entry is one
        (lambda x: x * 2.0, lambda g, x: g * np.where(np.arange(7) > 2, 2.0, 2.5), "some-scaled"),
        (lambda x: x @ M, lambda g, x: g @ M.T + g.sum(-1, keepdims=True), "term-missing"),
    ],
)
def test_what_holds_in_every_place_is_a_name(forward: Any, backward: Any, wanted: str) -> None:
    x = np.random.default_rng(4).standard_normal((5, 7))
    assert code(tg.check_vjp(forward, backward, x)) == wanted


@pytest.mark.parametrize("scale", [1e-200, 1e-150, 1e150, 1e200])
def test_nonsense_far_from_one_stays_unnamed(scale: float) -> None:
    """Squares of such numbers are 0 or infinite, and agree with everything."""
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((2, 5, 7))
    report = tg.check_vjp(lambda v: scale * np.sin(v), lambda g, v: scale * g * np.cos(v) * (1 + w / 3), x)
    assert report.status == "wrong"
    assert code(report) is None


@pytest.mark.parametrize("seed", range(3))
def test_a_factor_for_each_entry_is_no_formula(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((5, 7))
    each = rng.uniform(0.5, 2.0, (5, 7))
    assert code(tg.check_vjp(np.tanh, lambda g, y, v: g * (1 - y**2) * each, x)) is None
    report = tg.check_vjp(np.cumsum, lambda g, v: each.ravel() * np.cumsum(g[::-1])[::-1], x.ravel())
    assert code(report) == "scaled-rows"
    shuffled = rng.permutation(35).reshape(5, 7)
    beyond = tg.check_vjp(np.tanh, lambda g, y, v: g * (1 - y**2) + np.cos(shuffled), x)
    assert code(beyond) in (None, "not-linear")


@pytest.mark.parametrize("off", [1e-9, 1e-10])
def test_digits_that_float32_would_not_have_are_not_called_float32(off: float) -> None:
    signs = np.random.default_rng(0).choice([-1.0, 1.0], (3, 5))
    x = np.random.default_rng(1).standard_normal((3, 5))
    (entry,) = tg.check_vjp(np.exp, lambda g, x: g * np.exp(x) * (1 + off * signs), x).entries
    assert entry.finding is not None
    assert entry.finding.code == "difference-quotient"
