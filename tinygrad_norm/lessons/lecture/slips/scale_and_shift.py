"""What the notes claim about γ, β and whose statistics are used, judged by derivatives.

Which parameter scales an output is a question to the engine: the derivative of that output by every γ
and every β says it.
"""

from __future__ import annotations

import numpy as np

from ....engine.tensor import Tensor
from ....functional import layer_norm
from ....transforms import jacobian
from ...document.lesson import Claim
from ..norm_formula import BATCH, LAYER, normalize
from ..notes import CLAIMED, CLAIMED_OUTPUT, VARIANTS
from ..settings import DEFAULT_LAYER_EPS, Settings
from ..slips import claim_on
from ..tensor_tables import NEURONS, attention_outputs, floats

ROW, NEURON = 0, 1
"""The entry that both pages work with: the 5 in row 1, neuron 2."""


def _by_scale_and_shift(axis: int, settings: Settings) -> dict[str, tuple[float, ...]]:
    """Return the derivatives of the output in question by every γ and by every β."""
    normalized = settings.normalize(NEURONS, axis).normalized

    def output(scale: Tensor, shift: Tensor) -> Tensor:
        return (normalized * scale + shift)[ROW, NEURON]

    start = Tensor(np.ones(3)), Tensor(np.zeros(3))
    by_scale, by_shift = (jacobian(output, argnums=i)(*start) for i in (0, 1))
    return {"by_scale": floats(by_scale), "by_shift": floats(by_shift)}


def scale_index(settings: Settings) -> Claim:
    """Judge the index in ``−0.21 γ₁ + β₂``."""
    return claim_on(
        "scale_index",
        "slip",
        "The index: it is γ₂, as it is β₂.",
        "Each neuron has its own γ and β. The derivatives of this output by γ₁, γ₂, γ₃ are "
        "{by_scale:.4g}, those by β₁, β₂, β₃ {by_shift:.4g}.",
        _by_scale_and_shift(BATCH, settings),
    )


def default_scale(settings: Settings) -> Claim:
    """Judge ``0.36 γ₁ + β₁ = 0.36``, which is right as algebra."""
    claimed = float(CLAIMED["first_value"])
    entry = settings.normalize(NEURONS, BATCH).normalized[0, 0].item()
    scale, shift = 1.0, 0.0
    return claim_on(
        "default_scale",
        "right",
        "As algebra: with γ₁ = {scale:g} and β₁ = {shift:g} any value stays itself, and "
        "{scale:g} · {claimed} + {shift:g} = {output}.",
        "Only the value that goes in is another: it is {entry:.6f}, and comes out as {entry_output:.6f}.",
        {
            "claimed": claimed,
            "scale": scale,
            "shift": shift,
            "output": claimed * scale + shift,
            "entry": entry,
            "entry_output": entry * scale + shift,
        },
    )


def identity_scale(settings: Settings) -> Claim:
    """Judge ``0.12 γ₃ + β₃ = 5``."""
    normalized = settings.normalize(NEURONS, BATCH).normalized[0, 2]
    scale, shift = 1.0, 0.0
    value = normalized.item()
    return claim_on(
        "identity_scale",
        "slip",
        "With γ₃ = 1 and β₃ = 0, the defaults the notes name, the value stays itself: "
        "1 · {value:.6f} + 0 = {output:.6f}.",
        "With γ₃ = 1 it would take β₃ = {needed:.6f} to arrive at {claimed}.",
        {
            "value": value,
            "output": (normalized * scale + shift).item(),
            "claimed": CLAIMED_OUTPUT,
            "needed": CLAIMED_OUTPUT - value,
        },
    )


def row_statistics_feature_parameters(settings: Settings) -> Claim:
    """Judge ``((5 − μ₁)/σ₁) γ₂ + β₂``, which is right."""
    return claim_on(
        "row_statistics",
        "right",
        "The statistics are the row's, hence index 1; γ and β are the feature's, hence index 2.",
        "The derivatives of this output by γ₁, γ₂, γ₃ are {by_scale:.4g}, those by β₁, β₂, β₃ {by_shift:.4g}.",
        _by_scale_and_shift(LAYER, settings),
    )


def one_token_two_means(settings: Settings) -> Claim:
    """Judge the last page, which takes 6.5 by μ₁, σ₁ and 2.4 by μ₂, σ₂."""
    page = VARIANTS["last-page"]
    steps = normalize(attention_outputs(page.tokens[:2]), LAYER, settings.ddof, settings.layer_eps)
    scale = (steps.variance + settings.layer_eps).sqrt()
    first, second = page.tokens[0].output[:2]
    return claim_on(
        "one_token_two_means",
        "slip",
        "{first} and {second} are two features of one token, Hi: both use μ₁ and σ₁. They become "
        "{first_value:.4f} and {second_value:.4f}.",
        "In layer norm an index of μ and σ counts tokens. μ₂ and σ₂ belong to Nitish, and would "
        "make {second} into {by_neighbor:.4f}.",
        {
            "first": first,
            "second": second,
            "mean": steps.mean[0].item(),
            "scale": scale[0].item(),
            "first_value": steps.normalized[0, 0].item(),
            "second_value": steps.normalized[0, 1].item(),
            "neighbor_mean": steps.mean[1].item(),
            "neighbor_scale": scale[1].item(),
            "by_neighbor": (second - steps.mean[1].item()) / scale[1].item(),
        },
    )


def pad_row(settings: Settings) -> Claim:
    """Judge ``(0 − μ₃)/σ₃ γ₃ + β₃ = 0`` for a row of zeros."""
    zeros, shift = Tensor(np.zeros((1, 3))), Tensor(np.arange(1.0, 4.0))
    eps = settings.layer_eps or DEFAULT_LAYER_EPS
    with np.errstate(invalid="ignore"):
        bare = layer_norm(zeros, 3, eps=0.0)
    return claim_on(
        "pad_row",
        "imprecise",
        "Without ε each entry is {bare}. With any ε > 0 the row becomes β, whatever γ is: zeros "
        "only while β is still 0, as it is before training.",
        "A row of zeros has μ = 0 and σ = 0, so x̂ = 0/√(0 + ε). With β = {shift:g} and "
        "ε = {eps:g} the engine's layer norm makes it {output:g}.",
        {
            "eps": eps,
            "bare": bare[0, 0].item(),
            "shift": floats(shift),
            "output": floats(layer_norm(zeros, 3, weight=Tensor(np.ones(3)), bias=shift, eps=eps)),
        },
    )


def direction(settings: Settings) -> Claim:
    """Judge "batch norm … we calculate horizontally"."""
    values = {}
    for name, axis in (("batch", BATCH), ("layer", LAYER)):
        slopes = jacobian(lambda t, a=axis: settings.normalize(t, a).normalized[0, 0])(NEURONS).numpy()
        values[f"{name}_other_rows"] = float(np.abs(slopes[1:]).max())
        values[f"{name}_other_columns"] = float(np.abs(slopes[:, 1:]).max())
    return claim_on(
        "direction",
        "slip",
        "It does affect them, but because it goes down a column, over the rows. It is layer norm "
        "that goes horizontally, along one row.",
        "Take the derivatives of the first output, row 1 and neuron 1, by every entry of the table. "
        "For batch norm the largest in another row is {batch_other_rows:.4f}, in another column "
        "{batch_other_columns:g}; for layer norm {layer_other_rows:g} and "
        "{layer_other_columns:.4f}.",
        values,
    )
