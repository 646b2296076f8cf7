"""Step 2: the four benefits that the notes list, and what of each can be shown on five rows."""

from __future__ import annotations

from ...document.lesson import Block, Claim, Paragraph, Row, Step, Table
from ..benefits import MAX_STEPS, RATE, Descent, batch_noise, descent, drift, labs_testing, rescaling
from ..quotations import SAYS
from ..settings import Settings

STRETCH = 1000.0
MINI_BATCH = 3
DRIFT_STEPS = 3


def benefits_step(settings: Settings) -> Step:
    """Return step 2."""
    return Step(
        2,
        "Four benefits, and what can be shown of them here",
        (
            Paragraph(
                "The notes list four benefits. A small table cannot prove that networks train better; "
                "that takes a controlled experiment, and for each benefit there are labs: tinygrad-norm lab "
                "NAME. But each has a kernel that can be computed at once."
            ),
            _stability(settings),
            *_convergence(settings),
            *_covariate_shift(settings),
            _regularization(settings),
        ),
    )


def _stability(settings: Settings) -> Claim:
    result = rescaling(STRETCH, settings)
    text = (
        "Multiply the whole table by {factor:g}: the outputs of layer norm change by at most "
        "{output_change:.1g}, and the gradient that flows back is divided by "
        "{gradient_shrinks_by:.6g}."
    )
    why = "Without ε, layer norm does not see the scale of its input, so extreme values stop there."
    if settings.table_eps:
        why = "The more the spread exceeds √ε, the less layer norm sees of the scale of its input."
    return Claim(
        "stability",
        SAYS["stability"],
        "partly shown",
        text,
        f"{why} How much deep networks gain from that is for experiments: the labs {{labs}}.",
        {
            "labs": labs_testing("stability"),
            "factor": result.factor,
            "output_change": result.output_change,
            "gradient_shrinks_by": result.gradient_shrinks_by,
        },
    )


def _convergence(settings: Settings) -> tuple[Block, ...]:
    raw, normalized = (descent(choice, settings) for choice in (False, True))
    table = Table(
        "descent",
        "Least squares for z₁ by gradient descent, at the best fixed learning rate",
        ("flattest", "steepest", "ratio", "steps"),
        tuple(
            Row(name, (run.least, run.largest, run.condition, _steps(run)))
            for name, run in (("raw", raw), ("normalized", normalized))
        ),
        "features",
        ".3f",
        "Flattest and steepest: the curvature of the loss, the extreme eigenvalues of its Hessian. "
        "Steps: until all but a millionth of the way down is done.",
    )
    faster = normalized.condition < raw.condition
    claim = Claim(
        "convergence",
        SAYS["convergence"],
        "partly shown",
        "Normalizing the two features f brings the ratio of steepest to flattest direction from "
        "{raw:.4g} to {normalized:.4g}." + ("" if faster else " With so large an ε it is worse."),
        "A learning rate must be small enough for the steepest direction, and then creeps along the "
        "flattest; the number of steps grows with their ratio. For a deep network this is one "
        "reason among several; the experiments are the labs {labs}.",
        {"labs": labs_testing("convergence"), "raw": raw.condition, "normalized": normalized.condition},
    )
    return claim, table


def _steps(run: Descent) -> int | str:
    return run.steps if run.steps is not None else f"over {MAX_STEPS}"


def _covariate_shift(settings: Settings) -> tuple[Block, ...]:
    history = drift(DRIFT_STEPS, settings)
    table = Table(
        "drift",
        f"The first neuron of a layer under gradient descent (rate {RATE:g}), before and after batch norm",
        ("μ before", "σ before", "μ after", "σ after"),
        tuple(
            Row(str(at.step), (at.mean, at.deviation, at.normalized_mean, at.normalized_deviation)) for at in history
        ),
        "step",
        ".4f",
    )
    claim = Claim(
        "covariate_shift",
        SAYS["covariate_shift"],
        "disputed",
        "Over {steps} steps of training the mean before batch norm moves by {mean_moves:.4f}, after "
        "it by {normalized_mean_moves:.1g}. So much holds by construction.",
        "Whether it is why batch norm helps is disputed. Ioffe and Szegedy (Batch Normalization: "
        "Accelerating Deep Network Training by Reducing Internal Covariate Shift, ICML 2015) proposed "
        "it; Santurkar, Tsipras, Ilyas and Madry (How Does Batch Normalization Help Optimization?, "
        "NeurIPS 2018) put noise after batch norm, so that the shift came back, and training was "
        "as good: they credit a smoother loss. To repeat that: the lab {labs}.",
        {
            "labs": labs_testing("covariate_shift"),
            "steps": DRIFT_STEPS,
            "mean_moves": max(abs(at.mean - history[0].mean) for at in history),
            "normalized_mean_moves": max(abs(at.normalized_mean) for at in history),
        },
    )
    return claim, table


def _regularization(settings: Settings) -> Claim:
    noise = batch_noise(MINI_BATCH, settings)
    return Claim(
        "regularization",
        SAYS["regularization"],
        "partly shown",
        "Put row 1 into each of the {batches} mini-batches of {size} rows that hold it: batch norm "
        "makes its 7 anything from {least:.4f} to {most:.4f}. Layer norm gives it the same value in "
        "all of them (spread {layer_norm_spread:g}).",
        "The statistics are those of the company. Whether this noise reduces overfitting depends on "
        "batch size, data and network; the lab is {labs}. It is also why batch norm needs other "
        "statistics for evaluation.",
        {
            "labs": labs_testing("regularization"),
            "batches": noise.batches,
            "size": noise.size,
            "least": noise.least,
            "most": noise.most,
            "layer_norm_spread": noise.layer_norm_spread,
        },
    )
