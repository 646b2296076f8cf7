from __future__ import annotations

import numpy as np
import pytest

from tinygrad_norm.commands.layer_or_expression import drawing_of
from tinygrad_norm.lessons.graph_examples import ARRAYS, EXAMPLES


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_runs_forward_and_back_and_is_small(name: str) -> None:
    drawing = drawing_of(name, {})
    assert drawing.view.sweep
    assert len(drawing.folded.view.nodes) <= 60
    assert not drawing.view.failure
    example = EXAMPLES[name]
    inputs = [n.id for n in drawing.view.nodes if n.kind == "input"]
    real = {n for n, x in example.inputs.items() if np.asarray(x).dtype.kind in "fi" and not isinstance(x, np.ndarray)}
    assert real <= set(inputs) <= set(example.inputs)
    assert example.what


def test_every_named_array_is_an_array() -> None:
    for name, value in ARRAYS.items():
        assert np.asarray(value, dtype=float).size, name


def test_the_gradient_of_layer_norm_is_the_sum_of_its_paths() -> None:
    data = drawing_of("layer_norm", {}).to_json()
    z = next(n for n in data["nodes"] if n["id"] == "z")
    paths = [np.array(e["contribution"]) for e in data["edges"] if e["from"] == "z"]
    np.testing.assert_allclose(sum(paths), z["gradient"], rtol=1e-12)
