from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm import nn
from tinygrad_norm.engine.tape import STATE


class Block(nn.Module):
    def __init__(self) -> None:
        self.q_proj = nn.Linear(4, 4)
        self.scale = nn.Parameter(np.ones(4))
        self.register_buffer("seen", np.zeros(2))
        self.register_buffer("scratch", np.zeros(3), persistent=False)

    def forward(self, x: Any) -> tg.Tensor:
        return self.q_proj(x) * self.scale


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = Block()
        self.layers = nn.ModuleList([Block(), Block()])
        self.head = nn.Linear(4, 2, bias=False)

    def forward(self, x: Any) -> tg.Tensor:
        x = self.encoder(x)
        for layer in self.layers:
            x = layer(x)
        return self.head(x)


def test_parameters_buffers_and_modules_are_found_with_their_paths() -> None:
    model = Model()
    assert [n for n, _ in model.named_modules()] == [
        *["", "encoder", "encoder.q_proj", "layers", "layers.0", "layers.0.q_proj", "layers.1", "layers.1.q_proj"],
        "head",
    ]
    assert [n for n, _ in model.named_parameters()][:4] == [
        "encoder.scale",
        "encoder.q_proj.weight",
        "encoder.q_proj.bias",
        "layers.0.scale",
    ]
    assert next(n for n, _ in model.named_parameters("m")) == "m.encoder.scale"
    assert [n for n, _ in model.named_parameters(recurse=False)] == []
    assert [n for n, _ in model.named_buffers()] == [
        f"{b}.{n}" for b in ("encoder", "layers.0", "layers.1") for n in ("seen", "scratch")
    ]
    assert len(list(model.parameters())) == 10
    assert [b.shape for b in model.encoder.buffers()] == [(2,), (3,)]
    assert [n for n, _ in model.named_children()] == ["encoder", "layers", "head"]
    assert list(model.children())[2] is model.head
    assert len(list(model.modules())) == 9
    assert model.get_submodule("layers.1.q_proj") is model.layers[1].q_proj
    assert "encoder" in dir(model)
    assert "seen" in dir(model.encoder)


def test_a_path_that_names_no_module_is_an_error() -> None:
    with pytest.raises(tg.InputError, match=r"must name a module of Model; got 'encoder.k_proj'\. Print"):
        Model().get_submodule("encoder.k_proj")


def test_shared_parameters_and_modules_are_counted_once() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    model[1].weight = model[0].weight
    assert [n for n, _ in model.named_parameters()] == ["0.weight", "0.bias", "1.bias"]
    assert [n for n, _ in model.named_parameters(remove_duplicate=False)] == [
        "0.weight",
        "0.bias",
        "1.weight",
        "1.bias",
    ]
    assert list(model.state_dict()) == ["0.weight", "0.bias", "1.weight", "1.bias"]
    model[1] = model[0]
    assert [n for n, _ in model.named_modules()] == ["", "0"]
    assert [n for n, _ in model.named_modules(remove_duplicate=False)] == ["", "0", "1"]


def test_parameters_are_called_by_their_paths() -> None:
    model = Model()
    assert {p.name for p in model.parameters()} == {n for n, _ in model.named_parameters()}


def test_operations_and_errors_carry_the_attribute_path() -> None:
    model = Model()
    paths = []
    nodes = [model(tg.ones((3, 4))).node]
    while nodes:
        node = nodes.pop()
        if node is not None and node.primitive is not None:
            paths.append((node.scope.path, node.scope.kind))
            nodes.extend(node.parents)
    assert ("layers.1", "Block") in paths
    assert ("encoder.q_proj.linear", "function") in paths
    with pytest.raises(tg.ShapeError, match=r"^in encoder\.q_proj: linear: the last axis of x must be"):
        model(tg.ones((3, 5)))
    assert STATE.get().scope is None


def test_a_module_s_scope_names_its_kind_and_size() -> None:
    found = {}

    class Spy(nn.Linear):
        def forward(self, x: Any) -> tg.Tensor:
            scope = STATE.get().scope
            found.update(path=scope.path, kind=scope.kind)
            return super().forward(x)

    Spy(4, 3)(tg.ones(4))
    assert found == {"path": "", "kind": "Linear 4→3"}
    with tg.scope("encoder"):
        Spy(4, 3)(tg.ones(4))
    assert found["path"] == "encoder"


def test_an_engine_s_own_path_is_not_said_twice() -> None:
    class Product(nn.Module):
        def forward(self, x: Any, y: Any) -> tg.Tensor:
            return x @ y

    class Outer(nn.Module):
        def __init__(self) -> None:
            self.inner = Product()

        def forward(self, x: Any, y: Any) -> tg.Tensor:
            return self.inner(x, y)

    with pytest.raises(tg.ShapeError) as error:
        Outer()(tg.ones((2, 5)), tg.ones((4, 8)))
    assert str(error.value).count("inner") == 1
    with pytest.raises(tg.ShapeError, match=r"^matmul: "):
        Product()(tg.ones((2, 5)), tg.ones((4, 8)))


def test_modes_reach_every_module_and_give_the_model_back() -> None:
    model = Model()
    assert model.eval() is model
    assert not any(m.training for m in model.modules())
    assert model.train() is model
    assert all(m.training for m in model.modules())


def test_apply_visits_parts_before_the_whole() -> None:
    visited: list[str] = []
    model = nn.Sequential(nn.Linear(1, 1), nn.Sequential(nn.ReLU()))
    assert model.apply(lambda m: visited.append(type(m).__name__)) is model
    assert visited == ["Linear", "ReLU", "Sequential", "Sequential"]


def test_gradients_are_forgotten_and_parameters_frozen() -> None:
    model = Model()
    model(tg.ones((3, 4))).sum().backward()
    assert all(p.grad is not None for p in model.parameters())
    model.zero_grad()
    assert all(p.grad is None for p in model.parameters())
    assert model.requires_grad_(False) is model
    assert not model(tg.ones((3, 4))).requires_grad
    assert model.requires_grad_().head.weight.requires_grad


def test_astype_converts_parameters_gradients_and_buffers_in_place() -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3))
    weight = model[0].weight
    frozen = model[0].bias
    frozen.requires_grad = False
    model(tg.Tensor(np.arange(6.0).reshape(2, 3))).sum().backward()
    assert model.astype(np.float32) is model
    assert model[0].weight is weight
    assert (weight.dtype, weight.grad.dtype, frozen.dtype) == (np.float32, np.float32, np.float32)
    assert not frozen.requires_grad
    assert (model[1].running_mean.dtype, model[1].num_batches_tracked.dtype) == (np.float32, np.int64)
    out = model(tg.Tensor(np.arange(6.0).reshape(2, 3), dtype=np.float32))
    assert out.dtype == np.float32
    weight.grad = None
    out.sum().backward()
    assert weight.grad.dtype == np.float32
    assert weight.name == "0.weight"
    with pytest.raises(tg.InputError, match="floating-point numbers; got dtype 'int32'"):
        model.astype("int32")


def test_repr_is_the_tree() -> None:
    assert repr(nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.ReLU()))) == (
        "Sequential(\n  (0): Linear(in_features=2, out_features=3, bias=True)\n  (1): Sequential(\n    "
        "(0): ReLU()\n  )\n)"
    )

    class Named(nn.Module):
        def __init__(self) -> None:
            self.part = nn.ReLU()

        def extra_repr(self) -> str:
            return "size=3"

    assert repr(Named()) == "Named(\n  size=3\n  (part): ReLU()\n)"


def test_attributes_change_kind_and_go() -> None:
    class Free(nn.Module):
        pass

    module = Free()
    module.a = 3
    module.a = nn.Parameter([1.0])
    assert [n for n, _ in module.named_parameters()] == ["a"]
    module.a = nn.ReLU()
    assert [n for n, _ in module.named_modules()] == ["", "a"]
    assert list(module.parameters()) == []
    module.register_buffer("a", [1.0])
    assert list(module._modules) == []
    module.a = [2.0]
    assert module.a.tolist() == [2.0]
    module.a = None
    assert module.a is None
    module.register_buffer("b", None)
    module.register_parameter("c", None)
    assert (module.b, module.c, list(module.state_dict())) == (None, None, [])
    module.c = nn.Parameter([1.0])
    module.c = None
    assert list(module.parameters()) == []
    module.d = nn.ReLU()
    module.d = None
    assert [n for n, _ in module.named_modules()] == [""]
    del module.b
    module.e = 5
    del module.e
    for gone in ("b", "e"):
        with pytest.raises(AttributeError, match="Free has no attribute"):
            getattr(module, gone)


def test_layers_that_an_earlier_version_pickled_load() -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Dropout(0.1))
    earlier = pickle.dumps(model, 0)
    for kind, place in ((b"ReLU", b"activation"), (b"Dropout", b"plain")):
        assert b"nn.parameterless\n" + kind in earlier
        earlier = earlier.replace(b"nn.parameterless\n" + kind, b"nn." + place + b"\n" + kind)
    assert repr(pickle.loads(earlier)) == repr(model)


def test_a_module_deep_copies_and_pickles_with_its_sharing() -> None:
    model = Model()
    model.head.bias = model.encoder.q_proj.bias
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(nn.Sequential(nn.Linear(4, 2), nn.Linear(4, 2))))):
        assert isinstance(twin, nn.Module)
    twin = copy.deepcopy(model)
    assert twin.head.bias is twin.encoder.q_proj.bias
    assert twin.head.weight is not model.head.weight
    assert isinstance(twin.head.weight, nn.Parameter)
    assert [p.name for p in twin.parameters()] == [p.name for p in model.parameters()]
    for a, b in zip(model.state_dict().values(), twin.state_dict().values(), strict=True):
        np.testing.assert_array_equal(a, b)


HIDDEN: list[tuple[str, Any]] = [
    ("ModuleList", [nn.Identity()]),
    ("ParameterList", (nn.Parameter([1.0]),)),
    ("ModuleDict", {"a": nn.Identity()}),
    ("ModuleList", [1, [2, {"a": (nn.Identity(),)}]]),
    ("ModuleList", {nn.Identity()}),
]


@pytest.mark.parametrize(("kept", "hidden"), HIDDEN)
def test_modules_in_a_plain_container_are_refused(kept: str, hidden: Any) -> None:
    module = Block()
    with pytest.raises(tg.OperandError, match=rf"must be an attribute, or in a {kept}; .* 'parts'.*nn\.{kept}"):
        module.parts = hidden


@pytest.mark.parametrize(("kept", "hidden"), HIDDEN)
def test_a_plain_container_that_grows_is_refused_when_parameters_are_asked_for(kept: str, hidden: Any) -> None:
    inner = Block()
    model = nn.Sequential(inner)
    inner.parts = parts = [[0.0], "a", None]
    parts.append(parts)
    asked: list[Callable[[], Any]] = [
        lambda: list(model.parameters()),
        lambda: list(model.buffers()),
        lambda: list(model.named_modules()),
        model.state_dict,
        model.train,
        lambda: tg.summary(model),
        lambda: tg.optim.SGD(model.parameters()),
    ]
    for ask in asked:
        ask()
    parts.append(hidden)
    for ask in asked:
        with pytest.raises(tg.OperandError, match=rf"must be an attribute, or in a {kept}; .* 'parts'.*nn\.{kept}"):
            ask()


def test_modules_nested_a_thousand_deep() -> None:
    model: nn.Module = nn.Linear(1, 1)
    for _ in range(1000):
        model = nn.Sequential(model)
    assert sum(p.size for p in model.parameters()) == 2
    assert len(model.state_dict()) == 2
    assert len(tg.summary(model).rows) == 1001
    assert model.train() is model
    assert model.apply(lambda module: None) is model
    assert repr(model).count("\n") == 2000
    lists = nn.ModuleList([nn.Linear(1, 1)])
    for _ in range(1000):
        lists = nn.ModuleList([lists])
    assert next(lists.parameters()).name == "0." * 1001 + "weight"


@pytest.mark.parametrize("name", ["", "a.b", "forward"])
def test_a_name_must_be_free_and_without_dots(name: str) -> None:
    with pytest.raises(tg.InputError, match="a name of its own without dots; got"):
        Block().register_parameter(name, nn.Parameter([1.0]))


def test_a_parameter_s_place_takes_parameters_only() -> None:
    with pytest.raises(tg.OperandError, match=r"scale must stay a Parameter or become None; got ndarray\. Write"):
        Block().scale = np.ones(4)


def test_a_module_cannot_contain_itself() -> None:
    model = Model()
    with pytest.raises(tg.GraphError, match=r"must not contain itself; got Block inside its own attribute 'parent'"):
        model.encoder.parent = model.encoder
    with pytest.raises(tg.GraphError, match="must not contain itself"):
        model.encoder.model = model


def test_forward_must_be_defined() -> None:
    with pytest.raises(tg.OperandError, match=r"must define forward\(\) to be called; Module does not"):
        nn.Module()()


def test_a_parameter_is_a_trainable_leaf_of_floating_numbers() -> None:
    assert nn.Parameter([1, 2]).dtype == np.float64
    assert nn.Parameter([1.0], dtype=np.float32).dtype == np.float32
    assert not nn.Parameter([1.0], requires_grad=False).requires_grad
    with pytest.raises(tg.OperandError, match=r"a parameter must hold floating-point numbers; got dtype int64"):
        nn.Parameter([1, 2], requires_grad=False)


def test_the_default_dtype_is_what_layers_are_made_in() -> None:
    assert tg.get_default_dtype() == np.float64
    try:
        tg.set_default_dtype(np.float32)
        layer = nn.TransformerEncoderLayer(4, 2, 8, norm="batch")
        assert {p.dtype for p in layer.parameters()} == {np.dtype(np.float32)}
        assert layer.norm1.running_mean.dtype == np.float32
        assert nn.Linear(2, 2, dtype=np.float64).weight.dtype == np.float64
    finally:
        tg.set_default_dtype(np.float64)
    for wrong in ("int64", "no such dtype"):
        with pytest.raises(tg.InputError, match=r"must be floating-point numbers; got dtype .*\. Use 'float64'"):
            tg.set_default_dtype(wrong)


def test_float32_models_compute_in_float32() -> None:
    model = nn.TransformerEncoderLayer(6, 2, 7, batch_first=True, dtype=np.float32)
    x = tg.Tensor(np.ones((2, 3, 6)), dtype=np.float32, requires_grad=True)
    out = model(x, src_mask=np.zeros((3, 3)), src_key_padding_mask=np.zeros((2, 3), dtype=bool))
    assert out.dtype == np.float32
    out.backward(np.ones(out.shape, np.float32))
    assert {p.grad.dtype for p in [x, *model.parameters()]} == {np.dtype(np.float32)}
