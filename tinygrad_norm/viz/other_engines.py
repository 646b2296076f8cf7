"""The graph of another engine: any objects with parents, the name of an operation, a value and a gradient.

:class:`Fields` says where an object has each of them, :func:`run_of_objects` reads the objects and changes none. The
one idea: nothing is claimed that cannot be known. Without local derivatives, what a value that is used once received is
its whole gradient; the parts of one that is used more often stay unknown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, fields
from hashlib import blake2b
from itertools import islice
from operator import attrgetter
from typing import Any, TypeAlias

import numpy as np

from ..engine.details.array import Array, Shape
from ..engine.details.summation import broadcast_axes
from ..errors import InputError, OperandError
from .legible import beginning_of, number, shape_text, visible
from .recorded_run import AppliedPrimitive, Key, Leaf, NamedOperation, Run

Field: TypeAlias = str | Callable[[Any], Any] | None

Pullback: TypeAlias = Callable[[Array], Any]
"""From the gradient of an object to that of one of its parents."""

MOST_OBJECTS = 200_000
"""A graph that makes new parents whenever it is asked would have no end."""
WORDS = {"+": "add", "-": "subtract", "*": "multiply", "·": "multiply", "/": "divide", "@": "matmul", "**": "power"}
COMMUTATIVE = ("+", "*", "·")
UNKNOWN = "an unknown amount"
ONCE = "∂ : what arrived, divided by ḡ; the parts of what is used more than once are unknown (local= gives them)"
NOT_RUN = "every gradient is 0 or missing: backward has not run"
MOST_NOTES = 3


@dataclass(frozen=True)
class Fields:
    """Where an object has what is drawn: an attribute's name (dots are followed), or a function of the object.

    ``local`` are the derivatives of the result by each parent, in the order of the parents: factors of the gradient,
    or functions of it (pullbacks).
    """

    parents: Field = None
    operation: Field = None
    value: Field = None
    gradient: Field = None
    name: Field = None
    local: Field = None

    def __post_init__(self) -> None:
        for option, field in self.given().items():
            if not (callable(field) or (isinstance(field, str) and field)):
                raise InputError(
                    f"{option}= must be the name of an attribute, or a function of one object; got {field!r}."
                )

    def given(self) -> dict[str, Field]:
        """Return those that were given."""
        return {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) is not None}

    def read(self, option: str, thing: Any) -> Any:
        """Return what an object has, None where it was not asked for; an OperandError names the object."""
        field: Field = getattr(self, option)
        if field is None:
            return None
        try:
            return attrgetter(field)(thing) if isinstance(field, str) else field(thing)
        except Exception as error:
            asked = f"the attribute {field!r}" if isinstance(field, str) else "what this function asks for"
            raise OperandError(
                f"{option}= must find {asked} in every object; for {described(thing)} it raised "
                f"{type(error).__name__}: {visible(str(error))[:200]}. Give a function that knows all of your objects."
            ) from error

    def array(self, option: str, thing: Any) -> Array | None:
        """Return numbers that an object has, None where it has none."""
        return as_array(self.read(option, thing), option, thing)

    def text(self, option: str, thing: Any) -> str:
        """Return a name that an object has; that of a function is its ``__name__``."""
        given = self.read(option, thing)
        return "" if given is None else str(getattr(given, "__name__", given))


@dataclass(frozen=True)
class Literal:
    """A number or array among the parents: it stands in the formula."""

    value: Any


Parent: TypeAlias = int | Literal
"""The identity of an object, or what is none."""


def described(thing: Any) -> str:
    """Return a few words by which an object can be recognized."""
    try:
        shown = repr(thing)
    except Exception:  # an object that cannot be drawn may fail to show itself, too
        shown = "…"
    return f"{visible(type(thing).__name__)} {beginning_of(visible(shown), 60)}"


def as_array(given: Any, option: str, thing: Any) -> Array | None:
    """Return real numbers as an array."""
    if given is None:
        return None
    try:
        array = np.asarray(given)
        if array.dtype.kind == "O":  # whole numbers beyond 64 bits, fractions
            array = array.astype(np.float64)
    except Exception as error:
        array, reason = np.asarray(""), f", which raised {type(error).__name__}: {visible(str(error))[:120]}"
    else:
        reason = ""
    if array.dtype.kind not in "fiub":
        raise OperandError(
            f"{option}= must give a real number or an array of them; for {described(thing)} it gave "
            f"{described(given)}{reason}. Give a function that returns numbers, or None."
        )
    return array


class Objects:
    """The objects of a graph by identity, each with its parents; what is used comes before what uses it."""

    def __init__(self, root: Any, at: Fields) -> None:
        self.at, self.root = at, id(root)
        # Held here, so that no identity is given to a second object meanwhile.
        self.things: dict[int, Any] = {self.root: root}
        self.parents: dict[int, list[Parent]] = {}
        self.in_sets: set[int] = set()
        self.order = self._ordered(self._ask)
        self.operation = {k: at.text("operation", self.things[k]) if self.parents[k] else "" for k in self.order}
        self.name = {k: at.text("name", self.things[k]) for k in self.order}
        self.value = {k: at.array("value", self.things[k]) for k in self.order}
        if self.in_sets:
            self._sort_sets()
            self.order = self._ordered(self.keys_of)
        self.edges = [(k, i, p) for k in self.order for i, p in enumerate(self.parents[k]) if isinstance(p, int)]

    def keys_of(self, key: int) -> list[int]:
        """Return the parents that are objects."""
        return [p for p in self.parents[key] if isinstance(p, int)]

    def _ask(self, key: int) -> list[int]:
        """Return the parents that an object says it has."""
        thing = self.things[key]
        given = self.at.read("parents", thing)
        given = () if given is None else given
        if isinstance(given, (str, bytes, Mapping)) or not isinstance(given, Iterable):
            raise OperandError(
                f"parents= must give a tuple, list or set of objects; for {described(thing)} it gave "
                f"{described(given)}."
            )
        if isinstance(given, Set):
            self.in_sets.add(key)
        own: list[Parent] = []
        for parent in given:
            if parent is None or isinstance(parent, (bool, int, float, np.ndarray, np.generic)):
                own.append(Literal(parent))
            else:
                own.append(id(parent))
                self.things[id(parent)] = parent
        if len(self.things) > MOST_OBJECTS:
            raise OperandError(
                f"a graph to be drawn must have at most {MOST_OBJECTS} objects; this one has more. parents= must give "
                "the same objects whenever it is asked."
            )
        self.parents[key] = own
        return self.keys_of(key)

    def _ordered(self, parents_of: Callable[[int], list[int]]) -> list[int]:
        """Return all objects, parents first; an OperandError where they go in a circle."""
        order: list[int] = []
        done: set[int] = set()
        waiting = {self.root: parents_of(self.root)[::-1]}
        while waiting:
            key = next(reversed(waiting))
            if not waiting[key]:
                del waiting[key]
                done.add(key)
                order.append(key)
                continue
            parent = waiting[key].pop()
            if parent in waiting:
                circle = list(waiting)[list(waiting).index(parent) :]
                shown = [described(self.things[k]) for k in circle[:3]]
                raise OperandError(
                    f"a result must not be among its own ancestors; these {len(circle)} objects form a circle: "
                    f"{' ← '.join(shown)}{' ← …' if len(circle) > 3 else ''}. Make a new object for each result."
                )
            if parent not in done:
                waiting[parent] = parents_of(parent)[::-1]
        return order

    def _sort_sets(self) -> None:
        """Put parents in a set into an order that is the same in every run: by name or operation, value and place."""
        marks = {k: digest(self.name[k], self.operation[k], text_of(self.value[k])) for k in self.order}
        told = 0
        while len(set(marks.values())) > told:
            # Each round tells apart what has other parents or other users, until nothing more can be told apart.
            told = len(set(marks.values()))
            for key in self.order:
                own = [marks[p] if isinstance(p, int) else repr(p) for p in self.parents[key]]
                marks[key] = digest(marks[key], *(sorted(own) if key in self.in_sets else own))
            users: dict[int, list[str]] = {}
            for key in reversed(self.order):
                marks[key] = digest(marks[key], *sorted(users.get(key, ())))
                for parent in self.keys_of(key):
                    users.setdefault(parent, []).append(marks[key])

        def rank(parent: Parent) -> tuple[bool, str, str]:
            if isinstance(parent, Literal):
                return True, repr(parent), ""
            return False, self.name[parent] or self.operation[parent], marks[parent]

        for key in self.in_sets:
            self.parents[key].sort(key=rank)


def text_of(array: Array | None) -> str:
    """Return a text that equal arrays share."""
    return "" if array is None else repr(array.tolist())


def digest(*texts: str) -> str:
    """Return a short text that stands for several."""
    return blake2b("\0".join(texts).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def run_of_objects(root: Any, at: Fields, variables: Mapping[str, Any]) -> Run:
    """Return the graph of an object of another engine as a run; ``variables`` may give names."""
    objects = Objects(root, at)
    held = {id(thing): name for name, thing in reversed(list(variables.items()))}
    names: dict[Key, str] = {k: objects.name[k] or held[k] for k in objects.order if objects.name[k] or k in held}
    back = Backward(objects, names)
    arrays: dict[Key, Array] = {k: a for k, a in objects.value.items() if a is not None}
    operations = tuple(operation_of(objects, back, k) for k in objects.order if objects.parents[k])
    leaves = [k for k in objects.order if not objects.parents[k]]
    return Run(
        operations,
        {k: Leaf(k, str(arrays[k].dtype) if k in arrays else "", names.get(k), True) for k in leaves},
        arrays,
        {k: a.shape for k, a in arrays.items()},
        back.gradients,
        back.contributions,
        back.local,
        swept=tuple(op.key for op in reversed(operations)) if back.ran else (),
        variables=names,
        outer=frozenset(names),
        notes=back.notes,
    )


def operation_of(objects: Objects, back: Backward, key: int) -> AppliedPrimitive:
    """Return an operation in the words of our own."""
    parents, symbol = objects.parents[key], visible(objects.operation[key])
    inputs = tuple(f"argument_{i}" for i in range(len(parents)))
    word = WORDS.get("**" if symbol.startswith("**") else symbol, symbol)
    name = word if word[:1].isalpha() else "operation"
    formula = formula_for(symbol or name, inputs, key not in objects.in_sets)
    rule = tuple(back.rules.get((key, i), "") for i in range(len(parents)))
    shapes: list[Shape] = []
    for p in parents:
        known = objects.value[p] if isinstance(p, int) else p.value
        shapes.append(np.shape(known) if known is not None else ())
    return AppliedPrimitive(
        key,
        NamedOperation(name, symbol or name, formula, inputs, rule),
        tuple(p if isinstance(p, int) else None for p in parents),
        tuple(p.value if isinstance(p, Literal) else None for p in parents),
        tuple(shapes),
        {},
        None,
        True,
    )


def formula_for(operation: str, inputs: Sequence[str], in_order: bool) -> str:
    """Return what computes a result: signs stand between or beside their arguments, names before them.

    >>> formula_for("+", ("a", "b"), True), formula_for("**2", ("a",), True), formula_for("tanh", ("a",), True)
    ('a + b', 'a**2', 'tanh(a)')
    >>> formula_for("-", ("a",), True), formula_for("/", ("a", "b"), False)
    ('−a', '/ of {a, b}')
    """
    sign = not any(c.isalpha() or c == "_" for c in operation)
    shown = operation.replace("-", "−") if sign else operation
    if not in_order and len(inputs) > 1 and operation not in COMMUTATIVE:
        return f"{shown} of {{{', '.join(inputs)}}}"
    if sign and len(inputs) > 1:
        return f" {shown} ".join(inputs)
    if sign:
        return f"{shown}{inputs[0]}" if shown in ("−", "+", "~") else f"{inputs[0]}{shown}"
    return f"{shown}({', '.join(inputs)})"


class Backward:
    """What flowed back, as far as it can be known: gradients, and for each edge its rule, local derivative and part."""

    def __init__(self, objects: Objects, names: Mapping[Key, str]) -> None:
        self.objects, self.names = objects, names
        found: dict[Key, Array | None] = {k: objects.at.array("gradient", objects.things[k]) for k in objects.order}
        self.gradients = {k: g for k, g in found.items() if g is not None}
        self.contributions: dict[tuple[Key, int], tuple[Array | None, Shape]] = {}
        self.local: dict[tuple[Key, int], Array] = {}
        self.rules: dict[tuple[Key, int], str] = {}
        self.notes: tuple[str, ...] = ()
        if not any(g.any() for g in self.gradients.values()):
            # A zero that stood there from the start is no gradient.
            self.gradients, self.ran = {}, False
            self.notes = (NOT_RUN,) if objects.at.gradient is not None else ()
            return
        for key in objects.order:
            self._check_shape(key)
        # Gradients with none at the root came from elsewhere.
        self.ran = objects.root in self.gradients and bool(self.gradients[objects.root].any())
        if self.ran:
            self._follow()

    def _check_shape(self, key: int) -> None:
        value, gradient = self.objects.value[key], self.gradients.get(key)
        if value is not None and gradient is not None and value.shape != gradient.shape:
            raise OperandError(
                f"a gradient must have the shape of its value; {described(self.objects.things[key])} has a value of "
                f"shape {shape_text(value.shape)} and a gradient of shape {shape_text(gradient.shape)}."
            )

    def _follow(self) -> None:
        """Go from the root back along every edge."""
        uses = Counter(parent for _, _, parent in self.objects.edges)
        locals_of = {k: self._locals(k) for k in self.objects.order if self.objects.parents[k]}
        for key, i, parent in self.objects.edges:
            if key not in self.gradients:
                continue
            local, incoming, arrived = locals_of[key][i], self.gradients[key], self.gradients.get(parent)
            if callable(local):
                self.rules[key, i] = "pullback of ḡ"
                sent = self._pulled_back(key, incoming, local, parent)
                self.contributions[key, i] = sent, sent.shape
                self._quotient((key, i), incoming, sent)
            elif local is not None:
                self.local[key, i], self.rules[key, i] = local, "ḡ · ∂"
                sent = self._product(key, incoming, local, parent)
                self.contributions[key, i] = sent, sent.shape
            elif arrived is not None and uses[parent] == 1:
                self.contributions[key, i] = arrived, arrived.shape
                self._quotient((key, i), incoming, arrived)
            else:
                self.contributions[key, i], self.rules[key, i] = (None, ()), UNKNOWN
        self.notes = (ONCE,) if self.objects.at.local is None else tuple(islice(self._disagreements(), MOST_NOTES))

    def _quotient(self, edge: tuple[Key, int], incoming: Array, sent: Array) -> None:
        """Enter the local derivative of an edge between single numbers."""
        if incoming.size == sent.size == 1 and incoming.all():
            with np.errstate(all="ignore"):
                self.local[edge] = sent.reshape(()) / incoming.reshape(())
            self.rules[edge] = "ḡ · ∂"

    def _locals(self, key: int) -> list[Array | Pullback | None]:
        """Return the local derivatives that an object has, None for a parent without."""
        thing, parents = self.objects.things[key], self.objects.parents[key]
        given = self.objects.at.read("local", thing)
        if given is None:
            return [None] * len(parents)
        if key in self.objects.in_sets:
            raise OperandError(
                f"local= must follow the order of the parents; {described(thing)} has them in a set. Keep a tuple."
            )
        found = list(given) if isinstance(given, (tuple, list)) else [given]
        if len(found) != len(parents):
            raise OperandError(
                f"local= must give one derivative for each parent; {described(thing)} has {len(parents)} parents and "
                f"{len(found)} derivatives. Give a tuple, with None where there is none."
            )
        return [x if callable(x) else as_array(x, "local", thing) for x in found]

    def _pulled_back(self, key: int, incoming: Array, pullback: Pullback, parent: int) -> Array:
        """Return what a pullback makes of a gradient."""
        value, thing = self.objects.value[parent], self.objects.things[key]
        try:
            sent = as_array(pullback(incoming.copy()), "local", thing)
        except OperandError:
            raise
        except Exception as error:
            raise OperandError(
                f"a function that local= finds must take the gradient of {described(thing)} to that of a parent; it "
                f"raised {type(error).__name__}: {visible(str(error))[:200]}. Give None where there is none."
            ) from error
        if sent is None or (value is not None and sent.shape != value.shape):
            came = "nothing" if sent is None else f"the shape {shape_text(sent.shape)}"
            belongs = "an array" if value is None else f"the shape {shape_text(value.shape)}"
            raise OperandError(f"a pullback of {described(thing)} must give {belongs}, that of the parent; got {came}.")
        return sent

    def _product(self, key: int, incoming: Array, local: Array, parent: int) -> Array:
        """Return ḡ · ∂, summed over what was broadcast."""
        value = self.objects.value[parent]
        shape = incoming.shape if value is None else value.shape
        try:
            with np.errstate(all="ignore"):
                product = np.asarray(incoming * local)
            axes = broadcast_axes(product.shape, shape)
        except ValueError:
            axes = None
        if axes is None:
            raise OperandError(
                f"a gradient times a local derivative must have the parent's shape {shape_text(shape)}; for "
                f"{described(self.objects.things[key])} they have {shape_text(incoming.shape)} and "
                f"{shape_text(local.shape)}. Give None where the derivative is no factor of each entry."
            )
        return np.asarray(product.sum(axis=axes)).reshape(shape)

    def _disagreements(self) -> Iterable[str]:
        """Yield where contributions do not add up to the gradient: a rule is wrong, or backward ran more than once."""
        parts: dict[int, list[Array | None]] = {}
        for key, i, parent in self.objects.edges:
            parts.setdefault(parent, []).append(self.contributions.get((key, i), (None, ()))[0])
        for parent, arrays in parts.items():
            known = [a for a in arrays if a is not None]
            if len(known) < len(arrays) or parent not in self.gradients:
                continue
            total, gradient = np.sum(known, axis=0), self.gradients[parent]
            if not np.allclose(total, gradient, rtol=1e-5, atol=1e-8, equal_nan=True):
                name = self.names.get(parent) or described(self.objects.things[parent])
                amounts = f": {number(total.item())}, not {number(gradient.item())}" if total.size == 1 else ""
                yield visible(f"what {name} was sent does not add up to its gradient{amounts}")
