"""What a node of the tape knows."""

from __future__ import annotations

import numpy as np

import tinygrad_norm as tg
from tinygrad_norm.engine.tape import leaf_node


def test_a_node_shows_itself_and_its_place() -> None:
    x = tg.Tensor(1.0, requires_grad=True)
    with tg.scope("encoder"), tg.scope("norm"):
        y = x * 2.0
    assert repr(y.node).startswith("<node ")
    assert repr(y.node).endswith(" multiply in encoder.norm>")
    assert repr(x.node).endswith(" leaf>")
    assert y.node is not None
    assert y.node.scope is not None
    assert y.node.scope.path == "encoder.norm"


def test_the_node_of_a_leaf() -> None:
    with tg.scope("encoder"):
        tensor = tg.Tensor(np.ones((2, 3), np.float32), name="weight")
        node = leaf_node(tensor)
    later = leaf_node(tg.Tensor(1.0))
    assert node.primitive is None
    assert (node.parents, node.saved) == ((), ())
    assert node.shapes == ((2, 3),)
    assert node.params == {"dtype": np.float32}
    assert node.name == "weight"
    assert node.holder is not None
    assert node.holder() is tensor
    assert node.scope is not None
    assert node.scope.path == "encoder"
    assert later.order > node.order
