"""The API reference holds every public name once, and writes docstrings in a form that Sphinx reads."""

from __future__ import annotations

import inspect
import re
from collections import Counter
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import tinygrad_norm as tg

Extension = Callable[[str], ModuleType]
DIRECTIVE = re.compile(r"^\.\. (?:auto\w+:: ([\w.]+)|py:\w+:: (\w+).*\n   :module: ([\w.]+))", re.MULTILINE)


@pytest.fixture(scope="module")
def documented(extension: Extension, docs: Path) -> Counter[str]:
    """How often each name has an entry."""
    fill = extension("generated").fill
    text = "".join(fill(p.read_text(encoding="utf-8")) for p in sorted((docs / "reference" / "api").glob("*.md")))
    return Counter(whole or f"{module}.{name}" for whole, name, module in DIRECTIVE.findall(text))


def named(path: str) -> Any:
    place, _, name = path.rpartition(".")
    return getattr(import_module(place), name)


def test_every_public_object_has_one_entry(extension: Extension, documented: Counter[str]) -> None:
    exported = extension("api_listing").exported
    rooms = ["tinygrad_norm"]
    for room in rooms:
        found = exported(import_module(room))
        rooms += [f"{room}.{n}" for n in sorted(found) if inspect.ismodule(named(f"{room}.{n}")) and n != "ops"]
    rooms.append("tinygrad_norm.gradcheck")  # whose name in the package is that of the function
    rooms.append("tinygrad_norm.program")  # as that
    rooms.append("tinygrad_norm.ops.fft")  # whose functions have no place at the front door
    names = {f"{room}.{n}" for room in rooms for n in exported(import_module(room)) if not n.startswith("__")}
    wanted = {id(named(n)): n for n in names if not inspect.ismodule(named(n))}
    assert [n for key, n in wanted.items() if key not in {id(named(d)) for d in documented}] == []
    assert [d for d in documented if id(named(d)) not in wanted] == []
    assert [d for d, times in documented.items() if times > 1] == []
    assert len(documented) == len(wanted)


def test_a_primitive_shows_its_rules(extension: Extension) -> None:
    lines = extension("api_listing").entry(tg, "divide")
    assert lines[0] == ".. py:function:: divide(x, y)"
    assert "``x``: ``ḡ / y``; ``y``: ``−ḡ · out / y``" in lines[3]


def test_a_class_shows_what_it_has_from_a_private_base(extension: Extension) -> None:
    entry = extension("api_listing").entry
    assert "   :inherited-members:" in entry(tg, "Tensor")
    assert "   :show-inheritance:" in entry(tg, "ShapeError")


def test_a_layer_shows_no_method_that_only_fills_in_one_of_its_base(extension: Extension) -> None:
    lines = extension("api_listing").entry(tg.nn, "LayerNorm")
    assert "   :exclude-members: extra_repr, label" in lines
    assert "   :inherited-members: Module" in extension("api_listing").entry(tg.nn, "Sequential")


def test_a_layer_shows_what_its_init_takes(extension: Extension) -> None:
    signed = extension("docstrings").init_signature
    taken = "(normalized_shape, eps=1e-05, elementwise_affine=True, bias=True, dtype=None)"
    assert signed(None, "class", "", tg.nn.LayerNorm, None, "(*args, **kwargs)", None) == (taken, None)
    assert signed(None, "class", "", tg.Tensor, None, "(data)", None) == ("(data)", None)


def test_a_room_that_is_gone_is_an_error(extension: Extension) -> None:
    with pytest.raises(LookupError, match="attic"):
        extension("api_listing").api_listing("tinygrad_norm", "attic")


AS_WRITTEN = """\
Do it.

Parameters
----------
x : the first
y : array
    The other.
z : a long
    one
f, h :
    As in g.

All count.

Examples
--------
>>> f : 1"""
AS_NAPOLEON_READS = """\
Do it.

All count.


Parameters
----------
x
    the first
y : array
    The other.
z
    a long
    one
f, h :
    As in g.

Examples
--------
>>> f : 1"""


def test_parameters_get_the_form_that_napoleon_reads(extension: Extension) -> None:
    before, after = AS_WRITTEN.splitlines(), AS_NAPOLEON_READS.splitlines()
    assert extension("docstrings").describe_parameters(before) == after
    assert extension("docstrings").describe_parameters(before[-3:]) == before[-3:]


def test_only_examples_and_code_escape_the_escaping(extension: Extension) -> None:
    lines = [
        "Return f(*xs) of |x|.",
        "",
        "Write::",
        "",
        "    a * b",
        "",
        "Done x_ with *stress* and :func:`f_`.",
        "",
        ">>> f(*xs) | y",
        "x_ * 2",
        "",
        "*xs : the inputs",
        "    All *of them.",
    ]
    assert extension("docstrings").escape_lines(lines) == [
        r"Return f(\*xs) of \|x\|.",
        "",
        "Write::",
        "",
        "    a * b",
        "",
        r"Done x\_ with *stress* and :func:`f_`.",
        "",
        ">>> f(*xs) | y",
        "x_ * 2",
        "",
        "*xs : the inputs",
        r"    All \*of them.",
    ]


def test_a_colon_in_a_property_is_hidden_from_napoleon_and_comes_back(extension: Extension) -> None:
    module = extension("docstrings")
    lines = ["The node: what a drawing shows."]
    module.before_napoleon(None, "property", "node", None, None, lines)
    assert ":" not in lines[0]
    module.after_napoleon(None, "property", "node", None, None, lines)
    assert lines == ["The node: what a drawing shows."]
