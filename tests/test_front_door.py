"""What ``import tinygrad_norm as tg`` offers: public names and no others, each with its own help."""

from __future__ import annotations

import inspect
import pydoc
import subprocess
import sys

import pytest

import tinygrad_norm as tg

NATIVE = [made for made in tg.PRIMITIVES.values() if made.native]


def test_dir_lists_the_public_names_and_no_others() -> None:
    assert dir(tg) == sorted(tg.__all__)
    assert len(set(tg.__all__)) == len(tg.__all__)
    assert all(hasattr(tg, name) for name in dir(tg))
    assert not {"sys", "import_module", "LAZY", "Any"} & set(dir(tg))


def test_a_name_that_is_loaded_when_first_used_is_what_it_says() -> None:
    code = "import tinygrad_norm as tg; before = dir(tg); tg.gradcheck, tg.nn, tg.draw; assert dir(tg) == before; "
    code += (
        "import tinygrad_norm.gradcheck; assert callable(tg.gradcheck) and tg.nn.Linear(2, 3).weight.shape == (3, 2)"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


FIRST_USES = {
    "NumPy's function": "np.linalg.inv(tg.Tensor(np.eye(2)))",
    "a public name": "tg.gradcheck(tg.exp, [tg.Tensor(1.0)])",
    "a room": "tg.nn.LayerNorm(2)(tg.Tensor(np.eye(2)))",
}

IN_THREADS = """
import threading, numpy as np, tinygrad_norm as tg
ready, failed = threading.Barrier(16), []
def use():
    ready.wait()
    try:
        {use}
    except BaseException as error:
        failed.append(repr(error))
threads = [threading.Thread(target=use) for _ in range(16)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
assert not failed, failed
"""


@pytest.mark.parametrize("use", FIRST_USES.values(), ids=FIRST_USES)
def test_what_is_loaded_when_first_used_may_be_used_first_by_many_threads(use: str) -> None:
    subprocess.run([sys.executable, "-c", IN_THREADS.replace("{use}", use)], check=True)


def test_an_unknown_name() -> None:
    with pytest.raises(AttributeError, match="module 'tinygrad_norm' has no attribute 'exq'"):
        _ = tg.exq


@pytest.mark.parametrize("made", NATIVE, ids=lambda made: made.name)
def test_help_shows_signature_formula_and_derivative(made: tg.Primitive) -> None:
    text = pydoc.plain(pydoc.render_doc(made))
    parameters = inspect.signature(made).parameters
    assert f"{made.name}{inspect.signature(made)}" in text
    assert f"Return {made.formula}." in text
    assert made.note in " ".join(text.split())
    assert all(rule in text for rule in made.rule)
    assert [n for n in parameters if n in made.defaults] == list(made.params)
    assert {n: p.default for n, p in parameters.items() if n in made.defaults} == made.defaults
    # The declaration's own words, not those of the class.
    assert "Made by" not in text


def test_the_class_keeps_its_own_help() -> None:
    assert "An operation that the tape can differentiate" in pydoc.plain(pydoc.render_doc(tg.Primitive))


def test_a_call_that_fits_the_signature_is_accepted() -> None:
    bound = inspect.signature(tg.sum).bind([[1.0, 2.0]], axis=1)
    assert tg.sum(*bound.args, **bound.kwargs).tolist() == [3.0]
    with pytest.raises(TypeError):
        inspect.signature(tg.sum).bind(x=[1.0])
