from __future__ import annotations

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm import nn


def test_shapes_parameters_and_totals() -> None:
    model = nn.Sequential(nn.Embedding(7, 4), nn.TransformerEncoderLayer(4, 2, 6, batch_first=True, norm="batch"))
    model[0].weight.requires_grad = False
    found = tg.summary(model, [[0, 1, 2], [3, 4, 5]])
    rows = {row.path: row for row in found.rows}
    assert rows[""].outputs == ((2, 3, 4),)
    assert rows[""].inputs == ()
    assert rows["1.self_attn"].inputs == ((2, 3, 4),) * 3
    assert rows["1.linear1"].parameters == 4 * 6 + 6
    assert found.parameters == sum(p.size for p in model.parameters()) == sum(row.parameters for row in found.rows)
    assert found.trainable == found.parameters - 28
    assert found.buffers == 2 * (4 + 4 + 1)
    assert "1.self_attn" in str(found)
    assert str(found) == repr(found)
    assert len({len(line) for line in str(found).splitlines()[:-1]}) == 1


def test_nothing_of_the_model_changes() -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3), nn.Dropout(0.5))
    model[1].eval()
    before = model.state_dict()
    tg.summary(model, np.ones((5, 3)))
    assert [m.training for m in model.modules()] == [True, True, False, True]
    assert all("forward" not in m.__dict__ for m in model.modules())
    for key, value in model.state_dict().items():
        np.testing.assert_array_equal(value, before[key])


def test_a_failing_run_leaves_the_model_as_it_was() -> None:
    model = nn.Sequential(nn.Linear(3, 3))
    with pytest.raises(tg.ShapeError, match="in 0: linear"):
        tg.summary(model, np.ones((5, 4)))
    assert all(m.training and "forward" not in m.__dict__ for m in model.modules())


def test_without_inputs_there_are_no_shapes() -> None:
    found = tg.summary(nn.Linear(2, 3))
    assert found.rows[0].runs == 0
    assert "–" in str(found)


def test_what_is_shared_is_counted_once_and_runs_are_counted() -> None:
    shared = nn.Linear(2, 2)
    model = nn.Sequential(shared, nn.ReLU(), shared, nn.Linear(2, 2, bias=False))
    model[3].weight = shared.weight
    found = tg.summary(model, np.ones((5, 2)))
    assert found.parameters == 6
    assert [row.path for row in found.rows] == ["", "0", "1", "3"]
    assert [row.parameters for row in found.rows] == [0, 6, 0, 0]
    assert [row.runs for row in found.rows] == [1, 2, 1, 1]
    assert "Linear 2→2 (×2)" in str(found)
