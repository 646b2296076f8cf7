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


class TestModuleDict:
    def test_it_has_a_dict_s_manners(self) -> None:
        first, second = nn.Linear(2, 2), nn.Linear(2, 2)
        modules = nn.ModuleDict({"a": first})
        modules.update([("b", second)])
        assert (len(modules), list(modules), "a" in modules, "c" in modules) == (2, ["a", "b"], True, False)
        assert list(modules.items()) == list(zip(modules.keys(), modules.values(), strict=True))
        assert modules["b"] is second
        assert list(modules.state_dict()) == ["a.weight", "a.bias", "b.weight", "b.bias"]
        assert modules.pop("a") is first
        del modules["b"]
        modules["c"] = first
        modules.clear()
        assert list(modules.parameters()) == []

    def test_what_is_no_module_or_not_there(self) -> None:
        with pytest.raises(tg.OperandError, match=r"must be made of Modules; got function for 'a'\. Write a Module"):
            nn.ModuleDict({"a": lambda x: x})  # type: ignore[dict-item]  # what is being tested
        with pytest.raises(tg.InputError, match=r"must hold the name; got 'b', and there are a\. Choose"):
            nn.ModuleDict({"a": nn.ReLU()})["b"]
        with pytest.raises(tg.InputError, match=r"name of its own without dots; got 'keys'"):
            nn.ModuleDict({"keys": nn.ReLU()})

    def test_the_place_of_its_parts_includes_it(self) -> None:
        class Choice(nn.Module):
            def __init__(self) -> None:
                self.kinds = nn.ModuleDict({"wide": nn.ModuleList([nn.Linear(3, 3)])})

            def forward(self, x: tg.Tensor) -> tg.Tensor:
                return self.kinds["wide"][0](x)  # type: ignore[no-any-return, index]  # a ModuleList

        choice = Choice()
        assert next(choice.parameters()).name == "kinds.wide.0.weight"
        with pytest.raises(tg.ShapeError, match=r"^in kinds\.wide\.0: linear"):
            choice(tg.ones((1, 2)))


class TestParameterList:
    def test_parameters_are_found_and_trained(self) -> None:
        class Sum(nn.Module):
            def __init__(self) -> None:
                self.weights = nn.ParameterList([nn.Parameter([1.0, 2.0])])
                self.weights.append(tg.Tensor([3.0, 4.0])).extend([np.ones(2)])

            def forward(self) -> tg.Tensor:
                return (self.weights[0] * self.weights[1]).sum() + self.weights[-1].sum()

        model = Sum()
        assert [p.name for p in model.parameters()] == ["weights.0", "weights.1", "weights.2"]
        model().backward()
        assert [p.grad.tolist() for p in model.parameters()] == [[3.0, 4.0], [1.0, 2.0], [1.0, 1.0]]
        model.weights[1] = nn.Parameter([5.0, 6.0])
        assert model.weights[1].name == "weights.1"
        assert len(model.weights) == 3
        assert list(model.weights[1:].state_dict()) == ["0", "1"]
        assert repr(model.weights) == "ParameterList((0): (2,), (1): (2,), (2): (2,))"

    def test_what_holds_no_numbers(self) -> None:
        with pytest.raises(tg.OperandError, match="a Tensor's data must be real numbers or booleans; got dtype <U1"):
            nn.ParameterList([["a"]])
        with pytest.raises(tg.IndexRangeError, match=r"must lie in \[-1, 1\); got 1"):
            nn.ParameterList([[1.0]])[1]
