from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm import nn


@pytest.fixture
def model() -> nn.Sequential:
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))


def test_a_state_dict_holds_parameters_and_persistent_buffers(model: nn.Sequential) -> None:
    model.register_buffer("scratch", np.zeros(2), persistent=False)
    model.register_buffer("kept", np.zeros(2), persistent=False)
    model.register_buffer("kept", np.zeros(2))
    assert {k: v.shape for k, v in model.state_dict().items()} == {
        "kept": (2,),
        "0.weight": (3, 2),
        "0.bias": (3,),
        "1.weight": (3,),
        "1.bias": (3,),
        "1.running_mean": (3,),
        "1.running_var": (3,),
        "1.num_batches_tracked": (),
    }
    assert next(iter(model.state_dict("net."))) == "net.kept"


def test_a_state_dict_is_a_snapshot(model: nn.Sequential) -> None:
    before = model.state_dict()
    values = {k: v.copy() for k, v in before.items()}
    optimizer = tg.optim.SGD(model.parameters(), lr=1.0)
    model(tg.Tensor([[1.0, 2.0], [3.0, -1.0]])).square().sum().backward()
    optimizer.step()
    assert not np.array_equal(model.state_dict()["1.weight"], before["1.weight"])
    for key, array in before.items():
        np.testing.assert_array_equal(array, values[key])
    with pytest.raises(ValueError, match="read-only"):
        before["0.weight"][0, 0] = 1.0


def test_what_is_loaded_is_copied_and_cast(model: nn.Sequential) -> None:
    other = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)).astype(np.float32)
    weight = model[0].weight
    state: dict[str, Any] = {k: v.copy() for k, v in other.state_dict().items()}
    state["0.bias"] = tg.Tensor(state["0.bias"])
    assert model.load_state_dict(state) == ([], [])
    state["0.weight"][:] = 7.0
    assert model[0].weight is weight
    assert weight.dtype == np.float64
    assert not np.any(weight.data == 7.0)
    assert model[1].num_batches_tracked.dtype == np.int64
    np.testing.assert_array_equal(model.state_dict()["0.bias"], other.state_dict()["0.bias"])


def test_every_misfit_is_named_and_nothing_is_loaded(model: nn.Sequential) -> None:
    state = {k: v + 1 for k, v in model.state_dict().items()}
    before = model.state_dict()
    state["0.wieght"] = state.pop("0.weight")
    state["extra"] = np.zeros(1)
    state["1.bias"] = np.zeros(4)
    with pytest.raises(tg.StateDictError) as error:
        model.load_state_dict(state)
    message = str(error.value)
    assert message.startswith("a state dict must hold the keys and shapes of Sequential; got missing: 0.weight; ")
    assert "unexpected: 0.wieght (is it 0.weight?), extra" in message
    assert "of another shape: 1.bias (4,) for (3,)" in message
    assert "Nothing was loaded. Build the module" in message
    for key, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[key])


def test_without_strict_what_matches_is_loaded_and_the_rest_reported(model: nn.Sequential) -> None:
    keys = model.load_state_dict({"0.bias": [1.0, 2.0, 3.0], "head": [1.0]}, strict=False)
    assert keys.unexpected_keys == ["head"]
    assert "0.weight" in keys.missing_keys
    assert model[0].bias.tolist() == [1.0, 2.0, 3.0]
    with pytest.raises(tg.StateDictError, match="of another shape"):
        model.load_state_dict({"0.bias": [1.0]}, strict=False)
    with pytest.raises(tg.StateDictError, match="or pass strict=False to load what matches"):
        model.load_state_dict({"0.bias": [1.0, 2.0, 3.0]})


def test_many_misfits_are_cut_short() -> None:
    model = nn.Sequential(*(nn.Linear(1, 1) for _ in range(5)))
    with pytest.raises(tg.StateDictError, match=r"2\.bias and 4 more"):
        model.load_state_dict({})


def test_what_is_no_mapping_or_no_numbers_is_refused(model: nn.Sequential) -> None:
    with pytest.raises(tg.OperandError, match=r"must get a mapping from keys to arrays; got list\. Pass other\."):
        model.load_state_dict([1.0])  # type: ignore[arg-type]  # the error under test
    for wrong in ("text", None, [[1.0], [1.0, 2.0]]):
        with pytest.raises(tg.StateDictError, match=r"must hold arrays of numbers; got .* for '0\.bias'"):
            model.load_state_dict({"0.bias": wrong}, strict=False)
