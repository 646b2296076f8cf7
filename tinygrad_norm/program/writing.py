"""From a recording to Python: one function for the forward pass and one for the backward pass.

:func:`printed_source` is for reading and runs anywhere with NumPy; :func:`compiled` is what we run. Both go through
:class:`Lines`, which decides what gets a line: what has a name, what is used more than once, what is a result.
"""

from __future__ import annotations

import keyword
import linecache
import re
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import count
from math import prod
from textwrap import wrap
from typing import Any

import numpy as np

from ..engine.details.array import Array
from ..engine.tensor import Tensor
from .row_blocks import Loop, in_blocks, is_elementwise, lines_of, made_again, taken_by
from .steps import Check, Constant, Item, Recording, Step, Value, needed_by, values_in
from .vocabulary import SIGN, STATEMENTS, Statements, Text, borrowed, printed, running

WIDTH = 88
"""An expression that is longer gets lines of its own for its parts."""


LONGEST_LINE = 120
"""A list that is longer is printed on several lines."""
LONGEST = 300
"""An expression that is longer has a line of its own also where nobody reads it: Python nests no deeper than 200."""
LARGE = 4096
"""Arrays with so many entries are given back as soon as nothing needs them."""


class Names:
    """Gives every value a name that no other has, and none of Python's."""

    def __init__(self, taken: Sequence[str] = ()) -> None:
        self.taken = {"np", "math", "forward", "backward", "saved", "g", *taken}
        self.of: dict[Value, str] = {}

    def name(self, value: Value, wish: str = "") -> str:
        """Return a value's name, as near to the wish as can be."""
        if value not in self.of:
            wish = identifier(wish or value.name)
            numbered = (f"{wish}_{i}" if i > 1 else wish for i in count(1))
            self.of[value] = next(name for name in numbered if name not in self.taken)
            self.taken.add(self.of[value])
        return self.of[value]


def identifier(wish: str) -> str:
    """Return a name of Python's that is like a path in a model."""
    found = "".join(c if c.isidentifier() or c.isdigit() else "_" for c in wish)
    if not found.isidentifier() or keyword.iskeyword(found):
        found = f"layer{found}" if found[:1].isdigit() else f"{found}_"
    return found


class Lines:
    """The lines of one function, in one of the two styles."""

    def __init__(
        self,
        names: Names,
        results: Any,
        items: Sequence[Item | Loop],
        bind: Callable[[Any], str] | None,
        statements: Statements = STATEMENTS,
    ) -> None:
        self.names, self.bind, self.statements = names, bind, statements
        self.lines: list[tuple[str, Item | None]] = []
        self.inline: dict[Value, Text] = {}
        self.results = set(values_in(results))
        # What a loop takes has a line before it.
        self.roots = self.results.union(*(taken_by(item) for item in items if isinstance(item, Loop)))
        self.uses = Counter(v for item in items if not isinstance(item, Loop) for v in needed_by(item))
        for item in items:
            self.add(item)

    def add(self, item: Item | Loop) -> None:
        """Add a step or a check."""
        if isinstance(item, Check):
            self.lines.append((self.checked(item), item))
            return
        if isinstance(item, Loop):
            self.lines += [(line, None) for line in lines_of(item, self)]
            return
        if item.primitive in self.statements and self.bind is None:
            *first, last = self.statements[item.primitive](item, self.names.name(item, item.wish), self.text)
            self.lines += [*((line, None) for line in first), (last, item)]
            return
        text = self.written(item)
        alone = self.uses[item] == 1 and item not in self.roots
        if alone and (not item.name if self.bind is None else len(text.text) < LONGEST):
            self.inline[item] = text
        else:
            self.lines.append((f"{self.names.name(item, item.wish)} = {text.text}", item))

    def written(self, step: Step) -> Text:
        """Return a step in the style; to be read, a long one has lines of their own for its parts."""
        inside = [v for v in needed_by(step) if v in self.inline]
        if self.bind is not None:
            # NumPy writes a large result over an array without a name, in the layout that this has.
            if is_elementwise(step) and not all(v.in_rows for v in (step, *inside)):
                for part in inside:
                    self.put_before(part)
            return running(step, self.text, self.bind)
        text = printed(step, self.text)
        while len(text.text) > WIDTH and (inside := [v for v in needed_by(step) if v in self.inline]):
            self.put_before(max(inside, key=lambda v: len(self.inline[v].text)))
            text = printed(step, self.text)
        return text

    def put_before(self, part: Value) -> None:
        """Give a line to a part that stood within another's."""
        assert isinstance(part, Step)
        self.lines.append((f"{self.names.name(part, part.wish)} = {self.inline.pop(part).text}", part))

    def text(self, x: Any) -> Text:
        """Return the text of an argument."""
        if isinstance(x, Step) and x in self.inline:
            return self.inline[x]
        if isinstance(x, Constant):
            return constant_text(x.array) if self.bind is None else Text(self.bind(x.array[()]))
        if isinstance(x, Value):
            return Text(self.names.name(x))
        if isinstance(x, (tuple, list)):
            inside = ", ".join(self.text(part).text for part in x)
            return Text(f"({inside}{',' * (len(x) == 1)})" if isinstance(x, tuple) else f"[{inside}]")
        if isinstance(x, slice):
            return Text(f"slice({', '.join(self.text(part).text for part in (x.start, x.stop, x.step))})")
        return literal(x) or Text(self.bind(x) if self.bind else repr(x))

    def checked(self, check: Check) -> str:
        """Return the line that looks whether a value is what it was when the program was recorded."""
        value, seen = self.text(check.value), repr(check.seen)
        if isinstance(check.seen, bool):
            same, other = value.text, f"not {value.within(SIGN)}"
            same, other = (same, other) if check.seen else (other, same)
        else:
            listed = f"{value.within(9)}.tolist()" if isinstance(check.seen, list) else value.within(2)
            same, other = f"{listed} == {seen}", f"{listed} != {seen}"
        return f"assert {same}" if self.bind is None else f"if {other}: raise {self.bind(ChangedError)}"


class ChangedError(Exception):
    """A value that the recording looked at is another one now."""


def literal(x: Any) -> Text | None:
    """Return plain Python, or a dtype, as it is written."""
    if x is None or isinstance(x, (bool, str)) or x is Ellipsis:
        return Text(repr(x))
    if isinstance(x, (int, float)) and not isinstance(x, np.generic):
        if np.isfinite(x):
            return Text(repr(x), SIGN if x < 0 else 9)
        return Text({"inf": "np.inf", "-inf": "-np.inf"}.get(repr(x), "np.nan"), SIGN if x < 0 else 9)
    if isinstance(x, np.dtype) or (isinstance(x, type) and issubclass(x, np.generic)):
        return Text(f"np.{np.dtype(x).name if np.dtype(x).kind != 'b' else 'bool_'}")
    return None


def constant_text(array: Array) -> Text:
    """Return an array as one writes it: by what it is, or by its entries."""
    dtype = "" if array.dtype in (np.float64, np.bool_) else f", {literal(array.dtype).text}"  # type: ignore[union-attr]
    if not array.shape:
        number = literal(array.item())
        assert number is not None
        return (
            number
            if array.dtype.kind in "b" or array.dtype == np.float64
            else Text(f"np.{array.dtype.name}({number.text})")
        )
    if not array.size:
        return Text(f"np.zeros({array.shape}{dtype if array.dtype.kind != 'b' else ', np.bool_'})")
    if array.dtype.kind == "f" and (array == array.flat[0]).all():
        first = array.flat[0]
        made = {0.0: "np.zeros({}", 1.0: "np.ones({}"}.get(float(first), f"np.full({{}}, {literal(float(first)).text}")  # type: ignore[union-attr]
        return Text(made.format(array.shape) + dtype + ")")
    if array.ndim == 2 and array.dtype.kind == "b" and np.array_equal(array, np.tri(*array.shape, dtype=bool)):
        return Text(f"np.tri({array.shape[0]}, {array.shape[1]}, dtype=np.bool_)")
    if array.ndim == 1 and array.dtype == np.intp and np.array_equal(array, np.arange(array.size)):
        return Text(f"np.arange({array.size})")
    entries = np.array2string(array, separator=", ", threshold=array.size + 1, floatmode="unique", max_line_width=10**9)
    text = " ".join(entries.split()).replace("nan", "np.nan").replace("inf", "np.inf")
    return Text(f"np.array({text}{dtype})")


def shape_text(shape: Sequence[int]) -> str:
    """Return ``5 × 3``, and ``number`` for a single one."""
    return " × ".join(map(str, shape)) or "number"


def kept_values(recording: Recording, backward: Sequence[Item | Loop]) -> list[Value]:
    """Return what the backward pass needs of the forward pass, in the order in which it asks for it."""
    made = set(recording.backward) | set(recording.cotangents)
    wanted = [v for item in backward for v in taken_by(item)] + list(values_in(recording.gradients))
    return [v for v in dict.fromkeys(wanted) if v not in made and not isinstance(v, Constant)]


def tree_text(tree: Any, text: Callable[[Any], Text]) -> str:
    """Return what a function gives back: values, or tuples of them."""
    if isinstance(tree, (tuple, list)):
        return "(" + ", ".join(tree_text(part, text) for part in tree) + "," * (len(tree) == 1) + ")"
    return text(tree).text


def name_results(recording: Recording, names: Names) -> None:
    """Give the inputs and the results their names first."""
    for given in recording.inputs:
        names.name(given)
    for g in recording.cotangents:
        names.of[g] = g.name
        names.taken.add(g.name)
    results = list(dict.fromkeys(v for v in values_in(recording.outputs) if isinstance(v, Step)))
    for i, result in enumerate(results, 1):
        names.name(result, result.name or ("y" if len(results) == 1 else f"y_{i}"))
    for path, update in recording.updates.items():
        names.name(update, update.name or f"new_{path}")
    for value, gradient in zip(recording.inputs, recording.gradients, strict=True):
        if isinstance(gradient, Step) and gradient.name == f"g_{value.name}":
            names.name(gradient, f"g_{names.of[value]}")


def body(lines: Lines, headings: bool, comments: bool) -> list[str]:
    """Return the lines of a function with their comments: scopes above, shapes behind."""
    found, scope = [], None
    width = max((len(line) for line, _ in lines.lines if len(line) <= WIDTH), default=0)
    for i, (line, item) in enumerate(lines.lines):
        of = next(later for _, later in lines.lines[i:] if later is not None)  # a step's first lines have no item
        if headings and isinstance(of, Step) and of.scope != scope:
            scope = of.scope
            found.append(f"    # {scope or 'outside of any layer'}")
        shape = f"  # {shape_text(item.shape)}" if comments and isinstance(item, Step) else ""
        found.append(f"    {line.ljust(width) if shape else line}{shape}")
    return found


def listed(before: str, parts: Sequence[str], after: str) -> list[str]:
    """Return a line with a list in brackets, on several lines if it is long."""
    line = f"{before}{', '.join(parts)}{after}"
    if len(line) <= LONGEST_LINE:
        return [line]
    edge = before[: len(before) - len(before.lstrip())]
    inside = edge + " " * 4
    return [before, *wrap(", ".join(parts), 100, initial_indent=inside, subsequent_indent=inside), f"{edge}{after}"]


def unpacked(kept: Sequence[str]) -> list[str]:
    """Return the line that takes apart what was saved."""
    line = f"    {', '.join(kept)}{',' * (len(kept) == 1)} = saved"
    return ([line] if len(line) <= LONGEST_LINE else listed("    (", kept, ") = saved")) if kept else []


def returning(results: Sequence[str]) -> list[str]:
    """Return the line that gives back gradients."""
    line = f"    return {', '.join(results)}"
    return [line] if len(line) <= LONGEST_LINE else listed("    return (", results, ")")


def printed_source(recording: Recording, shapes: bool = True, statements: Statements = STATEMENTS) -> str:
    """Return a recording as NumPy that a person reads."""
    steps = [i for i in (*recording.forward, *recording.backward) if isinstance(i, Step)]
    ours = sorted({borrowed(i) for i in steps} - {""})
    names = Names(ours)
    name_results(recording, names)
    saved = kept_values(recording, recording.backward)
    ends = (recording.outputs, recording.updates, saved)
    forward = Lines(names, ends, recording.forward, None, statements)
    scopes = {i.scope for i in steps}
    kept = [forward.text(v).text for v in saved]
    comma = "," * (len(kept) == 1)
    returned = tree_text(recording.outputs, forward.text)
    if recording.updates:
        returned += ", {" + ", ".join(f"{k!r}: {forward.text(v).text}" for k, v in recording.updates.items()) + "}"
    text = [
        *listed("def forward(", [names.of[v] for v in recording.inputs], "):"),
        *body(forward, len(scopes) > 1, shapes),
        *listed(f"    return {returned}, (", kept, f"{comma})"),
    ]
    if recording.cotangents:
        backward = Lines(names, recording.gradients, recording.backward, None, statements)
        gradients = [v for v in recording.gradients if v is not None]
        text += [
            "",
            "",
            f"def backward({', '.join(v.name for v in recording.cotangents)}, saved):",
            *unpacked(kept),
            *body(backward, len(scopes) > 1, shapes),
            *returning([backward.text(v).text for v in gradients]),
        ]
    source = "\n".join(text) + "\n"
    imports = ["import math"] * ("math." in source) + ["import numpy as np"]
    if ours:
        imports += ["", "from tinygrad_norm import PRIMITIVES", ""]
        imports += [f'{name} = PRIMITIVES["{name}"].forward  # NumPy has no such function' for name in ours]
    return "\n".join([*imports, "", "", source])


def signature(name: str, value: Value, bind: Callable[[Any], str]) -> list[str]:
    """Return the lines that raise unless an input has the shape, dtype and layout that were recorded.

    A single real number becomes one of NumPy's, with which Python computes ten times as fast as with an array.
    """
    other = f": raise {bind(ChangedError)}"
    if not value.shape and value.dtype.kind == "f" and value.dtype.isnative:
        return [f"{name} = {name}[()]", f"if type({name}) is not {bind(value.dtype.type)}{other}"]
    kind = bind(np.ndarray if value.shape else (np.ndarray, np.generic))
    rows = f"{'not ' * value.in_rows}{name}.flags.c_contiguous"
    return [
        f"if not isinstance({name}, {kind}) or {name}.shape != {value.shape}"
        f" or {name}.dtype != {bind(value.dtype)} or {rows}{other}"
    ]


def opening(names: Sequence[str], wanted: Sequence[bool], bind: Callable[[Any], str]) -> list[str]:
    """Return the lines that take arrays and nodes out of Tensors, and raise where others than those wanted have one."""
    lines, nodes, arrays = [], [], []
    for name, is_wanted in zip(names, wanted, strict=True):
        if is_wanted:
            nodes.append(f"{name}._node")
            arrays.append(f"{name}._array")
            lines.append(f"    if {name}._node is None: raise {bind(ChangedError)}")
        else:
            nodes.append("None")
            arrays.append(name)
            lines.append(f"    if isinstance({name}, {bind(Tensor)}):")
            lines.append(f"        if {name}._node is not None: raise {bind(ChangedError)}")
            lines.append(f"        {name} = {name}._array")
    return [*lines, f"    return ({', '.join(nodes)},), ({', '.join(arrays)},)" if names else "    return (), ()"]


def let_go(lines: Lines) -> list[str]:
    """Return the lines with large arrays given back after their last use, while their memory is hot."""
    text = [line for line, _ in lines.lines]
    last: dict[int, list[str]] = {}
    for value, name in lines.names.of.items():
        if (
            value not in lines.results
            and prod(value.shape) >= LARGE
            and any(line.startswith(f"{name} = ") for line in text)
        ):
            used = max(i for i, line in enumerate(text) if re.search(rf"\b{name}\b", line))
            last.setdefault(used, []).append(name)
    freed = [part for i, line in enumerate(text) for part in (line, *(f"del {name}" for name in last.get(i, ())))]
    return ["    " + line.replace("\n", "\n    ") for line in freed]


def compiled(recording: Recording, title: str) -> tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any]]:
    """Return the functions that run.

    They are ``forward(*arrays) -> results, updates, saved``, ``backward(saved, *cotangents) -> gradients``, and
    ``opened(*inputs) -> nodes, arrays``, which raises unless Tensors have a node where a gradient is wanted.
    """
    namespace: dict[str, Any] = {"np": np}
    bound: dict[int, str] = {}

    def bind(thing: Any) -> str:
        if id(thing) not in bound:
            bound[id(thing)] = f"_{len(bound)}"
            namespace[bound[id(thing)]] = thing
        return bound[id(thing)]

    names = Names()
    name_results(recording, names)
    updates = tuple(recording.updates.values())
    passes: tuple[Sequence[Item | Loop], Sequence[Item | Loop]] = recording.forward, recording.backward
    if all(value.in_rows for value in recording.inputs):  # else layouts may be others in another run
        ends = set(values_in((recording.outputs, updates, recording.gradients)))
        passes = made_again(in_blocks(recording.forward), in_blocks(recording.backward), ends)
    saved = kept_values(recording, passes[1])
    forward = Lines(names, (recording.outputs, updates, saved), passes[0], bind)
    kept = tree_text(tuple(saved), forward.text)
    backward = Lines(names, recording.gradients, passes[1], bind)
    given, cotangents = ([names.of[v] for v in values] for values in (recording.inputs, recording.cotangents))
    text = [
        f"def forward({', '.join(given)}):",
        *(f"    {line}" for v in recording.inputs for line in signature(names.of[v], v, bind)),
        *let_go(forward),
        f"    return {tree_text(recording.outputs, forward.text)}, {tree_text(updates, forward.text)}, {kept}",
        f"def backward({', '.join(['saved', *cotangents])}):",
        *(f"    {line}" for v in recording.cotangents for line in signature(names.of[v], v, bind)),
        *([f"    {kept} = saved"] if saved else []),
        *let_go(backward),
        f"    return {tree_text(recording.gradients, backward.text)}",
        f"def opened({', '.join(given)}):",
        *opening(given, [gradient is not None for gradient in recording.gradients], bind),
    ]
    source = "\n".join(text) + "\n"
    file = f"<program {title}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    exec(compile(source, file, "exec"), namespace)
    return namespace["forward"], namespace["backward"], namespace["opened"]
