from __future__ import annotations

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm import nn


def test_a_sequential_runs_its_modules_in_order() -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    x = tg.ones((5, 2))
    np.testing.assert_array_equal(model(x).data, model[2](model[1](model[0](x))).data)


def test_a_sequential_can_name_its_modules() -> None:
    model = nn.Sequential({"hidden": nn.Linear(2, 3), "act": nn.ReLU()})
    assert list(model.state_dict()) == ["hidden.weight", "hidden.bias"]
    assert model(tg.ones((5, 2))).shape == (5, 3)
    assert model.act is model[1]


@pytest.mark.parametrize("kind", [nn.Sequential, nn.ModuleList])
def test_numbered_modules_have_a_list_s_manners(kind: type) -> None:
    parts = [nn.Linear(2, 2) for _ in range(3)]
    model = kind(*parts) if kind is nn.Sequential else kind(parts)
    assert len(model) == 3
    assert list(model) == parts
    assert model[-1] is parts[2]
    assert list(model[1:]) == parts[1:]
    assert type(model[1:]) is kind
    model[-1] = nn.ReLU()
    assert isinstance(model[2], nn.ReLU)
    assert len(model) == 3
    assert model.append(nn.Tanh()) is model
    assert model.extend([nn.Tanh()]) is model
    assert len(model) == 5
    for index in (5, -6):
        with pytest.raises(tg.IndexRangeError, match=r"must lie in \[-5, 5\); got"):
            model[index]
    with pytest.raises(
        tg.OperandError, match=r"must be made of Modules; got builtin_function_or_method\. Write a Module"
    ):
        model.append(abs)


def test_a_slice_of_a_model_keeps_the_model_s_names() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    assert list(model[1:].state_dict()) == ["0.weight", "0.bias"]


def test_the_place_of_a_list_s_parts_includes_the_list() -> None:
    class Tower(nn.Module):
        def __init__(self) -> None:
            self.floors = nn.ModuleList([nn.ModuleList([nn.Linear(2, 2)])])
            self.floors.append(nn.ModuleList([nn.Linear(2, 2), nn.Linear(3, 3)]))

        def forward(self, x: tg.Tensor) -> tg.Tensor:
            for floor in self.floors:
                for layer in floor:
                    x = layer(x)
            return x

    tower = Tower()
    assert [p.name for p in tower.parameters()] == [n for n, _ in tower.named_parameters()]
    with pytest.raises(tg.ShapeError, match=r"^in floors\.1\.1: linear"):
        tower(tg.ones((1, 2)))
